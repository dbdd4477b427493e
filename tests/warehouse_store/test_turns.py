"""Taking turns between threads and processes: nothing lost, nothing half written, clear words when it takes long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from proofsheet.domain.asset import CostEntry
from proofsheet.errors import BusyError, StateError
from warehouse.lease import Lease
from warehouse.store import Warehouse

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}

PRELUDE = """
import sys
from decimal import Decimal
from pathlib import Path
from proofsheet.domain.asset import CostEntry
from warehouse.store import Warehouse

def entry(key):
    return CostEntry(key=key, campaign="c", what="scene", quantity=Decimal(1), unit="s", unit_price=Decimal(1),
                     amount=Decimal(1), currency="EUR")

warehouse = Warehouse(Path(sys.argv[1]), lease_timeout=60)
"""


def entry(key: str) -> CostEntry:
    one = Decimal(1)
    return CostEntry(
        key=key, campaign="c", what="scene", quantity=one, unit="s", unit_price=one, amount=one, currency="EUR"
    )


def start(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


@contextmanager
def holder(home: Path, mode: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the warehouse until its input is closed."""
    code = f'with warehouse.{mode}():\n    print("held", flush=True)\n    sys.stdin.read()\n'
    process = start(code, home)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def keys(warehouse: Warehouse) -> list[str]:
    with warehouse.read() as reader:
        return [line.key for line in reader.ledger()]


def make(warehouse: Warehouse) -> None:
    with warehouse.write() as writer:
        writer.add_costs([entry("first")])


def write_and_fail(warehouse: Warehouse) -> None:
    with warehouse.write() as writer:
        writer.add_costs([entry("second")])
        assert len(writer.ledger()) == 2
        raise ZeroDivisionError


def test_a_block_that_fails_leaves_nothing(warehouse: Warehouse) -> None:
    make(warehouse)
    version = warehouse.version()
    with pytest.raises(ZeroDivisionError):
        write_and_fail(warehouse)
    assert keys(warehouse) == ["first"]
    assert warehouse.version() == version


def test_the_version_changes_with_writes_alone(warehouse: Warehouse) -> None:
    versions = [warehouse.version()]
    for number in range(5):
        with warehouse.write() as writer:
            writer.add_costs([entry(str(number))])
        versions.append(warehouse.version())
        keys(warehouse)
        with warehouse.write() as writer:
            writer.ledger()
        assert warehouse.version() == versions[-1]
    assert versions[0] == "empty"
    assert len(set(versions)) == 6


def test_one_thread_may_nest_reads_but_not_writes(warehouse: Warehouse) -> None:
    make(warehouse)
    with warehouse.write() as writer:
        writer.add_costs([entry("second")])
        with warehouse.read() as inner:
            assert len(inner.ledger()) == 2
        with pytest.raises(StateError, match="writing"), warehouse.write():
            pass
    with warehouse.read(), warehouse.read() as inner:
        assert len(inner.ledger()) == 2
        with pytest.raises(StateError, match="reading"), warehouse.write():
            pass
    make(Warehouse(warehouse.home))  # the refusals left nothing behind


def test_a_reader_that_is_open_when_a_write_commits_keeps_its_view(warehouse: Warehouse) -> None:
    """A writer waits for readers, so nobody sees numbers change under a page that is being built."""
    make(warehouse)
    done = threading.Event()

    def write() -> None:
        with warehouse.write() as writer:
            writer.add_costs([entry("second")])
        done.set()

    thread = threading.Thread(target=write)
    with warehouse.read() as reader:
        before = warehouse.version()
        thread.start()
        assert not done.wait(0.05)
        assert len(reader.ledger()) == 1
        assert warehouse.version() == before
    thread.join()
    assert done.is_set()
    assert keys(warehouse) == ["first", "second"]
    assert warehouse.version() != before


def test_threads_take_turns(warehouse: Warehouse) -> None:
    make(warehouse)
    problems: list[BaseException] = []
    seen: list[int] = []

    def write(name: str) -> None:
        for number in range(5):
            with warehouse.write() as writer:
                writer.add_costs([entry(f"{name}{number}a"), entry(f"{name}{number}b")])

    def read() -> None:
        for _ in range(8):
            with warehouse.read() as reader:
                seen.append(len(reader.ledger()))

    def guard(work: object, *arguments: str) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=guard, args=(write, name)) for name in "xy"]
    threads += [threading.Thread(target=guard, args=(read,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(keys(warehouse)) == 21
    assert all(count % 2 for count in seen)  # one at first, then two at a time: never half a write


@pytest.mark.processes
def test_processes_read_and_write_at_once_and_nothing_is_lost(warehouse: Warehouse) -> None:
    make(warehouse)
    writing = """
for number in range(12):
    with warehouse.write() as writer:
        writer.add_costs([entry(f"{sys.argv[2]}-{number}-{half}") for half in "ab"])
"""
    reading = """
latest = 0
for _ in range(20):
    with warehouse.read() as reader:
        count = len(reader.ledger())
    assert count % 2 == 1 and count >= latest, count
    latest = count
"""
    processes = [start(writing, warehouse.home, str(number)) for number in range(3)]
    processes += [start(reading, warehouse.home) for _ in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
    found = keys(warehouse)
    assert len(found) == len(set(found)) == 1 + 3 * 12 * 2
    assert list((warehouse.home / "leases").iterdir()) == []


@pytest.mark.processes
@pytest.mark.parametrize(("theirs", "ours"), [("write", "read"), ("write", "write"), ("read", "write")])
def test_waiting_is_bounded_and_names_the_holder(warehouse: Warehouse, theirs: str, ours: str) -> None:
    make(warehouse)
    impatient = Warehouse(warehouse.home, lease_timeout=0.2)
    with holder(warehouse.home, theirs) as process:
        with pytest.raises(BusyError) as error, getattr(impatient, ours)():
            pass
        assert f"process {process.pid}" in error.value.message
        assert "PROOFSHEET_LEASE_TIMEOUT" in error.value.hint
        if theirs == "read":
            assert keys(impatient) == ["first"]
    assert keys(impatient) == ["first"]  # a holder that was killed holds nothing, and its note is no hindrance
    assert Lease(warehouse.home, 1).holders() == ()


@pytest.mark.processes
def test_a_program_that_takes_no_lease_is_named(warehouse: Warehouse) -> None:
    make(warehouse)
    code = """
import duckdb
connection = duckdb.connect(str(warehouse.home / "warehouse.duckdb"))
print("held", flush=True)
sys.stdin.read()
"""
    process = start(code, warehouse.home)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        with pytest.raises(BusyError, match=f"process {process.pid}"), warehouse.read():
            pass
    finally:
        process.kill()
        process.communicate()
    assert keys(warehouse) == ["first"]


@pytest.mark.processes
def test_a_writer_killed_at_any_moment_leaves_whole_writes_only(warehouse: Warehouse) -> None:
    """Pairs are written in one transaction each; after every kill there are whole pairs, and all that were told of."""
    code = """
number = 0
while True:
    with warehouse.write() as writer:
        writer.add_costs([entry(f"{sys.argv[2]}-{number}-a")])
        print("half", flush=True)
        writer.add_costs([entry(f"{sys.argv[2]}-{number}-b")])
    print(f"{sys.argv[2]}-{number}", flush=True)
    number += 1
"""
    told: set[str] = set()
    for attempt in range(10):
        process = start(code, warehouse.home, str(attempt))
        assert process.stdout is not None
        for _ in range(1 + attempt):  # odd: killed in the middle of a transaction; even: around a commit
            line = process.stdout.readline().strip()
            told |= {line} - {"half"}
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        told |= {line for line in rest.splitlines() if "-" in line}
        found = keys(warehouse)
        pairs = {key.rsplit("-", 1)[0] for key in found}
        assert len(found) == 2 * len(pairs) == len(set(found))
        assert told <= pairs
    with warehouse.write() as writer:
        writer.add_costs([entry("after")])
    assert "after" in keys(warehouse)


@pytest.mark.processes
def test_a_kill_while_the_warehouse_is_first_made_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    code = """
import warehouse.store as store
make = store.migrate
def migrate(connection):
    print("now", flush=True)
    return make(connection)
store.migrate = migrate
with warehouse.write() as writer:
    writer.add_costs([entry("x")])
"""
    for attempt in range(3):
        home = tmp_path / str(attempt)
        process = start(code, home)
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.communicate()
        warehouse = Warehouse(home)
        make(warehouse)
        assert set(keys(warehouse)) - {"x"} == {"first"}


def test_a_lease_is_freed_by_an_error(tmp_path: Path, nouns: SimpleNamespace) -> None:
    lease = Lease(tmp_path, 1)
    with pytest.raises(KeyError), lease.write():
        raise KeyError
    with lease.write():
        assert lease.mode == "write"
        assert [one.pid for one in lease.holders()] == [os.getpid()]
    assert lease.mode is None
