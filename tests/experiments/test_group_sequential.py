"""Group-sequential bounds against published tables, another package's integrator, multivariate normals, simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from experiments.sequential.asymptotic import ALTERNATIVES
from experiments.sequential.group_sequential import (
    OBRIEN_FLEMING,
    POCOCK,
    Spending,
    boundaries,
    conduct,
    drift_for_power,
    fixed_form_boundaries,
    repeated_limits,
    repeated_p_value,
)
from proofsheet.errors import InputError

Z95 = -float(special.ndtri(0.025))
EVERY = (OBRIEN_FLEMING, POCOCK, Spending("power", 2.0))


def even(looks: int) -> np.ndarray:
    return np.arange(1, looks + 1) / looks


@pytest.mark.parametrize(
    ("looks", "pocock", "obrien_fleming", "inflation_p", "inflation_b"),
    [
        (2, 2.178, 1.977, 1.100, 1.007),
        (3, 2.289, 2.004, 1.151, 1.016),
        (4, 2.361, 2.024, 1.183, 1.022),
        (5, 2.413, 2.040, 1.207, 1.026),
    ],
)
def test_classical_bounds_and_sizes_are_jennison_and_turnbull_s(
    looks: int, pocock: float, obrien_fleming: float, inflation_p: float, inflation_b: float
) -> None:
    """Jennison and Turnbull (2000), tables 2.1, 2.2, 2.3, 2.4: alpha 0.05 two-sided, power 0.9 (gsDesign's too)."""
    t, fixed = even(looks), Z95 + float(special.ndtri(0.9))
    for shape, constant, inflation in ((0.5, pocock, inflation_p), (0.0, obrien_fleming, inflation_b)):
        bounds = fixed_form_boundaries(t, shape=shape)
        assert bounds[-1] == pytest.approx(constant, abs=6e-4)
        assert bounds == pytest.approx(bounds[-1] * t ** (shape - 0.5))
        drift = drift_for_power(t, bounds, 0.9)
        assert (drift / fixed) ** 2 == pytest.approx(inflation, abs=6e-4)
        assert conduct(t, bounds, drift).power == pytest.approx(0.9, abs=1e-9)


def test_expected_sizes_are_jennison_and_turnbull_s() -> None:
    """Tables 2.7 and 2.8: five looks, alpha 0.05, power 0.9: 68.5 % and 75.0 % of the fixed size at the effect."""
    fixed = Z95 + float(special.ndtri(0.9))
    for shape, expected in ((0.5, 0.685), (0.0, 0.750)):
        bounds = fixed_form_boundaries(even(5), shape=shape)
        drift = drift_for_power(even(5), bounds, 0.9)
        share = conduct(even(5), bounds, drift).expected_fraction * (drift / fixed) ** 2
        assert share == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(
    ("spending", "bounds"),
    [
        (OBRIEN_FLEMING, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        (POCOCK, [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]),
    ],
)
def test_spending_bounds_are_the_published_ones(spending: Spending, bounds: list[float]) -> None:
    """Five looks, alpha 0.05 two-sided: the program of Reboussin, DeMets, Kim and Lan (2000), R's ldbounds."""
    assert boundaries(even(5), spending=spending) == pytest.approx(np.array(bounds), abs=2e-4)


def test_one_sided_bounds_are_those_of_seqbounds() -> None:
    """SeqBounds.jl, alpha 0.05 one-sided, O'Brien-Fleming-like (grid step 0.05)."""
    theirs = np.array([3.74955, 2.53993, 2.01604, 1.72014])
    for alternative in ("greater", "less"):
        assert boundaries(even(4), alternative=alternative) == pytest.approx(theirs, abs=5e-5)
    spent = OBRIEN_FLEMING.up_to(even(4), 0.05)
    assert spent == pytest.approx(np.array([8.85754e-5, 0.0055746, 0.0236251, 0.05]), rel=1e-5)


def test_stopping_chances_are_those_of_gsdesign() -> None:
    """gsdesign 0.1.5 (Python, gridpts/h1/hupdate with r = 80): four unequal looks, no drift and a drift of 2.5."""
    t, bounds = [0.2, 0.45, 0.8, 1.0], [3.2, 2.7, 2.3, 2.05]
    theirs = {
        0.0: [0.0013742759, 0.0065142467, 0.0180572167, 0.0241404430],
        2.5: [0.0186806585, 0.1385589636, 0.3286305873, 0.2035907687],
    }
    for drift, chances in theirs.items():
        assert conduct(t, bounds, drift).stop_chances == pytest.approx(np.array(chances), abs=2e-10)


def test_chance_never_to_stop_is_the_multivariate_normal_s() -> None:
    t = np.array([0.3, 0.55, 1.0])
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    for drift in (0.0, 2.0):
        law = stats.multivariate_normal(drift * np.sqrt(t), correlation, seed=1, abseps=1e-7, releps=1e-7)
        bounds = boundaries(t)
        inside = law.cdf(bounds, lower_limit=-bounds)
        assert 1.0 - conduct(t, bounds, drift).power == pytest.approx(inside, abs=1e-6)
        upper = boundaries(t, alternative="greater")
        assert 1.0 - conduct(t, upper, drift, alternative="greater").power == pytest.approx(law.cdf(upper), abs=1e-6)


def test_stopping_by_simulation() -> None:
    rng = np.random.default_rng(4)
    t = np.array([0.1, 0.4, 0.5, 0.95])
    bounds = boundaries(t, spending=POCOCK)
    steps = rng.normal(1.5 * np.diff(t, prepend=0.0), np.sqrt(np.diff(t, prepend=0.0)), (200_000, 4))
    hits = np.abs(np.cumsum(steps, axis=-1) / np.sqrt(t)) >= bounds
    first = np.where(hits.any(axis=-1), hits.argmax(axis=-1), 4)
    plan = conduct(t, bounds, 1.5)
    assert plan.stop_chances == pytest.approx(np.bincount(first, minlength=5)[:4] / 200_000, abs=4e-3)
    assert plan.expected_fraction == pytest.approx(np.append(t, t[-1])[first].mean(), abs=3e-3)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.02, 1.0), min_size=1, max_size=6, unique=True),
    st.sampled_from(EVERY),
    st.sampled_from(ALTERNATIVES),
    st.sampled_from((0.2, 0.05, 0.001)),
)
def test_error_spent_is_what_the_function_allows(
    parts: list[float], spending: Spending, alternative: str, alpha: float
) -> None:
    t = np.cumsum(parts) / np.sum(parts)
    if (np.diff(t) < 0.01).any():
        return
    bounds = boundaries(t, alpha, spending=spending, alternative=alternative)
    spent = np.cumsum(conduct(t, bounds, 0.0, alternative=alternative).stop_chances)
    sides = 2 if alternative == "two-sided" else 1
    assert spent == pytest.approx(sides * spending.up_to(t, alpha / sides), rel=1e-7, abs=1e-15)
    assert spent[-1] == pytest.approx(alpha, rel=1e-9)


def test_a_bound_needs_no_later_look_and_rows_go_together() -> None:
    t = np.array([[0.2, 0.5, 1.0], [0.3, 0.5, 0.9], [0.2, 0.5, 1.0]])
    together = boundaries(t)
    assert together.shape == (3, 3)
    for row in range(3):
        assert boundaries(t[row]) == pytest.approx(together[row], rel=1e-12)
    assert boundaries(t[0, :2]) == pytest.approx(together[0, :2], rel=1e-9)
    assert (boundaries(t.reshape(1, 3, 3)) == together).all()


def test_a_hundred_looks() -> None:
    t = even(100)
    bounds = boundaries(t)
    assert conduct(t, bounds, 0.0).power == pytest.approx(0.05, rel=1e-9)
    # Between five looks and the limit of looking always, where the reflection principle gives z(alpha / 4).
    assert 2.0310 < bounds[-1] < -float(special.ndtri(0.0125))
    assert bounds[0] == pytest.approx(2.2414 * 10, abs=0.05)


def test_looks_that_add_nothing_cannot_stop() -> None:
    bounds = boundaries([0.3, 0.3, 0.3001, 0.9, 1.2, 1.3])
    assert np.isinf(bounds).tolist() == [False, True, True, False, False, True]
    assert boundaries([0.3, 0.9, 1.2]) == pytest.approx(bounds[[0, 3, 4]], rel=1e-6)


@pytest.mark.parametrize("spending", EVERY)
@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_repeated_p_value_is_the_level_whose_bound_is_met(spending: Spending, alternative: str) -> None:
    t = np.array([0.2, 0.5, 0.8, 1.0])
    for level in (1e-10, 3e-5, 0.004, 0.02, 0.3):
        bounds = boundaries(t, level, spending=spending, alternative=alternative)
        p = repeated_p_value(bounds, t, spending=spending, alternative=alternative)
        assert p == pytest.approx(np.full(4, level), rel=0.012)


@pytest.mark.parametrize("spending", EVERY)
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_repeated_p_value_and_limits_say_the_same(spending: Spending, alternative: str) -> None:
    rng = np.random.default_rng(5)
    t = np.array([0.15, 0.4, 0.41, 1.0])
    z = rng.normal(0, 2.5, (400, 4))
    bounds = boundaries(t, 0.03, spending=spending, alternative=alternative)
    z[0], z[1] = bounds + 1e-7, bounds - 1e-7
    p = repeated_p_value(z, t, 0.03, spending=spending, alternative=alternative)
    low, high = repeated_limits(z * 0.2, 0.2, bounds, alternative=alternative)
    assert ((p < 0.03) == ((low > 0) | (high < 0))).all()
    assert ((p > 0) & (p <= 1)).all()
    assert (np.diff(repeated_p_value(np.linspace(0, 40, 99)[:, None], t, 0.03), axis=0) <= 1e-15).all()


def test_degenerate_looks_give_no_limits() -> None:
    low, high = repeated_limits([1.0, np.nan, 1.0, 1.0], [0.0, 1.0, np.inf, 1.0], [2.0, 2.0, 2.0, np.inf])
    assert np.isneginf(low).all()
    assert np.isposinf(high).all()
    p = repeated_p_value([np.nan, 2.0, np.inf], [0.5, 0.5, 1.0])
    assert p[0] == p[1] == 1.0
    assert 0.0 < p[2] < 1e-100


def test_error_rates_far_below_a_float_s_digits_are_kept() -> None:
    bounds = boundaries([0.01, 0.02, 1.0])
    first = 2 * 2.0 * stats.norm.sf(-float(special.ndtri(0.0125)) / 0.1)
    assert stats.norm.logsf(bounds[0]) == pytest.approx(math.log(first / 2), rel=1e-9)
    assert bounds[1] == pytest.approx(-float(special.ndtri(0.0125)) / math.sqrt(0.02), abs=0.1)


def test_bad_requests_are_refused() -> None:
    with pytest.raises(InputError, match="do not rise"):
        boundaries([0.5, 0.4])
    with pytest.raises(InputError, match="do not rise"):
        boundaries([0.0, 0.4])
    with pytest.raises(InputError, match="spending function"):
        Spending("haybittle")
    with pytest.raises(InputError, match="exponent"):
        Spending("power", 0.0)
    with pytest.raises(InputError, match="too close"):
        conduct([0.5, 0.5], [2.0, 2.0], 0.0)
    with pytest.raises(InputError, match="do not fit"):
        conduct([0.5, 1.0], [2.0], 0.0)
    with pytest.raises(InputError, match="power"):
        drift_for_power([1.0], [2.0], 1.0)
    with pytest.raises(InputError, match="error rate"):
        boundaries([1.0], 0.6)
    with pytest.raises(InputError, match="alternative"):
        boundaries([1.0], alternative="up")
