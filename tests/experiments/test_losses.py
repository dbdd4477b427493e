"""What shipping is expected to lose: against closed forms, the exact pair model and draws from the posteriors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from experiments.bayes.conjugate import beta_pair
from experiments.comparing.analysis import compare
from experiments.comparing.readings import OneLook
from experiments.deciding.losses import with_losses
from proofsheet.domain.experiment import Metric, Role
from proofsheet.domain.result import Aggregates, Result

Binary = Callable[[int, int], Aggregates]


def test_one_arm_of_units_loses_what_the_exact_pair_says(proportion: Metric, binary: Binary) -> None:
    """Oracles: the beta-binomial pair of ``bayes.conjugate``, and a million draws."""
    arms = {"c": binary(900, 90), "b": binary(1_000, 104)}
    (row,) = with_losses(compare(proportion, arms, "c", experiment="e"), units=True)
    stakes = beta_pair(104, 1_000, 90, 900).stakes()
    assert row.expected_loss == pytest.approx(float(stakes.loss_of_arm) / 0.1, rel=1e-6)
    rng = np.random.default_rng(1)
    arm, control = rng.beta(105, 897, 1_000_000), rng.beta(91, 811, 1_000_000)
    assert row.expected_loss == pytest.approx(np.maximum(control - arm, 0.0).mean() / 0.1, rel=0.01)
    lower = replace(proportion, higher_is_better=False)
    (row,) = with_losses(compare(lower, arms, "c", experiment="e"), units=True)
    assert row.expected_loss == pytest.approx(float(stakes.loss_of_control) / 0.1, rel=1e-6)


def normal_row(mean: Metric, arm: Aggregates, control: Aggregates, *, higher: bool = True) -> Result:
    metric = replace(mean, higher_is_better=higher)
    (row,) = with_losses(compare(metric, {"c": control, "b": arm}, "c", experiment="e", reading=OneLook()), units=True)
    return row


def test_a_mean_loses_by_its_lift_and_error(mean: Metric) -> None:
    """Oracle: the closed form ``s phi(z) - d Phi(-z)`` of a normal posterior."""
    control, arm = (
        Aggregates(n=5_000, mean_x=10.0, m2_x=5_000 * 16.0),
        Aggregates(n=5_000, mean_x=10.1, m2_x=5_000 * 16.0),
    )
    row = normal_row(mean, arm, control)
    assert row.lift is not None
    assert row.lift_error is not None
    z = row.lift / row.lift_error
    loss = row.lift_error * stats.norm.pdf(z) - row.lift * stats.norm.sf(z)
    assert row.expected_loss == pytest.approx(loss, rel=1e-5)
    assert row.lift_error == pytest.approx(math.sqrt(2 * 16 / 5_000) / 10, rel=0.02)
    other = normal_row(mean, arm, control, higher=False)
    assert other.expected_loss == pytest.approx(loss + row.lift, rel=1e-5)


def test_of_several_arms_the_loss_is_against_the_best_of_all(proportion: Metric, mean: Metric, binary: Binary) -> None:
    arms = {"c": binary(2_000, 200), "b": binary(2_000, 230), "d": binary(2_000, 225), "f": binary(2_000, 180)}
    rows = with_losses(compare(proportion, arms, "c", experiment="e"), units=True)
    rng = np.random.default_rng(2)
    draws = np.stack([rng.beta(1 + x, 2_001 - x, 400_000) for x in (200, 230, 225, 180)])
    wanted = (draws.max(axis=0) - draws).mean(axis=1)[1:] / 0.1
    assert [r.expected_loss for r in rows] == pytest.approx(wanted, rel=0.02)
    # The normal model with a shared control says nearly the same of as many units.
    normal = with_losses(compare(proportion, arms, "c", experiment="e", reading=OneLook()), units=False)
    assert [r.expected_loss for r in normal] == pytest.approx(wanted, rel=0.1)


def test_metrics_do_not_compete_and_what_is_unknown_has_no_loss(
    proportion: Metric, mean: Metric, binary: Binary
) -> None:
    known = compare(proportion, {"c": binary(500, 50), "b": binary(500, 60)}, "c", experiment="e")
    other = compare(replace(proportion, name="x"), {"c": binary(500, 5), "b": binary(500, 400)}, "c", experiment="e")
    no_control = compare(replace(proportion, name="y"), {"c": binary(500, 0), "b": binary(500, 4)}, "c", experiment="e")
    empty = compare(replace(proportion, name="z"), {"c": binary(0, 0), "b": binary(5, 1)}, "c", experiment="e")
    still = Aggregates(n=9, mean_x=2.0, m2_x=0.0)
    same = compare(mean, {"c": still, "b": still}, "c", experiment="e", reading=OneLook())
    rows = with_losses([*known, *other, *no_control, *empty, *same], units=True)
    (alone,) = with_losses(known, units=True)
    assert rows[0] == alone
    assert [r.expected_loss is None for r in rows] == [False, False, True, True, True]
    assert with_losses([], units=True) == ()


def test_a_guardrail_has_no_loss_as_nothing_ships_by_it(proportion: Metric, binary: Binary) -> None:
    guard = replace(proportion, role=Role.GUARDRAIL)
    rows = compare(guard, {"c": binary(500, 50), "b": binary(500, 60)}, "c", experiment="e")
    assert [r.expected_loss for r in with_losses(rows, units=True)] == [None]
