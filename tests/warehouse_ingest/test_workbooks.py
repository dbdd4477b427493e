"""Workbooks: typed cells, totals, several sheets, and archives made to harm."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from proofsheet.errors import InputError
from warehouse.inspection import Inspection
from warehouse.reports.workbook import cell_text

Look = Callable[..., Inspection]
HEADER = [
    "Campaign name",
    "Ad group name",
    "Ad name",
    "Ad ID",
    "Date",
    "Impressions",
    "Clicks (all)",
    "Cost",
    "Currency",
]


def book(rows: list[list[Any]], *more: list[list[Any]]) -> bytes:
    workbook = openpyxl.Workbook()
    for number, sheet_rows in enumerate((rows, *more)):
        sheet = workbook.active if number == 0 else workbook.create_sheet(f"Sheet {number + 1}")
        for row in sheet_rows:
            sheet.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def test_a_workbook_with_a_totals_row(look: Look) -> None:
    data = book(
        [
            HEADER,
            ["Launch", "Wide", "hook_1a2b3c4d", "id:17123", date(2026, 3, 4), 1000, 25, 3.234, "USD"],
            ["Launch", "Wide", "hook_1a2b3c4d", "id:17123", date(2026, 3, 5), 900, 11, 31, "USD"],
            ["Total of 2 results", "-", "-", "-", "-", 1900, 36, 34.234, "USD"],
        ]
    )
    found = look(data, "report.xlsx")
    assert (found.layout, found.file_kind, found.sheet) == ("tiktok", "xlsx", "Sheet")
    assert (found.loaded, found.set_aside, found.ready) == (2, 1, True)
    assert found.totals["spend USD"] == Decimal("34.23")
    assert str(found.first_day) == "2026-03-04"


def test_long_ids_as_numbers_are_flagged(look: Look) -> None:
    data = book([HEADER, ["L", "W", "x", 120213456789012345, date(2026, 3, 4), 10, 1, 0.5, "USD"]])
    assert look(data, "r.xlsx").flags == {"id_lost_digits": 1}


def test_short_rows_of_a_workbook_have_empty_cells(look: Look) -> None:
    data = book([HEADER, ["L", "W", "x", "1", date(2026, 3, 4), 10, 1, 0.5, "USD"], ["L", "W", "x", "1"]])
    found = look(data, "r.xlsx")
    assert (found.rows_in, found.loaded, found.set_aside) == (2, 1, 1)
    assert found.rejects[0].line == 3


def test_several_filled_sheets_are_asked_about(look: Look) -> None:
    rows = [HEADER, ["L", "W", "x", "1", date(2026, 3, 4), 10, 1, 0.5, "USD"]]
    with pytest.raises(InputError, match="2 filled sheets") as caught:
        look(book(rows, rows), "r.xlsx")
    assert "--option sheet=" in caught.value.hint
    assert look(book(rows, rows), "r.xlsx", sheet="Sheet 2").loaded == 1
    with pytest.raises(InputError, match="no sheet 'Nope'"):
        look(book(rows), "r.xlsx", sheet="Nope")


def archive(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return buffer.getvalue()


def test_archives_that_unpack_to_too_much_are_refused(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.reports.workbook.MAX_UNPACKED", 1_000_000)
    bomb = archive(**{"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": b"0" * 1_000_001})
    assert len(bomb) < 2_000
    with pytest.raises(InputError, match="unpacks to"):
        look(bomb, "r.xlsx")


def test_cells_far_apart_are_refused(look: Look) -> None:
    sheet = b'<sheetData><row r="1"><c r="A1"/></row><row r="1048576"><c r="XFD1048576"/></row></sheetData>'
    with pytest.raises(InputError, match="spans 1,048,576 rows"):
        look(archive(**{"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": sheet}), "r.xlsx")


@pytest.mark.parametrize(
    ("parts", "words"),
    [({"readme.txt": b"hello"}, "zip archive, not an .xlsx"), ({"xl/workbook.xml": b"<not really"}, "Excel workbook")],
)
def test_other_archives_are_refused(look: Look, parts: dict[str, bytes], words: str) -> None:
    with pytest.raises(InputError, match=words):
        look(archive(**parts), "r.xlsx")


def test_an_empty_workbook_is_refused(look: Look) -> None:
    with pytest.raises(InputError, match="no filled sheet"):
        look(book([]), "r.xlsx")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "TRUE"), (3.0, "3"), (0.1, "0.1"), (1e-7, "0.0000001"), (1.2e17, "1.20000E+17"), ("  x ", "x")],
)
def test_typed_cells_as_text(value: object, text: str) -> None:
    assert cell_text(value) == text


def test_parquet_is_typed_like_a_workbook(look: Look) -> None:
    table = pa.table(
        {
            "Campaign": ["A", "B"],
            "Day": [date(2026, 3, 4), None],
            "Impressions": [10, 20],
            "Spend [EUR]": [1.234, 2.0],
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    found = look(buffer.getvalue(), "r.parquet")
    assert (found.file_kind, found.layout, found.loaded, found.set_aside) == ("parquet", "generic", 1, 1)
    assert found.totals["spend EUR"] == Decimal("1.23")


def test_parquet_that_unpacks_to_too_much_is_refused(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.reports.parquet.MAX_CELLS", 1000)
    buffer = io.BytesIO()
    pq.write_table(pa.table({"Campaign": ["A"] * 600, "Impressions": [1] * 600}), buffer)
    with pytest.raises(InputError, match="600 rows"):
        look(buffer.getvalue(), "r.parquet")
