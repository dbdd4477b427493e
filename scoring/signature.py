"""Picture signatures for finding look-alikes: a 64-bit DCT hash, a coarse colour grid, and the thumbnail itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from scoring.colour import Floats, lab_of_rgb
from scoring.scorer import thumbnail_of

if TYPE_CHECKING:
    from PIL.Image import Image

_GRID = 16
_HASHED_SIDE = 32
_LOW = 8
_BLUR = 1.0  # thumbnail pixels: what is finer is not seen
_LIKE_BITS = 8  # beyond this many differing bits two pictures are no shifted twins
_NO_SLIP = 0.15
_MAX_SLIP = 2
_STEPS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """What is kept of a picture to compare it: at most 150 kilobytes, whatever its size.

    ``bits`` is the 64-bit perceptual hash, ``grid`` the mean CIELAB colour of 16 × 16 fields (float32), ``lab`` the
    thumbnail in CIELAB, blurred to what the eye resolves (float16, height × width × 3).
    """

    bits: int
    grid: NDArray[np.float32]
    lab: NDArray[np.float16]


def signature_of(image: Image) -> Signature:
    """The signature of a whole picture (never a crop)."""
    from PIL import Image as Pillow

    thumbnail = thumbnail_of(image)
    lab = lab_of_rgb(np.asarray(thumbnail))
    grid = lab_of_rgb(np.asarray(thumbnail.resize((_GRID, _GRID), Pillow.Resampling.BOX)))
    small = thumbnail.convert("L").resize((_HASHED_SIDE, _HASHED_SIDE), Pillow.Resampling.LANCZOS)
    return Signature(
        bits=_hash(np.asarray(small, dtype=np.float64)),
        grid=np.asarray(grid.reshape(-1, 3), dtype=np.float32),
        lab=np.asarray(ndimage.gaussian_filter(lab, (_BLUR, _BLUR, 0)), dtype=np.float16),
    )


def _hash(grey: Floats) -> int:
    """64 bits: the signs, against their median, of the lowest 8 × 8 cosine coefficients but the mean."""
    low = fft.dctn(grey, norm="ortho")[:_LOW, :_LOW].ravel()
    bits = low > np.median(low[1:])
    bits[0] = False
    return int("".join("1" if bit else "0" for bit in bits), 2)


def hash_distance(first: Signature, second: Signature) -> int:
    """How many of the 64 bits differ."""
    return (first.bits ^ second.bits).bit_count()


def changed_share(first: Signature, second: Signature, visible: float) -> float:
    """The share (0–1) of the thumbnail that differs visibly: by more than ``visible`` in CIELAB.

    A slip by up to two thumbnail pixels is nothing one sees, so it is taken out first where there is one. Pictures of
    different shape differ wholly.
    """
    if first.lab.shape != second.lab.shape:
        return 1.0
    one, other = first.lab.astype(np.float32), second.lab.astype(np.float32)
    share = _differing(one, other, visible)
    if not share or min(one.shape[:2]) <= 2 * _MAX_SLIP or hash_distance(first, second) > _LIKE_BITS:
        return share
    slip = _slip(one[..., 0], other[..., 0])
    if np.abs(slip).max() < _NO_SLIP:
        return share
    moved = ndimage.shift(other, (slip[0], slip[1], 0), order=1, mode="nearest")
    inner = (slice(_MAX_SLIP, -_MAX_SLIP), slice(_MAX_SLIP, -_MAX_SLIP))
    return min(share, _differing(one[inner], moved[inner], visible))


def _differing(one: NDArray[np.float32], other: NDArray[np.float32], visible: float) -> float:
    return float((((one - other) ** 2).sum(axis=2) > visible**2).mean())


def _slip(one: NDArray[np.float32], other: NDArray[np.float32]) -> Floats:
    """By how many pixels (down, across) the other must be moved to lie on the first: Lucas and Kanade's steps."""
    slip = np.zeros(2)
    for _ in range(_STEPS):
        moved = ndimage.shift(other, slip, order=1, mode="nearest") if slip.any() else other
        down, across = np.gradient(moved)
        mixed = float((down * across).sum())
        matrix = np.array([[float((down**2).sum()), mixed], [mixed, float((across**2).sum())]])
        if abs(np.linalg.det(matrix)) < 1e-6:
            break
        error = one - moved
        step = -np.linalg.solve(matrix, [float((down * error).sum()), float((across * error).sum())])
        slip = np.clip(slip + step, -_MAX_SLIP, _MAX_SLIP)
        if np.abs(slip).max() < _NO_SLIP:
            break
    return np.asarray(slip, dtype=np.float64)
