"""What drawn scenes must be: repeatable, sound at every size, smooth, lit from the right side, told apart."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

from generation.scenes import SCENES, STYLES, draw_scene, stage_of
from generation.studio.colour import decode_srgb, linear_to_oklab
from proofsheet.domain.asset import SceneRecipe

Maker = Callable[..., SceneRecipe]

RATIOS = {"9:16": (54, 96), "4:5": (64, 80), "1.91:1": (96, 50), "728x90": (182, 22), "320x50": (128, 20)}

pytestmark = pytest.mark.slow


def lab(image: np.ndarray) -> np.ndarray:
    return np.asarray(linear_to_oklab(decode_srgb(image / 255.0)))


def thumbnail(image: np.ndarray, step: int = 4) -> np.ndarray:
    rows, columns = (side // step * step for side in image.shape[:2])
    cells = lab(image[:rows, :columns]).reshape(rows // step, step, columns // step, step, 3)
    return np.asarray(cells.mean(axis=(1, 3)))


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance of two thumbnails in OKLab."""
    return float(np.sqrt(((a - b) ** 2).sum(axis=-1)).mean())


@pytest.mark.parametrize("kind", sorted(SCENES))
def test_every_kind_is_drawn_at_every_ratio(kind: str, recipe_of: Maker) -> None:
    for name, size in RATIOS.items():
        wide = size[0] > 1.5 * size[1]
        stand = (0.74, 0.88, 0.2 if size[0] < 3 * size[1] else 0.1) if wide else (0.5, 0.86, 0.4)
        with np.errstate(invalid="raise", divide="raise"):
            image = draw_scene(recipe_of(kind, "window_warm", size, stand=stand))
        assert image.shape == (size[1], size[0], 3), name
        assert image.dtype == np.uint8
        assert image.std() > 4, f"{kind} at {name} is flat"
        assert (image.min(axis=-1) >= 254).mean() < 0.35, f"{kind} at {name} is burnt out"
        assert (image.max(axis=-1) <= 2).mean() < 0.35, f"{kind} at {name} is lost in black"


@pytest.mark.parametrize("kind", ["arch_podium", "water", "confetti", "bokeh_night", "snow"])
def test_the_same_recipe_gives_the_same_bytes_and_another_seed_others(kind: str, recipe_of: Maker) -> None:
    first = draw_scene(recipe_of(kind, size=(48, 60)))
    np.testing.assert_array_equal(first, draw_scene(recipe_of(kind, size=(48, 60))))
    assert not np.array_equal(first, draw_scene(recipe_of(kind, size=(48, 60), seed=8)))


@pytest.mark.parametrize("size", [(8, 8), (16, 200), (300, 10)])
def test_odd_sizes_are_drawn_too(size: tuple[int, int], recipe_of: Maker) -> None:
    for kind in ("arch_podium", "sky", "neon", "hills", "tabletop_wood", "snow", "smoke"):
        assert draw_scene(recipe_of(kind, size=size)).shape == (size[1], size[0], 3)


def test_props_keep_off_the_side_that_words_take(recipe_of: Maker) -> None:
    """With the product far right, the lower left of a set with loose props is as calm as plain ground."""
    for kind in ("wet_stone", "hills"):
        image = draw_scene(recipe_of(kind, "overcast", (160, 200), stand=(0.76, 0.86, 0.4)))
        corner = lab(image[164:184, 6:44])[..., 0]
        assert corner.std() < 0.05, kind


def test_the_seed_changes_details_and_keeps_the_composition(recipe_of: Maker) -> None:
    for kind in ("arch_podium", "sand", "paper_layers"):
        pictures = [thumbnail(draw_scene(recipe_of(kind, seed=seed))) for seed in (7, 9)]
        other = thumbnail(draw_scene(recipe_of("bokeh_night")))
        assert apart(*pictures) < 0.6 * apart(pictures[0], other)


def test_gradients_are_dithered_and_show_no_bands(recipe_of: Maker) -> None:
    image = draw_scene(recipe_of("sweep", "soft_north", (300, 375)))[20:160, 20:280].astype(int)
    for channel in range(3):
        rows = image[..., channel]
        same = np.diff(rows, axis=1) == 0
        runs = [len(list(group)) for row in same for equal, group in itertools.groupby(row) if equal]
        assert max(runs) < 26, "long runs of one value are bands"
        smooth = ndimage.gaussian_filter(rows.astype(float), 6)
        assert 0.4 < (rows - smooth).std() < 1.6, "about one level of noise"


@pytest.mark.parametrize("kind", sorted(SCENES))
def test_two_styles_never_look_alike(kind: str, recipe_of: Maker) -> None:
    pictures = {light: thumbnail(draw_scene(recipe_of(kind, light, (32, 40)))) for light in STYLES}
    alike = {(a, b): apart(pictures[a], pictures[b]) for a, b in itertools.combinations(pictures, 2)}
    assert min(alike.values()) > 0.02, f"{kind}: {min(alike, key=lambda pair: alike[pair])} look alike"


def test_two_kinds_never_look_alike(recipe_of: Maker) -> None:
    for light in ("soft_north", "golden_low"):
        pictures = {kind: thumbnail(draw_scene(recipe_of(kind, light, (48, 60)))) for kind in SCENES}
        for a, b in itertools.combinations(pictures, 2):
            assert apart(pictures[a], pictures[b]) > 0.02, f"{a} and {b} look alike under {light}"


@pytest.mark.parametrize("kind", sorted(SCENES))
def test_the_ground_under_the_product_is_calm(kind: str, recipe_of: Maker) -> None:
    size, (x, y, width) = (160, 200), (0.5, 0.8, 0.4)
    image = draw_scene(recipe_of(kind, "overcast", size, stand=(x, y, width)))
    half, column, row = round(0.3 * width * size[0]), round(x * size[0]), round(y * size[1])
    patch = lab(image[row - 3 : row + 3, column - half : column + half])[..., 0]
    assert patch.std() < 0.06


@pytest.mark.parametrize("light", sorted(set(STYLES) - {"overcast", "high_key", "gel_duo", "night"}))
def test_the_podium_is_brighter_on_the_side_of_the_light(light: str, recipe_of: Maker) -> None:
    recipe = recipe_of("sky", light, (240, 300), stand=(0.5, 0.7, 0.4))
    image = lab(draw_scene(recipe))[..., 0]
    # The podium's side, well below its top: a cylinder facing the camera, 0.6 stand widths in radius.
    rows = slice(224, 228)
    left, right = image[rows, 72:92].mean(), image[rows, 148:168].mean()
    assert (left > right) == (stage_of(recipe).light_x < 0)


def test_kinds_take_their_own_parameters(recipe_of: Maker) -> None:
    for kind, name, values in (
        ("pattern", "motif", ("stripes", "dots")),
        ("neon", "shape", ("ring", "bars")),
        ("tabletop_stone", "stone", ("terrazzo", "marble")),
        ("paper_layers", "motif", ("tunnel", "waves")),
        ("tabletop_wood", "wood", ("walnut", "ash")),
        ("sky", "clouds", (0.1, 0.9)),
    ):
        drawn = (draw_scene(recipe_of(kind, size=(64, 80), **{name: value})) for value in values)
        a, b = (thumbnail(image[-28:] if name in ("stone", "wood") else image) for image in drawn)
        assert apart(a, b) > 0.008, f"{kind}: {name} changes nothing"
