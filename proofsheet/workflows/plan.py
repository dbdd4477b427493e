"""plan: from a brief to a variant set with its recipes, before anything is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.domain.asset import Recipe, VariantPlan
from proofsheet.domain.campaign import Campaign
from proofsheet.domain.money import Money
from proofsheet.errors import InputError
from proofsheet.workflows.house import House

if TYPE_CHECKING:
    from generation.backend import ImageBackend
    from generation.vocabulary import Section
    from warehouse.store import Reader

#: Seconds a scene and a composition take on a plain machine, for estimates before the first measurement.
SCENE_SECONDS = Decimal("2.0")
COMPOSE_SECONDS = Decimal("0.6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What was planned, and what making it is expected to cost."""

    campaign: Campaign
    plan: VariantPlan
    recipes: tuple[Recipe, ...]
    scenes: int
    assets: int
    estimate: Money
    seconds: float
    is_new: bool
    warnings: tuple[str, ...]


def plan(
    house: House,
    brief_path: Path,
    *,
    backend: str = "",
    model: str = "",
    options: Mapping[str, str | int | float] | None = None,
) -> Planned:
    """Read a brief and its brand kit, lay out a variant set, and save both with their recipes.

    Planning the same brief again changes nothing. A changed brief makes a new plan; assets whose recipe stays the
    same are kept and not made again.

    Args:
        house: the open house.
        brief_path: the brief, a TOML file.
        backend: what draws the scenes; "" for the setting ``backend``, and without one for the house model.
        model: the backend's model: a folder or a hub id.
        options: the backend's own, such as ``revision``, ``licence``, ``steps``, ``lora``; kept with the plan.

    Raises:
        InputError: the brief or the brand kit breaks a rule, or words do not fit; every problem is named at once.
        NotFoundError: there is no such backend or model.
    """
    from generation.backend import Choice, default_backend, open_backend, remarks
    from generation.briefs import brief_warnings, load_campaign
    from generation.plan import plan_variants
    from generation.recipes import distinct_scenes
    from scoring.coverage.axes import load_axes

    campaign = load_campaign(brief_path, axes={name: axis.names for name, axis in load_axes().items()})
    named = backend or house.settings.backend
    choice = Choice(named) if named else default_backend()
    kept_options = _wherever(options or {})
    drawing = open_backend(choice.name, model, **kept_options)
    laid_out = plan_variants(campaign, backend=choice.name, model=drawing.model)
    laid_out = replace(laid_out, options=kept_options)
    recipes = recipes_of(laid_out, campaign, drawing)
    said = (*([choice.reason] if choice.reason else []), *remarks(drawing, distinct_scenes(recipes)))
    require_fitting(house, campaign, recipes)
    kept = house.keep(campaign)
    with house.warehouse.write() as writer:
        earlier = writer.plan(campaign.slug)
        replaced = _replaced(writer, campaign)
        made_before = {recipe.id for recipe in writer.recipes(campaign.slug)} if earlier else set()
        is_new = earlier is None or earlier.id != laid_out.id or made_before != {recipe.id for recipe in recipes}
        writer.save_campaign(kept)
        writer.save_plan(laid_out)
        writer.save_recipes(campaign.slug, recipes)
    scenes = len({recipe.scene.id for recipe in recipes})
    seconds = scenes * SCENE_SECONDS + len(recipes) * COMPOSE_SECONDS
    return Planned(
        campaign=house.whole(kept),
        plan=laid_out,
        recipes=recipes,
        scenes=scenes,
        assets=len(recipes),
        estimate=Money(house.compute_cost(float(seconds)), house.settings.currency),
        seconds=float(seconds),
        is_new=is_new,
        warnings=(*replaced, *said, *brief_warnings(campaign), *(_picture_notes(campaign) if is_new else ())),
    )


def _wherever(options: Mapping[str, str | int | float]) -> dict[str, str | int | float]:
    """The options with the path of a LoRA made whole, so that the plan is drawn from any folder."""
    lora = options.get("lora")
    return {**options, "lora": str(Path(str(lora)).expanduser().resolve())} if lora else dict(options)


def _replaced(reader: Reader, campaign: Campaign) -> tuple[str, ...]:
    """Another campaign of the same slug gives way; that is said, because a slug may be taken twice by mistake."""
    earlier = next((one.brief for one in reader.campaigns() if one.slug == campaign.slug), None)
    brief = campaign.brief
    if earlier is None or (earlier.name == brief.name or earlier.product.name == brief.product.name):
        return ()
    return (
        f"The slug {brief.slug!r} was {earlier.name!r} for {earlier.product.name!r} before. If this is another "
        "campaign, give it a slug of its own and plan again.",
    )


def _picture_notes(campaign: Campaign) -> tuple[str, ...]:
    """What to look at where the product was cut out of a photograph."""
    from generation.pictures import cut_out_notes, open_picture

    product = campaign.brief.product
    return tuple(f"{product.name}: {note}" for note in cut_out_notes(open_picture(product.image)))


def require_fitting(house: House, campaign: Campaign, recipes: Sequence[Recipe]) -> None:
    """Find all words that do not fit before anything is drawn; what was planned before is known to fit.

    Raises:
        InputError: some do not; all are listed.
    """
    from generation.placements import load_placements
    from generation.text_check import REMEDY, misfits

    with house.warehouse.read() as reader:
        known = {recipe.id for recipe in reader.recipes(campaign.slug)} if reader.plan(campaign.slug) else set()
    found = misfits(campaign, [recipe for recipe in recipes if recipe.id not in known], load_placements())
    if found:
        listed = "\n".join(f"  {number}. {text}" for number, text in enumerate(found, start=1))
        raise InputError(
            f"{len(found)} texts of the brief do not fit where they are to stand:\n{listed}",
            REMEDY,
        )


def recipes_of(laid_out: VariantPlan, campaign: Campaign, drawing: ImageBackend) -> tuple[Recipe, ...]:
    """The recipes of a plan, drawn by an open backend."""
    from generation.recipes import make_recipes
    from proofsheet.domain.identity import bytes_id

    return make_recipes(
        laid_out,
        campaign,
        backend_name=drawing.name,
        model=drawing.model,
        revision=drawing.revision,
        steps=drawing.steps,
        guidance=drawing.guidance,
        size_multiple=drawing.size_multiple,
        max_side=drawing.max_side,
        product_sha256=bytes_id(campaign.brief.product.image.read_bytes()),
    )


def names_for_briefs() -> tuple[Section, ...]:
    """Every name that a brief or a brand kit may use, in sections."""
    from generation.vocabulary import vocabulary

    return vocabulary()
