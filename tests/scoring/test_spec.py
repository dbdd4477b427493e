"""Spec: sizes, bytes, formats and headline lengths, for generated assets and for uploads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from proofsheet.domain.assessment import Grade, Verdict
from proofsheet.domain.asset import Origin
from proofsheet.domain.campaign import BrandKit
from scoring.scorer import Assessment, Subject
from scoring.spec import SpecScorer, compressed_size

Make = Callable[..., Subject]
Grades = Callable[[Assessment], dict[str, Grade]]


def _assess(subject: Subject, brand: BrandKit) -> Assessment:
    return next(SpecScorer().assess([subject], brand))


def _verdict(assessment: Assessment, criterion: str) -> Verdict:
    return next(one for one in assessment.verdicts if one.criterion == criterion)


def _noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(2).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_a_clean_advertisement_passes_everything(clean: Subject, brand: BrandKit, grades: Grades) -> None:
    found = grades(_assess(clean, brand))
    assert found == dict.fromkeys(("size", "file_size", "format", "headline_length", "blank"), Grade.PASS)


@pytest.mark.parametrize(
    ("size", "grade", "words"),
    [
        ((640, 640), Grade.PASS, "exactly"),
        ((1280, 1280), Grade.REVIEW, "made smaller"),
        ((642, 640), Grade.REVIEW, "made smaller"),
        ((320, 320), Grade.FAIL, "too small"),
        ((640, 800), Grade.FAIL, "ratio 0.80 should be 1.00"),
        ((639, 640), Grade.FAIL, "too small"),
    ],
)
def test_sizes(size: tuple[int, int], grade: Grade, words: str, make_subject: Make, brand: BrandKit) -> None:
    subject = make_subject(_noise(*size), name="upload", origin=Origin.UPLOADED, file_format="jpeg")
    verdict = _verdict(_assess(subject, brand), "size")
    assert verdict.grade is grade
    assert words in verdict.reason


def test_a_heavy_master_passes_when_its_delivery_fits(make_subject: Make, brand: BrandKit) -> None:
    soft = Image.fromarray(np.asarray(_noise(640, 640)) // 32 + 120)
    subject = make_subject(soft, name="master")
    assert subject.data_size > subject.placement.max_bytes
    verdict = _verdict(_assess(subject, brand), "file_size")
    assert verdict.grade is Grade.PASS
    assert "Compressed for delivery" in verdict.reason


def test_what_cannot_be_compressed_enough_fails(make_subject: Make, brand: BrandKit) -> None:
    subject = make_subject(_noise(640, 640), name="grain")
    least = compressed_size(subject.image(), ("jpeg", "png"))
    assert least is not None
    assert least > subject.placement.max_bytes
    verdict = _verdict(_assess(subject, brand), "file_size")
    assert verdict.grade is Grade.FAIL
    assert f"{least / 1000:.0f} KB" in verdict.reason
    fits = replace(subject, placement=replace(subject.placement, max_bytes=least))
    assert _verdict(_assess(fits, brand), "file_size").grade is Grade.PASS
    short = replace(subject, placement=replace(subject.placement, max_bytes=least - 1))
    assert _verdict(_assess(short, brand), "file_size").grade is Grade.FAIL


def test_a_heavy_upload_is_shown_to_a_person(make_subject: Make, brand: BrandKit) -> None:
    soft = Image.fromarray(np.asarray(_noise(640, 640)) // 32 + 120)
    subject = make_subject(soft, name="upload", origin=Origin.UPLOADED)
    assert _verdict(_assess(subject, brand), "file_size").grade is Grade.REVIEW


def test_formats(make_subject: Make, brand: BrandKit) -> None:
    upload = make_subject(_noise(640, 640), name="upload", origin=Origin.UPLOADED, file_format="webp")
    verdict = _verdict(_assess(upload, brand), "format")
    assert verdict.grade is Grade.REVIEW
    assert "WEBP" in verdict.reason
    assert "JPEG or PNG" in verdict.reason
    only_jpeg = replace(upload.placement, formats=("jpeg",))
    master = replace(make_subject(_noise(640, 640), name="master"), placement=only_jpeg)
    assert _verdict(_assess(master, brand), "format").grade is Grade.PASS


def test_a_long_headline_is_counted(make_ad: Make, brand: BrandKit) -> None:
    verdict = _verdict(_assess(make_ad(headline=("Slow brewed and wide awake", "all day.")), brand), "headline_length")
    assert verdict.grade is Grade.REVIEW
    assert "35 characters" in verdict.reason
    assert "by 8 characters" in verdict.remedy


@pytest.mark.parametrize(
    ("forbidden", "grade"),
    [(("miracle", "BREWED"), Grade.FAIL), (("brew", "rewed"), Grade.PASS), (("C++",), Grade.PASS)],
)
def test_forbidden_words_are_found_as_whole_words(
    forbidden: tuple[str, ...], grade: Grade, clean: Subject, brand: BrandKit
) -> None:
    verdict = _verdict(_assess(clean, replace(brand, forbidden_words=forbidden)), "wording")
    assert verdict.grade is grade
    assert ("“BREWED”" in verdict.reason) is (grade is Grade.FAIL)


@pytest.mark.parametrize("colour", ["#000000", "#faf7f0"])
def test_an_empty_picture_fails(colour: str, make_subject: Make, brand: BrandKit) -> None:
    verdict = _verdict(_assess(make_subject(Image.new("RGB", (640, 640), colour), name="empty"), brand), "blank")
    assert verdict.grade is Grade.FAIL
