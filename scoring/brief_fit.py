"""Brief fit: whether each claim of the brief can be seen in the picture, by a CLIP model, claim by claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from proofsheet.domain.assessment import Score
from proofsheet.domain.campaign import BrandKit, Brief
from scoring.fit.claims import SEEN_IN_SCENE, Claim, claims_of
from scoring.fit.model import SharedClip
from scoring.fit.scenes import scene_vectors
from scoring.fit.yardsticks import RULES, above_generic, heard_phrases
from scoring.house import Lexicon
from scoring.pieces import split_to_fit
from scoring.scorer import Assessment, Subject, score_of
from scoring.verdict import Rules, load_rules

if TYPE_CHECKING:
    from scoring.embedding import Embedder, Vectors

_BATCH = 8
_UNIT = "standard deviations above generic phrases"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A claim's pieces as unit vectors (pieces, d) and words of it that the model does not know, or why not asked."""

    vectors: Vectors | None
    unknown: tuple[str, ...] = ()
    why: str = ""


class BriefFitScorer:
    """Scores ``brief_fit`` once for each claim, and judges how many of them the picture does not show.

    A claim's score is its cosine to the picture in standard deviations above the mean of the generic phrases': no
    share and no chance. Claims of scene, style and audience are looked for in the scene before product and words.
    Claims of a product that was placed as it is are scored, and not judged: rules look at it.
    What is longer than the model's context is asked in pieces, and its weakest piece counts; nothing is cut.

    Args:
        brief: whose claims; without one nothing is scored.
        model, checkpoint, device, cache: as for ``brand_fit``.
    """

    name = "brief_fit"
    version = "1"
    compares = False

    def __init__(
        self,
        *,
        brief: Brief | None = None,
        model: str = "",
        checkpoint: str = "",
        device: str = "auto",
        cache: Path | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._brief = brief
        self._rules = rules or load_rules(RULES)
        self._clip = SharedClip(model, checkpoint, device, cache, "brief fit")
        self._asked: dict[str, _Asked] = {}
        self._contrasts: Vectors | None = None

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        if self._brief is None:
            yield from (Assessment() for _ in subjects)
            return
        embedder = self._clip.open() if subjects else None
        if embedder is None:
            yield from (self._abstain(one, self._clip.without) for one in subjects)
            return
        for start in range(0, len(subjects), _BATCH):
            batch = subjects[start : start + _BATCH]
            finished = embedder.pictures([one.image for one in batch], [one.asset.sha256 for one in batch])
            scenes = scene_vectors(embedder, batch)
            for place, subject in enumerate(batch):
                claims = claims_of(self._brief, subject.asset.levels)
                yield self._assess_one(subject, claims, finished[place], scenes.get(place), embedder)

    def _assess_one(
        self,
        subject: Subject,
        claims: Sequence[Claim],
        finished: Vectors,
        scene: Vectors | None,
        embedder: Embedder,
    ) -> Assessment:
        if not claims:
            return self._abstain(subject, "The brief claims nothing that a picture could show.")
        for claim in claims:
            if claim.text not in self._asked:
                self._asked[claim.text] = self._heard(embedder, claim.text, Lexicon.of(embedder))
        rule = self._rules["brief_fit"]
        limit = self._rules.settings["claim_seen"]
        scores, failing, judged = list[Score](), list[str](), 0
        for claim in claims:
            vector = scene if scene is not None and claim.source in SEEN_IN_SCENE else finished
            value = self._seen(claim, vector)
            scores.append(self._score(subject, claim, value, limit))
            if value is None:
                continue
            if claim.source == "product" and subject.composition is not None:
                continue  # the product was placed as it is, and rules look whether it still is
            judged += 1
            if (value >= limit) != claim.wanted:
                failing.append(f"“{claim.text}” ({claim.source}{'' if claim.wanted else ', must not be seen'})")
        if not judged:
            return Assessment(tuple(scores))
        silent = sum(score.value is None for score in scores)
        verdict = rule.judge(
            subject.asset.id,
            float(len(failing)),
            judged=judged,
            unjudged=f" {silent} more say nothing to the model." if silent else "",
            failing="; ".join(failing),
            model=self._clip.title,
        )
        return Assessment(tuple(scores), (verdict,))

    def _heard(self, embedder: Embedder, text: str, lexicon: Lexicon) -> _Asked:
        """A claim as the model hears it, in pieces that it can read whole."""
        unknown = embedder.unknown_words(text)
        words = lexicon.words(text)
        if 2 * sum(word not in unknown for word in words) <= len(words):
            return _Asked(None, unknown, "the model knows too few of its words")
        pieces = [one for one in split_to_fit(text, embedder.fits) if lexicon.says(one, embedder.unknown_words(one))]
        limit = self._rules.settings["claim_heard"]
        vectors, heard, self._contrasts = heard_phrases(embedder, pieces, lexicon, limit)
        if not heard.any():
            return _Asked(None, unknown, "the model hears nothing in these words")
        return _Asked(vectors[heard], unknown)

    def _seen(self, claim: Claim, vector: Vectors) -> float | None:
        """How far the claim's weakest piece stands above the generic phrases; of what is not wanted, the strongest."""
        asked = self._asked[claim.text]
        if asked.vectors is None or self._contrasts is None:
            return None
        cosines = np.asarray(asked.vectors @ vector, dtype=np.float64)
        return above_generic(float(cosines.min() if claim.wanted else cosines.max()), vector, self._contrasts)

    def _score(self, subject: Subject, claim: Claim, value: float | None, limit: float) -> Score:
        asked = self._asked[claim.text]
        if value is None:
            told = f"not judged, {asked.why}"
        else:
            told = "seen" if value >= limit else "not seen"
            told += "" if claim.wanted else ", and must not be"
        pieces = len(asked.vectors) if asked.vectors is not None else 1
        told += f"; asked in {pieces} pieces" if pieces > 1 else ""
        told += f". Not known to the model: {', '.join(asked.unknown)}" if asked.unknown and value is not None else ""
        return self._made(subject, value, f"{claim.source}: “{claim.text}”: {told}")

    def _abstain(self, subject: Subject, why: str) -> Assessment:
        return Assessment((self._made(subject, None, why),))

    def _made(self, subject: Subject, value: float | None, detail: str) -> Score:
        return score_of(self, subject.asset.id, "brief_fit", value, _UNIT, detail, by=self._clip.title)
