"""Every row is accounted for, whatever has happened to the file."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofsheet.errors import ProofsheetError
from warehouse.importers.reading import Reading
from warehouse.ingest import inspect_file
from warehouse.inspection import Inspection, check_account

Reports = dict[str, str]
SLOW = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def damage(data: bytes, seed: int) -> bytes:
    """A few random cuts, doublings, swaps and odd bytes."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 6)):
        at, to = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
        to = min(to, at + chance.choice((1, 5, 60)))
        kind = chance.randrange(6)
        if kind == 0:
            data = data[:at] + data[to:]
        elif kind == 1:
            data = data[:to] + data[at:to] + data[to:]
        elif kind == 2:
            data = data[:at] + chance.choice((b'"', b",", b"\n", b"\r", b";", b"\t", b"'=", b"Total:", b"1.234", b"-"))
            data += data[at:]
        elif kind == 3:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        elif kind == 4:
            data = data[:at]
        else:
            data = data[:at] + data[at:to][::-1] + data[to:]
    return data


def read_or_refused(path: Path, **options: str) -> None:
    """Inspect a file: it is accounted for in full, or refused with a remedy; any other error is a fault."""
    try:
        found = inspect_file(path, options=options)
    except ProofsheetError as refusal:
        told = refusal
    else:
        account(found)
        return
    assert told.message
    assert told.hint


def account(found: Inspection) -> None:
    assert found.rows_in == found.loaded + found.set_aside + found.undecided
    assert found.set_aside == len(found.rejects)
    assert len({item.line for item in found.rejects}) == found.set_aside
    assert all(item.reason and item.line > found.header_line for item in found.rejects)
    if found.ready:
        assert found.undecided == 0


@SLOW
@given(kind=st.sampled_from(["meta", "google_ads", "tiktok", "linkedin", "log", "units"]), seed=st.integers(0, 2**32))
def test_damaged_reports_are_read_in_full_or_refused(reports: Reports, kind: str, seed: int) -> None:
    encoding = "utf-16" if kind == "linkedin" else "utf-8"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.csv"
        path.write_bytes(damage(reports[kind].encode(encoding), seed))
        read_or_refused(path, experiment="x")


@SLOW
@given(content=st.binary(max_size=400))
def test_any_bytes_are_read_in_full_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.csv"
        path.write_bytes(content)
        read_or_refused(path)


ROW = st.sampled_from(
    [
        "A,2026-03-01,9,1,0.50",
        "B,2026-03-02,9,1",
        "C,2026-02-31,9,1,0.50",
        '"D,2026-03-01,9,1,0.50',
        '"E\nmore",2026-03-01,9,1,0.50',
        '"F""",2026-03-01,9,1,0.50',
        "G,2026-03-01,,1,0.50",
        "Total,,9,1,0.50",
        'H 24",2026-03-01,9,1,0.50',
    ]
)
LOADS = {"A,", '"E', '"F', "H "}


@SLOW
@given(rows=st.lists(st.one_of(ROW, st.just(""), st.just("   ")), min_size=1, max_size=12))
def test_rows_are_counted_as_a_reader_would(rows: list[str]) -> None:
    real = [row for row in rows if row.strip()]
    # An open quote may rightly swallow the line break before another quote; such lists have no one answer.
    opens = sum(row.startswith('"D') for row in real)
    quoted = sum('"' in row for row in real)
    if not real or (opens and quoted > 1):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.csv"
        path.write_text("Campaign,Day,Impressions,Clicks,Spend [EUR]\n" + "\n".join(rows) + "\n", encoding="utf-8")
        found = inspect_file(path)
    account(found)
    assert found.rows_in == len(real)
    assert found.loaded == sum(row[:2] in LOADS for row in real)


def test_a_faulty_account_is_never_let_pass() -> None:
    with pytest.raises(AssertionError, match="3 rows in, 2 accounted for"):
        check_account(Reading(kind="units", platform="", layout="x", rows_in=3, loaded=2))
    with pytest.raises(AssertionError, match="as 0 deliveries"):
        check_account(Reading(kind="delivery", platform="", layout="x", rows_in=2, loaded=2))
