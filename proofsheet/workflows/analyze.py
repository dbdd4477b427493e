"""analyze: health, lift with intervals, and money, for an experiment by what was ingested."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from proofsheet.domain.assessment import Judgement
from proofsheet.domain.experiment import Experiment, ExperimentStatus, Metric, MetricKind, Role
from proofsheet.domain.identity import content_id
from proofsheet.domain.money import Money
from proofsheet.domain.result import Analysis, ArmCost, Evidence, Result
from proofsheet.workflows.health import day_of, platform_health, unit_health
from proofsheet.workflows.house import House, now
from proofsheet.workflows.launch import find_experiment, require_running
from proofsheet.workflows.readings import check_intervals, has_ended, reading_of

if TYPE_CHECKING:
    from warehouse.store import Reader


def analyze(
    house: House,
    experiment_id: str | None = None,
    *,
    correction: str = "holm",
    confidence: float = 0.95,
    randomised: bool = False,
    intervals: str = "auto",
) -> Analysis:
    """Analyze an experiment on the facts as they are now; kept once for each state of the data.

    Platform reports are not randomised by us: their evidence grade is B at best. Unit-level events are grade A when
    the sample ratio holds. Unit-level facts of an experiment that was never launched here can be analyzed by its name;
    they are grade C unless ``randomised`` says that units were assigned at random, and such a look is not kept.

    ``intervals``: "auto" reads always-valid ones while the experiment runs and fixed ones at its end (see
    ``readings``), "fixed" and "always-valid" one kind, which is shown and not kept. What is decided stays as it was
    read while its data stay.

    Raises:
        InputError: the intervals, the correction or the confidence is not known.
        NotFoundError: there is no such experiment.
        StateError: it has not started.
    """
    check_intervals(intervals)
    with house.warehouse.read() as reader:
        if experiment_id and _only_ingested(reader, experiment_id):
            return _adhoc(reader, experiment_id, correction, confidence, randomised=randomised, intervals=intervals)
        experiment = find_experiment(reader, experiment_id)
        require_running(experiment)
        facts, ended = _version(reader, experiment, correction), has_ended(experiment)
        versions = {state: content_id([facts, confidence, intervals, state]) for state in (ended, not ended)}
        decided = experiment.status is ExperimentStatus.DECIDED
        earlier = reader.analysis(experiment.id)
        if earlier is not None and earlier.data_version in (versions.values() if decided else {versions[ended]}):
            return earlier
        judge = _platform if experiment.unit == "impression" else _units
        fresh = judge(reader, experiment, correction, confidence, intervals)
        left_out = _production(reader, experiment)[2]
    fresh = replace(fresh, data_version=versions[ended], notes=(*fresh.notes, *left_out))
    if intervals == "auto":
        with house.warehouse.write() as writer:
            writer.save_analysis(fresh)
    return fresh


def _only_ingested(reader: Reader, name: str) -> bool:
    return name in reader.unit_experiments() and name not in {one.id for one in reader.experiments()}


def _adhoc(
    reader: Reader, name: str, correction: str, confidence: float, *, randomised: bool, intervals: str
) -> Analysis:
    """Every outcome of a site's own experiment, as a proportion where all values are 0 or 1 and as a mean elsewhere."""
    kinds = {
        event: MetricKind.PROPORTION if binary else MetricKind.MEAN for event, binary in reader.events(name).items()
    }
    metrics = [
        Metric(name=event, kind=kind, numerator=event, role=Role.SECONDARY if number else Role.PRIMARY)
        for number, (event, kind) in enumerate(kinds.items())
    ]
    experiment = replace(reader.adhoc_experiment(name), metrics=tuple(metrics))
    # Whether it still runs is not known here: one look, unless told otherwise.
    found = _units(reader, experiment, correction, confidence, "fixed" if intervals == "auto" else intervals)
    notes = [f"{name} was not launched here: its arms are as the file names them, and {experiment.control.name!r} is "
             "taken as the control."]  # fmt: skip
    if not randomised:
        found = replace(found, results=tuple(replace(one, evidence=Evidence.C) for one in found.results))
        notes.append("How units came to the arms is not known, so the evidence grade is C; or say --randomised.")
    return replace(found, notes=tuple(notes), costs=())


def _version(reader: Reader, experiment: Experiment, correction: str) -> str:
    """Changes when a fact, a cost or an approval changes."""
    money = sorted((entry.key, str(entry.amount)) for entry in reader.ledger(experiment.campaign))
    approved = sorted(_approved(reader, experiment.campaign))
    return content_id([reader.data_version(experiment), money, approved, correction])


def _approved(reader: Reader, campaign: str) -> set[str]:
    latest = reader.latest_reviews(campaign)
    return {key for key, one in latest.items() if one.judgement is Judgement.APPROVE}


def _platform(reader: Reader, experiment: Experiment, correction: str, confidence: float, intervals: str) -> Analysis:
    from experiments.checks.health import evidence_grade
    from experiments.comparing.counts import compare_cells
    from experiments.deciding.losses import with_losses

    cells = {metric.name: reader.cells(experiment, metric) for metric in experiment.metrics}
    primary = cells[experiment.primary.name]
    health = platform_health(reader, experiment, primary, one_look=intervals == "fixed")
    evidence = evidence_grade(health, randomised=False)
    sizes = {arm: sum(cell.trials for cell in primary if cell.arm == arm) for arm in sorted({c.arm for c in primary})}
    reading, how = reading_of(experiment, sizes, intervals=intervals, confidence=confidence)
    results: list[Result] = []
    if experiment.control.name in sizes:
        for metric in experiment.metrics:
            results += compare_cells(
                metric,
                cells[metric.name],
                experiment.control.name,
                experiment=experiment.id,
                confidence=confidence,
                correction=correction if metric.role is Role.PRIMARY else "none",
                evidence=evidence,
                reading=reading,
            )
    days = sorted({day for cell in primary if (day := day_of(cell))})
    return Analysis(
        experiment=experiment.id,
        at=now(),
        source="platform report",
        health=health,
        results=with_losses(results, units=False),
        reading=how if results else "",
        costs=_costs(reader, experiment),
        window_start=days[0].isoformat() if days else "",
        window_end=days[-1].isoformat() if days else "",
    )


def _units(reader: Reader, experiment: Experiment, correction: str, confidence: float, intervals: str) -> Analysis:
    from experiments.checks.health import evidence_grade
    from experiments.comparing.analysis import compare
    from experiments.deciding.losses import with_losses

    account = reader.unit_account(experiment)
    checks = unit_health(reader, experiment, account, one_look=intervals == "fixed")
    evidence = evidence_grade(checks, randomised=True)
    aggregates = {metric.name: reader.unit_aggregates(experiment, metric) for metric in experiment.metrics}
    sizes = {arm: one.n for arm, one in aggregates[experiment.primary.name].items()}
    reading, how = reading_of(experiment, sizes, intervals=intervals, confidence=confidence)
    results: list[Result] = []
    if account.units.get(experiment.control.name):
        for metric in experiment.metrics:
            results += compare(
                metric,
                aggregates[metric.name],
                experiment.control.name,
                experiment=experiment.id,
                confidence=confidence,
                correction=correction if metric.role is Role.PRIMARY else "none",
                evidence=evidence,
                reading=reading,
            )
    return Analysis(
        experiment=experiment.id,
        at=now(),
        source="unit-level events",
        health=tuple(checks),
        results=with_losses(results, units=True),
        reading=how if results else "",
        costs=_costs(reader, experiment),
    )


def _costs(reader: Reader, experiment: Experiment) -> tuple[ArmCost, ...]:
    """Production by arm (its assets, and its share of their scenes) beside what the platform says was spent."""
    from experiments.deciding.cost import ArmMoney, arm_costs

    production, made_in, _ = _production(reader, experiment)
    approved = _approved(reader, experiment.campaign)
    totals = {one.arm: one for one in reader.arm_deliveries(experiment)}
    spent_in = next((one.currency for one in totals.values() if one.currency), made_in)
    return arm_costs(
        [
            ArmMoney(
                arm=arm.name,
                assets=len(arm.asset_ids),
                approved=len(approved & set(arm.asset_ids)),
                production=production[arm.name],
                currency=spent_in,
                production_currency=made_in,
                spend=totals[arm.name].spend or Decimal(0),
                impressions=totals[arm.name].impressions or 0,
                clicks=totals[arm.name].clicks or 0,
                conversions=totals[arm.name].conversions or Decimal(0),
            )
            for arm in experiment.arms
        ]
    )


def _production(reader: Reader, experiment: Experiment) -> tuple[dict[str, Decimal], str, tuple[str, ...]]:
    """What making each arm's assets cost, its currency, and what is in other currencies and so left out.

    A scene's cost is shared evenly by all assets that use it. Most scenes and compositions decide the currency.
    """
    assets = reader.assets(experiment.campaign, current_only=False)
    ledger = reader.ledger(experiment.campaign)
    arm_of = {asset_id: arm.name for arm in experiment.arms for asset_id in arm.asset_ids}
    users: dict[str, list[str]] = defaultdict(list)
    for asset in assets:
        if asset.scene_id:
            users[asset.scene_id].append(asset.id)
    by_arm = {arm.name: Decimal(0) for arm in experiment.arms}
    currencies = [entry.currency for entry in ledger]
    currency = max(sorted(set(currencies)), key=currencies.count) if currencies else ""
    others: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in ledger:
        if entry.what == "media":
            continue
        if entry.currency != currency:
            others[entry.what, entry.currency] += entry.amount
            continue
        sharing = [entry.asset_id] if entry.asset_id else users.get(entry.scene_id or "", [])
        for asset_id in sharing:
            if asset_id in arm_of:
                by_arm[arm_of[asset_id]] += entry.amount / len(sharing)
    left_out = tuple(
        f"{Money(amount, code)} for {what} is not in the production above: it is not in {currency}."
        for (what, code), amount in sorted(others.items())
    )
    return by_arm, currency, left_out
