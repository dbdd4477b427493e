"""Unsafe concepts as data: what is looked for, and from where on it blocks."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from proofsheet.errors import InputError

_BUNDLED = Path(__file__).parent / "safety.toml"
_KEYS = {"phrases", "words", "limit", "margin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """Something no advertisement may show: phrases for a model, words for prompts, and where it blocks."""

    name: str
    phrases: tuple[str, ...]
    words: tuple[str, ...]
    limit: float
    margin: float

    def said_in(self, text: str) -> tuple[str, ...]:
        """The concept's words that a text holds, as whole words, whatever their case."""
        return tuple(word for word in self.words if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE))


@cache
def load_concepts(path: Path | None = None) -> tuple[Concept, ...]:
    """Read the concepts; the bundled ones when no path is given.

    Raises:
        InputError: the file is not TOML, or a concept lacks a key, has an unknown one or one of the wrong type.
    """
    file = path or _BUNDLED
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The concepts in {file} cannot be read: {error}.", "Mend or remove that file.") from error
    return tuple(_concept(name, entry, file) for name, entry in table.items())


def _concept(name: str, entry: object, file: Path) -> Concept:
    hint = f"Give [{name}] in {file.name} the keys phrases, words, limit and margin."
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        raise InputError(f"The concept {name} lacks keys or has unknown ones.", hint)
    texts = {key: entry[key] for key in ("phrases", "words")}
    if any(
        not isinstance(found, list) or not all(isinstance(one, str) and one for one in found)
        for found in texts.values()
    ):
        raise InputError(f"The concept {name} must have lists of texts as phrases and words.", hint)
    numbers = [entry["limit"], entry["margin"]]
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in numbers) or not entry["margin"] >= 0:
        raise InputError(f"The concept {name} must have numbers as limit and margin, the margin not below 0.", hint)
    return Concept(
        name=name,
        phrases=tuple(texts["phrases"]),
        words=tuple(texts["words"]),
        limit=float(entry["limit"]),
        margin=float(entry["margin"]),
    )
