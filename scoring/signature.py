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


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """What is kept of a picture to compare it: a few dozen kilobytes whatever its size.

    ``bits`` is the 64-bit perceptual hash, ``grid`` the mean CIELAB colour of 16 × 16 fields (float32), ``lab`` the
    thumbnail in CIELAB (float32, height × width × 3).
    """

    bits: int
    grid: NDArray[np.float32]
    lab: NDArray[np.float32]


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
        lab=np.asarray(lab, dtype=np.float32),
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

    A shift by one thumbnail pixel is nothing one sees: a pixel counts only where it is also outside the range of
    its neighbours in the other picture by that much. Pictures of different shape differ wholly.
    """
    if first.lab.shape != second.lab.shape:
        return 1.0
    there = _outside(first.lab, second.lab) > visible
    back = _outside(second.lab, first.lab) > visible
    return float((there | back).mean())


def _outside(picture: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each pixel is outside the range of the 3 × 3 neighbours in the other picture, in CIELAB."""
    low = ndimage.minimum_filter(other, size=(3, 3, 1))
    high = ndimage.maximum_filter(other, size=(3, 3, 1))
    outside = np.maximum(np.maximum(low - picture, picture - high), 0)
    return np.asarray(np.sqrt((outside**2).sum(axis=2)), dtype=np.float32)
