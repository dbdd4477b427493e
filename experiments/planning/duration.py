"""Days and money of a test: traffic by weekday, whole weeks, prices of units, and how far a budget goes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from experiments.planning.planned_rules import Array, Numbers, inside
from proofsheet.errors import InputError

WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Units a day over all arms, on the average of a week.

    Args:
        daily: the average, above 0.
        weekdays: weights of Monday to Sunday, in any scale; all alike where not given.
        first_weekday: on which the test starts, 0 for Monday.

    Raises:
        InputError: a number is outside its range.
    """

    daily: float
    weekdays: tuple[float, ...] = (1.0,) * WEEK
    first_weekday: int = 0

    def __post_init__(self) -> None:
        inside("The units a day", self.daily, 0.0, np.inf, "Give the expected units a day over all arms.")
        if len(self.weekdays) != WEEK or not all(0.0 <= w < np.inf for w in self.weekdays) or not any(self.weekdays):
            raise InputError(
                f"The weekday pattern {', '.join(f'{w:g}' for w in self.weekdays)} is not that of a week.",
                "Give seven weights from Monday to Sunday, not all of them 0, such as 1,1,1,1,1,0.6,0.5.",
            )
        if not 0 <= self.first_weekday < WEEK:
            raise InputError(f"There is no weekday {self.first_weekday}.", "Count from 0 for Monday to 6 for Sunday.")

    @property
    def week(self) -> Array:
        """The units of the seven days from the first one on."""
        weights = np.roll(np.asarray(self.weekdays, dtype=float), -self.first_weekday)
        return np.asarray(self.daily * WEEK * weights / weights.sum())


def units_within(traffic: Traffic, days: int) -> float:
    """The units over all arms that so many days bring, however many they are.

    Raises:
        InputError: fewer than 1 day.
    """
    if days < 1:
        raise InputError(f"A test of {days} days cannot run.", "Give 1 day or more.")
    weeks, rest = divmod(days, WEEK)
    return float(weeks * traffic.week.sum() + traffic.week[:rest].sum())


def days_for(traffic: Traffic, units: Numbers) -> Array:
    """The days until so many units over all arms are there.

    Returns:
        Whole numbers as floats, of the shape of ``units``; infinite where the units are.
    """
    wanted = np.asarray(units, dtype=float)
    cumulative = np.cumsum(traffic.week)
    total = cumulative[-1]
    finite = np.where(np.isfinite(wanted), np.maximum(wanted, 0.0), 0.0)
    # Whole weeks before the last one; what is a hair above a whole number of them is rounding.
    weeks = np.maximum(np.ceil(finite / total - 1e-12) - 1.0, 0.0)
    rest = np.minimum(finite - weeks * total, total)
    days = weeks * WEEK + np.where(rest > 0.0, np.searchsorted(cumulative, rest * (1.0 - 1e-12)) + 1.0, 0.0)
    return np.where(np.isfinite(wanted), days, np.inf)[()]


def whole_weeks(days: Numbers) -> Array:
    """The days rounded up to whole weeks, because weekdays differ; at least one week."""
    return np.asarray(np.maximum(np.ceil(np.asarray(days, dtype=float) / WEEK) * WEEK, WEEK))[()]


def price_of_unit(*, cpm: Decimal | None = None, per_unit: Decimal | None = None) -> Decimal | None:
    """The price of one unit: given, or a thousandth of the CPM where a unit is an impression. None without either.

    Raises:
        InputError: both are given, or the price is not above 0.
    """
    if cpm is not None and per_unit is not None:
        raise InputError("Both a CPM and a price per unit were given.", "Give one of them: a CPM is 1,000 impressions.")
    price = cpm / 1000 if cpm is not None else per_unit
    if price is not None and not (price.is_finite() and price > 0):
        raise InputError(f"The price {price} of a unit is not above 0.", "Give a price, such as a CPM of 6.50.")
    return price


def affordable_units(budget: Decimal, price: Decimal) -> int:
    """How many units a budget buys, rounded down.

    Raises:
        InputError: the budget is not above 0.
    """
    if not (budget.is_finite() and budget > 0):
        raise InputError(f"A budget of {budget} buys nothing.", "Give an amount above 0.")
    return int((budget / price).to_integral_value(ROUND_FLOOR))
