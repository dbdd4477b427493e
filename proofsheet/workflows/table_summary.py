"""Thousands of experiments in a few lines: how many comparisons say what, and which say it most clearly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from proofsheet.domain.result import Result
from proofsheet.workflows.table_comparisons import Columns, results_of

if TYPE_CHECKING:
    from proofsheet.workflows.analyze_file import TableComparisons

#: How many of the clearest results are listed.
LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many comparisons are better, worse, not told apart, or without an estimate, by one way of counting."""

    way: str
    better: int
    worse: int
    open: int
    without: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSummary:
    """One metric over all experiments.

    Attributes:
        clearest: the comparisons of the smallest p-values, with their false discovery p beside them.
        unequal: experiments whose sample ratio blocks; None where rows are counts.
    """

    metric: str
    higher_is_better: bool
    confidence: float
    experiments: int
    comparisons: int
    standings: tuple[Standing, ...]
    clearest: tuple[tuple[Result, float], ...]
    methods: tuple[tuple[str, int], ...]
    unequal: int | None
    alone: int


def summarise(found: TableComparisons) -> tuple[MetricSummary, ...]:
    """A summary of each metric of a table of experiments."""
    columns = found.columns
    names = dict.fromkeys(columns["metric"].tolist())
    parts = ((columns["metric"] == name).nonzero()[0] for name in names)
    return tuple(_one(found, {key: column[part] for key, column in columns.items()}) for part in parts)


def _one(found: TableComparisons, own: Columns) -> MetricSummary:
    confidence, higher = float(own["confidence"][0]), bool(own["higher_is_better"][0])
    alpha, correction = 1.0 - confidence, str(own["correction"][0])
    up = (own["effect"].astype(np.float64) > 0) == higher
    ways = {"each comparison by itself": "p_value"}
    if correction != "none":
        ways[f"corrected within the experiment ({correction})"] = "adjusted_p"
    ways[f"false discovery rate of {alpha:.0%} over all"] = "false_discovery_p"
    known = own["p_value"] < np.inf
    order = np.argsort(own["p_value"], kind="stable")[: min(LISTED, int(known.sum()))]
    listed = results_of({key: value[order] for key, value in own.items()}, found.experiments)
    methods, counts = np.unique(own["method"].astype(str), return_counts=True)
    ranked = sorted(zip(methods.tolist(), counts.tolist(), strict=True), key=lambda one: -one[1])
    blocked = Counter(check.name for one in found.health for check in one if check.severity == "blocking")
    return MetricSummary(
        metric=str(own["metric"][0]),
        higher_is_better=higher,
        confidence=confidence,
        experiments=len(found.experiments),
        comparisons=int(known.size),
        standings=tuple(_standing(way, own[name] < alpha, up, known) for way, name in ways.items()),
        clearest=tuple(zip(listed, own["false_discovery_p"][order].tolist(), strict=True)),
        methods=tuple((method, count) for method, count in ranked if method),
        unequal=None if "trials" in found.read.sums.columns else blocked["sample_ratio"],
        alone=blocked["both_arms"],
    )


def _standing(way: str, told: np.ndarray, up: np.ndarray, known: np.ndarray) -> Standing:
    told = told & known
    return Standing(
        way=way,
        better=int((told & up).sum()),
        worse=int((told & ~up).sum()),
        open=int((known & ~told).sum()),
        without=int((~known).sum()),
    )
