"""Unit-level files: a log of events, or a table with a row per unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from proofsheet.domain.facts import Exposure, Outcome, Reject
from proofsheet.errors import InputError
from warehouse.importers.layout import Recognition
from warehouse.importers.reading import ColumnUse, Question, Reading, Request
from warehouse.importers.styles import Styles, find_styles
from warehouse.importers.unit_shape import UnitShape, find_shape, header_fields, known_keys
from warehouse.reports.dates import DayReader, is_unlikely
from warehouse.reports.numbers import POINT, BadCellError, NumberReader
from warehouse.reports.rows import Row
from warehouse.reports.table import Table, shown

EXPOSURE_EVENTS = frozenset({"", "exposure", "exposed", "$exposure", "assignment", "assigned"})
"""Event names that mark that a unit saw its arm, unless ``--option exposure=NAME`` says another."""
_TRUTH = {"true": Decimal(1), "false": Decimal(0), "yes": Decimal(1), "no": Decimal(0)}


class UnitEventsImporter:
    """Reads logs (experiment, unit, arm, timestamp, event, value) and tables of units (unit, arm, outcomes).

    A table of units needs ``--map unit=…``, ``--map arm=…``, ``--map outcomes=a,b`` and ``--option experiment=NAME``.
    """

    name = "unit_events"

    def header_keys(self) -> frozenset[str]:
        """The header keys of event logs."""
        return known_keys()

    def recognise(self, table: Table) -> Recognition:
        """By unit, arm and event columns; any other table scores a little, for nobody else reads it."""
        found = header_fields(table.header)
        names = ", ".join(f"{table.header[index]!r} may be the {field}" for field, index in found.items())
        if {"unit", "arm", "event"} <= set(found):
            return Recognition(layout=self.name, score=2.0 * len(found), reason=f"a log of events: {names}")
        if {"unit", "arm"} <= set(found):
            return Recognition(layout=self.name, score=1.5 * len(found), reason=f"a table of units: {names}")
        return Recognition(layout=self.name, score=0.25, reason="no report's columns; perhaps a table of units")

    def read(self, table: Table, request: Request) -> Reading:
        """Read every row; what is not said about the columns becomes a question."""
        shape = find_shape(table, request)
        reading = Reading(kind="events" if shape.is_log else "units", platform="", layout=self.name)
        reading.questions += shape.questions
        reading.columns = tuple(
            ColumnUse(header=table.header[index], position=index + 1, field=field) for index, field in shape.columns
        )
        used = {index for index, _ in shape.columns}
        reading.unmapped = tuple(text for index, text in enumerate(table.header) if index not in used)
        styles = find_styles(
            table,
            request,
            counts=[],
            amounts=[index for index, field in shape.columns if field == "value" or field.startswith("outcome ")],
            days=[index for index, field in shape.columns if field == "at"],
            tally=[shape.event] if shape.event is not None else [],
        )
        reading.rows_in = styles.rows_in
        reading.questions += styles.questions
        reading.notes += styles.notes
        reading.number_style, reading.date_style = styles.number_style, styles.date_style
        marks = _exposure_marks(shape, styles, request, reading)
        if reading.questions:
            reading.undecided = reading.rows_in
            return reading
        _UnitRows(table, shape, styles, request, reading, marks).read()
        return reading


def _exposure_marks(shape: UnitShape, styles: Styles, request: Request, reading: Reading) -> frozenset[str]:
    """The event names that count as exposures; a question where the log has none of the usual ones."""
    if shape.event is None:
        return frozenset()
    events = styles.tallies[shape.event]
    told = request.options.get("exposure", "")
    if told:
        if told not in events:
            raise InputError(
                f"--option exposure={told!r}: no row has this event.", f"Events: {', '.join(map(repr, events))}."
            )
        return frozenset({told.lower()})
    if not any(event.lower() in EXPOSURE_EVENTS for event in events):
        listed = [event for event, _ in events.most_common(5)]
        reading.questions.append(
            Question(
                topic="exposure",
                text="No event marks that a unit saw its arm, so units without any other event would be missing.",
                answers=tuple(f"--option exposure={event!r}" for event in listed),
            )
        )
    return EXPOSURE_EVENTS


class _UnitRows:
    """Turns rows into exposures and outcomes, or rejects."""

    def __init__(
        self, table: Table, shape: UnitShape, styles: Styles, request: Request, reading: Reading, marks: frozenset[str]
    ) -> None:
        self.table, self.shape, self.reading, self.marks = table, shape, reading, marks
        self.numbers = NumberReader(styles.decimal or POINT)
        self.days = DayReader(styles.order)
        self.experiment = request.options.get("experiment", "")
        self.moment = self._moment(request)
        self.arms: dict[tuple[str, str], str] = {}
        self.exposed: set[tuple[str, str, str]] = set()
        self.amounts: dict[str, Decimal] = {}
        self._column = -1

    def _moment(self, request: Request) -> datetime:
        told = request.options.get("at", "")
        if told:
            try:
                found = self.days.moment(told)
            except BadCellError as problem:
                raise InputError(f"--option at={told!r} {problem}.", "Write YYYY-MM-DD.") from problem
            if found is not None:
                return found
        if self.shape.at is None:
            self.reading.notes.append(
                "No column of times: every row takes the moment of the import. Another day: --option at=YYYY-MM-DD."
            )
        return datetime.now(UTC).replace(microsecond=0)

    def read(self) -> None:
        """Read every row of the table."""
        reading = self.reading
        for row in self.table.rows():
            problem = self._damage(row)
            if not problem:
                try:
                    self._load(row)
                except BadCellError as bad:
                    index = self._column
                    header = self.table.header[index] if index >= 0 else ""
                    value = row.cells[index] if index >= 0 else ""
                    reading.rejects.append(
                        Reject(line=row.line, column=header, value=shown(value), reason=str(bad), raw=shown(row.raw))
                    )
                else:
                    reading.loaded += 1
            else:
                reading.rejects.append(Reject(line=row.line, column="", value="", reason=problem, raw=shown(row.raw)))
        self._finish()

    def _damage(self, row: Row) -> str:
        if row.damage:
            return row.damage
        header = self.table.header
        repeated = row.cells[0].strip() == header[0] and tuple(cell.strip() for cell in row.cells) == header
        return "is the header again" if repeated else ""

    def _cell(self, cells: Sequence[str], index: int | None, *, needed: bool = False) -> str:
        if index is None:
            return ""
        self._column = index
        text = cells[index].strip()
        if needed and not text:
            raise BadCellError("is empty")
        return text

    def _load(self, row: Row) -> None:
        shape, cells = self.shape, row.cells
        experiment = (
            self._cell(cells, shape.experiment, needed=True) if shape.experiment is not None else self.experiment
        )
        unit = self._cell(cells, shape.unit, needed=True)
        event = self._cell(cells, shape.event)
        is_exposure = not shape.is_log or event.lower() in self.marks
        arm = self._cell(cells, shape.arm, needed=is_exposure)
        at = self.moment
        if shape.at is not None:
            text = self._cell(cells, shape.at, needed=True)
            at = self.days.moment(text) or self.moment
        if shape.is_log:
            found = [] if is_exposure else [(event, self._value(cells, shape.value, empty=Decimal(1)))]
        else:
            found = [(self.table.header[index], self._value(cells, index, empty=None)) for index in shape.outcomes]
        flags = []
        if shape.at is not None:
            self.reading.see_day(at.date())
            flags += ["unlikely_day"] if is_unlikely(at.date()) else []
        if is_exposure:
            flags += self._expose(experiment, unit, arm, at)
        for name, value in found:
            self.amounts[name] = self.amounts.get(name, Decimal(0)) + value
            if value:
                self.reading.outcomes.append(
                    Outcome(experiment=experiment, unit=unit, event=name, value=float(value), at=at)
                )
        self.reading.flag(row.line, flags)

    def _value(self, cells: Sequence[str], index: int | None, *, empty: Decimal | None) -> Decimal:
        text = self._cell(cells, index)
        truth = _TRUTH.get(text.lower())
        if truth is not None:
            return truth
        value = self.numbers.amount(text)
        if value is None:
            if empty is None:
                raise BadCellError("is empty: the outcome is unknown")
            return empty
        return value

    def _expose(self, experiment: str, unit: str, arm: str, at: datetime) -> list[str]:
        """Keep the exposure, and give back its flags; a table of units says an exposure once per unit and arm, however
        many rows a unit has."""
        known = self.arms.setdefault((experiment, unit), arm)
        if self.shape.is_log or (experiment, unit, arm) not in self.exposed:
            self.reading.exposures.append(Exposure(experiment=experiment, unit=unit, arm=arm, at=at))
        self.exposed.add((experiment, unit, arm))
        return ["unit_in_two_arms"] if known != arm else []

    def _finish(self) -> None:
        reading = self.reading
        by_arm = Counter(arm for _, _, arm in self.exposed)
        reading.totals = {"units": Decimal(len(self.arms))}
        reading.totals.update({f"units {arm}": Decimal(number) for arm, number in sorted(by_arm.items())})
        reading.totals.update(sorted(self.amounts.items()))
        strangers = len({(item.experiment, item.unit) for item in reading.outcomes} - set(self.arms))
        both = len({(experiment, unit) for experiment, unit, arm in self.exposed if self.arms[experiment, unit] != arm})
        if both:
            reading.notes.append(f"Units that saw two arms: {both}; they are loaded, and an analysis leaves them out.")
        if strangers:
            reading.notes.append(f"Units with outcomes and no exposure: {strangers}; an analysis leaves them out.")
