"""Facts as numbers: which attributes a picture has, which of them a caption speaks of, which captions fit a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from training import phrases as say
from training import phrases_people as people
from training.grammar import words_of

_HOLLOW = tuple(" ".join(words_of(filler)) for filler in say.FILLERS)
_EITHER = ("woman or girl", "women or girls", "man or boy", "men or boys")

Facts = Mapping[str, str | int]
Codes = NDArray[np.int64]

#: What a picture can be told apart by, with the values in order (skin from light to dark).
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "setting": tuple(say.SETTING),
    "light": tuple(say.LIGHT),
    "colour": tuple(say.COLOUR),
    "season": tuple(say.SEASON),
    "detail": tuple(say.DETAIL),
    "stand_x": tuple(say.STAND_X),
    "stand_y": tuple(say.STAND_Y),
    "distance": tuple(say.DISTANCE),
    "count": tuple(people.COUNT),
    "age": ("child", "adult", "older"),
    "gender": ("woman", "man", "androgynous"),
    "skin": tuple(people.SKIN),
    "build": tuple(people.BUILD),
    "ability": tuple(people.ABILITY),
    "framing": tuple(people.FRAMING),
    "people_light": tuple(people.PEOPLE_LIGHT),
}
NAMES = tuple(ATTRIBUTES)
PEOPLE = ("count", "age", "gender", "skin", "build", "ability", "framing", "people_light")
SETS = ("setting", "light", "season", "detail", "stand_x", "stand_y", "distance")
#: What a part of a picture does not show.
PLACES = ("stand_x", "stand_y", "distance")


def codes_of(facts: Facts) -> Codes:
    """The number of each attribute's value, shape (attributes,); −1 where the picture has none."""
    people = facts["subject"] == "people"
    row = np.full(len(NAMES), -1, np.int64)
    for index, name in enumerate(NAMES):
        if name != "colour" and (name in PEOPLE) != people:
            continue
        if name == "build" and facts["framing"] != "figure":
            continue
        value = str(facts.get("light" if name == "people_light" else name, ""))
        if value in ATTRIBUTES[name]:
            row[index] = ATTRIBUTES[name].index(value)
    return row


def spoken_of(caption: str, facts: Facts) -> NDArray[np.bool_]:
    """Which of the attributes (in order of ``NAMES``) a caption of these facts names."""
    text = f" {' '.join(words_of(caption))} "
    for filler in _HOLLOW:
        text = text.replace(f" {filler} ", " ")
    codes = codes_of(facts)
    found = np.zeros(len(NAMES), bool)
    for index, name in enumerate(NAMES):
        if codes[index] >= 0:
            found[index] = any(phrase in text for phrase in _spoken(name, ATTRIBUTES[name][codes[index]]))
    if facts["subject"] == "people":
        age, gender = str(facts["age"]), str(facts["gender"])
        bare = text
        for pair in _EITHER:
            bare = bare.replace(f" {pair} ", " ")
        both = any(noun in bare for noun in _nouns(age, gender))
        found[NAMES.index("age")] |= both
        found[NAMES.index("gender")] |= both
    return found


def without(caption: str, facts: Facts, names: Sequence[str]) -> str:
    """The caption without the phrases that speak of these attributes."""
    codes = codes_of(facts)
    text = f" {' '.join(words_of(caption))} "
    for name in names:
        index = NAMES.index(name)
        for phrase in _spoken(name, ATTRIBUTES[name][codes[index]]) if codes[index] >= 0 else ():
            text = text.replace(phrase, " ")
    return text.strip() or "a picture"


def matches(spoken: NDArray[np.bool_], codes: Codes, seen: Codes) -> NDArray[np.float32]:
    """Which captions fit which pictures, by what the captions say alone.

    Args:
        spoken: (C, attributes), what each caption names.
        codes: (C, attributes), the facts behind each caption.
        seen: (B, attributes), the facts of each picture; the first C of them are the captions' own.

    Returns:
        (C captions, B pictures) of 0 and 1, with 1 on the diagonal.
    """
    same = codes[:, None, :] == seen[None, :, :]
    people = NAMES.index("count")
    subject = (codes[:, None, people] >= 0) == (seen[None, :, people] >= 0)
    fits = (same | ~spoken[:, None, :]).all(axis=2) & subject
    np.fill_diagonal(fits, True)
    return np.asarray(fits, np.float32)


@cache
def _spoken(name: str, value: str) -> tuple[str, ...]:
    tables: Mapping[str, Mapping[str, Sequence[str]]] = {
        "setting": say.SETTING,
        "light": say.LIGHT,
        "colour": say.COLOUR,
        "season": say.SEASON,
        "detail": say.DETAIL,
        "stand_x": say.STAND_X,
        "stand_y": say.STAND_Y,
        "distance": say.DISTANCE,
        "count": people.COUNT,
        "build": people.BUILD,
        "ability": people.ABILITY,
        "framing": people.FRAMING,
        "people_light": people.PEOPLE_LIGHT,
    }
    extra: Sequence[str] = ()
    if name == "light":
        extra = say.MOOD[value]
    elif name == "skin":
        extra = [f"{word} skin" for word in people.SKIN[value]]
    elif name == "gender":
        extra = {"woman": ("woman or girl", "women or girls"), "man": ("man or boy", "men or boys")}.get(
            value, ("androgynous", "of open gender")
        )
    elif name == "age":
        words = {"child": ("child", "children"), "adult": ("adult", "adults"), "older": ("older", "elderly", "senior")}
        extra = words[value]
    phrases = chain(tables.get(name, {}).get(value, ()), extra)
    return tuple(f" {' '.join(words_of(phrase))} " for phrase in phrases if phrase)


@cache
def _nouns(age: str, gender: str) -> tuple[str, ...]:
    """Nouns that tell both, such as ``girl``; the caller takes ``woman or girl`` out first."""
    found = set(people.WHO[age, gender])
    found |= {" ".join(people.MANY.get(word, word) for word in noun.split()) for noun in found}
    if gender == "androgynous":
        found -= {"androgynous person", "androgynous people"}  # said of any age
    return tuple(f" {noun} " for noun in found)
