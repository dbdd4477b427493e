"""Colour arithmetic against published numbers and its own laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofsheet.errors import InputError
from scoring.colour import (
    chroma_and_hue,
    ciede2000,
    contrast_ratio,
    hex_of_rgb,
    hue_distance,
    lab_of_rgb,
    oklab_of_rgb,
    relative_luminance,
    rgb_of_hex,
    rgb_of_lab,
)

# Table 1 of G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 color-difference formula", Color Research and Application
# 30(1), 2005: L*, a*, b* of both colours and the difference.
PAIRS = np.array(
    [
        [50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425],
        [50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615],
        [50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412],
        [50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669],
        [50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461],
        [50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065],
        [50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492],
        [50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977],
        [50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030],
        [50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ]
)

colours = st.tuples(*[st.integers(0, 255)] * 3).map(lambda rgb: np.array(rgb, dtype=np.uint8))


def test_ciede2000_gives_the_published_differences_both_ways() -> None:
    forth = ciede2000(PAIRS[:, :3], PAIRS[:, 3:6])
    back = ciede2000(PAIRS[:, 3:6], PAIRS[:, :3])
    assert np.abs(forth - PAIRS[:, 6]).max() <= 1e-4
    assert np.abs(back - PAIRS[:, 6]).max() <= 1e-4


@given(colours, colours)
def test_ciede2000_is_a_symmetric_difference(one: np.ndarray, other: np.ndarray) -> None:
    first, second = lab_of_rgb(one), lab_of_rgb(other)
    assert ciede2000(first, first) == 0
    assert ciede2000(first, second) == pytest.approx(float(ciede2000(second, first)), abs=1e-9)
    assert bool(ciede2000(first, second) > 0) is not np.array_equal(one, other)


def test_lab_of_known_colours() -> None:
    # White and black by definition; the sRGB red primary is (53.24, 80.09, 67.20) under D65.
    lab = lab_of_rgb(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0]], dtype=np.uint8))
    assert np.abs(lab - [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]]).max() < 0.02


@given(colours)
def test_lab_goes_there_and_back(rgb: np.ndarray) -> None:
    assert np.array_equal(rgb_of_lab(lab_of_rgb(rgb)), rgb)
    assert np.array_equal(rgb_of_hex(hex_of_rgb(rgb)), rgb)


def test_oklab_of_known_colours() -> None:
    # The values B. Ottosson states for sRGB red and white, to three decimals.
    oklab = oklab_of_rgb(np.array([[255, 0, 0], [255, 255, 255]], dtype=np.uint8))
    assert np.abs(oklab - [[0.628, 0.225, 0.126], [1.0, 0.0, 0.0]]).max() < 1e-3


def test_a_tint_keeps_its_hue() -> None:
    _, hue = chroma_and_hue(oklab_of_rgb(np.array([[0, 74, 173], [196, 214, 242]], dtype=np.uint8)))
    assert hue_distance(hue[0], hue[1]) < 8


def test_hue_distance_goes_the_short_way_round() -> None:
    assert hue_distance(350, 15) == 25
    assert hue_distance(10, 190) == 180


def test_contrast_of_wcag_examples() -> None:
    black, white = np.zeros(3, dtype=np.uint8), np.full(3, 255, dtype=np.uint8)
    assert contrast_ratio(black, white) == pytest.approx(21.0, abs=1e-9)
    assert contrast_ratio(white, white) == 1.0
    # #767676 is the lightest grey that passes 4.5:1 on white, #777777 just fails.
    assert contrast_ratio(rgb_of_hex("#767676"), white) == pytest.approx(4.542, abs=1e-3)
    assert contrast_ratio(rgb_of_hex("#777777"), white) < 4.5
    assert relative_luminance(rgb_of_hex("#ff0000")) == pytest.approx(0.2126)


# Ratios as contrast checkers that follow WCAG print them, to two decimals, on white.
@pytest.mark.parametrize(
    ("colour", "ratio"),
    [
        ("#767676", 4.54),
        ("#777777", 4.48),
        ("#949494", 3.03),
        ("#595959", 7.00),
        ("#ff0000", 4.00),
        ("#008000", 5.14),
        ("#0000ff", 8.59),
        ("#ffff00", 1.07),
        ("#000000", 21.00),
    ],
)
def test_contrast_of_known_pairs(colour: str, ratio: float) -> None:
    white = np.full(3, 255, dtype=np.uint8)
    assert round(float(contrast_ratio(rgb_of_hex(colour), white)), 2) == ratio
    assert round(float(contrast_ratio(white, rgb_of_hex(colour))), 2) == ratio


@given(colours, colours)
def test_contrast_is_that_of_the_definition(one: np.ndarray, other: np.ndarray) -> None:
    # WCAG 2.2, "relative luminance" and "contrast ratio", written out in plain numbers.
    def luminance(rgb: np.ndarray) -> float:
        parts = [value / 255 for value in rgb.tolist()]
        red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    assert float(contrast_ratio(one, other)) == pytest.approx((lighter + 0.05) / (darker + 0.05), rel=1e-12)


@pytest.mark.parametrize("text", ["#12345", "red", "#gg0000", "#1234567"])
def test_a_bad_colour_is_named(text: str) -> None:
    with pytest.raises(InputError, match=text):
        rgb_of_hex(text)
