"""The chart of solvers, steps and guidance, drawn with Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from training.sampling import Way

_CELL, _HIGH, _LEFT, _TOP, _GAP = 74, 46, 64, 92, 40
_INK, _PALE, _MARK = (34, 34, 40), (120, 120, 130), (206, 62, 48)
_LOW, _FULL = (244, 240, 232), (38, 110, 98)


def draw_chart(ways: Sequence[Way], chosen: Way) -> Image.Image:
    """One table a solver, steps across and guidance down; deeper is better, the chosen way has a frame.

    Each cell says the share of pictures that show all that was asked, and the Fréchet distance below it.
    """
    solvers = list(dict.fromkeys(way.solver for way in ways))
    steps = sorted({way.steps for way in ways})
    scales = sorted({way.guidance for way in ways})
    wide = _LEFT + len(steps) * _CELL + _GAP
    columns = min(2, len(solvers))
    tall = _TOP + len(scales) * _HIGH + 22
    picture = Image.new("RGB", (wide * columns + 20, tall * -(-len(solvers) // columns) + 16), "white")
    pen = ImageDraw.Draw(picture)
    most, least = max(way.joint for way in ways), min(way.joint for way in ways)
    for place, name in enumerate(solvers):
        left, top = 20 + place % columns * wide, place // columns * tall
        pen.text((left, top + 18), name, _INK, _font(20))
        pen.text((left, top + 48), "guidance", _PALE, _font(13))
        pen.text((left + _LEFT, top + 48), "steps", _PALE, _font(13))
        for row, scale in enumerate(scales):
            pen.text((left + 14, top + _TOP + row * _HIGH + 14), f"{scale:g}", _INK, _font(15))
        for column, number in enumerate(steps):
            pen.text((left + _LEFT + column * _CELL + _CELL // 2, top + 78), str(number), _INK, _font(15), anchor="mm")
        for way in (way for way in ways if way.solver == name):
            x, y = left + _LEFT + steps.index(way.steps) * _CELL, top + _TOP + scales.index(way.guidance) * _HIGH
            _cell(pen, x, y, way, (way.joint - least) / max(most - least, 1e-9), way == chosen)
    return picture


def _cell(pen: ImageDraw.ImageDraw, x: int, y: int, way: Way, share: float, chosen: bool) -> None:
    low, full = _LOW, _FULL
    fill = tuple(round(one + (other - one) * share) for one, other in zip(low, full, strict=True))
    ink = "white" if share > 0.55 else _INK
    pen.rectangle((x + 1, y + 1, x + _CELL - 2, y + _HIGH - 2), fill, _MARK if chosen else None, 4 if chosen else 0)
    pen.text((x + _CELL // 2, y + 15), f"{way.joint:.0%}", ink, _font(16), anchor="mm")
    pen.text((x + _CELL // 2, y + 33), f"{way.frechet:.3f}", ink, _font(12), anchor="mm")


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
