"""Words that do not fit are found before anything is drawn, and exactly those the composer refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from generation.briefs import load_campaign
from generation.compose import Composer
from generation.layouts import layout_names
from generation.placements import load_placements
from generation.plan import plan_variants
from generation.recipes import make_recipes
from generation.text_check import misfits
from proofsheet.domain.asset import Recipe
from proofsheet.domain.campaign import Campaign
from proofsheet.errors import InputError

pytestmark = pytest.mark.slow

Write = Callable[..., Path]
LONG = "Calm by the cup however late it gets and however long the night shift at the harbour may become"


def planned(path: Path) -> tuple[Campaign, tuple[Recipe, ...]]:
    campaign = load_campaign(path)
    recipes = make_recipes(
        plan_variants(campaign), campaign, backend_name="procedural", model="", revision="", steps=0, guidance=0.0,
        size_multiple=1, max_side=None, product_sha256="0" * 64,
    )  # fmt: skip
    return campaign, recipes


def test_words_that_fit_are_no_misfits(write: Write) -> None:
    assert misfits(*planned(write())) == ()


def test_all_misfits_come_at_once_each_once(write: Write) -> None:
    path = write(
        ('"Calm, by the cup"', f'"{LONG * 3}"'),
        ('"Jetzt probieren"', f'"Jetzt gleich {LONG * 2}"'),
        ('"Im Mai zwei für eins"', f'"{LONG * 3}"'),
        ("max_variants = 6", "max_variants = 16"),
    )
    found = misfits(*planned(path))
    assert len(found) == len(set(found))
    for place in ("meta_feed_portrait", "meta_story", "google_pmax_portrait"):
        of_place = {problem.split(":")[0] for problem in found if f"the layout column in {place}:" in problem}
        assert of_place == {"headline 'calm', en-US", "cta 'try', de-DE", "the offer, de-DE"}
    assert any("cta 'try', de-DE: The call to action 'Jetzt gleich" in problem for problem in found)


def test_a_missing_glyph_is_told_once_with_its_remedy(write: Write) -> None:
    path = write(
        ('"Spät und leise"', '"Spät und 静か"'),
        brand=(('name = "Harbour"', 'name = "Harbour"\nheadline_font = "fraunces"'),),
    )
    (problem,) = misfits(*planned(path))
    assert problem.startswith("headline 'late', de-DE: The font fraunces has no glyph for")
    assert "headline_font" in problem


def test_a_wordmark_that_does_not_fit_is_the_brands(write: Write) -> None:
    path = write(brand=(('name = "Harbour"', f'name = "Harbour"\nwordmark = "{LONG * 2}"'),))
    found = misfits(*planned(path))
    assert found
    assert all(problem.startswith("the brand: The wordmark") for problem in found)


@pytest.mark.parametrize("name", ["display_320x50", "display_728x90", "display_160x600", "display_300x250"])
def test_the_composer_refuses_exactly_the_misfits(write: Write, name: str) -> None:
    campaign, recipes = planned(write())
    slot = load_placements()[name]
    composer = Composer(campaign.brand, campaign.brief.product)
    scene = Image.new("RGB", (slot.width, slot.height), (150, 150, 150))
    outcomes = set()
    for layout in layout_names():
        for words in (4, 40, len(LONG)):
            recipe = replace(
                recipes[0], layout=layout, placement=name, headline=LONG[:words].strip(), cta="Try a tin",
                layout_params={}, scene=replace(recipes[0].scene, width=slot.width, height=slot.height),
            )  # fmt: skip
            try:
                composer.compose(scene, recipe, slot)
                refused = ""
            except InputError as error:
                refused = error.message
            found = misfits(campaign, [recipe])
            assert bool(found) == bool(refused), (layout, words, found, refused)
            assert not refused or found == (f"headline 'calm', en-US: {refused}",)
            outcomes.add(bool(refused))
    assert False in outcomes
