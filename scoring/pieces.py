"""Long texts for models that read short ones: in pieces, so that nothing is cut off in silence."""

from __future__ import annotations

import re
from collections.abc import Callable

_JOINTS = (re.compile(r",\s+"), re.compile(r"\s+(?=and |with |while |but )"), re.compile(r"\s+"))


def split_to_fit(text: str, fits: Callable[[str], bool]) -> tuple[str, ...]:
    """The text in as many pieces as a model's context needs, so that nothing is cut off.

    Each cut is made nearest to the middle: at a comma, else before a joining word, else between words. A single word
    that does not fit stays whole.
    """
    if fits(text):
        return (text,)
    for joint in _JOINTS:
        cuts = [match for match in joint.finditer(text) if match.start() > 0 and match.end() < len(text)]
        if cuts:
            middle = min(cuts, key=lambda match: abs(match.start() + match.end() - len(text)))
            halves = text[: middle.start()], text[middle.end() :]
            return tuple(piece for half in halves for piece in split_to_fit(half, fits))
    return (text,)
