"""How much of an oversized headline the product hides that stands before it."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from generation.composition.typeset import SetText, draw_mask, line_boxes
from proofsheet.domain.asset import Box

_MOST_COVERED = 0.03  # share of the headline's ink that the product may cover
_MOST_OF_BOX = 0.12  # and of the headline's box
_MOST_OF_GLYPH = 0.2  # and of any one letter's ink


class Hiding:
    """A headline where it stands, and the outline of the product that may stand before it."""

    def __init__(self, headline: SetText, at: tuple[float, float], cutout: Image.Image) -> None:
        self._scale = max(round(headline.size / 36), 1)
        self._left, self._top = round(at[0]) - 2, round(at[1]) - 2
        self._ink = np.asarray(draw_mask(headline).reduce(self._scale)).astype(np.float32)
        self._glyphs, count = ndimage.label(self._ink > 100)
        self._numbers = np.arange(1, count + 1)
        self._weights = np.maximum(np.asarray(ndimage.sum_labels(self._ink, self._glyphs, self._numbers)), 1.0)
        self._last_top = line_boxes(headline, *at)[-1].top
        self._outline = cutout.getchannel("A").reduce(max(cutout.height // 500, 1))

    def little(self, product: Box, share: float) -> bool:
        """Whether a product, made smaller on its foot to a share of its size, leaves every letter easy to read."""
        scale, ink = self._scale, self._ink
        width, height = product.width * share, product.height * share
        size = max(round(width / scale), 1), max(round(height / scale), 1)
        middle = (product.left + product.right) / 2
        place = round((middle - width / 2 - self._left) / scale), round((product.bottom - height - self._top) / scale)
        sheet = Image.new("L", (ink.shape[1], ink.shape[0]))
        sheet.paste(self._outline.resize(size), place)
        cover = np.asarray(sheet).astype(np.float32) / 255
        if cover[: max((self._last_top - self._top) // scale, 0)].max(initial=0.0) > 0.1:
            return False
        hidden = ink * cover
        each = np.asarray(ndimage.sum_labels(hidden, self._glyphs, self._numbers)) / self._weights
        return (
            float(hidden.sum() / self._weights.sum()) <= _MOST_COVERED
            and float(each.max()) <= _MOST_OF_GLYPH
            and float(cover.mean()) <= _MOST_OF_BOX
        )
