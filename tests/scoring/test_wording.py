"""Wording: whole words only, in any case and any form of writing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.wording import folded, forbidden_in


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("No MIRACLE here", "miracle"),
        ("A mira\u00adcle.", "Miracle"),  # a soft hyphen is not seen
        ("GROSSE Ruhe", "große"),
        ("Für die STRASSE", "Straße"),
        ("\uff26\uff32\uff25\uff25 trial", "free"),  # full width
        ("De\u0301ja\u0300 vu", "d\u00e9j\u00e0"),
        ("\ufb01ne print", "Fine"),  # the ligature fi
        ("\u0130stanbul", "istanbul"),
        ("Nur\n heute gratis", "heute gratis"),
        ("Now in C++!", "c++"),
        ("(cheap)", "CHEAP"),
        ("\u3068\u3066\u3082\u5b89\u3044\u3067\u3059", "\u5b89\u3044"),  # Japanese puts no spaces
        ("\u0e23\u0e32\u0e04\u0e32\u0e16\u0e39\u0e01\u0e21\u0e32\u0e01", "\u0e16\u0e39\u0e01"),  # nor does Thai
        ("\u0642\u0647\u0648\u0629 \u0628\u0627\u0631\u062f\u0629", "\u0628\u0627\u0631\u062f\u0629"),
        (
            "\u03a3\u039f\u03a6\u039f\u03a3 \u03bb\u03cc\u03b3\u03bf\u03c2",
            "\u03c3\u03bf\u03c6\u03bf\u03c2",
        ),  # final sigma
    ],
)
def test_a_forbidden_word_is_found_however_it_is_written(text: str, word: str) -> None:
    assert forbidden_in(["clean words", text], ["other", word]) == (word,)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("The cheapest brewery", "cheap"),
        ("The cheapest brewery", "brewer"),
        ("overcheap", "cheap"),
        ("\u0924\u0947\u091c\u093c\u0940", "\u0924\u0947\u091c\u093c"),  # a vowel sign goes on with the word
        ("\u0e23\u0e16\u0e40\u0e01\u0e48\u0e32", "\u0e23\u0e16\u0e40\u0e01"),
        ("resum\u00e9s", "resum\u00e9"),
        ("version 20", "2"),
        ("heute", "heute gratis"),
        ("anything", ""),
    ],
)
def test_a_part_of_a_word_is_left_alone(text: str, word: str) -> None:
    assert forbidden_in([text], [word]) == ()


def test_words_of_two_texts_are_not_read_together() -> None:
    assert forbidden_in(["Nur heute", "gratis dazu"], ["heute gratis"]) == ()


@given(st.text(st.characters(categories=("L", "M", "N", "Zs", "P")), max_size=30))
def test_folding_is_done_once_and_for_all(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert folded(unicodedata.normalize("NFD", text)) == once
