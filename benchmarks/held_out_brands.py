"""Brands that the house models never saw: each a setting, light and colour held out from training, with its pictures.

Every picture is rendered by the project, so which brand it belongs to is known. A brand's own pictures differ in place,
distance, season, material and shape; a finished advertisement has product, words, button and logo on the same scene.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from generation.house.choices import NATURAL
from training import phrases as say
from training.adverts import as_advertisement
from training.world import is_held, keep_masters, render, sample_set

SIZES = ((176, 176), (160, 200), (240, 126), (120, 213))
BUCKETS = ("square", "square", "wide", "tall")
SEED = 2026


@dataclass(frozen=True, slots=True, eq=False)
class HeldBrand:
    """A brand: its look, its descriptors, its references, and pictures of it as scenes and as advertisements."""

    look: tuple[str, str, str]
    descriptors: tuple[str, ...]
    references: Sequence[Image.Image]
    scenes: Sequence[Image.Image]
    adverts: Sequence[Image.Image]

    def shared(self, other: HeldBrand) -> int:
        """How many of setting, light and colour two brands have in common."""
        return sum(one == two for one, two in zip(self.look, other.look, strict=True))


def held_looks() -> list[tuple[str, str, str]]:
    """Every setting, light and colour that is held out from training; not those whose colours are the setting's own."""
    rng = random.Random(SEED)
    found = set()
    for _ in range(20_000):
        facts = sample_set(rng)
        if facts["colour"] != NATURAL and is_held(facts):
            found.add((str(facts["setting"]), str(facts["light"]), str(facts["colour"])))
    return sorted(found)


def held_brands(count: int, references: int, own: int, masters: Path) -> list[HeldBrand]:
    """So many brands, each with so many references and pictures of its own; ``masters`` keeps large renders."""
    keep_masters(masters)
    rng = random.Random(SEED + 1)
    looks = held_looks()
    return [_brand(look, references, own, rng) for look in rng.sample(looks, min(count, len(looks)))]


def _brand(look: tuple[str, str, str], references: int, own: int, rng: random.Random) -> HeldBrand:
    setting, light, colour = look
    words = (say.SETTING[setting][0], say.LIGHT[light][0], f"{say.COLOUR[colour][0]} colours")
    drawn = [_facts(look, rng) for _ in range(references + own)]
    pictures = [_picture(facts, size) for facts, size in drawn]
    adverts = [
        as_advertisement(picture, facts, rng)
        for picture, (facts, _) in zip(pictures[references:], drawn[references:], strict=True)
    ]
    return HeldBrand(look, words, pictures[:references], pictures[references:], adverts)


def _facts(look: tuple[str, str, str], rng: random.Random) -> tuple[Mapping[str, str | int], tuple[int, int]]:
    place = rng.randrange(len(SIZES))
    while True:
        facts = sample_set(rng, BUCKETS[place])
        if facts["setting"] == look[0]:
            return {**facts, "light": look[1], "colour": look[2]}, SIZES[place]


def _picture(facts: Mapping[str, str | int], size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.asarray(render(facts, *size)))
