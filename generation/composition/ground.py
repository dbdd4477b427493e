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
    dithered,
    from_oklch,
    luminance,
    luminance_map,
    mean_rgb,
    mix,
    to_oklch,
)
from generation.composition.scrim import DARKEST, EVERYWHERE, LIGHTEST, Fall, draw_scrim, falls_for, scrim_tone
from proofsheet.domain.asset import Box

_BLURRED = 0.9  # share of the detail that a blur takes away
_MIDDLE_GROUND, _MOOD = 0.27, 0.08  # luminance below which paper fits better, and how much that weighs
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
    product: Box,
    everywhere: bool = False,
    most_unrest: float = 1.0,
    most_clutter: float = 1.0,
) -> Reading:
    """Choose one ink for all words and make sure that it reads, changing the picture as little as that takes.

    The ground is left alone if the contrast is there already. Else a scrim (see ``scrim``) of the least strength that
    helps is laid over the set; where the ground has too much detail, that is blurred too; the last remedy is a plate.

    Args:
        picture: changed in place.
        boxes: where words will stand, each with the contrast it needs.
        inks: the brand's inks.
        reach: how far a blur fades out, pixels.
        radius: the corner radius of a plate, pixels.
        product: a scrim keeps away from it.
        everywhere: whether a scrim may cover the whole picture alike, for banners.
        most_unrest: the variation of lightness (0–1) above which detail is blurred even if the contrast is there.
        most_clutter: the same for small things (``clutter``).
    """
    around = _hull([box for box, _ in boxes])
    untouched = picture.copy()
    busy = max(clutter(picture, box) for box, _ in boxes) > most_clutter
    busy = busy or max(ground_unrest(picture, box) for box, _ in boxes) > most_unrest
    for blur in (True,) if busy else (False, True):
        picture.paste(untouched)
        if blur:
            for box, _ in boxes:
                softened(picture, box, reach)
        plans = [_least_scrim(picture, boxes, ink, product, everywhere=everywhere) for ink in inks]
        best = min((plan for plan in plans if plan is not None), key=lambda plan: plan.cost, default=None)
        if best is not None and _drawn(picture, best, boxes, around):
            remedies = ["a scrim"] * (best.strength > 0) + ["a blur"] * blur
            note = f"The ground under the words was calmed by {' and '.join(remedies)}." if remedies else ""
            return Reading(best.ink, _reading(picture, boxes, best.ink), note)
    picture.paste(untouched)
    ink = max(inks, key=lambda rgb: _reading(picture, boxes, rgb))
    tone = _plain_tone(untouched, padded(around, reach * 0.3, picture), ink)
    _rounded(picture, padded(around, reach * 0.28, picture), _plate_tone(tone, ink), radius)
    return Reading(ink, _reading(picture, boxes, ink), "The ground was too busy for words: they stand on a plate.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The scrim of the least strength with which an ink reads, and how much it changes the picture."""

    ink: Rgb
    fall: Fall
    strength: float
    cost: float


def _reading(picture: Image.Image, boxes: Sequence[tuple[Box, float]], ink: Rgb) -> float:
    return min(legibility(luminance_map(pixels_in(picture, box)), ink, need) for box, need in boxes)


def _is_dark(ink: Rgb) -> bool:
    return luminance(ink) < 0.18


def _least_scrim(
    picture: Image.Image, boxes: Sequence[tuple[Box, float]], ink: Rgb, product: Box, *, everywhere: bool
) -> _Plan | None:
    """The scrim that changes the picture least and lets an ink read; none if even the strongest does not.

    Searched on a reduced map of luminance. An ink that does not fit the ground's mood (paper on dark and middle
    grounds, ink on light ones) has to be clearly less trouble than the other.
    """
    scale = 4 if min(picture.size) > 600 else 2 if min(picture.size) > 200 else 1
    luminances = luminance_map(np.asarray(picture.convert("RGB").reduce(scale)))
    height, width = luminances.shape
    darker = not _is_dark(ink)
    parts = [(_slices(box, scale), need) for box, need in boxes]
    middle = float(np.median(np.concatenate([luminances[part].ravel() for part, _ in parts])))
    middle = (2 * middle + float(np.median(luminances))) / 3
    mood = 0.0 if darker == (middle < _MIDDLE_GROUND) else _MOOD
    tone = scrim_tone(mean_rgb(pixels_in(picture, _hull([box for box, _ in boxes]))), darker=darker)
    share = float(np.dot(tone, (0.2126, 0.7152, 0.0722)))

    def under(strength: float, mask: Floats, ground: Floats) -> Floats:
        depth = mask * np.float32(strength)
        return ground * (1 - depth * (1 - share)) if darker else ground + depth * share * (1 - ground)

    def reads(strength: float, mask: Floats) -> bool:
        return all(legibility(under(strength, mask[at], luminances[at]), ink, need) >= 1 for at, need in parts)

    falls = falls_for(_hull([box for box, _ in boxes]), product, *picture.size)
    best: _Plan | None = None
    near = _slices(padded(product, 0.03 * picture.height, picture), scale)
    for fall in (*falls, EVERYWHERE) if everywhere else falls:
        mask = fall.mask(width, height, scale)
        if reads(0.0, mask):
            return _Plan(ink=ink, fall=fall, strength=0.0, cost=mood)
        low, high = 0.0, DARKEST if darker else LIGHTEST
        if not reads(high, mask):
            continue
        for _ in range(6):
            half = (low + high) / 2
            low, high = (low, half) if reads(half, mask) else (half, high)
        change = np.abs(under(high, mask, luminances) ** 0.42 - luminances**0.42)
        cost = mood + float(change.mean() + 0.5 * change[near].mean() + 0.3 * change.max())
        if best is None or cost < best.cost:
            best = _Plan(ink=ink, fall=fall, strength=high, cost=cost)
    return best


def _slices(box: Box, scale: int) -> tuple[slice, slice]:
    return (
        slice(max(box.top, 0) // scale, max(box.bottom, 0) // scale + 1),
        slice(max(box.left, 0) // scale, max(box.right, 0) // scale + 1),
    )


def _drawn(picture: Image.Image, plan: _Plan, boxes: Sequence[tuple[Box, float]], around: Box) -> bool:
    """Draw a plan's scrim, a little stronger where the full picture asks for it; whether the ink reads then."""
    darker = not _is_dark(plan.ink)
    before, ground = picture.copy(), mean_rgb(pixels_in(picture, around))
    for extra in (1.0, 1.05, 1.12, 1.2):
        strength = max(plan.strength, 0.02 if extra > 1 else 0.0) * extra
        if strength > 1.1 * (DARKEST if darker else LIGHTEST):
            break
        if strength:
            picture.paste(before)
            draw_scrim(picture, plan.fall, strength, ground, darker=darker)
        if _reading(picture, boxes, plan.ink) >= 1:
            return True
    return False


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
    if _is_dark(ink):
        return from_oklch(max(lightness, 0.9), min(chroma, 0.05), hue)
    return from_oklch(min(lightness, 0.24), min(chroma, 0.05), hue)


def _plate_tone(tone: Rgb, ink: Rgb) -> Rgb:
    return mix(tone, (255, 255, 255) if _is_dark(ink) else (0, 0, 0), 0.45)


def softened(picture: Image.Image, box: Box, reach: float) -> None:
    """Blur the detail of the ground around a box, fading out softly, as if it lay out of focus; its tone stays.

    Args:
        picture: changed in place.
        reach: how far the blur fades out, pixels.
    """
    area = padded(box, reach * 1.6, picture)
    crop = picture.crop((area.left, area.top, area.right, area.bottom))
    mask = _soft_mask(crop.size, box, area, reach)
    ground = np.asarray(crop).astype(np.float32)
    soft = np.asarray(_blurred(crop, reach * 0.35)).astype(np.float32)
    ground += (soft - ground) * (mask * _BLURRED)[..., None]
    picture.paste(Image.fromarray(dithered(ground)), (area.left, area.top))


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
