"""Reads the factors of a brief: what may vary, with every level's name, words and parameters."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from generation.scene_check import scene_problem
from generation.toml_fields import Table, choices, control_characters, kind_of, nearest, shown
from proofsheet.domain.campaign import FACTORS, Factor, Level

SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
SLUG_RULE = "which is not made of small letters a–z and digits, joined by single dashes or underscores"

#: The most characters of a slug or a level's name: both go into file names.
MOST_NAME = 60

#: The most characters of a headline, a call to action or an offer: far more than any picture has room for.
MOST_CHARACTERS = 300

_FIELDS = {
    "scene": ("prompt", "params"),
    "style": ("prompt", "params"),
    "layout": ("params",),
    "headline": ("texts",),
    "cta": ("texts",),
    "audience": ("prompt", "params"),
}
_REQUIRED = {
    "scene": 'name = "arch", prompt = "an arch and a round podium", params = { kind = "arch_podium" }',
    "headline": 'name = "slow", texts = { en-US = "Slow brewed, wide awake." }',
    "cta": 'name = "try", texts = { en-US = "Try it chilled" }',
}
_DEFAULTS = {
    "style": Level(name="natural", prompt="soft natural light"),
    "audience": Level(name="everyone"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the levels of a brief are checked against.

    ``forbidden`` maps a word to who forbids it. ``choices`` gives, for a parameter that names something our own
    renderer knows, the names it may have. ``locales_known`` is False where the brief's locales are wrong themselves:
    then no text is missing, and none is of a locale too many. ``palette`` is the brand's colours as ``#rrggbb``; none
    where the brand kit is wrong itself: then parameters of scenes are not tried.
    """

    locales: tuple[str, ...]
    locales_known: bool
    forbidden: Mapping[str, str]
    layouts: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]]
    palette: tuple[str, ...] = ()


def read_factors(root: Table, rules: Rules) -> tuple[Factor, ...]:
    """Read ``[[factors.*]]`` of a brief; the locales make the last factor.

    Returns:
        All of FACTORS in that order; one that the brief does not vary has one level.
    """
    table = root.table("factors")
    factors = []
    for name in FACTORS[:-1]:
        entries = table.tables(name)
        missing = not root.has("factors") or (root.is_a("factors", dict) and table.data.get(name, []) == [])
        if missing and name in _REQUIRED:
            table.note(None, f"there is no {name}.", f"Add at least one [[factors.{name}]] with {_REQUIRED[name]}.")
        levels = tuple(_read_level(name, entry, rules) for entry in entries)
        _check_names(entries, levels)
        factors.append(Factor(name=name, levels=levels or _default(name, rules)))
    table.close({"locale": "Leave it out: its levels are the locales of the section [campaign]."})
    return (*factors, Factor(name="locale", levels=tuple(Level(name=locale) for locale in rules.locales)))


def _default(name: str, rules: Rules) -> tuple[Level, ...]:
    return (_DEFAULTS.get(name) or Level(name=rules.layouts[0] if name == "layout" else name),)


def _read_level(factor: str, entry: Table, rules: Rules) -> Level:
    fields = _FIELDS[factor]
    name = entry.text("name", required=True, like='"arch"')
    check_name(entry, "name", name)
    if factor == "layout" and SLUG.fullmatch(name) and name not in rules.layouts:
        entry.note("name", f"got {shown(name)}, which is not a layout.", choices(name, rules.layouts))
    level = Level(
        name=name,
        prompt=entry.text("prompt") if "prompt" in fields else "",
        texts=_texts(factor, name, entry, rules) if "texts" in fields else {},
        params=_params(entry, rules, drawn=factor in {"scene", "style"}) if "params" in fields else {},
    )
    hint = 'Write texts, with one text for each locale: texts = { en-US = "…" }'
    entry.close({"text": hint} if "texts" in fields else {})
    return level


def check_name(table: Table, key: str, name: str) -> None:
    """Note a slug or a level's name that is not fit for file names; an empty one is another matter."""
    if not name:
        return
    if len(name) > MOST_NAME:
        rule = f"got {shown(name)} of {len(name)} characters; at most {MOST_NAME} are allowed, for file names hold it."
        table.note(key, rule, "Give a short name: the words themselves stand elsewhere.")
    elif not SLUG.fullmatch(name):
        table.note(key, f"got {shown(name)}, {SLUG_RULE}.", f'Write, for example: {key} = "{_slugged(name)}"')


def _slugged(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "arch"


def _check_names(entries: Sequence[Table], levels: Sequence[Level]) -> None:
    seen: set[str] = set()
    for entry, level in zip(entries, levels, strict=True):
        if level.name and level.name in seen:
            entry.note(
                "name", f"the name {shown(level.name)} stands twice.", "Give every level of a factor its own name."
            )
        seen.add(level.name)


def _params(entry: Table, rules: Rules, *, drawn: bool) -> dict[str, str | int | float]:
    table = entry.table("params")
    before = len(table.problems)
    kept: dict[str, str | int | float] = {}
    for key, value in table.data.items():
        if isinstance(value, float) and not math.isfinite(value):
            table.note(key, f"got {value}, which is not a number to draw with.", f"Write: {key} = 0.5")
        elif isinstance(value, str) and control_characters(value):
            rule = f"got {shown(value)}, which holds control characters ({control_characters(value)})."
            table.note(key, rule, "Write the text without them.")
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            kept[key] = value
        else:
            rule = f"got {kind_of(value)}, where a text or a number must stand."
            table.note(key, rule, f'Write: {key} = "…" or {key} = 0.5')
        known = rules.choices.get(key)
        if key in kept and known and value not in known:
            table.note(key, f"got {shown(value)}, which our renderer does not know.", choices(str(value), known))
    if drawn and rules.palette and len(table.problems) == before:
        problem = scene_problem(kept, rules.palette)
        if problem:
            entry.note("params", problem.message, problem.hint)
    return kept


def _texts(factor: str, level: str, entry: Table, rules: Rules) -> dict[str, str]:
    named = f"{factor} {shown(level)}" if level else f"this {factor}"
    if not entry.has("texts"):
        entry.note(None, f"{named} has no texts.", 'Add a line such as: texts = { en-US = "…" }')
    table = entry.table("texts")
    if not entry.is_a("texts", dict):
        return {}
    locales = rules.locales if rules.locales_known else tuple(table.data)
    return read_texts(table, named, locales, rules.forbidden)


def read_texts(table: Table, named: str, locales: Sequence[str], forbidden: Mapping[str, str]) -> dict[str, str]:
    """Read a table of texts by locale: one for each locale of the brief, none of another, no forbidden words.

    Args:
        table: the table.
        named: what the texts are, for messages: ``"headline 'slow'"``.
        locales: of the brief.
        forbidden: a word and who forbids it.
    """
    texts = {}
    for locale in locales:
        if not table.has(locale):
            table.note(None, f"{named} has no text for {locale}.", f'Add to its texts: {locale} = "…"')
        texts[locale] = table.text(locale, required=table.has(locale))
        check_setting(table, locale, texts[locale])
        check_words(texts[locale], f"{named}, {locale}", forbidden, _noter(table, locale))
    strange = [key for key in table.data if not nearest(key, locales).startswith("Did")]
    table.close(
        {key: f"Add {key!r} to the locales of the section [campaign], or leave this text out." for key in strange}
    )
    return texts


def check_setting(table: Table, key: str, text: str) -> None:
    """Note a text that no advertisement could be set with, however large; an empty one is another matter."""
    if text and all(unicodedata.category(character)[0] in "CZ" for character in text):
        table.note(key, "the text shows nothing: it holds only invisible characters.", f'Write: {key} = "…"')
    if len(text) > MOST_CHARACTERS:
        rule = f"got {shown(text)} of {len(text)} characters; at most {MOST_CHARACTERS} are set on a picture."
        table.note(key, rule, "Say it in a few words.")


def _noter(table: Table, key: str) -> Callable[[str, str], None]:
    return lambda rule, remedy: table.note(key, rule, remedy)


def check_words(text: str, where: str, forbidden: Mapping[str, str], note: Callable[[str, str], None]) -> None:
    """Note every forbidden word that stands in a text as a word of its own, whatever its capitals."""
    for word, forbidder in forbidden.items():
        pattern = r"\s+".join(re.escape(part) for part in word.casefold().split())
        if re.search(rf"(?<!\w){pattern}(?!\w)", text.casefold()):
            note(
                f"{where}: {shown(text)} contains {shown(word)}, which {forbidder} forbids.",
                "Say it without that word.",
            )
