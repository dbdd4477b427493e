"""What kind of picture a file is by its bytes, the limits within which one is opened, and how one is refused."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from proofsheet.errors import InputError

#: What is opened, by Pillow's names; few decoders are few doors for hostile files.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
#: More pixels than any ad needs; 50 million take 200 MB as RGBA.
MOST_PIXELS = 50_000_000
#: Longer than any ad by far; encoders end at 65,500 (JPEG) or 16,383 (WebP).
MOST_SIDE = 30_000
#: No platform takes a still of a tenth of it.
MOST_BYTES = 100_000_000
#: An ordinary progressive JPEG has about ten scans; each costs a pass over all pixels, and a scan may take 50 bytes.
MOST_SCANS = 64

#: What Pillow and its decoders raise for damaged or hostile bytes.
DECODING_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError, AttributeError,
    RuntimeError, MemoryError, struct.error, zlib.error,
)  # fmt: skip

#: How files begin: bytes, where they stand, and what the file is then.
_BEGINNINGS: tuple[tuple[bytes, int, str], ...] = (
    (b"\xff\xd8\xff", 0, "JPEG"),
    (b"\x89PNG\r\n\x1a\n", 0, "PNG"),
    (b"WEBP", 8, "WEBP"),
    (b"GIF87a", 0, "GIF"),
    (b"GIF89a", 0, "GIF"),
    (b"II*\x00", 0, "TIFF"),
    (b"MM\x00*", 0, "TIFF"),
    (b"II+\x00", 0, "TIFF"),
    (b"BM", 0, "BMP"),
    (b"8BPS", 0, "PSD"),
    (b"ftypavif", 4, "AVIF"),
    (b"ftypavis", 4, "AVIF"),
    (b"ftyphei", 4, "HEIC"),
    (b"ftypmif1", 4, "HEIC"),
    (b"\x00\x00\x00\x0cjP  ", 0, "JPEG 2000"),
    (b"\xff\x0a", 0, "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", 0, "JPEG XL"),
    (b"<svg", 0, "SVG"),
)
#: Enough of a file's beginning for ``kind_of``.
BEGINNING = 16


class PictureError(InputError):
    """A file that is not opened: ``clause`` says why, as the end of a sentence that begins with the file."""

    def __init__(self, why: Literal["kind", "size", "damage"], clause: str, hint: str) -> None:
        super().__init__(f"It {clause}.", hint)
        self.why = why
        self.clause = clause


def kind_of(beginning: bytes) -> str:
    """What kind of picture a file is by its first bytes, such as ``PNG`` or ``TIFF``; empty for anything else."""
    return next((kind for magic, at, kind in _BEGINNINGS if beginning[at : at + len(magic)] == magic), "")


def read_file(path: Path) -> bytes:
    """The bytes of a picture's file.

    Raises:
        PictureError: it is larger than ``MOST_BYTES``, or cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise PictureError(
                "size",
                f"has {size / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:.0f} MB are read",
                "Export it again as a compressed JPEG, PNG or WebP.",
            )
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PictureError(
            "damage", f"cannot be read: {error.strerror}", "Check the rights on the file and the disk."
        ) from error


def scans_of(data: bytes) -> int:
    """How many scans a JPEG has, by walking its markers; what stands after its end is not looked at."""
    count, at = 0, 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xD9:
            break
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            count += 1
            after = _MARKER.search(data, at)
            if after is None:
                break
            at = after.start()
    return count


_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def is_too_large(width: int, height: int, most_pixels: int) -> bool:
    """Whether a picture of that size is not opened."""
    return width * height > most_pixels or max(width, height) > MOST_SIDE


def too_large(width: int, height: int, most_pixels: int) -> PictureError:
    """The refusal of a picture for its size in pixels."""
    limit = f"{most_pixels / 1e6:.0f} million" if width * height > most_pixels else f"{MOST_SIDE} on a side"
    return PictureError(
        "size",
        f"has {width} × {height} pixels; at most {limit} are taken",
        "Scale it down: no placement or product needs more than about 3000 pixels on the longer side.",
    )


def other_kind(data: bytes, kind: str, formats: Sequence[str]) -> PictureError:
    """The refusal of a file that is no picture of these formats."""
    names = ["WebP" if name == "WEBP" else name for name in formats]
    wanted = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
    article = "an" if kind[:1] in {"A", "S"} else "a"
    found = ": it is empty" if not data else f": it is {article} {kind} file" if kind else ""
    return PictureError("kind", f"is not a {wanted} picture{found}", f"Export it again as {wanted}.")


#: What decoders say, in words that help.
_TOLD = (
    ("checksum", "some of its bytes were changed"),
    ("MAX_TEXT", "it holds text that unpacks to far too much"),
    ("MemoryError", "there is not enough memory to open it"),
    *((mark, "its pixels cannot be decoded") for mark in ("data stream", "decoder", "codec", "frame", "cannot load")),
)


def damaged(error: BaseException) -> PictureError:
    """The refusal of a picture whose bytes cannot be decoded, with what the decoder said in plain words."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    cut = "truncated" in text.lower() or isinstance(error, EOFError)
    told = "its end is missing" if cut else next((said for mark, said in _TOLD if mark in text), text)
    return PictureError("damage", f"is damaged: {told}", "Export it again from its source.")
