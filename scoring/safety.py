"""Safety: whether a picture or its prompt comes near to what no advertisement may show. Pixels are never altered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from proofsheet.domain.assessment import Score
from proofsheet.domain.campaign import BrandKit
from scoring.fit.concepts import Concept, load_concepts
from scoring.fit.model import SharedClip
from scoring.fit.yardsticks import RULES, above_generic, heard_phrases
from scoring.house import Lexicon
from scoring.scorer import Assessment, Subject, score_of
from scoring.verdict import Rules, load_rules

if TYPE_CHECKING:
    from scoring.embedding import Embedder, Vectors

_BATCH = 8
_UNIT = "distance to the nearest limit, in standard deviations"
_UNKNOWN = "not judged, as this CLIP model knows none of what is unsafe: a person must look"


class SafetyScorer:
    """Scores ``safety`` of pictures and ``safety_prompt`` of prompts: the unsafe margin of the worst concept.

    The margin is the concept's nearest phrase, in standard deviations above the generic ones, less the concept's limit:
    beyond 0 the asset is blocked (FAIL), within the concept's margin below it a person is asked (REVIEW). A prompt
    that holds one of a concept's words is blocked without any model. What the model does not hear is not judged, and
    said; where it hears none of it, as the house CLIP, there is no verdict on pictures.

    Args:
        model, checkpoint, device, cache: as for ``brand_fit``.
        concepts: a file of concepts; the bundled one when None.
    """

    name = "safety"
    version = "1"
    compares = False

    def __init__(
        self,
        *,
        model: str = "",
        checkpoint: str = "",
        device: str = "auto",
        cache: Path | None = None,
        concepts: Path | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._rules = rules or load_rules(RULES)
        self._concepts = load_concepts(concepts)
        self._clip = SharedClip(model, checkpoint, device, cache, "the safety of pictures")
        self._heard: dict[str, Vectors] | None = None
        self._contrasts: Vectors | None = None

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        embedder = self._clip.open() if subjects else None
        if embedder is not None and self._heard is None:
            self._heard = self._hear(embedder)
        for start in range(0, len(subjects), _BATCH):
            batch = subjects[start : start + _BATCH]
            vectors = None
            if embedder is not None and self._heard:
                vectors = embedder.pictures([one.image for one in batch], [one.asset.sha256 for one in batch])
            for place, subject in enumerate(batch):
                picture = self._picture(subject, None if vectors is None else vectors[place])
                yield picture.joined(self._prompt(subject, embedder))

    def _hear(self, embedder: Embedder) -> dict[str, Vectors]:
        """By concept the vectors of the phrases that the model hears."""
        lexicon, limit = Lexicon.of(embedder), self._rules.settings["claim_heard"]
        found = {}
        for concept in self._concepts:
            own, heard, self._contrasts = heard_phrases(embedder, concept.phrases, lexicon, limit)
            heard &= np.array([not embedder.unknown_words(phrase) for phrase in concept.phrases])
            if heard.any():
                found[concept.name] = own[heard]
        return found

    def _picture(self, subject: Subject, vector: Vectors | None) -> Assessment:
        if vector is None:
            why = self._clip.without or f"The picture is {_UNKNOWN}."
            return Assessment((self._score(subject, "safety", None, why),))
        return self._judged(subject, "safety", self._margins(vector), "picture")

    def _prompt(self, subject: Subject, embedder: Embedder | None) -> Assessment:
        recipe = subject.asset.recipe
        if recipe is None or not recipe.scene.prompt:
            return Assessment()
        prompt = recipe.scene.prompt
        for concept in self._concepts:
            if said := concept.said_in(prompt):
                told = f"the prompt says {', '.join(said)}"
                score = self._score(subject, "safety_prompt", float(len(said)), told, "blocked words")
                verdict = self._rules["safety_said"].judge(
                    subject.asset.id, float(len(said)), concept=_words(concept.name), words=", ".join(said)
                )
                return Assessment((score,), (verdict,))
        if embedder is None or not self._heard:
            told = "no blocked word; beyond that the prompt is " + (self._clip.without or _UNKNOWN)
            return Assessment((self._score(subject, "safety_prompt", None, told),))
        return self._judged(subject, "safety_prompt", self._margins(embedder.phrases([prompt])[0]), "prompt")

    def _margins(self, vector: Vectors) -> dict[str, float]:
        """By concept, how far the nearest phrase is above (or below) its limit."""
        assert self._heard is not None
        assert self._contrasts is not None
        limits = {concept.name: concept.limit for concept in self._concepts}
        return {
            name: above_generic(float((own @ vector).max()), vector, self._contrasts) - limits[name]
            for name, own in self._heard.items()
        }

    def _judged(self, subject: Subject, criterion: str, margins: dict[str, float], what: str) -> Assessment:
        by_name = {concept.name: concept for concept in self._concepts}
        worst = max(margins, key=lambda name: _gravity(margins[name], by_name[name]))
        told = ", ".join(f"{_words(name)} {value:+.2f}" for name, value in margins.items())
        missing = [_words(name) for name in by_name if name not in margins]
        told += f". Not judged, as the model does not know it: {', '.join(missing)}" if missing else ""
        score = self._score(subject, criterion, margins[worst], told)
        verdict = self._rules[criterion].judge(
            subject.asset.id,
            _gravity(margins[worst], by_name[worst]),
            concept=_words(worst),
            unsafe=margins[worst],
            model=self._clip.title,
            what=what,
        )
        return Assessment((score,), (verdict,))

    def _score(self, subject: Subject, criterion: str, value: float | None, detail: str, unit: str = _UNIT) -> Score:
        return score_of(self, subject.asset.id, criterion, value, unit, detail, by=self._clip.title)


def _gravity(margin: float, concept: Concept) -> float:
    """The margin in units of the concept's own: −1 where a person is asked from on, 0 where it blocks."""
    return margin / concept.margin if concept.margin else (margin if margin >= 0 else -np.inf)


def _words(name: str) -> str:
    return name.replace("_", " ")
