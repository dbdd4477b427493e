"""Colour arithmetic: sRGB, CIELAB (D65), OKLab, CIEDE2000 and the WCAG contrast ratio; all vectorised."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofsheet.errors import InputError

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

# sRGB primaries to CIE XYZ with the D65 white, IEC 61966-2-1.
_TO_XYZ = np.array(
    [
        [0.4123907992659595, 0.357584339383878, 0.1804807884018343],
        [0.21263900587151036, 0.715168678767756, 0.07219231536073371],
        [0.01933081871559185, 0.11919477979462599, 0.9505321522496606],
    ]
)
_WHITE: Floats = _TO_XYZ.sum(axis=1)
_FROM_XYZ: Floats = np.linalg.inv(_TO_XYZ)
# Linear sRGB to cone responses and on to OKLab: B. Ottosson, "A perceptual color space for image processing", 2020.
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


@cache
def _linear_of_byte() -> Floats:
    encoded = np.arange(256) / 255.0
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def linear_rgb(rgb: Bytes) -> Floats:
    """Linear light (0–1) of 8-bit sRGB values, any shape."""
    return _linear_of_byte()[rgb]


def rgb_of_hex(text: str) -> Bytes:
    """The three bytes of ``#rrggbb``.

    Raises:
        InputError: the text is not six hexadecimal digits after ``#``.
    """
    digits = text.removeprefix("#")
    try:
        if len(digits) != 6:
            raise ValueError
        return np.frombuffer(bytes.fromhex(digits), dtype=np.uint8).copy()
    except ValueError as error:
        raise InputError(f"The colour {text!r} is not of the form #rrggbb.", "Write it as #1f6f5c.") from error


def hex_of_rgb(rgb: Bytes) -> str:
    """``#rrggbb`` of three bytes."""
    return "#" + bytes(np.asarray(rgb, dtype=np.uint8).tolist()).hex()


def lab_of_rgb(rgb: Bytes) -> Floats:
    """CIELAB (D65, 2° observer) of 8-bit sRGB; shape (…, 3) in and out."""
    xyz = linear_rgb(rgb) @ _TO_XYZ.T / _WHITE
    delta = 6 / 29
    f = np.where(xyz > delta**3, np.cbrt(xyz), xyz / (3 * delta**2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def rgb_of_lab(lab: Floats) -> Bytes:
    """8-bit sRGB of CIELAB (D65), clipped to what sRGB can show; shape (…, 3) in and out."""
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    delta = 6 / 29
    xyz = np.where(f > delta, f**3, 3 * delta**2 * (f - 4 / 29)) * _WHITE
    linear = np.clip(xyz @ _FROM_XYZ.T, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), dtype=np.uint8)


def oklab_of_rgb(rgb: Bytes) -> Floats:
    """OKLab of 8-bit sRGB; shape (…, 3) in and out. Its hue stays put when a colour is made lighter or softer."""
    return np.asarray(np.cbrt(linear_rgb(rgb) @ _TO_CONES.T) @ _TO_OKLAB.T, dtype=np.float64)


def chroma_and_hue(oklab: Floats) -> tuple[Floats, Floats]:
    """Chroma, and hue in degrees (0–360), of OKLab values of shape (…, 3)."""
    a, b = oklab[..., 1], oklab[..., 2]
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def hue_distance(first: Any, second: Any) -> Floats:
    """The angle (0–180°) between two hues in degrees; broadcasts."""
    turned = np.abs(np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)) % 360
    return np.asarray(np.minimum(turned, 360 - turned), dtype=np.float64)


def ciede2000(first: Floats, second: Floats) -> Floats:
    """The CIEDE2000 difference ΔE00 (kL = kC = kH = 1) of CIELAB colours of shape (…, 3); broadcasts.

    Formula and test data: G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 color-difference formula: implementation
    notes, supplementary test data, and mathematical observations", Color Research and Application 30(1), 2005.
    """
    l1, a1, b1 = np.moveaxis(np.asarray(first, dtype=np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(second, dtype=np.float64), -1, 0)
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1 = np.degrees(np.arctan2(b1, a1 * stretch)) % 360
    h2 = np.degrees(np.arctan2(b2, a2 * stretch)) % 360
    grey = c1 * c2 == 0

    turn = h2 - h1
    turn = np.where(turn > 180, turn - 360, np.where(turn < -180, turn + 360, turn))
    turn = np.where(grey, 0.0, turn)
    delta_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    total = h1 + h2
    mean_h = np.where(np.abs(h1 - h2) <= 180, total / 2, np.where(total < 360, total / 2 + 180, total / 2 - 180))
    mean_h = np.where(grey, total, mean_h)

    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * np.cos(np.radians(mean_h - 30))
        + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6))
        - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c = 1 + 0.045 * mean_c
    s_h = 1 + 0.015 * mean_c * t
    twist = 30 * np.exp(-(((mean_h - 275) / 25) ** 2))
    rotation = -np.sin(np.radians(2 * twist)) * 2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7))
    dl, dc, dh = (l2 - l1) / s_l, (c2 - c1) / s_c, delta_h / s_h
    squared = dl**2 + dc**2 + dh**2 + rotation * dc * dh
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)), dtype=np.float64)


@cache
def _luminance_of_byte() -> Floats:
    return np.asarray(_linear_of_byte()[None, :] * _LUMINANCE[:, None], dtype=np.float64)


def relative_luminance(rgb: Bytes) -> Floats:
    """WCAG 2.2 relative luminance (0–1) of 8-bit sRGB; shape (…, 3) in, (…) out."""
    red, green, blue = _luminance_of_byte()
    return np.asarray(red[rgb[..., 0]] + green[rgb[..., 1]] + blue[rgb[..., 2]], dtype=np.float64)


def contrast_ratio(first: Bytes, second: Bytes) -> Floats:
    """WCAG 2.2 contrast ratio (1–21) of 8-bit sRGB colours of shape (…, 3); broadcasts, order does not matter."""
    one, other = relative_luminance(first), relative_luminance(second)
    return np.asarray((np.maximum(one, other) + 0.05) / (np.minimum(one, other) + 0.05), dtype=np.float64)
