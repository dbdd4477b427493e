"""coverage: what a campaign's pictures together show, held against what its brief asks; sums only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from proofsheet.domain.assessment import Judgement
from proofsheet.domain.asset import Asset, VariantPlan
from proofsheet.domain.campaign import Campaign
from proofsheet.domain.coverage import Asked, AxisCoverage, CoverageReport, Gap, Label
from proofsheet.domain.identity import content_id
from proofsheet.errors import NotFoundError
from proofsheet.workflows.coverage_eye import Eye, open_eye
from proofsheet.workflows.coverage_labels import Pictured, agreed, pictures_of
from proofsheet.workflows.house import House, Progress, now, quiet

if TYPE_CHECKING:
    from scoring.coverage.axes import Axis
    from scoring.coverage.perceive import Places
    from scoring.coverage.report import Labelled
    from warehouse.store import Reader

APPROVED = "approved assets"

#: What holds for every report.
LIMITATIONS = (
    "Perceived presentation in generated pictures, in sums: nothing here says what anybody is, and no picture is "
    "sorted.",
    "Intervals allow for few pictures and for the classifier's errors as measured, not for pictures unlike those that "
    "it was measured on.",
    "Counted are distinct scenes. How often people see an ad is another matter: platforms deliver by what it shows.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """What a report is made from, as read in one go."""

    campaign: Campaign
    plan: VariantPlan | None
    pictures: tuple[Pictured, ...]
    left_out: int
    assets: tuple[Asset, ...]
    approved: frozenset[str]
    labels: tuple[Label, ...]


def coverage(
    house: House,
    slug: str | None = None,
    *,
    axes: Sequence[str] = (),
    approved_only: bool = False,
    confidence: float = 0.95,
    progress: Progress = quiet,
) -> CoverageReport:
    """Look the campaign's pictures over, say what they cover and what would fill the gaps, and keep the report.

    Each distinct scene is looked at before words are set on it; uploads are left out, as they may show real people.

    Args:
        house: the open house.
        slug: the campaign; None when there is only one.
        axes: what to look for; by default what the brief asks, and where it asks nothing all that the model knows.
        approved_only: look at approved assets only, and not at all that are not rejected.
        confidence: of each interval, on its own.
        progress: hears how far it is.

    Raises:
        NotFoundError: there is no such campaign or axis, or it has no assets.
        InputError: the CLIP model set cannot be loaded, or a target of the brief does not fit its axis.
    """
    with house.warehouse.read() as reader:
        material = read_material(reader, house.campaign(reader, slug), approved_only=approved_only)
    if not material.assets:
        raise NotFoundError(
            f"The campaign {material.campaign.slug!r} has no assets to look over.", "Run: proofsheet generate"
        )
    _check(material.campaign, axes)  # before anything is looked at
    eye = open_eye(house, material.pictures, progress)
    chosen = _chosen(material.campaign, axes, eye)
    seen = {axis.name: eye.places(axis, len(material.pictures)) for axis in chosen}
    report = _report(material, eye, chosen, seen, confidence, approved_only=approved_only)
    with house.warehouse.write() as writer:
        writer.save_coverage(report)
    return report


def read_material(reader: Reader, campaign: Campaign, *, approved_only: bool = False) -> _Material:
    """Everything that a report of the campaign rests on."""
    pictures, left_out = pictures_of(reader, campaign.slug, approved_only=approved_only)
    latest = reader.latest_reviews(campaign.slug)
    return _Material(
        campaign=campaign,
        plan=reader.plan(campaign.slug),
        pictures=pictures,
        left_out=left_out,
        assets=reader.assets(campaign.slug),
        approved=frozenset(key for key, one in latest.items() if one.judgement is Judgement.APPROVE),
        labels=reader.labels(campaign.slug),
    )


def state_of(material: _Material) -> str:
    """A short text that changes with whatever would change a report."""
    return content_id(
        [
            [asset.id for asset in material.assets],
            sorted(material.approved),
            sorted(picture.sha256 for picture in material.pictures),
            len(material.labels),
            list(material.campaign.brief.coverage),
        ]
    )


def _check(campaign: Campaign, axes: Sequence[str]) -> None:
    """Whether the axes named are there, and the brief's goals fit theirs."""
    from scoring.coverage.axes import axes_named
    from scoring.coverage.report import check_goal

    axes_named(axes)
    for goal in campaign.brief.coverage:
        check_goal(axes_named([goal.axis])[0], goal)


def _chosen(campaign: Campaign, axes: Sequence[str], eye: Eye) -> tuple[Axis, ...]:
    from scoring.coverage.axes import axes_named, load_axes

    goals = tuple(goal.axis for goal in campaign.brief.coverage)
    if axes or goals:
        return axes_named(tuple(axes) or goals)
    return tuple(axis for axis in load_axes().values() if eye.perceiver is None or len(eye.known(axis)) > 1)


def _report(
    material: _Material,
    eye: Eye,
    chosen: Sequence[Axis],
    seen: Mapping[str, Places],
    confidence: float,
    *,
    approved_only: bool,
) -> CoverageReport:
    from scoring.coverage.scenarios import cells_of, scenario_gaps

    brief, variants = material.campaign.brief, material.plan.variants if material.plan else ()
    covered = tuple(_cover(material, eye, axis, seen[axis.name], confidence) for axis in chosen)
    asked, as_asked = _asked(material, chosen, seen)
    cells = cells_of(brief, variants, material.assets, set(material.approved), as_asked)
    gaps = (*_share_gaps(material, chosen, covered), *scenario_gaps(brief, cells))
    return CoverageReport(
        campaign=material.campaign.slug,
        at=now(),
        model=eye.name,
        population=APPROVED if approved_only else "assets that are not rejected",
        pictures=len(material.pictures),
        assets=sum(len(one.assets) for one in material.pictures),
        left_out=material.left_out,
        axes=covered,
        asked=asked,
        cells=cells,
        gaps=gaps,
        limitations=_limitations(eye, material, covered),
        state=state_of(material),
    )


def _cover(material: _Material, eye: Eye, axis: Axis, places: Places, confidence: float) -> AxisCoverage:
    from scoring.coverage.report import cover_axis

    goal = next((one for one in material.campaign.brief.coverage if one.axis == axis.name), None)
    return cover_axis(
        axis,
        places,
        known=eye.known(axis),
        confused=eye.confused(axis),
        goal=goal,
        labelled=_labelled(material, axis, places),
        confidence=confidence,
    )


def _labelled(material: _Material, axis: Axis, places: Places) -> Labelled | None:
    """Labels of the pictures looked at, by true and perceived value; None where there are none."""
    from scoring.coverage.report import Labelled

    given, raters, agreement = agreed(material.labels, axis.name)
    names = {name: place for place, name in enumerate(axis.names)}
    counts = np.zeros((len(names), len(names)))
    for picture, place in zip(material.pictures, places, strict=True):
        if given.get(picture.sha256) in names:
            counts[names[given[picture.sha256]], place] += 1.0
    return Labelled(counts, raters, agreement) if counts.sum() else None


def _asked(
    material: _Material, chosen: Sequence[Axis], seen: Mapping[str, Places]
) -> tuple[tuple[Asked, ...], dict[str, bool | None]]:
    """Requested against perceived by axis, and by asset whether its picture seems to be as asked."""
    from scoring.coverage.axes import UNCLEAR
    from scoring.coverage.scenarios import asked_of, prompt_of

    brief = material.campaign.brief
    prompts = [prompt_of(one.assets[0].recipe, brief) if one.assets[0].recipe else "" for one in material.pictures]
    found: list[Asked] = []
    hits: list[list[bool]] = [[] for _ in prompts]
    for axis in chosen:
        requested = [axis.asked_for(prompt) for prompt in prompts]
        perceived = [axis.names[place] for place in seen[axis.name]]
        found += asked_of(axis, requested, perceived)
        for at, (one, other) in enumerate(zip(requested, perceived, strict=True)):
            if one != UNCLEAR:
                hits[at].append(one == other)
    as_asked = {
        asset.id: all(hit) if hit else None
        for picture, hit in zip(material.pictures, hits, strict=True)
        for asset in picture.assets
    }
    return tuple(found), as_asked


def _share_gaps(material: _Material, chosen: Sequence[Axis], covered: Sequence[AxisCoverage]) -> tuple[Gap, ...]:
    from scoring.coverage.scenarios import share_gaps

    variants = material.plan.variants if material.plan else ()
    found: list[Gap] = []
    for axis, one in zip(chosen, covered, strict=True):
        factor = "audience" if axis.about == "people" else "scene"
        example = f'[[factors.{factor}]] with prompt = "… {{}} …"'
        found += share_gaps(axis, one, material.campaign.brief, variants, example)
    return tuple(found)


def _limitations(eye: Eye, material: _Material, covered: Sequence[AxisCoverage]) -> tuple[str, ...]:
    own = []
    if eye.perceiver is not None and eye.perceiver.house:
        own.append(
            "The house CLIP knows a small world of renders and illustrated people, and nothing of photographs; its "
            "errors were measured on square renders of that world."
        )
    if material.left_out:
        own.append(f"{material.left_out} uploaded pictures were left out: they may show real people.")
    if any(one.method == "uncorrected" and one.n for one in covered):
        own.append("Where counts are not corrected, nothing is called met or not met: label a sample first.")
    if any(one.labels for one in covered):
        own.append("Labels are one view of few raters; perception differs by region and by the rater's own background.")
    return (*LIMITATIONS, *own)


def latest(reader: Reader, campaign: Campaign) -> tuple[CoverageReport | None, bool]:
    """The campaign's latest report, and whether it still says what a new one would rest on."""
    report = reader.coverage(campaign.slug)
    if report is None:
        return None, True
    now_there = read_material(reader, campaign, approved_only=report.population == APPROVED)
    return report, report.state == state_of(now_there)
