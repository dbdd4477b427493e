"""Planning: power, size, duration, and power in the middle of a test."""

from __future__ import annotations

import math

import numpy as np
from scipy import integrate, stats
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import power_proportions_2indep, samplesize_proportions_2indep_onetail
from statsmodels.stats.rates import power_poisson_diff_2indep

from agreement import cases
from agreement.method import Method, Oracle, apart, recorded, relative
from experiments.planning import design
from experiments.planning.planned_outcome import CountRate, Mean, Proportion, Ratio
from experiments.planning.planned_rules import Rules
from experiments.planning.power import detectable_effect, power, sample_size
from experiments.planning.power_simulation import simulate_power

C = 1.959963984540054
ABSOLUTE = Rules(relative=False)


def _rates() -> float:
    gaps = []
    for baseline, effect in ((0.012, 0.0018), (0.05, 0.01), (0.3, -0.03)):
        for ratio in (1.0, 3.0):
            rules = Rules(relative=False, control_ratio=ratio)
            theirs = power_proportions_2indep(effect, baseline, 800.0, ratio=ratio).power
            gaps.append(relative(power(Proportion(baseline=baseline), effect, 800.0, rules), theirs))
    return max(gaps)


def _rate_size() -> float:
    theirs = samplesize_proportions_2indep_onetail(0.0018, 0.012, 0.8, ratio=2.0, alpha=0.05 / 3)
    return relative(sample_size(Proportion(baseline=0.012), 0.15, Rules(comparisons=3, control_ratio=2.0)), theirs)


def _fleiss() -> float:
    """Fleiss, Levin and Paik 2003, table A.4, with their correction for continuity."""
    gaps = []
    for (low, high), alpha, wanted, published in (
        ((0.6, 0.7), 0.01, 0.95, 827),
        ((0.6, 0.7), 0.05, 0.8, 376),
        ((0.05, 0.1), 0.05, 0.8, 474),
    ):
        n = float(sample_size(Proportion(baseline=low), high - low, Rules(relative=False, alpha=alpha), power=wanted))
        corrected = n / 4.0 * (1.0 + math.sqrt(1.0 + 4.0 / (n * (high - low)))) ** 2
        gaps.append(abs(math.ceil(corrected) - published))
    return float(max(gaps))


def _fleiss_plain() -> float:
    return float(abs(design.sample_size(0.6, 0.7 / 0.6 - 1) - 356))


def _means(what: str) -> float:
    if what == "t":
        ours = power(Mean(baseline=3.0, variance=4.0), 1.0, 64.0, ABSOLUTE)
        return relative(ours, TTestIndPower().power(0.5, 64.0, 0.05))
    ours = power(Mean(baseline=0.0, variance=1.0), 0.001, 8e6, ABSOLUTE)
    return relative(ours, NormalIndPower().power(0.001, 8e6, 0.05))


def _tea_size() -> float:
    """Its size of all units for a lift of 10 %, whole; ours before rounding, both arms."""
    rows = np.vstack(cases.rows())
    y = rows[:, 0]
    n = 2.0 * float(sample_size(Mean(baseline=y.mean(), variance=y.var(ddof=1)), 0.1, Rules()))
    return abs(n - recorded("tea_tasting")["size of y, lift of 10 %"]) / n


def _ratio_size() -> float:
    rng = np.random.default_rng(2)
    y = rng.poisson(3.0, 200_000) + 1.0
    x = 0.4 * y + rng.gamma(2.0, 0.5, y.size)
    cov = np.cov(x, y)
    outcome = Ratio(mean_x=x.mean(), mean_y=y.mean(), variance_x=cov[0, 0], variance_y=cov[1, 1], covariance=cov[0, 1])
    residual = (x - x.mean() / y.mean() * y) / y.mean()
    theirs = TTestIndPower().solve_power(0.02 / residual.std(ddof=1), alpha=0.05, power=0.9)
    return relative(sample_size(outcome, 0.02, ABSOLUTE, power=0.9), theirs)


def _ratio_variance() -> float:
    outcome = Ratio(mean_x=4.0, mean_y=2.0, variance_x=9.0, variance_y=1.5, covariance=2.2)
    return relative(outcome.variance, (9.0 - 2 * 2.0 * 2.2 + 4.0 * 1.5) / 4.0)


def _counts() -> float:
    gaps = []
    for value, ratio in ((0.0, 1.0), (-0.03, 2.5), (0.05, 1.0)):
        rules = Rules(relative=False, margin=abs(value), higher_is_better=value <= 0.0, control_ratio=ratio)
        direction = "two-sided" if value == 0.0 else ("larger" if value < 0 else "smaller")
        theirs = power_poisson_diff_2indep(
            0.42,
            0.4,
            3000.0,
            nobs_ratio=ratio,
            alpha=0.05 if value == 0.0 else 0.025,
            value=value,
            alternative=direction,
            return_results=False,
        )
        gaps.append(relative(power(CountRate(baseline=0.4), 0.02, 3000.0, rules), theirs))
    return max(gaps)


def _counts_margin() -> float:
    r, base, factor = 2.0, 0.5, 0.9
    pooled = (base + r * base) / (factor + r)
    null, true = factor * pooled + factor**2 * pooled / r, base + factor**2 * base / r
    closed = ((C * math.sqrt(null) + stats.norm.ppf(0.8) * math.sqrt(true)) / (base * (1 - factor))) ** 2
    ours = sample_size(CountRate(baseline=base), 0.0, Rules(margin=0.1, control_ratio=r, dispersion=1.7))
    return relative(ours, 1.7 * closed)


def _lift_power() -> float:
    """A delta-method test of the lift, by integration over both means."""
    m1, m0, v, n = 4.2 * 1.3, 4.2, 121.0, 1500.0
    a, b = (np.linspace(m - 6.5 * math.sqrt(v / n), m + 6.5 * math.sqrt(v / n), 1601) for m in (m1, m0))
    lift = a[:, None] / b - 1.0
    found = np.abs(lift) > C * np.sqrt(v / (n * b**2) + v * a[:, None] ** 2 / (n * b**4))
    weight = stats.norm.pdf(a, m1, math.sqrt(v / n))[:, None] * stats.norm.pdf(b, m0, math.sqrt(v / n))
    seen = integrate.trapezoid(integrate.trapezoid(found * weight, b, axis=1), a)
    return apart(power(Mean(baseline=4.2, variance=v), 0.3, n, Rules(tested="lift")), seen)


def simulated(outcome: object, effect: float, rules: Rules) -> float:
    """In standard errors of 4,000 simulated tests."""
    n = float(sample_size(outcome, effect, rules))  # type: ignore[arg-type]
    found = simulate_power(outcome, effect, n, rules, runs=4_000, seed=3)  # type: ignore[arg-type]
    return abs(found.power - 0.8) / found.error


def _margin() -> float:
    rules = Rules(margin=0.1, control_ratio=2.0, alpha=0.05)
    n = float(sample_size(Mean(baseline=5.0, variance=30.0, arm_variance=36.0), 0.02, rules, power=0.9))
    closed = (C + stats.norm.ppf(0.9)) ** 2
    return relative(n, closed / (5.0 * (1.02 - 0.9)) ** 2 * (36.0 + 0.81 * 15.0))


def _inverse() -> float:
    n = float(sample_size(Proportion(baseline=0.05), 0.1, Rules()))
    found = (
        power(Proportion(baseline=0.05), 0.1, n, Rules()),
        detectable_effect(Proportion(baseline=0.05), n, Rules()),
    )
    return relative([float(v) for v in found], [0.8, 0.1])


METHODS = (
    Method(
        title="Power and size, proportions",
        functions=(
            "power",
            "sample_size",
            "detectable_effect",
            "smallest_effect",
            "power_curve",
            "design_test",
            "power_at",
            "detectable_lift",
            "Proportion",
            "Rules",
        ),
        formula="score test: null deviation from the restricted rates, true deviation from the true ones",
        assumes="the baseline; many units",
        source="Fleiss, Levin and Paik 2003; Farrington and Manning 1990",
        oracles=(
            Oracle("statsmodels power_proportions_2indep", _rates),
            Oracle("statsmodels sample size (without the far tail)", _rate_size, 1e-6),
            Oracle("Fleiss and others, table A.4, three sizes", _fleiss, 0.0, absolute=True),
            Oracle("Fleiss and others, 356 for 60 % and 70 %", _fleiss_plain, 0.0, absolute=True),
            Oracle("size, power and effect turn each other round", _inverse, 1e-6),
        ),
    ),
    Method(
        title="Power and size, means",
        functions=("Mean", "welch_df"),
        formula="noncentral t with Welch's degrees of freedom",
        assumes="the variance; means near normal",
        source="textbook",
        oracles=(
            Oracle("statsmodels TTestIndPower", lambda: _means("t"), 1e-7),
            Oracle("statsmodels NormalIndPower, many units", lambda: _means("z"), 1e-6),
            Oracle("tea-tasting solve_power (whole units)", _tea_size, 0.01),
            Oracle(
                "4,000 simulated tests, in standard errors",
                lambda: simulated(Mean(baseline=4.0, variance=100.0), 0.1, Rules()),
                3.0,
                absolute=True,
            ),
        ),
    ),
    Method(
        title="Power and size, ratios",
        functions=("Ratio",),
        formula="the mean of residuals x − R y over the denominator's mean",
        assumes="variances and covariance",
        source="Zhou and others 2023",
        oracles=(
            Oracle("statsmodels TTestIndPower on residuals", _ratio_size, 1e-3),
            Oracle("closed form of the variance", _ratio_variance),
        ),
    ),
    Method(
        title="Power and size, count rates",
        functions=("CountRate",),
        formula="score test of two Poisson rates, times the dispersion",
        assumes="Poisson up to a dispersion",
        source="Gu and others 2008",
        oracles=(
            Oracle("statsmodels power_poisson_diff_2indep", _counts),
            Oracle("relative margin: Gu's formula", _counts_margin, 1e-6),
        ),
    ),
    Method(
        title="Power with margins, and of tests of the lift",
        functions=("lift_test_chances", "Rules"),
        formula="Fieller's statistic at the margin; a delta-method lift test by its own limits",
        assumes="as the outcome",
        source="closed forms",
        oracles=(
            Oracle("margin of means, normal formula", _margin, 2e-3),
            Oracle("lift test: integration over both means", _lift_power, 1e-3, absolute=True),
        ),
    ),
)
