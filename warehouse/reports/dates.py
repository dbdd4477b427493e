"""Days as reports write them, with the order of day and month found out, never assumed."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta

from warehouse.reports.numbers import BadCellError

DAY_FIRST = "dmy"
MONTH_FIRST = "mdy"

_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_COMPACT = re.compile(r"(20[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])")
_DOTTED = re.compile(r"([0-9]{1,2})\.\s?([0-9]{1,2})\.\s?([0-9]{4}|[0-9]{2})")
_SLASHED = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4}|[0-9]{2})")
_SERIAL = re.compile(r"[0-9]{5}(?:\.0+)?")
_TIME = re.compile(r"[T ][0-9]{1,2}:[0-9]{2}.*$")
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = (
    re.compile(r"(?P<month>[A-Za-z]{3,9})\.?\s+(?P<day>[0-9]{1,2}),?\s+(?P<year>[0-9]{4})"),
    re.compile(r"(?P<day>[0-9]{1,2})\.?[\s-]+(?P<month>[A-Za-z]{3,9})\.?,?[\s-]+(?P<year>[0-9]{4})"),
)
_YEARS = range(2000, 2101)
_SPREADSHEET_ZERO = date(1899, 12, 30)


class OrderEvidence:
    """What the day cells of a file say about the order of day and month.

    Only forms such as ``3/4/2026`` leave it open; ``forms`` counts each form met.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.forms: Counter[str] = Counter()
        self.examples: dict[str, tuple[int, str]] = {}

    def add(self, text: str, line: int) -> None:
        """Take one cell into account."""
        stripped = _TIME.sub("", text.strip())
        if not stripped:
            return
        self.forms[form_of(stripped)] += 1
        kind = _order_of(stripped)
        if kind:
            self.counts[kind] += 1
            if kind not in self.examples:
                self.examples[kind] = (line, text.strip())


def _order_of(text: str) -> str:
    """Which order a form such as ``3/4/2026`` needs: dmy, mdy or either; empty for other forms."""
    match = None if _ISO.fullmatch(text) else _SLASHED.fullmatch(text)
    if match is None:
        return ""
    first, second = int(match[1]), int(match[2])
    if first > 12 >= second:
        return DAY_FIRST
    return MONTH_FIRST if second > 12 >= first else "either"


def form_of(text: str) -> str:
    """The form of a day: ``YYYY-MM-DD``, ``YYYYMMDD``, ``D.M.Y``, ``D/M/Y or M/D/Y``, ``month name``, ``serial number``
    or ``unknown``."""
    for pattern, name in (
        (_ISO, "YYYY-MM-DD"),
        (_COMPACT, "YYYYMMDD"),
        (_DOTTED, "D.M.Y"),
        (_SLASHED, "D/M/Y or M/D/Y"),
    ):
        if pattern.fullmatch(text):
            return name
    if any(pattern.fullmatch(_WEEKDAY.sub("", text)) for pattern in _NAMED):
        return "month name"
    return "serial number" if _SERIAL.fullmatch(text) else "unknown"


class DayReader:
    """Reads day cells; equal texts are read once.

    Args:
        order: ``dmy`` or ``mdy`` for forms such as ``3/4/2026``; empty when the file has none of them.
    """

    def __init__(self, order: str = "") -> None:
        self._order = order
        self._known: dict[str, date | None] = {}

    def day(self, text: str) -> date | None:
        """The day of a cell; None where the cell is empty.

        Raises:
            BadCellError: not a day, not a possible one, or outside 2000 to 2100.
        """
        try:
            return self._known[text]
        except KeyError:
            pass
        stripped = _TIME.sub("", text.strip())
        value = None if stripped in {"", "-", "--"} else self._parse(stripped)
        self._known[text] = value
        return value

    def moment(self, text: str) -> datetime | None:
        """The moment of a cell in UTC: a time without zone is taken as UTC, a day as its first second.

        Raises:
            BadCellError: as ``day``.
        """
        stripped = text.strip()
        if not stripped:
            return None
        try:
            parsed = datetime.fromisoformat(stripped)
        except ValueError:
            day = self.day(stripped)
            return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
        _check_year(parsed.year)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)

    def _parse(self, text: str) -> date:
        year, month, day = self._parts(text)
        _check_year(year)
        try:
            return date(year, month, day)
        except ValueError as error:
            raise BadCellError("is no day of the calendar") from error

    def _parts(self, text: str) -> tuple[int, int, int]:
        for pattern in (_ISO, _COMPACT):
            if match := pattern.fullmatch(text):
                return int(match[1]), int(match[2]), int(match[3])
        if match := _DOTTED.fullmatch(text):
            return _year(match[3]), int(match[2]), int(match[1])
        if match := _SLASHED.fullmatch(text):
            first, second, year = int(match[1]), int(match[2]), _year(match[3])
            return (year, second, first) if self._order == DAY_FIRST else (year, first, second)
        for pattern in _NAMED:
            if match := pattern.fullmatch(_WEEKDAY.sub("", text)):
                return int(match["year"]), _month(match["month"]), int(match["day"])
        if _SERIAL.fullmatch(text):
            found = _SPREADSHEET_ZERO + timedelta(days=int(text.split(".")[0]))
            return found.year, found.month, found.day
        raise BadCellError("is not a day in any known form")


def _year(digits: str) -> int:
    """The year as written; two digits are of this century."""
    return int(digits) + (2000 if len(digits) == 2 else 0)


def _check_year(year: int) -> None:
    if year not in _YEARS:
        raise BadCellError(f"is outside the years {_YEARS[0]} to {_YEARS[-1]}")


def is_unlikely(day: date | None) -> bool:
    """Whether a day lies ahead, so that nothing can have been measured on it; a day's grace for clocks further east."""
    return day is not None and day > datetime.now(UTC).date() + timedelta(days=1)


def _month(name: str) -> int:
    short = name[:3].lower()
    if short not in _MONTHS:
        raise BadCellError(f"names no month: {name!r} (English names are known)")
    return _MONTHS.index(short) + 1


def find_range(text: str) -> tuple[date, date] | None:
    """The two days of a range such as ``July 8, 2025 - July 31, 2025``; None where the text is no such range."""
    reader = DayReader()
    for mark in (" - ", " – ", " — ", " to "):
        parts = text.strip().strip('"').split(mark)
        if len(parts) != 2:
            continue
        if any(form_of(part.strip()) in {"unknown", "serial number", "D/M/Y or M/D/Y"} for part in parts):
            continue
        try:
            first, last = reader.day(parts[0]), reader.day(parts[1])
        except BadCellError:
            continue
        if first and last and first <= last:
            return first, last
    return None
