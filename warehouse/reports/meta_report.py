"""Writes a report in the layout of a Meta Ads Manager export, for a simulator that stands in for the platform."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from proofsheet.errors import InputError

NEEDED = (
    "day",
    "campaign",
    "ad_group",
    "ad",
    "ad_id",
    "placement",
    "impressions",
    "clicks",
    "conversions",
    "spend",
    "currency",
)
"""The keys of a row. ``day`` is a date or its ISO text; counts are whole; ``spend`` is an exact decimal."""

_RISKY = re.compile(r"'*[=+\-@]")
_STEP = Decimal("0.00000001")


def write_meta_report(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as Meta's export of ads by day and placement; equal rows give equal bytes.

    ``clicks`` is written both as link clicks and as all clicks. Zero events are written as empty cells, as Meta does. A
    name that a spreadsheet would run as a formula gets a leading apostrophe, which an import takes off again. The file
    appears whole or not at all.

    Args:
        path: where to write.
        rows: mappings with the keys of ``NEEDED``, in one currency.

    Returns:
        the number of rows written.

    Raises:
        InputError: a row lacks a key, the rows have several currencies, or there is no row.
    """
    listed = [_checked(row, number) for number, row in enumerate(rows, start=1)]
    currencies = sorted({str(row["currency"]) for row in listed})
    if len(currencies) != 1:
        raise InputError(
            f"A Meta report has one currency; these rows have {', '.join(currencies) or 'none'}.",
            "Write one report per currency.",
        )
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_header(currencies[0]))
    writer.writerows(_line(row) for row in listed)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(b"\xef\xbb\xbf" + buffer.getvalue().encode())
    os.replace(partial, path)
    return len(listed)


def _checked(row: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    missing = [key for key in NEEDED if key not in row]
    if missing:
        raise InputError(f"Row {number} of the report lacks {', '.join(missing)}.", f"Needed: {', '.join(NEEDED)}.")
    return row


def _header(currency: str) -> list[str]:
    return [
        "Campaign name",
        "Ad set name",
        "Ad name",
        "Ad ID",
        "Day",
        "Placement",
        "Result type",
        "Results",
        "Cost per result",
        f"Amount spent ({currency})",
        "Impressions",
        f"CPM (cost per 1,000 impressions) ({currency})",
        "Link clicks",
        f"CPC (cost per link click) ({currency})",
        "CTR (link click-through rate)",
        "Clicks (all)",
        "CTR (all)",
        f"CPC (all) ({currency})",
        "Purchases",
        "Reporting starts",
        "Reporting ends",
    ]


def _line(row: Mapping[str, Any]) -> list[str]:
    day = row["day"].isoformat() if isinstance(row["day"], date) else str(row["day"])
    impressions, clicks, conversions = int(row["impressions"]), int(row["clicks"]), int(row["conversions"])
    spend = Decimal(row["spend"])
    per_click, share = _rate(spend, clicks), _rate(Decimal(100 * clicks), impressions)
    return [
        _safe(row["campaign"]),
        _safe(row["ad_group"]),
        _safe(row["ad"]),
        str(row["ad_id"]),
        day,
        _safe(row["placement"]),
        "Website purchases" if conversions else "",
        _events(conversions),
        _rate(spend, conversions),
        format(spend, "f"),
        str(impressions),
        _rate(1000 * spend, impressions),
        _events(clicks),
        per_click,
        share if clicks else "",
        str(clicks),
        share,
        per_click,
        _events(conversions),
        day,
        day,
    ]


def _safe(value: Any) -> str:
    text = str(value)
    return f"'{text}" if _RISKY.match(text) else text


def _events(number: int) -> str:
    return str(number) if number else ""


def _rate(amount: Decimal, count: int) -> str:
    if not count:
        return ""
    text = format((amount / count).quantize(_STEP, rounding=ROUND_HALF_EVEN), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
