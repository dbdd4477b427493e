"""The page of a test: health in three words, what it waits for, and what its arms are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import format as as_text
from dashboard.actions import inspect
from dashboard.views import health
from proofsheet.domain.experiment import Experiment
from proofsheet.domain.result import HealthCheck
from warehouse.store import Warehouse

pytestmark = pytest.mark.slow

Open = Callable[..., AppTest]
Tested = tuple[Warehouse, Experiment]

HOLDS = HealthCheck(name="both_arms", ok=True, message="All arms have data.")
TO_KNOW = HealthCheck(name="sample_ratio", ok=False, message="Shares differ.", severity="warning")
STOPS = HealthCheck(name="both_arms", ok=False, message="No control.", severity="blocking")
WAITS = HealthCheck(name="enough_data", ok=False, message="9% of the plan.", severity="info")
UNKNOWN = HealthCheck(name="delivery_balance", ok=None, message="Cannot be seen.", severity="warning")


def words(app: AppTest) -> str:
    """All words on the page, and the labels of what is folded."""
    parts = (*app.markdown, *app.caption, *app.header, *app.subheader, *app.warning)
    folded = [str(one.label) for one in app.expander]
    return "\n".join([*(str(part.value) for part in parts), *folded]).replace("\\", "")


def save_health(tested: Tested, checks: tuple[HealthCheck, ...], **changes: object) -> None:
    """Give the test these checks."""
    with tested[0].write() as writer:
        found = writer.analysis("tea-1")
        assert found is not None
        version = f"health-{len(checks)}-{len(changes)}"
        writer.save_analysis(replace(found, health=checks, data_version=version, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("check", "expected"),
    [(HOLDS, "holds"), (TO_KNOW, "know"), (STOPS, "stops"), (WAITS, "waits"), (UNKNOWN, "waits")],
)
def test_each_check_has_one_of_three_words_or_holds(check: HealthCheck, expected: str) -> None:
    assert health.standing(check) == expected


def test_the_header_counts_what_holds_and_what_does_not() -> None:
    assert health.summary((HOLDS, HOLDS, TO_KNOW)) == "Health: 2 hold, 1 to know"
    assert health.summary((STOPS, HOLDS, WAITS)) == "Health: 1 stops every conclusion, 1 hold, 1 not known yet"
    assert health.summary(()) == "Health: nothing checked yet"


def test_what_is_worth_knowing_does_not_read_as_failed_beside_a_winner(open_page: Open, tested: Tested) -> None:
    save_health(tested, (HOLDS, TO_KNOW))
    shown = words(open_page("experiment"))
    assert "Health: 1 hold, 1 to know" in shown
    assert "worth knowing" in shown
    assert "beats the control" in shown
    assert "fails" not in shown
    assert "checks failed" not in shown


def test_what_stops_is_said_and_no_winner_is_named(open_page: Open, tested: Tested) -> None:
    save_health(tested, (STOPS, HOLDS))
    shown = words(open_page("experiment"))
    assert "stops every conclusion" in shown
    assert "beats" not in shown


def test_a_fresh_test_waits_for_its_first_report(open_page: Open, tested: Tested) -> None:
    unknown = HealthCheck(name="both_arms", ok=None, message="No report has come in yet.", severity="info")
    save_health(tested, (unknown,), results=(), costs=())
    shown = words(open_page("experiment"))
    assert "Waiting for the first report" in shown
    assert "stops every conclusion" not in shown.lower()


def test_what_the_pictures_do_not_let_the_test_tell_stands_on_the_page(open_page: Open, tested: Tested) -> None:
    assert "The control has no picture for Meta story" in words(open_page("experiment"))
    app = open_page("experiment", experiment="new")
    assert "The control has no picture for Meta story" in words(app)


def test_each_arm_is_shown_with_its_elements_and_its_costs(open_page: Open, tested: Tested) -> None:
    tables = [table.value for table in open_page("experiment").dataframe]
    made = next(table for table in tables if "Assets" in table.columns)
    assert list(made["Headline"]) == ["–", "slow", "bright"]
    costs = next(table for table in tables if "Per conversion" in table.columns)
    assert list(costs["Per conversion"]) == ["10.00 EUR"] * 3


def test_every_flag_of_a_report_is_explained_in_words(open_page: Open, tested: Tested) -> None:
    head = "Reporting starts,Reporting ends,Campaign name,Ad name,Ad ID,Impressions,Clicks (all),Link clicks"
    rows = (
        "2026-06-20,2026-06-20,Tea,tea_8d0232e6,1.23E+17,1000,12,15,-3.50",
        "2026-06-20,2026-06-20,Tea,tea_8d0232e6,1.23E+17,10,12,12,3.50",
        "2026-06-21,2026-06-21,Tea,tea_8d0232e6_936224fc,123,100,12,12,3.50",
        "2095-06-21,2095-06-21,Tea,tea_8d0232e6,123,100,12,12,3.50",
    )
    found = inspect("report.csv", "\n".join((f"{head},Amount spent (EUR)", *rows)).encode())
    assert len(found.flags) >= 6
    assert set(found.flags) <= set(as_text.FLAGS)
    store, _ = tested
    with store.read() as reader:
        record = reader.imports()[0]
    assert "What a flag means" not in words(open_page("imports", **{"import": record.id}))


def test_the_upload_offers_no_file_that_is_refused(open_page: Open, tested: Tested) -> None:
    offered = open_page("imports").get("file_uploader")[0].proto.type  # type: ignore[attr-defined]
    assert sorted(offered) == [".csv", ".tsv", ".txt", ".xlsx"]
