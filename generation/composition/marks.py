"""The logo or wordmark, and the button."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from generation.composition.arrangement import Region
from generation.composition.colour import (
    Rgb,
    contrast,
    contrast_of,
    contrasts,
    hex_of,
    luminance,
    luminance_map,
    mean_rgb,
    to_oklch,
)
from generation.composition.ground import pixels_in, rounded_mask
from generation.composition.typefaces import Typeface
from generation.composition.typeset import SetText, fit_text, line_ink, paste_text
from proofsheet.domain.asset import Box, TextRun

LOGO_CONTRAST = 3.0  # of a logo picture with its ground, WCAG 2.2 §1.4.11
_SAME_INK = 1.9  # contrast up to which a logo's own colour and the ink count as the same tone
#: Least contrast with the ground, and least Oklab distance; a fill of quite another hue needs no contrast besides.
_BUTTON_CONTRAST, _BUTTON_DISTANCE, _OTHER_HUE = 1.15, 0.17, 0.22


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A logo picture scaled for a placement, or the wordmark as type."""

    picture: Image.Image | None
    wordmark: SetText | None

    @property
    def width(self) -> float:
        """Pixels across."""
        return self.picture.width if self.picture else self.wordmark.width if self.wordmark else 0.0

    @property
    def height(self) -> float:
        """Pixels down."""
        return self.picture.height if self.picture else self.wordmark.height if self.wordmark else 0.0


def size_logo(
    picture: Image.Image | None, wordmark: str, typeface: Typeface, height: float, width: float, where: str
) -> Logo:
    """The logo for a row of some height: wide logos by their height, compact ones larger so that they weigh the same.

    Args:
        height: the row's height, pixels.
        width: the most it may take, pixels.
    """
    if picture is None:
        setting = fit_text(
            wordmark,
            typeface,
            width=width,
            height=height * 2,
            largest=max(height * 0.92, 9.0),
            smallest=6,
            lines=1,
            what="wordmark",
            where=where,
        )
        return Logo(picture=None, wordmark=setting)
    ratio = picture.width / picture.height
    tall = height * min(max((4.2 / ratio) ** 0.5, 0.75), 1.9) * 0.8
    scale = min(tall / picture.height, width / picture.width)
    size = max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)
    return Logo(picture=picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0), wordmark=None)


def is_one_colour(picture: Image.Image) -> bool:
    """Whether all visible pixels of a logo have about one colour, so that it may be printed in ink or paper."""
    pixels = np.asarray(picture.convert("RGBA")).astype(np.float32)
    solid = pixels[pixels[..., 3] > 200][:, :3]
    return solid.size == 0 or float(np.abs(solid - np.median(solid, axis=0)).max(axis=1).mean()) < 14


def draw_logo_picture(picture: Image.Image, logo: Image.Image, box: Box, ink: Rgb, inks: tuple[Rgb, ...]) -> str:
    """Draw a logo picture so that it can be seen; returns a note when it could not be drawn as it is.

    A logo of one colour is printed in the picture's ink, as brand manuals allow, unless its own colour is about as
    light or dark and shows (3 : 1); one of several colours gets a plate where it would not show.
    """
    ground = luminance_map(pixels_in(picture, box))
    visible = np.asarray(logo.convert("RGBA"))
    visible = visible[visible[..., 3] > 128][:, :3]
    own = float(np.median(luminance_map(visible))) if visible.size else 0.0
    shows = float(np.percentile(contrasts(own, ground), 5)) >= LOGO_CONTRAST
    note = ""
    if is_one_colour(logo):
        if not shows or contrast(own, luminance(ink)) > _SAME_INK:
            painted = Image.new("RGBA", logo.size, (*ink, 255))
            painted.putalpha(logo.getchannel("A"))
            logo, note = painted, f"The logo is printed in {hex_of(ink)}, the ink of the words on this ground."
    elif not shows:
        plate = max(inks, key=lambda rgb: contrast(luminance(rgb), own))
        grow = round(box.height * 0.3)
        mask = rounded_mask(box.width + 2 * grow, box.height + 2 * grow, grow)
        picture.paste(Image.new("RGB", mask.size, plate), (box.left - grow, box.top - grow), mask)
        note = "The logo stands on a plate: its colours would not show on this ground."
    picture.paste(logo.convert("RGB"), (box.left, box.top), logo.getchannel("A"))
    return note


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A pill with its label, sized."""

    label: SetText
    width: int
    height: int


def size_button(text: str, typeface: Typeface, height: float, most: float, where: str) -> Button:
    """A button of some height, as wide as its label asks and at most ``most`` pixels."""
    tall = round(height)
    side = 0.62 * tall
    label = fit_text(
        text,
        typeface,
        width=most - 2 * side,
        height=tall * 0.8,
        largest=max(tall * 0.44, 10.5),
        smallest=7.5,
        lines=1,
        tracking=-0.006,
        what="call to action",
        where=where,
    )
    return Button(label=label, width=round(label.width + 2 * side), height=tall)


def draw_button(
    picture: Image.Image, button: Button, region: Region, fills: tuple[tuple[Rgb, Rgb], ...]
) -> tuple[Box, TextRun]:
    """Draw a button in the first of the brand's fills that stands out from the ground; returns its box and label."""
    x, y = region.corner(button.width, button.height)
    left, top = round(x), round(y)
    box = Box(left=left, top=top, right=left + button.width, bottom=top + button.height)
    ground = mean_rgb(pixels_in(picture, box))
    standing_out = [pair for pair in fills if _stands_out(pair[0], ground)]
    fill, ink = standing_out[0] if standing_out else max(fills, key=lambda pair: contrast_of(pair[0], ground))
    mask = rounded_mask(button.width, button.height, button.height / 2)
    picture.paste(Image.new("RGB", mask.size, fill), (left, top), mask)
    label = button.label
    cap = line_ink("H", label.typeface.path, 0.0).above * label.size
    baseline = top + (button.height + cap) / 2
    text_box, _ = paste_text(picture, label, left + (button.width - label.width) / 2, baseline - label.ascent, ink)
    return box, run_of("cta", label, text_box, ink)


def _stands_out(fill: Rgb, ground: Rgb) -> bool:
    """Whether a fill differs enough in lightness and, lightness and hue together, in Oklab distance."""
    one, other = to_oklch(fill), to_oklch(ground)
    turn = math.radians(one[2] - other[2])
    chroma = one[1] ** 2 + other[1] ** 2 - 2 * one[1] * other[1] * math.cos(turn)
    distance = math.sqrt((one[0] - other[0]) ** 2 + max(chroma, 0.0))
    enough = distance >= _BUTTON_DISTANCE and contrast_of(fill, ground) >= _BUTTON_CONTRAST
    return enough or distance >= _OTHER_HUE


def run_of(role: str, setting: SetText, box: Box, ink: Rgb) -> TextRun:
    """The record of text as it was set."""
    return TextRun(
        role=role,
        text=setting.text,
        lines=setting.lines,
        box=box,
        size=setting.size,
        ink=hex_of(ink),
        font=setting.typeface.path.stem,
    )
