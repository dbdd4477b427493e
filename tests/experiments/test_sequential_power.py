"""Crossing chances, limits and sizes of watched tests against published tables, the multivariate normal and paths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.planning.planned_crossing import crossing_chances
from experiments.planning.planned_outcome import CountRate, Mean, Proportion
from experiments.planning.planned_rules import Rules
from experiments.planning.power import power, sample_size
from experiments.planning.sequential_power import (
    crossing_from,
    inflation_factor,
    watched_detectable_effect,
    watched_power,
    watched_sample_size,
)
from experiments.planning.watching import METHODS, Watch, limit_now, watch_limits
from proofsheet.errors import InputError

FIVE = np.arange(1, 6) / 5
RATE = Proportion(baseline=0.05)


def test_limits_of_lan_and_demets() -> None:
    """Lan and DeMets 1983 and their program ldbounds: five even looks, two-sided 0.05."""
    limits = watch_limits(Watch(method="obrien-fleming", looks=5), Rules(), 0.0)
    assert np.round(limits, 3).tolist() == [4.877, 3.357, 2.680, 2.290, 2.031]
    limits = watch_limits(Watch(method="pocock", looks=5), Rules(), 0.0)
    assert np.round(limits, 3).tolist() == [2.438, 2.427, 2.410, 2.397, 2.386]


def test_constants_of_jennison_and_turnbull() -> None:
    """Jennison and Turnbull 2000, tables 2.1, 2.3, 2.2, 2.4 and 2.7: five looks, two-sided 0.05, power 0.9."""
    fixed = 1.959964 + 1.281552
    for limits, inflation, expected in ((np.full(5, 2.413), 1.207, 0.685), (2.040 / np.sqrt(FIVE), 1.026, 0.750)):
        drifts = np.array([0.0, math.sqrt(inflation) * fixed])
        chances = crossing_chances(FIVE, limits, drifts)
        assert chances.sum(axis=0) == pytest.approx([0.05, 0.9], abs=3e-4)
        share = FIVE @ chances + 1.0 - chances.sum(axis=0)
        assert share[1] * inflation == pytest.approx(expected, abs=1e-3)


def test_crossing_chances_are_those_of_the_multivariate_normal() -> None:
    times, limits = np.array([0.3, 0.6, 1.0]), np.array([2.6, 2.3, 2.1])
    cov = np.minimum.outer(times, times)
    reach = limits * np.sqrt(times)
    for drift in (0.0, 2.5):
        stays = [
            stats.multivariate_normal(drift * times[:k], cov[:k, :k], seed=1).cdf(reach[:k], lower_limit=-reach[:k])
            for k in (1, 2, 3)
        ]
        ours = 1.0 - np.cumsum(crossing_chances(times, limits, drift))
        assert ours == pytest.approx(stays, abs=1e-5)
    below = stats.multivariate_normal(2.0 * times, cov, seed=1).cdf(reach)
    assert 1.0 - crossing_chances(times, limits, 2.0, sides=1).sum() == pytest.approx(below, abs=1e-5)


def test_one_look_is_the_fixed_test() -> None:
    one = crossing_chances(np.array([1.0]), np.array([1.959964]), np.array([0.0, 2.8]))[0]
    assert one == pytest.approx([0.05, stats.norm.sf(1.959964 - 2.8) + stats.norm.sf(1.959964 + 2.8)], abs=1e-7)
    assert inflation_factor(Rules(), Watch(method="pocock", looks=1)) == pytest.approx(1.0, abs=1e-5)


def _paths(drift: float, looks: int, runs: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((runs, looks)) / math.sqrt(looks) + drift / looks
    return np.asarray(np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, looks + 1) / looks))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("drift", [0.0, 3.2])
def test_simulated_paths_cross_as_often_and_as_early(method: str, drift: float) -> None:
    looks, runs = 40, 60_000
    watch = Watch(method=method, looks=looks)
    limits = watch_limits(watch, Rules(), 1000.0)
    crossed = np.abs(_paths(drift, looks, runs, 11)) >= limits
    share = np.where(crossed.any(axis=1), (np.argmax(crossed, axis=1) + 1) / looks, 1.0)
    chances = crossing_chances(watch.fractions, limits, drift)
    assert crossed.any(axis=1).mean() == pytest.approx(chances.sum(), abs=4 * 0.5 / math.sqrt(runs))
    expected = watch.fractions @ chances + 1.0 - chances.sum()
    assert share.mean() == pytest.approx(expected, abs=4 * share.std() / math.sqrt(runs) + 1e-9)


def test_the_first_crossing_upwards_from_where_a_path_is() -> None:
    looks, runs, at = 20, 60_000, 0.5
    watch = Watch(method="always-valid", looks=looks)
    limits = watch_limits(watch, Rules(), 1000.0)
    for z, drift in ((1.2, 2.5), (-0.5, -3.0), (-2.2, 4.0)):
        rng = np.random.default_rng(3)
        left = watch.fractions[10:]
        score = z * math.sqrt(at) + np.cumsum(
            rng.standard_normal((runs, 10)) / math.sqrt(looks) + drift / looks, axis=1
        )
        z_path = score / np.sqrt(left)
        up, down = z_path >= limits[10:], z_path <= -limits[10:]
        first_up = np.where(up.any(axis=1), np.argmax(up, axis=1), 99)
        first_down = np.where(down.any(axis=1), np.argmax(down, axis=1), 99)
        seen = np.mean((first_up < 99) & (first_up < first_down))
        chance, further = crossing_from(watch, Rules(), limits, at, z, drift)
        assert chance == pytest.approx(seen, abs=0.008)
        length = np.minimum(np.minimum(first_up, first_down) + 1, 10) / looks
        assert further == pytest.approx(length.mean(), abs=0.005)


def test_the_always_valid_limit_is_the_published_one() -> None:
    """arXiv:2103.06476v7, equation 9: ``sqrt(2 (N r^2 + 1) / (N r^2) log(sqrt(N r^2 + 1) / a))`` for the z value."""
    alpha, tuning, n = 0.05, 5000.0, np.array([500.0, 5000.0, 24_000.0, 100_000.0])
    r2 = (-2.0 * math.log(alpha) + math.log(1.0 - 2.0 * math.log(alpha))) / tuning
    expected = np.sqrt(2.0 * (n * r2 + 1.0) / (n * r2) * np.log(np.sqrt(n * r2 + 1.0) / alpha))
    ours = [watch_limits(Watch(looks=1, tuning=tuning), Rules(), both / 2.0)[0] for both in n]
    assert ours == pytest.approx(expected, rel=1e-9)
    # The width against a fixed interval, as measured of other platforms.
    assert np.round(np.array(ours) / 1.959964, 2).tolist() == [1.97, 1.55, 1.61, 1.7]


def test_error_rates_stay_below_alpha_however_often_one_looks() -> None:
    for method in METHODS:
        for looks in (1, 7, 100):
            rules = Rules(comparisons=2)
            found = watched_power(RATE, 0.0, 10_000.0, rules, Watch(method=method, looks=looks)).power
            assert 0.0 < found <= 0.025 + 1e-6, (method, looks)
    one_sided = Rules(margin=0.1)
    border = watched_power(RATE, -0.1, 10_000.0, one_sided, Watch(method="obrien-fleming", looks=9)).power
    assert border == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize(
    "watch",
    [Watch(), Watch(tuning=5000.0), Watch(method="hybrid"), Watch(method="obrien-fleming", looks=4)],
    ids=["tuned to the end", "tuned to 5000", "hybrid", "group-sequential"],
)
@pytest.mark.parametrize(
    ("outcome", "effect", "rules"),
    [
        (RATE, 0.1, Rules()),
        (Mean(baseline=4.0, variance=100.0), -0.3, Rules(relative=False, comparisons=3)),
        (CountRate(baseline=0.3), 0.0, Rules(margin=0.08, control_ratio=2.0, dispersion=1.4)),
        (RATE, 0.15, Rules(sides=1)),
    ],
)
def test_size_effect_and_power_turn_each_other_round(
    watch: Watch, outcome: Proportion, effect: float, rules: Rules
) -> None:
    n = float(watched_sample_size(outcome, effect, rules, watch, power=0.85))
    assert watched_power(outcome, effect, n, rules, watch).power == pytest.approx(0.85, abs=1e-6)
    found = watched_detectable_effect(outcome, n, rules, watch, power=0.85, downwards=effect < 0)
    assert found == pytest.approx(effect, abs=1e-5)
    assert n > sample_size(outcome, effect, rules, power=0.85)


def test_inflation_factors() -> None:
    for method in METHODS:
        watch, rules = Watch(method=method, looks=12), Rules()
        factor = inflation_factor(rules, watch)
        size = watched_sample_size(Mean(baseline=1.0, variance=50.0), 0.1, rules, watch)
        # Without t's correction the factor is exact where null and true deviation are alike.
        assert size == pytest.approx(factor * 2.0 * 50.0 * ((1.959964 + 0.8416212) / 0.1) ** 2, rel=1e-6)
    assert inflation_factor(Rules(), Watch(method="obrien-fleming", looks=5)) < 1.03
    with pytest.raises(InputError):
        inflation_factor(Rules(), Watch(tuning=5000.0))


def test_arrays_of_effects_and_units() -> None:
    watch, effects, units = Watch(looks=10, tuning=8000.0), np.array([[0.0], [0.1], [0.2]]), np.array([4000.0, 9000.0])
    both = watched_power(RATE, effects, units, Rules(), watch)
    assert both.power.shape == both.expected_share.shape == (3, 2)
    assert both.by_look.shape == both.limits.shape == (10, 3, 2)
    for i in range(3):
        for j in range(2):
            one = watched_power(RATE, float(effects[i, 0]), float(units[j]), Rules(), watch)
            assert both.power[i, j] == pytest.approx(one.power, abs=1e-12)
            assert both.expected_share[i, j] == pytest.approx(one.expected_share, abs=1e-12)
    sizes = watched_sample_size(RATE, np.array([0.0, 0.1]), Rules(), watch)
    assert math.isinf(sizes[0])
    assert math.isfinite(sizes[1])


def test_a_watched_test_finds_large_effects_early_and_small_ones_less_often() -> None:
    n = float(sample_size(RATE, 0.1, Rules()))
    watched = watched_power(RATE, np.array([0.1, 0.4]), n, Rules(), Watch(looks=20))
    assert watched.power[0] < power(RATE, 0.1, n, Rules())
    assert watched.power[1] > 0.999
    assert watched.expected_share[1] < 0.25
    assert (np.diff(watched.by_look.sum(axis=0)) > 0).all()


def test_the_limit_between_looks() -> None:
    hybrid, grouped = Watch(method="hybrid", looks=4), Watch(method="pocock", looks=4)
    assert limit_now(grouped, Rules(), 100.0, 0.1) == math.inf
    assert limit_now(grouped, Rules(), 100.0, 0.6) == watch_limits(grouped, Rules(), 100.0)[1]
    assert limit_now(hybrid, Rules(), 100.0, 0.5) == pytest.approx(watch_limits(hybrid, Rules(), 100.0)[1])
    assert limit_now(hybrid, Rules(), 100.0, 1.0) < limit_now(hybrid, Rules(), 100.0, 0.99)


def test_extreme_drifts_and_limits_stay_finite() -> None:
    times = np.arange(1, 101) / 100
    limits = watch_limits(Watch(method="obrien-fleming", looks=100), Rules(), 0.0)
    assert limits[0] > 15.0
    chances = crossing_chances(times, limits, np.array([-200.0, -3.0, 0.0, 3.0, 200.0]))
    assert np.isfinite(chances).all()
    assert chances.sum(axis=0) == pytest.approx([1.0, chances[:, 3].sum(), 0.05, chances[:, 1].sum(), 1.0], abs=1e-6)
    never = crossing_chances(times, np.full(100, np.inf), 3.0)
    assert never.sum() == 0.0
    last_only = np.full(100, np.inf)
    last_only[-1] = 1.959964
    assert crossing_chances(times, last_only, 2.8).sum() == pytest.approx(stats.norm.sf(1.959964 - 2.8), abs=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Watch(method="always"),
        lambda: Watch(looks=0),
        lambda: Watch(tuning=-5.0),
        lambda: Watch(method="hybrid", tuning=5.0),
        lambda: watched_power(RATE, 0.1, 10.0, Rules(correction="dunnett", comparisons=2), Watch()),
        lambda: watched_power(RATE, 0.1, 10.0, Rules(alpha=np.array([0.05, 0.1])), Watch()),
        lambda: watched_power(RATE, 0.1, 10.0, Rules(tested="lift"), Watch()),
        lambda: crossing_chances(np.array([0.5, 0.4]), np.array([2.0, 2.0]), 0.0),
        lambda: crossing_chances(np.array([0.5, 1.0]), np.array([2.0, 2.0]), 0.0, began=(0.7, 0.1)),
        lambda: crossing_chances(np.array([0.5, 0.500001, 1.0]), np.array([2.0, 2.0, 2.0]), 0.0),
    ],
)
def test_what_cannot_be_watched_is_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]
