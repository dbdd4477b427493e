"""Parquet files to text cells, with bounds on what they may unpack to."""

from __future__ import annotations

import io

from proofsheet.errors import InputError
from warehouse.reports.workbook import MAX_CELLS, MAX_UNPACKED, cell_text

MAGIC = b"PAR1"


def read_parquet(data: bytes, *, name: str) -> list[list[str]]:
    """The table as text cells, its column names as the first row.

    Raises:
        InputError: damaged, or larger than the limits when unpacked.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(data))
        meta = file.metadata
        unpacked = sum(meta.row_group(index).total_byte_size for index in range(meta.num_row_groups))
        if meta.num_rows * meta.num_columns > MAX_CELLS or unpacked > MAX_UNPACKED:
            raise InputError(
                f"{name} unpacks to {meta.num_rows:,} rows × {meta.num_columns:,} columns, {unpacked:,} bytes; at most "
                f"{MAX_CELLS:,} cells and {MAX_UNPACKED:,} bytes are read.",
                "Import it in parts.",
            )
        table = file.read()
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError(f"{name} cannot be read as Parquet: {reason}.", "Write the file again, or use CSV.") from error
    columns = [[cell_text(value) for value in column.to_pylist()] for column in table.columns]
    return [list(table.column_names), *map(list, zip(*columns, strict=True))]
