"""Spec: size, ratio, bytes, format and wording against what placement and brand kit take; for uploads as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from proofsheet.domain.assessment import Score, Verdict
from proofsheet.domain.asset import Origin, TextRun
from proofsheet.domain.campaign import BrandKit
from scoring.colour import lab_of_rgb
from scoring.scorer import Assessment, Subject, rgb_picture, thumbnail_of
from scoring.verdict import Rules, load_rules
from scoring.wording import forbidden_in

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 60  # the strongest JPEG compression a delivered picture may have
_SAME_RATIO = 0.01


class SpecScorer:
    """Scores ``size``, ``file_size``, ``format``, ``headline_length``, ``wording`` and ``blank``, each with a verdict.

    A generated asset is stored as a lossless master and compressed when it is delivered, so its bytes are judged by
    what it takes at the strongest compression allowed; an upload is judged as the file it is.
    """

    name = "spec"
    version = "1"
    compares = False

    def __init__(self, *, rules: Rules | None = None) -> None:
        self._rules = rules or load_rules()

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        for subject in subjects:
            image = subject.image()
            parts = (
                self._size(subject, image.size),
                self._bytes(subject, image),
                self._format(subject),
                self._headline(subject),
                self._wording(subject, brand.forbidden_words),
                self._blank(subject, image),
            )
            joined = Assessment()
            for part in parts:
                joined = joined.joined(part)
            yield joined

    def _one(self, subject: Subject, value: float | None, unit: str, verdict: Verdict, detail: str = "") -> Assessment:
        score = Score(
            asset_id=subject.asset.id,
            criterion=verdict.criterion,
            value=value,
            unit=unit,
            scorer=f"{self.name}/{self.version}",
            detail=detail,
        )
        return Assessment((score,), (verdict,))

    def _size(self, subject: Subject, size: tuple[int, int]) -> Assessment:
        placement, (width, height) = subject.placement, size
        deviation = abs(width / height / placement.ratio - 1)
        exact = (width, height) == (placement.width, placement.height)
        larger = width >= placement.width and height >= placement.height
        if exact or (deviation <= _SAME_RATIO and larger):
            rule, problem, mend = "spec_size_large", "", ""
        elif deviation > _SAME_RATIO:
            rule, problem = "spec_size", f"the ratio {width / height:.2f} should be {placement.ratio:.2f}"
            mend = "Make a picture for this placement; cropping or stretching this one would spoil it."
        else:
            rule, problem = "spec_size", "it is too small and would look soft"
            mend = "Use a picture with more pixels."
        verdict = self._rules[rule].judge(
            subject.asset.id,
            0.0 if exact else 1.0,
            width=width,
            height=height,
            wanted_width=placement.width,
            wanted_height=placement.height,
            title=placement.title,
            problem=problem,
            mend=mend,
        )
        detail = f"{width} × {height} px; {placement.width} × {placement.height} px asked for"
        return self._one(subject, 100 * deviation, "% off the ratio", verdict, detail)

    def _bytes(self, subject: Subject, image: Image) -> Assessment:
        limit, size = subject.placement.max_bytes, subject.data_size
        uploaded = subject.asset.origin is Origin.UPLOADED
        told = f"The file has {size / 1000:.0f} KB of at most {limit / 1000:.0f} KB"
        rule = "spec_bytes_upload" if uploaded else "spec_bytes"
        if size > limit and (compressed := compressed_size(image, subject.placement.formats)) is not None:
            if not uploaded or compressed > limit:
                size, rule = compressed, "spec_bytes"
            told = f"Compressed for delivery the file fits: {compressed / 1000:.0f} of at most {limit / 1000:.0f} KB"
        share = 100 * size / limit
        title = subject.placement.title
        verdict = self._rules[rule].judge(
            subject.asset.id, share, told=told, kilobytes=size / 1000, limit=limit / 1000, title=title
        )
        return self._one(subject, share, "% of the limit", verdict, f"Stored file: {subject.data_size} bytes")

    def _format(self, subject: Subject) -> Assessment:
        placement, kind = subject.placement, subject.asset.media_type.rpartition("/")[2].lower()
        taken = kind in placement.formats
        formats = " or ".join(name.upper() for name in placement.formats)
        told = f"{kind.upper()} is taken by {placement.title}"
        if not taken and subject.asset.origin is Origin.GENERATED:
            taken, told = True, f"The master is {kind.upper()}; it is delivered as {formats}"
        verdict = self._rules["spec_format"].judge(
            subject.asset.id,
            0.0 if taken else 1.0,
            told=told,
            format=kind.upper(),
            formats=formats,
            title=placement.title,
        )
        return self._one(subject, 1.0 if taken else 0.0, "accepted", verdict)

    def _headline(self, subject: Subject) -> Assessment:
        limit = subject.placement.headline_chars
        text = headline_of(subject)
        if limit is None or not text:
            return Assessment()
        verdict = self._rules["headline_chars"].judge(
            subject.asset.id,
            100 * len(text) / limit,
            count=len(text),
            limit=limit,
            excess=len(text) - limit,
            title=subject.placement.title,
            boxes=[run.box for run in runs_of(subject) if run.role == "headline"],
        )
        return self._one(subject, float(len(text)), "characters", verdict, f"{limit} allowed")

    def _wording(self, subject: Subject, forbidden: Sequence[str]) -> Assessment:
        words = words_of(subject)
        if not forbidden or not words:
            return Assessment()
        found = forbidden_in(words, forbidden)
        named = ", ".join(f"“{word}”" for word in found)
        boxes = [run.box for run in runs_of(subject) if forbidden_in((run.text,), found)]
        verdict = self._rules["wording"].judge(subject.asset.id, float(len(found)), found=named, boxes=boxes)
        return self._one(subject, float(len(found)), "forbidden words", verdict, named)

    def _blank(self, subject: Subject, image: Image) -> Assessment:
        spread = float(lab_of_rgb(np.asarray(thumbnail_of(image, 64))).reshape(-1, 3).std(axis=0).max())
        verdict = self._rules["blank"].judge(subject.asset.id, spread)
        return self._one(subject, spread, "ΔL*a*b*", verdict, "Standard deviation over the thumbnail")


def headline_of(subject: Subject) -> str:
    """The headline's words; empty when they are not known."""
    if subject.asset.recipe is not None:
        return subject.asset.recipe.headline
    return next((run.text for run in runs_of(subject) if run.role == "headline"), "")


def runs_of(subject: Subject) -> tuple[TextRun, ...]:
    """The texts as they were set; () for an upload."""
    return subject.composition.texts if subject.composition else ()


def words_of(subject: Subject) -> tuple[str, ...]:
    """All words known to be on the picture or published with it, each text once; () for an upload."""
    recipe = subject.asset.recipe
    written = [recipe.headline, recipe.cta, str(recipe.layout_params.get("offer", ""))] if recipe else []
    texts = [*written, *(run.text for run in runs_of(subject))]
    return tuple(dict.fromkeys(text for text in texts if text))


def compressed_size(image: Image, formats: Sequence[str]) -> int | None:
    """The fewest bytes the picture takes in one of the formats without looking bad; None when none is known."""
    sizes: list[int] = []
    picture = rgb_picture(image)
    for name, options in (
        ("jpeg", {"quality": _QUALITY, "subsampling": 2}),
        ("webp", {"quality": _QUALITY}),
        ("png", {"optimize": False}),
    ):
        if name in formats and not (name == "png" and sizes):
            buffer = BytesIO()
            picture.save(buffer, format=name.upper(), **options)
            sizes.append(buffer.tell())
    return min(sizes, default=None)
