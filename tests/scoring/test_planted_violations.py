"""Many random advertisements with one known violation each: all are caught, and clean ones are left alone."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from proofsheet.domain.assessment import Grade
from proofsheet.domain.asset import Box
from proofsheet.domain.campaign import BrandKit
from scoring.assess import assess_all, open_scorer
from scoring.scorer import Subject

Make = Callable[..., Subject]
Draw = np.random.Generator
SEEDS = range(8)


def _tone(rng: Draw, hue: float, lightness: float, saturation: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hls_to_rgb((hue + rng.uniform(-8, 8)) / 360 % 1, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _clean(rng: Draw) -> dict[str, object]:
    """A random advertisement in the brand's green or orange, on light or dark ground, with room for everything."""
    dark = bool(rng.random() < 0.4)
    hue = float(rng.choice([166, 30]))
    left = int(rng.integers(36, 60))
    product = int(rng.integers(395, 430))
    return {
        "ground": _tone(rng, hue, rng.uniform(0.08, 0.18) if dark else rng.uniform(0.78, 0.9), rng.uniform(0.35, 0.6)),
        "ink": "#faf7f0" if dark else "#15201d",
        "headline_at": (left, int(rng.integers(60, 120))),
        "headline_size": int(rng.integers(38, 48)),
        "button_at": (left, int(rng.integers(300, 360))),
        "wordmark_at": (left, int(rng.integers(480, 540))),
        "product": Box(left=product, top=int(rng.integers(150, 220)), right=product + 150, bottom=570),
        "noise": int(rng.integers(0, 3)),
    }


def _pale_ink(rng: Draw, ad: dict[str, object]) -> None:
    ground = np.array(ad["ground"])
    ad["ink"] = "#" + bytes(np.clip(ground + rng.integers(-25, 26), 0, 255).astype(np.uint8).tolist()).hex()


def _patch_of_ink(rng: Draw, ad: dict[str, object]) -> None:
    x, y = ad["headline_at"]  # type: ignore[misc]
    start = x + int(rng.integers(20, 90))
    patch = Box(left=start, top=y, right=start + int(rng.integers(60, 120)), bottom=y + 120)
    ink = bytes.fromhex(str(ad["ink"])[1:])
    ad["patches"] = ((patch, (ink[0], ink[1], ink[2])),)


def _foreign_hue(rng: Draw, ad: dict[str, object]) -> None:
    ad["ground"] = _tone(rng, float(rng.choice([275, 300, 325])), 0.8, 0.7)
    ad["ink"] = "#15201d"


def _over_the_edge(rng: Draw, ad: dict[str, object]) -> None:
    ad["headline_at"] = (int(rng.integers(-20, 24)), 80)


def _logo_too_low(rng: Draw, ad: dict[str, object]) -> None:
    ad["wordmark_at"] = (50, int(rng.integers(588, 606)))


def _headline_on_product(rng: Draw, ad: dict[str, object]) -> None:
    ad["headline_at"] = (int(rng.integers(220, 300)), int(rng.integers(220, 400)))
    ad["button_at"], ad["wordmark_at"] = (48, 440), (48, 540)


def _button_on_headline(rng: Draw, ad: dict[str, object]) -> None:
    x, y = ad["headline_at"]  # type: ignore[misc]
    ad["button_at"] = (x, y + int(rng.integers(10, 60)))


def _logo_crowded(rng: Draw, ad: dict[str, object]) -> None:
    x, y = ad["button_at"]  # type: ignore[misc]
    ad["wordmark_at"] = (x, y + 60 + int(rng.integers(0, 6)))


def _product_hidden(rng: Draw, ad: dict[str, object]) -> None:
    left = int(rng.integers(540, 600))
    ad["product"] = Box(left=left, top=200, right=left + 150, bottom=560)


def _tiny_type(rng: Draw, ad: dict[str, object]) -> None:
    ad["headline_size"] = int(rng.integers(9, 14))


def _long_headline(rng: Draw, ad: dict[str, object]) -> None:
    ad["headline"], ad["headline_size"] = ("Slow brewed, wide awake", "and " * int(rng.integers(2, 5))), 24


VIOLATIONS: dict[str, tuple[str, str, Callable[[Draw, dict[str, object]], None]]] = {
    "ink like its ground": ("contrast", "contrast", _pale_ink),
    "text over a patch of its colour": ("contrast", "contrast", _patch_of_ink),
    "foreign hue": ("palette", "palette", _foreign_hue),
    "headline over the edge": ("safe_area", "safe_area", _over_the_edge),
    "logo too low": ("safe_area", "safe_area", _logo_too_low),
    "headline on the product": ("safe_area", "overlap", _headline_on_product),
    "button on the headline": ("safe_area", "overlap", _button_on_headline),
    "logo crowded": ("safe_area", "logo_space", _logo_crowded),
    "product hidden": ("safe_area", "product_visible", _product_hidden),
    "tiny type": ("safe_area", "text_size", _tiny_type),
    "long headline": ("spec", "headline_length", _long_headline),
}


def _advertisements(make_ad: Make, spoil: Callable[[Draw, dict[str, object]], None] | None) -> Iterator[Subject]:
    for seed in SEEDS:
        rng = np.random.default_rng([seed, 11])
        parts = _clean(rng)
        if spoil:
            spoil(rng, parts)
        yield make_ad(f"ad-{seed}", **parts)


@pytest.mark.parametrize("name", VIOLATIONS)
def test_every_planted_violation_is_caught(name: str, make_ad: Make, brand: BrandKit) -> None:
    scorer, criterion, spoil = VIOLATIONS[name]
    subjects = list(_advertisements(make_ad, spoil))
    missed = [
        assessment
        for assessment in open_scorer(scorer).assess(subjects, brand)
        if all(one.grade is Grade.PASS for one in assessment.verdicts if one.criterion == criterion)
    ]
    assert not missed


def test_clean_advertisements_are_left_alone(make_ad: Make, brand: BrandKit) -> None:
    subjects = list(_advertisements(make_ad, None))
    alarms = [
        verdict.reason
        for _, assessment in assess_all(subjects, brand, scorers=["contrast", "palette", "safe_area", "spec"])
        for verdict in assessment.verdicts
        if verdict.grade is not Grade.PASS
    ]
    assert not alarms
