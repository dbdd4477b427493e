"""Read models of money: what making the pictures took, and what showing them took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from proofsheet.domain.asset import CostEntry, Origin
from proofsheet.domain.experiment import Experiment
from proofsheet.domain.money import Money
from proofsheet.domain.result import ArmCost
from proofsheet.workflows.pages import MEDIA, contact_sheet, main_currency
from proofsheet.workflows.result_pages import arm_titles

if TYPE_CHECKING:
    from warehouse.store import Reader

#: Entries of the ledger that a brief's budget caps.
GENERATION = ("scene", "compose")


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPage:
    """What making the pictures took: by kind, per asset and per approved asset; one currency each.

    ``generated`` is the part that the brief's budget caps.
    """

    currency: str
    total: Decimal
    generated: Decimal
    by_kind: Mapping[str, Decimal]
    seconds: Mapping[str, float]
    assets: int
    approved: int
    per_asset: Decimal | None
    per_approved: Decimal | None
    per_generated: Decimal | None
    per_uploaded: Decimal | None
    budget: Money | None
    entries: tuple[CostEntry, ...]
    other_currencies: tuple[str, ...]


def _average(amounts: Sequence[Decimal]) -> Decimal | None:
    return sum(amounts, Decimal(0)) / len(amounts) if amounts else None


def costs(reader: Reader, slug: str) -> CostPage:
    """What making the campaign's pictures cost so far, media apart; other currencies are named, never added."""
    ledger = reader.ledger(slug)
    currency = main_currency(ledger)
    making = [entry for entry in ledger if entry.what != MEDIA and entry.currency == currency]
    by_kind: dict[str, Decimal] = defaultdict(Decimal)
    seconds: dict[str, float] = defaultdict(float)
    for entry in making:
        by_kind[entry.what] += entry.amount
        if entry.unit.startswith("second"):
            seconds[entry.what] += float(entry.quantity)
        elif entry.unit.startswith("minute"):
            seconds[entry.what] += float(entry.quantity) * 60
    total = sum(by_kind.values(), Decimal(0))
    sheet = contact_sheet(reader, slug)
    assets = sheet.items
    approved = sheet.counts().get("approved", 0)
    return CostPage(
        currency=currency,
        total=total,
        generated=sum((by_kind[kind] for kind in GENERATION if kind in by_kind), Decimal(0)),
        by_kind=dict(by_kind),
        seconds=dict(seconds),
        assets=len(assets),
        approved=approved,
        per_asset=total / len(assets) if assets else None,
        per_approved=total / approved if approved else None,
        per_generated=_average([item.cost for item in assets if item.asset.origin is Origin.GENERATED]),
        per_uploaded=_average([item.cost for item in assets if item.asset.origin is Origin.UPLOADED]),
        budget=sheet.campaign.brief.budget,
        entries=ledger,
        other_currencies=tuple(sorted({e.currency for e in ledger if e.what != MEDIA} - {currency})),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaCost:
    """What showing the ads cost, over the experiments of a campaign."""

    experiment: Experiment
    rows: tuple[tuple[str, ArmCost], ...]  # title of the arm, its money
    spend: Decimal
    currency: str
    clicks: int
    conversions: Decimal

    @property
    def per_conversion(self) -> Decimal | None:
        """Spend for each conversion, None when there is none."""
        return self.spend / self.conversions if self.conversions else None


def media_costs(reader: Reader, slug: str) -> tuple[MediaCost, ...]:
    """The money of every analysed experiment of a campaign."""
    found = []
    sheet = contact_sheet(reader, slug)
    for experiment in reader.experiments(slug):
        analysis = reader.analysis(experiment.id)
        if analysis is None or not analysis.costs:
            continue
        titles = arm_titles(experiment, sheet)
        found.append(
            MediaCost(
                experiment=experiment,
                rows=tuple((titles.get(cost.arm, cost.arm), cost) for cost in analysis.costs),
                spend=sum((cost.spend for cost in analysis.costs), Decimal(0)),
                currency=analysis.costs[0].currency,
                clicks=sum(cost.clicks for cost in analysis.costs),
                conversions=sum((cost.conversions for cost in analysis.costs), Decimal(0)),
            )
        )
    return tuple(found)
