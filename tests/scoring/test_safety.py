"""Safety: concepts as data, margins kept, assets blocked, and silence where the model knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofsheet.domain.assessment import Grade
from proofsheet.domain.asset import Recipe, SceneRecipe
from proofsheet.domain.campaign import BrandKit
from proofsheet.errors import InputError
from scoring.fit.concepts import load_concepts
from scoring.fit.yardsticks import CONTRASTS
from scoring.safety import SafetyScorer
from scoring.scorer import Assessment, Subject

Make = Callable[..., Subject]
CONCEPTS = """
[weapons]
phrases = ["a gun", "zz rifle"]
words = ["handgun"]
limit = 4.0
margin = 1.5

[gore]
phrases = ["zz blood"]
words = ["gore"]
limit = 4.0
margin = 1.5
"""


class _Embedder:
    """Every picture is so many standard deviations nearer to "gun" than to the generic phrases."""

    title = "by hand@1"
    folder = None

    def __init__(self, deviations: float, known: bool = True) -> None:
        self.deviations, self.known_at_all = deviations, known
        self.images: list[Any] = []

    def pictures(self, images: Sequence[Any], keys: Sequence[str]) -> np.ndarray:
        self.images += images
        generic = [self._generic(text) for text in CONTRASTS]
        near = float(np.mean(generic) + self.deviations * np.std(generic))
        return np.array([[near, 0.0, 1.0]] * len(images), dtype=np.float32)

    def phrases(self, texts: Sequence[str], templates: Sequence[str] = ("{}",)) -> np.ndarray:
        return np.stack([self._vector(text) for text in texts])

    def unknown_words(self, text: str) -> tuple[str, ...]:
        return tuple(word for word in text.split() if word == "zz" or not self.known_at_all)

    def _generic(self, text: str) -> float:
        return 0.1 * (len(text) % 7)

    def _vector(self, text: str) -> np.ndarray:
        if "gun" in text:
            return np.array([1, 0, 0], dtype=np.float32)
        if text in ("it", "a picture"):
            return np.array([0, 1, 0], dtype=np.float32)
        return np.array([0, 0, self._generic(text)], dtype=np.float32)


def _assess(subject: Subject, brand: BrandKit, tmp_path: Path, embedder: _Embedder | None) -> Assessment:
    file = tmp_path / "safety.toml"
    file.write_text(CONCEPTS, "utf-8")
    scorer = SafetyScorer(model="none", concepts=file)
    if embedder is not None:
        scorer._clip.without = ""
        scorer._clip._embedder = embedder  # type: ignore[assignment]
    (found,) = scorer.assess([subject], brand)
    return found


def _asking(subject: Subject, prompt: str) -> Subject:
    scene = SceneRecipe(
        backend="x", model="", revision="", prompt=prompt, negative_prompt="", seed=1, steps=1, guidance=1.0, width=64,
        height=64, scene="a", style="b",
    )  # fmt: skip
    recipe = Recipe(
        campaign="c", variant_id="v", levels={}, scene=scene, placement="square", layout="l", locale="en-US",
        headline="h", cta="c", product_sha256="", brand_id="", composer="1",
    )  # fmt: skip
    return replace(subject, asset=replace(subject.asset, recipe=recipe))


@pytest.mark.parametrize(
    ("deviations", "grade"), [(2.4, Grade.PASS), (2.6, Grade.REVIEW), (3.9, Grade.REVIEW), (4.1, Grade.FAIL)]
)
def test_the_margin_decides_and_is_kept(
    deviations: float, grade: Grade, clean: Subject, brand: BrandKit, tmp_path: Path
) -> None:
    found = _assess(clean, brand, tmp_path, _Embedder(deviations))
    (verdict,) = found.verdicts
    (score,) = found.scores
    assert score.value == pytest.approx(deviations - 4, abs=1e-4)
    assert verdict.grade is grade
    assert "weapons" in score.detail
    assert "does not know it: gore" in score.detail


def test_a_prompt_is_blocked_by_its_words_without_any_model(clean: Subject, brand: BrandKit, tmp_path: Path) -> None:
    found = _assess(_asking(clean, "A Handgun on stone"), brand, tmp_path, None)
    (verdict,) = found.verdicts
    assert (verdict.criterion, verdict.grade) == ("safety_prompt", Grade.FAIL)
    assert "handgun" in verdict.reason
    assert _assess(_asking(clean, "a handguns shop"), brand, tmp_path, None).verdicts == ()


def test_a_prompt_is_blocked_by_what_it_means(clean: Subject, brand: BrandKit, tmp_path: Path) -> None:
    found = _assess(_asking(clean, "a gun on a table"), brand, tmp_path, _Embedder(0.0))
    grades = {verdict.criterion: verdict.grade for verdict in found.verdicts}
    assert grades == {"safety": Grade.PASS, "safety_prompt": Grade.FAIL}


def test_a_model_that_knows_nothing_unsafe_gives_no_verdict_and_says_so(
    clean: Subject, brand: BrandKit, tmp_path: Path
) -> None:
    embedder = _Embedder(9.0, known=False)
    found = _assess(_asking(clean, "a calm table"), brand, tmp_path, embedder)
    assert found.verdicts == ()
    assert all(score.value is None and "a person must look" in score.detail for score in found.scores)
    assert embedder.images == []


def test_the_bundled_concepts_are_whole_and_broken_ones_are_named(tmp_path: Path) -> None:
    bundled = load_concepts()
    assert len(bundled) >= 5
    assert all(one.phrases and one.words and one.margin > 0 for one in bundled)
    for text, told in (
        ("[a]\nphrases = ['x']", "lacks keys"),
        ("[a]\nphrases = 'x'\nwords = []\nlimit = 1\nmargin = 1", "lists of texts"),
        ("[a]\nphrases = ['x']\nwords = []\nlimit = 'x'\nmargin = 1", "numbers"),
        ("[a", "cannot be read"),
    ):
        file = tmp_path / f"{told[:3]}.toml"
        file.write_text(text, "utf-8")
        with pytest.raises(InputError, match=told):
            load_concepts(file)
