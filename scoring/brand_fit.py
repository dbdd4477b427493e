"""Brand fit: how near a picture is to the brand's words and reference pictures, by a CLIP model of one's choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.domain.assessment import Score
from proofsheet.domain.campaign import BrandKit
from proofsheet.domain.identity import bytes_id
from proofsheet.errors import InputError
from proofsheet.picture_files import PictureError, read_file
from proofsheet.pictures import open_picture
from scoring.fit.model import SharedClip
from scoring.fit.scenes import scene_vectors
from scoring.fit.yardsticks import MIN_REFERENCES, Descriptors, Measure, References, Yardstick, by_words
from scoring.scorer import Assessment, Subject, score_of
from scoring.verdict import Rules, load_rules

if TYPE_CHECKING:
    from PIL.Image import Image

    from scoring.embedding import Embedder, Vectors

_BATCH = 8


@dataclass(frozen=True, slots=True)
class _Brand:
    """What a brand is measured by: the yardstick that is judged by, the words beside it, and what is to be said."""

    main: Yardstick
    words: Descriptors | None = None
    note: str = ""


class BrandFitScorer:
    """Scores ``brand_fit``: percentile among the brand's references (8 or more), else the margin of the descriptors.

    Args:
        model: open_clip model name or ``local-dir:FOLDER``; empty: the house CLIP; ``none``: the scorer abstains.
        checkpoint: path of the ``.safetensors`` weights of a named model.
        device: ``auto``, ``cpu`` or ``cuda``.
        cache: folder for embeddings, or None.

    Words of the descriptors that the model's vocabulary lacks are named; where it knows none, the scorer abstains.

    ``brand_fit_scene`` is the same of the scene before product and words, as CLIP reads words in pictures and is
    swayed by them; where no scene is kept, of the picture with its words painted over. With references
    ``brand_fit_words`` is the margin of the descriptors. Neither has a verdict.
    """

    name = "brand_fit"
    version = "2"
    compares = False

    def __init__(
        self,
        *,
        model: str = "",
        checkpoint: str = "",
        device: str = "auto",
        cache: Path | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._rules = rules or load_rules()
        self._brands: dict[BrandKit, _Brand | str] = {}
        self._clip = SharedClip(model, checkpoint, device, cache, "brand fit")

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        embedder = self._clip.open() if subjects else None
        if embedder is None:
            yield from (self._abstain(subject, self._clip.without) for subject in subjects)
            return
        measured = self._brand(embedder, brand)
        if isinstance(measured, str):
            yield from (self._abstain(subject, measured) for subject in subjects)
            return
        for start in range(0, len(subjects), _BATCH):
            batch = subjects[start : start + _BATCH]
            vectors = embedder.pictures([one.image for one in batch], [one.asset.sha256 for one in batch])
            scenes = scene_vectors(embedder, batch)
            for place, subject in enumerate(batch):
                yield self._assess_one(subject, vectors[place], scenes.get(place), measured)

    def _brand(self, embedder: Embedder, brand: BrandKit) -> _Brand | str:
        """What to measure this brand by, or why it cannot be measured."""
        if brand not in self._brands:
            count = len(brand.references)
            opened = [_open_reference(path) for path in brand.references]
            words = by_words(embedder, brand.descriptors) if brand.descriptors else ""
            few = f"{count} of the {MIN_REFERENCES} reference pictures that a percentile needs"
            if count >= MIN_REFERENCES:
                keys = [key for key, _ in opened]
                main = References(embedder.pictures([picture for _, picture in opened], keys), keys)
                self._brands[brand] = _Brand(main, words if isinstance(words, Descriptors) else None)
            elif isinstance(words, Descriptors):
                self._brands[brand] = _Brand(words, note=f"By words alone, as there are {few}. ")
            else:
                self._brands[brand] = words or f"The brand kit has no descriptors, and {few}: brand fit is not scored."
        return self._brands[brand]

    def _assess_one(self, subject: Subject, vector: Vectors, scene: Vectors | None, brand: _Brand) -> Assessment:
        found = brand.main.measure(vector)
        scores = [self._score(subject, "brand_fit", brand.main, found, brand.note + found.detail)]
        if scene is not None:
            bare = brand.main.measure(scene)
            without = "the scene" if subject.scene is not None else "the picture without its words"
            told = f"Of {without}; the finished picture has {found.value - bare.value:+.2f} on top. {bare.detail}"
            scores.append(self._score(subject, "brand_fit_scene", brand.main, bare, told))
        if brand.words is not None:
            said = brand.words.measure(vector)
            scores.append(self._score(subject, "brand_fit_words", brand.words, said, said.detail))
        rule = self._rules[brand.main.rule]
        verdict = rule.judge(subject.asset.id, found.value, model=self._clip.title, **found.facts)
        return Assessment(tuple(scores), (verdict,))

    def _score(self, subject: Subject, criterion: str, by: Yardstick, found: Measure, detail: str) -> Score:
        named = f"{self._clip.title} {by.mark}"
        return score_of(self, subject.asset.id, criterion, found.value, by.unit, detail, by=named)

    def _abstain(self, subject: Subject, why: str) -> Assessment:
        return Assessment((score_of(self, subject.asset.id, "brand_fit", None, "", why, by=self._clip.title),))


def _open_reference(path: Path) -> tuple[str, Image]:
    """A reference picture with the SHA-256 of its file."""
    try:
        data = read_file(path)
        return bytes_id(data), open_picture(data, formats=("JPEG", "PNG", "WEBP")).flat
    except PictureError as error:
        raise InputError(f"The brand's reference picture {path} {error.clause}.", error.hint) from error
