"""The nouns: content-hash ids, the way to JSON and back, money, mergeable aggregates, the state machine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
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


@given(
    st.lists(st.integers(0, 60), max_size=12),
    st.sampled_from([0.0, 1e6, -1e9, 1e9, 1e11]),
    st.integers(0, 10**6),
)
@settings(max_examples=40)
def test_shards_merge_to_the_whole_far_from_zero_too(cuts: list[int], offset: float, seed: int) -> None:
    """Against rational arithmetic on the very floats, to 1e-10: means to the spread, and every moment."""
    random = Random(seed)
    x = [offset + random.gauss(0.0, 1.0) for _ in range(60)]
    y = [offset + 0.5 * (value - offset) + random.gauss(0.0, 1.0) for value in x]

    def of(first: int, last: int) -> Aggregates:
        n = last - first
        if not n:
            return Aggregates(n=0, mean_x=0.0, m2_x=0.0)
        columns = [[Fraction(value) for value in column[first:last]] for column in (x, y)]
        means = [sum(column) / n for column in columns]
        u, v = ([value - mean for value in column] for column, mean in zip(columns, means, strict=True))
        return Aggregates(
            n=n,
            mean_x=float(means[0]),
            rest_x=float(means[0] - Fraction(float(means[0]))),
            m2_x=float(sum(a * a for a in u)),
            mean_y=float(means[1]),
            rest_y=float(means[1] - Fraction(float(means[1]))),
            m2_y=float(sum(a * a for a in v)),
            cxy=float(sum(a * b for a, b in zip(u, v, strict=True))),
        )

    edges = [0, *sorted(cuts), 60]
    merged, whole = of(0, 0), of(0, 60)
    for first, last in pairwise(edges):
        merged = merged.merge(of(first, last))
    assert merged.n == 60
    size = (whole.m2_x * whole.m2_y) ** 0.5
    assert merged.m2_x == pytest.approx(whole.m2_x, rel=1e-10)
    assert merged.m2_y == pytest.approx(whole.m2_y, rel=1e-10)
    assert merged.cxy == pytest.approx(whole.cxy, abs=1e-10 * size)
    for got, true in (
        ((merged.mean_x, merged.rest_x), (whole.mean_x, whole.rest_x)),
        ((merged.mean_y, merged.rest_y), (whole.mean_y, whole.rest_y)),
    ):
        assert (got[0] - true[0]) + (got[1] - true[1]) == pytest.approx(0.0, abs=1e-10)


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
