"""decide: ship, stop, continue or inconclusive, by a table of stated rules, recorded with what was known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proofsheet.domain.experiment import Experiment, ExperimentStatus, Role
from proofsheet.domain.identity import to_json
from proofsheet.domain.result import Analysis, Call, Decision, Validity
from proofsheet.errors import InputError, NotFoundError, StateError
from proofsheet.workflows.analyze import analyze
from proofsheet.workflows.house import House, now
from proofsheet.workflows.launch import find_experiment, require_running
from proofsheet.workflows.readings import has_ended

if TYPE_CHECKING:
    from experiments.deciding.findings import Findings
    from experiments.deciding.verdict import Rule, Verdict


def propose(house: House, experiment_id: str | None = None) -> Verdict:
    """What the rules say about the experiment's data as they are now; nothing is recorded."""
    with house.warehouse.read() as reader:
        experiment = find_experiment(reader, experiment_id)
    return verdict_of(experiment, analyze(house, experiment.id))


def record_of(verdict: Verdict) -> Mapping[str, Any]:
    """The verdict with its findings as plain data, the same whenever the findings are."""
    from experiments.deciding.verdict_record import write_record

    record: Mapping[str, Any] = json.loads(write_record(verdict))
    return record


def rules() -> tuple[Rule, ...]:
    """The rules in their order; the first that holds decides."""
    from experiments.deciding.verdict import RULES

    return RULES


def rule_text(name: str) -> str:
    """A rule by its name, with when it holds; the text itself where an earlier version recorded one."""
    when = next((rule.when for rule in rules() if rule.name == name), "")
    return f"{name}: {when}" if when else name


def decide(
    house: House,
    experiment_id: str | None = None,
    *,
    call: Call | None = None,
    arm: str | None = None,
    why: str = "",
) -> Decision:
    """Record a decision; by the rules unless another call is given with its reason.

    A decision to ship or stop ends the experiment. ``continue`` leaves it running. The same decision on the same
    data is recorded once.

    Raises:
        InputError: a call against the rules has no reason, or the arm to ship is not in the experiment.
        StateError: the experiment has not started, or is decided already.
    """
    with house.warehouse.read() as reader:
        experiment = find_experiment(reader, experiment_id)
        earlier = reader.decisions(experiment.id)
    require_running(experiment)
    analysis = analyze(house, experiment.id)
    proposal = verdict_of(experiment, analysis)
    if experiment.status is ExperimentStatus.DECIDED and earlier:
        stands = earlier[-1]
        if call in (None, stands.call) and arm in (None, stands.arm):
            return stands
        raise StateError(
            f"{experiment.id} was decided on {stands.at:%Y-%m-%d}: {_called(stands.call, stands.arm)}.",
            "A decision stands. To test again, launch a new experiment.",
        )
    decision = _decision(house, experiment, analysis, proposal, call=call, arm=arm, why=why)
    if earlier and replace(earlier[-1], at=decision.at) == decision:
        return earlier[-1]
    with house.warehouse.write() as writer:
        writer.add_decision(decision)
        if decision.call is not Call.CONTINUE:
            writer.save_experiment(_decided(experiment))
    return decision


def verdict_of(experiment: Experiment, analysis: Analysis) -> Verdict:
    """What the rules say about an analysis; once the experiment has ended there is nothing to wait for."""
    from experiments.deciding.verdict import reach_verdict

    return reach_verdict(_findings(experiment, analysis))


def _findings(experiment: Experiment, analysis: Analysis) -> Findings:
    """The findings of an analysis; a test whose intervals hold at any time may be decided before its planned size."""
    from experiments.deciding.findings import Findings, findings_of

    primary = [r for r in analysis.results if r.role == Role.PRIMARY.value and not r.segment]
    if not primary:
        return Findings(
            experiment=experiment.id,
            metric=experiment.primary.name,
            control=experiment.control.name,
            confidence=0.95,
            arms=(),
            smallest=0,
            planned=experiment.design.n_per_arm if experiment.design else None,
            ended=has_ended(experiment),
            health=analysis.health,
        )
    losses = {r.arm: r.expected_loss for r in primary if r.expected_loss is not None}
    return findings_of(
        analysis.results,
        analysis.health,
        experiment.design,
        ended=has_ended(experiment),
        sequential=all(r.validity is Validity.ALWAYS for r in primary),
        margins={metric.name: metric.margin for metric in experiment.metrics},
        expected_losses=losses,
    )


def _decision(
    house: House,
    experiment: Experiment,
    analysis: Analysis,
    proposal: Verdict,
    *,
    call: Call | None,
    arm: str | None,
    why: str,
) -> Decision:
    from experiments.deciding.verdict_record import write_record

    chosen = call or proposal.call
    if arm is not None and chosen is not Call.SHIP:
        raise InputError(
            f"The arm {arm!r} was named, but the call is {chosen.value}.", "Only ship takes an arm: add --call ship."
        )
    against = chosen is not proposal.call or (arm is not None and arm != proposal.arm)
    if against and not why.strip():
        raise InputError(
            f"The rules say {_called(proposal.call, proposal.arm)}, you say {_called(chosen, arm)}: "
            "that needs a reason.",
            'Say why: --why "…"',
        )
    shipped = (arm or proposal.arm) if chosen is Call.SHIP else None
    names = [one.name for one in experiment.arms]
    if chosen is Call.SHIP and shipped not in names:
        raise InputError(f"The arm {shipped!r} is not in {experiment.id}.", f"Its arms are: {', '.join(names)}.")
    return Decision(
        experiment=experiment.id,
        call=chosen,
        arm=shipped,
        rule=proposal.rule,
        reasons=proposal.reasons,
        decided_by=house.user,
        at=now(),
        override=why.strip() if against else "",
        analysis=to_json(replace(analysis, at=None)),
        verdict=write_record(proposal).decode(),
    )


def _called(call: Call, arm: str | None) -> str:
    return f"{call.value} {arm}" if arm else call.value


def _decided(experiment: Experiment) -> Experiment:
    at = now()
    if experiment.status is ExperimentStatus.RUNNING:
        experiment = replace(experiment, status=experiment.status.to(ExperimentStatus.ENDED), ended_at=at)
    return replace(experiment, status=experiment.status.to(ExperimentStatus.DECIDED))


def latest_decision(house: House, experiment_id: str) -> Decision:
    """The decision that stands.

    Raises:
        NotFoundError: none was recorded.
    """
    with house.warehouse.read() as reader:
        decisions = reader.decisions(experiment_id)
    if not decisions:
        raise NotFoundError(f"{experiment_id} has no decision yet.", "Run: proofsheet decide")
    return decisions[-1]


def shipped_variant(house: House, experiment_id: str) -> tuple[str, str]:
    """The campaign and the variant id that the standing decision ships.

    Raises:
        NotFoundError: nothing was decided, or the decision does not ship anything.
    """
    decision = latest_decision(house, experiment_id)
    with house.warehouse.read() as reader:
        experiment = reader.experiment(experiment_id)
    for arm in experiment.arms:
        if arm.name == decision.arm:
            return experiment.campaign, arm.variant_id
    raise NotFoundError(
        f"The decision on {experiment_id} is {decision.call.value}: it ships nothing.",
        "Name variants with --variant, or leave --winner out to export all that is approved.",
    )
