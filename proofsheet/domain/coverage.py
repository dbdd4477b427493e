"""Coverage nouns: what a set of pictures should show, what a person saw in some, and what is shown, in sums only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from proofsheet.domain.asset import Variant

#: How far a share may lie from its target where the brief does not say.
TOLERANCE = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGoal:
    """What a brief asks of one axis: shares of all pictures by value, each give or take ``tolerance``.

    ``targets`` may name some values only (``unclear`` is one); without any the axis is reported and not judged.
    """

    axis: str
    targets: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = TOLERANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What one rater perceives in one picture along one axis; a rater's latest counts, the earlier ones are kept."""

    campaign: str
    picture: str  # SHA-256 of the scene's picture
    axis: str
    value: str
    rater: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueShare:
    """How common one value is: None where it cannot be said.

    ``count`` and ``naive`` take the classifier to be right; ``share`` with ``low`` to ``high`` allows for its errors.
    ``target``, ``least`` and ``most`` are None where the brief asks nothing of the value, and so is ``verdict``.
    """

    value: str
    title: str
    count: int
    naive: float | None
    naive_low: float | None
    naive_high: float | None
    share: float | None
    low: float | None
    high: float | None
    target: float | None
    least: float | None
    most: float | None
    verdict: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisCoverage:
    """One axis held against what the brief asks.

    ``method`` says how the shares were found: ``labels`` (a random part labelled by people), ``corrected`` (by the
    model's measured errors) or ``uncorrected`` (``why`` says why nothing could be corrected). ``entropy`` is of the
    values shown, 1 where all are equally common; ``distance`` is the total variation from the target.
    ``agreement`` is the share of pictures on which two or more raters agree, of those that several have labelled.
    """

    axis: str
    title: str
    n: int
    method: str
    why: str
    labels: int
    raters: int
    agreement: float | None
    values: tuple[ValueShare, ...]
    verdict: str | None
    entropy: float | None
    distance: float | None
    confidence: float
    limitation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of ``count`` pictures the prompt asks for ``requested`` on an axis, and ``perceived`` is what they seem to be."""

    axis: str
    requested: str
    perceived: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination of levels that a plan could serve, and how many assets do.

    ``as_asked`` are approved assets whose picture seems to show what its prompt asks for on every axis it speaks of;
    None where no prompt of the cell speaks of any.
    """

    levels: Mapping[str, str]
    planned: int
    made: int
    approved: int
    as_asked: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that is not covered, what to do about it, and the variants that would fill it."""

    what: str
    remedy: str
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageReport:
    """How evenly a campaign's pictures cover what they were meant to show. Sums only: nothing about a single picture.

    ``pictures`` are distinct scenes, as assets composed over one scene show the same; ``left_out`` are uploads.
    """

    campaign: str
    at: datetime
    model: str
    population: str
    pictures: int
    assets: int
    left_out: int
    axes: tuple[AxisCoverage, ...]
    asked: tuple[Asked, ...]
    cells: tuple[Cell, ...]
    gaps: tuple[Gap, ...]
    limitations: tuple[str, ...]
    state: str = ""  # of what it was made from; another one means that it is out of date
