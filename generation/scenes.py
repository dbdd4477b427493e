"""Scenes: sets for a product, drawn by our own renderer. The door to the studio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from generation.house.folder import BACKEND as HOUSE
from generation.staging import Stage, stand_of
from generation.studio import sets_graphic, sets_nature, sets_studio, sets_table
from generation.studio.colour import encode_srgb, oklch, scheme_from
from generation.studio.render import SetDesign, render
from generation.studio.rig import DEFAULT_STYLE, STYLES, levelled, style_named
from generation.studio.sheet import Sheet
from proofsheet.domain.asset import SceneRecipe
from proofsheet.errors import InputError

__all__ = ["RENDERER_VERSION", "SCENES", "STYLES", "SceneKind", "draw_scene", "stage_of"]

#: Goes into every recipe: another version may draw other pixels.
RENDERER_VERSION = "studio-1"


@dataclass(frozen=True, slots=True)
class SceneKind:
    """A kind of set: how it is built and what it is in one line.

    ``reflective`` is how strongly its ground mirrors (0–1); ``takes`` are its own parameters with what they may be.
    """

    build: Callable[[Sheet], SetDesign]
    description: str
    reflective: float = 0.0
    ground_hue: float | None = None  # the hue of its ground where that belongs to the material, in degrees
    takes: Mapping[str, str] = field(default_factory=dict)


#: The kinds a scene may name in ``params = { kind = "…" }``.
SCENES: Mapping[str, SceneKind] = {
    "sweep": SceneKind(
        sets_studio.sweep,
        "a seamless paper sweep in one colour",
        takes={"cove": "0.2–4, radius of the bend", "pool": "0–0.8, light behind the product"},
    ),
    "arch_podium": SceneKind(sets_studio.arch_podium, "an arch in a second colour behind a round podium"),
    "steps": SceneKind(sets_studio.steps, "stacked blocks climbing to one side"),
    "discs": SceneKind(
        sets_studio.discs,
        "large discs floating before the wall",
        takes={"count": "1–9"},
    ),
    "balls": SceneKind(
        sets_studio.balls,
        "balls of many sizes, matte and glossy",
        takes={"count": "1–24"},
    ),
    "window_light": SceneKind(
        sets_studio.window_light,
        "a bare limewashed wall and ledge, made by the light",
        takes={"mask": "window, blinds, leaves or palm"},
    ),
    "pattern": SceneKind(
        sets_studio.pattern,
        "a printed set: checks, stripes, dots or halftone",
        takes={"motif": "stripes, checks, dots or halftone", "pitch": "0.1–2, in stand widths"},
    ),
    "tabletop_wood": SceneKind(
        sets_table.tabletop_wood,
        "a wooden table before a room out of focus",
        0.1,
        62.0,
        takes={"wood": "oak, walnut or ash"},
    ),
    "tabletop_stone": SceneKind(
        sets_table.tabletop_stone,
        "a terrazzo or marble slab before a plain wall",
        0.12,
        takes={"stone": "terrazzo or marble"},
    ),
    "linen": SceneKind(
        sets_table.linen, "cloth hung in folds and laid out in front", takes={"folds": "0.1–1.2, depth of the folds"}
    ),
    "kitchen_shelf": SceneKind(
        sets_table.kitchen_shelf,
        "a worktop before glazed tiles, jars behind",
        0.1,
        62.0,
        takes={"wood": "oak, walnut or ash"},
    ),
    "bathroom_shelf": SceneKind(sets_table.bathroom_shelf, "a marble shelf, slim tiles, mirror and towels", 0.22, 80.0),
    "water": SceneKind(
        sets_nature.water, "a stone disc in rippled water", 0.1, takes={"chop": "0–0.4, height of the ripples"}
    ),
    "wet_stone": SceneKind(sets_nature.wet_stone, "dark wet slate with pebbles and mist", 0.3),
    "sand": SceneKind(
        sets_nature.sand, "rippled sand under an open sky", 0.0, 65.0, takes={"ripple": "0–0.8, height of the ripples"}
    ),
    "snow": SceneKind(sets_nature.snow, "fresh snow, ridges in the haze, falling flakes", 0.0, 255.0),
    "sky": SceneKind(
        sets_nature.sky_scene, "a podium among the clouds", takes={"clouds": "0–1, how much of the sky they cover"}
    ),
    "hills": SceneKind(sets_nature.hill_view, "a ledge of rock above hills in mist", 0.0, 60.0),
    "forest_bokeh": SceneKind(sets_nature.forest, "a mossy plank at the edge of a wood", 0.0, 70.0),
    "paper_layers": SceneKind(
        sets_graphic.paper_layers,
        "sheets of cut paper, one before the other",
        takes={"motif": "tunnel or waves", "layers": "2–7"},
    ),
    "confetti": SceneKind(sets_graphic.confetti_set, "a plain set with paper confetti"),
    "bokeh_night": SceneKind(sets_graphic.bokeh_night, "a dark polished counter above a city at night", 0.45),
    "neon": SceneKind(
        sets_graphic.neon, "glowing tubes before a dark wall", 0.2, takes={"shape": "ring, arch or bars"}
    ),
    "smoke": SceneKind(
        sets_graphic.smoke_set,
        "a dark set with coloured smoke",
        0.12,
        takes={"amount": "0.1–2"},
    ),
}

DEFAULT_KIND = "sweep"


def _kind_of(recipe: SceneRecipe) -> SceneKind:
    name = str(recipe.params.get("kind", DEFAULT_KIND))
    if name not in SCENES:
        raise InputError(f"There is no scene kind named {name!r}.", f"Known kinds: {', '.join(sorted(SCENES))}.")
    return SCENES[name]


def _sheet_of(recipe: SceneRecipe) -> Sheet:
    style = style_named(str(recipe.params.get("light", DEFAULT_STYLE)))
    scheme = scheme_from(recipe.palette, recipe.params, recipe.seed, lift=style.lift, mute=style.mute)
    return Sheet(recipe.width, recipe.height, recipe.params, scheme, levelled(style.build(scheme)), recipe.seed)


def draw_scene(recipe: SceneRecipe) -> NDArray[np.uint8]:
    """Draw the set a recipe asks for: sRGB, shape (height, width, 3).

    The same recipe gives the same bytes. Parameters read from ``recipe.params``: ``kind``, ``light``, ``stand_x``,
    ``stand_y``, ``stand_width``, ``tilt`` (0.05–0.5, how much of the ground is seen), ``hue`` and ``accent`` (see
    generation.studio.colour.scheme_from) and those that the kind lists.

    Raises:
        InputError: the kind, the light or a parameter is unknown or out of range.
    """
    kind, sheet = _kind_of(recipe), _sheet_of(recipe)
    return render(kind.build(sheet), sheet.rig, recipe.seed)


def stage_of(recipe: SceneRecipe) -> Stage:
    """Where the product stands in the drawn scene and how it is lit; neutral for scenes that others have drawn.

    The house model draws the renderer's kinds and lights from words. Where the brief names both beside the words, the
    stage is lit in that manner, but from above: the side that the light comes from is the model's own choice.

    Raises:
        InputError: the kind or the light is unknown.
    """
    x, y, width = stand_of(recipe.params)
    if recipe.backend == HOUSE:
        return _house_stage(recipe, x, y, width)
    if recipe.backend != "procedural":
        return Stage(stand_x=x, stand_y=y, stand_width=width)
    return _rendered_stage(recipe, x, y, width)


def _house_stage(recipe: SceneRecipe, x: float, y: float, width: float) -> Stage:
    told = {"kind", "light"} <= set(recipe.params)
    stage = _rendered_stage(recipe, x, y, width) if told else Stage(stand_x=x, stand_y=y, stand_width=width)
    return replace(stage, light_x=0.0, shadow_rgb=Stage().shadow_rgb)


def _rendered_stage(recipe: SceneRecipe, x: float, y: float, width: float) -> Stage:
    kind, sheet = _kind_of(recipe), _sheet_of(recipe)
    rig, key = sheet.rig, sheet.rig.lamps[0]
    flat = key.colour * np.float32(max(0.5 * (key.unit[1] - key.unit[2]), 0.1))
    total = rig.fill + sum((lamp.colour * np.float32(0.5) for lamp in rig.lamps), np.zeros(3, np.float32))
    tint = (total / max(float(total.mean()), 1e-6)) ** np.float32(0.6)
    hue = sheet.scheme.hue if kind.ground_hue is None else kind.ground_hue
    r, g, b = (round(255 * float(v)) for v in encode_srgb(oklch(rig.shade[0], rig.shade[1], hue)))
    share = float(flat.mean() / (flat.mean() + rig.fill.mean()))
    return Stage(
        stand_x=x,
        stand_y=y,
        stand_width=width,
        light_x=round(max(-1.0, min(1.0, key.unit[0] * 1.25)), 4),
        softness=round(min(1.0, (key.radius / 0.9) ** 0.5), 4),
        strength=round(min(0.85, 0.15 + 0.75 * share), 4),
        tint=(round(float(tint[0]), 4), round(float(tint[1]), 4), round(float(tint[2]), 4)),
        shadow_rgb=(r, g, b),
        backlit=rig.backlit,
        reflective=kind.reflective,
    )
