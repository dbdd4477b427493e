"""Statistics of any table file: one pass from rows to sufficient statistics, every row accounted for.

**Rows.** A row is used when each of its used cells has a value by the rules of ``warehouse.table_values``; otherwise
it is set aside, whole, with line, column, value and reason. More than the share ``most_set_aside`` of them, and the
file is refused: a result on what is left would not be about the file. At 5 %, of fewer than 20 rows none may be.

**Units.** With a unit column, the rows of one unit in one arm are one observation: their numbers are added, for a
proportion the unit counts once if any row says yes. A unit in two arms of one experiment is left out of both, and
counted. Without a unit column every row is an observation of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from proofsheet.domain.experiment import OVER_ANOTHER, Metric, MetricKind
from proofsheet.domain.facts import Reject
from proofsheet.domain.result import Aggregates, Cell
from proofsheet.errors import InputError
from warehouse.relation_sums import relation_sums
from warehouse.table_files import TableFile
from warehouse.table_question import Question
from warehouse.table_rows import set_aside, told
from warehouse.table_sources import NAME, Table, open_source
from warehouse.table_sums import Sums, summed
from warehouse.table_values import NOT_WHOLE, Typed, decimal_style, names, truths
from warehouse.table_values import counts as count_rule

if TYPE_CHECKING:
    import pyarrow

#: How a column's cells become values.
Rule = Callable[["pyarrow.Array"], Typed]

#: The share of rows that may be set aside before a file is refused.
MOST_SET_ASIDE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReport:
    """How a file was read and what became of its rows: ``rows_in`` = ``used`` + ``set_aside`` + ``in_two_arms``.

    ``rejects`` lists the rows set aside, by line, at most ``LISTED`` of them. ``in_two_arms`` counts rows of units
    that were left out because they are in two arms.
    """

    file_name: str
    kind: str
    columns: tuple[str, ...]
    rows_in: int
    used: int
    set_aside: int
    in_two_arms: int
    rejects: tuple[Reject, ...] = ()
    encoding: str = ""
    separator: str = ""
    line_ends: str = ""
    sheet: str = ""
    header_line: int = 0
    decimal: str = "point"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileAggregates:
    """Sufficient statistics by experiment (the name is "" without an experiment column) and arm.

    ``sums`` has them by columns. ``aggregates`` leads to those of each metric by its name, ``counts`` to the sums of
    the trials and successes columns, ``cells`` to the same by the cell column; each is empty where it was not asked
    for. ``observations`` counts units, or rows without a unit column.
    """

    metrics: tuple[Metric, ...]
    sums: Sums
    report: TableReport

    @property
    def units_in_two_arms(self) -> int:
        """Units left out because they are in two arms."""
        return self.sums.units_in_two_arms

    @property
    def units_with_several_rows(self) -> int:
        """Units whose rows were added."""
        return self.sums.units_with_several_rows

    @cached_property
    def observations(self) -> dict[str, dict[str, int]]:
        """Units, or rows, of each arm."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for experiment, arm, n in self._rows("n"):
            found[experiment][arm] = int(n)
        return dict(found)

    @cached_property
    def aggregates(self) -> dict[str, dict[str, dict[str, Aggregates]]]:
        """The moments of each metric; quantiles have none."""
        found: dict[str, dict[str, dict[str, Aggregates]]] = defaultdict(dict)
        for i, metric in enumerate(self.metrics):
            if metric.kind is MetricKind.QUANTILE:
                continue
            two = ("mean_y", "m2_y", "cxy") if metric.kind in OVER_ANOTHER else ()
            rests = tuple(name for name in ("rest_x", "rest_y") if f"{name}_{i}" in self.sums.columns)
            kept = ("mean_x", "m2_x", *two, *rests)
            for experiment, arm, n, *moments in self._rows("n", *(f"{name}_{i}" for name in kept)):
                by_name = dict(zip(kept, moments, strict=True))
                found[experiment].setdefault(arm, {})[metric.name] = Aggregates(n=int(n), **by_name)
        return dict(found)

    @cached_property
    def counts(self) -> dict[str, dict[str, tuple[int, float]]]:
        """Trials and successes of each arm."""
        found: dict[str, dict[str, tuple[int, float]]] = defaultdict(dict)
        if "trials" in self.sums.columns:
            for experiment, arm, trials, successes in self._rows("trials", "successes"):
                found[experiment][arm] = (round(trials), successes)
        return dict(found)

    @cached_property
    def cells(self) -> dict[str, tuple[Cell, ...]]:
        """Trials and successes of each arm in each cell."""
        found: dict[str, list[Cell]] = defaultdict(list)
        columns = [column.tolist() for column in self.sums.cells.values()]
        for experiment, arm, cell, trials, successes in zip(*columns, strict=True):
            one = Cell(arm=arm, cell=cell, trials=round(trials), successes=successes, value=successes)
            found[experiment].append(one)
        return {experiment: tuple(cells) for experiment, cells in found.items()}

    @property
    def arms(self) -> dict[str, tuple[str, ...]]:
        """The arms of each experiment, in the order of the file."""
        return {experiment: tuple(by_arm) for experiment, by_arm in self.observations.items()}

    def _rows(self, *names: str) -> zip[tuple[Any, ...]]:
        columns = [self.sums.columns[name].tolist() for name in ("experiment", "arm", *names)]
        return zip(*columns, strict=True)


def file_aggregates(
    source: Table,
    *,
    arm: str,
    metrics: Sequence[Metric] = (),
    unit: str | None = None,
    experiment: str | None = None,
    trials: str | None = None,
    successes: str | None = None,
    cell: str | None = None,
    covariates: Sequence[str] = (),
    sheet: str = "",
    encoding: str = "",
    empty: str = "refuse",
    most_set_aside: float = MOST_SET_ASIDE,
) -> FileAggregates:
    """Read a table and reduce it to what the statistics need.

    Args:
        source: a CSV, TSV, Excel or Parquet file, or a table in memory (see ``table_sources.open_source``).
        arm: the column that names the arm.
        metrics: proportions, means and quantiles of the column ``numerator``; ratios and rates of ``numerator`` over
            ``denominator``.
        unit: the column that names the unit, where it may occur in several rows.
        experiment: the column that names the experiment, for a file with many.
        trials: the column of counted trials, together with ``successes``.
        successes: the column of counted successes.
        cell: a column, such as the day, within which trials and successes are also summed.
        covariates: columns known of the units before the test; of several rows of a unit the mean is taken, and an
            empty cell means that the unit has no history.
        sheet: the workbook's sheet, where it has several.
        encoding: the text's encoding, where it cannot be found out.
        empty: ``refuse``: an empty cell is unknown, and its row is set aside; ``zero``: an empty cell of a measured
            column means that nothing happened, and counts as 0 (no).
        most_set_aside: the share (0–1) of rows that may be set aside.

    Raises:
        NotFoundError: there is no such file.
        InputError: a column is missing, too many cells fit no rule, counts are fractional or successes exceed trials,
            or nothing is left to analyse.
    """
    question = Question(
        arm=arm,
        metrics=tuple(metrics),
        unit=unit,
        experiment=experiment,
        trials=trials,
        successes=successes,
        cell=cell,
        covariates=tuple(covariates),
        empty=empty,
    )
    typed = relation_sums(source, question)
    if typed is not None:
        sums, names_of_all = typed
        rows = int(sums.columns["n"].sum())
        report = TableReport(
            file_name=NAME, kind="table", columns=names_of_all, rows_in=rows, used=rows, set_aside=0, in_two_arms=0
        )
        return FileAggregates(metrics=question.metrics, sums=sums, report=report)
    read = typed_rows(source, question, sheet=sheet, encoding=encoding, most_set_aside=most_set_aside)
    sums = summed(read.report.file_name, read.columns, read.rows, question)
    found = FileAggregates(metrics=question.metrics, sums=sums, report=read.report_after(sums))
    _refuse_excess(found, trials or "", successes or "")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRows:
    """The rows that can be used, typed, by the short names of ``Question``; ``rows`` are their places."""

    columns: dict[str, pyarrow.Array]
    rows: pyarrow.Array
    report: TableReport

    def report_after(self, sums: Sums) -> TableReport:
        """The report once units in two arms have been left out."""
        return self.report_less(sums.rows_lost, sums.units_in_two_arms, sums.units_with_several_rows)

    def report_less(self, lost: int, two: int, repeated: int) -> TableReport:
        """The report without the rows of so many units in two arms, and with a word on units of several rows."""
        notes = (*self.report.notes, *_unit_notes(two, repeated))
        return replace(self.report, used=self.report.used - lost, in_two_arms=lost, notes=notes)


def typed_rows(
    source: Table,
    question: Question,
    *,
    further: Mapping[str, tuple[str, Rule]] | None = None,
    sheet: str = "",
    encoding: str = "",
    most_set_aside: float = MOST_SET_ASIDE,
) -> TypedRows:
    """Read a table's columns by the rules of ``table_values``; see ``file_aggregates``.

    Args:
        further: further columns and how they are read, by a short name.
    """
    keys, rules, more = question.keys, question.rules, further or {}
    asked = [*keys.values(), *(column for column, _ in (*rules.values(), *more.values()))]
    file = open_source(source, tuple(dict.fromkeys(asked)), sheet=sheet, encoding=encoding)
    numeric = dict.fromkeys(column for column, rule in rules.values() if rule is not truths)
    counted = dict.fromkeys(column for column, rule in rules.values() if rule is count_rule)
    evidence = [[file.cells[column] for column in columns] for columns in (numeric, counted)]
    decimal = decimal_style(evidence[0], counted=evidence[1], separator=file.separator, name=file.name)
    typed = {short: (name, names(file.cells[name])) for short, name in keys.items()}
    typed |= {short: (name, rule(file.cells[name])) for short, (name, rule) in more.items()}
    for short, (column, rule) in rules.items():
        style = () if rule is truths else (decimal,)
        typed[short] = (column, rule(file.cells[column], *style, empty_is_zero=question.empty == "zero"))
    _refuse_fractions(file, typed)
    good, rejects = set_aside(file, typed, most_set_aside, named=list(keys.values()))
    rows_in = len(file.lines) + file.damaged_count
    whole = len(good) == len(file.lines)
    return TypedRows(
        columns={short: one.values if whole else one.values.take(good) for short, (_, one) in typed.items()},
        rows=good,
        report=TableReport(
            file_name=file.name,
            kind=file.kind,
            columns=file.columns,
            rows_in=rows_in,
            used=len(good),
            set_aside=rows_in - len(good),
            in_two_arms=0,
            rejects=rejects,
            encoding=file.encoding,
            separator=file.separator,
            line_ends=file.line_ends,
            sheet=file.sheet,
            header_line=file.header_line,
            decimal=decimal,
            notes=tuple(_notes(file, rows_in - len(good), rejects, typed)),
        ),
    )


def _refuse_fractions(file: TableFile, typed: Mapping[str, tuple[str, Typed]]) -> None:
    """Counts are whole in every row: a fraction says that the column holds something else."""
    asked = "/".join(typed[short][0] for short in ("successes", "trials") if short in typed)
    for short in ("trials", "successes"):
        column, one = typed.get(short, ("", None))
        place = next((at for at, reason in sorted(one.reasons.items()) if reason == NOT_WHOLE), None) if one else None
        if place is not None:
            value = file.cells[column][place].as_py()
            raise InputError(
                f"{file.name}, line {file.lines[place]}, {column}: {value!r} {NOT_WHOLE}.",
                f"Trials and successes are counted. For amounts and shares of conversions use --metric {asked}:ratio.",
            )


def _refuse_excess(found: FileAggregates, trials: str, successes: str) -> None:
    columns = found.sums.columns
    if "trials" not in columns:
        return
    for place in (columns["successes"] > columns["trials"]).nonzero()[0][:1].tolist():
        experiment, arm, n, k = (columns[name][place] for name in ("experiment", "arm", "trials", "successes"))
        where = f" of experiment {experiment!r}" if experiment else ""
        raise InputError(
            f"Arm {arm!r}{where} has {k:,.0f} {successes!r} in {n:,.0f} {trials!r}: more successes than trials.",
            f"Check that the two columns are not swapped. Where there can be more than one per trial, use "
            f"--metric {successes}/{trials}:ratio.",
        )


def _notes(
    file: TableFile, set_aside: int, rejects: Sequence[Reject], typed: Mapping[str, tuple[str, Typed]]
) -> list[str]:
    notes = list(file.notes)
    if set_aside:
        notes.append(told(rejects, set_aside))
    if emptied := {column: one.emptied for column, one in typed.values() if one.emptied}:
        notes.append(
            "Empty cells that count as 0: " + ", ".join(f"{n:,} of {column!r}" for column, n in emptied.items()) + "."
        )
    return notes


def _unit_notes(two: int, repeated: int) -> list[str]:
    notes = []
    if two:
        notes.append(f"{two:,} units are in two arms; they are left out.")
    if repeated:
        notes.append(f"{repeated:,} units have several rows; each counts once, its numbers added.")
    return notes
