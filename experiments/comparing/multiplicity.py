"""Several arms against one control: adjusted p-values, and the levels at which simultaneous limits are drawn.

Sources: Holm (1979) with the limits of Strassburger and Bretz (2008); Dunnett (1955); Benjamini and Hochberg (1995)
with the intervals of Benjamini and Yekutieli (2005). For every correction an adjusted p below alpha and an adjusted
interval without zero are the same event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.basis.tails import normal_critical, normal_two_sided
from experiments.comparing import families
from experiments.comparing.dunnett import chance_beyond, dunnett_critical
from experiments.comparing.family_tests import separate
from proofsheet.errors import InputError

CORRECTIONS = ("holm", "bonferroni", "dunnett", "bh", "none")
_AT_ONCE = 16  # so many p-values of Dunnett's: all of hundreds of arms fill the memory and not the cache


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a correction makes of one comparison.

    ``p_value`` is adjusted. The lower limit is the one of an interval at the two-sided level ``low_alpha``, the upper
    one at ``high_alpha``. With ``rejected`` a limit that would cross zero is set beside it: a stepwise test can decide
    on which side of zero a comparison lies where its own limit, drawn with what it kept of alpha, still touches zero.
    """

    p_value: float
    low_alpha: float
    high_alpha: float
    rejected: bool

    @property
    def alpha(self) -> float:
        """A level at which both limits may be drawn: the smaller of the two."""
        return min(self.low_alpha, self.high_alpha)


def adjust(
    p_values: Sequence[float],
    alpha: float,
    correction: str,
    control_shares: Sequence[float] | None = None,
    effects: Sequence[float] | None = None,
) -> tuple[Adjustment, ...]:
    """Adjust the p-values of one family, in their order.

    "holm" takes Holm's steps upwards and downwards at alpha / 2 each, and a decided comparison passes on half of its
    share of alpha, not all of it (``family_tests.step_down``): Holm's own intervals tell of a decided comparison no
    more than the sign. The adjusted p lies between Holm's and Bonferroni's.

    Args:
        p_values: two-sided, each in (0, 1].
        alpha: the family's level (1 - confidence).
        correction: one of ``CORRECTIONS``.
        control_shares: for "dunnett" each comparison's share of the control in the variance of the difference
            (0.5 with equal arms, and where not given).
        effects: estimates or their signs, for "holm"; taken to be of one sign where not given.

    Raises:
        InputError: the correction is not known.
    """
    if correction not in CORRECTIONS:
        raise InputError(f"The correction {correction!r} is not known.", f"Choose one of: {', '.join(CORRECTIONS)}.")
    m = len(p_values)
    if not m:
        return ()
    p, signs = np.asarray(p_values, dtype=float), np.ones(m) if effects is None else np.asarray(effects, dtype=float)
    if correction == "dunnett":
        shares = np.full(m, 0.5) if control_shares is None else np.asarray(control_shares, dtype=float)
        kinds, counts = np.unique(shares, return_counts=True)
        parts = np.array_split(normal_critical(p / 2.0), -(-m // _AT_ONCE))
        joint = np.concatenate([chance_beyond(part, kinds, counts) for part in parts])
        adjusted = np.minimum(np.minimum(1.0, p * m), np.maximum(p, joint))
        level = float(normal_two_sided(dunnett_critical(alpha, kinds, counts)))
        test = separate(p, adjusted, signs, alpha=alpha, level=level)
    else:
        test = families.family_test(p, signs, alpha, correction)
    columns = (test.adjusted_p, 2.0 * test.lower_tail, 2.0 * test.upper_tail, test.direction != 0)
    return tuple(Adjustment(*row) for row in zip(*(column.tolist() for column in columns), strict=True))
