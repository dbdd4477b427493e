"""Hostile and odd pictures, built byte by byte, and a brand kit to judge by."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw

KIT = """
[brand]
name = "Norda & <Sons>"
wordmark = "norda"

[[palette]]
name = "Fjord"
hex = "#0a737b"
role = "primary"

[[palette]]
name = "Ember"
hex = "#e0672c"
role = "accent"
"""


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The picture as a file's bytes."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def advert(size: tuple[int, int] = (300, 250), hue: str = "#0a737b", at: int = 0) -> Image.Image:
    """Something to look at: a ground with a gradient, a disc and a bar."""
    image = Image.new("RGB", size, "#f4efe4")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, size[0] // 2 + at, size[1]), fill=hue)
    pen.ellipse((size[0] // 3 + at, size[1] // 4, size[0] // 3 + at + size[1] // 2, size[1] * 3 // 4), fill="#e0672c")
    return image


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, pixels: bytes, *, bits: int = 8, colour: int = 2, more: bytes = b"") -> bytes:
    """A PNG file whose header may promise anything; ``pixels`` are its rows with their filter bytes."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + more
        + chunk(b"IDAT", zlib.compress(pixels))
        + chunk(b"IEND", b"")
    )


def gif_of(width: int, height: int, *frames: tuple[int, int]) -> bytes:
    """A GIF of a screen with frames of any size at its corner, each of one pixel's data."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    bodies = (b"," + struct.pack("<HHHHB", 0, 0, w, h, 0) + b"\x02\x02\x44\x01\x00" for w, h in frames)
    return screen + b"".join(bodies) + b";"


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded(advert(), "JPEG", progressive=True)
    last = [found.start() for found in re.finditer(b"\xff\xda", data)][-1]
    return data[:-2] + data[last:-2] * count + b"\xff\xd9"


def webp_of(width: int, height: int) -> bytes:
    """A lossless WebP whose header promises that size; there is next to nothing behind it."""
    data = bytearray(encoded(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    data[21:25] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return bytes(data)


def swapped_profile() -> bytes:
    """A colour profile in which red and green have changed places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return (
        profile.replace("sRGB".encode("utf-16-be"), "Odd!".encode("utf-16-be"))
        .replace(b"rXYZ", b"tXYZ")
        .replace(b"gXYZ", b"rXYZ")
        .replace(b"tXYZ", b"gXYZ")
    )


@pytest.fixture(scope="session")
def hostile() -> dict[str, bytes]:
    """By file name: pictures that must be refused, each with little to read."""
    photo = encoded(Image.effect_noise((200, 200), 60), "JPEG")
    noise = encoded(Image.effect_noise((200, 200), 60))
    text = chunk(b"zTXt", b"note\0\0" + zlib.compress(b"a" * 3_000_000))
    return {
        "bomb.png": png(30_000, 30_000, b"\0" * 1000),
        "thread.png": png(40_000, 1, b"\0" * 1000),
        "bomb2.png": png(9_000, 9_000, b"\0" * 1000),
        "bomb.gif": gif_of(65_000, 65_000, (1, 1)),
        "frame_bomb.gif": gif_of(10, 10, (9_000, 9_000)),
        "bomb.webp": webp_of(16_383, 4_000),
        "bomb.jpg": photo.replace(struct.pack(">HH", 200, 200), struct.pack(">HH", 60_000, 60_000), 1),
        "text_bomb.png": png(10, 10, b"\0" * 310, more=text),
        "scan_bomb.jpg": many_scans(200),
        "cut.png": noise[: len(noise) // 2],
        "cut.jpg": photo[: len(photo) // 2],
        "cut_head.png": noise[:20],
        "flipped.png": noise[:60] + bytes(255 - b for b in noise[60:90]) + noise[90:],
        "words.png": b"this is no picture at all",
        "empty.jpg": b"",
        "print.tif": encoded(advert(), "TIFF"),
        "tiff_as.png": encoded(advert(), "TIFF"),
        "vector.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }


@pytest.fixture(scope="session")
def odd() -> dict[str, bytes]:
    """By file name: pictures that open, but are not what they seem."""
    picture = advert()
    exif = Image.Exif()
    exif[274] = 6
    clear = picture.convert("RGBA")
    clear.paste((255, 0, 255, 0), (0, 0, 150, 250))  # hidden pink: it must never be seen
    moving = [advert(at=step) for step in (0, 40, 80)]
    ramp = np.linspace(0, 65_535, 300).astype(np.uint16)[None, :].repeat(250, 0)
    rows = b"".join(b"\0" + struct.pack(">H", 0x8000) * 900 for _ in range(250))
    return {
        "wrong_suffix.png": encoded(picture, "JPEG"),
        "cmyk.jpg": encoded(picture.convert("CMYK"), "JPEG", quality=95),
        "deep_grey.png": encoded(Image.fromarray(ramp)),
        "deep.png": png(300, 250, rows, bits=16),
        "turned.jpg": encoded(picture.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95),
        "clear.png": encoded(clear),
        "clear.webp": encoded(clear, "WEBP", lossless=True),
        "opaque.png": encoded(picture.convert("RGBA")),
        "moving.gif": encoded(moving[0], "GIF", save_all=True, append_images=moving[1:], duration=90),
        "moving.webp": encoded(moving[0], "WEBP", save_all=True, append_images=moving[1:], lossless=True),
        "moving.png": encoded(moving[0], "PNG", save_all=True, append_images=moving[1:]),
        "profile.png": encoded(picture, icc_profile=swapped_profile()),
        "bad_profile.png": encoded(picture, icc_profile=b"no profile"),
    }


@pytest.fixture
def make_advert() -> Callable[..., Image.Image]:
    """Makes a picture to look at."""
    return advert


@pytest.fixture
def make_bytes() -> Callable[..., bytes]:
    """Makes a file's bytes of a picture."""
    return encoded


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """The file of a brand kit, in a folder of its own."""
    path = tmp_path / "kit" / "brand.toml"
    path.parent.mkdir()
    path.write_text(KIT, "utf-8")
    return path
