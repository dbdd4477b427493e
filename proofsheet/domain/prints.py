"""Prints: how each composed element looked at a few hundred points when it was drawn, to be found again later."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable
from dataclasses import dataclass

_POINT = struct.Struct("<HHBBB")

#: x and y from the picture's corner, in pixels, and the red, green and blue found there.
Point = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """An element's looks at points of it, taken from what was composed; compared with a finished picture it tells
    what has been covered, cut or repainted since.

    ``side`` is the side in pixels of the square from a point to the right and down whose mean colour is meant; such
    squares are cells of one grid.
    ``drawn`` are points of the element itself, ``around`` those of the ground between its strokes; both are packed,
    seven bytes a point, in base64.
    """

    role: str  # "product" | "logo" | a text's role
    side: int
    drawn: str
    around: str = ""

    @property
    def drawn_points(self) -> tuple[Point, ...]:
        """The element's own points."""
        return unpack_points(self.drawn)

    @property
    def around_points(self) -> tuple[Point, ...]:
        """Points of the ground that shows between its strokes."""
        return unpack_points(self.around)


def pack_points(points: Iterable[Point]) -> str:
    """Points as text, seven bytes each in base64."""
    return base64.b64encode(b"".join(_POINT.pack(*point) for point in points)).decode("ascii")


def unpack_points(text: str) -> tuple[Point, ...]:
    """The points again."""
    return tuple(_POINT.iter_unpack(base64.b64decode(text)))
