"""Where work runs: order kept, errors raised at their item, and no worker outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from proofsheet.execution import InlineExecutor, ProcessExecutor


def _square(value: int) -> int:
    return value * value


def _inverse(value: int) -> float:
    return 1 / value


EXECUTORS = [InlineExecutor(), pytest.param(ProcessExecutor(2), marks=pytest.mark.processes)]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("count", [0, 3, 40])
def test_every_executor_keeps_the_order(executor: InlineExecutor | ProcessExecutor, count: int) -> None:
    assert list(executor.map(_square, range(count))) == [value * value for value in range(count)]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_error_is_raised_at_its_item(executor: InlineExecutor | ProcessExecutor) -> None:
    results = executor.map(_inverse, [*range(1, 12), 0, 1])
    assert [next(results) for _ in range(11)][-1] == pytest.approx(1 / 11)
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.processes
def test_items_are_taken_only_a_little_ahead_of_the_results() -> None:
    taken: list[int] = []

    def items() -> object:
        for value in range(100):
            taken.append(value)
            yield value

    results = ProcessExecutor(2).map(_square, items())  # type: ignore[arg-type]
    next(results)
    assert len(taken) <= ProcessExecutor.FEW + 4
    results.close()  # type: ignore[attr-defined]


@pytest.mark.processes
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to look a process up")
def test_workers_end_when_their_parent_is_killed() -> None:
    script = (
        "import os, sys, time\n"
        "from proofsheet.execution import ProcessExecutor\n"
        "results = ProcessExecutor(2).map(abs, range(10**6))\n"
        "next(results)\n"
        "import multiprocessing\n"
        "print(*[child.pid for child in multiprocessing.active_children()], flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    workers = [int(word) for word in parent.stdout.readline().split()]
    assert workers
    ends = [os.pidfd_open(worker) for worker in workers]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    import select

    for end in ends:  # readable once the process is gone
        assert select.select([end], [], [], 30)[0], "a worker lives on"
        os.close(end)
