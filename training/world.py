"""The small world of the house models: what a picture of it shows, as facts, and how the facts are drawn.

Facts are drawn at random but evenly, then rendered by the project's own studio; so the truth about every picture is
known. Some combinations are held out from training, see ``is_held``.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.house.framing import ACROSS, DOWN
from generation.house.words import HUES, NEUTRAL
from generation.scenes import draw_scene
from proofsheet.domain.asset import SceneRecipe
from training.chance import Dice, draws_of
from training.seasons import SEASONS, with_season

Facts = dict[str, str | int]

#: The size of a master, where the foot of its stand is, and how wide the stand is, in pixels.
MASTER, FOOT, UNIT = (800, 448), (400.0, 296.0), 64.0

COLOURS = (*HUES, NEUTRAL)

#: The renderer's kinds and lights that the house models are taught: few enough to be drawn well.
SETTINGS = (
    "sweep",
    "arch_podium",
    "steps",
    "tabletop_wood",
    "tabletop_stone",
    "kitchen_shelf",
    "wet_stone",
    "sand",
    "sky",
    "forest_bokeh",
)
LIGHTS = ("window_warm", "leaf_shade", "soft_north", "golden_low", "high_key", "moody")

#: Settings whose colours are their own (sand, sky, leaves …): no colour is asked of them.
NATURAL = frozenset({"sand", "sky", "forest_bokeh", "tabletop_wood"})

DETAILS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "tabletop_wood": ("wood", ("oak", "walnut")),
    "kitchen_shelf": ("wood", ("oak", "walnut")),
    "tabletop_stone": ("stone", ("terrazzo", "marble")),
}

#: How far down the stand's foot is, as a share of the height, and how wide the stand, of the width.
STAND_Y: Mapping[str, float] = DOWN
DISTANCE: Mapping[str, float] = {"distant": 0.168, "far": 0.235, "near": 0.47}


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
        {"high": 0.2, "low": 0.3, "bottom": 0.5},
        {"far": 0.45, "near": 0.55},
    ),
    "tall": Bucket(
        96,
        160,
        _SIDES,
        {"high": 0.18, "raised": 0.5, "low": 0.17, "bottom": 0.15},
        {"near": 1.0},
    ),
    "wide": Bucket(192, 96, _SIDES, {"low": 0.1, "bottom": 0.9}, {"far": 1.0}),
    "strip": Bucket(
        256,
        64,
        {"far-left": 0.2, "left": 0.2, "middle": 0.15, "right": 0.2, "far-right": 0.25},
        {"bottom": 1.0},
        {"distant": 0.5, "far": 0.5},
    ),
}

_SETUP = 0  # the seed of everything that is the same in all pictures of a kind
_NATURAL_HUE = 220.0  # of what little colour is free where a setting has colours of its own
_HELD_OF_SETS = 8  # per cent
_HELD_OF_PEOPLE = 10
_LARGEST_CUT = 256 * 256  # pixels; larger pictures would be blurred
_kept: list[Path] = []  # the folder that masters are kept in, if there is one


def sample_set(rng: random.Random, bucket: str = "square") -> Facts:
    """Facts of a backdrop: settings and lights evenly, colours evenly, stands as the layouts need them."""
    shape = BUCKETS[bucket]
    setting, light = rng.choice(SETTINGS), rng.choice(LIGHTS)
    season = rng.choice(SEASONS) if rng.random() < 0.2 else "none"
    return {
        "subject": "set",
        "setting": setting,
        "light": light,
        "colour": "natural" if setting in NATURAL else rng.choice(COLOURS),
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


def render(facts: Mapping[str, str | int], width: int = 128, height: int = 128) -> NDArray[np.uint8]:
    """The picture of the facts: sRGB, shape (height, width, 3). The same facts and size give the same bytes.

    Small pictures of sets are cut out of a large one of the same set, light and colour, see ``master``: that takes a
    hundredth of the time, and moves and scales everything just as another lens would. Large ones are rendered.
    """
    if facts["subject"] == "people":
        from training.people import draw_people

        return draw_people(facts, width, height)
    if width * height > _LARGEST_CUT:
        picture = draw_scene(recipe_of(facts, width, height))
    else:
        whole = master(*_names(facts))
        box = box_of(facts, width, height)
        cut = Image.fromarray(whole).resize((width, height), Image.Resampling.BICUBIC, box=box)
        picture = np.asarray(cut)
    return with_season(picture, str(facts["season"]), _SETUP)


def stand_of(facts: Mapping[str, str | int], shape: float) -> tuple[float, float, float]:
    """Where the stand is in a picture of a shape (width over height): across, down, and its width, as shares."""
    rng = Dice(draws_of(int(facts["seed"])), 0, 1)
    share = DISTANCE[str(facts["distance"])] * (1.45 if shape < 0.4 else 1.0)
    across = ACROSS[str(facts["stand_x"])] + rng.uniform(-0.012, 0.012)
    return across, STAND_Y[str(facts["stand_y"])], min(share, 0.9)


def box_of(facts: Mapping[str, str | int], width: int, height: int) -> tuple[float, float, float, float]:
    """The part of a master (left, top, right, bottom in its pixels) that the facts' picture shows; never beyond it."""
    x, y, share = stand_of(facts, width / height)
    left, top, right, bottom = (
        FOOT[0] / x,
        FOOT[1] / y,
        (MASTER[0] - FOOT[0]) / (1 - x),
        (MASTER[1] - FOOT[1]) / (1 - y),
    )
    wide = min(UNIT / share, left, right, min(top, bottom) * width / height)
    high = wide * height / width
    return FOOT[0] - x * wide, FOOT[1] - y * high, FOOT[0] + (1 - x) * wide, FOOT[1] + (1 - y) * high


def masters() -> list[tuple[str, str, str, str]]:
    """Every setting, light, colour and detail there is a master of."""
    return [
        (setting, light, colour, detail)
        for setting in SETTINGS
        for light in LIGHTS
        for colour in (("natural",) if setting in NATURAL else COLOURS)
        for detail in (DETAILS[setting][1] if setting in DETAILS else ("",))
    ]


def keep_masters(folder: Path) -> None:
    """Read masters from this folder from now on, in this process, and keep new ones there."""
    folder.mkdir(parents=True, exist_ok=True)
    _kept[:] = [folder]
    master.cache_clear()


@lru_cache(maxsize=1000)
def master(setting: str, light: str, colour: str, detail: str) -> NDArray[np.uint8]:
    """The large picture (448, 800, 3) that small ones are cut out of; the foot of its stand is at ``FOOT``."""
    file = _kept[0] / f"{setting}-{light}-{colour}-{detail or 'plain'}.png" if _kept else None
    if file is not None and file.is_file():
        with Image.open(file) as kept:
            return np.asarray(kept)
    stand = (FOOT[0] / MASTER[0], FOOT[1] / MASTER[1], UNIT / MASTER[0])
    drawn = draw_scene(_recipe(setting, light, colour, detail, stand, *MASTER))
    if file is not None:
        part = file.with_suffix(f".{os.getpid()}.part")
        Image.fromarray(drawn).save(part, "PNG", compress_level=1)
        part.replace(file)
    return drawn


def recipe_of(facts: Mapping[str, str | int], width: int, height: int) -> SceneRecipe:
    """The scene recipe of a backdrop's facts; what the facts leave open follows from their seed.

    Each kind of set has one set-up: its textures, where small things lie, which side the light comes from; each word
    for where the stand is and how near it is seen means one place. So little is left open that a small model learns it.
    """
    setting, light, colour, detail = _names(facts)
    return _recipe(setting, light, colour, detail, stand_of(facts, width / height), width, height)


def _names(facts: Mapping[str, str | int]) -> tuple[str, str, str, str]:
    """What a master is known by."""
    return str(facts["setting"]), str(facts["light"]), str(facts["colour"]), str(facts["detail"])


def _recipe(
    setting: str, light: str, colour: str, detail: str, stand: tuple[float, float, float], width: int, height: int
) -> SceneRecipe:
    params: dict[str, str | int | float] = {
        "kind": setting,
        "light": light,
        "stand_x": round(stand[0], 4),
        "stand_y": round(stand[1], 4),
        "stand_width": round(stand[2], 4),
    }
    palette: tuple[str, ...] = ()
    if colour in HUES:
        params["hue"] = HUES[colour]
    elif colour == NEUTRAL:
        palette = ("#8b8784",)
    else:
        params["hue"] = _NATURAL_HUE
    if detail:
        params[DETAILS[setting][0]] = detail
    return SceneRecipe(
        backend="procedural",
        model="",
        revision="",
        prompt="",
        negative_prompt="",
        seed=_SETUP,
        steps=1,
        guidance=0.0,
        width=width,
        height=height,
        scene=setting,
        style=light,
        params=params,
        palette=palette,
    )


def _pick(rng: random.Random, shares: Mapping[str, float]) -> str:
    return rng.choices(list(shares), weights=list(shares.values()))[0]
