"""Typed reading of TOML tables: every broken rule is noted with its line, and all are reported at once."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from generation.toml_source import KeyPath, TomlSource
from proofsheet.domain.money import Money
from proofsheet.errors import InputError

#: The most characters of a value that a message shows.
SHOWN = 60

_MONEY = re.compile(r"(\d+(?:\.\d+)?)\s+([A-Z]{3})")
_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: where it stands, what was found, and what to do."""

    path: Path
    line: int
    key: str
    rule: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}, {self.key}: {self.rule} {self.remedy}".rstrip()


class Problems:
    """Collects broken rules over one or several files."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def note(self, source: TomlSource, key: KeyPath, rule: str, remedy: str = "") -> None:
        """Note a broken rule at a key."""
        self._found.append(Problem(source.path, source.line(key), spell(key), rule, remedy))

    def add(self, others: Problems) -> None:
        """Take over what another collection found."""
        self._found.extend(others._found)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def stop_if_any(self, what: str) -> None:
        """Raise one InputError that lists everything found, in the order of the files and lines.

        Args:
            what: the thing that is wrong, such as ``"The brief summer.toml"``.
        """
        if not self._found:
            return
        files = list(dict.fromkeys(problem.path for problem in self._found))
        ordered = sorted(self._found, key=lambda problem: (files.index(problem.path), problem.line))
        count = f"{len(ordered)} problems" if len(ordered) > 1 else "a problem"
        listed = "\n".join(f"{number:>3}. {problem}" for number, problem in enumerate(ordered, start=1))
        raise InputError(f"{what} has {count}:\n{listed}", "Mend the lines named; nothing was changed.")


def spell(key: KeyPath) -> str:
    """A key path as one reads it: ``factors.headline[2].texts.en-US``, positions counted from 1."""
    words = ""
    for part in key:
        name = f"[{part + 1}]" if isinstance(part, int) else _spelt_name(part)
        words += f".{name}" if words and isinstance(part, str) else name
    return words or "the file"


def _spelt_name(name: str) -> str:
    plain = "".join(character if character.isprintable() else "�" for character in name)
    return plain if len(plain) <= SHOWN else plain[: SHOWN - 1] + "…"


def near_word(word: str, known: Iterable[str]) -> str | None:
    """The known word that is nearest to a word, or None when none is near."""
    near = difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=0.6)
    return near[0] if near else None


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known word, or all of them when none is near."""
    words = sorted(set(known))
    near = near_word(word, words)
    if near:
        return f"Did you mean {near!r}?"
    return f"Known: {', '.join(words)}." if words else ""


def choices(word: str, known: Iterable[str]) -> str:
    """What may stand instead: the nearest known word where one is near, and all of them in their order."""
    words = list(dict.fromkeys(known))
    near = near_word(word, words)
    return (f"Did you mean {near!r}? " if near else "") + f"Known: {', '.join(words)}."


def shown(value: object) -> str:
    """A value as a message shows it: texts in quotation marks, and at most SHOWN characters."""
    text = repr(value) if isinstance(value, (str, list, dict)) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def control_characters(text: str) -> str:
    """The control characters of a text, as ``U+0000, U+0007``; line ends are none."""
    found = {character for character in text if unicodedata.category(character) == "Cc" and character != "\n"}
    return ", ".join(f"U+{ord(character):04X}" for character in sorted(found))


def kind_of(value: object) -> str:
    """The name of a TOML value's type, for a message."""
    if isinstance(value, datetime):
        return "a date with time"
    return "a date" if isinstance(value, date) else _KINDS.get(type(value), "a time")


class Table:
    """One TOML table: values are taken by key with their type; keys nobody took are unknown.

    A value that breaks its rule is noted among the problems and the default is returned instead, so that reading
    goes on and finds the rest.
    """

    def __init__(self, source: TomlSource, key: KeyPath, data: Mapping[str, Any], problems: Problems) -> None:
        self.source = source
        self.key = key
        self.data = data
        self.problems = problems
        self._taken: dict[str, None] = {}

    def note(self, name: str | None, rule: str, remedy: str = "", *more: str | int) -> None:
        """Note a problem at a key of this table (None: at the table itself)."""
        self.problems.note(self.source, self.key if name is None else (*self.key, name, *more), rule, remedy)

    def has(self, name: str) -> bool:
        """Whether the key is written in the file."""
        return name in self.data

    def is_a(self, name: str, kind: type) -> bool:
        """Whether the key is written with a value of that type."""
        return isinstance(self.data.get(name), kind)

    def _take(self, name: str, kinds: tuple[type, ...], *, required: bool, like: str) -> Any:
        self._taken[name] = None
        if name not in self.data:
            if required:
                self.note(None, f"{name} is missing.", f"Add a line such as: {name} = {like}")
            return None
        value = self.data[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(kind_of(kind()) if kind is not date else "a date" for kind in kinds)
            self.note(
                name, f"got {shown(value)}, {kind_of(value)}, where {wanted} must stand.", f"Write: {name} = {like}"
            )
            return None
        return value

    def text(self, name: str, default: str = "", *, required: bool = False, like: str = '"…"') -> str:
        """A text without blanks around it; an empty one is an error when it is required."""
        value = self._take(name, (str,), required=required, like=like)
        if value is None:
            return default
        if not self._is_printable(name, value):
            return default
        if required and not value.strip():
            self.note(name, "the text is empty.", f"Write: {name} = {like}")
        return str(value).strip() if value.strip() else default

    def _is_printable(self, name: str, value: str, *more: str | int) -> bool:
        control = control_characters(value)
        if control:
            rule = f"got {shown(value)}, which holds control characters ({control})."
            self.note(name, rule, "Write the text without them; a tab is written as a blank.", *more)
        return not control

    def texts(self, name: str, *, like: str = '["…", "…"]') -> tuple[str, ...]:
        """A list of texts, none of them empty."""
        values = self._take(name, (list,), required=False, like=like) or []
        kept = []
        for position, value in enumerate(values):
            if not isinstance(value, str) or not value.strip():
                self.note(name, f"got {shown(value)} where a text must stand.", f"Write: {name} = {like}", position)
            elif self._is_printable(name, value, position):
                kept.append(value.strip())
        return tuple(kept)

    def integer(self, name: str, default: int, *, low: int, high: int, like: str) -> int:
        """A whole number within limits, both included."""
        value = self._take(name, (int,), required=False, like=like)
        return default if value is None or not self._within(name, value, low, high, like) else int(value)

    def number(self, name: str, default: float, *, low: float, high: float, like: str) -> float:
        """A number within limits, both included."""
        value = self._take(name, (int, float), required=False, like=like)
        return default if value is None or not self._within(name, value, low, high, like) else float(value)

    def _within(self, name: str, value: float, low: float, high: float, like: str) -> bool:
        if low <= value <= high:
            return True
        self.note(
            name,
            f"got {shown(value)}, which is not between {low:g} and {high:g}.",
            f"Write, for example: {name} = {like}",
        )
        return False

    def money(self, name: str) -> Money | None:
        """An amount with its currency, written as ``"25.00 EUR"``."""
        like = '"25.00 EUR"'
        value = self._take(name, (str,), required=False, like=like)
        if value is None:
            return None
        match = _MONEY.fullmatch(value.strip())
        if match is None:
            rule = f"got {shown(value)}, which is not an amount, a space and a currency in three capital letters."
            self.note(name, rule, f"Write: {name} = {like}, with a decimal point and no thousands separator.")
            return None
        return Money(Decimal(match[1]), match[2])

    def day(self, name: str) -> date | None:
        """A calendar date, as TOML writes it: ``2026-06-01`` without quotation marks."""
        like = "2026-06-01"
        value = self._take(name, (date, str), required=False, like=like)
        if isinstance(value, str):
            try:
                return date.fromisoformat(value.strip())
            except ValueError:
                self.note(name, f"got {shown(value)}, which is not a day of the calendar.", f"Write: {name} = {like}")
                return None
        if isinstance(value, datetime):
            self.note(name, f"got {value}, a date with time, where a date must stand.", f"Write: {name} = {like}")
            return None
        return value if isinstance(value, date) else None

    def file(self, name: str, *, required: bool, like: str) -> Path | None:
        """A file that exists, named from the folder of the TOML file; given back as an absolute path."""
        value = self.text(name, required=required, like=like)
        return self.existing_file(name, value) if value else None

    def existing_file(self, name: str, value: str, *more: str | int) -> Path | None:
        """The absolute path of a file named in this table, or None with a problem noted."""
        folder = self.source.path.absolute().parent
        remedy = f"Paths start from the folder of {self.source.path.name}: {folder}."
        try:
            path = (folder / value).resolve()
            if path.is_file():
                with path.open("rb"):
                    return path
            what = "is a folder, not a file" if path.is_dir() else "does not exist"
        except (OSError, ValueError, RuntimeError) as error:  # too long, not permitted, or a ring of links
            what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        self.note(name, f"the file {shown(value)} {what}.", remedy, *more)
        return None

    def table(self, name: str) -> Table:
        """A sub-table; an empty one when it is not written."""
        value = self._take(name, (dict,), required=False, like="{ … }")
        return Table(self.source, (*self.key, name), value or {}, self.problems)

    def tables(self, name: str) -> list[Table]:
        """The tables of an array, written as ``[[name]]``; none when it is not written."""
        header = spell((*self.key, name))
        self._taken[name] = None
        values = self.data.get(name, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.note(
                name, f"got {kind_of(values)}, where a list of tables must stand.", f"Begin each with [[{header}]]."
            )
            return []
        return [Table(self.source, (*self.key, name, at), value, self.problems) for at, value in enumerate(values)]

    def close(self, hints: Mapping[str, str] | None = None) -> None:
        """Note every key that nobody took as unknown.

        Args:
            hints: remedies for keys that are often written by mistake.
        """
        for name in self.data:
            if name not in self._taken:
                remedy = (hints or {}).get(name) or nearest(name, self._taken)
                self.note(name, "this key is not known here.", remedy)
