"""One analysis of many rows: the whole path next to the bare moments query, as ratios within one run.

    python benchmarks/one_analysis.py [--rows 10000000] [--repeats 5] [--no-pandas]

Generates unit-level rows of six arms in DuckDB and asks for four metrics that need ten aggregates (a proportion, two
means, a ratio). Start-up (imports, opening the table) is apart. Peers run where they can be imported: tea-tasting
through Ibis or a DuckDB relation, pandas with scipy. Seconds on the clock and of the processor (all threads), each the
best of interleaved runs, 2 threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from timing import best, importable

from experiments.comparing.page import results_page
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Page
from proofsheet.workflows.analyze_file import compare_table
from warehouse.page_query import page_query

METRICS = (
    Metric(name="done", kind=MetricKind.PROPORTION, numerator="done"),
    Metric(name="amount", kind=MetricKind.MEAN, numerator="amount"),
    Metric(name="minutes", kind=MetricKind.MEAN, numerator="minutes"),
    Metric(name="amount per visit", kind=MetricKind.RATIO, numerator="amount", denominator="visits"),
)
PAGE = Page(arm="arm", day="day", metrics=METRICS)
MOMENTS = (
    "avg(done)",
    "avg(amount)",
    "var_pop(amount)",
    "avg(minutes)",
    "var_pop(minutes)",
    "avg(amount)",
    "var_pop(amount)",
    "avg(visits)",
    "var_pop(visits)",
    "covar_pop(amount, visits)",
)
BARE = f"SELECT arm, count(*), {', '.join(MOMENTS)} FROM units GROUP BY arm"


def generate(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Unit-level rows from hashes of their number: the same each time, on any number of threads."""
    draw = "(hash(i * 16 + {}) / 18446744073709551616.0)"
    columns = (
        "['control', 'b', 'c', 'd', 'e', 'f'][(hash(i) % 6)::INT + 1] AS arm",
        "DATE '2026-03-01' AS day",
        f"CAST({draw.format(1)} < 0.05 AS INT) AS done",
        f"-ln(1e-12 + {draw.format(2)}) * 10 AS amount",
        f"-ln(1e-12 + {draw.format(3)}) * 3 AS minutes",
        f"1 + CAST(floor(5 * {draw.format(4)}) AS INT) AS visits",
    )
    connection.execute(f"CREATE TABLE units AS SELECT {', '.join(columns)} FROM range({rows}) AS t(i)")


def whole_path(connection: duckdb.DuckDBPyConnection) -> dict[str, np.ndarray]:
    """The moments query and the comparison of all arms on all metrics, with intervals and corrections."""
    return results_page(PAGE, connection.execute(page_query(PAGE, "units")).fetchnumpy(), "control")


def from_relation(connection: duckdb.DuckDBPyConnection) -> dict[str, np.ndarray]:
    """The same from a relation through the Python API."""
    return compare_table(connection.sql("SELECT * FROM units"), arm="arm", control="control", metrics=METRICS).columns


def tea_tasting_maker(tt: Any, connection: duckdb.DuckDBPyConnection) -> Callable[[], object]:
    """tea-tasting on a relation (through Ibis where that is installed)."""
    experiment = tt.Experiment(
        {
            m.name: tt.RatioOfMeans(m.numerator, m.denominator) if m.kind is MetricKind.RATIO else tt.Mean(m.numerator)
            for m in METRICS
        },
        variant="arm",
    )
    ibis = importable("ibis")
    if ibis is not None:
        table = ibis.duckdb.from_connection(connection).table("units")
        return lambda: experiment.analyze(table, control="control", all_variants=True)
    return lambda: experiment.analyze(connection.sql("SELECT * FROM units"), control="control", all_variants=True)


def pandas_maker(frame: Any) -> Callable[[], object]:
    """pandas for the moments and scipy for the tests; the frame is there already."""
    stats = importable("scipy.stats")

    def run() -> list[float]:
        by_arm = frame.groupby("arm")
        n, p_values = by_arm.size(), []
        for metric in METRICS:
            if metric.kind is MetricKind.RATIO:
                x, y = metric.numerator, metric.denominator
                ratio = by_arm[x].sum() / by_arm[y].sum()
                rest = (frame[x] - frame["arm"].map(ratio).astype(float) * frame[y]).groupby(frame["arm"])
                mean, deviation = ratio, rest.std() / by_arm[y].mean()
            else:
                mean, deviation = by_arm[metric.numerator].mean(), by_arm[metric.numerator].std()
            for arm in n.index.drop("control"):
                one, other = ((mean[a], deviation[a], n[a]) for a in (arm, "control"))
                p_values.append(float(stats.ttest_ind_from_stats(*one, *other, equal_var=False).pvalue))
        return p_values

    return run


def report(rows: int, repeats: int, *, pandas: bool) -> list[str]:
    """Generate, measure, check."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    generate(connection, rows)
    cells = connection.execute(page_query(PAGE, "units")).fetchnumpy()
    work: list[tuple[str, Callable[[], object]]] = [
        ("bare moments query", lambda: connection.execute(BARE).fetchall()),
        ("whole path: moments query and comparison", lambda: whole_path(connection)),
        ("of which the comparison", lambda: results_page(PAGE, cells, "control")),
        ("`compare_table` of a relation", lambda: from_relation(connection)),
    ]
    absent = []
    tt = importable("tea_tasting")
    if tt is not None:
        through = "Ibis" if importable("ibis") is not None else "a relation"
        work.append((f"tea-tasting through {through}", tea_tasting_maker(tt, connection)))
    else:
        absent.append("tea-tasting")
    if pandas and importable("pandas") is not None and importable("scipy.stats") is not None:
        work.append(("pandas and scipy, from a frame in memory", pandas_maker(connection.sql("FROM units").df())))
    elif pandas:
        absent.append("pandas with scipy")
    for _, one in work:
        one()  # start-up apart
    calls = [one for _, one in work]
    clock, processor = best(calls, repeats), best(calls, repeats, time.process_time)
    lines = [
        f"{rows:,} rows, 6 arms, 4 metrics from 10 aggregates (20 comparisons), 2 threads.",
        "",
        "| what | seconds | × bare query | processor seconds | × bare query |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {name} | {t:.4f} | {t / clock[0]:.2f} | {p:.4f} | {p / processor[0]:.2f} |"
            for (name, _), t, p in zip(work, clock, processor, strict=True)
        ),
        "",
        same_answers(connection),
    ]
    return [*lines, "", f"Not installed, so not measured: {', '.join(absent)}."] if absent else lines


def same_answers(connection: duckdb.DuckDBPyConnection) -> str:
    """Compare moments with numpy's, and both ways of ours with each other."""
    cells = connection.execute(page_query(PAGE, "units")).fetchnumpy()
    arms = cells["arm"].tolist()
    gap = 0.0
    for arm in ("control", "f"):
        rows = connection.execute(f"SELECT amount, visits FROM units WHERE arm = '{arm}'").fetchnumpy()
        x, y, place = rows["amount"], rows["visits"].astype(float), arms.index(arm)
        dx, dy = x - x.mean(), y - y.mean()
        for name, wanted in (("mean_x_3", x.mean()), ("m2_x_3", dx @ dx), ("m2_y_3", dy @ dy)):
            gap = max(gap, abs(float(cells[name][place]) / wanted - 1.0))
        gap = max(gap, abs(float(cells["cxy_3"][place]) - dx @ dy) / float(np.sqrt((dx @ dx) * (dy @ dy))))
    ours, table = whole_path(connection), from_relation(connection)
    keys = {(str(m), str(a)): i for i, (m, a) in enumerate(zip(table["metric"], table["arm"], strict=True))}
    order = [keys[str(m), str(a)] for m, a in zip(ours["metric"], ours["arm"], strict=True)]
    apart = max(
        float(np.max(np.abs(ours[name] / np.asarray(table[name], dtype=float)[order] - 1.0)))
        for name in ("p_value", "lift_low", "effect_high")
    )
    return (
        f"Same answers: moments agree with numpy's to {gap:.0e}, the two ways of ours with each other to {apart:.0e}."
    )


def main() -> None:
    """Measure, check, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-pandas", action="store_true", help="leave out pandas and scipy, which need much memory")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/one_analysis.md"))
    options = parser.parse_args()
    command = f"`python benchmarks/one_analysis.py --rows {options.rows}` reproduces it."
    found = report(options.rows, options.repeats, pandas=not options.no_pandas)
    text = "\n".join(["# One analysis", "", command, "", *found, ""])
    print(text)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
