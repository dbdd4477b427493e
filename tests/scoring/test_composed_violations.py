"""A few advertisements by the real composer: every kind of planted violation is found, clean ones are left alone.

The full suite is ``benchmarks/planted_violations.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.slow
BENCHMARKS = str(Path(__file__).parents[2] / "benchmarks")


@pytest.fixture(scope="module")
def suite() -> Iterator[ModuleType]:
    """The benchmark's module."""
    sys.path.insert(0, BENCHMARKS)
    yield import_module("planted_violations")
    sys.path.remove(BENCHMARKS)


def test_planted_violations_are_found_and_clean_advertisements_left_alone(suite: ModuleType) -> None:
    rows = suite.measure(range(9, 11), 12)
    spoilt = [row for row in rows if row.planted]
    assert len({row.planted for row in spoilt}) >= 20
    assert [row for row in spoilt if not row.found] == []
    assert [row.alarms for row in rows if not row.planted and row.alarms] == []
