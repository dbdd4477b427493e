"""Charts and words: the title says the finding, colour follows what may be concluded, numbers are told in full."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dashboard import charts
from dashboard import format as as_text
from proofsheet.domain.assessment import Grade
from proofsheet.domain.experiment import Experiment, ExperimentStatus
from proofsheet.domain.result import Call, Evidence, Status
from proofsheet.workflows import cost_pages, pages, result_pages
from proofsheet.workflows.result_pages import ResultsPage
from warehouse.store import Warehouse

Tested = tuple[Warehouse, Experiment]


@pytest.fixture
def page(tested: Tested) -> ResultsPage:
    """The results of a test past its planned size, with one winner."""
    with tested[0].read() as reader:
        return result_pages.results_page(reader, "tea-1")


def colours(chart: charts.Chart) -> set[str]:
    """Every colour of a marker or a line."""
    found = {trace.marker.color for trace in chart.figure.data if trace.marker and trace.marker.color}
    return found | {trace.line.color for trace in chart.figure.data if trace.line and trace.line.color}


def symbols(chart: charts.Chart) -> list[str]:
    """The markers' shapes, from the lowest lift to the highest."""
    return [trace.marker.symbol for trace in chart.figure.data if trace.marker.symbol]


def test_a_winner_has_its_own_colour_and_its_own_shape(page: ResultsPage) -> None:
    chart = charts.forest(page)
    assert colours(chart) == {charts.BLUE, charts.NEUTRAL}
    assert symbols(chart) == ["circle", "triangle-up"]
    assert chart.title == "1 of 2 variants shown to be better than the control"
    assert "+25.0%, +15.0% to +35.0%" in chart.alt


@pytest.mark.parametrize(
    "changes",
    [{"reached": False}, {"evidence": Evidence.C}, {"blocking": ("a check",)}],
    ids=["too early", "observational", "unhealthy"],
)
def test_what_may_not_be_concluded_is_grey(page: ResultsPage, changes: dict[str, object]) -> None:
    chart = charts.forest(replace(page, **changes))  # type: ignore[arg-type]
    assert colours(chart) == {charts.NEUTRAL}
    assert set(symbols(chart)) == {"circle"}
    assert chart.title.startswith("Lifts so far lie between")
    assert "grey" in chart.note


def test_lower_is_better_turns_the_arrow(page: ResultsPage) -> None:
    arms = tuple(
        replace(row, result=replace(row.result, higher_is_better=False)) if row.result else row for row in page.arms
    )
    assert "triangle-down" in symbols(charts.forest(replace(page, arms=arms)))


def test_both_intervals_are_drawn_and_the_control_is_a_line(page: ResultsPage) -> None:
    chart = charts.forest(page)
    spans = [tuple(trace.x) for trace in chart.figure.data if trace.mode == "lines"]
    assert (0.15, 0.35) in [pytest.approx(span) for span in spans]
    assert (0.13, 0.37) in [pytest.approx(span) for span in spans]
    assert chart.figure.layout.shapes[0].x0 == 0
    assert "95%" in chart.note


def test_a_forest_without_estimates_is_empty_and_says_so(page: ResultsPage) -> None:
    assert charts.forest(replace(page, arms=page.arms[:1])).title == "No lift yet"


def test_the_trend_has_a_line_and_a_shade_an_arm_in_different_dashes(page: ResultsPage) -> None:
    shown = [row.arm.name for row in page.arms]
    chart = charts.trend(page.trend, shown, "clicks")
    lines = [trace for trace in chart.figure.data if trace.mode == "lines"]
    assert len({trace.line.dash for trace in lines}) == len(lines) == 3
    assert len([trace for trace in chart.figure.data if trace.fill == "toself"]) == 3
    assert chart.title.startswith("After 10 days: 1.47%")
    assert charts.trend((), (), "clicks").title == "No daily figures yet"


def test_every_interval_of_the_trend_is_within_the_range_drawn(page: ResultsPage) -> None:
    shown = [row.arm.name for row in page.arms]
    early = [replace(p, trials=10, low=0.0, high=0.4) if p.day.day == 1 else p for p in page.trend]
    for points in (page.trend, early):
        chart = charts.trend(points, shown, "clicks")
        low, high = chart.figure.layout.yaxis.range
        drawn = [value for trace in chart.figure.data for value in trace.y]
        assert low <= min(drawn)
        assert max(drawn) <= high
        assert high < 0.1, "a handful of impressions does not flatten all the rest"
    assert "Each line begins once its arm has 5% of its impressions" in chart.note


def test_bars_say_what_cost_most(tested: Tested) -> None:
    with tested[0].read() as reader:
        chart = charts.cost_bars(cost_pages.costs(reader, "tea"))
    assert chart.title == "Drawing scenes took 82% of the money"
    assert "11 lines" in chart.note


def test_the_matrix_has_a_row_a_variant_and_its_levels_as_words(tested: Tested) -> None:
    with tested[0].read() as reader:
        page = pages.brief_page(reader, "tea")
    assert page.plan is not None
    factors = [factor for factor in page.campaign.brief.factors if factor.name in page.varied]
    chart = charts.design_matrix(page.plan, factors, {})
    assert [list(row) for row in chart.figure.data[0].text] == [
        ["arch", "slow"],
        ["arch", "bright"],
        ["table", "slow"],
        ["table", "bright"],
    ]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (as_text.count(1234567), "1,234,567"),
        (as_text.count(None), "–"),
        (as_text.share(0.0123), "1.23%"),
        (as_text.share(0.00049), "0.049%"),
        (as_text.share(0.5), "50.0%"),
        (as_text.lift(-0.0456), "−4.6%"),
        (as_text.lift(0.25), "+25.0%"),
        (as_text.interval(-0.1, None), "−10.0% to unbounded"),
        (as_text.interval(None, None), "–"),
        (as_text.p_value(0.0004), "< 0.001"),
        (as_text.p_value(0.0312), "0.031"),
        (as_text.chance(0.9999), "> 99%"),
        (as_text.chance(0.001), "< 1%"),
        (as_text.chance(0.874), "87%"),
        (as_text.money(Decimal("1234.5"), "EUR"), "1,234.50 EUR"),
        (as_text.money(Decimal("0.0042"), "EUR"), "0.0042 EUR"),
        (as_text.money(None, "EUR"), "–"),
        (as_text.moment(datetime(2026, 6, 1, 9, 5, tzinfo=UTC)), "01 Jun 2026, 09:05 UTC"),
        (as_text.duration(0.25), "250 ms"),
        (as_text.duration(75), "75.0 s"),
        (as_text.duration(600), "10.0 min"),
        (as_text.duration(7200), "2.0 h"),
        (as_text.size(999), "999 B"),
        (as_text.size(30_000_000), "30.0 MB"),
        (as_text.plural(1, "asset"), "1 asset"),
        (as_text.plural(2, "entry", "entries"), "2 entries"),
        (as_text.words("meta_feed-portrait"), "Meta feed portrait"),
        (as_text.words("cta"), "Call to action"),
    ],
)
def test_numbers_are_told_as_people_read_them(told: str, expected: str) -> None:
    assert told == expected


def test_a_lift_never_stands_without_its_interval(page: ResultsPage) -> None:
    result = page.arms[1].result
    assert result is not None
    assert as_text.lift_with_interval(result) == "+25.0%  (+15.0% to +35.0%)"
    none = replace(result, lift=None, status=Status.ZERO_CONTROL)
    assert as_text.lift_with_interval(none) == "the control has none, so there is no relative lift"


def test_every_grade_state_and_call_has_words() -> None:
    assert set(as_text.GRADES) == {*Grade, None}
    assert set(as_text.STATES) == set(pages.STATES)
    assert set(as_text.STATUSES) == set(ExperimentStatus)
    assert set(as_text.CALLS) == set(Call)
    assert all(as_text.no_estimate(status) for status in Status if status is not Status.OK)
