"""The inks, papers and button colours of a brand kit; a palette of one single colour is enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from generation.composition.colour import Rgb, contrast_of, from_oklch, to_oklch
from proofsheet.domain.campaign import BrandKit

#: WCAG 2.2 §1.4.3: small text, and large text.
SMALL_TEXT, LARGE_TEXT = 4.5, 3.0
_INK_LIGHTNESS, _PAPER_LIGHTNESS = 0.23, 0.975


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandColours:
    """Every colour the composer may use.

    ``ink`` and ``paper`` contrast with each other at least 10 : 1; ``panel`` is a large ground on which ``panel_text``
    keeps 4.5 : 1; ``buttons`` are fills in the order of preference, each with its label's colour (≥ 4.5 : 1).
    """

    primary: Rgb
    ink: Rgb
    paper: Rgb
    panel: Rgb
    panel_text: Rgb
    buttons: tuple[tuple[Rgb, Rgb], ...]


def brand_colours(brand: BrandKit) -> BrandColours:
    """The composer's colours of a brand kit; what the palette lacks is derived from its primary colour."""
    by_role = {colour.role: colour.rgb for colour in reversed(brand.palette)}
    primary = by_role.get("primary") or _strongest(colour.rgb for colour in brand.palette)
    _, chroma, hue = to_oklch(primary)
    ink = by_role.get("ink") or from_oklch(_INK_LIGHTNESS, min(chroma * 0.3, 0.035), hue)
    paper = by_role.get("paper") or from_oklch(_PAPER_LIGHTNESS, min(chroma * 0.12, 0.014), hue)
    if contrast_of(ink, paper) < 10:
        ink, paper = _pushed_apart(ink, paper)
    panel, panel_text = _readable_ground(primary, ink, paper)
    fills = [by_role[role] for role in ("accent", "primary") if role in by_role] or [primary]
    buttons = [_readable_ground(fill, ink, paper) for fill in fills if _is_colour(fill)]
    buttons += [(ink, paper), (paper, ink)]
    return BrandColours(
        primary=primary, ink=ink, paper=paper, panel=panel, panel_text=panel_text, buttons=tuple(buttons)
    )


def _strongest(colours: Iterable[Rgb]) -> Rgb:
    return max(colours, key=lambda rgb: to_oklch(rgb)[1])


def _is_colour(rgb: Rgb) -> bool:
    lightness, chroma, _ = to_oklch(rgb)
    return chroma >= 0.05 and 0.3 <= lightness <= 0.93


def _pushed_apart(ink: Rgb, paper: Rgb) -> tuple[Rgb, Rgb]:
    """Ink darkened and paper lightened, hue kept, until they contrast at least 10 : 1."""
    ink_parts, paper_parts = to_oklch(ink), to_oklch(paper)
    for step in range(1, 21):
        share = step / 20
        dark = from_oklch(ink_parts[0] + (0.2 - ink_parts[0]) * share, min(ink_parts[1], 0.06), ink_parts[2])
        light = from_oklch(paper_parts[0] + (0.98 - paper_parts[0]) * share, min(paper_parts[1], 0.03), paper_parts[2])
        if contrast_of(dark, light) >= 10:
            return dark, light
    return (16, 16, 18), (252, 252, 252)


def _readable_ground(fill: Rgb, ink: Rgb, paper: Rgb) -> tuple[Rgb, Rgb]:
    """A ground as near to ``fill`` as possible on which ink or paper keeps 4.5 : 1, and that text colour.

    Paper on a colour is preferred when the colour needs only a small step in lightness for it (3 : 1 already): brands
    of a middle colour are printed with light text.
    """
    lightness, chroma, hue = to_oklch(fill)
    text = paper if contrast_of(fill, paper) >= 3.2 or contrast_of(fill, paper) >= contrast_of(fill, ink) else ink
    direction = -0.01 if text == paper else 0.01
    ground = fill
    for step in range(1, 80):
        if contrast_of(ground, text) >= SMALL_TEXT:
            return ground, text
        ground = from_oklch(lightness + direction * step, chroma, hue)
    return (ink, paper) if text == paper else (paper, ink)
