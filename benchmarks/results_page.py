"""A whole results page in one pass, as ratios within one run.

    python benchmarks/results_page.py [--rows 10000000]

Generates unit-level rows in DuckDB and asks for 10 metrics in total, in five dimensions and on 28 days: ``page_query``
and ``results_page`` next to the bare query over the same grouping sets, and next to a loop over tea-tasting where that
can be imported (three of the cuts, scaled). Seconds on the clock, the best of interleaved runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from timing import best, importable

from experiments.comparing.analysis import compare
from experiments.comparing.page import results_page
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Aggregates, Page
from warehouse.page_query import page_query

METRICS = [
    *(Metric(name=f"rate {i}", kind=MetricKind.PROPORTION, numerator=f"done_{i}") for i in range(4)),
    *(Metric(name=f"mean {i}", kind=MetricKind.MEAN, numerator=f"amount_{i}") for i in range(3)),
    *(
        Metric(name=f"ratio {i}", kind=MetricKind.RATIO, numerator=f"amount_{i}", denominator=f"visits_{i}")
        for i in range(3)
    ),
]
PAGE = Page(arm="arm", day="day", metrics=METRICS, dimensions=tuple(f"part_{i}" for i in range(5)))


def generate(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Unit-level rows from hashes of their number: the same each time, on any number of threads."""
    draw = "(hash(i * 64 + {}) / 18446744073709551616.0)"
    columns = ["['control', 'b', 'c', 'd', 'e', 'f'][(hash(i) % 6)::INT + 1] AS arm"]
    columns.append(f"DATE '2026-03-01' + CAST(floor(28 * {draw.format(1)}) AS INT) AS day")
    columns += [f"'level ' || CAST(floor({i + 2} * {draw.format(i + 2)}) AS INT) AS part_{i}" for i in range(5)]
    columns += [f"CAST({draw.format(i + 10)} < {0.02 * (i + 1)} AS INT) AS done_{i}" for i in range(4)]
    columns += [f"-ln(1e-12 + {draw.format(i + 20)}) * {10 * (i + 1)} AS amount_{i}" for i in range(3)]
    columns += [f"1 + CAST(floor(5 * {draw.format(i + 30)}) AS INT) AS visits_{i}" for i in range(3)]
    connection.execute(f"CREATE TABLE units AS SELECT {', '.join(columns)} FROM range({rows}) AS t(i)")


def bare_query() -> str:
    """Plain moments over the total, the dimensions and the days."""
    cuts = [PAGE.day, *PAGE.dimensions]
    wanted = ["arm", *cuts, "count(*)"]
    for metric in METRICS:
        wanted.append(f"avg({metric.numerator})")
        if metric.kind is not MetricKind.PROPORTION:
            wanted.append(f"var_pop({metric.numerator})")
        if metric.kind is MetricKind.RATIO:
            y = metric.denominator
            wanted += [f"avg({y})", f"var_pop({y})", f"covar_pop({metric.numerator}, {y})"]
    sets = ", ".join(["(arm)", *(f"(arm, {cut})" for cut in cuts)])
    return f"SELECT {', '.join(wanted)} FROM units GROUP BY GROUPING SETS ({sets})"


def page(rows: int) -> list[str]:
    """Generate, measure and check."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    generate(connection, rows)
    bare, query = bare_query(), page_query(PAGE, "units")
    cells = connection.execute(query).fetchnumpy()
    work: list[tuple[str, Callable[[], object]]] = [
        ("bare query over the same grouping sets", lambda: connection.execute(bare).fetchall()),
        ("whole page", lambda: results_page(PAGE, connection.execute(query).fetchnumpy(), "control")),
        ("of which after the query", lambda: results_page(PAGE, cells, "control")),
    ]
    times = best([one for _, one in work], 3)
    rows_of_table = list(zip([name for name, _ in work], times, strict=True))
    found = results_page(PAGE, cells, "control")
    cuts = len({*zip(found["dimension"].tolist(), found["level"].tolist(), strict=True)})
    tt = importable("tea_tasting")
    if tt is not None:
        views = ("TRUE", "part_0 = 'level 0'", "day <= DATE '2026-03-14'")
        seconds = best([lambda: tea_tasting_page(tt, connection, views)], 1)[0]
        rows_of_table.append((f"loop over tea-tasting ({len(views)} of {cuts}, scaled)", seconds * cuts / len(views)))
    return [
        f"{rows:,} rows, 2 threads.",
        "",
        f"{len(METRICS)} metrics and 6 arms in total, in five dimensions and on 28 days: {found['p_value'].size:,} "
        f"comparisons in {cuts} cuts.",
        "",
        "| what | seconds | × bare query |",
        "| --- | ---: | ---: |",
        *(f"| {name} | {t:.3f} | {t / times[0]:.2f} |" for name, t in rows_of_table),
        "",
        check_page(connection, found),
    ]


def tea_tasting_page(tt: Any, connection: duckdb.DuckDBPyConnection, views: tuple[str, ...]) -> None:
    """Every cut on its own, through a relation."""
    makers = {
        MetricKind.PROPORTION: lambda m: tt.Mean(m.numerator),
        MetricKind.MEAN: lambda m: tt.Mean(m.numerator),
        MetricKind.RATIO: lambda m: tt.RatioOfMeans(m.numerator, m.denominator),
    }
    experiment = tt.Experiment({m.name: makers[m.kind](m) for m in METRICS}, variant="arm")
    for view in views:
        relation = connection.sql(f"SELECT * FROM units WHERE {view}")
        experiment.analyze(relation, control="control", all_variants=True)


def check_page(connection: duckdb.DuckDBPyConnection, found: dict[str, np.ndarray]) -> str:
    """Compare three cuts with the analysis of one metric at a time, from queries of their own."""
    gap = 0.0
    for place, (dimension, level, where) in enumerate(
        [
            ("day", "2026-03-28", "TRUE"),
            ("day", "2026-03-09", "day <= DATE '2026-03-09'"),
            ("part_3", "level 2", "part_3 = 'level 2'"),
        ]
    ):
        metric = METRICS[4 + 2 * place % 6]
        x, y = metric.numerator, metric.denominator or "1"
        rows = connection.execute(
            f"SELECT arm, count(*), avg({x}), var_pop({x}) * count(*), avg({y}), var_pop({y}) * count(*), "
            f"covar_pop({x}, {y}) * count(*) FROM units WHERE {where} GROUP BY arm"
        ).fetchall()
        names = ("n", "mean_x", "m2_x", "mean_y", "m2_y", "cxy")
        arms = {arm: Aggregates(**dict(zip(names, moments, strict=True))) for arm, *moments in rows}
        for row in compare(metric, arms, "control", experiment="", correction="holm"):
            keys = (("dimension", dimension), ("level", level), ("metric", metric.name), ("arm", row.arm))
            one = np.logical_and.reduce([found[key] == value for key, value in keys]).nonzero()[0]
            for name in ("p_value", "adjusted_p", "effect_low", "lift_high", "adjusted_lift_low"):
                gap = max(gap, abs(float(found[name][one[0]]) / float(getattr(row, name)) - 1.0))
    return f"Same answers: three cuts agree with analyses of their own to {gap:.0e} (relative)."


def main() -> None:
    """Measure, check and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/results_page.md"))
    arguments = parser.parse_args()
    reproduce = f"`python benchmarks/results_page.py --rows {arguments.rows}` reproduces it."
    text = "\n".join(["# A results page in one pass", "", reproduce, "", *page(arguments.rows), ""])
    print(text)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
