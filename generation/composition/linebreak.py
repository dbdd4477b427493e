"""Where a headline may break, and every way to break it into a few lines."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

_CLOSING = set("、。，．！？：；」』）】〉》…ー々,.!?:;)]}%")
_OPENING = set("「『（【〈《([{")
_UNIT = re.compile(r"^(%|‰|€|\$|£|kr|zł|Kč|ml|cl|l|kg|g|cm|mm|km|h|min|Uhr)[.,!?…]?$")
_MOST_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Token:
    """A piece that is never broken, and what joins it to the piece before: ``" "``, ``""``, ``"-"`` or a new line."""

    text: str
    joint: str


def tokens(text: str) -> list[Token]:
    """The unbreakable pieces of a text.

    Breaks are allowed at white space (not before a unit such as ``%``), between East Asian characters save before
    closing and after opening punctuation, at soft hyphens, and are forced at line ends given by the writer.
    """
    pieces: list[Token] = []
    for number, line in enumerate(text.strip().splitlines()):
        for index, word in enumerate(line.split(" ")):
            if not word:
                continue
            joint = "\n" if number and not index else " "
            if pieces and joint == " " and pieces[-1].text[-1].isdigit() and _UNIT.match(word):
                pieces[-1] = Token(f"{pieces[-1].text}\u00a0{word}", pieces[-1].joint)
                continue
            pieces += _pieces_of_word(word, joint)
    return pieces


def _pieces_of_word(word: str, joint: str) -> list[Token]:
    pieces: list[Token] = []
    for index, part in enumerate(word.split("\u00ad")):
        current, first = "", True
        for character in part:
            breakable = current and (_is_cjk(character) or _is_cjk(current[-1]))
            if breakable and character not in _CLOSING and current[-1] not in _OPENING:
                pieces.append(Token(current, (joint if not index else "-") if first else ""))
                current, first = "", False
            current += character
        if current:
            pieces.append(Token(current, (joint if not index else "-") if first else ""))
    return pieces


def _is_cjk(character: str) -> bool:
    code = ord(character)
    return 0x2E80 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF or 0xF900 <= code <= 0xFAFF or 0xFF00 <= code <= 0xFF60


def breakings(text: str, most: int) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every way to set a text in 1 to ``most`` lines, each with a penalty for awkward breaks (0 is none)."""
    pieces = tokens(text)
    if not pieces:
        return
    forced = {index for index, piece in enumerate(pieces) if piece.joint == "\n"}
    open_places = [index for index in range(1, len(pieces)) if index not in forced]
    if len(open_places) > _MOST_TOKENS * 2:
        open_places = [index for index in open_places if index % (len(open_places) // _MOST_TOKENS + 1) == 0]
    for extra in range(max(most - len(forced), 1)):
        for chosen in itertools.combinations(open_places, extra):
            places = sorted({*chosen, *forced})
            starts, ends = [0, *places], [*places, len(pieces)]
            lines = tuple(_joined(pieces, start, end) for start, end in zip(starts, ends, strict=True))
            yield lines, sum(_penalty(pieces, place) for place in chosen)


def _joined(pieces: list[Token], start: int, end: int) -> str:
    line = pieces[start].text
    for piece in pieces[start + 1 : end]:
        line += (" " if piece.joint == " " else "") + piece.text
    return line + ("-" if end < len(pieces) and pieces[end].joint == "-" else "")


def _penalty(pieces: list[Token], place: int) -> float:
    before = pieces[place - 1].text
    if pieces[place].joint == "-":
        return 0.12
    if before[-1] in ",.;:!?—–…":
        return -0.07
    return 0.05 if len(before) <= 3 and before[-1].isalpha() and pieces[place].joint == " " else 0.0
