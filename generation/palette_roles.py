"""Completes a brand's palette: every colour gets a role, and the roles nobody gave are derived."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from proofsheet.domain.campaign import PaletteColour

ROLES = ("primary", "secondary", "accent", "ink", "paper", "support")

_DARK, _LIGHT = 0.35, 0.92  # OKLab lightness below which a colour can set text, and above which it is a ground


def complete_palette(colours: Sequence[PaletteColour]) -> tuple[PaletteColour, ...]:
    """Give every colour a role and add the grounds and inks that are missing.

    Roles written in the file are kept. A colour without one becomes, in the order of the file, primary; ink if it is
    very dark; paper if it is very light; then secondary, accent and support. Missing ink and paper are the primary's
    darkest and lightest tones, a missing secondary and accent its deeper and its softer tone, so that one colour is
    enough for a kit. Lightness is that of OKLab (Ottosson 2020).

    Args:
        colours: at least one; role ``""`` stands for "none given".
    """
    taken = {colour.role for colour in colours if colour.role}
    done: list[PaletteColour] = []
    for colour in colours:
        role = colour.role or _next_role(colour, taken)
        taken.add(role)
        done.append(replace(colour, role=role))
    lead = next((colour for colour in done if colour.role == "primary"), done[0])
    return (*done, *(_derived(lead, role) for role in ROLES[:-1] if role not in taken))


def _next_role(colour: PaletteColour, taken: set[str]) -> str:
    lightness = to_oklab(colour.rgb)[0]
    if "primary" not in taken:
        return "primary"
    if lightness <= _DARK and "ink" not in taken:
        return "ink"
    if lightness >= _LIGHT and "paper" not in taken:
        return "paper"
    return next((role for role in ("secondary", "accent") if role not in taken), "support")


def _derived(lead: PaletteColour, role: str) -> PaletteColour:
    lightness, a, b = to_oklab(lead.rgb)
    if role == "primary":
        return replace(lead, role=role)
    wanted, chroma = {
        "ink": (min(0.22, lightness), 0.35),
        "paper": (0.965, 0.10),
        "secondary": (lightness - 0.18 if lightness > 0.45 else lightness + 0.22, 0.85),
        "accent": (0.80 if lightness < 0.65 else 0.52, 0.80),
    }[role]
    return PaletteColour(name=f"{lead.name}, {role}", hex=to_hex((wanted, a * chroma, b * chroma)), role=role)


def to_oklab(rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    """OKLab lightness (0–1), a and b of an sRGB colour (0–255)."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in rgb))
    l_ = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    m_ = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    s_ = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * l_ + 0.7936177850 * m_ - 0.0040720468 * s_,
        1.9779984951 * l_ - 2.4285922050 * m_ + 0.4505937099 * s_,
        0.0259040371 * l_ + 0.7827717662 * m_ - 0.8086757660 * s_,
    )


def to_hex(lab: tuple[float, float, float]) -> str:
    """The ``#rrggbb`` of an OKLab colour; one outside sRGB is clipped channel by channel."""
    lightness, a, b = lab
    l_ = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    m_ = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s_ = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * l_ - 3.3077115913 * m_ + 0.2309699292 * s_,
        -1.2684380046 * l_ + 2.6097574011 * m_ - 0.3413193965 * s_,
        -0.0041960863 * l_ - 0.7034186147 * m_ + 1.7076147010 * s_,
    )
    clipped = (min(max(value, 0.0), 1.0) for value in linear)
    coded = (v * 12.92 if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in clipped)
    return "#" + "".join(f"{round(255 * value):02x}" for value in coded)
