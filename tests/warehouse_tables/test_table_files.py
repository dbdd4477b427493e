"""Files as people have them: encodings, separators, line ends, number styles, workbooks and Parquet."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.errors import InputError, NotFoundError
from warehouse import arrays
from warehouse.table_values import numbers, truths
from warehouse.tables import FileAggregates, file_aggregates

Write = Callable[..., Path]

BOUGHT = Metric(name="bought", kind=MetricKind.PROPORTION, numerator="gekauft")
SPENT = Metric(name="spent", kind=MetricKind.MEAN, numerator="Größe")


def read(path: Path, **options: Any) -> FileAggregates:
    return file_aggregates(path, arm="Gruppe", metrics=[BOUGHT, SPENT], **options)


TEXT = "Gruppe,gekauft,Größe\nÄ,TRUE,1.5\nB,FALSE,2.5\nB,TRUE,3.5\n"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings_separators_and_line_ends(write: Write, encoding: str, separator: str, line_end: str) -> None:
    text = TEXT.replace(",", separator).replace("\n", line_end)
    found = read(write("data.csv", text.rstrip() if line_end == "\r" else text, encoding))
    assert found.observations == {"": {"Ä": 1, "B": 2}}
    assert found.aggregates[""]["B"]["spent"].mean_x == 3.0
    assert found.aggregates[""]["B"]["bought"].mean_x == 0.5
    assert found.report.rows_in == found.report.used == 3


def test_title_lines_above_the_header_do_no_harm(write: Write) -> None:
    found = read(write("data.csv", 'Report\n"1 June 2026 - 2 June 2026"\n\n' + TEXT))
    assert found.report.header_line == 4
    assert found.observations == {"": {"Ä": 1, "B": 2}}


def test_a_line_that_names_the_separator_is_no_header(write: Write) -> None:
    assert read(write("data.csv", "sep=;\n" + TEXT.replace(",", ";"))).report.header_line == 2


def test_quoted_cells_hold_separators_quotes_and_line_ends(write: Write) -> None:
    text = 'note,Gruppe,gekauft,Größe\n"a, ""b""\nc","Ä ,x",TRUE,"1.5"\n,B,no,2\n'
    found = read(write("data.csv", text))
    assert found.arms == {"": ("Ä ,x", "B")}
    assert found.report.rows_in == 2


def test_line_numbers_are_those_of_the_file_after_a_cell_of_two_lines(write: Write) -> None:
    rows = "".join(f"B,TRUE,{n}\n" for n in range(30))
    text = 'Gruppe,gekauft,Größe\n"Ä\nÄ",TRUE,1\n\n' + rows + "B,what,1\n"
    (reject,) = read(write("data.csv", text)).report.rejects
    assert (reject.line, reject.value) == (35, "what")


@pytest.mark.parametrize(
    ("cells", "separator", "mean"),
    [
        (["1,234.5", "1,234"], ";", 1234.25),  # the point shows itself, so the comma parts thousands
        (["1.234,5", "1.234"], ";", 1234.25),
        (["1234,5", "2"], ";", 618.25),
        (["1.234", "2.5"], ",", 1.867),
        (["1.234", "2.345"], ",", 1.7895),  # where commas part cells, a point is a decimal point
        (["1 234.5", "1 234 567.5"], ";", 617901.0),
        (["12,34,567.5", "0"], ";", 617283.75),  # lakhs
        (["-1.5", "+2.5"], ",", 0.5),
        (["1e3", "1E-3"], ",", 500.0005),
        (["$1.50", "€ 2.50"], ",", 2.0),
    ],
)
def test_number_styles(write: Write, cells: list[str], separator: str, mean: float) -> None:
    rows = "".join(f"A{separator}1{separator}{cell}\n" for cell in cells)
    found = read(write("data.csv", TEXT.split("\n")[0].replace(",", separator) + "\n" + rows))
    assert found.report.set_aside == 0
    assert found.aggregates[""]["A"]["spent"].mean_x == pytest.approx(mean)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1,234", "5,678"], "'1,234' could mean 1234, or a number with three decimals"),
        (["1.234", "5.678"], "'1.234' could mean 1234"),
        (["1.234,5", "1,234.5"], "in two ways"),
    ],
)
def test_numbers_that_could_be_two_things_refuse_the_file(write: Write, cells: list[str], words: str) -> None:
    rows = "".join(f"A;1;{cell}\n" for cell in cells)
    with pytest.raises(InputError, match=words) as error:
        read(write("data.csv", "Gruppe;gekauft;Größe\n" + rows))
    assert error.value.hint


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_that_is_written_is_read_back(value: float) -> None:
    assert numbers(arrays.texts([repr(value)])).values.to_pylist() == [value]


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_has_a_reason(text: str) -> None:
    for rule in (numbers, truths):
        typed = rule(arrays.texts([text]))
        (value,) = typed.values.to_pylist()
        assert (value is None) == (0 in typed.reasons)


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-Infinity", "1_000", "١٢", "1e999", "0x10", "12%", "--", "1,2,3", "1 234,567", ""]
)
def test_what_python_would_take_for_a_number_but_a_person_would_not(text: str) -> None:
    typed = numbers(arrays.texts([text]))
    assert typed.values.to_pylist() == [None]
    assert typed.reasons[0].startswith("is ")


def test_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["Report of June"],
        [],
        ["Gruppe", "gekauft", "Größe"],
        ["A", True, 1.5],
        [2, False, 2],
        [],
        ["A", "x", 1],
    ):
        sheet.append(row)
    for _ in range(30):
        sheet.append(["A", True, 1.5])
    book.save(tmp_path / "data.xlsx")
    found = read(tmp_path / "data.xlsx")
    assert found.arms == {"": ("A", "2")}
    assert found.report.kind == "workbook"
    assert found.report.header_line == 3
    assert (found.report.rows_in, found.report.used) == (33, 32)
    assert [(one.line, one.value) for one in found.report.rejects] == [(7, "x")]


def test_parquet_in_its_own_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "Gruppe": pa.array(["A", "B"] * 20 + [None]).dictionary_encode(),
            "gekauft": pa.array([True, False] * 20 + [True]),
            "Größe": pa.array([Decimal("1.25"), Decimal("2.50")] * 20 + [Decimal(1)]),
            "unit": pa.array([float(n) for n in range(41)]),
            "unused": pa.array([[1]] * 41),
        }
    )
    pq.write_table(table, tmp_path / "data.parquet")
    found = read(tmp_path / "data.parquet", unit="unit")
    assert found.observations == {"": {"A": 20, "B": 20}}
    assert found.aggregates[""]["A"]["bought"].mean_x == 1.0
    assert found.aggregates[""]["B"]["spent"].mean_x == 2.5
    assert [(one.line, one.column, one.reason) for one in found.report.rejects] == [(41, "Gruppe", "is empty")]
    assert found.report.kind == "parquet"


def test_parquet_nan_is_empty_and_infinity_is_refused(tmp_path: Path) -> None:
    table = pa.table({"Gruppe": ["A"] * 3, "gekauft": [1, 0, 1], "Größe": [1.0, float("nan"), float("inf")]})
    pq.write_table(table, tmp_path / "data.parquet")
    with pytest.raises(InputError, match="is empty; line 3, Größe: 'inf' is not finite"):
        read(tmp_path / "data.parquet")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PAR1 and then nothing", "cannot be read as Parquet"),
        (b"PK\x03\x04 no workbook", "archive"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"", "is empty"),
        (b"Gruppe,gekauft,Gr\xc3\xb6\xc3\x9fe\n", "a header and no rows"),
    ],
)
def test_what_is_no_table_is_refused_in_words(write: Write, content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        read(write("data", content))
    assert error.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no file .*gone.csv"):
        read(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="not a file"):
        read(tmp_path)
