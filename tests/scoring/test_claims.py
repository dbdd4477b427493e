"""Claims: every statement of a brief is found, none is cut, and a "no" is turned into what must not be seen."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.briefs import load_campaign
from proofsheet.domain.campaign import Brief
from scoring.fit.claims import Claim, claims_of, split_claims
from scoring.pieces import split_to_fit

EXAMPLE = Path(__file__).parents[2] / "examples" / "norda" / "brief.toml"


@pytest.fixture(scope="module")
def brief() -> Brief:
    return load_campaign(EXAMPLE).brief


def test_sentences_lines_and_bullets_are_claims() -> None:
    text = "A bottle on stone. Soft light!\n- a calm table\n2) one lemon; no people – empty space"
    assert split_claims(text) == (
        "A bottle on stone",
        "Soft light",
        "a calm table",
        "one lemon",
        "no people",
        "empty space",
    )
    assert split_claims(" ... \n - ") == ()
    assert split_claims("50 % less at 3.5 g") == ("50 % less at 3.5 g",)


@given(st.lists(st.text("abcdefghij", min_size=1, max_size=9), min_size=1, max_size=60), st.integers(1, 12))
def test_no_word_is_lost_however_short_the_context(words: list[str], most: int) -> None:
    text = ", ".join(" ".join(words[i : i + 5]) for i in range(0, len(words), 5))
    pieces = split_to_fit(text, lambda piece: len(piece.split()) <= most)
    assert re.findall(r"[a-j]+", " ".join(pieces)) == re.findall(r"[a-j]+", text)
    assert all(len(piece.split()) <= most for piece in pieces)


def test_pieces_are_cut_at_commas_first() -> None:
    fits = {"a calm table, two cups", "a window and rain"}.__contains__
    assert split_to_fit("a calm table, two cups, a window and rain", fits) == (
        "a calm table, two cups",
        "a window and rain",
    )


def test_a_brief_claims_its_product_audience_levels_musts_and_nevers(brief: Brief) -> None:
    scene = brief.factor("scene").levels[0]
    told = replace(brief, must=("A green bottle. No straws",), never=("crowds", "no smoke"), audience="Young parents")
    found = claims_of(told, {"scene": scene.name, "headline": "x"})
    texts = {(claim.text, claim.source, claim.wanted) for claim in found}
    assert ("A green bottle", "must", True) in texts
    assert ("straws", "must", False) in texts
    assert ("crowds", "never", False) in texts
    assert ("smoke", "never", False) in texts
    assert ("Young parents", "audience", True) in texts
    assert {claim.source for claim in found} >= {"product", "scene", "must", "never"}
    assert split_claims(scene.prompt)[0] in {claim.text for claim in found if claim.source == "scene"}
    assert claims_of(told, {"scene": "gone"})[0] == Claim(text=found[0].text, source="product")
