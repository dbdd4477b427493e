"""Illustrated people: the same picture for the same facts, attributes that show, skin as the Monk scale says."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import numpy as np
import pytest

from proofsheet.errors import InputError
from training.people import VALUES, draw_people, sample_people
from training.people.colours import MONK_TONES, TINTS, light_field

PORTRAIT: dict[str, str | int] = {
    "subject": "people",
    "framing": "portrait",
    "count": 1,
    "age": "adult",
    "gender": "woman",
    "skin": 5,
    "build": "slim",
    "ability": "none",
    "colour": "teal",
    "light": "soft",
    "seed": 11,
}
FIGURE = PORTRAIT | {"framing": "figure"}


def test_the_same_facts_give_the_same_picture() -> None:
    for facts in (PORTRAIT, FIGURE | {"count": 3, "ability": "wheelchair"}):
        first, second = (draw_people(dict(facts), 128, 128) for _ in range(2))
        assert first.dtype == np.uint8
        assert np.array_equal(first, second)
        assert not np.array_equal(first, draw_people(facts | {"seed": 12}, 128, 128))


@pytest.mark.parametrize(("width", "height"), [(128, 128), (96, 160), (112, 144), (50, 33)])
def test_any_size_can_be_drawn(width: int, height: int) -> None:
    for facts in (PORTRAIT, FIGURE | {"count": 3}):
        assert draw_people(facts, width, height).shape == (height, width, 3)


def test_every_value_is_drawn_and_differs_from_its_neighbours() -> None:
    for name, values in VALUES.items():
        base = FIGURE if name in ("count", "build", "ability") else PORTRAIT
        pictures = [draw_people(base | {name: value}, 128, 128).astype(np.int16) for value in values]
        for (a, first), (b, second) in itertools.combinations(zip(values, pictures, strict=True), 2):
            assert np.abs(first - second).max() > 2, (name, a, b)


@pytest.mark.parametrize("age", VALUES["age"])
@pytest.mark.parametrize("gender", VALUES["gender"])
def test_all_people_with_all_aids_are_drawn(age: str, gender: str) -> None:
    plain = {}
    for build, ability, seed in itertools.product(("slim", "full"), VALUES["ability"], (4,)):
        facts = FIGURE | {"age": age, "gender": gender, "build": build, "ability": ability, "seed": seed}
        picture = draw_people(facts, 64, 64).astype(np.int16)
        if ability == "none":
            plain[build, seed] = picture
        else:
            changed = np.abs(picture - plain[build, seed]).max(axis=2) > 40
            assert changed.sum() >= 12, (build, ability, seed)


@pytest.mark.parametrize("light", ["soft", "warm", "cool"])
@pytest.mark.parametrize("tone", VALUES["skin"])
def test_skin_has_the_monk_tone_under_the_light(tone: int, light: str) -> None:
    expected = np.asarray(MONK_TONES[tone - 1]) * np.asarray(TINTS[light])
    for seed, age, gender in ((1, "child", "woman"), (2, "older", "man"), (3, "adult", "androgynous")):
        facts = PORTRAIT | {"skin": tone, "light": light, "seed": seed, "age": age, "gender": gender}
        picture = draw_people(facts, 128, 128).astype(np.float64)
        evened = picture / np.maximum(light_field(128, 128, light, 1), light_field(128, 128, light, -1))
        near = np.abs(evened * np.asarray(TINTS[light]) - expected).max(axis=2) <= 5
        assert near.mean() >= 0.02, (seed, age, gender)


def test_hair_and_clothes_do_not_depend_on_skin() -> None:
    light, dark = (draw_people(PORTRAIT | {"skin": tone}, 128, 128).astype(np.int16) for tone in (1, 10))
    same = (np.abs(light - dark).max(axis=2) <= 1).mean()
    assert same > 0.6


def test_samples_are_even_and_attributes_independent() -> None:
    rng = random.Random(5)
    facts = [sample_people(rng) for _ in range(6000)]
    figures = [f for f in facts if f["framing"] == "figure"]
    assert 0.46 < len(figures) / len(facts) < 0.54
    for name, values in VALUES.items():
        seen = Counter(f[name] for f in figures)
        if name != "framing":
            assert set(seen) == set(values)
            assert min(seen.values()) > 0.75 * len(figures) / len(values), (name, seen)
    pairs = Counter((f["skin"], f["gender"]) for f in facts)
    assert len(pairs) == 30
    assert min(pairs.values()) > 0.6 * len(facts) / 30
    for f in facts:
        if f["framing"] == "portrait":
            assert (f["count"], f["ability"]) == (1, "none")
    assert sample_people(random.Random(3)) == sample_people(random.Random(3))


@pytest.mark.parametrize("wrong", [{"age": "ancient"}, {"skin": 11}, {"colour": "red"}])
def test_unknown_values_are_refused(wrong: dict[str, str | int]) -> None:
    with pytest.raises(InputError):
        draw_people(PORTRAIT | wrong, 128, 128)
