"""Wording: forbidden words in a text, whole words only, whatever their case, width and invisible characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# Scripts written without spaces between words (Unicode Standard Annex 29): there a word may begin and end anywhere.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1a20-\u1aaf\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


def folded(text: str) -> str:
    """A text as it is compared: compatibility forms joined, case folded (ß is ss), nothing invisible, single spaces.

    After Unicode 16, section 3.13, "caseless matching" (D146).
    """
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    seen = "".join(char for char in once.casefold() if unicodedata.category(char) != "Cf")
    # The capital İ folds to i with a dot above of its own; readers see an i.
    return " ".join(unicodedata.normalize("NFC", seen.replace("i\u0307", "i")).split())


@lru_cache(maxsize=1024)
def _folded_word(word: str) -> str:
    return folded(word)


def forbidden_in(texts: Iterable[str], forbidden: Iterable[str]) -> tuple[str, ...]:
    """The forbidden words, as the brand kit writes them, that stand in one of the texts as whole words.

    A word ends where no letter, mark or digit follows: "cheap" is not found in "cheapest". Words of scripts that put no
    spaces between words are found wherever they stand. A line's end counts as a space.
    """
    looked_at = [folded(text) for text in texts]
    return tuple(word for word in forbidden if (key := _folded_word(word)) and any(_stands(key, t) for t in looked_at))


def _stands(word: str, text: str) -> bool:
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if _breaks(text[start - 1 : start], word[0], before=True) and _breaks(text[end : end + 1], word[-1]):
            return True
        start = text.find(word, start + 1)
    return False


def _breaks(neighbour: str, edge: str, *, before: bool = False) -> bool:
    """Whether a word may end between its own edge and a neighbouring character ("" at the end of the text)."""
    if not neighbour or not _is_part(edge):
        return True
    if not before and unicodedata.category(neighbour).startswith("M"):
        return False
    return not _is_part(neighbour) or bool(_UNSPACED.match(edge)) or bool(_UNSPACED.match(neighbour))


def _is_part(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"
