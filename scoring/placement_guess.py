"""Guesses which placement a picture of unknown purpose was made for: by its name, its size, its shape."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from proofsheet.domain.campaign import Placement, SafeArea

_SAME_RATIO = 0.01  # as near as the shape must be to that of a placement
_SHORTEST_NAME = 3  # a platform called "x" is found in too many paths


@dataclass(frozen=True, slots=True)
class PlacementGuess:
    """The placement, or None where no known one has this shape; ``why`` says what it was told by."""

    placement: Placement | None
    why: str


def guess_placement(width: int, height: int, path: str, placements: Sequence[Placement]) -> PlacementGuess:
    """The placement named in the path; else that of this size; else the nearest of this shape; else none.

    Of several placements of one size, that of a platform named in the path is taken, else the first; ``why`` names the
    others, as their limits of bytes and wording differ.
    """
    words = _words(path)
    named = [one for one in placements if f"_{_words(one.name)}_" in f"_{words}_"]
    if named:
        return PlacementGuess(max(named, key=lambda one: len(one.name)), "named in its path")
    exact = [one for one in placements if (one.width, one.height) == (width, height)]
    if exact:
        return _of_several(exact, words, "its size")
    ratio = width / height
    alike = [one for one in placements if abs(ratio / one.ratio - 1) <= _SAME_RATIO]
    if alike:
        nearest = min(abs(math.log(width / one.width)) for one in alike)
        near = [one for one in alike if abs(math.log(width / one.width)) == nearest]
        return _of_several(near, words, f"its shape {ratio:.2f}:1, at another size")
    return PlacementGuess(None, f"no known placement has the shape {ratio:.2f}:1")


def _of_several(found: Sequence[Placement], words: str, by: str) -> PlacementGuess:
    told = [one for one in found if len(one.platform) >= _SHORTEST_NAME and f"_{one.platform}_" in f"_{words}_"]
    chosen = (told or found)[0]
    others = [one.title for one in found if one is not chosen]
    platform = f" and {chosen.platform} in its path" if told and others else ""
    same = f"; so have {', '.join(others)}" if others and not told else ""
    return PlacementGuess(chosen, f"by {by}{platform}{same}")


def _words(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def no_placement(width: int, height: int) -> Placement:
    """What stands for a placement where none is known: it asks for nothing, and is not to be judged by."""
    return Placement(
        name="",
        platform="",
        title="no known placement",
        width=max(1, width),
        height=max(1, height),
        safe_area=SafeArea(),
        max_bytes=1 << 62,
        formats=("jpeg", "png", "webp", "gif"),
    )
