"""How one person looks: what the facts say, and the small things that chance decides."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from training.people import colours
from training.people.canvas import Colour
from training.people.colours import Skin

#: Hair styles by gender presentation: each group has a silhouette of its own.
STYLES: dict[str, tuple[str, ...]] = {
    "woman": ("long", "bun"),
    "man": ("crop", "fade"),
    "androgynous": ("bob", "afro"),
}
_EARRINGS: tuple[Colour, ...] = ((231, 180, 76), (236, 232, 226), (38, 140, 140), (214, 96, 76))


@dataclass(frozen=True)
class Look:
    """One person, ready to draw."""

    age: str
    gender: str
    build: str
    ability: str
    skin: Skin
    hair: Colour
    style: str
    eyes: Colour
    beard: str  # "none", "full", "moustache"
    glasses: bool
    earring: Colour
    garments: tuple[Colour, Colour, Colour]
    lit: int  # the side the light comes from: -1 left, 1 right
    light: str


def look(facts: Mapping[str, str | int], wall: Colour, lit: int, ability: str, rng: random.Random, cloth: int) -> Look:
    """The look of one person of a picture; `cloth` is the number of the main garment's colour."""
    age, gender = str(facts["age"]), str(facts["gender"])
    grown = age != "child"
    garments = colours.clothes(cloth, wall, 3)
    return Look(
        age=age,
        gender=gender,
        build=str(facts["build"]),
        ability=ability,
        skin=colours.skin(int(facts["skin"])),
        hair=colours.hair(rng, age, str(facts["light"])),
        style=rng.choice(STYLES[gender]),
        eyes=colours.EYES[0],
        beard="full" if gender == "man" and grown else "none",
        glasses=age == "older",
        earring=_EARRINGS[0],
        garments=(garments[0], garments[1], garments[2]),
        lit=lit,
        light=str(facts["light"]),
    )
