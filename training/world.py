"""The small world of the house models: what a picture of it shows, as facts, and how the facts are drawn.

Facts are drawn at random but evenly, then rendered by the project's own studio; so the truth about every picture is
known. Some combinations are held out from training, see ``is_held``.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.house.choices import COLOURS, DETAILS, LIGHTS, NATURAL, NATURAL_SETTINGS, SETTINGS, share_below
from generation.house.framing import FOOT, MASTER, SHAPES, UNIT, part_of_master, stand_at
from generation.house.words import HUES, NEUTRAL
from generation.scenes import draw_scene
from proofsheet.domain.asset import SceneRecipe
from training.chance import draws_of
from training.seasons import SEASONS, with_season

Facts = dict[str, str | int]

_SETUP = 0  # the seed of everything that is the same in all pictures of a kind
_NATURAL_HUE = 220.0  # of what little colour is free where a setting has colours of its own
_HELD_OF_SETS = 8  # per cent
_HELD_OF_PEOPLE = 10
_LARGEST_CUT = 256 * 256  # pixels; larger pictures would be blurred
#: What can be part of a combination kept from training, by subject.
HELD_BY: Mapping[str, tuple[str, ...]] = {
    "set": ("setting", "light", "colour", "stand_x", "distance"),
    "people": ("age", "gender", "skin", "count", "ability"),
}
_kept: list[Path] = []  # the folder that masters are kept in, if there is one


def sample_set(rng: random.Random, bucket: str = "square") -> Facts:
    """Facts of a backdrop: settings and lights evenly, colours evenly, stands as the layouts need them."""
    shape = SHAPES[bucket]
    setting, light = rng.choice(SETTINGS), rng.choice(LIGHTS)
    season = rng.choice(SEASONS) if rng.random() < 0.2 else "none"
    return {
        "subject": "set",
        "setting": setting,
        "light": light,
        "colour": NATURAL if setting in NATURAL_SETTINGS else rng.choice(COLOURS),
        "season": season,
        "detail": rng.choice(DETAILS[setting][1]) if setting in DETAILS else "",
        "stand_x": _pick(rng, shape.across),
        "stand_y": _pick(rng, shape.down),
        "distance": _pick(rng, shape.distances),
        "seed": rng.randrange(2**31),
    }


def is_held(facts: Mapping[str, str | int]) -> bool:
    """Whether this combination of attributes is kept from training.

    Of a backdrop it is setting, light and colour (where the colours are the setting's own: setting, light, place and
    distance); of people age, gender presentation, skin tone, number and ability.
    """
    if facts["subject"] == "people":
        key, share = HELD_BY["people"], _HELD_OF_PEOPLE
    elif facts["colour"] == NATURAL:
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


def stand_of(facts: Mapping[str, str | int]) -> tuple[float, float, float]:
    """Where the stand is in the facts' picture: across, down, and its width, as shares."""
    chance = share_below(float(draws_of(int(facts["seed"]))[0]))
    return stand_at(str(facts["stand_x"]), str(facts["stand_y"]), str(facts["distance"]), chance)


def box_of(facts: Mapping[str, str | int], width: int, height: int) -> tuple[float, float, float, float]:
    """The part of a master (left, top, right, bottom in its pixels) that the facts' picture shows; never beyond it."""
    return part_of_master(*stand_of(facts), width / height)


def masters() -> list[tuple[str, str, str, str]]:
    """Every setting, light, colour and detail there is a master of."""
    return [
        (setting, light, colour, detail)
        for setting in SETTINGS
        for light in LIGHTS
        for colour in ((NATURAL,) if setting in NATURAL_SETTINGS else COLOURS)
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
    return _recipe(setting, light, colour, detail, stand_of(facts), width, height)


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
