"""Power, size and expected length of a test that is watched: it stops at the first look that finds something.

With drift ``theta``, the expected z statistic at the planned end, the chance to stop at each look comes from
``planned_crossing`` by numerical recursion; where the limits do not hang on the number of units, the size is the fixed
one times the inflation factor ``(theta / (c + z_power))^2`` (Jennison and Turnbull 2000).

The normal limit is used for all outcomes. One comparison at a time: ``alpha / comparisons`` each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.basis.score_intervals import solve
from experiments.planning.planned_crossing import crossing_chances
from experiments.planning.planned_rules import Array, Numbers, Rules, inside
from experiments.planning.planned_standing import PlannedOutcome, Standing
from experiments.planning.power import smallest_effect, standing
from experiments.planning.watching import Watch, looks_done, watch_limits
from proofsheet.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WatchedPower:
    """What a watched test can find, for each effect (and units) asked for.

    ``power`` is the chance to stop with a finding by the planned end, ``expected_share`` the expected length as a share
    of the planned units, ``by_look`` the chance to stop at each look (looks first), ``limits`` the critical values of
    the z statistic. Under "no effect" ``power`` is the chance of a false alarm.
    """

    power: Array
    expected_share: Array
    by_look: Array
    fractions: Array
    limits: Array


def watched_power(outcome: PlannedOutcome, effect: Numbers, units: Numbers, rules: Rules, watch: Watch) -> WatchedPower:
    """What a watched test with ``units`` in the arm at its planned end can find.

    Args:
        effect, units: numbers, or arrays that are broadcast against each other.
        rules: one set, without arrays; the correction "dunnett" is not meant for watched tests.

    Raises:
        InputError: the effect leaves the outcome's range, or the rules are not for a watched test.
    """
    _check(rules)
    stands = standing(outcome, effect, rules)
    n = np.asarray(units, dtype=float)
    drifts, n = np.broadcast_arrays(_drift(stands, n, rules, watch), n)
    chances = np.empty((watch.looks, *drifts.shape))
    limits = np.empty((watch.looks, *drifts.shape))
    for size in np.unique(n) if _hangs_on_units(watch) else [np.nan]:
        chosen = n == size if _hangs_on_units(watch) else np.ones(n.shape, dtype=bool)
        at = watch_limits(watch, rules, float(size))
        limits[:, chosen] = at[:, None]
        chances[:, chosen] = crossing_chances(watch.fractions, at, drifts[chosen], sides=_path_sides(rules))
    found = np.minimum(chances.sum(axis=0), 1.0)
    share = np.tensordot(watch.fractions, chances, axes=1) + (1.0 - found)
    return WatchedPower(
        power=found[()], expected_share=share[()], by_look=chances, fractions=watch.fractions, limits=limits
    )


def watched_sample_size(
    outcome: PlannedOutcome, effect: Numbers, rules: Rules, watch: Watch, *, power: Numbers = 0.8
) -> Array:
    """The units in the arm at the planned end that find the effect with the given power, not rounded.

    Returns:
        Infinite where no number is enough. Arrays of effects and powers are broadcast.

    Raises:
        InputError: as ``watched_power``, or the power is not between 0 and 1.
    """
    _check(rules)
    inside("power", power, 0.0, 1.0, "Usual is 0.8.")
    stands = standing(outcome, effect, rules)
    gap, null_sd, true_sd, wanted = np.broadcast_arrays(
        stands.gap, stands.null_sd, stands.true_sd, np.asarray(power, dtype=float)
    )
    found = np.array(
        [
            _size_of(Standing(np.asarray(one[0]), np.asarray(one[1]), np.asarray(one[2])), float(one[3]), rules, watch)
            for one in zip(gap.ravel(), null_sd.ravel(), true_sd.ravel(), wanted.ravel(), strict=True)
        ]
    )
    return found.reshape(gap.shape)[()]


def watched_detectable_effect(
    outcome: PlannedOutcome, units: float, rules: Rules, watch: Watch, *, power: float = 0.8, downwards: bool = False
) -> float:
    """The smallest effect found with the given power by ``units`` in the arm at the planned end.

    Sides and infinite results as in ``power.detectable_effect``.

    Raises:
        InputError: as ``watched_power``, or the power is not between 0 and 1.
    """
    _check(rules)
    inside("power", power, 0.0, 1.0, "Usual is 0.8.")
    n = np.asarray(units, dtype=float)
    theta = _needed_drift(watch_limits(watch, rules, units), rules, watch, power)
    return float(
        smallest_effect(outcome, n, rules, lambda at: _drift(at, n, rules, watch) >= theta, downwards=downwards)
    )


def inflation_factor(rules: Rules, watch: Watch, *, power: float = 0.8) -> float:
    """By how many times a watched test is longer at its planned end than one read once, for the same power.

    Raises:
        InputError: the tuning size is a number of units, so that the factor would hang on the size.
    """
    _check(rules)
    if _hangs_on_units(watch):
        raise InputError(
            "With a tuning size in units the factor depends on the size of the test.", "Use watched_sample_size."
        )
    inside("power", power, 0.0, 1.0, "Usual is 0.8.")
    theta = _needed_drift(watch_limits(watch, rules, np.nan), rules, watch, power)
    fixed = float(rules.critical) + float(special.ndtri(power))
    return (theta / fixed) ** 2


def crossing_from(
    watch: Watch, rules: Rules, limits: Array, fraction: float, z: float, drifts: Numbers
) -> tuple[Array, Array]:
    """The chance that a running test, now at ``z`` after a fraction of its units, still crosses upwards.

    Returns:
        The chance by the planned end, and the expected further length as a share of the planned units.
    """
    left = ~looks_done(watch, fraction)
    times = watch.fractions[left]
    mu = np.asarray(drifts, dtype=float)
    if not len(times):
        return np.zeros(mu.shape)[()], np.zeros(mu.shape)[()]
    began = fraction, z * math.sqrt(fraction)
    sides = _path_sides(rules)
    stops = crossing_chances(times, limits[left], mu, sides=sides, began=began)
    rises = crossing_chances(times, limits[left], mu, sides=sides, upwards_only=True, began=began)
    stay = 1.0 - np.minimum(stops.sum(axis=0), 1.0)
    further = np.tensordot(times - fraction, stops, axes=1) + stay * (1.0 - fraction)
    return np.minimum(rises.sum(axis=0), 1.0)[()], further[()]


def _size_of(stands: Standing, wanted: float, rules: Rules, watch: Watch) -> float:
    gap = float(stands.gap if np.any(np.asarray(rules.margin) > 0.0) else np.abs(stands.gap))
    if gap <= 0.0:
        return float(np.inf)
    if not _hangs_on_units(watch):
        return _units_for(_needed_drift(watch_limits(watch, rules, np.nan), rules, watch, wanted), stands, rules, watch)
    # The limits move with the size: the root on its logarithm, from a hardly watched size up.
    low = _units_for(0.05, stands, rules, watch)
    high = _units_for(float(rules.critical) + 2.0, stands, rules, watch)

    def above(log_n: float) -> float:
        n = math.exp(log_n)
        drift = _drift(stands, np.asarray(n), rules, watch)
        limits = watch_limits(watch, rules, n)
        return float(crossing_chances(watch.fractions, limits, drift, sides=_path_sides(rules)).sum()) - wanted

    while above(math.log(high)) < 0.0:
        low, high = high, high * 2.0
    return math.exp(solve(above, math.log(low), math.log(high)))


def _needed_drift(limits: Array, rules: Rules, watch: Watch, wanted: float) -> float:
    """The drift at which the looks find something with the given chance: several drifts at a time, then narrower."""
    low, high = 0.0, 29.0
    for _ in range(9):
        grid = np.linspace(low, high, 24)
        chances = crossing_chances(watch.fractions, limits, grid, sides=_path_sides(rules)).sum(axis=0)
        above = int(np.argmax(chances >= wanted))
        if chances[above] < wanted:
            return float(np.inf)
        if above == 0:
            return float(grid[0])
        low, high = float(grid[above - 1]), float(grid[above])
    return high


def _drift(stands: Standing, units: Array, rules: Rules, watch: Watch) -> Array:
    """The expected z statistic at the planned end.

    An always-valid interval divides by the deviation of the estimate. The others read a test with a null deviation
    of its own: the drift is set so that one look at the end has the power of the fixed test.
    """
    counted = stands.gap if np.any(np.asarray(rules.margin) > 0.0) else np.abs(stands.gap)
    if watch.method == "always-valid":
        return np.asarray(counted * np.sqrt(units) / stands.true_sd)
    c = rules.critical
    return np.asarray((counted * np.sqrt(units) - c * stands.null_sd) / stands.true_sd + c)


def _units_for(theta: float, stands: Standing, rules: Rules, watch: Watch) -> float:
    """The units with this drift: ``_drift`` turned round."""
    counted = float(stands.gap if np.any(np.asarray(rules.margin) > 0.0) else np.abs(stands.gap))
    c, null_sd, true_sd = float(rules.critical), float(stands.null_sd), float(stands.true_sd)
    reach = theta * true_sd if watch.method == "always-valid" else c * null_sd + (theta - c) * true_sd
    return float(max(1.0, (max(reach, 0.0) / counted) ** 2))


def _hangs_on_units(watch: Watch) -> bool:
    return watch.tuning is not None


def _path_sides(rules: Rules) -> int:
    return 2 if bool(np.all(rules.two_tailed)) else 1


def _check(rules: Rules) -> None:
    if rules.correction == "dunnett":
        raise InputError(
            "Dunnett's correction is for a test that is read once.", 'Plan a watched test with "bonferroni".'
        )
    if rules.tested == "lift":
        raise InputError("A watched test of the lift is not planned.", 'Plan it on the "difference": same question.')
    single = (rules.alpha, rules.margin, rules.control_ratio, rules.comparisons)
    if any(np.ndim(value) for value in single):
        raise InputError("A watched test is planned for one set of rules.", "Give numbers, not arrays, in the rules.")
