"""Files written by hand, and the folder of real data where there is one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file byte for byte."""

    def write_file(name: str, text: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write_file


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("PROOFSHEET_REAL_DATA")
    if not folder:
        pytest.skip("set PROOFSHEET_REAL_DATA to the folder of real data")
    return Path(folder)
