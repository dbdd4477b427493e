"""Products cut out of photographs on plain grounds, against photographs drawn with a known coverage."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from generation import cutout
from generation.cutout import remove_ground
from generation.pictures import cut_out_notes
from proofsheet.errors import InputError

pytestmark = pytest.mark.slow

WIDTH, HEIGHT, TIMES = 560, 480, 4
Draw = Callable[[ImageDraw.ImageDraw], None]


def scaled(*numbers: float) -> tuple[int, ...]:
    return tuple(round(TIMES * number) for number in numbers)


def shape(draw: Draw) -> NDArray[np.float64]:
    """Coverage of what is drawn on a canvas four times as large: H×W, 0 to 1."""
    big = Image.new("L", (WIDTH * TIMES, HEIGHT * TIMES), 0)
    draw(ImageDraw.Draw(big))
    return np.asarray(big.reduce(TIMES), dtype=float) / 255


def box(left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> NDArray[np.float64]:
    return shape(lambda pen: pen.rounded_rectangle(scaled(left, top, right, bottom), radius * TIMES, fill=255))


def oval(left: float, top: float, right: float, bottom: float) -> NDArray[np.float64]:
    return shape(lambda pen: pen.ellipse(scaled(left, top, right, bottom), fill=255))


def over(below: NDArray[np.float64], colour: object, coverage: NDArray[np.float64]) -> NDArray[np.float64]:
    return below * (1 - coverage[..., None]) + np.asarray(colour, dtype=float) * coverage[..., None]


def rounded(middle: float, radius: float, colour: tuple[int, int, int], darkest: float = 0.35) -> NDArray[np.float64]:
    """The shading of an upright cylinder, H×W×3."""
    x = (np.arange(WIDTH) - middle) / radius
    light = np.clip(0.5 + 0.55 * np.cos((x + 0.4) * 1.3), darkest, 1.05)
    return np.broadcast_to(np.array(colour, dtype=float) * light[None, :, None], (HEIGHT, WIDTH, 3))


def gradient(colour: tuple[int, int, int], fall: float) -> NDArray[np.float64]:
    """A ground that darkens towards the corners and, half as much, to the right."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    return np.array(colour, dtype=float) * (1 - fall * (x * x + y * y) / 2 - fall * 0.25 * (x + 1))[..., None]


def photographed(scene: NDArray[np.float64], noise: float = 2.0, quality: int = 85) -> Image.Image:
    grain = np.random.default_rng(3).normal(0, noise, scene.shape) if noise else 0
    picture = Image.fromarray(np.clip(scene + grain, 0, 255).round().astype(np.uint8))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


@dataclass(frozen=True)
class Photo:
    """A photograph, the product's true coverage and colour, and where its shadow lies."""

    picture: Image.Image
    coverage: NDArray[np.float64]
    colour: NDArray[np.float64]
    shadow: NDArray[np.float64]


def taken(
    ground: NDArray[np.float64],
    coverage: NDArray[np.float64],
    colour: NDArray[np.float64],
    shadow: NDArray[np.float64] | None = None,
    **how: float,
) -> Photo:
    dark = np.zeros((HEIGHT, WIDTH)) if shadow is None else shadow
    scene = over(ground * (1 - dark[..., None]), colour, coverage)
    return Photo(photographed(scene, **how), coverage, colour, dark)  # type: ignore[arg-type]


def contact_shadow(left: float, top: float, right: float, bottom: float, dark: float, soft: float) -> np.ndarray:
    return ndimage.gaussian_filter(oval(left, top, right, bottom) * dark, soft)


def mug(ground: NDArray[np.float64], *, shadow: bool = True, noise: float = 2.0) -> Photo:
    handle = np.clip(oval(310, 165, 430, 325) - oval(335, 192, 403, 298), 0, 1)
    body = box(170, 90, 350, 400, 22)
    rim = oval(168, 74, 352, 112)
    colour = over(np.full((HEIGHT, WIDTH, 3), (70.0, 28, 100)), rounded(260, 90, (84, 34, 120)), body)
    colour = over(colour, (52, 20, 78), rim)
    colour = over(colour, (235, 228, 244), box(215, 215, 300, 245))
    dark = contact_shadow(160, 378, 400, 416, 0.55, 9) if shadow else None
    return taken(ground, np.maximum(np.maximum(handle, body), rim), colour, dark, noise=noise)


def white_jar() -> Photo:
    jar = np.maximum(box(160, 150, 400, 410, 26), box(185, 90, 375, 160, 10))
    x = (np.arange(WIDTH) - 280) / 120
    light = 238 - 70 * np.abs(x) ** 3
    colour = np.broadcast_to(np.clip(light, 0, 255)[None, :, None], (HEIGHT, WIDTH, 3))
    colour = over(colour, (70, 60, 55), box(185, 90, 375, 146, 10))
    colour = over(colour, (150, 60, 60), box(200, 214, 360, 346))
    colour = over(colour, (255, 255, 255), box(206, 220, 354, 340))
    colour = over(colour, (60, 60, 60), box(240, 270, 320, 284))
    return taken(np.full((HEIGHT, WIDTH, 3), 255.0), jar, colour, contact_shadow(150, 396, 410, 420, 0.3, 7), noise=0)


def dark_bottle() -> Photo:
    bottle = np.maximum(box(220, 170, 340, 430, 26), box(258, 50, 302, 190, 6))
    colour = over(rounded(280, 60, (38, 52, 40), 0.5), (236, 230, 214), box(222, 250, 338, 350))
    return taken(gradient((205, 222, 238), 0.06), bottle, colour, contact_shadow(205, 415, 380, 442, 0.5, 8))


def glossy() -> Photo:
    """Highlights in nearly the ground's colour, one of them long and near the outline above."""
    body = box(190, 80, 370, 420, 40)
    colour = rounded(280, 90, (200, 60, 50))
    colour = over(colour, (240, 239, 237), ndimage.gaussian_filter(box(225, 90, 236, 330), 1.5))
    colour = over(colour, (240, 239, 237), ndimage.gaussian_filter(oval(290, 130, 330, 170), 3))
    return taken(gradient((242, 241, 239), 0.04), body, colour, contact_shadow(180, 405, 380, 430, 0.4, 8))


def standing_out() -> Photo:
    """A product that the lower edge of the frame cuts off."""
    body = np.maximum(box(180, 160, 380, 520, 20), oval(230, 60, 330, 190))
    return taken(gradient((228, 226, 220), 0.05), body, rounded(280, 100, (40, 110, 120)))


def pump() -> Photo:
    """Parts no wider than the band along the outline: a stem and a spout."""
    stem, head, spout = box(264, 120, 274, 210), box(225, 100, 290, 124, 6), box(180, 108, 232, 113)
    top = np.maximum.reduce([stem, head, spout])
    coverage = np.maximum(top, box(200, 200, 340, 420, 24))
    colour = over(rounded(270, 70, (120, 180, 140)), (40, 40, 40), top)
    dark = contact_shadow(190, 405, 360, 430, 0.35, 6)
    return taken(np.full((HEIGHT, WIDTH, 3), 255.0), coverage, colour, dark, noise=1)


def cast_shadow() -> Photo:
    """Light from one side: the shadow lies far beside the product."""
    coverage = np.maximum(box(220, 120, 330, 410, 16), oval(235, 90, 315, 150))
    lying = shape(lambda pen: pen.polygon(scaled(225, 400, 330, 405, 500, 330, 470, 310), fill=255))
    dark = ndimage.gaussian_filter(lying * 0.45, 7)
    return taken(gradient((240, 238, 235), 0.06), coverage, rounded(275, 55, (210, 150, 50)), dark)


PHOTOS: dict[str, Callable[[], Photo]] = {
    "mug on light grey": lambda: mug(gradient((236, 235, 232), 0.06)),
    "mug on pure white": lambda: mug(np.full((HEIGHT, WIDTH, 3), 255.0), noise=0),
    "white jar on white": white_jar,
    "dark bottle on pale blue": dark_bottle,
    "glossy": glossy,
    "cut off below": standing_out,
    "pump with a thin spout": pump,
    "cast shadow": cast_shadow,
    "grainy": lambda: mug(gradient((225, 222, 214), 0.12), noise=6),
}


@cache
def result(name: str) -> tuple[Photo, NDArray[np.float64], NDArray[np.float64]]:
    """The photo, the coverage found, and the colours found."""
    photo = PHOTOS[name]()
    found = np.asarray(remove_ground(photo.picture), dtype=float)
    return photo, found[..., 3] / 255, found[..., :3]


@pytest.mark.parametrize("name", PHOTOS)
def test_the_outline_is_the_true_one(name: str) -> None:
    photo, coverage, _ = result(name)
    shared, either = np.minimum(coverage, photo.coverage).sum(), np.maximum(coverage, photo.coverage).sum()
    assert shared / either >= 0.985
    assert np.abs(coverage - photo.coverage).sum() / either < 0.012


@pytest.mark.parametrize("name", PHOTOS)
def test_the_inside_is_opaque_and_the_ground_is_gone(name: str) -> None:
    photo, coverage, _ = result(name)
    depth = ndimage.distance_transform_edt(np.pad(photo.coverage > 0.99, 1, mode="edge"))[1:-1, 1:-1]
    assert coverage[depth > 5].min() == 1
    clear = ndimage.distance_transform_edt(photo.coverage < 0.01) > 4
    assert coverage[clear].mean() < 0.001


@pytest.mark.parametrize("name", [name for name in PHOTOS if name != "cut off below"])
def test_shadows_are_removed(name: str) -> None:
    photo, coverage, _ = result(name)
    zone = (photo.shadow > 0.02) & (photo.coverage < 0.01)
    assert zone.sum() > 1000
    assert coverage[zone].mean() < 0.05


@pytest.mark.parametrize("name", PHOTOS)
def test_no_fringe_of_the_ground_is_left(name: str) -> None:
    photo, coverage, colour = result(name)
    for behind in ((255, 0, 255), (10, 60, 30)):
        back = np.full(colour.shape, behind, dtype=float)
        edge = ndimage.binary_dilation((photo.coverage > 0.02) & (photo.coverage < 0.98), iterations=1)
        off = over(back, colour, coverage) - over(back, photo.colour, photo.coverage)
        assert np.abs(off[edge]).mean() < 14
        # On the whole the edge is neither lighter nor darker than it should be.
        assert np.abs(off[edge].mean(axis=0)).max() < 8


@pytest.mark.parametrize("name", ["mug on light grey", "mug on pure white"])
def test_the_opening_of_a_handle_is_clear(name: str) -> None:
    photo, coverage, _ = result(name)
    within = ndimage.distance_transform_edt(photo.coverage[180:310, 345:410] == 0) > 2
    assert coverage[180:310, 345:410][within].max() < 0.04
    assert coverage[220:240, 220:295].min() == 1  # and the light label is not taken for one


def test_a_label_in_the_grounds_very_colour_stays() -> None:
    _, coverage, colour = result("white jar on white")
    assert coverage[222:338, 208:352].min() == 1
    assert colour[230:260, 220:340].mean() > 250


def test_a_ring_is_open_on_a_photographed_ground_only() -> None:
    ring = np.clip(oval(140, 100, 420, 380) - oval(200, 160, 360, 320), 0, 1)
    colour = np.full((HEIGHT, WIDTH, 3), (120.0, 90, 30))
    grey = remove_ground(taken(gradient((222, 222, 224), 0.05), ring, colour).picture)
    assert grey.getpixel((280, 240))[3] == 0
    white = remove_ground(taken(np.full((HEIGHT, WIDTH, 3), 255.0), ring, colour, noise=0).picture)
    assert white.getpixel((280, 240))[3] == 255  # it may as well be a white face in a frame


def test_specks_are_dropped() -> None:
    photo = mug(gradient((236, 235, 232), 0.06), shadow=False)
    picture = photo.picture.copy()
    pen = ImageDraw.Draw(picture)
    pen.ellipse((60, 60, 66, 66), fill=(40, 40, 40))
    pen.ellipse((480, 300, 484, 304), fill=(40, 40, 40))
    coverage = np.asarray(remove_ground(picture))[..., 3]
    assert coverage[:, :140].max() == 0
    assert coverage[:, 450:].max() == 0


def test_small_parts_beside_a_large_one_stay() -> None:
    """As in a logo: a mark, and a word beside it whose strokes and dots are small."""
    strokes = np.maximum.reduce([box(300 + 14 * n, 230, 305 + 14 * n, 250) for n in range(9)])
    dots = np.maximum.reduce([box(300 + 14 * n, 221, 305 + 14 * n, 226) for n in range(9)])
    coverage = np.maximum.reduce([oval(80, 140, 280, 340), strokes, dots])
    colour = np.full((HEIGHT, WIDTH, 3), (30.0, 60, 140))
    found = np.asarray(remove_ground(taken(np.full((HEIGHT, WIDTH, 3), 255.0), coverage, colour, noise=0).picture))
    assert found[223, 302 : 302 + 14 * 9 : 14, 3].min() > 250
    assert found[240, 302 : 302 + 14 * 9 : 14, 3].min() > 250


def test_edges_are_smooth() -> None:
    """Along the bottle's straight sides the outline does not waver by a fifth of a pixel."""
    _, coverage, _ = result("dark bottle on pale blue")
    left = coverage[220:400, 200:260].sum(axis=1)
    assert left.std() < 0.2


def test_large_pictures_are_scaled_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutout, "LONGEST", 500)
    monkeypatch.setattr(cutout, "_COARSE", 300)  # and what is found in the smaller picture fits the larger
    photo = mug(gradient((236, 235, 232), 0.06), shadow=False)
    found = remove_ground(photo.picture)
    assert found.size == (500, 429)
    coverage = np.asarray(found.getchannel("A").resize((WIDTH, HEIGHT)), dtype=float) / 255
    assert np.minimum(coverage, photo.coverage).sum() / np.maximum(coverage, photo.coverage).sum() > 0.985
    assert coverage[225:265, 358:394].max() == 0


def test_grounds_of_two_colours_are_refused() -> None:
    scene = gradient((236, 235, 232), 0.05)
    scene[260:] = (150, 110, 70)  # a table before a wall
    with pytest.raises(InputError, match="nor a plain background"):
        remove_ground(photographed(over(scene, (80, 30, 120), box(170, 90, 350, 400))))


def test_a_doubtful_outline_is_told() -> None:
    sure = mug(gradient((236, 235, 232), 0.06)).picture
    assert cut_out_notes(sure) == ()
    assert cut_out_notes(remove_ground(sure)) == ()
    grey = rounded(280, 100, (170, 170, 172))  # as a shadow on grey is
    dark = contact_shadow(165, 395, 400, 425, 0.5, 8)
    doubtful = taken(gradient((230, 230, 230), 0.05), box(180, 110, 380, 410, 30), grey, dark).picture
    (note,) = cut_out_notes(doubtful)
    assert "the ground may still show" in note
