"""Two rates from counts, exactly: beta-binomial and gamma-Poisson models of an arm and its control.

A conversion rate with a beta prior and ``x`` successes in ``n`` trials is Beta(a + x, b + n - x); a rate of events per
exposure with a gamma prior is Gamma(shape + x, rate + exposure). Nothing is approximated but the last integral: with
the narrower of the two as ``N`` and the wider as ``W``

- chance: ``P(N > W)`` is the integral of the density of ``N`` times the distribution function of ``W``;
- loss: ``E[max(W - N, 0)]`` that of the density of ``N`` times the partial expectation of ``W``, closed for both
  families (the loss of Chris Stucchio's "Bayesian A/B Testing at VWO", 2015, for counts without end);
- limits: the distribution function of difference or ratio likewise, turned round by Newton's method.

The integrands have concave logarithms (in the logit or the logarithm of the rate) and vanish at both ends, so the
trapezoidal rule between the points where they have fallen by 38 in the logarithm is exact to about 1e-11: with 40
nodes, or up to 256 where counts are few. Chances far out in the tails keep their digits. Thousands of pairs go at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.bayes.rate_differences import DIFFERENCE, LOG_RATIO, quantiles
from experiments.bayes.rate_integrals import integrals
from experiments.bayes.rate_laws import BetaLaw, GammaLaw, RateLaw
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_LARGEST_COUNT = 1e15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stakes:
    """What a choice between two rates stands on; arrays of one shape.

    Args:
        chance_above, chance_below: that the arm's rate is the greater, or the smaller; in [TINY, 1].
        loss_of_arm: ``E[max(control - arm, 0)]``, expected loss of choosing the arm, in the unit of the rate.
        loss_of_control: ``E[max(arm - control, 0)]``, expected loss of keeping the control.
    """

    chance_above: Array
    chance_below: Array
    loss_of_arm: Array
    loss_of_control: Array


@dataclass(frozen=True, slots=True, eq=False)
class RatePair:
    """The posterior distributions of an arm's rate and its control's, pair by pair.

    Where ``known`` is False (no exposure and an improper prior) nothing can be said: chances are 0.5, losses
    infinite, differences between minus and plus infinity, ratios between 0 and infinity.
    """

    arm: RateLaw
    control: RateLaw
    known: Flags

    def stakes(self) -> Stakes:
        """Chances and expected losses, by one integral a direction."""
        arm_narrower = self.arm.precision >= self.control.precision
        shape = arm_narrower.shape
        found = np.empty((4, arm_narrower.size))
        for first in (True, False):
            rows = np.flatnonzero(arm_narrower.ravel() == first)
            narrow, wide = (self.arm, self.control) if first else (self.control, self.arm)
            above, below, short, over = integrals(narrow, wide, rows)
            # ``short`` is what the narrow one lacks where it is the smaller, ``over`` what it has more.
            found[:, rows] = (above, below, short, over) if first else (below, above, over, short)
        known = self.known
        above, below, arm_loss, control_loss = (row.reshape(shape) for row in found)
        return Stakes(
            chance_above=np.where(known, np.clip(above, TINY, 1.0), 0.5),
            chance_below=np.where(known, np.clip(below, TINY, 1.0), 0.5),
            loss_of_arm=np.where(known, arm_loss, np.inf),
            loss_of_control=np.where(known, control_loss, np.inf),
        )

    def difference_limits(self, alpha: float = 0.05) -> tuple[Array, Array]:
        """The equal-tailed interval of ``arm - control`` that holds it with chance ``1 - alpha``.

        Raises:
            InputError: alpha is not between 0 and 1.
        """
        _check_alpha(alpha)
        narrower = self.arm.sd <= self.control.sd
        low, high = (
            quantiles(self.arm, self.control, share, narrower, DIFFERENCE) for share in (alpha / 2.0, 1.0 - alpha / 2.0)
        )
        return np.where(self.known, low, -np.inf), np.where(self.known, high, np.inf)

    def ratio_limits(self, alpha: float = 0.05) -> tuple[Array, Array]:
        """The equal-tailed interval of ``arm / control``; less one, that of the lift.

        Raises:
            InputError: alpha is not between 0 and 1.
        """
        _check_alpha(alpha)
        shares = alpha / 2.0, 1.0 - alpha / 2.0
        if isinstance(self.arm, GammaLaw) and isinstance(self.control, GammaLaw):
            low, high = (_gamma_ratio(self.arm, self.control, share) for share in shares)
        else:
            narrower = self.arm.sd / self.arm.mean <= self.control.sd / self.control.mean
            with np.errstate(over="ignore"):
                low, high = (np.exp(quantiles(self.arm, self.control, share, narrower, LOG_RATIO)) for share in shares)
        return np.where(self.known, low, 0.0), np.where(self.known, high, np.inf)


def beta_law(successes: ArrayLike, trials: ArrayLike, prior: tuple[float, float] = (1.0, 1.0)) -> BetaLaw:
    """The posterior of a success rate with a beta prior (a uniform one where not given).

    Args:
        successes, trials: 0 <= successes <= trials; arrays broadcast.
        prior: ``(a, b)``, 0.5 or more; (0.5, 0.5) is Jeffreys'.

    Raises:
        InputError: counts are not finite, negative, above 1e15 or more than the trials; a parameter is below 0.5.
    """
    x, n = _counts(successes, trials)
    _check_prior(prior, (0.5, 0.5))
    if np.any(x > n):
        raise InputError("There are more successes than trials.", "Compare events per exposure instead (gamma_pair).")
    return BetaLaw(x + prior[0], n - x + prior[1])


def gamma_law(
    events: ArrayLike, exposure: ArrayLike, prior: tuple[float, float] = (1.0, 0.0)
) -> tuple[GammaLaw, Flags]:
    """The posterior of a rate of Poisson events with a gamma prior, and where there is one.

    Without exposure and with a prior rate of 0 there is none; a rate of 1 stands in its place.

    Args:
        events, exposure: 0 or more; arrays broadcast.
        prior: ``(shape, rate)``, shape 0.5 or more, rate 0 or more; (1, 0) is flat, (0.5, 0) Jeffreys'.

    Raises:
        InputError: counts are not finite, negative or above 1e15; a parameter is outside its range.
    """
    x, t = _counts(events, exposure)
    _check_prior(prior, (0.5, 0.0))
    known = np.asarray(t + prior[1] > 0)
    return GammaLaw(x + prior[0], np.where(known, t + prior[1], 1.0)), known


def beta_pair(
    successes: ArrayLike,
    trials: ArrayLike,
    control_successes: ArrayLike,
    control_trials: ArrayLike,
    prior: tuple[float, float] = (1.0, 1.0),
) -> RatePair:
    """Two success rates with independent beta priors; arguments and errors as for ``beta_law``."""
    x1, n1, x0, n0 = _counts(successes, trials, control_successes, control_trials)
    return RatePair(beta_law(x1, n1, prior), beta_law(x0, n0, prior), np.ones(x1.shape, dtype=bool))


def gamma_pair(
    events: ArrayLike,
    exposure: ArrayLike,
    control_events: ArrayLike,
    control_exposure: ArrayLike,
    prior: tuple[float, float] = (1.0, 0.0),
) -> RatePair:
    """Two rates of events per exposure (per impression, per day, …); arguments and errors as for ``gamma_law``."""
    x1, t1, x0, t0 = _counts(events, exposure, control_events, control_exposure)
    (arm, known), (control, control_known) = gamma_law(x1, t1, prior), gamma_law(x0, t0, prior)
    return RatePair(arm, control, known & control_known)


def _gamma_ratio(arm: GammaLaw, control: GammaLaw, share: float) -> Array:
    """A ratio of gammas is a ratio of beta to its complement, times the ratio of the exposures: closed."""
    top = special.betaincinv(arm.shape, control.shape, share)
    bottom = special.betaincinv(control.shape, arm.shape, 1.0 - share)
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(top / bottom * (control.rate / arm.rate))


def _counts(*given: ArrayLike) -> list[Array]:
    counts = [np.array(a) for a in np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in given))]
    for count in counts:
        if not np.all((count >= 0) & (count <= _LARGEST_COUNT)):
            raise InputError(
                "A count is negative, not finite or above 1e15.", "Give events and trials (or exposure) as 0 or more."
            )
    return counts


def _check_prior(prior: tuple[float, float], least: tuple[float, float]) -> None:
    for value, lowest in zip(prior, least, strict=True):
        if not (math.isfinite(value) and value >= lowest):
            raise InputError(
                f"The prior {prior} has a parameter outside its range.",
                "Give (1, 1) for uniform rates, (1, 0) for flat rates of events, or counts of your own.",
            )


def _check_alpha(alpha: float) -> None:
    if not 0.0 < alpha < 1.0:
        raise InputError(f"The level {alpha} is not between 0 and 1.", "Give a share, such as 0.05 for 95 %.")
