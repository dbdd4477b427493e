"""What to believe of one experiment's arms once past experiments have had their say.

The lifts of an analysis and what past experiments' lifts teach (``priors``) give for each arm a shrunken lift with its
interval, the chance to win and to be the best, and what is lost if the choice is wrong. Lifts count towards the good
direction here ("gain"): of costs, less is more. The arms share the control, so that what one shows tells of the others
(``shared_control``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.basis.distributions import normal_critical
from experiments.bayes.best_arm import best_of_effects
from experiments.bayes.priors import LearnedPrior
from experiments.bayes.sample_value import Waiting, value_of_waiting
from experiments.bayes.shared_control import each_posterior
from proofsheet.domain.result import Result

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """One arm on the primary metric after the prior.

    Args:
        lift, low, high: the posterior mean of the lift and its interval at the confidence of the results; as
            measured, with its sign (a lower cost is a negative lift).
        raw: the lift that was measured.
        chance_to_win: against the control.
        chance_best: among all arms and the control.
        expected_loss: of shipping the arm, against the best of all, as a lift; ``loss_of_control`` is against the
            control alone.
    """

    arm: str
    raw: float
    lift: float
    low: float
    high: float
    chance_to_win: float
    chance_best: float
    expected_loss: float
    loss_of_control: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """Beliefs of every arm that has a lift, the control's own chance and loss, and what the prior rests on."""

    arms: tuple[Belief, ...]
    control_chance_best: float
    control_expected_loss: float
    prior: LearnedPrior


def gains_of(results: Sequence[Result]) -> tuple[Array, Array]:
    """Lifts towards the good direction and their standard errors, of rows that have both."""
    rows = [r for r in results if _error(r) is not None]
    gains = [_sign(r) * (r.lift or 0.0) for r in rows]
    return np.array(gains, dtype=float), np.array([_error(r) for r in rows], dtype=float)


def parts_of(rows: Sequence[Result], errors: Array) -> tuple[Array, Array]:
    """Each lift's standard error as the arm's own part and the part of the control, which all rows share.

    Of the variance the share ``n / (n + n_control)`` is the control's, as for equal deviations of all units.
    """
    share = np.array([r.n_arm / max(1, r.n_arm + r.n_control) for r in rows], dtype=float)
    return errors * np.sqrt(1.0 - share), errors * np.sqrt(share)


def form_beliefs(results: Sequence[Result], prior: LearnedPrior) -> Beliefs | None:
    """Beliefs of the arms of one metric; None where no arm has a lift with an error.

    Args:
        results: rows of one metric and one population against one control. How often they are looked at does not
            matter to a posterior.
        prior: of gains, see ``priors.learn_prior``.

    Chances to be the best, and the losses against the best, take the posteriors as normal, with the correlation that
    the estimates have from their common control.
    """
    rows = [r for r in results if _error(r) is not None]
    if not rows:
        return None
    gains, errors = gains_of(rows)
    own, control = parts_of(rows, errors)
    each = each_posterior(gains, own, control, prior.prior)
    shrink = each.sd / errors
    best = best_of_effects(each.mean, own * shrink, control * shrink)
    low, high = each.limits(1.0 - rows[0].confidence)
    chance, loss = each.chance_above(), each.loss_of_arm()
    return Beliefs(
        arms=tuple(
            Belief(
                arm=r.arm,
                raw=float(r.lift or 0.0),
                lift=_sign(r) * float(each.mean[i]),
                low=float(low[i] if r.higher_is_better else -high[i]),
                high=float(high[i] if r.higher_is_better else -low[i]),
                chance_to_win=float(chance[i]),
                chance_best=float(best.chance[i + 1]),
                expected_loss=float(best.loss[i + 1]),
                loss_of_control=float(loss[i]),
            )
            for i, r in enumerate(rows)
        ),
        control_chance_best=float(best.chance[0]),
        control_expected_loss=float(best.loss[0]),
        prior=prior,
    )


def worth_of_going_on(
    results: Sequence[Result], prior: LearnedPrior, *, further: float, later: float
) -> Waiting | None:
    """What a test that goes on is expected to bring by a better choice after it, and to cost until then.

    Both are in what the metric adds up (clicks, purchases, money), taking all traffic to be worth the control's value
    until it is told better; see ``sample_value.value_of_waiting``. None where no arm has a lift with an error, or the
    control's value is 0.

    Args:
        further: units that going on adds, as a multiple of those seen; ``later``: those who get the arm chosen then.
    """
    rows = [r for r in results if _error(r) is not None]
    if not rows:
        return None
    volume = np.array([rows[0].sum_y_control or 0.0, *(r.sum_y_arm or 0.0 for r in rows)])
    baseline = abs(rows[0].value_control or 0.0) * float(volume.sum())
    if baseline <= 0.0 or further <= 0.0:
        return None
    gains, errors = gains_of(rows)
    own, control = parts_of(rows, errors)
    each = each_posterior(gains, own, control, prior.prior)
    shrink = each.sd / errors
    all_errors = np.append(control.mean(), own)
    return value_of_waiting(
        np.append(0.0, each.mean),
        all_errors * np.append(shrink.mean(), shrink),
        all_errors / np.sqrt(further),
        share=volume / volume.sum(),
        further_units=further,
        later_units=later,
        worth=baseline,
    )


def _error(r: Result) -> float | None:
    """The standard error of the lift; rows of earlier versions tell it by the half width of their fixed interval."""
    if r.lift is None:
        return None
    if r.lift_error is not None:
        return r.lift_error if r.lift_error > 0 else None
    if r.lift_low is None or r.lift_high is None or not r.lift_high > r.lift_low:
        return None
    return (r.lift_high - r.lift_low) / 2.0 / normal_critical(1.0 - r.confidence)


def _sign(r: Result) -> float:
    return 1.0 if r.higher_is_better else -1.0
