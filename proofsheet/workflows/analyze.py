"""analyze: health, lift with intervals, and money, for an experiment of ours or for any file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.domain.assessment import Judgement
from proofsheet.domain.experiment import Experiment, Metric, Role
from proofsheet.domain.facts import Reject
from proofsheet.domain.result import Analysis, ArmCost, Evidence, Result
from proofsheet.errors import InputError
from proofsheet.workflows.house import House, now
from proofsheet.workflows.launch import find_experiment, require_running

if TYPE_CHECKING:
    from warehouse.store import Reader


def analyze(house: House, experiment_id: str | None = None, *, correction: str = "holm") -> Analysis:
    """Analyze an experiment on the facts as they are now; kept, once for each state of the data.

    Platform reports are not randomised by us: their evidence grade is B at best. Unit-level events are grade A when
    the sample ratio holds.

    Raises:
        NotFoundError: there is no such experiment.
        StateError: it has not started.
    """
    with house.warehouse.read() as reader:
        experiment = find_experiment(reader, experiment_id)
        require_running(experiment)
        version = f"{reader.data_version(experiment)}:{correction}"
        earlier = reader.analysis(experiment.id)
        if earlier is not None and earlier.data_version == version:
            return earlier
        if experiment.unit == "impression":
            fresh = _platform(reader, experiment, correction, version)
        else:
            fresh = _units(reader, experiment, correction, version)
    with house.warehouse.write() as writer:
        writer.save_analysis(fresh)
    return fresh


def _platform(reader: Reader, experiment: Experiment, correction: str, version: str) -> Analysis:
    from experiments.counts import compare_cells
    from experiments.health import delivery_balance, platform_health

    cells = {metric.name: reader.cells(experiment, metric) for metric in experiment.metrics}
    primary_cells = cells[experiment.primary.name]
    balance = delivery_balance(primary_cells)
    health = (
        *platform_health(
            primary_cells,
            {arm.name: arm.weight for arm in experiment.arms},
            experiment.design,
            unmatched=len(reader.unmatched(experiment)),
        ),
        balance,
    )
    evidence = Evidence.C if any(not one.ok and one.severity == "blocking" for one in health) else Evidence.B
    results: list[Result] = []
    for metric in experiment.metrics:
        results += compare_cells(
            metric,
            cells[metric.name],
            experiment.control.name,
            experiment=experiment.id,
            correction=correction if metric.role is Role.PRIMARY else "none",
            evidence=evidence,
        )
    days = sorted({cell.cell.split("|", 1)[0] for cell in primary_cells})
    return Analysis(
        experiment=experiment.id,
        at=now(),
        source="platform report",
        health=tuple(health),
        results=tuple(results),
        costs=_costs(reader, experiment),
        window_start=days[0] if days else "",
        window_end=days[-1] if days else "",
        data_version=version,
    )


def _units(reader: Reader, experiment: Experiment, correction: str, version: str) -> Analysis:
    from experiments.analysis import compare
    from experiments.health import both_arms, sample_ratio

    counts = reader.unit_counts(experiment)
    ratio = sample_ratio(counts.by_arm, {arm.name: arm.weight for arm in experiment.arms})
    health = (ratio, both_arms(counts.in_both, sum(counts.by_arm.values())))
    evidence = Evidence.B if any(one.ok is False for one in health) else Evidence.A
    results: list[Result] = []
    for metric in experiment.metrics:
        results += compare(
            metric,
            reader.unit_aggregates(experiment, metric),
            experiment.control.name,
            experiment=experiment.id,
            correction=correction if metric.role is Role.PRIMARY else "none",
            evidence=evidence,
        )
    return Analysis(
        experiment=experiment.id,
        at=now(),
        source="unit-level events",
        health=health,
        results=tuple(results),
        costs=_costs(reader, experiment),
        data_version=version,
    )


def _costs(reader: Reader, experiment: Experiment) -> tuple[ArmCost, ...]:
    from experiments.cost import arm_costs

    reviews = reader.latest_reviews(experiment.campaign)
    return arm_costs(
        experiment,
        reader.assets(experiment.campaign),
        {key for key, one in reviews.items() if one.judgement is Judgement.APPROVE},
        reader.ledger(experiment.campaign),
        reader.arm_deliveries(experiment),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnalysis:
    """What the rows of a file say, experiment by experiment, with every row accounted for."""

    analyses: tuple[Analysis, ...]
    rows_in: int
    used: int
    set_aside: tuple[Reject, ...]
    set_aside_count: int
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
    correction: str = "holm",
    confidence: float = 0.95,
    weights: Mapping[str, float] | None = None,
) -> FileAnalysis:
    """Analyze any CSV, TSV, Parquet or Excel file, with no set-up.

    Either ``metrics`` of unit-level rows, or ``trials`` and ``successes`` of counted rows.

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
    read = file_aggregates(
        path, arm=arm, metrics=metrics, unit=unit, experiment=experiment, trials=trials, successes=successes
    )
    if not read.experiments:
        raise InputError(f"{path.name} has no usable row.", "; ".join(one.reason for one in read.set_aside[:3]))
    first = next(iter(read.experiments.values()))
    chosen = _control(control, tuple(first.counts), single=len(read.experiments) == 1)
    analyses = tuple(
        _one(
            name,
            table,
            chosen,
            metrics,
            successes,
            trials,
            correction,
            confidence,
            weights,
            read.duplicates.get(name, 0),
        )
        for name, table in read.experiments.items()
    )
    return FileAnalysis(
        analyses=analyses,
        rows_in=read.rows_in,
        used=read.used,
        set_aside=read.set_aside,
        set_aside_count=read.set_aside_count,
        notes=read.notes,
    )
