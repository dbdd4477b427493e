"""The same table from wherever it is gives the same sums: files, pandas, Polars, Arrow, DuckDB, columns of numpy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.errors import InputError
from warehouse.table_sources import open_source
from warehouse.tables import file_aggregates

METRICS = (
    Metric(name="bought", kind=MetricKind.PROPORTION, numerator="bought"),
    Metric(name="spent", kind=MetricKind.MEAN, numerator="spent"),
    Metric(name="spent/visits", kind=MetricKind.RATIO, numerator="spent", denominator="visits"),
    Metric(name="orders/visits", kind=MetricKind.RATE, numerator="orders", denominator="visits"),
)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    n = 600
    return pd.DataFrame(
        {
            "test": rng.choice(["second", "first"], n),
            "arm": rng.choice(["new", "old", "third"], n),
            "bought": rng.random(n) < 0.3,
            "spent": rng.gamma(2.0, 5.0, n),
            "visits": rng.integers(1, 9, n),
            "orders": rng.poisson(1.0, n),
            "unused": [object()] * n,
        }
    )


def arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame.drop(columns="unused"), preserve_index=False)


def chunked(frame: pd.DataFrame) -> pa.Table:
    whole = arrow(frame)
    return pa.concat_tables([whole.slice(0, 100), whole.slice(100, 1), whole.slice(101)])


def relation(frame: pd.DataFrame) -> Any:
    connection = duckdb.connect()
    connection.register("given", arrow(frame))
    connection.execute("CREATE TABLE kept AS SELECT * FROM given").fetchall()
    return connection.table("kept")


def polars(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("polars").from_arrow(arrow(frame))


def lazy_polars(frame: pd.DataFrame) -> Any:
    return polars(frame).lazy()


class Capsule:
    """Nothing but the Arrow PyCapsule interface."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.table = chunked(frame)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


SOURCES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "arrow": arrow,
    "chunked arrow": chunked,
    "record batch": lambda frame: arrow(frame).combine_chunks().to_batches()[0],
    "reader": lambda frame: arrow(frame).to_reader(max_chunksize=50),
    "capsule": Capsule,
    "duckdb": relation,
    "polars": polars,
    "lazy polars": lazy_polars,
    "numpy columns": lambda frame: {str(name): frame[name].to_numpy() for name in frame.columns},
    "categories": lambda frame: frame.astype({"arm": "category", "test": "category"}),
    "objects": lambda frame: frame.astype({"arm": object, "spent": object, "bought": object}),
    "decimals": lambda frame: frame.assign(visits=[Decimal(int(v)) for v in frame["visits"]]),
}


def sums(source: Any) -> dict[str, np.ndarray]:
    return file_aggregates(source, arm="arm", experiment="test", metrics=METRICS).sums.columns


@pytest.mark.parametrize("name", SOURCES)
def test_a_table_says_the_same_wherever_it_is(frame: pd.DataFrame, name: str) -> None:
    expected, found = sums(frame), sums(SOURCES[name](frame))
    assert list(found) == list(expected)
    for column, values in expected.items():
        if values.dtype == object:
            assert found[column].tolist() == values.tolist()
        else:
            assert found[column] == pytest.approx(values, rel=1e-12), column


def test_files_say_the_same_as_the_frame(frame: pd.DataFrame, tmp_path: Path) -> None:
    pq.write_table(arrow(frame), tmp_path / "table.parquet")
    frame.drop(columns="unused").to_csv(tmp_path / "table.csv", index=False)
    expected = sums(frame)
    for file in ("table.parquet", "table.csv"):
        found = sums(str(tmp_path / file))
        for column, values in expected.items():
            if values.dtype != object:
                assert found[column] == pytest.approx(values, rel=1e-12), column


def test_the_sums_are_numpys(frame: pd.DataFrame) -> None:
    found = sums(frame)
    assert found["experiment"].tolist()[0] == frame["test"][0]
    for place, (test, arm) in enumerate(zip(found["experiment"], found["arm"], strict=True)):
        own = frame[(frame["test"] == test) & (frame["arm"] == arm)]
        assert found["n"][place] == len(own)
        assert found["mean_x_0"][place] == pytest.approx(own["bought"].mean(), rel=1e-12)
        assert found["m2_x_1"][place] == pytest.approx(own["spent"].var(ddof=0) * len(own), rel=1e-11)
        assert found["cxy_2"][place] == pytest.approx(own["spent"].cov(own["visits"]) * (len(own) - 1), rel=1e-11)


def test_empty_and_odd_cells_in_memory_are_set_aside_by_their_row(frame: pd.DataFrame) -> None:
    spoilt = frame.astype({"spent": object, "arm": object})
    spoilt.loc[3, "spent"] = float("nan")
    spoilt.loc[5, "spent"] = "much"
    spoilt.loc[8, "arm"] = None
    report = file_aggregates(spoilt, arm="arm", metrics=METRICS[:2]).report
    assert (report.file_name, report.kind) == ("the table", "table")
    assert (report.rows_in, report.used, report.set_aside) == (600, 597, 3)
    assert [(one.line, one.reason) for one in report.rejects] == [
        (4, "is empty"),
        (6, "is not a number"),
        (9, "is empty"),
    ]


@pytest.mark.parametrize("text", ["7", "many"])
def test_a_hole_of_pandas_among_numbers_and_texts_is_empty(text: str) -> None:
    values = [1, text, pd.NA, 3.5] + [2] * 96
    arms = ["a", "b"] * 50
    arms[9] = pd.NA
    arms[11] = 1
    for table in (
        pd.DataFrame({"arm": pd.Series(arms, dtype=object), "spent": pd.Series(values, dtype=object)}),
        {"arm": arms, "spent": values},
        {"arm": np.array(arms, dtype=object), "spent": np.array(values, dtype=object)},
    ):
        rejects = file_aggregates(table, arm="arm", metrics=METRICS[1:2]).report.rejects
        reasons = {one.line: one.reason for one in rejects}
        assert reasons == ({2: "is not a number"} if text == "many" else {}) | {3: "is empty", 10: "is empty"}


def test_numbers_that_fit_no_rule_are_named_in_typed_columns() -> None:
    table = {"arm": ["a"] * 40 + ["b"] * 40, "x": [1.0] * 80, "y": [1.0] * 80}
    table["x"][7], table["x"][50], table["y"][60] = 2.5, float("inf"), -1.0
    rate = Metric(name="x/y", kind=MetricKind.RATE, numerator="x", denominator="y")
    report = file_aggregates(table, arm="arm", metrics=[rate]).report
    assert [(one.line, one.column, one.reason) for one in report.rejects] == [
        (8, "x", "is not a whole number, as a count is"),
        (51, "x", "is not finite"),
        (61, "y", "is negative; an exposure cannot be"),
    ]
    yes = Metric(name="x", kind=MetricKind.PROPORTION, numerator="x")
    table["x"][50] = 0.0
    assert file_aggregates(table, arm="arm", metrics=[yes]).report.rejects[0].reason == "is not yes or no"


def test_what_is_no_table_is_said_so(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="A int is no table"):
        open_source(3, ["arm"])
    with pytest.raises(InputError, match=r"the table has no column 'brm'.*arm"):
        open_source(frame, ["brm"])
    with pytest.raises(InputError, match="do not have one length"):
        open_source({"arm": ["a", "b"], "x": [1.0]}, ["arm", "x"])


def test_days_and_moments_are_text() -> None:
    table = pa.table({"day": [date(2026, 3, 1)], "at": pd.to_datetime(["2026-03-01 10:00"])})
    file = open_source(table, ["day", "at"])
    assert file.cells["day"].to_pylist() == ["2026-03-01"]
    assert file.cells["at"][0].as_py().startswith("2026-03-01 10:00")
