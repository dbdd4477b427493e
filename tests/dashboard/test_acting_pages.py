"""Pages on which something is done: launch, end, decide, export, import. What is clicked is in the warehouse."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard import actions
from proofsheet.domain.asset import Asset
from proofsheet.domain.experiment import Experiment, ExperimentStatus
from proofsheet.domain.result import Call
from proofsheet.errors import InputError
from warehouse.store import Warehouse

from .experiment_nouns import approve

pytestmark = pytest.mark.slow

Open = Callable[..., AppTest]
Filled = tuple[Warehouse, tuple[Asset, ...]]
Tested = tuple[Warehouse, Experiment]

END = datetime(2026, 6, 30, tzinfo=UTC)
REPORT = (
    "Day,Campaign name,Ad name,Impressions,Link clicks,Amount spent (EUR),Results\n"
    "2026-07-01,Tea,tea_{variant},1000,12,3.50,2\n"
    "2026-07-02,Tea,tea_{variant},1100,14,3.75,1\n"
)


def words(app: AppTest) -> str:
    """All words on the page."""
    parts = (*app.markdown, *app.caption, *app.title, *app.header, *app.subheader, *app.warning, *app.success)
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def test_nothing_approved_means_nothing_to_test_yet(open_page: Open, filled: Filled) -> None:
    assert "Not enough to test yet" in words(open_page("experiment"))


@pytest.mark.slow
def test_the_preview_is_worked_out_and_the_first_click_launches_nothing(open_page: Open, filled: Filled) -> None:
    store, assets = filled
    approve(store, assets)
    app = open_page("experiment")
    values = {metric.label: metric.value for metric in app.metric}
    assert values["Power"] == "80%"
    assert int(values["Impressions per arm"].replace(",", "")) > 10_000
    app.button(key="launch").click().run()
    assert "5 arms" in words(app)
    with store.read() as reader:
        assert reader.experiments("tea") == ()


@pytest.mark.slow
def test_a_report_that_came_in_after_the_analysis_is_analyzed_on_sight(open_page: Open, tested: Tested) -> None:
    store, experiment = tested
    with store.write() as writer:
        found = writer.analysis(experiment.id)
        assert found is not None
        writer.save_analysis(replace(found, at=experiment.started_at, data_version="before the report"))
    app = open_page("experiment")
    assert not app.error
    with store.read() as reader:
        fresh = reader.analysis(experiment.id)
    assert fresh is not None
    assert {row.n_arm for row in fresh.results if row.metric == "ctr"} == {30_000}
    assert "Too early to call: 75% of the planned size is in" in words(app)


@pytest.mark.slow
def test_a_decision_against_the_rule_needs_a_reason_and_is_recorded_with_it(open_page: Open, tested: Tested) -> None:
    store, experiment = tested
    with store.write() as writer:
        found = writer.analysis(experiment.id)
        assert found is not None
        writer.save_analysis(replace(found, at=experiment.started_at, data_version="before the report"))
        writer.save_experiment(replace(experiment, status=ExperimentStatus.ENDED, ended_at=END))
    app = open_page("experiment")
    submit = next(button for button in app.button if button.label == "Record the decision")
    proposed = app.radio[0].value
    other = Call.INCONCLUSIVE if proposed is not Call.INCONCLUSIVE else Call.STOP
    app.radio[0].set_value(other)
    submit.click().run()
    assert any("needs a reason" in str(box.value) for box in app.error)
    with store.read() as reader:
        assert reader.decisions("tea-1") == ()
    why = next(field for field in app.text_input if field.label == "Why")
    why.set_value("the season is over")
    next(button for button in app.button if button.label == "Record the decision").click().run()
    with store.read() as reader:
        (decision,) = reader.decisions("tea-1")
    assert (decision.call, decision.override, decision.decided_by) == (other, "the season is over", "mia")
    assert "the season is over" in words(app)
    assert "Inconclusive" in words(open_page()) or "Stop: keep the control" in words(open_page()), "home tells it too"


def test_the_export_page_builds_an_archive_that_opens(open_page: Open, filled: Filled) -> None:
    store, assets = filled
    approve(store, assets[:1])
    app = open_page("export")
    app.button(key="build").click().run()
    if app.error:
        pytest.fail(str(app.error[0].value))
    archives = list((store.home / "exports").rglob("*.zip"))
    assert len(archives) == 1
    with zipfile.ZipFile(archives[0]) as bundle:
        pictures = [name for name in bundle.namelist() if not name.endswith(".csv")]
        sizes = [Image.open(io.BytesIO(bundle.read(name))).size for name in pictures]
    assert sizes == [(1080, 1350)]
    assert any("utm_content" in str(table.value.columns) for table in app.dataframe)


def test_a_report_is_looked_at_first_and_loaded_on_a_click(open_page: Open, filled: Filled) -> None:
    store, assets = filled
    app = open_page("imports")
    report = REPORT.format(variant=assets[0].variant_id).encode()
    app.file_uploader[0].upload("report.csv", report, "text/csv").run()
    assert not app.exception
    assert not app.error
    assert {metric.label: metric.value for metric in app.metric}["Would load"] == "2"
    with store.read() as reader:
        assert reader.imports() == (), "looking stores nothing"
    app.button(key="ingest").click().run()
    with store.read() as reader:
        (record,) = reader.imports()
    assert (record.loaded, record.set_aside) == (2, 0)


def test_a_file_that_is_no_report_is_told_and_nothing_is_stored(open_page: Open, filled: Filled) -> None:
    store, _ = filled
    app = open_page("imports")
    app.file_uploader[0].upload("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "text/csv").run()
    assert not app.exception
    assert app.error
    with store.read() as reader:
        assert reader.imports() == ()


def test_answers_are_read_as_on_the_command_line() -> None:
    answers = ("--option date_order=dmy", "--map clicks=Link clicks", "--option result_type='purchase'")
    assert actions.understood(answers) == (
        None,
        {"clicks": "Link clicks"},
        {"date_order": "dmy", "result_type": "purchase"},
    )
    assert actions.understood(("--layout meta",))[0] == "meta"


@pytest.mark.parametrize("answer", ["dmy", "--option date_order", "--layout", "--map =x", "--rm x=y"])
def test_what_is_no_answer_is_refused(answer: str) -> None:
    with pytest.raises(InputError, match="not an answer"):
        actions.understood((answer,))


def test_an_uploaded_name_cannot_leave_its_folder(filled: Filled, tmp_path: Path) -> None:
    for name in ("../../evil.csv", "..\\..\\evil.csv", "/tmp/evil.csv"):
        found = actions.inspect(name, REPORT.format(variant="a").encode())
        assert found.file_name == "evil.csv"
    assert not list(tmp_path.rglob("evil.csv"))
