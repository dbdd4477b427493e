"""Empirical-Bernstein and betting sequences against plain loops, confseq's numbers, enumeration and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.sequential.bounded_sequences import (
    bernstein_sequence,
    betting_log_e,
    betting_sequence,
    difference_limits,
)
from proofsheet.errors import InputError


def wave() -> np.ndarray:
    """Four hundred values that are the same on every machine."""
    return np.round(np.sin(np.arange(1, 401) * 1.7) ** 2 * 0.6 + np.arange(400) % 7 / 20, 6)


def loop_bernstein(x: np.ndarray, alpha: float) -> tuple[float, float]:
    """Theorem 2 of Waudby-Smith and Ramdas (2024), value by value, without a running intersection."""
    mean, variance, seen, spread = 0.5, 0.25, 0.0, 0.0
    stake = pot = price = 0.0
    for t, value in enumerate(x, start=1):
        weight = min(math.sqrt(2 * math.log(2 / alpha) / (variance * t * math.log(1 + t))), 0.5)
        v = 4 * (value - mean) ** 2
        psi = (-math.log(1 - weight) - weight) / 4
        stake, pot, price = stake + weight, pot + weight * value, price + v * psi
        seen += value
        mean = (0.5 + seen) / (t + 1)
        spread += (value - mean) ** 2
        variance = (0.25 + spread) / (t + 1)
    reach = (math.log(2 / alpha) + price) / stake
    return pot / stake - reach, pot / stake + reach


def loop_bets(x: np.ndarray, m: float, alpha: float) -> tuple[list[float], list[float]]:
    """The two gamblers' capital after every value, by multiplication."""
    mean, variance, seen, spread = 0.5, 0.25, 0.0, 0.0
    up, down, ups, downs = 1.0, 1.0, [], []
    for t, value in enumerate(x, start=1):
        bet = math.sqrt(2 * math.log(2 / alpha) / (variance * t * math.log(1 + t)))
        up *= 1 + min(bet, 0.5 / m) * (value - m)
        down *= 1 - min(bet, 0.5 / (1 - m)) * (value - m)
        ups.append(up)
        downs.append(down)
        seen += value
        mean = (0.5 + seen) / (t + 1)
        spread += (value - mean) ** 2
        variance = (0.25 + spread) / (t + 1)
    return ups, downs


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_bernstein_is_the_loop_of_the_paper(alpha: float) -> None:
    x = wave()
    low, high = bernstein_sequence(1, x, 0, alpha=alpha)
    loops = np.array([loop_bernstein(x[:t], alpha) for t in range(1, 401)])
    assert low == pytest.approx(np.maximum.accumulate(np.maximum(loops[:, 0], 0.0)), abs=1e-12)
    assert high == pytest.approx(np.minimum.accumulate(np.minimum(loops[:, 1], 1.0)), abs=1e-12)
    # confseq 0.0.11, predmix_empbern_cs (its predicted mean is not drawn towards 1/2): close, not the same.
    assert (low[399], high[399]) == pytest.approx((0.408882, 0.491223), abs=1e-3) if alpha == 0.05 else True


def test_bets_are_the_loop_of_the_paper() -> None:
    x = wave()
    for m in (0.1, 0.45, 0.8):
        ups, downs = loop_bets(x, m, 0.05)
        assert np.exp(betting_log_e(x, m)) == pytest.approx(np.maximum(ups, downs) / 2, rel=1e-9)


def test_betting_limits_are_those_of_confseq() -> None:
    """confseq 0.0.11, ``betting_cs(breaks=20000, running_intersection=True)``: a grid of 1/20000, widened by a cell."""
    low, high = betting_sequence(wave(), looks=[0, 10, 100, 400])
    assert (low[0], high[0]) == (0.0, 1.0)
    assert low[1:] == pytest.approx(np.array([0.21865, 0.38135, 0.41280]), abs=1e-4)
    assert high[1:] == pytest.approx(np.array([0.71935, 0.51700, 0.48575]), abs=1e-4)


def test_betting_limits_are_where_some_e_value_reached_its_threshold() -> None:
    x = wave()[:150]
    low, high = (float(v[0]) for v in betting_sequence(x))
    for m in (low, high):
        assert betting_log_e(x, m).max() == pytest.approx(-math.log(0.05), abs=1e-6)
    for m in np.linspace(0.01, 0.99, 50):
        assert (betting_log_e(x, m).max() < -math.log(0.05)) == (low < m < high)


def test_capital_has_mean_one_at_the_true_mean() -> None:
    """All 2^10 sequences of a coin with chance 0.3, weighted: half of each gambler's capital, so 1 together."""
    x = np.array(list(itertools.product((0.0, 1.0), repeat=10)))
    chance = np.prod(np.where(x == 1, 0.3, 0.7), axis=-1)
    means = []
    for row, weight in zip(x, chance, strict=True):
        ups, downs = loop_bets(row, 0.3, 0.05)
        means.append(weight * (ups[-1] + downs[-1]) / 2)
    assert sum(means) == pytest.approx(1.0, rel=1e-12)
    assert float(chance @ np.exp(betting_log_e(x, 0.3)[:, -1])) < 1.0


def test_batches_give_what_their_values_give_with_the_weights_of_the_batch() -> None:
    """Eight days: the same sums value by value, with weight and learned mean held through the day."""
    rng = np.random.default_rng(2)
    days = [rng.beta(0.4, 2.0, size) for size in (60, 5, 0, 130, 1, 40, 40, 80)]
    low, high = bernstein_sequence(
        [len(d) for d in days],
        [d.mean() if len(d) else np.nan for d in days],
        [((d - d.mean()) ** 2).sum() if len(d) else np.nan for d in days],
    )
    mean, variance, count, seen, spread = 0.5, 0.25, 0, 0.0, 0.0
    stake = pot = price = 0.0
    lows, highs = [0.0], [1.0]
    for day in days:
        end = count + len(day)
        weight = min(math.sqrt(2 * math.log(40) / (variance * end * math.log(1 + end))), 0.5)
        for value in day:
            stake, pot = stake + weight, pot + weight * value
            price += (value - mean) ** 2 * (-math.log(1 - weight) - weight)
        count, seen = end, seen + day.sum()
        mean = (0.5 + seen) / (count + 1)
        spread += ((day - mean) ** 2).sum()
        variance = (0.25 + spread) / (count + 1)
        reach = (math.log(40) + price) / stake
        lows.append(max(lows[-1], pot / stake - reach))
        highs.append(min(highs[-1], pot / stake + reach))
    assert low == pytest.approx(np.array(lows[1:]), abs=1e-12)
    assert high == pytest.approx(np.array(highs[1:]), abs=1e-12)


def test_misses_stay_below_alpha_at_all_looks() -> None:
    rng = np.random.default_rng(14)
    values = rng.beta(0.2, 1.8, (1_500, 400))
    assert (betting_log_e(values, 0.1) >= -math.log(0.05)).any(axis=-1).mean() < 0.05
    low, high = bernstein_sequence(1, values, 0)
    assert ((low > 0.1) | (high < 0.1)).any(axis=-1).mean() < 0.05
    late = values[:200]
    narrow = np.subtract(*reversed(betting_sequence(late)))[:, 0]
    wide = (high - low)[:200, -1]
    assert np.median(narrow) < np.median(wide) < 0.3


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(-50, 50), st.floats(0.1, 100))
def test_bounds_scale_and_mirror(values: list[float], start: float, span: float) -> None:
    x = np.array(values)
    bounds = (start, start + span)
    scaled = np.clip(start + span * x, *bounds)
    for method in (lambda v, b: betting_sequence(v, bounds=b), lambda v, b: bernstein_sequence(1, v, 0, bounds=b)):
        low, high = (v[-1] for v in method(x, (0.0, 1.0)))
        far_low, far_high = (v[-1] for v in method(scaled, bounds))
        assert (far_low, far_high) == pytest.approx((start + span * low, start + span * high), abs=1e-5 * span)
        mirror_low, mirror_high = (v[-1] for v in method(1 - x, (0.0, 1.0)))
        assert (1 - mirror_high, 1 - mirror_low) == pytest.approx((low, high), abs=1e-6)


def test_edges() -> None:
    for x in (np.zeros(50), np.ones(50)):
        low, high = betting_sequence(x)
        assert low[0] <= x[0] <= high[0]
        assert 0.0 < high[0] - low[0] < 0.3
    low, high = bernstein_sequence([0, 0], [0.0, 0.0], [0.0, 0.0])
    assert low.tolist() == [0.0, 0.0]
    assert high.tolist() == [1.0, 1.0]
    both = difference_limits((0.2, 0.5), (0.1, 0.3))
    assert both == (pytest.approx(-0.1), pytest.approx(0.4))


def test_rows_are_separate() -> None:
    x = np.stack([wave()[:60], wave()[100:160]])
    low, high = betting_sequence(x, looks=[20, 60])
    assert low.shape == (2, 2)
    alone = betting_sequence(x[1], looks=[20, 60])
    assert (low[1] == alone[0]).all()
    assert (high[1] == alone[1]).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: betting_sequence([0.5, 1.2]), "beyond the bounds"),
        (lambda: betting_sequence([0.5, float("nan")]), "beyond the bounds"),
        (lambda: betting_sequence([0.5], bounds=(1.0, 0.0)), "not in order"),
        (lambda: betting_sequence([0.5], looks=[2]), "looks"),
        (lambda: betting_sequence([0.5], alpha=0.9), "error rate"),
        (lambda: bernstein_sequence([-1], [0.5], [0]), "batch sizes"),
        (lambda: bernstein_sequence([10], [0.5], [9.0]), "beyond the bounds"),
    ],
)
def test_bad_values_and_options_are_refused(call: object, words: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=words):
        call()
