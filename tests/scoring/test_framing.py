"""Framing: every pixel of a picture is in some view, whatever its shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from scoring.framing import frames


@pytest.mark.parametrize(
    ("size", "views"), [((728, 90), 6), ((160, 600), 5), ((300, 250), 1), ((1080, 1920), 3), ((640, 640), 1)]
)
def test_square_views_of_the_models_side(size: tuple[int, int], views: int) -> None:
    found = frames(Image.new("RGB", size), 64)
    assert len(found) == views
    assert {view.size for view in found} == {(64, 64)}


@settings(max_examples=40, deadline=None)
@given(st.integers(20, 900), st.integers(20, 900), st.floats(0, 1), st.floats(0, 1))
def test_a_mark_anywhere_is_seen(width: int, height: int, x: float, y: float) -> None:
    """A mark of a twelfth of the short side shows in at least one view, also at the very edge."""
    mark = max(2, min(width, height) // 12)
    left, top = round(x * (width - mark)), round(y * (height - mark))
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[top : top + mark, left : left + mark] = 255
    assert max(np.asarray(view).max() for view in frames(Image.fromarray(pixels), 64)) > 60


def test_the_ends_of_a_banner_are_seen_at_full_height() -> None:
    pixels = np.zeros((90, 728, 3), dtype=np.uint8)
    pixels[:, :30] = (255, 0, 0)
    pixels[:, -30:] = (0, 0, 255)
    _, first, *_, last = frames(Image.fromarray(pixels), 64)
    assert tuple(np.asarray(first)[32, 2]) == (255, 0, 0)
    assert tuple(np.asarray(last)[32, -3]) == (0, 0, 255)
