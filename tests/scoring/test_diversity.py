"""Diversity: the Vendi score, clusters by pixels and by model, and levels that do not look different."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from proofsheet.domain.assessment import Grade, Score
from proofsheet.domain.campaign import BrandKit
from scoring import neutral
from scoring.diversity import DiversityScorer
from scoring.fit.variety import AlikeLevels, alike_levels, clusters_of, vendi
from scoring.scorer import Assessment, Subject

Make = Callable[..., Subject]


def test_vendi_counts_distinct_pictures() -> None:
    eye = np.eye(6)
    nowhere = np.zeros(6)
    assert vendi(eye, nowhere) == pytest.approx(6)
    assert vendi(np.repeat(eye[:2], 3, axis=0), nowhere) == pytest.approx(2)
    assert vendi(eye[:1].repeat(5, axis=0), nowhere) == pytest.approx(1)


def test_a_narrow_cone_hides_distinct_pictures_until_it_is_centred() -> None:
    rng = np.random.default_rng(1)
    axis = np.zeros(200)
    axis[0] = 5.0
    cone = axis + rng.normal(scale=0.1, size=(40, 200))
    assert vendi(cone, np.zeros(200)) < 2
    assert vendi(cone, axis) > 30
    twins = np.repeat(cone[:1], 10, axis=0) + rng.normal(scale=1e-4, size=(10, 200))
    assert vendi(twins, axis) < 1.1
    assert vendi(twins, twins.mean(axis=0)) > 5  # why a set is never centred on itself


def test_clusters_join_who_is_like_one_of_them() -> None:
    twins = np.zeros((6, 6), dtype=bool)
    for i, j in ((0, 3), (3, 4), (1, 2)):
        twins[i, j] = twins[j, i] = True
    assert clusters_of(twins) == ((0, 3, 4), (1, 2))
    assert clusters_of(np.zeros((3, 3), dtype=bool)) == ()


def test_levels_are_compared_by_pairs_that_differ_in_nothing_else() -> None:
    levels = [
        {"scene": scene, "style": style, "cta": cta}
        for scene, style, cta in (("a", "x", "1"), ("b", "x", "2"), ("a", "y", "1"), ("b", "y", "1"), ("c", "z", "1"))
    ]
    twins = np.zeros((5, 5), dtype=bool)
    twins[0, 1] = twins[1, 0] = twins[2, 3] = twins[3, 2] = True
    compared, untold = alike_levels(levels, twins)
    scene = AlikeLevels(factor="scene", first="a", second="b", alike=2, pairs=2)
    assert scene in compared
    assert scene.indistinct
    assert AlikeLevels(factor="style", first="x", second="y", alike=0, pairs=2) in compared
    assert ("scene", "a", "c") in untold
    assert ("cta", "1", "2") in untold


def test_half_alike_is_not_most() -> None:
    assert not AlikeLevels(factor="scene", first="a", second="b", alike=1, pairs=2).indistinct


def test_the_neutral_pictures_are_the_same_each_time_and_differ_among_themselves() -> None:
    one, same, other = neutral._drawn(3), neutral._drawn(3), neutral._drawn(4)
    assert one.tobytes() == same.tobytes() != other.tobytes()
    pixels = np.stack([np.asarray(neutral._drawn(n), dtype=float) for n in range(neutral._COUNT)])
    assert pixels.mean(axis=(1, 2)).std(axis=0).min() > 20


class _Embedder:
    """Vectors by a picture's colour in the middle, for pictures, copies and the neutral ones alike."""

    title = "by colour@1"

    def known(self, key: str) -> None:
        return None

    def pictures(self, images: Sequence[Any], keys: Sequence[str]) -> np.ndarray:
        some = images[:4] if keys[0].startswith("neutral") else images
        return np.stack([self._vector(image()) for image in some])

    def _vector(self, picture: Any) -> np.ndarray:
        pixels = np.asarray(picture.convert("RGB").resize((8, 8)), dtype=np.float64)
        vector = np.append(pixels[2:6, :4].mean(axis=(0, 1)) - 128, 20.0)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def _assess(subjects: list[Subject], brand: BrandKit, embedder: _Embedder | None = None) -> list[Assessment]:
    scorer = DiversityScorer(model="none")
    if embedder is not None:
        scorer._clip.without = ""
        scorer._clip._embedder = embedder  # type: ignore[assignment]
    return list(scorer.assess(subjects, brand))


def _score(found: Assessment, criterion: str) -> Score:
    return next(score for score in found.scores if score.criterion == criterion)


def _ads(make_ad: Make, *levels: tuple[str, dict[str, object]]) -> list[Subject]:
    return [
        make_ad(f"{scene}-{n}", levels={"scene": scene, "headline": "slow"}, **changes)
        for n, (scene, changes) in enumerate(levels)
    ]


def test_twin_levels_are_named_even_without_a_model(make_ad: Make, brand: BrandKit) -> None:
    found = _assess(
        _ads(make_ad, ("arch", {}), ("sweep", {"ground": (216, 231, 223)}), ("sky", {"ground": (60, 80, 140)})), brand
    )
    grades = [{v.criterion: v.grade for v in one.verdicts} for one in found]
    assert [one["levels"] for one in grades] == [Grade.REVIEW, Grade.REVIEW, Grade.PASS]
    assert "scene “arch” and “sweep” look alike in 1 of 1 pairs" in found[0].verdicts[-1].reason
    assert _score(found[0], "look_alikes").value == 1
    diversity = _score(found[2], "diversity")
    assert diversity.value is None
    assert "No CLIP model is wanted" in diversity.detail
    assert "look-alikes: “arch 0”, “sweep 1”" in diversity.detail


def test_the_worse_of_pixels_and_model_counts(make_ad: Make, brand: BrandKit) -> None:
    ads = _ads(make_ad, ("arch", {}), ("sweep", {"button_at": (48, 420)}), ("sky", {"ground": (60, 80, 140)}))
    by_pixels = _assess(ads, brand)
    assert _score(by_pixels[0], "look_alikes").value == 0
    found = _assess(ads, brand, _Embedder())
    assert [_score(one, "look_alikes").value for one in found] == [1, 1, 0]
    verdicts = {v.criterion: v for v in found[0].verdicts}
    assert verdicts["look_alikes"].grade is verdicts["levels"].grade is Grade.REVIEW
    assert "“sweep 1” (by plan another scene)" in verdicts["look_alikes"].reason
    diversity = _score(found[0], "diversity")
    assert diversity.unit == "effective pictures of 3"
    assert diversity.value is not None
    assert 1 <= diversity.value < 2.5


def test_words_are_left_to_the_pixels(make_ad: Make, brand: BrandKit) -> None:
    ads = [make_ad("a"), make_ad("b", headline=("Wake up", "slowly."), levels={"scene": "arch", "headline": "wake"})]
    found = _assess(ads, brand, _Embedder())
    assert [_score(one, "look_alikes").value for one in found] == [0, 0]
    assert {v.grade for one in found for v in one.verdicts} == {Grade.PASS}


def test_placements_and_locales_are_sets_of_their_own(make_ad: Make, brand: BrandKit) -> None:
    german = replace(make_ad("b"), asset=replace(make_ad("b").asset, locale="de-DE"))
    found = _assess([make_ad("a"), german], brand)
    assert all("no other picture" in _score(one, "diversity").detail for one in found)
    assert all(one.verdicts == () for one in found)
