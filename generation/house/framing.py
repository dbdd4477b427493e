"""How a picture of any shape is taken from one of the few that the house model draws.

The model was taught four shapes, a few words for where the stand is, and a few for how near it is. For a recipe this
chooses the nearest shape, and the words and the crop that bring the stand nearest to where the layout wants it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Where the stand is across the picture (share of its width), by word.
ACROSS: Mapping[str, float] = {"far-left": 0.075, "left": 0.27, "middle": 0.5, "right": 0.735, "far-right": 0.935}
#: How far down its foot is (share of the height).
DOWN: Mapping[str, float] = {"high": 0.53, "raised": 0.63, "low": 0.75, "bottom": 0.885}
#: From what share of the width on the stand's own width is called so.
DISTANCES: Mapping[str, float] = {"distant": 0.0, "far": 0.185, "near": 0.345}

#: The size in pixels of the large picture that backdrops are taught by, the foot of its stand and the stand's width.
MASTER, FOOT, UNIT = (800, 448), (400.0, 296.0), 64.0
#: How wide a stand is that is said to be so near, as a share of the picture's width.
NEARNESS: Mapping[str, float] = {"distant": 0.168, "far": 0.235, "near": 0.47}

_SIDES = {"left": 0.25, "middle": 0.45, "right": 0.3}
_SHIFT = 0.012  # of the width, to either side
_MOST_ZOOM, _ZOOM_STEP = 1.12, 0.02
_NEAR_ENOUGH = 0.012  # of the width: a stand this close to its place needs no closer crop
_DOWN_MEANS = 0.02  # of the height: a stand this close to its height needs no other word


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape the model was taught: its size in pixels, and the words that pictures of this shape were taught with.

    How often each word was said of such a picture stands beside it; the shares of a kind of words are 1 together.
    """

    width: int
    height: int
    across: Mapping[str, float]
    down: Mapping[str, float]
    distances: Mapping[str, float]


SHAPES: Mapping[str, Shape] = {
    "square": Shape(128, 128, _SIDES, {"high": 0.2, "low": 0.3, "bottom": 0.5}, {"far": 0.45, "near": 0.55}),
    "tall": Shape(96, 160, _SIDES, {"high": 0.18, "raised": 0.5, "low": 0.17, "bottom": 0.15}, {"near": 1.0}),
    "wide": Shape(192, 96, _SIDES, {"low": 0.1, "bottom": 0.9}, {"far": 1.0}),
    "strip": Shape(
        256,
        64,
        {"far-left": 0.2, "left": 0.2, "middle": 0.15, "right": 0.2, "far-right": 0.25},
        {"bottom": 1.0},
        {"distant": 0.5, "far": 0.5},
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is drawn and which part of it is kept.

    ``shape`` names the shape; ``width`` and ``height`` are drawn, ``box`` (left, top, right, bottom) is kept of it, all
    in the model's pixels. ``across``, ``down`` and ``distance`` are the words for the stand in the drawn picture.
    """

    shape: str
    width: int
    height: int
    box: tuple[int, int, int, int]
    across: str
    down: str
    distance: str


def shape_of(ratio: float) -> str:
    """The name of the shape nearest to a ratio of width to height."""
    return min(SHAPES, key=lambda one: abs(math.log(ratio * SHAPES[one].height / SHAPES[one].width)))


def part_of_master(x: float, y: float, share: float, shape: float) -> tuple[float, float, float, float]:
    """The part (left, top, right, bottom, in pixels) of the large picture that shows the stand so; never beyond it.

    Args:
        x, y: where the stand's foot is in the part, as shares of its width and height.
        share: how wide the stand is, of the part's width; less where the large picture ends before.
        shape: of the part, width over height.
    """
    left, top, right, bottom = (
        FOOT[0] / x,
        FOOT[1] / y,
        (MASTER[0] - FOOT[0]) / (1 - x),
        (MASTER[1] - FOOT[1]) / (1 - y),
    )
    wide = min(UNIT / share, left, right, min(top, bottom) * shape)
    high = wide / shape
    return FOOT[0] - x * wide, FOOT[1] - y * high, FOOT[0] + (1 - x) * wide, FOOT[1] + (1 - y) * high


def stand_at(across: str, down: str, distance: str, chance: float) -> tuple[float, float, float]:
    """Where the stand of a taught picture is: across, down and its width, as shares; ``chance`` (0–1) shifts it."""
    return ACROSS[across] + (chance - 0.5) * 2 * _SHIFT, DOWN[down], NEARNESS[distance]


def frame_for(width: int, height: int, stand: tuple[float, float, float]) -> Frame:
    """The frame for a picture of a size in pixels whose stand is at (x, y) and so wide, as shares of that picture.

    The kept part has the picture's ratio (to a pixel of the model's) and holds the whole foot of the stand.
    """
    ratio = width / height
    name = shape_of(ratio)
    shape = SHAPES[name]
    drawn = shape.width / shape.height
    kept_x, kept_y = min(1.0, ratio / drawn), min(1.0, drawn / ratio)
    x, y = (min(max(value, 0.0), 1.0) for value in stand[:2])
    best: tuple[float, float, tuple[str, float], tuple[str, float]] | None = None
    for step in range(round((_MOST_ZOOM - 1) / _ZOOM_STEP) + 1):
        zoom = 1 + step * _ZOOM_STEP
        across = _nearest({word: ACROSS[word] for word in shape.across}, x, kept_x / zoom, 0.0)
        down = _nearest({word: DOWN[word] for word in shape.down}, y, kept_y / zoom, _DOWN_MEANS)
        miss = across[2] + down[2]
        if best is None or miss < best[0] - _NEAR_ENOUGH:
            best = (miss, zoom, across[:2], down[:2])
    assert best is not None
    _, zoom, (across_word, left), (down_word, top) = best
    share_x, share_y = kept_x / zoom, kept_y / zoom
    first_column, last_column = _span(left, share_x, shape.width)
    first_row, last_row = _span(top, share_y, shape.height)
    return Frame(
        shape=name,
        width=shape.width,
        height=shape.height,
        box=(first_column, first_row, last_column, last_row),
        across=across_word,
        down=down_word,
        distance=_distance(stand[2] * share_x, shape.distances),
    )


def _nearest(words: Mapping[str, float], place: float, kept: float, means: float) -> tuple[str, float, float]:
    """The word, where the kept part begins, and by how much the stand misses its place (shares of the kept part).

    Args:
        words: where each word's stand is in the drawn picture.
        place: where the stand shall be in the kept part.
        kept: the share of the drawn picture that is kept.
        means: how far from its middle a word's stand may be and still be what the word means.
    """
    found = []
    for word, at in words.items():
        begin = min(max(at - kept * place, 0.0), 1 - kept)
        miss = max(0.0, abs((at - begin) / kept - place) - means)
        found.append((round(miss, 6), abs(at - place), word, begin))
    miss, _, word, begin = min(found)
    return word, begin, miss


def _span(begin: float, share: float, pixels: int) -> tuple[int, int]:
    length = max(1, round(share * pixels))
    first = min(max(round(begin * pixels), 0), pixels - length)
    return first, first + length


def _distance(share: float, taught: Iterable[str]) -> str:
    """The word for a stand of this share of the drawn width: the nearest of those that the shape was taught."""
    words = list(DISTANCES)
    meant = max((word for word in words if share >= DISTANCES[word]), key=words.index, default=words[0])
    return min(taught, key=lambda word: abs(words.index(word) - words.index(meant)))
