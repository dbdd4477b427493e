"""Brief fit, claim by claim, with an embedder whose vectors are set by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generation.briefs import load_campaign
from proofsheet.domain.assessment import Grade
from proofsheet.domain.campaign import BrandKit, Brief, Factor, Level, Product
from scoring.brief_fit import BriefFitScorer
from scoring.scorer import Assessment, Scene, Subject

EXAMPLE = Path(__file__).parents[2] / "examples" / "norda" / "brief.toml"
Make = Callable[..., Subject]
AXES = {"bottle": 0, "stone": 1, "crowd": 2, "calm": 3}


class _Embedder:
    """Pictures and phrases on axes of their own: a phrase is the sum of the axes of its words."""

    title = "by hand@1"
    folder = None

    def __init__(self, finished: Sequence[str], scene: Sequence[str] = ()) -> None:
        self._pictures = {False: finished, True: scene}
        self.asked: list[str] = []

    def pictures(self, images: Sequence[Any], keys: Sequence[str]) -> np.ndarray:
        return np.stack([self._vector(" ".join(self._pictures[key.startswith("scene")])) for key in keys])

    def phrases(self, texts: Sequence[str], templates: Sequence[str] = ("{}",)) -> np.ndarray:
        self.asked += texts
        return np.stack([self._vector(text) for text in texts])

    def fits(self, text: str) -> bool:
        return len(text.split()) <= 6

    def unknown_words(self, text: str) -> tuple[str, ...]:
        return tuple(word for word in text.lower().split() if word.startswith("z"))

    def _vector(self, text: str) -> np.ndarray:
        vector = np.full(8, 0.05, dtype=np.float32)
        vector[7] = 0.3 + 0.02 * (len(text) % 5)
        for word in text.lower().replace(",", "").replace(".", "").split():
            if word in AXES:
                vector[AXES[word]] = 1.0
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@pytest.fixture
def brief() -> Brief:
    whole = load_campaign(EXAMPLE).brief
    product = Product(name="x", image=Path("x.png"), description="A bottle")
    return replace(whole, product=product, audience="", must=(), never=(), factors=())


def _assess(brief: Brief, subject: Subject, brand: BrandKit, embedder: _Embedder) -> Assessment:
    scorer = BriefFitScorer(brief=brief, model="none")
    scorer._clip.without = ""
    scorer._clip._embedder = embedder  # type: ignore[assignment]
    (found,) = scorer.assess([replace(subject, composition=None)], brand)
    return found


def test_a_product_placed_as_it_is_is_scored_and_not_judged(brief: Brief, clean: Subject, brand: BrandKit) -> None:
    scorer = BriefFitScorer(brief=replace(brief, must=("stone",)), model="none")
    scorer._clip.without = ""
    scorer._clip._embedder = _Embedder(["stone"])  # type: ignore[assignment]
    (found,) = scorer.assess([clean], brand)
    assert [score.value is not None for score in found.scores] == [True, True]
    assert "all 1 claims" in found.verdicts[0].reason


def test_the_claim_that_fails_is_named(brief: Brief, clean: Subject, brand: BrandKit) -> None:
    told = replace(brief, must=("stone", "zzz"), never=("crowd",))
    found = _assess(told, clean, brand, _Embedder(["bottle", "crowd"]))
    details = {
        score.detail.split(":")[0] + " " + score.detail.split("“")[1].split("”")[0]: score for score in found.scores
    }
    assert "seen" in details["product A bottle"].detail
    assert "not seen" in details["must stone"].detail
    assert details["must zzz"].value is None
    assert "must not be" in details["never crowd"].detail
    (verdict,) = found.verdicts
    assert verdict.grade is Grade.REVIEW
    assert "2 of 3 claims" in verdict.reason
    assert "“stone” (must); “crowd” (never, must not be seen)" in verdict.reason
    assert "1 more say nothing" in verdict.reason
    assert "“A bottle”" not in verdict.reason


def test_claims_that_the_model_does_not_hear_are_not_judged(brief: Brief, clean: Subject, brand: BrandKit) -> None:
    found = _assess(replace(brief, must=("people", "zzy stone zzx")), clean, brand, _Embedder(["bottle"]))
    told = {score.detail.split("“")[1].split("”")[0]: score for score in found.scores}
    assert told["people"].value is None
    assert "hears nothing" in told["people"].detail
    assert "too few of its words" in told["zzy stone zzx"].detail
    assert "all 1 claims" in found.verdicts[0].reason


def test_all_claims_kept_pass(brief: Brief, clean: Subject, brand: BrandKit) -> None:
    (verdict,) = _assess(replace(brief, never=("crowd",)), clean, brand, _Embedder(["bottle"])).verdicts
    assert verdict.grade is Grade.PASS


def test_a_long_claim_is_asked_in_pieces_and_its_weakest_counts(brief: Brief, clean: Subject, brand: BrandKit) -> None:
    embedder = _Embedder(["bottle"])
    told = replace(
        brief, product=replace(brief.product, description="a bottle that is very tall, a stone that is flat")
    )
    found = _assess(told, clean, brand, embedder)
    assert {"a bottle that is very tall", "a stone that is flat"} <= set(embedder.asked)
    assert "asked in 2 pieces" in found.scores[0].detail
    assert found.verdicts[0].grade is Grade.REVIEW


def test_scene_claims_are_looked_for_in_the_scene(brief: Brief, clean: Subject, brand: BrandKit) -> None:
    told = replace(brief, factors=(Factor(name="scene", levels=(Level(name="arch", prompt="stone"),)),))
    subject = replace(clean, scene=Scene("scene-1", clean.image))
    seen = _assess(told, subject, brand, _Embedder(["bottle"], ["stone"]))
    assert seen.verdicts[0].grade is Grade.PASS
    assert _assess(told, subject, brand, _Embedder(["bottle", "stone"], ["calm"])).verdicts[0].grade is Grade.REVIEW


def test_without_brief_or_model_nothing_is_made_up(brief: Brief, clean: Subject, brand: BrandKit) -> None:
    assert list(BriefFitScorer(model="none").assess([clean], brand)) == [Assessment()]
    (silent,) = BriefFitScorer(brief=brief, model="none").assess([clean], brand)
    assert silent.scores[0].value is None
    assert "No CLIP model is wanted" in silent.scores[0].detail
