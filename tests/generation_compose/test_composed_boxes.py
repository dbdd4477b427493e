"""Every layout in every placement: nothing clipped, nothing overlapping, everything in the safe area."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from generation.compose import Composed, Composer
from generation.composition.colour import contrast_map, luminance_map, rgb_of
from generation.layouts import LAYOUTS, layout, layout_names, stand_for
from generation.placements import load_placements
from proofsheet.domain.asset import Box
from proofsheet.domain.campaign import Product
from proofsheet.errors import InputError

pytestmark = pytest.mark.slow

PLACEMENTS = load_placements()
SHAPES = (
    "meta_feed_portrait",
    "meta_story",
    "meta_feed_landscape",
    "google_pmax_square",
    "pinterest_pin",
    "display_300x250",
    "display_728x90",
    "display_160x600",
    "display_320x50",
    "display_970x250",
)


def within(box: Box, outer: Box) -> bool:
    """Whether a box lies in another."""
    return box.left >= outer.left and box.top >= outer.top and box.right <= outer.right and box.bottom <= outer.bottom


@pytest.fixture(scope="module")
def made(composer: Composer, make_recipe, drawn) -> dict[tuple[str, str], Composed]:
    """Every layout in every shape, composed once on a calm scene."""
    return {
        (name, place): composer.compose_on(
            drawn.gradient(PLACEMENTS[place].width, PLACEMENTS[place].height),
            make_recipe(name, PLACEMENTS[place]),
            PLACEMENTS[place],
            drawn.stage_for(name, PLACEMENTS[place]),
        )
        for name in LAYOUTS
        for place in SHAPES
    }


@pytest.mark.parametrize("place", SHAPES)
@pytest.mark.parametrize("name", layout_names())
def test_everything_is_inside_and_apart(made, name: str, place: str) -> None:
    found = made[name, place]
    parts = found.composition
    assert found.image.size == (PLACEMENTS[place].width, PLACEMENTS[place].height)
    assert found.image.mode == "RGB"
    boxes = {"product": parts.product, "logo": parts.logo, "button": parts.button}
    boxes |= {run.role: run.box for run in parts.texts if run.role in {"headline", "cta", "wordmark"}}
    assert {"headline", "cta", "wordmark"} <= set(boxes)
    for role, box in boxes.items():
        assert box is not None
        assert within(box, parts.safe), f"{role} {box} leaves the safe area {parts.safe}"
        assert box.width > 0
        assert box.height > 0
    assert within(boxes["cta"], parts.button)
    apart = ["product", "button", "headline", "logo"]
    for index, one in enumerate(apart):
        for other in apart[index + 1 :]:
            if {one, other} == {"product", "headline"} and layout(name).overlaps:
                continue
            assert not boxes[one].overlaps(boxes[other]), f"{one} overlaps {other}: {boxes[one]} {boxes[other]}"


@pytest.mark.parametrize("name", layout_names())
def test_headlines_have_few_lines_and_a_readable_size(made, name: str) -> None:
    for place in SHAPES:
        run = next(run for run in made[name, place].composition.texts if run.role == "headline")
        assert 1 <= len(run.lines) <= 3
        assert run.size >= (9 if "320x50" in place else 11)
        assert " ".join(run.lines) == "Slow brewed, wide awake."


def test_product_is_large_enough(made) -> None:
    for (name, place), found in made.items():
        share = found.composition.product.height / PLACEMENTS[place].height
        least = {"meta_story": 0.24, "google_pmax_square": 0.3, "display_160x600": 0.3, "display_300x250": 0.33}
        assert share >= least.get(place, 0.4), f"{name} in {place}: {share:.2f}"
        assert share <= 0.9


def test_ink_contrasts_with_the_pixels_around_it(made) -> None:
    for (name, place), found in made.items():
        run = next(run for run in found.composition.texts if run.role == "headline")
        area = (run.box.left, run.box.top, run.box.right, run.box.bottom)
        pixels = np.asarray(found.image.crop(area))
        ratios = contrast_map(rgb_of(run.ink), luminance_map(pixels))
        ground = ratios[ratios > 1.6]  # without the letters themselves
        assert np.median(ground) >= 4.5, f"{name} in {place}"


def test_layouts_look_different_at_thumbnail_size(made) -> None:
    for place in ("meta_feed_portrait", "meta_feed_landscape"):
        small = {
            name: np.asarray(made[name, place].image.convert("L").resize((24, 24))).astype(float) for name in LAYOUTS
        }
        names = list(small)
        for index, one in enumerate(names):
            for other in names[index + 1 :]:
                difference = np.abs(small[one] - small[other]).mean()
                assert difference > 7, f"{one} and {other} look alike in {place}: {difference:.1f}"


def test_equal_input_gives_equal_pixels(composer: Composer, make_recipe, drawn) -> None:
    place = PLACEMENTS["display_300x250"]
    one, other = (
        composer.compose_on(
            drawn.noise(300, 250), make_recipe("column", place), place, drawn.stage_for("column", place)
        )
        for _ in range(2)
    )
    assert one.image.tobytes() == other.image.tobytes()
    assert one.composition == other.composition


@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (2.0, 0.6, 1.6), (0.7, 0.9, 1.5)])
def test_the_product_keeps_its_colours_in_any_light(composer: Composer, make_recipe, drawn, tint) -> None:
    place = PLACEMENTS["meta_feed_square"]
    stage = replace(drawn.stage_for("hero", place), tint=tint)
    found = composer.compose_on(drawn.gradient(1080, 1080), make_recipe("hero", place), place, stage)
    box = found.composition.product
    middle = (box.left + box.right) // 2
    top = box.top + box.height * 6 // 10
    label = np.asarray(found.image.crop((middle - 20, top, middle + 20, top + box.height // 10)))
    assert np.abs(label.reshape(-1, 3).mean(axis=0) - np.array([240, 230, 210])).max() < 9


def test_shadows_darken_the_ground_beside_the_foot(composer: Composer, make_recipe, drawn) -> None:
    place = PLACEMENTS["meta_feed_square"]
    stage = drawn.stage_for("column", place)
    scene = drawn.gradient(1080, 1080)
    found = composer.compose_on(scene, make_recipe("column", place), place, stage)
    box = found.composition.product
    beside = (box.right + 4, box.bottom - 12, box.right + 24, box.bottom - 4)  # light from the left
    assert np.asarray(found.image.crop(beside)).mean() < 0.93 * np.asarray(scene.crop(beside)).mean()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_busy_scene_is_calmed_until_words_can_be_read(composer: Composer, make_recipe, seed: int, drawn) -> None:
    place = PLACEMENTS["meta_feed_portrait"]
    stage = drawn.stage_for("centered", place)
    found = composer.compose_on(drawn.noise(1080, 1350, seed), make_recipe("centered", place), place, stage)
    assert any("calmed" in note or "plate" in note for note in found.notes)
    run = next(run for run in found.composition.texts if run.role == "headline")
    area = (run.box.left, run.box.top, run.box.right, run.box.bottom)
    ratios = contrast_map(rgb_of(run.ink), luminance_map(np.asarray(found.image.crop(area))))
    assert np.percentile(ratios[ratios > 1.6], 10) >= 3.0


def test_an_offer_is_set_and_recorded(composer: Composer, make_recipe, drawn) -> None:
    place = PLACEMENTS["meta_feed_portrait"]
    for name in layout_names():
        recipe = make_recipe(name, place, offer="20 % off the first case")
        found = composer.compose_on(drawn.gradient(1080, 1350), recipe, place, drawn.stage_for(name, place))
        offer = next(run for run in found.composition.texts if run.role == "offer")
        others = [found.composition.button, found.composition.logo, found.composition.product]
        assert within(offer.box, found.composition.safe)
        assert not any(box and box.overlaps(offer.box) for box in others), name


def test_scenes_of_another_size_are_cropped_with_their_stand(composer: Composer, make_recipe, drawn) -> None:
    place = PLACEMENTS["meta_feed_portrait"]
    stage = drawn.stage_for("centered", place)
    found = composer.compose_on(drawn.gradient(800, 832), make_recipe("centered", place), place, stage)
    assert found.image.size == (1080, 1350)
    box = found.composition.product
    assert abs((box.left + box.right) / 2 - 540) <= 2


def test_long_words_are_refused_with_the_text_and_the_place(composer: Composer, make_recipe, drawn) -> None:
    place = PLACEMENTS["display_320x50"]
    recipe = make_recipe("column", place, headline="Donaudampfschifffahrtsgesellschaftskapitänsmütze für jedermann")
    with pytest.raises(InputError, match="does not fit the layout column in display_320x50") as caught:
        composer.compose_on(drawn.gradient(320, 50), recipe, place, drawn.stage_for("column", place))
    assert "Shorten it" in caught.value.hint


def test_a_missing_glyph_is_named(composer: Composer, make_recipe, drawn) -> None:
    place = PLACEMENTS["meta_feed_square"]
    recipe = make_recipe("column", place, headline="Kaffee 珈琲")
    with pytest.raises(InputError, match=r"manrope has no glyph for 珈 \(U\+73C8\), 琲"):
        composer.compose_on(drawn.gradient(1080, 1080), recipe, place, drawn.stage_for("column", place))


def test_an_unknown_layout_names_the_nearest() -> None:
    with pytest.raises(InputError, match="'colum' is not known") as caught:
        layout("colum")
    assert "'column'" in caught.value.hint


def test_stands_are_inside_the_picture() -> None:
    for place in PLACEMENTS.values():
        for name in layout_names():
            x, y, width = stand_for(name, place)
            assert 0 < x < 1
            assert 0.3 < y < 1
            assert 0 < width <= 1


def test_the_logo_keeps_its_clear_space_or_says_so(bottle_file, brand, make_recipe, drawn) -> None:
    place = PLACEMENTS["meta_feed_portrait"]
    wide = Composer(replace(brand, clear_space=2.0), Product(name="Bottle", image=bottle_file))
    for name in layout_names():
        found = wide.compose_on(
            drawn.gradient(1080, 1350), make_recipe(name, place), place, drawn.stage_for(name, place)
        )
        logo = found.composition.logo
        free = 2 * logo.height
        clear = Box(left=logo.left - free, top=logo.top - free, right=logo.right + free, bottom=logo.bottom + free)
        headline = next(run for run in found.composition.texts if run.role == "headline")
        boxes = (headline.box, found.composition.button, found.composition.product)
        noted = [note for note in found.notes if "clear space" in note]
        assert len(noted) == sum(clear.overlaps(box) for box in boxes)
        if name in {"column", "editorial"}:
            assert not clear.overlaps(headline.box)


def test_a_logo_picture_is_kept_unless_it_would_not_show(tmp_path, bottle_file, brand, make_recipe, drawn) -> None:
    place = PLACEMENTS["meta_feed_portrait"]
    mark = Image.new("RGBA", (200, 60))
    mark.paste((12, 36, 39, 255), (10, 10, 190, 50))
    mark.save(tmp_path / "logo.png")
    with_logo = Composer(replace(brand, logo=tmp_path / "logo.png"), Product(name="Bottle", image=bottle_file))
    for ground, kept in (((240, 232, 220), True), ((20, 40, 44), False)):
        scene = drawn.gradient(1080, 1350, ground)
        found = with_logo.compose_on(scene, make_recipe("column", place), place, drawn.stage_for("column", place))
        box = found.composition.logo
        inside = np.asarray(found.image.crop((box.left + 4, box.top + 4, box.right - 4, box.bottom - 4)))
        colour = inside.reshape(-1, 3).mean(axis=0)
        assert bool(np.abs(colour - np.array([12, 36, 39])).max() < 3) is kept
        assert any("logo is printed" in note for note in found.notes) is not kept
        assert not any(run.role == "wordmark" for run in found.composition.texts)


def test_small_things_behind_words_are_blurred_away(composer: Composer, make_recipe, drawn) -> None:
    place = PLACEMENTS["meta_feed_square"]
    scene = drawn.gradient(1080, 1080, (120, 210, 220))
    rng = np.random.default_rng(2)
    for x, y in rng.integers(0, 1060, (900, 2)).tolist():
        scene.paste((240, 120, 30), (x, y, x + 14, y + 9))
    stage = drawn.stage_for("editorial", place)
    found = composer.compose_on(scene, make_recipe("editorial", place), place, stage)
    run = next(run for run in found.composition.texts if run.role == "headline")
    area = (run.box.left, run.box.top - 14, run.box.right, run.box.top - 2)
    assert (
        np.asarray(found.image.crop(area).convert("L")).std() < 0.75 * np.asarray(scene.crop(area).convert("L")).std()
    )
    assert any("calmed" in note for note in found.notes)
