"""Safe area: each planted violation is caught under its own name, and a clean advertisement passes them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image

from proofsheet.domain.assessment import Grade
from proofsheet.domain.asset import Box
from proofsheet.domain.campaign import BrandKit, SafeArea
from scoring.safe_area import SafeAreaScorer, elements_of, gap, share_covered, share_inside
from scoring.scorer import Assessment, Subject

Make = Callable[..., Subject]
Grades = Callable[[Assessment], dict[str, Grade]]


def _assess(subject: Subject, brand: BrandKit) -> Assessment:
    return next(SafeAreaScorer().assess([subject], brand))


def test_a_clean_advertisement_passes_everything(clean: Subject, brand: BrandKit, grades: Grades) -> None:
    found = grades(_assess(clean, brand))
    assert set(found) == {
        "safe_area",
        "product_visible",
        "overlap",
        "logo_space",
        "logo_size",
        "text_share",
        "text_size",
    }
    assert set(found.values()) == {Grade.PASS}


@pytest.mark.parametrize(
    ("changes", "criterion", "grade", "words"),
    [
        ({"headline_at": (8, 120)}, "safe_area", Grade.FAIL, "24 px to the right"),
        ({"wordmark_at": (48, 585)}, "safe_area", Grade.FAIL, "The logo"),
        ({"button_at": (-40, 320)}, "safe_area", Grade.FAIL, "button"),
        ({"product": Box(left=540, top=180, right=700, bottom=560)}, "product_visible", Grade.REVIEW, "product"),
        ({"product": Box(left=600, top=180, right=760, bottom=560)}, "product_visible", Grade.FAIL, "product"),
        ({"headline_at": (200, 200)}, "overlap", Grade.REVIEW, "the product"),
        ({"button_at": (300, 320)}, "overlap", Grade.REVIEW, "The button and the product overlap"),
        ({"button_at": (48, 200)}, "overlap", Grade.FAIL, "run into each other"),
        ({"cta": "Try it chilled tonight, or tomorrow"}, "overlap", Grade.FAIL, "the button"),
        ({"wordmark_at": (48, 384)}, "logo_space", Grade.REVIEW, "clear space"),
        ({"headline_size": 12}, "text_size", Grade.REVIEW, "headline"),
    ],
)
def test_each_planted_violation_is_caught(
    changes: dict[str, object], criterion: str, grade: Grade, words: str, make_ad: Make, brand: BrandKit, grades: Grades
) -> None:
    assessment = _assess(make_ad(**changes), brand)
    assert grades(assessment)[criterion] is grade, assessment.verdicts
    verdict = next(one for one in assessment.verdicts if one.criterion == criterion)
    assert words in verdict.reason + verdict.remedy
    assert verdict.remedy


def test_the_placements_own_safe_area_counts(clean: Subject, brand: BrandKit, grades: Grades) -> None:
    story = replace(clean.placement, safe_area=SafeArea(bottom=0.35))
    found = grades(_assess(replace(clean, placement=story), brand))
    assert found["safe_area"] is Grade.FAIL  # the logo at the foot is under the story's buttons
    assert found["product_visible"] is Grade.REVIEW


def test_much_text_is_noticed(clean: Subject, brand: BrandKit, grades: Grades) -> None:
    assert clean.composition is not None
    headline = replace(clean.composition.texts[0], box=Box(left=40, top=40, right=600, bottom=330))
    crowded = replace(clean, composition=replace(clean.composition, texts=(headline,)))
    assert grades(_assess(crowded, brand))["text_share"] is Grade.REVIEW


def test_a_logo_picture_has_its_space_too(clean: Subject, brand: BrandKit) -> None:
    assert clean.composition is not None
    logo = Box(left=48, top=388, right=128, bottom=428)  # 8 px under the button, 20 px are its due
    near = replace(clean, composition=replace(clean.composition, logo=logo))
    score = next(one for one in _assess(near, brand).scores if one.criterion == "logo_space")
    assert score.value == pytest.approx(40)


def test_an_upload_gets_no_verdict(make_subject: Make, brand: BrandKit) -> None:
    assessment = _assess(make_subject(Image.new("RGB", (64, 64)), name="upload"), brand)
    assert assessment.verdicts == ()
    assert assessment.scores[0].value is None


def test_geometry() -> None:
    box, other = Box(left=0, top=0, right=10, bottom=10), Box(left=5, top=5, right=25, bottom=25)
    assert share_inside(box, other) == 0.25
    assert share_covered(box, other) == 0.25
    assert share_inside(Box(left=3, top=3, right=3, bottom=9), other) == 1.0
    assert gap(box, other) == 0
    assert gap(box, Box(left=13, top=17, right=20, bottom=20)) == 7


def test_every_element_is_named_once(clean: Subject) -> None:
    assert clean.composition is not None
    words = [one.words for one in elements_of(clean.composition)]
    assert words == ["the headline", "the button text", "the button", "the logo", "the product"]


@pytest.mark.parametrize(("at", "grade"), [((120, 120), Grade.PASS), ((200, 200), Grade.REVIEW)])
def test_an_overlap_that_the_layout_intends_passes_while_the_words_can_be_read(
    at: tuple[int, int], grade: Grade, make_ad: Make, brand: BrandKit, grades: Grades
) -> None:
    subject = make_ad(headline_at=at)
    assert subject.composition is not None
    headline = next(run.box for run in subject.composition.texts if run.role == "headline")
    product = Box(left=headline.right - 20, top=headline.top, right=headline.right + 180, bottom=560)
    if grade is Grade.REVIEW:
        product = replace(product, left=headline.left + headline.width // 2)
    meant = replace(subject.composition, product=product, intended_overlaps=("headline",))
    assert grades(_assess(replace(subject, composition=meant), brand))["overlap"] is grade
    unmeant = replace(meant, intended_overlaps=())
    assert grades(_assess(replace(subject, composition=unmeant), brand))["overlap"] is not Grade.PASS
