"""Any table a person has on disk, as columns: CSV, TSV, Excel and Parquet, with nothing guessed in silence.

Text files are decoded and split by our own rules (``warehouse.reports``); the header is the first line that names the
columns asked for, so that title lines above it do no harm. Cells stay text here; ``warehouse.tables`` types them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.domain.facts import Reject
from proofsheet.errors import InputError, NotFoundError
from warehouse.arrays import texts
from warehouse.reports.decoding import decode, is_workbook, read_file
from warehouse.reports.headers import header_key, nearest
from warehouse.reports.rows import parse_line, rows_of

if TYPE_CHECKING:
    import pyarrow

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}

#: How far down the header may stand.
HEADER_WITHIN = 40

#: Rejected rows are all counted; this many are listed.
LISTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """A file's table: the columns asked for, and how it was read.

    ``cells`` holds a column as Arrow text, or in its own type where the file has types (Parquet). ``lines`` gives the
    line, sheet row or Parquet row (1-based) of each row; ``damaged`` the rows that are none, ``damaged_count`` of them.
    """

    name: str
    kind: str  # "text" | "workbook" | "parquet"
    columns: tuple[str, ...]
    cells: dict[str, pyarrow.Array]
    lines: Sequence[int]
    raw: Callable[[int], str]
    damaged: tuple[Reject, ...] = ()
    damaged_count: int = 0
    header_line: int = 0
    encoding: str = ""
    separator: str = ""
    line_ends: str = ""
    sheet: str = ""
    notes: tuple[str, ...] = ()


def open_table_file(path: Path, wanted: Sequence[str], *, sheet: str = "", encoding: str = "") -> TableFile:
    """Read the columns asked for; a name that differs only in case, spaces or underscores will do.

    Raises:
        NotFoundError: there is no such file.
        InputError: it is no table, or lacks a column; the message lists its columns and the nearest.
    """
    if not path.exists():
        raise NotFoundError(f"There is no file {str(path)!r}.", "Check the path.")
    if path.is_file() and _begins_with(path, b"PAR1"):
        return _parquet(path, wanted)
    data = read_file(path)
    if is_workbook(data):
        return _workbook(path, data, wanted, sheet)
    return _text(path, data, wanted, encoding)


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def pick_columns(name: str, columns: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where the wanted columns stand.

    Raises:
        InputError: one is missing, or fits several columns.
    """
    return [_pick(name, columns, one) for one in wanted]


def _pick(name: str, columns: Sequence[str], wanted: str) -> int:
    exact = [place for place, column in enumerate(columns) if column == wanted]
    alike = exact or [place for place, column in enumerate(columns) if header_key(column) == header_key(wanted)]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise InputError(
            f"{name} has {len(alike)} columns named {wanted!r}.",
            "Rename all but one, so that it is clear which is meant.",
        )
    filled = [column for column in columns if column]
    raise InputError(
        f"{name} has no column {wanted!r}. Its columns: {', '.join(filled) or 'none'}.", nearest(wanted, filled)
    )


def _has_all(columns: Sequence[str], wanted: Sequence[str]) -> bool:
    keys = {header_key(column) for column in columns}
    return all(header_key(one) in keys for one in wanted)


def _text(path: Path, data: bytes, wanted: Sequence[str], encoding: str) -> TableFile:
    decoded = decode(data, name=path.name, encoding=encoding)
    lines = decoded.lines
    place, separator, header = _find_header(lines, wanted)
    picked = pick_columns(path.name, header, wanted)
    rows: list[Sequence[str]] = []
    kept: list[int] = []
    damaged: list[Reject] = []
    damaged_count = 0
    for line, cells, damage in _rows(lines, separator, place + 1, len(header)):
        problem = damage or ("" if len(cells) == len(header) else _misfit(cells, len(header)))
        if not problem:
            kept.append(line)
            rows.append(cells)
            continue
        damaged_count += 1
        if len(damaged) < LISTED:
            damaged.append(Reject(line=line, column="", value="", reason=problem, raw=lines[line - 1][:500]))
    return TableFile(
        name=path.name,
        kind="text",
        columns=tuple(header),
        cells=_as_text(wanted, [[cells[index] for cells in rows] for index in picked]),
        lines=kept,
        raw=lambda line: lines[line - 1][:500],
        damaged=tuple(damaged),
        damaged_count=damaged_count,
        header_line=place + 1,
        encoding=decoded.encoding,
        separator=SEPARATORS[separator],
        line_ends=decoded.line_ends,
        notes=("Not UTF-8, so it was read as Windows-1252.",) if decoded.notes else (),
    )


def _rows(lines: Sequence[str], separator: str, start: int, width: int) -> Iterator[tuple[int, Sequence[str], str]]:
    """The line, cells and damage of each row; a file without a quote needs no more than splitting."""
    if any('"' in line for line in lines):
        for row in rows_of(lines, separator, start=start, width=width):
            yield row.line, row.cells, row.damage
        return
    for number in range(start, len(lines)):
        line = lines[number]
        if line and not line.isspace():
            yield number + 1, line.split(separator), ""


def _find_header(lines: Sequence[str], wanted: Sequence[str]) -> tuple[int, str, list[str]]:
    """The first line that names all columns asked for; else the first line that is not blank."""
    first: tuple[int, str, list[str]] | None = None
    for place, line in enumerate(lines[:HEADER_WITHIN]):
        if not line.strip() or line.lower().startswith("sep="):
            continue
        split = {mark: _cells(line, mark) for mark in SEPARATORS}
        for mark, header in split.items():
            if _has_all(header, wanted):
                return place, mark, header
        if first is None:
            mark = max(split, key=lambda one: len(split[one]))
            first = place, mark, split[mark]
    return first or (0, ",", [])


def _cells(line: str, separator: str) -> list[str]:
    cells = parse_line(line, separator)
    return [cell.strip() for cell in cells] if isinstance(cells, list) else []


def _misfit(cells: Sequence[str], width: int) -> str:
    if len(cells) == width or (len(cells) > width and not any(cell.strip() for cell in cells[width:])):
        return ""
    return f"has {len(cells)} cells where the header has {width}"


def _workbook(path: Path, data: bytes, wanted: Sequence[str], sheet: str) -> TableFile:
    from warehouse.reports.workbook import read_workbook

    chosen, grid = read_workbook(data, name=path.name, wanted=sheet)
    named = [[cell.strip() for cell in row] for row in grid[:HEADER_WITHIN]]
    filled = [place for place, row in enumerate(named) if any(row)]
    place = next((one for one in filled if _has_all(named[one], wanted)), filled[0] if filled else 0)
    header = named[place] if named else []
    picked = pick_columns(path.name, header, wanted)
    rows = [number for number in range(place + 1, len(grid)) if any(cell.strip() for cell in grid[number])]
    return TableFile(
        name=path.name,
        kind="workbook",
        columns=tuple(header),
        cells=_as_text(wanted, [[grid[number][index] for number in rows] for index in picked]),
        lines=[number + 1 for number in rows],
        raw=lambda line: ", ".join(grid[line - 1])[:500],
        header_line=place + 1,
        sheet=chosen,
    )


def _parquet(path: Path, wanted: Sequence[str]) -> TableFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        columns = tuple(file.schema_arrow.names)
        picked = [columns[index] for index in pick_columns(path.name, columns, wanted)]
        table = file.read(columns=list(dict.fromkeys(picked)))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path.name} cannot be read as Parquet: {error}.", "Write the file again.") from error
    return TableFile(
        name=path.name,
        kind="parquet",
        columns=columns,
        cells={asked: table.column(column).combine_chunks() for asked, column in zip(wanted, picked, strict=True)},
        lines=range(1, table.num_rows + 1),
        raw=lambda line: ", ".join(str(table.column(name)[line - 1].as_py()) for name in table.column_names)[:500],
    )


def _as_text(wanted: Sequence[str], cells: Sequence[Sequence[str]]) -> dict[str, pyarrow.Array]:
    return {name: texts(column) for name, column in zip(wanted, cells, strict=True)}
