"""The nouns: content-hash ids, the way to JSON and back, money, mergeable aggregates, the state machine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofsheet.domain.asset import Variant
from proofsheet.domain.campaign import BrandKit, Brief, Campaign, Factor, Level, PaletteColour, Product, SafeArea
from proofsheet.domain.experiment import ExperimentStatus
from proofsheet.domain.facts import Delivery
from proofsheet.domain.identity import content_id, to_json
from proofsheet.domain.money import Money
from proofsheet.domain.plain import from_json
from proofsheet.domain.result import Aggregates
from proofsheet.errors import InputError, MissingExtraError, StateError, require


def campaign() -> Campaign:
    factor = Factor(name="scene", levels=(Level(name="arch", prompt="an arch", params={"kind": "arch", "width": 0.5}),))
    brief = Brief(
        slug="spring",
        name="Spring",
        objective="clicks",
        product=Product(name="Tea", image=Path("tea.png")),
        message="Fresh",
        offer="",
        audience="all",
        placements=("square",),
        locales=("en-US",),
        factors=(factor,),
        budget=Money(Decimal("25.00"), "EUR"),
        start=date(2026, 6, 1),
    )
    brand = BrandKit(name="Leaf", palette=(PaletteColour(name="green", hex="#00aa44"),), wordmark="leaf")
    return Campaign(brief=brief, brand=brand)


def test_a_noun_comes_back_from_its_json_unchanged() -> None:
    assert from_json(Campaign, to_json(campaign())) == campaign()


def test_a_fact_with_dates_decimals_and_nones_comes_back_unchanged() -> None:
    fact = Delivery(
        platform="meta", account="", campaign="c", ad_group="g", ad="a", ad_id="1", day=date(2026, 6, 1), day_end=None,
        placement="feed", segment="", impressions=10, clicks=None, link_clicks=1, conversions=Decimal("0.5"),
        conversion_value=None, spend=Decimal("1.23"), currency="EUR", asset_key="", line=2, flags=("odd",),
    )  # fmt: skip
    assert from_json(Delivery, to_json(fact)) == fact


def test_equal_content_has_one_id_whatever_the_order_of_a_mapping() -> None:
    assert Variant(levels={"a": "1", "b": "2"}).id == Variant(levels={"b": "2", "a": "1"}).id
    assert Variant(levels={"a": "1"}).id != Variant(levels={"a": "2"}).id
    assert len(Variant(levels={"a": "1"}).id) == 8


def test_an_id_does_not_depend_on_trailing_zeros_of_a_decimal() -> None:
    assert content_id(Decimal("1.50")) == content_id(Decimal("1.5"))


def test_money_of_two_currencies_is_never_added() -> None:
    with pytest.raises(InputError, match="different currencies"):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "USD")
    assert str(Money(Decimal("1234.5"), "EUR")) == "1,234.50 EUR"
    assert Money(Decimal(1), "EUR").per(0) is None


@pytest.mark.parametrize("code", ["eur", "EU", "E1R", ""])
def test_a_currency_must_be_a_code(code: str) -> None:
    with pytest.raises(InputError, match="ISO 4217"):
        Money(Decimal(1), code)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.integers(1, 39))
def test_merged_aggregates_equal_those_of_the_whole(values: list[float], cut: int) -> None:
    def of(part: list[float]) -> Aggregates:
        if not part:
            return Aggregates(n=0, mean_x=0.0, m2_x=0.0)
        mean = sum(part) / len(part)
        return Aggregates(n=len(part), mean_x=mean, m2_x=sum((value - mean) ** 2 for value in part))

    cut = min(cut, len(values))
    merged, whole = of(values[:cut]).merge(of(values[cut:])), of(values)
    assert merged.n == whole.n
    assert merged.mean_x == pytest.approx(whole.mean_x, rel=1e-9, abs=1e-6)
    assert merged.m2_x == pytest.approx(whole.m2_x, rel=1e-6, abs=1e-3)


def test_an_experiment_moves_only_along_its_states() -> None:
    assert ExperimentStatus.DRAFT.to(ExperimentStatus.RUNNING) is ExperimentStatus.RUNNING
    with pytest.raises(StateError, match="cannot become DECIDED"):
        ExperimentStatus.RUNNING.to(ExperimentStatus.DECIDED)
    with pytest.raises(StateError, match="nothing more"):
        ExperimentStatus.DECIDED.to(ExperimentStatus.RUNNING)


def test_a_safe_area_is_a_box_in_pixels() -> None:
    assert SafeArea(top=0.14, bottom=0.35, left=0.06, right=0.06).box(1080, 1920) == (65, 269, 1015, 1248)


def test_a_missing_extra_names_the_line_that_installs_it() -> None:
    with pytest.raises(MissingExtraError) as caught:
        require("surely_not_installed", "for a test")
    assert 'pip install "proofsheet[creative]"' in caught.value.hint


def test_a_time_comes_back_with_its_zone() -> None:
    moment = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert from_json(datetime, to_json(moment)) == moment
