"""Masks before a lamp: window bars, slatted blinds, foliage and palm, drawn large and softened."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from generation.studio.colour import Plane

SIZE = 768
#: The width of a mask in units of the frame's shorter side.
_SPANS = {"window": 1.28, "blinds": 1.3, "leaves": 1.35, "palm": 1.3}


@lru_cache(maxsize=12)
def mask(name: str, seed: int, softness: float) -> Plane:
    """How much light passes, 0–1, shape (SIZE, SIZE); ``softness`` is the blur as a share of the mask's width."""
    rng = np.random.default_rng([seed, len(name)])
    if name == "window":
        image = _window(rng)
    elif name == "blinds":
        image = _blinds()
    elif name == "palm":
        image = _palm(rng)
    else:
        image = _leaves(rng)
    values = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.LANCZOS), dtype=np.float32) / 255
    soft = ndimage.gaussian_filter(values, max(softness, 0.0015) * SIZE, mode="wrap" if repeats(name) else "nearest")
    return np.asarray(soft, dtype=np.float32)


def span(name: str) -> float:
    """The mask's width, in the frame's shorter side."""
    return _SPANS.get(name, 1.2)


def repeats(name: str) -> bool:
    """Whether the mask goes on beyond its edge: foliage and blinds do, a window does not."""
    return name != "window"


def _canvas(fill: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (SIZE * 2, SIZE * 2), fill)
    return image, ImageDraw.Draw(image)


def _window(rng: np.random.Generator) -> Image.Image:
    image, draw = _canvas(0)
    side = SIZE * 2
    columns, rows, bar = 3, 4, 0.03
    left, top, right, bottom = 0.14, 0.06, 0.86, 0.94
    w, h = (right - left - bar * (columns - 1)) / columns, (bottom - top - bar * (rows - 1)) / rows
    for i in range(columns):
        for j in range(rows):
            x, y = left + i * (w + bar), top + j * (h + bar)
            draw.rectangle((x * side, y * side, (x + w) * side, (y + h) * side), fill=255)
    for _ in range(3):
        _branch(
            draw, rng, (rng.uniform(-0.05, 0.35) * side, 1.02 * side), -math.pi / 2 + rng.uniform(-0.1, 0.5), side * 0.5
        )
    draw.rectangle((0, 0, side, top * side), fill=0)  # leaves that went on at the other edge
    return image


def _blinds() -> Image.Image:
    image, draw = _canvas(0)
    side, slats = SIZE * 2, 13
    for i in range(slats):
        y = (i + 0.5) / slats * side
        draw.rectangle((0, y - side * 0.021, side, y + side * 0.021), fill=255)
    return image


def _fill(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], fill: int) -> None:
    """A polygon that goes on at the opposite edge, so that a repeated mask has no seams."""
    side = SIZE * 2
    xs, ys = [x for x, _ in points], [y for _, y in points]
    for dx in (-side, 0, side):
        for dy in (-side, 0, side):
            if max(xs) + dx > 0 and min(xs) + dx < side and max(ys) + dy > 0 and min(ys) + dy < side:
                draw.polygon([(x + dx, y + dy) for x, y in points], fill=fill)


def _leaf(draw: ImageDraw.ImageDraw, x: float, y: float, angle: float, length: float, width: float, fill: int) -> None:
    points = []
    for side in (1, -1):
        steps = np.linspace(0, 1, 22) if side == 1 else np.linspace(1, 0, 22)
        for t in steps:
            across = side * width * math.sin(math.pi * t**0.82) * (1 - 0.22 * t)
            along = t * length
            bend = 0.16 * length * t * t
            points.append(
                (
                    x + math.cos(angle) * along - math.sin(angle) * (across + bend),
                    y + math.sin(angle) * along + math.cos(angle) * (across + bend),
                )
            )
    _fill(draw, points, fill)


def _branch(
    draw: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    start: tuple[float, float],
    angle: float,
    length: float,
    fill: int = 0,
) -> None:
    x, y = start
    pairs = 9
    step = length / pairs
    for i in range(pairs):
        nx, ny = x + math.cos(angle) * step, y + math.sin(angle) * step
        half = max(1.0, length * 0.006)
        ox, oy = -math.sin(angle) * half, math.cos(angle) * half
        _fill(draw, [(x + ox, y + oy), (nx + ox, ny + oy), (nx - ox, ny - oy), (x - ox, y - oy)], fill)
        size = length * (0.31 - 0.016 * i) * rng.uniform(0.8, 1.1)
        for sign in (1, -1):
            turn = angle + sign * rng.uniform(0.55, 0.95)
            _leaf(draw, nx, ny, turn, size, size * 0.14, fill)
        x, y = nx, ny
        angle += rng.uniform(-0.1, 0.14)
    _leaf(draw, x, y, angle, length * 0.24, length * 0.05, fill)


def _leaves(rng: np.random.Generator) -> Image.Image:
    image, draw = _canvas(255)
    side = SIZE * 2
    for _ in range(5):
        edge = rng.uniform(0.0, 0.95)
        _branch(
            draw, rng, (edge * side, -0.03 * side), math.pi / 2 + rng.uniform(-0.7, 0.7), side * rng.uniform(0.4, 0.62)
        )
    for _ in range(3):
        _branch(draw, rng, (1.02 * side, rng.uniform(0.1, 0.9) * side), math.pi + rng.uniform(-0.5, 0.5), side * 0.42)
    return image


def _palm(rng: np.random.Generator) -> Image.Image:
    image, draw = _canvas(255)
    side = SIZE * 2
    for _ in range(5):
        x, y = rng.uniform(0.0, 1.0) * side, -0.05 * side
        angle, length = math.pi / 2 + rng.uniform(-0.8, 0.8), side * rng.uniform(0.6, 0.9)
        for i in range(26):
            t = i / 25
            px, py = x + math.cos(angle) * length * t, y + math.sin(angle) * length * t
            size = length * 0.34 * math.sin(math.pi * min(0.12 + 0.85 * t, 1.0)) + 8
            for sign in (1, -1):
                _leaf(draw, px, py, angle + sign * (1.15 - 0.55 * t), size, size * 0.045, 0)
            angle += 0.012
    return image
