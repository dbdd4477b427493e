"""Views beyond the ground: skies with clouds, hills in mist, a wood, a city at night, a room out of focus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.studio.camera import Camera
from generation.studio.colour import Plane, Rgb, oklch
from generation.studio.noise import field, look, smoothstep
from generation.studio.room import Backdrop
from generation.studio.sheet import Sheet


@dataclass(frozen=True, slots=True)
class SkyColours:
    """Colours of a sky: overhead, half-way and at the horizon, and a cloud's lit and shaded side."""

    top: Rgb
    middle: Rgb
    low: Rgb
    lit: Rgb
    shaded: Rgb


_SKIES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "day": ((0.6, 0.125, 252), (0.75, 0.09, 240), (0.9, 0.045, 220), (0.985, 0.012, 90), (0.8, 0.045, 250)),
    "pale": ((0.68, 0.06, 248), (0.79, 0.042, 240), (0.89, 0.02, 230), (0.93, 0.012, 240), (0.74, 0.035, 250)),
    "gold": ((0.5, 0.1, 295), (0.7, 0.12, 30), (0.86, 0.12, 68), (0.9, 0.11, 58), (0.56, 0.1, 335)),
    "night": ((0.17, 0.06, 268), (0.26, 0.075, 265), (0.4, 0.08, 262), (0.46, 0.06, 262), (0.22, 0.055, 268)),
    "grey": ((0.66, 0.016, 245), (0.76, 0.012, 240), (0.85, 0.008, 230), (0.88, 0.006, 230), (0.67, 0.016, 248)),
    "white": ((0.88, 0.045, 238), (0.93, 0.03, 235), (0.975, 0.012, 220), (0.995, 0.004, 90), (0.9, 0.03, 245)),
}


def sky_colours(sheet: Sheet) -> SkyColours:
    """The sky that goes with the light set-up; coloured lamps make a coloured sky."""
    hue = sheet.scheme.accent_hue
    if sheet.rig.sky == "gel":
        parts = (
            (0.3, 0.14, hue + 125),
            (0.46, 0.17, hue + 70),
            (0.68, 0.17, hue + 10),
            (0.72, 0.17, hue),
            (0.36, 0.15, hue + 110),
        )
        return SkyColours(*(oklch(*part) for part in parts))
    return SkyColours(*(oklch(*part) for part in _SKIES[sheet.rig.sky]))


def graded(t: Plane, colours: Sequence[Rgb]) -> Plane:
    """A smooth gradient: t = 0 the first colour, 1 the last."""
    t = np.clip(t, 0, 1)[..., None] * np.float32(len(colours) - 1)
    out = np.zeros((*t.shape[:-1], 3), np.float32)
    for index, colour in enumerate(colours):
        weight = np.clip(1 - np.abs(t - index), 0, 1)
        out += weight * weight * (3 - 2 * weight) * colour
    return out


def sky(
    sheet: Sheet,
    camera: Camera,
    *,
    horizon: float | None = None,
    clouds: float = 0.5,
    sun: bool = True,
    scale: float = 1.0,
) -> Backdrop:
    """A sky above the row ``horizon`` (the camera's when None); ``clouds`` is how much of it they cover."""
    tones = sky_colours(sheet)
    base = camera.horizon if horizon is None else horizon
    size = np.float32(min(camera.width, camera.height))
    reach = max(base, 0.5 * camera.height)
    lamp = sheet.rig.lamps[0].unit
    billows = field(sheet.seed % 4096, low=1, high=160, slope=1.62)
    broad = field(sheet.seed % 4096 + 5, low=1, high=6, slope=1.0)

    def paint(px: Plane, py: Plane) -> Plane:
        px, py = np.broadcast_arrays(px, py)
        up = (np.float32(base) - py) / np.float32(reach)
        image = graded(up * 0.92 + 0.06, (tones.low, tones.middle, tones.top))
        if sun:
            sx, sy = camera.width * (0.5 + 0.62 * lamp[0]), base - reach * (0.15 + 0.75 * lamp[1])
            far = ((px - np.float32(sx)) ** 2 + (py - np.float32(sy)) ** 2) / (size * size)
            image = image + (np.exp(-far * 5)[..., None] * np.float32(0.3)) * tones.lit
        if clouds > 0:
            image = _clouds(image, px / size, up, tones, lamp, (billows, broad), clouds, scale)
        return np.asarray(image, dtype=np.float32)

    return paint


def _clouds(
    image: Plane,
    x: Plane,
    up: Plane,
    tones: SkyColours,
    lamp: tuple[float, float, float],
    tiles: tuple[Plane, Plane],
    amount: float,
    scale: float,
) -> Plane:
    billows, broad = tiles
    v = -up * np.float32(1.35)
    period = 2.3 * scale

    def density(dx: float, dy: float) -> Plane:
        shape = look(billows, x + np.float32(dx), v + np.float32(dy), period)
        return np.asarray(shape + np.float32(0.55) * look(broad, x, v, period * 2.2), dtype=np.float32)

    here = density(0, 0)
    level = 1.1 - 1.9 * amount
    cover = smoothstep(level, level + 0.95, here)
    toward = density(0.035 * lamp[0] * scale, -0.05 * scale)
    light = smoothstep(-0.42, 0.5, here - toward) * 0.75 + 0.25 * smoothstep(level + 2.0, level + 0.3, here)
    colour = tones.shaded + (tones.lit - tones.shaded) * light[..., None]
    cover = (cover * smoothstep(-0.15, 0.2, up) * np.float32(0.94))[..., None]
    return np.asarray(image + (colour - image) * cover, dtype=np.float32)


def hills(sheet: Sheet, camera: Camera, base_row: float, *, layers: int = 5, rough: float = 1.0) -> Backdrop:
    """Ridges behind each other, paler with distance, mist in the valleys, under the sky."""
    tones = sky_colours(sheet)
    behind = sky(sheet, camera, horizon=base_row, clouds=0.22, scale=1.6)
    size = float(min(camera.width, camera.height))
    rng = sheet.rng(21)
    dark = sheet.rig.sky == "night"
    near = sheet.scheme.set(0.4 if not dark else 0.34, 0.075)
    ridges = [(rng.uniform(0, 9, 5), rng.uniform(0.7, 1.2)) for _ in range(layers)]

    def paint(px: Plane, py: Plane) -> Plane:
        image = behind(px, py)
        x = px / np.float32(size)
        for i, (phase, stretch) in enumerate(ridges):
            depth = i / max(layers - 1, 1)
            line = np.zeros_like(x)
            for octave in range(5):
                f = (0.8 + 0.55 * i) * stretch * 1.9**octave
                line += np.sin(x * np.float32(f * 2.4) + np.float32(phase[octave] * 7)) / np.float32(
                    1.9**octave / (0.75 + 0.25 * rough * octave)
                )
            height = (
                size * (0.5 - 0.42 * depth) * min(1.0, base_row / size / 0.55) + size * (0.075 - 0.02 * depth) * line
            )
            ridge = np.float32(base_row) - height
            inside = np.clip((py - ridge) / np.float32(1.2 + size * 0.002 * (1 - depth)) + 0.5, 0, 1)[..., None]
            haze = 0.86 * (1 - depth) ** 1.2 + 0.06
            tone = near + (tones.low - near) * np.float32(haze)
            mist = smoothstep(0.02, 0.3, (py - ridge) / np.float32(size))[..., None] * np.float32(
                0.62 * (1 - 0.5 * depth)
            )
            image = image + (tone + (tones.low - tone) * mist - image) * inside
        return np.asarray(image, dtype=np.float32)

    return paint
