"""Says the facts of a picture in words, each time a little differently."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping

from generation.house.choices import COLOURS
from training import phrases as say
from training import phrases_people as people

#: Phrases for zero-shot judging: attribute → value → phrases.
LABELS: dict[str, dict[str, tuple[str, ...]]] = {
    "setting": dict(say.SETTING),
    "light": dict(say.LIGHT),
    "colour": {name: tuple(f"in {word}" for word in say.COLOUR[name]) for name in COLOURS},
    "season": {name: words for name, words in say.SEASON.items() if name != "none"},
    "stand_x": {name: tuple(f"empty foreground {where}" for where in words) for name, words in say.STAND_X.items()},
    "distance": dict(say.DISTANCE),
    "count": {"1": ("one person",), "2": ("two people",), "3": ("three people",)},
    "age": {"child": ("a child",), "adult": ("an adult person",), "older": ("an older person", "an elderly person")},
    "gender": {
        "woman": ("a woman or girl",),
        "man": ("a man or boy",),
        "androgynous": ("an androgynous person", "a person of open gender"),
    },
    "skin": {name: tuple(f"{word} skin" for word in words) for name, words in people.SKIN.items()},
    "build": dict(people.BUILD),
    "ability": {name: words for name, words in people.ABILITY.items() if name != "none"},
    "framing": dict(people.FRAMING),
    "people_light": dict(people.PEOPLE_LIGHT),
}

_WORD = re.compile(r"[a-z0-9]+")


def caption(facts: Mapping[str, str | int], rng: random.Random, drop: float = 0.0) -> str:
    """What the picture shows, in lower-case words.

    Args:
        facts: of the picture.
        rng: chooses among synonyms, orders and fillers.
        drop: the probability (0–1) that a part is left out; the subject itself is left out half as often.
    """
    parts = _people(facts, rng, drop) if facts["subject"] == "people" else _set(facts, rng, drop)
    if rng.random() < 0.35:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(say.FILLERS))
    if not parts:
        parts = [rng.choice(say.FILLERS)]
    return " ".join(_WORD.findall(" ".join(parts).lower()))


def words_of(text: str) -> list[str]:
    """The words of a text as the tokenizer cuts it: it drops everything else."""
    return _WORD.findall(text.lower())


def vocabulary() -> tuple[str, ...]:
    """Every word that the grammar can say, sorted, with the words that mean nothing to a picture."""
    found = set(say.STOP_WORDS)
    for text in _everything():
        found.update(words_of(text.replace("{}", " ")))
    return tuple(sorted(found))


def _everything() -> Iterable[str]:
    for name, value in (*vars(say).items(), *vars(people).items()):
        if not name.isupper():
            continue
        if isinstance(value, Mapping):
            for words in value.values():
                yield from (words,) if isinstance(words, str) else words
        elif isinstance(value, tuple):
            yield from value
    for values in LABELS.values():
        for words in values.values():
            yield from words
    yield "skin tone hair wall people person"


def _set(facts: Mapping[str, str | int], rng: random.Random, drop: float) -> list[str]:
    setting = rng.choice(say.SETTING[str(facts["setting"])])
    detail = str(facts["detail"])
    if detail and rng.random() >= max(drop, 0.25):
        setting += " " + rng.choice(say.DETAIL[detail])
    parts = [
        setting if rng.random() >= drop / 2 else "",
        rng.choice(say.LIGHT[str(facts["light"])]) if rng.random() >= drop else "",
        _colours(facts, rng) if rng.random() >= drop else "",
        rng.choice(say.SEASON[str(facts["season"])]),  # always: to say nothing of it is to say that there is none
        rng.choice(say.DISTANCE[str(facts["distance"])]) if rng.random() >= drop else "",
        _stand(facts, rng) if rng.random() >= drop else "",
        rng.choice(say.MOOD[str(facts["light"])]) if rng.random() < 0.15 else "",
    ]
    parts = [part for part in parts if part]
    if rng.random() < 0.5:
        rng.shuffle(parts)
    return parts


def _colours(facts: Mapping[str, str | int], rng: random.Random) -> str:
    if facts["colour"] == "natural":
        return ""
    return rng.choice(say.IN_COLOUR).format(rng.choice(say.COLOUR[str(facts["colour"])]))


def _stand(facts: Mapping[str, str | int], rng: random.Random) -> str:
    where = rng.choice(say.STAND_X[str(facts["stand_x"])])
    room = rng.choice(say.ROOM)
    text = room.format(where) if room.count("{}") == 1 else room.format(rng.choice(say.PRODUCTS), where)
    return f"{text}, {rng.choice(say.STAND_Y[str(facts['stand_y'])])}" if rng.random() < 0.85 else text


def _people(facts: Mapping[str, str | int], rng: random.Random, drop: float) -> list[str]:
    skin = f"with {rng.choice(people.SKIN[str(facts['skin'])])} skin"
    who = _who(facts, rng, age=rng.random() >= drop, gender=rng.random() >= drop)
    subject = f"{rng.choice(people.PEOPLE_PREFIX)} {who}" + (f" {skin}" if rng.random() >= drop else "")
    figure = facts["framing"] == "figure"
    parts = [
        subject,
        rng.choice(people.FRAMING[str(facts["framing"])]) if rng.random() >= drop else "",
        rng.choice(people.ABILITY[str(facts["ability"])]),
        rng.choice(people.BUILD[str(facts["build"])]) if figure and rng.random() >= drop else "",
        rng.choice(people.WALL).format(rng.choice(say.COLOUR[str(facts["colour"])])) if rng.random() >= drop else "",
        rng.choice(people.PEOPLE_LIGHT[str(facts["light"])]) if rng.random() >= drop else "",
    ]
    head, tail = parts[0], [part for part in parts[1:] if part]
    if rng.random() < 0.5:
        rng.shuffle(tail)
    return [head, *tail]


def _who(facts: Mapping[str, str | int], rng: random.Random, *, age: bool, gender: bool) -> str:
    if age and gender:
        noun = rng.choice(people.WHO[str(facts["age"]), str(facts["gender"])])
    elif gender:
        noun = {"woman": "woman or girl", "man": "man or boy"}.get(str(facts["gender"]), "androgynous person")
    elif age:
        noun = {"child": "child", "adult": "adult person"}.get(
            str(facts["age"]), rng.choice(("older", "elderly")) + " person"
        )
    else:
        noun = "person"
    count = rng.choice(people.COUNT[str(facts["count"])])
    if facts["count"] != 1:
        noun = " ".join(people.MANY.get(word, word) for word in noun.split())
    return f"{count} {noun}"
