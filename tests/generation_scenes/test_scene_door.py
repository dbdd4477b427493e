"""The door to the scenes: colours from the palette, stages, errors, and the backend."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from generation.backend import ImageBackend, open_backend
from generation.backends.procedural import ProceduralBackend
from generation.scenes import RENDERER_VERSION, SCENES, STYLES, draw_scene, stage_of
from generation.staging import Stage
from generation.studio.colour import decode_srgb, encode_srgb, hex_to_linear, hue_distance, lch_of, oklch, scheme_from
from proofsheet.domain.asset import SceneRecipe
from proofsheet.errors import InputError

Maker = Callable[..., SceneRecipe]


def test_there_are_enough_kinds_and_styles() -> None:
    assert len(SCENES) >= 16
    assert len(STYLES) >= 8
    assert all(kind.description for kind in SCENES.values())
    assert all(style.description for style in STYLES.values())


def test_srgb_and_oklch_agree_with_published_values() -> None:
    # CSS Color 4 gives rebeccapurple as oklch(44.027% 0.1603 303.373).
    lightness, chroma, hue = lch_of(hex_to_linear("#663399"))
    assert lightness == pytest.approx(0.44027, abs=2e-4)
    assert chroma == pytest.approx(0.1603, abs=2e-4)
    assert hue == pytest.approx(303.373, abs=0.1)
    back = encode_srgb(oklch(lightness, chroma, hue)) * 255
    np.testing.assert_allclose(back, [0x66, 0x33, 0x99], atol=0.6)
    values = np.linspace(0, 1, 33)
    np.testing.assert_allclose(encode_srgb(decode_srgb(values)), values, atol=1e-5)


def test_a_colour_out_of_gamut_keeps_lightness_and_hue() -> None:
    lightness, chroma, hue = lch_of(oklch(0.6, 0.4, 150))
    assert lightness == pytest.approx(0.6, abs=0.01)
    assert hue == pytest.approx(150, abs=2)
    assert 0.1 < chroma < 0.4


@pytest.mark.parametrize("colour", ["#1f4fd8", "#b0275a", "#f2b705"])
def test_the_set_takes_the_brand_hue_and_stays_softer_than_a_product(colour: str, recipe_of: Maker) -> None:
    image = draw_scene(recipe_of("sweep", "high_key", (40, 50), palette=(colour,)))
    _, chroma, hue = lch_of(decode_srgb(image / 255.0).mean(axis=(0, 1)))
    assert hue_distance(hue, lch_of(hex_to_linear(colour))[2]) < 25
    assert 0.01 < chroma < 0.13


def test_palettes_of_any_length_and_overrides_work() -> None:
    palette = ("#111111", "#ffffff", "#2f6f5e", "#e9b872", "#f5efe6", "#b0275a", "#1f4fd8", "#888888")
    scheme = scheme_from(palette, {}, 1)
    assert hue_distance(scheme.hue, lch_of(hex_to_linear("#2f6f5e"))[2]) < 1
    assert hue_distance(scheme.accent_hue, lch_of(hex_to_linear("#e9b872"))[2]) < 1
    assert scheme_from(palette, {"hue": 200}, 1).hue == 200
    assert hue_distance(scheme_from(palette, {"accent": 6}, 1).accent_hue, lch_of(hex_to_linear("#1f4fd8"))[2]) < 1
    assert scheme_from((), {}, 1).hue != scheme_from((), {}, 2).hue
    assert scheme_from(("#000000", "#ffffff"), {}, 1).colourful < 0.5


def test_unknown_names_are_answered_with_the_known_ones(recipe_of: Maker) -> None:
    with pytest.raises(InputError, match="arch_podium"):
        draw_scene(recipe_of("volcano"))
    with pytest.raises(InputError, match="window_warm"):
        draw_scene(recipe_of("sweep", "disco"))
    with pytest.raises(InputError, match="window_warm"):
        stage_of(recipe_of("sweep", "disco"))


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("pattern", "motif", "paisley"),
        ("discs", "count", 99),
        ("sweep", "tilt", "steep"),
        ("sweep", "hue", "greenish"),
        ("sweep", "accent", 9),
        ("sweep", "accent", "warm"),
        ("sweep", "hue", "#12"),
    ],
)
def test_wrong_parameters_name_the_value_and_the_rule(kind: str, name: str, value: str | int, recipe_of: Maker) -> None:
    with pytest.raises(InputError) as caught:
        draw_scene(recipe_of(kind, **{name: value}))
    assert str(value) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("light", sorted(STYLES))
def test_stages_are_in_range_and_stand_where_asked(light: str, recipe_of: Maker) -> None:
    for kind in SCENES:
        stage = stage_of(recipe_of(kind, light, stand=(0.3, 0.9, 0.25)))
        assert (stage.stand_x, stage.stand_y, stage.stand_width) == (0.3, 0.9, 0.25)
        assert -1 <= stage.light_x <= 1
        assert 0 <= stage.softness <= 1
        assert 0 < stage.strength <= 1
        assert np.mean(stage.tint) == pytest.approx(1, abs=0.1)
        assert all(0 <= value <= 160 for value in stage.shadow_rgb)
        assert 0 <= stage.reflective <= 1


def test_hard_light_is_harder_than_soft_light(recipe_of: Maker) -> None:
    noon, cloudy = (stage_of(recipe_of("sweep", light)) for light in ("hard_noon", "overcast"))
    assert noon.softness < cloudy.softness
    assert noon.strength > cloudy.strength


def test_scenes_drawn_by_others_get_a_neutral_stage(recipe_of: Maker) -> None:
    recipe = recipe_of("anything", "any light", backend="diffusers", stand=(0.4, 0.8, 0.3))
    assert stage_of(recipe) == Stage(stand_x=0.4, stand_y=0.8, stand_width=0.3)


def test_the_backend_draws_in_order_and_says_who_it_is(recipe_of: Maker) -> None:
    backend = open_backend("procedural")
    assert isinstance(backend, ImageBackend)
    assert (backend.name, backend.model, backend.revision) == ("procedural", "", RENDERER_VERSION)
    assert not backend.ai_made
    recipes = [recipe_of(kind, size=(32, 40)) for kind in ("sand", "sweep")]
    drawn = list(backend.draw(recipes))
    assert [rendering.recipe for rendering in drawn] == recipes
    assert all(rendering.image.size == (32, 40) and rendering.image.mode == "RGB" for rendering in drawn)
    np.testing.assert_array_equal(np.asarray(drawn[1].image), draw_scene(recipes[1]))


def test_the_backend_refuses_what_it_does_not_have() -> None:
    with pytest.raises(InputError, match="turbo"):
        ProceduralBackend("turbo")
    with pytest.raises(InputError, match="device"):
        ProceduralBackend(device="cpu")
