"""label: a person says what a random sample of a campaign's pictures shows; the labels then correct the shares."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.domain.assessment import Judgement
from proofsheet.domain.asset import Asset, Origin
from proofsheet.domain.campaign import Campaign
from proofsheet.domain.coverage import Label
from proofsheet.errors import InputError, NotFoundError
from proofsheet.workflows.house import House, now

if TYPE_CHECKING:
    from scoring.coverage.axes import Axis
    from warehouse.store import Reader

#: What is asked where neither the brief nor the person names axes.
FIRST_AXES = ("people", "age_group", "gender_presentation", "skin_tone_group", "setting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing to say about one picture: which value of the axis it shows."""

    picture: str
    path: Path
    axis: str
    title: str
    values: tuple[tuple[str, str], ...]  # name and title; ``unclear`` last
    number: int  # of the picture in the sample, from 1
    pictures: int  # in the sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What there is to label: the questions still open, and how many pictures are done."""

    campaign: str
    rater: str
    questions: tuple[Question, ...]
    done: int
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictured:
    """A distinct picture of a campaign: a scene, with the assets composed over it."""

    sha256: str
    assets: tuple[Asset, ...]


def pictures_of(reader: Reader, slug: str, *, approved_only: bool = False) -> tuple[tuple[Pictured, ...], int]:
    """The campaign's distinct scenes that are not wholly rejected, and how many uploads were left out.

    Uploads may show real people, whom nothing here may sort into groups.
    """
    scenes, latest = reader.scenes(slug), reader.latest_reviews(slug)
    kept: dict[str, list[Asset]] = {}
    uploads = 0
    for asset in reader.assets(slug):
        judged = latest[asset.id].judgement if asset.id in latest else Judgement.WITHDRAW
        if judged is Judgement.REJECT or (approved_only and judged is not Judgement.APPROVE):
            continue
        if asset.origin is Origin.UPLOADED:
            uploads += 1
        elif asset.scene_id in scenes:
            kept.setdefault(scenes[asset.scene_id].sha256, []).append(asset)
    return tuple(Pictured(sha256=sha, assets=tuple(assets)) for sha, assets in kept.items()), uploads


def sample(
    house: House, slug: str | None = None, *, axes: Sequence[str] = (), size: int = 50, rater: str | None = None
) -> Sample:
    """The questions still open for a rater: of a random sample of the pictures, picture by picture.

    The sample is the same for every rater and every run, so that labelling can be interrupted and shared.

    Args:
        house: the open house.
        slug: the campaign; None when there is only one.
        axes: what to ask; by default what the brief asks coverage of.
        size: pictures in the sample.
        rater: who labels; the person at work by default.

    Raises:
        NotFoundError: there is no such campaign or axis, or nothing to label.
        InputError: the sample has no pictures.
    """
    if size < 1:
        raise InputError(f"The sample has {size} pictures.", "Give 1 or more.")
    who = rater or house.user
    with house.warehouse.read() as reader:
        campaign = house.campaign(reader, slug)
        pictures, _ = pictures_of(reader, campaign.slug)
        labels = reader.labels(campaign.slug)
    if not pictures:
        raise NotFoundError(f"The campaign {campaign.slug!r} has no pictures to label.", "Run: proofsheet generate")
    chosen = in_random_order([one.sha256 for one in pictures])[:size]
    asked = axes_asked(campaign, axes)
    own = {(label.picture, label.axis) for label in current_labels(labels) if label.rater == who}
    questions = [
        Question(
            picture=picture,
            path=house.warehouse.pictures.path(picture),
            axis=axis.name,
            title=axis.title,
            values=tuple(zip(axis.names, axis.titles, strict=True)),
            number=number,
            pictures=len(chosen),
        )
        for number, picture in enumerate(chosen, start=1)
        for axis in asked
        if (picture, axis.name) not in own
    ]
    open_pictures = {question.picture for question in questions}
    return Sample(
        campaign=campaign.slug,
        rater=who,
        questions=tuple(questions),
        done=len(chosen) - len(open_pictures),
        pictures=len(chosen),
    )


def add_label(house: House, drawn: Sample, question: Question, value: str) -> Label:
    """Keep an answer at once.

    Raises:
        InputError: the axis has no such value.
    """
    if value not in dict(question.values):
        known = ", ".join(name for name, _ in question.values)
        raise InputError(f"{value!r} is no value of {question.axis}.", f"Its values: {known}.")
    return _keep(house, drawn, question, value)


def undo_label(house: House, drawn: Sample, question: Question) -> Label:
    """Take the rater's answer to a question back; that it was given is kept."""
    return _keep(house, drawn, question, "")


def _keep(house: House, drawn: Sample, question: Question, value: str) -> Label:
    label = Label(
        campaign=drawn.campaign,
        picture=question.picture,
        axis=question.axis,
        value=value,
        rater=drawn.rater,
        at=now(),
    )
    with house.warehouse.write() as writer:
        writer.add_label(label)
    return label


def known_axes() -> tuple[Axis, ...]:
    """Every axis of the library."""
    from scoring.coverage.axes import load_axes

    return tuple(load_axes().values())


def axes_asked(campaign: Campaign, axes: Sequence[str]) -> tuple[Axis, ...]:
    """The axes named, else those of the brief, else the usual ones."""
    from scoring.coverage.axes import axes_named

    goals = tuple(goal.axis for goal in campaign.brief.coverage)
    return axes_named(tuple(axes) or goals or FIRST_AXES)


def in_random_order(pictures: Collection[str]) -> list[str]:
    """Pictures in an order that says nothing about them and is always the same: that of a hash of their hashes."""
    return sorted(pictures, key=lambda picture: hashlib.sha256(f"label {picture}".encode()).digest())


def current_labels(labels: Sequence[Label]) -> list[Label]:
    """Each rater's latest label of each picture and axis; those taken back are left out."""
    latest = {(label.picture, label.axis, label.rater): label for label in labels}
    return [label for label in latest.values() if label.value]


def agreed(labels: Sequence[Label], axis: str) -> tuple[dict[str, str], int, float | None]:
    """What most raters see in each picture along an axis, how many raters there are, and how often all agree.

    Where raters are evenly split the picture is unclear. The agreement is of pictures that several labelled.
    """
    from scoring.coverage.axes import UNCLEAR

    by_picture: Mapping[str, list[Label]] = defaultdict(list)
    for label in current_labels(labels):
        if label.axis == axis:
            by_picture[label.picture].append(label)
    seen: dict[str, str] = {}
    several: list[bool] = []
    for picture, given in by_picture.items():
        votes = Counter(label.value for label in given).most_common(2)
        tied = len(votes) == 2 and votes[0][1] == votes[1][1]
        seen[picture] = UNCLEAR if tied else votes[0][0]
        if len(given) > 1:
            several.append(len(votes) == 1)
    raters = {label.rater for given in by_picture.values() for label in given}
    return seen, len(raters), sum(several) / len(several) if several else None
