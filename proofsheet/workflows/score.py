"""score: judge every asset of a campaign by every scorer, and keep scores and verdicts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from proofsheet.domain.assessment import Score, Verdict
from proofsheet.domain.asset import Asset
from proofsheet.errors import NotFoundError
from proofsheet.pictures import open_picture
from proofsheet.workflows.approvals import approvals_of
from proofsheet.workflows.house import House, Progress, quiet

if TYPE_CHECKING:
    from PIL import Image

    from scoring.fit.approval import Approval
    from scoring.scorer import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """How many assets were judged, and how many have which grade."""

    campaign: str
    assets: int
    grades: Mapping[str, int]
    verdicts: tuple[Verdict, ...]
    abstained: tuple[str, ...]  # why a criterion could not be judged, once each
    approvals: tuple[Approval, ...] = ()  # how well reviews bear out brand fit
    diversity: tuple[str, ...] = ()  # of each placement and language, how much its pictures differ


def score(
    house: House, slug: str | None = None, *, scorers: Sequence[str] | None = None, progress: Progress = quiet
) -> Scored:
    """Judge the campaign's assets; earlier scores of the same scorer are replaced, in one transaction.

    Raises:
        NotFoundError: there is nothing to judge, or no scorer of that name.
        InputError: the CLIP model set cannot be loaded.
    """
    from generation.placements import load_placements
    from scoring.assess import assess_all, overall
    from scoring.scorer import Scene, Subject

    placements = load_placements()
    with house.warehouse.read() as reader:
        campaign = house.campaign(reader, slug)
        assets = reader.assets(campaign.slug)
        drawn = reader.scenes(campaign.slug)
    if not assets:
        raise NotFoundError(f"The campaign {campaign.slug!r} has no assets to judge.", "Run: proofsheet generate")
    subjects: list[Subject] = [
        Subject(
            asset=asset,
            image=partial(_open, house, asset.sha256),
            data_size=len(house.warehouse.pictures.get(asset.sha256)),
            placement=placements[asset.placement],
            composition=asset.composition,
            scene=Scene(scene.sha256, partial(_open, house, scene.sha256)) if scene else None,
        )
        for asset in assets
        for scene in [drawn.get(asset.scene_id) if asset.scene_id else None]
    ]
    judged = list(
        assess_all(
            subjects,
            campaign.brand,
            scorers=scorers,
            clip_model=house.settings.clip_model,
            clip_checkpoint=house.settings.clip_checkpoint,
            cache=house.warehouse.home / "embeddings",
            brief=campaign.brief,
            progress=partial(progress, "Scoring assets"),
        )
    )
    scores = [score for _, assessment in judged for score in assessment.scores]
    verdicts = tuple(verdict for _, assessment in judged for verdict in assessment.verdicts)
    expected, approvals = approvals_of(house, scores)
    scores += expected
    with house.warehouse.write() as writer:
        writer.save_assessment(scores, verdicts)
    grades = Counter(overall(assessment.verdicts).value for _, assessment in judged)
    silent: dict[str, dict[str, str]] = defaultdict(dict)  # by criterion, each asset once
    for one in scores:
        if one.value is None and one.detail:
            silent[one.criterion].setdefault(one.asset_id, one.detail)
    abstained = [
        f"{name} ({len(found)} asset{'' if len(found) == 1 else 's'}): {next(iter(found.values()))}"
        for name, found in silent.items()
    ]
    return Scored(
        campaign=campaign.slug,
        assets=len(assets),
        grades=dict(grades),
        verdicts=verdicts,
        abstained=tuple(abstained),
        approvals=approvals,
        diversity=_diversity(assets, scores),
    )


def _diversity(assets: Sequence[Asset], scores: Sequence[Score]) -> tuple[str, ...]:
    """What is said of each placement and language with several pictures; its assets all say the same."""
    said = {one.asset_id: one.detail for one in scores if one.criterion == "diversity" and one.unit}
    lines = {f"{one.placement}, {one.locale}": said[one.id] for one in assets if one.id in said}
    return tuple(f"{where}: {detail}." for where, detail in lines.items())


def _open(house: House, sha256: str) -> Image.Image:
    return open_picture(house.warehouse.pictures.get(sha256)).flat
