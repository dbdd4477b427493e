"""Posteriors, priors, the best arm and the value of waiting."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
from scipy import integrate, special, stats
from statsmodels.stats.meta_analysis import combine_effects

from agreement import cases
from agreement.intervals import mean_pair
from agreement.method import Method, Oracle, apart, recorded, relative
from experiments.bayes.best_arm import best_of_effects, best_of_event_rates, best_of_normals, best_of_rates
from experiments.bayes.conjugate import beta_pair, gamma_pair
from experiments.bayes.effect_priors import MixturePrior, NormalPrior, StudentPrior
from experiments.bayes.group_priors import pooled_log_likelihood
from experiments.bayes.normal_mixture import mixture, unit_excess
from experiments.bayes.posterior import log_marginal, posterior, predictive
from experiments.bayes.prior_fits import fit_normal, fit_student
from experiments.bayes.priors import calibration, coverage, learn_prior
from experiments.bayes.sample_value import knowledge_gradient, value_of_certainty, value_of_sample, value_of_samples
from experiments.bayes.shared_control import shared_posterior, shrunk_effects, shrunk_winner

PAIRS = [(0, 10, 0, 10), (0, 10, 3, 10), (10, 10, 9, 10), (1, 40, 9, 50), (30, 300, 40, 310)]
GAMMAS = [(120, 1e6, 100, 2e6), (3, 10, 5_000, 20_000), (400, 1e4, 700, 1e4)]


def _precision(what: str) -> float:
    x, s, m, t = np.array([0.1, -0.2]), np.array([0.05, 0.1]), 0.01, 0.04
    got = posterior(x, s, NormalPrior(mean=m, sd=t))
    if what == "loss":
        z = got.mean / got.sd
        return relative(got.loss_of_arm(), got.sd * stats.norm.pdf(z) - got.mean * stats.norm.cdf(-z))
    weight = 1 / s**2 + 1 / t**2
    return max(relative(got.mean, (x / s**2 + m / t**2) / weight), relative(got.sd, weight**-0.5))


def _gbstats() -> float:
    arm, control = mean_pair()
    effect, error = float(arm.value - control.value), float(np.sqrt(arm.variance + control.variance))
    got = posterior(effect, error, NormalPrior(sd=cases.PRIOR_SD))
    low, high = got.limits(0.05)
    found = [got.mean, got.sd, got.chance_above(), low, high, got.loss_of_control(), got.loss_of_arm()]
    return relative([float(v) for v in found], recorded("gbstats")["bayes"])


STUDENTS = [(0.05, 0.03, 0.0, 0.02, 4.0), (0.5, 0.1, 0.02, 0.05, 2.5), (-0.3, 0.2, 0.01, 0.01, 5.0)]


def _student() -> float:
    """Bayes' rule by scipy.integrate, piece by piece."""
    gaps = []
    for x, s, m, t, df in STUDENTS:

        def density(v: float, x: float = x, s: float = s, m: float = m, t: float = t, df: float = df) -> float:
            return math.exp(-(((x - v) / s) ** 2) / 2.0 - (df + 1.0) / 2.0 * math.log1p(((v - m) / t) ** 2 / df))

        edges = np.unique(np.round(np.concatenate([x + s * np.arange(-25.0, 26.0), [0.0, m]]), 9))

        def over(function: object, low: float = -9.0, density: object = density, edges: object = edges) -> float:
            cuts = [e for e in edges if e >= low]  # type: ignore[attr-defined]
            return math.fsum(
                integrate.quad(lambda v: function(v) * density(v), a, b, epsabs=0, epsrel=1e-12, limit=200)[0]  # type: ignore[operator]
                for a, b in itertools.pairwise(cuts)
            )

        whole = over(lambda v: 1.0)
        wanted = [over(lambda v: v) / whole, over(lambda v: 1.0, 0.0) / whole, over(lambda v: v, 0.0) / whole]
        got = posterior(x, s, StudentPrior(mean=m, scale=t, df=df))
        gaps.append(relative([float(got.mean), float(got.chance_above()), float(got.loss_of_control())], wanted))
    return max(gaps)


def _student_marginal() -> float:
    prior = StudentPrior(mean=0.02, scale=0.1, df=4.0)
    want = integrate.quad(
        lambda v: stats.norm.pdf(0.3, v, 0.1) * stats.t.pdf(v, 4.0, 0.02, 0.1), -5, 5, points=[0.02, 0.3], epsabs=1e-13
    )[0]
    return relative([np.exp(log_marginal(0.3, 0.1, prior)), predictive(0.1, prior).density(0.3)], want)


def _mixture() -> float:
    prior = MixturePrior(mean=np.array([0.0, 0.1]), sd=np.array([0.01, 0.05]), log_weight=np.log(np.array([0.7, 0.3])))
    weight = np.array([0.7, 0.3]) * stats.norm([0.0, 0.1], np.hypot([0.01, 0.05], 0.04)).pdf(0.12)
    parts = [posterior(0.12, 0.04, NormalPrior(mean=m, sd=t)) for m, t in ((0.0, 0.01), (0.1, 0.05))]
    return relative(posterior(0.12, 0.04, prior).mean, np.dot(weight, [p.mean for p in parts]) / weight.sum())


def _beta(a: int, b: int) -> Fraction:
    return Fraction(math.factorial(a - 1) * math.factorial(b - 1), math.factorial(a + b - 1))


def exact_chance(a1: int, b1: int, a0: int, b0: int) -> Fraction:
    """Evan Miller's formula: P(p1 > p0) for beta parameters that are whole, as an exact fraction."""
    return sum((_beta(a0 + i, b1 + b0) / ((b1 + i) * _beta(1 + i, b1) * _beta(a0, b0)) for i in range(a1)), Fraction(0))


def _beta_chances() -> float:
    gaps = []
    for x1, n1, x0, n0 in PAIRS:
        want = exact_chance(x1 + 1, n1 - x1 + 1, x0 + 1, n0 - x0 + 1)
        gaps.append(relative(beta_pair(x1, n1, x0, n0).stakes().chance_above, float(want)))
    return max(gaps)


def _beta_losses() -> float:
    """Chris Stucchio's formula: E[max(p0 - p1, 0)], from two such chances."""
    gaps = []
    for x1, n1, x0, n0 in PAIRS:
        a1, b1, a0, b0 = x1 + 1, n1 - x1 + 1, x0 + 1, n0 - x0 + 1
        want = Fraction(a0, a0 + b0) * exact_chance(a0 + 1, b0, a1, b1)
        want -= Fraction(a1, a1 + b1) * exact_chance(a0, b0, a1 + 1, b1)
        gaps.append(relative(beta_pair(x1, n1, x0, n0).stakes().loss_of_arm, float(want)))
    return max(gaps)


def _chance_of_difference(first: object, second: object, value: float) -> float:
    low, high = second.ppf(1e-14), second.isf(1e-14)  # type: ignore[attr-defined]
    marks = [-value, 1.0 - value, *(first.ppf(q) - value for q in (1e-9, 0.5, 1 - 1e-9))]  # type: ignore[attr-defined]
    edges = sorted({low, high, second.mean(), *(m for m in marks if low < m < high)})  # type: ignore[attr-defined]
    return math.fsum(
        integrate.quad(lambda y: second.pdf(y) * first.cdf(y + value), a, b, epsabs=1e-12, limit=200)[0]  # type: ignore[attr-defined]
        for a, b in itertools.pairwise(edges)
    )


def _beta_limits() -> float:
    gaps = []
    for x1, n1, x0, n0 in PAIRS[1:]:
        arm, control = stats.beta(x1 + 1, n1 - x1 + 1), stats.beta(x0 + 1, n0 - x0 + 1)
        low, high = beta_pair(x1, n1, x0, n0).difference_limits(0.1)
        gaps.append(relative(_chance_of_difference(arm, control, float(low)), 0.05))
        gaps.append(relative(_chance_of_difference(control, arm, -float(high)), 0.05))
    return max(gaps)


def _gamma(what: str) -> float:
    gaps = []
    for x1, t1, x0, t0 in GAMMAS:
        a, b, pair = x1 + 1, x0 + 1, gamma_pair(x1, t1, x0, t0)
        if what == "chance":
            gaps.append(relative(pair.stakes().chance_above, special.betainc(b, a, t0 / (t0 + t1))))
        elif what == "ratio":
            want = stats.f(2 * a, 2 * b).ppf([0.05, 0.95]) * (a / t1) / (b / t0)
            gaps.append(relative(np.array(pair.ratio_limits(0.1)), want))
        else:
            arm, control = stats.gamma(a), stats.gamma(b, scale=t1 / t0)
            low, _ = pair.difference_limits(0.1)
            gaps.append(relative(_chance_of_difference(arm, control, float(low) * t1), 0.05))
    return max(gaps)


def _best(laws: list[object]) -> tuple[np.ndarray, np.ndarray]:
    marks = np.unique([law.ppf([1e-12, 1e-6, 1e-3, 0.2, 0.5, 0.8, 0.999, 1 - 1e-6]) for law in laws])  # type: ignore[attr-defined]
    top = max(law.isf(1e-15) for law in laws)  # type: ignore[attr-defined]
    edges = np.append(marks, top)

    def over(function: object) -> float:
        return math.fsum(
            integrate.quad(function, a, b, epsabs=1e-13, limit=200)[0] for a, b in itertools.pairwise(edges)
        )

    def below(t: float, without: int = -1) -> float:
        return math.prod(float(law.cdf(t)) for k, law in enumerate(laws) if k != without)  # type: ignore[attr-defined]

    chances = [over(lambda t, k=k, law=law: law.pdf(t) * below(t, k)) for k, law in enumerate(laws)]
    return np.array(chances), top - over(below) - np.array([law.mean() for law in laws])  # type: ignore[attr-defined]


def _best_normals() -> float:
    mean, sd = [0.0, 0.1, 0.2], [0.1, 0.15, 0.1]
    chance, loss = _best([stats.norm(m, s) for m, s in zip(mean, sd, strict=True)])
    got = best_of_normals(mean, sd)
    return max(apart(got.chance, chance), apart(got.loss, loss))


def _best_rates() -> float:
    x, n = [5, 20, 3], [100, 300, 90]
    chance, loss = _best([stats.beta(a + 1, c - a + 1) for a, c in zip(x, n, strict=True)])
    got = best_of_rates(x, n)
    return max(apart(got.chance, chance), apart(got.loss, loss))


def _best_two() -> float:
    two, pair = best_of_event_rates([5, 9], [100, 120]), gamma_pair(5, 100, 9, 120).stakes()
    closed = special.betainc(10, 6, 120 / 220)
    return max(apart(two.chance, [pair.chance_above, pair.chance_below]), apart(two.chance[0], closed))


def _best_effects() -> float:
    mean, sd = np.array([1.0, 1.1, 1.2, 0.9]), np.array([0.1, 0.1, 0.05, 0.2])
    values, effects = best_of_normals(mean, sd), best_of_effects(mean[1:] - mean[0], sd[1:], np.full(3, sd[0]))
    return max(apart(effects.chance, values.chance), apart(effects.loss, values.loss))


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
        title="Posterior of an effect, normal (or flat) prior",
        functions=(
            "posterior",
            "predictive",
            "log_marginal",
            "NormalPrior",
            "FlatPrior",
        ),
        formula="mean weighted by precisions; chance to win, expected loss and risk in closed form",
        assumes="estimates near normal; the prior",
        source="textbook; expected loss: Raiffa and Schlaifer 1961",
        oracles=(
            Oracle("closed form, mean and deviation", lambda: _precision("mean")),
            Oracle("scipy norm, expected loss", lambda: _precision("loss")),
            Oracle("gbstats EffectBayesianABTest", _gbstats),
        ),
    ),
    Method(
        title="Student-t prior",
        functions=("StudentPrior", "posterior", "scale_nodes"),
        formula="a t is a mixture of normals; the mixture is integrated",
        assumes="many small effects, few large ones",
        source="Azevedo and others 2020",
        oracles=(
            Oracle("scipy quad: mean, chance, loss", _student),
            Oracle("scipy quad: marginal and predictive density", _student_marginal),
        ),
    ),
    Method(
        title="Mixture prior",
        functions=(
            "MixturePrior",
            "mixture",
            "NormalMixture",
            "unit_excess",
            "find_quantiles",
        ),
        formula="each part's posterior, weighed by the chance it gave the estimate",
        assumes="the prior",
        source="textbook",
        oracles=(
            Oracle("parts weighed by hand", _mixture),
            Oracle(
                "scipy quad of the density",
                lambda: relative(
                    integrate.quad(
                        lambda v: float(mixture(np.log([0.2, 0.8]), [0.0, 3.0], [1.0, 0.5]).density(v)), 1, 9
                    )[0],
                    mixture(np.log([0.2, 0.8]), [0.0, 3.0], [1.0, 0.5]).chance_above(1.0),
                ),
            ),
            Oracle(
                "table of the unit normal loss", lambda: apart(unit_excess([-1.5, 0.0]), [0.0293, 0.3989]), printed=4
            ),
        ),
    ),
    Method(
        title="Two rates, beta-binomial",
        functions=("beta_pair", "beta_law", "integrals", "quantiles"),
        formula="beta posteriors; one integral over the narrower",
        assumes="independent zeros and ones; a uniform prior where not given",
        source="Miller 2015; Stucchio 2015",
        oracles=(
            Oracle("Miller's sum in exact fractions", _beta_chances),
            Oracle("Stucchio's loss in exact fractions", _beta_losses),
            Oracle("limits of the difference, scipy quad", _beta_limits),
        ),
    ),
    Method(
        title="Two rates, gamma-Poisson",
        functions=("gamma_pair", "gamma_law"),
        formula="gamma posteriors; shares of a sum are beta, ratios F",
        assumes="Poisson counts",
        source="textbook",
        oracles=(
            Oracle("incomplete beta (chance)", lambda: _gamma("chance")),
            Oracle("scipy F (ratio)", lambda: _gamma("ratio")),
            Oracle("scipy quad (difference)", lambda: _gamma("difference"), 1e-7),
        ),
    ),
    Method(
        title="Chance to be best, and its expected loss",
        functions=(
            "best_of_normals",
            "best_of_effects",
            "best_of_rates",
            "best_of_event_rates",
        ),
        formula="one integral over the best value; effects share the control's error",
        assumes="the posteriors",
        source="textbook",
        oracles=(
            Oracle("scipy quad, three normals", _best_normals, 1e-9, absolute=True),
            Oracle("scipy quad, three betas", _best_rates, 1e-8, absolute=True),
            Oracle("two Poisson arms, closed form", _best_two, 1e-8, absolute=True),
            Oracle("effects as arms of their own", _best_effects, 1e-9, absolute=True),
        ),
    ),
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
