"""Placing the words: the stack of headline, offer and button, and the single line of a strip."""

from __future__ import annotations

from dataclasses import dataclass, replace

from generation.composition.arrangement import Arrangement, Frame, Region
from generation.composition.marks import Button, Logo
from generation.composition.typefaces import Typeface, script_of
from generation.composition.typeset import SetText, fit_text

_DESCENDER = 0.22  # em below the baseline that descenders take
_OFFER_CLEAR = 0.65  # of the offer's size between the headline's descenders and the offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Where each piece stands: the headline's and offer's corner, the regions of button and logo."""

    headline: SetText
    headline_at: tuple[float, float]
    offer: SetText | None
    offer_at: tuple[float, float]
    button_region: Region
    logo_region: Region
    button_in_stack: bool = True

    @property
    def bottom(self) -> float:
        """The lowest pixel of headline and offer."""
        low = self.headline_at[1] + self.headline.height
        return max(low, self.offer_at[1] + self.offer.height) if self.offer else low

    def moved(self, down: float) -> Words:
        """The same words further down; a button in the stack moves along."""
        region = self.button_region
        if self.button_in_stack:
            region = replace(region, top=region.top + down, bottom=region.bottom + down)
        return replace(
            self,
            headline_at=(self.headline_at[0], self.headline_at[1] + down),
            offer_at=(self.offer_at[0], self.offer_at[1] + down),
            button_region=region,
        )


def stack_words(
    arrangement: Arrangement,
    frame: Frame,
    texts: tuple[str, str],
    faces: tuple[Typeface, Typeface],
    button: Button,
    where: str,
) -> Words:
    """Headline, offer and button one below the other, as large as their region takes.

    Args:
        texts: the headline, and the offer or "".
        faces: of the headline, and of the offer.
    """
    region, gap = arrangement.stack, max(frame.gap, 0.44 * arrangement.headline_size)
    align = _reading_side(region.align, texts[0])
    offer = _offer(texts[1], faces[1], frame, region, align, where) if texts[1] else None
    reserved = button.height + gap if arrangement.button is None else 0.0
    if offer:
        reserved += offer.height + _offer_gap(arrangement.headline_size, 0.0, offer, gap)
    headline = fit_text(
        texts[0],
        faces[0],
        width=region.width,
        height=max(region.height - reserved, 1.0),
        largest=arrangement.headline_size,
        smallest=_smallest(frame),
        lines=arrangement.headline_lines,
        align=align,
        what="headline",
        where=where,
    )
    drop = _offer_gap(headline.size, _below_baseline(headline), offer, gap) if offer else 0.0
    total = headline.height + drop + (offer.height if offer else 0.0)
    total += button.height + gap if arrangement.button is None else 0.0
    top = region.corner(0, total)[1]
    side = replace(region, align=align)
    headline_at = (side.corner(headline.width, 0)[0], top)
    below = top + headline.height
    offer_at = (0.0, 0.0)
    if offer:
        offer_at = (side.corner(offer.width, 0)[0], below + drop)
        below = offer_at[1] + offer.height
    button_region = arrangement.button or replace(
        region, align=align, top=below + gap, bottom=below + gap + button.height, valign="top"
    )
    return Words(
        headline=headline,
        headline_at=headline_at,
        offer=offer,
        offer_at=offer_at,
        button_region=button_region,
        logo_region=arrangement.logo,
        button_in_stack=arrangement.button is None,
    )


def line_words(
    arrangement: Arrangement, frame: Frame, text: str, face: Typeface, button: Button, logo: Logo, where: str
) -> Words:
    """Logo, headline and button in one line, the headline taking what the others leave."""
    region = arrangement.stack
    gap = max(0.24 * frame.down, 7.0)
    widths = {"logo": logo.width, "button": float(button.width)}
    rest = region.width - sum(widths[name] for name in arrangement.row if name != "headline")
    lead = 0.4 * gap if region.left > frame.left else 0.0
    tail = 0.6 * gap if region.right < frame.right - 1 else 0.0
    rest -= gap * (len(arrangement.row) - 1) + lead + tail
    headline = fit_text(
        text,
        face,
        width=max(rest, 1.0),
        height=0.9 * region.height,
        largest=arrangement.headline_size,
        smallest=_smallest(frame),
        lines=arrangement.headline_lines,
        align=_reading_side("left", text),
        what="headline",
        where=where,
    )
    places: dict[str, Region] = {}
    left = region.left + lead
    free = rest - headline.width
    for name in arrangement.row:
        width = headline.width if name == "headline" else widths[name]
        places[name] = replace(region, left=left, right=left + width, align="left", valign="middle")
        left += width + gap + (free if name == "headline" else 0.0)
    return Words(
        headline=headline,
        headline_at=places["headline"].corner(headline.width, headline.height),
        offer=None,
        offer_at=(0.0, 0.0),
        button_region=places["button"],
        logo_region=places.get("logo", arrangement.logo),
    )


def _offer(text: str, face: Typeface, frame: Frame, region: Region, align: str, where: str) -> SetText:
    size = max(0.041 * frame.unit, 10.5)
    return fit_text(
        text,
        face,
        width=region.width,
        height=region.height * 0.25,
        largest=size,
        smallest=min(9.0, size),
        lines=2,
        align=align,
        tracking=-0.004,
        what="offer",
        where=where,
    )


def _offer_gap(size: float, below: float, offer: SetText, gap: float) -> float:
    """From the headline's lowest ink to the offer: clear of where a descender would end, by most of the offer's size.

    Args:
        size: of the headline, pixels.
        below: how far its ink reaches below the last baseline, pixels.
    """
    return max(0.8 * gap, _DESCENDER * size - below + _OFFER_CLEAR * offer.size)


def _below_baseline(setting: SetText) -> float:
    """How far the ink of the last line reaches below its baseline, pixels."""
    return setting.height - setting.ascent - (len(setting.lines) - 1) * setting.leading * setting.size


def _smallest(frame: Frame) -> float:
    return max(8.0, min(0.03 * frame.unit, 24.0))


def _reading_side(align: str, text: str) -> str:
    return "right" if align == "left" and script_of(text) == "rtl" else align
