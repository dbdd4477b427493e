"""The light benchmarks run, and their answers agree, on a handful of rows."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def on_the_path() -> Iterator[None]:
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.mark.slow
def test_one_analysis_times_the_same_answers() -> None:
    lines = import_module("one_analysis").report(6_000, 1, pandas=False)
    assert lines[0].startswith("6,000 rows, 6 arms, 4 metrics")
    rows = [line for line in lines if line.startswith("| ")]
    assert rows[2].startswith("| bare moments query | ")
    assert " | 1.00 | " in rows[2]
    said = next(line for line in lines if line.startswith("Same answers"))
    moments, ways = (float(value) for value in re.findall(r"to (\d+e-\d+)", said))
    assert moments < 1e-9
    assert ways < 1e-8


def test_parts_and_sql_agree_far_from_zero() -> None:
    page = import_module("invariance").report(600, 2)
    rows = [line.split(" | ") for line in page.splitlines() if re.match(r"\| \de", line)]
    assert len(rows) == 3
    for _, *figures in rows:
        whole, merged, table, cut = (float(figure.strip(" |")) for figure in figures)
        assert max(whole, merged) < 1e-10
        assert max(table, cut) < 1e-9
