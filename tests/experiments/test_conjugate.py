"""Exact models of counts: against exact sums, closed forms of the gamma family, scipy.integrate and simulation."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, special, stats

from experiments.basis.distributions import TINY, beta_chance_greater
from experiments.bayes.conjugate import beta_pair, gamma_pair
from experiments.bayes.rate_laws import BetaLaw, GammaLaw, density, excess, reach
from proofsheet.errors import InputError

PAIRS = [(0, 10, 0, 10), (0, 10, 3, 10), (10, 10, 9, 10), (1, 40, 9, 50), (30, 300, 40, 310), (0, 0, 3, 5)]


def _beta(a: int, b: int) -> Fraction:
    return Fraction(math.factorial(a - 1) * math.factorial(b - 1), math.factorial(a + b - 1))


def exact_chance(a1: int, b1: int, a0: int, b0: int) -> Fraction:
    """Evan Miller's formula: P(p1 > p0) for beta parameters that are whole, as an exact fraction."""
    return sum((_beta(a0 + i, b1 + b0) / ((b1 + i) * _beta(1 + i, b1) * _beta(a0, b0)) for i in range(a1)), Fraction(0))


def exact_loss(a1: int, b1: int, a0: int, b0: int) -> Fraction:
    """Chris Stucchio's formula: E[max(p0 - p1, 0)], from two such chances."""
    mean0, mean1 = Fraction(a0, a0 + b0), Fraction(a1, a1 + b1)
    return mean0 * exact_chance(a0 + 1, b0, a1, b1) - mean1 * exact_chance(a0, b0, a1 + 1, b1)


@pytest.mark.parametrize("counts", PAIRS)
def test_beta_stakes_are_the_exact_sums(counts: tuple[int, int, int, int]) -> None:
    x1, n1, x0, n0 = counts
    a1, b1, a0, b0 = x1 + 1, n1 - x1 + 1, x0 + 1, n0 - x0 + 1
    got = beta_pair(*counts).stakes()
    assert_allclose(got.chance_above, float(exact_chance(a1, b1, a0, b0)), rtol=1e-11)
    assert_allclose(got.chance_below, float(exact_chance(a0, b0, a1, b1)), rtol=1e-11)
    assert_allclose(got.loss_of_arm, float(exact_loss(a1, b1, a0, b0)), rtol=1e-10)
    assert_allclose(got.loss_of_control, float(exact_loss(a0, b0, a1, b1)), rtol=1e-10)


def test_far_tails_are_exact_too() -> None:
    got = beta_pair(100, 2000, 240, 2000).stakes()
    want = exact_chance(101, 1901, 241, 1761)
    assert float(want) < 1e-14
    assert_allclose(got.chance_above, float(want), rtol=1e-10)
    assert_allclose(got.loss_of_control, float(exact_loss(241, 1761, 101, 1901)), rtol=1e-8)
    assert beta_pair(0, 10**9, 10**9, 10**9).stakes().chance_above == TINY


def test_agrees_with_the_existing_chance_of_the_score_test() -> None:
    for counts in ((44, 1000, 60, 1000), (3, 20, 9, 25), (8502, 44_700, 8279, 45_489)):
        assert_allclose(beta_pair(*counts).stakes().chance_above, beta_chance_greater(*counts), rtol=1e-9)
    # Cookie Cats, retention after 7 days, gate 40 against gate 30: 0.00078 (8,279 of 45,489 and 8,502 of 44,700).
    assert_allclose(beta_pair(8279, 45_489, 8502, 44_700).stakes().chance_above, 0.00078, atol=5e-6)


def test_a_rate_known_well_against_one_known_badly() -> None:
    # A rate known as 1/2 but for 2e-5: the other's distribution function there is the answer.
    got = beta_pair(500_000_000, 1_000_000_000, 52, 100).stakes()
    assert_allclose(got.chance_above, special.betainc(53, 49, 0.5), rtol=1e-6)
    law = stats.beta(53, 49)
    want = integrate.quad(law.cdf, 0.0, 0.5, epsabs=1e-13)[0]
    assert_allclose(got.loss_of_control, want, rtol=1e-6)


def test_a_billion_trials_are_normal() -> None:
    got = beta_pair(500_000_000, 10**9, 500_020_000, 10**9)
    sd = math.sqrt(2 * 0.25 / 1e9)
    assert_allclose(got.stakes().chance_above, special.ndtr(-2e-5 / sd), rtol=1e-7)
    low, high = got.difference_limits()
    assert_allclose([low, high], [-2e-5 - 1.959963985 * sd, -2e-5 + 1.959963985 * sd], rtol=1e-6)
    low, high = got.ratio_limits()
    assert_allclose([low - 1, high - 1], [-4e-5 - 1.959963985 * 2 * sd, -4e-5 + 1.959963985 * 2 * sd], rtol=2e-4)


@pytest.mark.parametrize(
    "counts", [(0, 10**9, 10**9, 10**9), (22, 2_290_142, 832_519_391, 832_519_391), (6, 10**9, 10**9 - 4, 10**9)]
)
def test_rates_at_both_ends_lose_nothing(counts: tuple[int, int, int, int]) -> None:
    pair = beta_pair(*counts)
    assert_allclose(pair.stakes().loss_of_arm, pair.control.mean - pair.arm.mean, rtol=1e-11)
    assert_allclose(beta_pair(*counts[2:], *counts[:2]).stakes().loss_of_control, pair.stakes().loss_of_arm, rtol=1e-11)


GAMMAS = [(0, 10, 0, 10), (0, 1e6, 7, 1e6), (120, 1e6, 100, 2e6), (3, 10, 5000, 20000), (400, 1e4, 700, 1e4)]


@pytest.mark.parametrize("counts", GAMMAS)
def test_gamma_pairs_have_closed_forms(counts: tuple[float, float, float, float]) -> None:
    x1, t1, x0, t0 = counts
    a, b, share = x1 + 1, x0 + 1, t0 / (t0 + t1)
    pair = gamma_pair(*counts)
    got = pair.stakes()
    # The share of the first in the sum of two gammas of one scale is a beta variable.
    assert_allclose(got.chance_above, special.betainc(b, a, share), rtol=1e-10)
    assert_allclose(got.chance_below, special.betainc(a, b, 1 - share), rtol=1e-10)
    loss = b / t0 * special.betainc(a, b + 1, 1 - share) - a / t1 * special.betainc(a + 1, b, 1 - share)
    assert_allclose(got.loss_of_arm, loss, rtol=1e-7)
    low, high = pair.ratio_limits(0.1)
    assert_allclose([low, high], stats.f(2 * a, 2 * b).ppf([0.05, 0.95]) * (a / t1) / (b / t0), rtol=1e-9)


def chance_of_difference(first: object, second: object, value: float) -> float:
    """P(X - Y < value) by scipy.integrate."""
    low, high = second.ppf(1e-14), second.isf(1e-14)  # type: ignore[attr-defined]
    marks = [-value, 1.0 - value, *(first.ppf(q) - value for q in (1e-9, 0.5, 1 - 1e-9))]  # type: ignore[attr-defined]
    edges = sorted({low, high, second.mean(), *(m for m in marks if low < m < high)})  # type: ignore[attr-defined]
    return math.fsum(
        integrate.quad(lambda y: second.pdf(y) * first.cdf(y + value), a, b, epsabs=1e-12, limit=200)[0]  # type: ignore[attr-defined]
        for a, b in itertools.pairwise(edges)
    )


@pytest.mark.parametrize("counts", [*PAIRS[:5], (5, 10, 200, 2000), (990, 1000, 999, 1000), (0, 20, 20, 20)])
def test_beta_differences_hold_their_chance(counts: tuple[int, int, int, int]) -> None:
    x1, n1, x0, n0 = counts
    arm, control = stats.beta(x1 + 1, n1 - x1 + 1), stats.beta(x0 + 1, n0 - x0 + 1)
    low, high = beta_pair(*counts).difference_limits(0.1)
    assert_allclose(chance_of_difference(arm, control, float(low)), 0.05, rtol=1e-8)
    assert_allclose(chance_of_difference(control, arm, -float(high)), 0.05, rtol=1e-8)


@pytest.mark.parametrize("counts", GAMMAS[2:])
def test_gamma_differences_hold_their_chance(counts: tuple[float, float, float, float]) -> None:
    x1, t1, x0, t0 = counts
    unit = t1  # the integration works best near 1
    arm, control = stats.gamma(x1 + 1), stats.gamma(x0 + 1, scale=t1 / t0)
    low, high = gamma_pair(*counts).difference_limits(0.1)
    assert_allclose(chance_of_difference(arm, control, float(low) * unit), 0.05, rtol=1e-7)
    assert_allclose(chance_of_difference(control, arm, -float(high) * unit), 0.05, rtol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("counts", [(0, 10, 3, 10), (9, 10, 4, 10), (5, 10, 200, 20_000), (3, 1000, 9, 900)])
def test_limits_agree_with_a_large_simulation(counts: tuple[int, int, int, int]) -> None:
    x1, n1, x0, n0 = counts
    rng = np.random.default_rng(7)
    draws = 2_000_000
    arm, control = rng.beta(x1 + 1, n1 - x1 + 1, draws), rng.beta(x0 + 1, n0 - x0 + 1, draws)
    pair = beta_pair(*counts)
    for values, limits in ((arm - control, pair.difference_limits()), (arm / control, pair.ratio_limits())):
        shares = np.mean(values < limits[0]), np.mean(values > limits[1])
        assert_allclose(shares, 0.025, atol=5 * math.sqrt(0.025 / draws))
    got = pair.stakes()
    assert_allclose(got.chance_above, np.mean(arm > control), atol=0.002)
    assert_allclose(got.loss_of_arm, np.mean(np.maximum(control - arm, 0)), rtol=0.03, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("prior", [(1.0, 1.0), (0.5, 0.5)])
def test_swapping_and_mirroring(prior: tuple[float, float]) -> None:
    rng = np.random.default_rng(11)
    size = 40
    n1, n0 = (np.floor(10.0 ** rng.uniform(0, 9, size)) for _ in range(2))
    shares = rng.choice([0.0, 1e-4, 0.02, 0.5, 0.98, 1.0], (2, size))
    x1, x0 = np.floor(n1 * shares[0]), np.floor(n0 * shares[1])
    near = np.arange(size) < size // 2  # half of the pairs have nearly the same rate
    n0, x0 = np.where(near, n1 + 3, n0), np.where(near, np.minimum(x1 + np.floor(np.sqrt(x1)), n1), x0)
    pair, turned = beta_pair(x1, n1, x0, n0, prior), beta_pair(x0, n0, x1, n1, prior)
    mirrored = beta_pair(n1 - x1, n1, n0 - x0, n0, prior)
    one, two, three = pair.stakes(), turned.stakes(), mirrored.stakes()
    assert_allclose(one.chance_above, two.chance_below, rtol=1e-9)
    assert_allclose(one.chance_above, three.chance_below, rtol=1e-7, atol=1e-12)
    assert_allclose(one.chance_above + one.chance_below, 1.0, atol=1e-10)
    assert_allclose(one.loss_of_control - one.loss_of_arm, pair.arm.mean - pair.control.mean, atol=1e-10)
    low, high = pair.difference_limits()
    assert np.isfinite([low, high]).all()
    assert ((low < high) & (low >= -1.0) & (high <= 1.0)).all()
    for other in (turned, mirrored):
        assert (np.abs(low + other.difference_limits()[1]) < 1e-6 * (high - low)).all()
    first, second = pair.ratio_limits(), turned.ratio_limits()
    assert np.isfinite(first).all()
    assert_allclose(first[0] * second[1], 1.0, rtol=1e-6)


def test_many_pairs_are_what_each_is_alone() -> None:
    rng = np.random.default_rng(3)
    n1, n0 = rng.integers(1, 5000, (4, 5)), rng.integers(1, 5000, 5)
    x1, x0 = rng.binomial(n1, 0.03), rng.binomial(n0, 0.05)
    pair = beta_pair(x1, n1, x0, n0)
    stakes, limits = pair.stakes(), pair.difference_limits()
    assert stakes.chance_above.shape == limits[0].shape == (4, 5)
    alone = beta_pair(x1[2, 3], n1[2, 3], x0[3], n0[3])
    assert stakes.chance_above[2, 3] == alone.stakes().chance_above
    assert limits[1][2, 3] == alone.difference_limits()[1]


def test_without_exposure_nothing_is_said_and_nothing_breaks() -> None:
    pair = gamma_pair([0, 3], [0, 5], 1, 10)
    got = pair.stakes()
    assert got.chance_above[0] == 0.5
    assert got.loss_of_arm[0] == math.inf
    assert [a[0] for a in pair.difference_limits()] == [-math.inf, math.inf]
    assert [a[0] for a in pair.ratio_limits()] == [0.0, math.inf]
    assert np.isfinite([got.loss_of_arm[1], *(a[1] for a in pair.ratio_limits())]).all()
    assert np.isfinite(gamma_pair(0, 0, 1, 10, prior=(1.0, 2.0)).difference_limits()).all()


def test_laws_are_whole_at_a_billion_counts() -> None:
    for law in (BetaLaw(np.array([1e9]), np.array([1.0])), GammaLaw(np.array([1e9]), np.array([1e9]))):
        low, high = reach(law, np.array([38.0]))
        u = np.linspace(low[0], high[0], 400)
        step = u[1] - u[0]
        column = law.take(np.array([0]))
        f = density(column, u[None, :])[0] * step
        assert_allclose(f.sum(), 1.0, atol=1e-12)
        t, rest = column.point(u[None, :])
        above = column.above(t, rest)
        want = np.array([np.sum(f[u >= v] * (column.point(u[u >= v])[0] - column.point(np.array([v]))[0])) for v in u])
        got = excess(column, u[None, :], above, above, upper=True)[0]
        assert_allclose(got, want, atol=2e-3 * float(law.sd[0]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: beta_pair(-1, 10, 1, 10),
        lambda: beta_pair(11, 10, 1, 10),
        lambda: beta_pair(math.nan, 10, 1, 10),
        lambda: beta_pair(1, 10, 1, 10, prior=(0.0, 1.0)),
        lambda: gamma_pair(1, math.inf, 1, 10),
        lambda: gamma_pair(1, 10, 1, 10, prior=(1.0, -1.0)),
        lambda: beta_pair(1, 10, 1, 10).difference_limits(0.0),
        lambda: gamma_pair(1, 10, 1, 10).ratio_limits(1.0),
    ],
)
def test_what_is_out_of_range_is_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]
