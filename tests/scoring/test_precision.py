"""Precision: by model family and device, and only where pictures keep their order."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.precision import AGREEMENT, FULL, HALF, MIXED, agreement, precision_for


@pytest.mark.parametrize(
    ("tower", "device", "quick", "wanted"),
    [
        ("VisionTransformer", "cpu", True, HALF),
        ("VisionTransformer", "cpu", False, FULL),
        ("TimmModel", "cpu", True, MIXED),
        ("TimmModel", "cpu", False, FULL),
        ("ModifiedResNet", "cpu", True, FULL),
        ("VisionTransformer", "cuda", False, HALF),
        ("TimmModel", "cuda:1", False, HALF),
    ],
)
def test_precision_by_family_and_device(tower: str, device: str, quick: bool, wanted: str) -> None:
    assert precision_for(tower, device, quick_at_half=quick) == wanted


def test_half_precision_is_taken_only_where_it_ranks_alike() -> None:
    rng = np.random.default_rng(1)
    full = rng.normal(size=(12, 32)).astype(np.float32)
    full /= np.linalg.norm(full, axis=1, keepdims=True)
    near, far = full + 1e-3 * rng.normal(size=full.shape), full + 0.5 * rng.normal(size=full.shape)
    assert agreement(full, full) == pytest.approx(1)
    assert agreement(full, near) >= AGREEMENT > agreement(full, far)
