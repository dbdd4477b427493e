"""Opens the pictures and fonts that a brief or a brand kit names, so that bad ones are found early."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from generation.toml_fields import Table, shown
from proofsheet.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

_SEEN = 8  # of 255: more opaque than this is visible


def check_product(table: Table, key: str, path: Path) -> None:
    """Note a product picture that cannot be opened or cut out."""
    from generation.pictures import cut_out

    picture = _opened(table, key, path, "the product's picture")
    if picture is None:
        return
    try:
        cut_out(picture)
    except InputError as error:
        table.note(key, f"{shown(table.data[key])} cannot be used. {error.message}", error.hint)


def check_logo(table: Table, key: str, path: Path) -> None:
    """Note a logo that cannot be opened, or that has neither transparency nor a plain ground to be taken from."""
    from generation.pictures import cut_out

    picture = _opened(table, key, path, "the logo")
    if picture is None:
        return
    try:
        cut_out(picture)
    except InputError:
        rule = (
            f"the logo {shown(table.data[key])} cannot be told from its ground: it has neither transparency nor one "
            "plain colour around it."
        )
        table.note(key, rule, "Give a PNG or WebP with a transparent background.")


def check_reference(table: Table, key: str, path: Path, position: int) -> None:
    """Note a reference picture that cannot be opened or shows nothing."""
    _opened(table, key, path, "a reference picture", position)


def check_font(table: Table, key: str, path: Path) -> None:
    """Note a font file that cannot be read, or that cannot set a plain letter."""
    from PIL import ImageFont

    from generation.composition.typefaces import open_typeface

    try:
        face = open_typeface(str(path), strong=True)
        ImageFont.truetype(str(face.path), 20).getmask("Ag")
    except InputError as error:
        table.note(key, error.message, error.hint)
    except (OSError, ValueError) as error:
        rule = f"the font file {shown(table.data[key])} is damaged: {error}."
        table.note(key, rule, "Give a TrueType, OpenType, WOFF or WOFF2 file.")


def _visible(picture: Image.Image) -> bool:
    alpha = picture.getchannel("A").point([255 * (value > _SEEN) for value in range(256)])
    return alpha.getbbox() is not None


def _opened(table: Table, key: str, path: Path, role: str, *more: int) -> Image.Image | None:
    from generation.pictures import open_picture

    value = shown(table.data[key][more[0]] if more else table.data[key])
    try:
        picture = open_picture(path)
    except InputError as error:
        table.note(key, f"{value} cannot be used as {role}. {error.message}", error.hint, *more)
        return None
    if "A" in picture.getbands() and not _visible(picture):
        rule = f"{value} cannot be used as {role}: it shows nothing, for it is wholly transparent."
        table.note(key, rule, "Give a picture in which something can be seen.", *more)
        return None
    return picture
