"""Least squares from cross products, for a whole stack of problems, that says which columns it could not use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# A column of which less than this share of its spread is its own, given the columns before it, is left out.
OWN_SHARE = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """Coefficients of ``outcomes ~ columns`` with an intercept.

    Args:
        coefficients: shape (…, p, m); zero for columns left out.
        inverse: the inverse of the columns' cross products over the columns used, zero elsewhere; shape (…, p, p).
        used: which columns were used, shape (…, p).
    """

    coefficients: Array
    inverse: Array
    used: Flags


def fit(columns: Array, outcomes: Array, noise: Array) -> Fit:
    """Solve ``columns B = outcomes``, leaving out columns that are constant or told by others.

    Args:
        columns: centred cross products of the columns, shape (…, p, p), positive semi-definite.
        outcomes: centred cross products of columns and outcomes, shape (…, p, m).
        noise: sums of squares at or below which a column counts as constant, shape (…, p).

    Columns are scaled to correlations and ranked by a Cholesky factorisation with diagonal pivoting (Higham 2002,
    §10.3): at each step comes the column with the largest share of spread of its own, the first of equals, until that
    share falls to ``OWN_SHARE``. The fit does not depend on which of several columns that tell the same is left out.
    """
    squares = np.diagonal(columns, axis1=-2, axis2=-1)
    varies = squares > noise
    scale = 1.0 / np.sqrt(np.where(varies, squares, 1.0))
    correlations = columns * scale[..., :, None] * scale[..., None, :]
    used = _rank(correlations, varies)
    both = used[..., :, None] & used[..., None, :]
    eye = np.eye(squares.shape[-1])
    inverse = np.linalg.inv(np.where(both, correlations, eye)) * both * scale[..., :, None] * scale[..., None, :]
    return Fit(coefficients=inverse @ outcomes, inverse=inverse, used=used)


def _rank(correlations: Array, varies: Flags) -> Flags:
    rest, waiting = correlations.copy(), varies.copy()
    used = np.zeros_like(varies)
    for _ in range(varies.shape[-1]):
        own = np.where(waiting, np.diagonal(rest, axis1=-2, axis2=-1), -1.0)
        # Equal but for rounding counts as equal, so that the order given decides and not the last digit.
        nearly = own >= own.max(axis=-1, keepdims=True) * (1.0 - 1e-9)
        at = (nearly & waiting).argmax(axis=-1)[..., None]
        pivot = np.take_along_axis(own, at, axis=-1)
        good = pivot > OWN_SHARE
        chosen = (np.arange(varies.shape[-1]) == at) & good
        used |= chosen
        waiting &= ~chosen & good  # the largest is too small: so are all others
        row = np.take_along_axis(rest, at[..., None], axis=-2)[..., 0, :]
        step = row / np.where(good, pivot, 1.0)
        rest -= np.where(good[..., None], row[..., :, None] * step[..., None, :], 0.0)
    return used
