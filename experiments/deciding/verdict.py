"""Ship, stop, continue or inconclusive: a table of rules over the findings of one look, with reasons in plain words.

The rules are tried in the order of ``RULES``; the first that holds decides. The same findings, in whatever order, give
the same verdict with the same reasons. A person decides in the end; this is what the numbers propose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from experiments.deciding.findings import ArmFinding, Findings, settle
from experiments.deciding.metric_families import Guard
from proofsheet.domain.result import Call, Evidence
from proofsheet.errors import InputError

BASES = ("interval", "loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a winner is told.

    Args:
        basis: "interval": the corrected interval lies on the good side of 0. "loss": the posterior expected loss of
            shipping is at most ``loss_tolerance`` and the chance to win at least ``least_chance``.
        loss_tolerance: as a lift; 0.0025 is a quarter of a percent of the control's value.
    """

    basis: str = "interval"
    loss_tolerance: float = 0.0025
    least_chance: float = 0.9

    def __post_init__(self) -> None:
        if self.basis not in BASES:
            raise InputError(f"The basis {self.basis!r} is not known.", f"Choose one of: {', '.join(BASES)}.")
        # Equal policies are equal objects and equal bytes, whether a number was written 0 or 0.0.
        object.__setattr__(self, "loss_tolerance", float(self.loss_tolerance))
        object.__setattr__(self, "least_chance", float(self.least_chance))
        if not (0.0 <= self.loss_tolerance < 1.0 and 0.0 <= self.least_chance <= 1.0):
            raise InputError(
                f"A loss of {self.loss_tolerance} at a chance of {self.least_chance} is no policy.",
                "Give shares: a small loss such as 0.0025, and a chance such as 0.9.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rules propose, by which rule, and on what.

    ``switch_off`` names arms that harm a guardrail and should get no more traffic while the others go on.
    """

    call: Call
    arm: str | None
    rule: str
    reasons: tuple[str, ...]
    switch_off: tuple[str, ...]
    findings: Findings
    policy: Policy


@dataclass(frozen=True, slots=True)
class _Facts:
    f: Findings
    policy: Policy

    @property
    def sized(self) -> bool:
        return self.f.planned is not None and self.f.smallest >= self.f.planned

    @property
    def worthless(self) -> bool:
        value, cost = self.f.value_of_waiting, self.f.cost_of_waiting
        return value is not None and cost is not None and value <= cost

    @property
    def due(self) -> bool:
        early = self.f.sequential or (self.policy.basis == "loss" and self.worthless)
        return self.f.ended or self.sized or early

    @property
    def blocking(self) -> list[str]:
        return [c.message for c in self.f.health if c.ok is False and c.severity == "blocking"]

    @property
    def harmed(self) -> list[ArmFinding]:
        return [a for a in self.f.arms if any(g.state is Guard.HARMED for g in a.guardrails)]

    @property
    def known(self) -> list[ArmFinding]:
        return [a for a in self.f.arms if a.gain is not None]

    @property
    def better(self) -> list[ArmFinding]:
        """Winners that harm no guardrail, the one to ship first."""
        harmed = {a.arm for a in self.harmed}
        won = [a for a in self.f.arms if a.arm not in harmed and self._won(a)]
        losses = all(a.expected_loss is not None for a in won)
        return sorted(won, key=lambda a: (a.expected_loss or 0.0 if losses else 0.0, -(a.gain or 0.0), a.arm))

    @property
    def clean(self) -> list[ArmFinding]:
        return [a for a in self.better if all(g.holds for g in a.guardrails)]

    @property
    def out(self) -> bool:
        harmed = {a.arm for a in self.harmed}
        return bool(self.f.arms) and all(a.arm in harmed or a.direction < 0 for a in self.f.arms)

    def _won(self, a: ArmFinding) -> bool:
        if self.policy.basis == "interval":
            return a.direction > 0
        if a.expected_loss is None or a.chance_to_win is None:
            return False
        return a.expected_loss <= self.policy.loss_tolerance and a.chance_to_win >= self.policy.least_chance


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: its name, when it holds, and what it calls (before the end, and once ended)."""

    name: str
    when: str
    running: Call
    ended: Call


_TABLE: tuple[tuple[Rule, Callable[[_Facts], bool]], ...] = (
    (
        Rule("blocked", "A blocking health check has failed.", Call.CONTINUE, Call.INCONCLUSIVE),
        lambda x: bool(x.blocking),
    ),
    (
        Rule("no_result", "No arm can be compared with the control.", Call.CONTINUE, Call.INCONCLUSIVE),
        lambda x: not x.known,
    ),
    (
        Rule("all_out", "Every arm is worse than the control or harms a guardrail.", Call.STOP, Call.STOP),
        lambda x: x.out,
    ),
    (
        Rule("observational", "An arm wins in time, on observational evidence (C).", *2 * (Call.INCONCLUSIVE,)),
        lambda x: x.due and bool(x.better) and x.f.evidence is Evidence.C,
    ),
    (
        Rule("ship", "An arm wins in time and all its guardrails hold.", Call.SHIP, Call.SHIP),
        lambda x: x.due and bool(x.clean),
    ),
    (
        Rule("guardrail_open", "An arm wins in time; a guardrail is not settled.", Call.CONTINUE, Call.INCONCLUSIVE),
        lambda x: x.due and bool(x.better),
    ),
    (
        Rule("not_worth_waiting", "Going on costs more than it can bring.", Call.STOP, Call.STOP),
        lambda x: not x.f.ended and x.worthless,
    ),
    (
        Rule("not_yet", "The planned size is not reached.", Call.CONTINUE, Call.INCONCLUSIVE),
        lambda x: not x.f.ended and not x.sized,
    ),
    (
        Rule("no_difference", "No arm wins at the planned size or the end.", *2 * (Call.INCONCLUSIVE,)),
        lambda x: True,
    ),
)

#: The rules in their order; the first that holds decides.
RULES: tuple[Rule, ...] = tuple(rule for rule, _ in _TABLE)


def reach_verdict(findings: Findings, policy: Policy | None = None) -> Verdict:
    """Apply the rules.

    An arm wins by the policy's basis; "in time" means at the planned size, at the end, at any look of a sequential
    test, or, by the loss, when waiting is not worth its cost. Of several winners the one with the least expected loss
    ships (the greatest gain where losses are not known). A guardrail holds when it is shown to be safe, or has no
    margin and is not harmed.

    Raises:
        InputError: as ``findings.settle``.
    """
    facts = _Facts(settle(findings), policy or Policy())
    rule = next(rule for rule, holds in _TABLE if holds(facts))
    call = rule.ended if facts.f.ended else rule.running
    going_on = call is Call.CONTINUE
    return Verdict(
        call=call,
        arm=facts.clean[0].arm if call is Call.SHIP else None,
        rule=rule.name,
        reasons=tuple(_reasons(rule.name, facts)),
        switch_off=tuple(a.arm for a in facts.harmed) if going_on else (),
        findings=facts.f,
        policy=facts.policy,
    )


def _reasons(rule: str, x: _Facts) -> list[str]:
    if rule == "blocked":
        return x.blocking
    if rule == "no_result":
        return [f"{a.arm}: {a.note or 'there is no lift.'}" for a in x.f.arms] or ["There is no arm to compare."]
    harms = [_harm(a) for a in x.harmed]
    size = [_size(x)]
    if rule == "all_out":
        text = "Every arm is worse than the control" + (" or harms a guardrail." if harms else ".")
        return [*size, text, *harms, *(_arm(a, x.f) for a in x.f.arms if a.direction < 0)]
    if rule in {"ship", "observational", "guardrail_open"}:
        return _winner_reasons(rule, x, size, harms)
    best = max(x.known, key=lambda a: a.gain or 0.0)
    if rule == "not_worth_waiting":
        text = f"Going on is expected to bring {_amount(x.f.value_of_waiting, x.f.unit)}"
        cost = f"and to cost {_amount(x.f.cost_of_waiting, x.f.unit)}: keep the control."
        return [*size, f"{text} {cost}", _arm(best, x.f), *harms]
    if rule == "not_yet":
        return [*size, *harms, *_waiting(x)]
    return [*size, f"No arm that may ship is better than the control. The best: {_arm(best, x.f)}", *harms]


def _winner_reasons(rule: str, x: _Facts, size: list[str], harms: list[str]) -> list[str]:
    best = (x.clean or x.better)[0]
    if rule == "observational":
        text = "The evidence is observational: the arms met different people, so no arm is called better."
        return [text, f"What was seen: {_arm(best, x.f)}", *size, *harms]
    if rule == "guardrail_open":
        open_ = [g.metric for g in best.guardrails if not g.holds]
        text = f"Not shown yet to be harmed by less than its margin: {', '.join(open_)}."
        return [_arm(best, x.f), text, *size, *harms]
    rivals = [a.arm for a in x.better if a is not best]
    others = [f"Other arms that win: {', '.join(rivals)}."] if rivals else []
    failed = sorted({c.name for c in x.f.health if c.ok is False and c.severity == "warning"})
    warnings = [f"Health checks with a warning: {', '.join(failed)}."] if failed else []
    caution = "The lift of a chosen winner tends to be overstated; expect somewhat less."
    return [_arm(best, x.f), *size, *others, *harms, *warnings, caution]


def _waiting(x: _Facts) -> list[str]:
    if x.f.value_of_waiting is not None and x.f.cost_of_waiting is not None:
        bring, cost = _amount(x.f.value_of_waiting, x.f.unit), _amount(x.f.cost_of_waiting, x.f.unit)
        return [f"Going on is expected to bring {bring} and to cost {cost}."]
    if x.f.sequential:
        return ["The intervals hold at any time: the test may be decided as soon as one leaves out 0."]
    return ["The test has a fixed size: looking earlier is fine, deciding earlier raises the rate of false winners."]


def _size(x: _Facts) -> str:
    if x.f.planned is None:
        return f"The test was not sized before launch; its smallest arm has {x.f.smallest:,} units."
    word = "is reached" if x.sized else "is not reached"
    return f"The planned size of {x.f.planned:,} units per arm {word}: the smallest arm has {x.f.smallest:,}."


def _arm(a: ArmFinding, f: Findings) -> str:
    if a.lift is None:
        return f"{a.arm} on {f.metric}: {a.note or 'no relative lift'}."
    parts = []
    if a.low is not None and a.high is not None:
        over = " over all arms" if len(f.arms) > 1 else ""
        at = ", valid at every look" if f.sequential else ""
        parts.append(f"{f.confidence:.0%} interval{over} {a.low:+.1%} to {a.high:+.1%}{at}")
    if a.chance_to_win is not None:
        parts.append(f"chance to win {_chance(a.chance_to_win)}")
    if a.expected_loss is not None:
        parts.append(f"expected loss {a.expected_loss:.2%}")
    return f"{a.arm} on {f.metric}: {a.lift:+.1%} against {f.control} ({', '.join([*parts, f'n = {a.n:,}'])})."


def _chance(value: float) -> str:
    """Never a certainty that is none."""
    return f"{value:.1%}" if 0.001 <= value <= 0.999 else ("below 0.1%" if value < 0.5 else "above 99.9%")


def _harm(a: ArmFinding) -> str:
    harmed = ", ".join(f"{g.metric} (margin {g.margin:.0%})" for g in a.guardrails if g.state is Guard.HARMED)
    return f"{a.arm} cannot ship: it harms {harmed}."


def _amount(value: float | None, unit: str) -> str:
    return f"{value or 0.0:,.6g} {unit}".strip()
