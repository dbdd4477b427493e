"""Colours of illustrated people: the ten Monk skin tones, hair, clothes, walls, and the light's tint."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from generation.studio.colour import encode_srgb, oklch
from training.people.canvas import Colour, brightness, mix, scale


def _parse(text: str) -> tuple[Colour, ...]:
    """Colours written ``#rrggbb``, spaces between them."""
    return tuple((int(c[1:3], 16), int(c[3:5], 16), int(c[5:7], 16)) for c in text.split())


#: The Monk Skin Tone scale (Ellis Monk, skintone.google), tones 1 to 10.
MONK_TONES = _parse("#f6ede4 #f3e7db #f7ead0 #eadaba #d7bd96 #a07e56 #825c43 #604134 #3a312a #292420")
#: What each light multiplies every colour of a person by.
TINTS: dict[str, tuple[float, float, float]] = {
    "soft": (1.0, 1.0, 1.0),
    "warm": (1.0, 0.965, 0.88),
    "cool": (0.93, 0.955, 1.0),
}
#: How much of the tint reaches the wall, as a power: its own colour must stay readable.
WALL_TINT = 2.5
#: Wall colours: hue, lowest and highest lightness, lowest and highest chroma (OKLCH).
WALLS: dict[str, tuple[float, float, float, float, float]] = {
    "coral": (25, 0.70, 0.75, 0.10, 0.12),
    "orange": (58, 0.74, 0.79, 0.10, 0.12),
    "yellow": (95, 0.83, 0.87, 0.10, 0.12),
    "green": (145, 0.70, 0.76, 0.08, 0.11),
    "teal": (190, 0.68, 0.74, 0.07, 0.10),
    "blue": (250, 0.68, 0.74, 0.08, 0.11),
    "violet": (300, 0.68, 0.74, 0.08, 0.11),
    "pink": (350, 0.74, 0.79, 0.09, 0.12),
    "neutral": (80, 0.72, 0.78, 0.006, 0.014),
}
#: Cloth; never fewer than three stand out from a wall.
CLOTHES = _parse("#2f3e63 #2b7a83 #dda63c #c25f3c #f8f6f1")
_HAIR = _parse("#1c1d29 #56301f #b4682c")
_SILVER = _parse("#d2d5dc")
#: What colours cheeks and lips, by tone: from rose over coral and apricot to terracotta, wine and plum.
_BLUSH = _parse("#f0648c #f07862 #f2963c #dc7438 #c85a3c #b84a38 #a43c30 #94382e #8c3430 #7c2c3c")
_LIPS = _parse("#cc4a78 #d0504c #c8683a #b44c3a #a83e40 #9a3038 #9c3440 #a03a44 #a03c42 #8c3454")
EYES = _parse("#2a1b15 #4b2d1a #6b5a2c #45604f #44566c")


@dataclass(frozen=True)
class Skin:
    """One skin tone and what is drawn on it; all follow from the tone alone."""

    base: Colour
    shade: Colour
    line: Colour
    blush: Colour
    lips: Colour


def skin(tone: int) -> Skin:
    """The colours of Monk tone 1-10."""
    base = MONK_TONES[tone - 1]
    light = brightness(base)
    shade = mix(scale(base, 0.72), _BLUSH[tone - 1], 0.2 * light)
    if light > 0.4:
        line = mix(scale(base, 0.52), (120, 44, 40), 0.3)
    elif light > 0.22:
        line = scale(base, 0.5)
    else:
        line = mix(base, (176, 132, 104), 0.42)
    blush = mix(base, _BLUSH[tone - 1], 0.42 if light > 0.4 else 0.38)
    lips = mix(base, _LIPS[tone - 1], 0.72 if light > 0.4 else 0.6)
    return Skin(base, shade, line, blush, lips)


@dataclass(frozen=True)
class Wall:
    """The wall's colour and its neighbours in lightness, of one hue."""

    base: Colour
    light: Colour
    dark: Colour
    deep: Colour


def _srgb(lightness: float, chroma: float, hue: float, tint: tuple[float, float, float], share: float) -> Colour:
    """An OKLCH colour such that after the light's tint only `WALL_TINT` of the tint is left on it."""
    value = encode_srgb(oklch(lightness, chroma, hue)) * 255
    value = value * np.asarray(tint) ** (share - 1)
    r, g, b = (min(round(float(v)), 255) for v in value)
    return r, g, b


def wall(colour: str, light: str, rng: random.Random) -> Wall:
    """The wall's colours for a colour word, before the light's tint is laid over the picture."""
    hue, low, high, pale, rich = WALLS[colour]
    lightness, chroma = rng.uniform(low, high), (pale + rich) / 2
    tones = [(lightness + d, chroma * k) for d, k in ((0.0, 1.0), (0.055, 0.9), (-0.06, 1.02), (-0.2, 0.95))]
    base, lighter, dark, deep = (_srgb(lt, ch, hue, TINTS[light], WALL_TINT) for lt, ch in tones)
    return Wall(base, lighter, dark, deep)


@lru_cache(maxsize=64)
def _far(first: Colour, second: Colour) -> float:
    return float(np.abs(np.subtract(first, second)).sum())


def clothes(first: int, against: Colour, count: int) -> list[Colour]:
    """`count` different colours of cloth from the one of this number on, of those that stand out from the wall."""
    ordered = (CLOTHES[(first + step) % len(CLOTHES)] for step in range(len(CLOTHES)))
    return [colour for colour in ordered if _far(colour, against) >= 120][:count]


def hair(rng: random.Random, age: str, light: str) -> Colour:
    """A hair colour, whatever the skin: one of three, or silver for the older, under a warm light too."""
    if age != "older":
        return rng.choice(_HAIR)
    r, g, b = (min(255, round(v * t**-0.7)) for v, t in zip(rng.choice(_SILVER), TINTS[light], strict=True))
    return r, g, b


@lru_cache(maxsize=24)
def light_field(width: int, height: int, light: str, side: int) -> np.ndarray:
    """What the light multiplies the picture by, (height, width, 3); it comes from `side` (-1 left, 1 right)."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * side
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    if light == "warm":
        fall = 1.02 - 0.16 * np.clip(-x, 0, 1) + 0 * y
        extra = np.clip(-x, 0, 1)[..., None] * np.array([0.0, 0.03, 0.06], dtype=np.float32)
    elif light == "cool":
        fall = 1.02 - 0.13 * np.clip(y, 0, 1) + 0 * x
        extra = np.clip(y, 0, 1)[..., None] * np.array([0.04, 0.015, 0.0], dtype=np.float32)
    else:
        fall = 1.0 - 0.06 * np.clip(np.hypot(x, y) - 0.85, 0, 1)
        extra = np.zeros(3, dtype=np.float32)
    tint = np.asarray(TINTS[light], dtype=np.float32)
    return np.asarray((fall[..., None] - extra) * tint, dtype=np.float32)
