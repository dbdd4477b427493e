"""Searches a fraction of the full factorial that estimates the main effects best.

Method: from several seeded starts with equal level counts, first swaps of levels between two runs, which keep the
counts, then free exchanges of runs (Fedorov 1972; one factor at a time as in Meyer and Nachtsheim 1995 where there are
many combinations). Both climb the D-criterion with a small ridge, which makes the search meaningful with fewer runs
than parameters too (Bayesian D-optimality, DuMouchel and Jones 1994).

The work is limited, so that a search takes seconds whatever is asked: with many runs only some of them, drawn by lot,
are improved, and with very many the start stays as it is. That costs little: a random choice with equal level counts
and many runs for each parameter is nearly D-optimal already.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from generation.design_matrix import (
    Columns,
    Levels,
    aliasing,
    contrasts,
    decode,
    encode,
    imbalance,
    model_matrix,
    parameters,
)

Vector: TypeAlias = NDArray[np.float64]

#: A design with more equal level counts is preferred while it keeps this share of the best D-efficiency found.
KEPT_FOR_BALANCE = 0.985

_RIDGE, _RIDGE_OF_FEW_RUNS = 1e-5, 0.1  # the second with fewer runs than parameters; one run has the information 1
_ALL_CANDIDATES = 1500  # with more combinations than this, runs are exchanged one factor at a time
_MOST_STARTS = 30
_WORK = 1.5e8  # elementary operations of all starts together: about two seconds
_MOST_PARTNERS = 200  # runs that one run's levels are tried against; with more runs, so many are drawn by lot
_LEAST_GAIN = 1e-7
_DIGITS = 9  # gains that agree to so many are equal: the first counts, whatever the machine's last digits
_MOST_PASSES = 40


def search_fraction(sizes: Sequence[int], runs: int, seed: int) -> Levels:
    """Choose ``runs`` different combinations; the same arguments give the same choice.

    Among the designs found, those with at least KEPT_FOR_BALANCE of the best D-efficiency compete on equal level
    counts, then on efficiency, then on little aliasing. The reference run (first level of every factor) is always in
    it. That costs nothing: exchanging the names of two levels changes neither efficiency nor balance, so that any run
    can be made the reference.

    Args:
        sizes: levels of each factor; their product is larger than ``runs`` and at most a few million.
        runs: how many combinations to choose, at least 1.
        seed: of the starts.

    Returns:
        Shape (runs, factors), in the order of the full factorial.
    """
    rng = np.random.default_rng(seed)
    effort = _effort(sizes, runs)
    search = _Search(sizes, rng, effort)
    found: list[Levels] = []
    for _ in range(effort.starts):
        balanced = search.swap_levels(search.start(runs))
        found += [balanced, search.exchange_runs(balanced)]
    values = [_value(design, sizes) for design in found]
    good = [
        (imbalance(design, sizes), -round(value, 4), at)
        for at, (design, value) in enumerate(zip(found, values, strict=True))
        if value >= KEPT_FOR_BALANCE * max(values)
    ]
    tied = [found[at] for unequal, value, at in good if (unequal, value) == min(good)[:2]]
    best = min(tied, key=lambda design: round(sum(figure**2 for figure in aliasing(design, sizes).values()), 6))
    return decode(np.sort(encode(_with_reference(best), sizes)), sizes)


class _Effort(NamedTuple):
    """What the work allows: starts, passes over the runs at most in each, and runs to improve in a pass."""

    starts: int
    passes: int
    visits: int


def _effort(sizes: Sequence[int], runs: int) -> _Effort:
    width = parameters(sizes)
    exchanged = prod(sizes) if prod(sizes) <= _ALL_CANDIDATES else sum(sizes)
    swapped = len(sizes) * min(runs, _MOST_PARTNERS)
    a_visit = 3000 * (1 + len(sizes)) + (exchanged + swapped) * width * (0.6 + 0.075 * width)
    a_pass = runs * a_visit
    return _Effort(
        starts=int(np.clip(_WORK / (12.0 * a_pass), 1, _MOST_STARTS)),
        passes=int(np.clip(_WORK / a_pass, 1, _MOST_PASSES)),
        visits=min(runs, int(0.4 * _WORK / a_visit)) if a_pass > _WORK else runs,
    )


def _ridge(runs: int, width: int) -> Columns:
    return np.asarray((_RIDGE if runs >= width else _RIDGE_OF_FEW_RUNS) * np.eye(width))


def _value(design: Levels, sizes: Sequence[int]) -> float:
    """The D-criterion per run and parameter, with the ridge; comparable between designs of equal shape."""
    model = model_matrix(design, sizes)
    information = model.T @ model + _ridge(*model.shape)
    return float(np.exp(np.linalg.slogdet(information)[1] / model.shape[1]) / len(design))


class _Search:
    """Climbs from a start; holds what all starts share."""

    def __init__(self, sizes: Sequence[int], rng: np.random.Generator, effort: _Effort) -> None:
        self._sizes = tuple(sizes)
        self._rng = rng
        self._passes = effort.passes
        self._visits = effort.visits
        self._coded = [contrasts(size) for size in sizes]
        bounds = np.cumsum([1, *(size - 1 for size in sizes)]).tolist()
        self._blocks = [slice(low, high) for low, high in pairwise(bounds)]
        self._weights = np.array([prod(sizes[at + 1 :]) for at in range(len(sizes))], dtype=np.int64)
        total = prod(sizes)
        self._pool = decode(np.arange(total), sizes) if total <= _ALL_CANDIDATES else None
        self._pool_rows = None if self._pool is None else model_matrix(self._pool, sizes)

    def start(self, runs: int) -> Levels:
        """Random columns with level counts as equal as they can be, repaired until no combination stands twice."""
        columns = [self._rng.permutation(np.resize(self._rng.permutation(size), runs)) for size in self._sizes]
        design = np.stack(columns, axis=1).astype(np.int64)
        used = np.zeros(prod(self._sizes), dtype=bool)
        for run, code in enumerate(self._codes(design).tolist()):
            while used[code]:
                code = int(self._rng.integers(len(used)))
            used[code] = True
            design[run] = decode(np.array([code]), self._sizes)[0]
        return design

    def _codes(self, design: Levels) -> NDArray[np.int64]:
        return np.asarray(design @ self._weights, dtype=np.int64)

    def _inverse(self, model: Columns) -> Columns:
        return np.asarray(np.linalg.inv(model.T @ model + _ridge(*model.shape)))

    def swap_levels(self, design: Levels) -> Levels:
        """Swap the levels of one factor between two runs while that raises the determinant: counts stay as they are."""
        design = design.copy()
        used = np.zeros(prod(self._sizes), dtype=bool)
        used[self._codes(design)] = True
        for _ in range(self._passes):
            model = model_matrix(design, self._sizes)
            inverse = self._inverse(model)
            changed = False
            for run in self._rng.permutation(len(design))[: self._visits].tolist():
                for factor, block in enumerate(self._blocks):
                    step = self._best_swap(design, model, inverse, used, run, factor)
                    if step is None:
                        continue
                    other, left, right = step
                    pair = [run, other]
                    used[self._codes(design[pair])] = False
                    design[pair, factor] = design[pair[::-1], factor]
                    model[pair, block] = model[pair[::-1], block]
                    used[self._codes(design[pair])] = True
                    inverse = _updated(inverse, (left + right) / np.sqrt(2), (left - right) / np.sqrt(2))
                    changed = True
            if not changed:
                break
        return design

    def _best_swap(
        self, design: Levels, model: Columns, inverse: Columns, used: NDArray[np.bool_], run: int, factor: int
    ) -> tuple[int, Vector, Vector] | None:
        """The partner for a swap, and the vectors u and v of its update X'X + uv' + vu'; None when none gains."""
        others = np.flatnonzero(design[:, factor] != design[run, factor])
        if not len(others):
            return None
        if len(others) > _MOST_PARTNERS:
            others = self._rng.choice(others, _MOST_PARTNERS, replace=False)
        shift = (design[others, factor] - design[run, factor]) * self._weights[factor]
        code = int(self._codes(design[run : run + 1])[0])
        free = ~used[code + shift] & ~used[self._codes(design[others]) - shift]
        others = others[free]
        if not len(others):
            return None
        left = model[run] - model[others]
        right = -left
        mask = np.zeros(model.shape[1])
        mask[self._blocks[factor]] = 1.0
        left, right = left * (1.0 - mask), right * mask
        left_weighted, right_weighted = left @ inverse, right @ inverse
        gains = (1.0 + (left_weighted * right).sum(axis=1)) ** 2 - (left_weighted * left).sum(axis=1) * (
            right_weighted * right
        ).sum(axis=1)
        choice = int(gains.round(_DIGITS).argmax())
        return (int(others[choice]), left[choice], right[choice]) if gains[choice] > 1.0 + _LEAST_GAIN else None

    def exchange_runs(self, design: Levels) -> Levels:
        """Exchange one run at a time for the combination that raises the determinant most, until none does."""
        design = design.copy()
        used = np.zeros(prod(self._sizes), dtype=bool)
        used[self._codes(design)] = True
        for _ in range(self._passes):
            inverse = self._inverse(model_matrix(design, self._sizes))
            changed = False
            for run in self._rng.permutation(len(design))[: self._visits].tolist():
                old = model_matrix(design[run : run + 1], self._sizes)[0]
                others, rows = self._neighbours(design[run])
                codes = self._codes(others)
                gains = _gains(inverse, old, rows)
                gains[used[codes]] = -np.inf
                choice = int(gains.round(_DIGITS).argmax())
                if gains[choice] > 1.0 + _LEAST_GAIN:
                    used[self._codes(design[run : run + 1])] = False
                    used[codes[choice]] = True
                    design[run] = others[choice]
                    inverse = _updated(inverse, rows[choice], old)
                    changed = True
            if not changed:
                break
        return design

    def _neighbours(self, run: NDArray[np.int64]) -> tuple[Levels, Columns]:
        """All combinations where they are few, else those that differ from a run in one factor; with their rows."""
        if self._pool is not None and self._pool_rows is not None:
            return self._pool, self._pool_rows
        others = np.repeat(run[None, :], sum(self._sizes), axis=0)
        others[np.arange(len(others)), np.repeat(np.arange(len(self._sizes)), self._sizes)] = np.concatenate(
            [np.arange(size) for size in self._sizes]
        )
        return others, model_matrix(others, self._sizes)


def _gains(inverse: Columns, old: Vector, rows: Columns) -> Vector:
    """The factor by which the determinant grows when row ``old`` makes way for each of ``rows`` (Fedorov's delta)."""
    weighted = rows @ inverse
    leaving = float(old @ inverse @ old)
    return np.asarray((1.0 + (weighted * rows).sum(axis=1)) * (1.0 - leaving) + (weighted @ old) ** 2)


def _updated(inverse: Columns, added: Vector, removed: Vector) -> Columns:
    """The inverse after aa' was added and rr' taken away (Sherman and Morrison, twice)."""
    step = inverse @ added
    inverse = inverse - np.outer(step, step) / (1.0 + added @ step)
    step = inverse @ removed
    return np.asarray(inverse + np.outer(step, step) / (1.0 - removed @ step))


def _with_reference(design: Levels) -> Levels:
    """Rename levels so that one run has the first level of every factor: the run nearest to it already."""
    run = design[(design != 0).sum(axis=1).argmin()]
    renamed = design.copy()
    for factor, level in enumerate(run.tolist()):
        renamed[design[:, factor] == level, factor] = 0
        renamed[design[:, factor] == 0, factor] = level
    return renamed
