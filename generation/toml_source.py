"""TOML files with the line of every key, so that an error can say where to look."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from proofsheet.errors import InputError, NotFoundError

#: Where a value stands: keys, and positions in arrays, from the outside in.
KeyPath = tuple[str | int, ...]

_SHOWN = 60  # characters of a wrong line
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
_MULTILINE = {
    quote: re.compile(rf"(?s)(?:{escape}.)*?{quote * 3}{quote}{{0,2}}") for quote, escape in (('"', r"\\.|"), ("'", ""))
}
_ONE_LINE = {'"': re.compile(r'(?:\\.|[^"\\\n])*"'), "'": re.compile(r"[^'\n]*'")}
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


class TomlSource:
    """A TOML file: its data, and on which line each key stands.

    Args:
        path: the file.

    Raises:
        NotFoundError: there is no such file.
        InputError: the file cannot be read, is not UTF-8, or is not TOML; the message gives line and column.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        text = _read_text(path)
        try:
            self.data = _parse(path, text)
            self._lines = key_lines(text)
        except RecursionError as error:
            raise InputError(
                f"{path} nests lists or tables too deeply.", "A brief and a brand kit need three levels at most."
            ) from error

    def line(self, key: KeyPath) -> int:
        """The line (from 1) of a key, or of the nearest enclosing one that the file spells out."""
        while key and key not in self._lines:
            key = key[:-1]
        return self._lines.get(key, 1)


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.", "Check the name, and the folder you are in.") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: the byte 0x{error.object[error.start]:02x} is not UTF-8 text.",
            "Save the file with the encoding UTF-8.",
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Name a file, and one you may read.") from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        line, column = 1 + text.count("\n"), 1
        if place:
            message = message[: place.start()]
            if place[1]:
                line, column = int(place[1]), int(place[2])
        lines = text.split("\n")
        read = lines[line - 1].strip() if line <= len(lines) else ""
        shown = f": {read if len(read) <= _SHOWN else read[: _SHOWN - 1] + '…'!r}" if read else ""
        raise InputError(
            f"{path}, line {line}, column {column} is not valid TOML: {message}{shown}.",
            'Texts stand in quotation marks, and every line reads: name = "value".',
        ) from error
    except ValueError as error:  # a number of thousands of digits
        raise InputError(f"{path} is not valid TOML: {error}.", "Write numbers of ordinary length.") from error


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line of every key, table and array element of a valid TOML text."""
    return _Scanner(text).scan()


class _Scanner:
    """Walks a text that ``tomllib`` has accepted; so it need not detect errors, only keep its place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[KeyPath, int] = {}
        self._array_sizes: defaultdict[KeyPath, int] = defaultdict(int)

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_SPACE)
        while self._at < len(self._text):
            if self._text.startswith("[[", self._at):
                table = self._header(2)
            elif self._text.startswith("[", self._at):
                table = self._header(1)
            else:
                self._pair(table)
            self._skip(_SPACE)
        return self._lines

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _mark(self, key: KeyPath) -> None:
        self._lines.setdefault(key, self._text.count("\n", 0, self._at) + 1)

    def _header(self, brackets: int) -> KeyPath:
        start = self._at
        self._at += brackets
        names = self._key()
        end, self._at = self._at + brackets, start
        table: KeyPath = ()
        for name in names[:-1]:
            table = self._last_element((*table, name))
        table = (*table, names[-1])
        self._mark(table)
        if brackets == 2:
            position = self._array_sizes[table]
            self._array_sizes[table] += 1
            table = (*table, position)
            self._mark(table)
        else:
            table = self._last_element(table)
        self._at = end
        return table

    def _last_element(self, key: KeyPath) -> KeyPath:
        size = self._array_sizes.get(key, 0)
        return (*key, size - 1) if size else key

    def _key(self) -> list[str]:
        names = []
        while True:
            self._skip(_BLANK)
            quote = self._text[self._at]
            if quote in "\"'":
                start = self._at
                self._at += 1
                self._skip(_ONE_LINE[quote])
                names.append(str(tomllib.loads(f"key = {self._text[start : self._at]}")["key"]))
            else:
                names.append(self._skip(_BARE_KEY))
            self._skip(_BLANK)
            if not self._text.startswith(".", self._at):
                return names
            self._at += 1

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        names = self._key()
        end, self._at = self._at, start
        for depth in range(1, len(names) + 1):
            self._mark((*table, *names[:depth]))
        self._at = end + 1  # the equals sign
        self._skip(_BLANK)
        self._value((*table, *names))

    def _value(self, key: KeyPath) -> None:
        first = self._text[self._at]
        if first in "\"'":
            triple = self._text.startswith(first * 3, self._at)
            self._at += 3 if triple else 1
            self._skip((_MULTILINE if triple else _ONE_LINE)[first])
        elif first in "[{":
            self._container(key, closing="]" if first == "[" else "}")
        else:
            self._skip(_SCALAR)

    def _container(self, key: KeyPath, *, closing: str) -> None:
        self._at += 1
        position = 0
        self._skip(_SPACE)
        while not self._text.startswith(closing, self._at):
            if closing == "]":
                self._mark((*key, position))
                self._value((*key, position))
                position += 1
            else:
                self._pair(key)
            self._skip(_SPACE)
            if self._text.startswith(",", self._at):
                self._at += 1
            self._skip(_SPACE)
        self._at += 1
