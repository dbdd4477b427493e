"""A room far out of focus behind a table: window, pendant lamp, shelves, a plant, a picture on the wall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from generation.studio.camera import Camera
from generation.studio.colour import Plane, Rgb, Scheme, oklch
from generation.studio.noise import smoothstep
from generation.studio.room import Backdrop
from generation.studio.sheet import Sheet
from generation.studio.views_soft import blobs, from_canvas


@dataclass(frozen=True, slots=True)
class _Wall:
    """Where things hang: ``unit`` is the height of the visible wall in canvas pixels, ``way`` 1 or −1 mirrors it."""

    pen: ImageDraw.ImageDraw
    rng: np.random.Generator
    scheme: Scheme
    unit: float
    way: int
    dark: bool

    def box(self, centre: float, x0: float, x1: float, y0: float, y1: float, colour: Rgb) -> None:
        """A rectangle given in wall heights from a centre."""
        a, b = sorted((centre + self.way * x0 * self.unit, centre + self.way * x1 * self.unit))
        self.pen.rectangle((a, y0 * self.unit, b, y1 * self.unit), fill=tone_code(colour))

    def disc(self, centre: float, x: float, y: float, rx: float, ry: float, colour: Rgb) -> None:
        """An ellipse given in wall heights from a centre."""
        cx, cy = centre + self.way * x * self.unit, y * self.unit
        rx, ry = rx * self.unit, ry * self.unit
        self.pen.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), fill=tone_code(colour))


def interior(sheet: Sheet, camera: Camera, edge_row: float) -> Backdrop:
    """A room far out of focus, lit like the set, its bright window on the side of the light."""
    rig, scheme = sheet.rig, sheet.scheme
    light: Rgb = rig.lamps[0].colour * np.float32(0.5) + rig.fill
    dark = rig.sky in ("night", "dark")
    if dark:  # lit by its own lamps
        light = np.array([0.5, 0.38, 0.26], np.float32)

    def draw(canvas: Plane, scale: float) -> Plane:
        rng = sheet.rng(51)
        rows, columns = canvas.shape[:2]
        size = float(min(rows, columns))
        end = min(max(edge_row * scale, rows * 0.3), float(rows))
        picture = Image.new("RGB", (columns, rows), tone_code(scheme.set(0.78, 0.06)))
        wall = _Wall(ImageDraw.Draw(picture), rng, scheme, end, 1 if rig.lamps[0].unit[0] < 0 else -1, dark)
        wall.pen.rectangle((0, end * 0.8, columns, rows), fill=tone_code(scheme.set(0.62, 0.07)))
        wall.pen.rectangle((0, end * 0.79, columns, end * 0.805), fill=tone_code(scheme.set(0.9, 0.03)))
        middle, apart = camera.foot_x * scale, 2.6 * end
        first = int(np.ceil((-0.9 * end - middle) / apart))
        for number in range(first, int((columns + 0.9 * end - middle) / apart) + 1):
            _furnish(wall, middle + number * apart, window=number == 0)
        values = (np.asarray(picture, dtype=np.float32) / 255) ** 2 * light
        x = (np.arange(columns, dtype=np.float32) / columns)[None, :, None]
        values = values * (1.12 - 0.3 * (x if wall.way > 0 else 1 - x))
        if not dark:
            pane = smoothstep(0.94, 0.99, (np.asarray(picture, dtype=np.float32) / 255).min(axis=-1))[..., None]
            values = values + pane * light * np.float32(0.55)
        else:
            spots = (0.0, float(columns), end * 0.1, end * 0.5)
            radii = (size * 0.04, size * 0.07)
            blobs(values, rng, max(2, int(2 * columns / size)), radii, [oklch(0.8, 0.13, 65)], spots, strength=0.7)
        soft = ndimage.gaussian_filter(values, (size * 0.026, size * 0.026, 0), mode="nearest")
        return np.asarray(soft, dtype=np.float32)

    return from_canvas(camera, draw, pixels=320)


def _furnish(wall: _Wall, centre: float, *, window: bool) -> None:
    """One stretch of wall; only the one behind the product has the window and the shelves, the others stay calm."""
    scheme = wall.scheme
    if window:
        _window(wall, centre)
        _shelves(wall, centre)
    for _ in range(30):
        x, y = float(wall.rng.normal(-0.08, 0.05)), float(wall.rng.normal(0.6, 0.085))
        leaf = scheme.fixed(float(wall.rng.uniform(0.4, 0.66)), 0.1, float(wall.rng.uniform(125, 145)))
        wall.disc(centre, x, y, float(wall.rng.uniform(0.012, 0.03)), float(wall.rng.uniform(0.03, 0.06)), leaf)
    wall.box(centre, -0.13, -0.03, 0.74, 0.9, scheme.accent(0.68, 0.1))
    wall.box(centre, 0.118, 0.122, 0.0, 0.13, scheme.fixed(0.3, 0.02, 60))
    wall.disc(centre, 0.12, 0.2, 0.085, 0.08, scheme.accent(0.7, 0.11) if not wall.dark else oklch(0.9, 0.1, 75))


def _window(wall: _Wall, centre: float) -> None:
    scheme = wall.scheme
    glass = np.array([1.0, 0.99, 0.97], np.float32) if not wall.dark else oklch(0.4, 0.08, 262)
    wall.box(centre, -0.66, -0.2, 0.04, 0.71, scheme.set(0.92, 0.02))
    for i in range(2):
        for j in range(3):
            x, y = -0.645 + 0.222 * i, 0.055 + 0.217 * j
            wall.box(centre, x, x + 0.205, y, y + 0.2, glass)
    wall.box(centre, -0.72, -0.63, 0.0, 0.78, scheme.set(0.86, 0.035))


def _shelves(wall: _Wall, centre: float) -> None:
    scheme = wall.scheme
    tones = (scheme.accent(0.64, 0.12), scheme.set(0.92, 0.025), scheme.set(0.55, 0.1), scheme.fixed(0.74, 0.08, 70))
    for level in (0.4, 0.66):
        wall.box(centre, 0.3, 0.82, level, level + 0.022, scheme.fixed(0.55, 0.08, 60))
        x = 0.32
        while x < 0.76:
            w, h = float(wall.rng.uniform(0.03, 0.075)), float(wall.rng.uniform(0.07, 0.19))
            wall.box(centre, x, x + w, level - h, level, tones[int(wall.rng.integers(4))])
            x += w + float(wall.rng.uniform(0.004, 0.06))


def tone_code(colour: Rgb) -> tuple[int, int, int]:
    """A linear colour as Pillow takes it, coded by a square root (decoded by squaring)."""
    r, g, b = (round(255 * float(value) ** 0.5) for value in np.clip(colour, 0, 1))
    return r, g, b
