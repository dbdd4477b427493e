"""Encodings, line ends, and files that are no text tables."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from proofsheet.errors import InputError, NotFoundError
from warehouse.ingest import inspect_file
from warehouse.reports.decoding import decode, split_lines

Look = Callable[..., object]


@pytest.mark.parametrize(
    ("encoding", "mark", "named"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8 with byte order mark"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le with byte order mark"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be with byte order mark"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
    ],
)
def test_encodings_are_found(encoding: str, mark: bytes, named: str) -> None:
    text = "Campaign,Impr.\nFrühling,12\n"
    found = decode(mark + text.encode(encoding), name="r.csv")
    assert found.encoding == named
    assert found.lines == ("Campaign,Impr.", "Frühling,12")


def test_windows_1252_is_said_not_slipped_in() -> None:
    found = decode("Campaign,Impr.\nFrühling,12\n".encode("windows-1252"), name="r.csv")
    assert found.encoding == "windows-1252"
    assert found.lines[1] == "Frühling,12"
    assert "--option encoding" in found.notes[0]


def test_encoding_can_be_told() -> None:
    data = "Kampaň,Impr.\nŽluť,12\n".encode("windows-1250")
    assert decode(data, name="r.csv", encoding="windows-1250").lines[1] == "Žluť,12"
    with pytest.raises(InputError, match="no encoding named"):
        decode(data, name="r.csv", encoding="klingon")
    with pytest.raises(InputError, match="is not utf-8"):
        decode(data, name="r.csv", encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "lines", "ends"),
    [
        ("a\nb\n", ["a", "b"], "LF"),
        ("a\r\nb\r\n", ["a", "b"], "CRLF"),
        ("a\rb", ["a", "b"], "CR"),
        ("a\r\nb\nc", ["a", "b", "c"], "mixed CRLF and LF"),
        ("a\x0bb\u2028c\n", ["a\x0bb\u2028c"], "LF"),
        ("a", ["a"], "none"),
    ],
)
def test_line_ends(text: str, lines: list[str], ends: str) -> None:
    assert split_lines(text) == (lines, ends)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 100, "PNG picture"),
        (b"PAR1" + b"\x00" * 100 + b"PAR1", "cannot be read as Parquet"),
        (b"Campaign,Impr.\nA\x00B,3\n", "NUL"),
        (bytes(range(1, 9)) * 200, "control characters"),
        (b"just one column\n1\n2\n", "not a table"),
        (b"no table here", "not a table"),
        (b"12,13\n14,15\n", "not a table"),
        (b"Campaign,Day,Impr.,Cost\n", "no rows"),
        (b"Campaign,Day,Impr.,Cost\n\n  \n", "no rows"),
        (b"PK\x03\x04" + b"rubbish" * 20, "archive"),
        (b"\xff\xfeC\x00a\x00\x00\xd8,\x00", "damaged"),
        (b"Campaign,Impr.\n\x81\x8d\xc3,3\n", "Windows-1252"),
    ],
)
def test_what_is_no_report_is_refused(laid_down: Callable[..., Path], content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        inspect_file(laid_down(content))
    assert caught.value.hint


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        inspect_file(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="not a file"):
        inspect_file(tmp_path)


@pytest.mark.parametrize("content", [b"x" * 5_000_000, b'Campaign,Impr.\n"' + b"x" * 5_000_000, b'"' * 3_000_000])
def test_a_line_of_megabytes_is_refused_quickly(laid_down: Callable[..., Path], content: bytes) -> None:
    path = laid_down(content)
    began = time.process_time()
    tracemalloc.start()
    with pytest.raises(InputError, match="characters"):
        inspect_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - began < 5
    assert peak < 100_000_000


def test_millions_of_lines_are_refused_before_they_are_split() -> None:
    data = b"ab\n" * 2_000_001
    tracemalloc.start()
    with pytest.raises(InputError, match="2,000,001 lines"):
        decode(data, name="r.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(data)


def test_open_quotes_on_every_line_end_in_time(laid_down: Callable[..., Path]) -> None:
    rows = "".join(f'"Spring {number},2026-03-01,10,1.50\n' for number in range(20_000))
    path = laid_down("Campaign,Day,Impr.,Cost\n" + rows)
    began = time.process_time()
    found = inspect_file(path, options={"currency": "EUR"})
    assert time.process_time() - began < 10
    assert found.loaded + found.set_aside == found.rows_in
    assert found.loaded == 0


def test_hostile_quotes_end_in_time(laid_down: Callable[..., Path]) -> None:
    block = 'x,"\n' + ('""' + "y" * 320 + "\n") * 198
    path = laid_down("Campaign,Day,Impr.,Cost\n" + block * 100)
    began = time.process_time()
    with pytest.raises(InputError, match="open quotes that are not closed"):
        inspect_file(path, options={"currency": "EUR"})
    assert time.process_time() - began < 20
