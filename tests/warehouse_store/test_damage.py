"""Damaged, foreign and newer files are refused in words; old schemas are brought up to date; the final schema."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import warehouse.migrate as migrate_module
from proofsheet.errors import BusyError, ProofsheetError
from warehouse.engine import Session, connect, explain
from warehouse.migrate import Migration, known_migrations, migrate
from warehouse.store import Warehouse

TABLES = {
    "analyses",
    "assets",
    "campaigns",
    "coverage_reports",
    "decisions",
    "deliveries",
    "experiments",
    "exposures",
    "imports",
    "labels",
    "ledger",
    "outcomes",
    "plan_recipes",
    "plans",
    "recipes",
    "rejects",
    "reviews",
    "scene_campaigns",
    "scenes",
    "schema_migrations",
    "scores",
    "verdicts",
}


def database(warehouse: Warehouse) -> Path:
    with warehouse.write():
        pass
    return warehouse.home / "warehouse.duckdb"


@pytest.mark.parametrize("content", [b"", b"not a database\n" * 500])
def test_what_is_no_database_is_refused_in_words(warehouse: Warehouse, content: bytes) -> None:
    database(warehouse).write_bytes(content)
    for use in (warehouse.read, warehouse.write):
        with pytest.raises(ProofsheetError, match="is damaged, or is no Proofsheet warehouse") as error, use():
            pass
        assert "backup" in error.value.hint
    assert (warehouse.home / "warehouse.duckdb").read_bytes() == content


def test_a_damaged_block_is_refused_in_words(warehouse: Warehouse) -> None:
    path = database(warehouse)
    data = bytearray(path.read_bytes())
    for position in range(3 * 4096, len(data), 512):
        data[position] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ProofsheetError, match="damaged"), warehouse.read() as reader:
        reader.campaigns()


def test_a_warehouse_newer_than_the_program_is_refused(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    future = (*known_migrations(), Migration(len(known_migrations()) + 1, "9999_future", "CREATE TABLE future (x INT)"))
    with monkeypatch.context() as patch:
        patch.setattr(migrate_module, "known_migrations", lambda: future)
        database(warehouse)
    for use in (warehouse.read, warehouse.write):
        with pytest.raises(ProofsheetError, match="this program knows") as error, use():
            pass
        assert "Upgrade" in error.value.hint


def test_an_older_warehouse_is_brought_up_to_date_by_reading(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrate_module, "known_migrations", lambda: known_migrations()[:1])
        database(warehouse)
    with warehouse.read() as reader:
        assert reader.imports() == ()


def test_a_migration_changed_after_it_was_applied_is_noticed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    database(warehouse)
    first = known_migrations()[0]
    edited = (Migration(first.number, first.name, first.sql + "-- edited"), *known_migrations()[1:])
    monkeypatch.setattr(migrate_module, "known_migrations", lambda: edited)
    with pytest.raises(ProofsheetError, match="step 1"), warehouse.read():
        pass


def test_a_failing_migration_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (*known_migrations(), Migration(3, "0003_broken", "CREATE TABLE half (x INT); CREATE TABLE half (x INT)"))
    monkeypatch.setattr(migrate_module, "known_migrations", lambda: broken)
    session = Session(None)
    with pytest.raises(duckdb.Error):
        migrate(session.connection)
    assert session.rows("SELECT count(*) FROM duckdb_tables()") == [(0,)]
    session.close()


def test_the_final_schema_and_its_record() -> None:
    session = Session(None)
    assert migrate(session.connection) == len(known_migrations())
    assert migrate(session.connection) == 0
    assert {row[0] for row in session.rows("SELECT table_name FROM duckdb_tables()")} == TABLES
    recorded = session.rows("SELECT number, name, checksum FROM schema_migrations ORDER BY number")
    assert recorded == [(step.number, step.name, step.checksum) for step in known_migrations()]
    session.close()


def test_the_connection_reaches_no_other_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    connection = connect(tmp_path / "x.duckdb")
    for statement in (f"SELECT * FROM '{secret}'", f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'", "INSTALL httpfs"):
        with pytest.raises(duckdb.Error):
            connection.execute(statement).fetchall()
    assert not (tmp_path / "out.csv").exists()
    connection.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (duckdb.IOException("IO Error: No space left on device"), "disk is full"),
        (duckdb.FatalException("FATAL Error: database has been invalidated"), "damaged"),
        (duckdb.IOException("Trying to read a database file with version number 999, but we can only read"), "newer"),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"), "memory"),
        (duckdb.IOException("IO Error: Cannot open file: Permission denied"), "may not be opened"),
        (duckdb.BinderException("Binder Error: no such thing"), "reported"),
        (duckdb.InterruptException("INTERRUPT Error: Interrupted!"), "interrupted"),
    ],
)
def test_duckdb_s_errors_are_said_in_words(error: duckdb.Error, words: str) -> None:
    told = explain(error, Path("w.duckdb"))
    assert words in told.message
    assert told.hint


def test_a_full_disk_is_noticed_before_writing(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.store.LEAST_FREE_BYTES", 1 << 62)
    with pytest.raises(ProofsheetError, match="MiB left"), warehouse.write():
        pass
    assert not warehouse.exists()


def test_a_home_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProofsheetError, match="could not be made"), Warehouse(tmp_path / "file" / "home").write():
        pass


def test_a_lock_held_elsewhere_names_the_process() -> None:
    text = (
        'IO Error: Could not set lock on file "w.duckdb": Conflicting lock is held in /usr/bin/python3.11 (PID 4711). '
        "See also https://duckdb.org/docs/current/connect/concurrency"
    )
    told = explain(duckdb.IOException(text), Path("w.duckdb"))
    assert isinstance(told, BusyError)
    assert "process 4711 (python3.11)" in told.message


def test_what_a_killed_first_write_left_is_swept_away_and_an_orphaned_log_set_aside(warehouse: Warehouse) -> None:
    warehouse.home.mkdir()
    (warehouse.home / ".warehouse.duckdb.1.ab.part").write_bytes(b"half")
    (warehouse.home / "warehouse.duckdb.wal").write_bytes(b"the log of a database that was taken away")
    database(warehouse)
    names = {path.name for path in warehouse.home.iterdir() if path.is_file()}
    (orphan,) = [name for name in names if name.endswith(".orphan")]
    assert names == {orphan, "warehouse.duckdb", "warehouse.lock"}


@pytest.mark.processes
def test_importing_the_warehouse_loads_nothing_heavy() -> None:
    code = "import sys, warehouse.store, warehouse.tables; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'duckdb'" in loaded
    for heavy in ("pandas", "pyarrow", "numpy", "torch", "streamlit", "PIL", "scipy", "python_calamine"):
        assert f"'{heavy}'" not in loaded
