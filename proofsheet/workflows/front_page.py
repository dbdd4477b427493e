"""Read model of the front page: what waits for a person, and how each campaign stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofsheet.domain.experiment import Experiment, ExperimentStatus
from proofsheet.domain.money import Money
from proofsheet.domain.result import Call
from proofsheet.workflows.cost_pages import costs
from proofsheet.workflows.pages import ContactSheet, contact_sheet, covers
from proofsheet.workflows.result_pages import arm_titles

if TYPE_CHECKING:
    from warehouse.records import ImportRecord
    from warehouse.store import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that waits for a person: what, how many, on which page it is done, and for which campaign."""

    kind: str
    text: str
    page: str
    campaign: str | None
    number: int
    campaign_name: str = ""


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
    experiments: tuple[Experiment, ...]
    outcomes: Mapping[str, tuple[Call, str]]  # by experiment: the call recorded last, and the arm's title if it ships


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The front page: what needs a person, the campaigns, and what was imported last."""

    needs: tuple[Need, ...] = ()
    campaigns: tuple[CampaignCard, ...] = ()
    imports: tuple[ImportRecord, ...] = ()


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
    experiments = reader.experiments(slug)
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
        experiments=experiments,
        outcomes=_outcomes(reader, experiments, sheet),
    )


def _outcomes(reader: Reader, experiments: Sequence[Experiment], sheet: ContactSheet) -> Mapping[str, tuple[Call, str]]:
    found = {}
    for experiment in experiments:
        decisions = reader.decisions(experiment.id)
        if decisions:
            arm = decisions[-1].arm
            found[experiment.id] = (decisions[-1].call, arm_titles(experiment, sheet).get(arm, arm) if arm else "")
    return found


def _needs(card: CampaignCard) -> list[Need]:
    found: list[Need] = []

    def add(kind: str, text: str, page: str, number: int = 1) -> None:
        found.append(Need(kind=kind, text=text, page=page, campaign=card.slug, number=number, campaign_name=card.name))

    waiting = card.states.get("waiting", 0)
    unscored = card.assets - sum(card.grades.values())
    if waiting:
        text = f"{waiting} {'asset waits' if waiting == 1 else 'assets wait'} for review"
        add("review", text, "review", waiting)
    if card.assets and unscored:
        text = f"{unscored} {'asset is' if unscored == 1 else 'assets are'} not scored yet"
        add("score", text, "sheet", unscored)
    for experiment in card.experiments:
        if experiment.status is ExperimentStatus.ENDED:
            text = f"“{experiment.name}” has ended and waits for a decision"
            add("decide", text, "experiment")
        elif experiment.status is ExperimentStatus.RUNNING:
            text = f"“{experiment.name}” is running"
            add("running", text, "experiment")
    if card.assets and not card.experiments and card.states.get("approved", 0):
        text = f"{card.states['approved']} approved, and no experiment yet"
        add("launch", text, "experiment")
    return found
