"""Read models: what a page shows about campaigns, assets, reviews and money, as plain nouns.

Every function takes an open reader and hands back a frozen page; nothing is written, and nothing here knows how a
page is drawn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from proofsheet.domain.assessment import Grade, Judgement, Review, Score, Verdict
from proofsheet.domain.asset import Asset, CostEntry, Origin, VariantPlan
from proofsheet.domain.campaign import FACTORS, Campaign, Placement
from proofsheet.domain.experiment import Experiment, ExperimentStatus
from proofsheet.domain.money import Money

if TYPE_CHECKING:
    from warehouse.records import ImportRecord
    from warehouse.store import Reader

State = Literal["waiting", "approved", "rejected"]
STATES: tuple[State, ...] = ("waiting", "approved", "rejected")

#: How a contact sheet may be sorted.
ORDERS = ("placement", "variant", "grade", "newest")

#: Entries of the ledger that are not the making of pictures.
MEDIA = "media"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetItem:
    """One asset with everything known about it.

    ``grade`` is the worst verdict, None before scoring. ``cost`` is the asset's own cost and its share of its scene,
    in ``currency``.
    """

    asset: Asset
    title: str
    grade: Grade | None
    verdicts: tuple[Verdict, ...]
    scores: tuple[Score, ...]
    reviews: tuple[Review, ...]  # oldest first
    state: State
    cost: Decimal
    currency: str

    @property
    def review(self) -> Review | None:
        """The review that counts, or None while the asset waits."""
        return self.reviews[-1] if self.reviews and self.state != "waiting" else None

    @property
    def problems(self) -> tuple[Verdict, ...]:
        """The verdicts that are not PASS, worst first."""
        return tuple(sorted((v for v in self.verdicts if v.grade is not Grade.PASS), key=lambda v: -v.grade.severity))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSheet:
    """All assets of a campaign, and the choices a filter may offer."""

    campaign: Campaign
    items: tuple[SheetItem, ...]
    factors: Mapping[str, tuple[str, ...]]  # the varied factors with the levels that occur
    placements: tuple[str, ...]
    locales: tuple[str, ...]

    def item(self, asset_id: str) -> SheetItem | None:
        """The item of that asset, or None."""
        return next((item for item in self.items if item.asset.id == asset_id), None)

    def counts(self) -> Mapping[str, int]:
        """How many items are in each review state."""
        return Counter(item.state for item in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that waits for a person: what, how many, and on which page it is done."""

    kind: str
    text: str
    page: str
    campaign: str | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignCard:
    """A campaign at a glance."""

    slug: str
    name: str
    message: str
    covers: tuple[str, ...]  # hashes of pictures
    variants: int
    assets: int
    states: Mapping[str, int]
    grades: Mapping[str, int]
    made_for: Money | None
    budget: Money | None
    experiments: tuple[Experiment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The front page: what needs a person, the campaigns, and what was imported last."""

    needs: tuple[Need, ...] = ()
    campaigns: tuple[CampaignCard, ...] = ()
    imports: tuple[ImportRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefPage:
    """A brief with its plan and the placements it is made for."""

    campaign: Campaign
    plan: VariantPlan | None
    placements: tuple[Placement, ...]
    varied: tuple[str, ...]  # the factors with more than one level


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPage:
    """What making the pictures took: by kind, per asset and per approved asset; one currency each."""

    currency: str
    total: Decimal
    by_kind: Mapping[str, Decimal]
    seconds: Mapping[str, float]
    assets: int
    approved: int
    per_asset: Decimal | None
    per_approved: Decimal | None
    budget: Money | None
    entries: tuple[CostEntry, ...]
    other_currencies: tuple[str, ...]


def overview(reader: Reader) -> Overview:
    """The front page over all campaigns."""
    cards, needs = [], []
    for campaign in reader.campaigns():
        sheet = contact_sheet(reader, campaign.slug)
        card = _card(reader, sheet)
        cards.append(card)
        needs += _needs(card)
    imports = tuple(sorted(reader.imports(), key=lambda record: record.imported_at, reverse=True))
    set_aside = [record for record in imports if record.set_aside]
    if set_aside:
        rows = sum(record.set_aside for record in set_aside)
        files = "one report" if len(set_aside) == 1 else f"{len(set_aside)} reports"
        text = f"{rows} {'row' if rows == 1 else 'rows'} of {files} could not be loaded"
        needs.append(Need(kind="import", text=text, page="imports", campaign=None, number=rows))
    return Overview(needs=tuple(needs), campaigns=tuple(cards), imports=imports[:5])


def _card(reader: Reader, sheet: ContactSheet) -> CampaignCard:
    slug = sheet.campaign.slug
    money = costs(reader, slug)
    return CampaignCard(
        slug=slug,
        name=sheet.campaign.brief.name or slug,
        message=sheet.campaign.brief.message,
        covers=covers(sheet.items, 4),
        variants=len({item.asset.variant_id for item in sheet.items}),
        assets=len(sheet.items),
        states=sheet.counts(),
        grades=Counter(item.grade.value for item in sheet.items if item.grade),
        made_for=Money(money.total, money.currency) if money.currency else None,
        budget=sheet.campaign.brief.budget,
        experiments=reader.experiments(slug),
    )


def _needs(card: CampaignCard) -> list[Need]:
    found = []
    waiting = card.states.get("waiting", 0)
    unscored = card.assets - sum(card.grades.values())
    if waiting:
        text = f"{waiting} {'asset waits' if waiting == 1 else 'assets wait'} for review"
        found.append(Need(kind="review", text=text, page="review", campaign=card.slug, number=waiting))
    if card.assets and unscored:
        text = f"{unscored} {'asset is' if unscored == 1 else 'assets are'} not scored yet"
        found.append(Need(kind="score", text=text, page="sheet", campaign=card.slug, number=unscored))
    for experiment in card.experiments:
        if experiment.status is ExperimentStatus.ENDED:
            text = f"“{experiment.name}” has ended and waits for a decision"
            found.append(Need(kind="decide", text=text, page="experiment", campaign=card.slug, number=1))
        elif experiment.status is ExperimentStatus.RUNNING:
            text = f"“{experiment.name}” is running"
            found.append(Need(kind="running", text=text, page="experiment", campaign=card.slug, number=1))
    if card.assets and not card.experiments and card.states.get("approved", 0):
        text = f"{card.states['approved']} approved, and no experiment yet"
        found.append(Need(kind="launch", text=text, page="experiment", campaign=card.slug, number=1))
    return found


def covers(items: Sequence[SheetItem], limit: int, *, placement: str = "") -> tuple[str, ...]:
    """Hashes of pictures that stand for a set: best first, each from another variant, all of one placement.

    The placement is the one asked for where the set has it, else the one whose shape is nearest to 4:5.
    """
    if not items:
        return ()
    generated = [item for item in items if item.asset.origin is Origin.GENERATED] or list(items)
    common = Counter(item.asset.placement for item in generated)
    order = {"approved": 0, "waiting": 1, "rejected": 2}
    squarest = placement if placement in common else min(common, key=lambda name: abs(_ratio(generated, name) - 0.8))
    ranked = sorted(
        (item for item in generated if item.asset.placement == squarest),
        key=lambda item: (order[item.state], item.grade.severity if item.grade else 1),
    )
    by_variant: dict[str, str] = {}
    for item in ranked:
        by_variant.setdefault(item.asset.variant_id, item.asset.sha256)
    return tuple(by_variant.values())[:limit]


def _ratio(items: Iterable[SheetItem], placement: str) -> float:
    asset = next(item.asset for item in items if item.asset.placement == placement)
    return asset.width / asset.height


def contact_sheet(reader: Reader, slug: str) -> ContactSheet:
    """Every asset of the campaign with its verdicts, scores, reviews and cost."""
    campaign = reader.campaign(slug)
    assets = reader.assets(slug)
    verdicts, scores, reviews = defaultdict(list), defaultdict(list), defaultdict(list)
    for verdict in reader.verdicts(slug):
        verdicts[verdict.asset_id].append(verdict)
    for score in reader.scores(slug):
        scores[score.asset_id].append(score)
    for review in reader.reviews(slug):
        reviews[review.asset_id].append(review)
    ledger = reader.ledger(slug)
    spent, currency = _cost_by_asset(assets, ledger)
    seen = {name: {asset.levels[name] for asset in assets if name in asset.levels} for name in FACTORS}
    factors = {
        factor.name: tuple(level.name for level in factor.levels if level.name in seen[factor.name])
        for factor in campaign.brief.factors
        if len(seen.get(factor.name, ())) > 1
    }
    items = tuple(
        SheetItem(
            asset=asset,
            title=variant_title(asset.levels, tuple(factors), asset.label or asset.variant_id),
            grade=max((v.grade for v in verdicts[asset.id]), key=lambda g: g.severity, default=None),
            verdicts=tuple(verdicts[asset.id]),
            scores=tuple(scores[asset.id]),
            reviews=tuple(reviews[asset.id]),
            state=_state(reviews[asset.id]),
            cost=spent[asset.id],
            currency=currency,
        )
        for asset in assets
    )
    return ContactSheet(
        campaign=campaign,
        items=items,
        factors=factors,
        placements=tuple(dict.fromkeys(asset.placement for asset in assets)),
        locales=tuple(dict.fromkeys(asset.locale for asset in assets if asset.locale)),
    )


def variant_title(levels: Mapping[str, str], varied: Sequence[str], fallback: str) -> str:
    """What tells a variant from the others: the levels of the varied factors."""
    return " · ".join(levels[name] for name in varied if name in levels) or fallback


def _state(reviews: Sequence[Review]) -> State:
    if not reviews or reviews[-1].judgement is Judgement.WITHDRAW:
        return "waiting"
    return "approved" if reviews[-1].judgement is Judgement.APPROVE else "rejected"


def _main_currency(ledger: Iterable[CostEntry]) -> str:
    counted = Counter(entry.currency for entry in ledger if entry.what != MEDIA)
    return counted.most_common(1)[0][0] if counted else ""


def _cost_by_asset(assets: Sequence[Asset], ledger: Sequence[CostEntry]) -> tuple[Mapping[str, Decimal], str]:
    currency = _main_currency(ledger)
    users = Counter(asset.scene_id for asset in assets if asset.scene_id)
    own: dict[str, Decimal] = defaultdict(Decimal)
    scenes: dict[str, Decimal] = defaultdict(Decimal)
    for entry in ledger:
        if entry.currency != currency or entry.what == MEDIA:
            continue
        if entry.asset_id:
            own[entry.asset_id] += entry.amount
        elif entry.scene_id:
            scenes[entry.scene_id] += entry.amount
    for asset in assets:
        if asset.scene_id in scenes:
            own[asset.id] += scenes[asset.scene_id] / users[asset.scene_id]
    return own, currency


def select(
    items: Sequence[SheetItem],
    *,
    placements: Sequence[str] = (),
    levels: Mapping[str, Sequence[str]] | None = None,
    grades: Sequence[str] = (),
    states: Sequence[str] = (),
    locales: Sequence[str] = (),
    order: str = "placement",
) -> tuple[SheetItem, ...]:
    """The items that pass every filter given (an empty one lets all pass), in the order asked for."""

    def passes(item: SheetItem) -> bool:
        asset = item.asset
        grade = item.grade.value if item.grade else ""
        pairs = ((placements, asset.placement), (grades, grade), (states, item.state), (locales, asset.locale))
        return all(not wanted or value in wanted for wanted, value in pairs) and all(
            not wanted or asset.levels.get(name) in wanted for name, wanted in (levels or {}).items()
        )

    kept = [item for item in items if passes(item)]
    if order == "variant":
        kept.sort(key=lambda item: (item.title, item.asset.placement))
    elif order == "grade":
        kept.sort(key=lambda item: -(item.grade.severity if item.grade else 1))
    elif order == "newest":
        kept.sort(key=lambda item: item.asset.created_at, reverse=True)
    else:
        first_seen = list(dict.fromkeys(item.asset.placement for item in items))
        kept.sort(key=lambda item: first_seen.index(item.asset.placement))
    return tuple(kept)


def brief_page(reader: Reader, slug: str) -> BriefPage:
    """The brief as it was planned, with its placements; a placement no longer known is left out."""
    from generation.placements import load_placements

    campaign = reader.campaign(slug)
    plan = reader.plan(slug)
    known = load_placements()
    names = plan.placements if plan else campaign.brief.placements
    return BriefPage(
        campaign=campaign,
        plan=plan,
        placements=tuple(known[name] for name in names if name in known),
        varied=tuple(factor.name for factor in campaign.brief.factors if len(factor.levels) > 1),
    )


def costs(reader: Reader, slug: str) -> CostPage:
    """What making the campaign's pictures cost so far, media apart; other currencies are named, never added."""
    ledger = reader.ledger(slug)
    currency = _main_currency(ledger)
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
    assets = reader.assets(slug)
    latest = reader.latest_reviews(slug)
    approved = sum(1 for a in assets if a.id in latest and latest[a.id].judgement is Judgement.APPROVE)
    return CostPage(
        currency=currency,
        total=total,
        by_kind=dict(by_kind),
        seconds=dict(seconds),
        assets=len(assets),
        approved=approved,
        per_asset=total / len(assets) if assets else None,
        per_approved=total / approved if approved else None,
        budget=reader.campaign(slug).brief.budget,
        entries=ledger,
        other_currencies=tuple(sorted({e.currency for e in ledger if e.what != MEDIA} - {currency})),
    )
