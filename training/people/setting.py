"""The wall behind people: arch, disc, window light, plant, shelf; the floor they stand on."""

from __future__ import annotations

import random

from training.people.canvas import Colour, Pen, mix
from training.people.colours import Wall

PROPS = ("arch", "plant")


def _window(pen: Pen, x: float, colour: Colour, slant: float) -> None:
    """A patch of light as from a window with four panes."""
    for i in range(2):
        for j in range(2):
            left, top = x + i * 0.2, 0.1 + j * 0.26 + i * slant * 0.2
            pen.poly(
                [
                    (left, top),
                    (left + 0.17, top + 0.17 * slant),
                    (left + 0.17, top + 0.22 + 0.17 * slant),
                    (left, top + 0.22),
                ],
                colour,
            )


def _plant(pen: Pen, x: float, bottom: float, colour: Colour, pot: Colour, size: float) -> None:
    """A tall plant in a pot."""
    for dx, dy, lean in (
        (-0.16, -0.42, -0.06),
        (0.15, -0.45, 0.06),
        (-0.02, -0.62, 0.0),
        (-0.2, -0.24, -0.08),
        (0.2, -0.26, 0.08),
    ):
        tip = (x + dx * size, bottom - 0.12 * size + dy * size)
        foot = (x, bottom - 0.14 * size)
        mid = ((tip[0] + foot[0]) / 2 + lean * size, (tip[1] + foot[1]) / 2)
        pen.blob([foot, (mid[0] - 0.05 * size, mid[1]), tip, (mid[0] + 0.05 * size, mid[1] + 0.02)], colour)
    w = 0.09 * size
    pen.poly(
        [(x - w, bottom - 0.16 * size), (x + w, bottom - 0.16 * size), (x + w * 0.75, bottom), (x - w * 0.75, bottom)],
        pot,
    )


def draw(pen: Pen, aspect: float, wall: Wall, light: str, lit: int, floor: float | None, rng: random.Random) -> None:
    """Wall, prop and floor, which begins at `floor`; the pen's unit is the picture's height, `aspect` its width."""
    prop = rng.choice(PROPS)
    x = aspect * 0.5
    side = 1
    bottom = floor if floor is not None else 1.0
    if prop == "arch":
        r = min(0.36, aspect * 0.4)
        top = 0.13 + r
        pen.oval(x, top, r, r, wall.light)
        pen.poly([(x - r, top), (x + r, top), (x + r, bottom), (x - r, bottom)], wall.light)
    elif prop == "disc":
        pen.oval(x, 0.42, min(0.36, aspect * 0.42), min(0.36, aspect * 0.42), wall.light)
    elif prop == "panels":
        for k in range(-1, 6):
            left = k * 0.22 + rng.uniform(0.0, 0.02)
            pen.poly([(left, 0), (left + 0.012, 0), (left + 0.012, bottom), (left, bottom)], wall.dark)
    elif prop == "shelf":
        y, left = rng.uniform(0.2, 0.26), (0.0 if side < 0 else aspect - 0.24)
        pen.poly([(left, y), (left + 0.24, y), (left + 0.24, y + 0.02), (left, y + 0.02)], wall.deep)
        for k, tone in enumerate((wall.light, wall.dark, wall.deep)):
            at = left + 0.05 + 0.06 * k
            pen.poly([(at, y - 0.1 - 0.02 * (k % 2)), (at + 0.035, y - 0.1), (at + 0.035, y), (at, y)], tone)
    elif prop == "window" and light != "warm":
        _window(pen, aspect * 0.5 + side * aspect * 0.3 - 0.2, wall.light, 0.35 * side)
    if floor is not None:
        pen.poly([(0, floor), (aspect, floor), (aspect, 1), (0, 1)], wall.dark)
        pen.poly(
            [(0, floor), (aspect, floor), (aspect, floor + 0.012), (0, floor + 0.012)], mix(wall.dark, wall.light, 0.55)
        )
    if prop == "plant":
        size = 0.9 if floor is not None else 1.25
        _plant(
            pen,
            aspect * (0.5 + side * 0.4),
            bottom + (0.04 if floor is not None else 0.08),
            wall.deep,
            mix(wall.deep, wall.light, 0.7),
            size,
        )
    if light == "warm":
        amber = mix(wall.light, (255, 236, 190), 0.55)
        left = aspect * (0.5 + 0.32 * lit)
        pen.poly(
            [(left - 0.16, 0), (left + 0.16, 0), (left + 0.16 - 0.4 * lit, bottom), (left - 0.16 - 0.4 * lit, bottom)],
            mix(wall.base, amber, 0.6),
        )
    elif light == "cool":
        pen.glow(aspect / 2, 0.0, aspect * 0.8, 0.7, mix(wall.light, (255, 255, 255), 0.35), 0.7)
