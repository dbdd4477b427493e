"""Long tables of arms: which rows are one test, which is the control, and whether the sizes are as planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.comparing.estimates import Array
from proofsheet.errors import InputError

Labels = NDArray[Any]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouping:
    """The tests of a long table: rows of one experiment and metric together.

    Attributes:
        order: the rows with those of a test side by side, tests and rows in the order in which they first come.
        starts: where each test begins in that order.
        sizes: rows of each test.
        in_order: whether they stand so in the table already.
    """

    order: Index
    starts: Index
    sizes: Index
    in_order: bool

    @property
    def of_rows(self) -> Index:
        """The number of the test of each row, in the order."""
        return np.repeat(np.arange(self.starts.size), self.sizes)


def group_rows(labels: list[Labels]) -> Grouping:
    """Group rows with the same labels; quick where such rows already stand together.

    Args:
        labels: columns of one length, such as experiment and metric.
    """
    rows = len(labels[0])
    changes = np.zeros(rows, dtype=bool)
    changes[:1] = True
    for column in labels:
        changes[1:] |= np.asarray(column[1:] != column[:-1], dtype=bool)
    starts = changes.nonzero()[0]
    parts = [column[starts].tolist() for column in labels]
    keys = parts[0] if len(parts) == 1 else list(zip(*parts, strict=True))
    order, in_order = np.arange(rows), len(set(keys)) == len(keys)
    if not in_order:
        numbers = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        runs = np.array([numbers[key] for key in keys], dtype=np.intp)
        of_rows = np.repeat(runs, np.diff(starts, append=rows))
        order = np.argsort(of_rows, kind="stable")
        sizes = np.bincount(of_rows)
        starts = np.cumsum(sizes) - sizes
    return Grouping(order=order, starts=starts, sizes=np.diff(starts, append=rows), in_order=in_order)


def control_rows(grouping: Grouping, is_control: ArrayLike | None, names: Labels) -> Index:
    """The row of each test's control, as a place in ``grouping.order``; the first one where none are marked.

    Args:
        is_control: in the order of the grouping.
        names: the experiment of each row in that order, for the message.

    Raises:
        InputError: a test has no control, or more than one.
    """
    if is_control is None:
        return grouping.starts
    marked = np.asarray(is_control, dtype=bool)
    counts = np.add.reduceat(marked.astype(np.intp), grouping.starts)
    wrong = (counts != 1).nonzero()[0]
    if wrong.size:
        name, count = names[grouping.starts[wrong[0]]], counts[wrong[0]]
        raise InputError(
            f"The experiment {str(name)!r} has {count} controls in a metric ({wrong.size} such in all).",
            "Mark exactly one arm of every experiment and metric as the control, or none at all to take the first.",
        )
    return marked.nonzero()[0]


def sample_ratio_p(n: Array, weights: Array | None, grouping: Grouping) -> Array:
    """The chi-square p-value of each test's arm sizes against the planned shares, in (0, 1].

    Only arms with a positive weight count; without weights all are planned alike. 1 where fewer than two count, or
    where nothing was counted.

    Args:
        n: units of each row, in the order of the grouping.
        weights: planned shares, to any scale, in the same order.

    Raises:
        InputError: a weight is negative or not finite.
    """
    starts, sizes = grouping.starts, grouping.sizes
    if weights is None:
        total, arms = np.add.reduceat(n, starts), sizes
        # sum((n - e)^2 / e) = sum((n - e)^2) / e with one e for all.
        gaps = n - np.repeat(total / sizes, sizes)
        statistic = np.add.reduceat(gaps * gaps, starts) * sizes / np.maximum(total, 1.0)
    else:
        if not bool(np.all((weights >= 0) & (weights < np.inf))):
            raise InputError("A planned weight is negative or not finite.", "Give weights of 0 or more.")
        planned = weights > 0
        counted = np.where(planned, n, 0.0)
        total, arms = np.add.reduceat(counted, starts), np.add.reduceat(planned.astype(np.intp), starts)
        scale = total / np.maximum(np.add.reduceat(weights, starts), TINY)
        expected = weights * np.repeat(scale, sizes)
        gaps = counted - expected
        parts = np.where(expected > 0, gaps * gaps / np.where(expected > 0, expected, 1.0), 0.0)
        statistic = np.add.reduceat(parts, starts)
    known = (arms > 1) & (total > 0)
    p = special.chdtrc(np.where(known, arms - 1.0, 1.0), np.where(known, statistic, 0.0))
    return np.clip(np.where(known, p, 1.0), TINY, 1.0)


def read_columns(table: Mapping[str, ArrayLike] | NDArray[np.void], required: tuple[str, ...]) -> dict[str, Labels]:
    """The columns of a mapping or a structured array, all of one length.

    Raises:
        InputError: a required column is missing, or lengths differ.
    """
    names = table.dtype.names if isinstance(table, np.ndarray) else tuple(table)
    columns = {str(name): np.asarray(table[name]) for name in names or ()}
    missing = [name for name in required if name not in columns]
    if missing:
        raise InputError(f"The table lacks {', '.join(missing)}.", f"It has: {', '.join(columns) or 'no columns'}.")
    lengths = {column.shape for column in columns.values()}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1:
        raise InputError("The columns do not have one length.", "Give every column one value per row.")
    return columns
