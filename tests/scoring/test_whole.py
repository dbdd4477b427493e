"""Whole: what covers, cuts or repaints an element is found and boxed; resampling and compression are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw

from proofsheet.domain.assessment import Action, Grade, Verdict
from proofsheet.domain.asset import Box, TextRun
from proofsheet.domain.campaign import BrandKit
from proofsheet.domain.prints import Print, pack_points, unpack_points
from scoring.contrast import role_word
from scoring.scorer import Subject
from scoring.whole import WholeScorer, words_set

Spoil = Callable[[ImageDraw.ImageDraw], None]
PRODUCT = Box(left=380, top=180, right=540, bottom=560)


@pytest.fixture
def printed(clean: Subject) -> Subject:
    """The clean advertisement with prints of its product, brand name and headline."""
    assert clean.composition is not None
    pixels = np.asarray(clean.image().convert("RGB"))
    prints = [_squares(pixels, replace(PRODUCT, left=400, top=220, right=520, bottom=520), 20)]
    prints += [_strokes(pixels, run) for run in clean.composition.texts]
    return _kept(clean, replace(clean.composition, prints=tuple(prints)))


def _kept(subject: Subject, composition: object) -> Subject:
    return replace(subject, composition=composition)  # type: ignore[arg-type]


def _squares(pixels: np.ndarray, box: Box, side: int) -> Print:
    points = [
        (x, y, *pixels[y : y + side, x : x + side].mean(axis=(0, 1)).round().astype(int).tolist())
        for x in range(box.left, box.right, side)
        for y in range(box.top, box.bottom, side)
    ]
    return Print(role="product", side=side, drawn=pack_points(points))


def _strokes(pixels: np.ndarray, run: TextRun) -> Print:
    part = pixels[run.box.top : run.box.bottom, run.box.left : run.box.right].astype(int)
    ink = np.abs(part - [int(run.ink[i : i + 2], 16) for i in (1, 3, 5)]).max(axis=2) < 4
    packed = []
    for mask, count in ((ink, 64), (~ink, 32)):
        x, y = np.nonzero(mask.T)
        rows = [(x[i], y[i]) for i in np.linspace(0, len(x) - 1, count).astype(int)]
        packed.append(pack_points((run.box.left + a, run.box.top + b, *part[b, a].tolist()) for a, b in rows))
    return Print(role=run.role, side=1, drawn=packed[0], around=packed[1])


def _after(subject: Subject, spoil: Spoil) -> Subject:
    picture = subject.image().convert("RGB")
    spoil(ImageDraw.Draw(picture))
    return replace(subject, image=lambda: picture)


def _judged(subject: Subject, brand: BrandKit) -> dict[str, Verdict]:
    return {one.criterion: one for one in next(WholeScorer().assess([subject], brand)).verdicts}


def _box(subject: Subject, role: str) -> Box:
    assert subject.composition is not None
    return next(run.box for run in subject.composition.texts if run.role == role)


def test_what_is_as_composed_passes(printed: Subject, brand: BrandKit) -> None:
    judged = _judged(printed, brand)
    assert set(judged) == {"product_unchanged", "logo_whole", "text_whole"}
    assert {one.grade for one in judged.values()} == {Grade.PASS}
    assert not any(one.boxes or one.action for one in judged.values())


@pytest.mark.parametrize("quality", [90, 75])
def test_compression_passes(printed: Subject, brand: BrandKit, quality: int) -> None:
    buffer = BytesIO()
    printed.image().convert("RGB").save(buffer, "JPEG", quality=quality)
    judged = _judged(replace(printed, image=lambda: Image.open(buffer)), brand)
    assert {one.grade for one in judged.values()} == {Grade.PASS}, judged


def test_resampling_passes(printed: Subject, brand: BrandKit) -> None:
    larger = printed.image().convert("RGB").resize((960, 960), Image.Resampling.LANCZOS)
    judged = _judged(replace(printed, image=lambda: larger), brand)
    assert {one.grade for one in judged.values()} == {Grade.PASS}, judged


def test_a_sticker_on_the_product_is_found_and_boxed(printed: Subject, brand: BrandKit) -> None:
    verdict = _judged(_after(printed, lambda pen: pen.rectangle((440, 300, 479, 359), "#c02020")), brand)[
        "product_unchanged"
    ]
    assert verdict.grade is Grade.FAIL
    assert verdict.boxes == (Box(left=440, top=300, right=480, bottom=360),)
    assert verdict.action == Action.RE_COMPOSE


def test_a_repainted_product_is_found(printed: Subject, brand: BrandKit) -> None:
    judged = _judged(_after(printed, lambda pen: pen.rectangle((380, 180, 539, 559), "#3f6f5c")), brand)
    assert judged["product_unchanged"].grade is Grade.FAIL
    assert judged["text_whole"].grade is Grade.PASS


@pytest.mark.parametrize(("role", "criterion"), [("headline", "text_whole"), ("wordmark", "logo_whole")])
@pytest.mark.parametrize("colour", ["#c02020", "#d6e6de", "#15201d"])  # a cover; the ground's colour; the ink's
def test_a_cut_end_is_found(role: str, criterion: str, colour: str, printed: Subject, brand: BrandKit) -> None:
    box = _box(printed, role)
    start = box.left + round(0.8 * box.width)
    judged = _judged(_after(printed, lambda pen: pen.rectangle((start, box.top, box.right, box.bottom), colour)), brand)
    assert judged[criterion].grade is Grade.FAIL
    assert judged[criterion].boxes[0].left >= start
    assert {name for name, one in judged.items() if one.grade is not Grade.PASS} == {criterion}


def test_words_that_are_not_all_set_are_found(printed: Subject, brand: BrandKit) -> None:
    assert printed.composition is not None
    texts = tuple(
        replace(run, box=replace(run.box, left=-100, right=100)) if run.role == "headline" else run
        for run in printed.composition.texts
    )
    over = _kept(printed, replace(printed.composition, texts=texts, prints=printed.composition.prints[:1]))
    verdict = _judged(over, brand)["text_whole"]
    assert verdict.grade is Grade.FAIL
    assert "headline runs over the picture's edge: only 50 %" in verdict.reason
    assert verdict.action == Action.RE_LAYOUT


def test_points_behind_the_product_do_not_count_where_that_is_meant(printed: Subject, brand: BrandKit) -> None:
    assert printed.composition is not None
    box = _box(printed, "headline")
    product = replace(box, left=box.left + box.width // 2)
    spoilt = _after(
        printed, lambda pen: pen.rectangle((product.left, box.top, box.right - 1, box.bottom - 1), "#c02020")
    )
    meant = replace(printed.composition, product=product, intended_overlaps=("headline",))
    assert _judged(spoilt, brand)["text_whole"].grade is Grade.FAIL
    assert _judged(_kept(spoilt, meant), brand)["text_whole"].grade is Grade.PASS


def test_without_prints_nothing_is_judged(clean: Subject, brand: BrandKit) -> None:
    for subject, why in ((clean, "generate it again"), (replace(clean, composition=None), "upload")):
        assessment = next(WholeScorer().assess([subject], brand))
        assert assessment.verdicts == ()
        assert all(score.value is None and why in score.detail for score in assessment.scores)


@pytest.mark.parametrize(
    ("wanted", "found", "share"),
    [
        ("Slow brewed, wide awake.", "Slowbrewed,wideawake.", 1.0),  # lines are joined without a space
        ("Donau\u00addampfer", "Donau-dampfer", 1.0),
        ("Slow brewed", "Slow brew…", 0.8),
        ("Slow", "Slow brewed", 0.4),
        ("Slow", "", 0.0),
    ],
)
def test_words_set(wanted: str, found: str, share: float) -> None:
    assert words_set(wanted, found) == pytest.approx(share)


def test_points_are_packed_without_loss() -> None:
    points = ((0, 0, 0, 0, 0), (65535, 1919, 255, 1, 128))
    assert unpack_points(pack_points(points)) == points
    assert role_word("cta") == "button text"
