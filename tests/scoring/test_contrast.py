"""Contrast: exact on planted grounds, blind to the ink itself, and not fooled where text vanishes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from proofsheet.domain.assessment import Grade
from proofsheet.domain.asset import Box, TextRun
from proofsheet.domain.campaign import BrandKit
from scoring.colour import contrast_ratio, rgb_of_hex
from scoring.contrast import ContrastScorer, shown_scale
from scoring.scorer import Subject
from scoring.verdict import load_rules

Make = Callable[..., Subject]


def _set(
    ground: Image.Image, ink: str, size: int, lines: tuple[str, ...] = ("Slow brewed, wide",)
) -> tuple[np.ndarray, TextRun]:
    """Text set on a ground at (20, 10), and the run that says so."""
    image = ground.copy()
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size)
    right, top = 20, 10
    for line in lines:
        box = pen.textbbox((20, top), line, font=font)
        pen.text((20, top), line, font=font, fill=ink)
        right, top = max(right, int(box[2])), int(box[3]) + 2
    run = TextRun(
        role="headline",
        text=" ".join(lines),
        lines=lines,
        box=Box(left=20, top=10, right=right, bottom=top),
        size=float(size),
        ink=ink,
        font="default",
    )
    return np.asarray(image), run


def _ratio(one: str, other: str) -> float:
    return float(contrast_ratio(rgb_of_hex(one), rgb_of_hex(other)))


@pytest.mark.parametrize("size", [11, 14, 20, 36, 64])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("#15201d", "#faf7f0"),
        ("#faf7f0", "#15201d"),
        ("#1f6f5c", "#f3d3b2"),
        ("#767676", "#ffffff"),
        ("#9a9a9a", "#c8c8c8"),
        ("#404040", "#303030"),
        ("#ffffff", "#ffffff"),
    ],
)
def test_an_even_ground_gives_its_very_ratio(ink: str, ground: str, size: int) -> None:
    pixels, run = _set(Image.new("RGB", (900, 140), ground), ink, size)
    # Only type too thin to show its ink's full colour leaves room for doubt about where its edges end.
    exact = pytest.approx(_ratio(ink, ground), rel=1e-9 if size >= 20 else 0.12)
    assert ContrastScorer().read(pixels, run).ratio == exact


def test_dither_does_not_change_the_reading() -> None:
    noise = np.random.default_rng(1).integers(-2, 3, (140, 900, 3))
    ground = Image.fromarray((np.full((140, 900, 3), 210) + noise).astype(np.uint8))
    pixels, run = _set(ground, "#15201d", 40)
    assert ContrastScorer().read(pixels, run).ratio == pytest.approx(_ratio("#15201d", "#d2d2d2"), rel=0.03)


@pytest.mark.parametrize("patch", ["#777777", "#15201d", "#2a2a2a"])
def test_one_bad_patch_behind_a_line_is_what_counts(patch: str) -> None:
    ground = Image.new("RGB", (900, 140), "#faf7f0")
    ImageDraw.Draw(ground).rectangle((150, 0, 240, 139), fill=patch)
    pixels, run = _set(ground, "#15201d", 48)
    assert ContrastScorer().read(pixels, run).ratio == pytest.approx(_ratio("#15201d", patch), rel=0.01)


def test_a_bad_patch_behind_the_second_line_is_not_diluted_by_the_first() -> None:
    ground = Image.new("RGB", (900, 240), "#ffffff")
    ImageDraw.Draw(ground).rectangle((20, 62, 60, 120), fill="#8a8a8a")
    pixels, run = _set(ground, "#707070", 40, ("A very long first line here", "Short"))
    assert ContrastScorer().read(pixels, run).ratio < 1.6


def test_a_dark_thing_beside_the_text_is_not_behind_it() -> None:
    ground = Image.new("RGB", (900, 240), "#faf7f0")
    # The end of the short second line: inside the box, but no letter stands there.
    ImageDraw.Draw(ground).rectangle((500, 70, 640, 140), fill="#15201d")
    pixels, run = _set(ground, "#15201d", 48, ("A very long first line here", "Shorter one here"))
    assert ContrastScorer().read(pixels, run).ratio == pytest.approx(_ratio("#15201d", "#faf7f0"), rel=1e-6)


def test_a_gradient_is_read_at_its_bad_end() -> None:
    ramp = np.linspace(255, 60, 900)[None, :, None].repeat(140, 0).repeat(3, 2).astype(np.uint8)
    pixels, run = _set(Image.fromarray(ramp), "#202020", 44)
    worst_ground = pixels[0, run.box.right - 5]
    wanted = float(contrast_ratio(worst_ground, rgb_of_hex("#202020")))
    reading = ContrastScorer().read(pixels, run)
    assert wanted <= reading.ratio <= wanted * 1.25


@pytest.mark.parametrize(
    ("ground", "grade"), [((214, 230, 222), Grade.PASS), ((110, 118, 114), Grade.PASS), ((40, 60, 54), Grade.FAIL)]
)
def test_the_verdict_follows_the_ground(
    ground: tuple[int, int, int], grade: Grade, make_ad: Make, brand: BrandKit
) -> None:
    assessment = next(ContrastScorer().assess([make_ad(ground=ground)], brand))
    (verdict,) = assessment.verdicts
    assert verdict.grade is grade, verdict.reason
    if grade is Grade.FAIL:
        assert "lighten the ground" in verdict.remedy
        assert "headline" in verdict.reason or "brand name" in verdict.reason


def test_small_text_needs_more_than_large(make_ad: Make, brand: BrandKit) -> None:
    # 3.5:1: enough for the large headline and the logo, too little for a small button text.
    spoilt = make_ad(patches=((Box(left=48, top=320, right=268, bottom=380), (21, 32, 29)),))
    assert spoilt.composition is not None
    headline, cta, wordmark = spoilt.composition.texts
    grey = replace(cta, ink="#7a7a7a")
    image = spoilt.image().convert("RGB")
    pen = ImageDraw.Draw(image)
    pen.rectangle((60, 325, 250, 375), fill="#15201d")
    pen.text((cta.box.left, cta.box.top), cta.text, font=ImageFont.load_default(24), fill="#7a7a7a")
    subject = replace(
        spoilt, image=lambda: image, composition=replace(spoilt.composition, texts=(headline, grey, wordmark))
    )
    (verdict,) = next(ContrastScorer().assess([subject], brand)).verdicts
    assert verdict.grade is Grade.FAIL
    assert "button text" in verdict.reason
    assert "lighter ink" in verdict.remedy


def test_what_counts_as_large_depends_on_how_wide_it_is_shown() -> None:
    scorer, rules = ContrastScorer(), load_rules()
    run = TextRun(
        role="headline",
        text="x",
        lines=("x",),
        box=Box(left=0, top=0, right=9, bottom=9),
        size=30,
        ink="#000000",
        font="Manrope",
    )
    assert scorer.is_large(run, 728, 90)
    assert not scorer.is_large(run, 1080, 1350)
    assert scorer.is_large(replace(run, size=70.0), 1080, 1350)
    assert scorer.is_large(replace(run, size=19.0, font="Manrope ExtraBold"), 300, 250)
    assert not scorer.is_large(replace(run, size=19.0), 300, 250)
    assert shown_scale(1080, 1920, rules) == pytest.approx(375 / 1080)
    assert shown_scale(160, 600, rules) == 1.0


def test_an_upload_gets_no_verdict(make_subject: Make, brand: BrandKit) -> None:
    assessment = next(ContrastScorer().assess([make_subject(Image.new("RGB", (64, 64)), name="upload")], brand))
    assert assessment.verdicts == ()
    assert assessment.scores[0].value is None
    assert "upload" in assessment.scores[0].detail


def test_very_large_type_whose_ink_is_not_found_is_judged_by_all_its_ground() -> None:
    noise = np.random.default_rng(4).integers(90, 110, (400, 1000, 3)).astype(np.uint8)
    run = TextRun(
        role="headline",
        text="gone",
        lines=("gone",),
        box=Box(left=0, top=0, right=1000, bottom=400),
        size=220.0,
        ink="#faf7f0",
        font="default",
    )
    wanted = float(contrast_ratio(np.full(3, 108, dtype=np.uint8), rgb_of_hex("#faf7f0")))
    assert ContrastScorer().read(noise, run).ratio == pytest.approx(wanted, rel=0.1)
