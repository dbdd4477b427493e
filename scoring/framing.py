"""Framing: square views of a picture of any shape for models that take squares, with nothing cropped away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

#: Names this way of framing; embeddings made with another one are not comparable.
FRAMING = "whole-padded+tiles/2"
_MAX_TILES = 5
_TILES_FROM = 1.3  # aspect ratio from which the padded whole is joined by tiles along the long side


def frames(image: Image, side: int) -> tuple[Image, ...]:
    """Square views that together show the whole picture: padded to a square, and tiles along the long side.

    Nothing is ever cropped away: a long banner is seen whole but small, and again in overlapping tiles at full height
    (or width). At most five tiles; those of a very long picture take in more of it and are squeezed to squares.
    """
    from PIL import Image as Pillow

    rgb = image.convert("RGB")
    width, height = rgb.size
    longest = max(width, height)
    scaled = rgb.resize(
        (max(1, round(width * side / longest)), max(1, round(height * side / longest))), Pillow.Resampling.BICUBIC
    )
    fill = tuple(int(value) for value in np.asarray(scaled.resize((1, 1), Pillow.Resampling.BOX)).reshape(3))
    whole = Pillow.new("RGB", (side, side), fill)
    whole.paste(scaled, ((side - scaled.width) // 2, (side - scaled.height) // 2))
    ratio = longest / min(width, height)
    if ratio < _TILES_FROM:
        return (whole,)
    count = min(_MAX_TILES, math.ceil(ratio))
    extent = max(min(width, height), math.ceil(longest / count))
    starts = [round(i * (longest - extent) / (count - 1)) for i in range(count)]
    boxes = [(s, 0, s + extent, height) if width >= height else (0, s, width, s + extent) for s in starts]
    tiles = tuple(rgb.resize((side, side), Pillow.Resampling.BICUBIC, box=box) for box in boxes)
    return (whole, *tiles)
