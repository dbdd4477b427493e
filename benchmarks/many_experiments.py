"""Five thousand experiments in one call, as ratios within one run.

    python benchmarks/many_experiments.py [--experiments 5000] [--loop 500]
    python benchmarks/many_experiments.py --command

Generates experiments like real headline tests (2 to 8 arms, some 3,500 impressions each, click rates around 1.3 %) and
compares every arm with the first: ``compare_many``, the least that numpy must do for p-values, lift intervals, sample
ratios and a false-discovery correction, a loop over statsmodels, and one over tea-tasting where that can be imported.
CPU seconds, the best of interleaved runs; the loops go over the first experiments only and are scaled.

``--command`` measures the whole of ``proofsheet analyze --data`` on the same experiments as a CSV file, from the start
of the process with all its imports, and puts that section alone anew into the page.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest
from timing import best, importable

from experiments.comparing.many import compare_many
from experiments.comparing.many_kinds import Choices
from experiments.comparing.small_counts import METHODS, SCORE

Table = dict[str, np.ndarray]
SEED = 20_261
Z = float(special.ndtri(0.975))
LIFT_ONLY = Choices(effect_limits=False, simultaneous=False)


def experiments(count: int) -> Table:
    """A long table of events and units, each test's arms together, the first one the control."""
    rng = np.random.default_rng(SEED)
    arms = rng.choice(np.arange(2, 9), count, p=(0.07, 0.12, 0.35, 0.2, 0.16, 0.06, 0.04))
    rows = int(arms.sum())
    first = np.cumsum(arms) - arms
    units = np.repeat(rng.lognormal(8.1, 0.35, count), arms) * rng.normal(1.0, 0.01, rows)
    n = np.maximum(50, units).astype(np.int64)
    rate = np.repeat(rng.lognormal(-4.35, 0.6, count), arms) * rng.lognormal(0.0, 0.15, rows)
    names = np.array([f"{key:024x}" for key in rng.integers(0, 2**62, count)])
    return {
        "experiment": np.repeat(names, arms),
        "arm": np.array(list("abcdefgh"))[np.arange(rows) - np.repeat(first, arms)],
        "n": n,
        "sum_x": rng.binomial(n, np.minimum(rate, 0.4)),
        "first": np.repeat(first, arms),
    }


def numpy_limit(table: Table, *, all_intervals: bool = False) -> dict[str, np.ndarray]:
    """The least: pooled z, log-ratio interval of the lift, chi-square of the sizes, Benjamini-Hochberg.

    With ``all_intervals`` also Wald's interval of the difference, and the lift's at Bonferroni's level.
    """
    n, x, first = table["n"].astype(float), table["sum_x"].astype(float), table["first"]
    arm, starts = (np.arange(n.size) != first).nonzero()[0], np.unique(first)
    sizes = np.diff(starts, append=n.size)
    x1, n1, x0, n0 = x[arm], n[arm], x[first[arm]], n[first[arm]]
    pooled = (x1 + x0) / (n1 + n0)
    with np.errstate(all="ignore"):
        z = (x1 / n1 - x0 / n0) / np.sqrt(pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n0))
        p = 2.0 * special.ndtr(-np.abs(z))
        centre, reach = np.log(x1 / n1 / (x0 / n0)), Z * np.sqrt(1.0 / x1 - 1.0 / n1 + 1.0 / x0 - 1.0 / n0)
        low, high = np.expm1(centre - reach), np.expm1(centre + reach)
    expected = np.repeat(np.add.reduceat(n, starts) / sizes, sizes)
    ratio_p = special.chdtrc(sizes - 1.0, np.add.reduceat((n - expected) ** 2 / expected, starts))
    order = np.argsort(p)
    steps = p[order] * p.size / np.arange(1, p.size + 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate(steps[::-1])[::-1]
    found = {"p": p, "low": low, "high": high, "ratio_p": ratio_p, "adjusted": adjusted}
    if not all_intervals:
        return found
    wald = Z * np.sqrt(x1 * (n1 - x1) / n1**3 + x0 * (n0 - x0) / n0**3)
    more = {"effect_low": x1 / n1 - x0 / n0 - wald, "effect_high": x1 / n1 - x0 / n0 + wald}
    with np.errstate(all="ignore"):
        wider = reach * np.repeat(special.ndtri(1.0 - 0.025 / (sizes - 1.0)) / Z, sizes - 1)
        return found | more | {"wide_low": np.expm1(centre - wider), "wide_high": np.expm1(centre + wider)}


def statsmodels_loop(table: Table) -> None:
    """What a script would do: a test and an interval of the ratio for each arm, a chi-square for each experiment."""
    p_values = []
    for start, stop in _spans(table):
        x, n = table["sum_x"][start:stop], table["n"][start:stop]
        stats.chisquare(n)
        for i in range(1, stop - start):
            p_values.append(proportions_ztest((x[i], x[0]), (n[i], n[0]))[1])
            confint_proportions_2indep(x[i], n[i], x[0], n[0], compare="ratio", method="log")
    multipletests(np.nan_to_num(p_values, nan=1.0), method="fdr_bh")


def tea_tasting_loop(tt: Any, table: Table) -> None:
    """The same by tea-tasting, from ready aggregates."""
    metric, make = tt.Mean("x", use_t=False), import_module("tea_tasting.aggr").Aggregates
    for start, stop in _spans(table):
        arms = []
        for x, n in zip(table["sum_x"][start:stop].tolist(), table["n"][start:stop].tolist(), strict=True):
            arms.append(make(count_=n, mean_={"x": x / n}, var_={"x": x / n * (1 - x / n) * n / (n - 1)}))
        stats.chisquare(table["n"][start:stop])
        for arm in arms[1:]:
            metric.analyze_aggregates(arms[0], arm)


def _spans(table: Table) -> list[tuple[int, int]]:
    starts = np.unique(table["first"]).tolist()
    return list(zip(starts, [*starts[1:], table["n"].size], strict=True))


def head(table: Table, count: int) -> Table:
    """The first experiments of a table."""
    spans = _spans(table)
    return {name: column[: spans[min(count, len(spans)) - 1][1]] for name, column in table.items()}


def check_answers(table: Table) -> str:
    """Compare with numpy's p-values and corrections everywhere, and with statsmodels' score intervals on a sample."""
    found, bare = compare_many(table, "proportion"), numpy_limit(table)
    score = found["method"] == METHODS[SCORE]
    gap = float(np.abs(found["p_value"] / bare["p"] - 1.0)[score].max())
    whole = np.unique(found["experiment"], return_index=True)[1]
    sizes = float(np.abs(np.sort(found["sample_ratio_p"][whole]) - np.sort(bare["ratio_p"])).max())
    adjusted = multipletests(found["p_value"], method="fdr_bh")[1]
    corrected = float(np.abs(found["false_discovery_p"] - adjusted).max())
    limits = 0.0
    for i in score.nonzero()[0][:40].tolist():
        x = [int(table["sum_x"][found[name][i]]) for name in ("row", "control_row")]
        n = [int(table["n"][found[name][i]]) for name in ("row", "control_row")]
        theirs = confint_proportions_2indep(x[0], n[0], x[1], n[1], compare="ratio", method="score", correction=False)
        ours = (1.0 + found["lift_low"][i], 1.0 + found["lift_high"][i])
        limits = max(limits, *(abs(a / b - 1.0) for a, b in zip(ours, theirs, strict=True)))
    return (
        f"Same answers: p-values of the score test to {gap:.0e} (relative), sample ratios to {sizes:.0e}, Benjamini-"
        f"Hochberg to {corrected:.0e}, Koopman's limits to {limits:.0e} of statsmodels' root-finder (40 comparisons); "
        f"{int((~score).sum())} of {score.size:,} comparisons have few counts and are exact instead."
    )


def many(count: int, looped: int) -> list[str]:
    """Generate, measure and check."""
    table = experiments(count)
    part = head(table, looped)
    scale = table["n"].size / part["n"].size
    work: list[tuple[str, Callable[[], object]]] = [
        ("numpy limit: p, lift, sample ratio, correction", lambda: numpy_limit(table)),
        ("`compare_many`, the same", lambda: compare_many(table, "proportion", LIFT_ONLY)),
        ("numpy limit with all intervals", lambda: numpy_limit(table, all_intervals=True)),
        ("`compare_many`, all intervals", lambda: compare_many(table, "proportion")),
    ]
    times = best([one for _, one in work], 30, time.process_time)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loops = [("loop over statsmodels", scale * best([lambda: statsmodels_loop(part)], 2, time.process_time)[0])]
        tt = importable("tea_tasting")
        if tt is not None:
            slow = best([lambda: tea_tasting_loop(tt, part)], 1, time.process_time)[0]
            loops.append(("loop over tea-tasting", scale * slow))
    rows = [*zip([name for name, _ in work], times, strict=True), *loops]
    return [
        f"## {count:,} experiments, {table['n'].size - count:,} comparisons",
        "",
        "| what | CPU seconds | × numpy limit | × `compare_many` |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {name} | {t:.4f} | {t / times[0]:,.1f} | {t / times[1]:,.1f} |" for name, t in rows),
        "",
        f"All intervals: {times[3] / times[2]:.1f} × numpy's with all intervals (closed forms; ours are score limits).",
        "",
        check_answers(table),
    ]


COMMAND = "## The whole command"


def process(arguments: list[str]) -> tuple[float, float]:
    """Seconds on the clock and of the processor of a fresh process, which finds its modules compiled as users' do."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    clock, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def command(count: int) -> list[str]:
    """The command on a file, next to what any program on numpy and scipy needs to start."""
    table = experiments(count)
    columns = [table[name].tolist() for name in ("experiment", "arm", "n", "sum_x")]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tests.csv"
        lines = (",".join(map(str, row)) for row in zip(*columns, strict=True))
        file.write_text("\n".join(["test_id,arm,views,clicks", *lines]) + "\n", encoding="utf-8")
        asked = ["-m", "proofsheet", "analyze", "--data", str(file), "--experiment", "test_id", "--arm", "arm"]
        asked += ["--trials", "views", "--successes", "clicks"]
        work = [
            ("bare interpreter", ["-c", "pass"]),
            ("import numpy, scipy.special, duckdb, pyarrow", ["-c", "import numpy, scipy.special, duckdb, pyarrow"]),
            ("`proofsheet analyze --data`, the summary", asked),
            ("the same with `--rows rows.csv`", [*asked, "--rows", str(Path(folder) / "rows.csv")]),
        ]
        runs = [[process(arguments) for _, arguments in work] for _ in range(7)]
    best_of = [(min(run[i][0] for run in runs), min(run[i][1] for run in runs)) for i in range(len(work))]
    base, load = best_of[1][1], os.getloadavg()[0]
    return [
        COMMAND,
        "",
        f"{table['n'].size:,} rows of {count:,} experiments in a CSV file; `python benchmarks/many_experiments.py "
        "--command` reproduces it. Fresh processes, the best of seven.",
        "",
        f"Load while measured: {load:.1f} on {os.cpu_count()} cores. Above one a core, seconds are those of a busy "
        "machine; the ratio to the imports alone stands.",
        "",
        "| what | seconds | CPU seconds | × imports alone |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {name} | {clock:.2f} | {cpu:.2f} | {cpu / base:.1f} |"
            for (name, _), (clock, cpu) in zip(work, best_of, strict=True)
        ),
        "",
    ]


def put_command(page: Path, section: list[str]) -> str:
    """The page with its section on the command made anew, at its end."""
    text = page.read_text(encoding="utf-8") if page.exists() else "# Many experiments at once\n"
    return text.partition(COMMAND)[0].rstrip("\n") + "\n\n" + "\n".join(section)


def main() -> None:
    """Measure, check and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--command", action="store_true", help="only the whole command, into the same page")
    parser.add_argument("--experiments", type=int, default=5_000)
    parser.add_argument("--loop", type=int, default=500, help="experiments that the loops go over")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/many_experiments.md"))
    arguments = parser.parse_args()
    if arguments.command:
        text = put_command(arguments.out, command(arguments.experiments))
        print(text)
        arguments.out.write_text(text, encoding="utf-8")
        return
    lines = ["# Many experiments at once", "", "`python benchmarks/many_experiments.py` reproduces it.", ""]
    lines += [*many(arguments.experiments, arguments.loop), "", *command(arguments.experiments)]
    text = "\n".join(lines)
    print(text)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
