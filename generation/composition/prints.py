"""Taking prints: the looks of product, logo and words at the moment they are drawn."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from proofsheet.domain.asset import Box, TextRun
from proofsheet.domain.prints import Print, pack_points

_PRODUCT_POINTS = 240
_DRAWN_POINTS, _AROUND_POINTS = 64, 32  # of words and logos
_SOLID = 250  # of 255: the coverage from which a pixel shows nothing of what is behind
_EXACT = 3  # levels per channel by which a stroke's inside may differ from its ink

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def print_of_product(image: Image.Image, box: Box, size: tuple[int, int]) -> Print:
    """The print of a product as it is pasted: mean colours of squares that it fills wholly, inside the picture.

    Args:
        image: RGBA, of the box's size.
        size: the picture's width and height.
    """
    pixels = np.asarray(image)
    across, down = box.width, box.height
    filled = max(float((pixels[..., 3] >= _SOLID).mean()), 0.05)
    side = max(1, math.ceil(math.sqrt(across * down * filled / _PRODUCT_POINTS)))
    rows, columns = down // side, across // side
    tiles = pixels[: rows * side, : columns * side].reshape(rows, side, columns, side, 4)
    whole = tiles[..., 3].min(axis=(1, 3)) >= _SOLID
    means = np.rint(tiles[..., :3].mean(axis=(1, 3))).astype(np.uint8)
    y, x = np.nonzero(whole)
    left, top = box.left + x * side, box.top + y * side
    inside = (left >= 0) & (top >= 0) & (left + side <= size[0]) & (top + side <= size[1])
    return Print(role="product", side=side, drawn=_packed(left[inside], top[inside], means[y, x][inside]))


def print_of_words(picture: Image.Image, run: TextRun, ink: tuple[int, int, int]) -> Print:
    """The print of words just drawn: points on strokes of full ink, or those nearest to it, and between them."""
    left, top, right, bottom = _inside(run.box, picture.size)
    pixels = np.asarray(picture.crop((left, top, right, bottom)))
    away = np.abs(pixels.astype(np.int16) - np.array(ink, dtype=np.int16)).max(axis=2)
    drawn = away <= _EXACT
    if drawn.sum() < _DRAWN_POINTS:
        drawn = away <= np.partition(away.ravel(), min(_DRAWN_POINTS, away.size - 1))[min(_DRAWN_POINTS, away.size - 1)]
    return _marks(run.role, pixels, drawn, ~drawn, (left, top))


def print_of_logo(picture: Image.Image, logo: Image.Image, box: Box) -> Print:
    """The print of a logo picture just drawn: points where it covers its ground wholly, and where not at all."""
    left, top, right, bottom = _inside(box, picture.size)
    pixels = np.asarray(picture.crop((left, top, right, bottom)))
    alpha = np.asarray(logo.getchannel("A"))[top - box.top : bottom - box.top, left - box.left : right - box.left]
    return _marks("logo", pixels, alpha >= min(_SOLID, int(alpha.max(initial=0))), alpha == 0, (left, top))


def _inside(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    return max(box.left, 0), max(box.top, 0), min(box.right, size[0]), min(box.bottom, size[1])


def _marks(role: str, pixels: Pixels, drawn: Mask, around: Mask, corner: tuple[int, int]) -> Print:
    """Points spread evenly from the first column to the last, so that a cut end is among them."""
    packed = []
    for mask, count in ((drawn, _DRAWN_POINTS), (around, _AROUND_POINTS)):
        x, y = np.nonzero(mask.T)  # column by column
        chosen = np.unique(np.linspace(0, len(x) - 1, count).round().astype(int)) if len(x) else np.zeros(0, dtype=int)
        x, y = x[chosen], y[chosen]
        packed.append(_packed(corner[0] + x, corner[1] + y, pixels[y, x]))
    return Print(role=role, side=1, drawn=packed[0], around=packed[1])


def _packed(x: NDArray[np.intp], y: NDArray[np.intp], colours: Pixels) -> str:
    rows = zip(x.tolist(), y.tolist(), colours.tolist(), strict=True)
    return pack_points((across, down, red, green, blue) for across, down, (red, green, blue) in rows)
