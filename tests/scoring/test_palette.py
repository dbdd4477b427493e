"""Palette: dominant colours are found, brand hues recognised in any light, foreign ones caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from proofsheet.domain.assessment import Grade
from proofsheet.domain.campaign import BrandKit, PaletteColour
from scoring.colour import ciede2000, lab_of_rgb, rgb_of_hex
from scoring.dominant import dominant_colours
from scoring.palette import PaletteScorer
from scoring.scorer import Assessment, Subject

Make = Callable[..., Subject]


def _painted(*parts: tuple[str, float]) -> Image.Image:
    """A picture of vertical bands of colour with the given shares."""
    pixels = np.concatenate([np.tile(rgb_of_hex(colour), (round(share * 6400), 1)) for colour, share in parts])
    return Image.fromarray(np.repeat(pixels[None, ::10], 640, axis=0))


def test_dominant_colours_are_the_planted_ones_with_their_shares() -> None:
    image = _painted(("#1f6f5c", 0.5), ("#e9a15b", 0.3), ("#15201d", 0.2))
    found = dominant_colours(np.asarray(image).reshape(-1, 3), 3)
    assert [one.share for one in found] == pytest.approx([0.5, 0.3, 0.2], abs=0.001)
    wanted = lab_of_rgb(np.stack([rgb_of_hex(c) for c in ("#1f6f5c", "#e9a15b", "#15201d")]))
    assert ciede2000(np.array([one.lab for one in found]), wanted).max() < 0.5


def test_dominant_colours_are_the_same_on_every_run_and_never_more_than_there_are() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (4000, 3), dtype=np.uint8)
    assert dominant_colours(noise) == dominant_colours(noise.copy())
    assert sum(one.share for one in dominant_colours(noise)) == pytest.approx(1)
    assert len(dominant_colours(np.full((50, 3), 7, dtype=np.uint8))) == 1
    assert dominant_colours(np.zeros((0, 3), dtype=np.uint8)) == ()


def _assess(subject: Subject, brand: BrandKit) -> Assessment:
    return next(PaletteScorer().assess([subject], brand))


@pytest.mark.parametrize(
    ("bands", "grade"),
    [
        ((("#1f6f5c", 0.6), ("#e9a15b", 0.4)), Grade.PASS),  # the brand's own colours
        ((("#bcd8cd", 0.7), ("#f3d3b2", 0.2), ("#0f3b31", 0.1)), Grade.PASS),  # the same hues, softened and deepened
        ((("#6a3fb0", 0.3), ("#1f6f5c", 0.45), ("#f5f5f5", 0.25)), Grade.REVIEW),  # much violet beside the green
        ((("#6a3fb0", 0.7), ("#c02f8f", 0.3)), Grade.FAIL),  # violet and magenta only
    ],
)
def test_hues_are_judged(
    bands: tuple[tuple[str, float], ...], grade: Grade, brand: BrandKit, make_subject: Make
) -> None:
    verdict = _assess(make_subject(_painted(*bands), name="bands"), brand).verdicts[0]
    assert verdict.grade is grade, verdict.reason
    assert "Fir, Apricot" in verdict.reason
    assert "Paper" not in verdict.reason


def test_the_foreign_colour_is_named(brand: BrandKit, make_subject: Make) -> None:
    verdict = _assess(make_subject(_painted(("#6a3fb0", 0.8), ("#faf7f0", 0.2)), name="violet"), brand).verdicts[0]
    assert "#6a3fb0" in verdict.reason
    assert "#6a3fb0" in verdict.remedy


def test_the_products_own_colour_is_not_held_against_the_scene(brand: BrandKit, make_ad: Make) -> None:
    loud = make_ad(ground=(176, 216, 198), product_colour=(200, 30, 160))
    with_box = _assess(loud, brand)
    without_box = _assess(replace(loud, composition=None), brand)
    assert with_box.verdicts[0].grade is Grade.PASS
    assert without_box.scores[0].value < with_box.scores[0].value - 20  # type: ignore[operator]


def test_exact_share_and_distance_have_the_planted_values(brand: BrandKit, make_subject: Make) -> None:
    scores = _assess(make_subject(_painted(("#1f6f5c", 0.75), ("#6a3fb0", 0.25)), name="exact"), brand).scores
    by_name = {score.criterion: score.value for score in scores}
    gap = ciede2000(lab_of_rgb(rgb_of_hex("#6a3fb0")), lab_of_rgb(np.stack([rgb_of_hex(c.hex) for c in brand.palette])))
    assert by_name["palette_exact"] == pytest.approx(75, abs=0.5)
    assert by_name["palette_distance"] == pytest.approx(0.25 * gap.min(), abs=0.3)


def test_grey_pictures_and_grey_brands_are_not_judged(brand: BrandKit, make_subject: Make) -> None:
    grey = _assess(make_subject(_painted(("#888888", 0.5), ("#f2f2f2", 0.5)), name="grey"), brand)
    assert grey.verdicts == ()
    assert grey.scores[0].value is None
    assert "grey" in grey.scores[0].detail
    black = replace(brand, palette=(PaletteColour(name="Black", hex="#000000"),))
    assert _assess(make_subject(_painted(("#6a3fb0", 1.0)), name="any"), black).verdicts == ()
