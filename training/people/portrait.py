"""A bust: head, neck and shoulders with the clothes' neckline."""

from __future__ import annotations

from training.people import hair, head
from training.people.canvas import Colour, Pen, Point, brightness, mix, scale
from training.people.look import Look

_SHOULDERS = {"child": 0.6, "adult": 0.92, "older": 0.9}


def _body(person: Look) -> list[Point]:
    """The outline of shoulders and chest, closed below the picture's edge."""
    half = _SHOULDERS[person.age] * (1.14 if person.gender == "man" else 1.0)
    slope = 0.08 if person.gender == "man" else 0.12
    right = [(0.17, 0.72), (0.4, 0.8), (half * 0.84, 0.8 + slope), (half, 1.12), (half * 1.06, 1.6), (half * 1.08, 2.4)]
    return [(-x, y) for x, y in right] + list(reversed(right))


def _trim(colour: Colour) -> Colour:
    """A collar's or edge's tone next to cloth of `colour`."""
    return mix(colour, (255, 255, 255), 0.4) if brightness(colour) < 0.62 else scale(colour, 0.8)


def _collar(pen: Pen, person: Look, cloth: Colour) -> None:
    """A shirt's two collar wings, placket and buttons."""
    white = mix(cloth, (255, 255, 255), 0.78) if brightness(cloth) < 0.8 else scale(cloth, 0.9)
    pen.poly([(-0.17, 0.66), (0.17, 0.66), (0.0, 1.02)], person.skin.base)
    pen.shade([(-0.17, 0.6), (0.17, 0.6), (0.0, 1.02)], person.skin.shade, "up", 0.5, curved=False)
    for s in (-1, 1):
        pen.poly([(s * 0.2, 0.6), (s * 0.31, 0.76), (s * 0.22, 1.08), (0.0, 1.0)], white)
        pen.line([(s * 0.22, 1.08), (0.0, 1.0)], 0.02, scale(white, 0.78))
    pen.line([(0.0, 1.02), (0.0, 2.4)], 0.022, scale(cloth, 0.78))
    for y in (1.2, 1.45):
        pen.oval(0.045, y, 0.026, 0.026, white)


def _neckline(pen: Pen, person: Look, cloth: Colour) -> None:
    """What tells a blouse, a shirt and a high round neck apart."""
    skin = person.skin
    if person.gender == "woman":
        deep = 0.98 if person.age == "child" else 1.2
        wide = 0.26 if person.age == "child" else 0.34
        vee = [(-wide, 0.7), (wide, 0.7), (wide * 0.72, 0.92), (0.0, deep), (-wide * 0.72, 0.92)]
        pen.blob(vee, skin.base)
        pen.poly([(-0.16, 0.5), (0.16, 0.5), (0.2, 0.8), (-0.2, 0.8)], skin.base)
        pen.shade([(-0.18, 0.34), (0.18, 0.34), (0.18, 0.5), (0, 0.74), (-0.18, 0.5)], skin.shade, "up", 0.9)
        edge = [(-wide * 1.02, 0.74), (-wide * 0.76, 0.94), (0.0, deep), (wide * 0.76, 0.94), (wide * 1.02, 0.74)]
        pen.line(edge, 0.05, _trim(cloth))
    elif person.gender == "man":
        _collar(pen, person, cloth)
    else:
        band = [(-0.22, 0.62), (0.22, 0.62), (0.26, 0.78), (0, 0.86), (-0.26, 0.78)]
        pen.blob(band, _trim(cloth))
        pen.line([(-0.25, 0.78), (0, 0.85), (0.25, 0.78)], 0.025, scale(cloth, 0.75))


def draw(pen: Pen, person: Look) -> None:
    """The bust of a person; the pen stands at the head's centre, its unit the head's height."""
    cloth, body = person.garments[0], _body(person)
    wide = head.width(person)
    pen.glow(0.12 * -person.lit, 0.35, 1.25, 1.3, (60, 40, 50), 0.28)
    hair.back(pen, person, wide)
    head.neck(pen, person)
    pen.blob(body, cloth)
    half = max(x for x, _ in body) / 1.08
    pen.shade(body, scale(cloth, 0.68), "right" if person.lit < 0 else "left", 0.6)
    for s in (-1, 1):
        pen.line(
            [(s * half * 0.8, 1.3), (s * half * 0.76, 1.7)],
            0.022,
            scale(cloth, 0.7),
        )
    _neckline(pen, person, cloth)
    head.face(pen, person, fine=True)
