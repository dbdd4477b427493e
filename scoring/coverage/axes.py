"""The library of axes: what a set of pictures can be looked over for, kept as data in ``axes.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from proofsheet.errors import NotFoundError

#: What stands for pictures that show no value of an axis, in briefs, tables and counts: always the last value.
UNCLEAR = "unclear"

_WORD = re.compile(r"[^\W_]+")

#: Things that show a value, each said in one or more ways.
Concepts = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of an axis.

    Attributes:
        name: as briefs and reports write it.
        title: as people read it.
        phrases: what a CLIP with an open vocabulary is asked.
        house: what the house CLIP is asked; empty where it was taught nothing of the kind.
        words: whole words in a prompt that ask for the value.
    """

    name: str
    title: str
    phrases: Concepts
    house: Concepts
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Something that pictures can show in several ways, told apart by their look alone.

    Attributes:
        name: as briefs and reports write it.
        title: as people read it.
        about: ``people`` (then a picture without a person is unclear) or ``scene``.
        no_value: what its ``unclear`` is called.
        limitation: what it cannot tell, in plain words.
        values: without ``unclear``.
        unclear: phrases for pictures that show no value, for any CLIP and for the house CLIP.
        contexts: what phrases are put into, for any CLIP and for the house CLIP.
        house_alone: the house CLIP was taught it in pictures without people only, and finds it unclear in others.
    """

    name: str
    title: str
    about: str
    no_value: str
    limitation: str
    values: tuple[Value, ...]
    unclear: Concepts
    house_unclear: Concepts
    contexts: tuple[str, ...]
    house_contexts: tuple[str, ...]
    house_alone: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The values' names and, last, ``unclear``."""
        return (*(value.name for value in self.values), UNCLEAR)

    @property
    def titles(self) -> tuple[str, ...]:
        """The values' titles and, last, what ``unclear`` is called."""
        return (*(value.title for value in self.values), self.no_value)

    def asked_for(self, prompt: str) -> str:
        """The one value whose words a prompt says, or ``unclear`` where it says none or those of several."""
        text = _plain(prompt)
        said = {value.name for value in self.values if any(_plain(word) in text for word in value.words)}
        return said.pop() if len(said) == 1 else UNCLEAR


@cache
def load_axes() -> Mapping[str, Axis]:
    """Every axis of the library by its name, in the library's order."""
    data = tomllib.loads(resources.files("scoring.coverage").joinpath("axes.toml").read_text("utf-8"))
    axes: dict[str, Axis] = {}
    for row in data["axes"]:
        axes[row["name"]] = _grouped(row, axes[row["groups_of"]]) if "groups_of" in row else _axis(row)
    return axes


def axes_named(names: Sequence[str]) -> tuple[Axis, ...]:
    """The axes of those names.

    Raises:
        NotFoundError: the library has no axis of a name.
    """
    known = load_axes()
    for name in names:
        if name not in known:
            raise NotFoundError(f"There is no axis {name!r} to look pictures over for.", f"Known: {', '.join(known)}.")
    return tuple(known[name] for name in dict.fromkeys(names))


def _axis(row: Mapping[str, Any]) -> Axis:
    return Axis(
        name=row["name"],
        title=row["title"],
        about=row["about"],
        no_value=row["no_value"],
        limitation=row["limitation"],
        values=tuple(
            Value(
                name=one["name"],
                title=one["title"],
                phrases=_concepts(one["phrases"]),
                house=_concepts(one["house"]),
                words=tuple(one["words"]),
            )
            for one in row["values"]
        ),
        unclear=_concepts(row["unclear"]),
        house_unclear=_concepts(row["house_unclear"]),
        contexts=tuple(row.get("contexts", ("{}",))),
        house_contexts=tuple(row.get("house_contexts", ("{}",))),
        house_alone=bool(row.get("house_alone", False)),
    )


def _grouped(row: Mapping[str, Any], fine: Axis) -> Axis:
    """An axis whose values are several values of a finer one, and are shown by whatever shows one of these."""
    of = {value.name: value for value in fine.values}
    values = []
    for one in row["values"]:
        parts = [of[name] for name in one["members"]]
        values.append(
            Value(
                name=one["name"],
                title=one["title"],
                phrases=tuple(concept for part in parts for concept in part.phrases),
                house=tuple(concept for part in parts for concept in part.house),
                words=(*one["words"], *(word for part in parts for word in part.words)),
            )
        )
    return Axis(
        name=row["name"],
        title=row["title"],
        about=row["about"],
        no_value=row["no_value"],
        limitation=row["limitation"],
        values=tuple(values),
        unclear=fine.unclear,
        house_unclear=fine.house_unclear,
        contexts=fine.contexts,
        house_contexts=fine.house_contexts,
        house_alone=fine.house_alone,
    )


def _plain(text: str) -> str:
    """The words of a text in lower case, each between blanks."""
    return f" {' '.join(re.findall(_WORD, text.lower()))} "


def _concepts(rows: Sequence[Sequence[str]]) -> Concepts:
    return tuple(tuple(row) for row in rows)
