"""Every page in its empty and its filled state, through the real app script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.navigation import ENTRIES
from proofsheet.domain.asset import Asset
from proofsheet.domain.experiment import Experiment
from warehouse.store import Warehouse

from .campaign_nouns import fill_campaign

pytestmark = pytest.mark.slow

NAMES = [entry.name for entry in ENTRIES]
Open = Callable[..., AppTest]
Filled = tuple[Warehouse, tuple[Asset, ...]]
Tested = tuple[Warehouse, Experiment]


def problems(app: AppTest) -> list[str]:
    """Every error box and uncaught exception on the page."""
    return [str(box.value) for box in (*app.error, *app.exception)]


def text(app: AppTest) -> str:
    """All words on the page, as read: without the backslashes that keep Markdown from being read."""
    parts = (*app.markdown, *app.caption, *app.title, *app.header, *app.subheader, *app.code, *app.warning, *app.info)
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_warehouse_shows_no_error_and_what_to_do(open_page: Open, home: Path, name: str) -> None:
    app = open_page(name)
    assert problems(app) == []
    assert "proofsheet" in "\n".join(str(part.value) for part in app.code) or name == "home"
    assert not home.exists(), "looking creates nothing"


def test_the_empty_home_names_the_two_ways_to_begin(open_page: Open) -> None:
    app = open_page()
    commands = "\n".join(str(part.value) for part in app.code)
    assert "make demo" in commands
    assert "proofsheet plan" in commands


@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_campaign_shows_no_error(open_page: Open, filled: Filled, name: str) -> None:
    app = open_page(name)
    assert problems(app) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_campaign_with_a_test_and_a_report_shows_no_error(open_page: Open, tested: Tested, name: str) -> None:
    app = open_page(name)
    assert problems(app) == []


def test_home_says_what_waits(open_page: Open, filled: Filled) -> None:
    shown = text(open_page())
    assert "9 assets wait for review" in shown
    assert "Tea in summer" in shown


def test_home_says_that_a_test_runs_and_that_a_row_was_set_aside(open_page: Open, tested: Tested) -> None:
    shown = text(open_page())
    assert "is running" in shown
    assert "1 row of one report could not be loaded" in shown


def test_the_users_own_words_are_not_read_as_markdown(open_page: Open, filled: Filled) -> None:
    app = open_page("brief")
    assert any("\\*nothing\\*" in str(part.value) for part in app.markdown)


def test_the_brief_says_how_good_the_plan_is(open_page: Open, filled: Filled) -> None:
    app = open_page("brief")
    assert "none is entangled" in text(app)
    assert [metric.value for metric in app.metric] == ["100%"]
    assert "4 variants: every combination of 2 factors" in text(app)


def test_filters_come_from_the_address(open_page: Open, filled: Filled) -> None:
    app = open_page("sheet", placement="Meta story")
    assert "4 shown of 9 assets" in text(app)
    app = open_page("sheet", placement="Meta story", scene="Arch")
    assert "2 shown of 9 assets" in text(app)
    app = open_page("sheet", grade="Fail")
    assert "1 shown of 9 assets" in text(app)


def test_filters_that_nothing_passes_say_so(open_page: Open, filled: Filled) -> None:
    app = open_page("sheet", state="Rejected")
    assert "No asset passes" in text(app)
    assert problems(app) == []


def test_a_long_sheet_has_pages_and_the_page_is_in_the_address(
    open_page: Open, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.views.sheet.PER_PAGE", 4)
    seen: list[str] = []
    for number in ("1", "2", "3"):
        app = open_page("sheet", page=number)
        seen += [button.key.removeprefix("open-") for button in app.button if (button.key or "").startswith("open-")]
    assert sorted(seen) == sorted(asset.id for asset in filled[1]), "each asset once"


@pytest.mark.slow
def test_the_campaign_in_the_address_is_shown_and_an_unknown_one_is_not_an_error(
    open_page: Open, filled: Filled, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    fill_campaign(filled[0], tmp_path / "second", slug="water")
    for slug in ("tea", "water"):
        app = open_page("sheet", campaign=slug)
        assert app.selectbox(key="campaign-choice").value == slug
    app.selectbox(key="campaign-choice").set_value("tea").run()
    assert app.query_params["campaign"] == "tea", "the address follows the choice"
    app = open_page("sheet", campaign="nobody")
    assert problems(app) == []
    assert app.selectbox(key="campaign-choice").value == "tea"


def test_an_asset_opens_by_its_address_and_tells_everything(open_page: Open, filled: Filled) -> None:
    asset = filled[1][2]
    app = open_page("sheet", asset=asset.id)
    shown = text(app)
    assert "The headline has a contrast of 3.2" in shown
    assert "Choose a darker ink" in shown
    assert any("arch, morning light" in str(table.value) for table in app.table)
    assert "0.06" in shown, "its own 0.01 and a quarter of its scene's 0.20"


def test_two_assets_stand_side_by_side(open_page: Open, filled: Filled) -> None:
    first, second = filled[1][0], filled[1][4]
    app = open_page("sheet", **{"asset": first.id, "with": second.id})
    assert {part.value for part in app.subheader} >= {"slow · arch", "slow · table"}


def test_an_unknown_asset_is_said_and_the_sheet_is_shown(open_page: Open, filled: Filled) -> None:
    app = open_page("sheet", asset="nonsense")
    assert "There is no asset nonsense" in text(app)
    assert problems(app) == []


def test_a_missing_picture_is_told_with_its_remedy_and_no_traceback(open_page: Open, filled: Filled) -> None:
    store, assets = filled
    store.pictures.path(assets[0].sha256).unlink()
    st.cache_data.clear()
    app = open_page("sheet", asset=assets[0].id)
    assert not app.exception
    assert any("missing" in str(box.value) for box in app.error)
    assert problems(open_page("sheet")) == [], "the others are still shown"


def test_a_damaged_warehouse_is_told_with_its_remedy_and_no_traceback(open_page: Open, filled: Filled) -> None:
    (filled[0].home / "warehouse.duckdb").write_bytes(b"no database" * 400)
    app = open_page()
    assert not app.exception
    assert len(app.error) == 1


def test_costs_are_per_asset_and_per_approved_asset(open_page: Open, tested: Tested) -> None:
    values = {metric.label: metric.value for metric in open_page("cost").metric}
    assert values["Making, in all"] == "0.49 EUR"
    assert values["Per asset"] == "0.05 EUR"
    assert values["Per approved asset"] == "0.07 EUR"
    assert values["Media per conversion"] == "10.00 EUR"


def test_imports_show_each_row_that_was_set_aside(open_page: Open, tested: Tested) -> None:
    app = open_page("imports")
    assert any("not a day" in str(table.value) for table in app.dataframe)
    assert {metric.label: metric.value for metric in app.metric}["Set aside"] == "1"
