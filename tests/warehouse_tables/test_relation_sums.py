"""Typed tables are summed where they are: the same sums as cell by cell, and no shortcut where a cell needs a word."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.errors import InputError
from warehouse.relation_sums import relation_sums
from warehouse.table_question import Question
from warehouse.tables import file_aggregates

METRICS = (
    Metric(name="done", kind=MetricKind.PROPORTION, numerator="done"),
    Metric(name="amount", kind=MetricKind.MEAN, numerator="amount"),
    Metric(name="per visit", kind=MetricKind.RATIO, numerator="amount", denominator="visits"),
    Metric(name="rate", kind=MetricKind.RATE, numerator="events", denominator="hours"),
)
QUESTION = Question(arm="arm", metrics=METRICS)


def table_of(n: int = 4_000, offset: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(5)
    return pa.table(
        {
            "arm": np.array(["control", "b", "c"])[rng.integers(3, size=n)],
            "done": rng.integers(2, size=n),
            "amount": offset + rng.gamma(2.0, 5.0, n),
            "visits": rng.integers(1, 6, n).astype(np.int32),
            "events": rng.poisson(2.0, n),
            "hours": rng.gamma(2.0, 1.0, n),
        }
    )


@pytest.mark.parametrize("offset", [0.0, 1e9])
@pytest.mark.parametrize("form", ["relation", "arrow"])
def test_the_sums_are_those_of_the_file(tmp_path: Path, form: str, offset: float) -> None:
    table = table_of(offset=offset)
    file = tmp_path / "units.csv"
    pyarrow.csv.write_csv(table, file)
    source = duckdb.from_arrow(table) if form == "relation" else table
    fast, slow = relation_sums(source, QUESTION), file_aggregates(file, arm="arm", metrics=METRICS)
    assert fast is not None
    sums, names = fast
    assert names == tuple(table.column_names)
    assert sums.columns["arm"].tolist() == slow.sums.columns["arm"].tolist()
    kept = {name for name in slow.sums.columns if not name.startswith("rest")}
    assert kept <= set(sums.columns)
    for name, column in slow.sums.columns.items():
        if name not in ("experiment", "arm") and not name.startswith("rest"):
            np.testing.assert_allclose(sums.columns[name].astype(float), column.astype(float), rtol=1e-9, err_msg=name)


def test_the_table_is_reported_whole() -> None:
    found = file_aggregates(duckdb.from_arrow(table_of()), arm="arm", metrics=METRICS)
    assert (found.report.rows_in, found.report.used, found.report.set_aside) == (4_000, 4_000, 0)
    assert found.report.kind == "table"


@pytest.mark.parametrize(
    ("column", "value"),
    [("done", 2), ("done", None), ("amount", float("inf")), ("amount", None), ("events", -1), ("hours", -0.5)],
)
def test_a_cell_that_needs_a_word_is_not_passed_over(column: str, value: float | None) -> None:
    table = table_of(400)
    cells = table.column(column).to_pylist()
    cells[7] = value
    at = table.column_names.index(column)
    spoilt = table.set_column(at, column, pa.array(cells, table.column(column).type))
    assert relation_sums(spoilt, QUESTION) is None
    found = file_aggregates(spoilt, arm="arm", metrics=METRICS)
    assert found.report.set_aside == 1
    assert found.report.rejects[0].line == 8


def test_halves_are_no_truths() -> None:
    table = table_of(400)
    halves = pa.array([1.0, 0.5] * 200)
    spoilt = table.set_column(table.column_names.index("done"), "done", halves)
    assert relation_sums(spoilt, QUESTION) is None


@pytest.mark.parametrize("arm", [None, " b", ""])
def test_names_that_have_to_be_read_are_read(arm: str | None) -> None:
    table = table_of(400)
    names = table.column("arm").to_pylist()
    names[3] = arm
    assert relation_sums(table.set_column(0, "arm", pa.array(names, pa.string())), QUESTION) is None


def test_texts_units_and_caps_take_the_other_way() -> None:
    table = table_of(400)
    texts = table.set_column(2, "amount", table.column("amount").cast(pa.string()))
    assert relation_sums(texts, QUESTION) is None
    assert relation_sums(table, Question(arm="arm", metrics=METRICS, unit="visits")) is None
    capped = Metric(name="a", kind=MetricKind.MEAN, numerator="amount", upper=0.99)
    assert relation_sums(table, Question(arm="arm", metrics=(capped,))) is None


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="has no column 'arms'"):
        relation_sums(table_of(10), Question(arm="arms", metrics=METRICS))


def test_truths_and_numbers_of_arms_are_taken_as_they_are() -> None:
    relation = duckdb.sql("SELECT i % 2 AS arm, i % 3 = 0 AS done FROM range(600) t(i)")
    found = relation_sums(relation, Question(arm="arm", metrics=METRICS[:1]))
    assert found is not None
    assert found[0].columns["arm"].tolist() == ["0", "1"]
    np.testing.assert_allclose(found[0].columns["mean_x_0"], [1 / 3, 1 / 3])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_column_of_nothing_but_holes_is_told_cell_by_cell(value: float | None) -> None:
    table = table_of(400)
    spoilt = table.set_column(2, "amount", pa.array([value] * 400, pa.float64()))
    with pytest.raises(InputError, match="400 of 400 rows cannot be used"):
        file_aggregates(spoilt, arm="arm", metrics=METRICS)


def test_what_a_relation_says_of_itself_is_told_in_words() -> None:
    connection = duckdb.connect()
    closed = connection.sql("SELECT i % 2 AS arm, i AS amount FROM range(9) t(i)")
    connection.close()
    failing = duckdb.sql(
        "SELECT i % 2 AS arm, CAST(CASE i WHEN 5 THEN 'q' ELSE '1' END AS DOUBLE) AS amount FROM range(9) t(i)"
    )
    lists = duckdb.sql("SELECT i % 2 AS arm, [i] AS amount FROM range(9) t(i)")
    for source, words in ((closed, "closed"), (failing, "'q' to DOUBLE"), (lists, "'amount' holds values of the type")):
        for unit in (None, "arm"):
            with pytest.raises(InputError, match=words):
                file_aggregates(source, arm="arm", metrics=METRICS[1:2], unit=unit)


def test_arms_that_differ_by_case_are_two_whatever_the_collation() -> None:
    source = duckdb.sql(
        "SELECT (CASE i % 2 WHEN 0 THEN 'B' ELSE 'b' END) COLLATE nocase AS arm, i AS amount FROM range(9) t(i)"
    )
    found = file_aggregates(source, arm="arm", metrics=METRICS[1:2])
    assert found.sums.columns["arm"].tolist() == ["B", "b"]
