"""Views out of focus, painted small: a city at night, the edge of a wood."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage

from generation.studio.camera import Camera
from generation.studio.colour import Plane, Rgb, oklch
from generation.studio.noise import smoothstep
from generation.studio.room import Backdrop
from generation.studio.sheet import Sheet
from generation.studio.views import graded, sky_colours


def from_canvas(camera: Camera, draw: Callable[[Plane, float], Plane], *, pixels: int = 300) -> Backdrop:
    """A view painted on a small canvas (draw gets an empty one and its pixels per picture pixel), then magnified."""
    kept: list[Plane] = []

    def paint(px: Plane, py: Plane) -> Plane:
        if not kept:
            scale = min(1.0, pixels / min(camera.width, camera.height), 1600 / max(camera.width, camera.height))
            empty = np.zeros((max(8, round(camera.height * scale)), max(8, round(camera.width * scale)), 3), np.float32)
            kept.append(draw(empty, scale))
        canvas = kept[0]
        ky, kx = canvas.shape[0] / camera.height, canvas.shape[1] / camera.width
        px, py = np.broadcast_arrays(px, py)
        at = np.stack([py * np.float32(ky) - np.float32(0.5), px * np.float32(kx) - np.float32(0.5)])
        return np.stack(
            [ndimage.map_coordinates(canvas[..., c], at, order=1, mode="nearest") for c in range(3)], axis=-1
        )

    return paint


def blobs(
    canvas: Plane,
    rng: np.random.Generator,
    count: int,
    radii: tuple[float, float],
    colours: Sequence[Rgb],
    box: tuple[float, float, float, float],
    *,
    strength: float = 0.5,
    rim: float = 0.35,
    edge: float = 0.1,
) -> None:
    """Add discs of confusion to a canvas in place; radii and box (x0, x1, y0, y1) in canvas pixels."""
    rows, columns = canvas.shape[:2]
    for _ in range(count):
        r = radii[0] + (radii[1] - radii[0]) * float(rng.random()) ** 1.6
        x, y = float(rng.uniform(box[0], box[1])), float(rng.uniform(box[2], box[3]))
        colour = colours[int(rng.integers(len(colours)))] * np.float32(rng.uniform(0.4, 1.0) * strength)
        c0, c1, r0, r1 = (
            int(max(x - r - 2, 0)),
            int(min(x + r + 3, columns)),
            int(max(y - r - 2, 0)),
            int(min(y + r + 3, rows)),
        )
        if c0 >= c1 or r0 >= r1:
            continue
        dy, dx = np.mgrid[r0:r1, c0:c1].astype(np.float32)
        d = np.sqrt((dx + 0.5 - np.float32(x)) ** 2 + (dy + 0.5 - np.float32(y)) ** 2) / np.float32(r)
        soft = max(edge, 1.0 / r)
        disc = smoothstep(1 + soft / 2, 1 - soft, d) * (1 - rim + rim * np.clip(d, 0, 1) ** 3)
        canvas[r0:r1, c0:c1] += disc[..., None] * colour


def city_night(sheet: Sheet, camera: Camera, edge_row: float) -> Backdrop:
    """Lights of a city, far out of focus, over dark blocks."""
    hue, other = sheet.scheme.hue, sheet.scheme.accent_hue
    tones = sky_colours(sheet)
    dim = {"night": 0.8, "dark": 0.55, "gel": 0.8, "gold": 0.62, "late": 0.5, "white": 0.85, "day": 0.42, "grey": 0.34}
    sky_share = np.float32(dim.get(sheet.rig.sky, 0.5) ** 1.6)
    bright = 1.6 if sheet.rig.sky == "white" else 1.0
    rng = sheet.rng(31)

    def draw(canvas: Plane, scale: float) -> Plane:
        rows, columns = canvas.shape[:2]
        end = min(max(edge_row * scale, rows * 0.3), rows * 1.0)
        size = float(min(rows, columns))
        t = np.clip(np.arange(rows, dtype=np.float32) / max(end, 1), 0, 1)[:, None]
        canvas[:] = graded(np.broadcast_to(t, (rows, columns)), (tones.top, tones.middle, tones.low)) * sky_share
        x = 0.0
        while x < columns:
            w = float(rng.uniform(0.06, 0.17)) * size
            h = float(rng.uniform(0.2, 0.75)) * end
            canvas[max(int(end - h), 0) : int(end) + 1, int(x) : int(x + w)] *= np.float32(rng.uniform(0.35, 0.7))
            x += w * float(rng.uniform(0.9, 1.5))
        canvas[:] = ndimage.gaussian_filter(canvas, (size * 0.025, size * 0.025, 0), mode="nearest")
        warm = [
            oklch(0.82, 0.13, 70),
            oklch(0.75, 0.16, 50),
            oklch(0.88, 0.08, 85),
            oklch(0.7, 0.16, hue),
            oklch(0.72, 0.17, other),
            oklch(0.66, 0.2, 25),
        ]
        wide = (columns / size) ** 0.5
        for count, small, large, high, strength in (
            (26, 0.012, 0.03, 0.25, 0.65),
            (15, 0.03, 0.065, 0.12, 0.55),
            (6, 0.06, 0.11, 0.1, 0.3),
        ):
            box = (0.0, float(columns), end * high, end * 0.99)
            blobs(canvas, rng, int(count * wide), (size * small, size * large), warm, box, strength=strength * bright)
        return canvas

    return from_canvas(camera, draw, pixels=420)


def wood_edge(sheet: Sheet, camera: Camera, edge_row: float) -> Backdrop:
    """Trees and sun through leaves, out of focus."""
    rng = sheet.rng(41)
    rig = sheet.rig
    level = {"night": 0.24, "dark": 0.38, "gel": 0.5, "white": 1.5, "gold": 1.05}.get(rig.sky, 0.95)
    tint = rig.lamps[0].colour / max(float(rig.lamps[0].colour.mean()), 1e-3)
    tint = (tint * np.float32(0.6) + np.float32(0.4)).astype(np.float32)

    def draw(canvas: Plane, scale: float) -> Plane:
        rows, columns = canvas.shape[:2]
        size = float(min(rows, columns))
        end = min(max(edge_row * scale, rows * 0.3), float(rows))
        y = np.clip(np.arange(rows, dtype=np.float32) / end, 0, 1)[:, None]
        x = (np.arange(columns, dtype=np.float32) / columns)[None, :]
        sun = 0.5 + 0.42 * rig.lamps[0].unit[0]
        glow = np.exp(-(((x - np.float32(sun)) / 0.42) ** 2) - ((y - 0.3) / 0.45) ** 2)
        canvas[:] = graded(
            np.clip(glow + 0 * y, 0, 1), (oklch(0.27, 0.05, 150), oklch(0.5, 0.1, 135), oklch(0.83, 0.12, 115))
        )
        patch = ndimage.gaussian_filter(rng.standard_normal((rows, columns)), size * 0.045, mode="nearest")
        canvas *= (1 + 0.34 * patch / patch.std()).clip(0.25, 2)[..., None].astype(np.float32)
        for _ in range(int(7 * max(columns / size, 1))):
            c, w = float(rng.uniform(0, columns)), size * float(rng.uniform(0.018, 0.055))
            trunk = np.exp(-(((np.arange(columns) - c) / w) ** 4)).astype(np.float32)[None, :, None]
            canvas *= 1 - np.float32(rng.uniform(0.35, 0.72)) * trunk
        canvas[:] = ndimage.gaussian_filter(canvas, (size * 0.016, size * 0.016, 0), mode="nearest")
        greens = [oklch(0.72, 0.14, 128), oklch(0.82, 0.14, 112), oklch(0.6, 0.12, 140), oklch(0.9, 0.09, 100)]
        wide = max(columns / size, 1)
        blobs(
            canvas,
            rng,
            int(34 * wide),
            (size * 0.015, size * 0.04),
            greens,
            (0, columns, 0, end * 0.9),
            strength=0.34,
            rim=0.25,
        )
        blobs(
            canvas,
            rng,
            int(22 * wide),
            (size * 0.035, size * 0.085),
            greens,
            (columns * (sun - 0.4), columns * (sun + 0.4), 0, end * 0.75),
            strength=0.22,
            rim=0.3,
        )
        return np.asarray(canvas * tint * np.float32(level), dtype=np.float32)

    return from_canvas(camera, draw, pixels=420)
