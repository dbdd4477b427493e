"""Numbers as reports write them: exact decimals from text, with the decimal mark found out, never assumed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

POINT = "point"
COMMA = "comma"
NONE_MARKS = frozenset({"", "-", "--", "---", "—", "–", "n/a", "N/A"})
"""Cells that mean "no value" in a number column."""
MAX_VALUE = Decimal(10) ** 12

_SPACES = "[ '’\u00a0\u2009\u202f]"
_STYLE = {
    POINT: re.compile(
        rf"[+-]?(?:[0-9]+|[1-9][0-9]{{0,2}}(?:,[0-9]{{2,3}})*,[0-9]{{3}}|[0-9]{{1,3}}(?:{_SPACES}[0-9]{{3}})+)?(?:\.[0-9]*)?"
    ),
    COMMA: re.compile(
        rf"[+-]?(?:[0-9]+|[1-9][0-9]{{0,2}}(?:\.[0-9]{{2,3}})*\.[0-9]{{3}}|[0-9]{{1,3}}(?:{_SPACES}[0-9]{{3}})+)?(?:,[0-9]*)?"
    ),
}
_DIGITS = frozenset("0123456789")
_DROPPED = dict.fromkeys(map(ord, " '’\u00a0\u2009\u202f"), "")
_PLAIN = {POINT: {**_DROPPED, ord(","): ""}, COMMA: {**_DROPPED, ord("."): "", ord(","): "."}}
_NEUTRAL = re.compile(rf"[+-]?[0-9]+(?:{_SPACES}[0-9]{{3}})*")
_EITHER = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_MONEY_SIGNS = "$€£¥₹₩₺zł"
_SIGN_CODES = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₺": "TRY"}
_STRIP = re.compile(
    rf"^(?:[A-Z]{{3}}\s)?\s*[{re.escape(_MONEY_SIGNS)}]*\s*|\s*[{re.escape(_MONEY_SIGNS)}]*\s*(?:\s[A-Z]{{3}})?$"
)


class BadCellError(ValueError):
    """A cell that cannot be read; the text says why, as the end of a sentence about the cell."""


def bare(text: str) -> str:
    """A number cell without surrounding space, currency sign or code."""
    stripped = text.strip().removeprefix("'")
    if not stripped or (stripped[0] in _DIGITS and stripped[-1] in _DIGITS):
        return stripped
    return _STRIP.sub("", stripped).strip()


def currency_of_sign(text: str) -> str:
    """The ISO code of a currency sign that stands for one currency only; empty for "$" and for none."""
    return next((code for sign, code in _SIGN_CODES.items() if sign in text), "")


class DecimalEvidence:
    """What the number cells of a file say about its decimal mark.

    ``point`` and ``comma`` count cells that allow only that mark; ``either`` counts cells such as ``1.234`` that allow
    both. Whole-number columns allow no fraction, so there ``1.234`` counts for the comma as decimal mark.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, tuple[int, str]] = {}

    def add(self, text: str, line: int, *, whole: bool) -> None:
        """Take one cell of a number column into account; ``whole`` where the column counts things."""
        if not text or text.isdigit():
            return
        kind = decimal_kind(text, whole=whole)
        if kind:
            self.counts[kind] += 1
            self.examples.setdefault(kind, (line, text.strip()))

    def add_all(self, cells: Iterable[str], line: int) -> None:
        """Take cells of unknown meaning into account; those that are no numbers say nothing."""
        for cell in cells:
            self.add(cell, line, whole=False)


def decimal_kind(text: str, *, whole: bool) -> str:
    """Which decimal mark a cell allows: ``point``, ``comma``, ``either``, or empty when it says nothing."""
    number = bare(text).removesuffix("%").strip()
    if not number or not any(mark in number for mark in ".,") or _NEUTRAL.fullmatch(number):
        return ""
    if _EITHER.fullmatch(number):
        if whole:
            return COMMA if "." in number else POINT
        return "either"
    allowed = [style for style in (POINT, COMMA) if _STYLE[style].fullmatch(number)]
    return allowed[0] if len(allowed) == 1 else ""


class NumberReader:
    """Reads number cells in one style; equal texts are read once."""

    def __init__(self, decimal: str) -> None:
        self._pattern = _STYLE[decimal]
        self._decimal = decimal
        self._known: dict[str, Decimal | None] = {}
        self._counts: dict[str, int | None] = {}

    def amount(self, text: str) -> Decimal | None:
        """The exact value of a cell; None where it stands for "no value".

        Raises:
            BadCellError: not a number in this style, in scientific form, or 10^12 and more.
        """
        try:
            return self._known[text]
        except KeyError:
            value = self._known[text] = self._parse(text)
            return value

    def count(self, text: str) -> int | None:
        """A whole number of things, 0 or more.

        Raises:
            BadCellError: as ``amount``, or negative, or not whole.
        """
        try:
            return self._counts[text]
        except KeyError:
            value = self._counts[text] = self._count(self.amount(text))
            return value

    @staticmethod
    def _count(value: Decimal | None) -> int | None:
        if value is None:
            return None
        if value < 0:
            raise BadCellError("is negative; a count cannot be")
        whole = int(value)
        if whole != value:
            raise BadCellError("is not a whole number; this column counts things")
        return whole

    def _parse(self, text: str) -> Decimal | None:
        number = bare(text)
        if number in NONE_MARKS:
            return None
        if self._pattern.fullmatch(number) and not _DIGITS.isdisjoint(number):
            value = Decimal(number.translate(_PLAIN[self._decimal]))
            if abs(value) >= MAX_VALUE:
                raise BadCellError(f"is too large; the limit is {MAX_VALUE:,}")
            return value
        if number.startswith(("<", ">")):
            raise BadCellError("is a bound, not a number")
        if number.endswith("%"):
            raise BadCellError("is a share in percent; an amount or a count is needed")
        if _SCIENTIFIC.fullmatch(number):
            raise BadCellError("is in scientific form: a spreadsheet has dropped digits")
        raise BadCellError(f"is not a number with a decimal {self._decimal}")
