"""What an importer is asked and what it answers; the seam for importers of other platforms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

from proofsheet.domain.facts import Delivery, Exposure, Outcome, Reject
from proofsheet.errors import InputError
from warehouse.importers.layout import Recognition
from warehouse.reports.headers import header_key, nearest
from warehouse.reports.table import Table

FIRST_LINES = 5
"""Of each remark, this many lines are named."""
OPTIONS: Mapping[str, str] = {
    "at": "the day that counts for rows without a time, YYYY-MM-DD",
    "currency": "the currency of amounts that carry none, such as EUR",
    "date_order": "dmy or mdy, for days such as 3/4/2026",
    "decimal": "point or comma, for numbers such as 1.234",
    "encoding": "the file's encoding, such as windows-1250",
    "experiment": "the experiment that unit-level rows belong to",
    "exposure": "the event that marks that a unit saw its arm",
    "result_type": "the kind of result that counts as a conversion",
    "separator": "comma, semicolon, tab or pipe",
    "sheet": "the workbook's sheet",
}
"""The answers an importer may be given, by ``--option NAME=VALUE``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the file leaves open, and the options that answer it; an import waits until each is answered."""

    topic: str
    text: str
    answers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.topic}: {self.text} Answer with {' or '.join(self.answers)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnUse:
    """A column of the file (1-based ``position``) and the field it is read as; ``stored`` is False where it is read
    for its total, or for a rule, only."""

    header: str
    position: int
    field: str
    stored: bool = True

    def __iter__(self) -> Iterator[str]:
        """Unpack into header and meaning, as the row of a table."""
        yield self.header
        yield self.field if self.stored else f"{self.field} (read, not stored)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The user's answers: ``mapping`` is field → header, ``options`` are those of ``OPTIONS``."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.options:
            if name not in OPTIONS:
                raise InputError(f"There is no import option {name!r}.", nearest(name, OPTIONS))

    def columns(self, table: Table, fields: tuple[str, ...]) -> dict[int, str]:
        """The columns the user mapped: index → field.

        Raises:
            InputError: an unknown field, a header the file does not have or has twice, or one header for two fields.
        """
        chosen: dict[int, str] = {}
        for name, header in self.mapping.items():
            if name not in fields:
                raise InputError(f"There is no field {name!r} in this kind of report.", nearest(name, fields))
            index = find_column(table, header)
            if index in chosen:
                raise InputError(
                    f"The column {header!r} is mapped to {chosen[index]!r} and to {name!r}.", "Map it to one of them."
                )
            chosen[index] = name
        return chosen


def find_column(table: Table, header: str) -> int:
    """The index of a column by its header, exactly or but for case and spacing.

    Raises:
        InputError: the file has no such column.
    """
    if header in table.header:
        return table.header.index(header)
    keys = [header_key(text) for text in table.header]
    if header_key(header) in keys:
        return keys.index(header_key(header))
    raise InputError(
        f"{table.file_name} has no column {header!r}.", nearest(header, [text for text in table.header if text])
    )


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a file's rows became.

    ``rows_in`` is always loaded + set aside + ``undecided``; rows are undecided while a question keeps them from being
    read. ``unused`` are headers that the layout knows and that are not needed, ``unmapped`` those nobody knows.
    ``flags`` count remarks on loaded rows, ``flag_lines`` name the lines of the first. ``totals`` sum the loaded rows:
    counts and conversions by field name, money as ``spend <currency>``, exact.
    """

    kind: str
    platform: str
    layout: str
    columns: tuple[ColumnUse, ...] = ()
    unused: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    number_style: str = ""
    date_style: str = ""
    deliveries: list[Delivery] = field(default_factory=list)
    exposures: list[Exposure] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    flags: Counter[str] = field(default_factory=Counter)
    flag_lines: dict[str, list[int]] = field(default_factory=dict)
    flagged: int = 0
    rows_in: int = 0
    loaded: int = 0
    undecided: int = 0
    first_day: date | None = None
    last_day: date | None = None
    currencies: tuple[str, ...] = ()
    totals: dict[str, Decimal] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def flag(self, line: int, flags: Sequence[str]) -> None:
        """Count the remarks on a loaded row, and keep where the first of each stand."""
        self.flagged += bool(flags)
        for name in flags:
            self.flags[name] += 1
            lines = self.flag_lines.setdefault(name, [])
            if len(lines) < FIRST_LINES:
                lines.append(line)

    def see_day(self, day: date | None) -> None:
        """Widen the range of days."""
        if day is not None:
            self.first_day = day if self.first_day is None else min(self.first_day, day)
            self.last_day = day if self.last_day is None else max(self.last_day, day)


class Importer(Protocol):
    """Reads one platform's reports; registered under the entry point group ``proofsheet.importers``, made without
    arguments."""

    name: str

    def header_keys(self) -> frozenset[str]:
        """The header keys it knows (see ``warehouse.reports.headers.header_key``), to find the header line."""
        ...

    def recognise(self, table: Table) -> Recognition:
        """How well a table fits; score 0 when not at all."""
        ...

    def read(self, table: Table, request: Request) -> Reading:
        """Read every row: loaded, or set aside with its reason; what is open becomes a question."""
        ...
