"""The small world of the house models: what a picture of it shows, as facts, and how the facts are drawn.

Facts are drawn at random but evenly, then rendered by the project's own studio; so the truth about every picture is
known. Some combinations are held out from training, see ``is_held``.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.house.framing import ACROSS
from generation.house.words import HUES, NEUTRAL
from generation.scenes import SCENES, STYLES, draw_scene
from generation.studio import noise
from generation.studio import render as studio_render
from generation.studio.colour import encode_srgb, oklch
from proofsheet.domain.asset import SceneRecipe
from training.seasons import SEASONS, with_season

Facts = dict[str, str | int]

COLOURS = (*HUES, NEUTRAL)

SETTINGS = tuple(SCENES)
LIGHTS = tuple(STYLES)

#: Settings whose colours are their own (sand, sky, leaves …): no colour is asked of them.
NATURAL = frozenset({"water", "sand", "snow", "sky", "hills", "forest_bokeh", "bokeh_night", "tabletop_wood"})
#: Settings that show a second colour.
ACCENTED = frozenset(
    {"arch_podium", "steps", "discs", "balls", "tabletop_stone", "paper_layers", "kitchen_shelf", "bathroom_shelf"}
)
#: Settings in which a season's leaves, petals or flakes would be lost among what is there.
SEASONLESS = frozenset({"snow", "confetti", "bokeh_night", "balls", "neon"})

DETAILS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "window_light": ("mask", ("window", "blinds", "leaves", "palm")),
    "pattern": ("motif", ("stripes", "checks", "dots", "halftone")),
    "tabletop_wood": ("wood", ("oak", "walnut", "ash")),
    "kitchen_shelf": ("wood", ("oak", "walnut", "ash")),
    "tabletop_stone": ("stone", ("terrazzo", "marble")),
    "paper_layers": ("motif", ("tunnel", "waves")),
    "neon": ("shape", ("ring", "arch", "bars")),
}

STAND_Y: Mapping[str, tuple[float, float]] = {
    "high": (0.50, 0.56),
    "raised": (0.60, 0.66),
    "low": (0.71, 0.79),
    "bottom": (0.84, 0.93),
}
DISTANCE: Mapping[str, tuple[float, float]] = {
    "distant": (0.10, 0.15),
    "far": (0.20, 0.28),
    "medium": (0.32, 0.41),
    "near": (0.45, 0.56),
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A shape of pictures, and how often product and camera stand where in it."""

    width: int
    height: int
    stand_x: Mapping[str, float]
    stand_y: Mapping[str, float]
    distance: Mapping[str, float]


_SIDES = {"left": 0.25, "middle": 0.45, "right": 0.3}
BUCKETS: Mapping[str, Bucket] = {
    "square": Bucket(
        128,
        128,
        _SIDES,
        {"high": 0.12, "raised": 0.06, "low": 0.17, "bottom": 0.65},
        {"far": 0.2, "medium": 0.4, "near": 0.4},
    ),
    "portrait": Bucket(
        112, 144, _SIDES, {"high": 0.12, "raised": 0.08, "low": 0.15, "bottom": 0.65}, {"medium": 0.45, "near": 0.55}
    ),
    "tall": Bucket(
        96,
        160,
        _SIDES,
        {"high": 0.18, "raised": 0.5, "low": 0.17, "bottom": 0.15},
        {"medium": 0.45, "near": 0.55},
    ),
    "wide": Bucket(192, 96, _SIDES, {"low": 0.1, "bottom": 0.9}, {"far": 0.6, "medium": 0.4}),
    "strip": Bucket(
        256,
        64,
        {"far-left": 0.2, "left": 0.2, "middle": 0.15, "right": 0.2, "far-right": 0.25},
        {"bottom": 1.0},
        {"distant": 0.5, "far": 0.4, "medium": 0.1},
    ),
}

_HELD_OF_SETS = 8  # per cent
_HELD_OF_PEOPLE = 10
_STOCK = 16  # noise fields of each sort that quick drawing chooses from


def sample_set(rng: random.Random, bucket: str = "square") -> Facts:
    """Facts of a backdrop: settings and lights evenly, colours evenly, stands as the layouts need them."""
    shape = BUCKETS[bucket]
    setting = rng.choice(SETTINGS)
    colour = "natural" if setting in NATURAL else rng.choice(COLOURS)
    others = [name for name in HUES if name != colour]
    season = rng.choice(SEASONS) if setting not in SEASONLESS and rng.random() < 0.3 else "none"
    return {
        "subject": "set",
        "setting": setting,
        "light": rng.choice(LIGHTS),
        "colour": colour,
        "accent": rng.choice(others) if setting in ACCENTED else "",
        "season": season,
        "detail": rng.choice(DETAILS[setting][1]) if setting in DETAILS else "",
        "stand_x": _pick(rng, shape.stand_x),
        "stand_y": _pick(rng, shape.stand_y),
        "distance": _pick(rng, shape.distance),
        "seed": rng.randrange(2**31),
    }


def is_held(facts: Mapping[str, str | int]) -> bool:
    """Whether this combination of attributes is kept from training.

    Of a backdrop it is setting, light and colour (where the colours are the setting's own: setting, light, place and
    distance); of people age, gender presentation, skin tone, number and ability.
    """
    key: tuple[str, ...]
    if facts["subject"] == "people":
        key, share = ("age", "gender", "skin", "count", "ability"), _HELD_OF_PEOPLE
    elif facts["colour"] == "natural":
        key, share = ("setting", "light", "stand_x", "distance"), _HELD_OF_SETS
    else:
        key, share = ("setting", "light", "colour"), _HELD_OF_SETS
    text = "|".join(str(facts[name]) for name in key)
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 100 < share


def mirrored(facts: Mapping[str, str | int]) -> Facts:
    """The facts of the picture seen in a mirror."""
    swapped = dict(facts)
    if "stand_x" in facts:
        other = {"left": "right", "right": "left", "far-left": "far-right", "far-right": "far-left"}
        swapped["stand_x"] = other.get(str(facts["stand_x"]), facts["stand_x"])
    swapped["mirror"] = 0 if facts.get("mirror") else 1
    return swapped


def render(facts: Mapping[str, str | int], width: int = 128, height: int = 128) -> NDArray[np.uint8]:
    """The picture of the facts: sRGB, shape (height, width, 3). The same facts and size give the same bytes."""
    if facts["subject"] == "people":
        from training.people import draw_people

        picture = draw_people(facts, width, height)
    else:
        picture = with_season(draw_scene(recipe_of(facts, width, height)), str(facts["season"]), int(facts["seed"]))
    return np.ascontiguousarray(picture[:, ::-1]) if facts.get("mirror") else picture


def recipe_of(facts: Mapping[str, str | int], width: int, height: int) -> SceneRecipe:
    """The scene recipe of a backdrop's facts; what the facts leave open follows from their seed."""
    original = mirrored(facts) if facts.get("mirror") else facts
    rng = random.Random(int(original["seed"]))
    setting, colour = str(original["setting"]), str(original["colour"])
    shape = width / height
    low, high = DISTANCE[str(original["distance"])]
    share = rng.uniform(low, high) * (1.45 if shape < 0.4 else 1.0)
    params: dict[str, str | int | float] = {
        "kind": setting,
        "light": str(original["light"]),
        "stand_x": round(ACROSS[str(original["stand_x"])] + rng.uniform(-0.025, 0.025), 4),
        "stand_y": round(rng.uniform(*STAND_Y[str(original["stand_y"])]), 4),
        "stand_width": round(min(share, 0.9), 4),
        **_own(setting, rng),
    }
    palette: tuple[str, ...] = ()
    if colour in HUES:
        params["hue"] = round((HUES[colour] + rng.uniform(-9, 9)) % 360, 2)
    elif colour == NEUTRAL:
        palette = ("#8b8784",)
    else:
        params["hue"] = round(rng.uniform(0, 360), 2)
    if original.get("accent"):
        params["accent"] = _hex(0.65, 0.13, HUES[str(original["accent"])] + rng.uniform(-9, 9))
    if original.get("detail"):
        params[DETAILS[setting][0]] = str(original["detail"])
    return SceneRecipe(
        backend="procedural",
        model="",
        revision="",
        prompt="",
        negative_prompt="",
        seed=int(original["seed"]),
        steps=1,
        guidance=0.0,
        width=width,
        height=height,
        scene=setting,
        style=str(original["light"]),
        params=params,
        palette=palette,
    )


def quicken() -> None:
    """Draw small pictures in half the time, in this process: coarser light, and a stock of noise to choose from."""
    studio_render._COARSE_POINTS = 3500
    stock = lru_cache(maxsize=None)(noise.field.__wrapped__)

    def stocked(seed: int, **shape: float) -> NDArray[np.floating[Any]]:
        return stock(seed % _STOCK, **shape)

    for name, module in list(sys.modules.items()):
        borrowed = name.startswith("generation.studio.") and module is not noise
        if borrowed and getattr(module, "field", None) is noise.field:
            module.field = stocked  # type: ignore[attr-defined]


def _own(setting: str, rng: random.Random) -> dict[str, float | int]:
    """A setting's own numbers, within what it takes."""
    ranges: dict[str, dict[str, tuple[float, float]]] = {
        "sweep": {"cove": (0.4, 3.0), "pool": (0.0, 0.6)},
        "linen": {"folds": (0.25, 1.1)},
        "water": {"chop": (0.04, 0.3)},
        "sand": {"ripple": (0.15, 0.7)},
        "sky": {"clouds": (0.25, 0.9)},
        "smoke": {"amount": (0.6, 1.8)},
    }
    counts: dict[str, dict[str, tuple[int, int]]] = {
        "discs": {"count": (4, 9)},
        "balls": {"count": (8, 22)},
        "paper_layers": {"layers": (3, 6)},
    }
    own: dict[str, float | int] = {
        name: round(rng.uniform(*bounds), 3) for name, bounds in ranges.get(setting, {}).items()
    }
    own.update({name: rng.randint(*bounds) for name, bounds in counts.get(setting, {}).items()})
    return own


def _pick(rng: random.Random, shares: Mapping[str, float]) -> str:
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def _hex(lightness: float, chroma: float, hue: float) -> str:
    return "#" + "".join(f"{round(255 * float(v)):02x}" for v in encode_srgb(oklch(lightness, chroma, hue % 360)))
