"""Illustrated people with known attributes: facts in, a picture out; every attribute drawn deliberately and evenly."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.house.choices import SUBJECTS
from proofsheet.errors import InputError
from training.chance import Dice, draws_of
from training.people import colours, figure, portrait, setting
from training.people.body import measure, reach, seat_drop, top
from training.people.canvas import SUPERSAMPLING, Pen
from training.people.look import Look, look

Facts = Mapping[str, str | int]

#: Every value each attribute can have.
VALUES: dict[str, tuple[str | int, ...]] = {
    name: tuple(int(value) if value.isdigit() else value for value in SUBJECTS["people"][name])
    for name in ("framing", "count", "age", "gender", "skin", "build", "ability", "colour", "light")
}

#: How close neighbours of a group of one, two or three may stand, against standing side by side.
_CLOSE = {1: 1.0, 2: 0.82, 3: 0.7}

#: How far the highest hair of a group reaches above a head's centre: whatever the hair, the figures are of one size.
_TOPMOST = 0.95


def sample_people(rng: random.Random) -> dict[str, str | int]:
    """Facts of one picture: every attribute even and independent; a portrait shows one person, and no build."""
    facts: dict[str, str | int] = {"subject": "people"}
    facts |= {name: rng.choice(values) for name, values in VALUES.items()}
    if facts["framing"] == "portrait":
        facts |= {"count": 1, "ability": "none"}
    return facts | {"seed": rng.randrange(2**31)}


def draw_people(facts: Facts, width: int, height: int) -> NDArray[np.uint8]:
    """The picture of `facts`, sRGB of shape (height, width, 3), the same for the same facts.

    Raises:
        InputError: an attribute is missing or has no such value, or the size is below 16 pixels.
    """
    _check(facts, width, height)
    draws = draws_of(int(facts["seed"]))
    chance = Dice(draws, 0, 18)
    lit = -1
    light, figures = str(facts["light"]), facts["framing"] == "figure"
    wall = colours.wall(str(facts["colour"]), light, chance)
    image = Image.new("RGB", (width * SUPERSAMPLING, height * SUPERSAMPLING), wall.base)
    floor = 0.83 if figures else None
    page = Pen(image, 0, 0, height * SUPERSAMPLING)
    setting.draw(page, width / height, wall, light, lit, floor, chance)
    count = int(facts["count"])
    owns = [Dice(draws, 18 + 8 * k, 26 + 8 * k) for k in range(count)]
    cloth = owns[0].randrange(len(colours.CLOTHES))
    people = [
        look(
            facts,
            wall.base,
            lit,
            str(facts["ability"]) if k == 0 else "none",
            owns[k],
            cloth + k,
        )
        for k in range(count)
    ]
    if figures:
        _group(page, people, width / height)
    else:
        _bust(page, people[0], width / height)
    small = np.asarray(image.reduce(SUPERSAMPLING), dtype=np.float32)
    tinted = small * colours.light_field(width, height, light, lit)
    return np.asarray(np.clip(tinted + 0.5, 0, 255), dtype=np.uint8)


def _bust(page: Pen, person: Look, aspect: float) -> None:
    """One portrait, head and shoulders."""
    size = 0.42 * min(1.0, 0.25 + aspect * 0.9)
    y = max(0.5 if person.age == "child" else 0.44, top(person) * size + 0.02)
    portrait.draw(page.moved(aspect * 0.5, y, size), person)


def _group(page: Pen, people: list[Look], aspect: float) -> None:
    """One to three full figures side by side, made smaller and closer where the picture is narrow.

    Who has an aid stands in front of the others; else the middle one of three stands behind.
    """
    sides = [reach(person) for person in people]
    gaps = [b + a for (_, b), (a, _) in pairwise(sides)]
    ends, free = sides[0][0] + sides[-1][1], 0.96 * aspect
    size = 0.155 * (1.12 if people[0].age == "child" else 1.0)
    size = min(size, free / (ends + sum(gaps) * _CLOSE[len(people)]))
    ground = 0.948 - 0.3 * max(0.0, 0.13 - size)
    drops = [seat_drop(measure(p)) if p.ability == "wheelchair" else 0.0 for p in people]
    tallest = max(_TOPMOST + measure(p).sole_y - drop for p, drop in zip(people, drops, strict=True))
    size = min(size, (ground - 0.05) / tallest)
    squeeze = min(1.0, (free / size - ends) / sum(gaps)) if gaps else 1.0
    steps = accumulate([sides[0][0], *(g * squeeze for g in gaps)])
    rest = aspect - (ends + sum(gaps) * squeeze) * size
    places = [rest * 0.5 + s * size for s in steps]
    able = any(p.ability != "none" for p in people)
    before = [p.ability != "none" if able else k != 1 for k, p in enumerate(people)]
    for k in sorted(range(len(people)), key=before.__getitem__):
        person = people[k]
        down = ground + (0.012 if before[k] else -0.008) + (drops[k] - measure(person).sole_y) * size
        pen = page.moved(places[k], down, size)
        (figure.seated if person.ability == "wheelchair" else figure.standing)(pen, person)


def _check(facts: Facts, width: int, height: int) -> None:
    for name, values in VALUES.items():
        if facts.get(name) not in values:
            raise InputError(
                f"{facts.get(name)!r} is not a value of {name!r} for a picture of people.",
                f"Use one of: {', '.join(map(str, values))}.",
            )
    if "seed" not in facts or min(width, height) < 16:
        raise InputError("A picture of people needs a seed and at least 16 x 16 pixels.", "Add a whole number as seed.")
