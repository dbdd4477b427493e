"""The wall behind people, with an arch or a plant, and the floor they stand on."""

from __future__ import annotations

import random

from training.people.canvas import Colour, Pen, mix
from training.people.colours import Wall

PROPS = ("arch", "plant")


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
    bottom = floor if floor is not None else 1.0
    if prop == "arch":
        r = min(0.36, aspect * 0.4)
        top = 0.13 + r
        pen.oval(x, top, r, r, wall.light)
        pen.poly([(x - r, top), (x + r, top), (x + r, bottom), (x - r, bottom)], wall.light)
    if floor is not None:
        pen.poly([(0, floor), (aspect, floor), (aspect, 1), (0, 1)], wall.dark)
        pen.poly(
            [(0, floor), (aspect, floor), (aspect, floor + 0.012), (0, floor + 0.012)], mix(wall.dark, wall.light, 0.55)
        )
    if prop == "plant":
        size = 0.9 if floor is not None else 1.25
        _plant(
            pen,
            aspect * 0.9,
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
