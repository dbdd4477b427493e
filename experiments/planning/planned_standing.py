"""Where a true effect stands against the test that looks for it, per unit of the arm.

Each outcome says, for an effect and ``Rules``, three things per unit of the arm: how far the truth lies beyond the
border of the null hypothesis (``gap``), the standard deviation that the test divides by (``null_sd``), and that which
the estimate has (``true_sd``). With ``n`` units the test statistic is about normal with mean
``gap sqrt(n) / null_sd`` and deviation ``true_sd / null_sd``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from experiments.planning.planned_rules import Array, Numbers, Rules


@dataclass(frozen=True, slots=True, eq=False)
class LiftTest:
    """What a delta-method test of the lift rests on: two values, and the variance of one unit at any value ``m``.

    The null hypothesis borders at ``m0 + border |m0| + shift`` for the arm: a relative margin, or an absolute one.
    ``variances`` are ``a`` of ``a[0] + a[1] m + a[2] m^2`` for the arm and for the control (per unit of the arm there).
    """

    arm: Array
    base: Array
    border: Array
    shift: Array
    variances: tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Where a true effect stands, per unit of the arm (see above).

    ``arm_share`` is the arm's share in the variance, for the degrees of freedom of Welch's t; None for a normal test.
    With a margin ``gap`` is positive on the side of "no harm"; without one it has the sign of the effect. ``lift``
    is there for a test of the lift, whose deviation moves with what is seen.
    """

    gap: Array
    null_sd: Array
    true_sd: Array
    arm_share: Array | None = None
    lift: LiftTest | None = None

    def scaled(self, factor: Array) -> Standing:
        """The same with all variances multiplied by a factor."""
        root, lift = np.sqrt(factor), self.lift
        if lift is not None:
            (a, b, c), (d, e, f) = lift.variances
            scaled = (a * factor, b * factor, c * factor), (d * factor, e * factor, f * factor)
            lift = replace(lift, variances=scaled)
        return Standing(self.gap, self.null_sd * root, self.true_sd * root, self.arm_share, lift)


class PlannedOutcome(Protocol):
    """What is measured on each unit."""

    @property
    def kind(self) -> str:
        """proportion, mean, ratio or count."""
        ...

    @property
    def baseline(self) -> Numbers:
        """The control's value."""
        ...

    def standing(self, effect: Numbers, rules: Rules) -> Standing:
        """Gap and deviations for a true effect, for independent units without covariates."""
        ...

    def effect_range(self, rules: Rules) -> tuple[Array, Array]:
        """The lowest and the highest effect there can be."""
        ...


def arm_value(outcome: PlannedOutcome, effect: Numbers, rules: Rules) -> Array:
    """The arm's true value: ``m0 + effect``, or ``m0 + effect x |m0|`` for a relative effect."""
    base = np.asarray(outcome.baseline, dtype=float)
    return base + np.asarray(effect, dtype=float) * (np.abs(base) if rules.relative else 1.0)
