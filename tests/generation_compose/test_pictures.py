"""Opening pictures of users, cutting products out, encoding masters."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from generation import pictures
from generation.pictures import cut_out, encode_master, open_picture
from proofsheet.errors import InputError


def disc(ground: tuple[int, int, int]) -> Image.Image:
    """A red disc with a white label on a plain ground, smooth at its edge."""
    big = Image.new("RGB", (800, 800), ground)
    pen = ImageDraw.Draw(big)
    pen.ellipse((160, 160, 640, 640), fill=(190, 40, 40))
    pen.rectangle((330, 330, 470, 470), fill=ground)
    return big.resize((400, 400), Image.Resampling.BOX)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_common_formats_open(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture"
    disc((255, 255, 255)).save(path, kind)
    assert open_picture(path).size == (400, 400)
    assert open_picture(path).mode == "RGB"


def test_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "turned.jpg"
    Image.new("RGB", (40, 20), (200, 10, 10)).save(path, exif=exif)
    assert open_picture(path).size == (20, 40)


def test_palette_transparency_survives(tmp_path: Path) -> None:
    path = tmp_path / "palette.png"
    Image.new("P", (10, 10), 0).save(path, transparency=0)
    assert open_picture(path).mode == "RGBA"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("none.png", None, "does not exist"), ("text.png", b"hello", "is not a JPEG"), ("cut.png", "cut", "is damaged")],
)
def test_bad_files_are_refused(tmp_path: Path, name: str, content: bytes | str | None, words: str) -> None:
    path = tmp_path / name
    if content == "cut":
        buffer = io.BytesIO()
        Image.effect_noise((300, 300), 90).save(buffer, "PNG")
        content = buffer.getvalue()[:2000]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        open_picture(path)


def test_gif_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "moving.png"
    disc((255, 255, 255)).save(path, "GIF")
    with pytest.raises(InputError, match="is not a JPEG, PNG or WebP"):
        open_picture(path)


def test_huge_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_PIXELS", 1000)
    path = tmp_path / "large.png"
    disc((255, 255, 255)).save(path)
    with pytest.raises(InputError, match="400 × 400 pixels"):
        open_picture(path)


@pytest.mark.parametrize("ground", [(255, 255, 255), (18, 20, 22), (90, 160, 90)])
def test_a_plain_ground_is_removed_without_a_halo(ground: tuple[int, int, int]) -> None:
    found = cut_out(disc(ground))
    assert found.width == pytest.approx(240, abs=4)
    alpha = np.asarray(found.getchannel("A"))
    assert alpha.mean() / 255 == pytest.approx(np.pi / 4, abs=0.03)
    colours = np.asarray(found)[..., :3].astype(int)
    edge = (alpha > 40) & (alpha < 220)
    assert edge.any()
    assert np.abs(colours[edge] - np.array([190, 40, 40])).max() < 30
    assert alpha[found.height // 2, found.width // 2] == 255  # what lies inside stays, even in the ground's colour


def test_transparency_is_kept_and_cropped() -> None:
    picture = Image.new("RGBA", (100, 100))
    picture.paste((10, 20, 30, 255), (30, 20, 60, 90))
    assert cut_out(picture).size == (30, 70)


def test_grounds_that_are_not_plain_are_refused() -> None:
    with pytest.raises(InputError, match="nor a plain background") as caught:
        cut_out(Image.effect_noise((200, 200), 120).convert("RGB"))
    assert "transparent background" in caught.value.hint


def test_empty_pictures_are_refused() -> None:
    with pytest.raises(InputError, match="wholly transparent"):
        cut_out(Image.new("RGBA", (50, 50)))
    with pytest.raises(InputError, match="cannot be told from its background"):
        cut_out(Image.new("RGB", (50, 50), (255, 255, 255)))


def test_masters_are_lossless_and_equal_for_equal_pixels() -> None:
    picture = disc((240, 240, 240))
    data = encode_master(picture)
    assert data == encode_master(picture.copy())
    assert Image.open(io.BytesIO(data)).tobytes() == picture.tobytes()
