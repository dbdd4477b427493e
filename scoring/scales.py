"""Scales: what a number means, from where to where it goes, and from where on it passes; for people who read scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proofsheet.domain.assessment import Score
from scoring.verdict import Rules, load_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How one number is read.

    ``low`` and ``high`` are the ends that are shown; a value beyond them is shown at the end. ``passes`` is where the
    verdict turns to PASS, None where the number has no rule of its own. ``better`` is "high" or "low".
    """

    title: str
    meaning: str
    low: float
    high: float
    better: str
    passes: float | None = None

    def place(self, value: float) -> float:
        """Where on the scale a value stands, 0 (low end) to 1 (high end)."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


#: By criterion and unit: title, what the number is, both ends, which way is better, and the rule it is judged by.
_SCALES: Mapping[tuple[str, str], tuple[str, str, float, float, str, str]] = {
    ("palette", "%"): ("Brand hues", "share of the coloured area in the brand's hues", 0, 100, "high", "palette"),
    ("palette_exact", "%"): ("Brand colours", "share of the picture in exactly a brand colour", 0, 100, "high", ""),
    ("palette_distance", "ΔE00"): (
        "Colour distance",
        "mean CIEDE2000 difference from the nearest brand colour; about 1 is just visible",
        0,
        50,
        "low",
        "",
    ),
    ("file_size", "% of the limit"): ("File size", "bytes, as a share of the placement's limit", 0, 200, "low", ""),
    ("blank", "ΔL*a*b*"): ("Something to see", "spread of colour over the thumbnail", 0, 40, "high", "blank"),
    ("duplicates", "%"): (
        "Difference from the nearest other",
        "share of the thumbnail that differs visibly from the most similar picture",
        0,
        100,
        "high",
        "duplicates",
    ),
    ("brand_fit", "percentile"): (
        "Brand fit",
        "where its likeness to the brand's references falls among theirs to each other",
        0,
        100,
        "high",
        "brand_fit_percentile",
    ),
    ("brand_fit", "cosine margin × 100"): (
        "Brand fit",
        "how much nearer to the brand's words than to generic ones, by CLIP; not comparable between models",
        -20,
        20,
        "high",
        "brand_fit_margin",
    ),
    ("contrast", ":1"): ("Contrast", "WCAG contrast of the weakest text to what is behind it", 1, 21, "high", ""),
    ("safe_area", "%"): ("Safe area", "share of text, button and logo inside it", 0, 100, "high", "safe_area"),
}

#: Titles of criteria whose name in words would not do.
_TITLES = {
    "blank": "Blank picture",
    "picture": "Damaged or unfit file",
    "duplicates": "Look-alike",
    "look_alikes": "Alike by CLIP",
    "palette": "Brand hues",
}


#: Criteria that are read like another: the same number of something else.
_ALIKE = {"brand_fit_scene": ("brand_fit", "Brand fit of the scene"), "brand_fit_words": ("brand_fit", "Brand words")}


def scale_of(score: Score, rules: Rules | None = None) -> Scale | None:
    """The scale a score is read on; None where its criterion or unit has none."""
    criterion, other = _ALIKE.get(score.criterion, (score.criterion, ""))
    found = _SCALES.get((criterion, score.unit))
    if found is None:
        return None
    title, meaning, low, high, better, rule = found
    title, rule = other or title, "" if other else rule
    passes = (rules or load_rules())[rule].good if rule else None
    return Scale(title=title, meaning=meaning, low=low, high=high, better=better, passes=passes)


def title_of(criterion: str) -> str:
    """What a criterion is called where people read it."""
    return _TITLES.get(criterion, criterion.replace("_", " ").capitalize())
