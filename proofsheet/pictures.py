"""Pictures from outside: opened upright, in sRGB and within limits of bytes, pixels and work, or refused in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING

from proofsheet.picture_files import (
    BEGINNING,
    DECODING_ERRORS,
    FORMATS,
    MOST_PIXELS,
    MOST_SCANS,
    PictureError,
    damaged,
    is_too_large,
    kind_of,
    other_kind,
    scans_of,
    too_large,
)

if TYPE_CHECKING:
    from PIL.Image import Image

_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF orientation to Pillow's Transpose


class Trait(StrEnum):
    """What is special about a file, and would be lost in silence otherwise."""

    CMYK = "cmyk"
    DEEP = "sixteen_bit"
    TURNED = "turned"
    CLEAR = "see_through"
    ANIMATED = "animated"
    PROFILE = "colour_profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """What a file's header says: its kind in lower case (``jpeg``), and the size in pixels once it is upright."""

    kind: str
    width: int
    height: int
    traits: frozenset[Trait] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPicture:
    """A picture as it should be seen: 8 bits per channel, upright, sRGB; RGBA only where some of it is see-through.

    ``clear_share`` is the share (0–1) of pixels that are not wholly opaque. Of an animation it is the first frame.
    """

    image: Image
    facts: PictureFacts
    clear_share: float = 0.0

    @property
    def flat(self) -> Image:
        """The picture as RGB, transparency laid on white."""
        return flattened(self.image)


def look_at(data: bytes, *, formats: Sequence[str] = FORMATS, most_pixels: int = MOST_PIXELS) -> PictureFacts:
    """What the header says; no pixel is decoded. Whether any is see-through is only known once it is opened.

    Raises:
        PictureError: it is no picture of these formats, is damaged at its beginning, or too large to be opened.
    """
    return _facts(_header(data, formats, most_pixels), data)


def open_picture(data: bytes, *, formats: Sequence[str] = FORMATS, most_pixels: int = MOST_PIXELS) -> OpenedPicture:
    """The picture of a file, decoded, with everything that was done to it among its facts.

    A colour profile is converted to sRGB, CMYK without one by the plain formula; 16 bits become 8 by dropping the
    lower ones; the EXIF orientation is applied; of an animation the first frame is taken.

    Raises:
        PictureError: as ``look_at``, or the pixels are damaged.
    """
    header = _header(data, formats, most_pixels)
    facts = _facts(header, data)
    try:
        if facts.kind == "png":  # decoding looks at no checksum, and would show garbage where bytes were changed
            _header(data, formats, most_pixels).verify()
        header.load()
        if is_too_large(*header.size, most_pixels):  # a frame of a GIF may be larger than its screen
            raise too_large(header.width, header.height, most_pixels)
        image, converted = _srgb(_eight_bits(header))
        turn = _TURNS.get(_orientation(header))
        if turn is not None:
            image = image.transpose(turn)  # type: ignore[arg-type]
        clear = _clear_share(image)
    except PictureError:
        raise
    except DECODING_ERRORS as error:
        raise damaged(error) from error
    traits = set(facts.traits)
    if converted:
        traits.add(Trait.PROFILE)
    if clear:
        traits.add(Trait.CLEAR)
    image = image if clear else _as(image, "RGB")
    image.info = {}  # a profile would be saved along and applied twice
    seen = PictureFacts(kind=facts.kind, width=image.width, height=image.height, traits=frozenset(traits))
    return OpenedPicture(image=image, facts=seen, clear_share=clear)


def flattened(image: Image) -> Image:
    """Any Pillow image as RGB, fully decoded; transparency is laid on white, as most platforms show it."""
    from PIL import Image as Pillow

    image.load()
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    image = _eight_bits(image)
    if not image.has_transparency_data:
        return _as(image, "RGB")
    clear = _as(image, "RGBA")
    alpha = clear.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return clear.convert("RGB")
    white = Pillow.new("RGB", clear.size, (255, 255, 255))
    white.paste(clear, mask=alpha)
    return white


def _header(data: bytes, formats: Sequence[str], most_pixels: int) -> Image:
    """The file with its header read, not decoded."""
    import warnings

    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    kind = kind_of(data[:BEGINNING])
    if kind not in formats:
        raise other_kind(data, kind, formats)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Pillow.open(BytesIO(data), formats=[kind])
    except Pillow.DecompressionBombError as error:
        count = re.search(r"\d+", str(error))
        raise PictureError(
            "size",
            f"has {int(count[0]) / 1e6:,.0f} million pixels; at most {most_pixels / 1e6:.0f} million are taken"
            if count
            else "has far too many pixels",
            "Scale it down: no placement takes more than a few million pixels.",
        ) from error
    except UnidentifiedImageError as error:
        raise PictureError(
            "damage", "is damaged: its beginning cannot be read", "Export it again from its source."
        ) from error
    except DECODING_ERRORS as error:
        raise damaged(error) from error
    if is_too_large(*image.size, most_pixels):
        raise too_large(image.width, image.height, most_pixels)
    if kind == "JPEG" and (scans := scans_of(data)) > MOST_SCANS:
        raise PictureError(
            "size", f"is a JPEG of {scans} scans; at most {MOST_SCANS} are decoded", "Save it anew as a plain JPEG."
        )
    return image


def _facts(image: Image, data: bytes) -> PictureFacts:
    turn = _TURNS.get(_orientation(image))
    width, height = image.size if turn is None or turn in {0, 1, 3} else image.size[::-1]
    kind = "JPEG" if image.format == "MPO" else str(image.format)  # a JPEG with a second picture for depth or sound
    traits = set()
    if image.mode == "CMYK":
        traits.add(Trait.CMYK)
    if kind == "PNG" and data[24:25] == b"\x10":
        traits.add(Trait.DEEP)
    if turn is not None:
        traits.add(Trait.TURNED)
    if kind != "JPEG" and _is_animated(image):
        traits.add(Trait.ANIMATED)
    return PictureFacts(kind=kind.lower(), width=width, height=height, traits=frozenset(traits))


def _is_animated(image: Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except DECODING_ERRORS:  # a second frame that cannot be read is none
        return False


def _orientation(image: Image) -> int:
    try:
        value = image.getexif().get(274, 1)
        return value if isinstance(value, int) else 1
    except DECODING_ERRORS:  # broken EXIF data turn nothing
        return 1


def _eight_bits(image: Image) -> Image:
    """Grey of 16 bits scaled to 8; Pillow's own conversion would cut off all that is lighter than 255 of 65,535."""
    if not image.mode.startswith("I"):
        return image
    import numpy as np
    from PIL import Image as Pillow

    return Pillow.fromarray((np.clip(np.asarray(image), 0, 65_535) // 257).astype(np.uint8))


def _srgb(image: Image) -> tuple[Image, bool]:
    """The picture as RGB or RGBA in sRGB, and whether a colour profile was converted."""
    from PIL import ImageCms

    if image.has_transparency_data or image.mode == "PA":
        clear = _as(image, "RGBA")
        plain, alpha = clear.convert("RGB"), clear.getchannel("A")
    else:
        plain, alpha = image if image.mode in {"L", "CMYK"} else _as(image, "RGB"), None
    converted = False
    if profile := image.info.get("icc_profile"):
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            space = source.profile.xcolor_space.strip()
            fits = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space) == plain.mode
            if fits and "sRGB" not in (source.profile.profile_description or ""):
                target = ImageCms.createProfile("sRGB")
                turned = ImageCms.profileToProfile(plain, source, target, outputMode="RGB")
                plain, converted = turned or plain, turned is not None
        except (ImageCms.PyCMSError, *DECODING_ERRORS):  # a profile that cannot be read says nothing
            pass
    plain = _as(plain, "RGB")
    if alpha is not None:
        plain.putalpha(alpha)
    return plain, converted


def _as(image: Image, mode: str) -> Image:
    """The picture in that mode; Pillow's own conversion copies one that has it already."""
    return image if image.mode == mode else image.convert(mode)


def _clear_share(image: Image) -> float:
    if image.mode != "RGBA":
        return 0.0
    counts = image.getchannel("A").histogram()
    return 1.0 - counts[255] / sum(counts)
