"""How much the pictures of a set differ: their effective number, clusters of look-alikes, levels that look alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

#: Factors whose levels are words: a model hardly sees them, and pixels tell whether they differ.
WORDS = frozenset({"headline", "cta"})

Floats = NDArray[np.floating]
Pairs = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeLevels:
    """Two levels of a factor, and how many of the pairs that differ in nothing else look alike."""

    factor: str
    first: str
    second: str
    alike: int
    pairs: int

    @property
    def indistinct(self) -> bool:
        """Whether most of the pairs look alike."""
        return 2 * self.alike > self.pairs


def vendi(vectors: Floats, centre: Floats) -> float:
    """The effective number of distinct pictures, 1 to n: the Vendi score (Friedman and Dieng, 2023).

    The exponential of the entropy of the eigenvalues of K / n, with K the cosines of the vectors (n, d) from which the
    reference mean (d,) has been taken. Without that, a model's narrow cone makes any set look like one picture.
    """
    rows = np.asarray(vectors, dtype=np.float64) - np.asarray(centre, dtype=np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    shares = np.linalg.eigvalsh(rows @ rows.T / len(rows))
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def clusters_of(twins: Pairs) -> tuple[tuple[int, ...], ...]:
    """Clusters of two and more, by index, from a matrix (n, n) of who looks like whom (single linkage)."""
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(twins, directed=False)
    groups = [tuple(np.flatnonzero(label == one).tolist()) for one in range(count)]
    return tuple(group for group in groups if len(group) > 1)


def alike_levels(
    levels: Sequence[Mapping[str, str]], twins: Pairs
) -> tuple[tuple[AlikeLevels, ...], tuple[tuple[str, str, str], ...]]:
    """For each factor and two of its levels, how often pictures that differ in nothing else look alike.

    Other words (headline, call to action) count as nothing else where the factor is not one of words itself: they
    change little of a picture, so that fractions of a plan, too, have such pairs.

    Args:
        levels: each picture's levels by factor.
        twins: (n, n), who looks like whom.

    Returns:
        The compared pairs of levels, and those (factor, level, level) of which no two pictures differ in that alone.
    """
    factors = list(dict.fromkeys(name for one in levels for name in one))
    compared, untold = list[AlikeLevels](), list[tuple[str, str, str]]()
    for factor in factors:
        ignored = {factor} if factor in WORDS else {factor, *WORDS}
        rest = [tuple(sorted((k, v) for k, v in one.items() if k not in ignored)) for one in levels]
        own = [one.get(factor, "") for one in levels]
        for first, second in combinations(dict.fromkeys(own), 2):
            matched = [
                (i, j)
                for i in range(len(levels))
                for j in range(len(levels))
                if own[i] == first and own[j] == second and rest[i] == rest[j]
            ]
            if not matched:
                untold.append((factor, first, second))
                continue
            alike = sum(bool(twins[pair]) for pair in matched)
            compared.append(AlikeLevels(factor=factor, first=first, second=second, alike=alike, pairs=len(matched)))
    return tuple(compared), tuple(untold)
