"""Advertisements by the real composition code, with a scene of the procedural renderer each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
from PIL import Image

from generation.compose import COMPOSER_VERSION
from generation.composition.sheet import Sheet
from generation.layouts import LAYOUTS, stand_for
from generation.placements import load_placements
from generation.scenes import SCENES, draw_scene, stage_of
from generation.staging import stand_params
from planted.brands import COPY, House
from proofsheet.domain.asset import Asset, Composition, Origin, Recipe, SceneRecipe
from proofsheet.domain.campaign import BrandKit, Placement
from proofsheet.errors import InputError
from scoring.scorer import Subject

# Kinds whose ground takes the brand's colours; wood, sand, snow and the like have a colour of their own.
KINDS = tuple(name for name, kind in SCENES.items() if kind.ground_hue is None and name not in {"bokeh_night", "sky"})
LIGHTS = ("window_warm", "leaf_shade", "hard_noon", "soft_north", "overcast", "high_key", "moody", "blinds")
DRAWN = 420  # the longest side of a scene as drawn; the composer enlarges it, which saves most of the time


@dataclass(frozen=True, kw_only=True)
class Design:
    """Everything that decides one advertisement."""

    house: House
    placement: Placement
    recipe: Recipe
    scene: Image.Image

    @cached_property
    def clean(self) -> Ad:
        """The advertisement as the composer makes it."""
        return self.composed()

    def composed(self, kind: type[Sheet] = Sheet, *, recipe: Recipe | None = None) -> Ad:
        """The advertisement, by a composer that may be spoilt; ``recipe`` is composed instead of the one asked for."""
        kit = self.house.composer._kit
        sheet = kind(kit, self.scene, recipe or self.recipe, self.placement, stage_of(self.recipe.scene))
        return Ad(
            picture=sheet.picture,
            composition=sheet.composition,
            recipe=self.recipe,
            placement=self.placement,
            brand=self.house.brand,
            notes=tuple(sheet.notes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ad:
    """A finished advertisement as the scorers are given it. ``data_size`` is beyond every limit, so that its bytes are
    judged by what it takes when it is exported."""

    picture: Image.Image
    composition: Composition
    recipe: Recipe
    placement: Placement
    brand: BrandKit
    notes: tuple[str, ...] = ()
    data_size: int = 1_000_000_000

    def subject(self, name: str = "ad") -> Subject:
        """The advertisement in memory as a generated asset."""
        asset = Asset(
            id=name,
            campaign="planted",
            variant_id="00000000",
            placement=self.placement.name,
            levels=self.recipe.levels,
            locale=self.recipe.locale,
            width=self.picture.width,
            height=self.picture.height,
            sha256=name,
            media_type="image/png",
            origin=Origin.GENERATED,
            scene_id=None,
            recipe=self.recipe,
            composition=self.composition,
            label="",
            ai_made=False,
            seconds=0.0,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        return Subject(asset, lambda: self.picture, self.data_size, self.placement, self.composition)


def designs(
    made: tuple[House, ...], count: int, seed: int, places: tuple[str, ...] = tuple(load_placements()), start: int = 0
) -> Iterator[Design]:
    """Advertisements that the composer can make, going through brands and placements in turn, layouts by chance."""
    layouts = list(LAYOUTS)
    number, done = start, 0
    while done < count:
        rng = np.random.default_rng([seed, number])
        house = made[number % len(made)]
        place = load_placements()[places[number % len(places)]]
        layout = layouts[int(rng.integers(len(layouts)))]
        number += 1
        try:
            design = _design(house, place, layout, rng)
            _ = design.clean
        except InputError:
            continue  # words that do not fit this placement: the composer refuses them, as it should
        done += 1
        yield design


def _design(house: House, place: Placement, layout: str, rng: np.random.Generator) -> Design:
    locale = str(rng.choice(house.locales))
    copy = COPY[locale]
    strip = place.width / place.height > 2.5
    headline = copy.brief if strip else str(rng.choice(copy.headlines))
    offer = {"offer": copy.offer} if rng.random() < 0.5 and not strip else {}
    kind, light = str(rng.choice(KINDS)), str(rng.choice(LIGHTS))
    scale = min(1.0, DRAWN / max(place.width, place.height))
    scene = SceneRecipe(
        backend="procedural",
        model="",
        revision="",
        prompt="",
        negative_prompt="",
        seed=int(rng.integers(1 << 31)),
        steps=0,
        guidance=0.0,
        width=max(round(place.width * scale), 32),
        height=max(round(place.height * scale), 32),
        scene=kind,
        style=light,
        params={"kind": kind, "light": light, **stand_params(*stand_for(layout, place))},
        palette=tuple(colour.hex for colour in house.brand.palette),
    )
    recipe = Recipe(
        campaign="planted",
        variant_id="00000000",
        levels={"scene": kind, "style": light, "layout": layout, "headline": headline},
        scene=scene,
        placement=place.name,
        layout=layout,
        locale=locale,
        headline=headline,
        cta=copy.cta,
        product_sha256="",
        brand_id="",
        composer=COMPOSER_VERSION,
        layout_params=offer,
    )
    return Design(house=house, placement=place, recipe=recipe, scene=Image.fromarray(draw_scene(scene)))


def with_palette(design: Design, palette: tuple[str, ...]) -> Design:
    """The same design in a scene drawn in other colours."""
    scene = replace(design.recipe.scene, palette=palette)
    return replace(design, recipe=replace(design.recipe, scene=scene), scene=Image.fromarray(draw_scene(scene)))
