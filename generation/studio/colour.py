"""Colour for the studio: OKLCH to choose, linear light to compute, a scheme of hues drawn from a brand's palette."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofsheet.errors import InputError

Plane = NDArray[np.floating[Any]]  # single precision in practice
Rgb = NDArray[np.floating[Any]]  # shape (3,) or (..., 3), linear light

#: Set hues to fall back on when there is no palette: cream, peach, blush, lilac, sky, teal, sage, olive (degrees).
DEFAULT_HUES = (78.0, 52.0, 18.0, 305.0, 240.0, 195.0, 150.0, 108.0)

# Björn Ottosson, "A perceptual color space for image processing" (2020).
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LMS = np.linalg.inv(_TO_LMS)
_FROM_LAB = np.linalg.inv(_TO_LAB)


def decode_srgb(value: NDArray[np.floating]) -> NDArray[np.float64]:
    """Linear light from sRGB values 0–1."""
    value = np.asarray(value, dtype=np.float64)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def encode_srgb(linear: Plane) -> Plane:
    """sRGB values 0–1 from linear light."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.power(linear, 1 / 2.4) - 0.055).astype(np.float32)


def hex_to_linear(text: str) -> Rgb:
    """Linear light, shape (3,), of a colour written ``#rrggbb``.

    Raises:
        InputError: the text is not such a colour.
    """
    digits = text.strip().lstrip("#")
    if len(digits) != 6 or any(c not in "0123456789abcdefABCDEF" for c in digits):
        raise InputError(f"{text!r} is not a colour.", "Write six hexadecimal digits, such as #2f6f5e.")
    values = np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    return decode_srgb(values).astype(np.float32)


def linear_to_oklab(linear: NDArray[np.floating]) -> NDArray[np.float64]:
    """OKLab of linear light; shape (..., 3) in and out."""
    return np.asarray(np.cbrt(np.asarray(linear, dtype=np.float64) @ _TO_LMS.T) @ _TO_LAB.T)


def oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    """Linear light, shape (3,), of an OKLCH colour (hue in degrees); chroma gives way until the colour fits sRGB."""
    lightness = min(max(lightness, 0.0), 1.0)
    low, high = 0.0, chroma
    colour = _oklch(lightness, chroma, hue)
    if colour.min() >= -1e-4 and colour.max() <= 1.0001:
        return np.clip(colour, 0, 1).astype(np.float32)
    for _ in range(12):
        middle = (low + high) / 2
        colour = _oklch(lightness, middle, hue)
        if colour.min() < -1e-4 or colour.max() > 1.0001:
            high = middle
        else:
            low = middle
    return np.clip(_oklch(lightness, low, hue), 0, 1).astype(np.float32)


def _oklch(lightness: float, chroma: float, hue: float) -> NDArray[np.float64]:
    angle = math.radians(hue)
    lab = np.array([lightness, chroma * math.cos(angle), chroma * math.sin(angle)])
    return np.asarray(((_FROM_LAB @ lab) ** 3) @ _FROM_LMS.T)


def lch_of(linear: Rgb) -> tuple[float, float, float]:
    """Lightness, chroma and hue (degrees) of one linear colour."""
    lab = linear_to_oklab(linear)
    return float(lab[0]), float(math.hypot(lab[1], lab[2])), float(math.degrees(math.atan2(lab[2], lab[1])) % 360)


def hue_distance(a: float, b: float) -> float:
    """Degrees between two hues, 0–180."""
    return abs((a - b + 180) % 360 - 180)


@dataclass(frozen=True, slots=True)
class Scheme:
    """The colours of one set: a hue for wall and floor, an accent hue, and how far the light lifts or mutes them.

    ``lift`` is added to the lightness of every set colour, ``mute`` multiplies its chroma (both from the style).
    """

    hue: float
    accent_hue: float
    colourful: float = 1.0
    lift: float = 0.0
    mute: float = 1.0

    def set(self, lightness: float, chroma: float = 0.06, turn: float = 0.0) -> Rgb:
        """A colour of wall or floor; ``turn`` moves its hue by degrees."""
        return self._tone(lightness, chroma * self.colourful, self.hue + turn)

    def accent(self, lightness: float, chroma: float = 0.1, turn: float = 0.0) -> Rgb:
        """A colour of the second hue."""
        return self._tone(lightness, chroma, self.accent_hue + turn)

    def fixed(self, lightness: float, chroma: float, hue: float) -> Rgb:
        """A colour whose hue belongs to the material (wood, leaves), lifted like the rest."""
        return oklch(self._lifted(lightness), chroma * self.mute, hue)

    def _tone(self, lightness: float, chroma: float, hue: float) -> Rgb:
        """The colour, kept from turning khaki: yellows are lighter than other hues, and warmer where they are dark."""
        yellow = max(0.0, math.cos(math.radians(min(90.0, 2.2 * hue_distance(hue, 102.0)))))
        lightness = self._lifted(lightness)
        lightness += 0.35 * yellow * max(0.0, 0.96 - lightness) * (0.4 if self.lift < -0.2 else 1.0)
        return oklch(lightness, chroma * self.mute * (1 + 0.2 * yellow), hue - 9 * yellow)

    def _lifted(self, lightness: float) -> float:
        if self.lift >= 0:
            return lightness + (0.985 - lightness) * self.lift
        return lightness * (1 + self.lift)


def scheme_from(
    palette: Sequence[str], params: Mapping[str, str | int | float], seed: int, *, lift: float = 0.0, mute: float = 1.0
) -> Scheme:
    """The scheme of a recipe: brand hues first, the parameters ``hue`` and ``accent`` before them, the seed last.

    ``hue`` is a colour, or degrees; ``accent`` is a colour, or the index of a palette colour.
    """
    colours = [lch_of(hex_to_linear(text)) for text in palette]
    hues = [hue for lightness, chroma, hue in colours if chroma > 0.035 and 0.12 < lightness < 0.97]
    grey = bool(colours) and not hues
    hue = hues[0] if hues else DEFAULT_HUES[seed % len(DEFAULT_HUES)]
    if grey:
        hue = 70.0
    if "hue" in params:
        hue, grey = _hue_of(params["hue"], "hue"), False
    accent = next((other for other in hues[1:] if hue_distance(other, hue) >= 18), None)
    if accent is None:
        accent = hue + (38.0 if seed % 2 else -42.0)
    if "accent" in params:
        accent = _accent_of(params["accent"], [lch[2] for lch in colours])
    return Scheme(hue % 360, accent % 360, 0.18 if grey else 1.0, lift, mute)


def _hue_of(value: str | int | float, name: str) -> float:
    if isinstance(value, str) and value.strip().startswith("#"):
        return lch_of(hex_to_linear(value))[2]
    try:
        return float(value) % 360
    except ValueError:
        raise InputError(
            f"The scene parameter {name} = {value!r} is neither a colour nor degrees.",
            "Write a colour such as #2f6f5e, or a hue in degrees from 0 to 360.",
        ) from None


def _accent_of(value: str | int | float, hues: Sequence[float]) -> float:
    if isinstance(value, str) and value.strip().startswith("#"):
        return lch_of(hex_to_linear(value))[2]
    try:
        index = int(value)
    except ValueError:
        raise InputError(
            f"The scene parameter accent = {value!r} is neither a colour nor a number.",
            "Write a colour such as #e07a5f, or the position of a palette colour counted from 0.",
        ) from None
    if not 0 <= index < len(hues):
        raise InputError(
            f"The scene parameter accent = {index} names no palette colour: the palette has {len(hues)}.",
            "Count from 0, or write a colour such as #e07a5f.",
        )
    return hues[index]
