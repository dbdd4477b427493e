"""Taking turns: many may read the warehouse at once, one may write, and nobody waits for ever.

DuckDB lets one process write a file or many read it, and fails at once where the other is the case. So every unit of
work takes a lease, opens the file, works and closes it. The lease is an inter-process readers–writer lock (filelock's
``ReadWriteLock``; a waiting writer goes before new readers), freed by the operating system when its process dies.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import ReadWriteLock, Timeout

from proofsheet.errors import BusyError, ProofsheetError, StateError

LOCK_FILE = "warehouse.lock"
NOTES = "leases"

_numbers = itertools.count()
_held = threading.local()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease: the process, what it does, since when (seconds since the epoch) and with what command."""

    pid: int
    mode: str
    since: float
    command: str

    def __str__(self) -> str:
        verb = "writing" if self.mode == "write" else "reading"
        return f"process {self.pid} ({self.command}), {verb} for {max(0.0, time.time() - self.since):.0f} s"


class Lease:
    """The right to open the warehouse in one folder, for reading together or for writing alone.

    Safe from any thread and any process on one machine. One thread holds at most one lease: asking for a second would
    wait for itself, so it is refused.

    Args:
        home: the warehouse's folder; it must exist when a lease is taken.
        timeout: seconds to wait at most.
    """

    def __init__(self, home: Path, timeout: float) -> None:
        self.home = home.resolve()
        self.timeout = timeout

    @property
    def mode(self) -> str | None:
        """What this thread holds: "read", "write" or None."""
        return _mine().get(self.home)

    @contextmanager
    def read(self) -> Iterator[None]:
        """Hold the lease together with other readers.

        In a folder that this process may not write to, where no lock can be kept, there is nothing to hold: it reads
        without, and a writer at work is then noticed by the database itself.

        Raises:
            BusyError: a writer kept it for longer than the waiting limit.
            StateError: this thread holds it already.
        """
        with self._hold("read"):
            yield

    @contextmanager
    def write(self) -> Iterator[None]:
        """Hold the lease alone.

        Raises:
            BusyError: others kept it for longer than the waiting limit.
            StateError: this thread holds it already.
        """
        with self._hold("write"):
            yield

    @contextmanager
    def _hold(self, mode: str) -> Iterator[None]:
        if self.mode is not None:
            raise StateError(
                f"This thread already holds the warehouse for {'writing' if self.mode == 'write' else 'reading'}.",
                "Finish the open block first, or use its reader or writer.",
            )
        lock = self._acquire(mode)
        try:
            _mine()[self.home] = mode
            note = self._leave_note(mode)
            try:
                yield
            finally:
                if note is not None:
                    note.unlink(missing_ok=True)
        finally:
            _mine().pop(self.home, None)
            if lock is not None:
                lock.release()
                lock.close()

    def _acquire(self, mode: str) -> ReadWriteLock | None:
        try:
            # An instance of filelock's lock belongs to one holder: so threads take turns as processes do.
            lock = ReadWriteLock(self.home / LOCK_FILE, is_singleton=False)
            try:
                (lock.acquire_write if mode == "write" else lock.acquire_read)(self.timeout)
            except BaseException:
                lock.close()
                raise
        except Timeout:
            raise self._busy(mode) from None
        except (OSError, sqlite3.Error) as error:
            if mode == "read" and not _is_writable(self.home):
                return None
            if "not a database" in str(error):
                raise ProofsheetError(
                    f"The lock file {self.home / LOCK_FILE} is damaged: it is not what a lock file should be.",
                    "It holds none of your data. Delete that one file while nothing uses the warehouse, then run this "
                    "again; it is made anew.",
                ) from error
            raise ProofsheetError(
                f"The lock file {self.home / LOCK_FILE} cannot be used: {error}.",
                "Writing needs the rights to that folder, on a local disk that supports file locks. Mend them, or "
                "choose another folder with --home or PROOFSHEET_HOME.",
            ) from error
        return lock

    def _leave_note(self, mode: str) -> Path | None:
        """Write down who holds the lease; only ever used for a better message, so failing to is no error."""
        note = self.home / NOTES / f"{mode}-{os.getpid()}-{next(_numbers)}"
        try:
            note.parent.mkdir(exist_ok=True)
            note.write_text(" ".join([Path(sys.argv[0] or "python").name, *sys.argv[1:3]]), encoding="utf-8")
        except OSError:
            return None
        return note

    def holders(self) -> tuple[Holder, ...]:
        """Who holds a lease now, as far as they left a note; notes of processes that are gone are swept away."""
        found = []
        for note in sorted((self.home / NOTES).glob("*-*-*")):
            mode, pid, _ = note.name.split("-", 2)
            if not pid.isdigit() or not _is_alive(int(pid)):
                with suppress(OSError):
                    note.unlink()
                continue
            with suppress(OSError):
                found.append(Holder(int(pid), mode, note.stat().st_mtime, note.read_text(encoding="utf-8")))
        return tuple(found)

    def _busy(self, mode: str) -> BusyError:
        holders = [holder for holder in self.holders() if mode == "write" or holder.mode == "write"]
        who = "; ".join(str(holder) for holder in holders[:3]) or "another process"
        return BusyError(
            f"The warehouse in {self.home} was busy for {self.timeout:g} s. Held by: {who}.",
            "Wait for it to finish or end it, then run this again; PROOFSHEET_LEASE_TIMEOUT sets the waiting limit.",
        )


def _mine() -> dict[Path, str]:
    """What this thread of this process holds; a forked child starts with nothing."""
    if getattr(_held, "pid", None) != os.getpid():
        _held.pid, _held.modes = os.getpid(), {}
    modes: dict[Path, str] = _held.modes
    return modes


def _is_writable(home: Path) -> bool:
    return os.access(home, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
