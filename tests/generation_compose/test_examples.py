"""The example campaigns: they load, their pictures can be used, and their advertisements compose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation.briefs import load_campaign
from generation.compose import Composer
from generation.layouts import layout_names
from generation.pictures import cut_out, open_picture
from generation.placements import placement

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("name", ["norda", "mira"])
def test_every_layout_composes_in_every_placement_of_an_example(name: str, make_recipe, drawn) -> None:
    campaign = load_campaign(EXAMPLES / name / "brief.toml")
    composer = Composer(campaign.brand, campaign.brief.product)
    headlines = [text for level in campaign.brief.factor("headline").levels for text in level.texts.values()]
    calls = [text for level in campaign.brief.factor("cta").levels for text in level.texts.values()]
    longest, call = max(headlines, key=len), max(calls, key=len)
    for place in map(placement, campaign.brief.placements):
        for layout in layout_names():
            recipe = make_recipe(layout, place, headline=longest, cta=call)
            scene = drawn.gradient(place.width, place.height, (170, 205, 200))
            found = composer.compose_on(scene, recipe, place, drawn.stage_for(layout, place))
            assert {run.text for run in found.composition.texts} >= {longest, call}


def test_the_bottle_is_a_clean_cut_out() -> None:
    bottle = open_picture(EXAMPLES / "norda" / "product.png")
    alpha = np.asarray(bottle.getchannel("A"))
    assert bottle.mode == "RGBA"
    assert bottle.height > 2000
    assert (EXAMPLES / "norda" / "product.png").stat().st_size < 700_000
    rows = (alpha > 128).sum(axis=1)[20:-20]
    jumps = np.abs(np.diff(rows.astype(int)))
    assert np.count_nonzero(jumps > 6) <= 12, "the outline has kinks besides the cap, the ring and the rounded ends"
    assert np.abs(alpha.astype(int) - alpha[:, ::-1].astype(int)).mean() < 1  # a solid of revolution


def test_the_jar_is_cut_out_of_white() -> None:
    jar = cut_out(open_picture(EXAMPLES / "mira" / "product.jpg"))
    assert 800 < jar.width < 900
    edge = np.asarray(jar)[(np.asarray(jar.getchannel("A")) > 30) & (np.asarray(jar.getchannel("A")) < 200)]
    assert (edge[:, :3].max(axis=1) < 235).mean() > 0.97  # no white halo


@pytest.mark.parametrize("name", ["meta_feed_portrait", "meta_story"])
def test_baselines_fit_their_placement(name: str) -> None:
    place = placement(name)
    with Image.open(EXAMPLES / "norda" / "baseline" / f"{name}.png") as picture:
        assert picture.size == (place.width, place.height)
