"""Importing: in one transaction, once, and not at all while anything is open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from proofsheet.errors import InputError
from warehouse.ingest import ingest_file
from warehouse.store import Warehouse

Reports = dict[str, str]
HEAD = "Campaign,Ad name,Day,Impressions,Clicks,Spend [EUR]\n"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "home")


def test_a_report_is_loaded_and_accounted_for(
    warehouse: Warehouse, laid_down: Callable[..., Path], reports: Reports
) -> None:
    record = ingest_file(warehouse, laid_down(reports["google_ads"]), campaign=None)
    assert (record.rows_in, record.loaded, record.set_aside) == (4, 2, 2)
    assert (record.layout, record.platform, record.kind, record.currency) == (
        "google_ads",
        "google_ads",
        "delivery",
        "INR",
    )
    assert record.totals["spend INR"] == "2565.93"
    assert (record.first_day, record.last_day) == (date(2026, 3, 1), date(2026, 3, 31))
    with warehouse.read() as reader:
        assert reader.imports() == (record,)
        assert [item.line for item in reader.rejects(record.id)] == [6, 7]
        totals = reader.delivery_totals()[0]
    assert (totals.rows, totals.impressions, totals.spend) == (2, 141168, Decimal("2565.93"))


def test_the_same_bytes_change_nothing(warehouse: Warehouse, laid_down: Callable[..., Path], reports: Reports) -> None:
    first = ingest_file(warehouse, laid_down(reports["meta"], "march.csv"))
    version = warehouse.version()
    again = ingest_file(warehouse, laid_down(reports["meta"], "renamed.csv"))
    assert again.already_imported
    assert not first.already_imported
    assert (again.id, again.file_name) == (first.id, "march.csv")
    told = ingest_file(warehouse, laid_down(reports["meta"], "renamed.csv"), layout="meta")
    assert told.already_imported
    assert warehouse.version() == version
    with warehouse.read() as reader:
        assert len(reader.imports()) == 1


def test_one_file_may_be_a_report_and_a_table_of_units(warehouse: Warehouse, laid_down: Callable[..., Path]) -> None:
    path = laid_down(HEAD + "A,one,2026-03-01,9,1,0.50\nB,two,2026-03-01,9,1,0.50\n")
    as_report = ingest_file(warehouse, path)
    mapping = {"unit": "Ad name", "arm": "Campaign", "outcomes": "Clicks"}
    as_units = ingest_file(warehouse, path, mapping=mapping, options={"experiment": "x"})
    assert (as_report.kind, as_units.kind) == ("delivery", "units")
    assert not as_units.already_imported


@pytest.mark.parametrize(
    ("text", "words", "answer"),
    [
        (HEAD + "A,x,3/4/2026,9,1,0.50\n", "leaves 1 question open", "--option date_order=dmy"),
        (HEAD + "A,x,2026-03-01,9,1,1.234\n", "leaves 1 question open", "--option decimal=comma"),
        (HEAD.replace(" [EUR]", "") + "A,x,2026-03-01,9,1,0.50\n", "leaves 1 question open", "--option currency=EUR"),
        ("player,gate,rounds\n1,early,3\n", "leaves 4 questions open", "--map unit="),
        (HEAD + "A,x,yesterday,9,1,0.50\n", "None of the 1 rows", "proofsheet inspect"),
        (HEAD, "no rows", "Export the report"),
        ("\x00\x01", "empty|binary", "Export"),
    ],
)
def test_what_is_open_or_broken_leaves_the_warehouse_as_it_was(
    warehouse: Warehouse, laid_down: Callable[..., Path], text: str, words: str, answer: str
) -> None:
    ingest_file(warehouse, laid_down(HEAD + "A,x,2026-03-01,9,1,0.50\n", "good.csv"))
    version = warehouse.version()
    with pytest.raises(InputError, match=words) as caught:
        ingest_file(warehouse, laid_down(text))
    assert answer in caught.value.hint
    assert warehouse.version() == version


def test_nothing_is_made_of_a_refused_file(warehouse: Warehouse, laid_down: Callable[..., Path]) -> None:
    with pytest.raises(InputError):
        ingest_file(warehouse, laid_down("no table"))
    assert not warehouse.exists()


def test_exact_decimals_reach_the_warehouse(warehouse: Warehouse, laid_down: Callable[..., Path]) -> None:
    rows = "".join(f"A,ad {number},2026-03-01,9,1,0.1\n" for number in range(10))
    record = ingest_file(warehouse, laid_down(HEAD + rows))
    assert record.totals["spend EUR"] == "1.00"
    with warehouse.read() as reader:
        assert reader.delivery_totals()[0].spend == 1


def test_unit_files_reach_the_warehouse(warehouse: Warehouse, laid_down: Callable[..., Path], reports: Reports) -> None:
    record = ingest_file(warehouse, laid_down(reports["log"]))
    assert (record.kind, record.rows_in, record.loaded) == ("events", 4, 4)
    assert record.totals["units"] == "2"
