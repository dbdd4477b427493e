"""decide: ship, stop, continue or inconclusive, by a stated rule, recorded with what was known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proofsheet.domain.experiment import Experiment, ExperimentStatus
from proofsheet.domain.identity import to_json
from proofsheet.domain.result import Analysis, Call, Decision
from proofsheet.errors import InputError, NotFoundError, StateError
from proofsheet.workflows.analyze import analyze
from proofsheet.workflows.house import House, now
from proofsheet.workflows.launch import find_experiment, require_running

if TYPE_CHECKING:
    from experiments.deciding.decision import Proposal


def propose(house: House, experiment_id: str | None = None) -> Proposal:
    """What the rule says about the experiment's data as they are now; nothing is recorded."""
    with house.warehouse.read() as reader:
        experiment = find_experiment(reader, experiment_id)
    return proposal_of(experiment, analyze(house, experiment.id))


def decide(
    house: House,
    experiment_id: str | None = None,
    *,
    call: Call | None = None,
    arm: str | None = None,
    why: str = "",
) -> Decision:
    """Record a decision; by the rule unless another call is given with its reason.

    A decision to ship or stop ends the experiment. ``continue`` leaves it running. The same decision on the same
    data is recorded once.

    Raises:
        InputError: a call against the rule has no reason, or the arm to ship is not in the experiment.
        StateError: the experiment has not started, or is decided already.
    """
    with house.warehouse.read() as reader:
        experiment = find_experiment(reader, experiment_id)
        earlier = reader.decisions(experiment.id)
    require_running(experiment)
    analysis = analyze(house, experiment.id)
    proposal = proposal_of(experiment, analysis)
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


def proposal_of(experiment: Experiment, analysis: Analysis) -> Proposal:
    """What the rule says about an analysis; once the experiment has ended there is nothing to wait for."""
    from experiments.deciding.decision import decide as rule

    ended = experiment.status in (ExperimentStatus.ENDED, ExperimentStatus.DECIDED)
    margins = {metric.name: metric.margin for metric in experiment.metrics}
    return rule(analysis.results, analysis.health, experiment.design, ended=ended, margins=margins)


def _decision(
    house: House,
    experiment: Experiment,
    analysis: Analysis,
    proposal: Proposal,
    *,
    call: Call | None,
    arm: str | None,
    why: str,
) -> Decision:
    chosen = call or proposal.call
    if arm is not None and chosen is not Call.SHIP:
        raise InputError(
            f"The arm {arm!r} was named, but the call is {chosen.value}.", "Only ship takes an arm: add --call ship."
        )
    against = chosen is not proposal.call or (arm is not None and arm != proposal.arm)
    if against and not why.strip():
        raise InputError(
            f"The rule says {_called(proposal.call, proposal.arm)}, you say {_called(chosen, arm)}: "
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
