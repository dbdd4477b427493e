"""Power, sample size and detectable effect of a test that is read once, at its planned end.

With ``n`` units in the arm and ``control_ratio x n`` in the control, ``gap``, ``null_sd`` and ``true_sd`` as in
``planned_outcome`` (times the root of ``Rules.variance_factor``) and the critical value ``c`` of ``Rules``,

    power = Phi((|gap| sqrt(n) - c null_sd) / true_sd) + Phi((-|gap| sqrt(n) - c null_sd) / true_sd),

without the second term where only one side counts (Fleiss, Levin and Paik 2003; Farrington and Manning 1990). Means
and ratios use the noncentral t with Welch's degrees of freedom. A test of the lift by the delta method is in
``lift_test_power``. The power is that of one given comparison. All functions take arrays, broadcast them, and never
give NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from experiments.planning.lift_test_power import lift_test_chances
from experiments.planning.planned_rules import Array, Numbers, Rules, inside
from experiments.planning.planned_standing import LiftTest, PlannedOutcome, Standing, arm_value
from proofsheet.errors import InputError

#: From these degrees of freedom on t is the normal to six digits.
_MANY = 1e6


def power(outcome: PlannedOutcome, effect: Numbers, units: Numbers, rules: Rules) -> Array:
    """The chance to find a true effect with ``units`` in the arm.

    Args:
        effect: relative or absolute, as ``rules`` say. With 0 and no margin the power is the level.
        units: in the arm; may be fractions. 0 where there are none, or too few for a variance.

    Raises:
        InputError: the effect leaves the outcome's range.
    """
    return _power_at(standing(outcome, effect, rules), np.asarray(units, dtype=float), rules)[()]


def sample_size(outcome: PlannedOutcome, effect: Numbers, rules: Rules, *, power: Numbers = 0.8) -> Array:
    """The units in the arm that find the effect with the given power, not rounded; the control has its ratio of them.

    Returns:
        At least 1 unit in each arm, 2 for means; infinite where no number of units is enough (no effect, or an effect
        beyond the margin).

    Raises:
        InputError: the power is not between 0 and 1, or the effect leaves the outcome's range.
    """
    inside("power", power, 0.0, 1.0, "Usual is 0.8.")
    stands, wanted = standing(outcome, effect, rules), np.asarray(power, dtype=float)
    ratio = np.asarray(rules.control_ratio, dtype=float)
    gap, null_sd, true_sd, wanted, ratio, _ = np.broadcast_arrays(
        stands.gap, stands.null_sd, stands.true_sd, wanted, ratio, rules.tail_level
    )
    counted = np.where(_one_way(rules), gap, np.abs(gap))
    never = counted <= 0.0
    reach = np.maximum(rules.critical * null_sd + special.ndtri(wanted) * true_sd, 0.0)
    least = (1.0 if stands.arm_share is None else 2.0) * np.maximum(1.0, 1.0 / ratio)
    start = np.maximum((reach / np.where(never, 1.0, counted)) ** 2, least)
    found = _first_reaching(lambda n: _power_at(stands, n, rules) >= wanted, start, least)
    return np.where(never, np.inf, found)[()]


def detectable_effect(
    outcome: PlannedOutcome, units: Numbers, rules: Rules, *, power: Numbers = 0.8, downwards: bool = False
) -> Array:
    """The smallest effect found with the given power by ``units`` in the arm.

    The variance is that at the effect itself: it is solved for, not taken at the baseline. With a margin this is the
    lowest true effect for which "no harm" is shown with this power; it is mostly below zero with many units.

    Args:
        downwards: the nearest effect below instead of above; a margin sets the side by itself.

    Returns:
        The effect, to 1e-10 of itself; infinite (with its sign) where no effect in the outcome's range is found.
    """
    inside("power", power, 0.0, 1.0, "Usual is 0.8.")
    n, wanted = np.broadcast_arrays(np.asarray(units, dtype=float), np.asarray(power, dtype=float))
    return smallest_effect(
        outcome, n, rules, lambda stands: _power_at(stands, n, rules) >= wanted, downwards=downwards
    )[()]


def smallest_effect(
    outcome: PlannedOutcome,
    units: Array,
    rules: Rules,
    found: Callable[[Standing], npt.NDArray[np.bool_]],
    *,
    downwards: bool = False,
) -> Array:
    """The effect nearest to the null hypothesis from which on a condition on its standing holds (bisection).

    ``units`` are only for the first guess and the shape; see ``detectable_effect`` for sides and infinite results.
    """
    border = rules.null_effect
    side = np.where(np.asarray(rules.margin) > 0.0, 1.0 if rules.higher_is_better else -1.0, -1.0 if downwards else 1.0)
    low, high = outcome.effect_range(rules)
    end = np.where(side > 0.0, high, low)
    n, border, side, end, _ = np.broadcast_arrays(units, border, side, end, rules.tail_level)
    span = np.abs(end - border)

    def reached(distance: Array) -> npt.NDArray[np.bool_]:
        at = np.clip(border + side * distance, np.minimum(border, end), np.maximum(border, end))
        return found(standing(outcome, at, rules))

    still = standing(outcome, border, rules)
    unit = np.broadcast_to(still.true_sd, n.shape) / np.sqrt(np.maximum(n, 1e-9))
    size = np.abs(np.asarray(outcome.baseline, dtype=float)) if rules.relative and rules.tested != "lift" else 1.0
    start = np.minimum(3.0 * unit / size, span * 0.5)
    distance = _first_reaching(reached, start, np.zeros_like(n), top=span)
    return np.where(np.isinf(distance), np.copysign(np.inf, side), border + side * distance)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One point of a power curve: units of the arm, the effect as given, the arm's value there, and the power."""

    units: float
    effect: float
    value: float
    power: float


def power_curve(
    outcome: PlannedOutcome, effects: Iterable[float], units: Iterable[float], rules: Rules
) -> tuple[CurvePoint, ...]:
    """Rows for a chart, effects within units, of one outcome and one set of rules (no arrays in them)."""
    across = np.asarray(list(effects), dtype=float)
    down = np.asarray(list(units), dtype=float)
    values = arm_value(outcome, across, rules)
    chances = power(outcome, across, down[:, None], rules)
    return tuple(
        CurvePoint(units=float(n), effect=float(effect), value=float(value), power=float(chance))
        for n, row in zip(down, np.broadcast_to(chances, (down.size, across.size)), strict=True)
        for effect, value, chance in zip(across, values, row, strict=True)
    )


def standing(outcome: PlannedOutcome, effect: Numbers, rules: Rules) -> Standing:
    """The outcome's standing with covariates and dispersion counted in.

    Raises:
        InputError: the effect is not finite, or leaves the outcome's range.
    """
    if not np.all(np.isfinite(np.asarray(effect, dtype=float))):
        raise InputError(f"The effect {effect} is not a finite number.", "Give a number, such as 0.1 for +10 %.")
    return outcome.standing(effect, rules).scaled(rules.variance_factor)


def welch_df(arm_share: Array, units: Array, control_ratio: Numbers) -> Array:
    """Welch and Satterthwaite's degrees of freedom; 0 where an arm has a single unit."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = arm_share**2 / (units - 1.0) + (1.0 - arm_share) ** 2 / (units * control_ratio - 1.0)
        df = 1.0 / inverse
    enough = np.minimum(units, units * control_ratio) > 1.0
    return np.where(enough, df, 0.0)


def _one_way(rules: Rules) -> npt.NDArray[np.bool_]:
    """Where the sign of the gap counts. A one-sided test of no difference looks towards the effect."""
    return np.asarray(np.asarray(rules.margin) > 0.0)


def _power_at(stands: Standing, units: Array, rules: Rules) -> Array:
    gap = np.where(_one_way(rules), stands.gap, np.abs(stands.gap))
    n = np.maximum(units, 0.0)
    away = gap * np.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        near, far = _tails(stands, away, n, rules)
    both = near + np.where(rules.two_tailed, far, 0.0)
    return np.where(n > 0.0, np.clip(np.nan_to_num(both, nan=0.0), 0.0, 1.0), 0.0)


def _tails(stands: Standing, away: Array, n: Array, rules: Rules) -> tuple[Array, Array]:
    """The chance of each side: by the normal, and by the noncentral t for means with few enough units."""
    if stands.lift is not None:
        return _lift_tails(stands, stands.lift, n, rules)
    reach = rules.critical * stands.null_sd
    near, far = special.ndtr((away - reach) / stands.true_sd), special.ndtr((-away - reach) / stands.true_sd)
    if stands.arm_share is None:
        return near, far
    df = welch_df(stands.arm_share, n, np.asarray(rules.control_ratio, dtype=float))
    df, shift, level, near, far = np.broadcast_arrays(df, away / stands.true_sd, rules.tail_level, near, far)
    few = df < _MANY
    if not np.any(few):
        return near, far
    near, far, possible = near.copy(), far.copy(), few & (df > 0.0)
    d, nc = df[possible], shift[possible]
    cut = -special.stdtrit(d, level[possible])
    near[few], far[few] = 0.0, 0.0
    # Each tail by its own distribution function, so that a small chance keeps its digits.
    near[possible], far[possible] = special.nctdtr(d, -nc, -cut), special.nctdtr(d, nc, -cut)
    return near, far


def _lift_tails(stands: Standing, test: LiftTest, n: Array, rules: Rules) -> tuple[Array, Array]:
    """The chance of each side of a test of the lift: that which counts, and the other."""
    cut = rules.critical
    if stands.arm_share is not None:
        df = welch_df(stands.arm_share, n, np.asarray(rules.control_ratio, dtype=float))
        cut = np.where(df > 0.0, -special.stdtrit(np.maximum(df, 1e-9), rules.tail_level), np.inf)
    up, down = lift_test_chances(test, n, cut)
    # Beyond a margin the side that counts is that of "no harm", wherever the truth lies.
    good = np.where(_one_way(rules), rules.higher_is_better, test.arm >= test.base)
    return np.where(good, up, down), np.where(good, down, up)


def _first_reaching(
    reached: Callable[[Array], npt.NDArray[np.bool_]], start: Array, least: Array, top: Array | float = np.inf
) -> Array:
    """The smallest number for which a monotone condition holds, at least ``least``; infinite where none up to ``top``.

    Doubles or halves from ``start`` to a bracket, then bisects it.
    """
    start, least, top = np.broadcast_arrays(start, least, np.asarray(top, dtype=float))
    low, high = least.copy(), np.minimum(np.maximum(start, least), top)
    for _ in range(200):
        short = ~reached(high) & (high < top)
        if not np.any(short):
            break
        low = np.where(short, high, low)
        high = np.where(short, np.minimum(2.0 * high, np.minimum(top, 1e300)), high)
        if np.all(high[short] >= 1e300):
            break
    missed = ~reached(high)
    for _ in range(200):
        below = np.maximum(high / 2.0, least)
        falls = reached(below) & (below < high)
        if not np.any(falls & (high > 1e-300)):
            break
        high = np.where(falls, below, high)
    low = np.maximum(low, np.maximum(high / 2.0, least))
    for _ in range(60):
        middle = 0.5 * (low + high)
        ok = reached(middle)
        low, high = np.where(ok, low, middle), np.where(ok, middle, high)
        if np.all(high - low <= 1e-12 * np.abs(high)):
            break
    return np.where(missed, np.inf, high)
