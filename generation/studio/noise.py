"""Seeded random texture: tileable noise fields made once in the frequency domain, then looked up like film."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft, ndimage

from generation.studio.colour import Plane


@lru_cache(maxsize=48)
def field(
    seed: int, *, size: int = 512, low: float = 2.0, high: float = 256.0, slope: float = 1.0, stretch: float = 1.0
) -> Plane:
    """A tileable noise field with mean 0 and deviation 1, shape (size, size).

    Args:
        seed: which field.
        low, high: the band of frequencies, in cycles per tile.
        slope: how fast amplitude falls with frequency (0 white, 1 pink, 2 cloud-like).
        stretch: above 1 draws the grain out along x by that factor.
    """
    rng = np.random.default_rng(seed)
    spectrum = fft.rfft2(rng.standard_normal((size, size)))
    fy = fft.fftfreq(size, 1 / size)[:, None]
    fx = fft.rfftfreq(size, 1 / size)[None, :] * stretch
    f = np.hypot(fx, fy)
    gain = np.where((f >= low) & (f <= high), 1 / np.maximum(f, 1e-6) ** slope, 0.0)
    noise = fft.irfft2(spectrum * gain, s=(size, size))
    noise = noise / (noise.std() + 1e-12)
    noise.flags.writeable = False
    return np.asarray(noise, dtype=np.float32)


@lru_cache(maxsize=32)
def softened(seed: int, sigma: float, key: tuple[tuple[str, float], ...]) -> Plane:
    """The same field blurred (in texels), for surfaces seen from afar."""
    options = dict(key)
    size = int(options.pop("size", 512))
    return np.asarray(ndimage.gaussian_filter(field(seed, size=size, **options), sigma, mode="wrap"), dtype=np.float32)


def look(tile: Plane, u: Plane, v: Plane, period: float, *, smooth: bool = True) -> Plane:
    """The tile repeated every ``period`` units, read at coordinates u (columns) and v (rows)."""
    rows, columns = tile.shape
    u, v = np.broadcast_arrays(u, v)
    at = np.empty((2, *u.shape), np.float32)
    np.multiply(v, np.float32(rows / period), out=at[0])
    np.multiply(u, np.float32(columns / period), out=at[1])
    return np.asarray(
        ndimage.map_coordinates(
            tile, at, order=1 if smooth else 0, mode="grid-wrap", prefilter=False, output=np.float32
        )
    )


def smoothstep(low: float, high: float, x: Plane) -> Plane:
    """0 below low, 1 above high, smooth between."""
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)
