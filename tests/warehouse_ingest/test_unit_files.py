"""Unit-level files: logs of events and tables of units."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proofsheet.errors import InputError
from warehouse.importers.reading import Reading, Request
from warehouse.importers.unit_events import UnitEventsImporter
from warehouse.inspection import Inspection
from warehouse.reports.table import open_table

Reports = dict[str, str]
Look = Callable[..., Inspection]
GATE = {"unit": "player", "arm": "gate", "outcomes": "back_1,back_7,rounds"}


def read(path: Path, mapping: dict[str, str] | None = None, **options: str) -> Reading:
    table = open_table(path, lambda key: int(key in UnitEventsImporter().header_keys()), options)
    return UnitEventsImporter().read(table, Request(mapping=mapping or {}, options=options))


def test_a_log_becomes_exposures_and_outcomes(laid_down: Callable[..., Path], reports: Reports) -> None:
    reading = read(laid_down(reports["log"]))
    assert [(item.experiment, item.unit, item.arm) for item in reading.exposures] == [
        ("hero", "u1", "a"),
        ("hero", "u2", "b"),
    ]
    assert reading.exposures[1].at == datetime(2026, 3, 1, 8, 5, tzinfo=UTC)
    assert [(item.unit, item.event, item.value) for item in reading.outcomes] == [
        ("u1", "purchase", 19.9),
        ("u2", "click", 1.0),
    ]
    assert (reading.rows_in, reading.loaded, reading.kind) == (4, 4, "events")


def test_a_log_without_exposures_is_asked_about(look: Look, reports: Reports) -> None:
    text = reports["log"].replace("exposure", "page_view")
    found = look(text)
    assert [item.topic for item in found.questions] == ["exposure"]
    assert "--option exposure='page_view'" in found.questions[0].answers
    assert look(text, exposure="page_view").totals["units"] == 2
    with pytest.raises(InputError, match="no row has this event"):
        look(text, exposure="dream")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("hero,,a,2026-03-01,exposure,", "is empty"),
        ("hero,u3,,2026-03-01,exposure,", "is empty"),
        ("hero,u3,a,,exposure,", "is empty"),
        (",u3,a,2026-03-01,exposure,", "is empty"),
        ("hero,u3,a,soon,exposure,", "not a day"),
        ("hero,u3,a,2026-03-01,purchase,lots", "not a number"),
        ("hero,u3,a,2026-03-01", "has 4 cells"),
        ("experiment,unit,arm,timestamp,event,value", "the header again"),
    ],
)
def test_bad_rows_of_a_log_are_set_aside(look: Look, reports: Reports, row: str, words: str) -> None:
    found = look(reports["log"] + row + "\n")
    assert (found.rows_in, found.loaded, found.set_aside) == (5, 4, 1)
    assert words in found.rejects[0].reason
    assert found.totals["purchase"] == found.totals["purchase"].__class__("19.90")


def test_a_table_of_units_needs_to_be_told(look: Look, reports: Reports) -> None:
    found = look(reports["units"])
    assert found.layout == "unit_events"
    assert [item.topic for item in found.questions] == ["unit", "arm", "outcomes", "experiment"]
    assert (found.rows_in, found.undecided, found.loaded) == (4, 4, 0)


def test_usual_names_are_offered_not_taken(look: Look) -> None:
    found = look("userid,version,visits,kept\n1,a,3,TRUE\n2,b,4,FALSE\n")
    answers = {item.topic: item.answers[0] for item in found.questions}
    assert answers == {
        "unit": "--map unit=userid",
        "arm": "--map arm=version",
        "outcomes": "--map outcomes=visits,kept",
        "experiment": "--option experiment=NAME",
    }


def test_a_table_of_units_as_told(laid_down: Callable[..., Path], reports: Reports) -> None:
    reading = read(laid_down(reports["units"]), GATE, experiment="gate", at="2026-03-01")
    assert not reading.questions
    assert {name: int(value) for name, value in reading.totals.items()} == {
        "units": 4,
        "units early": 2,
        "units late": 2,
        "back_1": 3,
        "back_7": 1,
        "rounds": 206,
    }
    assert reading.kind == "units"
    assert {item.at for item in reading.exposures} == {datetime(2026, 3, 1, tzinfo=UTC)}
    # Zeroes need no rows: exposed units without an outcome count as zero.
    assert sum(item.event == "back_7" for item in reading.outcomes) == 1


def test_without_times_the_moment_of_import_is_said(look: Look, reports: Reports) -> None:
    found = look(reports["units"], mapping=GATE, experiment="gate")
    assert found.ready
    assert any("moment of the import" in note for note in found.notes)


def test_several_rows_of_a_unit_expose_it_once(laid_down: Callable[..., Path]) -> None:
    text = "shop,promo,week,sales\n1,a,1,33.5\n1,a,2,35.5\n2,b,1,10\n2,b,2,12\n"
    reading = read(laid_down(text), {"unit": "shop", "arm": "promo", "outcomes": "sales"}, experiment="promo")
    assert len(reading.exposures) == 2
    assert len(reading.outcomes) == 4
    assert reading.loaded == 4


def test_units_in_two_arms_are_loaded_and_said(laid_down: Callable[..., Path]) -> None:
    reading = read(
        laid_down("who,arm,hits\n1,a,3\n1,b,4\n2,b,4\n"),
        {"unit": "who", "arm": "arm", "outcomes": "hits"},
        experiment="x",
    )
    assert len(reading.exposures) == 3
    assert reading.flags == {"unit_in_two_arms": 1}
    assert any("saw two arms: 1" in note for note in reading.notes)


def test_empty_outcomes_are_unknown(laid_down: Callable[..., Path]) -> None:
    reading = read(
        laid_down("who,arm,hits\n1,a,\n2,b,4\n"), {"unit": "who", "arm": "arm", "outcomes": "hits"}, experiment="x"
    )
    assert (reading.loaded, len(reading.rejects)) == (1, 1)
    assert "unknown" in reading.rejects[0].reason


def test_wrong_names_are_refused(look: Look, reports: Reports) -> None:
    with pytest.raises(InputError, match="no column 'gait'"):
        look(reports["units"], mapping={**GATE, "arm": "gait"})
    with pytest.raises(InputError, match="no field 'group'"):
        look(reports["units"], layout="unit_events", mapping={"group": "gate"})
    with pytest.raises(InputError, match="option at"):
        look(reports["units"], mapping=GATE, experiment="x", at="yesterday")
