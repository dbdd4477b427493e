"""Words for the house model: a brief's scene in the words it was taught, and the words it was not taught by name.

Its vocabulary is closed. A prompt is built from the brief's own words, the brand's colours as colour words, and a few
fixed phrases for where the product will stand; nothing here loads torch.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generation.composition.colour import to_oklch
from generation.house.folder import DIFFUSION
from generation.house.framing import Frame
from proofsheet.domain.campaign import BrandKit, Level, PaletteColour
from proofsheet.errors import InputError

#: Fixed phrases: where the stand is across the picture, how far down, and how near it is seen.
ACROSS: Mapping[str, str] = {
    "far-left": "on the far left",
    "left": "on the left",
    "middle": "in the middle",
    "right": "on the right",
    "far-right": "on the far right",
}
DOWN: Mapping[str, str] = {
    "high": "standing high",
    "raised": "standing raised",
    "low": "standing low",
    "bottom": "standing at the bottom",
}
DISTANCE: Mapping[str, str] = {
    "distant": "a distant view",
    "far": "a wide view",
    "near": "a close view",
}
ROOM, COLOURS_OF = "empty foreground {}", "in {}"
#: A phrase for each setting and each light, of those it was taught by: what to write for them.
SETTING: Mapping[str, str] = {
    "sweep": "a seamless paper sweep",
    "arch_podium": "an arch and a round podium",
    "steps": "stacked blocks",
    "tabletop_wood": "a wooden tabletop",
    "tabletop_stone": "a stone slab",
    "kitchen_shelf": "a kitchen shelf",
    "wet_stone": "wet dark stones",
    "sand": "a desert with dunes",
    "sky": "a sky with clouds",
    "forest_bokeh": "a forest out of focus",
}
LIGHT: Mapping[str, str] = {
    "window_warm": "warm morning light through a window",
    "leaf_shade": "sunlight through leaves",
    "soft_north": "soft north light",
    "golden_low": "low golden evening light",
    "high_key": "bright airy white light",
    "moody": "moody spotlight",
}
#: The same for the three lights in which people are drawn.
PEOPLE_LIGHT: Mapping[str, str] = {
    "soft": "soft neutral light",
    "warm": "warm amber light",
    "cool": "cool blue light",
}

#: The colour words and their hues in OKLCH, degrees.
HUES: Mapping[str, float] = {
    "coral": 25, "orange": 58, "yellow": 95, "green": 145, "teal": 190, "blue": 250, "violet": 300, "pink": 350,
}  # fmt: skip
NEUTRAL = "neutral"
_LEAST_CHROMA = 0.035  # below it a colour has no hue worth naming
_SAME_HUE = 45.0  # degrees within which a colour is still taken for the brand's
_LEADING = ("accent", "secondary")  # roles that may lead a scene in the place of the primary colour, in this order
#: The hue in degrees (OKLCH, weighted by chroma) that walls and surfaces of each word of ``HUES`` have in each light:
#: measured on the renders that the model was taught with.
_IN_LIGHT: Mapping[str, tuple[float, ...]] = {
    "window_warm": (38, 60, 83, 128, 167, 241, 329, 12),
    "leaf_shade": (38, 65, 90, 136, 174, 235, 312, 6),
    "soft_north": (20, 56, 88, 149, 195, 251, 295, 343),
    "golden_low": (43, 59, 78, 110, 145, 269, 3, 26),
    "high_key": (26, 61, 89, 143, 190, 242, 304, 346),
    "moody": (30, 52, 76, 138, 177, 247, 313, 5),
}


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Settings that have their own colours, by the words that name them: no colour is asked of them.
_NATURAL = _set("sand sandy desert dunes beach sky clouds forest woods trees mossy wooden tabletop desk")
#: Words by which a brief names a colour of its own.
_COLOURS = _set(
    "coral red orange amber yellow mustard green emerald teal turquoise cyan blue navy violet purple lilac pink rose "
    "magenta neutral beige grey greige"
)

#: Words without a picture of their own, which may be left out unsaid.
STOP_WORDS = _set(
    "a about above ad ads advertisement advertising after again all also am an and any are as at back be because "
    "been before being below beside between both brand brands but by can could did do does doing down during each "
    "either else ever every few for from further get gets had has have having he her here hers him his how i if "
    "in into is it its itself just kind let like made make makes many may me more most much must my near no nor "
    "not now of off on once only onto or other others our ours out over own per product products rather same "
    "shall she should so some something still such than that the their theirs them then there these they this "
    "those through to together too toward towards under until up upon us very via was we were what when where "
    "which while who whose why will with within without would yet you your yours"
)
_ARTICLES = frozenset({"a", "an", "the"})
_SAME = {"gray": "grey"}

_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['’]s\b")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that a house model was taught, and how many words of a prompt it reads."""

    words: frozenset[str]
    most: int


@dataclass(frozen=True, slots=True)
class Told:
    """What the house model is told of a prompt.

    ``prompt`` holds known words only, as the captions did. ``unknown`` are the words it was not taught; ``unread`` are
    known words beyond the length that it reads.
    """

    prompt: str
    unknown: tuple[str, ...]
    unread: tuple[str, ...]


def house_prompt(brand: BrandKit, frame: Frame, *, scene: Level, style: Level, audience: Level) -> str:
    """The prompt of a scene in the house model's manner: setting, light, colours, where the stand is, audience.

    The brief's words are kept as they are written, unknown ones too, so that they can be named. The brand's tone is not
    in it: in the house model's world moods belong to the light.
    """
    setting, light = scene.prompt or _spoken(scene.name), style.prompt or _spoken(style.name)
    parts = [
        setting,
        light,
        palette_words(brand.palette, setting, _light_of(style)),
        DISTANCE[frame.distance],
        ROOM.format(ACROSS[frame.across]),
        DOWN[frame.down],
        audience.prompt,
    ]
    cleaned = (" ".join(part.split()).strip(" ,.;") for part in parts)
    return ", ".join(dict.fromkeys(part for part in cleaned if part))


def _light_of(style: Level) -> str:
    """The light that a style names: by the renderers' parameter or by a phrase of ``LIGHT``; "" for any other."""
    named = next((light for light, phrase in LIGHT.items() if phrase in style.prompt.lower()), "")
    return str(style.params.get("light", named))


def palette_words(palette: Sequence[PaletteColour], setting: str, light: str = "") -> str:
    """The brand's main colour as a colour word; "" where the setting has colours of its own.

    Exact colours cannot be told to the model. A setting that names a colour itself keeps that. Where the light turns
    the main colour into another (teal by a low sun is green), the next colour of the palette is taken that it leaves as
    it is, if there is one.

    Args:
        palette: of the brand.
        setting: its words.
        light: the name of the light, if it is one that the model was taught.
    """
    words = set(_words(setting))
    if words & (_NATURAL | _COLOURS):
        return ""
    main = [colour for colour in palette if colour.role == "primary"] or list(palette[:1])
    others = sorted((c for c in palette if c not in main and c.role in _LEADING), key=lambda c: _LEADING.index(c.role))
    for colour in (*main[:1], *others):
        word = colour_word(colour.rgb, light)
        if word == NEUTRAL or _apart(to_oklch(colour.rgb)[2], _seen(light)[word]) <= _SAME_HUE:
            return COLOURS_OF.format(word)
    return COLOURS_OF.format(colour_word(main[0].rgb)) if main else ""


def colour_word(rgb: tuple[int, int, int], light: str = "") -> str:
    """The word that comes nearest to a colour by hue in a light; ``"neutral"`` for one of almost no chroma."""
    _, chroma, hue = to_oklch(rgb)
    if chroma < _LEAST_CHROMA:
        return NEUTRAL
    seen = _seen(light)
    return min(seen, key=lambda word: _apart(hue, seen[word]))


def _seen(light: str) -> Mapping[str, float]:
    """The hue that each word has in a light."""
    return dict(zip(HUES, _IN_LIGHT[light], strict=True)) if light in _IN_LIGHT else HUES


def _apart(one: float, other: float) -> float:
    """Degrees between two hues."""
    return abs((one - other + 180) % 360 - 180)


def ruled_out(never: Iterable[str], vocabulary: Vocabulary) -> str:
    """The negative prompt: of what must not be seen, the things the model could draw at all.

    What it does not know it cannot draw; so a thing counts only where every content word of it is known.
    """
    told = [tell(text, vocabulary) for text in never if set(_words(text)) - STOP_WORDS]
    return " ".join(dict.fromkeys(one.prompt for one in told if one.prompt and not one.unknown))


def tell(text: str, vocabulary: Vocabulary) -> Told:
    """The known words of a text in their order, each in the form that the model knows, and those it does not know.

    A text that is too long for the model loses its articles first.
    """
    kept: list[str] = []
    unknown: dict[str, None] = {}
    for word in _words(text):
        if form := _known_form(word, vocabulary.words):
            kept.append(form)
        elif word not in STOP_WORDS:
            unknown[word] = None
    if len(kept) > vocabulary.most:
        kept = [word for word in kept if word not in _ARTICLES]
    read, rest = kept[: vocabulary.most], kept[vocabulary.most :]
    unread = tuple(dict.fromkeys(word for word in rest if word not in STOP_WORDS))
    return Told(" ".join(read), tuple(unknown), unread)


def word_remarks(prompts: Iterable[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Sentences about words of these prompts that the house model does not know, or is told too late to read."""
    told = [tell(prompt, vocabulary) for prompt in prompts]
    unknown = dict.fromkeys(word for one in told for word in one.unknown)
    unread = dict.fromkeys(word for one in told for word in one.unread)
    found = [unknown_sentence(tuple(unknown))] if unknown else []
    if unread:
        found.append(
            f"Beyond the {vocabulary.most} words that the house model reads: {_quoted(unread)}. "
            "Word the scene, style or audience more shortly."
        )
    return tuple(found)


def unknown_sentence(words: Sequence[str]) -> str:
    """What a user is told of words that the house model does not know."""
    return (
        f"Not known to the house model: {_quoted(words)}; for open vocabulary use the diffusers backend: "
        "--backend diffusers --model FOLDER_OR_ID."
    )


def read_vocabulary(folder: Path) -> Vocabulary:
    """The vocabulary of a house model's folder.

    Raises:
        InputError: the tokenizer's file is not there, or is not one of whole words.
    """
    file = folder / DIFFUSION / "tokenizer" / "tokenizer.json"
    try:
        return _read(file, file.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The house model's vocabulary cannot be read from {file}: {error}.", "Install Proofsheet again."
        ) from error


@cache
def _read(file: Path, changed: int) -> Vocabulary:
    """Read once in a process while the time of change (in the key) stays the same."""
    tokens = json.loads(file.read_text(encoding="utf-8"))["model"]["vocab"]
    settings = json.loads(file.with_name("tokenizer_config.json").read_text(encoding="utf-8"))
    words = frozenset(str(token) for token in tokens if not (token.startswith("<") and token.endswith(">")))
    return Vocabulary(words, int(settings["model_max_length"]) - 2)  # a begin and an end are added to every text


def _words(text: str) -> list[str]:
    """The words of a text: lower case, without accents, possessives and punctuation."""
    bare = "".join(letter for letter in unicodedata.normalize("NFD", text) if unicodedata.category(letter) != "Mn")
    return _WORD.findall(_POSSESSIVE.sub("", bare.lower()))


def _known_form(word: str, known: frozenset[str]) -> str:
    """The word as the model knows it: itself, its other number, or another spelling; "" where there is none."""
    forms = [word, _SAME.get(word, ""), f"{word}s", f"{word}es"]
    for ending, instead in (("s", ""), ("es", ""), ("ies", "y"), ("ves", "f")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            forms.append(word.removesuffix(ending) + instead)
    return next((form for form in forms if form in known), "")


def _spoken(name: str) -> str:
    return name.replace("-", " ").replace("_", " ")


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
