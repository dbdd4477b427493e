"""One advertisement while it is being made: laid out first, then drawn layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from generation.composition.arrangement import Arrangement, Frame, Region, frame_of
from generation.composition.backdrop import draw_block, draw_shade, fit_scene
from generation.composition.brand_colours import LARGE_TEXT, SMALL_TEXT, BrandColours
from generation.composition.colour import Rgb, rgb_of
from generation.composition.ground import Reading, calmest_shift, ground_unrest, padded, readable_ink
from generation.composition.hiding import Hiding
from generation.composition.marks import (
    LOGO_CONTRAST,
    Button,
    Logo,
    draw_button,
    draw_logo_picture,
    is_one_colour,
    run_of,
    size_button,
    size_logo,
)
from generation.composition.prints import print_of_logo, print_of_product, print_of_words
from generation.composition.product import Standing, draw_reflection, draw_shadows, exposure, lit, stand
from generation.composition.typefaces import Typeface
from generation.composition.typeset import line_boxes, paste_text
from generation.composition.words import Words, line_words, stack_words
from generation.layouts import layout
from generation.staging import Stage
from proofsheet.domain.asset import Box, Composition, Recipe, TextRun
from proofsheet.domain.campaign import Placement
from proofsheet.domain.prints import Print

_MOST_WORDS_IN_STRIP = 5
_MARGIN = 1.12  # of contrast above what is asked, so that other ways to measure it agree
_CLUTTER, _BUSY_STRIP, _BUSY_BUTTON = 0.075, 0.045, 0.044  # from which the ground is calmed, or left
_LARGE_SIZE = 40.0  # pixels of the em on a picture of 1080 across from which text counts as large


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What all advertisements of a brand and product share, ready to draw."""

    cutout: Image.Image  # RGBA, cropped
    foot_share: float  # of the cut-out's width that stands on the ground
    logo: Image.Image | None  # RGBA, cropped
    wordmark: str
    clear_space: float
    colours: BrandColours
    strong: Typeface  # of headlines and the wordmark
    light: Typeface  # of oversized headlines
    label: Typeface  # of buttons
    body: Typeface  # of offers


class Sheet:
    """Draws one advertisement; ``picture``, ``composition`` and ``notes`` hold the result."""

    def __init__(self, kit: Kit, scene: Image.Image, recipe: Recipe, placement: Placement, stage: Stage) -> None:
        self.kit, self.recipe, self.placement, self.stage = kit, recipe, placement, stage
        self.layout = layout(recipe.layout)
        self.frame: Frame = frame_of(placement)
        self.where = f"the layout {self.layout.name} in {placement.name}"
        self.notes: list[str] = []
        self.texts: list[TextRun] = []
        self.prints: list[Print] = []
        wanted = self.layout.arrange(placement)
        self.picture, foot = fit_scene(scene, placement.width, placement.height, stage, wanted.foot)
        # The foot must find room on what the scene drew for it: a podium has an edge.
        stand_width = stage.stand_width * max(placement.width, placement.height * scene.width / scene.height)
        room_width = min(wanted.room_width, stand_width / max(kit.foot_share, 0.25))
        foot = foot[0], min(foot[1], self.frame.safe.bottom)
        self.arrangement: Arrangement = replace(wanted, foot=foot, room_width=room_width)
        self.composition = self._draw()

    def _draw(self) -> Composition:
        button, logo = self._sized_button(), self._sized_logo()
        self._keep_clear_of(logo)
        standing, words = self._laid_out(button, logo)
        picture, colours = self.picture, self.kit.colours
        exposed = exposure(picture, standing.box)
        draw_shadows(picture, standing, self.stage, max(self.arrangement.stand_width, 1.3 * standing.box.width))
        draw_reflection(picture, standing, self.stage.reflective)
        draw_block(picture, self.arrangement.block, colours)
        draw_shade(picture, self.arrangement)
        words = self._on_calm_ground(words, button)
        reading, logo_ink = self._read_ground(words, logo, standing.box)
        if self.overlaps:
            self._draw_words(words, reading.ink)
        product = lit(standing, self.stage, exposed)
        picture.paste(product, (standing.box.left, standing.box.top), standing.image.getchannel("A"))
        self.prints.append(print_of_product(product, standing.box, picture.size))
        if not self.overlaps:
            self._draw_words(words, reading.ink)
        logo_box = self._draw_logo(logo, words.logo_region, logo_ink)
        button_box, label = draw_button(picture, button, words.button_region, self._fills(reading.ink))
        self._keep(label)
        if logo_box is not None:
            words_boxes = [(run.role, run.box) for run in self.texts if run.role in {"headline", "offer"}]
            self._note_clear_space(logo_box, [("product", standing.box), ("button", button_box), *words_boxes])
        return Composition(
            width=self.placement.width,
            height=self.placement.height,
            product=standing.box,
            logo=logo_box,
            button=button_box,
            texts=tuple(self.texts),
            safe=self.frame.safe,
            intended_overlaps=("headline",) if self.overlaps else (),
            prints=tuple(self.prints),
        )

    @property
    def overlaps(self) -> bool:
        """Whether the product stands before the headline on purpose."""
        return self.arrangement.overlap

    @property
    def _margin(self) -> float:
        """By how much contrast is asked above the rule: not on a block's flat colour, which has one exact contrast."""
        return _MARGIN if self.arrangement.block is None else 1.0

    def _sized_button(self) -> Button:
        room = self.arrangement.button or self.arrangement.stack
        most = room.width if not self.arrangement.row else 0.36 * self.frame.width
        return size_button(self.recipe.cta, self.kit.label, self.frame.button_height, most, self.where)

    def _sized_logo(self) -> Logo:
        most = (0.16 * self.frame.width) if self.arrangement.row else 0.5 * self.frame.across
        if self.frame.shape == "pillar":
            most = 0.8 * self.frame.across
        return size_logo(self.kit.logo, self.kit.wordmark, self.kit.strong, self.frame.logo_height, most, self.where)

    def _keep_clear_of(self, logo: Logo) -> None:
        """Begin the stack below the logo's clear space, where the logo stands above it."""
        plan = self.arrangement
        if plan.row or plan.logo.valign != "top" or plan.stack.top < plan.logo.top + 0.8 * logo.height:
            return
        clear = plan.logo.top + logo.height * (1 + self.kit.clear_space) + 3
        if clear > plan.stack.top:
            self.arrangement = replace(plan, stack=replace(plan.stack, top=clear))

    def _note_clear_space(self, logo: Box, others: Sequence[tuple[str, Box]]) -> None:
        free = round(self.kit.clear_space * logo.height)
        wide = Box(left=logo.left - free, top=logo.top - free, right=logo.right + free, bottom=logo.bottom + free)
        for name, box in others:
            if wide.overlaps(box):
                self.notes.append(f"The {name} stands within the logo's clear space of {free} pixels.")

    def _laid_out(self, button: Button, logo: Logo) -> tuple[Standing, Words]:
        """Product and words, the one given room by the other as the layout says."""
        if self.arrangement.below:
            words = self._placed_words(button, logo)
            low = words.bottom
            if self.arrangement.button is None and not self.arrangement.row:
                low = words.button_region.top + button.height
            room = self.arrangement.foot[1] - low - 0.8 * self.frame.gap
            standing = self._stood(max(min(room, self.arrangement.room_height), 0.15 * self.frame.down))
            return standing, words
        standing = self._stood(self.arrangement.room_height)
        self._make_room(standing.box)
        words = self._placed_words(button, logo)
        return self._uncovered(standing, button, logo) if self.overlaps else (standing, words)

    def _stood(self, room_height: float) -> Standing:
        foot = self.arrangement.foot
        height = min(room_height, foot[1] - self.frame.safe.top - 0.01 * self.frame.height)
        standing = stand(self.kit.cutout, foot, self.arrangement.room_width, height)
        slide = min(
            max(self.frame.safe.left - standing.box.left, 0), max(self.frame.safe.right - standing.box.right, 0)
        )
        over_left, over_right = self.frame.safe.left - standing.box.left, standing.box.right - self.frame.safe.right
        slide = over_left if over_left > 0 else -over_right if over_right > 0 else 0
        if not slide:
            return standing
        return stand(self.kit.cutout, (foot[0] + slide, foot[1]), self.arrangement.room_width, height)

    def _make_room(self, product: Box) -> None:
        """Keep stack and button clear of the product, and let the stack grow to it where the layout says so."""
        stack, gap = self.arrangement.stack, 0.055 * self.frame.unit
        meets = stack.top < product.bottom and product.top < stack.bottom
        if self.overlaps or self.arrangement.row or not meets or stack.left >= product.left:
            return
        free = product.left - gap
        if self.arrangement.grow:
            free = min(free, max(self.arrangement.foot[0] - 0.6 * self.arrangement.stand_width, stack.right))
        if free < stack.right or self.arrangement.grow:
            self.arrangement = replace(self.arrangement, stack=replace(stack, right=max(free, stack.left + 20)))

    def _placed_words(self, button: Button, logo: Logo) -> Words:
        if self.arrangement.row:
            if len(self.recipe.headline.split()) > _MOST_WORDS_IN_STRIP:
                self.notes.append(f"The headline has over {_MOST_WORDS_IN_STRIP} words, too many for so low a banner.")
            face = self.kit.light if self.arrangement.light_weight else self.kit.strong
            return line_words(self.arrangement, self.frame, self.recipe.headline, face, button, logo, self.where)
        offer = str(self.recipe.layout_params.get("offer", "")).strip()
        face = self.kit.light if self.arrangement.light_weight else self.kit.strong
        faces = (face, self.kit.body)
        return stack_words(self.arrangement, self.frame, (self.recipe.headline, offer), faces, button, self.where)

    def _uncovered(self, standing: Standing, button: Button, logo: Logo) -> tuple[Standing, Words]:
        """Product and headline made smaller, as little as it takes, until the product only touches the last line."""
        whole = self.arrangement
        best: tuple[float, float, Words] | None = None
        for step in range(10):
            share = 1 - 0.04 * step
            self.arrangement = replace(whole, headline_size=whole.headline_size * share)
            words = self._placed_words(button, logo)
            hides = Hiding(words.headline, words.headline_at, self.kit.cutout)
            for smaller in range(20):
                size = 1 - 0.03 * smaller
                if hides.little(standing.box, size) and not _hits_offer(words, standing.box, size):
                    loss = (1 - size) + 5 * (1 - size) ** 2 + 0.7 * (1 - share)
                    if best is None or loss < best[0]:
                        best = loss, size, words
                    break
        self.arrangement = whole
        if best is None:
            return self._stood(standing.box.height * 0.4), words
        return (standing if best[1] == 1 else self._stood(standing.box.height * best[1])), best[2]

    def _needs(self, words: Words) -> list[tuple[Box, float]]:
        """Every line of words with the contrast that it needs."""
        scale = min(self.placement.width, self.placement.height) / 1080
        large = words.headline.size >= _LARGE_SIZE * max(scale, 0.55)
        need = self._margin * (LARGE_TEXT if large else SMALL_TEXT)
        lines = [(box, need) for box in line_boxes(words.headline, *words.headline_at)]
        if words.offer:
            lines += [(box, self._margin * SMALL_TEXT) for box in line_boxes(words.offer, *words.offer_at)]
        return lines

    def _on_calm_ground(self, words: Words, button: Button) -> Words:
        """The stack moved up or down in its region, where the layout leaves it free, to where the scene is calm."""
        plan = self.arrangement
        if plan.overlap and plan.button is not None:
            return self._with_calm_button(words, button, plan.button)
        if plan.block or plan.shade or plan.row or plan.below:
            return words
        others, bottom = [], words.bottom
        if plan.button is None:
            x, y = words.button_region.corner(button.width, button.height)
            others = [Box(left=round(x), top=round(y), right=round(x + button.width), bottom=round(y + button.height))]
            bottom = y + button.height
        up, down = plan.stack.top - words.headline_at[1], plan.stack.bottom - bottom
        shifts = [0.0, *np.linspace(min(up, 0.0), max(down, 0.0), 15).tolist()]
        colours = self.kit.colours
        shift = calmest_shift(self.picture, self._needs(words), others, (colours.ink, colours.paper), shifts)
        return words.moved(shift)

    def _with_calm_button(self, words: Words, button: Button, place: Region) -> Words:
        """The button in its corner, or right below the words where the corner is much busier."""
        left, top = place.corner(button.width, button.height)
        near = words.bottom + max(1.2 * self.frame.gap, 0.3 * words.headline.size)
        if near + button.height > top:
            return words
        boxes = [
            Box(left=round(left), top=round(y), right=round(left + button.width), bottom=round(y + button.height))
            for y in (top, near)
        ]
        corner, below = (
            max(ground_unrest(self.picture, padded(box, by, self.picture)) for by in (0, 0.3 * button.height))
            for box in boxes
        )
        if corner < _BUSY_BUTTON or below > 0.65 * corner:
            return words
        region = replace(place, top=near, bottom=near + button.height, valign="top")
        return replace(words, button_region=region)

    def _read_ground(self, words: Words, logo: Logo, product: Box) -> tuple[Reading, Rgb]:
        """The ink of the words on this ground, calmed where that is needed, and the logo's: one for both.

        On a shade the words' ground is not the logo's, which then has an ink of its own.
        """
        boxes, inks = self._needs(words), self._inks()
        marks = self._logo_needs(logo, words.logo_region)
        apart = self.arrangement.shade is not None and not self.arrangement.row
        if not apart or not marks:
            reading = self._readable(boxes + marks, inks, words.headline.size, product)
            return reading, reading.ink
        logo_ink = self._readable(marks, inks, logo.height, product).ink
        return self._readable(boxes, inks, words.headline.size, product), logo_ink

    def _inks(self) -> tuple[Rgb, ...]:
        colours = self.kit.colours
        if self.arrangement.block is not None and self.arrangement.block.colour == "panel":
            return (colours.panel_text,)
        return (colours.ink, colours.paper)

    def _readable(self, boxes: list[tuple[Box, float]], inks: tuple[Rgb, ...], size: float, product: Box) -> Reading:
        row = bool(self.arrangement.row)
        reading = readable_ink(
            self.picture,
            boxes,
            inks,
            max(1.1 * size, 8.0),
            0.3 * size,
            product=product,
            everywhere=row,
            most_unrest=_BUSY_STRIP if row else 1.0,
            most_clutter=_CLUTTER,
        )
        if reading.note:
            self.notes.append(reading.note)
        return reading

    def _logo_needs(self, logo: Logo, region: Region) -> list[tuple[Box, float]]:
        """The logo's box with the contrast that it needs, where it is printed in the ink of the words."""
        if logo.picture is not None and not is_one_colour(logo.picture):
            return []
        return [(_box_in(region, logo), self._margin * (SMALL_TEXT if logo.picture is None else LOGO_CONTRAST))]

    def _draw_words(self, words: Words, ink: Rgb) -> None:
        box, _ = paste_text(self.picture, words.headline, *words.headline_at, ink)
        self._keep(run_of("headline", words.headline, box, ink))
        if words.offer:
            box, _ = paste_text(self.picture, words.offer, *words.offer_at, ink)
            self._keep(run_of("offer", words.offer, box, ink))

    def _keep(self, run: TextRun) -> None:
        """The record of words just drawn, and their print."""
        self.texts.append(run)
        self.prints.append(print_of_words(self.picture, run, rgb_of(run.ink)))

    def _draw_logo(self, logo: Logo, region: Region, ink: Rgb) -> Box | None:
        colours = self.kit.colours
        if logo.picture is not None:
            box = _box_in(region, logo)
            note = draw_logo_picture(self.picture, logo.picture, box, ink, (colours.paper, colours.ink))
            if note:
                self.notes.append(note)
            self.prints.append(print_of_logo(self.picture, logo.picture, box))
            return box
        if logo.wordmark is None:
            return None
        drawn, _ = paste_text(self.picture, logo.wordmark, *region.corner(logo.width, logo.height), ink)
        self._keep(run_of("wordmark", logo.wordmark, drawn, ink))
        return drawn

    def _fills(self, ink: Rgb) -> tuple[tuple[Rgb, Rgb], ...]:
        """The button's fills in the order of preference; on the brand's colour, the words' own ink comes first."""
        colours = self.kit.colours
        if self.arrangement.block is not None and self.arrangement.block.colour == "panel":
            plain = ((colours.ink, colours.paper), (colours.paper, colours.ink))
            return plain if ink == colours.ink else plain[::-1]
        return colours.buttons


def _hits_offer(words: Words, product: Box, share: float) -> bool:
    """Whether a product, made smaller on its foot to a share of its size, would stand before the offer."""
    if words.offer is None:
        return False
    (left, top), half = words.offer_at, product.width * share / 2
    middle = (product.left + product.right) / 2
    beside = middle + half <= left or middle - half >= left + words.offer.width
    return not beside and product.bottom - product.height * share < top + words.offer.height


def _box_in(region: Region, logo: Logo) -> Box:
    """Where a logo stands in its region, pixels."""
    x, y = region.corner(logo.width, logo.height)
    return Box(left=round(x), top=round(y), right=round(x + logo.width), bottom=round(y + logo.height))
