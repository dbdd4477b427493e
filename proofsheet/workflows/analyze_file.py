"""analyze --data: the same statistics on any file, with no set-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.domain.experiment import Metric, MetricKind, Role
from proofsheet.domain.facts import Reject
from proofsheet.domain.result import Analysis, HealthCheck, Result
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
    correction: str = "holm",
    confidence: float = 0.95,
) -> FileAnalysis:
    """Analyze any CSV, TSV, Parquet or Excel file.

    Either ``metrics`` of unit-level rows, or ``trials`` and ``successes`` of counted rows. With ``cell`` (a day, say),
    counts are compared within cells and overdispersion between cells widens the intervals.

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
    read = file_aggregates(
        path,
        arm=arm,
        metrics=metrics,
        unit=unit,
        experiment=experiment,
        trials=trials,
        successes=successes,
        cell=cell,
    )
    judge = _Judge(
        read=read,
        metrics=tuple(metrics) or (_counted(trials or "", successes or ""),),
        control=control,
        correction=correction,
        confidence=confidence,
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


def _counted(trials: str, successes: str) -> Metric:
    return Metric(name=f"{successes}/{trials}", kind=MetricKind.PROPORTION, numerator=successes, denominator=trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """What is asked of every experiment of one file."""

    read: FileAggregates
    metrics: tuple[Metric, ...]
    control: str | None
    correction: str
    confidence: float

    def analysis(self, name: str) -> Analysis:
        """One experiment of the file."""
        from experiments.health import both_arms, evidence_grade, sample_ratio

        observed = dict(self.read.observations[name])
        control, notes = self._control_of(name, tuple(observed))
        counted = bool(self.read.counts.get(name))
        health = [both_arms(observed, list(observed), control)] if len(observed) > 1 else [_alone(control)]
        if len(observed) > 1 and not counted:
            health.append(sample_ratio(observed, dict.fromkeys(observed, 1.0)))
        evidence = evidence_grade(health, randomised=not counted)
        results: list[Result] = []
        if len(observed) > 1:
            for metric in self.metrics:
                results += self._compare(name, metric, control, evidence.value)
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

    def _compare(self, name: str, metric: Metric, control: str, grade: str) -> tuple[Result, ...]:
        from experiments.analysis import compare
        from experiments.counts import compare_cells, compare_totals
        from proofsheet.domain.result import Evidence

        title = name or self.read.report.file_name
        correction = self.correction if metric.role is Role.PRIMARY else "none"
        evidence = Evidence(grade)
        if self.read.cells.get(name):
            return compare_cells(
                metric,
                self.read.cells[name],
                control,
                experiment=title,
                confidence=self.confidence,
                correction=correction,
                evidence=evidence,
            )
        if self.read.counts.get(name):
            counts: Mapping[str, tuple[int, float]] = self.read.counts[name]
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
