"""Exact sequences for zeros and ones against scipy's laws, enumeration, and the definition of an e-value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from experiments.sequential.asymptotic import tuning_ratio
from experiments.sequential.proportion_sequences import (
    difference_log_e,
    difference_sequence,
    nearest_rate,
    rate_log_e,
    rate_sequence,
    success_lift,
)
from proofsheet.errors import InputError


@pytest.mark.parametrize("prior", [(0.5, 0.5), (1.0, 1.0), (3.0, 60.0)])
@pytest.mark.parametrize(("x", "n"), [(0, 0), (0, 7), (3, 40), (900, 30_000), (12, 12)])
def test_rate_e_value_is_scipy_s_beta_binomial_over_its_binomial(x: int, n: int, prior: tuple[float, float]) -> None:
    for p in (0.02, 0.3, 0.9):
        theirs = stats.betabinom.logpmf(x, n, *prior) - stats.binom.logpmf(x, n, p)
        assert float(rate_log_e(x, n, p, prior)) == pytest.approx(theirs, abs=1e-7)


@pytest.mark.parametrize("n", [1, 5, 60])
@pytest.mark.parametrize("p", [0.01, 0.4])
def test_rate_e_value_has_mean_one(n: int, p: float) -> None:
    x = np.arange(n + 1)
    assert float(stats.binom.pmf(x, n, p) @ np.exp(rate_log_e(x, n, p))) == pytest.approx(1.0, rel=1e-10)


@pytest.mark.parametrize("p", [0.03, 0.25, 0.5])
def test_exact_chance_ever_to_miss_the_rate_is_below_alpha(p: float) -> None:
    """All paths of 300 units, looked at after every unit, by recursion over the number of successes."""
    mass, missed = np.array([1.0]), 0.0
    for n in range(1, 301):
        mass = np.append(mass * (1 - p), 0.0) + np.append(0.0, mass * p)
        out = rate_log_e(np.arange(n + 1), n, p) >= -math.log(0.05)
        missed += mass[out].sum()
        mass = np.where(out, 0.0, mass)
    assert 0.005 < missed < 0.05


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5_000), st.integers(1, 5_000), st.sampled_from((0.2, 0.05, 0.001)))
def test_rate_limits_are_where_the_e_value_reaches_its_threshold(x: int, more: int, alpha: float) -> None:
    n = x + more
    low, high = (float(v) for v in rate_sequence(x, n, alpha=alpha))
    assert 0.0 <= low <= x / n < high <= 1.0
    for p in (low, high):
        if 0.0 < p < 1.0:
            assert float(rate_log_e(x, n, p)) == pytest.approx(-math.log(alpha), abs=1e-6)
    mirrored = rate_sequence(more, n, alpha=alpha)
    assert (1.0 - float(mirrored[1]), 1.0 - float(mirrored[0])) == pytest.approx((low, high), abs=1e-12)


def test_rate_limits_of_edge_counts() -> None:
    low, high = rate_sequence([0, 0, 10], [0, 10, 10])
    assert low.tolist()[:2] == [0.0, 0.0]
    assert high.tolist() == [1.0, pytest.approx(1.0 - float(low[2])), 1.0]
    # By hand: with nothing but failures the limit solves E = B(1/2, 10.5) / B(1/2, 1/2) / (1 - p)**10 = 20.
    e0 = special.beta(0.5, 10.5) / special.beta(0.5, 0.5)
    assert float(high[1]) == pytest.approx(1 - (e0 * 0.05) ** 0.1, rel=1e-9)


def test_lift_is_the_rate_of_successes_turned() -> None:
    strength = 100.0 / tuning_ratio(0.05)
    for share in (0.5, 0.2):
        low, high, log_e = success_lift(40, 70, share=share)
        p_low, p_high = rate_sequence(40, 110, prior=(strength * share, strength * (1 - share)))
        odds = share / (1 - share)
        assert float(low) == pytest.approx(float(p_low / (1 - p_low)) / odds - 1)
        assert float(high) == pytest.approx(float(p_high / (1 - p_high)) / odds - 1)
        theirs = stats.betabinom.logpmf(40, 110, strength * share, strength * (1 - share)) - stats.binom.logpmf(
            40, 110, share
        )
        assert float(log_e) == pytest.approx(theirs, abs=1e-8)
    low, high, log_e = success_lift([0, 0, 5], [0, 9, 0])
    assert (float(low[0]), float(high[0]), float(log_e[0])) == (-1.0, math.inf, 0.0)
    assert low[1] == -1.0
    assert high[2] == math.inf


def test_lift_limits_hold_while_the_base_rate_moves() -> None:
    rng = np.random.default_rng(6)
    base = 0.03 * (1 + 0.9 * np.sin(np.arange(60)))
    sizes = rng.binomial(200, 0.3, (1_500, 60))
    arm = np.cumsum(rng.binomial(sizes, base * 1.4), axis=-1)
    control = np.cumsum(rng.binomial(200 - sizes, base), axis=-1)
    low, high, log_e = success_lift(arm, control, share=0.3)
    held = ((low <= 0.4) & (high >= 0.4)).all(axis=-1).mean()
    assert held > 0.97
    assert np.median(high[:, -1] - low[:, -1]) < 1.6
    zero = ((low > 0) | (high < 0)) == (log_e > -math.log(0.05))
    assert zero.all()


def kl(q: float, p: float) -> float:
    return float(special.rel_entr(q, p) + special.rel_entr(1 - q, 1 - p))


@settings(max_examples=100, deadline=None)
@given(
    st.floats(1e-5, 0.99999),
    st.floats(1e-5, 0.99999),
    st.integers(1, 10_000),
    st.integers(1, 10_000),
    st.floats(-0.95, 0.95),
)
def test_nearest_rates_minimise_the_divergence(q1: float, q0: float, n1: int, n0: int, d: float) -> None:
    ours = float(nearest_rate(*(np.asarray(float(v)) for v in (q1, q0, n1, n0, d))))
    low, high = max(0.0, -d), min(1.0, 1.0 - d)

    def divergence(p: float) -> float:
        return n1 * kl(q1, p + d) + n0 * kl(q0, p)

    best = optimize.minimize_scalar(divergence, bounds=(low, high), method="bounded", options={"xatol": 1e-12})
    assert low <= ours <= high
    assert divergence(min(max(ours, low + 1e-15), high - 1e-15)) <= best.fun * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize("d", [0.0, 0.15, -0.4])
def test_factors_have_a_mean_of_one_at_most_for_all_rates_that_far_apart(d: float) -> None:
    """The defining property, by enumeration of a second block after a first that has taught some rates."""
    rng = np.random.default_rng(8)
    most = 0.0
    for _ in range(12):
        n1, n0 = rng.integers(1, 25, 2)
        first = np.array([rng.integers(0, 9), 9.0, rng.integers(0, 6), 6.0])
        x1, x0 = (a.ravel().astype(float) for a in np.meshgrid(np.arange(n1 + 1), np.arange(n0 + 1)))
        second = first[:, None] + np.stack(np.broadcast_arrays(x1, float(n1), x0, float(n0)))
        looks = [np.stack([np.full(x1.shape, f), x], axis=-1) for f, x in zip(first, second, strict=True)]
        log_e = difference_log_e(*looks, d)
        factor = np.exp(log_e[:, 1] - log_e[:, 0])
        for p in np.linspace(max(0.0, -d), min(1.0, 1.0 - d), 23):
            chance = stats.binom.pmf(x1, n1, min(1.0, max(0.0, p + d))) * stats.binom.pmf(x0, n0, p)
            most = max(most, float(chance[chance > 0] @ factor[chance > 0]))
    assert 0.9 < most <= 1.0 + 1e-9


def test_difference_e_value_is_the_product_of_likelihood_ratios() -> None:
    """A plain loop over looks with scipy's binomials; at no difference the nearest rate is the pooled one."""
    x1, n1, x0, n0 = np.array([[3, 9, 12], [20, 50, 61], [1, 4, 9], [25, 45, 70]], dtype=float)
    total, before = 0.0, np.zeros(4)
    for look in range(3):
        a, na, b, nb = np.array([x1, n1, x0, n0])[:, look] - before
        q1, q0 = (before[0] + 0.18) / (before[1] + 0.36), (before[2] + 0.18) / (before[3] + 0.36)
        q = (na * q1 + nb * q0) / (na + nb)
        total += stats.binom.logpmf(a, na, q1) + stats.binom.logpmf(b, nb, q0)
        total -= stats.binom.logpmf(a, na, q) + stats.binom.logpmf(b, nb, q)
        before = np.array([x1, n1, x0, n0])[:, look]
        assert float(difference_log_e(x1, n1, x0, n0)[look]) == pytest.approx(total, abs=1e-9)
    assert difference_log_e(x1, n1, x0, n0)[0] == pytest.approx(0.0, abs=1e-12)


def test_difference_limits_are_the_outermost_kept_on_a_fine_grid() -> None:
    rng = np.random.default_rng(12)
    grid = np.linspace(-1, 1, 4_001)
    for rates in ((0.06, 0.04), (0.5, 0.9), (0.01, 0.01)):
        n = np.arange(1, 13) * 40.0
        x1, x0 = (np.cumsum(rng.binomial(40, r, 12)) for r in rates)
        kept = difference_log_e(x1, n, x0, n, grid).max(axis=-1) < -math.log(0.05)
        low, high = difference_sequence(x1, n, x0, n)
        assert (float(low), float(high)) == pytest.approx((grid[kept].min(), grid[kept].max()), abs=6e-4)
        swapped = difference_sequence(x0, n, x1, n)
        assert (-float(swapped[1]), -float(swapped[0])) == pytest.approx((float(low), float(high)), abs=1e-9)


def test_difference_is_held_at_all_looks_and_found() -> None:
    rng = np.random.default_rng(13)
    n = np.arange(1, 31) * 20.0
    base = 0.05 + 0.03 * np.cos(np.arange(30))
    x1 = np.cumsum(rng.binomial(20, base + 0.1, (2_000, 30)), axis=-1)
    x0 = np.cumsum(rng.binomial(20, base, (2_000, 30)), axis=-1)
    threshold = -math.log(0.05)
    assert (difference_log_e(x1, n, x0, n, 0.1) >= threshold).any(axis=-1).mean() < 0.05
    assert (difference_log_e(x1, n, x0, n) >= threshold).any(axis=-1).mean() > 0.9
    low, high = difference_sequence(x1[:40], n, x0[:40], n)
    assert low.shape == (40,)
    assert (low[:, None] < high[:, None]).all()


def test_nothing_known_gives_the_whole_range() -> None:
    low, high = difference_sequence([0, 0], [0, 0], [0, 0], [0, 0])
    assert (float(low), float(high)) == (-1.0, 1.0)
    assert difference_log_e([0, 0], [0, 0], [0, 0], [0, 0]).tolist() == [0.0, 0.0]
    low, high = difference_sequence([0], [5], [0], [0])
    assert -1.0 <= low < high <= 1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rate_sequence(5, 3), "counts"),
        (lambda: rate_sequence(-1, 3), "counts"),
        (lambda: rate_sequence(float("nan"), 3), "counts"),
        (lambda: rate_sequence(1, 3, prior=(0.0, 1.0)), "prior"),
        (lambda: rate_sequence(1, 3, alpha=0.5), "error rate"),
        (lambda: success_lift(1, 3, share=1.0), "share"),
        (lambda: success_lift(1, 3, tuning_successes=0.0), "prior"),
        (lambda: difference_log_e([5, 4], [10, 20], [1, 2], [10, 20]), "fall"),
        (lambda: difference_log_e([1, 14], [10, 20], [1, 2], [10, 20]), "fall"),
    ],
)
def test_bad_counts_and_options_are_refused(call: object, words: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=words):
        call()
