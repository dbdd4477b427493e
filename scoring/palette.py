"""Palette: how much of a picture's colour is in the brand's hues, and how far its dominant colours are from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proofsheet.domain.assessment import Score
from proofsheet.domain.asset import Box, Composition
from proofsheet.domain.campaign import BrandKit
from scoring.colour import Bytes, Floats, chroma_and_hue, ciede2000, hue_distance, lab_of_rgb, oklab_of_rgb, rgb_of_hex
from scoring.dominant import Dominant, colour_histogram, dominant_of_histogram
from scoring.scorer import Assessment, Subject, thumbnail_of
from scoring.verdict import Rules, load_rules

_THUMBNAIL = 96
_CHROMA_CAP = 0.16  # a neon sign outweighs a wall, but not without end


@dataclass(frozen=True, slots=True, kw_only=True)
class PaletteReading:
    """What a picture's colours are next to a brand's.

    ``family_share`` is the share (0–1) of the coloured area, weighted by chroma, in the brand's hues; None when the
    picture or the brand kit is as good as grey. ``exact_share`` is the share of pixels within the exact ΔE00 of a
    brand colour. ``distance`` is the mean ΔE00 of the dominant colours to the nearest brand colour, weighted by share;
    ``nearest`` names for each dominant colour the brand colour and its ΔE00.
    """

    dominant: tuple[Dominant, ...]
    nearest: tuple[tuple[str, float], ...]
    family_share: float | None
    exact_share: float
    distance: float
    foreign: str


class PaletteScorer:
    """Scores ``palette`` (with a verdict), ``palette_exact`` and ``palette_distance``."""

    name = "palette"
    version = "1"
    compares = False

    def __init__(self, *, colours: int = 6, rules: Rules | None = None) -> None:
        self._colours = colours
        self._rules = rules or load_rules()

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        for subject in subjects:
            pixels = scenery(np.asarray(thumbnail_of(subject.image(), _THUMBNAIL)), subject.composition)
            yield self._assessment(subject.asset.id, self.read(pixels, brand), brand)

    def read(self, pixels: Bytes, brand: BrandKit) -> PaletteReading:
        """Measure pixels of shape (n, 3) against the brand's palette."""
        settings = self._rules.settings
        colours = np.stack([rgb_of_hex(colour.hex) for colour in brand.palette])
        brand_lab = lab_of_rgb(colours)
        found, weight = colour_histogram(pixels)
        dominant = dominant_of_histogram(found, weight, self._colours)
        gaps = ciede2000(np.array([one.lab for one in dominant])[:, None, :], brand_lab[None, :, :])
        nearest = tuple((brand.palette[int(row.argmin())].name, float(row.min())) for row in gaps)
        near = (ciede2000(lab_of_rgb(found)[:, None, :], brand_lab[None, :, :]) <= settings["exact_difference"]).any(1)
        return PaletteReading(
            dominant=dominant,
            nearest=nearest,
            family_share=self._family_share(found, weight, colours),
            exact_share=float(weight[near].sum() / weight.sum()),
            distance=float(sum(one.share * gap for one, (_, gap) in zip(dominant, nearest, strict=True))),
            foreign=self._foreign(dominant, colours),
        )

    def _family_share(self, found: Bytes, count: Floats, colours: Bytes) -> float | None:
        chroma, hue = chroma_and_hue(oklab_of_rgb(found))
        hues = self._brand_hues(colours)
        if not len(hues) or np.average(chroma, weights=count) < self._rules.settings["grey_picture_chroma"]:
            return None
        neutral = self._rules.settings["neutral_chroma"]
        weight = (np.clip(chroma, neutral, _CHROMA_CAP) - neutral) * count
        if not weight.any():
            return None
        return float((weight * self._membership(hue, hues)).sum() / weight.sum())

    def _brand_hues(self, colours: Bytes) -> Floats:
        chroma, hue = chroma_and_hue(oklab_of_rgb(colours))
        return np.asarray(hue[chroma >= self._rules.settings["neutral_chroma"]], dtype=np.float64)

    def _membership(self, hue: Floats, hues: Floats) -> Floats:
        """1 within the family's angle of a brand hue, 0 from the foreign angle on, linear between."""
        near, far = self._rules.settings["family_degrees"], self._rules.settings["foreign_degrees"]
        distance = hue_distance(hue[:, None], hues[None, :]).min(axis=1)
        return np.asarray(np.clip((far - distance) / (far - near), 0.0, 1.0), dtype=np.float64)

    def _foreign(self, dominant: Sequence[Dominant], colours: Bytes) -> str:
        """The dominant colour that weighs most against the brand, as ``#rrggbb``."""
        hues = self._brand_hues(colours)
        chroma, hue = chroma_and_hue(oklab_of_rgb(np.stack([rgb_of_hex(one.hex) for one in dominant])))
        share = np.array([one.share for one in dominant])
        against = (
            share
            * np.maximum(chroma - self._rules.settings["neutral_chroma"], 1e-6)
            * (1 - self._membership(hue, hues) if len(hues) else 1.0)
        )
        return dominant[int(np.argmax(against))].hex

    def _assessment(self, asset_id: str, reading: PaletteReading, brand: BrandKit) -> Assessment:
        scorer = f"{self.name}/{self.version}"
        listing = ", ".join(
            f"{one.hex} {one.share:.0%} (nearest {name}, ΔE00 {gap:.1f})"
            for one, (name, gap) in zip(reading.dominant, reading.nearest, strict=True)
        )
        share = None if reading.family_share is None else 100 * reading.family_share
        grey = "Picture or brand kit is as good as grey: there is no hue to judge."
        scores = (
            Score(
                asset_id=asset_id,
                criterion="palette",
                value=share,
                unit="%",
                scorer=scorer,
                detail=listing if share is not None else f"{grey} {listing}",
            ),
            Score(
                asset_id=asset_id, criterion="palette_exact", value=100 * reading.exact_share, unit="%", scorer=scorer
            ),
            Score(asset_id=asset_id, criterion="palette_distance", value=reading.distance, unit="ΔE00", scorer=scorer),
        )
        if share is None:
            return Assessment(scores)
        families = ", ".join(colour.name for colour in brand.palette if self._is_coloured(colour.hex))
        verdict = self._rules["palette"].judge(
            asset_id,
            share,
            families=families,
            foreign=reading.foreign,
            colours=(reading.foreign, *(colour.hex for colour in brand.palette)),
        )
        return Assessment(scores, (verdict,))

    def _is_coloured(self, colour: str) -> bool:
        return bool(len(self._brand_hues(rgb_of_hex(colour)[None, :])))


def scenery(pixels: Bytes, composition: Composition | None) -> Bytes:
    """The pixels (n, 3) of a picture (h, w, 3) without the product's box, where it is known and leaves anything."""
    if composition is None:
        return pixels.reshape(-1, 3)
    height, width = pixels.shape[:2]
    keep: NDArray[np.bool_] = np.ones((height, width), dtype=bool)
    left, top, right, bottom = _scaled(composition.product, width / composition.width, height / composition.height)
    keep[top:bottom, left:right] = False
    return pixels[keep] if keep.mean() >= 0.1 else pixels.reshape(-1, 3)


def _scaled(box: Box, across: float, down: float) -> tuple[int, int, int, int]:
    return (
        max(0, int(box.left * across)),
        max(0, int(box.top * down)),
        max(0, int(np.ceil(box.right * across))),
        max(0, int(np.ceil(box.bottom * down))),
    )
