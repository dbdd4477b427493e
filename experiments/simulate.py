"""A seeded stand-in for an ad platform with known truth: rows such as a report holds.

Clicks are drawn around ``base rate × creative effects × placement × weekday × fatigue``, times a random factor shared
by all arms on a day and one of each arm and day, so that days differ by more than counting noise. Delivery drifts and
leans towards arms that are truly better, as a platform's does; it never looks at the clicks drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from experiments.truth import DeliveryRow, Truth, true_lifts
from proofsheet.domain.experiment import Arm
from proofsheet.errors import InputError

__all__ = ["DeliveryRow", "Truth", "simulate_platform", "true_lifts"]

_CENT = Decimal("0.01")


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


def _factors(rng: np.random.Generator, deviation: float, count: int) -> np.ndarray:
    """Gamma factors of mean 1 and the given standard deviation."""
    if deviation <= 0:
        return np.ones(count)
    shape = 1.0 / deviation**2
    return rng.gamma(shape, 1.0 / shape, count)


def _price(truth: Truth, placement: str, impressions: int) -> Decimal:
    cpm = truth.cpm.get(placement, Decimal("5.00"))
    return (cpm * impressions / 1000).quantize(_CENT, rounding=ROUND_HALF_EVEN)
