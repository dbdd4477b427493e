"""Money by arm: making the assets and showing them. A price per nothing is None, never a division by zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from proofsheet.domain.result import ArmCost
from proofsheet.errors import InputError

_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmMoney:
    """What one arm cost and brought; production may be in a currency of its own (``currency`` where not named)."""

    arm: str
    assets: int
    approved: int
    production: Decimal
    spend: Decimal
    impressions: int
    clicks: int
    conversions: Decimal
    currency: str
    production_currency: str = ""


def arm_costs(arms: Sequence[ArmMoney]) -> tuple[ArmCost, ...]:
    """Prices per asset, approved asset (production) and per click, conversion (spend), in the arms' order.

    Raises:
        InputError: the arms are in different currencies, or an amount or count is negative.
    """
    for currencies in (
        sorted({arm.currency for arm in arms}),
        sorted({arm.production_currency or arm.currency for arm in arms}),
    ):
        if len(currencies) < 2:
            continue
        raise InputError(
            f"The arms' costs are in different currencies: {', '.join(currencies)}.",
            "Convert them to one currency first; different currencies are never added or compared.",
        )
    return tuple(_cost(arm) for arm in arms)


def _cost(arm: ArmMoney) -> ArmCost:
    counts = (arm.assets, arm.approved, arm.production, arm.spend, arm.impressions, arm.clicks, arm.conversions)
    if any(count < 0 for count in counts):
        raise InputError(f"Arm {arm.arm!r} has a negative cost or count.", "Costs and counts are 0 or more.")
    return ArmCost(
        arm=arm.arm,
        assets=arm.assets,
        approved=arm.approved,
        production=arm.production,
        spend=arm.spend,
        currency=arm.currency,
        impressions=arm.impressions,
        clicks=arm.clicks,
        conversions=arm.conversions,
        per_asset=per(arm.production, arm.assets),
        per_approved_asset=per(arm.production, arm.approved),
        per_click=per(arm.spend, arm.clicks),
        per_conversion=per(arm.spend, arm.conversions),
        production_currency=arm.production_currency,
    )


def per(amount: Decimal, count: int | Decimal) -> Decimal | None:
    """The amount for each one of ``count``, to a millionth of the currency; None when there is none."""
    return (amount / count).quantize(_PLACES, rounding=ROUND_HALF_EVEN) if count else None
