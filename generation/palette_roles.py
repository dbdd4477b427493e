"""Gives every colour of a brand's palette a role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from generation.composition.colour import to_oklch
from proofsheet.domain.campaign import PaletteColour

ROLES = ("primary", "secondary", "accent", "ink", "paper", "support")

_DARK, _LIGHT = 0.35, 0.92  # OKLab lightness below which a colour can set text, and above which it is a ground
_LEAST_CHROMA = 0.04  # below it a colour is a grey


def with_roles(colours: Sequence[PaletteColour]) -> tuple[PaletteColour, ...]:
    """Give a role to the colours that have none (``""``); roles that are written stay.

    The first that is neither grey nor nearly white nor black becomes primary (or the first of all, where every one is);
    then, in the order of the file, a very dark one ink, a very light one paper, the others secondary, accent, support.
    What a kit of one colour lacks is derived where it is needed, so that a palette holds the brand's colours only.
    """
    taken = {colour.role for colour in colours if colour.role}
    roles = {at: colour.role for at, colour in enumerate(colours) if colour.role}
    free = [at for at in range(len(colours)) if at not in roles]
    if free and "primary" not in taken:
        lead = next((at for at in free if _is_strong(colours[at])), free[0])
        roles[lead] = "primary"
        free.remove(lead)
    for at in free:
        roles[at] = _role(colours[at], taken)
        taken.add(roles[at])
    return tuple(replace(colour, role=roles[at]) for at, colour in enumerate(colours))


def _is_strong(colour: PaletteColour) -> bool:
    lightness, chroma, _ = to_oklch(colour.rgb)
    return chroma >= _LEAST_CHROMA and 0.2 <= lightness <= _LIGHT


def _role(colour: PaletteColour, taken: set[str]) -> str:
    lightness = to_oklch(colour.rgb)[0]
    if lightness <= _DARK and "ink" not in taken:
        return "ink"
    if lightness >= _LIGHT and "paper" not in taken:
        return "paper"
    return next((role for role in ("secondary", "accent") if role not in taken), "support")
