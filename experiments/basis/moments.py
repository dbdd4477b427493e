"""Mergeable first and second moments of several named columns: what leaves the rows, and all that statistics need.

A ``Moments`` holds, for one sample or for a whole stack of samples (experiments × arms × segments), the number of
units, the means and the centred sums of products. Two samples merge by Chan, Golub and LeVeque (1983), many at once by
the same identity about their common mean.

Shards must merge to the whole even where values sit far from zero (an offset of 1e9 with a spread of 1). A mean kept
in one float is off by up to 6e-8 there, and the squared distance between two shards' means is then worth little. So a
mean is kept as an unevaluated sum of two floats, ``mean + mean_rest``, which is added to without error (Knuth 1969).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proofsheet.domain.result import Aggregates
from proofsheet.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Units, means and centred cross products of named columns, for a stack of samples of any shape.

    Args:
        names: the k columns, each once.
        n: units, shape (…).
        mean: shape (…, k).
        cross: ``sum (x_i - mean_i)(x_j - mean_j)``, not divided by anything; symmetric, shape (…, k, k).
        mean_rest: what the float ``mean`` leaves out of the true mean, shape (…, k); zero where not known.

    An empty sample has n = 0, and means and products of zero whatever was given for them.

    Raises:
        InputError: shapes do not fit, a name occurs twice, n is negative, a value is not finite, or a sum of squares
            is negative (the mark of sums of uncentred squares).
    """

    names: tuple[str, ...]
    n: Array
    mean: Array
    cross: Array
    mean_rest: Array = field(default_factory=lambda: np.zeros(()))

    def __post_init__(self) -> None:
        names, n = tuple(self.names), np.array(self.n, dtype=float)
        k = len(names)
        shapes = {"mean": (*n.shape, k), "cross": (*n.shape, k, k), "mean_rest": (*n.shape, k)}
        if len(set(names)) != k or not k:
            raise InputError(f"The columns {list(names)} are not different names.", "Give every column its own name.")
        if not np.all(np.isfinite(n) & (n >= 0)):
            raise InputError("A number of units is negative or not finite.", "Give counts of units: 0, 1, 2, ….")
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "n", n)
        for name, shape in shapes.items():
            given = np.asarray(getattr(self, name), dtype=float)
            if given.shape != shape and not (name == "mean_rest" and given.ndim == 0):
                raise InputError(
                    f"{name} has the shape {given.shape} where n has {n.shape} and there are {k} columns.",
                    f"Give it the shape {shape}.",
                )
            given = np.broadcast_to(given, shape)
            filled = n.reshape(n.shape + (1,) * (len(shape) - n.ndim)) > 0
            object.__setattr__(self, name, np.where(filled, given, 0.0))
        self._check_values()

    def _check_values(self) -> None:
        squares = np.diagonal(self.cross, axis1=-2, axis2=-1)
        finite = np.isfinite(self.mean) & np.isfinite(self.mean_rest) & np.isfinite(squares)
        unknown = "values that are not finite numbers", "Leave out rows with missing or infinite values."
        for bad, (what, remedy) in (
            (~finite, unknown),
            (~np.isfinite(self.cross).all(axis=-1), unknown),
            (squares < 0.0, ("a negative sum of squares", "Centre values before squaring, or give an origin.")),
        ):
            if bad.any():
                column = self.names[int(np.flatnonzero(bad.reshape(-1, len(self.names)).any(axis=0))[0])]
                raise InputError(f"The column {column!r} holds {what}.", remedy)

    @classmethod
    def from_rows(cls, rows: ArrayLike, names: Sequence[str]) -> Moments:
        """Moments of unit-level rows of shape (…, units, k); in two passes about the mean, so nothing cancels."""
        # A copy with units last and side by side: numpy sums those pairwise, and the caller's rows stay as they are.
        columns = np.array(np.moveaxis(np.asarray(rows, dtype=float), -1, -2), order="C")
        n = columns.shape[-1]
        if n == 0:
            return cls.empty(names, columns.shape[:-2])
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is named by the check of values
            origin = columns.mean(axis=-1)
            columns -= origin[..., None]
            shift = columns.mean(axis=-1)
            columns -= shift[..., None]
            mean, rest = _two_sum(origin, shift)
            cross = columns @ np.swapaxes(columns, -1, -2)
        count = np.full(columns.shape[:-2], float(n))
        return cls(names=tuple(names), n=count, mean=mean, cross=cross, mean_rest=rest)

    @classmethod
    def from_sums(
        cls, names: Sequence[str], n: ArrayLike, sums: ArrayLike, products: ArrayLike, origin: ArrayLike = 0.0
    ) -> Moments:
        """Moments from one pass of plain sums about an origin, for engines without centred aggregates.

        Args:
            sums: ``sum (x_i - o_i)``, shape (…, k).
            products: ``sum (x_i - o_i)(x_j - o_j)``, shape (…, k, k).
            origin: ``o``, shape (k,) or (…, k). Digits are lost as the square of (mean - origin) / spread, so take
                any typical value of the column, such as one row's or yesterday's mean.
        """
        n, sums = np.asarray(n, dtype=float), np.asarray(sums, dtype=float)
        shift = sums / np.maximum(n, 1.0)[..., None]
        cross = np.asarray(products, dtype=float) - shift[..., :, None] * sums[..., None, :]
        mean, rest = _two_sum(np.broadcast_to(np.asarray(origin, dtype=float), shift.shape), shift)
        return cls(names=tuple(names), n=n, mean=mean, cross=cross, mean_rest=rest)

    @classmethod
    def from_aggregates(cls, aggregates: Aggregates, names: Sequence[str]) -> Moments:
        """Of one arm and one metric: one name for the numerator alone, two for numerator and denominator."""
        a = aggregates
        mean, rest = np.array([a.mean_x, a.mean_y]), np.array([a.rest_x, a.rest_y])
        cross, k = np.array([[a.m2_x, a.cxy], [a.cxy, a.m2_y]]), len(names)
        return cls(names=tuple(names), n=np.array(float(a.n)), mean=mean[:k], cross=cross[:k, :k], mean_rest=rest[:k])

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Moments:
        """What ``to_dict`` gave, back again without a loss."""
        missing = [key for key in ("names", "n", "mean", "cross") if key not in data]
        if missing:
            raise InputError(f"The moments lack {', '.join(missing)}.", "Give names, n, mean and cross.")
        n = np.asarray(data["n"], dtype=float)
        rest = np.asarray(data.get("mean_rest", 0.0), dtype=float)
        mean, cross = (np.asarray(data[key], dtype=float) for key in ("mean", "cross"))
        return cls(names=tuple(data["names"]), n=n, mean=mean, cross=cross, mean_rest=rest)

    @classmethod
    def empty(cls, names: Sequence[str], shape: tuple[int, ...] = ()) -> Moments:
        """Samples of no units: the neutral element of merging."""
        k = len(names)
        return cls(names=tuple(names), n=np.zeros(shape), mean=np.zeros((*shape, k)), cross=np.zeros((*shape, k, k)))

    @classmethod
    def stack(cls, parts: Sequence[Moments]) -> Moments:
        """Equal-shaped stacks side by side on a new last axis, such as the arms of an experiment."""
        for part in parts[1:]:
            parts[0]._check_names(part)
        axis = parts[0].n.ndim
        n, mean, cross, rest = (
            np.stack([getattr(part, name) for part in parts], axis=axis) for name in ("n", "mean", "cross", "mean_rest")
        )
        return cls(names=parts[0].names, n=n, mean=mean, cross=cross, mean_rest=rest)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers for JSON; floats come back as they were."""
        parts = {name: getattr(self, name).tolist() for name in ("n", "mean", "cross", "mean_rest")}
        return {"names": list(self.names), **parts}

    def to_aggregates(self, x: str, y: str | None = None) -> Aggregates:
        """One metric of a single sample, as the rest of the engine takes it."""
        if self.n.ndim:
            raise InputError(f"There is a stack of {self.n.size} samples.", "Pick one by its index first.")
        two = self.pick([x]) if y is None else self.pick([x, y])
        mean, rest, cross = two.mean.tolist(), two.mean_rest.tolist(), two.cross.tolist()
        first = Aggregates(n=int(self.n), mean_x=mean[0], m2_x=cross[0][0], rest_x=rest[0])
        if y is None:
            return first
        return replace(first, mean_y=mean[1], m2_y=cross[1][1], cxy=cross[0][1], rest_y=rest[1])

    def __getitem__(self, index: Any) -> Moments:
        """Some samples of the stack; the index speaks of the stack's axes only."""
        flat = np.arange(self.n.size).reshape(self.n.shape)[index]
        k = len(self.names)
        mean, rest = (part.reshape(-1, k)[flat] for part in (self.mean, self.mean_rest))
        cross = self.cross.reshape(-1, k, k)[flat]
        return Moments(names=self.names, n=self.n.reshape(-1)[flat], mean=mean, cross=cross, mean_rest=rest)

    def pick(self, names: Sequence[str]) -> Moments:
        """Some columns, in the order asked for."""
        unknown = [name for name in names if name not in self.names]
        if unknown:
            raise InputError(f"There is no column {unknown[0]!r}.", f"The columns are: {', '.join(self.names)}.")
        at = [self.names.index(name) for name in names]
        mean, rest, cross = self.mean[..., at], self.mean_rest[..., at], self.cross[..., at, :][..., at]
        return Moments(names=tuple(names), n=self.n, mean=mean, cross=cross, mean_rest=rest)

    def combine(self, matrix: ArrayLike, names: Sequence[str]) -> Moments:
        """Moments of linear combinations ``A x`` of the columns: ``A mean`` and ``A cross A'``; A is (q, k)."""
        a = np.asarray(matrix, dtype=float)
        mean, rest = _two_sum(self.mean @ a.T, self.mean_rest @ a.T)
        cross = a @ self.cross @ a.T
        return Moments(names=tuple(names), n=self.n, mean=mean, cross=cross, mean_rest=rest)

    def merge(self, other: Moments) -> Moments:
        """The moments of both samples together, element by element of the two stacks (broadcast).

        ``mean = m1 + d n2/n`` and ``cross = C1 + C2 + d d' n1 n2/n`` with ``d = m2 - m1``.
        """
        self._check_names(other)
        n = self.n + other.n
        share = other.n / np.maximum(n, 1.0)
        gap = _difference(other.mean, other.mean_rest, self.mean, self.mean_rest)
        mean, rest = _two_sum(self.mean, gap * share[..., None] + self.mean_rest)
        cross = self.cross + other.cross + _outer(gap) * (self.n * share)[..., None, None]
        first = (self.n > 0)[..., None]  # an empty sample's mean of zero is no place to start from
        mean, rest = np.where(first, mean, other.mean), np.where(first, rest, other.mean_rest)
        return Moments(names=self.names, n=n, mean=mean, cross=cross, mean_rest=rest)

    def total(self, axis: int = -1) -> Moments:
        """All samples along one axis of the stack merged at once: ``C = sum C_i + sum n_i d_i d_i'``."""
        return self._about_total(axis)[0]

    def distances(self, axis: int = -1) -> Array:
        """Each sample's means minus those of all along the axis together, shape (…, k); zero for empty samples."""
        return self._about_total(axis)[1]

    def cumulate(self, axis: int = -1) -> Moments:
        """Running merges along one axis of the stack: the looks of a test from its days."""
        at = _stack_axis(axis, self.n.ndim)
        days = [self[(slice(None),) * at + (i,)] for i in range(self.n.shape[at])]
        looks = days[:1]
        for day in days[1:]:
            looks.append(looks[-1].merge(day))
        n, mean, cross, rest = (
            np.stack([getattr(look, name) for look in looks], axis=at) for name in ("n", "mean", "cross", "mean_rest")
        )
        return Moments(names=self.names, n=n, mean=mean, cross=cross, mean_rest=rest)

    def _about_total(self, axis: int) -> tuple[Moments, Array]:
        at = _stack_axis(axis, self.n.ndim)
        n = self.n.sum(axis=at)
        largest = np.expand_dims(self.n.argmax(axis=at), at)[..., None]  # never an empty one if any is filled
        mean, rest = (np.take_along_axis(part, largest, axis=at) for part in (self.mean, self.mean_rest))
        gaps = _difference(self.mean, self.mean_rest, mean, rest)
        weights = (self.n / np.expand_dims(np.maximum(n, 1.0), at))[..., None]
        centre = (weights * gaps).sum(axis=at)
        gaps = np.where(self.n[..., None] > 0, gaps - np.expand_dims(centre, at), 0.0)
        cross = (self.cross + _outer(gaps) * self.n[..., None, None]).sum(axis=at)
        mean, rest = _two_sum(mean.squeeze(axis=at), centre + rest.squeeze(axis=at))
        return Moments(names=self.names, n=n, mean=mean, cross=cross, mean_rest=rest), gaps

    def _check_names(self, other: Moments) -> None:
        if self.names != other.names:
            raise InputError(
                f"The columns {list(self.names)} and {list(other.names)} differ.",
                "Merge moments of the same columns in the same order.",
            )


def _stack_axis(axis: int, dimensions: int) -> int:
    if not -dimensions <= axis < dimensions:
        raise InputError(f"The stack has {dimensions} axes, and no axis {axis}.", "Name an axis of the stack.")
    return axis % dimensions


def _difference(mean: Array, rest: Array, other: Array, other_rest: Array) -> Array:
    """The distance of two means: of floats within a factor of two the plain difference is exact (Sterbenz 1974)."""
    return np.asarray((mean - other) + (rest - other_rest))


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """``a + b`` as a float and what that float leaves out, exactly (Knuth 1969)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _outer(vectors: Array) -> Array:
    return vectors[..., :, None] * vectors[..., None, :]
