"""Lines to rows: quoted cells, cells that span lines, and damaged lines told apart from whole ones."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from proofsheet.errors import InputError

MAX_SPAN_LINES = 200
MAX_SPAN_CHARACTERS = 65_536
_WORK_LIMIT = 50_000_000
_OPEN = "opens a quote that is never closed"

csv.field_size_limit(2_000_000)


class Row(NamedTuple):
    """One row: its first line in the file (1-based), its cells, its text, and what is wrong with it, if anything."""

    line: int
    cells: Sequence[str]
    raw: str
    damage: str = ""


def parse_line(text: str, separator: str) -> list[str] | str:
    """The cells of a line, or why it has none: an open quote, or text after a closing quote."""
    if '"' not in text:
        return text.split(separator)
    try:
        return next(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error as error:
        return _OPEN if "unexpected end" in str(error) else "has text after a closing quote"


def rows_of(lines: Sequence[str], separator: str, *, start: int, width: int) -> Iterator[Row]:
    """Yield every row from line index ``start`` on; blank lines are no rows.

    A quoted cell may span lines (at most ``MAX_SPAN_LINES``) if the joined row then has ``width`` cells; otherwise only
    the line with the open quote is damaged, and reading goes on with the next line.

    Raises:
        InputError: so many open quotes that the file cannot be read in reasonable time.
    """
    index, work = start, 0
    while index < len(lines):
        line = lines[index]
        if not line.strip():
            index += 1
            continue
        cells = parse_line(line, separator)
        used, text = 1, line
        if cells == _OPEN:
            joined, used, spent = _join(lines, index, separator)
            work += spent
            if work > _WORK_LIMIT:
                raise InputError(
                    f"Line {index + 1} and many before it open quotes that are not closed.",
                    "The file is damaged; export the report again.",
                )
            if isinstance(joined, list) and len(joined) == width:
                cells, text = joined, "\n".join(lines[index : index + used])
            else:
                used = 1
        if isinstance(cells, str):
            yield Row(index + 1, (), text, cells)
        else:
            yield Row(index + 1, cells, text)
        index += used


def _join(lines: Sequence[str], index: int, separator: str) -> tuple[list[str] | str, int, int]:
    """The row that begins at a line with an open quote: cells or damage, lines used, characters looked at."""
    text, spent = lines[index], len(lines[index])
    for following in range(index + 1, min(index + MAX_SPAN_LINES, len(lines))):
        text += "\n" + lines[following]
        if len(text) > MAX_SPAN_CHARACTERS:
            break
        spent += len(lines[following])
        if '"' not in lines[following]:
            continue
        spent += len(text)
        cells = parse_line(text, separator)
        if cells != _OPEN:
            return cells, following - index + 1, spent
    return _OPEN, 1, spent
