"""The measures against closed forms and against SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import linalg, stats

from training import metrics


@pytest.mark.parametrize(("right", "count"), [(0, 10), (3, 10), (10, 10), (475, 500), (1, 1)])
def test_wilson_is_scipys(right: int, count: int) -> None:
    expected = stats.binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert metrics.wilson(right, count) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_wilson_of_nothing_and_of_nonsense() -> None:
    assert metrics.wilson(0, 0) == (0.0, 1.0)
    assert "value" not in metrics.Share(0, 0).as_json()
    with pytest.raises(ValueError, match="no proportion"):
        metrics.wilson(3, 2)


def test_psnr_of_a_known_error() -> None:
    one = np.full((2, 4, 4, 3), 100, np.uint8)
    other = one.copy()
    other[0] += 5
    assert metrics.psnr(one, other)[0] == pytest.approx(20 * math.log10(255 / 5))
    assert metrics.psnr(one, other)[1] == math.inf


def test_frechet_is_the_definition_by_matrix_square_root() -> None:
    rng = np.random.default_rng(1)
    one = rng.normal(size=(300, 6)) @ rng.normal(size=(6, 6))
    other = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6)) + 0.5
    a, b = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    gap = one.mean(axis=0) - other.mean(axis=0)
    expected = gap @ gap + np.trace(a + b - 2 * np.real(linalg.sqrtm(a @ b)))
    assert metrics.frechet(one, other) == pytest.approx(expected, rel=1e-8)
    assert metrics.frechet(other, one) == pytest.approx(expected, rel=1e-8)


def test_frechet_of_a_set_with_itself_and_shifted() -> None:
    rows = np.random.default_rng(2).normal(size=(40, 64))  # fewer vectors than dimensions
    assert metrics.frechet(rows, rows) == pytest.approx(0, abs=1e-6)
    assert metrics.frechet(rows, rows + np.eye(64)[3] * 2) == pytest.approx(4, abs=1e-6)


def test_vendi_counts_what_differs() -> None:
    assert metrics.vendi(np.ones((9, 5))) == pytest.approx(1)
    assert metrics.vendi(np.eye(7)) == pytest.approx(7)
    assert metrics.vendi(np.repeat(np.eye(3), 4, axis=0)) == pytest.approx(3)


def test_vendi_needs_its_centre() -> None:
    rng = np.random.default_rng(3)
    cone = np.eye(64)[0] * 10 + rng.normal(size=(30, 64)) * 0.3
    assert metrics.vendi(cone) < 1.5
    assert metrics.vendi(cone, cone.mean(axis=0)) > 15


def test_mean_distance_of_a_triangle() -> None:
    corners = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    assert metrics.mean_distance(corners) == pytest.approx((3 + 4 + 5) / 3)
    assert metrics.mean_distance(corners[:1]) == 0


def test_nearest_finds_the_nearest_even_a_copy() -> None:
    rng = np.random.default_rng(4)
    pool = rng.normal(size=(700, 8)).astype(np.float32)
    queries = np.concatenate([pool[[5, 600]], pool[[9]] + 0.01])
    gaps, places = metrics.nearest(queries, pool, block=2)
    assert places.tolist() == [5, 600, 9]
    assert gaps[:2].tolist() == [0, 0]
    assert gaps[2] == pytest.approx(0.01 * math.sqrt(8), rel=1e-3)


def test_small_pictures_measure_root_mean_square() -> None:
    one = np.zeros((1, 32, 64, 3), np.uint8)
    rows = metrics.small(np.concatenate([one, one + 51]))
    assert np.linalg.norm(rows[0] - rows[1]) == pytest.approx(0.2, abs=1e-6)
    with pytest.raises(ValueError, match="multiple"):
        metrics.small(one, side=24)


def test_quantiles_have_names() -> None:
    assert metrics.quantiles(np.arange(101.0), (0.0, 0.5)) == {"min": 0.0, "50 %": 50.0}
