"""The rule that turns results into a proposal. It is stated once, in ``RULE``, and recorded with every decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proofsheet.domain.experiment import Role, TestDesign
from proofsheet.domain.result import Call, Evidence, HealthCheck, Result, Status

RULE = (
    "Ship the arm with the best lift among those better than the control after correction for all arms, once the "
    "planned size is reached or the test has ended, no blocking check has failed, no guardrail is harmed beyond its "
    "margin, and the evidence is not observational (C). An arm that harms a guardrail cannot ship. Stop when every arm "
    "is worse or harms a guardrail. Before the planned size continue; afterwards without a clear difference the test "
    "is inconclusive."
)
PEEKING = "The test has a fixed size: looking earlier is fine, deciding earlier raises the rate of false winners."


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the rule proposes; a person decides."""

    call: Call
    arm: str | None
    rule: str
    reasons: tuple[str, ...]


def decide(
    results: Sequence[Result],
    health: Sequence[HealthCheck],
    design: TestDesign | None,
    *,
    ended: bool,
    margins: Mapping[str, float] | None = None,
) -> Proposal:
    """Apply the rule.

    Args:
        results: all metrics and arms of one analysis, whole population (rows of segments are ignored).
        ended: the test has ended; nothing more will be delivered.
        margins: relative harm a guardrail tolerates, by metric name; 0 where not named.
    """
    rows = [r for r in results if not r.segment]
    primary = [r for r in rows if r.role == Role.PRIMARY.value]
    blocking = [c for c in health if c.ok is False and c.severity == "blocking"]
    if blocking:
        return _propose(Call.INCONCLUSIVE if ended else Call.CONTINUE, None, [c.message for c in blocking])
    if not any(r.p_value is not None for r in primary):
        reasons = [f"{r.arm}: {r.note or r.status.value}" for r in primary] or ["There is no primary result."]
        return _propose(Call.INCONCLUSIVE if ended else Call.CONTINUE, None, reasons)
    harmed = _harmed(rows, margins or {})
    sized = _size_reached(primary, design)
    reasons = [_size_reason(primary, design)]
    better = [r for r in primary if _significant(r) and _gain(r) > 0]
    clean = [r for r in better if r.arm not in harmed]
    if (sized or ended) and clean:
        return _ship(clean, better, harmed, reasons)
    worse = [r for r in primary if _significant(r) and _gain(r) < 0]
    out = list(harmed.values())
    if {r.arm for r in primary} <= {*harmed, *(r.arm for r in worse)}:
        text = "Every arm is worse than the control" + (" or harms a guardrail." if harmed else ".")
        return _propose(Call.STOP, None, [*reasons, text, *out, *map(describe, worse)])
    if not ended and not sized:
        switch_off = [f"Switch {', '.join(harmed)} off: no later result can ship it."] if harmed else []
        return _propose(Call.CONTINUE, None, [*reasons, *out, *switch_off, PEEKING])
    left = [r for r in primary if r.arm not in harmed]
    best = max((r for r in left if r.lift is not None), key=_gain, default=left[0])
    text = "No arm that may ship is better than the control after correction; the best is " + describe(best)
    return _propose(Call.INCONCLUSIVE, None, [*reasons, text, *out])


def _ship(clean: Sequence[Result], better: Sequence[Result], harmed: Mapping[str, str], reasons: list[str]) -> Proposal:
    best = max(clean, key=_gain)
    out = [harmed[r.arm] for r in better if r.arm in harmed]
    if best.evidence is Evidence.C:
        text = (
            "The evidence is observational: the arms met different people, so no arm is called better. "
            f"What was seen: {describe(best)} Repeat it as a split test with equal delivery."
        )
        return _propose(Call.INCONCLUSIVE, None, [*reasons, text, *out])
    rivals = [r for r in clean if r is not best]
    ranking = ["Other arms better than the control: " + ", ".join(r.arm for r in rivals) + "."] if rivals else []
    caution = "The lift of a chosen winner tends to be overstated; expect somewhat less."
    return _propose(Call.SHIP, best.arm, [describe(best), *reasons, *ranking, *out, caution])


def describe(r: Result) -> str:
    """One result in plain words with its numbers; limits after correction where there are any."""
    low, high = r.adjusted_lift_low, r.adjusted_lift_high
    if r.lift is None or low is None or high is None:
        return f"{r.arm} on {r.metric}: no relative lift ({r.note or r.status.value})."
    adjusted = f", adjusted {_p_text(r.adjusted_p)}" if r.adjusted_p is not None else ""
    return (
        f"{r.arm} on {r.metric}: {r.lift:+.1%} against {r.control} "
        f"({r.confidence:.0%} interval over all arms {low:+.1%} to {high:+.1%}{adjusted}, n = {r.n_arm:,})."
    )


def _p_text(p: float) -> str:
    return "p < 1e-12" if p < 1e-12 else f"p = {p:.3g}"


def _propose(call: Call, arm: str | None, reasons: Sequence[str]) -> Proposal:
    return Proposal(call=call, arm=arm, rule=RULE, reasons=tuple(reasons))


def _gain(r: Result) -> float:
    """The lift in the good direction."""
    lift = r.lift if r.lift is not None else 0.0
    return lift if r.higher_is_better else -lift


def _significant(r: Result) -> bool:
    return r.status is Status.OK and r.adjusted_p is not None and r.adjusted_p < 1.0 - r.confidence


def _harmed(rows: Sequence[Result], margins: Mapping[str, float]) -> dict[str, str]:
    """Arms of which the whole corrected interval on a guardrail lies beyond the margin, with the reason."""
    harmed: dict[str, str] = {}
    for r in rows:
        if r.role != Role.GUARDRAIL.value or r.adjusted_lift_low is None or r.adjusted_lift_high is None:
            continue
        margin = margins.get(r.metric, 0.0)
        best_case = r.adjusted_lift_high if r.higher_is_better else -r.adjusted_lift_low
        if best_case < -margin or (margin == 0.0 and _significant(r) and _gain(r) < 0):
            harmed.setdefault(r.arm, f"Guardrail harmed beyond {margin:.0%}: {describe(r)}")
    return harmed


def _size_reached(primary: Sequence[Result], design: TestDesign | None) -> bool:
    return design is not None and min(_sizes(primary)) >= design.n_per_arm


def _sizes(primary: Sequence[Result]) -> list[int]:
    return [n for r in primary for n in (r.n_arm, r.n_control)]


def _size_reason(primary: Sequence[Result], design: TestDesign | None) -> str:
    smallest = min(_sizes(primary))
    if design is None:
        return f"The test was not sized before launch; its smallest arm has {smallest:,} units."
    word = "is reached" if smallest >= design.n_per_arm else "is not reached"
    return f"The planned size of {design.n_per_arm:,} units per arm {word}: the smallest arm has {smallest:,}."
