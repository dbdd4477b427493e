"""A seeded stand-in for an ad platform with known truth: rows such as a report holds, and the lifts they should show.

Clicks are drawn around ``base rate × creative effects × placement × weekday × fatigue``, times a random factor shared
by all arms on a day and one of each arm and day, so that days differ by more than counting noise. Delivery drifts and
leans towards arms that are truly better, as a platform's does; it never looks at the clicks drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from proofsheet.domain.experiment import Arm
from proofsheet.errors import InputError

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is really so. Effects are on the log scale: 0.10 is about +10 %.

    Args:
        base_rate: clicks per impression with every effect 0.
        level_effects: on the click rate, by factor and level; a level not named has none.
        conversion_rate: conversions per click.
        conversion_effects: on the conversion rate, by factor and level.
        placement_effects: on the click rate, by placement.
        placement_shares: of the impressions, by placement (relative; 1 where not named).
        cpm: price of a thousand impressions, by placement.
        weekday_effects: on the click rate, Monday first.
        fatigue: decline of the log click rate per day.
        susceptibility: factor on ``fatigue`` by arm name (1 where not named).
        day_variation: standard deviation of the day's factor shared by all arms, as a share.
        arm_day_variation: the same of each arm's own factor on each day.
        volume_variation: of the day's impressions.
        steering: how strongly delivery leans towards better arms over the test; 1 doubles the log effect's weight.
        drift: standard deviation of each arm's daily step in log delivery weight.
    """

    base_rate: float
    level_effects: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    conversion_rate: float = 0.04
    conversion_effects: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    placement_effects: Mapping[str, float] = field(default_factory=dict)
    placement_shares: Mapping[str, float] = field(default_factory=dict)
    cpm: Mapping[str, Decimal] = field(default_factory=dict)
    weekday_effects: tuple[float, ...] = (0.0,) * 7
    fatigue: float = 0.0
    susceptibility: Mapping[str, float] = field(default_factory=dict)
    day_variation: float = 0.08
    arm_day_variation: float = 0.05
    volume_variation: float = 0.05
    steering: float = 0.5
    drift: float = 0.04

    def __post_init__(self) -> None:
        if not 0.0 < self.base_rate < 1.0 or not 0.0 <= self.conversion_rate < 1.0:
            raise InputError(
                f"The rates {self.base_rate} and {self.conversion_rate} are not shares.", "Give values between 0 and 1."
            )
        if len(self.weekday_effects) != 7:
            raise InputError(f"There are {len(self.weekday_effects)} weekday effects.", "Give seven, Monday first.")

    def effect(self, arm: Arm) -> float:
        """The arm's log effect on the click rate."""
        return _sum_effects(self.level_effects, arm)

    def click_rate(self, arm: Arm, placement: str, day: date, start: date) -> float:
        """Expected clicks per impression of an arm in a placement on a day; the random factors have mean 1."""
        weariness = self.fatigue * self.susceptibility.get(arm.name, 1.0) * (day - start).days
        effects = self.effect(arm) + self.placement_effects.get(placement, 0.0) - weariness
        return min(0.95, self.base_rate * math.exp(effects + self.weekday_effects[day.weekday()]))

    def conversions_per_click(self, arm: Arm) -> float:
        """Expected conversions per click of an arm."""
        return min(0.95, self.conversion_rate * math.exp(_sum_effects(self.conversion_effects, arm)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One row of the simulated report: an arm in a placement on a day."""

    arm: str
    day: date
    placement: str
    impressions: int
    clicks: int
    conversions: int
    spend: Decimal


def simulate_platform(
    arms: Sequence[Arm],
    truth: Truth,
    *,
    start: date,
    days: int,
    daily_impressions: int,
    placements: Sequence[str],
    seed: int,
) -> list[DeliveryRow]:
    """Rows of arm × day × placement in that nesting: day by day, placement by placement, arms in their order.

    The same arguments give the same rows.

    Raises:
        InputError: no arms, placements, days or impressions.
    """
    if not arms or not placements or days < 1 or daily_impressions < 1:
        raise InputError(
            f"{len(arms)} arms, {len(placements)} placements, {days} days and {daily_impressions} impressions a day "
            "make no report.",
            "Give at least one of each.",
        )
    rng = np.random.default_rng(seed)
    effects = np.array([truth.effect(arm) for arm in arms])
    effects = effects - effects.mean()
    weights = np.array([arm.weight for arm in arms])
    shares = np.array([truth.placement_shares.get(name, 1.0) for name in placements])
    shares = shares / shares.sum()
    drift = np.zeros(len(arms))
    rows: list[DeliveryRow] = []
    for i in range(days):
        day = start + timedelta(days=i)
        drift = drift + rng.normal(0.0, truth.drift, len(arms)) if truth.drift else drift
        lean = weights * np.exp(drift + truth.steering * effects * i / days)
        volume = round(daily_impressions * float(_factors(rng, truth.volume_variation, 1)[0]))
        delivered = rng.multinomial(volume, np.outer(shares, lean / lean.sum()).ravel()).reshape(len(shares), -1)
        shared = float(_factors(rng, truth.day_variation, 1)[0])
        own = _factors(rng, truth.arm_day_variation, len(arms))
        for p, placement in enumerate(placements):
            for a, arm in enumerate(arms):
                rate = min(0.99, truth.click_rate(arm, placement, day, start) * shared * float(own[a]))
                impressions = int(delivered[p, a])
                clicks = int(rng.binomial(impressions, rate))
                rows.append(
                    DeliveryRow(
                        arm=arm.name,
                        day=day,
                        placement=placement,
                        impressions=impressions,
                        clicks=clicks,
                        conversions=int(rng.binomial(clicks, truth.conversions_per_click(arm))),
                        spend=_price(truth, placement, impressions),
                    )
                )
    return rows


def _sum_effects(effects: Mapping[str, Mapping[str, float]], arm: Arm) -> float:
    return math.fsum(effects.get(factor, {}).get(level, 0.0) for factor, level in arm.levels.items())


def _factors(rng: np.random.Generator, deviation: float, count: int) -> np.ndarray:
    """Gamma factors of mean 1 and the given standard deviation."""
    if deviation <= 0:
        return np.ones(count)
    shape = 1.0 / deviation**2
    return rng.gamma(shape, 1.0 / shape, count)


def _price(truth: Truth, placement: str, impressions: int) -> Decimal:
    cpm = truth.cpm.get(placement, Decimal("5.00"))
    return (cpm * impressions / 1000).quantize(_CENT, rounding=ROUND_HALF_EVEN)
