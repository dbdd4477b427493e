"""Several metrics as one family, and guardrails: how alpha is shared out, and when an arm may ship.

* ``metric_weights``: which share of alpha each comparison gets in ``family_tests.step_down``; a greater one for the
  primary metric.
* ``guardrail_states``: non-inferiority of every guardrail at the full alpha: all of them must hold, so nothing has to
  be corrected (intersection-union test, Berger 1982).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

PRIMARY_SHARE = 0.8


def metric_weights(primary: ArrayLike, arms: int, share: float = PRIMARY_SHARE) -> Array:
    """Shares of alpha by metric and arm ``(M, arms)``, 1 in all.

    The primary metrics share ``share`` evenly, the others the rest; where there is only one kind it gets all. With one
    primary metric of m and k arms this is ``share / k`` and ``(1 - share) / (k (m - 1))``: preferential Bonferroni.

    Args:
        primary: whether each of M metrics is primary. Guardrails do not belong here (``guardrail_states``).

    Raises:
        InputError: no metrics or arms, or a share outside [0, 1].
    """
    kinds = np.asarray(primary, dtype=bool)
    if kinds.ndim != 1 or not kinds.size or arms < 1 or not 0.0 <= share <= 1.0:
        raise InputError(
            f"{kinds.size} metrics and {arms} arms cannot divide alpha with a share of {share} for the primary ones.",
            "Give one metric and one arm at least, and a share from 0 to 1.",
        )
    first = int(kinds.sum())
    if first in (0, kinds.size):
        by_metric = np.full(kinds.size, 1.0 / kinds.size)
    else:
        by_metric = np.where(kinds, share / first, (1.0 - share) / (kinds.size - first))
    return np.repeat(by_metric[:, None] / arms, arms, axis=1)


class Guard(IntEnum):
    """What is shown of a guardrail."""

    HARMED = -1
    OPEN = 0
    SAFE = 1


def guardrail_states(worst: ArrayLike, best: ArrayLike, margin: ArrayLike) -> NDArray[np.int8]:
    """Codes of ``Guard`` from one-sided limits of guardrails' gains; everything broadcasts.

    SAFE where ``worst > -margin``: shown to be worse by less than the margin, if at all. An arm may ship when all its
    guardrails are safe, so each is tested at the full alpha: the chance to let an arm through that harms one beyond
    its margin is at most alpha without correction, as all must pass (Berger 1982). HARMED where ``best < -margin``:
    one false alarm of K is enough to stop an arm, so that limit is drawn at ``alpha / K``. OPEN otherwise.

    Args:
        worst: lower limit of the gain at the one-sided level alpha; the gain is the lift in the good direction. Minus
            infinity where there is none.
        best: its upper limit at the one-sided level alpha / K for an arm with K guardrails; infinite where unknown.
        margin: the harm that is tolerated, 0 or more. At 0 only a gain that is shown is safe.

    Raises:
        InputError: a margin is negative or a limit is missing.
    """
    low, high, tolerated = (np.asarray(a, dtype=float) for a in (worst, best, margin))
    if not (tolerated >= 0).all() or np.isnan(low).any() or np.isnan(high).any():
        raise InputError("A margin is negative, or a limit is missing.", "Give infinite limits where none are known.")
    states = np.where(low > -tolerated, Guard.SAFE, Guard.OPEN)
    return np.where(high < -tolerated, Guard.HARMED, states).astype(np.int8)


def may_ship(direction: ArrayLike, guards: ArrayLike) -> Flags:
    """Arms that are better and whose guardrails are all safe.

    Args:
        direction: 1 where the arm is better on the primary metric ``(...)``.
        guards: codes of ``Guard`` ``(..., K)``; K may be 0.
    """
    return np.asarray((np.asarray(direction) > 0) & (np.asarray(guards) == Guard.SAFE).all(axis=-1))
