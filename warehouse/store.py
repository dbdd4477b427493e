"""The warehouse: one folder with the database, the pictures and the imported files; open, work, close."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from proofsheet.errors import ProofsheetError
from warehouse.engine import Session, explain, spoken
from warehouse.lease import Lease
from warehouse.migrate import is_current, migrate
from warehouse.pictures import PictureStore, sync_folder, write_atomically
from warehouse.reader import Reader
from warehouse.records import ImportRecord
from warehouse.writer import Writer

__all__ = ["ImportRecord", "PictureStore", "Reader", "Warehouse", "Writer"]

DATABASE = "warehouse.duckdb"
VERSION = "version"
PICTURES = "pictures"

#: Writing is refused below this, so that a commit in progress always has room.
LEAST_FREE_BYTES = 32 << 20

_open = threading.local()


class Warehouse:
    """The warehouse in one folder. Nothing is held between calls, so any number of programs may use it at once.

    Args:
        home: its folder; made by the first write.
        lease_timeout: seconds to wait for others at most.
    """

    def __init__(self, home: Path, *, lease_timeout: float = 60.0) -> None:
        self.home = home.expanduser().resolve()
        self.pictures = PictureStore(self.home / PICTURES)
        self._database = self.home / DATABASE
        self._lease = Lease(self.home, lease_timeout)

    def exists(self) -> bool:
        """Whether anything was ever written here.

        Raises:
            ProofsheetError: the folder may not be looked into.
        """
        try:
            return self._database.is_file()
        except PermissionError as error:
            raise ProofsheetError(
                f"The folder {self.home} may not be opened.",
                "Check the rights on it, or choose another one with --home or PROOFSHEET_HOME.",
            ) from error

    def version(self) -> str:
        """A short text that changes with every committed write, read without a lease.

        It is renewed just before each commit, while the writer is alone: what is read after seeing a version is never
        older than that version. The file's own stamp is part of it, so a restored backup counts as a change too.
        """
        parts = []
        with suppress(OSError):
            parts.append((self.home / VERSION).read_text(encoding="utf-8"))
        with suppress(OSError):
            stamp = self._database.stat()
            parts.append(f"{stamp.st_ino}-{stamp.st_mtime_ns}-{stamp.st_size}")
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16] if parts else "empty"

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Read together with others; a folder without a warehouse reads as an empty one.

        Within a block of the same thread the open reader or writer is given again.

        Raises:
            BusyError: a writer kept it for longer than the waiting limit.
            ProofsheetError: the file is damaged or newer than the program.
        """
        current = _sessions().get(self.home)
        if current is not None:
            yield current
            return
        if not self.exists():
            self._refuse_stranger()
            with _empty_reader() as reader:
                yield reader
            return
        while True:
            with self._lease.read(), _opened(self._database, read_only=True) as session:
                if self._is_current(session):
                    _sessions()[self.home] = reader = Reader(session)
                    try:
                        yield reader
                    finally:
                        _sessions().pop(self.home, None)
                    return
            with self.write():
                pass  # any write brings an older schema up to date

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """Write alone, in one transaction that is kept whole when the block ends without an error.

        Raises:
            BusyError: others kept it for longer than the waiting limit.
            StateError: this thread has it open already.
            ProofsheetError: the disk is full, or the file is damaged or newer than the program.
        """
        self._make_home()
        with self._lease.write():
            self._require_room()
            self._make_database()
            with _opened(self._database) as session:
                with spoken(self._database):
                    migrate(session.connection)
                yield from self._transaction(session)

    def _transaction(self, session: Session) -> Iterator[Writer]:
        writer = Writer(session, self.home)
        session.rows("BEGIN TRANSACTION")
        _sessions()[self.home] = writer
        try:
            yield writer
            if writer.changed:
                self._renew_version()
            session.rows("COMMIT" if writer.changed else "ROLLBACK")
        except BaseException:
            # After a fatal error the connection is gone, and with it everything that was not committed.
            with suppress(ProofsheetError):
                session.rows("ROLLBACK")
            raise
        finally:
            _sessions().pop(self.home, None)

    def _renew_version(self) -> None:
        try:
            write_atomically(self.home / VERSION, secrets.token_hex(8).encode())
        except OSError as error:
            raise ProofsheetError(
                f"{self.home / VERSION} could not be written: {error.strerror}.",
                "Free some space or mend the rights on that folder, then run this again.",
            ) from error

    def _refuse_stranger(self) -> None:
        """Something else than a file in the database's place is not ours to replace."""
        if self._database.exists() or self._database.is_symlink():
            what = "a folder" if self._database.is_dir() else "no plain file"
            raise ProofsheetError(
                f"{self._database} is {what}, where the warehouse's database belongs.",
                "Move it aside, or choose another folder with --home or PROOFSHEET_HOME.",
            )

    def _make_home(self) -> None:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProofsheetError(
                f"The folder {self.home} could not be made: {error.strerror}.",
                "Choose another one with --home or PROOFSHEET_HOME.",
            ) from error

    def _require_room(self) -> None:
        free = shutil.disk_usage(self.home).free
        if free < LEAST_FREE_BYTES:
            raise ProofsheetError(
                f"The disk of {self.home} has {free >> 20} MiB left; writing needs {LEAST_FREE_BYTES >> 20} MiB.",
                "Free some space, then run this again. Nothing was written.",
            )

    def _make_database(self) -> None:
        """Make the database under another name and rename it, so that it is there whole or not at all.

        What a process killed on the way left behind is swept away: the lease is held, so nobody is at it.
        """
        if self.exists():
            return
        self._refuse_stranger()
        for left in self.home.glob(f".{DATABASE}.*.part*"):
            left.unlink(missing_ok=True)
        orphan = self.home / f"{DATABASE}.wal"
        if orphan.exists():
            # The log of a database that was taken away: kept, yet out of the way of the new one.
            orphan.replace(orphan.with_name(f"{orphan.name}.{secrets.token_hex(4)}.orphan"))
        half = self.home / f".{DATABASE}.{os.getpid()}.{secrets.token_hex(4)}.part"
        try:
            with _opened(half) as session, spoken(half):
                migrate(session.connection)
                session.connection.execute("CHECKPOINT").fetchall()
            half.replace(self._database)
            sync_folder(self.home)
        finally:
            half.unlink(missing_ok=True)
            half.with_name(half.name + ".wal").unlink(missing_ok=True)

    def _is_current(self, session: Session) -> bool:
        with spoken(self._database):
            return is_current(session.connection)


@contextmanager
def _opened(path: Path | None, *, read_only: bool = False) -> Iterator[Session]:
    session = Session(path, read_only=read_only)
    try:
        yield session
    except duckdb.Error as error:
        raise explain(error, path) from error
    finally:
        session.close()


@contextmanager
def _empty_reader() -> Iterator[Reader]:
    with _opened(None) as session:
        with spoken(None):
            migrate(session.connection)
        yield Reader(session)


def _sessions() -> dict[Path, Reader]:
    """What this thread of this process has open, by folder; a forked child starts with nothing."""
    if getattr(_open, "pid", None) != os.getpid():
        _open.pid, _open.readers = os.getpid(), {}
    readers: dict[Path, Reader] = _open.readers
    return readers
