"""Judging on the review page: what is clicked is in the warehouse, with name, reason and a way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from proofsheet.domain.assessment import Judgement
from proofsheet.domain.asset import Asset
from warehouse.store import Warehouse

pytestmark = pytest.mark.slow

Open = Callable[..., AppTest]
Filled = tuple[Warehouse, tuple[Asset, ...]]


def judgements(store: Warehouse) -> dict[str, tuple[Judgement, str, str]]:
    """What counts now, by asset."""
    with store.read() as reader:
        found = reader.latest_reviews("tea")
    return {key: (one.judgement, one.reason, one.reviewer) for key, one in found.items()}


def test_approving_is_kept_and_the_next_one_comes(open_page: Open, filled: Filled) -> None:
    store, assets = filled
    app = open_page("review")
    app.button(key="approve").click().run()
    assert judgements(store) == {assets[0].id: (Judgement.APPROVE, "", "mia")}
    assert "1 of 9 reviewed" in str(app.get("progress")[0].proto)  # type: ignore[attr-defined]
    assert not app.error


def test_the_name_typed_at_the_side_is_recorded(open_page: Open, filled: Filled) -> None:
    store, assets = filled
    app = open_page("review")
    app.text_input(key="person").set_value("Ida").run()
    app.button(key="approve").click().run()
    assert judgements(store)[assets[0].id][2] == "Ida"


def test_rejecting_without_a_reason_is_refused_and_with_one_kept(open_page: Open, filled: Filled) -> None:
    store, assets = filled
    app = open_page("review")
    app.button(key="reject").click().run()
    assert any("needs a reason" in str(box.value) for box in app.error)
    assert not any("--reason" in str(box.value) for box in app.error), "no command line on a page"
    assert judgements(store) == {}
    first = assets[0].id
    app.button_group(key=f"reason-{first}").set_value("Off brand").run()
    app.text_input(key=f"words-{first}").set_value("wrong green").run()
    app.button(key="reject").click().run()
    assert judgements(store)[first] == (Judgement.REJECT, "Off brand: wrong green", "mia")


def test_a_fail_is_not_approved_without_a_reason(open_page: Open, filled: Filled) -> None:
    store, _ = filled
    app = open_page("review", queue="Fail")
    app.button(key="approve").click().run()
    assert any("fails contrast" in str(box.value) for box in app.error)
    assert not any("--reason" in str(box.value) for box in app.error), "no command line on a page"
    assert judgements(store) == {}


def test_all_that_pass_are_approved_at_once_and_taken_back_by_undo(open_page: Open, filled: Filled) -> None:
    store, _ = filled
    app = open_page("review")
    app.button(key="bulk").click().run()
    assert [one[0] for one in judgements(store).values()] == [Judgement.APPROVE] * 6
    app.button(key="undo").click().run()
    assert {one[0] for one in judgements(store).values()} == {Judgement.WITHDRAW}
    assert "0 of 9 reviewed" in str(app.get("progress")[0].proto)  # type: ignore[attr-defined]


def test_later_moves_on_without_judging(open_page: Open, filled: Filled) -> None:
    store, _ = filled
    app = open_page("review")
    before = [part.value for part in (*app.subheader, *app.caption)]
    app.button(key="skip").click().run()
    assert [part.value for part in (*app.subheader, *app.caption)] != before
    assert judgements(store) == {}
