"""A table from wherever it is: a file, or in memory as pandas, Polars, Arrow or a relation of DuckDB.

What is in memory comes by the Arrow PyCapsule interface (https://arrow.apache.org/docs/format/CDataInterface/
PyCapsuleInterface.html), which all of them speak; none of their libraries is imported here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofsheet.errors import InputError, ProofsheetError
from warehouse.arrays import texts
from warehouse.table_files import TableFile, open_table_file, pick_columns

if TYPE_CHECKING:
    import pyarrow

#: A file's path, or anything that ``open_source`` knows as a table.
Table = Any

NAME = "the table"


def open_source(source: Table, wanted: Sequence[str], *, sheet: str = "", encoding: str = "") -> TableFile:
    """The columns asked for, from a file or from a table in memory.

    Args:
        source: a path; a pandas or Polars frame (a lazy one is collected), an Arrow table or whatever speaks the Arrow
            PyCapsule interface, such as a relation of DuckDB; or a mapping of columns.
        wanted: the columns; in memory as in a file a name that differs only in case, spaces or underscores will do.
        sheet, encoding: of files.

    Raises:
        NotFoundError: there is no such file.
        InputError: it is no table, or lacks a column.
    """
    if isinstance(source, str | os.PathLike):
        return open_table_file(Path(source), wanted, sheet=sheet, encoding=encoding)
    with readable():
        if not hasattr(source, "__arrow_c_stream__") and hasattr(source, "collect"):
            source = source.collect()
        columns, take = _columns_of(source)
        picked = pick_columns(NAME, columns, wanted)
        cells = take(picked)
    _refuse_nested(dict(zip(wanted, cells, strict=True)))
    sizes = {len(one) for one in cells}
    if len(sizes) > 1:
        raise InputError("The columns of the table do not have one length.", "Give every column one value per row.")
    by_name = dict(zip(wanted, cells, strict=True))
    return TableFile(
        name=NAME,
        kind="table",
        columns=tuple(columns),
        cells=by_name,
        lines=range(1, max(sizes, default=0) + 1),
        raw=lambda line: ", ".join(str(one[line - 1].as_py()) for one in by_name.values())[:500],
    )


@contextmanager
def readable() -> Iterator[None]:
    """Whatever a library says of its own table (a closed connection, a query that fails) in the words of an error."""
    try:
        yield
    except ProofsheetError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        raise InputError(
            f"{NAME.capitalize()} cannot be read: {said}",
            "See that its connection is open and its query runs, and that each column holds texts, numbers or days.",
        ) from error


def _refuse_nested(cells: Mapping[str, pyarrow.Array]) -> None:
    import pyarrow as pa

    for name, column in cells.items():
        if pa.types.is_nested(column.type) or isinstance(column.type, pa.BaseExtensionType):
            raise InputError(
                f"The column {name!r} holds values of the type {column.type}, which are no texts, numbers or days.",
                "Turn it into one value per row.",
            )


def _columns_of(source: Table) -> tuple[list[str], Any]:
    """The names of all columns, and how to get some of them by their places."""
    room = type(source).__module__.partition(".")[0]
    if room == "pandas" and hasattr(source, "iloc") and hasattr(source, "columns"):
        return [str(name) for name in source.columns], lambda at: [_series(source.iloc[:, place]) for place in at]
    if room in ("duckdb", "_duckdb") and hasattr(source, "project"):
        names = list(source.columns)
        quoted = ['"' + name.replace('"', '""') + '"' for name in names]
        return names, lambda at: _of_arrow(source.project(", ".join(quoted[place] for place in dict.fromkeys(at))), at)
    if isinstance(source, Mapping):
        names = list(source)
        return [str(name) for name in names], lambda at: [_column(source[names[place]]) for place in at]
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        table = _arrow(source)
        return list(table.column_names), lambda at: [_whole(table.column(place)) for place in at]
    raise InputError(
        f"A {type(source).__name__} is no table that can be read.",
        "Give a path, a pandas or Polars frame, an Arrow table, a relation of DuckDB, or a mapping of columns.",
    )


def _of_arrow(source: Table, at: Sequence[int]) -> list[pyarrow.Array]:
    """Columns of a source that holds those of the places asked for, each once."""
    table, order = _arrow(source), list(dict.fromkeys(at))
    return [_whole(table.column(order.index(place))) for place in at]


def _arrow(source: Table) -> pyarrow.Table:
    import pyarrow as pa

    if isinstance(source, pa.Table):
        return source
    if hasattr(source, "__arrow_c_stream__"):
        return pa.table(source)
    return pa.Table.from_batches([pa.record_batch(source)])


def _whole(column: pyarrow.ChunkedArray) -> pyarrow.Array:
    """One array, with decimals as numbers and days as text."""
    import pyarrow as pa

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    kind = array.type
    if pa.types.is_decimal(kind):
        return array.cast(pa.float64())
    if pa.types.is_string_view(kind):
        return array.cast(pa.large_string())
    return array.cast(pa.string()) if pa.types.is_temporal(kind) else array


def _series(series: Any) -> pyarrow.Array:
    """A column of pandas: NaN and NaT are empty; a column of mixed things is text."""
    import pyarrow as pa

    try:
        return _whole(pa.array(series, from_pandas=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return _written(series.tolist())


def _column(values: Any) -> pyarrow.Array:
    """A column given as an array of numpy or Arrow, or as a list."""
    import pyarrow as pa

    if isinstance(values, pa.Array | pa.ChunkedArray):
        return _whole(values)
    listed = values.tolist() if hasattr(values, "tolist") and getattr(values, "dtype", "") == "object" else values
    try:
        return _whole(pa.array(listed, from_pandas=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return _written(listed)


def _written(values: Sequence[Any]) -> pyarrow.Array:
    """Mixed things as text."""
    return texts([None if _is_missing(value) else str(value) for value in values])


def _is_missing(value: Any) -> bool:
    """None, NaN and NaT, which are unlike themselves, and the NA of pandas, which is neither alike nor unlike."""
    try:
        return value is None or bool(value != value)
    except TypeError:
        return True
