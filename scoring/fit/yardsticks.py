"""What a picture's likeness to a brand is measured by: the brand's words, or its reference pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scoring.house import Lexicon

if TYPE_CHECKING:
    from scoring.embedding import Embedder, Vectors

#: The rules of the soft scores.
RULES = Path(__file__).parent / "rules.toml"
#: Fewer reference pictures say too little about how much the brand's pictures differ among themselves.
MIN_REFERENCES = 8
_NEIGHBOURS = 3

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


#: Phrases that say nothing of a picture: a phrase that a model takes for one of these, it does not hear.
_NOTHING = ("it", "a picture")


@dataclass(frozen=True, slots=True)
class Measure:
    """A number, its make-up in words, and the facts that the rule's texts want."""

    value: float
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Descriptors:
    """Measures by words: the mean cosine to the descriptors minus that to the generic contrasts, times 100."""

    rule = "brand_fit_margin"
    unit = "cosine margin × 100"

    def __init__(self, words: Sequence[str], phrases: Vectors, contrasts: Vectors, unknown: Sequence[str] = ()) -> None:
        self._words = tuple(words)
        self._phrases = phrases
        self._contrasts = contrasts
        self._unknown = f". Not known to the model: {', '.join(unknown)}" if unknown else ""
        self.mark = _mark("words", *words, str(len(contrasts)))

    def measure(self, vector: Vectors) -> Measure:
        """The margin of a picture's unit vector (d,)."""
        generic = self._contrasts @ vector
        own = self._phrases @ vector
        margins = 100 * (own - float(generic.mean()))
        weakest = self._words[int(margins.argmin())]
        told = ", ".join(f"{word} {margin:+.2f}" for word, margin in zip(self._words, margins, strict=True))
        detail = f"Against {len(self._contrasts)} generic pictures: {told}{self._unknown}"
        passed = int((generic < own.mean()).sum())
        return Measure(float(margins.mean()), detail, {"weakest": weakest, "passed": passed, "generic": len(generic)})


class References:
    """Measures by examples: where the picture's likeness falls among the references' likeness to each other.

    Likeness is the mean cosine to the three nearest references. A reference is compared with the n − 1 others, so a
    picture's likeness is the mean over the n sets that lack one of them: with all n it would be too good.
    """

    rule = "brand_fit_percentile"
    unit = "percentile"

    def __init__(self, references: Vectors, keys: Sequence[str]) -> None:
        self._references = references
        cosines = references @ references.T
        np.fill_diagonal(cosines, -np.inf)
        self.own = np.sort(cosines, axis=1)[:, -_NEIGHBOURS:].mean(axis=1)
        self.mark = _mark("references", *sorted(keys))

    def likeness(self, vector: Vectors) -> float:
        """The likeness (−1 to 1) of a unit vector (d,) to the references."""
        n, k = len(self._references), _NEIGHBOURS
        nearest = np.sort(self._references @ vector)[-k - 1 :]
        with_all = float(nearest[1:].sum())
        return ((n - k - 1) * with_all + k * float(nearest.sum())) / (n * k)

    def measure(self, vector: Vectors) -> Measure:
        """The percentile (0–100) of a picture's unit vector (d,)."""
        likeness = self.likeness(vector)
        told = (
            f"Likeness {likeness:.3f}; among themselves the {len(self.own)} references have "
            f"{float(self.own.min()):.3f} to {float(self.own.max()):.3f}"
        )
        return Measure(percentile_among(likeness, self.own), told, {"count": len(self.own)})


Yardstick = Descriptors | References


def percentile_among(value: float, sample: NDArray[np.floating[Any]]) -> float:
    """Where a value falls in the distribution that a sample (n,) comes from: 0 to 100, rising with the value.

    The i-th of the sorted sample is at i / (n + 1) (Weibull's positions), values between are interpolated, and the
    tails fall exponentially from the outermost ones with the sample's own spread, so that of two outsiders the nearer
    is still the better.
    """
    ordered = np.sort(np.asarray(sample, dtype=np.float64))
    n = len(ordered)
    edge = 1.0 / (n + 1)
    middle = float(np.median(ordered))
    if value < ordered[0]:
        spread = max((middle - ordered[0]) / np.log((n + 1) / 2), 1e-6)
        share = edge * np.exp((value - ordered[0]) / spread)
    elif value > ordered[-1]:
        spread = max((ordered[-1] - middle) / np.log((n + 1) / 2), 1e-6)
        share = 1.0 - edge * np.exp((ordered[-1] - value) / spread)
    else:
        share = float(np.interp(value, ordered, np.arange(1, n + 1) * edge))
    return 100.0 * float(share)


def by_words(embedder: Embedder, descriptors: Sequence[str]) -> Descriptors | str:
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
    return Descriptors(known, *phrases_and_contrasts(embedder, known, lexicon), unknown)


def phrases_and_contrasts(embedder: Embedder, phrases: Sequence[str], lexicon: Lexicon) -> tuple[Vectors, Vectors]:
    """Unit vectors of phrases, over the templates whose words the model knows, and of what they are compared with."""
    templates = [template for template in TEMPLATES if not embedder.unknown_words(template.format(""))]
    return embedder.phrases(phrases, templates or ("{}",)), embedder.phrases(lexicon.contrasts or CONTRASTS)


def heard_phrases(
    embedder: Embedder, phrases: Sequence[str], lexicon: Lexicon, limit: float
) -> tuple[Vectors, NDArray[np.bool_], Vectors]:
    """Unit vectors of phrases, which of them the model hears, and what they are compared with.

    A model of few words may know a word and still have been taught nothing by it: such a phrase gets the vector of one
    that says nothing, and is as near to one picture as to another. ``limit`` is the cosine from which that is so.
    """
    vectors, contrasts = phrases_and_contrasts(embedder, [*phrases, *_NOTHING], lexicon)
    own, nothing = vectors[: len(phrases)], vectors[len(phrases) :]
    return own, np.asarray((own @ nothing.T).max(axis=1, initial=-1.0) < limit), contrasts


def above_generic(likeness: float, vector: Vectors, contrasts: Vectors) -> float:
    """How many standard deviations a likeness to a picture's vector (d,) is above the generic phrases' (n, d)."""
    generic = np.asarray(contrasts @ vector, dtype=np.float64)
    return float((likeness - generic.mean()) / max(float(generic.std()), 1e-6))


def _mark(kind: str, *parts: str) -> str:
    """Names a yardstick: numbers measured by another one are not comparable."""
    return f"by {kind} {hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:8]}"
