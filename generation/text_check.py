"""Finds words that do not fit their layouts before anything is drawn: all of them at once.

Every distinct combination of words, layout and placement is laid out by the composer at real size, as far as that
decides whether the words fit; nothing is drawn.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from PIL import Image

from generation.compose import Composer
from generation.composition.marks import Button, Logo
from generation.composition.product import Standing
from generation.composition.sheet import Sheet
from generation.composition.words import Words
from generation.layouts import layout
from generation.placements import load_placements
from generation.staging import Stage, stand_of
from proofsheet.domain.asset import Composition, Recipe
from proofsheet.domain.campaign import Campaign, Placement
from proofsheet.errors import InputError

#: What to do about words that do not fit; other messages name their remedy themselves.
REMEDY = "Shorten them, give soft hyphens in long words, or leave out that placement or layout."

_NO_FIT = "does not fit"
_SHORT = "A"  # stands in for words that were found wrong, so that the others are looked at too


def misfits(
    campaign: Campaign, recipes: Sequence[Recipe], placements: Mapping[str, Placement] | None = None
) -> tuple[str, ...]:
    """What the composer would refuse to set, as sentences, each once and in the order of the recipes.

    A sentence names the headline, call to action or offer with its level and locale, and the layout and placement
    where it does not fit; a glyph that the font lacks is told once for all places.

    Args:
        campaign: whose brand kit and product picture are used.
        recipes: of its plan.
        placements: by name; all that are known when None.

    Returns:
        Nothing when all words can be set.

    Raises:
        InputError: the product picture, the logo or a font cannot be used at all.
    """
    known = load_placements() if placements is None else placements
    fitter = _Fitter(campaign.brand, campaign.brief.product)
    _ = fitter.colours  # opens picture, logo and fonts: their problems are no misfits
    found: dict[str, None] = {}
    for recipe in _distinct(recipes, known):
        found |= dict.fromkeys(_problems(fitter, recipe, known[recipe.placement]))
    return tuple(found)


def _distinct(recipes: Iterable[Recipe], placements: Mapping[str, Placement]) -> Iterator[Recipe]:
    """The recipes whose words have not been seen in their place.

    Headline and call to action share a line, and so each other's room, in strips only: elsewhere the one fits or not
    whatever the other is.
    """
    seen: set[tuple[str, ...]] = set()
    for recipe in recipes:
        place = (recipe.placement, recipe.layout, recipe.locale)
        offer = str(recipe.layout_params.get("offer", ""))
        keys = {(*place, "headline", recipe.headline, offer), (*place, "cta", recipe.cta)}
        if layout(recipe.layout).arrange(placements[recipe.placement]).row:
            keys = {(*place, recipe.headline, recipe.cta)}
        if not keys <= seen:
            seen |= keys
            yield recipe


def _problems(fitter: _Fitter, recipe: Recipe, placement: Placement) -> Iterator[str]:
    """What is wrong with the words of one recipe: after a problem the others are tried without the wrong one."""
    for _ in range(3):
        try:
            fitter.fit(recipe, placement)
        except InputError as error:
            piece = _piece(recipe, error.message)
            yield _told(recipe, piece, error)
            if piece == "cta":
                recipe = replace(recipe, cta=_SHORT)
            elif piece == "offer":
                recipe = replace(recipe, layout_params={**recipe.layout_params, "offer": ""})
            else:
                return
        else:
            return


def _piece(recipe: Recipe, message: str) -> str:
    """Which of a recipe's words a message is about; "" when it is about none of them, as with the wordmark."""
    words = {"headline": recipe.headline, "cta": recipe.cta, "offer": str(recipe.layout_params.get("offer", ""))}
    about = [name for name, text in words.items() if text.strip() and _quoted(text) in message]
    for name, opening in (("cta", "The call to action"), ("offer", "The offer"), ("headline", "The headline")):
        if name in about and message.startswith(opening):
            return name
    return about[0] if about else ""


def _quoted(text: str) -> str:
    return repr(unicodedata.normalize("NFC", text.strip()))


def _told(recipe: Recipe, piece: str, error: InputError) -> str:
    named = "the offer" if piece == "offer" else f"{piece} {recipe.levels[piece]!r}" if piece else "the brand"
    where = f", {recipe.locale}" if piece else ""
    message = error.message if _NO_FIT in error.message else f"{error.message} {error.hint}".strip()
    return f"{named}{where}: {message}"


class _Fitter(Composer):
    """A composer that lays out and stops before it draws."""

    def fit(self, recipe: Recipe, placement: Placement) -> None:
        """Raise the InputError that composing would raise for the words."""
        x, y, width = stand_of(recipe.scene.params)
        scene = Image.new("RGB", (recipe.scene.width, recipe.scene.height), (150, 150, 150))
        _FittingSheet(self._kit, scene, recipe, placement, Stage(stand_x=x, stand_y=y, stand_width=width))


class _FittingSheet(Sheet):
    """A sheet that is laid out only. Words that fit at their full size fit smaller ones, so that is not tried."""

    def _uncovered(self, standing: Standing, button: Button, logo: Logo) -> tuple[Standing, Words]:
        return standing, self._placed_words(button, logo)

    def _draw(self) -> Composition:
        button, logo = self._sized_button(), self._sized_logo()
        self._keep_clear_of(logo)
        standing, _ = self._laid_out(button, logo)
        size = self.placement.width, self.placement.height
        return Composition(
            width=size[0], height=size[1], product=standing.box, logo=None, button=None, texts=(), safe=self.frame.safe
        )
