"""Priors learned from past experiments, shrunk effects, and the value of more data."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import integrate, stats
from statsmodels.stats.meta_analysis import combine_effects

from agreement.method import Method, Oracle, apart, relative
from experiments.bayes.effect_priors import MixturePrior, NormalPrior, StudentPrior
from experiments.bayes.group_priors import pooled_log_likelihood
from experiments.bayes.posterior import log_marginal, posterior
from experiments.bayes.prior_fits import fit_normal, fit_student
from experiments.bayes.priors import calibration, coverage, learn_prior
from experiments.bayes.sample_value import knowledge_gradient, value_of_certainty, value_of_sample, value_of_samples
from experiments.bayes.shared_control import shared_posterior, shrunk_effects, shrunk_winner


def past(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and errors of simulated experiments."""
    rng = np.random.default_rng(seed)
    truth, error = 0.01 + 0.04 * rng.normal(size=count), rng.uniform(0.01, 0.06, count)
    return truth + error * rng.normal(size=count), error


def _equal_errors() -> float:
    x = np.random.default_rng(1).normal(0.02, 0.1, 50)
    fit = fit_normal(x, np.full(50, 0.04), None)
    return relative([fit.mean, fit.spread], [x.mean(), math.sqrt(x.var() - 0.04**2)])


def _meta_analysis() -> float:
    x, s = past(300, 2)
    fit, theirs = fit_normal(x, s, None), combine_effects(x, s**2, method_re="iterated")
    return relative([fit.mean, fit.spread], [theirs.mean_effect_re, math.sqrt(theirs.tau2)])


def _student_fit() -> float:
    """How much the likelihood could still rise at a grid around the fit (0: the top)."""
    x, s = past(400, 3)
    fit = fit_student(x, s, None, fit_normal(x, s, None))
    best = max(
        float(np.sum(log_marginal(x, s, StudentPrior(mean=fit.mean * m, scale=fit.spread * t, df=fit.df * d))))
        for m, t, d in itertools.product((0.98, 1.0, 1.02), (0.99, 1.0, 1.01), (0.97, 1.0, 1.03))
        if fit.df * d <= 200
    )
    return max(0.0, best - fit.log_likelihood)


def _average() -> float:
    """A plain sum over a finer grid of normal and t priors."""
    x, s = past(15, 8)
    new, error = 0.12, 0.04
    spreads, means = np.exp(np.linspace(math.log(5e-4), math.log(2.0), 30)), np.linspace(-0.06, 0.08, 21)
    log_weight, mean = [], []
    for df in (1.5, 3.0, 6.0, 15.0, math.inf):
        for t in map(float, spreads):
            flat, m = math.log(t) - math.log1p((t / 0.1) ** 2), means[:, None]
            prior = NormalPrior(mean=m, sd=t) if math.isinf(df) else StudentPrior(mean=m, scale=t, df=df)
            fit = np.sum(log_marginal(x, s, prior), axis=1) - (means / t) ** 2 / 2.0 - math.log(t)
            log_weight.append(fit + flat + log_marginal(new, error, prior)[:, 0])
            mean.append(posterior(new, error, prior).mean[:, 0])
    weight = np.exp(np.array(log_weight) - np.max(log_weight))
    return relative(posterior(new, error, learn_prior(x, s).prior).mean, np.sum(weight * np.array(mean)) / weight.sum())


def _calibrated() -> float:
    x, s = past(2_000, 12)
    return max(abs(c.share - c.level) / c.error for c in calibration(x, s, family="normal"))


def _groups() -> float:
    x, s = np.array([0.1, 0.2, 0.15, -0.1, 0.0, 0.05]), np.array([0.05, 0.06, 0.05, 0.04, 0.03, 0.05])
    member, t, w = np.array([0, 0, 0, 1, 1, 2]), 0.04, 0.07
    covariance = np.diag(s**2 + t**2) + w**2 * (member[:, None] == member) + (t**2 + w**2)
    want = stats.multivariate_normal(np.zeros(6), covariance).logpdf(x)
    return relative(pooled_log_likelihood(x, s, member, 3, t, np.array([w])), want)


def _groups_by_matrix() -> float:
    """The same with the common mean integrated out by hand, from numpy's determinant and inverse."""
    x, s, member = np.array([0.1, 0.2, -0.1, 0.0]), np.full(4, 0.05), np.array([0, 0, 1, 1])
    c = np.diag(s**2 + 0.03**2) + 0.05**2 * (member[:, None] == member) + (0.03**2 + 0.05**2)
    want = -(x @ np.linalg.inv(c) @ x + np.linalg.slogdet(2 * np.pi * c)[1]) / 2
    return relative(pooled_log_likelihood(x, s, member, 2, 0.03, np.array([0.05])), want)


X, OWN, LOAD = np.array([0.1, 0.15, 0.02]), np.array([0.05, 0.06, 0.04]), np.array([0.05, 0.055, 0.05])


def _shared() -> float:
    inverse = np.linalg.inv(np.diag(OWN**2) + np.outer(LOAD, LOAD))
    want = np.linalg.inv(inverse + np.eye(3) / 0.06**2)
    mean = want @ (inverse @ X + np.full(3, 0.01) / 0.06**2)
    got = shared_posterior(X, OWN, LOAD, NormalPrior(mean=0.01, sd=0.06))
    return max(relative(got.mean, mean), relative(got.sd, np.sqrt(np.diag(want))))


def _shared_mixture() -> float:
    want = shared_posterior(X, OWN, LOAD, NormalPrior(mean=0.01, sd=0.06))
    one = MixturePrior(mean=np.array([0.01]), sd=np.array([0.06]), log_weight=np.array([0.0]))
    return relative(shrunk_effects(X, OWN, LOAD, one).mean, want.mean)


def _winner() -> float:
    prior = NormalPrior(sd=0.04)
    got = shrunk_winner(X, OWN, LOAD, prior)
    return relative([got.arm, got.mean], [1, shared_posterior(X, OWN, LOAD, prior).mean[1]])


def _sample_value() -> float:
    effect = posterior(0.02, 0.03, NormalPrior(sd=0.05))
    error = np.array([0.01, 0.1])
    spread = effect.sd**2 / np.sqrt(effect.sd**2 + error**2)
    want = [
        integrate.quad(lambda y, s=s: max(y, 0.0) * stats.norm.pdf(y, effect.mean, s), -1.0, 1.0, points=[0.0])[0]
        for s in spread
    ]
    return apart(value_of_sample(effect, error), np.array(want) - effect.mean)


def _certainty() -> float:
    effect = posterior(0.02, 0.03, StudentPrior(scale=0.03, df=3.0))
    return relative(value_of_sample(effect, 1e-9), value_of_certainty(effect))


def _gradient() -> float:
    mean, sd, error = np.array([0.1, 0.12, 0.05]), np.array([0.02, 0.03, 0.05]), np.full(3, 0.02)
    gradient = knowledge_gradient(mean, sd, error)
    alone = [value_of_samples(mean, sd, np.where(np.arange(3) == k, error, math.inf)) for k in range(3)]
    return relative(gradient, np.array(alone))


def _many_past() -> float:
    x, s = past(1_000, 4)
    averaged, fitted = (posterior(0.12, 0.04, learn_prior(x, s, family=f).prior).mean for f in ("averaged", "normal"))
    return relative(averaged, fitted)


def _coverage_error() -> float:
    return next(c.error for c in coverage(np.array([0.01, 0.3, 0.5, 0.97, 0.99])) if c.level == 0.9)


METHODS = (
    Method(
        title="Prior learned from past experiments",
        functions=("learn_prior", "usable", "fit_normal", "fit_student"),
        formula="mean, spread and tail by marginal likelihood (partial pooling)",
        assumes="past effects are of the same kind as the new one",
        source="Azevedo and others 2020; Efron 2010",
        oracles=(
            Oracle("closed form at equal errors", _equal_errors, 1e-6),
            Oracle("statsmodels combine_effects (Paule–Mandel, another estimator)", _meta_analysis, 0.05),
            Oracle("t: rise of the likelihood at 26 neighbours", _student_fit, 1e-9, absolute=True),
        ),
    ),
    Method(
        title="Prior from few experiments",
        functions=("average_prior", "learn_prior"),
        formula="averaged over spread, tail and mean, instead of the likeliest",
        assumes="as above; a typical size of effects",
        source="Gelman 2006 (half-Cauchy)",
        oracles=(
            Oracle("plain sum over 3,150 priors", _average, 0.01),
            Oracle("one likely prior when there are many", _many_past, 0.02),
        ),
    ),
    Method(
        title="Calibration of a prior",
        functions=("calibration", "coverage", "predicted_shares"),
        formula="how many held-out estimates fall into their predicted intervals",
        assumes="nothing",
        source="Dawid 1984",
        oracles=(
            Oracle("largest gap to the level, in standard errors (right prior)", _calibrated, 3.0, absolute=True),
            Oracle("binomial error of a share", lambda: relative(_coverage_error(), math.sqrt(0.09 / 5))),
        ),
    ),
    Method(
        title="Priors pooled over groups",
        functions=("learn_group_priors", "pooled_log_likelihood"),
        formula="effects around group means, group means around a common one",
        assumes="groups are exchangeable",
        source="Gelman and Hill 2007",
        oracles=(
            Oracle("scipy multivariate normal", _groups),
            Oracle("numpy determinant and inverse", _groups_by_matrix),
        ),
    ),
    Method(
        title="Shrunk effects of several arms, and the winner",
        functions=(
            "shared_posterior",
            "each_posterior",
            "shrunk_effects",
            "shrunk_winner",
        ),
        formula="joint posterior of effects that share the control's error",
        assumes="the prior; see the winner's curse benchmark",
        source="Woody and others 2022",
        oracles=(
            Oracle("matrix algebra, numpy", _shared),
            Oracle("a mixture of one part", _shared_mixture),
            Oracle("the winner's own posterior", _winner),
        ),
    ),
    Method(
        title="Value of more data and of waiting",
        functions=(
            "value_of_certainty",
            "value_of_sample",
            "value_of_samples",
            "knowledge_gradient",
            "value_of_waiting",
            "spread_of_next_mean",
        ),
        formula="expected best posterior mean after the sample, less the best now",
        assumes="the prior; units later get the arm chosen",
        source="Raiffa and Schlaifer 1961; Frazier and others 2008",
        oracles=(
            Oracle("scipy quad", _sample_value, 1e-9, absolute=True),
            Oracle("a perfect sample is worth certainty", _certainty, 1e-6),
            Oracle("one arm's sample: the knowledge gradient", _gradient, 1e-6),
        ),
    ),
)
