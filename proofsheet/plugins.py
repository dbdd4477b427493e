"""Plug-ins by entry point: names are listed without importing, and loaded when chosen."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from proofsheet.errors import NotFoundError

BACKENDS = "proofsheet.backends"
EXECUTORS = "proofsheet.executors"
IMPORTERS = "proofsheet.importers"
SCORERS = "proofsheet.scorers"


def names(group: str) -> tuple[str, ...]:
    """The names on offer in a group, sorted; nothing is imported."""
    return tuple(sorted({entry.name for entry in entry_points(group=group)}))


def load(group: str, name: str) -> Any:
    """Import and return what the name stands for.

    Raises:
        NotFoundError: no such name in the group.
    """
    for entry in entry_points(group=group):
        if entry.name == name:
            return entry.load()
    kind = group.rsplit(".", 1)[-1].removesuffix("s")
    known = ", ".join(names(group)) or "none (is proofsheet installed? try: pip install -e .)"
    raise NotFoundError(f"There is no {kind} named {name!r}.", f"Known: {known}.")
