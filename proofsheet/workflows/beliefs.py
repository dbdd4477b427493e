"""What to expect of an experiment's arms, given what the house's past experiments came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from proofsheet.domain.experiment import Experiment, ExperimentStatus, Role
from proofsheet.domain.result import Analysis, Evidence, Result
from proofsheet.workflows.readings import has_ended

if TYPE_CHECKING:
    from experiments.bayes.beliefs import Beliefs
    from experiments.bayes.priors import LearnedPrior
    from warehouse.store import Reader

#: Days a test is thought to go on for, and days for which what is chosen then is thought to run.
GOING_ON, IN_USE = 7, 28


def beliefs_of(reader: Reader, analysis: Analysis) -> Beliefs | None:
    """What to believe of each arm on the primary metric; None where no arm has a lift yet.

    The prior is learned from the primary lifts of every other experiment that has ended, won or not, whatever its
    metric; observational ones (evidence C) are left out. It is centred on no effect.
    """
    from experiments.bayes.beliefs import form_beliefs

    rows = _primary(analysis.results)
    if not rows:
        return None
    return form_beliefs(rows, learned_prior(reader, besides=analysis.experiment))


def learned_prior(reader: Reader, *, besides: str = "") -> LearnedPrior:
    """What past experiments, but one, say of gains to come."""
    from experiments.bayes.beliefs import gains_of
    from experiments.bayes.priors import learn_prior

    gains, errors = gains_of(_past_rows(reader, besides))
    return learn_prior(gains, errors, centre=0.0)


def waiting_words(experiment: Experiment, analysis: Analysis, prior: LearnedPrior) -> str:
    """Whether a further week is worth its cost, in a sentence; "" where the days are not known or the test has ended.

    What a week brings is a better choice for the four weeks after it; what it costs is that the week's traffic is still
    divided among all arms.
    """
    from experiments.bayes.beliefs import worth_of_going_on

    if has_ended(experiment) or not analysis.window_start:
        return ""
    days = (date.fromisoformat(analysis.window_end) - date.fromisoformat(analysis.window_start)).days + 1
    found = worth_of_going_on(_primary(analysis.results), prior, further=GOING_ON / days, later=IN_USE / days)
    if found is None:
        return ""
    gain, price, what = float(found.gain), float(found.price), experiment.primary.numerator or experiment.primary.name
    pays = "more than they cost" if gain > price else "less than they cost"
    return (
        f"A further {GOING_ON} days are expected to bring {pays}: {_amount(gain)} {what} by a better choice for the "
        f"{IN_USE} days after them, against {_amount(price)} lost until then in arms that seem weaker."
    )


def _amount(value: float) -> str:
    """Three digits, no more than is known."""
    return f"{float(f'{value:.3g}'):,.10g}"


def prior_words(prior: LearnedPrior) -> str:
    """What the expected lifts rest on, in a sentence or two."""
    text = (
        "A winner tends to look better than it is, so lifts are drawn towards what lifts usually are, and the luck of "
        "the control, which all arms share, is taken out."
    )
    if prior.reason:
        return f"{text} {prior.reason}"
    return f"{text} What is usual is learned from {prior.experiments:,} arms of past experiments."


def _past_rows(reader: Reader, besides: str) -> list[Result]:
    over = (ExperimentStatus.ENDED, ExperimentStatus.DECIDED)
    rows: list[Result] = []
    for experiment in reader.experiments():
        if experiment.id == besides or experiment.status not in over:
            continue
        last = reader.analysis(experiment.id)
        if last is not None:
            rows += [row for row in _primary(last.results) if row.evidence is not Evidence.C]
    return rows


def _primary(results: Sequence[Result]) -> list[Result]:
    return [row for row in results if row.role == Role.PRIMARY.value and not row.segment]
