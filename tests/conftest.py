"""What all tests share: a slow machine fails no test, and what is left out costs nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

_MARK = re.compile(r"^pytestmark = (?:\[\s*)?pytest\.mark\.(\w+)", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A module all of whose tests ``-m "not …"`` leaves out is not imported: torch and its parts take many seconds."""
    left_out = re.fullmatch(r"not \w+(?: and not \w+)*", config.option.markexpr)
    if left_out is None or not collection_path.name.startswith("test_") or collection_path.suffix != ".py":
        return None
    mark = _MARK.search(collection_path.read_text(encoding="utf-8"))
    return True if mark and f"not {mark[1]}" in left_out[0].split(" and ") else None
