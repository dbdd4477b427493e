"""Turns a plan into recipes: everything that decides each scene's and each asset's pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generation.house.folder import BACKEND as HOUSE
from generation.house.framing import frame_for
from generation.house.words import house_prompt
from generation.identity import brand_id
from generation.layouts import stand_for
from generation.placements import placement
from generation.prompts import negative_prompt, plain_description, scene_prompt
from generation.scene_sizes import SceneFormat, scene_formats
from generation.staging import stand_params
from proofsheet.domain.asset import Recipe, SceneRecipe, Variant, VariantPlan
from proofsheet.domain.campaign import Campaign, Level
from proofsheet.domain.identity import content_id
from proofsheet.errors import InputError

#: Backends that draw from parameters and colours; all others read the prompt, and cannot be told exact colours.
DRAWN_FROM_PARAMETERS = frozenset({"procedural"})


def make_recipes(
    plan: VariantPlan,
    campaign: Campaign,
    *,
    backend_name: str,
    model: str,
    revision: str,
    steps: int,
    guidance: float,
    size_multiple: int,
    max_side: int | None,
    product_sha256: str,
) -> tuple[Recipe, ...]:
    """One recipe for each variant and placement, in that order; the variant's locale chooses the words.

    Scenes hold no words, so that variants which differ in words only, and placements of the same shape, share them.
    Every scene is told where the layout stands the product: renderers by parameters, models in words. Where a scene
    and a style (or an audience) set the same parameter, the later of the three counts.
    A scene's seed follows from the brief's seed and the scene's own content: a change of one level leaves the other
    scenes as they are. With ``brief.seeds_per_scene`` k, variants take one of k seeds by their id.

    Args:
        plan: whose variants are made.
        campaign: the brief and brand kit the plan was made from.
        backend_name, model, revision, steps, guidance, size_multiple, max_side: of the backend that will draw.
        product_sha256: hash of the product picture's bytes.

    Raises:
        InputError: the plan does not belong to the brief, or a file of the brand kit cannot be read.
    """
    from generation.compose import COMPOSER_VERSION

    maker = _SceneMaker(campaign, backend_name, model, revision, steps, guidance)
    placements = [placement(name) for name in plan.placements]
    formats = scene_formats(placements, size_multiple=size_multiple, max_side=max_side)
    brand = brand_id(campaign.brand)
    recipes = []
    for variant in plan.variants:
        levels = _levels(variant, campaign)
        locale = levels["locale"].name
        for slot in placements:
            recipes.append(
                Recipe(
                    campaign=plan.campaign,
                    variant_id=variant.id,
                    levels=dict(variant.levels),
                    scene=maker.scene(variant, levels, formats[slot.name]),
                    placement=slot.name,
                    layout=levels["layout"].name,
                    locale=locale,
                    headline=_words(levels["headline"], locale),
                    cta=_words(levels["cta"], locale),
                    product_sha256=product_sha256,
                    brand_id=brand,
                    composer=COMPOSER_VERSION,
                    layout_params={**_offer(campaign, locale), **levels["layout"].params},
                )
            )
    return tuple(recipes)


def distinct_scenes(recipes: Sequence[Recipe]) -> tuple[SceneRecipe, ...]:
    """The scenes to draw, each once: their number decides the cost.

    Scenes of one size stand together, so that a backend can draw them in batches; within a size, and between sizes,
    in the order in which they are first needed.
    """
    scenes = {recipe.scene.id: recipe.scene for recipe in recipes}
    by_size: dict[tuple[int, int], list[SceneRecipe]] = {}
    for scene in scenes.values():
        by_size.setdefault((scene.width, scene.height), []).append(scene)
    return tuple(scene for group in by_size.values() for scene in group)


def _offer(campaign: Campaign, locale: str) -> dict[str, str]:
    brief = campaign.brief
    offer = brief.offers.get(locale, "") if brief.offers else brief.offer
    return {"offer": offer} if offer else {}


def _words(level: Level, locale: str) -> str:
    if locale not in level.texts:
        raise InputError(
            f"The level {level.name!r} has no text for {locale}.", f"Add {locale} to its texts in the brief."
        )
    return level.texts[locale]


def _levels(variant: Variant, campaign: Campaign) -> Mapping[str, Level]:
    try:
        return {factor.name: factor.level(variant.levels[factor.name]) for factor in campaign.brief.factors}
    except KeyError as error:
        raise InputError(
            f"The plan's variant {variant.id} does not fit the brief {campaign.slug}: {error.args[0]}.",
            "The brief has changed since it was planned: plan it again.",
        ) from error


def _label(model: str) -> str:
    """A model's name in a recipe: of a folder its last part, for its content is told by the revision."""
    return Path(model).name if Path(model).is_absolute() else model


@dataclass(frozen=True, slots=True)
class _SceneMaker:
    campaign: Campaign
    backend: str
    model: str
    revision: str
    steps: int
    guidance: float

    def scene(self, variant: Variant, levels: Mapping[str, Level], size: SceneFormat) -> SceneRecipe:
        brief, brand = self.campaign.brief, self.campaign.brand
        scene, style, audience = levels["scene"], levels["style"], levels["audience"]
        reads_words = self.backend not in DRAWN_FROM_PARAMETERS
        stand = stand_for(levels["layout"].name, size.representative)
        params = {**scene.params, **style.params, **audience.params, **stand_params(*stand)}
        if self.backend == HOUSE:
            frame = frame_for(size.width, size.height, stand)
            prompt = house_prompt(brand, frame, scene=scene, style=style, audience=audience)
        elif reads_words:
            prompt = scene_prompt(brief, brand, scene=scene, style=style, audience=audience, stand_x=stand[0])
        else:
            prompt = plain_description(scene, style)
        return SceneRecipe(
            backend=self.backend,
            model=_label(self.model),
            revision=self.revision,
            prompt=prompt,
            negative_prompt=self._negative() if reads_words else "",
            seed=self._seed(variant, scene, style, audience if reads_words else None),
            steps=self.steps,
            guidance=self.guidance,
            width=size.width,
            height=size.height,
            scene=scene.name,
            style=style.name,
            params=params,
            palette=() if reads_words else tuple(colour.hex for colour in brand.palette),
        )

    def _negative(self) -> str:
        brief = self.campaign.brief
        return ", ".join(brief.never) if self.backend == HOUSE else negative_prompt(brief)

    def _seed(self, variant: Variant, scene: Level, style: Level, audience: Level | None) -> int:
        """A seed of 32 bits from the brief's seed and what the scene shows, whatever its size and its stand."""
        brief = self.campaign.brief
        repeat = int(variant.id, 16) % brief.seeds_per_scene
        content = [brief.seed, repeat, scene, style, audience if audience and audience.prompt else None]
        return int(content_id(content, length=8), 16)
