"""The bundled typefaces, fonts given by path, and what a font can and cannot set."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont, features

from proofsheet.errors import InputError

FOLDER = Path(__file__).resolve().parent.parent / "fonts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A bundled family: its two files, the tracking of its headlines (em) and its leading (em)."""

    name: str
    text: str
    strong: str
    tracking: float
    leading: float
    description: str


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            name="manrope",
            text="manrope-500.ttf",
            strong="manrope-700.ttf",
            tracking=-0.022,
            leading=1.1,
            description="calm geometric sans; Latin, Greek, Cyrillic",
        ),
        Family(
            name="fraunces",
            text="fraunces-400.ttf",
            strong="fraunces-600.ttf",
            tracking=-0.018,
            leading=1.06,
            description="warm old-style display serif; Latin",
        ),
        Family(
            name="bricolage-grotesque",
            text="bricolage-grotesque-500.ttf",
            strong="bricolage-grotesque-700.ttf",
            tracking=-0.02,
            leading=1.05,
            description="lively grotesque with character; Latin",
        ),
        Family(
            name="barlow-condensed",
            text="barlow-condensed-500.ttf",
            strong="barlow-condensed-700.ttf",
            tracking=0.0,
            leading=1.02,
            description="narrow grotesque for long words and small banners; Latin",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Typeface:
    """One font file as the composer sets it; ``name`` is what people call it."""

    name: str
    path: Path
    tracking: float = -0.01
    leading: float = 1.1


def open_typeface(name: str, *, strong: bool, base: Path | None = None) -> Typeface:
    """A typeface by the name of a bundled family or the path of a font file.

    Args:
        name: such as ``"manrope"`` or ``"fonts/Own.ttf"``.
        strong: the family's bold weight; a font given by path has one weight only.
        base: what a relative path is relative to; the working directory when None.

    Raises:
        InputError: no such family and no such file, or the file is not a font.
    """
    family = FAMILIES.get(name.strip().lower().replace(" ", "-"))
    if family is not None:
        file = family.strong if strong else family.text
        return Typeface(family.name, FOLDER / file, family.tracking, family.leading)
    path = Path(name) if base is None else base / name
    if not path.suffix and not path.is_file():
        near = difflib.get_close_matches(name, FAMILIES, n=1)
        raise InputError(
            f"The font {name!r} is neither a bundled family nor a font file.",
            (f"Did you mean {near[0]!r}? " if near else "") + f"Bundled are {', '.join(FAMILIES)}.",
        )
    if not path.is_file():
        raise InputError(
            f"The font file {path} does not exist.", f"Check the path, or take one of {', '.join(FAMILIES)}."
        )
    try:
        ImageFont.truetype(str(path), 20)
    except OSError as error:
        raise InputError(
            f"The font file {path} cannot be read: {error}.", "Give a TrueType, OpenType, WOFF or WOFF2 file."
        ) from error
    return Typeface(path.stem, path)


def has_shaping() -> bool:
    """Whether Pillow can shape complex scripts (raqm with FriBiDi) on this machine."""
    return bool(features.check("raqm"))


@lru_cache(maxsize=512)
def font_at(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """The font at a whole number of pixels to the em, shaped by raqm where that is there."""
    engine = ImageFont.Layout.RAQM if has_shaping() else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(path), size, layout_engine=engine)


def script_of(text: str) -> str:
    """What a text asks of the typesetter: ``"plain"``, ``"cjk"``, ``"rtl"`` or ``"complex"``."""
    kinds = {_script_of_character(character) for character in text}
    for kind in ("rtl", "complex", "cjk"):
        if kind in kinds:
            return kind
    return "plain"


def _script_of_character(character: str) -> str:
    if unicodedata.bidirectional(character) in {"R", "AL"}:
        return "rtl"
    code = ord(character)
    if 0x0900 <= code <= 0x109F or 0x1780 <= code <= 0x17FF or 0x0E00 <= code <= 0x0FFF:
        return "complex"
    if 0x2E80 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF or 0xF900 <= code <= 0xFAFF or 0xFF00 <= code <= 0xFFEF:
        return "cjk"
    return "plain"


def check_text(text: str, typeface: Typeface) -> None:
    """Refuse a text that this font, on this machine, would set wrongly.

    Raises:
        InputError: characters without a glyph, or a script that needs shaping where raqm is missing.
    """
    missing = sorted({character for character in text if not _has_glyph(typeface.path, character)})
    if missing:
        shown = ", ".join(f"{character} (U+{ord(character):04X})" for character in missing[:8])
        more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
        raise InputError(
            f"The font {typeface.name} has no glyph for {shown}{more}, needed in {text!r}.",
            "Name a font file that has them as headline_font and body_font in the brand file"
            + (", or use the bundled manrope." if _manrope_has(text) else "."),
        )
    if script_of(text) in {"rtl", "complex"} and not has_shaping():
        raise InputError(
            f"The text {text!r} is in a script that needs shaping, which this installation of Pillow lacks.",
            "Install the system library FriBiDi (libfribidi0) and try again.",
        )


def _manrope_has(characters: str) -> bool:
    return all(_has_glyph(FOLDER / FAMILIES["manrope"].text, character) for character in characters)


@cache
def _has_glyph(path: Path, character: str) -> bool:
    if character.isspace() or unicodedata.category(character) in {"Cf", "Cc", "Mn", "Me"}:
        return True
    image = _bitmap(path, character)
    return image != _bitmap(path, "\U0010fffd") and any(image[1])


@cache
def _bitmap(path: Path, character: str) -> tuple[tuple[int, int], bytes]:
    font = ImageFont.truetype(str(path), 48, layout_engine=ImageFont.Layout.BASIC)
    mask = font.getmask(character)
    return mask.size, bytes(mask)
