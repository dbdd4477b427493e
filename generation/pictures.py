"""Opening pictures safely, cutting products out of plain grounds, and encoding masters."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from generation.cutout import remove_ground, share_like_ground
from proofsheet import pictures
from proofsheet.errors import InputError
from proofsheet.picture_files import MOST_PIXELS, PictureError, read_file
from proofsheet.pictures import OpenedPicture

FORMATS = ("JPEG", "PNG", "WEBP")


def read_picture(path: Path) -> OpenedPicture:
    """A picture of a user as it should be seen, upright and in sRGB, with what is special about its file.

    Raises:
        InputError: the file does not exist, is no JPEG, PNG or WebP, is damaged, or is too large to be opened.
    """
    if not path.is_file():
        raise InputError(f"The picture {path} does not exist.", "Check the path; it is relative to the file naming it.")
    try:
        return pictures.open_picture(read_file(path), formats=FORMATS, most_pixels=MOST_PIXELS)
    except PictureError as error:
        what = "file" if error.why == "kind" else "picture"
        raise InputError(f"The {what} {path} {error.clause}.", error.hint) from error


def open_picture(path: Path) -> Image.Image:
    """A picture of a user as it should be seen: decoded, upright, RGB, or RGBA where some of it is see-through.

    Raises:
        InputError: as ``read_picture`` does.
    """
    return read_picture(path).image


#: Share of a cut-out's outline that may look like the ground before a person is asked to look.
_MOST_LIKE_GROUND = 0.05


def cut_out(image: Image.Image) -> Image.Image:
    """The product alone: RGBA, cropped to what is visible.

    A picture with transparency keeps it. Otherwise a plain ground is removed with the openings through which it is
    seen and with soft shadows on it; pixels along the outline lose the ground's colour, so that no halo is left.

    Raises:
        InputError: nothing is visible, or there is no transparency and the ground is not plain.
    """
    rgba = image.convert("RGBA")
    if np.asarray(rgba.getchannel("A")).min() > 250:
        rgba = remove_ground(image.convert("RGB"))
    box = rgba.getchannel("A").point(lambda value: 255 if value > 8 else 0).getbbox()
    if box is None:
        raise InputError(
            "The product picture shows nothing: it is wholly transparent.", "Give a picture of the product."
        )
    return rgba.crop(box)


def cut_out_notes(image: Image.Image) -> tuple[str, ...]:
    """What a person should check in the cut-out of a picture; nothing where the picture has its own transparency.

    Raises:
        InputError: as ``cut_out`` does.
    """
    if np.asarray(image.convert("RGBA").getchannel("A")).min() <= 250:
        return ()
    share = share_like_ground(remove_ground(image.convert("RGB")))
    if share <= _MOST_LIKE_GROUND:
        return ()
    return (
        f"Along {share:.0%} of its outline the product looks like the ground of its photo: the ground may still show "
        "there, or the product may be cut into. A PNG or WebP with a transparent background avoids this.",
    )


def encode_master(image: Image.Image) -> bytes:
    """The master of an asset as PNG bytes, fast and without metadata: equal pixels are equal bytes."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
