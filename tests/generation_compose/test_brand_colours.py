"""A single colour is enough: ink, paper, panel and buttons are derived, and always contrast."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generation.composition.brand_colours import BrandColours, brand_colours
from generation.composition.colour import contrast_of, from_oklch, hex_of, rgb_of, to_oklch
from proofsheet.domain.campaign import BrandKit, PaletteColour

BYTE = st.integers(0, 255)


def of_hex(*colours: tuple[str, str]) -> BrandColours:
    """The colours of a brand with these (hex, role)."""
    palette = tuple(PaletteColour(name=hex_text, hex=hex_text, role=role) for hex_text, role in colours)
    return brand_colours(BrandKit(name="B", palette=palette, wordmark="b"))


def assert_legible(found: BrandColours) -> None:
    """Every pair of ground and text that the composer may use keeps WCAG's contrast."""
    assert contrast_of(found.ink, found.paper) >= 10
    assert contrast_of(found.panel, found.panel_text) >= 4.5
    assert found.panel_text in (found.ink, found.paper)
    assert len(found.buttons) >= 2
    for fill, label in found.buttons:
        assert contrast_of(fill, label) >= 4.5


@given(BYTE, BYTE, BYTE)
@example(255, 255, 255)
@example(0, 0, 0)
@example(215, 255, 30)
@example(128, 128, 128)
@example(255, 255, 0)
@example(0, 0, 255)
@settings(max_examples=300, deadline=None)
def test_any_single_colour_gives_legible_pairs(red: int, green: int, blue: int) -> None:
    assert_legible(of_hex((hex_of((red, green, blue)), "primary")))


@given(st.tuples(BYTE, BYTE, BYTE), st.tuples(BYTE, BYTE, BYTE), st.tuples(BYTE, BYTE, BYTE))
@settings(max_examples=150, deadline=None)
def test_even_a_useless_ink_and_paper_become_legible(one, two, three) -> None:
    assert_legible(of_hex((hex_of(one), "primary"), (hex_of(two), "ink"), (hex_of(three), "paper")))


def test_given_ink_and_paper_are_kept_when_they_contrast() -> None:
    found = of_hex(("#0a737b", "primary"), ("#0c2427", "ink"), ("#f9f3e7", "paper"), ("#e0672c", "accent"))
    assert found.ink == (12, 36, 39)
    assert found.paper == (249, 243, 231)
    assert found.panel == (10, 115, 123)
    assert found.buttons[0][0] == (224, 103, 44)


def test_derived_ink_leans_to_the_brand_and_is_never_pure_black() -> None:
    found = of_hex(("#d7283c", "primary"))
    assert found.ink != (0, 0, 0)
    assert abs((to_oklch(found.ink)[2] - to_oklch((215, 40, 60))[2] + 180) % 360 - 180) < 20


@pytest.mark.parametrize(
    ("hex_text", "lightness", "chroma", "hue"),
    [("#ff0000", 0.6280, 0.2577, 29.23), ("#00ff00", 0.8664, 0.2948, 142.50), ("#0000ff", 0.4520, 0.3132, 264.05)],
)
def test_oklch_agrees_with_published_values(hex_text: str, lightness: float, chroma: float, hue: float) -> None:
    found = to_oklch(rgb_of(hex_text))
    assert found == pytest.approx((lightness, chroma, hue), abs=0.01)


def test_contrast_agrees_with_wcag() -> None:
    assert contrast_of((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast_of((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)


@given(BYTE, BYTE, BYTE)
@settings(max_examples=100, deadline=None)
def test_oklch_goes_there_and_back(red: int, green: int, blue: int) -> None:
    again = from_oklch(*to_oklch((red, green, blue)))
    assert max(abs(a - b) for a, b in zip(again, (red, green, blue), strict=True)) <= 1


@pytest.mark.real_data
def test_real_brands_colours_are_all_legible() -> None:
    folder = os.environ.get("PROOFSHEET_REAL_DATA")
    if not folder:
        pytest.skip("PROOFSHEET_REAL_DATA is not set")
    with (Path(folder) / "brand_colors.csv").open(newline="", encoding="utf-8") as file:
        colours = {row["hex"].lower() for row in csv.DictReader(file)}
    assert len(colours) > 1000
    for hex_text in colours:
        assert_legible(of_hex((hex_text, "primary")))
