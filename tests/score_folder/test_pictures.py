"""Opening pictures from outside: within limits, as they should be seen, or refused in words."""

from __future__ import annotations

import random
import resource
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from PIL import Image

from proofsheet import picture_files
from proofsheet.picture_files import PictureError, kind_of, read_file, scans_of
from proofsheet.pictures import Trait, flattened, look_at, open_picture

REFUSED = {
    "bomb.png": "has 900 million pixels; at most 50 million",
    "bomb2.png": "has 9000 × 9000 pixels; at most 50 million",
    "thread.png": "has 40000 × 1 pixels; at most 30000 on a side",
    "bomb.gif": "has 4,225 million pixels",
    "frame_bomb.gif": "has 9000 × 9000 pixels",
    "bomb.webp": "has 16383 × 4000 pixels",
    "bomb.jpg": "has 3,600 million pixels",
    "text_bomb.png": "is damaged: it holds text that unpacks to far too much",
    "scan_bomb.jpg": "is a JPEG of 210 scans; at most 64",
    "cut.png": "is damaged: its end is missing",
    "cut.jpg": "is damaged: its end is missing",
    "cut_head.png": "is damaged: ",
    "flipped.png": "is damaged: some of its bytes were changed",
    "words.png": "is not a JPEG, PNG, WebP or GIF picture",
    "empty.jpg": "is not a JPEG, PNG, WebP or GIF picture: it is empty",
    "print.tif": "is not a JPEG, PNG, WebP or GIF picture: it is a TIFF file",
    "tiff_as.png": "it is a TIFF file",
    "vector.svg": "it is an SVG file",
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_pictures_are_refused_in_words_within_limits(name: str, hostile: dict[str, bytes]) -> None:
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, process_time()
    with pytest.raises(PictureError) as caught:
        open_picture(hostile[name])
    assert REFUSED[name] in caught.value.clause
    assert caught.value.hint
    assert "\n" not in caught.value.clause
    assert process_time() - start < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # kilobytes


def test_bytes_changed_at_random_are_opened_or_refused(odd: dict[str, bytes]) -> None:
    chance, refused = random.Random(7), list[str]()
    for number in range(200):
        data = bytearray(odd[sorted(odd)[number % len(odd)]])
        for _ in range(chance.choice([1, 2, 8])):
            data[chance.randrange(min(len(data), chance.choice([80, 400, len(data)])))] = chance.randrange(256)
        try:
            open_picture(bytes(data))
        except PictureError as error:
            refused.append(error.clause)
    assert len(refused) > 50
    assert all(clause.startswith(("is damaged: ", "has ", "is not a ", "is a JPEG of ")) for clause in refused)


def test_every_hostile_picture_is_tried(hostile: dict[str, bytes]) -> None:
    assert set(REFUSED) == set(hostile)


def test_the_header_alone_gives_most_bombs_away(hostile: dict[str, bytes]) -> None:
    for name in ("bomb.png", "bomb2.png", "bomb.gif", "bomb.webp", "bomb.jpg", "scan_bomb.jpg", "text_bomb.png"):
        with pytest.raises(PictureError):
            look_at(hostile[name])


@pytest.mark.parametrize(
    ("name", "traits"),
    [
        ("wrong_suffix.png", set()),
        ("cmyk.jpg", {Trait.CMYK}),
        ("deep_grey.png", {Trait.DEEP}),
        ("deep.png", {Trait.DEEP}),
        ("turned.jpg", {Trait.TURNED}),
        ("clear.png", {Trait.CLEAR}),
        ("clear.webp", {Trait.CLEAR}),
        ("opaque.png", set()),
        ("moving.gif", {Trait.ANIMATED}),
        ("moving.webp", {Trait.ANIMATED}),
        ("moving.png", {Trait.ANIMATED}),
        ("profile.png", {Trait.PROFILE}),
        ("bad_profile.png", set()),
    ],
)
def test_odd_pictures_open_and_say_what_they_are(name: str, traits: set[Trait], odd: dict[str, bytes]) -> None:
    opened = open_picture(odd[name])
    assert opened.facts.traits == traits
    assert (opened.facts.width, opened.facts.height) == opened.image.size == (300, 250)
    assert opened.image.mode == ("RGBA" if Trait.CLEAR in traits else "RGB")
    assert opened.flat.mode == "RGB"
    seen = look_at(odd[name])
    assert (seen.kind, seen.width, seen.height) == (opened.facts.kind, 300, 250)
    assert seen.traits == traits - {Trait.CLEAR, Trait.PROFILE}


@pytest.mark.parametrize("name", ["cmyk.jpg", "turned.jpg", "opaque.png", "moving.gif", "moving.webp", "moving.png"])
def test_what_is_seen_is_the_picture_that_was_meant(
    name: str, odd: dict[str, bytes], make_advert: Callable[..., Image.Image]
) -> None:
    found = np.asarray(open_picture(odd[name]).flat, dtype=int)
    wanted = np.asarray(make_advert(), dtype=int)
    assert np.abs(found - wanted).mean() < 3, "the first frame, upright, in its colours"


def test_grey_of_16_bits_keeps_its_lights(odd: dict[str, bytes]) -> None:
    row = np.asarray(open_picture(odd["deep_grey.png"]).image)[0, :, 0]
    assert row[[0, 150, 299]].tolist() == [0, 127, 255]
    lazily = Image.open(BytesIO(odd["deep_grey.png"]))
    assert np.asarray(flattened(lazily))[0, 150].tolist() == [127, 127, 127]
    assert open_picture(odd["deep.png"]).image.getpixel((5, 5)) == (128, 128, 128)


def test_colours_hidden_by_transparency_are_never_seen(odd: dict[str, bytes]) -> None:
    for name in ("clear.png", "clear.webp"):
        opened = open_picture(odd[name])
        assert opened.clear_share == pytest.approx(0.5)
        assert opened.flat.getpixel((20, 20)) == (255, 255, 255)
        assert opened.flat.getpixel((299, 20)) == (244, 239, 228)


def test_colour_profiles_are_converted(odd: dict[str, bytes], make_advert: Callable[..., Image.Image]) -> None:
    red, green, _ = make_advert().getpixel((150, 125))
    found = open_picture(odd["profile.png"]).image.getpixel((150, 125))
    assert found[0] < red - 40
    assert found[1] > green + 40
    assert open_picture(odd["profile.png"]).flat.info == {}, "or it would be saved along and applied again"
    assert open_picture(odd["bad_profile.png"]).image.getpixel((150, 125))[0] == red


def test_large_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(b"\xff\xd8\xff" * 100)
    assert len(read_file(path)) == 300
    monkeypatch.setattr(picture_files, "MOST_BYTES", 200)
    with pytest.raises(PictureError, match="at most 0 MB are read"):
        read_file(path)
    with pytest.raises(PictureError, match="cannot be read: "):
        read_file(tmp_path / "nowhere.png")


def test_scans_are_counted_to_the_end_of_the_picture(make_bytes: Callable[..., bytes]) -> None:
    picture = Image.effect_noise((64, 64), 50)
    plain, many = make_bytes(picture, "JPEG"), make_bytes(picture, "JPEG", progressive=True)
    assert scans_of(plain) == 1
    assert scans_of(many) > 3
    assert scans_of(plain + b"\xff\xda\x00\x02" * 900) == 1, "what a phone adds after the picture is no scan"
    hidden = plain[:2] + b"\xff\xe5\x01\x02" + b"\xff\xda" * 128 + plain[2:]
    assert scans_of(hidden) == 1, "nor is what a segment holds"
    open_picture(hidden)


def test_kinds_are_told_by_content() -> None:
    assert kind_of(b"RIFF\x00\x00\x00\x00WEBPVP8 ") == "WEBP"
    assert kind_of(b"\x00\x00\x00\x1cftypheic\x00\x00") == "HEIC"
    assert kind_of(b"PK\x03\x04") == ""
    assert kind_of(b"") == ""
