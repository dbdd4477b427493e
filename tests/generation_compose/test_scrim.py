"""One ink per picture, and grounds that are calmed by light that falls off, never by a patch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from generation.compose import Composed, Composer
from generation.composition.colour import contrast_map, luminance, luminance_map, rgb_of
from generation.composition.ground import readable_ink
from generation.composition.scrim import draw_scrim, falls_for
from generation.layouts import layout_names
from generation.placements import load_placements
from proofsheet.domain.asset import Box
from proofsheet.domain.campaign import BrandKit, PaletteColour, Product

pytestmark = pytest.mark.slow

PLACEMENTS = load_placements()
INK, PAPER = (12, 36, 39), (249, 243, 231)
MIDDLE_GREEN = (84, 128, 104)  # neither ink nor paper has 4.5 : 1 on it
WORDS, PRODUCT = Box(left=70, top=490, right=560, bottom=880), Box(left=640, top=360, right=950, bottom=1190)


def middle_ground(width: int = 1080, height: int = 1350) -> Image.Image:
    """A calm ground of a middle tone."""
    across = np.linspace(1.05, 0.94, width)[None, :, None] * np.ones((height, 1, 1))
    return Image.fromarray((across * np.array(MIDDLE_GREEN)).astype(np.uint8))


def change_map(before: Image.Image, after: Image.Image) -> np.ndarray:
    """By how many levels (0–255) a picture changed, without dither and rounding: shape (height, width)."""
    difference = np.asarray(after).astype(np.float32) - np.asarray(before).astype(np.float32)
    return np.asarray(ndimage.uniform_filter(difference.mean(axis=2), 9, mode="nearest"))


@pytest.fixture(scope="module")
def with_logo(tmp_path_factory, bottle_file) -> Composer:
    """A brand with a dark logo of one colour."""
    mark = Image.new("RGBA", (200, 60))
    for left, right in ((10, 60), (80, 120), (140, 190)):
        mark.paste((*INK, 255), (left, 10, right, 50))
    path = tmp_path_factory.mktemp("logo") / "logo.png"
    mark.save(path)
    palette = (
        PaletteColour(name="Teal", hex="#0a737b", role="primary"),
        PaletteColour(name="Ink", hex="#0c2427", role="ink"),
        PaletteColour(name="Paper", hex="#f9f3e7", role="paper"),
    )
    return Composer(
        BrandKit(name="Test", wordmark="Test", palette=palette, logo=path), Product(name="Bottle", image=bottle_file)
    )


def on_middle_ground(with_logo: Composer, make_recipe, drawn, name: str, place_name: str) -> Composed:
    """A layout with an offer on the middle ground."""
    place = PLACEMENTS[place_name]
    recipe = make_recipe(name, place, headline="Wide awake in a minute", offer="Free delivery")
    scene = middle_ground(place.width, place.height)
    return with_logo.compose_on(scene, recipe, place, drawn.stage_for(name, place))


def test_a_middle_ground_is_calmed_by_light_that_reaches_the_edge_and_has_no_border() -> None:
    before = middle_ground()
    after = before.copy()
    reading = readable_ink(after, [(WORDS, 5.0)], (INK, PAPER), 90, 25, product=PRODUCT)
    assert reading.legibility >= 1
    assert reading.ink == PAPER  # which suits a ground on the dark side
    assert "scrim" in reading.note
    change = change_map(before, after)
    assert change.min() < -8
    slope = np.hypot(*np.gradient(change))
    assert slope.max() < 0.35  # levels a pixel: the old patch had over 2
    # As strong at the picture's edge as anywhere, and next to nothing behind the product.
    edges = change[:, 0].min(), change[0].min()
    assert min(edges) <= change.min() + 2.5
    assert abs(change[600:1100, PRODUCT.right :]).max() < 2.5


@pytest.mark.parametrize("darker", [True, False])
def test_a_scrim_is_dithered_and_leaves_what_it_does_not_reach(darker: bool) -> None:
    before = Image.new("RGB", (1080, 600), MIDDLE_GREEN)
    after = before.copy()
    fall = falls_for(Box(left=70, top=200, right=400, bottom=400), PRODUCT, 1080, 600)[0]
    draw_scrim(after, fall, 0.4, MIDDLE_GREEN, darker=darker)
    levels = np.asarray(after).astype(int)
    assert np.array_equal(levels[:, 900:], np.asarray(before)[:, 900:])
    assert bool(levels[300, 10].mean() < 105) is darker
    columns = levels.mean(axis=(0, 2))
    steps = np.abs(np.diff(columns))
    assert steps.max() < 0.6  # no band: each column's mean moves by less than a level
    assert np.abs(columns[10] - np.mean(MIDDLE_GREEN)) > 8


def test_a_plain_ground_is_left_alone() -> None:
    before = Image.new("RGB", (1080, 1350), (228, 216, 198))
    after = before.copy()
    reading = readable_ink(after, [(WORDS, 5.0)], (PAPER, INK), 90, 25, product=PRODUCT)
    assert reading.ink == INK
    assert reading.note == ""
    assert after.tobytes() == before.tobytes()


@pytest.mark.parametrize("place", ["meta_feed_portrait", "meta_story", "meta_feed_landscape", "display_728x90"])
@pytest.mark.parametrize("name", layout_names())
def test_logo_and_words_share_one_ink_and_the_logo_shows(with_logo, make_recipe, drawn, name: str, place: str) -> None:
    found = on_middle_ground(with_logo, make_recipe, drawn, name, place)
    inks = {run.ink for run in found.composition.texts if run.role in {"headline", "offer"}}
    assert len(inks) == 1
    box = found.composition.logo
    inner = found.image.crop((box.left, box.top, box.right, box.bottom))
    pixels = np.asarray(inner).reshape(-1, 3).astype(int)
    ink = np.array(rgb_of(inks.pop()))
    middle = np.asarray(inner)[box.height // 2, box.width // 2].astype(int)
    if name != "hero":
        assert np.abs(middle - ink).max() <= 3
    own = tuple(int(value) for value in middle)
    far = np.abs(pixels - middle).max(axis=1) > 24
    ground = pixels[far].astype(np.uint8)
    # In a banner the bars are 2 pixels apart: a third of what lies between them is their soft edges.
    assert np.percentile(contrast_map(own, luminance_map(ground)), 40) >= 3.0


def test_the_offer_stands_clear_of_the_headline(with_logo, make_recipe, drawn) -> None:
    for name in layout_names():
        for place in ("meta_feed_portrait", "meta_story"):
            found = on_middle_ground(with_logo, make_recipe, drawn, name, place)
            runs = {run.role: run for run in found.composition.texts}
            headline, offer = runs["headline"], runs["offer"]
            free = offer.box.top - headline.box.bottom - 0.2 * headline.size  # no letter of it descends
            assert free >= 0.45 * offer.size, f"{name} in {place}"
            if name in {"column", "editorial", "panel"}:
                lefts = [headline.box.left, offer.box.left, found.composition.button.left]
                assert max(lefts) - min(lefts) <= 2


@pytest.mark.parametrize(
    "headline", ["Coffee, the northern way.", "Stunden voller Geduld.", "Slow brewed, wide awake."]
)
@pytest.mark.parametrize("place", ["meta_feed_portrait", "meta_story", "meta_feed_square"])
def test_an_editorial_product_only_touches_the_headline(
    composer, make_recipe, drawn, headline: str, place: str
) -> None:
    where = PLACEMENTS[place]
    stage = replace(drawn.stage_for("editorial", where), softness=1.0)
    scene = Image.new("RGB", (where.width, where.height), (228, 216, 198))
    found = composer.compose_on(scene, make_recipe("editorial", where, headline=headline), where, stage)
    run = next(run for run in found.composition.texts if run.role == "headline")
    product = found.composition.product
    across = max(0, min(run.box.right, product.right) - max(run.box.left, product.left))
    down = max(0, run.box.bottom - product.top)
    assert across * down <= 0.12 * run.box.width * run.box.height
    assert down <= 1.0 * run.size  # its cap reaches into the last line only
    assert product.height >= 0.25 * where.height
    assert luminance(rgb_of(run.ink)) < 0.1
