"""Read models of an experiment: health first, then the verdict in plain words, then numbers with their intervals."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from proofsheet.domain.experiment import Arm, Experiment, ExperimentStatus, Role
from proofsheet.domain.result import (
    Analysis,
    ArmCost,
    Call,
    Decision,
    Evidence,
    HealthCheck,
    Result,
    Status,
    Validity,
)
from proofsheet.workflows.beliefs import beliefs_of, waiting_words
from proofsheet.workflows.decide import rule_text, verdict_of
from proofsheet.workflows.pages import ContactSheet, cautions, contact_sheet, covers, shared_placement, variant_titles
from proofsheet.workflows.readings import has_ended

if TYPE_CHECKING:
    from experiments.bayes.beliefs import Beliefs
    from warehouse.store import Reader

#: What an evidence grade means, for people.
EVIDENCE: Mapping[Evidence, str] = {
    Evidence.A: "Randomised, and the split checks out: the difference can be put down to the creative.",
    Evidence.B: (
        "The platform split the traffic, and it was not shown to be random: who saw which ad may differ. "
        "Read the lift as strong indication, not proof."
    ),
    Evidence.C: (
        "Observational, or the platform showed the arms to different mixes of people: other causes may explain the "
        "difference. Do not act on it alone."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRow:
    """One arm on the primary metric; ``result`` is None for the control."""

    arm: Arm
    title: str
    cover: str | None  # hash of a picture of the arm
    value: float | None
    n: int
    successes: float | None
    result: Result | None
    cost: ArmCost | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The running rate of one arm up to a day, with the 95% limits of Wilson's score interval."""

    arm: str
    title: str
    day: date
    trials: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """A guarded metric of one arm: whether its interval stays within the margin; None when that is open."""

    title: str
    result: Result
    margin: float
    ok: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedCall:
    """What the rules propose on the stored analysis; ``switch_off`` are the titles of arms to give no more traffic."""

    call: Call
    arm: str | None
    rule: str
    reasons: tuple[str, ...]
    switch_off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsPage:
    """Everything about one experiment.

    ``reached`` says whether the results may be judged: the planned size is there, the test has ended, or its intervals
    hold at any time; ``is_stale`` that a report came in after the analysis of a test that is not decided; ``waits``
    that there is no report of its ads yet. ``cautions`` are what the arms' pictures do not let the test tell apart, in
    sentences.
    """

    experiment: Experiment
    analysis: Analysis | None
    arms: tuple[ArmRow, ...]
    guardrails: tuple[Guardrail, ...]
    secondary: tuple[tuple[str, Result], ...]
    trend: tuple[Point, ...]
    progress: float  # share (0–1) of the planned size of the smallest arm
    reached: bool
    is_stale: bool
    waits: bool
    cautions: tuple[str, ...]
    headline: str
    sentence: str
    evidence: Evidence | None
    blocking: tuple[HealthCheck, ...]
    decisions: tuple[Decision, ...]
    proposal: ProposedCall | None
    titles: Mapping[str, str]
    beliefs: Beliefs | None = None
    waiting: str = ""


#: The headline before any report of the ads is there.
WAITING = "Waiting for the first report"

#: Metrics that are known by letters.
NAMES: Mapping[str, str] = {"ctr": "click-through rate", "cvr": "conversion rate", "roas": "return on ad spend"}


def metric_name(name: str) -> str:
    """A metric's name as people say it."""
    return NAMES.get(name, name.replace("_", " "))


def named(text: str, experiment: Experiment, titles: Mapping[str, str]) -> str:
    """The text with readable names in place of the ids of arms and the names of metrics, where they stand alone."""
    spoken = {arm: f"“{title}”" for arm, title in titles.items() if arm != title}
    spoken |= {metric.name: metric_name(metric.name) for metric in experiment.metrics}
    longest_first = sorted(spoken, key=len, reverse=True)
    alone = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, longest_first))})(?![\w-])")
    return alone.sub(lambda found: spoken[found.group()], text) if spoken else text


def arm_titles(experiment: Experiment, sheet: ContactSheet) -> Mapping[str, str]:
    """A readable name for each arm: its variant's on the contact sheet, else the levels in which the arms differ."""
    on_sheet = {item.asset.variant_id: item.title for item in sheet.items}
    by_levels = variant_titles({arm.variant_id: arm.levels for arm in experiment.arms if arm.levels})
    return {
        arm.name: on_sheet.get(arm.variant_id) or by_levels.get(arm.variant_id) or arm.name for arm in experiment.arms
    }


def results_page(reader: Reader, experiment_id: str) -> ResultsPage:
    """The experiment with its latest analysis; nothing is computed anew but words and running rates."""
    experiment = reader.experiment(experiment_id)
    analysis = reader.analysis(experiment_id)
    sheet = contact_sheet(reader, experiment.campaign)
    titles = arm_titles(experiment, sheet)
    arms = _arm_rows(experiment, analysis, sheet, titles)
    progress = _progress(experiment, arms)
    reached = progress >= 1 or has_ended(experiment)
    at_any_time = any(row.result and row.result.validity is Validity.ALWAYS for row in arms)
    blocking = tuple(c for c in analysis.health if c.ok is False and c.severity == "blocking") if analysis else ()
    evidence = next((row.result.evidence for row in arms if row.result), None)
    waits = analysis is None or not (analysis.results or blocking)
    beliefs = beliefs_of(reader, analysis) if analysis else None
    headline, sentence = verdict_words(experiment, arms, reached=reached, progress=progress, blocked=bool(blocking))
    if waits:
        headline = WAITING
    elif reached and progress < 1:
        sentence += f" The test ended at {progress:.0%} of its planned size."
    return ResultsPage(
        experiment=experiment,
        analysis=analysis,
        arms=arms,
        guardrails=_guardrails(experiment, analysis, titles),
        secondary=_of_role(experiment, analysis, titles, Role.SECONDARY),
        trend=_trend(reader, experiment, titles) if analysis else (),
        progress=progress,
        reached=reached or at_any_time,
        is_stale=_is_stale(reader, experiment, analysis),
        waits=waits,
        cautions=cautions(experiment, reader.assets(experiment.campaign, current_only=False)),
        headline=headline,
        sentence=sentence,
        evidence=evidence,
        blocking=blocking,
        decisions=reader.decisions(experiment_id),
        proposal=_proposal(experiment, analysis, titles),
        titles=titles,
        beliefs=beliefs,
        waiting=waiting_words(experiment, analysis, beliefs.prior) if analysis and beliefs else "",
    )


def _is_stale(reader: Reader, experiment: Experiment, analysis: Analysis | None) -> bool:
    """Whether a report came in since the analysis; what is decided stays as it was known."""
    if experiment.status not in (ExperimentStatus.RUNNING, ExperimentStatus.ENDED):
        return False
    at = analysis.at if analysis else None
    return any(at is None or record.imported_at > at for record in reader.imports())


def _arm_rows(
    experiment: Experiment, analysis: Analysis | None, sheet: ContactSheet, titles: Mapping[str, str]
) -> tuple[ArmRow, ...]:
    primary = experiment.primary.name
    results = {r.arm: r for r in analysis.results if r.metric == primary and not r.segment} if analysis else {}
    costs = {cost.arm: cost for cost in analysis.costs} if analysis else {}
    rows = []
    place = shared_placement(experiment, sheet)
    for arm in experiment.arms:
        own = [item for item in sheet.items if item.asset.id in set(arm.asset_ids)]
        result = None if arm.is_control else results.get(arm.name)
        source = next(iter(results.values()), None) if arm.is_control else result
        rows.append(
            ArmRow(
                arm=arm,
                title=titles[arm.name],
                cover=next(iter(covers(own, 1, placement=place)), None),
                value=(source.value_control if arm.is_control else source.value_arm) if source else None,
                n=(source.n_control if arm.is_control else source.n_arm) if source else 0,
                successes=(source.sum_x_control if arm.is_control else source.sum_x_arm) if source else None,
                result=result,
                cost=costs.get(arm.name),
            )
        )
    return tuple(rows)


def _progress(experiment: Experiment, arms: Sequence[ArmRow]) -> float:
    planned = experiment.design.n_per_arm if experiment.design else 0
    if not planned:
        return 1.0 if any(row.n for row in arms) else 0.0
    return min((row.n for row in arms), default=0) / planned


def _of_role(
    experiment: Experiment, analysis: Analysis | None, titles: Mapping[str, str], role: Role
) -> tuple[tuple[str, Result], ...]:
    names = {metric.name for metric in experiment.metrics if metric.role is role}
    found = (r for r in analysis.results if r.metric in names and not r.segment) if analysis else ()
    return tuple((titles.get(r.arm, r.arm), r) for r in found if r.arm != r.control)


def _guardrails(experiment: Experiment, analysis: Analysis | None, titles: Mapping[str, str]) -> tuple[Guardrail, ...]:
    margins = {metric.name: metric.margin for metric in experiment.metrics}
    return tuple(
        Guardrail(title=title, result=result, margin=margins[result.metric], ok=within(result, margins[result.metric]))
        for title, result in _of_role(experiment, analysis, titles, Role.GUARDRAIL)
    )


def within(result: Result, margin: float) -> bool | None:
    """Whether harm beyond the margin is excluded (True), shown (False), or neither (None)."""
    if result.lift_low is None or result.lift_high is None:
        return None
    worst, best = result.lift_low, result.lift_high
    if not result.higher_is_better:
        worst, best = -best, -worst
    return True if worst >= -margin else False if best < -margin else None


def verdict_words(
    experiment: Experiment, arms: Sequence[ArmRow], *, reached: bool, progress: float, blocked: bool
) -> tuple[str, str]:
    """A headline and a sentence that say what the primary metric shows, and no more."""
    metric = metric_name(experiment.primary.name)
    tested = [row for row in arms if row.result and row.result.status is Status.OK and row.result.lift is not None]
    if not tested:
        return (
            ("Nothing can be concluded", "One thing stops every conclusion; mend that first.")
            if blocked
            else ("No result yet", "Import the platform's report of these ads; the analysis follows from it.")
        )
    sign = 1 if experiment.primary.higher_is_better else -1
    best = max(tested, key=lambda row: sign * (row.result.lift or 0.0) if row.result else 0.0)
    found = best.result
    assert found is not None  # `tested` has results only
    told = _told(found)
    if blocked:
        return (
            "Do not read these results yet",
            f"One thing stops every conclusion; mend that first. “{best.title}” stands at {told}.",
        )
    low, high = _adjusted(found)
    better = low is not None and sign * low > 0 and (high is None or sign * high > 0)
    worse = [row for row in tested if row.result and _shown_worse(row.result, sign)]
    shown = better or len(worse) == len(tested)
    if not reached and not (shown and found.validity is Validity.ALWAYS):
        headline = f"Too early to call: {min(progress, 1):.0%} of the planned size is in"
        return headline, f"“{best.title}” stands highest on {metric}, at {told}. That may still turn."
    if better:
        if found.evidence is Evidence.C:
            return f"“{best.title}” looks better than the control; it is not proven", f"Its lift on {metric} is {told}."
        return f"“{best.title}” beats the control on {metric}", f"Its lift is {told}, counting all comparisons made."
    if shown:
        return (
            f"Every variant does worse than the control on {metric}",
            f"The best of them, “{best.title}”, has {told}.",
        )
    return f"No variant is shown to beat the control on {metric}", f"The highest, “{best.title}”, has {told}."


def _adjusted(result: Result) -> tuple[float | None, float | None]:
    if result.adjusted_lift_low is None and result.adjusted_lift_high is None:
        return result.lift_low, result.lift_high
    return result.adjusted_lift_low, result.adjusted_lift_high


def _shown_worse(result: Result, sign: int) -> bool:
    low, high = _adjusted(result)
    edge = high if sign > 0 else low
    return edge is not None and sign * edge < 0


def _told(result: Result) -> str:
    low, high = _adjusted(result)

    def signed(value: float | None) -> str:
        return "unbounded" if value is None else f"{value * 100:+.1f}%".replace("-", "−")

    return (
        f"{signed(result.lift)} ({result.confidence:.0%} interval {signed(low)} to {signed(high)}, "
        f"n = {result.n_arm:,} against {result.n_control:,})"
    )


def wilson(successes: float, trials: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Limits of the score interval of a proportion (Wilson 1927); 0 to 1 without trials."""
    if not trials:
        return 0.0, 1.0
    rate, share = successes / trials, z * z / trials
    middle = (rate + share / 2) / (1 + share)
    half = z / (1 + share) * math.sqrt(max(rate * (1 - rate), 0.0) / trials + share / (4 * trials))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def trend_field(experiment: Experiment) -> str:
    """What is counted per impression in the trend: what the primary metric counts, or clicks."""
    primary = experiment.primary
    counted = primary.denominator == "impressions" and primary.numerator in ("clicks", "link_clicks", "conversions")
    return primary.numerator if counted else "clicks"


def _trend(reader: Reader, experiment: Experiment, titles: Mapping[str, str]) -> tuple[Point, ...]:
    field = trend_field(experiment)
    daily: dict[str, dict[date, tuple[int, float]]] = defaultdict(dict)
    for row in reader.daily(experiment):
        if row.day is not None and row.impressions:
            seen, counted = daily[row.arm].get(row.day, (0, 0.0))
            daily[row.arm][row.day] = (seen + row.impressions, counted + float(getattr(row, field) or 0))
    points = []
    for arm in experiment.arms:
        trials, successes = 0, 0.0
        for day in sorted(daily.get(arm.name, {})):
            seen, counted = daily[arm.name][day]
            trials, successes = trials + seen, successes + counted
            low, high = wilson(min(successes, trials), trials)
            points.append(
                Point(
                    arm=arm.name,
                    title=titles[arm.name],
                    day=day,
                    trials=trials,
                    rate=successes / trials,
                    low=low,
                    high=high,
                )
            )
    return tuple(points)


def _proposal(experiment: Experiment, analysis: Analysis | None, titles: Mapping[str, str]) -> ProposedCall | None:
    if analysis is None or not analysis.results:
        return None
    found = verdict_of(experiment, analysis)
    reasons = tuple(named(reason, experiment, titles) for reason in found.reasons)
    off = tuple(titles.get(arm, arm) for arm in found.switch_off)
    return ProposedCall(call=found.call, arm=found.arm, rule=rule_text(found.rule), reasons=reasons, switch_off=off)
