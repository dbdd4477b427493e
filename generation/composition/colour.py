"""Colour arithmetic: sRGB, linear light, OKLCH and the contrast of WCAG 2.2.

Sources: sRGB transfer curve IEC 61966-2-1; Oklab by B. Ottosson (2020); contrast ratio WCAG 2.2 §1.4.3.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[int, int, int]
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


def decode(value: float) -> float:
    """Linear light (0–1) of an sRGB component (0–1)."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def encode(value: float) -> float:
    """The sRGB component (0–1) of linear light, which is first limited to 0–1."""
    value = min(max(value, 0.0), 1.0)
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


@cache
def _decode_table() -> Floats:
    return np.array([decode(level / 255) for level in range(256)], dtype=np.float32)


def linear_map(pixels: Pixels) -> Floats:
    """Linear light (0–1) of RGB pixels, shape (…, 3)."""
    result: Floats = _decode_table()[pixels[..., :3]]
    return result


def encoded_levels(linear: Floats) -> Floats:
    """The sRGB levels (0–255, not rounded) of linear light, which is first limited to 0–1."""
    limited = np.clip(linear, 0, 1)
    levels = np.where(limited <= 0.0031308, limited * 12.92, 1.055 * limited ** np.float32(1 / 2.4) - 0.055)
    return np.asarray(levels * 255, dtype=np.float32)


def dithered(values: Floats) -> Pixels:
    """Float levels (0–255) as bytes with half a level of fixed noise, so that soft gradients do not band."""
    noise = np.random.default_rng(20_260_101).random(values.shape[:2], dtype=np.float32) - 0.5
    return np.clip(values + 0.5 + noise[..., None], 0, 255).astype(np.uint8)


def luminance_map(pixels: Pixels) -> Floats:
    """Relative luminance (0–1) of RGB pixels: shape (…, 3) → (…)."""
    linear = _decode_table()[pixels[..., :3]]
    weights = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    result: Floats = linear @ weights
    return result


def luminance(rgb: Rgb) -> float:
    """Relative luminance (0–1) of one colour."""
    red, green, blue = (decode(component / 255) for component in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    """Contrast ratio (1–21) of two relative luminances."""
    high, low = max(one, other), min(one, other)
    return (high + 0.05) / (low + 0.05)


def contrast_of(one: Rgb, other: Rgb) -> float:
    """Contrast ratio (1–21) of two colours."""
    return contrast(luminance(one), luminance(other))


def contrast_map(ink: Rgb, ground: Floats) -> Floats:
    """Contrast ratio of an ink with every luminance of a ground, same shape."""
    return contrasts(luminance(ink), ground)


def contrasts(level: float, ground: Floats) -> Floats:
    """Contrast ratio of one luminance with every luminance of a ground, same shape."""
    ratios = (np.maximum(ground, level) + 0.05) / (np.minimum(ground, level) + 0.05)
    return np.asarray(ratios, dtype=np.float32)


def rgb_of(hex_text: str) -> Rgb:
    """Red, green and blue of ``#rrggbb``."""
    return int(hex_text[1:3], 16), int(hex_text[3:5], 16), int(hex_text[5:7], 16)


def hex_of(rgb: Rgb) -> str:
    """``#rrggbb`` of a colour."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def to_oklch(rgb: Rgb) -> tuple[float, float, float]:
    """Lightness (0–1), chroma and hue (degrees) of a colour."""
    red, green, blue = (decode(component / 255) for component in rgb)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def _linear_of_oklch(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def from_oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    """The nearest sRGB colour of this lightness and hue: chroma is reduced until it fits."""
    lightness = min(max(lightness, 0.0), 1.0)
    low, high = 0.0, chroma
    if not _in_gamut(_linear_of_oklch(lightness, chroma, hue)):
        for _ in range(24):
            middle = (low + high) / 2
            if _in_gamut(_linear_of_oklch(lightness, middle, hue)):
                low = middle
            else:
                high = middle
        chroma = low
    red, green, blue = (round(encode(value) * 255) for value in _linear_of_oklch(lightness, chroma, hue))
    return red, green, blue


def _in_gamut(linear: tuple[float, float, float]) -> bool:
    return all(-1e-4 <= value <= 1 + 1e-4 for value in linear)


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """``one`` with ``share`` (0–1) of ``other``, in sRGB."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def mean_rgb(pixels: NDArray[Any]) -> Rgb:
    """The mean colour of RGB pixels of any shape (…, 3)."""
    red, green, blue = (round(float(value)) for value in pixels.reshape(-1, 3).mean(axis=0))
    return red, green, blue
