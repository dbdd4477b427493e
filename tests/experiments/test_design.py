"""Sizes against statsmodels, a textbook figure and simulation."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize, samplesize_proportions_2indep_onetail

from experiments.basis.score_intervals import pooled_z
from experiments.planning.design import design_test, detectable_lift, power_at, power_curve, sample_size
from proofsheet.errors import InputError


@pytest.mark.parametrize(("baseline", "lift"), [(0.012, 0.15), (0.05, 0.1), (0.3, -0.1)])
@pytest.mark.parametrize("comparisons", [1, 11])
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_sizes_agree_with_statsmodels(baseline: float, lift: float, comparisons: int, ratio: float) -> None:
    ours = sample_size(baseline, lift, comparisons=comparisons, ratio=ratio)
    effect = proportion_effectsize(baseline * (1 + lift), baseline)
    arcsine = NormalIndPower().solve_power(effect, alpha=0.05 / comparisons, power=0.8, ratio=ratio)
    assert ours == pytest.approx(arcsine, rel=0.04 if ratio != 1.0 else 0.01)
    if ratio == 1.0:
        theirs = samplesize_proportions_2indep_onetail(baseline * lift, baseline, 0.8, alpha=0.05 / comparisons)
        assert ours == pytest.approx(theirs, rel=0.001)


def test_a_textbook_size() -> None:
    """Fleiss, Levin and Paik: 60 % against 70 %, alpha 0.05, power 0.8: 356 in each group."""
    assert sample_size(0.6, 0.7 / 0.6 - 1) == 356


def test_power_and_lift_invert_the_size() -> None:
    n = sample_size(0.02, 0.15, comparisons=3)
    assert power_at(n, 0.02, 0.15, comparisons=3) == pytest.approx(0.8, abs=0.001)
    assert detectable_lift(n, 0.02, comparisons=3) == pytest.approx(0.15, abs=0.0005)
    assert detectable_lift(3, 0.5) is None


def test_the_power_holds_in_simulation() -> None:
    n, runs = sample_size(0.05, 0.2), 4_000
    rng = np.random.default_rng(17)
    control, arm = rng.binomial(n, 0.05, runs), rng.binomial(n, 0.06, runs)
    found = np.mean([abs(pooled_z(float(a), n, float(c), n)) > 1.959964 for a, c in zip(arm, control, strict=True)])
    assert found == pytest.approx(0.8, abs=0.025)


def test_power_curve_rises_from_alpha() -> None:
    points = power_curve(20_000, 0.02, [0.0, 0.05, 0.1, 0.2, 0.4])
    powers = [p for _, p in points]
    assert powers[0] == 0.05
    assert powers == sorted(powers)
    assert powers[-1] > 0.99


def test_design_counts_days_and_spend() -> None:
    design = design_test(
        baseline=0.012,
        minimum_lift=0.15,
        arms=13,
        daily_units=90_000,
        cost_per_unit=Decimal("0.005"),
        currency="EUR",
    )
    needed = design.n_per_arm * 13 / 90_000
    assert design.days % 7 == 0
    assert needed <= design.days < needed + 7
    assert design.spend == Decimal("0.005") * 90_000 * design.days
    assert design.comparisons == 12


def test_design_says_when_the_days_given_are_too_few() -> None:
    design = design_test(baseline=0.012, minimum_lift=0.05, arms=3, daily_units=10_000, days=10)
    assert design.days == 10
    assert "too few" in design.note
    assert "whole weeks" in design.note


@pytest.mark.parametrize(
    "values", [{"baseline": 0.0}, {"minimum_lift": 0.0}, {"minimum_lift": 200.0}, {"arms": 1}, {"daily_units": 0}]
)
def test_impossible_designs_are_refused(values: dict[str, float]) -> None:
    good: dict[str, float] = {"baseline": 0.01, "minimum_lift": 0.1, "arms": 2, "daily_units": 1_000}
    with pytest.raises(InputError):
        design_test(**{**good, **values})  # type: ignore[arg-type]
