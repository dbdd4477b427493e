"""The schema's steps: numbered SQL files, each applied once in a transaction and recorded with its checksum."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import duckdb

from proofsheet.errors import ProofsheetError

_RECORD = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    checksum VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: its number, its name and its SQL statements."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """The SHA-256 of the SQL, so that a step changed after it was applied is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def known_migrations() -> tuple[Migration, ...]:
    """The steps that come with the program, in order; their numbers run from 1 without a gap."""
    folder = resources.files("warehouse").joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    steps = tuple(
        Migration(int(name.split("_", 1)[0]), name.removesuffix(".sql"), folder.joinpath(name).read_text("utf-8"))
        for name in names
    )
    if [step.number for step in steps] != list(range(1, len(steps) + 1)):
        raise ProofsheetError(f"The program's migrations are out of order: {', '.join(names)}.", "Install it anew.")
    return steps


def is_current(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether every known step is applied.

    Raises:
        ProofsheetError: the warehouse is newer than the program, or a step was changed after it was applied.
    """
    return len(_applied(connection)) == len(known_migrations())


def migrate(connection: duckdb.DuckDBPyConnection) -> int:
    """Apply the steps that are missing, all of them in one transaction, and give back how many there were.

    Raises:
        ProofsheetError: the warehouse is newer than the program, or a step was changed after it was applied.
    """
    missing = known_migrations()[len(_applied(connection)) :]
    if not missing:
        return 0
    connection.execute("BEGIN TRANSACTION")
    try:
        connection.execute(_RECORD)
        for step in missing:
            connection.execute(step.sql)
            connection.execute(
                "INSERT INTO schema_migrations VALUES (?, ?, ?, epoch_ms(?))",
                [step.number, step.name, step.checksum, _now_ms()],
            )
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    return len(missing)


def _applied(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    try:
        rows = connection.execute("SELECT number, name, checksum FROM schema_migrations ORDER BY number").fetchall()
    except duckdb.CatalogException:
        return []
    known = known_migrations()
    if len(rows) > len(known):
        raise ProofsheetError(
            f"The warehouse has schema step {rows[-1][0]} ({rows[-1][1]}); this program knows {len(known)} steps.",
            "A newer Proofsheet wrote it. Upgrade this one with: pip install --upgrade proofsheet",
        )
    for (number, name, checksum), step in zip(rows, known, strict=False):
        if (number, checksum) != (step.number, step.checksum):
            raise ProofsheetError(
                f"Schema step {number} of the warehouse ({name}) is not the one this program knows.",
                "The warehouse was made by a different build. Use that build, or start with a new home folder.",
            )
    return rows


def _now_ms() -> int:
    from time import time

    return int(time() * 1000)


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo; a connection that a fatal error has closed has undone everything already."""
    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:
        return
