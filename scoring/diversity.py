"""Diversity of a variant set: how many pictures it is in effect, and whether its levels look different at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from proofsheet.domain.assessment import Score
from proofsheet.domain.campaign import BrandKit
from scoring.duplicates import changed_shares, differ_in_words, differing_levels, rule_for
from scoring.fit.model import SharedClip
from scoring.fit.variety import AlikeLevels, Pairs, alike_levels, clusters_of, vendi
from scoring.fit.yardsticks import RULES
from scoring.neutral import neutral_mean
from scoring.scorer import Assessment, Subject, rgb_picture, score_of
from scoring.signature import signature_of
from scoring.verdict import Rules, load_rules

if TYPE_CHECKING:
    from PIL.Image import Image

    from scoring.embedding import Embedder, Vectors

_COPIES = 8  # pictures of a set whose slightly altered copies say what difference is none
_SHIFT, _QUALITY = 0.02, 75


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """What was found in the pictures of one placement and locale."""

    members: tuple[int, ...]
    by_pixels: Pairs
    by_model: Pairs
    effective: float | None
    floor: float | None
    levels: tuple[AlikeLevels, ...]
    untold: tuple[tuple[str, str, str], ...]


class DiversityScorer:
    """Scores ``diversity`` (the set's Vendi score), ``look_alikes`` and ``levels`` of each placement and locale.

    Two pictures are alike where either a thumbnail's pixels hardly differ (as for ``duplicates``) or the model finds
    them as near as a picture is to its own copy, shifted by 2 % and saved as JPEG; pairs that differ by plan in words
    alone are left to the pixels. Without a model, pixels alone count and the Vendi score is not measured.

    Args:
        model, checkpoint, device, cache: as for ``brand_fit``.
    """

    name = "diversity"
    version = "1"
    compares = True

    def __init__(
        self,
        *,
        model: str = "",
        checkpoint: str = "",
        device: str = "auto",
        cache: Path | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._pixels = load_rules()
        self._rules = rules or load_rules(RULES)
        self._clip = SharedClip(model, checkpoint, device, cache, "diversity")

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        groups: dict[tuple[str, str], list[int]] = {}
        for index, subject in enumerate(subjects):
            groups.setdefault((subject.asset.placement, subject.asset.locale), []).append(index)
        found: dict[int, Assessment] = {}
        for members in groups.values():
            looked = self._look([subjects[i] for i in members], tuple(members))
            for place, index in enumerate(members):
                found[index] = self._assessment(subjects, looked, place)
        yield from (found[index] for index in range(len(subjects)))

    def _look(self, subjects: Sequence[Subject], members: tuple[int, ...]) -> _Looked:
        n = len(subjects)
        by_pixels, by_model = np.zeros((n, n), dtype=bool), np.zeros((n, n), dtype=bool)
        if n < 2:
            return _Looked(members, by_pixels, by_model, None, None, (), ())
        signatures = [signature_of(subject.image()) for subject in subjects]
        visible = self._pixels.settings["visible_difference"]
        for (i, j), share in changed_shares(signatures, visible).items():
            limit = self._pixels[rule_for(subjects[i].asset, subjects[j].asset)].good
            by_pixels[i, j] = by_pixels[j, i] = 100 * share < limit
        embedder = self._clip.open()
        effective = floor = None
        if embedder is not None:
            vectors = _vectors(embedder, subjects)
            effective = vendi(vectors, neutral_mean(embedder))
            floor = _copy_likeness(embedder, subjects, vectors)
            cosines = vectors @ vectors.T
            for i, j in np.argwhere(np.triu(cosines >= floor, 1)):
                by_model[i, j] = by_model[j, i] = not differ_in_words(subjects[i].asset, subjects[j].asset)
        twins = by_pixels | by_model
        levels, untold = alike_levels([subject.asset.levels for subject in subjects], twins)
        return _Looked(members, by_pixels, by_model, effective, floor, levels, untold)

    def _assessment(self, subjects: Sequence[Subject], looked: _Looked, place: int) -> Assessment:
        index = looked.members[place]
        subject, n = subjects[index], len(looked.members)
        if n < 2:
            why = "There is no other picture for this placement and language."
            return Assessment((self._score(subject, "diversity", None, "", why),))
        twins = looked.by_pixels | looked.by_model
        names = [subjects[i].asset.label or subjects[i].asset.id for i in looked.members]
        told = _told(looked, clusters_of(twins), names, self._clip.without)
        unit = f"effective pictures of {n}"
        scores = [self._score(subject, "diversity", looked.effective, unit, told)]
        verdicts = []
        others = np.flatnonzero(twins[place])
        listed = ", ".join(_named(subject, subjects[looked.members[other]]) for other in others)
        scores.append(self._score(subject, "look_alikes", float(len(others)), "other pictures", listed or "none"))
        seen = [subjects[looked.members[other]] for other in np.flatnonzero(looked.by_model[place])]
        if looked.floor is not None and not looked.by_pixels[place].any():  # pixels have a rule of their own
            verdicts.append(
                self._rules["look_alikes"].judge(
                    subject.asset.id,
                    float(len(seen)),
                    twins=", ".join(_named(subject, one) for one in seen),
                    others=n - 1,
                    model=self._clip.title,
                )
            )
        mine = [one for one in looked.levels if subject.asset.levels.get(one.factor) in (one.first, one.second)]
        if mine:
            bad = [one for one in mine if one.indistinct]
            pairs = "; ".join(_said(one) for one in bad)
            scores.append(
                self._score(subject, "levels", float(len(bad)), "pairs of levels", pairs or "all look different")
            )
            rule = self._rules["levels"]
            verdicts.append(rule.judge(subject.asset.id, float(len(bad)), pairs=pairs, count=len(mine)))
        return Assessment(tuple(scores), tuple(verdicts))

    def _score(self, subject: Subject, criterion: str, value: float | None, unit: str, detail: str) -> Score:
        return score_of(self, subject.asset.id, criterion, value, unit, detail, by=self._clip.title)


def _named(subject: Subject, other: Subject) -> str:
    """Another picture, and in what it differs by plan."""
    differing = differing_levels(subject.asset.levels, other.asset.levels)
    by_plan = f" (by plan another {' and '.join(differing)})" if differing else ""
    return f"“{other.asset.label or other.asset.id}”{by_plan}"


def _vectors(embedder: Embedder, subjects: Sequence[Subject]) -> Vectors:
    """Vectors (n, d): those of the full pictures where they are known already, else of the thumbnails."""
    known = [embedder.known(subject.asset.sha256) for subject in subjects]
    lacking = [place for place, one in enumerate(known) if one is None]
    keys = [_key(subjects[place], "thumbnail") for place in lacking]
    if lacking:
        found = embedder.pictures([subjects[place].image for place in lacking], keys)
        for place, vector in zip(lacking, found, strict=True):
            known[place] = vector
    return np.stack([one for one in known if one is not None])


def _copy_likeness(embedder: Embedder, subjects: Sequence[Subject], vectors: Vectors) -> float:
    """The least cosine of a picture to its own altered copy, over some pictures of the set."""
    some = np.unique(np.linspace(0, len(subjects) - 1, min(_COPIES, len(subjects))).round().astype(int))
    keys = [_key(subjects[place], "copy") for place in some]
    copies = embedder.pictures([lambda place=place: _copy(subjects[place].image()) for place in some], keys)  # type: ignore[misc]
    return float((copies * vectors[some]).sum(axis=1).min())


def _copy(image: Image) -> Image:
    """The picture enlarged a little beyond its left and upper edge, and saved as JPEG."""
    from PIL import Image as Pillow

    picture = rgb_picture(image)
    width, height = picture.size
    cut = picture.resize(
        (width, height), Pillow.Resampling.BICUBIC, box=(_SHIFT * width, _SHIFT * height, width, height)
    )
    buffer = BytesIO()
    cut.save(buffer, "JPEG", quality=_QUALITY)
    return rgb_picture(Pillow.open(buffer))


def _key(subject: Subject, what: str) -> str:
    return f"{subject.asset.sha256}-{what}" if subject.asset.sha256 else ""


def _said(one: AlikeLevels) -> str:
    return (
        f"{one.factor} “{one.first}” and “{one.second}” look alike in {one.alike} of {one.pairs} pairs that differ in "
        "nothing else"
    )


def _told(looked: _Looked, clusters: Sequence[Sequence[int]], names: Sequence[str], without: str) -> str:
    """The set in words: its effective number, its look-alikes, its levels."""
    n = len(names)
    parts = [
        f"{n} pictures are like {looked.effective:.1f} wholly different ones"
        if looked.effective
        else without.rstrip(".")
    ]
    groups = "; ".join(", ".join(f"“{names[i]}”" for i in group) for group in clusters)
    parts.append(f"look-alikes: {groups}" if groups else "no look-alikes")
    bad = [one for one in looked.levels if one.indistinct]
    if bad:
        parts.append("; ".join(_said(one) for one in bad))
    elif looked.levels:
        parts.append("levels that could be compared look different")
    if looked.untold:
        factors = ", ".join(dict.fromkeys(factor for factor, _, _ in looked.untold))
        parts.append(f"not told of some levels of {factors}: no two pictures differ in that alone")
    return ". ".join(parts)
