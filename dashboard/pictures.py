"""Pictures for the screen: thumbnails, evidence drawn on an asset, colour swatches and placement frames."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape

from PIL import Image, ImageDraw, ImageOps

from proofsheet.domain.asset import Box, Composition
from proofsheet.domain.campaign import Placement

#: What can be drawn on a picture: its name, and how it is drawn in words.
LAYERS: dict[str, tuple[str, str]] = {
    "safe": ("Safe area", "the safe area dashed, what may be covered dimmed"),
    "texts": ("Text", "text in orange"),
    "logo": ("Logo", "the logo in pink"),
    "product": ("Product", "the product in green"),
}
INKS = {"safe": "#56b4e9", "texts": "#f0a500", "logo": "#e583bb", "product": "#12d69d"}


def thumbnail(data: bytes, width: int, cell_ratio: float | None = None, *, keep_transparency: bool = False) -> bytes:
    """A WebP no wider than ``width`` pixels.

    With ``cell_ratio`` (width over height) the picture stands in the middle of a transparent cell of that shape, so
    that pictures of several shapes line up.
    """
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGBA" if keep_transparency else "RGB")
    if cell_ratio is None:
        picture.thumbnail((width, width * 4), Image.Resampling.LANCZOS)
    else:
        height = round(width / cell_ratio)
        fitted = ImageOps.contain(picture, (width, height), Image.Resampling.LANCZOS)
        picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
        picture.paste(fitted, ((width - fitted.width) // 2, (height - fitted.height) // 2))
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=84, method=2)
    return out.getvalue()


def missing(width: int, ratio: float) -> bytes:
    """A grey card with a cross, for a picture that cannot be read."""
    height = round(width / ratio)
    card = Image.new("RGB", (width, height), (222, 217, 207))
    pen = ImageDraw.Draw(card)
    for ends in ((0, 0, width, height), (0, height, width, 0)):
        pen.line(ends, fill=(170, 163, 150), width=max(width // 160, 1))
    out = io.BytesIO()
    card.save(out, "WEBP", quality=80)
    return out.getvalue()


def common_ratio(shapes: Sequence[tuple[int, int]]) -> float | None:
    """The cell for a group of pictures: None when all have one shape, else 4:5."""
    ratios = {round(width / height, 2) for width, height in shapes}
    return None if len(ratios) <= 1 else 0.8


def evidence(data: bytes, composition: Composition, layers: Sequence[str], width: int = 1100) -> bytes:
    """The asset with what is known about it drawn on: safe area, text, logo and product boxes."""
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((width, width * 2), Image.Resampling.LANCZOS)
    scale = picture.width / composition.width
    pen = ImageDraw.Draw(picture, "RGBA")
    stroke = max(2, round(picture.width / 190))
    if "safe" in layers:
        _shade_outside(pen, picture.size, _scaled(composition.safe, scale))
        _dashed(pen, _scaled(composition.safe, scale), INKS["safe"], stroke)
    if "product" in layers:
        pen.rectangle(_around(composition.product, scale, stroke), outline=INKS["product"], width=stroke)
    if "logo" in layers and composition.logo:
        pen.rectangle(_around(composition.logo, scale, stroke), outline=INKS["logo"], width=stroke)
    if "texts" in layers:
        for run in composition.texts:
            pen.rectangle(_around(run.box, scale, stroke), outline=INKS["texts"], width=stroke)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=88, method=2)
    return out.getvalue()


def _scaled(box: Box, scale: float) -> tuple[float, float, float, float]:
    return (
        box.left * scale,
        box.top * scale,
        max(box.right * scale - 1, box.left * scale),
        max(box.bottom * scale - 1, box.top * scale),
    )


def _around(box: Box, scale: float, stroke: int) -> tuple[float, float, float, float]:
    """The box widened by its own line, so that the line never covers what it frames."""
    left, top, right, bottom = _scaled(box, scale)
    return left - stroke, top - stroke, right + stroke, bottom + stroke


def _shade_outside(pen: ImageDraw.ImageDraw, size: tuple[int, int], box: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = box
    width, height = size
    bands = ((0, 0, width, top), (0, bottom, width, height), (0, top, left, bottom), (right, top, width, bottom))
    for band in bands:
        if band[2] - band[0] > 1 and band[3] - band[1] > 1:
            pen.rectangle(band, fill=(10, 14, 20, 110))


def _dashed(pen: ImageDraw.ImageDraw, box: tuple[float, float, float, float], colour: str, stroke: int) -> None:
    left, top, right, bottom = box
    dash = stroke * 6
    for x in range(int(left), int(right), dash * 2):
        for y in (top, bottom):
            pen.line((x, y, min(x + dash, right), y), fill=colour, width=stroke)
    for y0 in range(int(top), int(bottom), dash * 2):
        for x0 in (left, right):
            pen.line((x0, y0, x0, min(y0 + dash, bottom)), fill=colour, width=stroke)


def frame_words(placement: Placement) -> str:
    """What a screen reader says of a frame."""
    return f"{placement.title}: {placement.width} by {placement.height} pixels, with its safe area"


def frame_svg(placement: Placement, longest: float, side: int = 190) -> str:
    """A placement as a frame to scale, with its safe area dashed; ``longest`` is the longest side on the page."""
    scale = side / longest
    width, height = placement.width * scale, placement.height * scale
    left, top, right, bottom = (value * scale for value in placement.safe_area.box(placement.width, placement.height))
    label = escape(frame_words(placement))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 4:.0f}" height="{height + 4:.0f}" role="img" '
        f'aria-label="{label}"><rect x="2" y="2" width="{width:.1f}" height="{height:.1f}" rx="2" '
        f'fill="#8a8478" fill-opacity="0.16" stroke="#8a8478" stroke-width="1.5"/>'
        f'<rect x="{left + 2:.1f}" y="{top + 2:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
        f'fill="#4c8fcb" fill-opacity="0.14" stroke="#4c8fcb" stroke-width="1.5" stroke-dasharray="5 4"/></svg>'
    )
