"""What a picture of the house model's world can show, and how chance decides what a text leaves open.

Everything here is read by the model and by its training alike: a text that leaves something out and a number of the
noise together mean one thing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate

from generation.house.framing import SHAPES
from generation.house.words import HUES, NEUTRAL

Facts = Mapping[str, str | int]

SETTINGS = (
    "sweep", "arch_podium", "steps", "tabletop_wood", "tabletop_stone", "kitchen_shelf", "wet_stone", "sand", "sky",
    "forest_bokeh",
)  # fmt: skip
LIGHTS = ("window_warm", "leaf_shade", "soft_north", "golden_low", "high_key", "moody")
COLOURS = (*HUES, NEUTRAL)
#: Settings whose colours are their own (sand, sky, leaves …): no colour is asked of them, their word is ``NATURAL``.
NATURAL_SETTINGS = frozenset({"sand", "sky", "forest_bokeh", "tabletop_wood"})
NATURAL = "natural"
#: What of a setting there is more than one of, by the name of the renderer's parameter.
DETAILS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "tabletop_wood": ("wood", ("oak", "walnut")),
    "kitchen_shelf": ("wood", ("oak", "walnut")),
    "tabletop_stone": ("stone", ("terrazzo", "marble")),
}

#: What is told of each subject, in the order in which it is decided. Of seasons, numbers of people and aids a text
#: always speaks: to say nothing of them is to say that there is none, or one.
SUBJECTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "set": {
        "setting": SETTINGS,
        "detail": tuple(dict.fromkeys(word for _, words in DETAILS.values() for word in words)),
        "light": LIGHTS,
        "colour": COLOURS,
        "season": ("none", "spring", "autumn", "winter"),
        "stand_x": ("far-left", "left", "middle", "right", "far-right"),
        "stand_y": ("high", "raised", "low", "bottom"),
        "distance": ("distant", "far", "near"),
    },
    "people": {
        "count": ("1", "2", "3"),
        "ability": ("none", "wheelchair", "cane", "prosthetic"),
        "framing": ("portrait", "figure"),
        "age": ("child", "adult", "older"),
        "gender": ("woman", "man", "androgynous"),
        "skin": tuple(map(str, range(1, 11))),
        "build": ("slim", "full"),
        "colour": COLOURS,
        "light": ("soft", "warm", "cool"),
    },
}
#: What a text may be about that is neither a backdrop nor people.
NOTHING = "nothing"
#: What stands for an attribute that a text leaves out.
UNSAID = ""
#: What is read of a text, and what it may be: its subject, and each subject's attributes.
HEADS: Mapping[str, tuple[str, ...]] = {
    "subject": (*SUBJECTS, NOTHING),
    **{f"{subject}.{name}": (*values, UNSAID) for subject, names in SUBJECTS.items() for name, values in names.items()},
}
#: Which number of the noise decides what a text may leave out; no renderer uses it for anything else.
SLOTS: Mapping[str, Mapping[str, int]] = {
    "set": {
        "light": 40, "colour": 41, "detail": 42, "stand_x": 43, "stand_y": 44, "distance": 45, "setting": 46,
    },
    "people": {"framing": 37, "skin": 42, "age": 43, "gender": 44, "colour": 45, "build": 46, "light": 47},
}  # fmt: skip


def shares_of(subject: str, name: str, shape: str, setting: str = "") -> Mapping[str, float]:
    """How often chance chooses each value of an attribute, in order: shares that together are 1.

    Args:
        subject, name: a key of ``SUBJECTS`` and one of its attributes.
        shape: a key of ``framing.SHAPES``.
        setting: of a backdrop, where the attribute is its detail.
    """
    if subject == "set" and name in ("stand_x", "stand_y", "distance"):
        taught = SHAPES[shape]
        return {"stand_x": taught.across, "stand_y": taught.down, "distance": taught.distances}[name]
    values: Sequence[str] = DETAILS[setting][1] if name == "detail" else SUBJECTS[subject][name]
    return {value: 1 / len(values) for value in values}


def borders_of(shares: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """From where to where on the scale of 0–1 each value is meant: each has its share, in order."""
    ends = list(accumulate(shares.values()))
    return {value: (before, end) for value, before, end in zip(shares, (0.0, *ends), ends, strict=False)}


def chosen(shares: Mapping[str, float], number: float) -> str:
    """The value that a number of the normal means: each has its share of the scale, the later ones above."""
    below, values = share_below(number), list(shares)
    return next((value for value, (_, end) in borders_of(shares).items() if below < end), values[-1])


def nth(number: float, count: int) -> int:
    """Which of ``count`` equal parts of the normal a number lies in, from 0."""
    return min(int(share_below(number) * count), count - 1)


def share_below(number: float) -> float:
    """The share (0–1) of the normal below a number."""
    return 0.5 + 0.5 * math.erf(number / math.sqrt(2))


def said_by(best: Mapping[str, int]) -> dict[str, str | int] | None:
    """What a text says, by the place of each head's best value in ``HEADS``; None where it says nothing."""
    subject = HEADS["subject"][best["subject"]]
    if subject == NOTHING:
        return None
    heads = {name: f"{subject}.{name}" for name in SUBJECTS[subject]}
    return {"subject": subject, **{name: HEADS[head][best[head]] for name, head in heads.items()}}


def completed(said: Facts, numbers: Sequence[float], shape: str) -> dict[str, str | int]:
    """All that a picture shows: what a text says of it, and where it says nothing what the numbers mean.

    Args:
        said: ``subject`` and the attributes that the text speaks of. What contradicts itself is mended: a backdrop has
            only the details and words for places that its setting and shape know; a portrait shows one person.
        numbers: what the noise carries.
        shape: a key of ``framing.SHAPES``.
    """
    subject = str(said["subject"])
    facts: dict[str, str | int] = {"subject": subject}
    for name, values in SUBJECTS[subject].items():
        setting = str(facts.get("setting", ""))
        if name == "detail" and setting not in DETAILS:
            facts[name] = ""
            continue
        if name == "colour" and setting in NATURAL_SETTINGS:
            facts[name] = NATURAL
            continue
        shares = shares_of(subject, name, shape, setting)
        value = str(said.get(name, ""))
        if value not in shares:
            slot = SLOTS[subject].get(name)
            value = chosen(shares, numbers[slot]) if slot is not None else values[0]
        facts[name] = value
    if subject == "people" and (facts["count"] != "1" or facts["ability"] != "none"):
        facts["framing"] = "figure"
    return facts
