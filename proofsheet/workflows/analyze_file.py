"""analyze --data: the same statistics on any file or table in memory, with no set-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.facts import Reject
from proofsheet.domain.result import Analysis, Evidence, HealthCheck
from proofsheet.errors import InputError
from proofsheet.workflows.readings import TableReading, table_reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from warehouse.tables import FileAggregates

    Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnalysis:
    """What the rows of a file say, experiment by experiment, with every row accounted for.

    ``rows_in`` = ``used`` + ``set_aside`` + ``in_two_arms``; ``rejects`` lists the first of those set aside.
    """

    analyses: tuple[Analysis, ...]
    rows_in: int
    used: int
    set_aside: int
    in_two_arms: int
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableComparisons:
    """All comparisons of a table by columns, for tables of thousands of experiments.

    Attributes:
        columns: one row per comparison, those of an experiment together: ``number`` (of the experiment), the fields of
            ``Result``, and ``false_discovery_p`` (Benjamini and Hochberg over all experiments, for each metric). A
            number that does not exist is infinite.
        experiments: their names; "" where the table names none.
        reading: how intervals and p-values are to be read, in a sentence.
    """

    columns: Columns
    experiments: tuple[str, ...]
    read: FileAggregates
    health: tuple[tuple[HealthCheck, ...], ...]
    notes: tuple[tuple[str, ...], ...]
    reading: str = ""

    def rows(self) -> list[dict[str, Any]]:
        """The comparisons as plain mappings, named by the fields of ``Result``; what does not exist is None."""
        from proofsheet.workflows.table_comparisons import rows_of

        return rows_of(self.columns, tuple(name or self.read.report.file_name for name in self.experiments))

    def whole(self) -> FileAnalysis:
        """Every experiment with its checks, results and notes."""
        from proofsheet.workflows.table_comparisons import results_of

        report = self.read.report
        titles = tuple(name or report.file_name for name in self.experiments)
        results = results_of(self.columns, titles)
        by_number: list[list[Any]] = [[] for _ in titles]
        for number, row in zip(self.columns["number"].tolist(), results, strict=True):
            by_number[number].append(row)
        what = "counts in a file" if "trials" in self.read.sums.columns else "unit-level rows of a file"
        each = zip(titles, self.health, by_number, self.notes, strict=True)
        return FileAnalysis(
            analyses=tuple(
                Analysis(
                    experiment=title,
                    at=None,
                    source=what,
                    health=health,
                    results=tuple(rows),
                    notes=notes,
                    reading=self.reading if rows else "",
                )
                for title, health, rows, notes in each
            ),
            rows_in=report.rows_in,
            used=report.used,
            set_aside=report.set_aside,
            in_two_arms=report.in_two_arms,
            rejects=report.rejects,
            notes=report.notes,
        )


def compare_table(
    source: Any,
    *,
    arm: str,
    control: str | None = None,
    metrics: Sequence[Metric] = (),
    unit: str | None = None,
    experiment: str | None = None,
    trials: str | None = None,
    successes: str | None = None,
    cell: str | None = None,
    covariates: Sequence[str] = (),
    randomised: bool = False,
    empty: str = "refuse",
    correction: str = "holm",
    confidence: float = 0.95,
    intervals: str = "fixed",
    planned: int | None = None,
) -> TableComparisons:
    """Compare the arms of every experiment of a table with its control, all experiments at once.

    Either ``metrics`` of unit-level rows, or ``trials`` and ``successes`` of counted rows. With ``cell`` (a day, say),
    counts are compared within cells and overdispersion between cells widens the intervals. Without it, arms of several
    rows are compared by the spread over their rows. Means, proportions and ratios are adjusted for ``covariates``, what
    was known of the units before the test. ``randomised`` says that units were assigned to the arms at random: a file
    cannot tell, so the evidence grade is C without it. ``empty`` says what an empty cell of a number means: "refuse" or
    "zero".

    ``intervals``: "fixed" ones are for one look, at a time chosen before the results were known; "always-valid" ones
    hold at every look at a table that grows by new units (of counts by new days), at the price of width. "auto" is
    "fixed" here: a table does not say whether its test still runs. What is read at every look goes one experiment at a
    time, by the methods of experiments that were launched (``comparing.analysis``, ``comparing.counts``).

    Args:
        source: a path, or a table in memory (see ``warehouse.table_sources.open_source``).
        planned: units per arm, or trials of counts, at which always-valid intervals are narrowest; 5,000 units or
            100,000 trials by default. They hold whatever it is, if it is not chosen by the results.

    Raises:
        InputError: a column is missing, nothing to measure is named, the control is not among the arms, or an option
            is not known.
        NotFoundError: there is no such file.
    """
    from experiments.comparing.multiplicity import CORRECTIONS
    from experiments.comparing.pairs import check_choice
    from experiments.comparing.rows import check_confidence
    from warehouse.tables import file_aggregates

    if bool(metrics) == bool(trials or successes):
        raise InputError(
            "Name either metrics or counts to analyze, not both and not neither.",
            "For example: --metric retention_7:proportion, or: --trials impressions --successes clicks",
        )
    if bool(trials) != bool(successes):
        raise InputError("--trials and --successes belong together.", "Name both columns.")
    if cell and not trials:
        raise InputError("--cell is for counts.", "Name --trials and --successes too, or leave --cell out.")
    called = [metric.name for metric in metrics]
    doubled = [name for name in called if called.count(name) > 1]
    if doubled:
        raise InputError(
            f"Two metrics are called {doubled[0]!r}.",
            "Ask for one of them at a time; in Python give each a name of its own.",
        )
    check_confidence(confidence)
    check_choice("correction", correction, CORRECTIONS)
    reading = table_reading(intervals=intervals, planned=planned, confidence=confidence, counted=bool(trials))
    counted = (_counted(trials, successes),) if trials and successes else ()
    read = file_aggregates(
        source,
        arm=arm,
        metrics=tuple(metrics) or (() if cell else counted),
        unit=unit,
        experiment=experiment,
        trials=trials,
        successes=successes,
        cell=cell,
        covariates=covariates,
        empty=empty,
    )
    judge = _Judge(read=read, control=control, randomised=randomised, reading=reading)
    return judge.compared(tuple(metrics) or counted, correction, confidence)


#: Checks, notes and evidence grade of an experiment.
Judged = tuple[tuple[HealthCheck, ...], tuple[str, ...], Evidence]


def _counted(trials: str, successes: str) -> Metric:
    return Metric(name=f"{successes}/{trials}", kind=MetricKind.RATIO, numerator=successes, denominator=trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """What is asked of every experiment of one table."""

    read: FileAggregates
    control: str | None
    randomised: bool
    reading: TableReading

    def compared(self, metrics: Sequence[Metric], correction: str, confidence: float) -> TableComparisons:
        import numpy as np

        from proofsheet.workflows.table_comparisons import Plan, compared_at_once
        from proofsheet.workflows.table_one_by_one import compared_one_by_one, is_one_by_one

        sums = self.read.sums.columns
        starts = np.flatnonzero(np.append(True, sums["experiment"][1:] != sums["experiment"][:-1]))
        number = np.repeat(np.arange(starts.size), np.diff(starts, append=sums["n"].size))
        names = tuple(sums["experiment"][starts].tolist())
        controls = self._controls(number, starts, names)
        judged = self._health(starts, controls, number)
        is_control = np.zeros(number.size, dtype=bool)
        is_control[controls] = True
        plan = Plan(
            read=self.read,
            number=number,
            is_control=is_control,
            evidence=[grade for _, _, grade in judged],
            correction=correction,
            confidence=confidence,
            reading=self.reading,
        )
        parts = [
            (compared_one_by_one if is_one_by_one(plan, metric) else compared_at_once)(plan, metric, place)
            for place, metric in enumerate(metrics)
        ]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.argsort(joined["number"].astype(np.intp), kind="stable")
        return TableComparisons(
            columns={name: column[order] for name, column in joined.items()},
            experiments=names,
            read=self.read,
            health=tuple(health for health, _, _ in judged),
            notes=tuple(notes for _, notes, _ in judged),
            reading=self.reading.sentence,
        )

    def _controls(self, number: NDArray[Any], starts: NDArray[Any], names: Sequence[str]) -> NDArray[Any]:
        """The row of each experiment's control."""
        import numpy as np

        if self.control is None:
            return starts
        arms = self.read.sums.columns["arm"]
        found = np.flatnonzero(arms == self.control)
        lacking = np.setdiff1d(np.arange(starts.size), number[found])
        if lacking.size:
            name = names[lacking[0]]
            where = f" of experiment {name!r}" if name else ""
            listed = ", ".join(arms[number == lacking[0]][:12].tolist())
            raise InputError(
                f"The control {self.control!r} is not among the arms{where}: {listed}.",
                "Name one of them with --control.",
            )
        return found

    def _health(self, starts: NDArray[Any], controls: NDArray[Any], number: NDArray[Any]) -> list[Judged]:
        """The checks, notes and evidence grade of each experiment."""
        sums = self.read.sums.columns
        arms, sizes = sums["arm"].tolist(), sums["n"].tolist()
        ends = [*starts[1:].tolist(), number.size]
        judged = []
        for start, end, control in zip(starts.tolist(), ends, controls.tolist(), strict=True):
            observed = dict(zip(arms[start:end], sizes[start:end], strict=True))
            judged.append(self._of_one(observed, arms[control]))
        return judged

    def _of_one(
        self, observed: dict[str, int], control: str
    ) -> tuple[tuple[HealthCheck, ...], tuple[str, ...], Evidence]:
        from experiments.checks.health import both_arms, evidence_grade, sample_ratio
        from experiments.checks.sequential_ratio import sample_ratio_over_looks

        notes = []
        if self.control is None:
            notes.append(f"No control was named: {control!r}, the first arm of the file, is taken as it.")
        health = [both_arms(observed, list(observed), control)] if len(observed) > 1 else [_alone(control)]
        if len(observed) > 1 and "trials" not in self.read.sums.columns:
            equal = dict.fromkeys(observed, 1.0)
            always = self.reading.always
            health.append(sample_ratio_over_looks(observed, equal) if always else sample_ratio(observed, equal))
        grade = evidence_grade(health, randomised=True) if self.randomised else Evidence.C
        if not self.randomised:
            notes.append(
                "How units came to the arms is not in the file, so the evidence grade is C. If they were assigned at "
                "random, say --randomised."
            )
        if observed[control] * 20 < max(observed.values()):
            notes.append(
                f"The control {control!r} is tiny ({observed[control]:,}): choose a larger one with --control."
            )
        return tuple(health), tuple(notes), grade


def _alone(control: str) -> HealthCheck:
    return HealthCheck(
        name="both_arms",
        ok=False,
        message=f"Only the arm {control!r} is there. Nothing can be compared.",
        severity="blocking",
    )
