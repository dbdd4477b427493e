"""Opening pictures safely, cutting products out of plain grounds, and encoding masters."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError
from scipy import ndimage

from proofsheet.errors import InputError

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 50_000_000
#: A ground is plain when the colours along the picture's border stay this near to their median (share of the range).
_PLAIN_SPREAD, _PLAIN_SHARE = 0.06, 0.93


def open_picture(path: Path) -> Image.Image:
    """A picture of a user as it should be seen: decoded, upright, RGB or RGBA.

    Raises:
        InputError: the file does not exist, is no JPEG, PNG or WebP, is damaged, or has over 50 million pixels.
    """
    if not path.is_file():
        raise InputError(f"The picture {path} does not exist.", "Check the path; it is relative to the file naming it.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(path, formats=FORMATS)
        if picture.width * picture.height > MOST_PIXELS:
            raise InputError(
                f"The picture {path} has {picture.width} × {picture.height} pixels; at most 50 million are taken.",
                "Scale it down: products need no more than about 3000 pixels on the longer side.",
            )
        upright = ImageOps.exif_transpose(picture)
        upright.load()
    except UnidentifiedImageError as error:
        raise InputError(
            f"The file {path} is not a JPEG, PNG or WebP picture.", "Export it again in one of these formats."
        ) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"The picture {path} is damaged: {error}.", "Export it again from its source.") from error
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    return upright.convert("RGBA" if has_alpha else "RGB")


def cut_out(image: Image.Image) -> Image.Image:
    """The product alone: RGBA, cropped to what is visible.

    A picture with transparency keeps it. Otherwise the ground that touches the border is removed, if it is plain: its
    edge is softened, and half-transparent pixels take their colour from inside so that no halo is left.

    Raises:
        InputError: nothing is visible, or there is no transparency and the ground is not plain.
    """
    rgba = image.convert("RGBA")
    if np.asarray(rgba.getchannel("A")).min() > 250:
        rgba = _without_plain_ground(image.convert("RGB"))
    box = rgba.getchannel("A").point(lambda value: 255 if value > 8 else 0).getbbox()
    if box is None:
        raise InputError(
            "The product picture shows nothing: it is wholly transparent.", "Give a picture of the product."
        )
    return rgba.crop(box)


def _without_plain_ground(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image).astype(np.float32) / 255
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    ground = np.median(border, axis=0)
    near = np.abs(border - ground).max(axis=1) <= _PLAIN_SPREAD
    if near.mean() < _PLAIN_SHARE:
        raise InputError(
            "The product picture has neither transparency nor a plain background: along its border only "
            f"{near.mean():.0%} of the pixels are of one colour, {_PLAIN_SHARE:.0%} are needed.",
            "Give a PNG or WebP with a transparent background, or a photo on a plain white or single-coloured ground.",
        )
    distance = np.abs(pixels - ground).max(axis=2)
    alike = distance <= _PLAIN_SPREAD
    labels, _ = ndimage.label(alike)
    touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    outside = np.isin(labels, touching[touching > 0])
    alpha = _soft_edge(outside)
    if float((alpha > 0.5).mean()) < 0.005:
        raise InputError(
            "The product cannot be told from its background: nothing is left when the plain ground is removed.",
            "Give a PNG or WebP with a transparent background.",
        )
    # The ground shines through at the edge: there, the colour of the nearest pixel well inside is taken instead.
    nearest = ndimage.distance_transform_edt(alpha < 0.98, return_distances=False, return_indices=True)
    clean = pixels[nearest[0], nearest[1]]
    return Image.fromarray((np.dstack([clean, alpha]) * 255 + 0.5).astype(np.uint8), "RGBA")


def _soft_edge(outside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Coverage of the inside: specks dropped, the edge pulled in half a pixel and softened over about two."""
    inside = ndimage.binary_fill_holes(ndimage.binary_opening(~outside, iterations=1))
    mask = Image.fromarray(np.asarray(inside, dtype=np.uint8) * 255, "L").filter(ImageFilter.GaussianBlur(1.1))
    soft = np.asarray(mask).astype(np.float32) / 255
    return np.clip((soft - 0.42) / 0.5, 0, 1).astype(np.float32)


def encode_master(image: Image.Image) -> bytes:
    """The master of an asset as PNG bytes, fast and without metadata: equal pixels are equal bytes."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
