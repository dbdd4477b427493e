"""A full figure, standing or seated in a wheelchair, with its clothes and aids."""

from __future__ import annotations

from training.people import aids, hair, head
from training.people.body import Body, measure
from training.people.canvas import Colour, Disc, Pen, Point, brightness, mix, scale
from training.people.look import Look

_SHOES: tuple[Colour, Colour] = ((58, 44, 48), (240, 236, 228))  # of who stands, of who sits
_SLEEVE = 0.75  # of the upper arm


def _lower(person: Look) -> str:
    """What is worn below the waist."""
    if person.gender == "woman":
        return "dress"
    return "trousers" if person.gender == "man" and person.ability != "prosthetic" else "shorts"


def _leg(pen: Pen, person: Look, body: Body, s: int, lower: str, shoe: Colour, artificial: bool) -> None:
    """One standing leg on side `s`."""
    x, spread = s * body.hip * 0.5, s * (body.hip * 0.5 + 0.03)
    thick, skin, ankle_y = body.leg, person.skin, body.sole_y - 0.14
    hip: Disc = (x, body.hip_y, thick * 1.1)
    knee: Disc = (spread, body.knee_y, thick * 0.8)
    if artificial:
        pen.limb([hip, knee], skin.base)
        aids.blade(pen, spread, body.knee_y + 0.05, body.sole_y, thick, s)
    else:
        pen.limb([hip, knee, (spread, body.knee_y + 0.4, thick * 0.78), (spread, ankle_y, thick * 0.48)], skin.base)
        pen.line(
            [(spread - thick * 0.3 * s, body.knee_y + 0.1), (spread - thick * 0.2 * s, ankle_y)],
            thick * 0.22,
            mix(skin.base, skin.shade, 0.7),
        )
        foot = [
            (spread - s * 0.15, body.sole_y - 0.02),
            (spread - s * 0.13, ankle_y - 0.06),
            (spread + s * 0.12, ankle_y - 0.06),
            (spread + s * 0.32, body.sole_y - 0.06),
            (spread + s * 0.3, body.sole_y),
        ]
        pen.blob(foot, shoe)
    cloth = person.garments[2]
    if lower == "trousers":
        pen.limb([hip, (spread, body.knee_y, thick * 0.98), (spread, ankle_y - 0.1, thick * 0.8)], cloth)
    elif lower == "shorts":
        hem = body.knee_y - (body.knee_y - body.hip_y) * 0.3
        pen.limb([hip, (spread, hem - thick * 1.16, thick * 1.12)], cloth)
        pen.poly(
            [
                (spread - thick * 1.2, hem - 0.2),
                (spread + thick * 1.2, hem - 0.2),
                (spread + thick * 1.22, hem),
                (spread - thick * 1.22, hem),
            ],
            cloth,
        )


def _torso(body: Body) -> list[Point]:
    neck = 0.2
    right = [
        (neck, body.shoulder_y - 0.1),
        (body.shoulder * 0.86, body.shoulder_y),
        (body.shoulder, body.shoulder_y + 0.25),
        (body.waist, body.waist_y),
        (body.hip * 1.02, body.hip_y),
        (body.hip * 0.7, body.hip_y + 0.06),
    ]
    return right + [(-x, y) for x, y in reversed(right)]


def _arm(pen: Pen, person: Look, body: Body, s: int, pose: str) -> None:
    """One arm on side `s`: bare below the sleeve."""
    long = (body.hip_y + 0.1 - body.shoulder_y) / 2
    x, y, r = s * (body.shoulder - body.arm * 0.3), body.shoulder_y + 0.16, body.arm
    wide = max(body.waist, body.hip * 0.9)
    elbow, hand = {
        "down": (
            (s * (max(body.shoulder, wide) + r * 0.9), y + long * 0.95),
            (s * (max(wide, body.shoulder) + r * 1.1), y + long * 1.85),
        ),
        "hold": (
            (s * (max(body.shoulder, wide) + r * 1.0), y + long * 0.95),
            (s * body.waist * 0.3, body.waist_y - 0.1),
        ),
        "wheel": (
            (s * (max(body.shoulder, wide) + r * 1.2), y + long * 0.85),
            (s * (body.hip + 0.12), body.hip_y - 0.05),
        ),
        "cane": (
            (s * (max(body.shoulder, wide) + r * 1.2), y + long * 0.9),
            (s * (max(body.hip, body.shoulder) + r + 0.22), body.hip_y - 0.05),
        ),
    }[pose]
    skin = person.skin
    pen.limb([(x, y, r), (*elbow, r * 0.92), (*hand, r * 0.72)], skin.base)
    pen.oval(*hand, r * 0.98, r * 1.05, skin.base)
    pen.line([(elbow[0] * 0.98, elbow[1]), hand], r * 0.4, mix(skin.base, skin.shade, 0.3)) if s != person.lit else None
    cloth = person.garments[0]
    end = (x + (elbow[0] - x) * _SLEEVE, y + (elbow[1] - y) * _SLEEVE)
    pen.limb([(x, y, r * 1.12), (*end, r * 1.18)], cloth)
    pen.limb([(x, y, r * 0.8), (*end, r * 0.8)], scale(cloth, 0.92 if s == person.lit else 0.84))


def _top(pen: Pen, person: Look, body: Body, lower: str) -> None:
    """Trunk, skirt and neckline."""
    cloth, torso = person.garments[0], _torso(body)
    pen.blob(torso, cloth)
    pen.shade(torso, scale(cloth, 0.66), "right" if person.lit < 0 else "left", 0.7)
    if lower in ("trousers", "shorts"):
        y, foot = body.hip_y - 0.12, body.hip * 0.5 + 0.02 + body.leg * 1.1
        pen.poly(
            [
                (-body.hip * 1.04, y),
                (body.hip * 1.04, y),
                (foot, body.hip_y + 0.3),
                (-foot, body.hip_y + 0.3),
            ],
            person.garments[2],
        )
    skin = person.skin
    pale = mix(cloth, (255, 255, 255), 0.75) if brightness(cloth) < 0.8 else scale(cloth, 0.84)
    band = mix(cloth, (255, 255, 255), 0.3) if brightness(cloth) < 0.5 else scale(cloth, 0.78)
    y = body.shoulder_y
    if person.gender == "woman":
        pen.poly([(-0.27, y - 0.1), (0.27, y - 0.1), (0, y + 0.42)], skin.base)
    elif person.gender == "man":
        pen.poly([(-0.17, y - 0.2), (0.17, y - 0.2), (0, y + 0.2)], skin.base)
        for s in (-1, 1):
            pen.poly([(s * 0.18, y - 0.15), (s * 0.36, y - 0.02), (s * 0.22, y + 0.3), (0, y + 0.18)], pale)
        pen.line([(0, y + 0.2), (0, body.hip_y - 0.15)], 0.035, scale(cloth, 0.7))
    else:
        pen.blob([(-0.23, y - 0.18), (0.23, y - 0.18), (0.28, y + 0.02), (0, y + 0.1), (-0.28, y + 0.02)], band)


def _skirt(pen: Pen, person: Look, body: Body) -> None:
    colour = person.garments[0]
    hem = body.knee_y - 0.12
    half = body.hip * 1.35 + 0.12
    shape = [
        (-body.waist, body.waist_y - 0.05),
        (body.waist, body.waist_y - 0.05),
        (body.hip * 1.08, body.hip_y),
        (half, hem),
        (0, hem + 0.05),
        (-half, hem),
        (-body.hip * 1.08, body.hip_y),
    ]
    pen.poly(shape, colour)
    pen.shade(shape, scale(colour, 0.66), "right" if person.lit < 0 else "left", 0.75, curved=False)
    for s in (-0.4, 0.35):
        pen.line([(s * body.hip, body.hip_y + 0.1), (s * half, hem - 0.05)], 0.03, scale(colour, 0.82))
    pen.poly(
        [
            (-body.waist, body.waist_y - 0.09),
            (body.waist, body.waist_y - 0.09),
            (body.waist, body.waist_y + 0.04),
            (-body.waist, body.waist_y + 0.04),
        ],
        scale(colour, 0.74),
    )


def standing(pen: Pen, person: Look) -> None:
    """A standing figure; the pen is at the head's centre, its unit the head's height."""
    body, lower = measure(person), _lower(person)
    pen.glow(0, body.sole_y - 0.02, body.hip + 0.9, 0.26, (40, 30, 40), 0.5)
    hair.back(pen, person, head.width(person))
    for s in (-1, 1):
        _leg(pen, person, body, s, lower, _SHOES[0], person.ability == "prosthetic" and s == 1)
    head.neck(pen, person)
    if person.ability == "cane":
        aids.cane(pen, max(body.hip, body.shoulder) + body.arm + 0.22, body.hip_y - 0.05, body.sole_y)
    _arm(pen, person, body, -1, "down")
    _arm(pen, person, body, 1, "cane" if person.ability == "cane" else "down")
    _top(pen, person, body, lower)
    if lower == "dress":
        _skirt(pen, person, body)
    head.face(pen, person, fine=False)


def seated(pen: Pen, person: Look) -> None:
    """A figure in a wheelchair that faces half to the right; the pen is at the head's centre."""
    body, lower = measure(person), _lower(person)
    floor = body.hip_y + (body.sole_y - body.knee_y) + 0.28
    pen.glow(0.1, floor, 1.6, 0.26, (40, 30, 40), 0.5)
    aids.chair_back(pen, body, floor, person.garments[1])
    hair.back(pen, person, head.width(person))
    head.neck(pen, person)
    _arm(pen, person, body, 1, "hold")
    long = (body.knee_y - body.hip_y) * 0.8
    knee_x, knee_y = 0.1 + long, body.hip_y + 0.02
    cloth, skin = person.garments[0 if lower == "dress" else 2], person.skin
    for dx, tone in ((0.24, 0.86), (0.0, 1.0)):
        colour = scale(cloth, tone)
        shin: list[Disc] = [(knee_x + dx, knee_y, body.leg * 0.85), (knee_x + dx + 0.12, floor - 0.3, body.leg * 0.55)]
        pen.limb(shin, colour if lower == "trousers" else mix(skin.base, skin.shade, 0.0 if dx == 0 else 0.5))
        x = knee_x + dx + 0.1
        pen.blob(
            [
                (x - 0.14, floor - 0.16),
                (x - 0.1, floor - 0.36),
                (x + 0.14, floor - 0.34),
                (x + 0.4, floor - 0.2),
                (x + 0.38, floor - 0.14),
            ],
            _SHOES[1],
        )
        pen.limb(
            [
                (0.0, body.hip_y - 0.04, body.leg * 1.2),
                (knee_x + dx - (0.0 if lower == "trousers" else 0.12), knee_y, body.leg * 1.02),
            ],
            colour,
        )
    _top(pen, person, body, "none")
    pen.limb([(-0.1, body.hip_y, body.leg * 1.2), (knee_x - 0.14, knee_y, body.leg * 1.0)], cloth)
    aids.chair_front(pen, body, floor, knee_x)
    _arm(pen, person, body, -1, "wheel")
    head.face(pen, person, fine=False)
