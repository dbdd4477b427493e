"""The composer: a scene, the product, real type and the brand's marks become an advertisement.

The order of the layers is scene, shadows, block or shade, (words of an overlapping layout,) product, words, logo,
button. Every box in the returned ``Composition`` is measured on what was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image

from generation.composition.brand_colours import BrandColours, brand_colours
from generation.composition.product import foot_share
from generation.composition.sheet import Kit, Sheet
from generation.composition.typefaces import open_typeface
from generation.pictures import cut_out, open_picture
from generation.staging import Stage
from proofsheet.domain.asset import Composition, Recipe
from proofsheet.domain.campaign import BrandKit, Placement, Product
from proofsheet.errors import InputError

#: Part of every recipe: a change that moves pixels gets a new number, so that assets are made anew.
COMPOSER_VERSION = "3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A finished advertisement: the picture, where everything stands, and what was changed to make it work."""

    image: Image.Image
    composition: Composition
    notes: tuple[str, ...] = ()


class Composer:
    """Composes the advertisements of one brand and product.

    Args:
        brand: its palette, typefaces and logo; a palette of one colour is enough.
        product: its picture is cut out once.

    Raises:
        InputError: a picture or font cannot be used (from the first ``compose`` on).
    """

    def __init__(self, brand: BrandKit, product: Product) -> None:
        self.brand = brand
        self.product = product

    @property
    def colours(self) -> BrandColours:
        """The brand's inks, papers and fills."""
        return self._kit.colours

    @cached_property
    def _kit(self) -> Kit:
        brand = self.brand
        if not brand.palette:
            raise InputError(
                f"The brand {brand.name!r} has no colour.", "Give at least one [[palette]] entry with a hex."
            )
        cutout = cut_out(open_picture(Path(self.product.image)))
        return Kit(
            cutout=cutout,
            foot_share=foot_share(cutout),
            logo=None if brand.logo is None else cut_out(open_picture(Path(brand.logo))),
            wordmark=brand.wordmark or brand.name,
            clear_space=brand.clear_space,
            colours=brand_colours(brand),
            strong=open_typeface(brand.headline_font, strong=True),
            light=open_typeface(brand.headline_font, strong=False),
            label=open_typeface(brand.body_font, strong=True),
            body=open_typeface(brand.body_font, strong=False),
        )

    def compose(self, scene: Image.Image, recipe: Recipe, placement: Placement) -> Composed:
        """Compose one advertisement.

        Args:
            scene: the drawn scene, of any size; it is scaled and cropped to the placement.
            recipe: layout, words and the scene's recipe, which tells stage and light. ``layout_params`` may hold
                ``offer``, a short line set below the headline.
            placement: gives the size and the safe area.

        Raises:
            InputError: the layout is unknown, a glyph is missing, or words do not fit.
        """
        from generation.scenes import stage_of

        return self.compose_on(scene, recipe, placement, stage_of(recipe.scene))

    def compose_on(self, scene: Image.Image, recipe: Recipe, placement: Placement, stage: Stage) -> Composed:
        """As ``compose``, on a stage told by the caller instead of the scene's recipe."""
        sheet = Sheet(self._kit, scene, recipe, placement, stage)
        return Composed(image=sheet.picture, composition=sheet.composition, notes=tuple(sheet.notes))
