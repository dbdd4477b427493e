"""Posteriors and the best arm."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
from scipy import integrate, special, stats

from agreement import cases
from agreement.intervals import mean_pair
from agreement.method import Method, Oracle, apart, recorded, relative
from experiments.bayes.best_arm import best_of_effects, best_of_event_rates, best_of_normals, best_of_rates
from experiments.bayes.conjugate import beta_pair, gamma_pair
from experiments.bayes.effect_priors import MixturePrior, NormalPrior, StudentPrior
from experiments.bayes.normal_mixture import mixture, unit_excess
from experiments.bayes.posterior import log_marginal, posterior, predictive

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
)
