"""Variant sets as designs: exact known cases, brute force, and what the search promises."""

from __future__ import annotations

from itertools import combinations
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.design_matrix import (
    aliasing,
    d_efficiency,
    decode,
    encode,
    full_factorial,
    imbalance,
    level_counts,
    model_matrix,
    parameters,
    rank,
)
from generation.design_search import KEPT_FOR_BALANCE, search_fraction

pytestmark = pytest.mark.slow


def efficiency_by_definition(levels: np.ndarray, sizes: tuple[int, ...]) -> float:
    """(|X'X/n| / |F'F/N|)^(1/p) with reference coding, which the coding must not matter for."""

    def matrix(rows: np.ndarray) -> np.ndarray:
        columns = [np.ones(len(rows))]
        columns += [(rows[:, f] == level) * 1.0 for f, size in enumerate(sizes) for level in range(1, size)]
        return np.stack(columns, axis=1)

    design, full = matrix(levels), matrix(full_factorial(sizes))
    ratio = np.linalg.det(design.T @ design / len(design)) / np.linalg.det(full.T @ full / len(full))
    return float(max(ratio, 0.0) ** (1 / design.shape[1]))


def test_the_half_fraction_of_three_two_level_factors() -> None:
    sizes = (2, 2, 2)
    design = search_fraction(sizes, 4, seed=1)
    assert d_efficiency(design, sizes) == pytest.approx(1.0)
    assert [counts.tolist() for counts in level_counts(design, sizes)] == [[2, 2]] * 3
    figures = aliasing(design, sizes)
    # resolution III: main effects are free of each other, each is wholly aliased with the interaction of the others
    assert [figures[(a,), (b,)] for a, b in combinations(range(3), 2)] == pytest.approx([0, 0, 0], abs=1e-9)
    assert figures[(0,), (1, 2)] == figures[(1,), (0, 2)] == figures[(2,), (0, 1)] == pytest.approx(1.0)
    assert figures[(0,), (0, 1)] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("sizes", "runs"),
    [((2,) * 7, 8), ((2,) * 7, 12), ((3,) * 4, 9), ((4,) * 5, 16)],
    ids=["saturated 2^7 in 8", "Plackett and Burman's 12", "Latin square 3^4 in 9", "4^5 in 16"],
)
def test_orthogonal_arrays_are_found(sizes: tuple[int, ...], runs: int) -> None:
    design = search_fraction(sizes, runs, seed=1)
    assert d_efficiency(design, sizes) == pytest.approx(1.0)
    assert imbalance(design, sizes) == 0


@pytest.mark.parametrize(
    ("sizes", "runs"),
    [
        ((3, 3), 5),
        ((3, 3), 6),
        ((2, 2, 2), 5),
        ((4, 3), 7),
        ((3, 2, 2), 6),
        ((3, 2, 2), 8),
        ((2,) * 4, 6),
        ((3, 3, 2), 7),
    ],
)
def test_the_search_reaches_the_best_of_all_fractions(sizes: tuple[int, ...], runs: int) -> None:
    full = full_factorial(sizes)
    model = model_matrix(full, sizes)
    chosen = model[np.array(list(combinations(range(len(full)), runs)))]
    determinants = np.linalg.det(np.einsum("brp,brq->bpq", chosen, chosen) / runs)
    best = float(determinants.max()) ** (1 / model.shape[1])
    found = d_efficiency(search_fraction(sizes, runs, seed=3), sizes)
    assert KEPT_FOR_BALANCE * best <= found <= best + 1e-9


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=5), st.integers(1, 14), st.integers(0, 3))
def test_what_every_fraction_promises(sizes: list[int], runs: int, seed: int) -> None:
    runs = min(runs, prod(sizes) - 1)
    if runs < 1:
        return
    design = search_fraction(sizes, runs, seed)
    assert design.shape == (runs, len(sizes))
    assert len(np.unique(encode(design, sizes))) == runs
    assert (design[0] == 0).all()  # the reference comes first
    assert np.array_equal(design, search_fraction(sizes, runs, seed))
    assert rank(design, sizes) == min(runs, parameters(sizes))
    expected = efficiency_by_definition(design, tuple(sizes)) if runs >= parameters(sizes) else 0.0
    assert d_efficiency(design, sizes) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("sizes", "runs"), [((6, 5, 4, 4, 3, 3), 24), ((4, 3, 2, 3, 2), 12), ((6, 5, 4, 4, 5, 4), 50)])
def test_level_counts_are_as_equal_as_they_can_be(sizes: tuple[int, ...], runs: int) -> None:
    design = search_fraction(sizes, runs, seed=7)
    assert all(counts.max() - counts.min() <= 1 for counts in level_counts(design, sizes))
    assert d_efficiency(design, sizes) > 0.9


@pytest.mark.timeout(20)
def test_twenty_thousand_combinations_are_searched_in_seconds() -> None:
    sizes = (6, 5, 4, 4, 7, 6)
    assert prod(sizes) == 20_160
    assert d_efficiency(search_fraction(sizes, 48, seed=1), sizes) > 0.95


def test_fewer_runs_than_parameters_keep_the_highest_rank() -> None:
    sizes = (3,) * 5
    design = search_fraction(sizes, 8, seed=1)
    assert (rank(design, sizes), parameters(sizes), d_efficiency(design, sizes)) == (8, 11, 0.0)
    assert imbalance(design, sizes) == 0


def test_a_random_choice_is_clearly_worse() -> None:
    sizes, runs = (4, 3, 2, 3, 2), 12
    rng = np.random.default_rng(5)
    random = [d_efficiency(decode(rng.choice(prod(sizes), runs, replace=False), sizes), sizes) for _ in range(200)]
    assert d_efficiency(search_fraction(sizes, runs, seed=1), sizes) > max(random)


def test_numbering_runs_forth_and_back() -> None:
    sizes = (3, 1, 4, 2)
    assert np.array_equal(encode(full_factorial(sizes), sizes), np.arange(24))
    assert np.array_equal(decode(np.arange(24), sizes), full_factorial(sizes))


@pytest.mark.slow
@pytest.mark.timeout(200)  # an unbounded search would take hours
@pytest.mark.parametrize(("sizes", "runs"), [((30, 30, 30), 5000), ((75, 75, 75, 2), 4000)])
def test_a_search_for_thousands_of_runs_ends_soon(sizes: tuple[int, ...], runs: int) -> None:
    design = search_fraction(sizes, runs, seed=1)
    assert len(np.unique(encode(design, sizes))) == runs
    assert d_efficiency(design, sizes) > 0.97
    assert (design[0] == 0).all()
