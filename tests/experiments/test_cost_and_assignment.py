"""Prices per thing without division by zero, and hashing of units into arms."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from experiments.assignment import assign, share_of
from experiments.deciding.cost import ArmMoney, arm_costs
from proofsheet.domain.experiment import Arm
from proofsheet.errors import InputError

MONEY = ArmMoney(
    arm="a",
    assets=4,
    approved=3,
    production=Decimal("1.00"),
    spend=Decimal("120.50"),
    impressions=20_000,
    clicks=241,
    conversions=Decimal(10),
    currency="EUR",
)
ARMS = [
    Arm(name="control", variant_id="c", asset_ids=(), is_control=True, weight=2.0),
    Arm(name="off", variant_id="o", asset_ids=(), weight=0.0),
    Arm(name="b", variant_id="b", asset_ids=(), weight=1.0),
    Arm(name="d", variant_id="d", asset_ids=(), weight=1.0),
]


def test_prices_are_exact_decimals() -> None:
    (cost,) = arm_costs([MONEY])
    assert cost.per_asset == Decimal("0.25")
    assert cost.per_approved_asset == Decimal("0.333333")
    assert cost.per_click == Decimal("0.5")
    assert cost.per_conversion == Decimal("12.05")


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_a_price_per_nothing_is_none(assets: int, approved: int, clicks: int, conversions: int) -> None:
    arm = replace(MONEY, assets=assets, approved=approved, clicks=clicks, conversions=Decimal(conversions))
    (cost,) = arm_costs([arm])
    assert (cost.per_asset is None) == (assets == 0)
    assert (cost.per_approved_asset is None) == (approved == 0)
    assert (cost.per_click is None) == (clicks == 0)
    assert (cost.per_conversion is None) == (conversions == 0)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(InputError, match="EUR, USD"):
        arm_costs([MONEY, replace(MONEY, currency="USD")])
    with pytest.raises(InputError, match="negative"):
        arm_costs([replace(MONEY, clicks=-1)])


def test_assignment_follows_the_weights() -> None:
    names = [assign(f"user-{i}", "test-1", ARMS) for i in range(20_000)]
    counts = [names.count(a) for a in ("control", "b", "d")]
    assert sum(counts) == 20_000
    assert stats.chisquare(counts, [10_000, 5_000, 5_000]).pvalue > 1e-4


def test_points_are_uniform_and_independent_between_salts() -> None:
    first = [share_of(f"u{i}", "one") for i in range(5_000)]
    second = [share_of(f"u{i}", "two") for i in range(5_000)]
    assert stats.kstest(first, "uniform").pvalue > 1e-4
    assert abs(stats.pearsonr(first, second).statistic) < 0.06


def test_assignment_is_stable_for_ever() -> None:
    """Values written down once: a change would move people between arms in the middle of a test."""
    assert [assign(u, "exp", ARMS) for u in ("1", "2", "3", "alice", "bob", "ümit")] == PINNED
    assert share_of("alice", "exp") == pytest.approx(PINNED_POINT, abs=1e-15)
    assert share_of("b", "a") != share_of("", "ab")


PINNED = ["d", "control", "d", "b", "control", "b"]
PINNED_POINT = 0.6106417502021286


def test_weights_that_divide_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="weights"):
        assign("u", "s", [Arm(name="a", variant_id="a", asset_ids=(), weight=0.0)])
    with pytest.raises(InputError, match="weights"):
        assign("u", "s", [Arm(name="a", variant_id="a", asset_ids=(), weight=-1.0), ARMS[0]])
