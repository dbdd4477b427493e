"""Aids drawn as what they are: a wheelchair, a cane, a running blade."""

from __future__ import annotations

import math

from training.people.body import Body
from training.people.canvas import Colour, Pen

_TYRE: Colour = (44, 44, 54)
_STEEL: Colour = (214, 222, 228)
_TEAL: Colour = (22, 150, 156)
_WOOD: Colour = (74, 42, 28)
_PALE: Colour = (238, 222, 196)


def wheel_centre(body: Body, floor: float) -> tuple[float, float, float]:
    """Middle (x, y) and radius of the large wheel."""
    radius = min(1.0, (floor - body.hip_y) * 0.86)
    return -0.22, floor - radius, radius


def chair_back(pen: Pen, body: Body, floor: float, cloth: Colour) -> None:
    """What of the chair is behind the person: far wheel, back rest, push handle, foot plate."""
    x, y, r = wheel_centre(body, floor)
    pen.ring(x + 0.3, y - 0.03, r * 0.92, r * 0.95, 0.1, (92, 94, 106))
    back = -max(body.waist, body.hip) - 0.1
    pen.poly(
        [
            (back - 0.06, body.waist_y - 0.55),
            (-back * 0.7, body.waist_y - 0.55),
            (-back * 0.7, body.hip_y + 0.2),
            (back - 0.06, body.hip_y + 0.2),
        ],
        cloth,
    )
    pen.line(
        [(back - 0.38, body.waist_y - 0.52), (back - 0.06, body.waist_y - 0.5), (back - 0.04, body.hip_y + 0.3)],
        0.1,
        _TYRE,
        curved=False,
    )


def chair_front(pen: Pen, body: Body, floor: float, knee: float) -> None:
    """The large near wheel with its hand rim, the seat's rail, the caster and the foot plate."""
    x, y, r = wheel_centre(body, floor)
    rail = body.hip_y + body.leg * 1.3
    pen.line(
        [(x, rail), (knee - 0.1, rail), (knee + 0.16, floor - 0.12), (knee + 0.62, floor - 0.12)],
        0.085,
        _TYRE,
        curved=False,
    )
    caster = knee - 0.12
    pen.line([(caster, rail), (caster, floor - 0.2)], 0.08, _TYRE)
    pen.oval(caster, floor - 0.2, 0.2, 0.2, _TYRE)
    pen.oval(caster, floor - 0.2, 0.08, 0.08, _STEEL)
    for k in range(6):
        angle = math.pi * k / 6
        dx, dy = math.cos(angle) * r * 0.9, math.sin(angle) * r * 0.9
        pen.line([(x - dx, y - dy), (x + dx, y + dy)], 0.032, _STEEL)
    pen.ring(x, y, r, r, 0.13, _TYRE)
    pen.ring(x, y, r - 0.13, r - 0.13, 0.06, _STEEL)
    pen.oval(x, y, 0.14, 0.14, _TYRE)
    pen.oval(x, y, 0.06, 0.06, _STEEL)


def cane(pen: Pen, x: float, hand_y: float, floor: float) -> None:
    """A walking cane under the hand at (`x`, `hand_y`), down to the floor."""
    foot = x + 0.12
    crook = [(x - 0.3, hand_y + 0.06), (x - 0.24, hand_y - 0.12), (x - 0.06, hand_y - 0.16), (x, hand_y)]
    for width, colour in ((0.2, _PALE), (0.13, _WOOD)):
        pen.line([(x, hand_y), (foot, floor - 0.02)], width, colour)
        pen.line(crook, width, colour)
    pen.line([(foot - 0.01, floor - 0.16), (foot, floor - 0.02)], 0.17, (28, 24, 26))


def blade(pen: Pen, x: float, knee_y: float, floor: float, thick: float, side: int) -> None:
    """A lower leg of teal socket and steel running blade from the knee to the floor."""
    drop = floor - knee_y
    middle = knee_y + drop * 0.42
    pen.limb([(x, knee_y, thick * 1.0), (x, middle, thick * 0.72)], _TEAL)
    pen.line([(x - thick * 0.4, knee_y), (x - thick * 0.3, middle)], thick * 0.35, (96, 206, 206))
    curve = [
        (x, middle),
        (x - side * 0.16, knee_y + drop * 0.66),
        (x - side * 0.02, floor - 0.16),
        (x + side * 0.22, floor - 0.05),
        (x + side * 0.38, floor - 0.07),
    ]
    pen.line(curve, 0.22, _TYRE)
    pen.line(curve, 0.12, _STEEL)
