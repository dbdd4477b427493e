"""Contrast: each text against the pixels really behind it, by the WCAG ratio that 95 % of that ground reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from proofsheet.domain.assessment import Score
from proofsheet.domain.asset import Box, TextRun
from proofsheet.domain.campaign import BrandKit
from scoring.colour import Bytes, Floats, contrast_ratio, hex_of_rgb, relative_luminance, rgb_of_hex
from scoring.scorer import Assessment, Subject, rgb_picture
from scoring.verdict import Rules, load_rules

if TYPE_CHECKING:
    from PIL.Image import Image

Mask = NDArray[np.bool_]

_INK_TOLERANCE = 10  # levels per channel: dither and rounding, far below what the eye calls another colour
_STROKE = 0.34  # of the em: no stroke of a text face is wider, so a wider patch of ink colour is ground
_NEARBY = 0.35  # of the em: ground this near to a stroke is behind the text
_FINE_TYPE = 24  # pixels of the em below which strokes may be too thin to show the ink's full colour
_SCARCE = 0.02  # share of full ink in a line below which the same is likely
_LEAN = 0.2  # how far towards the ink a pixel must lean from its surroundings to belong to a thin stroke


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastReading:
    """The contrast of one text: its ratio, whether the limit for large text applies, and which of the two is darker.

    ``box`` is the line that is hardest to read; ``colours`` are its ink and the colour behind it that it is nearest to.
    """

    role: str
    ratio: float
    large: bool
    needed: float
    ground_is_darker: bool
    box: Box
    colours: tuple[str, str]


class ContrastScorer:
    """Scores ``contrast`` (the text furthest below its limit, with a verdict) and ``contrast_ROLE`` for each text."""

    name = "contrast"
    version = "1"
    compares = False

    def __init__(self, *, rules: Rules | None = None) -> None:
        self._rules = rules or load_rules()

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        for subject in subjects:
            yield self._assess_one(subject)

    def _assess_one(self, subject: Subject) -> Assessment:
        asset_id, scorer = subject.asset.id, f"{self.name}/{self.version}"
        composition = subject.composition
        if composition is None or not composition.texts:
            why = "There is no text on it." if composition else "Where text stands is not known for an upload."
            return Assessment(
                (Score(asset_id=asset_id, criterion="contrast", value=None, unit=":1", scorer=scorer, detail=why),)
            )
        picture = rgb_picture(subject.image())
        readings = [self._read(run, partial(_crop_picture, picture), picture.size) for run in composition.texts]
        weakest = min(readings, key=lambda reading: reading.ratio / reading.needed)
        worst_by_role: dict[str, ContrastReading] = {}
        for reading in readings:
            known = worst_by_role.get(reading.role)
            if known is None or reading.ratio < known.ratio:
                worst_by_role[reading.role] = reading
        told = ", ".join(f"{one.role} {one.ratio:.1f}:1 ({_size_word(one)})" for one in worst_by_role.values())
        scores = [
            Score(asset_id=asset_id, criterion="contrast", value=weakest.ratio, unit=":1", scorer=scorer, detail=told),
            *(
                Score(
                    asset_id=asset_id,
                    criterion=f"contrast_{role}",
                    value=one.ratio,
                    unit=":1",
                    scorer=scorer,
                    detail=f"{_size_word(one)}, {one.needed:.1f}:1 needed",
                )
                for role, one in worst_by_role.items()
            ),
        ]
        verdict = self._rules["contrast_large" if weakest.large else "contrast_small"].judge(
            asset_id,
            weakest.ratio,
            role=role_word(weakest.role),
            shade="darken" if weakest.ground_is_darker else "lighten",
            opposite="lighter" if weakest.ground_is_darker else "darker",
            boxes=[weakest.box],
            colours=weakest.colours,
        )
        return Assessment(tuple(scores), (verdict,))

    def read(self, pixels: Bytes, run: TextRun) -> ContrastReading:
        """Measure one text on a picture of shape (height, width, 3)."""
        return self._read(run, partial(_crop, pixels), (pixels.shape[1], pixels.shape[0]))

    def _read(self, run: TextRun, crop: Callable[[Box], Bytes], size: tuple[int, int]) -> ContrastReading:
        """Measure one text on a picture of some width and height that is cut to boxes."""
        ink = rgb_of_hex(run.ink)
        quantile = self._rules.settings["contrast_quantile"]
        worst, ground, place = 21.0, np.zeros((1, 3), dtype=np.uint8), run.box
        readable = False
        for line in line_boxes(run):
            pixels_behind = ground_pixels(crop(line), ink, run.size)
            if not len(pixels_behind):
                continue
            readable = True
            ratio = float(np.quantile(contrast_ratio(pixels_behind, ink), quantile))
            if ratio <= worst:
                worst, ground, place = ratio, pixels_behind, line
        large = self.is_large(run, *size)
        light = relative_luminance(ground)
        darker = float(np.median(light)) < float(relative_luminance(ink))
        nearest = ground[int(np.abs(light - np.quantile(light, 1 - quantile if darker else quantile)).argmin())]
        return ContrastReading(
            role=run.role,
            ratio=worst if readable else 1.0,
            large=large,
            needed=self._rules["contrast_large" if large else "contrast_small"].good,
            ground_is_darker=darker,
            box=place,
            colours=(run.ink, hex_of_rgb(nearest)),
        )

    def is_large(self, run: TextRun, width: int, height: int) -> bool:
        """Whether WCAG's limit for large text applies, at the size at which the picture is usually shown.

        A brand name set as a logo needs no contrast by WCAG 2.2; here it needs as much as large text.
        """
        if run.role == "wordmark":
            return True
        settings = self._rules.settings
        shown = run.size * shown_scale(width, height, self._rules)
        bold = any(word in run.font.lower() for word in ("bold", "black", "heavy", "700", "800", "900"))
        return shown >= (settings["large_bold_text"] if bold else settings["large_text"])


def shown_scale(width: int, height: int, rules: Rules) -> float:
    """CSS pixels per picture pixel: social pictures shrink to a phone's width, banners are shown as they are."""
    settings = rules.settings
    if min(width, height) < settings["scaled_from_side"]:
        return 1.0
    return min(1.0, settings["phone_width"] / width)


def role_word(role: str) -> str:
    """A text's role in plain words."""
    return {"cta": "button text", "wordmark": "brand name"}.get(role, role)


def _size_word(reading: ContrastReading) -> str:
    return "logo" if reading.role == "wordmark" else "large text" if reading.large else "small text"


def line_boxes(run: TextRun) -> tuple[Box, ...]:
    """The run's box cut into its lines, equally high."""
    count = max(1, len(run.lines))
    edges = [run.box.top + round(run.box.height * i / count) for i in range(count + 1)]
    return tuple(Box(left=run.box.left, right=run.box.right, top=top, bottom=bottom) for top, bottom in pairwise(edges))


def _crop(pixels: Bytes, box: Box) -> Bytes:
    left, top, right, bottom = _within(box, pixels.shape[1], pixels.shape[0])
    return pixels[top:bottom, left:right]


def _crop_picture(picture: Image, box: Box) -> Bytes:
    """As ``_crop``: of a large picture only the part that is looked at is unpacked."""
    return np.asarray(picture.crop(_within(box, *picture.size)), dtype=np.uint8)


def _within(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    left, top = min(max(0, box.left), width), min(max(0, box.top), height)
    return left, top, max(left, min(box.right, width)), max(top, min(box.bottom, height))


def ground_pixels(crop: Bytes, ink: Bytes, size: float) -> Bytes:
    """The pixels (n, 3) behind the text in a line's crop (h, w, 3).

    Strokes are pixels of ink colour in shapes too thin to be anything else; their soft edges are left out with them.
    Patches of ink colour wider than any stroke are ground into which text vanishes, and are kept. Only ground near to
    a stroke counts, unless text seems to be swallowed: then all of the line does.
    """
    if not crop.size:
        return np.zeros((0, 3), dtype=np.uint8)
    width = max(3, round(_STROKE * size) | 1)
    pure = _near(crop, ink)
    solid = _opened(pure, width)
    strokes = pure & ~solid
    if size < _FINE_TYPE or strokes.mean() < _SCARCE:
        leaning = _leaning(crop, ink, width)
        strokes |= leaning & ~_opened(leaning, width) & ~solid
    edge = 1 if size < 40 else 2
    ground = ~ndimage.maximum_filter(strokes, size=2 * edge + 1) | solid
    if strokes.any():
        reach = 2 * max(2, round(_NEARBY * size)) + 1
        behind = ndimage.maximum_filter(strokes, size=reach)
        if solid.any():
            behind |= solid & _column_span(strokes, round(size))
        if (ground & behind).any():
            ground &= behind
    return crop[ground] if ground.any() else crop.reshape(-1, 3)


def _near(crop: Bytes, ink: Bytes) -> Mask:
    """Where all channels are within the tolerance of the ink."""
    near = np.ones(crop.shape[:2], dtype=bool)
    for channel, level in enumerate(ink.astype(int).tolist()):
        near &= crop[..., channel] >= max(level - _INK_TOLERANCE, 0)
        near &= crop[..., channel] <= min(level + _INK_TOLERANCE, 255)
    return near


def _opened(mask: Mask, width: int) -> Mask:
    """What is left of a mask when everything narrower than ``width`` in either direction is taken away."""
    if min(mask.shape) < width or not mask.any():
        return np.zeros_like(mask)
    eroded = ndimage.minimum_filter(mask, size=width, mode="nearest")
    if not eroded.any():
        return np.zeros_like(mask)
    return np.asarray(ndimage.maximum_filter(eroded, size=width, mode="constant", cval=0), dtype=bool)


def _column_span(strokes: Mask, margin: int) -> Mask:
    """The columns from the first to the last stroke, widened: where the line's text visibly stands.

    When the visible strokes span less than half of the line, text may be swallowed beyond them: then all columns.
    """
    columns = np.flatnonzero(strokes.any(axis=0))
    first, last = int(columns[0]), int(columns[-1])
    span = np.ones(strokes.shape[1], dtype=bool)
    if last - first >= strokes.shape[1] / 2:
        span[: max(0, first - margin)] = False
        span[last + margin + 1 :] = False
    return np.broadcast_to(span, strokes.shape)


def _leaning(crop: Bytes, ink: Bytes, width: int) -> Mask:
    """Where a pixel leans from its surroundings towards the ink: strokes too thin to reach the ink's full colour."""
    step = max(1, width // 4)  # the surroundings of large type are found on a coarser grid, or it would take minutes
    coarse = crop[::step, ::step]
    window = max(3, 3 * width // step)
    around = np.stack([ndimage.median_filter(coarse[..., c], size=window) for c in range(3)], axis=2)
    around = around.repeat(step, axis=0).repeat(step, axis=1)[: crop.shape[0], : crop.shape[1]]
    towards: Floats = ink.astype(np.float64) - around
    lean = ((crop.astype(np.float64) - around) * towards).sum(axis=2) / np.maximum((towards**2).sum(axis=2), 1.0)
    return np.asarray(lean > _LEAN, dtype=bool)
