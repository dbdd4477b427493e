"""What an import would understand of a file, without storing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from proofsheet.domain.facts import Reject
from warehouse.importers.layout import Recognition
from warehouse.importers.reading import ColumnUse, Question, Reading
from warehouse.reports.table import Table

_CENT = Decimal("0.01")
_MONEY = ("spend", "conversion_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A file as an import would read it; JSON by ``proofsheet.domain.identity.to_json``.

    ``rows_in`` = ``loaded`` + ``set_aside`` + ``undecided``; rows are undecided only while ``questions`` keep them from
    being read. ``ready`` means that an import with the same answers would succeed. Blank lines are no rows. A column is
    one of ``columns`` (used), ``unused`` (known to the layout and not needed) or ``unmapped`` (unknown). ``flags``
    counts remarks on loaded rows, and ``flag_lines`` names the lines of the first five of each. ``totals`` sum the
    loaded rows exactly; money is then rounded to 0.01, half to even.
    """

    file_name: str
    bytes: int
    sha256: str
    file_kind: str
    encoding: str
    line_ends: str
    separator: str
    sheet: str
    preamble: tuple[str, ...]
    header_line: int
    layout: str
    layout_reason: str
    runner_up: Recognition | None
    platform: str
    kind: str
    columns: tuple[ColumnUse, ...]
    unused: tuple[str, ...]
    unmapped: tuple[str, ...]
    number_style: str
    date_style: str
    first_day: date | None
    last_day: date | None
    currency: str
    rows_in: int
    loaded: int
    set_aside: int
    undecided: int
    flagged: int
    flags: Mapping[str, int]
    flag_lines: Mapping[str, tuple[int, ...]]
    totals: Mapping[str, Decimal]
    rejects: tuple[Reject, ...]
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    ready: bool

    def facts(self) -> tuple[tuple[str, str], ...]:
        """The file in lines of name and value, for reading; empty ones are left out."""
        read = f"{self.loaded:,} would load, {self.set_aside:,} set aside, {self.flagged:,} flagged"
        flags = "; ".join(f"{name} {number:,}{self._where(name, number)}" for name, number in self.flags.items())
        days = f"{self.first_day} to {self.last_day}" if self.first_day else ""
        runner_up = self.runner_up
        listed = (
            ("file", f"{self.file_name}, {self.bytes:,} bytes, SHA-256 {self.sha256[:16]}…"),
            ("encoding", f"{self.encoding}, line ends {self.line_ends}" if self.line_ends else self.encoding),
            ("separator", self.separator),
            ("sheet", self.sheet),
            ("preamble", " / ".join(self.preamble)),
            ("header", f"line {self.header_line}"),
            ("layout", f"{self.layout}: {self.layout_reason}"),
            ("runner-up", f"{runner_up.layout}: {runner_up.reason}" if runner_up else ""),
            ("used", self._used()),
            ("known, unused", ", ".join(self.unused)),
            ("unknown", ", ".join(text or "(a column without a name)" for text in self.unmapped)),
            ("numbers", self.number_style),
            ("days", "; ".join(part for part in (days, self.date_style) if part)),
            ("currency", self.currency),
            ("rows", f"{self.rows_in:,} in: {read}" + (f", {self.undecided:,} undecided" if self.undecided else "")),
            ("flags", flags),
            *(("note", note) for note in self.notes),
            ("ready", "yes" if self.ready else "no: questions are open"),
        )
        return tuple((name, value) for name, value in listed if value)

    def _used(self) -> str:
        known, unused, unknown = len(self.columns), len(self.unused), len(self.unmapped)
        return f"{known} of {known + unused + unknown} columns; {unused} known and not used, {unknown} unknown"

    def _where(self, flag: str, number: int) -> str:
        lines = self.flag_lines.get(flag, ())
        more = ", …" if number > len(lines) else ""
        return f" (line{'s' * (number > 1)} {', '.join(map(str, lines))}{more})" if lines else ""


def describe(table: Table, chosen: Recognition, runner_up: Recognition | None, reading: Reading) -> Inspection:
    """The inspection of a file that was read.

    Raises:
        AssertionError: rows in are not loaded + set aside + undecided, or a row became more or less than one fact; a
            fault of the importer, never of the file.
    """
    check_account(reading)
    return Inspection(
        file_name=table.file_name,
        bytes=table.size,
        sha256=table.sha256,
        file_kind=table.kind,
        encoding=table.encoding,
        line_ends=table.line_ends,
        separator=table.separator,
        sheet=table.sheet,
        preamble=table.preamble,
        header_line=table.header_line,
        layout=reading.layout,
        layout_reason=chosen.reason,
        runner_up=runner_up,
        platform=reading.platform,
        kind=reading.kind,
        columns=reading.columns,
        unused=reading.unused,
        unmapped=reading.unmapped,
        number_style=reading.number_style,
        date_style=reading.date_style,
        first_day=reading.first_day,
        last_day=reading.last_day,
        currency=", ".join(reading.currencies),
        rows_in=reading.rows_in,
        loaded=reading.loaded,
        set_aside=len(reading.rejects),
        undecided=reading.undecided,
        flagged=reading.flagged,
        flags=dict(sorted(reading.flags.items())),
        flag_lines={name: tuple(lines) for name, lines in sorted(reading.flag_lines.items())},
        totals=rounded_totals(reading.totals),
        rejects=tuple(reading.rejects),
        questions=tuple(reading.questions),
        notes=(*table.notes, *reading.notes),
        ready=not reading.questions,
    )


def check_account(reading: Reading) -> None:
    """Prove that every row of the file is accounted for, exactly once."""
    accounted = reading.loaded + len(reading.rejects) + reading.undecided
    if accounted != reading.rows_in:
        raise AssertionError(f"{reading.rows_in} rows in, {accounted} accounted for")
    if reading.kind == "delivery" and reading.loaded != len(reading.deliveries):
        raise AssertionError(f"{reading.loaded} rows loaded as {len(reading.deliveries)} deliveries")


def rounded_totals(totals: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Totals with money rounded to 0.01, half to even; everything else stays exact."""
    return {
        name: value.quantize(_CENT, rounding=ROUND_HALF_EVEN) if name.startswith(_MONEY) else value
        for name, value in totals.items()
    }
