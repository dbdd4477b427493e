"""Tests and intervals of differences and lifts."""

from __future__ import annotations

import numpy as np
from scipy import integrate, special, stats
from scipy.optimize import brentq
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

from agreement import cases
from agreement.method import Method, Oracle, recorded, relative
from experiments.basis import distributions, tails
from experiments.bayes.posterior import lift_estimate
from experiments.comparing.comparisons import Comparisons, compare_estimates
from experiments.comparing.estimates import Estimate, mean, ratio
from experiments.comparing.margins import equivalence, non_inferiority

SIDES = {"two-sided": "two-sided", "greater": "larger", "less": "smaller"}


def sample(seed: int, n: int, centre: float, spread: float) -> np.ndarray:
    """Skewed values."""
    return np.random.default_rng(seed).gamma(4.0, spread, n) + centre


def estimated(x: np.ndarray) -> Estimate:
    """The mean of rows."""
    return mean(x.size, x.mean(), ((x - x.mean()) ** 2).sum())


def mean_pair() -> tuple[Estimate, Estimate]:
    """Arm and control of the recorded case."""
    return tuple(mean(n, m, (n - 1) * v) for n, m, v in (cases.ARM, cases.CONTROL))  # type: ignore[return-value]


def ratio_pair() -> tuple[Estimate, Estimate]:
    """Arm and control of the recorded case of ratios."""
    return tuple(  # type: ignore[return-value]
        ratio(n, x, (n - 1) * vx, y, (n - 1) * vy, (n - 1) * c)
        for n, x, y, vx, vy, c in (cases.RATIO_ARM, cases.RATIO_CONTROL)
    )


ROWS_ARM, ROWS_CONTROL = sample(1, 60, 10.0, 1.5), sample(2, 45, 9.0, 0.8)
ARM, CONTROL = estimated(ROWS_ARM), estimated(ROWS_CONTROL)


def _numbers(found: Comparisons) -> list[float]:
    return [float(v) for v in (found.p_value, found.effect_low, found.effect_high)]


def _statsmodels(distribution: str, variances: str) -> float:
    theirs, gaps = CompareMeans(DescrStatsW(ROWS_ARM), DescrStatsW(ROWS_CONTROL)), []
    usevar = {"welch": "unequal", "pooled": "pooled"}[variances]
    test, limits = (
        (theirs.ttest_ind, theirs.tconfint_diff) if distribution == "t" else (theirs.ztest_ind, theirs.zconfint_diff)
    )
    for side, name in SIDES.items():
        found = compare_estimates(ARM, CONTROL, alternative=side, variances=variances, distribution=distribution)
        p = test(alternative=name, usevar=usevar)[1]
        gaps.append(relative(_numbers(found), [p, *limits(alternative=name, usevar=usevar)]))
    return max(gaps)


def _scipy() -> float:
    theirs = stats.ttest_ind(ROWS_ARM, ROWS_CONTROL, equal_var=False)
    interval = theirs.confidence_interval()
    return relative(_numbers(compare_estimates(ARM, CONTROL)), [theirs.pvalue, interval.low, interval.high])


def _gbstats() -> float:
    return relative(_numbers(compare_estimates(*mean_pair())), recorded("gbstats")["mean absolute"])


def _tea_tasting(name: str, **options: str) -> float:
    control, arm = (estimated(rows[:, 0]) for rows in cases.rows())
    theirs = recorded("tea_tasting")[name]
    wanted = [theirs[k] for k in ("pvalue", "effect_size_ci_lower", "effect_size_ci_upper")]
    return relative(_numbers(compare_estimates(arm, control, **options)), wanted)


def _fieller_root() -> float:
    found = compare_estimates(ARM, CONTROL)
    critical = stats.t.isf(0.025, float(found.df))

    def beyond(lift: float) -> float:
        gap = float(ARM.value) - (1 + lift) * float(CONTROL.value)
        return abs(gap) / np.sqrt(float(ARM.variance) + (1 + lift) ** 2 * float(CONTROL.variance)) - critical

    centre = float(found.lift)
    roots = [brentq(beyond, a, b, xtol=1e-14) for a, b in ((centre - 1, centre), (centre, centre + 1))]
    return relative([found.lift_low, found.lift_high], roots)


def _fieller_paired() -> float:
    """The limits are the lifts at which a paired test of ``x - (1 + r) y`` just does not reject."""
    rng = np.random.default_rng(4)
    y = rng.normal(10, 2, 400)
    x = 1.05 * y + rng.normal(0, 1.5, 400)
    found = compare_estimates(estimated(x), estimated(y), covariance=np.cov(x, y)[0, 1] / 400, distribution="normal")
    z = [stats.ttest_1samp(x - (1 + float(r)) * y, 0.0).statistic for r in (found.lift_low, found.lift_high)]
    return relative(np.abs(z), stats.norm.isf(0.025))


def _delta() -> float:
    found = recorded("gbstats")["mean relative"]
    got = compare_estimates(*mean_pair(), lift_interval="delta")
    return relative([got.lift_low, got.lift_high], found[1:])


def _delta_closed() -> float:
    found = compare_estimates(ARM, CONTROL, lift_interval="delta", distribution="normal")
    lift, error = lift_estimate(ARM.value, CONTROL.value, ARM.variance, CONTROL.variance)
    reach = stats.norm.isf(0.025) * error
    return relative([found.lift_low, found.lift_high], [lift - reach, lift + reach])


def _log_closed() -> float:
    found = compare_estimates(ARM, CONTROL, lift_interval="log", distribution="normal")
    m1, m0, v1, v0 = (float(v) for v in (ARM.value, CONTROL.value, ARM.variance, CONTROL.variance))
    reach = np.exp(stats.norm.isf(0.025) * np.sqrt(v1 / m1**2 + v0 / m0**2))
    return relative([found.lift_low, found.lift_high], [m1 / m0 / reach - 1, m1 / m0 * reach - 1])


def _log_tea_tasting() -> float:
    control, arm = (estimated(rows[:, 0]) for rows in cases.rows())
    theirs = recorded("tea_tasting")["normal"]
    found = compare_estimates(arm, control, lift_interval="log", distribution="normal")
    return relative(
        [found.lift_low, found.lift_high], [theirs["rel_effect_size_ci_lower"], theirs["rel_effect_size_ci_upper"]]
    )


def _tost() -> float:
    gaps = []
    for ours, usevar in (("welch", "unequal"), ("pooled", "pooled")):
        p, lower, upper = ttost_ind(ROWS_ARM, ROWS_CONTROL, -0.5, 9.0, usevar=usevar)
        options = {"relative": False, "variances": ours}
        gaps.append(relative(equivalence(ARM, CONTROL, -0.5, 9.0, **options), p))
        gaps.append(relative(non_inferiority(ARM, CONTROL, 0.5, **options), lower[1]))
        gaps.append(relative(non_inferiority(ARM, CONTROL, 9.0, higher_is_better=False, **options), upper[1]))
    return max(gaps)


def _scaled_control() -> float:
    theirs = CompareMeans(DescrStatsW(ROWS_ARM), DescrStatsW(0.9 * ROWS_CONTROL))
    p = theirs.ztest_ind(alternative="larger", usevar="unequal")[1]
    return relative(non_inferiority(ARM, CONTROL, 0.1, distribution="normal"), p)


DF = np.array([1.0, 2.5, 20.0, 199.0, 200.0, 450.0, 3_000.0, 1e6])[:, None]
T = np.array([-45.0, -8.0, -2.0, -0.3, 1.0, 1.96, 4.0, 9.0, 40.0])


def _tails() -> float:
    theirs = np.maximum(stats.t.sf(T, DF), distributions.TINY)
    tail = np.array([0.4, 0.05, 0.025, 1e-4, 1e-9])
    return max(relative(tails.t_above(T, DF), theirs), relative(tails.t_critical(tail, DF), stats.t.isf(tail, DF)))


def _integrated_tail() -> float:
    gaps = []
    for t, df in ((2.5, 210.0), (5.0, 260.0), (8.0, 900.0)):
        log_scale = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * np.log(df * np.pi)

        def density(u: float, df: float = df, log_scale: float = log_scale) -> float:
            return float(np.exp(log_scale - (df + 1) / 2 * np.log1p(u * u / df)))

        tail = integrate.quad(density, t, t + 60.0, epsabs=0.0, epsrel=1e-12, limit=400)[0]
        gaps.append(relative(tails.t_above(t, df), tail))
    return max(gaps)


METHODS = (
    Method(
        title="Welch's test of a difference",
        functions=("compare_estimates", "set_against", "tails"),
        formula="T = difference / √(v₁ + v₀), degrees of freedom of Welch and Satterthwaite; one or two sides",
        assumes="independent units, means near normal",
        source="Welch 1947",
        oracles=(
            Oracle("statsmodels CompareMeans", lambda: _statsmodels("t", "welch")),
            Oracle("scipy ttest_ind", _scipy),
            Oracle("gbstats TwoSidedTTest", _gbstats),
            Oracle("tea-tasting Mean", lambda: _tea_tasting("mean")),
        ),
    ),
    Method(
        title="Pooled variance, normal quantiles",
        functions=("compare_estimates",),
        formula="one variance of a unit for both arms; or normal instead of t",
        assumes="pooled: equal variances",
        source="Student 1908",
        oracles=(
            Oracle("statsmodels, pooled", lambda: _statsmodels("t", "pooled")),
            Oracle("statsmodels, z", lambda: _statsmodels("normal", "welch")),
            Oracle("tea-tasting, pooled", lambda: _tea_tasting("pooled", variances="pooled")),
            Oracle("tea-tasting, z", lambda: _tea_tasting("normal", distribution="normal")),
        ),
    ),
    Method(
        title="Lift, Fieller (default)",
        functions=("lift_limits", "fieller_limits"),
        formula="all lifts r at which arm − (1 + r) control does not differ from 0 by the same test",
        assumes="as the test; excludes 0 exactly when p < alpha",
        source="Fieller 1954",
        oracles=(
            Oracle("root of the statistic, scipy brentq", _fieller_root),
            Oracle("paired test at the limits, scipy", _fieller_paired),
        ),
    ),
    Method(
        title="Lift, delta method (by name)",
        functions=("lift_limits", "lift_estimate"),
        formula="lift ± t × √(v₁ / m₀² + v₀ m₁² / m₀⁴)",
        assumes="the control's value far from 0",
        source="Deng, Knoblich and Lu 2018",
        oracles=(
            Oracle("gbstats TwoSidedTTest, relative", _delta),
            Oracle("closed form", _delta_closed),
        ),
    ),
    Method(
        title="Lift, logarithm (by name)",
        functions=("lift_limits",),
        formula="the delta method on log(arm / control), turned back",
        assumes="both values above 0",
        source="Katz and others 1978",
        oracles=(
            Oracle("closed form", _log_closed),
            Oracle("tea-tasting, z", _log_tea_tasting),
        ),
    ),
    Method(
        title="Non-inferiority and equivalence",
        functions=("non_inferiority", "equivalence"),
        formula="the test against the margin; two one-sided tests, the larger p counts",
        assumes="as the test; a relative margin is tested against (1 − margin) × control",
        source="Schuirmann 1987",
        oracles=(
            Oracle("statsmodels ttost_ind", _tost),
            Oracle("statsmodels, control scaled", _scaled_control),
        ),
    ),
    Method(
        title="Tails and quantiles",
        functions=(
            "normal_above",
            "normal_two_sided",
            "normal_critical",
            "t_above",
            "t_two_sided",
            "t_critical",
            "normal_below",
            "t_below",
            "chi_square_above",
            "beta_chance_greater",
        ),
        formula="normal and Student's t; small tails as small numbers, never 0",
        assumes="nothing",
        source="textbook; Hill 1970 at many degrees of freedom",
        oracles=(
            Oracle("scipy stats.t", _tails),
            Oracle("scipy quad of the density", _integrated_tail),
        ),
    ),
)
