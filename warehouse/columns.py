"""Facts as columns: exact, typed Arrow arrays, the fast way into DuckDB."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING

from proofsheet.domain.facts import Delivery, Exposure, Outcome, Reject
from proofsheet.errors import InputError
from warehouse.arrays import days, decimals, floats, moments, texts, whole
from warehouse.importers.asset_keys import placement_in

if TYPE_CHECKING:
    import pyarrow

#: Amounts are kept with 18 places; further ones (noise of binary floats) are rounded half to even.
PLACES = 18
_QUANTUM = Decimal(1).scaleb(-PLACES)
_WIDE = Context(prec=38, traps=[InvalidOperation])


def utc(moment: datetime) -> datetime:
    """The moment in UTC without a zone, as the database keeps it; one without a zone is UTC already."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def exact(value: Decimal | None, where: str) -> Decimal | None:
    """The amount with the places the database keeps.

    Raises:
        InputError: it is not finite, or has more than 20 digits before the point.
    """
    if value is None:
        return None
    try:
        if value.is_finite():
            return value.quantize(_QUANTUM, context=_WIDE)
        raise InvalidOperation
    except InvalidOperation:
        raise InputError(
            f"{where}: the amount {value} cannot be kept.", "Amounts are finite and below 10^20; mend the file."
        ) from None


def grain(row: Delivery) -> str:
    """By what a row is broken down: whether by placement, and by which segment keys.

    A placement that the ad's own name says is no breakdown by the platform: a report with a column of placements says
    the same delivery in other rows, and the two must not be added.
    """
    keys = sorted(pair.split("=", 1)[0] for pair in row.segment.split("|") if pair)
    named = placement_in(row.ad)
    if not row.placement:
        by_place = []
    elif named and row.placement == named:
        by_place = ["placement of the ad"]
    elif named and row.placement.endswith(f" / {named}"):
        by_place = ["platform", "placement of the ad"]
    else:
        by_place = ["placement"]
    return "|".join(by_place + keys)


def delivery_columns(rows: Sequence[Delivery], import_no: int) -> dict[str, pyarrow.Array]:
    """Delivery rows as columns of the table ``deliveries``."""
    columns: dict[str, pyarrow.Array] = {"import_no": whole([import_no] * len(rows))}
    names = ("platform", "account", "campaign", "ad_group", "ad", "ad_id", "placement", "segment")
    for name in (*names, "currency", "asset_key"):
        columns[name] = texts([getattr(row, name) for row in rows])
    columns["grain"] = texts([grain(row) for row in rows])
    columns["flags"] = texts([" ".join(row.flags) for row in rows])
    columns["line"] = whole([row.line for row in rows])
    for name in ("day", "day_end"):
        columns[name] = days([getattr(row, name) for row in rows])
    for name in ("impressions", "clicks", "link_clicks"):
        columns[name] = whole([getattr(row, name) for row in rows])
    for name in ("conversions", "conversion_value", "spend"):
        columns[name] = decimals([exact(getattr(row, name), f"Line {row.line}, {name}") for row in rows], PLACES)
    return columns


def exposure_columns(rows: Sequence[Exposure], import_no: int) -> dict[str, pyarrow.Array]:
    """Exposures as columns of the table ``exposures``."""
    return {
        "import_no": whole([import_no] * len(rows)),
        "experiment": texts([row.experiment for row in rows]),
        "unit": texts([row.unit for row in rows]),
        "arm": texts([row.arm for row in rows]),
        "seen_at": moments([utc(row.at) for row in rows]),
    }


def outcome_columns(rows: Sequence[Outcome], import_no: int) -> dict[str, pyarrow.Array]:
    """Outcomes as columns of the table ``outcomes``.

    Raises:
        InputError: a value is not finite.
    """
    for row in rows:
        if not math.isfinite(row.value):
            raise InputError(
                f"The outcome {row.event!r} of unit {row.unit!r} has the value {row.value}, which is not finite.",
                "Give a plain number, or leave the row out.",
            )
    return {
        "import_no": whole([import_no] * len(rows)),
        "experiment": texts([row.experiment for row in rows]),
        "unit": texts([row.unit for row in rows]),
        "event": texts([row.event for row in rows]),
        "value": floats([row.value for row in rows]),
        "happened_at": moments([utc(row.at) for row in rows]),
    }


def reject_columns(rows: Sequence[Reject], import_no: int) -> dict[str, pyarrow.Array]:
    """Rows set aside as columns of the table ``rejects``."""
    return {
        "import_no": whole([import_no] * len(rows)),
        "line": whole([row.line for row in rows]),
        "column_name": texts([row.column for row in rows]),
        "value": texts([row.value for row in rows]),
        "reason": texts([row.reason for row in rows]),
        "raw": texts([row.raw for row in rows]),
    }
