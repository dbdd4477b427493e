"""Several arms against one control: adjusted p-values, and the level at which each simultaneous interval is drawn.

Sources: Holm (1979); Dunnett (1955); Benjamini and Hochberg (1995) with the intervals of Benjamini and Yekutieli
(2005). For every correction an adjusted p below alpha and an adjusted interval without zero are the same event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.basis.distributions import normal_critical, normal_two_sided
from proofsheet.errors import InputError

CORRECTIONS = ("holm", "bonferroni", "dunnett", "bh", "none")


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a correction makes of one comparison.

    ``p_value`` is adjusted; ``alpha`` the two-sided level at which the simultaneous interval is drawn. With
    ``rejected`` a limit that would cross zero is set at zero: Holm's stepwise test can reject where Bonferroni's
    interval, which it improves on, still touches zero.
    """

    p_value: float
    alpha: float
    rejected: bool


def adjust(
    p_values: Sequence[float], alpha: float, correction: str, control_shares: Sequence[float] | None = None
) -> tuple[Adjustment, ...]:
    """Adjust the p-values of one family, in their order.

    Args:
        p_values: two-sided, each in (0, 1].
        alpha: the family's level (1 - confidence).
        correction: one of ``CORRECTIONS``.
        control_shares: for "dunnett" each comparison's share of the control in the variance of the difference
            (0.5 with equal arms, and where not given).

    Raises:
        InputError: the correction is not known.
    """
    if correction not in CORRECTIONS:
        raise InputError(f"The correction {correction!r} is not known.", f"Choose one of: {', '.join(CORRECTIONS)}.")
    m = len(p_values)
    if not m:
        return ()
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(m)
    level = alpha / m
    if correction == "none":
        adjusted, level = p.copy(), alpha
    elif correction == "bonferroni":
        adjusted = np.minimum(1.0, p * m)
    elif correction == "holm":
        adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(m, 0, -1)))
    elif correction == "bh":
        steps = p[order] * m / np.arange(1, m + 1)
        adjusted[order] = np.maximum(p[order], np.minimum(1.0, np.minimum.accumulate(steps[::-1])[::-1]))
        level = alpha * max(1, int(np.sum(adjusted < alpha))) / m
    else:
        shares = np.full(m, 0.5) if control_shares is None else np.asarray(control_shares, dtype=float)
        adjusted = np.array([min(1.0, value * m, max(value, _dunnett_p(value, shares))) for value in p])
        level = _dunnett_level(alpha, shares)
    return tuple(Adjustment(float(a), float(level), bool(a < alpha)) for a in adjusted)


_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(96)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def _dunnett_p(p_value: float, shares: np.ndarray) -> float:
    """The chance that any of the comparisons is as far out as one with this p-value, under no effect at all.

    Comparisons share the control: their correlations are the product ``l_i * l_j`` with ``l = sqrt(share)``, so the
    joint probability is one integral over the control's deviation.
    """
    critical = normal_critical(p_value)
    load = np.sqrt(np.clip(shares, 0.0, 0.999))[:, None]
    rest = np.sqrt(1.0 - load**2)
    inside = special.ndtr((critical + load * _NODES) / rest) - special.ndtr((-critical + load * _NODES) / rest)
    return float(1.0 - np.sum(_WEIGHTS * np.prod(inside, axis=0)))


def _dunnett_level(alpha: float, shares: np.ndarray) -> float:
    """The two-sided level of each comparison that keeps the family at ``alpha`` (bisection on the critical value)."""
    low, high = normal_critical(alpha), normal_critical(alpha / len(shares))
    for _ in range(60):
        middle = (low + high) / 2.0
        if _dunnett_p(normal_two_sided(middle), shares) > alpha:
            low = middle
        else:
            high = middle
    return normal_two_sided(high)
