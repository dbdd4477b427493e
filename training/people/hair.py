"""Hair: what hangs behind the head, what frames the face, in units of the head's height around its centre."""

from __future__ import annotations

from itertools import pairwise

from training.people.canvas import Colour, Pen, Point, brightness, mix, scale
from training.people.look import Look


def sheen(colour: Colour) -> Colour:
    """The lighter tone of strands and gloss on hair of `colour`; clear on black hair, quiet on silver."""
    if brightness(colour) > 0.6:
        return mix(colour, (255, 255, 255), 0.45)
    return mix(colour, (190, 176, 178), 0.26)


def _mirrored(half: list[Point]) -> list[Point]:
    """A closed symmetric outline from its right half, top to bottom."""
    return half + [(-x, y) for x, y in reversed(half) if x != 0]


def _widened(points: list[Point], width: float) -> list[Point]:
    return [(x * width, y) for x, y in points]


_LONG = _mirrored(
    [(0, -0.6), (0.3, -0.55), (0.47, -0.3), (0.5, 0.1), (0.53, 0.5), (0.56, 0.9), (0.42, 1.12), (0.15, 1.1)]
)
_BOB = _mirrored([(0, -0.6), (0.3, -0.55), (0.5, -0.3), (0.56, 0.05), (0.58, 0.38), (0.46, 0.5), (0.2, 0.48)])
_TIED = _mirrored([(0, -0.59), (0.28, -0.54), (0.42, -0.34), (0.44, -0.05), (0.36, 0.2)])
_AFRO = _mirrored([(0, -0.78), (0.36, -0.7), (0.6, -0.45), (0.68, -0.12), (0.6, 0.2), (0.42, 0.36), (0.2, 0.3)])


def back(pen: Pen, person: Look, width: float) -> None:
    """Hair behind neck and face; `width` stretches it to the head."""
    colour = scale(person.hair, 0.82)
    match person.style:
        case "long":
            pen.blob(_widened(_LONG, width), colour)
        case "bob":
            pen.blob(_widened(_BOB, width), colour)
        case "afro":
            pen.cloud(_widened(_AFRO, width), 0.085, person.hair)
            pen.shade(_widened(_AFRO, width), sheen(person.hair), "left" if person.lit < 0 else "right", 0.5)
        case "bun":
            pen.blob(_widened(_TIED, width), colour)
            pen.oval(0, -0.72, 0.25, 0.22, person.hair)
            pen.line([(-0.12, -0.74), (0, -0.82), (0.13, -0.74)], 0.03, sheen(person.hair))
            pen.line([(-0.15, -0.62), (0, -0.68), (0.15, -0.62)], 0.045, person.garments[1])
        case _:
            pen.blob(_widened(_TIED, width * 0.98)[1:], colour)


def _cap(pen: Pen, outer: list[Point], inner: list[Point], person: Look, curly: float = 0.0) -> None:
    """Hair over the skull between an outer line (ear to ear over the top) and the hairline back again."""
    shape = outer + inner
    if curly:
        for x, y in outer[1:-1] + [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in pairwise(outer)]:
            pen.oval(x * 0.98, y * 0.98, curly, curly, person.hair)
    pen.blob(shape, person.hair)
    pen.shade(shape, sheen(person.hair), "left" if person.lit < 0 else "right", 0.75)


_TOP: list[Point] = [
    (-0.41, 0.06),
    (-0.45, -0.15),
    (-0.4, -0.38),
    (-0.22, -0.55),
    (0, -0.61),
    (0.22, -0.55),
    (0.4, -0.38),
    (0.45, -0.15),
    (0.41, 0.06),
]
_SHORT: list[Point] = [
    (-0.4, 0.0),
    (-0.43, -0.18),
    (-0.39, -0.4),
    (-0.2, -0.58),
    (0, -0.62),
    (0.2, -0.58),
    (0.39, -0.4),
    (0.43, -0.18),
    (0.4, 0.0),
]


def front(pen: Pen, person: Look, width: float) -> None:
    """Hair before the face: cap, fringe, and locks that fall over the shoulders."""
    gloss = sheen(person.hair)
    top, short = _widened(_TOP, width), _widened(_SHORT, width)
    match person.style:
        case "long":
            for s in (-1, 1):
                lock = [
                    (0.38, -0.3),
                    (0.47, -0.1),
                    (0.5, 0.25),
                    (0.51, 0.55),
                    (0.56, 0.85),
                    (0.46, 1.1),
                    (0.34, 0.95),
                    (0.4, 0.6),
                    (0.38, 0.3),
                    (0.36, 0.05),
                ]
                pen.blob([(x * s * width, y) for x, y in lock], person.hair)
                if s == person.lit:
                    strand = [(0.43, -0.05), (0.45, 0.3), (0.46, 0.55), (0.48, 0.85)]
                    pen.line([(x * s * width, y) for x, y in strand], 0.04, gloss)
            _cap(
                pen,
                top,
                _widened([(0.33, -0.1), (0.2, -0.3), (0.06, -0.4), (-0.14, -0.3), (-0.33, -0.1)], width),
                person,
            )
        case "bob":
            for s in (-1, 1):
                lock = [(0.36, -0.2), (0.5, -0.1), (0.57, 0.2), (0.57, 0.42), (0.42, 0.5), (0.36, 0.4), (0.38, 0.15)]
                pen.blob([(x * s * width, y) for x, y in lock], person.hair)
            fringe = [(0.38, 0.0), (0.3, -0.16), (0, -0.2), (-0.3, -0.16), (-0.38, 0.0)]
            _cap(pen, top, _widened(fringe, width), person)
            s = person.lit
            pen.line([(0.2 * s, -0.5), (0.38 * s, -0.32), (0.48 * s, 0.0), (0.5 * s, 0.3)], 0.04, gloss)
        case "afro":
            pen.cloud(
                _widened(
                    [
                        (-0.4, -0.02),
                        (-0.42, -0.4),
                        (0, -0.62),
                        (0.42, -0.4),
                        (0.4, -0.02),
                        (0.26, -0.27),
                        (0, -0.32),
                        (-0.26, -0.27),
                    ],
                    width,
                ),
                0.035,
                person.hair,
            )
            for x, y in ((-0.3, -0.52), (0.0, -0.62), (0.3, -0.52), (-0.5, -0.2), (0.5, -0.2)):
                pen.curl(x * width, y, 0.08, gloss)
        case "bun":
            _cap(
                pen,
                top,
                _widened([(0.34, -0.08), (0.24, -0.3), (0, -0.39), (-0.24, -0.3), (-0.34, -0.08)], width),
                person,
            )
            pen.line(_widened([(-0.2, -0.38), (-0.1, -0.5), (0, -0.55)], width), 0.025, gloss)
            pen.line(_widened([(0.2, -0.38), (0.1, -0.5), (0, -0.55)], width), 0.025, gloss)
        case "fade":
            flat = [
                (-0.38, -0.08),
                (-0.4, -0.25),
                (-0.37, -0.47),
                (-0.2, -0.58),
                (0, -0.6),
                (0.2, -0.58),
                (0.37, -0.47),
                (0.4, -0.25),
                (0.38, -0.08),
            ]
            _cap(
                pen,
                _widened(flat, width),
                _widened([(0.34, -0.2), (0.29, -0.31), (0, -0.33), (-0.29, -0.31), (-0.34, -0.2)], width),
                person,
                0.04,
            )
        case _:
            _cap(
                pen,
                short,
                _widened([(0.35, -0.16), (0.28, -0.32), (0, -0.36), (-0.28, -0.32), (-0.35, -0.16)], width),
                person,
            )
