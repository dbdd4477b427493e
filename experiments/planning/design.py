"""Sizing a test before launch: units per arm, power, detectable lift, days and spend.

Two proportions by the normal approximation with the pooled variance under "no difference", which is the test that
``analysis`` runs (Fleiss, Levin and Paik 2003, without continuity correction); with several arms the level is shared
out by Bonferroni. The formulas are those of ``power``, which plans other outcomes too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from experiments.planning import power as planned
from experiments.planning.planned_outcome import Proportion
from experiments.planning.planned_rules import Rules
from proofsheet.domain.experiment import TestDesign
from proofsheet.errors import InputError


def sample_size(
    baseline: float,
    minimum_lift: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    comparisons: int = 1,
    ratio: float = 1.0,
    dispersion: float = 1.0,
) -> int:
    """Units needed in each arm to find a relative lift of ``minimum_lift`` over the rate ``baseline``.

    Args:
        baseline: the control's rate, 0–1.
        minimum_lift: relative, such as 0.1 for +10 % (negative for a drop).
        alpha: two-sided, for all comparisons together.
        power: chance of finding the lift when it is there.
        comparisons: arms against the control.
        ratio: units of the control per unit of an arm.
        dispersion: by how many times the variance exceeds that of counting alone (platform reports: often 1.2–3).

    Raises:
        InputError: a value is outside its range, or the rate with the lift is.
    """
    _check(baseline, minimum_lift, alpha, power, comparisons, ratio, dispersion)
    outcome, rules = _planned(baseline, alpha, comparisons, ratio, dispersion)
    return math.ceil(planned.sample_size(outcome, minimum_lift, rules, power=power) - 1e-9)


def power_at(
    units: float,
    baseline: float,
    lift: float,
    *,
    alpha: float = 0.05,
    comparisons: int = 1,
    ratio: float = 1.0,
    dispersion: float = 1.0,
) -> float:
    """The chance of finding ``lift`` with ``units`` in the arm and ``ratio × units`` in the control (see above)."""
    _check(baseline, lift, alpha, 0.5, comparisons, ratio, dispersion)
    if not units > 0:
        return 0.0
    outcome, rules = _planned(baseline, alpha, comparisons, ratio, dispersion)
    return float(planned.power(outcome, lift, units, rules))


def detectable_lift(
    units: float,
    baseline: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    comparisons: int = 1,
    ratio: float = 1.0,
    dispersion: float = 1.0,
) -> float | None:
    """The smallest upward lift found with the given power; None when no lift up to a rate of 1 would be."""
    _check(baseline, 1e-9, alpha, power, comparisons, ratio, dispersion)
    outcome, rules = _planned(baseline, alpha, comparisons, ratio, dispersion)
    found = float(planned.detectable_effect(outcome, units, rules, power=power))
    return found if math.isfinite(found) else None


def power_curve(
    units: float,
    baseline: float,
    lifts: Sequence[float],
    *,
    alpha: float = 0.05,
    comparisons: int = 1,
    ratio: float = 1.0,
    dispersion: float = 1.0,
) -> tuple[tuple[float, float], ...]:
    """Points (lift, power) for a chart; a lift of 0 gives the false-positive rate of one comparison."""
    options = {"alpha": alpha, "ratio": ratio, "dispersion": dispersion}
    return tuple(
        (lift, power_at(units, baseline, lift, comparisons=comparisons, **options) if lift else alpha / comparisons)
        for lift in lifts
    )


def design_test(
    *,
    baseline: float,
    minimum_lift: float,
    arms: int,
    daily_units: int,
    alpha: float = 0.05,
    power: float = 0.8,
    days: int | None = None,
    cost_per_unit: Decimal | None = None,
    currency: str = "",
    dispersion: float = 1.0,
) -> TestDesign:
    """Work out units per arm, days and media spend.

    Args:
        arms: all arms, the control included; each gets the same share.
        daily_units: units a day over all arms.
        days: the planned length; without it the length follows from the units, rounded up to whole weeks.
        cost_per_unit: media price of one unit (an impression: CPM / 1000).

    Returns:
        The design. ``days`` is the planned length where given; ``note`` then says whether it is enough, and which
        lift it can find.

    Raises:
        InputError: a value is outside its range.
    """
    if arms < 2:
        raise InputError(f"A test with {arms} arm(s) compares nothing.", "Plan a control and at least one more arm.")
    if daily_units < 1:
        raise InputError(f"{daily_units} units a day cannot fill a test.", "Give the expected units a day, 1 or more.")
    if days is not None and days < 1:
        raise InputError(f"A test of {days} days cannot run.", "Give 1 day or more.")
    comparisons = arms - 1
    units = sample_size(
        baseline, minimum_lift, alpha=alpha, power=power, comparisons=comparisons, dispersion=dispersion
    )
    needed = math.ceil(units * arms / daily_units)
    length = days if days is not None else math.ceil(needed / 7) * 7
    notes = []
    if days is not None and days < needed:
        smallest = detectable_lift(
            days * daily_units / arms,
            baseline,
            alpha=alpha,
            power=power,
            comparisons=comparisons,
            dispersion=dispersion,
        )
        found = f"finds a lift of {smallest:.1%} or more" if smallest is not None else "finds no lift reliably"
        notes.append(f"{days} days are too few: {needed} are needed for {minimum_lift:+.1%}; {days} {found}.")
    elif days is None and length > needed:
        notes.append(f"{needed} days would do; rounded up to whole weeks, because weekdays differ.")
    if length % 7 and days is not None:
        notes.append("The length is not whole weeks: some weekdays count more than others.")
    if dispersion != 1.0:
        notes.append(f"The units are {dispersion:g} times those of independent trials.")
    return TestDesign(
        baseline=baseline,
        minimum_lift=minimum_lift,
        alpha=alpha,
        power=power,
        comparisons=comparisons,
        n_per_arm=units,
        arms=arms,
        daily_units=daily_units,
        days=length,
        spend=None if cost_per_unit is None else cost_per_unit * daily_units * length,
        currency=currency,
        note=" ".join(notes),
    )


def _planned(
    baseline: float, alpha: float, comparisons: int, ratio: float, dispersion: float
) -> tuple[Proportion, Rules]:
    rules = Rules(alpha=alpha, comparisons=comparisons, control_ratio=ratio, dispersion=dispersion)
    return Proportion(baseline=baseline), rules


def _check(
    baseline: float, lift: float, alpha: float, power: float, comparisons: int, ratio: float, dispersion: float
) -> None:
    if not 0.0 < baseline < 1.0:
        raise InputError(f"The baseline rate {baseline} is not between 0 and 1.", "Give a share, such as 0.012.")
    if lift == 0.0 or not 0.0 < baseline * (1.0 + lift) < 1.0:
        raise InputError(
            f"A lift of {lift} on a rate of {baseline} gives {baseline * (1.0 + lift):g}, which cannot be sized.",
            "Give a relative lift other than 0, such as 0.1, that keeps the rate between 0 and 1.",
        )
    if not 0.0 < alpha < 1.0 or not 0.0 < power < 1.0:
        raise InputError(f"alpha {alpha} and power {power} must lie between 0 and 1.", "Usual are 0.05 and 0.8.")
    if comparisons < 1 or not ratio > 0 or not dispersion >= 1.0:
        raise InputError(
            f"{comparisons} comparisons, ratio {ratio} and dispersion {dispersion} cannot be sized.",
            "Comparisons are 1 or more, the ratio is above 0, the dispersion 1 or more.",
        )
