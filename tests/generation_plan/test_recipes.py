"""Recipes: what is shared, what is drawn anew, and what the prompts say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from generation.briefs import load_campaign
from generation.layouts import stand_for
from generation.placements import load_placements, placement
from generation.plan import plan_variants
from generation.prompts import NEVER
from generation.recipes import distinct_scenes, make_recipes
from generation.scene_sizes import BUCKETS, bucket_of, scene_formats
from proofsheet.domain.asset import Recipe
from proofsheet.domain.campaign import Campaign
from proofsheet.domain.identity import to_json
from proofsheet.domain.plain import from_json
from proofsheet.errors import InputError

Write = Callable[..., Path]


def recipes_of(campaign: Campaign, **changes: Any) -> tuple[Recipe, ...]:
    options: dict[str, Any] = {
        "backend_name": "procedural",
        "model": "",
        "revision": "1",
        "steps": 0,
        "guidance": 0.0,
        "size_multiple": 1,
        "max_side": None,
        "product_sha256": "0" * 64,
    }
    return make_recipes(plan_variants(campaign), campaign, **{**options, **changes})


@pytest.fixture
def campaign(write: Write) -> Campaign:
    return load_campaign(write())


def test_one_recipe_for_each_variant_and_placement(campaign: Campaign) -> None:
    recipes = recipes_of(campaign)
    assert len(recipes) == 6 * 3
    assert len({recipe.id for recipe in recipes}) == 18
    for recipe in recipes:
        assert recipe.locale == recipe.levels["locale"]
        assert (
            recipe.headline == campaign.brief.factor("headline").level(recipe.levels["headline"]).texts[recipe.locale]
        )
        assert (
            recipe.layout_params["offer"]
            == {"en": "Two for one in May", "de": "Im Mai zwei für eins"}[recipe.locale[:2]]
        )
        assert from_json(Recipe, to_json(recipe)) == recipe


def test_scenes_are_shared_by_words_and_by_placements_of_one_shape(campaign: Campaign) -> None:
    recipes = recipes_of(campaign)
    scenes = distinct_scenes(recipes)
    # two scenes (arch, paper) in two shapes: 4:5 serves Meta's and Google's portrait, 9:16 the story
    assert len(scenes) == 4
    assert {(scene.width, scene.height) for scene in scenes} == {(1080, 1350), (1080, 1920)}
    sizes = [(scene.width, scene.height) for scene in scenes]
    assert sum(one != other for one, other in pairwise(sizes)) == 1  # equal sizes stand together
    by_slot = {recipe.placement: recipe.scene.id for recipe in recipes if recipe.variant_id == recipes[0].variant_id}
    assert by_slot["meta_feed_portrait"] == by_slot["google_pmax_portrait"] != by_slot["meta_story"]


def test_a_changed_level_leaves_the_other_scenes_as_they_are(write: Write) -> None:
    before = distinct_scenes(recipes_of(load_campaign(write())))
    changed = load_campaign(write(("a sweep of coloured paper", "torn paper"), folder="changed"))
    after = distinct_scenes(recipes_of(changed))
    assert {scene.id for scene in before if scene.scene == "arch"} == {
        scene.id for scene in after if scene.scene == "arch"
    }
    assert not {scene.id for scene in before if scene.scene == "paper"} & {scene.id for scene in after}
    seeds = {scene.scene: scene.seed for scene in before}
    assert len(set(seeds.values())) == 2


def test_recipes_do_not_depend_on_the_folder(write: Write) -> None:
    one, two = load_campaign(write()), load_campaign(write(folder="elsewhere"))
    assert [recipe.id for recipe in recipes_of(one)] == [recipe.id for recipe in recipes_of(two)]


def test_the_brief_seed_changes_every_scene(campaign: Campaign) -> None:
    other = replace(campaign, brief=replace(campaign.brief, seed=12, max_variants=16))
    same = replace(campaign, brief=replace(campaign.brief, max_variants=16))
    assert not {s.id for s in distinct_scenes(recipes_of(same))} & {s.id for s in distinct_scenes(recipes_of(other))}


def test_several_seeds_give_several_pictures_of_a_scene(campaign: Campaign) -> None:
    more = replace(campaign, brief=replace(campaign.brief, max_variants=16, seeds_per_scene=3))
    scenes = distinct_scenes(recipes_of(more))
    seeds = {(scene.scene, scene.seed) for scene in scenes}
    assert 2 < len(seeds) <= 6


def test_renderers_get_parameters_and_colours(campaign: Campaign) -> None:
    # the portrait with the tighter safe area says where things stand for both
    scene = recipes_of(campaign)[0].scene
    x, y, width = stand_for(campaign.brief.factor("layout").levels[0].name, placement("google_pmax_portrait"))
    assert scene.params == {"kind": "arch_podium", "stand_x": x, "stand_y": y, "stand_width": width}
    assert scene.palette == ("#1f4e79", "#f7f3ea")
    assert scene.negative_prompt == ""


def test_models_get_words(write: Write) -> None:
    text = ("[[factors.cta]]", '[[factors.audience]]\nname = "night"\nprompt = "for night owls"\n[[factors.cta]]')
    campaign = load_campaign(write(text))
    scene = recipes_of(campaign, backend_name="diffusers", model="/models/house", revision="abc")[0].scene
    assert scene.prompt.startswith("an arch and a round podium, soft natural light, empty foreground")
    for part in ("where a tin will stand", "for night owls", "colours: harbour blue", "calm, salty mood"):
        assert part in scene.prompt
    assert all(word in scene.negative_prompt.split(", ") for word in (*NEVER, "smoke"))
    assert scene.palette == ()
    assert (scene.model, scene.revision) == ("house", "abc")


def test_the_audience_makes_new_scenes_only_where_it_is_read(write: Write) -> None:
    rows = "".join(f'[[factors.audience]]\nname = "{name}"\nprompt = "for {name}"\n' for name in ("owls", "larks"))
    campaign = load_campaign(
        write(("[[factors.cta]]", rows + "[[factors.cta]]"), ("max_variants = 6", "max_variants = 16"))
    )
    assert len(distinct_scenes(recipes_of(campaign))) == 4
    assert len(distinct_scenes(recipes_of(campaign, backend_name="diffusers"))) == 8


def test_every_known_placement_has_a_near_shape() -> None:
    for slot in load_placements().values():
        assert 0.85 < slot.ratio / BUCKETS[bucket_of(slot)] < 1.18, slot.name


def test_scene_sizes_obey_the_model(campaign: Campaign) -> None:
    slots = list(load_placements().values())
    for multiple, longest in ((1, None), (8, None), (16, 1344), (64, 640), (32, 100)):
        for slot in slots:
            size = scene_formats(slots, size_multiple=multiple, max_side=longest)[slot.name]
            assert size.width % multiple == 0 == size.height % multiple
            if longest:
                assert max(size.width, size.height) <= longest
            else:
                assert size.width >= slot.width
                assert size.height >= slot.height


def test_the_tightest_placement_of_a_shape_says_where_things_stand() -> None:
    slots = [placement(name) for name in ("google_demand_gen_vertical", "meta_story", "tiktok_image")]
    formats = scene_formats(slots)
    assert len({size.representative.name for size in formats.values()}) == 1
    free = {slot.name: slot.safe_area.box(1000, 1000) for slot in slots}
    chosen = formats["meta_story"].representative.name
    area = {name: (box[2] - box[0]) * (box[3] - box[1]) for name, box in free.items()}
    assert area[chosen] == min(area.values())


def test_a_plan_that_no_longer_fits_says_so(campaign: Campaign) -> None:
    plan = plan_variants(campaign)
    scene = campaign.brief.factor("scene")
    factors = tuple(replace(f, levels=scene.levels[1:]) if f is scene else f for f in campaign.brief.factors)
    changed = replace(campaign, brief=replace(campaign.brief, factors=factors))
    with pytest.raises(InputError, match="plan it again"):
        make_recipes(
            plan, changed, backend_name="procedural", model="", revision="", steps=0, guidance=0.0, size_multiple=1,
            max_side=None, product_sha256="",
        )  # fmt: skip
