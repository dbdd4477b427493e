"""The ground under words: measured contrast, the choice of ink, and calming where a scene is too busy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from generation.composition.colour import (
    Floats,
    Rgb,
    contrast_map,
    from_oklch,
    luminance,
    luminance_map,
    mean_rgb,
    mix,
    to_oklch,
)
from proofsheet.domain.asset import Box

#: How strongly the ground is calmed, step by step: share blurred, share moved to a plain tone. The last is a plate.
_STEPS = ((0.0, 0.0), (0.75, 0.12), (0.85, 0.32), (0.92, 0.52), (0.96, 0.7))
_WORST_SHARE = 5  # percentile of the pixels that may be worse


@dataclass(frozen=True, slots=True)
class Reading:
    """How an ink reads on a ground (``legibility``, 1 is enough), and what was done for it."""

    ink: Rgb
    legibility: float
    note: str = ""


def padded(box: Box, by: float, picture: Image.Image) -> Box:
    """A box grown on all sides, kept inside the picture."""
    grow = round(by)
    return Box(
        left=max(box.left - grow, 0),
        top=max(box.top - grow, 0),
        right=min(box.right + grow, picture.width),
        bottom=min(box.bottom + grow, picture.height),
    )


def pixels_in(picture: Image.Image, box: Box) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The RGB pixels of a box, shape (height, width, 3)."""
    return np.asarray(picture.crop((box.left, box.top, box.right, box.bottom)).convert("RGB"))


def worst_contrast(picture: Image.Image, box: Box, ink: Rgb) -> float:
    """The contrast of an ink with a box's pixels that all but the worst 5 % reach."""
    return float(np.percentile(contrast_map(ink, luminance_map(pixels_in(picture, box))), _WORST_SHARE))


def legibility(luminances: Floats, ink: Rgb, need: float) -> float:
    """How well an ink reads on a ground (1 is enough): over all pixels, and in every letter-sized part of it.

    All but the worst 5 % of the pixels must reach ``need``, and so must, less a tenth, the mean of every square of
    about half the ground's height: a small dark thing behind one letter is not averaged away.
    """
    if luminances.size == 0:
        return 0.0
    ratios = contrast_map(ink, luminances)
    whole = float(np.percentile(ratios, _WORST_SHARE)) / need
    side = max(luminances.shape[0] // 2, 2)
    size = max(luminances.shape[1] // side, 1), max(luminances.shape[0] // side, 1)
    parts = np.asarray(Image.fromarray(ratios).resize(size, Image.Resampling.BOX))
    return min(whole, float(parts.min()) / (0.9 * need))


def readable_ink(
    picture: Image.Image,
    boxes: Sequence[tuple[Box, float]],
    inks: Sequence[Rgb],
    reach: float,
    radius: float,
    *,
    most_unrest: float = 1.0,
    most_clutter: float = 1.0,
) -> Reading:
    """Choose an ink for words and make sure that it reads, changing the picture as little as that takes.

    The ground is left alone if the contrast is there already. Else it is calmed around the words by a soft local
    blur and a shift to a plain tone of its own hue, in growing steps; the last remedy is an opaque plate.

    Args:
        picture: changed in place.
        boxes: where words will stand, each with the contrast it needs.
        inks: the brand's inks, the preferred one first.
        reach: how far the calming fades out, pixels.
        radius: the corner radius of a plate, pixels.
        most_unrest: the variation of lightness (0–1) above which the ground is calmed even if the contrast is there.
        most_clutter: the same for small things (``clutter``); these take a stronger step.
    """

    def reading_of(ink: Rgb) -> float:
        return min(legibility(luminance_map(pixels_in(picture, box)), ink, need) for box, need in boxes)

    def merit(order: int) -> tuple[float, float, int]:
        """Whether the ink reads as it is, and else on how much of the ground: that is how little must be calmed."""
        reads = min(round(reading_of(inks[order]), 1), 1.3)
        usual = min(float(np.median(contrast_map(inks[order], part))) for part in grounds)
        return (reads if reads >= 1 else 0.0), (0.0 if reads >= 1 else usual), -order

    grounds = [luminance_map(pixels_in(picture, box)) for box, _ in boxes]
    ink = inks[max(range(len(inks)), key=merit)]
    around = _hull([box for box, _ in boxes])
    untouched = picture.copy()
    first = 0
    if max(clutter(picture, box) for box, _ in boxes) > most_clutter:
        first = 2
    elif max(ground_unrest(picture, box) for box, _ in boxes) > most_unrest:
        first = 1
    tone = _plain_tone(untouched, padded(around, reach * 0.3, picture), ink)
    for number, (blurred, shifted) in enumerate(_STEPS):
        if number < first:
            continue
        if number:
            picture.paste(calmed(untouched, around, tone, blurred=blurred, shifted=shifted, reach=reach))
        worst = reading_of(ink)
        if worst >= 1:
            note = f"The ground under the words was calmed (step {number} of {len(_STEPS) - 1})." if number else ""
            return Reading(ink, worst, note)
    picture.paste(untouched)
    plate = _plate_tone(tone, ink)
    place = padded(around, reach * 0.28, picture)
    _rounded(picture, place, plate, radius)
    return Reading(ink, reading_of(ink), "The ground was too busy for words: they stand on a plate.")


def calmest_shift(
    picture: Image.Image,
    lines: Sequence[tuple[Box, float]],
    others: Sequence[Box],
    inks: Sequence[Rgb],
    shifts: Sequence[float],
) -> float:
    """By how many pixels to move words up (negative) or down so that they stand on readable, calm ground.

    Args:
        lines: the boxes of the lines of words, each with the contrast it needs.
        others: boxes that move along and want calm ground too, such as a button.
        shifts: what may be tried; a far shift must be worth it.
    """
    scale = 4 if picture.height > 600 else 2
    small = picture.convert("RGB").reduce(scale)
    luminances = luminance_map(np.asarray(small))
    furthest = max((abs(shift) for shift in shifts), default=1.0) or 1.0

    def cost(shift: float) -> float:
        moved = [(_moved(luminances, box, shift, scale), need) for box, need in lines]
        best = max(min(legibility(part, ink, need) for part, need in moved) for ink in inks)
        unrest = max(_unrest(part) for part, _ in moved)
        beside = max((_unrest(_moved(luminances, box, shift, scale)) for box in others), default=0.0)
        return (
            2.0 * max(1 - best, 0.0)
            + 0.5 * max(1.5 - best, 0.0)
            + 2 * unrest
            + 1.4 * beside
            + 0.05 * abs(shift) / furthest
        )

    return min(shifts, key=cost)


def _moved(luminances: Floats, box: Box, shift: float, scale: int) -> Floats:
    """The part of a map, reduced by ``scale``, under a box that was moved down."""
    top, bottom = max(round(box.top + shift), 0) // scale, max(round(box.bottom + shift), 0) // scale
    return luminances[top : bottom + 1, max(box.left, 0) // scale : max(box.right, 0) // scale + 1]


def clutter(picture: Image.Image, box: Box) -> float:
    """How much small things of other colours crowd a ground (0 is none): what a blur as wide as a letter takes away."""
    crop = picture.crop((box.left, box.top, box.right, box.bottom)).convert("RGB")
    soft = crop.filter(ImageFilter.BoxBlur(max(box.height * 0.3, 2)))
    difference = np.asarray(crop).astype(np.float32) - np.asarray(soft).astype(np.float32)
    return float(difference.std() / 255)


def _unrest(part: Floats) -> float:
    """How much a ground's lightness varies (0 is plain)."""
    return float(np.sqrt(part).std()) if part.size else 1.0


def ground_unrest(picture: Image.Image, box: Box) -> float:
    """How much the lightness (0–1) varies in a box; 0 is a plain ground."""
    return _unrest(luminance_map(pixels_in(picture, box)))


def _hull(boxes: Sequence[Box]) -> Box:
    return Box(
        left=min(box.left for box in boxes),
        top=min(box.top for box in boxes),
        right=max(box.right for box in boxes),
        bottom=max(box.bottom for box in boxes),
    )


def _plain_tone(picture: Image.Image, box: Box, ink: Rgb) -> Rgb:
    """A light or dark tone in the ground's own hue, whichever the ink asks for."""
    lightness, chroma, hue = to_oklch(mean_rgb(pixels_in(picture, box)))
    if luminance(ink) < 0.18:
        return from_oklch(max(lightness, 0.9), min(chroma, 0.05), hue)
    return from_oklch(min(lightness, 0.24), min(chroma, 0.05), hue)


def _plate_tone(tone: Rgb, ink: Rgb) -> Rgb:
    return mix(tone, (255, 255, 255) if luminance(ink) < 0.18 else (0, 0, 0), 0.45)


def calmed(picture: Image.Image, box: Box, tone: Rgb, *, blurred: float, shifted: float, reach: float) -> Image.Image:
    """A copy of the picture whose ground around a box is blurred and moved towards a tone, fading out softly."""
    area = padded(box, reach * 1.6, picture)
    crop = picture.crop((area.left, area.top, area.right, area.bottom))
    mask = _soft_mask(crop.size, box, area, reach)
    ground = np.asarray(crop).astype(np.float32)
    soft = np.asarray(_blurred(crop, reach * 0.35)).astype(np.float32)
    ground += (soft - ground) * (mask * blurred)[..., None]
    ground += (np.array(tone, dtype=np.float32) - ground) * (mask * shifted)[..., None]
    result = picture.copy()
    result.paste(Image.fromarray(dithered(ground)), (area.left, area.top))
    return result


def dithered(values: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Float levels (0–255) as bytes with half a level of fixed noise, so that soft gradients do not band."""
    noise = np.random.default_rng(20_260_101).random(values.shape[:2], dtype=np.float32) - 0.5
    return np.clip(values + 0.5 + noise[..., None], 0, 255).astype(np.uint8)


def _soft_mask(size: tuple[int, int], box: Box, area: Box, reach: float) -> Floats:
    factor = max(int(reach / 8), 1)
    small = Image.new("L", (max(size[0] // factor, 2), max(size[1] // factor, 2)))
    grow = reach * 0.45
    corners = (
        (box.left - area.left - grow) / factor,
        (box.top - area.top - grow) / factor,
        (box.right - area.left + grow) / factor,
        (box.bottom - area.top + grow) / factor,
    )
    ImageDraw.Draw(small).rounded_rectangle(corners, radius=grow / factor, fill=255)
    soft = small.filter(ImageFilter.GaussianBlur(reach * 0.3 / factor)).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(np.asarray(soft) / 255, dtype=np.float32)


def _blurred(crop: Image.Image, radius: float) -> Image.Image:
    factor = max(int(radius / 4), 1)
    small = crop.resize((max(crop.width // factor, 1), max(crop.height // factor, 1)), Image.Resampling.BOX)
    return small.filter(ImageFilter.GaussianBlur(radius / factor)).resize(crop.size, Image.Resampling.BICUBIC)


def _rounded(picture: Image.Image, box: Box, fill: Rgb, radius: float) -> None:
    mask = rounded_mask(box.width, box.height, radius)
    picture.paste(Image.new("RGB", mask.size, fill), (box.left, box.top), mask)


def rounded_mask(width: int, height: int, radius: float, factor: int = 4) -> Image.Image:
    """Coverage of a rounded rectangle (mode ``L``), with smooth edges."""
    big = Image.new("L", (width * factor, height * factor))
    ImageDraw.Draw(big).rounded_rectangle(
        (0, 0, width * factor - 1, height * factor - 1), radius=min(radius, width / 2, height / 2) * factor, fill=255
    )
    return big.resize((width, height), Image.Resampling.BOX)
