"""Bytes to text: which encoding, which line ends, and a clear no to what is not a text table."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from proofsheet.errors import InputError, NotFoundError

MAX_BYTES = 100 * 2**20
"""Largest file that is read, in bytes."""
MAX_LINE = 1_000_000
"""Longest line that is read, in characters."""
MAX_LINES = 2_000_000
"""Most lines that are read."""

_ALIASES = {
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
    "latin1": "latin-1",
    "iso-8859-1": "latin-1",
    "cp1252": "windows-1252",
}
_KNOWN_KINDS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls) or another Office 97 document"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a SQLite database"),
)
_REMEDY = "Export the report again as CSV or as an Excel workbook (.xlsx)."
_CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedText:
    """A file's text, how it was encoded and how its lines end.

    ``encoding`` names the codec, with "with byte order mark" where there was one; ``line_ends`` is "LF", "CRLF",
    "CR", "mixed CRLF and LF" or "none".
    """

    lines: tuple[str, ...]
    encoding: str
    line_ends: str
    notes: tuple[str, ...] = ()


def read_file(path: Path) -> bytes:
    """The bytes of a report.

    Raises:
        NotFoundError: there is no such file.
        InputError: it is a folder, empty, unreadable or larger than ``MAX_BYTES``.
    """
    if not path.exists():
        raise NotFoundError(f"There is no file {str(path)!r}.", "Check the path.")
    if not path.is_file():
        raise InputError(f"{str(path)!r} is not a file.", "Name one report; import several one after the other.")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InputError(
            f"{path.name} holds {size:,} bytes; a report may hold at most {MAX_BYTES:,}.",
            "Export it in parts, for example month by month.",
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}.", "Check the file's permissions.") from error
    if not data.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n"):
        raise InputError(f"{path.name} is empty.", "Export the report again.")
    return data


def is_workbook(data: bytes) -> bool:
    """Whether the bytes begin as a zip archive, as every .xlsx does."""
    return data[:4] == b"PK\x03\x04"


def decode(data: bytes, *, name: str, encoding: str = "") -> DecodedText:
    """The text of a report, as lines.

    Args:
        data: the whole file.
        name: the file's name, for messages.
        encoding: the user's answer, such as ``windows-1250``; empty to find out.

    Raises:
        InputError: a known binary kind, NUL bytes, an unknown or unfitting encoding, a line over ``MAX_LINE``, or more
            than ``MAX_LINES`` lines.
    """
    for magic, kind in _KNOWN_KINDS:
        if data.startswith(magic):
            raise InputError(f"{name} is {kind}, not a report's table.", _REMEDY)
    notes: list[str] = []
    text, found = _by_option(data, name, encoding) if encoding else _detect(data, name, notes)
    text = text.removeprefix("\ufeff")
    if "\x00" in text:
        raise InputError(f"{name} holds {text.count(chr(0)):,} NUL characters: it is binary or damaged.", _REMEDY)
    if len(_CONTROL.findall(text[:100_000])) > max(5, len(text[:100_000]) // 100):
        raise InputError(f"{name} is full of control characters: it is not text.", _REMEDY)
    number_of_lines = max(text.count("\n"), text.count("\r"))
    if number_of_lines > MAX_LINES:
        raise InputError(
            f"{name} holds {number_of_lines:,} lines; at most {MAX_LINES:,} are read.",
            "Export it in parts, for example month by month.",
        )
    lines, line_ends = split_lines(text)
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE:
            raise InputError(
                f"{name}, line {number}: {len(line):,} characters; a report's line has at most {MAX_LINE:,}.", _REMEDY
            )
    return DecodedText(lines=tuple(lines), encoding=found, line_ends=line_ends, notes=tuple(notes))


def split_lines(text: str) -> tuple[list[str], str]:
    """Split at the line ends the file uses, and name them; a lone CR inside an LF file stays part of its cell."""
    feeds, returns, pairs = text.count("\n"), text.count("\r"), text.count("\r\n")
    if not feeds and not returns:
        return [text], "none"
    if not feeds:
        return _without_last_empty(text.split("\r")), "CR"
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if pairs == feeds:
        ends = "CRLF"
    else:
        ends = "mixed CRLF and LF" if pairs else "LF"
    return _without_last_empty(lines), ends


def _without_last_empty(lines: list[str]) -> list[str]:
    return lines[:-1] if lines and not lines[-1] else lines


def _by_option(data: bytes, name: str, encoding: str) -> tuple[str, str]:
    try:
        codec = codecs.lookup(encoding).name
        return data.decode(codec), _ALIASES.get(codec, codec)
    except LookupError as error:
        raise InputError(
            f"There is no encoding named {encoding!r}.", "Known are utf-8, utf-16, windows-1252, latin-1 and others."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not {encoding}: byte {error.start} does not fit.", "Leave out --option encoding to find out."
        ) from error


def _detect(data: bytes, name: str, notes: list[str]) -> tuple[str, str]:
    marks = (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    )
    for mark, codec in marks:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], codec, name), f"{codec} with byte order mark"
    wide = _wide_codec(data)
    if wide:
        return _decoded(data, wide, name), wide
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        first = error.start
    try:
        text = data.decode("windows-1252")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is neither UTF-8 nor UTF-16 nor Windows-1252 (byte {error.start} fits none).",
            "Name its encoding with --option encoding=NAME, or export it again as UTF-8.",
        ) from error
    notes.append(
        f"Not UTF-8 (byte {first}); read as Windows-1252. If names look wrong, name it: --option encoding=NAME."
    )
    return text, "windows-1252"


def _decoded(data: bytes, codec: str, name: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} begins as {codec} but breaks it at byte {error.start}: the file is damaged.", _REMEDY
        ) from error


def _wide_codec(data: bytes) -> str:
    sample = data[:4000]
    half = len(sample) // 2
    if half < 4:
        return ""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return ""
