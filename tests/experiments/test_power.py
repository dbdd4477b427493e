"""Power, sizes and detectable effects against statsmodels, published tables, closed forms and integration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats
from scipy.special import xlogy
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import (
    power_proportions_2indep,
    samplesize_proportions_2indep_onetail,
    score_test_proportions_2indep,
)
from statsmodels.stats.rates import power_poisson_diff_2indep

from experiments.comparing import multiplicity
from experiments.comparing.dunnett import dunnett_critical
from experiments.planning import design
from experiments.planning.planned_outcome import CountRate, Mean, Proportion, Ratio
from experiments.planning.planned_rules import Rules
from experiments.planning.power import detectable_effect, power, sample_size

ABSOLUTE = Rules(relative=False)


@pytest.mark.parametrize(("baseline", "effect"), [(0.012, 0.0018), (0.05, 0.01), (0.3, -0.03), (0.9, 0.02)])
@pytest.mark.parametrize("ratio", [1.0, 0.5, 3.0])
@pytest.mark.parametrize("sides", [1, 2])
def test_power_of_rates_is_that_of_statsmodels(baseline: float, effect: float, ratio: float, sides: int) -> None:
    rules = Rules(relative=False, control_ratio=ratio, sides=sides)
    direction = "two-sided" if sides == 2 else ("larger" if effect > 0 else "smaller")
    for n in (50.0, 800.0, 20_000.0):
        theirs = power_proportions_2indep(effect, baseline, n, ratio=ratio, alternative=direction).power
        assert power(Proportion(baseline=baseline), effect, n, rules) == pytest.approx(theirs, rel=1e-10)


def test_size_of_rates_is_that_of_statsmodels() -> None:
    theirs = samplesize_proportions_2indep_onetail(0.0018, 0.012, 0.8, ratio=2.0, alpha=0.05 / 3)
    ours = sample_size(Proportion(baseline=0.012), 0.15, Rules(comparisons=3, control_ratio=2.0))
    assert ours == pytest.approx(theirs, rel=1e-6)  # theirs leaves out the far tail


@pytest.mark.parametrize(
    ("rates", "alpha", "wanted", "published"),
    [((0.6, 0.7), 0.01, 0.95, 827), ((0.6, 0.7), 0.05, 0.8, 376), ((0.05, 0.1), 0.05, 0.8, 474)],
)
def test_sizes_of_fleiss(rates: tuple[float, float], alpha: float, wanted: float, published: int) -> None:
    """Fleiss, Levin and Paik 2003, table A.4, which holds ``n / 4 (1 + sqrt(1 + 4 / (n d)))^2`` for continuity."""
    gap = rates[1] - rates[0]
    n = float(sample_size(Proportion(baseline=rates[0]), gap, Rules(relative=False, alpha=alpha), power=wanted))
    assert math.ceil(n / 4.0 * (1.0 + math.sqrt(1.0 + 4.0 / (n * gap))) ** 2) == published


@pytest.mark.parametrize(("relative", "value"), [(False, -0.01), (False, 0.02), (True, -0.1), (True, 0.15)])
@pytest.mark.parametrize(("arm", "ratio"), [(0.104, 0.5), (0.09, 2.0)])
def test_null_deviations_with_a_margin_are_those_of_the_likeliest_rates(
    relative: bool, value: float, arm: float, ratio: float
) -> None:
    """The binomial likelihood at the border, maximised numerically; for a ratio also statsmodels' score test.

    (statsmodels 0.15.0 has another maximum for a difference: its issue 10269.)
    """
    base, higher = 0.1, value < 0.0
    rules = Rules(relative=relative, margin=abs(value), higher_is_better=higher, control_ratio=ratio)
    at = Proportion(baseline=base).standing(arm / base - 1.0 if relative else arm - base, rules)

    def unlikely(q: float) -> float:
        p = q * (1.0 + value) if relative else q + value
        return -float(xlogy(arm, p) + xlogy(1 - arm, 1 - p) + ratio * (xlogy(base, q) + xlogy(1 - base, 1 - q)))

    q = optimize.minimize_scalar(unlikely, bounds=(0.021, 0.6), method="bounded", options={"xatol": 1e-11}).x
    p, factor = (q * (1.0 + value), 1.0 + value) if relative else (q + value, 1.0)
    assert float(at.null_sd) == pytest.approx(math.sqrt(p * (1 - p) + factor**2 * q * (1 - q) / ratio), rel=1e-7)
    if relative:
        n = 1e9
        z = score_test_proportions_2indep(n * arm, n, n * ratio * base, n * ratio, factor, "ratio", correction=False)
        assert float(at.gap / at.null_sd) * math.sqrt(n) == pytest.approx(z[0] if higher else -z[0], rel=1e-6)


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize(("n", "size"), [(5.0, 1.2), (64.0, 0.5), (4000.0, 0.05)])
def test_power_of_means_is_that_of_statsmodels(n: float, size: float, ratio: float) -> None:
    mine = power(Mean(baseline=3.0, variance=4.0), 2.0 * size, n, Rules(relative=False, control_ratio=ratio))
    theirs = TTestIndPower().power(size, n, 0.05, ratio=ratio)
    # Theirs has n1 + n2 - 2 degrees of freedom, Welch's are fewer unless the arms are alike.
    assert mine == pytest.approx(theirs, rel=1e-8) if ratio == 1.0 else mine == pytest.approx(theirs, abs=0.5 / n)
    assert power(Mean(baseline=0.0, variance=1.0), 0.02, 9e6, ABSOLUTE) == pytest.approx(1.0)
    big = power(Mean(baseline=0.0, variance=1.0), 0.001, 8e6, ABSOLUTE)
    assert big == pytest.approx(NormalIndPower().power(0.001, 8e6, 0.05), rel=1e-6)


def test_welch_power_of_unlike_variances_and_arms() -> None:
    """Against the distribution of Welch's statistic: a normal over the root of two independent chi-squares."""
    outcome = Mean(baseline=2.0, variance=9.0, arm_variance=1.0)
    rng, runs, n1, n0 = np.random.default_rng(5), 400_000, 12, 24
    v1, v0 = (v * rng.chisquare(n - 1, runs) / (n - 1) / n for v, n in ((1.0, n1), (9.0, n0)))
    z = (1.4 + rng.standard_normal(runs) * math.sqrt(1.0 / n1 + 9.0 / n0)) / np.sqrt(v1 + v0)
    df = (v1 + v0) ** 2 / (v1**2 / (n1 - 1) + v0**2 / (n0 - 1))
    seen = np.mean(np.abs(z) > stats.t.ppf(0.975, df))
    assert power(outcome, 1.4, n1, Rules(relative=False, control_ratio=2.0)) == pytest.approx(seen, abs=0.004)


def test_a_ratio_is_a_mean_with_the_variance_of_its_residuals() -> None:
    rng = np.random.default_rng(2)
    y = rng.poisson(3.0, 200_000) + 1.0
    x = 0.4 * y + rng.gamma(2.0, 0.5, y.size)
    cov = np.cov(x, y)
    outcome = Ratio(mean_x=x.mean(), mean_y=y.mean(), variance_x=cov[0, 0], variance_y=cov[1, 1], covariance=cov[0, 1])
    residuals = (x - x.mean() / y.mean() * y) / y.mean()
    assert outcome.variance == pytest.approx(residuals.var(ddof=1), rel=1e-10)
    theirs = NormalIndPower().solve_power(0.02 / residuals.std(ddof=1), alpha=0.05, power=0.9)
    assert sample_size(outcome, 0.02, ABSOLUTE, power=0.9) == pytest.approx(theirs, rel=1e-3)


@pytest.mark.parametrize("value", [0.0, -0.03, 0.05])
@pytest.mark.parametrize("ratio", [1.0, 2.5])
def test_power_of_counts_is_that_of_statsmodels(value: float, ratio: float) -> None:
    rules = Rules(relative=False, margin=abs(value), higher_is_better=value <= 0.0, control_ratio=ratio)
    direction = "two-sided" if value == 0.0 else ("larger" if value < 0 else "smaller")
    alpha = 0.05 if value == 0.0 else 0.025
    theirs = power_poisson_diff_2indep(
        0.42, 0.4, 3000.0, nobs_ratio=ratio, alpha=alpha, value=value, alternative=direction, return_results=False
    )
    assert power(CountRate(baseline=0.4), 0.02, 3000.0, rules) == pytest.approx(theirs, rel=1e-9)


def test_counts_with_a_relative_margin_and_over_dispersion() -> None:
    """Gu et al. 2008 (score test of a ratio R): ``(c sqrt(null) + z sqrt(true))^2 / gap^2``, times the dispersion."""
    r, base, factor = 2.0, 0.5, 0.9
    pooled = (base + r * base) / (factor + r)
    null, true = factor * pooled + factor**2 * pooled / r, base + factor**2 * base / r
    closed = ((1.959964 * math.sqrt(null) + 0.8416212 * math.sqrt(true)) / (base * (1 - factor))) ** 2
    rules = Rules(margin=0.1, control_ratio=r, dispersion=1.7)
    assert sample_size(CountRate(baseline=base), 0.0, rules) == pytest.approx(1.7 * closed, rel=1e-6)


def _lift_power(m1: float, m0: float, v1: float, v0: float, n: float) -> float:
    """The chance that a delta-method z of the lift is beyond 1.96 either way, by integration over both means."""

    s1, s0 = math.sqrt(v1 / n), math.sqrt(v0 / n)
    a, b = (np.linspace(m - 6.5 * s, m + 6.5 * s, 1601) for m, s in ((m1, s1), (m0, s0)))
    lift = a[:, None] / b - 1.0
    found = np.abs(lift) > 1.959964 * np.sqrt(v1 / (n * b**2) + v0 * a[:, None] ** 2 / (n * b**4))
    weight = stats.norm.pdf(a, m1, s1)[:, None] * stats.norm.pdf(b, m0, s0)
    return float(integrate.trapezoid(integrate.trapezoid(found * weight, b, axis=1), a))


@pytest.mark.parametrize(("lift", "n"), [(0.3, 1500.0), (-0.3, 1100.0), (0.1, 9000.0), (0.0, 500.0)])
def test_a_test_of_the_lift_has_the_power_of_its_own_limits(lift: float, n: float) -> None:
    outcome, rules = Mean(baseline=4.2, variance=121.0), Rules(tested="lift")
    seen = _lift_power(4.2 * (1.0 + lift), 4.2, 121.0, 121.0, n)
    assert power(outcome, lift, n, rules) == pytest.approx(seen, abs=0.001)
    # The plain normal formula, which takes the deviation at the true lift, is not that.
    if abs(lift) == 0.3:
        at = outcome.standing(lift, rules)
        plain = stats.norm.sf(1.959964 - abs(lift) * math.sqrt(n) / float(at.true_sd))
        assert abs(plain - seen) > 0.015


def test_a_relative_margin_of_means_is_fiellers_test() -> None:
    """``arm - (1 - margin) control`` with variance ``v1 / n1 + (1 - margin)^2 v0 / n0``."""
    rules = Rules(margin=0.1, control_ratio=2.0, alpha=0.05)
    n = float(sample_size(Mean(baseline=5.0, variance=30.0, arm_variance=36.0), 0.02, rules, power=0.9))
    gap, variance = 5.0 * (1.02 - 0.9), 36.0 + 0.81 * 15.0
    assert n == pytest.approx(((1.959964 + 1.281552) / gap) ** 2 * variance, rel=2e-3)


def test_a_margin_on_a_negative_mean_lies_below_it() -> None:
    """A mean of -5 that may fall by a fifth of its size borders at -6: ``arm - 1.2 control``."""
    rules = Rules(margin=0.2)
    n = float(sample_size(Mean(baseline=-5.0, variance=30.0), 0.0, rules))
    assert n == pytest.approx(((1.959964 + 0.8416212) / 1.0) ** 2 * 30.0 * (1.0 + 1.44), rel=2e-3)
    assert math.isinf(float(sample_size(Mean(baseline=-5.0, variance=30.0), -0.2, rules)))


def test_critical_values_of_dunnett() -> None:
    """Dunnett 1964 (many degrees of freedom), and the correction that analysis uses."""
    two = np.round(dunnett_critical(0.05, [0.5], [[1], [2], [3], [6], [9]]), 2)
    one = np.round(dunnett_critical(0.05, [0.5], [[2], [3], [6]], sides=1), 2)
    assert two.tolist() == [1.96, 2.21, 2.35, 2.57, 2.69]
    assert one.tolist() == [1.92, 2.06, 2.29]
    used = multiplicity.adjust([0.5] * 4, 0.05, "dunnett", [1 / 3] * 4)[0].alpha
    rules = Rules(comparisons=4, correction="dunnett", control_ratio=2.0)
    assert 2.0 * float(rules.tail_level) == pytest.approx(used, rel=1e-9)
    assert float(rules.critical) < float(Rules(comparisons=4).critical)


def test_dunnett_agrees_with_the_multivariate_normal() -> None:
    c, share = float(dunnett_critical(0.05, [0.3, 0.3, 0.3])), 0.3
    cov = np.full((3, 3), share) + np.eye(3) * (1.0 - share)
    inside = stats.multivariate_normal(np.zeros(3), cov, seed=1).cdf([c] * 3, lower_limit=[-c] * 3)
    assert 1.0 - inside == pytest.approx(0.05, abs=2e-4)


def test_rates_follow_the_textbook_formula_and_the_design_of_a_launch_the_same() -> None:
    """Fleiss, Levin and Paik (2003), written out: unequal arms, Bonferroni over three, over-dispersion 1.4."""
    rules = Rules(comparisons=3, control_ratio=1.5, dispersion=1.4)
    options = {"comparisons": 3, "ratio": 1.5, "dispersion": 1.4}
    outcome, other = Proportion(baseline=0.03), 0.03 * 1.1
    pooled = (other + 1.5 * 0.03) / 2.5
    null = math.sqrt(1.4 * pooled * (1.0 - pooled) * (1.0 + 1.0 / 1.5))
    true = math.sqrt(1.4 * (other * (1.0 - other) + 0.03 * 0.97 / 1.5))
    cut = stats.norm.isf(0.05 / 3 / 2)
    size = math.ceil(((cut * null + stats.norm.ppf(0.8) * true) / (other - 0.03)) ** 2)
    assert math.ceil(sample_size(outcome, 0.1, rules)) == size == design.sample_size(0.03, 0.1, **options)
    away = (other - 0.03) * math.sqrt(9000)
    chance = stats.norm.cdf((away - cut * null) / true) + stats.norm.cdf((-away - cut * null) / true)
    assert power(outcome, 0.1, 9000, rules) == pytest.approx(chance, rel=1e-12)
    assert design.power_at(9000, 0.03, 0.1, **options) == pytest.approx(chance, rel=1e-12)
    found = detectable_effect(outcome, 9000, rules)
    assert power(outcome, found, 9000, rules) == pytest.approx(0.8, rel=1e-9)
    assert design.detectable_lift(9000, 0.03, **options) == pytest.approx(float(found), rel=1e-12)
