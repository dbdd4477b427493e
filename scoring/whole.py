"""Whole: whether product, logo and words are seen in the finished picture as they were composed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from proofsheet.domain.assessment import Score, Verdict
from proofsheet.domain.asset import Box, Composition, Recipe
from proofsheet.domain.campaign import BrandKit
from proofsheet.domain.prints import Point, Print
from scoring.colour import ciede2000, lab_of_rgb
from scoring.contrast import role_word
from scoring.safe_area import capital, share_inside
from scoring.scorer import Assessment, Subject, rgb_picture, score_of
from scoring.verdict import Rules, load_rules

if TYPE_CHECKING:
    from PIL.Image import Image

_ALL = 100.0
_LOGO_ROLES = ("logo", "wordmark")
#: By criterion, whose prints it is about, and from which difference on a point of them has changed.
_ELEMENTS = {
    "product_unchanged": (("product",), "product_difference"),
    "logo_whole": (_LOGO_ROLES, "mark_difference"),
}
_FEWEST_AROUND = 8  # points between strokes below which they say nothing
_REQUIRED = ("headline", "cta")  # words that every composed advertisement shows


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much (0–100 %) of an element is as it was composed, and the box around what is not."""

    share: float
    changed: Box | None


class WholeScorer:
    """Scores ``product_unchanged``, ``logo_whole`` and ``text_whole``, each with a verdict.

    The finished picture is compared with the prints taken when it was composed, see ``proofsheet.domain.prints``. A
    picture of another size is first scaled back. Uploads, and assets composed before prints were taken, are not judged.
    """

    name = "whole"
    version = "1"
    compares = False

    def __init__(self, *, rules: Rules | None = None) -> None:
        self._rules = rules or load_rules()

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        for subject in subjects:
            yield self._assess_one(subject)

    def _assess_one(self, subject: Subject) -> Assessment:
        asset_id, composition = subject.asset.id, subject.composition
        if composition is None:
            return self._silent(asset_id, "What was composed is not known for an upload.")
        if not composition.prints:
            return self._silent(
                asset_id, "It was composed before prints were taken: generate it again to have it judged."
            )
        picture = _picture(subject, composition)
        parts = (
            *(self._element(asset_id, composition, picture, criterion) for criterion in _ELEMENTS),
            self._texts(asset_id, composition, subject.asset.recipe, picture),
        )
        scores, verdicts = zip(*(part for part in parts if part is not None), strict=True)
        return Assessment(scores, verdicts)

    def _silent(self, asset_id: str, why: str) -> Assessment:
        return Assessment(
            tuple(self._score(asset_id, criterion, None, why) for criterion in (*_ELEMENTS, "text_whole"))
        )

    def _score(self, asset_id: str, criterion: str, value: float | None, detail: str) -> Score:
        return score_of(self, asset_id, criterion, value, "%", detail)

    def _element(
        self, asset_id: str, composition: Composition, picture: Image, criterion: str
    ) -> tuple[Score, Verdict] | None:
        """How whole the product or the logo is; None where there is none."""
        roles, setting = _ELEMENTS[criterion]
        taken = next((one for one in composition.prints if one.role in roles and one.drawn), None)
        if taken is None:
            return None
        found = likeness(picture, taken, self._rules.settings[setting])
        verdict = self._rules[criterion].judge(asset_id, found.share, boxes=_listed(found.changed))
        return self._score(asset_id, criterion, found.share, _told(taken)), verdict

    def _texts(
        self, asset_id: str, composition: Composition, recipe: Recipe | None, picture: Image
    ) -> tuple[Score, Verdict] | None:
        """The least whole of all texts: by its words, by the picture's edges, and by its points."""
        found = [
            *self._by_words(asset_id, composition, recipe),
            *self._by_edges(asset_id, composition),
            *self._by_points(asset_id, composition, picture),
        ]
        if not found:
            return None
        share, verdict = min(found, key=lambda one: (-one[1].grade.severity, one[0]))
        return self._score(asset_id, "text_whole", share, f"{len(composition.texts)} texts"), verdict

    def _by_words(
        self, asset_id: str, composition: Composition, recipe: Recipe | None
    ) -> Iterator[tuple[float, Verdict]]:
        for role, wanted in _wanted(recipe).items():
            run = next((one for one in composition.texts if one.role == role), None)
            if run is None and role not in _REQUIRED:
                continue  # low banners have no room for an offer
            share = _ALL * words_set(wanted, "".join(run.lines)) if run else 0.0
            problem = "is not all there" if run else "is missing"
            yield share, self._complete(asset_id, share, role, problem, [run.box] if run else [])

    def _by_edges(self, asset_id: str, composition: Composition) -> Iterator[tuple[float, Verdict]]:
        picture = Box(left=0, top=0, right=composition.width, bottom=composition.height)
        for run in composition.texts:
            if run.role != "wordmark" and (share := _ALL * share_inside(run.box, picture)) < _ALL:
                yield share, self._complete(asset_id, share, run.role, "runs over the picture's edge", [run.box])

    def _complete(self, asset_id: str, share: float, role: str, problem: str, boxes: Sequence[Box]) -> Verdict:
        word = role_word(role)
        return self._rules["text_complete"].judge(asset_id, share, boxes=boxes, role=word, problem=problem)

    def _by_points(self, asset_id: str, composition: Composition, picture: Image) -> Iterator[tuple[float, Verdict]]:
        limit = self._rules.settings["mark_difference"]
        for one in composition.prints:
            if one.role in ("product", *_LOGO_ROLES) or not one.drawn:
                continue
            hidden = composition.product if one.role in composition.intended_overlaps else None
            found = likeness(picture, one, limit, but=hidden)
            yield (
                found.share,
                self._rules["text_whole"].judge(
                    asset_id, found.share, boxes=_listed(found.changed), role=role_word(one.role)
                ),
            )


def likeness(picture: Image, taken: Print, limit: float, *, but: Box | None = None) -> Likeness:
    """Compare a picture with a print.

    The share is the smaller of that of the element's own points and that of the points between its strokes, so that
    neither a cover nor an eraser goes unseen. A point has changed when its colour is over ``limit`` (ΔE00) from what it
    was; points in ``but`` are left out.
    """
    shares, changed = [_ALL], list[NDArray[np.int64]]()
    for points, fewest in ((taken.drawn_points, 1), (taken.around_points, _FEWEST_AROUND)):
        table = _outside(points, but)
        if len(table) < fewest:
            continue
        lost = _differ(_colours_now(picture, table[:, 0], table[:, 1], taken.side), table[:, 2:], limit)
        shares.append(_ALL * float(1 - lost.mean()))
        changed.append(table[lost, :2])
    where = np.concatenate(changed) if changed else np.zeros((0, 2), dtype=np.int64)
    if not len(where):
        return Likeness(min(shares), None)
    (left, top), (right, bottom) = where.min(axis=0).tolist(), (where.max(axis=0) + taken.side).tolist()
    return Likeness(min(shares), Box(left=left, top=top, right=right, bottom=bottom))


def _outside(points: Sequence[Point], box: Box | None) -> NDArray[np.int64]:
    table = np.array(points, dtype=np.int64).reshape(-1, 5)
    if box is None:
        return table
    x, y = table[:, 0], table[:, 1]
    return np.asarray(table[~((x >= box.left) & (x < box.right) & (y >= box.top) & (y < box.bottom))])


def _colours_now(picture: Image, x: NDArray[np.int64], y: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    """The mean colours (n, 3) of the grid cells at these corners; only the part of the picture around them is read."""
    left, top = int(x.min()), int(y.min())
    part = picture.crop((left, top, int(x.max()) + side, int(y.max()) + side))
    cells = np.asarray(part.reduce(side) if side > 1 else part, dtype=np.int64)
    return cells[(y - top) // side, (x - left) // side]


def _differ(now: NDArray[np.int64], then: NDArray[np.int64], limit: float) -> NDArray[np.bool_]:
    """Which colours differ by more than the limit; only those that are not quite the same are looked at closely."""
    differ = np.asarray((now != then).any(axis=1), dtype=bool)
    if differ.any():
        one, other = (lab_of_rgb(colours[differ].astype(np.uint8)) for colours in (now, then))
        differ[differ] = ciede2000(one, other) > limit
    return differ


def words_set(wanted: str, found: str) -> float:
    """The share (0–1) of a text's letters, marks and digits that were set, in order; 1 only when nothing else was."""
    one, other = _letters(wanted), _letters(found)
    if one == other:
        return 1.0
    common = sum(block.size for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks())
    return common / max(len(one), len(other))


def _letters(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char)[0] in "LMN")


def _wanted(recipe: Recipe | None) -> Mapping[str, str]:
    """The words that a recipe asks for, by role."""
    if recipe is None:
        return {}
    offer = str(recipe.layout_params.get("offer", ""))
    asked = {"headline": recipe.headline, "cta": recipe.cta, "offer": offer}
    return {role: text for role, text in asked.items() if _letters(text)}


def _picture(subject: Subject, composition: Composition) -> Image:
    from PIL import Image as Pillow

    picture, size = rgb_picture(subject.image()), (composition.width, composition.height)
    return picture if picture.size == size else picture.resize(size, Pillow.Resampling.LANCZOS)


def _listed(box: Box | None) -> tuple[Box, ...]:
    return () if box is None else (box,)


def _told(taken: Print) -> str:
    return f"{capital(role_word(taken.role))}: {len(taken.drawn_points) + len(taken.around_points)} points"
