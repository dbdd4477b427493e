"""The dominant colours of a picture: k-means in CIELAB over its colour histogram, the same on every run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoring.colour import Bytes, Floats, hex_of_rgb, lab_of_rgb, rgb_of_lab

_ROUNDS = 12
_BITS = 5  # histogram resolution per channel: 32 steps, finer than clusters can be told apart


@dataclass(frozen=True, slots=True)
class Dominant:
    """A dominant colour: its CIELAB value, ``#rrggbb`` and share (0–1) of the pixels looked at."""

    lab: tuple[float, float, float]
    hex: str
    share: float


def dominant_colours(pixels: Bytes, count: int = 6) -> tuple[Dominant, ...]:
    """At most ``count`` dominant colours of pixels of shape (n, 3), the largest share first; () for no pixels.

    Seeds are chosen farthest first, weighted by how many pixels they would serve, so no random numbers are needed.
    """
    if not len(pixels):
        return ()
    rgb, weight = colour_histogram(pixels)
    return dominant_of_histogram(rgb, weight, count)


def dominant_of_histogram(rgb: Bytes, weight: Floats, count: int = 6) -> tuple[Dominant, ...]:
    """As ``dominant_colours``, of distinct colours of shape (n, 3) with how many pixels have each, shape (n,)."""
    lab = lab_of_rgb(rgb)
    centres = _seeds(lab, weight, min(count, len(lab)))
    for _ in range(_ROUNDS):
        nearest = _squared(lab, centres).argmin(axis=1)
        mass = np.bincount(nearest, weights=weight, minlength=len(centres))
        sums = [np.bincount(nearest, weights=weight * lab[:, c], minlength=len(centres)) for c in range(3)]
        moved = np.where(mass[:, None] > 0, np.stack(sums, axis=1) / np.maximum(mass, 1e-12)[:, None], centres)
        if np.allclose(moved, centres, atol=1e-3):
            break
        centres = moved
    nearest = _squared(lab, centres).argmin(axis=1)
    shares = np.bincount(nearest, weights=weight, minlength=len(centres)) / weight.sum()
    order = np.argsort(-shares, kind="stable")
    return tuple(
        Dominant(
            lab=(float(centres[i, 0]), float(centres[i, 1]), float(centres[i, 2])),
            hex=hex_of_rgb(rgb_of_lab(centres[i])),
            share=float(shares[i]),
        )
        for i in order
        if shares[i] > 0
    )


def colour_histogram(pixels: Bytes) -> tuple[Bytes, Floats]:
    """The mean colour (n, 3) of each occupied cell of a histogram of pixels (m, 3), and its number of pixels (n,)."""
    coarse = (pixels >> (8 - _BITS)).astype(np.int64)
    cell = (coarse[:, 0] << (2 * _BITS)) | (coarse[:, 1] << _BITS) | coarse[:, 2]
    _, member, counts = np.unique(cell, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(member, weights=pixels[:, c].astype(np.float64)) for c in range(3)], axis=1)
    means = np.asarray(np.rint(sums / counts[:, None]), dtype=np.uint8)
    return means, counts.astype(np.float64)


def _seeds(lab: Floats, weight: Floats, count: int) -> Floats:
    chosen = [int(weight.argmax())]
    distance = _squared(lab, lab[chosen]).min(axis=1)
    while len(chosen) < count:
        chosen.append(int((distance * weight).argmax()))
        distance = np.minimum(distance, _squared(lab, lab[chosen[-1:]]).min(axis=1))
    return lab[chosen].copy()


def _squared(lab: Floats, centres: Floats) -> Floats:
    away = lab.T[:, :, None] - centres.T[:, None, :]
    return np.asarray((away * away).sum(axis=0), dtype=np.float64)
