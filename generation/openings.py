"""Telling an opening in a product, such as that of a handle, from a part in the colour of the ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

#: Smallest radius and largest area of an opening, as shares of the picture's longest side and of the silhouette.
_LEAST_RADIUS, _MOST_AREA = 0.006, 0.6
#: The nearer wall over the farther; the nearer over the opening; the silhouette there over its largest extent.
_LOPSIDED, _THIN, _NARROWER = 0.45, 0.9, 0.88
#: A closed ring is round (its bounding box is not filled) and thin all around.
_ROUND, _THIN_RING = 0.88, 0.6


def find_openings(
    pixels: Floats, enclosed: Bools, outside: Bools, ground: Floats, noise: float, tolerance: float
) -> Bools:
    """The enclosed parts through which the ground is seen; in doubt a part is kept as the product's.

    Args:
        pixels: the picture, H×W×3, 0 to 1.
        enclosed: parts in the ground's colour that do not touch it.
        outside: the ground connected with the border.
        ground: the ground's colour everywhere.
        noise: standard deviation of the ground, lightly smoothed.
        tolerance: how far from ``ground`` a pixel of the ground may be.
    """
    openings = np.zeros_like(enclosed)
    silhouette = ~outside
    labels, count = ndimage.label(enclosed)
    if count == 0:
        return openings
    sizes = np.bincount(labels.ravel())
    least = _LEAST_RADIUS * max(enclosed.shape)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if sizes[number] < 3 * least**2 or sizes[number] > _MOST_AREA * silhouette.sum():
            continue
        part = labels == number
        if float(ndimage.distance_transform_edt(np.pad(part[box], 1)).max()) < least:
            continue
        if _is_ground(pixels, part, ground, noise, tolerance) and _is_framed(part, silhouette, ground):
            openings |= part
    return openings


def _is_ground(pixels: Floats, part: Bools, ground: Floats, noise: float, tolerance: float) -> bool:
    """Whether a part has the ground's very colour and evenness there, and ends at an edge."""
    core = ndimage.binary_erosion(part, iterations=2)
    if not core.any():
        return False
    off = ndimage.gaussian_filter(pixels, (1, 1, 0))[core] - ground[core]
    close = float(np.abs(np.median(off, axis=0)).max()) <= max(0.008, 1.5 * noise)
    even = float(off.std(axis=0).max()) <= max(0.006, 2 * noise)
    around = ndimage.binary_dilation(part, iterations=6) & ~ndimage.binary_dilation(part, iterations=3)
    contrast = np.abs(pixels[around] - ground[around]).max(axis=1)
    return close and even and float((contrast > 3 * tolerance).mean()) > 0.85


def _is_framed(part: Bools, silhouette: Bools, ground: Floats) -> bool:
    """Whether a part lies as an opening does: behind a handle beside a larger body, or within a thin round ring."""
    rows, columns = np.nonzero(part)
    y, x = round(rows.mean()), round(columns.mean())
    if not part[y, x]:
        return False
    filled = ndimage.binary_fill_holes(silhouette)
    across, along = _walls(part[y], filled[y], x), _walls(part[:, x], filled[:, x], y)
    tall, wide = filled.sum(axis=0), filled.sum(axis=1)
    for walls, extent, most in ((across, tall[x], tall.max()), (along, wide[y], wide.max())):
        near, far = sorted(walls[:2])
        if near <= _LOPSIDED * far and near <= _THIN * walls[2] and extent <= _NARROWER * most:
            return True
    thin = max(*across[:2], *along[:2]) <= _THIN_RING * min(across[2], along[2])
    box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    # Pure white or black says nothing: a white face in a thin frame is as white as the ground.
    telling = 0.03 < float(ground[y, x].mean()) < 0.97
    return thin and telling and part.sum() / box <= _ROUND


def _walls(part: Bools, filled: Bools, at: int) -> tuple[int, int, int]:
    """Along one line through a part: the product's thickness before it and after it, and the part's own length."""
    first = last = at
    while first - 1 >= 0 and part[first - 1]:
        first -= 1
    while last + 1 < part.size and part[last + 1]:
        last += 1
    before, after = first, last
    while before - 1 >= 0 and filled[before - 1]:
        before -= 1
    while after + 1 < part.size and filled[after + 1]:
        after += 1
    return first - before, after - last, last - first + 1
