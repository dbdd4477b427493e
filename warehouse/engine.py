"""DuckDB, opened sanely: pinned file format, bounded memory, nothing downloaded, errors said in words.

Sources: https://duckdb.org/docs/current/configuration/overview, https://duckdb.org/docs/current/connect/concurrency,
https://duckdb.org/docs/current/operations_manual/securing_duckdb/overview.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from proofsheet.errors import BusyError, ProofsheetError

if TYPE_CHECKING:
    import pyarrow

#: The file format written: DuckDB 1.5 and 2.x both read and write it.
FILE_FORMAT = "v1.5.0"

#: Never take more memory than this, whatever the machine has.
_MOST_MEMORY = 8 << 30


def memory_limit() -> int:
    """Bytes DuckDB may use: half of the machine's memory, at most 8 GiB, at least 512 MiB."""
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        physical = 4 << 30
    return max(512 << 20, min(_MOST_MEMORY, physical // 2))


def _configuration() -> dict[str, str | bool | int | float | list[str]]:
    return {
        "storage_compatibility_version": FILE_FORMAT,
        "memory_limit": f"{memory_limit() >> 20}MiB",
        "threads": min(4, os.cpu_count() or 1),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "enable_external_access": "false",
    }


def connect(path: Path | None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open the database file (None: one in memory, which ends with the connection).

    The connection can neither read nor write other files, and never installs an extension.

    Raises:
        BusyError: a process that takes no lease holds the file.
        ProofsheetError: the file is damaged, newer than the installed DuckDB, not permitted, or the disk is full.
    """
    name = ":memory:" if path is None else str(path)
    with spoken(path):
        return duckdb.connect(name, read_only=read_only and path is not None, config=_configuration())


@contextmanager
def spoken(path: Path | None) -> Iterator[None]:
    """Turn DuckDB's errors into errors the user can act on; others pass through unchanged.

    After a fatal error the connection is of no use: it must be closed, and the file opened anew.
    """
    try:
        yield
    except duckdb.Error as error:
        raise explain(error, path) from error


def explain(error: duckdb.Error, path: Path | None) -> ProofsheetError:
    """The error in words: what is wrong with which file, and what to do about it."""
    text = " ".join(str(error).split())
    lower = text.lower()
    where = str(path) if path is not None else "the warehouse"
    if "could not set lock" in lower or "conflicting lock" in lower:
        return BusyError(
            f"{where} is held by {_holder(text)}, which takes no turns with Proofsheet.",
            "Close that program (often a DuckDB shell or a notebook that opened the file itself), then run this again.",
        )
    if "no space left" in lower or "out of disk" in lower or "disk quota" in lower:
        return ProofsheetError(
            f"The disk is full: {where} could not be written. Nothing of this step was kept.",
            "Free some space, then run this again.",
        )
    if "version number" in lower and ("newer" in lower or "can only read" in lower or "cannot be read" in lower):
        return ProofsheetError(
            f"{where} was written in a newer file format than the installed DuckDB {duckdb.__version__} reads.",
            "Install the newer version with: pip install --upgrade duckdb",
        )
    if _is_damage(error, lower):
        return ProofsheetError(
            f"{where} is damaged, or is no Proofsheet warehouse ({text[:160]}).",
            "Move it aside and put a backup in its place; imported files and pictures beside it are kept apart.",
        )
    if "permission denied" in lower or "read-only file system" in lower:
        return ProofsheetError(
            f"{where} may not be opened ({text[:160]}).", "Check the rights on the file and its folder."
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return ProofsheetError(
            f"The query needs more than the {memory_limit() >> 20} MiB of memory allowed ({text[:160]}).",
            "Free memory or disk space for intermediate results, then run this again.",
        )
    if isinstance(error, duckdb.InterruptException):
        return ProofsheetError("The query was interrupted.", "Nothing was changed; run it again.")
    return ProofsheetError(
        f"The warehouse {where} reported: {text[:300]}", "Nothing of this step was kept. Run it again."
    )


def _is_damage(error: duckdb.Error, lower: str) -> bool:
    signs = ("corrupt", "checksum", "not a valid duckdb", "could not read enough bytes", "serializ", "wal file")
    return any(sign in lower for sign in signs) or isinstance(error, duckdb.FatalException | duckdb.InternalException)


def _holder(text: str) -> str:
    found = re.search(r"held in (.+?) \(PID (\d+)\)", text)
    return f"process {found.group(2)} ({Path(found.group(1)).name})" if found else "another process"


class Session:
    """One open connection, with rows in and rows out; results are always drained at once."""

    def __init__(self, path: Path | None, *, read_only: bool = False) -> None:
        self.path = path
        self.connection = connect(path, read_only=read_only)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and give back all its rows.

        Raises:
            ProofsheetError: DuckDB refused; the message says why.
        """
        with spoken(self.path):
            return self.connection.execute(sql, list(parameters)).fetchall()

    def row(self, sql: str, parameters: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """Run one statement and give back its first row, or None."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def insert(self, table: str, columns: Mapping[str, pyarrow.Array], on_conflict: str = "") -> None:
        """Insert many rows at once, given by column; all columns are equally long."""
        import pyarrow as pa

        names = ", ".join(columns)
        with spoken(self.path):
            self.connection.register("rows_to_insert", pa.table(dict(columns)))
            try:
                self.connection.execute(
                    f"INSERT INTO {table} ({names}) SELECT {names} FROM rows_to_insert {on_conflict}"
                ).fetchall()
            finally:
                self.connection.unregister("rows_to_insert")

    def close(self) -> None:
        """Close the connection. What was committed stays: a failure to tidy up the file here loses nothing."""
        with suppress(duckdb.Error):
            self.connection.close()
