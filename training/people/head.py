"""Head, face and neck, in units of the head's height (skull to chin) around its centre."""

from __future__ import annotations

from training.people import hair
from training.people.canvas import Colour, Pen, Point, brightness, mix, scale
from training.people.look import Look

_WHITE: Colour = (250, 247, 242)


def width(person: Look) -> float:
    """How wide the head is, against a grown woman's."""
    if person.age == "child":
        return 1.14
    return 1.06 if person.gender == "man" else 1.0


def _outline(person: Look) -> list[Point]:
    """The face from the right temple over the chin and back over the skull."""
    if person.age == "child":
        half = [(0.0, -0.5), (0.28, -0.42), (0.42, -0.15), (0.44, 0.12), (0.36, 0.34), (0.18, 0.46)]
        chin = (0.0, 0.49)
    elif person.gender == "man":
        half = [(0.0, -0.5), (0.26, -0.44), (0.39, -0.2), (0.4, 0.1), (0.355, 0.33), (0.2, 0.48)]
        chin = (0.0, 0.52)
    elif person.gender == "woman":
        half = [(0.0, -0.5), (0.25, -0.44), (0.37, -0.2), (0.37, 0.08), (0.29, 0.3), (0.14, 0.46)]
        chin = (0.0, 0.5)
    else:
        half = [(0.0, -0.5), (0.25, -0.44), (0.38, -0.2), (0.38, 0.08), (0.31, 0.32), (0.16, 0.46)]
        chin = (0.0, 0.5)
    return [*half, chin, *[(-x, y) for x, y in reversed(half[1:])]]


def neck(pen: Pen, person: Look, bottom: float = 0.95) -> None:
    """The neck down to `bottom`, with the chin's shade."""
    half = {"child": 0.15, "adult": 0.17, "older": 0.17}[person.age] + (0.04 if person.gender == "man" else 0.0)
    skin = person.skin
    pen.poly([(-half, 0.2), (half, 0.2), (half * 1.1, bottom), (-half * 1.1, bottom)], skin.base)
    pen.shade([(-half, 0.34), (half, 0.34), (half, 0.5), (0, 0.72), (-half, 0.5)], skin.shade, "up", 0.9)


def _eyes(pen: Pen, person: Look, fine: bool) -> None:
    child, older = person.age == "child", person.age == "older"
    y = 0.1 if child else 0.03
    apart = 0.185 if child else 0.165
    rx, ry = (0.085, 0.07) if child else (0.078, 0.052)
    lash, thick = (36, 24, 24), 0.042 if person.gender == "man" else 0.032
    brow = _brow(person, older)
    for s in (-1, 1):
        pen.oval(s * apart, y, rx, ry, _WHITE)
        pen.oval(s * apart, y - 0.004, ry * 1.0, ry, person.eyes)
        pen.oval(s * apart, y - 0.004, ry * 0.55, ry * 0.55, (20, 15, 16))
        if fine:
            pen.oval(s * apart + 0.02 * person.lit, y - 0.018, 0.015, 0.015, _WHITE)
        lid = [(s * (apart - rx), y - ry * 0.05), (s * apart, y - ry * 0.92), (s * (apart + rx), y - ry * 0.1)]
        pen.line(lid, 0.034 if person.gender == "woman" else 0.026, lash)
        if person.gender == "woman":
            pen.line([(s * (apart + rx * 0.8), y - ry * 0.4), (s * (apart + rx * 1.35), y - ry * 0.85)], 0.024, lash)
        up = y - ry - 0.09
        arch = [(s * (apart - 0.085), up - 0.002), (s * (apart + 0.01), up - 0.032), (s * (apart + 0.105), up + 0.018)]
        pen.line(arch, thick * (0.8 if child else 1.0), brow)


def _brow(person: Look, older: bool) -> Colour:
    """The eyebrows' colour: the hair's, moved away from the skin where the two are alike."""
    brow = mix(person.hair, (120, 116, 120), 0.35) if older else mix(person.hair, (40, 26, 24), 0.3)
    base = person.skin.base
    if abs(brightness(brow) - brightness(base)) < 0.1:
        return scale(base, 0.6) if brightness(base) > 0.3 else mix(brow, (150, 120, 104), 0.45)
    return brow


def _mouth(pen: Pen, person: Look) -> None:
    skin = person.skin
    y = 0.32 if person.age == "child" else 0.31
    w = 0.12
    if person.age == "child":
        pen.blob([(-w, y - 0.025), (0, y - 0.005), (w, y - 0.025), (0.07, y + 0.06), (-0.07, y + 0.06)], _WHITE)
        pen.line([(-w, y - 0.025), (0, y + 0.0), (w, y - 0.025)], 0.02, skin.line)
        pen.line([(-0.08, y + 0.055), (0, y + 0.075), (0.08, y + 0.055)], 0.03, skin.lips)
        return
    lips = skin.lips if person.gender == "woman" else mix(skin.base, skin.lips, 0.75)
    upper = [(-w, y - 0.032), (-0.04, y - 0.026), (0, y - 0.016), (0.04, y - 0.026), (w, y - 0.032)]
    pen.blob([*upper, (0.055, y + 0.045), (-0.055, y + 0.045)], lips)
    pen.line([(-w - 0.012, y - 0.04), (-0.06, y), (0.06, y), (w + 0.012, y - 0.04)], 0.02, skin.line)


def _beard(pen: Pen, person: Look) -> None:
    colour = person.hair
    if person.beard == "full":
        shape = [(0.4, -0.02), (0.405, 0.2), (0.36, 0.4), (0.2, 0.56), (0, 0.6)]
        inside = [(0.32, 0.16), (0.22, 0.22), (0.1, 0.2), (0, 0.215)]
        ring = (
            shape
            + [(-x, y) for x, y in reversed(shape[:-1])]
            + [(-x, y) for x, y in inside[:-1]]
            + list(reversed(inside))
        )
        pen.blob(ring, colour)
        pen.shade(ring, hair.sheen(colour), "left" if person.lit < 0 else "right", 0.6)
    if person.beard != "none":
        pen.blob([(-0.17, 0.29), (-0.1, 0.21), (0, 0.22), (0.1, 0.21), (0.17, 0.29), (0, 0.265)], colour)


def _spectacles(pen: Pen, person: Look) -> None:
    y = 0.11 if person.age == "child" else 0.04
    frame = (58, 42, 44) if brightness(person.skin.base) > 0.36 else (226, 190, 120)
    for s in (-1, 1):
        pen.ring(s * 0.175, y, 0.14, 0.125, 0.032, frame)
        pen.line([(s * 0.31, y - 0.02), (s * 0.39, y - 0.04)], 0.028, frame)
    pen.line([(-0.04, y - 0.02), (0.04, y - 0.02)], 0.028, frame)


def _features(pen: Pen, person: Look, fine: bool) -> None:
    skin = person.skin
    cheek = 0.22 if person.age == "child" else 0.17
    for s in (-1, 1):
        pen.glow(s * 0.25, cheek, 0.16, 0.13, skin.blush, 0.85)
    if fine or person.age != "child":
        nose = 0.2 if person.age == "child" else 0.17
        pen.line([(-0.035, nose), (0.0, nose + 0.025), (0.035, nose)], 0.022, skin.line)
        if person.age != "child":
            pen.line([(0.03 * -person.lit, 0.04), (0.045 * -person.lit, 0.12)], 0.014, mix(skin.base, skin.line, 0.5))
    _beard(pen, person)
    _mouth(pen, person)
    _eyes(pen, person, fine)
    if person.age == "older":
        soft = mix(skin.base, skin.line, 0.55)
        for s in (-1, 1):
            pen.line([(s * 0.14, 0.2), (s * 0.19, 0.27), (s * 0.19, 0.33)], 0.018, soft)
            pen.line([(s * 0.1, 0.115), (s * 0.17, 0.13), (s * 0.23, 0.11)], 0.016, soft)
            if fine:
                pen.line([(s * 0.3, 0.0), (s * 0.34, -0.02)], 0.014, soft)
                pen.line([(s * 0.3, 0.04), (s * 0.34, 0.05)], 0.014, soft)
        if fine:
            pen.line([(-0.12, -0.2), (0, -0.215), (0.12, -0.2)], 0.014, soft)


def face(pen: Pen, person: Look, fine: bool) -> None:
    """Ears, face, features and the hair before them; `fine` adds what only a large head shows."""
    skin, wide = person.skin, width(person)
    ear = 0.14 if person.age == "child" else 0.07
    for s in (-1, 1):
        pen.oval(s * 0.385 * wide, ear, 0.07, 0.1, skin.base)
        pen.glow(s * 0.39 * wide, ear, 0.05, 0.08, skin.shade, 0.7)
    outline = _outline(person)
    pen.blob(outline, skin.base)
    pen.shade(outline, skin.shade, "right" if person.lit < 0 else "left", 0.75 if person.light == "warm" else 0.5)
    pen.shade([(-0.34, -0.32), (0.34, -0.32), (0.34, -0.06), (0, -0.12), (-0.34, -0.06)], skin.shade, "up", 0.5)
    _features(pen, person, fine)
    hair.front(pen, person, wide)
    if person.glasses:
        _spectacles(pen, person)
    if person.gender == "woman":
        for s in (-1, 1):
            pen.oval(s * 0.42 * wide, 0.29, 0.06, 0.075, person.earring)
