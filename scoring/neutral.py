"""Neutral pictures that a model's vectors are centred on: what any picture at all has in common says nothing."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

    from scoring.embedding import Embedder, Vectors

_COUNT, _SIDE, _SEED = 32, 64, 20260101
_VERSION = "neutral/1"


def neutral_mean(embedder: Embedder) -> Vectors:
    """The mean (d,) of the vectors of 32 drawn pictures of all hues: walls, floors, light, a few bodies, grain.

    CLIP's picture vectors lie in a narrow cone; only around its axis do angles tell pictures apart. The axis must not
    come from the pictures that are measured: centred on their own mean, twins would seem to differ.
    """
    keys = [f"{_VERSION}-{place}" for place in range(_COUNT)]
    found = embedder.pictures([lambda place=place: _drawn(place) for place in range(_COUNT)], keys)  # type: ignore[misc]
    return np.asarray(found.mean(axis=0), dtype=np.float32)


def neutral_pictures(count: int) -> list[Image]:
    """So many of the pictures."""
    return [_drawn(place) for place in range(count)]


def _drawn(place: int) -> Image:
    """One of the pictures; the same place gives the same picture."""
    from PIL import Image as Pillow

    rng = np.random.default_rng([_SEED, place])
    y, x = np.mgrid[0:_SIDE, 0:_SIDE] / _SIDE
    hue, strength = (place * 5 / _COUNT) % 1.0, rng.uniform(0.05, 0.6)
    wall = _colour(hue, strength, rng.uniform(0.35, 1.0))
    floor = _colour(hue + rng.normal(0.0, 0.06), strength * rng.uniform(0.5, 1.2), rng.uniform(0.3, 1.0))
    canvas = np.where((y > rng.uniform(0.45, 0.75))[..., None], floor, wall)
    dark = rng.uniform(0.1, 0.5) * np.hypot(x - rng.uniform(), y - rng.uniform(0.0, 0.5))
    canvas = canvas * (1.0 - dark)[..., None]
    for _ in range(int(rng.integers(1, 4))):
        left, top = (
            (x - rng.uniform(0.2, 0.8)) / rng.uniform(0.05, 0.25),
            (y - rng.uniform(0.4, 0.8)) / rng.uniform(0.05, 0.25),
        )
        inside = left**2 + top**2 < 1 if rng.random() < 0.5 else np.maximum(np.abs(left), np.abs(top)) < 1
        body = _colour(rng.uniform(), rng.uniform(0.0, 0.6), rng.uniform(0.3, 1.0)) * (0.8 - 0.2 * left)[..., None]
        canvas = np.where(inside[..., None], body, canvas)
    canvas = canvas * (1.0 + rng.uniform(0.02, 0.12) * _grain(rng))[..., None]
    return Pillow.fromarray((np.clip(canvas, 0.0, 1.0) * 255).astype(np.uint8))


def _colour(hue: float, strength: float, value: float) -> NDArray[np.float64]:
    return np.array(colorsys.hsv_to_rgb(hue % 1.0, min(strength, 1.0), value))


def _grain(rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose amplitude falls with frequency, as that of photographs does."""
    steps = np.fft.fftfreq(_SIDE)
    frequency = np.hypot(*np.meshgrid(steps, steps))
    frequency[0, 0] = 1.0 / _SIDE
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(_SIDE, _SIDE))) / frequency**1.2).real
    return np.asarray(noise / noise.std(), dtype=np.float64)
