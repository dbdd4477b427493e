"""The algebra of variant sets: coded columns, D-efficiency and aliasing.

A design is an integer array ``levels`` of shape (runs, factors): entry (i, f) is the position of run i's level of
factor f. ``sizes`` holds the number of levels of each factor; a factor with one level has no columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.int64]
Columns = NDArray[np.float64]

_MOST_WORK = 5e7  # operations to work out the basis of one interaction: about a tenth of a second
_ZERO = 1e-9  # relative size below which a singular value counts as nought


def contrasts(size: int) -> Columns:
    """Orthogonal sum-to-zero contrasts of a factor with this many levels: shape (size, size − 1), C'C = size · I.

    These are Helmert's, scaled. Any other sum-to-zero coding spans the same columns, and gives the same D-efficiency
    and aliasing.
    """
    coded = np.zeros((size, size - 1))
    for column in range(size - 1):
        coded[: column + 1, column] = -1.0
        coded[column + 1, column] = column + 1.0
        coded[:, column] *= np.sqrt(size / ((column + 1) * (column + 2)))
    return coded


def parameters(sizes: Sequence[int]) -> int:
    """How many parameters the model with all main effects has: the mean and size − 1 for each factor."""
    return 1 + sum(size - 1 for size in sizes)


def main_columns(levels: Levels, sizes: Sequence[int]) -> list[Columns]:
    """The main-effect columns of each factor: arrays of shape (runs, size − 1)."""
    return [contrasts(size)[levels[:, factor]] for factor, size in enumerate(sizes)]


def model_matrix(levels: Levels, sizes: Sequence[int]) -> Columns:
    """The model matrix of mean and main effects, of shape (runs, parameters(sizes))."""
    return np.hstack([np.ones((len(levels), 1)), *main_columns(levels, sizes)])


def rank(levels: Levels, sizes: Sequence[int]) -> int:
    """How many of the parameters the design can tell apart."""
    values = np.linalg.svd(model_matrix(levels, sizes), compute_uv=False)
    return int((values > _ZERO * values[0]).sum())


def d_efficiency(levels: Levels, sizes: Sequence[int]) -> float:
    """Information per run relative to the full factorial: (|X'X/n| / |F'F/N|)^(1/p).

    X is the model matrix of the design with n runs, F that of the full factorial with N, p the number of parameters.
    With the contrasts used here F'F/N is the identity. By Hadamard's inequality the value is at most 1; it is 0 when
    some main effect cannot be estimated.
    """
    model = model_matrix(levels, sizes)
    runs, columns = model.shape
    if runs < columns or rank(levels, sizes) < columns:
        return 0.0
    _, log_determinant = np.linalg.slogdet(model.T @ model / runs)
    return float(min(np.exp(log_determinant / columns), 1.0))


def level_counts(levels: Levels, sizes: Sequence[int]) -> list[NDArray[np.int64]]:
    """How often each level of each factor occurs."""
    return [np.bincount(levels[:, factor], minlength=size) for factor, size in enumerate(sizes)]


def imbalance(levels: Levels, sizes: Sequence[int]) -> int:
    """How far the level counts are from equal: the sum over factors of the largest minus the smallest count,
    beyond what the number of runs makes unavoidable."""
    total = 0
    for counts, size in zip(level_counts(levels, sizes), sizes, strict=True):
        total += int(counts.max() - counts.min()) - (1 if len(levels) % size else 0)
    return total


def aliasing(levels: Levels, sizes: Sequence[int]) -> dict[tuple[tuple[int, ...], tuple[int, ...]], float]:
    """How strongly effects are mixed up with each other in a design.

    For effects A and B with contrasts spanning a and b dimensions, the figure is √(Σρ²/min(a, b)), where ρ are the
    canonical correlations of the two sets of columns over the runs. It is 0 when A and B are estimated independently,
    1 when one cannot be told from the other at all, and for two factors of two levels the plain absolute correlation.

    Returns:
        The figure for each pair of main effects, ``((f,), (g,))``, and of a main effect with an interaction of two
        factors, ``((f,), (g, h))``; factors with one level are left out, and so are interactions of so many levels in
        so many runs that working them out would take long.
    """
    varied = [factor for factor, size in enumerate(sizes) if size > 1]
    columns = main_columns(levels, sizes)
    bases: dict[tuple[int, ...], Columns] = {(factor,): _basis(columns[factor]) for factor in varied}
    for pair in combinations(varied, 2):
        spanned = (sizes[pair[0]] - 1) * (sizes[pair[1]] - 1)
        if len(levels) * spanned * min(len(levels), spanned) > _MOST_WORK:
            continue
        bases[pair] = _basis(_products(columns[pair[0]], columns[pair[1]]))
    figures: dict[tuple[tuple[int, ...], tuple[int, ...]], float] = {}
    for factor in varied:
        for effect in bases:
            if len(effect) == 2 or effect[0] > factor:
                figures[(factor,), effect] = _overlap(bases[(factor,)], bases[effect])
    return figures


def _products(left: Columns, right: Columns) -> Columns:
    return np.asarray((left[:, :, None] * right[:, None, :]).reshape(len(left), -1))


def _basis(columns: Columns) -> Columns:
    """An orthonormal basis of the columns with their means taken out; fewer columns where they depend on each other."""
    centred = columns - columns.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(left[:, values > _ZERO * max(float(np.abs(columns).max()) * np.sqrt(columns.size), 1.0)])


def _overlap(left: Columns, right: Columns) -> float:
    smaller = min(left.shape[1], right.shape[1])
    if not smaller:
        return 0.0
    return float(np.sqrt(min(float(((left.T @ right) ** 2).sum()) / smaller, 1.0)))


def full_factorial(sizes: Sequence[int]) -> Levels:
    """Every combination, in order: the last factor changes fastest. Shape (prod(sizes), factors)."""
    return decode(np.arange(prod(sizes)), sizes)


def decode(codes: NDArray[np.int64], sizes: Sequence[int]) -> Levels:
    """The combinations with these running numbers (mixed radix, last factor fastest)."""
    return np.stack(np.unravel_index(codes, tuple(sizes)), axis=1).astype(np.int64)


def encode(levels: Levels, sizes: Sequence[int]) -> NDArray[np.int64]:
    """The running numbers of combinations."""
    return np.asarray(np.ravel_multi_index(tuple(levels.T), tuple(sizes)), dtype=np.int64)
