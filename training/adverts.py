"""Makes a picture look like an advertisement, in a millisecond: product, words, button, logo, panel, at random.

The house CLIP must know a scene behind all that, so half of its training pictures carry it. Rough on purpose: the
composer makes real ones, but a few a second.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from generation.house.framing import ACROSS

Colour = tuple[int, int, int]
Facts = Mapping[str, str | int]

_FONTS = ("barlow-condensed-700", "bricolage-grotesque-700", "fraunces-600", "manrope-700", "manrope-500")
_WORDS = tuple(
    """
    slow brewed wide awake try it now shop the new season made for you every day fresh up to half price free delivery
    discover more quiet comfort save today only one cup at a time ready when you are bring home summer soft skin
    """.split()  # noqa: SIM905
)
_BRANDS = ("norda", "velo", "Lumen", "OAKA", "mira", "Solstice", "KIND", "Bay & Co", "tern", "Fjord")
_INKS: tuple[Colour, ...] = ((20, 24, 28), (252, 250, 244), (30, 44, 80), (70, 20, 30), (18, 60, 46))


def as_advertisement(picture: Image.Image, facts: Facts, rng: random.Random) -> Image.Image:
    """The picture with some of: panel, product, words, button, logo; of the same size.

    Args:
        picture: RGB.
        facts: tell where the product stands.
        rng: decides everything else.
    """
    made = picture.copy()
    ink = rng.choice(_INKS)
    if rng.random() < 0.2:
        _panel(made, rng, ink)
    if facts["subject"] == "set" and rng.random() < 0.85:
        _product(made, facts, rng)
    left, top, width = _corner(made, rng)
    if rng.random() < 0.85:
        top = _headline(made, (left, top), width, ink, rng)
    if rng.random() < 0.6:
        _button(made, (left, min(top + 2, round(made.height * 0.9))), rng)
    if rng.random() < 0.6:
        _logo(made, ink, rng)
    return made


def _corner(made: Image.Image, rng: random.Random) -> tuple[int, int, int]:
    """Where the words begin and how wide they may be, in pixels."""
    width = round(made.width * rng.uniform(0.35, 0.8))
    left = round(rng.choice((0.05, 0.5 * (1 - width / made.width), 0.95 - width / made.width)) * made.width)
    return max(2, left), round(made.height * rng.uniform(0.04, 0.45)), width


def _panel(made: Image.Image, rng: random.Random, ink: Colour) -> None:
    """A block of plain colour on one side, contrasting with the ink, or a shade over it."""
    paper = (250, 247, 240) if sum(ink) < 380 else _any_colour(rng, 30, 110)
    width, height = made.size
    share = rng.uniform(0.2, 0.42)
    box = rng.choice(
        (
            (0, 0, round(width * share), height),
            (round(width * (1 - share)), 0, width, height),
            (0, 0, width, round(height * share)),
        )
    )
    part = made.crop(box)
    blend = 1.0 if rng.random() < 0.6 else rng.uniform(0.3, 0.7)
    made.paste(Image.blend(part, Image.new("RGB", part.size, paper), blend), box[:2])


def _product(made: Image.Image, facts: Facts, rng: random.Random) -> None:
    """A shaded shape with a label and a shadow, where the product stands."""
    width, height = made.size
    tall = round(min(height * rng.uniform(0.3, 0.62), width * 1.2))
    wide = max(6, round(tall * rng.uniform(0.3, 0.8)))
    centre = ACROSS[str(facts["stand_x"])] * width
    floor = {"high": 0.53, "raised": 0.63, "low": 0.75, "bottom": 0.88}[str(facts["stand_y"])] * height
    if rng.random() < 0.1:
        centre, floor = rng.uniform(0.2, 0.8) * width, rng.uniform(0.6, 0.95) * height
    tall = min(tall, round(floor))
    at = (round(centre - wide / 2), round(floor - tall))
    mask = _shape(wide, tall, rng)
    _shadow(made, at, (wide, tall), rng)
    body = _body(wide, tall, rng)
    made.paste(body, at, mask)


def _shadow(made: Image.Image, at: tuple[int, int], size: tuple[int, int], rng: random.Random) -> None:
    wide, tall = size
    flat = max(3, tall // 9)
    dark = Image.new("L", (wide + 12, flat + 8), 0)
    ImageDraw.Draw(dark).ellipse((6, 4, wide + 6, flat + 4), fill=rng.randint(70, 170))
    dark = dark.filter(ImageFilter.GaussianBlur(2))
    made.paste((15, 14, 18), (at[0] - 6 + rng.randint(-3, 3), at[1] + tall - flat // 2 - 4), dark)


def _shape(wide: int, tall: int, rng: random.Random) -> Image.Image:
    """A silhouette: bottle, box, tube, can, jar or bag."""
    mask = Image.new("L", (wide * 2, tall * 2), 0)
    pen = ImageDraw.Draw(mask)
    w, h = wide * 2 - 1, tall * 2 - 1
    shapes: tuple[Callable[[], None], ...] = (
        lambda: _bottle(pen, w, h, rng.uniform(0.25, 0.5)),
        lambda: pen.rounded_rectangle((0, 0, w, h), min(w, h) // 24 + 1, fill=255),
        lambda: pen.polygon(((w * 0.05, 0), (w * 0.95, 0), (w * 0.8, h), (w * 0.2, h)), fill=255),
        lambda: pen.rounded_rectangle((0, 0, w, h), min(w, h) // 5, fill=255),
        lambda: pen.ellipse((0, 0, w, h), fill=255),
        lambda: pen.polygon(((w * 0.15, 0), (w * 0.85, 0), (w, h), (0, h)), fill=255),
    )
    rng.choice(shapes)()
    return mask.resize((wide, tall), Image.Resampling.BILINEAR)


def _bottle(pen: ImageDraw.ImageDraw, w: float, h: float, shoulder: float) -> None:
    pen.rounded_rectangle((0, h * shoulder, w, h), w * 0.15, fill=255)
    pen.rectangle((w * 0.34, 0, w * 0.66, h * 0.6), fill=255)
    pen.polygon(((w * 0.34, h * shoulder * 0.6), (w * 0.66, h * shoulder * 0.6), (w, h * (shoulder + 0.06)),
                 (0, h * (shoulder + 0.06))), fill=255)  # fmt: skip


def _body(wide: int, tall: int, rng: random.Random) -> Image.Image:
    """A colour with light from one side and a label."""
    body = Image.new("RGB", (wide, tall), _any_colour(rng, 20, 240))
    if rng.random() < 0.7:
        top = tall * rng.uniform(0.3, 0.55)
        pen = ImageDraw.Draw(body)
        box = (wide * 0.1, top, wide * 0.9, top + tall * rng.uniform(0.15, 0.35))
        pen.rectangle(box, fill=_any_colour(rng, 20, 250))
        if rng.random() < 0.5:
            font = _font(rng.choice(_FONTS), max(5, wide // 5))
            pen.text((wide * 0.16, box[1] + 1), rng.choice(_BRANDS), fill=rng.choice(_INKS), font=font)
    ramp = Image.linear_gradient("L").rotate(rng.choice((90, 270))).resize((wide, tall))
    shaded = Image.new("RGB", (wide, tall), rng.choice(((0, 0, 0), (255, 255, 255))))
    low, high = rng.choice(((0.4, 0.4), (0.3, 0.5)))  # smooth, or ribbed
    body.paste(shaded, (0, 0), ramp.point([round(v * rng.uniform(low, high)) for v in range(256)]))
    return body


def _headline(made: Image.Image, at: tuple[int, int], width: int, ink: Colour, rng: random.Random) -> int:
    """Some lines of real words, or of bars as words are when they are tiny; returns where they end."""
    pen = ImageDraw.Draw(made)
    x, y = at
    size = round(made.height * rng.uniform(0.06, 0.16))
    for _ in range(rng.randint(1, 4)):
        if y + size > made.height:
            break
        if rng.random() < 0.75:
            font = _font(rng.choice(_FONTS) if rng.random() < 0.1 else _FONTS[size % len(_FONTS)], max(5, size))
            words = " ".join(rng.choices(_WORDS, k=rng.randint(1, 4)))
            words = words[: max(3, round(width / max(size * 0.5, 1)))]
            pen.text((x, y), words.capitalize() if rng.random() < 0.7 else words.upper(), fill=ink, font=font)
        else:
            pen.rectangle((x, y + size * 0.2, x + width * rng.uniform(0.4, 1), y + size * 0.8), fill=ink)
        y += round(size * 1.15)
    if rng.random() < 0.3:
        for _ in range(rng.randint(1, 3)):
            pen.line((x, y + 2, x + width * rng.uniform(0.5, 0.9), y + 2), fill=ink, width=1)
            y += 4
    return y


def _button(made: Image.Image, at: tuple[int, int], rng: random.Random) -> None:
    tall = max(6, round(made.height * rng.uniform(0.07, 0.12)))
    wide = round(tall * rng.uniform(2.5, 4.5))
    box = (at[0], at[1], at[0] + wide, at[1] + tall)
    fill = _any_colour(rng, 10, 250)
    pen = ImageDraw.Draw(made)
    pen.rounded_rectangle(box, rng.choice((1, tall // 4, tall // 2)), fill=fill)
    ink = (250, 250, 246) if sum(fill) < 400 else (20, 22, 26)
    pen.text(
        (box[0] + tall // 2, box[1] + tall * 0.15), "Shop now", fill=ink, font=_font("manrope-700", max(5, tall // 2))
    )


def _logo(made: Image.Image, ink: Colour, rng: random.Random) -> None:
    """A word mark or a simple sign in a corner."""
    pen = ImageDraw.Draw(made)
    side = max(6, round(made.height * rng.uniform(0.06, 0.11)))
    x = rng.choice((round(made.width * 0.05), made.width - 4 * side))
    y = rng.choice((round(made.height * 0.04), round(made.height * 0.95) - side))
    if rng.random() < 0.5:
        sign = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        sign((x, y, x + side, y + side), fill=_any_colour(rng, 10, 250))
    else:
        pen.text((x, y), rng.choice(_BRANDS), fill=ink, font=_font(rng.choice(_FONTS), side))


def _any_colour(rng: random.Random, low: int, high: int) -> Colour:
    return rng.randint(low, high), rng.randint(low, high), rng.randint(low, high)


@lru_cache(maxsize=256)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    data = (files("generation") / "fonts" / f"{name}.ttf").read_bytes()
    return ImageFont.truetype(BytesIO(data), size, layout_engine=ImageFont.Layout.BASIC)
