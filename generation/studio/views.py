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
    "gold": ((0.6, 0.07, 275), (0.77, 0.07, 35), (0.9, 0.095, 74), (0.95, 0.065, 72), (0.77, 0.06, 22)),
    "night": ((0.17, 0.06, 268), (0.26, 0.075, 265), (0.4, 0.08, 262), (0.46, 0.06, 262), (0.22, 0.055, 268)),
    "grey": ((0.66, 0.016, 245), (0.76, 0.012, 240), (0.85, 0.008, 230), (0.88, 0.006, 230), (0.67, 0.016, 248)),
    "gel": ((0.3, 0.11, 275), (0.45, 0.12, 310), (0.66, 0.12, 5), (0.66, 0.1, 355), (0.34, 0.11, 280)),
    "morning": ((0.74, 0.06, 245), (0.86, 0.04, 235), (0.94, 0.05, 72), (0.985, 0.03, 72), (0.84, 0.035, 310)),
    "fresh": ((0.62, 0.085, 222), (0.77, 0.075, 200), (0.9, 0.05, 170), (0.96, 0.02, 150), (0.76, 0.05, 210)),
    "late": ((0.58, 0.05, 250), (0.76, 0.045, 90), (0.85, 0.11, 80), (0.92, 0.08, 85), (0.64, 0.05, 60)),
    "white": ((0.88, 0.045, 238), (0.93, 0.03, 235), (0.975, 0.012, 220), (0.995, 0.004, 90), (0.9, 0.03, 245)),
}


def sky_colours(sheet: Sheet) -> SkyColours:
    """The sky that goes with the light set-up."""
    if sheet.rig.sky == "dark":
        hue = sheet.scheme.hue
        parts = ((0.2, 0.02), (0.32, 0.03), (0.5, 0.04), (0.47, 0.025), (0.24, 0.02))
        return SkyColours(*(oklch(lightness, chroma, hue) for lightness, chroma in parts))
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
    cover = 0.6 if sheet.rig.sky == "night" else 1.0
    billows = field(sheet.seed % 4096, low=1, high=110, slope=2.0)
    broad = field(sheet.seed % 4096 + 5, low=1, high=6, slope=1.0)

    def paint(px: Plane, py: Plane) -> Plane:
        px, py = np.broadcast_arrays(px, py)
        up = (np.float32(base) - py) / np.float32(reach)
        image = graded(up * 0.92 + 0.06, (tones.low, tones.middle, tones.top))
        if sun:
            sx, sy = camera.width * (0.5 + 0.62 * lamp[0]), base - reach * (0.15 + 0.75 * lamp[1])
            far = ((px - np.float32(sx)) ** 2 + (py - np.float32(sy)) ** 2) / (size * size)
            image = image + (np.exp(-far * 5)[..., None] * np.float32(0.3)) * tones.lit
        if sheet.rig.sky == "night":
            image = image + _stars(px, py, sheet, base)[..., None] * tones.lit
        if clouds > 0:
            image = _clouds(image, px / size, up, tones, lamp, (billows, broad), clouds * cover, scale)
        return np.asarray(image, dtype=np.float32)

    return paint


def _stars(px: Plane, py: Plane, sheet: Sheet, base: float) -> Plane:
    """Small lights above the horizon, on a grid of pixel positions."""
    out = np.zeros(px.shape, np.float32)
    if min(px.shape) < 2:
        return out
    rng = sheet.rng(71)
    left, top = float(px[0, 0]), float(py[0, 0])
    across, down = float(px[0, 1]) - left, float(py[1, 0]) - top
    size = float(min(sheet.width, sheet.height))
    for _ in range(int(150 * max(1.0, (sheet.width / size) ** 0.7))):
        x, y = float(rng.uniform(0, sheet.width)), float(rng.uniform(-0.02, 0.95)) * base
        sigma = max(size * 0.0011 * float(rng.uniform(0.7, 1.5)), 0.55 * across)
        bright = float(rng.random()) ** 3 * 2.4 + 0.25
        reach = 4 * sigma
        c0, c1 = int((x - reach - left) / across), int((x + reach - left) / across) + 2
        r0, r1 = int((y - reach - top) / down), int((y + reach - top) / down) + 2
        part = (slice(max(r0, 0), max(r1, 0)), slice(max(c0, 0), max(c1, 0)))
        square = (px[part] - np.float32(x)) ** 2 + (py[part] - np.float32(y)) ** 2
        out[part] += np.float32(bright) * np.exp(-square / np.float32(2 * sigma * sigma))
    return out


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
    period = 2.6 * scale

    def density(dx: float, dy: float) -> Plane:
        shape = look(billows, x + np.float32(dx), v + np.float32(dy), period)
        return np.asarray(shape + np.float32(0.55) * look(broad, x, v, period * 2.2), dtype=np.float32)

    here = density(0, 0)
    level = 1.15 - 1.7 * amount
    cover = smoothstep(level - 0.1, level + 1.15, here)
    toward = density(0.06 * lamp[0] * scale, -0.08 * scale)
    light = smoothstep(-0.55, 0.6, here - toward) * 0.7 + 0.3 * smoothstep(level + 2.2, level + 0.2, here)
    colour = tones.shaded + (tones.lit - tones.shaded) * light[..., None]
    cover = (cover * smoothstep(-0.15, 0.2, up) * np.float32(0.94))[..., None]
    return np.asarray(image + (colour - image) * cover, dtype=np.float32)


def hills(sheet: Sheet, camera: Camera, base_row: float, *, layers: int = 5, rough: float = 1.0) -> Backdrop:
    """Ridges behind each other, paler with distance, mist in the valleys, under the sky."""
    tones = sky_colours(sheet)
    behind = sky(sheet, camera, horizon=base_row, clouds=0.22, scale=1.6)
    size = float(min(camera.width, camera.height))
    rng = sheet.rng(21)
    near = sheet.scheme.set(0.4 if sheet.rig.sky not in ("night", "dark") else 0.34, 0.07)
    far = (tones.middle * np.float32(0.6) + tones.low * np.float32(0.4)).astype(np.float32)
    ridges = [(rng.uniform(0, 44, 7), float(rng.uniform(0.7, 1.2))) for _ in range(layers)]
    drift = field(sheet.seed % 977 + 1, low=1, high=12, slope=1.4, stretch=2)
    woods = field(sheet.seed % 977 + 2, low=4, high=200, slope=0.9)
    reach = size * min(1.0, base_row / size / 0.6)

    def paint(px: Plane, py: Plane) -> Plane:
        image = behind(px, py)
        x, y = px / np.float32(size), py / np.float32(size)
        for i, (phase, stretch) in enumerate(ridges):
            depth = i / max(layers - 1, 1)
            level = reach * (0.52 - 0.46 * depth)
            ridge = np.float32(base_row - level) - np.float32(reach) * _ridge(
                x, phase, stretch * (0.8 + 0.5 * i), rough, depth
            )
            top = int(np.searchsorted(py[:, 0], float(ridge.min()) - 3 - size * 0.002))
            low_py, low_y = py[top:], y[top:]
            inside = np.clip((low_py - ridge) / np.float32(1.2 + size * 0.002 * (1 - depth)) + 0.5, 0, 1)[..., None]
            tone = near + (far - near) * np.float32(0.92 * (1 - depth) ** 0.8)
            shade = 1 + np.float32(0.1 * depth) * look(woods, x + np.float32(0.3 * i), low_y * np.float32(1.6), 0.8)
            foot = base_row - level
            veil = smoothstep(foot - 0.03 * reach, foot + (0.26 - 0.12 * depth) * reach, low_py)
            veil = veil * (0.82 + 0.16 * look(drift, x + np.float32(i), low_y * np.float32(2.5), 2.0))
            colour = tone * shade[..., None]
            misty = np.clip(veil * np.float32(0.8 - 0.3 * depth), 0, 1)[..., None]
            image[top:] += (colour + (tones.low - colour) * misty - image[top:]) * inside
        return np.asarray(image, dtype=np.float32)

    return paint


def _ridge(x: Plane, phase: Plane, frequency: float, rough: float, depth: float) -> Plane:
    """The skyline of one ridge about its mean, as a share of the view's height."""
    line = np.zeros_like(x)
    for octave, start in enumerate(phase):
        wave = np.sin(x * np.float32(frequency * 2.4 * 1.93**octave) + np.float32(start))
        line += (1 - 2 * np.abs(wave)) * np.float32((0.8 + 0.12 * rough * octave) / 1.93**octave)
    return np.asarray(line * np.float32(0.07 - 0.03 * depth), dtype=np.float32)
