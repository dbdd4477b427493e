"""Drawn tests: the draws have the moments they should, and the formulas are found again."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.planning.planned_outcome import CountRate, Mean, Proportion, Ratio
from experiments.planning.planned_rules import Rules
from experiments.planning.power import power, sample_size
from experiments.planning.power_simulation import simulate_power
from experiments.planning.sequential_power import watched_power, watched_sample_size
from experiments.planning.simulated_looks import draw_normal, draw_rates, draw_strata
from experiments.planning.watching import Watch
from proofsheet.errors import InputError

RATE, MEAN = Proportion(baseline=0.05), Mean(baseline=4.2, variance=121.0)
RATIO = Ratio(mean_x=3.0, mean_y=2.0, variance_x=9.0, variance_y=2.0, covariance=2.5)
COUNT = CountRate(baseline=0.4)


@pytest.mark.parametrize(
    ("outcome", "effect", "rules"),
    [
        (RATE, 0.1, Rules()),
        (RATE, 0.0, Rules(relative=False, margin=0.005)),
        (RATE, 0.0, Rules(margin=0.1, higher_is_better=False)),
        (RATE, -0.1, Rules(sides=1, dispersion=2.0)),
        (RATE, 0.3, Rules(tested="lift")),
        (RATE, 0.1, Rules(r_squared=0.3)),
        (MEAN, 0.1, Rules(comparisons=3, control_ratio=2.0, correction="dunnett")),
        (MEAN, 0.3, Rules(tested="lift")),
        (MEAN, 0.0, Rules(margin=0.1)),
        (MEAN, 0.1, Rules(r_squared=0.5, dispersion=1.6)),
        (Mean(baseline=4.2, variance=121.0, proportional_sd=True), 0.2, Rules()),
        (Mean(baseline=-4.2, variance=121.0), 0.0, Rules(margin=0.2)),
        (RATIO, 0.05, Rules()),
        (RATIO, 0.1, Rules(tested="lift", r_squared=0.4)),
        (COUNT, 0.1, Rules(dispersion=2.5)),
        (COUNT, 0.0, Rules(relative=False, margin=0.04)),
    ],
)
def test_the_formula_is_found_again(outcome: Proportion, effect: float, rules: Rules) -> None:
    n = float(np.ceil(sample_size(outcome, effect, rules)))
    drawn = simulate_power(outcome, effect, n, rules, runs=8000, seed=3)
    assert drawn.error == pytest.approx(0.0045, abs=0.0003)
    assert drawn.power == pytest.approx(float(power(outcome, effect, n, rules)), abs=4 * drawn.error)


@pytest.mark.parametrize(
    "watch",
    [
        Watch(looks=14),
        Watch(looks=14, tuning=5000.0),
        Watch(method="hybrid", looks=14),
        Watch(method="pocock", looks=5),
    ],
)
@pytest.mark.parametrize(("outcome", "effect"), [(RATE, 0.1), (MEAN, 0.1), (RATIO, 0.05), (COUNT, 0.1)])
def test_watched_tests_find_as_much_and_as_early(watch: Watch, outcome: Proportion, effect: float) -> None:
    n = float(np.ceil(watched_sample_size(outcome, effect, Rules(), watch)))
    drawn = simulate_power(outcome, effect, n, Rules(), watch=watch, runs=4000, seed=5)
    formula = watched_power(outcome, effect, n, Rules(), watch)
    assert drawn.power == pytest.approx(float(formula.power), abs=4 * drawn.error)
    assert drawn.mean_share == pytest.approx(float(formula.expected_share), abs=0.02)


def test_error_rates_are_kept_without_an_effect() -> None:
    rules, watch = Rules(), Watch(method="hybrid", looks=20)
    for outcome in (RATE, MEAN, RATIO, COUNT):
        drawn = simulate_power(outcome, 0.0, 20_000, rules, watch=watch, runs=4000, seed=9)
        assert 0.035 < drawn.power < 0.05 + 4 * drawn.error
    border = simulate_power(RATE, -0.1, 20_000, Rules(margin=0.1), runs=8000, seed=9)
    assert border.power == pytest.approx(0.025, abs=0.007)


def test_draws_have_the_moments_of_their_model() -> None:
    rng, units = np.random.default_rng(2), np.array([400.0, 1000.0])
    plain = draw_rates(units, 0.1, 1.0, 20_000, rng, binary=True).means[:, 1, 0]
    wide = draw_rates(units, 0.1, 3.0, 20_000, rng, binary=True).means[:, 1, 0]
    counts = draw_rates(units, 0.7, 2.0, 20_000, rng, binary=False).means[:, 1, 0]
    for drawn, mean, variance in (
        (plain, 0.1, 0.09 / 1000),
        (wide, 0.1, 3 * 0.09 / 1000),
        (counts, 0.7, 2 * 0.7 / 1000),
    ):
        assert drawn.mean() == pytest.approx(mean, rel=0.01)
        assert drawn.var() == pytest.approx(variance, rel=0.05)
    covariance = np.array([[4.0, 1.5], [1.5, 2.0]])
    normal = draw_normal(units, np.array([3.0, 1.0]), covariance, 1.0, 20_000, rng)
    assert normal.covariances is not None
    assert normal.covariances[:, 1].mean(axis=0) == pytest.approx(covariance, rel=0.02)
    assert normal.covariances[:, 1, 0, 0].var() == pytest.approx(2 * 16.0 / 999, rel=0.05)
    assert np.cov(normal.means[:, 1].T) == pytest.approx(covariance / 1000, rel=0.06)
    strata = draw_strata(units, 0.06, 0.05, 0.3, 20_000, rng)
    assert strata.covariances is not None
    assert strata.means[:, 1, 0].mean() == pytest.approx(0.06, rel=0.01)
    same = draw_strata(units, 0.05, 0.05, 0.3, 20_000, rng)
    assert same.covariances is not None
    link = same.covariances[:, 1].mean(axis=0)
    assert link[0, 1] ** 2 / link[0, 0] / link[1, 1] == pytest.approx(0.3, abs=0.01)


def test_the_same_seed_draws_the_same() -> None:
    first = simulate_power(RATE, 0.1, 5000, Rules(), runs=500, seed=4)
    assert first == simulate_power(RATE, 0.1, 5000, Rules(), runs=500, seed=4)
    assert first != simulate_power(RATE, 0.1, 5000, Rules(), runs=500, seed=5)


@pytest.mark.parametrize(
    ("outcome", "units", "rules", "runs"),
    [(RATE, 5000, Rules(), 50), (RATE, 20, Rules(), 500), (COUNT, 5000, Rules(r_squared=0.2), 500)],
)
def test_what_cannot_be_simulated_is_refused(outcome: Proportion, units: float, rules: Rules, runs: int) -> None:
    with pytest.raises(InputError):
        simulate_power(outcome, 0.1, units, rules, watch=Watch(looks=28), runs=runs)
