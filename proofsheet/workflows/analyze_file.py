"""analyze --data: the same statistics on any file, with no set-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.domain.experiment import Metric, MetricKind, Role
from proofsheet.domain.facts import Reject
from proofsheet.domain.result import Analysis, Evidence, HealthCheck, Result
from proofsheet.errors import InputError

if TYPE_CHECKING:
    from warehouse.tables import FileAggregates


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


def analyze_file(
    path: Path,
    *,
    arm: str,
    control: str | None = None,
    metrics: Sequence[Metric] = (),
    unit: str | None = None,
    experiment: str | None = None,
    trials: str | None = None,
    successes: str | None = None,
    cell: str | None = None,
    randomised: bool = False,
    empty: str = "refuse",
    correction: str = "holm",
    confidence: float = 0.95,
) -> FileAnalysis:
    """Analyze any CSV, TSV, Parquet or Excel file.

    Either ``metrics`` of unit-level rows, or ``trials`` and ``successes`` of counted rows. With ``cell`` (a day, say),
    counts are compared within cells and overdispersion between cells widens the intervals. Without it, arms of several
    rows are compared by the spread over their rows. ``randomised`` says that units were assigned to the arms at
    random: a file cannot tell, so the evidence grade is C without it. ``empty`` says what an empty cell of a number
    means: "refuse" or "zero".

    Raises:
        InputError: a column is missing, nothing to measure is named, or the control is not among the arms.
        NotFoundError: there is no such file.
    """
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
    counted = (_counted(trials, successes),) if trials and successes else ()
    read = file_aggregates(
        path,
        arm=arm,
        metrics=tuple(metrics) or (() if cell else counted),
        unit=unit,
        experiment=experiment,
        trials=trials,
        successes=successes,
        cell=cell,
        empty=empty,
    )
    judge = _Judge(
        read=read,
        metrics=tuple(metrics) or counted,
        control=control,
        correction=correction,
        confidence=confidence,
        randomised=randomised,
    )
    report = read.report
    return FileAnalysis(
        analyses=tuple(judge.analysis(name) for name in read.observations),
        rows_in=report.rows_in,
        used=report.used,
        set_aside=report.set_aside,
        in_two_arms=report.in_two_arms,
        rejects=report.rejects,
        notes=report.notes,
    )


#: From how many rows an arm has on, the spread over its rows is known well enough to be used.
ENOUGH_ROWS = 8


def _counted(trials: str, successes: str) -> Metric:
    return Metric(name=f"{successes}/{trials}", kind=MetricKind.RATIO, numerator=successes, denominator=trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """What is asked of every experiment of one file."""

    read: FileAggregates
    metrics: tuple[Metric, ...]
    control: str | None
    correction: str
    confidence: float
    randomised: bool

    def analysis(self, name: str) -> Analysis:
        """One experiment of the file."""
        from experiments.checks.health import both_arms, evidence_grade, sample_ratio

        observed = dict(self.read.observations[name])
        control, notes = self._control_of(name, tuple(observed))
        counted = bool(self.read.counts.get(name))
        health = [both_arms(observed, list(observed), control)] if len(observed) > 1 else [_alone(control)]
        if len(observed) > 1 and not counted:
            health.append(sample_ratio(observed, dict.fromkeys(observed, 1.0)))
        grade = evidence_grade(health, randomised=True) if self.randomised else Evidence.C
        if not self.randomised:
            notes.append(
                "How units came to the arms is not in the file, so the evidence grade is C. If they were assigned at "
                "random, say --randomised."
            )
        small = [arm for arm, n in observed.items() if n * 20 < max(observed.values())]
        if control in small:
            notes.append(
                f"The control {control!r} is tiny ({observed[control]:,}): choose a larger one with --control."
            )
        results: list[Result] = []
        if len(observed) > 1:
            for metric in self.metrics:
                results += self._compare(name, metric, control, grade)
        return Analysis(
            experiment=name or self.read.report.file_name,
            at=None,
            source="counts in a file" if counted else "unit-level rows of a file",
            health=tuple(health),
            results=tuple(results),
            notes=tuple(notes),
        )

    def _control_of(self, name: str, arms: Sequence[str]) -> tuple[str, list[str]]:
        if self.control is None:
            return arms[0], [f"No control was named: {arms[0]!r}, the first arm of the file, is taken as it."]
        if self.control not in arms:
            where = f" of experiment {name!r}" if name else ""
            raise InputError(
                f"The control {self.control!r} is not among the arms{where}: {', '.join(arms[:12])}.",
                "Name one of them with --control.",
            )
        return self.control, []

    def _compare(self, name: str, metric: Metric, control: str, evidence: Evidence) -> tuple[Result, ...]:
        from experiments.comparing.analysis import compare
        from experiments.comparing.counts import compare_cells, compare_totals

        title = name or self.read.report.file_name
        correction = self.correction if metric.role is Role.PRIMARY else "none"
        if self.read.cells.get(name):
            return compare_cells(
                replace(metric, kind=MetricKind.PROPORTION),
                self.read.cells[name],
                control,
                experiment=title,
                confidence=self.confidence,
                correction=correction,
                evidence=evidence,
            )
        counted = self.read.counts.get(name)
        if counted and min(self.read.observations[name].values()) < ENOUGH_ROWS:
            metric = replace(metric, kind=MetricKind.PROPORTION)
            counts: Mapping[str, tuple[int, float]] = counted
            return compare_totals(
                metric,
                counts,
                control,
                experiment=title,
                confidence=self.confidence,
                correction=correction,
                evidence=evidence,
            )
        return compare(
            metric,
            {arm: by_metric[metric.name] for arm, by_metric in self.read.aggregates[name].items()},
            control,
            experiment=title,
            confidence=self.confidence,
            correction=correction,
            evidence=evidence,
        )


def _alone(control: str) -> HealthCheck:
    return HealthCheck(
        name="both_arms",
        ok=False,
        message=f"Only the arm {control!r} is there. Nothing can be compared.",
        severity="blocking",
    )
