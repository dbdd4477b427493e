"""Quantiles of many distributions at once, where the distribution function and the density can be computed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from experiments.basis.distributions import TINY

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

_ROOT_TWO_PI = np.sqrt(2.0 * np.pi)
_MOST_STEPS = 200
_NEAREST = 1.0 - 1e-16


def find_quantiles(
    evaluate: Callable[[Rows, Array], tuple[Array, Array]],
    score: Array,
    low: Array,
    high: Array,
    start: Array,
    scale: Array,
) -> Array:
    """Where the distribution function of each row is that of the normal at ``score``.

    Newton's method on the normal score of the distribution function, nearly a straight line for a distribution near
    the normal, inside a bracket that every step narrows. A step that leaves the bracket, or that gains too little, is
    replaced by a halving.

    Args:
        evaluate: for rows (indices) and one value each: distribution function and density.
        score: normal scores of the wanted shares, one a row; small shares keep their digits, large ones lose them.
        low, high: brackets; where they are equal, that is the answer.
        start: first guesses (anything finite).
        scale: widths of the distributions; quantiles are found within about 1e-13 of them.
    """
    low, high = low.copy(), high.copy()
    open_rows = np.flatnonzero(high > low)
    value, width = low.copy(), np.full(low.shape, np.inf)
    value[open_rows] = np.clip(start[open_rows], low[open_rows], high[open_rows])
    for step in range(_MOST_STEPS):
        if not open_rows.size:
            break
        i = open_rows
        below, density = evaluate(i, value[i])
        at = special.ndtri(np.clip(below, TINY, _NEAREST))
        under = at < score[i]
        low[i], high[i] = np.where(under, value[i], low[i]), np.where(under, high[i], value[i])
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            move = (score[i] - at) * np.exp(-at * at / 2.0) / _ROOT_TWO_PI / density
        new = value[i] + move
        poor = ~((new >= low[i]) & (new <= high[i]))
        if step % 3 == 2:  # three steps that did not halve the bracket may creep
            slow = high[i] - low[i] > width[i] / 2.0
            poor |= slow & (np.abs(move) > 1e-6 * (high[i] - low[i]))
            width[i] = high[i] - low[i]
        new = np.where(poor, (low[i] + high[i]) / 2.0, new)
        # Newton's error is squared at every step: after one of 1e-7 there is nothing left to gain. (A step can also be
        # short because the chance has reached its rounding, far from the answer.)
        settled = ~poor & (np.abs(move) <= 1e-7 * scale[i]) & (np.abs(score[i] - at) <= 1e-3)
        done = settled | (high[i] - low[i] <= 4e-16 * np.abs(new))
        value[i] = new
        open_rows = i[~done]
    return value
