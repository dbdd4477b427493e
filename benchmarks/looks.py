"""Does looking at an experiment every day keep its error, with the readings that ``analyze`` takes?

    python benchmarks/looks.py [--tests 10000] [--reports 800] [--seed 1] [--out docs/benchmarks/looks.md]

Every test is an A/A test over 28 days and a week more, read each day. The p-values of one look are those of ``compare``
(in whole arrays) and ``compare_cells``; ``tests/experiments/test_looks.py`` shows that its rows reject exactly where
these do. The figures depend on the seed and the numbers of tests alone.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from experiments.comparing.counts import compare_cells
from proofsheet.domain.experiment import Arm, Experiment, ExperimentStatus, Metric, MetricKind, TestDesign
from proofsheet.domain.result import Cell
from proofsheet.workflows.readings import reading_of

Array = NDArray[np.float64]
DAYS, OVERRUN = 28, 35
CTR = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
WAYS = {"fixed": "plain, every day", "auto": "as `analyze` reads it", "always-valid": "always valid, all of alpha"}


def experiment(arms: int, unit: str, per_day: int) -> Experiment:
    """A running test that is planned to reach its size on the 28th day; its arms are named by numbers."""
    return Experiment(
        id="a/a",
        campaign="a/a",
        name="a/a",
        hypothesis="",
        unit=unit,
        arms=tuple(Arm(name=str(i), variant_id=str(i), asset_ids=(), is_control=not i) for i in range(arms)),
        metrics=(CTR,),
        design=TestDesign(
            baseline=0.1,
            minimum_lift=0.1,
            alpha=0.05,
            power=0.8,
            comparisons=arms - 1,
            n_per_arm=per_day * DAYS,
            arms=arms,
            daily_units=per_day * arms,
            days=DAYS,
        ),
        status=ExperimentStatus.RUNNING,
    )


def levels(way: str, arms: int, unit: str, per_day: int) -> Array:
    """The level below which a p-value of one look rejects on each day: that of Holm's first step."""
    test = experiment(arms, unit, per_day)
    found = []
    for day in range(OVERRUN):
        sizes = {arm.name: per_day * (day + 1) for arm in test.arms}
        reading, _ = reading_of(test, sizes, intervals=way, confidence=0.95)
        found.append(reading.level("1", 0.05 / (arms - 1)))
    return np.array(found)


def signups(rng: np.random.Generator, tests: int, arms: int, per_day: int) -> Array:
    """The least p-value over the arms, by test and day: a tenth of the users sign up; pooled z."""
    x = rng.binomial(per_day, 0.1, (arms, tests, OVERRUN)).cumsum(axis=-1)
    n = per_day * np.arange(1, OVERRUN + 1)
    pooled = (x[1:] + x[0]) / (2.0 * n)
    error = np.sqrt(np.maximum(pooled * (1.0 - pooled), 1e-12) * 2.0 / n)
    return np.asarray((2.0 * special.ndtr(-np.abs(x[1:] - x[0]) / n / error)).min(axis=0))


def amounts(rng: np.random.Generator, tests: int, arms: int, per_day: int) -> Array:
    """What users spend, log-normal of skewness 6; Welch's t."""
    sums = np.zeros((2, arms, tests, OVERRUN))
    for day in range(OVERRUN):
        values = np.exp(rng.normal(size=(per_day, arms, tests)))
        sums[:, :, :, day] = values.sum(axis=0), (values**2).sum(axis=0)
    n = per_day * np.arange(1.0, OVERRUN + 1)
    total, squares = sums.cumsum(axis=-1)
    mean = total / n
    variance = (squares / n - mean**2) / (n - 1.0)
    spread = variance[1:] + variance[0]
    df = spread**2 * (n - 1.0) / (variance[1:] ** 2 + variance[0] ** 2)
    return np.asarray((2.0 * special.stdtr(df, -np.abs(mean[1:] - mean[0]) / np.sqrt(spread))).min(axis=0))


def reports(rng: np.random.Generator, tests: int, arms: int, per_day: int) -> Array:
    """A platform's clicks: the rate swings by 10 % from day to day, each arm's by another 5 %; the cell model."""
    p = np.ones((tests, OVERRUN))
    for test in range(tests):
        cells: list[Cell] = []
        for day in range(OVERRUN):
            rates = 0.02 * np.exp(0.1 * rng.normal() + 0.05 * rng.normal(size=arms))
            clicks = rng.binomial(per_day, rates)
            cells += [
                Cell(arm=str(i), cell=f"{day:02d}|feed|", trials=per_day, successes=float(clicks[i]))
                for i in range(arms)
            ]
            rows = compare_cells(CTR, cells, "0", experiment="a/a")
            p[test, day] = min(row.p_value or 1.0 for row in rows)
    return p


def lines(tests: int, of_reports: int, seed: int) -> Iterator[str]:
    """A line of the table for every kind of data and way of reading."""
    cases = (
        ("signups, 60 users an arm and day", signups, tests, 2, 60, "user"),
        ("signups, 4 arms, Holm", signups, tests, 4, 60, "user"),
        ("amounts, skewness 6, 60 users an arm and day", amounts, tests, 2, 60, "user"),
        ("a platform's clicks, 3,000 impressions an arm and day", reports, of_reports, 2, 3_000, "impression"),
    )
    for number, (name, draw, count, arms, per_day, unit) in enumerate(cases):
        p = draw(np.random.default_rng([seed, number]), count, arms, per_day)
        for way, told in WAYS.items():
            rejects = p < levels(way, arms, unit, per_day)
            hits, late = int(rejects[:, :DAYS].any(axis=-1).sum()), float(rejects.any(axis=-1).mean())
            share = f"{hits / count:.1%} | {at_most(hits, count):.1%} | {late:.1%}"
            yield f"| {name} | {told} | {count:,} | {share} |"


def at_most(hits: int, tests: int) -> float:
    """The upper end of a one-sided 95 % interval of the share (Clopper and Pearson)."""
    return float(special.betaincinv(hits + 1.0, tests - hits, 0.95)) if hits < tests else math.inf


def report(tests: int, of_reports: int, seed: int) -> str:
    """The page, in Markdown."""
    command = f"python benchmarks/looks.py --tests {tests} --reports {of_reports} --seed {seed}"
    return "\n".join(
        [
            "# Does looking every day keep the error?",
            "",
            f"Written by `{command}`. A/A tests at 5 %, read on each of 28 days; the planned size comes on the last.",
            "`at most` is the upper end of a one-sided 95 % interval. Last column: the test runs on for a week past",
            "its size, against the advice, and is read every day; past 5 % `analyze` reads it always valid again.",
            "",
            "| data | intervals | tests | any arm called different in 28 days | at most | in 35 days |",
            "| --- | --- | --- | --- | --- | --- |",
            *lines(tests, of_reports, seed),
            "",
        ]
    )


def main() -> None:
    """Run, print and, when asked, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=10_000)
    parser.add_argument("--reports", type=int, default=800)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    page = report(options.tests, options.reports, options.seed)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
