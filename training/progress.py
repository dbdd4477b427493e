"""How far a stage is: a bar with the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

_WIDTH = 28
_EVERY = 20.0  # seconds between lines where there is no terminal


class Progress:
    """Tells how far one stage is.

    Args:
        stage: its name.
        stream: where to; by default standard error.
        pause: seconds between lines; by default 0.2 on a terminal and 20 elsewhere.
    """

    def __init__(self, stage: str, stream: TextIO | None = None, pause: float | None = None) -> None:
        self.stage, self._pause = stage, pause
        self._stream = stream or sys.stderr
        self._begun = time.monotonic()
        self._first: float | None = None
        self._said = 0.0

    def step(self, share: float, text: str = "") -> None:
        """Say that ``share`` (0–1) of the stage is done; ``text`` is what else to show, such as the loss."""
        now = time.monotonic()
        share = min(max(share, 0.0), 1.0)
        if self._first is None:
            self._first, self._begun = share, now
        pause = self._pause or (0.2 if self._stream.isatty() else _EVERY)
        if now - self._said < pause and share < 1:
            return
        self._said = now
        done = share - self._first
        left = (now - self._begun) * (1 - share) / done if done > 0 else float("nan")
        bar = ("█" * round(share * _WIDTH)).ljust(_WIDTH, "░")
        line = f"{self.stage:<12} {bar} {share:4.0%}  {_clock(left)} left  {text}"
        if self._stream.isatty():
            print(f"\r\x1b[K{line}", end="" if share < 1 else "\n", file=self._stream, flush=True)
        else:
            print(line, file=self._stream, flush=True)


class Together:
    """Shows how far several stages are that write their own logs.

    Args:
        logs: the folder with ``<stage>.log`` of each.
        stream: where to; by default standard error.
    """

    def __init__(self, logs: Path, stream: TextIO | None = None) -> None:
        self.logs = logs
        self._stream = stream or sys.stderr
        self._said = 0.0

    def now(self, stages: Sequence[str]) -> None:
        """Say the last line of each stage's log, in one line on a terminal."""
        tty = self._stream.isatty()
        if not stages or (not tty and time.monotonic() - self._said < _EVERY):
            return
        self._said = time.monotonic()
        lines = [" ".join(line.replace("█", "").replace("░", "").split()) for line in map(self._last, stages)]
        text = "  |  ".join(line for line in lines if line)
        if text:
            print(f"\r\x1b[K{text}" if tty else text, end="" if tty else "\n", file=self._stream, flush=True)

    def _last(self, stage: str) -> str:
        file = self.logs / f"{stage}.log"
        lines = file.read_text("utf-8").splitlines() if file.is_file() else []
        return lines[-1] if lines else stage


def _clock(seconds: float) -> str:
    if seconds != seconds:  # not known yet
        return "--:--"
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
