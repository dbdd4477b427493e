"""Facts as numbers: what captions name, and which captions fit which pictures."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image

from training.adverts import as_advertisement
from training.attributes import ATTRIBUTES, NAMES, PLACES, codes_of, matches, spoken_of, without
from training.grammar import LABELS, caption
from training.people import sample_people
from training.world import sample_set

SET = {
    "subject": "set", "setting": "sand", "light": "golden_low", "colour": "natural", "season": "none",
    "detail": "", "stand_x": "left", "stand_y": "low", "distance": "near", "seed": 1,
}  # fmt: skip


def _named(text: str, facts: dict[str, str | int]) -> set[str]:
    return {name for name, there in zip(NAMES, spoken_of(text, facts), strict=True) if there}


def test_values_of_the_labels_are_values_of_the_attributes() -> None:
    assert set(LABELS) <= set(NAMES)
    assert all(set(values) <= set(ATTRIBUTES[name]) for name, values in LABELS.items())


def test_what_a_picture_does_not_have_is_not_counted() -> None:
    codes = dict(zip(NAMES, codes_of(SET), strict=True))
    assert codes["colour"] == codes["skin"] == -1
    assert codes["stand_x"] == ATTRIBUTES["stand_x"].index("left")


def test_a_full_caption_names_all_and_a_cut_one_no_places() -> None:
    rng = random.Random(4)
    for _ in range(100):
        facts = sample_set(rng)
        text = caption(facts, rng)
        assert {"setting", "light", "stand_x", "distance"} <= _named(text, facts)
        assert not set(PLACES) & _named(without(text, facts, PLACES), facts)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("an illustration of one woman with tan skin", {"count", "age", "gender", "skin"}),
        ("an illustration of one woman or girl", {"count", "gender"}),
        ("a drawing of one adult person for men and women", {"count", "age"}),
        ("for families with children", set()),
    ],
)
def test_what_is_said_of_people_is_found(text: str, named: set[str]) -> None:
    facts = {**sample_people(random.Random(1)), "subject": "people", "framing": "portrait", "build": "slim"}
    facts |= {"count": 1, "age": "adult", "gender": "woman", "skin": 5, "ability": "none"}
    assert _named(text, facts) == named


def test_captions_fit_the_pictures_they_say_nothing_against() -> None:
    other = {**SET, "light": "moody"}
    sky = {**SET, "setting": "sky"}
    rows = np.stack([codes_of(row) for row in (SET, other, sky)])
    spoken = np.stack([spoken_of("sandy desert ground", SET), spoken_of("golden hour light", sky)])
    fits = matches(spoken[:1], rows[:1], rows)
    assert fits.tolist() == [[1, 1, 0]]
    assert matches(spoken[1:], rows[2:], rows[[2, 0, 1]]).tolist() == [[1, 1, 0]]


def test_advertisements_keep_the_size_and_change_the_picture() -> None:
    rng = random.Random(2)
    for size in ((128, 128), (256, 64), (96, 160)):
        plain = Image.new("RGB", size, (120, 130, 140))
        made = as_advertisement(plain, SET, rng)
        assert made.size == size
        assert not np.array_equal(np.asarray(made), np.asarray(plain))
        assert np.asarray(plain).std(axis=(0, 1)).max() == 0
