"""Duplicates: twins are found however they were saved; other words on the same scene are not twins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from proofsheet.domain.assessment import Grade
from proofsheet.domain.asset import Box
from proofsheet.domain.campaign import BrandKit
from scoring.duplicates import DuplicatesScorer, differing_levels
from scoring.scorer import Assessment, Subject
from scoring.signature import changed_share, hash_distance, signature_of

Make = Callable[..., Subject]


def _assess(subjects: list[Subject], brand: BrandKit) -> list[Assessment]:
    return list(DuplicatesScorer().assess(subjects, brand))


def _grades(subjects: list[Subject], brand: BrandKit) -> list[Grade]:
    return [one.verdicts[0].grade for one in _assess(subjects, brand)]


def _as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, format="JPEG", quality=quality)
    return Image.open(BytesIO(buffer.getvalue()))


def _shifted(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.roll(np.asarray(image.convert("RGB")), (2, 3), axis=(0, 1)))


def _lighter(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(image.convert("RGB")).astype(int) + 3, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    "resaved",
    [lambda i: i, lambda i: _as_jpeg(i, 75), _shifted, _lighter, lambda i: i.resize((643, 643)).resize((640, 640))],
    ids=["same", "jpeg", "shifted", "lighter", "resized"],
)
def test_twins_are_found_and_named(
    resaved: Callable[[Image.Image], Image.Image], clean: Subject, make_ad: Make, make_subject: Make, brand: BrandKit
) -> None:
    twin = make_subject(resaved(clean.image()), name="the-twin", levels={"scene": "arch", "headline": "slow"})
    other = make_ad("another", ground=(240, 200, 160), product=Box(left=60, top=420, right=160, bottom=520))
    found = _assess([clean, other, twin], brand)
    assert [one.verdicts[0].grade for one in found] == [Grade.REVIEW, Grade.PASS, Grade.REVIEW]
    assert "the twin" in found[0].verdicts[0].reason
    assert "“clean” (clean)" in found[2].verdicts[0].reason
    assert "Reject one of the two" in found[0].verdicts[0].remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"headline": ("Wake up", "slowly.")},
        {"headline": ("Slow brewed,", "cold pressed.")},
        {"ground": (240, 224, 205)},
        {"product": Box(left=360, top=140, right=560, bottom=560)},
        {"button_at": (48, 380)},
    ],
)
def test_variants_that_one_can_tell_apart_are_not_twins(
    changes: dict[str, object], clean: Subject, make_ad: Make, brand: BrandKit
) -> None:
    variant = make_ad("variant", levels={"scene": "arch", "headline": "other"}, **changes)
    assert _grades([clean, variant], brand) == [Grade.PASS, Grade.PASS]


def test_levels_that_look_alike_are_named(clean: Subject, make_ad: Make, brand: BrandKit) -> None:
    variant = make_ad("variant", ground=(216, 231, 223), levels={"scene": "sweep", "headline": "slow"})
    first, second = _assess([clean, variant], brand)
    assert first.verdicts[0].grade is Grade.REVIEW
    assert "By plan the two differ in scene" in first.verdicts[0].reason
    assert "scene" in second.verdicts[0].remedy
    assert "bits differ" in first.scores[0].detail


def test_a_few_letters_do_for_variants_of_words_but_not_for_variants_of_scenes(
    clean: Subject, make_ad: Make, brand: BrandKit
) -> None:
    words = make_ad("words", cta="Order online", levels={"scene": "arch", "headline": "slow", "cta": "order"})
    scenes = make_ad("scenes", cta="Order online", levels={"scene": "sweep", "headline": "slow"})
    assert _grades([clean, words], brand) == [Grade.PASS, Grade.PASS]
    assert _grades([clean, scenes], brand) == [Grade.REVIEW, Grade.REVIEW]


def test_the_twin_is_found_behind_a_nearer_legitimate_variant(clean: Subject, make_ad: Make, brand: BrandKit) -> None:
    words = make_ad("words", cta="Try it chilly", levels={"scene": "arch", "headline": "slow", "cta": "chilly"})
    twin = make_ad("twin", cta="Order online", levels={"scene": "sweep", "headline": "slow"})
    (verdict,) = _assess([clean, words, twin], brand)[0].verdicts
    assert verdict.grade is Grade.REVIEW
    assert "twin" in verdict.reason


def test_only_the_same_placement_and_locale_are_compared(clean: Subject, make_ad: Make, brand: BrandKit) -> None:
    story = replace(make_ad("story"), asset=replace(make_ad("story").asset, placement="story"))
    german = replace(make_ad("german"), asset=replace(make_ad("german").asset, locale="de-DE"))
    found = _assess([clean, story, german], brand)
    assert all(one.verdicts == () and one.scores[0].value is None for one in found)


def test_the_order_does_not_matter(clean: Subject, make_ad: Make, brand: BrandKit) -> None:
    subjects = [clean, make_ad("twin"), make_ad("other", headline=("Wake up", "slowly."))]
    forth = {one.scores[0].asset_id: one.verdicts[0].grade for one in _assess(subjects, brand)}
    back = {one.scores[0].asset_id: one.verdicts[0].grade for one in _assess(subjects[::-1], brand)}
    assert forth == back == {"clean": Grade.REVIEW, "twin": Grade.REVIEW, "other": Grade.PASS}


def test_the_hash_is_stable_under_compression_and_far_for_other_pictures(clean: Subject, make_ad: Make) -> None:
    one, same = signature_of(clean.image()), signature_of(_as_jpeg(clean.image(), 60))
    far = signature_of(make_ad(product=Box(left=60, top=420, right=240, bottom=600), ground=(60, 90, 80)).image())
    assert hash_distance(one, same) <= 4
    assert hash_distance(one, far) >= 12
    assert one.bits < 2**64


def test_other_shapes_differ_wholly() -> None:
    wide, tall = Image.new("RGB", (128, 64)), Image.new("RGB", (64, 128))
    assert changed_share(signature_of(wide), signature_of(tall), 6) == 1.0
    assert changed_share(signature_of(wide), signature_of(wide), 6) == 0.0


def test_differing_levels() -> None:
    assert differing_levels({"scene": "a", "cta": "x"}, {"scene": "a", "cta": "y"}) == ("cta",)
    assert differing_levels({}, {"scene": "a"}) == ("scene",)
    assert differing_levels({"scene": "a"}, {"scene": "a"}) == ()
