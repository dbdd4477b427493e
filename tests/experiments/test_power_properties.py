"""What must hold of any power: it inverts, scales, broadcasts, and names what has no answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.planning.planned_outcome import CountRate, Mean, Proportion, Ratio
from experiments.planning.planned_rules import Rules
from experiments.planning.power import detectable_effect, power, power_curve, sample_size
from proofsheet.errors import InputError

OUTCOMES = st.sampled_from(
    [
        Proportion(baseline=0.02),
        Proportion(baseline=0.6),
        Mean(baseline=4.0, variance=90.0),
        Mean(baseline=-4.0, variance=9.0, arm_variance=12.0),
        Mean(baseline=4.0, variance=90.0, proportional_sd=True),
        Ratio(mean_x=3.0, mean_y=2.0, variance_x=8.0, variance_y=1.5, covariance=1.0),
        CountRate(baseline=0.7),
    ]
)


@given(
    outcome=OUTCOMES,
    relative=st.booleans(),
    tested=st.sampled_from(["difference", "lift"]),
    sides=st.sampled_from([1, 2]),
    margin=st.sampled_from([0.0, 0.0, 0.01]),
    better=st.booleans(),
    ratio=st.floats(0.3, 4.0),
    wanted=st.floats(0.3, 0.98),
    units=st.floats(300.0, 1e6),
)
@settings(max_examples=30, deadline=None)
def test_size_effect_and_power_turn_each_other_round(
    outcome: Proportion,
    relative: bool,
    tested: str,
    sides: int,
    margin: float,
    better: bool,
    ratio: float,
    wanted: float,
    units: float,
) -> None:
    rules = Rules(
        relative=relative,
        tested=tested,
        sides=sides,
        margin=margin,
        higher_is_better=better,
        control_ratio=ratio,
        r_squared=0.2,
        dispersion=1.3,
    )
    effect = float(detectable_effect(outcome, units, rules, power=wanted, downwards=not better))
    if math.isinf(effect):
        return
    assert power(outcome, effect, units, rules) == pytest.approx(wanted, abs=1e-6)
    assert sample_size(outcome, effect, rules, power=wanted) == pytest.approx(units, rel=1e-5)
    assert power(outcome, effect, 1.5 * units, rules) > wanted


@given(scale=st.floats(1e-3, 1e3), effect=st.floats(0.05, 2.0), ratio=st.floats(0.5, 2.0))
@settings(max_examples=15, deadline=None)
def test_units_of_measurement_and_the_swap_of_arms_change_nothing(scale: float, effect: float, ratio: float) -> None:
    rules = Rules(relative=False, control_ratio=ratio)
    one = sample_size(Mean(baseline=3.0, variance=20.0), effect, rules)
    other = sample_size(Mean(baseline=3.0 * scale, variance=20.0 * scale**2), effect * scale, rules)
    assert one == pytest.approx(other, rel=1e-9)
    rate, other_rate = 0.2, 0.2 + effect / 4.0
    there = power(Proportion(baseline=rate), other_rate - rate, 100.0, rules)
    back = power(
        Proportion(baseline=other_rate),
        rate - other_rate,
        100.0 * ratio,
        Rules(relative=False, control_ratio=1 / ratio),
    )
    assert there == pytest.approx(back, rel=1e-9)


def test_covariates_and_dispersion_multiply_the_size() -> None:
    outcome = Mean(baseline=10.0, variance=400.0)
    plain = sample_size(outcome, 0.02, Rules())
    assert sample_size(outcome, 0.02, Rules(r_squared=0.4, dispersion=1.5)) == pytest.approx(0.9 * plain, rel=1e-3)


def test_arrays_are_broadcast_and_equal_single_calls() -> None:
    rates, effects, ratios = np.array([0.01, 0.05, 0.4]), np.array([[0.05], [0.2]]), np.array([1.0, 2.0, 0.5])
    rules = Rules(control_ratio=ratios, comparisons=np.array([1, 2, 5]), correction="dunnett")
    outcome = Proportion(baseline=rates)
    sizes = sample_size(outcome, effects, rules)
    found = detectable_effect(outcome, 5000.0, rules)
    assert sizes.shape == (2, 3)
    assert found.shape == (3,)
    for j in range(3):
        single = Rules(control_ratio=ratios[j], comparisons=[1, 2, 5][j], correction="dunnett")
        assert found[j] == pytest.approx(detectable_effect(Proportion(baseline=rates[j]), 5000.0, single), rel=1e-9)
        for i in range(2):
            one = sample_size(Proportion(baseline=rates[j]), effects[i, 0], single)
            assert sizes[i, j] == pytest.approx(one, rel=1e-9)
    means = Mean(baseline=np.array([1.0, 2.0]), variance=np.array([3.0, 4.0]))
    chances = power(means, 0.2, np.array([[20.0], [1e7]]), Rules())
    assert chances[0, 1] == pytest.approx(power(Mean(baseline=2.0, variance=4.0), 0.2, 20.0, Rules()), rel=1e-12)


def test_degenerate_questions_have_named_answers() -> None:
    outcome = Proportion(baseline=0.5)
    assert sample_size(outcome, 0.0, Rules()) == math.inf
    assert sample_size(outcome, -0.2, Rules(margin=0.1)) == math.inf
    assert detectable_effect(outcome, 3.0, Rules()) == math.inf
    assert detectable_effect(outcome, 3.0, Rules(), downwards=True) == -math.inf
    assert power(outcome, 0.1, 0.0, Rules()) == 0.0
    assert power(Mean(baseline=1.0, variance=1.0), 1.0, 1.0, Rules()) == 0.0
    assert power(outcome, 0.0, 100.0, Rules(comparisons=2)) == pytest.approx(0.025)
    assert sample_size(Mean(baseline=1.0, variance=1e-9), 1.0, Rules()) == 2.0
    assert detectable_effect(Mean(baseline=4.2, variance=121.0), 10.0, Rules(tested="lift")) == math.inf
    certain = power(outcome, 0.5, 1e12, Rules())
    assert certain == 1.0


def test_a_curve_has_rows_for_a_chart() -> None:
    points = power_curve(Proportion(baseline=0.02), [0.0, 0.1, 0.2], [5000.0, 20_000.0], Rules())
    assert [(p.units, p.effect) for p in points[:4]] == [(5000.0, 0.0), (5000.0, 0.1), (5000.0, 0.2), (20_000.0, 0.0)]
    assert points[0].power == pytest.approx(0.05)
    assert points[-1].value == pytest.approx(0.024)
    assert [p.power for p in points[3:]] == sorted(p.power for p in points[3:])


@pytest.mark.parametrize(
    "values",
    [
        {"alpha": 0.0},
        {"sides": 3},
        {"margin": -0.1},
        {"margin": 1.0},
        {"control_ratio": 0.0},
        {"comparisons": 0},
        {"correction": "holm"},
        {"tested": "odds"},
        {"r_squared": 1.0},
        {"dispersion": 0.5},
        {"alpha": np.array([0.05, math.nan])},
    ],
)
def test_rules_that_cannot_be_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Rules(**values)  # type: ignore[arg-type]


def test_outcomes_and_effects_that_cannot_be_are_refused() -> None:
    for make in (
        lambda: Proportion(baseline=0.0),
        lambda: CountRate(baseline=-1.0),
        lambda: Mean(baseline=1.0, variance=0.0),
        lambda: Mean(baseline=math.inf, variance=1.0),
        lambda: Mean(baseline=0.0, variance=1.0, proportional_sd=True),
        lambda: Ratio(mean_x=1.0, mean_y=0.0, variance_x=1.0, variance_y=1.0),
        lambda: Ratio(mean_x=1.0, mean_y=1.0, variance_x=1.0, variance_y=1.0, covariance=2.0),
        lambda: Ratio(mean_x=1.0, mean_y=1.0, variance_x=1.0, variance_y=1.0, covariance=1.0),
        lambda: power(Proportion(baseline=0.5), 1.5, 10.0, Rules()),
        lambda: power(CountRate(baseline=0.5), -1.5, 10.0, Rules()),
        lambda: power(Mean(baseline=0.0, variance=1.0), 0.1, 10.0, Rules()),
        lambda: power(Proportion(baseline=0.5), math.nan, 10.0, Rules()),
        lambda: power(Proportion(baseline=0.02), 0.0, 10.0, Rules(relative=False, margin=0.02)),
        lambda: sample_size(Proportion(baseline=0.5), 0.1, Rules(), power=1.0),
    ):
        with pytest.raises(InputError):
            make()
