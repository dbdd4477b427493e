"""Roots of many increasing functions at once: Newton's steps on whole arrays, and a bracket for those that stray."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from experiments.comparing.estimates import Array, Flags

Sloped = tuple[Array, Array]  # values of a function and its slopes

GUARDED_ROUNDS = 200
CLOSE = 1e-6  # a Newton step smaller than this, relative to the root, leaves an error of some 1e-12
NEAR = 1e-2  # how near the value must be to its target by then, relative to it
EXACT = 1e-9  # a first step smaller than this, relative to the root, says that the start was the root
CLOSE_BY_TWO = 1e-4  # the same for the step of third order that ``two_steps`` ends with


def two_steps(
    function: Callable[..., Sloped], start: Array, target: Array | float, *data: Array
) -> tuple[Array, Flags]:
    """The roots of ``function(m) = target`` from good starts, and which of them are found.

    One of Newton's steps, then one by the inverse cubic through the values and slopes at both places (Hermite), which
    leaves an error of the order of the start's error to the sixth power.
    """
    with np.errstate(all="ignore"):
        value0, slope0 = function(start, *data)
        m = start - (value0 - target) / slope0
        value1, slope1 = function(m, *data)
        rise, gap = value1 - value0, target - value1
        chord, pitch = (m - start) / rise, 1.0 / slope1
        ratio = gap / rise
        step = gap * (pitch + ratio * ((pitch - chord) + (1.0 + ratio) * (pitch + 1.0 / slope0 - 2.0 * chord)))
        root = m + step
        # Near a pole steps are small as well; but the first has not brought the value nearer to its target then.
        found = (np.abs(step) < CLOSE_BY_TWO * root) & (np.abs(ratio) <= 0.1)
        exact = np.abs(m - start) <= EXACT * m
    if exact.any():  # the cubic has nothing to go by
        root = np.where(exact, m, root)
        found |= exact
    return root, np.asarray(found)


def guarded(
    function: Callable[..., Sloped],
    start: Array,
    target: Array,
    ceiling: Array | float,
    *data: Array,
    skip: Flags | None = None,
) -> Array:
    """The roots of ``function(m) = target`` between 0 and ``ceiling``, for increasing functions and positive targets.

    Newton's steps, and halving where they leave the bracket. Roots with ``skip`` are not looked for; what stands there
    is without meaning.
    """
    m, low, high = start, np.zeros_like(start), np.broadcast_to(ceiling, start.shape)
    with np.errstate(all="ignore"):
        for _ in range(GUARDED_ROUNDS):
            value, slope = function(m, *data)
            above = value > target
            low, high = np.where(above, low, m), np.where(above, m, high)
            new = m - (value - target) / slope
            # Near a pole steps are small as well, but the value is far off.
            settled = (np.abs(new - m) <= CLOSE * m) & (np.abs(value - target) <= NEAR * target)
            middle = np.where(np.isinf(high), 2.0 * m, (low + high) / 2.0)
            m = np.where(((new > low) & (new < high)) | settled, new, middle)
            if (settled if skip is None else settled | skip).all():
                break
    return m
