"""Cells that could mean two things, cells that mean nothing, and what the user is told to do about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.errors import InputError
from warehouse.tables import FileAggregates, file_aggregates

Write = Callable[..., Path]

SPENT = Metric(name="spent", kind=MetricKind.MEAN, numerator="spent")
BOUGHT = Metric(name="bought", kind=MetricKind.PROPORTION, numerator="bought")


def counted(path: Path, **options: Any) -> FileAggregates:
    return file_aggregates(path, arm="arm", trials="n", successes="k", **options)


@pytest.mark.parametrize(
    ("rows", "example"),
    [
        (["A,1.000,10", "B,2.000,20"], "1.000"),
        (["A,1.000,10", "B,950,20"], "1.000"),
        (["A,1000,10", "B,2000,1.020"], "1.020"),
    ],
)
def test_counts_that_could_be_thousands_are_refused(write: Write, rows: list[str], example: str) -> None:
    with pytest.raises(InputError, match=f"'{example}' could mean {example.replace('.', '')}") as error:
        counted(write("data.csv", "\n".join(["arm,n,k", *rows])))
    assert "without thousands marks" in error.value.hint


def test_another_cell_may_settle_what_a_point_in_counts_means(write: Write) -> None:
    text = "arm;n;k\nA;1.000;10\nB;1.234.567;20\n"
    assert counted(write("data.csv", text)).counts == {"": {"A": (1000, 10.0), "B": (1_234_567, 20.0)}}


@pytest.mark.parametrize(("row", "words"), [("B,200,3.5", "line 3, k: '3.5'"), ("B,200.25,3", "line 3, n: '200.25'")])
def test_a_fraction_among_counts_refuses_the_file(write: Write, row: str, words: str) -> None:
    rows = ["arm,n,k", "A,100,1", row, *["A,100,1"] * 60]
    with pytest.raises(InputError, match=words) as error:
        counted(write("data.csv", "\n".join(rows)))
    assert "--metric k/n:ratio" in error.value.hint


def test_more_successes_than_trials_name_the_way_on(write: Write) -> None:
    with pytest.raises(InputError, match="Arm 'B' has 30 'k' in 20 'n'") as error:
        counted(write("data.csv", "arm,n,k\nA,100,1\nB,20,30\n"))
    assert "--metric k/n:ratio" in error.value.hint
    late = "arm,n,k\nA,0,1\nA,100,1\nB,100,2\n"  # a late conversion on a day without trials
    assert counted(write("late.csv", late)).counts[""]["A"] == (100, 2.0)


def test_an_empty_cell_is_unknown_unless_the_user_says_it_is_zero(write: Write) -> None:
    path = write("data.csv", "arm,spent,bought\nA,2,1\nA,,\nB,-,0\nB,4,TRUE\n")
    with pytest.raises(InputError, match=r"2 of 4 rows cannot be used.*line 3, spent: '' is empty") as error:
        file_aggregates(path, arm="arm", metrics=[SPENT])
    assert "where an empty cell means that nothing happened, use --empty zero" in error.value.hint
    found = file_aggregates(path, arm="arm", metrics=[SPENT, BOUGHT], empty="zero")
    assert found.observations == {"": {"A": 2, "B": 2}}
    assert [found.aggregates[""][arm]["spent"].mean_x for arm in "AB"] == [1.0, 2.0]
    assert found.aggregates[""]["A"]["bought"].mean_x == 0.5
    assert found.report.notes == ("Empty cells that count as 0: 2 of 'spent', 1 of 'bought'.",)


def test_empty_counts_and_nulls_of_a_typed_file_can_be_zero(write: Write, tmp_path: Path) -> None:
    found = counted(write("data.csv", "arm,n,k\nA,100,\nB,,\nB,50,5\n"), empty="zero")
    assert found.counts == {"": {"A": (100, 0.0), "B": (50, 5.0)}}
    table = pa.table({"arm": ["A", "A", "B"], "spent": [None, 3.0, float("nan")]})
    pq.write_table(table, tmp_path / "data.parquet")
    read = file_aggregates(tmp_path / "data.parquet", arm="arm", metrics=[SPENT], empty="zero")
    assert [read.aggregates[""][arm]["spent"].mean_x for arm in "AB"] == [1.5, 0.0]


def test_zero_fills_no_arm_and_no_nonsense(write: Write) -> None:
    path = write("data.csv", "arm,spent\nA,1\n,2\nB,soon\nB,3\n")
    with pytest.raises(InputError, match="2 of 4 rows cannot be used") as error:
        file_aggregates(path, arm="arm", metrics=[SPENT], empty="zero")
    assert "--empty zero" not in error.value.hint
    assert "Give every row its arm" in error.value.hint
    with pytest.raises(InputError, match="no way 'guess'"):
        file_aggregates(path, arm="arm", metrics=[SPENT], empty="guess")


def test_the_mean_of_yes_and_no_points_to_the_proportion(write: Write) -> None:
    with pytest.raises(InputError, match="'TRUE' is a yes or no where a number is needed") as error:
        file_aggregates(write("data.csv", "arm,spent\nA,TRUE\nB,FALSE\n"), arm="arm", metrics=[SPENT])
    assert ":proportion instead of :mean" in error.value.hint


@pytest.mark.parametrize("metric", [SPENT, Metric(name="q", kind=MetricKind.QUANTILE, numerator="spent")])
def test_yes_and_no_are_no_numbers_wherever_the_table_is(write: Write, tmp_path: Path, metric: Metric) -> None:
    table = pa.table({"arm": ["A", "B", "A", "B"], "spent": [True, False, False, True]})
    pq.write_table(table, tmp_path / "data.parquet")
    written = write("data.csv", "arm,spent\nA,True\nB,False\nA,False\nB,True\n")
    frame = table.to_pandas()
    said = set()
    for source in (written, tmp_path / "data.parquet", table, frame, frame.astype({"spent": "boolean"})):
        with pytest.raises(InputError, match="'True' is a yes or no where a number is needed") as error:
            file_aggregates(source, arm="arm", metrics=[metric])
        said.add(error.value.hint)
    assert said == {"For a column of TRUE and FALSE write :proportion instead of :mean."}


def test_yes_and_no_known_before_the_test_count_as_1_and_0(write: Write) -> None:
    rows = [("A", 1.0, "True"), ("B", 2.0, "False"), ("A", 4.0, ""), ("B", 3.0, "True")]
    written = write("data.csv", "arm,spent,member\n" + "".join(f"{a},{x},{z}\n" for a, x, z in rows))
    flags = [{"True": True, "False": False, "": None}[z] for _, _, z in rows]
    typed = {"arm": [a for a, _, _ in rows], "spent": [x for _, x, _ in rows], "member": flags}
    for source in (written, typed, pa.table(typed)):
        columns = file_aggregates(source, arm="arm", metrics=[SPENT], covariates=["member"]).sums.columns
        assert columns["mean_0"].tolist() == [1.0, 0.5]  # unknown: the median, 1
        assert columns["mean_1"].tolist() == [0.5, 0.0]


def test_an_open_quote_is_called_one(write: Write) -> None:
    rows = ["arm,spent", *["A,1"] * 30, '"B,2', *["B,3"] * 30]
    found = file_aggregates(write("data.csv", "\n".join(rows)), arm="arm", metrics=[SPENT])
    assert found.report.notes == ("1 row was set aside: line 32 opens a quote that is never closed.",)
    with pytest.raises(InputError, match="opens a quote that is never closed") as error:
        file_aggregates(write("few.csv", 'arm,spent\nA,1\n"B,2\n'), arm="arm", metrics=[SPENT])
    assert "Close the quote in that line" in error.value.hint


@pytest.mark.parametrize(("rows", "kept"), [(2, False), (19, False), (20, True)])
def test_the_limit_holds_for_small_files_too(write: Write, rows: int, kept: bool) -> None:
    path = write("data.csv", "\n".join(["arm,spent", *["A,1"] * (rows - 1), "B,soon"]))
    if kept:
        assert file_aggregates(path, arm="arm", metrics=[SPENT]).report.set_aside == 1
        return
    with pytest.raises(InputError, match=rf"1 of {rows} rows cannot be used, and at most 5% .* \(of so few, none\)"):
        file_aggregates(path, arm="arm", metrics=[SPENT])
