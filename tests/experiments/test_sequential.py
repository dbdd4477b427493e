"""Always-valid sequences against published widths, other packages' numbers, integration and the formulas' own terms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, special, stats

from experiments.basis.distributions import normal_critical
from experiments.sequential.asymptotic import (
    ALTERNATIVES,
    asymptotic_ratio,
    asymptotic_test,
    equivalent_alpha,
    log_e_value,
    msprt,
    multiplier,
    p_from_log_e,
    running_limits,
    running_p,
    tuning_ratio,
)
from proofsheet.errors import InputError

Z95 = normal_critical(0.05)


@pytest.mark.parametrize(("n", "width"), [(500, 1.97), (5_000, 1.55), (24_000, 1.61), (100_000, 1.70)])
def test_widths_are_the_published_ones(n: int, width: float) -> None:
    """GrowthBook's interval with its tuning size of 5,000 against a fixed 95 % interval."""
    assert float(multiplier(asymptotic_ratio(n, 5_000, 0.05), 0.05)) / Z95 == pytest.approx(width, abs=0.005)


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.001])
@pytest.mark.parametrize("n", [10, 3_000, 10_000, 1e6])
def test_multiplier_is_equation_9_and_eppos_form(alpha: float, n: float) -> None:
    """arXiv:2103.06476v7 (9) as GrowthBook writes it, and the multiplier of Eppo's documentation."""
    ours = float(multiplier(asymptotic_ratio(n, 10_000, alpha), alpha))
    rho = math.sqrt((-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / 10_000)
    root = n * rho**2 + 1
    growthbook = math.sqrt(n) * math.sqrt(2 * root / (n**2 * rho**2) * math.log(math.sqrt(root) / alpha))
    other = 10_000 / (math.log(math.log(math.e / alpha**2)) - 2 * math.log(alpha))
    eppo = math.sqrt((n + other) / n * math.log((n + other) / (other * alpha**2)))
    assert ours == pytest.approx(growthbook, rel=1e-12)
    assert ours == pytest.approx(eppo, rel=1e-12)


def test_multipliers_are_those_of_confseq() -> None:
    """confseq 0.0.11: ``normal_mixture_bound(v, alpha, 1000, alpha) / sqrt(v)``, two-sided and one-sided."""
    theirs = {
        (100.0, 0.05): (3.855054633530311, 3.634305089974532),
        (1000.0, 0.05): (3.0352089903762534, 2.766070883067567),
        (7000.0, 0.05): (3.1948602292218578, 2.934679068453116),
        (100.0, 0.01): (4.316013747714238, 4.1279858234725),
        (1000.0, 0.01): (3.5716299708704495, 3.353454615362089),
        (7000.0, 0.01): (3.7124733643473724, 3.5014332270411788),
    }
    for (v, alpha), bounds in theirs.items():
        for side, bound in zip(("two-sided", "greater"), bounds, strict=True):
            ours = multiplier(asymptotic_ratio(v, 1_000, alpha, side), alpha, side)
            assert float(ours) == pytest.approx(bound, rel=1e-11)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("k", [0.01, 0.8, 30.0])
@pytest.mark.parametrize("z", [-6.0, -0.3, 0.0, 1.0, 4.5])
def test_e_value_is_the_integral_over_the_prior(alternative: str, k: float, z: float) -> None:
    low = {"two-sided": -np.inf, "greater": 0.0, "less": -np.inf}[alternative]
    high = {"two-sided": np.inf, "greater": np.inf, "less": 0.0}[alternative]
    fold = 1.0 if alternative == "two-sided" else 2.0
    mode, spread = z * k / (1 + k), math.sqrt(k / (1 + k))
    low, high = max(low, mode - 12 * spread), min(high, mode + 12 * spread)
    value, _ = integrate.quad(
        lambda u: fold * math.exp(u * z - u * u / 2) * stats.norm.pdf(u, 0, math.sqrt(k)),
        low,
        max(low, high),
        limit=200,
    )
    if value > 1e-9:
        assert math.exp(float(log_e_value(z, k, alternative))) == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_mean_of_the_e_value_is_one_without_an_effect_and_less_on_the_other_side(alternative: str) -> None:
    for k in (0.1, 1.0, 20.0):

        def mean(shift: float, k: float = k) -> float:
            def mass(z: float) -> float:
                return math.exp(float(log_e_value(z, k, alternative)) - (z - shift) ** 2 / 2) / math.sqrt(2 * math.pi)

            return float(integrate.quad(mass, -60, 60, limit=400, points=[0.0])[0])

        assert mean(0.0) == pytest.approx(1.0, rel=1e-7)
        if alternative != "two-sided":
            assert mean(-1.0 if alternative == "greater" else 1.0) < 0.8


def test_far_tails_keep_their_digits() -> None:
    assert float(log_e_value(-1e8, 2.0, "greater")) == pytest.approx(
        -math.log(1e8 * math.sqrt(2 / 3) * math.sqrt(math.pi / 2)) - math.log(3.0) / 2, rel=1e-9
    )
    p = p_from_log_e(log_e_value(np.array([30.0, 50.0]), 2.0))
    assert p[0] == pytest.approx(math.sqrt(3.0) * math.exp(-300.0), rel=1e-9)
    assert p[1] > 0.0


@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.001])
def test_tuning_is_the_least_width(alpha: float) -> None:
    best = optimize.minimize_scalar(lambda k: float(multiplier(k, alpha)), bounds=(1, 100), method="bounded")
    assert float(multiplier(tuning_ratio(alpha), alpha)) == pytest.approx(best.fun, rel=1e-4)
    exact = -1.0 - float(special.lambertw(-(alpha**2) / math.e, -1).real)
    assert best.x == pytest.approx(exact, rel=1e-4)
    assert tuning_ratio(alpha) == pytest.approx(exact, rel=0.05)
    assert tuning_ratio(alpha / 2, "greater") == pytest.approx(tuning_ratio(alpha))


def test_msprt_is_johari_s_formula() -> None:
    effect, error, tau2 = 0.013, 0.004, 0.01**2
    v = error**2
    ratio = math.sqrt(v / (v + tau2)) * math.exp(tau2 * effect**2 / (2 * v * (v + tau2)))
    reach = math.sqrt(v * (v + tau2) / tau2 * (-2 * math.log(0.05) - math.log(v / (v + tau2))))
    test = msprt(effect, error, mixing_variance=tau2)
    assert float(test.p_value) == pytest.approx(1 / ratio, rel=1e-12)
    assert (float(test.low), float(test.high)) == pytest.approx((effect - reach, effect + reach), rel=1e-12)


def test_one_side_solves_its_equation_and_is_narrower_than_the_closed_bound() -> None:
    k = np.geomspace(1e-6, 1e6, 60)
    m = multiplier(k, 0.05, "greater")
    assert log_e_value(m, k, "greater") == pytest.approx(np.full(60, -math.log(0.05)), rel=1e-9)
    closed = np.sqrt((1 + k) / k * 2 * np.log(1 + np.sqrt(1 + k) / 0.1))
    assert (m < closed).all()
    assert (m < multiplier(k, 0.05)).all()


@settings(max_examples=300, deadline=None)
@given(
    st.floats(-1e3, 1e3),
    st.floats(1e-6, 1e3),
    st.floats(1.0, 1e9),
    st.sampled_from(ALTERNATIVES),
    st.sampled_from((0.2, 0.05, 0.001)),
)
def test_p_below_alpha_exactly_where_zero_is_outside(
    effect: float, error: float, n: float, alternative: str, alpha: float
) -> None:
    test = asymptotic_test(effect, error, n, alpha=alpha, alternative=alternative)
    if abs(float(test.p_value) / alpha - 1.0) > 1e-9:
        assert (test.p_value < alpha) == (test.low > 0 or test.high < 0)
    assert 0.0 < float(test.p_value) <= 1.0
    assert test.low <= effect <= test.high


@settings(max_examples=100, deadline=None)
@given(st.floats(-5, 5), st.floats(0.01, 5), st.floats(10, 1e6), st.floats(1e-3, 1e3))
def test_swap_and_scale(effect: float, error: float, n: float, scale: float) -> None:
    up = asymptotic_test(effect, error, n, alternative="greater")
    down = asymptotic_test(-effect, error, n, alternative="less")
    assert float(up.low) == -float(down.high)
    assert float(up.p_value) == float(down.p_value)
    large = asymptotic_test(effect * scale, error * scale, n)
    assert float(large.high) == pytest.approx(float(asymptotic_test(effect, error, n).high) * scale, rel=1e-9, abs=1e-9)


def test_many_looks_at_once_equal_single_ones() -> None:
    rng = np.random.default_rng(3)
    effect, error, n = rng.normal(0, 1, (7, 5)), rng.uniform(0.1, 1, (7, 5)), rng.integers(1, 9_999, 5)
    for alternative in ALTERNATIVES:
        together = asymptotic_test(effect, error, n, alternative=alternative)
        one = asymptotic_test(effect[3, 2], error[3, 2], n[2], alternative=alternative)
        assert together.low.shape == together.p_value.shape == (7, 5)
        assert [float(one.low), float(one.high), float(one.p_value)] == [
            float(together.low[3, 2]),
            float(together.high[3, 2]),
            float(together.p_value[3, 2]),
        ]


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_degenerate_data_give_no_evidence_and_no_limits(alternative: str) -> None:
    effect = np.array([1.0, 1.0, np.nan, 0.5, 1.0, np.inf])
    error = np.array([0.0, np.inf, 1.0, 1.0, -1.0, 1.0])
    n = np.array([10.0, 10.0, 10.0, 0.0, 10.0, 10.0])
    with np.errstate(all="raise", under="ignore"):
        for test in (
            asymptotic_test(effect, error, n, alternative=alternative),
            msprt(effect, np.where(n == 0, np.nan, error), mixing_variance=1.0, alternative=alternative),
        ):
            assert np.isneginf(test.low).all()
            assert np.isposinf(test.high).all()
            assert (test.p_value == 1.0).all()
            assert (test.log_e == 0.0).all()
        tiny = asymptotic_test(1.0, 1e-200, 10)
        assert 0.0 < float(tiny.p_value) < 1e-300


def test_rejections_stay_below_alpha_under_a_hundred_looks() -> None:
    rng = np.random.default_rng(20)
    steps = rng.normal(0.0, 1.0, (4_000, 100))
    t = np.arange(1, 101)
    effect, error = np.cumsum(steps, axis=-1) / t, 1 / np.sqrt(t)
    fixed = (np.abs(effect / error) > Z95).any(axis=-1).mean()
    assert fixed > 0.3
    for alternative in ALTERNATIVES:
        test = asymptotic_test(effect, error, 100 * t, alternative=alternative)
        assert (test.p_value < 0.05).any(axis=-1).mean() < 0.05
    # Not so wide as to be useless: an effect of 3.5 standard errors at the end is mostly found.
    moved = asymptotic_test(effect + 0.35, error, 100 * t)
    assert (moved.p_value < 0.05).any(axis=-1).mean() > 0.6


def test_equivalent_alpha_gives_the_multiplier_back() -> None:
    m = multiplier(np.array([0.5, 8.0, 0.0]))
    level = equivalent_alpha(m)
    assert normal_critical(float(level[1])) == pytest.approx(float(m[1]), rel=1e-12)
    assert level[2] == 0.0


def test_running_values() -> None:
    assert running_p([0.4, 0.01, 0.2]).tolist() == [0.4, 0.01, 0.01]
    low, high = running_limits([[-2.0, -1.0, -3.0]], [[5.0, 6.0, 4.0]])
    assert low.tolist() == [[-2.0, -1.0, -1.0]]
    assert high.tolist() == [[5.0, 5.0, 4.0]]


@pytest.mark.parametrize("alpha", [0.0, 0.5, -1.0, float("nan")])
def test_bad_error_rates_are_refused(alpha: float) -> None:
    with pytest.raises(InputError, match="error rate"):
        asymptotic_test(1.0, 1.0, 10, alpha=alpha)


def test_bad_options_are_refused() -> None:
    with pytest.raises(InputError, match="alternative"):
        asymptotic_test(1.0, 1.0, 10, alternative="both")
    with pytest.raises(InputError, match="tuning size"):
        asymptotic_test(1.0, 1.0, 10, tuning_n=0)
    with pytest.raises(InputError, match="mixing variance"):
        msprt(1.0, 1.0, mixing_variance=-1.0)
