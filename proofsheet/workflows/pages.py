"""Read models: what a page shows about a brief, its assets and their reviews, as plain nouns.

Every function takes an open reader and hands back a frozen page; nothing is written, and nothing here knows how a
page is drawn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from proofsheet.domain.assessment import Grade, Judgement, Review, Score, Verdict
from proofsheet.domain.asset import Asset, CostEntry, Origin, VariantPlan
from proofsheet.domain.campaign import FACTORS, Campaign, Placement
from proofsheet.domain.experiment import Experiment
from proofsheet.errors import ProofsheetError

if TYPE_CHECKING:
    from warehouse.store import Reader

State = Literal["waiting", "approved", "rejected"]
STATES: tuple[State, ...] = ("waiting", "approved", "rejected")

#: How a contact sheet may be sorted.
ORDERS = ("placement", "variant", "grade", "newest")

#: Entries of the ledger that are not the making of pictures.
MEDIA = "media"

#: In which order factors tell variants apart: what is seen first comes first.
TELLING = ("headline", "scene", "layout", "style", "cta", "audience", "locale")


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
class BriefPage:
    """A brief with its plan, the placements it is made for, and what its backend remarks on the scenes' words."""

    campaign: Campaign
    plan: VariantPlan | None
    placements: tuple[Placement, ...]
    varied: tuple[str, ...]  # the factors with more than one level
    remarks: tuple[str, ...] = ()


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
    titles = variant_titles({asset.variant_id: asset.levels for asset in assets if asset.levels})
    items = tuple(
        SheetItem(
            asset=asset,
            title=titles.get(asset.variant_id) or asset.label or asset.variant_id,
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


def variant_titles(variants: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """A short name for each variant: the levels of as few factors as tell all of them apart, and always the locale
    where it varies: two languages are two audiences, whatever else differs.
    """
    varied = [name for name in TELLING if len({levels.get(name) for levels in variants.values()}) > 1]
    always = tuple(name for name in varied if name == "locale")
    others = [name for name in varied if name not in always]

    def told(levels: Mapping[str, str], chosen: Sequence[str]) -> tuple[str, ...]:
        return tuple(levels.get(name, "") for name in chosen)

    subsets = ((*chosen, *always) for size in range(len(others)) for chosen in combinations(others, size))
    fewest = next(
        (chosen for chosen in subsets if len({told(one, chosen) for one in variants.values()}) == len(variants)), varied
    )
    return {variant_id: " · ".join(filter(None, told(levels, fewest))) for variant_id, levels in variants.items()}


def _state(reviews: Sequence[Review]) -> State:
    if not reviews or reviews[-1].judgement is Judgement.WITHDRAW:
        return "waiting"
    return "approved" if reviews[-1].judgement is Judgement.APPROVE else "rejected"


def main_currency(ledger: Iterable[CostEntry]) -> str:
    """The currency of most lines for making pictures; empty without any."""
    counted = Counter(entry.currency for entry in ledger if entry.what != MEDIA)
    return counted.most_common(1)[0][0] if counted else ""


def _cost_by_asset(assets: Sequence[Asset], ledger: Sequence[CostEntry]) -> tuple[Mapping[str, Decimal], str]:
    currency = main_currency(ledger)
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
        remarks=_remarks(reader, plan) if plan else (),
    )


def _remarks(reader: Reader, plan: VariantPlan) -> tuple[str, ...]:
    """What the house model makes of the plan's words; nothing where another backend draws."""
    from generation.house.folder import BACKEND, house_folder
    from generation.house.remarks import remarks
    from generation.recipes import distinct_scenes

    if plan.backend != BACKEND:
        return ()
    try:
        return remarks(distinct_scenes(reader.recipes(plan.campaign)), house_folder(plan.model))
    except ProofsheetError:  # the model is not here any more; the page is about the plan
        return ()


def shared_placement(experiment: Experiment, sheet: ContactSheet) -> str:
    """The placement in which the arms are shown next to each other: of those that most arms have, the one that looks
    largest in a small frame (the longest short side, then the shape nearest to 4:5), never a strip if it can be helped.
    """
    shapes: dict[str, tuple[int, int]] = {}
    arms_with: Counter[str] = Counter()
    for arm in experiment.arms:
        own = [item.asset for item in sheet.items if item.asset.id in set(arm.asset_ids)]
        shapes |= {asset.placement: (asset.width, asset.height) for asset in own}
        arms_with.update({asset.placement for asset in own})
    usual = [name for name, number in arms_with.items() if 2 * number > len(experiment.arms)] or list(shapes)
    return max(usual, key=lambda name: (min(shapes[name]), -abs(shapes[name][0] / shapes[name][1] - 0.8)), default="")


def cautions(experiment: Experiment, assets: Sequence[Asset]) -> tuple[str, ...]:
    """What this test cannot tell apart, as its pictures stand: another language, or a placement without a control."""
    of_control = set(experiment.control.asset_ids)
    of_others = {asset_id for arm in experiment.arms if not arm.is_control for asset_id in arm.asset_ids}
    control = [asset for asset in assets if asset.id in of_control]
    tested = [asset for asset in assets if asset.id in of_others]
    if not control:
        return ()
    said = []
    spoken = sorted({asset.locale for asset in control} - {""})
    foreign = sorted({asset.locale for asset in tested} - {"", *spoken})
    if spoken and foreign:
        said.append(
            f"Arms in {' and '.join(foreign)} are compared with a control in {' and '.join(spoken)}: "
            "language and audience cannot be told apart."
        )
    shown = {asset.placement for asset in control}
    lacking = dict.fromkeys(asset.placement for asset in tested if asset.placement not in shown)
    if lacking:
        names = ", ".join(name.replace("_", " ").capitalize() for name in lacking)
        said.append(f"The control has no picture for {names}: arms and control are compared only where both ran.")
    return tuple(said)
