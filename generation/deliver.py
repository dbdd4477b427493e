"""Delivering an asset: the best file that a placement takes, at exactly its size, with its mark inside."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, PngImagePlugin

from generation.provenance import Mark, read_mark, xmp_packet
from proofsheet.domain.campaign import Placement
from proofsheet.errors import InputError

__all__ = ["Delivered", "Mark", "check_delivered", "deliver", "read_mark"]

_EXTENSIONS = {"jpeg": "jpg", "png": "png"}
_BEST_QUALITY, _FAIR_QUALITY, _WORST_QUALITY = 95, 80, 40
_SMALL_PICTURE = 320_000  # pixels up to which a lossless file keeps small type crisp at little cost
_RATIO_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A file for a platform; ``quality`` is JPEG's (1–95), None for a lossless file."""

    data: bytes
    extension: str
    quality: int | None
    notes: tuple[str, ...] = ()


def deliver(master: bytes, placement: Placement, mark: Mark) -> Delivered:
    """Encode a master for a placement.

    Small banners become lossless PNG where that fits; everything else becomes JPEG at the best quality that stays
    within the placement's byte limit, with full colour resolution as long as that is possible.

    Args:
        master: the picture's bytes, in any format that ``open_picture`` takes.

    Raises:
        InputError: the master has another shape than the placement, cannot be read, or cannot be made small enough.
    """
    picture, notes = _sized(master, placement)
    packet = xmp_packet(mark)
    if "png" in placement.formats and (
        picture.width * picture.height <= _SMALL_PICTURE or "jpeg" not in placement.formats
    ):
        data = _png(picture, packet)
        if len(data) <= placement.max_bytes:
            return Delivered(data=data, extension="png", quality=None, notes=tuple(notes))
    if "jpeg" in placement.formats:
        for subsampling, floor in (("4:4:4", _FAIR_QUALITY), ("4:2:0", _WORST_QUALITY)):

            def encode(quality: int, colour: str = subsampling) -> bytes:
                return _jpeg(picture, packet, quality, colour)

            found = _best_within(encode, placement.max_bytes, floor)
            if found is not None:
                quality, data = found
                if quality < _FAIR_QUALITY:
                    notes.append(f"JPEG quality {quality}: all that the limit of {placement.max_bytes:,} bytes allows.")
                return Delivered(data=data, extension="jpg", quality=quality, notes=tuple(notes))
    raise InputError(
        f"The asset {mark.asset_id} cannot be made smaller than the {placement.max_bytes:,} bytes that "
        f"{placement.name} takes.",
        "Choose a calmer scene for this placement, or leave the placement out.",
    )


def check_delivered(data: bytes, placement: Placement) -> list[str]:
    """What is wrong with a file for a placement, one sentence each; an empty list is good."""
    problems = []
    if len(data) > placement.max_bytes:
        problems.append(f"The file has {len(data):,} bytes; {placement.name} takes {placement.max_bytes:,}.")
    try:
        with Image.open(io.BytesIO(data)) as picture:
            kind, size, mode = (picture.format or "").lower(), picture.size, picture.mode
            picture.load()
    except (OSError, SyntaxError, ValueError) as error:
        return [*problems, f"The file cannot be decoded: {error}."]
    if kind not in placement.formats:
        problems.append(f"The file is {kind}; {placement.name} takes {' or '.join(placement.formats)}.")
    if size != (placement.width, placement.height):
        problems.append(
            f"The picture has {size[0]} × {size[1]} pixels; {placement.name} is {placement.width} × {placement.height}."
        )
    if mode != "RGB":
        problems.append(f"The picture's colours are stored as {mode}; platforms expect RGB.")
    if not read_mark(data).get("asset_id"):
        problems.append("The file has no mark: its XMP does not say which asset it is.")
    return problems


def _sized(master: bytes, placement: Placement) -> tuple[Image.Image, list[str]]:
    try:
        with Image.open(io.BytesIO(master), formats=("JPEG", "PNG", "WEBP")) as opened:
            picture = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"The master cannot be read: {error}.", "Make the asset again.") from error
    wanted = (placement.width, placement.height)
    if picture.size == wanted:
        return picture, []
    if abs(picture.width / picture.height / placement.ratio - 1) > _RATIO_TOLERANCE:
        raise InputError(
            f"The master has {picture.width} × {picture.height} pixels, which is not the shape of {placement.name} "
            f"({placement.width} × {placement.height}).",
            "Compose or crop it for this placement.",
        )
    note = f"Scaled from {picture.width} × {picture.height} to {placement.width} × {placement.height}."
    return picture.resize(wanted, Image.Resampling.LANCZOS), [note]


def _best_within(encode: Callable[[int], bytes], limit: int, floor: int) -> tuple[int, bytes] | None:
    """The best quality whose file stays within a limit, by bisection; None when even the floor's is too large."""
    data = encode(_BEST_QUALITY)
    if len(data) <= limit:
        return _BEST_QUALITY, data
    low, high = floor, _BEST_QUALITY - 1
    best: tuple[int, bytes] | None = None
    while low <= high:
        middle = (low + high) // 2
        data = encode(middle)
        if len(data) <= limit:
            best, low = (middle, data), middle + 1
        else:
            high = middle - 1
    return best


def _jpeg(picture: Image.Image, packet: bytes, quality: int, subsampling: str) -> bytes:
    for tighter in (True, False):
        buffer = io.BytesIO()
        try:
            picture.save(
                buffer,
                "JPEG",
                quality=quality,
                subsampling=subsampling,
                optimize=tighter,
                progressive=tighter,
                xmp=packet,
            )
        except OSError:  # Pillow's buffer for optimised files is too small for very noisy pictures
            if not tighter:
                raise
            continue
        break
    return buffer.getvalue()


def _png(picture: Image.Image, packet: bytes) -> bytes:
    information = PngImagePlugin.PngInfo()
    information.add_itxt("XML:com.adobe.xmp", packet.decode())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True, pnginfo=information)
    return buffer.getvalue()
