"""Setting type: measuring with kerning and tracking, fitting the largest balanced setting, drawing it sharply."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw

from generation.composition.linebreak import breakings
from generation.composition.typefaces import Typeface, check_text, font_at, script_of
from proofsheet.domain.asset import Box
from proofsheet.errors import InputError

#: Pixels to the em at which type is measured: large, so that rounded advances do not add up, and scaled from there.
_REFERENCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SetText:
    """Text in lines at a size; ``width`` and ``height`` are those of the ink, in pixels."""

    text: str
    lines: tuple[str, ...]
    typeface: Typeface
    size: float
    tracking: float  # em
    leading: float  # em
    align: str  # "left" | "center" | "right"
    width: float
    height: float
    ascent: float  # ink above the first baseline, pixels


@dataclass(frozen=True, slots=True)
class LineInk:
    """The ink of one line, in em: from its origin to the left and right, above and below the baseline."""

    left: float
    right: float
    above: float
    below: float


@lru_cache(maxsize=4096)
def place_clusters(line: str, path: Path, tracking: float) -> tuple[tuple[str, float], ...]:
    """Each cluster of a line with its place in em, kerned and tracked; one cluster when it must not be tracked."""
    if not tracking or script_of(line) != "plain":
        return ((line, 0.0),)
    font = font_at(path, _REFERENCE)
    clusters: list[str] = []
    for character in line:
        if clusters and unicodedata.category(character) in {"Mn", "Me", "Cf"}:
            clusters[-1] += character
        else:
            clusters.append(character)
    placed, shown = [], ""
    for index, cluster in enumerate(clusters):
        shown += cluster
        place = font.getlength(shown) - font.getlength(cluster)
        placed.append((cluster, place / _REFERENCE + index * tracking))
    return tuple(placed)


@lru_cache(maxsize=4096)
def _cluster_ink(cluster: str, path: Path) -> tuple[int, int, int, int]:
    """The box of a cluster's ink around its origin, in reference pixels; Pillow's own box counts white room too."""
    mask, (left, top) = font_at(path, _REFERENCE).getmask2(cluster, mode="L", anchor="ls")
    box = mask.getbbox() or (0, 0, 0, 0)
    return left + box[0], top + box[1], left + box[2], top + box[3]


@lru_cache(maxsize=4096)
def line_ink(line: str, path: Path, tracking: float) -> LineInk:
    """The ink of a line in em, measured large so that it holds for every size."""
    placed = place_clusters(line, path, tracking)
    boxes = [(x * _REFERENCE, _cluster_ink(cluster, path)) for cluster, x in placed if cluster.strip()]
    return LineInk(
        left=min(x + box[0] for x, box in boxes) / _REFERENCE,
        right=max(x + box[2] for x, box in boxes) / _REFERENCE,
        above=max(-box[1] for _, box in boxes) / _REFERENCE,
        below=max(box[3] for _, box in boxes) / _REFERENCE,
    )


def fit_text(
    text: str,
    typeface: Typeface,
    *,
    width: float,
    height: float,
    largest: float,
    smallest: float,
    lines: int = 3,
    align: str = "left",
    tracking: float | None = None,
    what: str = "text",
    where: str = "",
) -> SetText:
    """The largest balanced setting of a text in a room.

    All ways to break the text into up to ``lines`` lines are compared by the size they allow, how even the lines are,
    whether a short last line is left over, and whether a break separates what belongs together.

    Args:
        width, height: the room for the ink, pixels.
        largest, smallest: limits of the size, pixels to the em.
        what, where: name the text and the placement in errors.

    Raises:
        InputError: a glyph is missing, or the text does not fit even at the smallest size.
    """
    text = unicodedata.normalize("NFC", text.strip())
    check_text(text.replace("\u00ad", ""), typeface)
    spread = typeface.tracking if tracking is None else tracking
    best: SetText | None = None
    best_score = -math.inf
    for broken, penalty in breakings(text, lines):
        inks = [line_ink(line, typeface.path, spread) for line in broken]
        widths = [ink.right - ink.left for ink in inks]
        tall = inks[0].above + inks[-1].below + (len(broken) - 1) * typeface.leading
        size = min(largest, width / max(widths), height / tall)
        size = math.floor(size * 4) / 4
        score = size / largest - penalty - _raggedness(broken, widths) - 0.03 * (len(broken) - 1)
        if size >= smallest and score > best_score:
            best_score = score
            best = SetText(
                text=text,
                lines=broken,
                typeface=typeface,
                size=size,
                tracking=spread,
                leading=typeface.leading,
                align=align,
                width=max(widths) * size,
                height=tall * size,
                ascent=inks[0].above * size,
            )
    if best is None:
        raise InputError(
            f"The {what} {text!r} does not fit {where or 'its room'}: it would have to be smaller than "
            f"{smallest:.0f} pixels in {lines} line{'s' if lines > 1 else ''}.",
            "Shorten it, give soft hyphens in long words, or leave out this placement or layout.",
        )
    return best


def _raggedness(lines: tuple[str, ...], widths: list[float]) -> float:
    if len(lines) == 1:
        return 0.0
    uneven = 0.14 * (1 - min(widths) / max(widths))
    last, longest = lines[-1], max(lines, key=len)
    alone = " " not in last and " " in longest and widths[-1] < 0.5 * max(widths)
    widow = 0.2 if alone or widths[-1] < 0.36 * max(widths) or len(last) <= 4 else 0.0
    return uneven + widow + (0.1 if min(widths[:-1]) < 0.45 * max(widths) else 0.0)


def line_boxes(setting: SetText, left: float, top: float) -> list[Box]:
    """The ink's box of every line when the setting's corner is at (left, top), pixels."""
    boxes = []
    for number, line in enumerate(setting.lines):
        ink = line_ink(line, setting.typeface.path, setting.tracking)
        width = (ink.right - ink.left) * setting.size
        baseline = top + setting.ascent + number * setting.leading * setting.size
        start = left + {"left": 0.0, "center": 0.5, "right": 1.0}[setting.align] * (setting.width - width)
        boxes.append(
            Box(
                left=round(start),
                top=round(baseline - ink.above * setting.size),
                right=round(start + width),
                bottom=round(baseline + ink.below * setting.size),
            )
        )
    return boxes


def draw_mask(setting: SetText) -> Image.Image:
    """The setting as coverage (mode ``L``) in a picture just large enough, drawn oversampled for even spacing."""
    factor = 4 if setting.size < 48 else 2
    size = max(round(setting.size * factor), 1)
    font = font_at(setting.typeface.path, size)
    pad = 2 * factor
    wide, tall = math.ceil(setting.width) + 4, math.ceil(setting.height) + 4
    sheet = Image.new("L", (wide * factor, tall * factor))
    pen = ImageDraw.Draw(sheet)
    right_to_left = script_of(setting.text) == "rtl"
    for number, line in enumerate(setting.lines):
        ink = line_ink(line, setting.typeface.path, setting.tracking)
        baseline = pad + setting.ascent * factor + number * setting.leading * size
        slack = setting.width * factor - (ink.right - ink.left) * size
        start = pad + {"left": 0.0, "center": slack / 2, "right": slack}[setting.align] - ink.left * size
        for cluster, x in place_clusters(line, setting.typeface.path, setting.tracking):
            place = round(start + x * size), round(baseline)
            pen.text(place, cluster, font=font, fill=255, anchor="ls", direction="rtl" if right_to_left else None)
    return sheet.resize((wide, tall), Image.Resampling.BOX)


def paste_text(
    picture: Image.Image, setting: SetText, left: float, top: float, ink: tuple[int, int, int]
) -> tuple[Box, Image.Image]:
    """Draw a setting with its ink's corner at (left, top); returns the ink's exact box and its coverage there."""
    mask = draw_mask(setting)
    x, y = round(left) - 2, round(top) - 2
    found = mask.getbbox()
    if found is None:
        raise InputError(f"The text {setting.text!r} leaves no ink.", "Give words that can be seen.")
    picture.paste(Image.new("RGB", mask.size, ink), (x, y), mask)
    box = Box(left=x + found[0], top=y + found[1], right=x + found[2], bottom=y + found[3])
    return box, mask.crop(found)
