"""What a verdict rests on: the findings of one look, put in one order and rounded, so that equal inputs are equal.

Everything here is computed elsewhere: intervals and directions, posteriors, the value of waiting, guardrails, health.
``settle`` gives the same object whatever order the inputs came in, and whatever the last bits of a sum were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from experiments.deciding.metric_families import Guard
from proofsheet.domain.experiment import Role, TestDesign
from proofsheet.domain.result import Evidence, HealthCheck, Result, Status
from proofsheet.errors import InputError

DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailFinding:
    """A guardrail of one arm: what is shown of it, and the relative harm it tolerates."""

    metric: str
    state: Guard
    margin: float = 0.0

    @property
    def holds(self) -> bool:
        """Safe; with no margin nothing can be shown to be safe, and not being harmed is enough."""
        return self.state is Guard.SAFE or (self.margin == 0.0 and self.state is Guard.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFinding:
    """An arm on the primary metric, against the control.

    Args:
        n: units of the arm.
        lift, low, high: estimate and limits, as they are to be read (simultaneous, always-valid, …); None if unknown.
        direction: 1 shown to be better, -1 shown to be worse (in the good direction of the metric), 0 neither.
        gain: the lift in the good direction; None if unknown.
        chance_to_win: posterior chance of being better than the control.
        expected_loss: posterior mean of what shipping it loses against the best of all, as a lift; None if unknown.
    """

    arm: str
    n: int
    lift: float | None = None
    low: float | None = None
    high: float | None = None
    direction: int = 0
    gain: float | None = None
    chance_to_win: float | None = None
    expected_loss: float | None = None
    guardrails: tuple[GuardrailFinding, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """One look at a test.

    Args:
        smallest: units of the smallest arm, control included; ``planned``: what each needs, None if never sized.
        ended: nothing more will be delivered.
        sequential: limits and directions hold at any time, so that a decision may come before the planned size.
        value_of_waiting, cost_of_waiting: what going on is expected to bring and to cost, both in ``unit``.
    """

    experiment: str
    metric: str
    control: str
    confidence: float
    arms: tuple[ArmFinding, ...]
    smallest: int
    planned: int | None
    ended: bool
    sequential: bool = False
    evidence: Evidence = Evidence.A
    health: tuple[HealthCheck, ...] = ()
    value_of_waiting: float | None = None
    cost_of_waiting: float | None = None
    unit: str = ""


def settle(findings: Findings) -> Findings:
    """The findings in their one order: arms by name, guardrails by metric, checks by name and text, 12 digits.

    Raises:
        InputError: two arms or two guardrails of an arm have one name, or a number is missing (NaN).
    """
    arms = sorted((_settle_arm(a) for a in findings.arms), key=lambda a: a.arm)
    _unique([a.arm for a in arms], "arm")
    health = sorted(
        {_settle_check(c) for c in findings.health},
        key=lambda c: (c.name, c.message, str(c.ok), c.severity, -1.0 if c.p_value is None else c.p_value),
    )
    return replace(
        findings,
        confidence=float(_number(findings.confidence) or 0.0),
        arms=tuple(arms),
        smallest=int(findings.smallest),
        planned=None if findings.planned is None else int(findings.planned),
        ended=bool(findings.ended),
        sequential=bool(findings.sequential),
        evidence=Evidence(findings.evidence),
        health=tuple(health),
        value_of_waiting=_number(findings.value_of_waiting),
        cost_of_waiting=_number(findings.cost_of_waiting),
    )


def _settle_arm(arm: ArmFinding) -> ArmFinding:
    guards = sorted(
        (replace(g, state=Guard(g.state), margin=_number(g.margin) or 0.0) for g in arm.guardrails),
        key=lambda g: g.metric,
    )
    _unique([g.metric for g in guards], f"guardrail of {arm.arm}")
    return replace(
        arm,
        n=int(arm.n),
        lift=_number(arm.lift),
        low=_number(arm.low),
        high=_number(arm.high),
        direction=int(arm.direction),
        gain=_number(arm.gain),
        chance_to_win=_number(arm.chance_to_win),
        expected_loss=_number(arm.expected_loss),
        guardrails=tuple(guards),
    )


def _settle_check(check: HealthCheck) -> HealthCheck:
    return replace(check, ok=None if check.ok is None else bool(check.ok), p_value=_number(check.p_value))


def _number(value: float | None) -> float | None:
    """A float of 12 significant digits without a negative zero."""
    if value is None:
        return None
    if math.isnan(value):
        raise InputError("A number among the findings is missing (NaN).", "Give None for what is not known.")
    return float(f"{float(value):.{DIGITS}g}") + 0.0


def _unique(names: Sequence[str], what: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"The {what} {twice[0]!r} is given twice.", "Give one finding for each name.")


def findings_of(
    results: Sequence[Result],
    health: Sequence[HealthCheck],
    design: TestDesign | None,
    *,
    ended: bool,
    sequential: bool = False,
    margins: Mapping[str, float] | None = None,
    expected_losses: Mapping[str, float] | None = None,
    value_of_waiting: float | None = None,
    cost_of_waiting: float | None = None,
    unit: str = "",
) -> Findings:
    """The findings of the rows of one analysis: simultaneous limits, directions by the adjusted p-value.

    Args:
        results: all metrics and arms; rows of segments are left out.
        margins: relative harm a guardrail tolerates by metric; 0 where not named.
        expected_losses: by arm, where they were computed.

    Raises:
        InputError: there is no row of a primary metric, or arms and guardrails occur twice.
    """
    rows = [r for r in results if not r.segment]
    primary = [r for r in rows if r.role == Role.PRIMARY.value]
    if not primary:
        raise InputError("There is no result of a primary metric.", "Analyse the metric the test is decided by.")
    guards: dict[str, list[GuardrailFinding]] = {r.arm: [] for r in primary}
    for r in rows:
        if r.role == Role.GUARDRAIL.value and r.arm in guards:
            margin = (margins or {}).get(r.metric, 0.0)
            guards[r.arm].append(GuardrailFinding(metric=r.metric, state=_guard(r, margin), margin=margin))
    arms = []
    for r in primary:
        sign = 1.0 if r.higher_is_better else -1.0
        gain = None if r.lift is None else sign * r.lift
        arms.append(
            ArmFinding(
                arm=r.arm,
                n=r.n_arm,
                lift=r.lift,
                low=r.adjusted_lift_low,
                high=r.adjusted_lift_high,
                direction=0 if gain is None or not _decided(r) else int(math.copysign(1.0, gain)),
                gain=gain,
                chance_to_win=r.chance_to_win,
                expected_loss=(expected_losses or {}).get(r.arm),
                guardrails=tuple(guards[r.arm]),
                note="" if r.status is Status.OK else r.note or r.status.value,
            )
        )
    order = "ABC"
    return settle(
        Findings(
            experiment=primary[0].experiment,
            metric=primary[0].metric,
            control=primary[0].control,
            confidence=primary[0].confidence,
            arms=tuple(arms),
            smallest=min(n for r in primary for n in (r.n_arm, r.n_control)),
            planned=design.n_per_arm if design else None,
            ended=ended,
            sequential=sequential,
            evidence=max((r.evidence for r in primary), key=lambda e: order.index(e.value)),
            health=tuple(health),
            value_of_waiting=value_of_waiting,
            cost_of_waiting=cost_of_waiting,
            unit=unit,
        )
    )


def _decided(r: Result) -> bool:
    return r.status is Status.OK and r.adjusted_p is not None and r.adjusted_p < 1.0 - r.confidence


def _guard(r: Result, margin: float) -> Guard:
    """By the corrected interval: wholly beyond the margin is harmed, wholly within is safe."""
    low, high = r.adjusted_lift_low, r.adjusted_lift_high
    if r.correction == "none" and (low is None or high is None):
        low, high = r.lift_low, r.lift_high
    if low is None or high is None:
        return Guard.OPEN
    worst, best = (low, high) if r.higher_is_better else (-high, -low)
    gain = (r.lift or 0.0) * (1.0 if r.higher_is_better else -1.0)
    if best < -margin or (margin == 0.0 and _decided(r) and gain < 0):
        return Guard.HARMED
    return Guard.SAFE if worst > -margin else Guard.OPEN
