"""Priors learned from past experiments: how large effects are here, before a new one is looked at.

Most changes do little. The effects of past experiments, each with its standard error, say how little: their spread
beyond the errors is the spread of true effects. A prior with that spread shrinks new estimates by as much as past ones
were exaggerated, winners above all (Efron, "Tweedie's formula and selection bias", JASA 2011).

Feed every experiment that was run, not those that won: a prior learned from winners believes in winners. Effects must
be measured alike (all lifts, or all differences of one metric). Several arms of one experiment share a control; here
they count as independent, which matters little while experiments are many.

Few experiments leave much open. Up to 300 the prior is averaged over all that they allow (``prior_average``); beyond,
it is the likeliest (maximum marginal likelihood, ``prior_fits``), normal or Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.bayes.effect_priors import NormalPrior, StudentPrior
from experiments.bayes.posterior import InformedPrior, predictive
from experiments.bayes.prior_average import average_prior
from experiments.bayes.prior_fits import Fit, fit_normal, fit_student
from proofsheet.domain.result import Status
from proofsheet.errors import InputError

Array = NDArray[np.float64]

FAMILIES = ("auto", "averaged", "normal", "student")
LEVELS = (0.5, 0.8, 0.9, 0.95)
FEWEST = 10  # experiments from which a prior can be called learned
FEWEST_FOR_TAILS = 30  # and from which the likeliest Student prior is looked for when asked for by name
MANY = 300  # from which on the likeliest prior is as good as the average
TYPICAL = 0.1  # for lifts: a usual spread of true effects, before any is seen


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedPrior:
    """A prior and what it rests on.

    Args:
        prior: to be used with ``posterior``; ``scaled(control)`` for absolute effects when learned from lifts.
        family: "averaged", "normal" or "student".
        status: OK; NO_DATA or TOO_FEW when ``prior`` rests mostly on the typical spread given; NO_VARIANCE when the
            effects vary no more than their errors and the likeliest spread is a cautious guess from them.
        reason: the same in words; empty when OK.
        experiments: how many could be used.
        log_likelihood: of the estimates under the likeliest prior, None for an averaged one.
        mean, mean_error: the prior's mean and its standard error (None where it was given).
        spread, df: standard deviation or Student's scale, and degrees of freedom (infinite for a normal prior) of the
            likeliest prior, with their standard errors; None where there is none.
        heavy_tails: for an averaged prior, the chance that tails are heavy (Student's with 6 degrees of freedom or
            fewer).
    """

    prior: InformedPrior
    family: str
    status: Status
    reason: str
    experiments: int
    mean: float
    mean_error: float | None = None
    spread: float | None = None
    spread_error: float | None = None
    df: float | None = None
    df_error: float | None = None
    log_likelihood: float | None = None
    heavy_tails: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many of ``experiments`` held-out estimates fell into their predicted intervals of one level."""

    level: float
    covered: int
    experiments: int

    @property
    def share(self) -> float:
        """The share covered, to be compared with the level."""
        return self.covered / self.experiments

    @property
    def error(self) -> float:
        """The standard error that the share has if the prior is right."""
        return float((self.level * (1.0 - self.level) / self.experiments) ** 0.5)


def learn_prior(
    effects: ArrayLike,
    errors: ArrayLike,
    *,
    family: str = "auto",
    centre: float | None = None,
    typical: float = TYPICAL,
) -> LearnedPrior:
    """What past estimates say of the effects to come.

    Args:
        effects, errors: estimates of past experiments and their standard errors, of one shape; those that are not
            finite, or whose error is not above 0, are left out.
        family: "normal" or "student" for the likeliest prior of that kind; "averaged"; or "auto": averaged up to 300
            experiments, beyond them normal, or Student's t where its log likelihood is greater by more than half the
            logarithm of the number of experiments (the price of one more number: Schwarz 1978).
        centre: fix the prior's mean (0: as many losses as wins); learned when not given.
        typical: a usual spread of true effects in their unit, for what few experiments leave open; 0.1 for lifts.

    Raises:
        InputError: the family is not known, or ``typical`` is not above 0.
    """
    if family not in FAMILIES:
        raise InputError(f"The family {family!r} is not known.", f"Choose one of: {', '.join(FAMILIES)}.")
    if not (math.isfinite(typical) and typical > 0):
        raise InputError(f"The typical spread {typical} is not above 0.", "Give a usual size of effects, such as 0.1.")
    x, s = usable(effects, errors)
    n = x.size
    if n < FEWEST or family == "averaged" or (family == "auto" and n < MANY):
        return _averaged(x, s, typical, centre)
    fit = fit_normal(x, s, centre)
    status, reason = Status.OK, ""
    if family != "normal" and n >= FEWEST_FOR_TAILS:
        tails = fit_student(x, s, centre, fit)
        if family == "student" or tails.log_likelihood - fit.log_likelihood > math.log(n) / 2.0:
            fit = tails
    elif family == "student":
        status = Status.TOO_FEW
        reason = f"{n} experiments are too few for the tails (at least {FEWEST_FOR_TAILS}): the prior is normal."
    if fit.at_zero:
        status = Status.NO_VARIANCE
        reason = "Past effects vary no more than their errors explain: the prior's spread is a cautious guess."
    return _likeliest(fit, n, status, reason)


def calibration(
    effects: ArrayLike,
    errors: ArrayLike,
    *,
    prior: InformedPrior | None = None,
    family: str = "auto",
    centre: float | None = None,
    typical: float = TYPICAL,
    folds: int = 10,
) -> tuple[Coverage, ...]:
    """Whether priors of this kind predict what the next experiment will show: coverage at 50, 80, 90 and 95 %.

    Each estimate is compared with the interval that was predicted for it, the prior blurred by its standard error. With
    ``prior`` that is the one given (learned elsewhere). Otherwise the prior is learned without the estimate: from all
    experiments but those of its fold (every ``folds``-th; as many folds as experiments leave out one at a time).

    Returns:
        One ``Coverage`` a level; none when there are fewer than two experiments.

    Raises:
        InputError: fewer than 2 folds, or the family is not known.
    """
    shares = predicted_shares(effects, errors, prior=prior, family=family, centre=centre, typical=typical, folds=folds)
    if shares.size < 2:
        return ()
    return coverage(shares)


def coverage(shares: ArrayLike, levels: Sequence[float] = LEVELS) -> tuple[Coverage, ...]:
    """Coverage of equal-tailed intervals, from the shares that the distributions put below what came about."""
    off_centre = 2.0 * np.abs(np.asarray(shares, dtype=float).ravel() - 0.5)
    return tuple(
        Coverage(level=level, covered=int(np.sum(off_centre < level)), experiments=off_centre.size) for level in levels
    )


def predicted_shares(
    effects: ArrayLike,
    errors: ArrayLike,
    *,
    prior: InformedPrior | None = None,
    family: str = "auto",
    centre: float | None = None,
    typical: float = TYPICAL,
    folds: int = 10,
) -> Array:
    """The chance that was predicted below each estimate: evenly spread over (0, 1) when the prior is right.

    Arguments as for ``calibration``; estimates that cannot be used are left out.
    """
    x, s = usable(effects, errors)
    if prior is not None:
        return predictive(s, prior).chance_below(x)
    if folds < 2:
        raise InputError(f"The number of folds is {folds}; at least 2 are needed.", "Give 10, or one per experiment.")
    fold = np.arange(x.size) % min(folds, max(x.size, 1))
    shares = np.empty(x.size)
    for k in np.unique(fold):
        out = fold == k
        learned = learn_prior(x[~out], s[~out], family=family, centre=centre, typical=typical)
        shares[out] = predictive(s[out], learned.prior).chance_below(x[out])
    return shares


def usable(effects: ArrayLike, errors: ArrayLike) -> tuple[Array, Array]:
    """The estimates that are finite and have a finite error above 0, as flat arrays.

    Raises:
        InputError: the shapes differ.
    """
    x, s = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float)
    if x.shape != s.shape:
        raise InputError(
            f"There are effects of shape {x.shape} and errors of shape {s.shape}.",
            "Give one standard error per effect.",
        )
    keep = np.isfinite(x) & np.isfinite(s) & (s > 0)
    return x[keep], s[keep]


def _averaged(x: Array, s: Array, typical: float, centre: float | None) -> LearnedPrior:
    n = x.size
    average = average_prior(x, s, typical, centre)
    few = n < FEWEST
    return LearnedPrior(
        prior=average.prior,
        family="averaged",
        status=Status.NO_DATA if not n else Status.TOO_FEW if few else Status.OK,
        reason=(
            f"{n} past experiments say little: the prior rests mostly on a typical spread of effects of {typical:g}."
            if few
            else ""
        ),
        experiments=n,
        mean=average.mean,
        mean_error=average.mean_error if centre is None and n else None,
        heavy_tails=average.heavy_tails,
    )


def _likeliest(fit: Fit, experiments: int, status: Status, reason: str) -> LearnedPrior:
    prior: NormalPrior | StudentPrior
    if math.isinf(fit.df):
        prior, family = NormalPrior(mean=fit.mean, sd=fit.spread), "normal"
    else:
        prior, family = StudentPrior(mean=fit.mean, scale=fit.spread, df=fit.df), "student"
    return LearnedPrior(
        prior=prior,
        family=family,
        status=status,
        reason=reason,
        experiments=experiments,
        mean=fit.mean,
        mean_error=fit.mean_error,
        spread=fit.spread,
        spread_error=fit.spread_error,
        df=fit.df,
        df_error=fit.df_error,
        log_likelihood=fit.log_likelihood,
    )
