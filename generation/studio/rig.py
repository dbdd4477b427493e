"""Light set-ups: what the style of a scene decides. Lamps point from the set towards the light."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from generation.studio.colour import Rgb, Scheme, hue_distance, oklch
from proofsheet.errors import InputError


@dataclass(frozen=True, slots=True)
class Lamp:
    """One light: where it comes from, its colour and strength (linear), and how large it looks.

    ``radius`` is the lamp's apparent radius in radians: 0.01 a bare sun, 0.5 a very large softbox. ``gobo`` names the
    mask before it ("" for none); ``spot`` is the radius of its pool in units (0: it lights everything).
    """

    direction: tuple[float, float, float]
    colour: Rgb
    radius: float
    gobo: str = ""
    spill: float = 0.35  # how much light passes where the mask is closed
    spot: float = 0.0
    reach: float = 1.0  # below 1 the lamp stands near, and its light falls off across the set

    @property
    def unit(self) -> tuple[float, float, float]:
        """The direction as a unit vector."""
        x, y, z = self.direction
        length = math.sqrt(x * x + y * y + z * z)
        return x / length, y / length, z / length


@dataclass(frozen=True, slots=True)
class Rig:
    """A light set-up with its grading; ``lift`` and ``mute`` act on the set's colours, see Scheme."""

    lamps: tuple[Lamp, ...]
    fill: Rgb
    sky: str  # "day" | "morning" | "fresh" | "late" | "pale" | "gold" | "night" | "grey" | "white" | "gel" | "dark"
    lift: float = 0.0
    mute: float = 1.0
    level: float = 0.9  # how brightly a white surface in the open is lit, as linear light
    exposure: float = 1.0
    contrast: float = 0.12
    saturation: float = 1.0
    vignette: float = 0.13
    bloom: float = 0.05
    backlit: float = 0.12
    shade: tuple[float, float] = (0.24, 0.035)  # lightness and chroma of shadows on the ground


def levelled(rig: Rig) -> Rig:
    """The rig with its lamps and fill turned up or down together until ground and wall are lit to its level."""
    total = rig.fill.copy()
    for lamp in rig.lamps:
        _, y, z = lamp.unit
        passes = lamp.spill + (1 - lamp.spill) * 0.55 if lamp.gobo else 1.0
        total = total + lamp.colour * np.float32(max(0.5 * (y - z), 0.1) * passes)
    gain = np.float32(rig.level / float(total @ np.array([0.2126, 0.7152, 0.0722], np.float32)))
    lamps = tuple(replace(lamp, colour=lamp.colour * gain) for lamp in rig.lamps)
    return replace(rig, lamps=lamps, fill=rig.fill * gain)


@dataclass(frozen=True, slots=True)
class Style:
    """A light set-up by name: what it is in a few words, and how it is built from a scheme's hues."""

    description: str
    build: Callable[[Scheme], Rig]
    lift: float = 0.0
    mute: float = 1.0


def _rgb(r: float, g: float, b: float) -> Rgb:
    return np.array([r, g, b], dtype=np.float32)


def _window_warm(scheme: Scheme) -> Rig:
    lamp = Lamp((-0.66, 0.56, -0.6), _rgb(1.42, 1.1, 0.74) * 1.12, 0.06, "window", 0.4)
    return Rig(
        (lamp,), _rgb(0.42, 0.39, 0.4), "morning", level=0.86, contrast=0.16, saturation=1.06, shade=(0.27, 0.05)
    )


def _leaf_shade(scheme: Scheme) -> Rig:
    lamp = Lamp((0.62, 0.62, -0.56), _rgb(1.24, 1.14, 0.9) * 1.2, 0.045, "leaves", 0.34)
    return Rig((lamp,), _rgb(0.36, 0.4, 0.38), "fresh", level=0.84, contrast=0.16, saturation=1.04, backlit=0.18)


def _hard_noon(scheme: Scheme) -> Rig:
    lamp = Lamp((0.5, 0.92, -0.62), _rgb(1.3, 1.24, 1.12) * 1.36, 0.012)
    return Rig(
        (lamp,),
        _rgb(0.2, 0.23, 0.29),
        "day",
        level=1.0,
        contrast=0.2,
        saturation=1.16,
        vignette=0.05,
        backlit=0.05,
        shade=(0.2, 0.05),
    )


def _soft_north(scheme: Scheme) -> Rig:
    lamp = Lamp((-0.85, 0.42, -0.42), _rgb(0.96, 1.0, 1.06) * 1.15, 0.36)
    return Rig(
        (lamp,),
        _rgb(0.25, 0.265, 0.29),
        "pale",
        level=0.84,
        contrast=0.1,
        saturation=0.98,
        vignette=0.15,
        shade=(0.26, 0.02),
    )


def _golden_low(scheme: Scheme) -> Rig:
    lamp = Lamp((-0.92, 0.3, -0.46), _rgb(1.72, 0.98, 0.46) * 1.12, 0.03)
    return Rig(
        (lamp,),
        _rgb(0.25, 0.19, 0.27),
        "gold",
        level=0.8,
        contrast=0.18,
        saturation=1.1,
        bloom=0.1,
        backlit=0.35,
        vignette=0.2,
        shade=(0.22, 0.06),
    )


def _gel_duo(scheme: Scheme) -> Rig:
    warm = 5.0 if hue_distance(scheme.accent_hue, 5.0) > hue_distance(scheme.accent_hue, 45.0) else 350.0
    left = oklch(0.68, 0.2, warm) * 2.1
    right = oklch(0.6, 0.17, 262.0) * 2.6
    lamps = (
        Lamp((-0.9, 0.34, -0.3), left, 0.16, reach=0.52),
        Lamp((0.92, 0.3, -0.3), right, 0.16, reach=0.52),
    )
    fill = (oklch(0.42, 0.08, 300.0) * 0.6).astype(np.float32)
    return Rig(
        lamps,
        fill,
        "gel",
        level=0.5,
        contrast=0.2,
        saturation=0.94,
        vignette=0.2,
        bloom=0.06,
        backlit=0.5,
        shade=(0.16, 0.07),
    )


def _night(scheme: Scheme) -> Rig:
    moon = Lamp((0.7, 0.66, -0.4), _rgb(0.5, 0.68, 1.02) * 1.5, 0.09)
    lantern = Lamp((-0.7, 0.4, -0.55), _rgb(1.7, 0.96, 0.46) * 1.25, 0.14, spot=1.3)
    return Rig(
        (moon, lantern),
        _rgb(0.06, 0.08, 0.15),
        "night",
        level=0.62,
        contrast=0.16,
        vignette=0.3,
        bloom=0.12,
        backlit=0.45,
        exposure=1.15,
        shade=(0.1, 0.05),
    )


def _overcast(scheme: Scheme) -> Rig:
    lamp = Lamp((-0.12, 0.92, -0.4), _rgb(0.94, 0.98, 1.02) * 0.4, 0.9)
    return Rig(
        (lamp,),
        _rgb(0.56, 0.585, 0.62),
        "grey",
        level=0.84,
        contrast=0.03,
        saturation=0.62,
        vignette=0.1,
        shade=(0.34, 0.012),
    )


def _high_key(scheme: Scheme) -> Rig:
    lamp = Lamp((-0.3, 0.8, -0.7), _rgb(1.0, 1.0, 1.0) * 0.62, 0.5)
    return Rig(
        (lamp,),
        _rgb(0.6, 0.6, 0.61),
        "white",
        level=1.0,
        contrast=0.04,
        saturation=1.0,
        vignette=0.0,
        bloom=0.12,
        exposure=1.06,
        shade=(0.5, 0.03),
    )


def _moody(scheme: Scheme) -> Rig:
    lamp = Lamp((-0.8, 0.62, -0.36), _rgb(1.2, 1.05, 0.86) * 1.7, 0.07, spot=1.7)
    return Rig(
        (lamp,),
        _rgb(0.11, 0.105, 0.11),
        "dark",
        level=1.0,
        contrast=0.16,
        saturation=1.0,
        vignette=0.42,
        bloom=0.08,
        backlit=0.3,
        shade=(0.08, 0.02),
    )


def _blinds(scheme: Scheme) -> Rig:
    lamp = Lamp((0.8, 0.46, -0.6), _rgb(1.6, 1.06, 0.62) * 1.22, 0.03, "blinds", 0.22)
    return Rig(
        (lamp,),
        _rgb(0.25, 0.21, 0.25),
        "late",
        level=0.74,
        contrast=0.18,
        saturation=1.05,
        vignette=0.18,
        shade=(0.22, 0.05),
    )


#: The light set-ups a style may name in ``params = { light = "…" }``.
STYLES: dict[str, Style] = {
    "window_warm": Style("morning sun through a window, warm, from the left", _window_warm),
    "leaf_shade": Style("sun through foliage, from the right", _leaf_shade),
    "hard_noon": Style("a bare high sun: bright, short hard shadows", _hard_noon, mute=1.1),
    "soft_north": Style("a large cool window from the left, gentle shadows", _soft_north, lift=-0.04, mute=0.92),
    "golden_low": Style("the last sun, low and orange, long shadows", _golden_low),
    "gel_duo": Style("two coloured lamps, from left and right, on a darker set", _gel_duo, lift=-0.1, mute=0.35),
    "night": Style("moonlight with one warm lamp near the product", _night, lift=-0.3, mute=0.9),
    "overcast": Style("a grey sky: even, muted, almost without shadow", _overcast, mute=0.7),
    "high_key": Style("bright and airy, nearly white", _high_key, lift=0.62, mute=0.62),
    "moody": Style("one spotlight on a dark set", _moody, lift=-0.42, mute=0.9),
    "blinds": Style("late sun through slatted blinds, from the right", _blinds),
}

DEFAULT_STYLE = "soft_north"


def style_named(name: str) -> Style:
    """The style of that name.

    Raises:
        InputError: there is none; the hint lists all.
    """
    if name not in STYLES:
        raise InputError(f"There is no light named {name!r}.", f"Known lights: {', '.join(sorted(STYLES))}.")
    return STYLES[name]
