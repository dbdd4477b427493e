"""The total error of a monitored test with a fixed end, against a walk over many looks and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from experiments.sequential.asymptotic import ALTERNATIVES, asymptotic_test, multiplier, tuning_ratio
from experiments.sequential.hybrid import (
    counted_looks,
    final_multiplier,
    hybrid_multiplier,
    hybrid_test,
    passage_chance,
)
from experiments.sequential.stopped_walk import first_stops
from proofsheet.errors import InputError

Z95 = -float(special.ndtri(0.025))


def walked(level: float, tuned_at: float, final: float, side: str, end: float = 1.0) -> tuple[float, float]:
    """Chance to stop before the end, and at all, by the recursive integration of a group-sequential test of 140 looks.

    Looking at 140 moments only misses passages in between: moving each bound inwards by 0.5826 steps (Siegmund 1979)
    makes up for that but for a small remainder.
    """
    t = (np.arange(1, 141) / 140.0) ** 2
    sides = 2 if side == "two-sided" else 1
    score = multiplier(t * tuning_ratio(tuned_at, side), level, side) * np.sqrt(t)
    score = score - 0.5826 * np.sqrt(np.diff(t, prepend=0.0))
    if end > 1.0:
        t, score = np.append(t, end), np.append(score, 0.0)
    bounds = score / np.sqrt(t)
    bounds[-1] = final
    chances = first_stops(t, bounds, sides, np.zeros(1))[0]
    return float(chances[:-1].sum()), float(chances.sum())


@pytest.mark.parametrize("side", ["two-sided", "greater"])
@pytest.mark.parametrize(("alpha", "share"), [(0.05, 0.5), (0.05, 1.0), (0.01, 0.5)])
def test_total_error_is_alpha(side: str, alpha: float, share: float) -> None:
    critical = float(final_multiplier(1.0, alpha=alpha, monitor_share=share, alternative=side))
    before, total = walked(alpha * share, alpha * share, critical, side)
    assert total == pytest.approx(alpha, rel=2e-3)
    assert before == pytest.approx(passage_chance(alpha * share, tuning_ratio(alpha * share, side), side), rel=0.02)


@pytest.mark.parametrize("end", [1.1, 2.0])
def test_total_error_is_alpha_when_the_last_day_brings_more(end: float) -> None:
    _, total = walked(0.025, 0.025, float(final_multiplier(end)), "two-sided", end)
    assert total == pytest.approx(0.05, rel=3e-3)


def test_an_early_end_has_spent_less() -> None:
    values = final_multiplier(np.array([0.05, 0.3, 0.7, 1.0, 1.5, 1e5]))
    assert (np.diff(values) > 0).all()
    assert values[0] == pytest.approx(Z95, abs=1e-3)
    # Half-way: the same as a test planned for that size and tuned to the double.
    t = np.arange(1, 141) / 280.0
    score = multiplier(t * tuning_ratio(0.025), 0.025) * np.sqrt(t) - 0.5826 * np.sqrt(np.diff(t, prepend=0.0))
    bounds = score / np.sqrt(t)
    bounds[-1] = float(final_multiplier(0.5))
    assert first_stops(t, bounds, 2, np.zeros(1)).sum() == pytest.approx(0.05, rel=3e-3)


def test_the_figures_of_the_module() -> None:
    """1.5 % wider than a plain interval; a plain one after monitoring errs in 5.3 %, with the full share in 5.8 %."""
    assert float(final_multiplier()) / Z95 == pytest.approx(1.0149, abs=2e-4)
    assert -float(special.ndtri(0.0125)) / Z95 == pytest.approx(1.144, abs=1e-3)
    assert walked(0.025, 0.025, Z95, "two-sided")[1] == pytest.approx(0.0533, abs=2e-4)
    assert walked(0.05, 0.05, Z95, "two-sided")[1] == pytest.approx(0.0578, abs=3e-4)


def test_passage_chance_tends_to_the_level() -> None:
    chances = [passage_chance(0.05, horizon) for horizon in (1.0, 10.0, 100.0, 1e4)]
    assert np.all(np.diff(chances) > 0)
    assert chances[-1] == pytest.approx(0.05, rel=0.02)
    assert chances[-1] < 0.05


@pytest.mark.parametrize("side", ["two-sided", "greater"])
@pytest.mark.parametrize("level", [0.2, 0.002])
def test_final_p_value_is_the_least_level_that_rejects(side: str, level: float) -> None:
    """With the running bounds at half the level and the last one at z, the whole errs with that level."""
    zs = np.linspace(0.5, 4.0, 2_001)
    p = hybrid_test(zs, 1.0, 1_000, 1_000, alternative=side).p_value
    z = float(np.interp(-level, -p, zs))
    assert walked(level / 2, 0.025, z, side)[1] == pytest.approx(level, rel=6e-3)


@settings(max_examples=200, deadline=None)
@given(
    st.floats(-8, 8),
    st.floats(1.0, 3_000.0),
    st.sampled_from(ALTERNATIVES),
    st.sampled_from((0.05, 0.01)),
    st.sampled_from((0.5, 1.0)),
)
def test_p_below_alpha_exactly_where_zero_is_outside(
    z: float, n: float, alternative: str, alpha: float, share: float
) -> None:
    test = hybrid_test(z, 1.0, n, 1_000, alpha=alpha, monitor_share=share, alternative=alternative)
    if abs(float(test.p_value) / alpha - 1.0) > 1e-9:
        assert (test.p_value < alpha) == (test.low > 0 or test.high < 0)
    assert 0.0 < float(test.p_value) <= 1.0


def test_running_looks_are_the_sequence_at_half_the_error() -> None:
    running = hybrid_test(0.3, 0.1, 400, 1_000)
    sequence = asymptotic_test(0.3, 0.1, 400, tuning_n=1_000, alpha=0.025)
    assert float(running.low) == pytest.approx(float(sequence.low), rel=1e-12)
    assert float(running.p_value) == pytest.approx(2 * float(sequence.p_value), rel=1e-12)
    assert float(hybrid_multiplier(400, 1_000)) == pytest.approx((0.3 - float(sequence.low)) / 0.1)
    forced = hybrid_test(0.3, 0.1, 400, 1_000, final=True)
    assert float(forced.low) > float(running.low)


def test_p_values_fall_as_the_estimate_moves_away() -> None:
    z = np.linspace(0, 30, 400)
    for n in (300, 1_000, 1_700):
        p = hybrid_test(z, 1.0, n, 1_000).p_value
        assert (np.diff(p) <= 1e-15).all()
        assert p[0] == 1.0
        assert 0 < p[-1] < 1e-100
    # Far out the end has cost nothing: the fixed p-value.
    assert float(hybrid_test(9.0, 1.0, 1_000, 1_000).p_value) == pytest.approx(2 * stats.norm.sf(9.0), rel=0.01)


def test_looks_after_the_end_repeat_it() -> None:
    assert counted_looks([[1, 2, 3, 4], [3, 4, 5, 6], [1, 1, 1, 1]], 3).tolist() == [
        [0, 1, 2, 2],
        [0, 0, 0, 0],
        [0, 1, 2, 3],
    ]


def test_simulated_errors_and_power() -> None:
    rng = np.random.default_rng(9)
    t = np.arange(1, 101) / 100
    walk = np.cumsum(rng.normal(0.0, 0.1, (8_000, 100)), axis=-1)

    def rejected(drift: float, share: float) -> float:
        test = hybrid_test(walk / t + drift, 1 / np.sqrt(t), 1_000 * t, 1_000, monitor_share=share)
        return float((test.p_value < 0.05).any(axis=-1).mean())

    for share in (0.5, 1.0):
        assert 0.042 < rejected(0.0, share) < 0.055
    # A fixed test has 80 %; the always-valid one alone 52 %.
    assert rejected(2.8016, 0.5) > 0.78
    final = np.abs(walk[:, -1] + 2.8016) > Z95
    assert rejected(2.8016, 0.5) > final.mean() - 0.015


def test_degenerate_data_give_no_limits() -> None:
    with np.errstate(all="raise", under="ignore"):
        test = hybrid_test([1.0, np.nan, 1.0, 1.0], [0.0, 1.0, np.inf, 1.0], [2_000, 2_000, 2_000, 0], 1_000)
    assert np.isneginf(test.low).all()
    assert np.isposinf(test.high).all()
    assert (test.p_value == 1.0).all()
    assert np.isposinf(hybrid_multiplier(0, 1_000, final=True))


def test_bad_options_are_refused() -> None:
    with pytest.raises(InputError, match="share"):
        hybrid_test(1.0, 1.0, 10, 100, monitor_share=0.0)
    with pytest.raises(InputError, match="planned number"):
        hybrid_test(1.0, 1.0, 10, 0)
    with pytest.raises(InputError, match="error rate"):
        final_multiplier(alpha=0.7)
