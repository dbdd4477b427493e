"""Composers with one step spoilt by chance, so that one thing on the advertisement is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from generation.composition.arrangement import Region
from generation.composition.colour import Rgb
from generation.composition.ground import Reading, pixels_in
from generation.composition.marks import Button, Logo
from generation.composition.product import Standing
from generation.composition.sheet import Sheet
from generation.composition.typeset import SetText, line_boxes
from generation.composition.words import Words
from proofsheet.domain.asset import Box
from scoring.contrast import shown_scale
from scoring.verdict import load_rules


class Spoilt(Sheet):
    """A composer with one step spoilt by chance; ``rng`` is set by whoever plants it."""

    rng: np.random.Generator


class PaleInk(Spoilt):
    """Words in an ink that is nearly their ground."""

    def _read_ground(self, words: Words, logo: Logo, product: Box) -> tuple[Reading, Rgb]:
        reading, logo_ink = super()._read_ground(words, logo, product)
        box = line_boxes(words.headline, *words.headline_at)[0]
        ground = np.median(pixels_in(self.picture, box).reshape(-1, 3), axis=0)
        pale = np.clip(ground + self.rng.integers(-25, 26, 3), 0, 255).astype(int).tolist()
        return replace(reading, ink=(pale[0], pale[1], pale[2])), logo_ink


class Swallowed(Spoilt):
    """A patch of the ink's colour behind a part of the headline."""

    def _draw_words(self, words: Words, ink: Rgb) -> None:
        box = line_boxes(words.headline, *words.headline_at)[0]
        wide = round(box.width * self.rng.uniform(0.25, 0.6))
        left = box.left + round((box.width - wide) * self.rng.uniform())
        grow = max(box.height // 3, 2)
        ImageDraw.Draw(self.picture).rectangle((left, box.top - grow, left + wide, box.bottom + grow), fill=ink)
        super()._draw_words(words, ink)


class Strayed(Spoilt):
    """The headline over the edge of the safe area."""

    def _on_calm_ground(self, words: Words, button: Button) -> Words:
        words = super()._on_calm_ground(words, button)
        over = max(2.0, words.headline.height * self.rng.uniform(0.1, 0.9))
        return replace(words, headline_at=(words.headline_at[0], self.frame.safe.top - over))


class LostLogo(Spoilt):
    """The logo over the edge of the safe area."""

    def _draw_logo(self, logo: Logo, region: Region, ink: Rgb) -> Box | None:
        left, _ = region.corner(logo.width, logo.height)
        low = self.frame.safe.bottom - logo.height * (1 - self.rng.uniform(0.15, 0.9))
        return super()._draw_logo(logo, _region(left, low, logo), ink)


class TinyLogo(Spoilt):
    """A logo a quarter to a half as high as it must be to be recognised."""

    def _sized_logo(self) -> Logo:
        logo = super()._sized_logo()
        shown = min(logo.height, logo.width) * shown_scale(*self.picture.size, load_rules())
        share = load_rules()["logo_size"].good * self.rng.uniform(0.3, 0.8) / shown
        if logo.picture is not None:
            size = max(round(logo.picture.width * share), 2), max(round(logo.picture.height * share), 2)
            return Logo(picture=logo.picture.resize(size), wordmark=None)
        if logo.wordmark is None:
            return logo
        return Logo(picture=None, wordmark=_smaller(logo.wordmark, share))


class CrowdedLogo(Spoilt):
    """The logo too near to the headline for its clear space."""

    def _draw_logo(self, logo: Logo, region: Region, ink: Rgb) -> Box | None:
        headline = next(run.box for run in self.texts if run.role == "headline")
        near = self.kit.clear_space * logo.height * self.rng.uniform(0.0, 0.7)
        above = headline.top - near - logo.height
        return super()._draw_logo(
            logo, _region(headline.left, above if above > 0 else headline.bottom + near, logo), ink
        )


class CutLogo(Spoilt):
    """A logo of which the end was never drawn."""

    def _draw_logo(self, logo: Logo, region: Region, ink: Rgb) -> Box | None:
        before = self.picture.copy()
        box = super()._draw_logo(logo, region, ink)
        if box is not None:
            _restore_end(self.picture, before, box, self.rng.uniform(0.15, 1.0))
        return box


class CutHeadline(Spoilt):
    """A headline of which the end was never drawn."""

    def _draw_words(self, words: Words, ink: Rgb) -> None:
        before = self.picture.copy()
        super()._draw_words(words, ink)
        box = next(run.box for run in self.texts if run.role == "headline")
        _restore_end(self.picture, before, box, self.rng.uniform(0.12, 0.6))


class HeadlineOnProduct(Spoilt):
    """The headline across the product, where the layout does not mean it to be."""

    def _laid_out(self, button: Button, logo: Logo) -> tuple[Standing, Words]:
        standing, words = super()._laid_out(button, logo)
        middle = (standing.box.left + standing.box.right - words.headline.width) / 2
        low = standing.box.top + (standing.box.height - words.headline.height) * self.rng.uniform(0.2, 0.7)
        return standing, replace(words, headline_at=(max(middle, 0.0), low))


class ButtonOnHeadline(Spoilt):
    """The button over the headline."""

    def _laid_out(self, button: Button, logo: Logo) -> tuple[Standing, Words]:
        standing, words = super()._laid_out(button, logo)
        left, top = words.headline_at
        top += words.headline.height * self.rng.uniform(0.2, 0.8)
        region = Region(left=left, top=top, right=left + button.width, bottom=top + button.height)
        return standing, replace(words, button_region=region, button_in_stack=True)


class HiddenProduct(Spoilt):
    """A product of which a third or more is outside the safe area."""

    def _laid_out(self, button: Button, logo: Logo) -> tuple[Standing, Words]:
        standing, words = super()._laid_out(button, logo)
        box = standing.box
        slide = self.frame.safe.right - box.right + round(box.width * self.rng.uniform(0.3, 0.8))
        return Standing(standing.image, replace(box, left=box.left + slide, right=box.right + slide)), words


class TinyType(Spoilt):
    """A headline too small to be read on a phone."""

    def _laid_out(self, button: Button, logo: Logo) -> tuple[Standing, Words]:
        standing, words = super()._laid_out(button, logo)
        wanted = self.rng.uniform(4.0, 8.0) / shown_scale(*self.picture.size, load_rules())
        return standing, replace(words, headline=_smaller(words.headline, wanted / words.headline.size))


def _region(left: float, top: float, logo: Logo) -> Region:
    return Region(left=left, top=top, right=left + logo.width, bottom=top + logo.height)


def _smaller(setting: SetText, share: float) -> SetText:
    return replace(
        setting,
        size=setting.size * share,
        width=setting.width * share,
        height=setting.height * share,
        ascent=setting.ascent * share,
    )


def _restore_end(picture: Image.Image, before: Image.Image, box: Box, share: float) -> None:
    """Take back what was drawn in the last part of a box."""
    corners = (box.right - max(round(box.width * share), 1), box.top, box.right, box.bottom)
    picture.paste(before.crop(corners), corners[:2])
