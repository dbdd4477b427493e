"""What a planned test measures: a proportion, a count rate, a mean or a ratio, with what is known of one unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.basis.null_rates import count_rates, difference_rates, ratio_rates
from experiments.planning.planned_rules import Array, Numbers, Rules, at_least, inside
from experiments.planning.planned_standing import LiftTest, Standing, arm_value
from proofsheet.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proportion:
    """The share of units that did something: the score test.

    Null variance from the restricted rates: the pooled rate for "no difference", Farrington and Manning's (1990) for
    a margin on the difference, Koopman's (1984) for one on the ratio, all at the rates expected with these arms.

    Args:
        baseline: the control's rate, between 0 and 1.
    """

    baseline: Numbers
    kind: str = "proportion"

    def __post_init__(self) -> None:
        inside("The baseline rate", self.baseline, 0.0, 1.0, "Give a share, such as 0.012.")

    def effect_range(self, rules: Rules) -> tuple[Array, Array]:
        """Down to a rate of 0 and up to a rate of 1."""
        base = np.asarray(self.baseline, dtype=float)
        return (-np.ones_like(base), 1.0 / base - 1.0) if rules.relative else (-base, 1.0 - base)

    def standing(self, effect: Numbers, rules: Rules) -> Standing:
        """See ``PlannedOutcome``. Raises InputError where the arm's rate is not between 0 and 1."""
        base, arm = np.asarray(self.baseline, dtype=float), arm_value(self, effect, rules)
        if np.any((arm < -1e-12) | (arm > 1.0 + 1e-12)):
            raise InputError(
                f"An effect of {effect} on a rate of {self.baseline} leaves the range of rates.",
                "Give an effect that keeps the arm's rate between 0 and 1; relative ones are shares, such as 0.1.",
            )
        arm = np.clip(arm, 0.0, 1.0)
        _check_margin(base, rules, top=1.0)
        ratio = np.asarray(rules.control_ratio, dtype=float)
        true = arm * (1.0 - arm), base * (1.0 - base) / ratio
        if rules.tested == "lift":
            return _lift_standing(base, arm, rules, ((0.0, 1.0, -1.0), (0.0, 1.0, -1.0)), welch=False)
        gap, factor = _gap(base, arm, rules)
        border = rules.null_effect
        null_arm, null_base = (
            ratio_rates(arm, base, ratio, factor) if rules.relative else difference_rates(arm, base, ratio, border)
        )
        null = null_arm * (1.0 - null_arm) + factor**2 * null_base * (1.0 - null_base) / ratio
        return Standing(gap, np.sqrt(null), np.sqrt(true[0] + factor**2 * true[1]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountRate:
    """Events per unit of exposure, Poisson up to ``Rules.dispersion``: the score test of two rates.

    Null variance from the restricted rates, as for proportions: the pooled rate for "no difference", the quadratic of
    Ng and Tang (2005) for a margin on the difference, Gu et al. (2008) for one on the ratio.

    Args:
        baseline: the control's events per unit, above 0.
    """

    baseline: Numbers
    kind: str = "count"

    def __post_init__(self) -> None:
        inside("The baseline rate", self.baseline, 0.0, np.inf, "Give the events per unit, such as 0.35.")

    def effect_range(self, rules: Rules) -> tuple[Array, Array]:
        """Down to no events, up without end."""
        base = np.asarray(self.baseline, dtype=float)
        return (-np.ones_like(base) if rules.relative else -base), np.full_like(base, np.inf)

    def standing(self, effect: Numbers, rules: Rules) -> Standing:
        """See ``PlannedOutcome``. Raises InputError where the arm's rate is below 0."""
        base, arm = np.asarray(self.baseline, dtype=float), arm_value(self, effect, rules)
        at_least("The arm's rate", arm + 1e-12, 0.0, "Give an effect that leaves some events.")
        arm = np.maximum(arm, 0.0)
        _check_margin(base, rules, top=np.inf)
        ratio = np.asarray(rules.control_ratio, dtype=float)
        if rules.tested == "lift":
            return _lift_standing(base, arm, rules, ((0.0, 1.0, 0.0), (0.0, 1.0, 0.0)), welch=False)
        gap, factor = _gap(base, arm, rules)
        null_arm, null_base = count_rates(arm, base, ratio, rules.null_effect, relative=rules.relative)
        return Standing(gap, np.sqrt(null_arm + factor**2 * null_base / ratio), np.sqrt(arm + factor**2 * base / ratio))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mean:
    """The mean of an amount per unit: Welch's t test.

    Args:
        baseline: the control's mean.
        variance: of one unit in the control.
        arm_variance: of one unit in the arm; the control's where not given.
        proportional_sd: the arm's deviation grows with its mean, as amounts of money tend to: its variance is
            ``variance x (arm / control)^2``.
    """

    baseline: Numbers
    variance: Numbers
    arm_variance: Numbers | None = None
    proportional_sd: bool = False
    kind: str = "mean"

    def __post_init__(self) -> None:
        inside("The variance", self.variance, 0.0, np.inf, "Give the variance (or sd) of one unit, above 0.")
        if self.arm_variance is not None:
            inside("The arm's variance", self.arm_variance, 0.0, np.inf, "Give the variance of one unit, above 0.")
        if not np.all(np.isfinite(np.asarray(self.baseline, dtype=float))):
            raise InputError(f"The baseline mean {self.baseline} is not a finite number.", "Give the control's mean.")
        if self.proportional_sd and np.any(np.asarray(self.baseline) == 0.0):
            raise InputError("A deviation in proportion to a mean of 0 is 0.", "Give the arm's variance instead.")

    def effect_range(self, rules: Rules) -> tuple[Array, Array]:
        """Without end."""
        base = np.asarray(self.baseline, dtype=float)
        return np.full_like(base, -np.inf), np.full_like(base, np.inf)

    def standing(self, effect: Numbers, rules: Rules) -> Standing:
        """See ``PlannedOutcome``. Raises InputError for relative effects on a mean of 0."""
        base = np.asarray(self.baseline, dtype=float)
        if np.any(base == 0.0) and (rules.relative or rules.tested == "lift"):
            raise InputError("The baseline mean is 0, and has no lift.", "Plan for an absolute effect.")
        arm = arm_value(self, effect, rules)
        variance = np.asarray(self.variance, dtype=float)
        own = variance if self.arm_variance is None else np.asarray(self.arm_variance, dtype=float)
        if self.proportional_sd:
            own = variance * (arm / base) ** 2
        spread = variance / np.asarray(rules.control_ratio, dtype=float)
        if rules.tested == "lift":
            return _lift_standing(base, arm, rules, ((own, 0.0, 0.0), (variance, 0.0, 0.0)), welch=True)
        gap, factor = _gap(base, arm, rules)
        total = own + factor**2 * spread
        return Standing(gap, np.sqrt(total), np.sqrt(total), own / total)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ratio:
    """A ratio of two means per unit (revenue per order, clicks per visit): Welch's t test by the delta method.

    With ``R = mean_x / mean_y`` the variance of one unit is ``(vx - 2 R cov + R^2 vy) / mean_y^2`` (Deng, Knoblich and
    Lu, KDD 2018). The arm's is the same: an effect of ``d`` is thought to add ``d y`` to ``x``, which leaves the
    residuals ``x - R y`` as they are.

    Args:
        mean_x, mean_y: of numerator and denominator per unit.
        variance_x, variance_y, covariance: of one unit.
    """

    mean_x: Numbers
    mean_y: Numbers
    variance_x: Numbers
    variance_y: Numbers
    covariance: Numbers = 0.0
    kind: str = "ratio"

    def __post_init__(self) -> None:
        if np.any(np.asarray(self.mean_y) == 0.0):
            raise InputError("The denominator's mean is 0, so there is no ratio.", "Give the mean denominator.")
        at_least("The numerator's variance", self.variance_x, 0.0, "Give the variance (or sd) of one unit.")
        at_least("The denominator's variance", self.variance_y, 0.0, "Give the variance (or sd) of one unit.")
        square = np.asarray(self.variance_x, dtype=float) * np.asarray(self.variance_y, dtype=float)
        if np.any(np.asarray(self.covariance) ** 2 > square * (1.0 + 1e-9)):
            raise InputError("The covariance is larger than the variances allow.", "A correlation is within -1 and 1.")
        inside("The ratio's variance", self.variance, 0.0, np.inf, "The residuals x - R y must vary.")

    @property
    def baseline(self) -> Array:
        """The control's ratio."""
        return np.asarray(np.asarray(self.mean_x, dtype=float) / np.asarray(self.mean_y, dtype=float))

    @property
    def variance(self) -> Array:
        """Of one unit, by the delta method."""
        ratio = self.baseline
        residual = self.variance_x - 2.0 * ratio * np.asarray(self.covariance) + ratio**2 * self.variance_y
        return np.asarray(residual / np.asarray(self.mean_y, dtype=float) ** 2)

    def effect_range(self, rules: Rules) -> tuple[Array, Array]:
        """Without end."""
        return Mean(baseline=self.baseline, variance=self.variance).effect_range(rules)

    def standing(self, effect: Numbers, rules: Rules) -> Standing:
        """See ``PlannedOutcome``. Raises InputError for relative effects on a ratio of 0."""
        return Mean(baseline=self.baseline, variance=self.variance).standing(effect, rules)


def _gap(base: Array, arm: Array, rules: Rules) -> tuple[Array, Array]:
    """How far the truth lies beyond the border, and the factor of the control in the statistic.

    Absolute: ``arm - control - border``, factor 1. Relative: ``arm - factor x control`` with ``factor = 1 + border``,
    taken on the control's size where that is negative.
    """
    border = rules.null_effect
    if rules.relative:
        factor = 1.0 + border * np.sign(base)
        gap = arm - factor * base
    else:
        factor, gap = np.ones_like(base), arm - base - border
    return _towards_good(gap, rules), factor


def _lift_standing(
    base: Array,
    arm: Array,
    rules: Rules,
    terms: tuple[tuple[float | Array, ...], tuple[float | Array, ...]],
    welch: bool,
) -> Standing:
    """The delta method on the lift: ``v1 / m0^2 + v0 m1^2 / m0^4``. ``terms`` are those of the variances of a unit."""
    size, ratio = np.abs(base), np.asarray(rules.control_ratio, dtype=float)
    border = rules.null_effect / (1.0 if rules.relative else size)
    (a, b, c), (d, e, f) = terms
    own, other = a + b * arm + c * arm**2, (d + e * base + f * base**2) / ratio
    zero = np.zeros_like(rules.null_effect)
    sd = np.sqrt(own / size**2 + other * arm**2 / size**4)
    test = LiftTest(
        arm,
        base,
        rules.null_effect if rules.relative else zero,
        zero if rules.relative else rules.null_effect,
        (
            (np.asarray(a), np.asarray(b), np.asarray(c)),
            (np.asarray(d / ratio), np.asarray(e / ratio), np.asarray(f / ratio)),
        ),
    )
    # Welch's degrees of freedom of the absolute difference, as such tests take them.
    share = own / (own + other) if welch else None
    return Standing(_towards_good((arm - base) / size - border, rules), sd, sd, share, test)


def _towards_good(gap: Array, rules: Rules) -> Array:
    """The sign turned where a margin lies above."""
    return gap if rules.higher_is_better else np.where(np.asarray(rules.margin) > 0.0, -gap, gap)


def _check_margin(base: Array, rules: Rules, top: float) -> None:
    """Raise InputError where the margin reaches the end of the range of rates."""
    border = base + rules.null_effect * (base if rules.relative else 1.0)
    if np.any((border <= 0.0) | (border >= top)):
        raise InputError(
            f"A margin of {rules.margin} on a rate of {base} leaves the range of rates.", "Give a smaller margin."
        )
