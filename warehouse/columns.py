"""Facts as columns: exact, typed Arrow arrays, the fast way into DuckDB."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING

from proofsheet.domain.facts import Delivery, Exposure, Outcome, Reject
from proofsheet.errors import InputError

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
    """By what a row is broken down: whether by placement, and by which segment keys."""
    keys = sorted(pair.split("=", 1)[0] for pair in row.segment.split("|") if pair)
    return "|".join((["placement"] if row.placement else []) + keys)


def delivery_columns(rows: Sequence[Delivery], import_no: int) -> dict[str, pyarrow.Array]:
    """Delivery rows as columns of the table ``deliveries``."""
    import pyarrow as pa

    columns: dict[str, pyarrow.Array] = {"import_no": _same(import_no, len(rows))}
    texts = ("platform", "account", "campaign", "ad_group", "ad", "ad_id", "placement", "segment")
    for name in (*texts, "currency", "asset_key"):
        columns[name] = pa.array([getattr(row, name) for row in rows], pa.string())
    columns["grain"] = pa.array([grain(row) for row in rows], pa.string())
    columns["flags"] = pa.array([" ".join(row.flags) for row in rows], pa.string())
    columns["line"] = pa.array([row.line for row in rows], pa.int64())
    for name in ("day", "day_end"):
        columns[name] = pa.array([getattr(row, name) for row in rows], pa.date32())
    for name in ("impressions", "clicks", "link_clicks"):
        columns[name] = _whole(rows, name)
    for name in ("conversions", "conversion_value", "spend"):
        columns[name] = pa.array(
            [exact(getattr(row, name), f"Line {row.line}, {name}") for row in rows], pa.decimal128(38, PLACES)
        )
    return columns


def exposure_columns(rows: Sequence[Exposure], import_no: int) -> dict[str, pyarrow.Array]:
    """Exposures as columns of the table ``exposures``."""
    import pyarrow as pa

    return {
        "import_no": _same(import_no, len(rows)),
        "experiment": pa.array([row.experiment for row in rows], pa.string()),
        "unit": pa.array([row.unit for row in rows], pa.string()),
        "arm": pa.array([row.arm for row in rows], pa.string()),
        "seen_at": _moments(row.at for row in rows),
    }


def outcome_columns(rows: Sequence[Outcome], import_no: int) -> dict[str, pyarrow.Array]:
    """Outcomes as columns of the table ``outcomes``.

    Raises:
        InputError: a value is not finite.
    """
    import pyarrow as pa

    for row in rows:
        if not math.isfinite(row.value):
            raise InputError(
                f"The outcome {row.event!r} of unit {row.unit!r} has the value {row.value}, which is not finite.",
                "Give a plain number, or leave the row out.",
            )
    return {
        "import_no": _same(import_no, len(rows)),
        "experiment": pa.array([row.experiment for row in rows], pa.string()),
        "unit": pa.array([row.unit for row in rows], pa.string()),
        "event": pa.array([row.event for row in rows], pa.string()),
        "value": pa.array([float(row.value) for row in rows], pa.float64()),
        "happened_at": _moments(row.at for row in rows),
    }


def reject_columns(rows: Sequence[Reject], import_no: int) -> dict[str, pyarrow.Array]:
    """Rows set aside as columns of the table ``rejects``."""
    import pyarrow as pa

    return {
        "import_no": _same(import_no, len(rows)),
        "line": pa.array([row.line for row in rows], pa.int64()),
        "column_name": pa.array([row.column for row in rows], pa.string()),
        "value": pa.array([row.value for row in rows], pa.string()),
        "reason": pa.array([row.reason for row in rows], pa.string()),
        "raw": pa.array([row.raw for row in rows], pa.string()),
    }


def _same(value: int, count: int) -> pyarrow.Array:
    import pyarrow as pa

    return pa.array([value] * count, pa.int64())


def _moments(moments: Iterable[datetime]) -> pyarrow.Array:
    import pyarrow as pa

    return pa.array([utc(moment) for moment in moments], pa.timestamp("us"))


def _whole(rows: Sequence[Delivery], name: str) -> pyarrow.Array:
    import pyarrow as pa

    try:
        return pa.array([getattr(row, name) for row in rows], pa.int64())
    except (OverflowError, pa.ArrowInvalid) as error:
        raise InputError(f"The column {name} holds a count that is too large ({error}).", "Mend the file.") from error
