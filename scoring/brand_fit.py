"""Brand fit: how near a picture is to the brand's words or reference pictures, by a CLIP model of one's choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from proofsheet.domain.assessment import Score
from proofsheet.domain.asset import Box
from proofsheet.domain.campaign import BrandKit
from proofsheet.errors import InputError
from scoring.house import NO_MODEL, Lexicon, house_model
from scoring.scorer import Assessment, Subject, rgb_picture
from scoring.verdict import Rules, load_rules

if TYPE_CHECKING:
    from PIL.Image import Image

    from scoring.embedding import Embedder, Vectors

#: Fewer reference pictures say too little about how much the brand's pictures differ among themselves.
MIN_REFERENCES = 8
_NEIGHBOURS = 3
_BATCH = 8

#: What a descriptor is put into; the mean over the templates is less at the mercy of one wording.
TEMPLATES = (
    "{}.",
    "a photo, {}.",
    "an advertisement, {}.",
    "a product picture, {}.",
    "a brand campaign, {}.",
    "the mood of the picture is {}.",
)
#: What a picture without any brand would be: the descriptors must be nearer than these.
CONTRASTS = (
    "a random picture",
    "a generic stock photo",
    "a cluttered snapshot",
    "a dull and unremarkable picture",
    "a picture of something unrelated",
    "a screenshot of a document",
)


class BrandFitScorer:
    """Scores ``brand_fit``: percentile among the brand's references (8 or more), else the margin of the descriptors.

    Args:
        model: open_clip model name or ``local-dir:FOLDER``; empty: the house CLIP; ``none``: the scorer abstains.
        checkpoint: path of the ``.safetensors`` weights of a named model.
        device: ``auto``, ``cpu`` or ``cuda``.
        cache: folder for embeddings, or None.

    Words of the descriptors that the model's vocabulary lacks are named; where it knows none, the scorer abstains.

    With a composition known, ``brand_fit_without_text`` says what the picture scores with its words painted over, as
    CLIP reads words in pictures and is swayed by them.
    """

    name = "brand_fit"
    version = "1"
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
        self._yardsticks: dict[BrandKit, _Yardstick | str] = {}
        self._without = "No CLIP model is wanted: brand fit is not scored." if model == NO_MODEL else ""
        self._house = not model
        if self._house:
            model, self._without = house_model()
        self._embedder: Embedder | None = None
        self._open = partial(_open_embedder, model, checkpoint, device, cache)
        if not self._without and not self._house:
            self._embedder = self._open()

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        if self._embedder is None and not self._without and subjects:
            self._embedder = self._open()  # the house model is opened when it is needed
        if self._embedder is None:
            yield from (self._abstain(subject, self._without) for subject in subjects)
            return
        yardstick = self._yardstick(self._embedder, brand)
        if isinstance(yardstick, str):
            yield from (self._abstain(subject, yardstick) for subject in subjects)
            return
        for start in range(0, len(subjects), _BATCH):
            batch = subjects[start : start + _BATCH]
            pictures = [rgb_picture(subject.image()) for subject in batch]
            vectors = self._embedder.pictures(pictures, [subject.asset.sha256 for subject in batch])
            for subject, picture, vector in zip(batch, pictures, vectors, strict=True):
                yield self._assess_one(subject, picture, vector, yardstick, self._embedder)

    def _scorer(self) -> str:
        model = f" {self._embedder.title}" if self._embedder else ""
        return f"{self.name}/{self.version}{model}"

    def _abstain(self, subject: Subject, why: str) -> Assessment:
        return Assessment(
            (
                Score(
                    asset_id=subject.asset.id,
                    criterion="brand_fit",
                    value=None,
                    unit="",
                    scorer=self._scorer(),
                    detail=why,
                ),
            )
        )

    def _yardstick(self, embedder: Embedder, brand: BrandKit) -> _Yardstick | str:
        """What to measure this brand by, or why it cannot be measured."""
        if brand not in self._yardsticks:
            references = [_open_reference(path) for path in brand.references]
            if len(references) >= MIN_REFERENCES:
                self._yardsticks[brand] = _References(embedder.pictures(references))
            elif brand.descriptors:
                self._yardsticks[brand] = _by_words(embedder, brand.descriptors)
            else:
                self._yardsticks[brand] = (
                    f"The brand kit has neither descriptors nor {MIN_REFERENCES} reference pictures to compare with "
                    f"({len(brand.references)} references)."
                )
        return self._yardsticks[brand]

    def _assess_one(
        self, subject: Subject, picture: Image, vector: Vectors, yardstick: _Yardstick, embedder: Embedder
    ) -> Assessment:
        asset_id = subject.asset.id
        value, detail, facts = yardstick.measure(vector)
        scores = [
            Score(
                asset_id=asset_id,
                criterion="brand_fit",
                value=value,
                unit=yardstick.unit,
                scorer=self._scorer(),
                detail=detail,
            )
        ]
        if subject.composition is not None and subject.composition.texts:
            boxes = [run.box for run in subject.composition.texts]
            key = f"{subject.asset.sha256}-wordless" if subject.asset.sha256 else ""
            wordless = embedder.pictures([_wordless(picture, boxes)], [key])[0]
            bare, _, _ = yardstick.measure(wordless)
            scores.append(
                Score(
                    asset_id=asset_id,
                    criterion="brand_fit_without_text",
                    value=bare,
                    unit=yardstick.unit,
                    scorer=self._scorer(),
                    detail=f"The words on the picture change the score by {value - bare:+.2f}.",
                )
            )
        verdict = self._rules[yardstick.rule].judge(asset_id, value, model=embedder.title, **facts)
        return Assessment(tuple(scores), (verdict,))


class _Descriptors:
    """Measures by words: the mean cosine to the descriptors minus that to the generic contrasts, times 100."""

    rule = "brand_fit_margin"
    unit = "cosine margin × 100"

    def __init__(self, words: Sequence[str], phrases: Vectors, contrasts: Vectors, unknown: Sequence[str] = ()) -> None:
        self._words = tuple(words)
        self._phrases = phrases
        self._contrasts = contrasts
        self._unknown = f". Not known to the model: {', '.join(unknown)}" if unknown else ""

    def measure(self, vector: Vectors) -> tuple[float, str, dict[str, object]]:
        """The margin, its make-up in words, and the facts the rule's texts want."""
        generic = self._contrasts @ vector
        own = self._phrases @ vector
        margins = 100 * (own - float(generic.mean()))
        weakest = self._words[int(margins.argmin())]
        told = ", ".join(f"{word} {margin:+.2f}" for word, margin in zip(self._words, margins, strict=True))
        detail = f"Against {len(self._contrasts)} generic pictures: {told}{self._unknown}"
        passed = int((generic < own.mean()).sum())
        return float(margins.mean()), detail, {"weakest": weakest, "passed": passed, "generic": len(generic)}


class _References:
    """Measures by examples: where the picture's likeness falls among the references' likeness to each other.

    Likeness is the mean cosine to the three nearest references (leaving itself out, for a reference).
    """

    rule = "brand_fit_percentile"
    unit = "percentile"

    def __init__(self, references: Vectors) -> None:
        self._references = references
        cosines = references @ references.T
        np.fill_diagonal(cosines, -np.inf)
        self._own = np.sort(cosines, axis=1)[:, -_NEIGHBOURS:].mean(axis=1)

    def measure(self, vector: Vectors) -> tuple[float, str, dict[str, object]]:
        """The percentile, its make-up in words, and the facts the rule's texts want."""
        likeness = float(np.sort(self._references @ vector)[-_NEIGHBOURS:].mean())
        percentile = 100 * float((self._own <= likeness).mean())
        told = (
            f"Likeness {likeness:.3f}; among themselves the {len(self._own)} references have "
            f"{float(self._own.min()):.3f} to {float(self._own.max()):.3f}"
        )
        return percentile, told, {"count": len(self._own)}


_Yardstick = _Descriptors | _References


def _by_words(embedder: Embedder, descriptors: Sequence[str]) -> _Descriptors | str:
    """Measures by the descriptors whose words the model knows; a reason where it knows none."""
    lexicon = Lexicon.of(embedder)
    lacking = [embedder.unknown_words(text) for text in descriptors]
    unknown = tuple(dict.fromkeys(word for words in lacking for word in words))
    known = [text for text, words in zip(descriptors, lacking, strict=True) if lexicon.says(text, words)]
    if not known:
        return (
            f"The CLIP model knows no word of the brand's descriptors ({'; '.join(descriptors)}): brand fit is not "
            f"scored. For open vocabulary, set clip_model and clip_checkpoint in the settings."
        )
    templates = [template for template in TEMPLATES if not embedder.unknown_words(template.format(""))]
    contrasts = embedder.phrases(lexicon.contrasts or CONTRASTS)
    return _Descriptors(known, embedder.phrases(known, templates or ("{}",)), contrasts, unknown)


def _open_embedder(model: str, checkpoint: str, device: str, cache: Path | None) -> Embedder:
    from scoring.embedding import Embedder

    return Embedder(model, checkpoint, device=device, cache=cache)


def _open_reference(path: Path) -> Image:
    from PIL import Image as Pillow
    from PIL import ImageOps

    try:
        with Pillow.open(path, formats=("JPEG", "PNG", "WEBP")) as image:
            return rgb_picture(ImageOps.exif_transpose(image))
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise InputError(
            f"The brand's reference picture {path} cannot be opened: {error}.", "Give a JPEG, PNG or WebP picture."
        ) from error


def _wordless(picture: Image, boxes: Sequence[Box]) -> Image:
    """The picture with text painted over: each box filled with the median colour of the box's rim."""
    from PIL import Image as Pillow

    pixels = np.asarray(picture).copy()
    for box in boxes:
        area = pixels[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
        if area.size:
            rim = np.concatenate([area[0], area[-1], area[:, 0], area[:, -1]])
            area[...] = np.median(rim, axis=0).astype(np.uint8)
    return Pillow.fromarray(pixels)
