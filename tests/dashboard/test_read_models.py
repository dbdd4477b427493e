"""Read models: what pages say follows from the nouns, and says no more than they hold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from proofsheet.domain.asset import Asset
from proofsheet.domain.experiment import Experiment, ExperimentStatus
from proofsheet.domain.result import Analysis, Call, Evidence, HealthCheck, Result, Status, Validity
from proofsheet.workflows import cost_pages, front_page, pages, result_pages
from warehouse.store import Warehouse

Filled = tuple[Warehouse, tuple[Asset, ...]]
Tested = tuple[Warehouse, Experiment]


def results_of(store: Warehouse) -> result_pages.ResultsPage:
    """The page of the only experiment."""
    with store.read() as reader:
        return result_pages.results_page(reader, "tea-1")


def change_analysis(store: Warehouse, number: int, **changes: object) -> Analysis:
    """Save the latest analysis anew, with changes."""
    with store.write() as writer:
        found = writer.analysis("tea-1")
        assert found is not None
        changed = replace(found, data_version=f"changed-{number}", **changes)  # type: ignore[arg-type]
        writer.save_analysis(changed)
    return changed


def change_primary(store: Warehouse, number: int, **changes: object) -> None:
    """Change every result on the primary metric."""
    with store.read() as reader:
        found = reader.analysis("tea-1")
    assert found is not None
    results = tuple(replace(r, **changes) if r.metric == "ctr" else r for r in found.results)  # type: ignore[arg-type]
    change_analysis(store, number, results=results)


def test_a_scenes_cost_is_shared_by_the_assets_made_from_it(filled: Filled) -> None:
    with filled[0].read() as reader:
        sheet = pages.contact_sheet(reader, "tea")
        total = cost_pages.costs(reader, "tea").total
    generated = [item.cost for item in sheet.items if item.asset.recipe]
    assert generated == [Decimal("0.06")] * 8
    assert sum((item.cost for item in sheet.items), Decimal(0)) == total, "nothing is lost or counted twice"


def test_the_worst_verdict_is_the_grade(filled: Filled) -> None:
    with filled[0].read() as reader:
        sheet = pages.contact_sheet(reader, "tea")
    grades = {item.asset.id: item.grade.value for item in sheet.items if item.grade}
    assert [grades[asset.id] for asset in filled[1]][:3] == ["PASS", "REVIEW", "FAIL"]
    assert sheet.factors == {"scene": ("arch", "table"), "headline": ("slow", "bright")}


def test_filters_narrow_and_orders_keep_every_item(filled: Filled) -> None:
    with filled[0].read() as reader:
        items = pages.contact_sheet(reader, "tea").items
    both = pages.select(items, levels={"scene": ["arch"], "headline": ["slow"]})
    assert {item.asset.variant_id for item in both} == {filled[1][0].variant_id}
    assert pages.select(items, placements=["meta_story"], states=["approved"]) == ()
    for order in pages.ORDERS:
        assert {item.asset.id for item in pages.select(items, order=order)} == {item.asset.id for item in items}
    worst = pages.select(items, order="grade")
    assert [item.grade.value for item in worst if item.grade][:3] == ["FAIL", "REVIEW", "REVIEW"]


def test_covers_are_of_one_placement_and_of_different_variants(filled: Filled) -> None:
    with filled[0].read() as reader:
        items = pages.contact_sheet(reader, "tea").items
    by_hash = {item.asset.sha256: item.asset for item in items}
    chosen = [by_hash[sha256] for sha256 in pages.covers(items, 4)]
    assert {asset.placement for asset in chosen} == {"meta_feed_portrait"}
    assert len({asset.variant_id for asset in chosen}) == 4
    story = [by_hash[sha256] for sha256 in pages.covers(items, 4, placement="meta_story")]
    assert {asset.placement for asset in story} == {"meta_story"}
    assert pages.covers((), 4) == ()


def test_before_the_planned_size_nothing_is_called(tested: Tested) -> None:
    store, _ = tested
    change_primary(store, 1, n_arm=10_000, n_control=10_000)
    page = results_of(store)
    assert not page.reached
    assert page.progress == pytest.approx(0.25)
    assert page.headline == "Too early to call: 25% of the planned size is in"
    assert "beats" not in page.headline + page.sentence


def test_at_the_planned_size_a_winner_is_named_with_its_interval_and_n(tested: Tested) -> None:
    page = results_of(tested[0])
    assert page.headline == "“slow · arch” beats the control on click-through rate"
    assert "+25.0% (95% interval +13.0% to +37.0%, n = 50,000 against 50,000)" in page.sentence
    assert page.proposal is not None
    assert page.proposal.call is Call.SHIP
    assert not any(page.experiment.arms[1].name in reason for reason in page.proposal.reasons), "names, not ids"


def test_before_the_planned_size_a_clear_winner_is_named_where_intervals_hold_at_every_look(tested: Tested) -> None:
    store, _ = tested
    change_primary(store, 1, n_arm=10_000, n_control=10_000, validity=Validity.ALWAYS)
    page = results_of(store)
    assert page.reached
    assert page.headline == "“slow · arch” beats the control on click-through rate"
    assert "ended" not in page.sentence
    assert page.proposal is not None
    assert page.proposal.call is Call.SHIP
    change_primary(store, 2, adjusted_lift_low=-0.01, adjusted_p=0.07)
    page = results_of(store)
    assert page.headline == "Too early to call: 25% of the planned size is in"
    assert page.proposal is not None
    assert page.proposal.call is Call.CONTINUE


def test_an_interval_that_holds_no_lift_is_no_win(tested: Tested) -> None:
    change_primary(tested[0], 2, adjusted_lift_low=-0.01, adjusted_lift_high=0.4)
    page = results_of(tested[0])
    assert page.headline == "No variant is shown to beat the control on click-through rate"


def test_when_all_do_worse_that_is_said(tested: Tested) -> None:
    change_primary(tested[0], 3, lift=-0.2, adjusted_lift_low=-0.3, adjusted_lift_high=-0.1)
    assert results_of(tested[0]).headline.startswith("Every variant does worse")


def test_a_blocking_check_silences_the_result(tested: Tested) -> None:
    broken = HealthCheck(name="sample_ratio", ok=False, message="Units are missing.", severity="blocking")
    change_analysis(tested[0], 4, health=(broken,))
    page = results_of(tested[0])
    assert page.headline == "Do not read these results yet"
    assert page.blocking == (broken,)


def test_without_an_estimate_there_is_no_lift_to_tell(tested: Tested) -> None:
    change_primary(tested[0], 5, lift=None, lift_low=None, lift_high=None, status=Status.NO_DATA)
    assert results_of(tested[0]).headline == "No result yet"


@pytest.mark.parametrize(
    ("higher", "low", "high", "stands"),
    [
        (True, -0.2, 0.1, True),
        (True, -0.4, 0.1, None),
        (True, -0.5, -0.3, False),
        (False, -0.1, 0.2, True),
        (False, 0.1, 0.4, None),
        (False, 0.3, 0.5, False),
        (True, None, 0.1, None),
    ],
)
def test_a_guardrail_holds_when_harm_beyond_its_margin_is_excluded(
    tested: Tested, higher: bool, low: float | None, high: float, stands: bool | None
) -> None:
    base: Result = results_of(tested[0]).guardrails[0].result
    result = replace(base, higher_is_better=higher, lift_low=low, lift_high=high)
    assert result_pages.within(result, 0.25) is stands


def test_the_trend_adds_up_day_by_day(tested: Tested) -> None:
    page = results_of(tested[0])
    control = [point for point in page.trend if point.arm == "baseline"]
    assert [point.trials for point in control] == [3000 * day for day in range(1, 11)]
    assert control[-1].rate == pytest.approx(0.012)
    assert all(point.low < point.rate < point.high for point in page.trend)


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_limits_are_those_of_scipy(pair: tuple[int, int]) -> None:
    successes, trials = pair
    expected = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    low, high = result_pages.wilson(successes, trials)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_titles_of_arms_tell_them_apart(tested: Tested) -> None:
    experiment = tested[1]
    with tested[0].read() as reader:
        sheet = pages.contact_sheet(reader, "tea")
    assert list(result_pages.arm_titles(experiment, sheet).values()) == ["baseline", "slow · arch", "bright · arch"]
    alone = replace(sheet, items=())
    assert list(result_pages.arm_titles(experiment, alone).values()) == ["baseline", "slow", "bright"]


def test_names_replace_ids_only_where_these_stand_alone(tested: Tested) -> None:
    experiment = tested[1]
    titles = {"baseline": "baseline", experiment.arms[1].name: "slow"}
    text = f"{experiment.arms[1].name} on ctr, not spectral: {experiment.arms[1].name}0"
    told = result_pages.named(text, experiment, titles)
    assert told == f"“slow” on click-through rate, not spectral: {experiment.arms[1].name}0"


def test_as_few_factors_as_needed_name_the_variants() -> None:
    levels = [{"scene": "arch", "style": s, "headline": h} for s, h in (("dawn", "a"), ("dusk", "b"), ("dusk", "c"))]
    named = pages.variant_titles({str(number): one for number, one in enumerate(levels)})
    assert list(named.values()) == ["a", "b", "c"]
    levels[2]["headline"] = "b"
    levels[2]["style"] = "noon"
    named = pages.variant_titles({str(number): one for number, one in enumerate(levels)})
    assert list(named.values()) == ["dawn", "dusk", "noon"], "one factor is enough"
    levels.append({"scene": "table", "style": "noon", "headline": "b"})
    named = pages.variant_titles({str(number): one for number, one in enumerate(levels)})
    assert list(named.values()) == ["arch · dawn", "arch · dusk", "arch · noon", "table · noon"]
    assert pages.variant_titles({}) == {}


def test_a_name_always_has_the_locale_where_it_varies() -> None:
    levels = {
        "1": {"headline": "hours", "scene": "arch", "locale": "en-US"},
        "2": {"headline": "slow", "scene": "arch", "locale": "de-DE"},
        "3": {"headline": "north", "scene": "table", "locale": "de-DE"},
    }
    named = pages.variant_titles(levels)
    assert list(named.values()) == ["hours · en-US", "slow · de-DE", "north · de-DE"]
    one = pages.variant_titles({key: level | {"locale": "en-US"} for key, level in levels.items()})
    assert list(one.values()) == ["hours", "slow", "north"]


def test_arms_in_another_language_or_without_a_control_are_cautioned(tested: Tested) -> None:
    store, experiment = tested
    with store.read() as reader:
        assets = reader.assets("tea")
    said = pages.cautions(experiment, assets)
    assert said == ("The control has no picture for Meta story: arms and control are compared only where both ran.",)
    german = [replace(a, locale="de-DE") if a.variant_id == experiment.arms[1].variant_id else a for a in assets]
    assert pages.cautions(experiment, german)[0] == (
        "Arms in de-DE are compared with a control in en-US: language and audience cannot be told apart."
    )
    alike = [a for a in assets if a.placement == "meta_feed_portrait"]
    assert pages.cautions(experiment, alike) == ()
    assert pages.cautions(experiment, ()) == ()


def test_arms_are_shown_in_the_placement_that_looks_largest(tested: Tested) -> None:
    with tested[0].read() as reader:
        sheet = pages.contact_sheet(reader, "tea")
    assert pages.shared_placement(tested[1], sheet) == "meta_feed_portrait"
    strip = [replace(item, asset=replace(item.asset, placement="strip", width=728, height=90)) for item in sheet.items]
    tall = [item for item in sheet.items if item.asset.placement == "meta_story"]
    both = replace(sheet, items=(*strip, *tall))
    assert pages.shared_placement(tested[1], both) == "meta_story", "never a strip if it can be helped"
    assert pages.shared_placement(tested[1], replace(sheet, items=())) == ""


def test_a_test_without_a_report_waits_and_nothing_is_stopped(tested: Tested) -> None:
    waiting = HealthCheck(name="both_arms", ok=None, message="No report has come in yet.", severity="info")
    change_analysis(tested[0], 7, health=(waiting,), results=(), costs=())
    page = results_of(tested[0])
    assert page.waits
    assert page.headline == "Waiting for the first report"
    assert page.blocking == ()
    broken = HealthCheck(name="both_arms", ok=False, message="No data for the control.", severity="blocking")
    change_analysis(tested[0], 8, health=(broken,), results=(), costs=())
    page = results_of(tested[0])
    assert not page.waits
    assert page.headline == "Nothing can be concluded"


def test_observational_evidence_never_beats(tested: Tested) -> None:
    change_primary(tested[0], 6, evidence=Evidence.C)
    page = results_of(tested[0])
    assert "beats" not in page.headline
    assert "not proven" in page.headline


def test_home_asks_for_a_decision_when_a_test_has_ended(tested: Tested) -> None:
    store, experiment = tested
    ended = replace(experiment, status=ExperimentStatus.ENDED, ended_at=experiment.started_at)
    with store.write() as writer:
        writer.save_experiment(ended)
    with store.read() as reader:
        needs = {need.kind: need for need in front_page.overview(reader).needs}
    assert "decide" in needs
    assert needs["decide"].campaign_name == "Tea in summer"
    assert needs["import"].number == 1


def test_a_campaign_without_assets_has_an_overview(planned: Warehouse) -> None:
    with planned.read() as reader:
        page = front_page.overview(reader)
    assert page.campaigns[0].assets == 0
    assert page.needs == ()
