"""The measures of a full figure, in heads from the head's centre, by age, gender presentation and build."""

from __future__ import annotations

from dataclasses import dataclass

from training.people.look import Look


@dataclass(frozen=True)
class Body:
    """Heights (down from the head's centre) and half-widths of one figure."""

    shoulder_y: float
    waist_y: float
    hip_y: float
    knee_y: float
    sole_y: float
    shoulder: float
    waist: float
    hip: float
    arm: float
    leg: float


_BUILD = {"slim": (0.84, 0.68, 0.72, 0.78), "full": (1.24, 1.72, 1.56, 1.4)}


def measure(person: Look) -> Body:
    """The measures of `person`."""
    man, woman = person.gender == "man", person.gender == "woman"
    shoulders, waists, hips, limbs = _BUILD[person.build]
    shoulder = (0.68 if man else 0.58) * shoulders
    waist = (0.5 if man else 0.42 if woman else 0.47) * waists
    hip = (0.5 if man else 0.54 if woman else 0.5) * hips
    arm, leg = 0.135 * limbs, 0.19 * limbs
    if person.age == "child":
        k = 0.8 if person.build != "full" else 0.74
        return Body(0.75, 1.38, 1.75, 2.5, 3.35, shoulder * k, waist * k * 1.08, hip * k, arm * 0.9, leg * 0.88)
    if person.age == "older":
        return Body(0.79, 1.9, 2.42, 3.65, 5.0, shoulder * 0.98, waist * 1.05, hip, arm, leg)
    return Body(0.79, 1.95, 2.5, 3.8, 5.2, shoulder, waist, hip, arm, leg)


def top(person: Look) -> float:
    """How far the hair reaches above the head's centre."""
    return {"bun": 0.95, "afro": 0.85}.get(person.style, 0.68)


def seat_drop(body: Body) -> float:
    """How far a seated person's head is below that of a standing one."""
    return body.sole_y - (body.hip_y + (body.sole_y - body.knee_y) + 0.28)


def reach(person: Look) -> tuple[float, float]:
    """How far a figure reaches left and right of its middle."""
    body = measure(person)
    side = max(body.shoulder, body.hip, body.waist) + 2.0 * body.arm + 0.08
    if person.gender == "woman":
        side = max(side, body.hip * 1.35 + 0.18)
    if person.ability == "wheelchair":
        return 1.12, max(side, 0.55 + (body.knee_y - body.hip_y) * 0.8 + 0.35)
    if person.ability == "cane":
        return side, side + 0.3
    return side, side
