"""A drawing pen over a supersampled picture: smooth shapes, tapered limbs and soft shade in the units of a head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from PIL import Image, ImageChops, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]
Disc = tuple[float, float, float]

#: Canvas pixels drawn for one pixel of the finished picture, each way.
SUPERSAMPLING = 4
_STEPS = 6


def _catmull_rom() -> np.ndarray:
    """The weights (steps, 4) of four neighbouring points along the curve between the middle two."""
    t = np.arange(_STEPS) / _STEPS
    powers = np.stack([t**3, t**2, t, np.ones_like(t)], axis=1)
    matrix = np.array([[-1, 3, -3, 1], [2, -5, 4, -1], [-1, 0, 1, 0], [0, 2, 0, 0]]) / 2
    return np.asarray(powers @ matrix)


_BASIS = _catmull_rom()


def smooth(points: Sequence[Point], closed: bool = True) -> list[Point]:
    """A smooth curve through `points`; its last point joins its first where `closed`."""
    given = np.asarray(points, dtype=np.float64)
    if closed:
        ring = np.concatenate([given[-1:], given, given[:2]])
    else:
        ring = np.concatenate([given[:1], given, given[-1:]])
    windows = np.stack([ring[i : len(ring) - 3 + i] for i in range(4)], axis=1)
    curve = np.einsum("sk,nkd->nsd", _BASIS, windows).reshape(-1, 2)
    if not closed:
        curve = np.concatenate([curve, given[-1:]])
    return [(float(x), float(y)) for x, y in curve]


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`first` with `share` (0-1) of `second` stirred in, in sRGB."""
    r, g, b = (round(a + (z - a) * share) for a, z in zip(first, second, strict=True))
    return r, g, b


def scale(colour: Colour, factor: float) -> Colour:
    """`colour` darker (factor below 1) or lighter (above 1), kept within 0-255."""
    r, g, b = (min(max(round(v * factor), 0), 255) for v in colour)
    return r, g, b


def brightness(colour: Colour) -> float:
    """How light `colour` looks, 0-1 (luma of sRGB)."""
    r, g, b = colour
    return (0.299 * r + 0.587 * g + 0.114 * b) / 255


@lru_cache(maxsize=16)
def _gradient(kind: str) -> Image.Image:
    """A soft mask of 64 x 64, strong where `kind` says: right, left, down, up, or round (in the middle)."""
    line = np.linspace(-1, 1, 64)
    x, y = np.meshgrid(line, line)
    if kind == "round":
        value = 1 - np.hypot(x, y)
    else:
        value = {"right": x, "left": -x, "down": y, "up": -y}[kind] * 1.05 - 0.25
    value = np.clip(value, 0, 1)
    value = value * value * (3 - 2 * value)
    return Image.fromarray((value * 255).astype(np.uint8))


class Pen:
    """Draws on `image` around (`x`, `y`) of the canvas; one local unit is `unit` canvas pixels, y downwards."""

    def __init__(self, image: Image.Image, x: float, y: float, unit: float) -> None:
        self.image = image
        self.draw = ImageDraw.Draw(image)
        self.x, self.y, self.unit = x, y, unit

    def moved(self, x: float, y: float, factor: float = 1.0) -> Pen:
        """A pen at (`x`, `y`) of this one, its unit `factor` times as large."""
        return Pen(self.image, self.x + x * self.unit, self.y + y * self.unit, self.unit * factor)

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [(self.x + px * self.unit, self.y + py * self.unit) for px, py in points]

    def poly(self, points: Sequence[Point], colour: Colour) -> None:
        """A straight-sided shape."""
        self.draw.polygon(self._at(points), fill=colour)

    def blob(self, points: Sequence[Point], colour: Colour) -> None:
        """A smooth closed shape through `points`."""
        self.draw.polygon(self._at(smooth(points)), fill=colour)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """An upright ellipse of half-widths `rx`, `ry`."""
        (cx, cy), rx, ry = self._at([(x, y)])[0], rx * self.unit, ry * self.unit
        self.draw.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), fill=colour)

    def ring(self, x: float, y: float, rx: float, ry: float, width: float, colour: Colour) -> None:
        """The outline of an ellipse, `width` thick inwards."""
        (cx, cy), rx, ry = self._at([(x, y)])[0], rx * self.unit, ry * self.unit
        self.draw.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), outline=colour, width=max(1, round(width * self.unit)))

    def line(self, points: Sequence[Point], width: float, colour: Colour, curved: bool = True) -> None:
        """A stroke with round ends through `points`."""
        path = self._at(smooth(points, closed=False) if curved and len(points) > 2 else points)
        thick = max(1, round(width * self.unit))
        self.draw.line(path, fill=colour, width=thick, joint="curve")
        r = thick / 2
        for px, py in (path[0], path[-1]):
            self.draw.ellipse((px - r, py - r, px + r, py + r), fill=colour)

    def curl(self, x: float, y: float, size: float, colour: Colour) -> None:
        """A short open curl of hair."""
        path = [(x - size, y + size * 0.3), (x - size * 0.6, y - size * 0.7), (x + size * 0.5, y - size * 0.6)]
        self.line([*path, (x + size * 0.8, y + size * 0.2)], size * 0.3, colour)

    def limb(self, discs: Sequence[Disc], colour: Colour) -> None:
        """A tapered shape over discs (x, y, radius), each joined to the next."""
        for x, y, r in discs:
            self.oval(x, y, r, r, colour)
        for (ax, ay, ar), (bx, by, br) in pairwise(discs):
            length = math.hypot(bx - ax, by - ay) or 1.0
            nx, ny = -(by - ay) / length, (bx - ax) / length
            self.poly(
                [
                    (ax + nx * ar, ay + ny * ar),
                    (bx + nx * br, by + ny * br),
                    (bx - nx * br, by - ny * br),
                    (ax - nx * ar, ay - ny * ar),
                ],
                colour,
            )

    def cloud(self, points: Sequence[Point], radius: float, colour: Colour) -> None:
        """A smooth closed shape with a scalloped edge of discs."""
        edge = smooth(points)
        self.draw.polygon(self._at(edge), fill=colour)
        for x, y in edge[::3]:
            self.oval(x, y, radius, radius, colour)

    def shade(
        self, points: Sequence[Point], colour: Colour, where: str, share: float = 1.0, curved: bool = True
    ) -> None:
        """Soft shade of `colour` within a shape, strongest at the side `where` (left, right, up, down, round)."""
        path = self._at(smooth(points) if curved else points)
        xs, ys = [p[0] for p in path], [p[1] for p in path]
        left, top = math.floor(min(xs)), math.floor(min(ys))
        size = (max(1, math.ceil(max(xs)) - left + 1), max(1, math.ceil(max(ys)) - top + 1))
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon([(px - left, py - top) for px, py in path], fill=round(255 * share))
        soft = _gradient(where).resize(size, Image.Resampling.BILINEAR)
        self.image.paste(colour, (left, top), ImageChops.multiply(mask, soft))

    def glow(self, x: float, y: float, rx: float, ry: float, colour: Colour, share: float = 1.0) -> None:
        """A soft round spot of `colour`, fading outwards."""
        cx, cy = self._at([(x, y)])[0]
        size = (max(2, round(2 * rx * self.unit)), max(2, round(2 * ry * self.unit)))
        mask = _gradient("round").resize(size, Image.Resampling.BILINEAR)
        if share < 1.0:
            mask = mask.point([round(v * share) for v in range(256)])
        self.image.paste(colour, (round(cx - size[0] / 2), round(cy - size[1] / 2)), mask)
