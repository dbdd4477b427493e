"""Header texts: one form for comparing, and the currency some carry."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

_CURRENCY = re.compile(r"\s*[(\[]((?!ALL)[A-Z]{3})[)\]]\s*$")
_SPACE = re.compile(r"\s+")


@lru_cache(maxsize=10_000)
def header_key(text: str) -> str:
    """A header without case, doubled space, underscores, typographic quotes and trailing currency."""
    plain = unicodedata.normalize("NFKC", _CURRENCY.sub("", text.strip()))
    return _SPACE.sub(" ", plain.replace("’", "'").replace("_", " ")).strip().casefold()


def header_currency(text: str) -> str:
    """The currency code at the end of a header such as ``Amount spent (USD)`` or ``Spend [USD]``; else empty."""
    match = _CURRENCY.search(text.strip())
    return match[1] if match else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint: the known names most like this one, or all of them when none is alike."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return (
        ("Did you mean " + " or ".join(repr(item) for item in close) + "?")
        if close
        else "Known: " + ", ".join(names) + "."
    )


def looks_like_header(cells: Sequence[str]) -> bool:
    """Whether cells could name columns: all but trailing ones filled, and none of them a number."""
    filled = [cell.strip() for cell in cells]
    while filled and not filled[-1]:
        filled.pop()
    return bool(filled) and all(
        cell and not cell.replace(".", "").replace(",", "").lstrip("+-").isdigit() for cell in filled
    )
