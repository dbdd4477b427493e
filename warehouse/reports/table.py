"""A report's table: where its header stands, how its cells are parted, and its rows, read as often as needed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proofsheet.errors import InputError
from warehouse.reports.decoding import decode, is_workbook, read_file
from warehouse.reports.headers import header_key, looks_like_header
from warehouse.reports.parquet import MAGIC, read_parquet
from warehouse.reports.rows import Row, parse_line, rows_of
from warehouse.reports.workbook import read_workbook

SEPARATORS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_SAMPLE = 60
_RAW_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file understood as a table, before anyone says what its columns mean.

    ``kind`` is ``csv``, ``xlsx`` or ``parquet``; ``separator`` a name of ``SEPARATORS``, empty where cells are typed;
    ``preamble`` the lines above the header; ``header_line`` counts lines (or sheet rows) from 1.
    """

    file_name: str
    size: int
    sha256: str
    kind: str
    encoding: str
    line_ends: str
    separator: str
    sheet: str
    preamble: tuple[str, ...]
    header: tuple[str, ...]
    header_line: int
    notes: tuple[str, ...]
    source: Callable[[], Iterator[Row]]

    def rows(self) -> Iterator[Row]:
        """Every row below the header. A row of another width than the header is damaged, unless only empty cells are
        too many."""
        width = len(self.header)
        for row in self.source():
            if row.damage or len(row.cells) == width:
                yield row
            elif len(row.cells) > width and not any(cell.strip() for cell in row.cells[width:]):
                yield Row(row.line, row.cells[:width], row.raw)
            else:
                yield Row(row.line, (), row.raw, f"has {len(row.cells)} cells where the header has {width}")


def shown(raw: str) -> str:
    """A row's text, shortened for keeping with a reject."""
    return raw if len(raw) <= _RAW_LIMIT else raw[:_RAW_LIMIT] + "…"


def open_table(path: Path, known: Callable[[str], int], options: Mapping[str, str]) -> Table:
    """Read a file as a table.

    Args:
        path: a CSV, TSV or other separated text, an .xlsx workbook, or a Parquet file.
        known: how much a header key (see ``header_key``) is known: 0 for unknown texts.
        options: the user's answers; ``encoding``, ``separator`` and ``sheet`` matter here.

    Raises:
        InputError: not a table: empty, binary, one column, header without rows, or parted in two possible ways.
    """
    data = read_file(path)
    if data.startswith(MAGIC):
        table = _grid(path, data, "parquet", "", read_parquet(data, name=path.name), known)
    elif is_workbook(data):
        sheet, grid = read_workbook(data, name=path.name, wanted=options.get("sheet", ""))
        table = _grid(path, data, "xlsx", sheet, grid, known)
    else:
        table = _text(path, data, known, options)
    if next(table.source(), None) is None:
        raise InputError(
            f"{path.name} holds a header (line {table.header_line}) and no rows.",
            "Export the report for a period with delivery.",
        )
    return table


def _text(path: Path, data: bytes, known: Callable[[str], int], options: Mapping[str, str]) -> Table:
    text = decode(data, name=path.name, encoding=options.get("encoding", ""))
    first = next((number for number, line in enumerate(text.lines) if line.strip()), 0)
    wanted, lines = options.get("separator", ""), text.lines
    if lines[first].strip().lower().startswith("sep=") and len(lines[first].strip()) <= 5:
        wanted = wanted or _name_of(lines[first].strip()[4:] or "\t")
        lines = tuple("" if number == first else line for number, line in enumerate(lines))
    name, index, header = _find_header(path.name, lines, known, wanted)
    mark, width = SEPARATORS[name], len(header)
    return Table(
        file_name=path.name,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        kind="csv",
        encoding=text.encoding,
        line_ends=text.line_ends,
        separator=name,
        sheet="",
        preamble=tuple(line for line in text.lines[:index] if line.strip()),
        header=header,
        header_line=index + 1,
        notes=text.notes,
        source=lambda: rows_of(lines, mark, start=index + 1, width=width),
    )


def _name_of(mark: str) -> str:
    return next((name for name, known in SEPARATORS.items() if known == mark), "")


@dataclass(frozen=True, slots=True)
class _Candidate:
    name: str
    index: int
    header: tuple[str, ...]
    known: int
    share: float


def _find_header(
    file_name: str, lines: Sequence[str], known: Callable[[str], int], wanted: str
) -> tuple[str, int, tuple[str, ...]]:
    if wanted and wanted not in SEPARATORS:
        raise InputError(f"There is no separator named {wanted!r}.", f"Known: {', '.join(SEPARATORS)}.")
    names = [wanted] if wanted else list(SEPARATORS)
    found = [candidate for name in names if (candidate := _candidate(lines, name, known)) is not None]
    if not found:
        raise InputError(
            f"{file_name} is not a table: no line of column names, parted by comma, semicolon, tab or pipe.",
            "Export the report as CSV with its header, and with at least two columns.",
        )
    found.sort(key=lambda item: (item.known, item.share * len(item.header)), reverse=True)
    best = found[0]
    if len(found) > 1 and found[1].known == best.known and found[1].share > 0.9 and best.share > 0.9:
        raise InputError(
            f"{file_name} can be parted by {best.name} or by {found[1].name}: both give even rows.",
            f"Say which: --option separator={best.name} or --option separator={found[1].name}.",
        )
    return best.name, best.index, best.header


def _candidate(lines: Sequence[str], name: str, known: Callable[[str], int]) -> _Candidate | None:
    """The header that a separator would give, with the share of sampled lines as wide as it."""
    mark = SEPARATORS[name]
    sample: list[tuple[int, list[str]]] = []
    for index, line in enumerate(lines[: 5 * _SAMPLE]):
        if line.strip() and len(sample) < _SAMPLE:
            cells = parse_line(line, mark)
            sample.append((index, cells if isinstance(cells, list) else [line]))
    index, header, score = pick_header(sample, known)
    if not header:
        return None
    after = [cells for number, cells in sample if number > index]
    even = sum(len(cells) == len(header) for cells in after)
    return _Candidate(name, index, header, score, even / len(after) if after else 1.0)


def pick_header(
    sample: Sequence[tuple[int, Sequence[str]]], known: Callable[[str], int]
) -> tuple[int, tuple[str, ...], int]:
    """The header among sampled rows: the one with most known names (two at least), else the first of the usual width.

    Returns:
        its index, its cells (none where no row can be a header) and how many of its names are known.
    """
    scored = [(sum(known(header_key(cell)) for cell in cells if cell.strip()), -index) for index, cells in sample]
    best, negative = max(scored, default=(0, 0))
    by_index = dict(sample)
    if best >= 2:
        return -negative, _trimmed(by_index[-negative]), best
    widths = Counter(len(cells) for _, cells in sample if len(cells) > 1)
    if not widths:
        return 0, (), 0
    usual = max(widths, key=lambda width: (widths[width], width))
    for index, cells in sample:
        if len(cells) == usual:
            return (index, _trimmed(cells), best) if looks_like_header(cells) else (0, (), 0)
    return 0, (), 0


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    trimmed = [cell.strip() for cell in cells]
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    return tuple(trimmed)


def _grid(
    path: Path, data: bytes, kind: str, sheet: str, grid: Sequence[Sequence[str]], known: Callable[[str], int]
) -> Table:
    filled = [(index, cells) for index, cells in enumerate(grid[: 5 * _SAMPLE]) if any(cells)][:_SAMPLE]
    index, header, _ = pick_header([(number, _trimmed(cells)) for number, cells in filled], known)
    if not header:
        raise InputError(
            f"{path.name}{f', sheet {sheet!r},' if sheet else ''} is not a table: no row with column names was found.",
            "Export the report again, with its header.",
        )
    return Table(
        file_name=path.name,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        kind=kind,
        encoding="typed cells",
        line_ends="",
        separator="",
        sheet=sheet,
        preamble=tuple("\t".join(_trimmed(cells)) for cells in grid[:index] if any(cells)),
        header=header,
        header_line=index + 1,
        notes=(),
        source=lambda: _grid_rows(grid, index + 1, len(header)),
    )


def _grid_rows(grid: Sequence[Sequence[str]], start: int, width: int) -> Iterator[Row]:
    for index in range(start, len(grid)):
        cells = list(grid[index])
        if any(cells):
            while len(cells) > width and not cells[-1]:
                cells.pop()
            yield Row(index + 1, cells + [""] * (width - len(cells)), "\t".join(cells))
