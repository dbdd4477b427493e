"""Workbooks to text cells, with bounds on what an .xlsx may unpack to."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from proofsheet.errors import InputError

MAX_UNPACKED = 400 * 2**20
"""Most bytes all parts of a workbook may unpack to."""
MAX_CELLS = 20_000_000
"""Most cells (rows × columns) a sheet may span."""
_CHUNK = 1 << 20
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_REMEDY = "Export the report again, or save the sheet as CSV."
_EXACT_FLOAT = 2**53


def read_workbook(data: bytes, *, name: str, wanted: str = "") -> tuple[str, list[list[str]]]:
    """The sheet that holds the report, as text cells from its first row and column on.

    Numbers come as plain text with a decimal point, days as YYYY-MM-DD, truth values as TRUE and FALSE.

    Args:
        data: the whole file.
        name: the file's name, for messages.
        wanted: the sheet's name; needed when more than one visible sheet is filled.

    Raises:
        InputError: not a readable .xlsx, protected, too large when unpacked, or which sheet is not clear.
    """
    _check_archive(data, name)
    import python_calamine

    try:
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            visible = [
                sheet.name
                for sheet in book.sheets_metadata
                if sheet.visible == python_calamine.SheetVisibleEnum.Visible
                and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
            ]
            if wanted and wanted not in book.sheet_names:
                raise InputError(f"{name} has no sheet {wanted!r}.", "Its sheets: " + ", ".join(book.sheet_names) + ".")
            chosen = [wanted] if wanted else visible
            grids = {sheet: book.get_sheet_by_name(sheet).to_python(skip_empty_area=False) for sheet in chosen}
    except python_calamine.PasswordError as error:
        raise InputError(f"{name} is protected by a password.", "Save it without one.") from error
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read as an Excel workbook: {error}.", _REMEDY) from error
    filled = [sheet for sheet, grid in grids.items() if any(cell not in ("", None) for row in grid for cell in row)]
    if not filled:
        raise InputError(f"{name} holds no filled sheet.", "Export the report again.")
    if len(filled) > 1:
        raise InputError(
            f"{name} holds {len(filled)} filled sheets: {', '.join(filled)}.",
            f"Say which is the report: --option sheet={filled[0]!r}.",
        )
    return filled[0], [[cell_text(cell) for cell in row] for row in grids[filled[0]]]


def cell_text(value: Any) -> str:
    """A typed cell as the text a CSV would hold; an integer beyond 2^53 keeps its lost digits visible (1.2E+17)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        if value.is_integer():
            return str(int(value)) if abs(value) < _EXACT_FLOAT else f"{Decimal(value):.5E}"
        return format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value).strip()


def _check_archive(data: bytes, name: str) -> None:
    """Refuse an archive that is no workbook, unpacks to too much, or spans too many cells, before anything reads it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise InputError(f"{name} is a zip archive, not an .xlsx workbook.", "Unpack it first. " + _REMEDY)
            unpacked = sum(part.file_size for part in parts)
            if unpacked > MAX_UNPACKED or len(parts) > 5000:
                raise InputError(
                    f"{name} unpacks to {unpacked:,} bytes in {len(parts):,} parts; at most {MAX_UNPACKED:,} are read.",
                    "Export the report in parts, or as CSV.",
                )
            for part in parts:
                if part.filename.endswith(".xml"):
                    _check_extent(archive, part, name)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
        raise InputError(f"{name} is a damaged archive: {error}.", _REMEDY) from error


def _check_extent(archive: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> None:
    """Refuse a sheet whose cells lie so far apart that the rectangle around them is too large."""
    last_row = last_column = read = 0
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            read += len(chunk)
            if read > MAX_UNPACKED:
                raise InputError(f"{name} unpacks to more than it says: it is damaged or hostile.", _REMEDY)
            for match in _REFERENCE.finditer(tail + chunk):
                last_row = max(last_row, int(match[2]))
                last_column = max(last_column, _column(match[1]))
            tail = chunk[-32:]
    if last_row * last_column > MAX_CELLS:
        raise InputError(
            f"{name} spans {last_row:,} rows × {last_column:,} columns; at most {MAX_CELLS:,} cells are read.",
            "Delete stray cells far from the table, or save the sheet as CSV.",
        )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
