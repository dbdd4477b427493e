"""launch: freeze an experiment of approved assets against a control, sized beforehand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from proofsheet.domain.assessment import Judgement
from proofsheet.domain.asset import Asset, Origin
from proofsheet.domain.campaign import Brief, Campaign
from proofsheet.domain.experiment import Arm, Experiment, ExperimentStatus, Metric, MetricKind, Role, TestDesign
from proofsheet.domain.identity import content_id
from proofsheet.errors import InputError, NotFoundError, StateError
from proofsheet.workflows.house import House, now
from proofsheet.workflows.pages import cautions as asset_cautions
from proofsheet.workflows.upload import variant_of

if TYPE_CHECKING:
    from warehouse.store import Reader

#: What a platform's report can be tested on, by the brief's objective; the first is primary.
REPORT_FIELDS = ("impressions", "clicks", "link_clicks", "conversions", "conversion_value", "spend")
CTR = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
CONVERSIONS = Metric(
    name="conversions_per_impression", kind=MetricKind.PROPORTION, numerator="conversions", denominator="impressions"
)
COST_PER_CLICK = Metric(
    name="cost_per_click",
    kind=MetricKind.RATIO,
    numerator="spend",
    denominator="clicks",
    higher_is_better=False,
    role=Role.GUARDRAIL,
    margin=0.25,
)


def metrics_for(objective: str) -> tuple[Metric, ...]:
    """The metrics of a test by the brief's objective: conversions, or clicks with conversions as a guardrail."""
    if objective.strip().lower().removesuffix("s") in {"conversion", "sale", "purchase", "lead"}:
        return (CONVERSIONS, replace(CTR, role=Role.SECONDARY), COST_PER_CLICK)
    return (CTR, replace(CONVERSIONS, role=Role.GUARDRAIL, margin=0.30), COST_PER_CLICK)


def preview(
    house: House,
    slug: str | None = None,
    *,
    control: str = "baseline",
    name: str = "",
    hypothesis: str = "",
    alpha: float = 0.05,
    power: float = 0.8,
    unit: str = "impression",
    metrics: Sequence[Metric] = (),
) -> Experiment:
    """The experiment that ``launch`` would start: a DRAFT, worked out and not saved.

    Args:
        house: the open house.
        slug: the campaign; None when there is only one.
        control: the label of an upload, or a variant id.
        name: a title; made from the campaign when empty.
        hypothesis: what is believed, in one sentence; made from the primary metric when empty.
        alpha: two-sided error rate, shared among the arms.
        power: chance to see the brief's minimum lift if it is there.
        unit: "impression" for platform reports, "user" for unit-level events.
        metrics: the primary first; by the brief's objective when empty.

    Raises:
        NotFoundError: the control has no approved asset.
        InputError: there is no arm beside the control.
    """
    with house.warehouse.read() as reader:
        campaign = house.campaign(reader, slug)
        arms = _arms(reader, campaign, control)
    chosen = tuple(metrics) or metrics_for(campaign.brief.objective)
    _check_metrics(unit, chosen, given=bool(metrics))
    design = _design(campaign.brief, arms, alpha=alpha, power=power)
    identity = content_id([campaign.slug, unit, arms, chosen, design], length=6)
    return Experiment(
        id=f"{campaign.slug}-{identity}",
        campaign=campaign.slug,
        name=name or f"{campaign.brief.name}: {len(arms) - 1} variants against {_control(arms).name}",
        hypothesis=hypothesis
        or f"At least one variant lifts {chosen[0].name} by {campaign.brief.minimum_lift:.0%} over the control.",
        unit=unit,
        arms=arms,
        metrics=chosen,
        design=design,
        created_at=now(),
    )


def launch(
    house: House,
    slug: str | None = None,
    *,
    control: str = "baseline",
    name: str = "",
    hypothesis: str = "",
    alpha: float = 0.05,
    power: float = 0.8,
    unit: str = "impression",
    metrics: Sequence[Metric] = (),
    start: bool = True,
    started_at: datetime | None = None,
) -> Experiment:
    """Save the experiment and, unless told not to, start it; once running it is frozen.

    Launching the same arms, metrics and design again returns the experiment that is there. ``started_at`` is for an
    experiment that the platform began earlier: facts from before it do not count. The present moment by default.

    Raises:
        NotFoundError: the control has no approved asset.
        InputError: there is no arm beside the control, a metric cannot be measured, or the start is to come.
        StateError: it is there already, with another start.
    """
    draft = preview(
        house,
        slug,
        control=control,
        name=name,
        hypothesis=hypothesis,
        alpha=alpha,
        power=power,
        unit=unit,
        metrics=metrics,
    )
    with house.warehouse.write() as writer:
        existing = {one.id: one for one in writer.experiments(draft.campaign)}
        experiment = existing.get(draft.id, draft)
        if started_at is not None:
            _check_start(experiment, started_at)
        if start and experiment.status is ExperimentStatus.DRAFT:
            running = experiment.status.to(ExperimentStatus.RUNNING)
            experiment = replace(experiment, status=running, started_at=started_at or now())
        if experiment != existing.get(draft.id):
            writer.save_experiment(experiment)
    return experiment


def _check_metrics(unit: str, metrics: Sequence[Metric], *, given: bool) -> None:
    if unit == "user":
        if not given:
            raise InputError(
                "An experiment on users needs its metrics.", "Name them, the primary first: --metric signup:proportion"
            )
        return
    for metric in metrics:
        for name in (metric.numerator, metric.denominator or "impressions"):
            if name not in REPORT_FIELDS:
                raise InputError(
                    f"No platform report has {name!r}, which the metric {metric.name!r} needs.",
                    f"Use {', '.join(REPORT_FIELDS)}; or --unit user for events of a site.",
                )


def _check_start(experiment: Experiment, started_at: datetime) -> None:
    if started_at > now():
        raise InputError(f"The start {started_at:%Y-%m-%d} is to come.", "Launch it then, or leave --started out.")
    if experiment.started_at is not None and experiment.started_at.date() != started_at.date():
        raise StateError(
            f"{experiment.id} is there already: it started on {experiment.started_at:%Y-%m-%d}, "
            f"not on {started_at:%Y-%m-%d}.",
            "What is running is frozen. To start anew, abandon it (proofsheet end --abandon) and change something.",
        )


def cautions(house: House, experiment: Experiment) -> tuple[str, ...]:
    """What makes the comparison less clear than it looks: languages, placements and tests that run beside it."""
    with house.warehouse.read() as reader:
        assets = reader.assets(experiment.campaign, current_only=False)
        others = reader.experiments(experiment.campaign)
    ours = {arm.variant_id for arm in experiment.arms if not arm.is_control}
    beside = [
        f"{other.id} is running on some of the same ads. End or abandon one of the two."
        for other in others
        if other.status is ExperimentStatus.RUNNING
        and other.id != experiment.id
        and ours & {arm.variant_id for arm in other.arms}
    ]
    return (*asset_cautions(experiment, assets), *beside)


def end(house: House, experiment_id: str | None = None) -> Experiment:
    """End a running experiment: no more data is expected, a decision may follow."""
    return _step(house, experiment_id, ExperimentStatus.ENDED)


def abandon(house: House, experiment_id: str | None = None) -> Experiment:
    """Give an experiment up without a decision."""
    return _step(house, experiment_id, ExperimentStatus.ABANDONED)


def find_experiment(reader: Reader, experiment_id: str | None) -> Experiment:
    """The experiment of that id, or the only one that is not abandoned.

    Raises:
        NotFoundError: there is none, or several and none was named.
    """
    if experiment_id:
        return reader.experiment(experiment_id)
    found = [one for one in reader.experiments() if one.status is not ExperimentStatus.ABANDONED]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFoundError("There is no experiment yet.", "Approve assets, then run: proofsheet launch")
    raise NotFoundError(
        f"There are {len(found)} experiments, and none was named.",
        f"Name one of: {', '.join(one.id for one in found)}.",
    )


def _step(house: House, experiment_id: str | None, target: ExperimentStatus) -> Experiment:
    with house.warehouse.write() as writer:
        experiment = find_experiment(writer, experiment_id)
        changed = replace(experiment, status=experiment.status.to(target), ended_at=now())
        writer.save_experiment(changed)
    return changed


def _arms(reader: Reader, campaign: Campaign, control: str) -> tuple[Arm, ...]:
    reviews = reader.latest_reviews(campaign.slug)
    approved = [
        asset
        for asset in reader.assets(campaign.slug)
        if (one := reviews.get(asset.id)) and one.judgement is Judgement.APPROVE
    ]
    by_variant: dict[str, list[Asset]] = defaultdict(list)
    for asset in approved:
        by_variant[asset.variant_id].append(asset)
    control_id = control if control in by_variant else variant_of(control)
    if control_id not in by_variant:
        raise NotFoundError(
            f"The control {control!r} has no approved asset in {campaign.slug!r}.",
            "Upload and approve a baseline (proofsheet upload, proofsheet review), or name an approved variant id: "
            + (", ".join(sorted(by_variant)) or "none is approved yet"),
        )
    arms = [_arm(by_variant.pop(control_id), is_control=True)]
    arms += [_arm(assets, is_control=False) for _, assets in sorted(by_variant.items())]
    if len(arms) < 2:
        raise InputError(
            "There is nothing to test: no variant beside the control is approved.",
            "Approve assets of at least one variant: proofsheet review --all-passing",
        )
    return tuple(arms)


def _arm(assets: Sequence[Asset], *, is_control: bool) -> Arm:
    first = assets[0]
    name = first.label if first.origin is Origin.UPLOADED else first.variant_id
    return Arm(
        name=name,
        variant_id=first.variant_id,
        asset_ids=tuple(sorted(asset.id for asset in assets)),
        is_control=is_control,
        levels=first.levels,
    )


def _control(arms: Sequence[Arm]) -> Arm:
    return next(arm for arm in arms if arm.is_control)


def _design(brief: Brief, arms: Sequence[Arm], *, alpha: float, power: float) -> TestDesign:
    from experiments.planning.design import design_test

    media = brief.media_budget
    impressions = brief.daily_impressions * brief.days
    return design_test(
        baseline=brief.baseline_rate,
        minimum_lift=brief.minimum_lift,
        arms=len(arms),
        daily_units=brief.daily_impressions,
        alpha=alpha,
        power=power,
        days=brief.days,
        cost_per_unit=media.amount / impressions if media and impressions else None,
        currency=media.currency if media else "",
    )


def require_running(experiment: Experiment) -> None:
    """Refuse a step that only makes sense once the experiment has started.

    Raises:
        StateError: the experiment is a draft or was abandoned.
    """
    if experiment.status in (ExperimentStatus.DRAFT, ExperimentStatus.ABANDONED):
        raise StateError(
            f"The experiment {experiment.id} is {experiment.status.value}: it has no data of its own.",
            "Start it first: proofsheet launch",
        )
