"""A results page from one query: totals, segments and cumulative looks against analyses of their own."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from experiments.comparing.analysis import compare
from experiments.comparing.page import results_page
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Aggregates, Page
from proofsheet.errors import InputError
from warehouse.page_query import page_query

METRICS = (
    Metric(name="bought", kind=MetricKind.PROPORTION, numerator="bought"),
    Metric(name="spend", kind=MetricKind.MEAN, numerator="spend"),
    Metric(name="spend per visit", kind=MetricKind.RATIO, numerator="spend", denominator="visits"),
)
PAGE = Page(arm="arm", day="day", metrics=METRICS, dimensions=("country", "device"))
Units = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def units() -> Units:
    rng = np.random.default_rng(12)
    n = 9_000
    visits = rng.poisson(2.0, n) + 1.0
    return {
        "arm": np.array(["new", "control", "other"])[rng.integers(0, 3, n)],
        "day": np.array(
            [date(2026, 2, 25) + timedelta(days=int(d)) for d in rng.integers(0, 7, n)], dtype="datetime64[D]"
        ),
        "country": np.array(["it", "fr", "de"])[rng.integers(0, 3, n)],
        "device": np.array(["phone", None], dtype=object)[rng.integers(0, 2, n)],
        "bought": (rng.random(n) < 0.2).astype(float),
        "spend": rng.gamma(2.0, 4.0, n) * visits + 1e6,
        "visits": visits,
    }


@pytest.fixture(scope="module")
def cells(units: Units) -> Units:
    frame = pd.DataFrame(units)
    connection = duckdb.connect()
    connection.register("units", frame)
    return connection.execute(page_query(PAGE, "(SELECT * REPLACE (day::DATE AS day) FROM units)")).fetchnumpy()


def aggregates(units: Units, some: np.ndarray, metric: Metric) -> dict[str, Aggregates]:
    """Moments of the arms among some units, by numpy."""
    found = {}
    for arm in ("control", "new", "other"):
        own = some & (units["arm"] == arm)
        x = units[metric.numerator][own]
        y = units[metric.denominator][own] if metric.denominator else np.ones(x.size)
        dx, dy = x - x.mean(), y - y.mean()
        found[arm] = Aggregates(
            n=x.size, mean_x=x.mean(), m2_x=dx @ dx, mean_y=y.mean(), m2_y=float(dy @ dy), cxy=float(dx @ dy)
        )
    return found


def test_every_cut_is_as_an_analysis_of_its_own(units: Units, cells: Units) -> None:
    found = results_page(PAGE, cells, "control")
    cuts = [("day", str(d), units["day"] <= d) for d in np.unique(units["day"])]
    cuts += [("country", level, units["country"] == level) for level in ("de", "fr", "it")]
    cuts += [("device", level, units["device"] == (level or None)) for level in ("phone", "")]
    assert found["p_value"].size == len(cuts) * len(METRICS) * 2
    place = 0
    for dimension, level, some in cuts:
        for metric in METRICS:
            for row in compare(metric, aggregates(units, some, metric), "control", experiment="e"):
                labels = [found[name][place] for name in ("dimension", "level", "metric", "arm", "control")]
                assert labels == [dimension, level, metric.name, row.arm, "control"]
                assert (found["n_arm"][place], found["n_control"][place]) == (row.n_arm, row.n_control)
                for name in (
                    "effect",
                    "effect_low",
                    "lift_low",
                    "lift_high",
                    "p_value",
                    "adjusted_p",
                    "adjusted_lift_low",
                ):
                    assert found[name][place] == pytest.approx(getattr(row, name), rel=2e-7), name
                place += 1


def test_cells_that_are_missing_have_no_data(cells: Units) -> None:
    kept = ~((cells["cut"] == 1) & (cells["level"].astype(str) == "fr") & (cells["arm"].astype(str) == "new"))
    found = results_page(PAGE, {name: column[kept] for name, column in cells.items()}, "control")
    gone = (found["level"] == "fr") & (found["arm"] == "new")
    assert (found["n_arm"][gone] == 0).all()
    assert (found["status"][gone] == 1).all()
    assert (found["status"][~gone] == 0).all()


def test_names_are_quoted_and_a_page_without_dimensions_has_its_looks() -> None:
    page = Page(arm='a"b', day="d", metrics=(Metric(name="m", kind=MetricKind.PROPORTION, numerator="select"),))
    query = page_query(page, "t")
    connection = duckdb.connect()
    connection.execute(
        'CREATE TABLE t AS SELECT (i % 2)::VARCHAR AS "a""b", 9 + i % 3 AS d, (i % 5 = 0)::INT AS "select" '
        "FROM range(60) AS r(i)"
    )
    found = results_page(page, connection.execute(query).fetchnumpy(), "0")
    assert found["level"].tolist() == ["9", "10", "11"]
    assert found["n_arm"].tolist() == [10, 20, 30]
    assert found["value_arm"][-1] == pytest.approx(6 / 30)


def test_what_is_missing_is_named(cells: Units) -> None:
    with pytest.raises(InputError, match="'nobody' is not among"):
        results_page(PAGE, cells, "nobody")
    with pytest.raises(InputError, match="lack cxy_2"):
        results_page(PAGE, {name: column for name, column in cells.items() if name != "cxy_2"}, "control")
    with pytest.raises(InputError, match="lacks level"):
        results_page(PAGE, {name: column for name, column in cells.items() if name != "level"}, "control")
