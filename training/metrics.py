"""The measures of the evaluation, in plain NumPy: each can be checked against a closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

#: The two-sided 95 % point of the normal distribution.
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion with its 95 % Wilson interval."""

    right: int
    count: int

    @property
    def value(self) -> float:
        """The proportion; not a number where nothing was counted."""
        return self.right / self.count if self.count else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval, (0, 1) where nothing was counted."""
        return wilson(self.right, self.count)

    def as_json(self) -> dict[str, float | int]:
        """For a file: value, low, high, right, count; the value is left out where nothing was counted."""
        low, high = self.interval
        shown = {"low": round(low, 4), "high": round(high, 4), "right": self.right, "count": self.count}
        return {"value": round(self.value, 4), **shown} if self.count else shown


def wilson(right: int, count: int, z: float = _Z95) -> tuple[float, float]:
    """The Wilson score interval of ``right`` out of ``count``.

    Raises:
        ValueError: not 0 ≤ right ≤ count.
    """
    if not 0 <= right <= count:
        raise ValueError(f"{right} of {count} is no proportion")
    if count == 0:
        return 0.0, 1.0
    share, extra = right / count, z * z / count
    middle = share + extra / 2
    reach = z * math.sqrt(share * (1 - share) / count + extra / (4 * count))
    low, high = (middle - reach) / (1 + extra), (middle + reach) / (1 + extra)
    return (0.0 if right == 0 else low), (1.0 if right == count else high)


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Floats:
    """Peak signal-to-noise ratio in dB of each pair of pictures (N, H, W, 3); infinite where they are equal."""
    gap = one.astype(np.float64) - other.astype(np.float64)
    error = np.square(gap).reshape(len(one), -1).mean(axis=1)
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(255.0**2 / error))


def frechet(one: Floats, other: Floats) -> float:
    """The Fréchet distance between the Gaussians that fit two sets of vectors (N, D) and (M, D).

    With few vectors it comes out too large: compare only distances between sets of the same sizes.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    gap = first.mean(axis=0) - second.mean(axis=0)
    left, right = _factor(first), _factor(second)
    cross = np.linalg.svd(left @ right.T, compute_uv=False).sum()  # the trace of the root of the covariances' product
    return float(max(0.0, gap @ gap + np.square(left).sum() + np.square(right).sum() - 2 * cross))


def _factor(rows: Floats) -> Floats:
    """A triangular F whose F'F is the covariance of the rows; exact even where there are fewer rows than columns."""
    centred = rows - rows.mean(axis=0)
    factor: Floats = np.asarray(np.linalg.qr(centred, mode="r"))
    return factor / math.sqrt(max(len(rows) - 1, 1))


def vendi(vectors: Floats, centre: Floats | None = None) -> float:
    """The Vendi score of vectors (N, D): how many different ones they amount to, from 1 to N.

    Args:
        vectors: embeddings.
        centre: subtracted first, such as the mean of a wide reference; without it, pictures that share most of
            their embedding all seem the same.
    """
    rows = _unit(np.asarray(vectors, np.float64) - (0 if centre is None else np.asarray(centre, np.float64)))
    values = np.clip(np.linalg.eigvalsh(rows @ rows.T / len(rows)), 0, None)
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def mean_distance(vectors: Floats) -> float:
    """The mean Euclidean distance between all pairs of vectors (N, D); 0 of a single one."""
    rows = np.asarray(vectors, np.float64)
    if len(rows) < 2:
        return 0.0
    square = np.square(rows).sum(axis=1)
    gaps = np.sqrt(np.clip(square[:, None] + square[None] - 2 * rows @ rows.T, 0, None))
    return float(gaps[np.triu_indices(len(rows), 1)].mean())


def nearest(queries: Floats, pool: Floats, block: int = 512) -> tuple[Floats, NDArray[np.intp]]:
    """For each query (N, D) the Euclidean distance to the nearest vector of the pool (M, D), and which that is."""
    pool = np.asarray(pool, np.float32)
    weight = np.square(pool).sum(axis=1)
    gaps, places = [], []
    for start in range(0, len(queries), block):
        rows = np.asarray(queries[start : start + block], np.float32)
        place = (weight[None] - 2 * rows @ pool.T).argmin(axis=1)
        places.append(place)
        gaps.append(np.linalg.norm(rows - pool[place], axis=1))  # exactly, not from the expanded square
    return np.concatenate(gaps), np.concatenate(places)


def small(images: NDArray[np.uint8], side: int = 16) -> Floats:
    """Pictures (N, H, W, 3) averaged down to ``side`` rows and columns and flattened, in [0, 1] over √values.

    The Euclidean distance of two rows is then their root mean square difference.

    Raises:
        ValueError: height or width is no multiple of ``side``.
    """
    count, height, width, _ = images.shape
    if height % side or width % side:
        raise ValueError(f"{height} × {width} is no multiple of {side}")
    means = np.empty((count, side, side, 3), np.float32)
    for start in range(0, count, 256):
        part = np.asarray(images[start : start + 256], np.float32)
        means[start : start + 256] = part.reshape(-1, side, height // side, side, width // side, 3).mean(axis=(2, 4))
    flat = means.reshape(count, -1)
    return np.asarray(flat / 255 / math.sqrt(flat.shape[1]))


def quantiles(values: Floats, at: tuple[float, ...] = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95)) -> dict[str, float]:
    """Quantiles of values by name: ``"min"``, ``"1 %"`` …"""
    names = ("min" if share == 0 else f"{100 * share:g} %" for share in at)
    return {name: round(float(np.quantile(values, share)), 4) for name, share in zip(names, at, strict=True)}


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
