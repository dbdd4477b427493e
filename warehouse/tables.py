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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.facts import Reject
from proofsheet.domain.result import Aggregates, Cell
from proofsheet.errors import InputError
from warehouse.arrays import texts
from warehouse.engine import Session, spoken
from warehouse.table_files import TableFile, open_table_file
from warehouse.table_rows import set_aside, told
from warehouse.table_values import NOT_WHOLE, Typed, counts, decimal_style, names, numbers, truths

if TYPE_CHECKING:
    import pyarrow

#: How empty cells of measured columns may be taken.
EMPTY_CELLS = ("refuse", "zero")

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAggregates:
    """Sufficient statistics by experiment (the key is "" without an experiment column) and arm.

    Experiments and arms stand in the order in which the file first names them. ``aggregates`` leads to those of each
    metric by its name, ``counts`` to the sums of the trials and successes columns, ``cells`` to the same by the cell
    column; each is empty where it was not asked for. ``observations`` counts units, or rows without a unit column.
    """

    aggregates: Mapping[str, Mapping[str, Mapping[str, Aggregates]]]
    counts: Mapping[str, Mapping[str, tuple[int, float]]]
    observations: Mapping[str, Mapping[str, int]]
    report: TableReport
    cells: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict)
    units_in_two_arms: int = 0
    units_with_several_rows: int = 0

    @property
    def arms(self) -> dict[str, tuple[str, ...]]:
        """The arms of each experiment, in the order of the file."""
        return {experiment: tuple(by_arm) for experiment, by_arm in self.observations.items()}


def file_aggregates(
    path: Path,
    *,
    arm: str,
    metrics: Sequence[Metric] = (),
    unit: str | None = None,
    experiment: str | None = None,
    trials: str | None = None,
    successes: str | None = None,
    cell: str | None = None,
    sheet: str = "",
    encoding: str = "",
    empty: str = "refuse",
    most_set_aside: float = MOST_SET_ASIDE,
) -> FileAggregates:
    """Read a CSV, TSV, Excel or Parquet file and reduce it to what the statistics need.

    Args:
        path: the file.
        arm: the column that names the arm.
        metrics: proportions and means of the column ``numerator``; ratios of ``numerator`` over ``denominator``.
        unit: the column that names the unit, where it may occur in several rows.
        experiment: the column that names the experiment, for a file with many.
        trials: the column of counted trials, together with ``successes``.
        successes: the column of counted successes.
        cell: a column, such as the day, within which trials and successes are also summed.
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
    _check_question(metrics, unit, trials, successes, cell)
    if empty not in EMPTY_CELLS:
        raise InputError(f"There is no way {empty!r} to take empty cells.", f"Known: {', '.join(EMPTY_CELLS)}.")
    keys = {"e": experiment, "a": arm, "u": unit, "c": cell}
    rules = _rules(metrics, trials, successes)
    asked = [name for name in (*keys.values(), *(column for column, _ in rules.values())) if name]
    file = open_table_file(path, tuple(dict.fromkeys(asked)), sheet=sheet, encoding=encoding)
    numeric = [file.cells[column] for column, rule in rules.values() if rule is not truths]
    counted = [file.cells[column] for column, rule in rules.values() if rule is counts]
    decimal = decimal_style(numeric, counted=counted, separator=file.separator, name=file.name)
    typed = {short: (name, names(file.cells[name])) for short, name in keys.items() if name}
    for short, (column, rule) in rules.items():
        style = () if rule is truths else (decimal,)
        typed[short] = (column, rule(file.cells[column], *style, empty_is_zero=empty == "zero"))
    _refuse_fractions(file, typed)
    good, rejects = set_aside(file, typed, most_set_aside, named=[name for name in keys.values() if name])
    columns = {short: column.values.take(good) for short, (_, column) in typed.items()}
    rows_in = len(file.lines) + file.damaged_count
    report = TableReport(
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
    )
    found = _reduce(report, columns, good, metrics)
    _refuse_excess(found, trials or "", successes or "")
    return found


def _check_question(
    metrics: Sequence[Metric], unit: str | None, trials: str | None, successes: str | None, cell: str | None
) -> None:
    if (trials is None) != (successes is None):
        raise InputError("Counts need both columns.", "Name --trials and --successes together.")
    if not metrics and trials is None:
        raise InputError("Nothing to measure was named.", "Name a metric, such as --metric retention_7:proportion.")
    if trials is not None and unit is not None:
        raise InputError(
            "A unit column does not go with counted trials.", "Name --unit with --metric, or leave it out."
        )
    if cell is not None and trials is None:
        raise InputError("A cell column goes with counted trials only.", "Name --trials and --successes too.")
    for metric in metrics:
        if metric.kind is MetricKind.RATIO and not metric.denominator:
            raise InputError(
                f"The ratio {metric.name!r} has no denominator.", "Name it as numerator/denominator:ratio."
            )
        if metric.kind is not MetricKind.RATIO and metric.denominator:
            raise InputError(
                f"The {metric.kind.value} {metric.name!r} has a denominator, {metric.denominator!r}.",
                "Leave it out, use a ratio, or name counts with --trials and --successes.",
            )


def _rules(metrics: Sequence[Metric], trials: str | None, successes: str | None) -> dict[str, tuple[str, Any]]:
    """Which column is read by which rule, under a short name of our own."""
    rules: dict[str, tuple[str, Any]] = {}
    for place, metric in enumerate(metrics):
        rules[f"x{place}"] = (metric.numerator, truths if metric.kind is MetricKind.PROPORTION else numbers)
        if metric.kind is MetricKind.RATIO:
            rules[f"y{place}"] = (metric.denominator, numbers)
    if trials and successes:
        rules |= {"trials": (trials, counts), "successes": (successes, counts)}
    return rules


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
    for experiment, by_arm in found.counts.items():
        for arm, (n, k) in by_arm.items():
            if k > n:
                where = f" of experiment {experiment!r}" if experiment else ""
                raise InputError(
                    f"Arm {arm!r}{where} has {k:,.0f} {successes!r} in {n:,} {trials!r}: more successes than trials.",
                    f"Check that the two columns are not swapped. Where there can be more than one per trial, use "
                    f"--metric {successes}/{trials}:ratio.",
                )


def _reduce(
    report: TableReport, columns: dict[str, pyarrow.Array], good: pyarrow.Array, metrics: Sequence[Metric]
) -> FileAggregates:
    """Group by experiment and arm in one query."""
    import pyarrow as pa

    experiment = columns.pop("e", None)
    table = pa.table({"e": experiment if experiment is not None else texts([""] * len(good)), "r": good, **columns})
    session = Session(None)
    try:
        with spoken(None):
            session.connection.register("facts", table)
        source, two, repeated, rows_lost = _by_unit(session, metrics) if "u" in columns else ("facts", 0, 0, 0)
        rows = session.rows(
            f"SELECT e, a, count(*){_moments(metrics)} FROM {source} GROUP BY e, a ORDER BY min(min(r)) OVER "
            "(PARTITION BY e), e, min(r)"
        )
        totals = _totals(session) if "trials" in columns else {}
        cells = _cells(session) if "c" in columns else {}
    finally:
        session.close()
    if not rows:
        raise InputError(
            f"{report.file_name}: every unit is in two arms, so nothing is left.", "Check the unit and arm columns."
        )
    aggregates, observations = _read(rows, metrics)
    return FileAggregates(
        aggregates=aggregates if metrics else {},
        counts=totals,
        cells=cells,
        observations=observations,
        units_in_two_arms=two,
        units_with_several_rows=repeated,
        report=replace(
            report,
            used=report.used - rows_lost,
            in_two_arms=rows_lost,
            notes=(*report.notes, *_unit_notes(two, repeated)),
        ),
    )


def _by_unit(session: Session, metrics: Sequence[Metric]) -> tuple[str, int, int, int]:
    """One row per unit; gives back its name, the units in two arms, those of several rows, and the rows lost."""
    kept = []
    for place, metric in enumerate(metrics):
        kept.append(f"{'max' if metric.kind is MetricKind.PROPORTION else 'sum'}(x{place}) AS x{place}")
        if metric.kind is MetricKind.RATIO:
            kept.append(f"sum(y{place}) AS y{place}")
    session.rows(
        "CREATE TEMP TABLE units AS SELECT e, u, min(a) AS a, min(a) <> max(a) AS two, count(*) AS n, min(r) AS r, "
        f"{', '.join(kept)} FROM facts GROUP BY e, u"
    )
    two, repeated, lost = session.rows(
        "SELECT count(*) FILTER (two), count(*) FILTER (n > 1 AND NOT two), coalesce(sum(n) FILTER (two), 0) FROM units"
    )[0]
    return "(SELECT * FROM units WHERE NOT two)", two, repeated, int(lost)


def _moments(metrics: Sequence[Metric]) -> str:
    parts = []
    for place, metric in enumerate(metrics):
        x, y = f"x{place}", f"y{place}"
        parts.append(f"avg({x}), var_pop({x}) * count(*)")
        if metric.kind is MetricKind.RATIO:
            parts.append(f"avg({y}), var_pop({y}) * count(*), covar_pop({x}, {y}) * count(*)")
    return "".join(f", {part}" for part in parts)


def _read(
    rows: Sequence[tuple[Any, ...]], metrics: Sequence[Metric]
) -> tuple[dict[str, dict[str, dict[str, Aggregates]]], dict[str, dict[str, int]]]:
    aggregates: dict[str, dict[str, dict[str, Aggregates]]] = defaultdict(dict)
    observations: dict[str, dict[str, int]] = defaultdict(dict)
    for experiment, arm, n, *moments in rows:
        observations[experiment][arm] = n
        values = iter(moments)
        found = aggregates[experiment][arm] = {}
        for metric in metrics:
            mean_x, m2_x = next(values), next(values)
            if metric.kind is MetricKind.RATIO:
                mean_y, m2_y, cxy = next(values), next(values), next(values)
                found[metric.name] = Aggregates(n=n, mean_x=mean_x, m2_x=m2_x, mean_y=mean_y, m2_y=m2_y, cxy=cxy)
            else:
                found[metric.name] = Aggregates(n=n, mean_x=mean_x, m2_x=m2_x)
    return dict(aggregates), dict(observations)


def _totals(session: Session) -> dict[str, dict[str, tuple[int, float]]]:
    found: dict[str, dict[str, tuple[int, float]]] = defaultdict(dict)
    for experiment, arm, trials, successes in session.rows(
        "SELECT e, a, sum(trials), sum(successes) FROM facts GROUP BY e, a ORDER BY min(r)"
    ):
        found[experiment][arm] = (round(trials), successes)
    return dict(found)


def _cells(session: Session) -> dict[str, tuple[Cell, ...]]:
    found: dict[str, list[Cell]] = defaultdict(list)
    for experiment, arm, cell, trials, successes in session.rows(
        "SELECT e, a, c, sum(trials), sum(successes) FROM facts GROUP BY e, a, c ORDER BY min(r)"
    ):
        one = Cell(arm=arm, cell=cell, trials=round(trials), successes=successes, value=successes)
        found[experiment].append(one)
    return {experiment: tuple(cells) for experiment, cells in found.items()}


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
