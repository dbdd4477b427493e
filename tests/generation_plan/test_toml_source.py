"""The line of every key, for whatever TOML allows."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.toml_source import TomlSource, key_lines
from proofsheet.errors import InputError, NotFoundError

TEXT = '''\
a = 1
b.c = "x # no comment"
"quoted key".'z' = 2  # a comment
[table]
words = """several
lines with ""quotes"" and \\""" too"""
after = 3
list = [1, [2,
  3], {x = 1, y = "]"},
]
[[rows.inner]]
n = "1"
[rows.inner.sub]
k = 1
[[rows.inner]]
texts = { en-US = "a, }", de-DE = '{' }
literal = \'\'\'it's
''two\'\'\'
day = 2026-01-01 10:00:00
'''


def test_every_kind_of_value_keeps_its_line() -> None:
    lines = key_lines(TEXT)
    expected = {
        ("a",): 1,
        ("b", "c"): 2,
        ("quoted key", "z"): 3,
        ("table",): 4,
        ("table", "words"): 5,
        ("table", "after"): 7,
        ("table", "list", 0): 8,
        ("table", "list", 1, 0): 8,
        ("table", "list", 1, 1): 9,
        ("table", "list", 2, "y"): 9,
        ("rows", "inner", 0): 11,
        ("rows", "inner", 0, "n"): 12,
        ("rows", "inner", 0, "sub"): 13,
        ("rows", "inner", 0, "sub", "k"): 14,
        ("rows", "inner", 1): 15,
        ("rows", "inner", 1, "texts", "de-DE"): 16,
        ("rows", "inner", 1, "literal"): 17,
        ("rows", "inner", 1, "day"): 19,
    }
    assert {key: lines[key] for key in expected} == expected


def basic(text: str) -> str:
    """A TOML basic string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12).map(basic),
            st.integers(-5, 5).map(str),
            st.sampled_from(
                ["[1, 2]", "[\n1,\n# no\n2]", '"""a\nb"""', "{ x = 1, y = [3] }", "'''\n'''", "2026-06-01", "1.5e3"]
            ),
        ),
        max_size=8,
    )
)
def test_lines_agree_with_where_the_keys_were_written(values: list[str]) -> None:
    text, expected = "", {}
    for position, value in enumerate(values):
        expected[(f"k{position}",)] = text.count("\n") + 1
        text += f"k{position} = {value}  # {position}\n"
    assert set(tomllib.loads(text)) == {key for (key,) in expected}
    lines = key_lines(text)
    assert {key: line for key, line in lines.items() if len(key) == 1} == expected


def test_a_key_that_is_not_written_takes_the_line_of_what_encloses_it(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("\n[campaign]\nslug = 1\n")
    source = TomlSource(file)
    assert source.line(("campaign", "name")) == 2
    assert source.line(("nothing", 3)) == 1


def test_a_syntax_error_names_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[campaign]\nslug = "a"\nname = Norda\n')
    with pytest.raises(InputError) as caught:
        TomlSource(file)
    assert "line 3, column 8" in caught.value.message
    assert "name = Norda" in caught.value.message


def test_an_unclosed_text_names_its_place(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('a = "b\n')
    with pytest.raises(InputError, match="line 1, column 7"):
        TomlSource(file)


def test_text_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b'a = 1\nb = "caf\xe9"\n')
    with pytest.raises(InputError, match=r"line 2: the byte 0xe9"):
        TomlSource(file)


def test_a_byte_order_mark_and_crlf_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b'\xef\xbb\xbfa = 1\r\nb = "c"\r\n')
    source = TomlSource(file)
    assert source.data == {"a": 1, "b": "c"}
    assert source.line(("b",)) == 2


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"none\.toml"):
        TomlSource(tmp_path / "none.toml")
