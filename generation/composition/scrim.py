"""A scrim: light that falls off across the whole set, so that words beside the product can be read.

It starts at the picture's edges on the words' side, spans the whole picture along them, and fades out over a long way
towards the product. It multiplies (darker) or screens (lighter) in linear light, tinted with the ground's own hue:
nobody should be able to say where it ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from generation.composition.colour import (
    Floats,
    Rgb,
    decode,
    dithered,
    encoded_levels,
    from_oklch,
    linear_map,
    luminance,
    to_oklch,
)
from proofsheet.domain.asset import Box

#: The strongest that still looks like light: shares of the light taken away, or of the darkness filled.
DARKEST, LIGHTEST = 0.88, 0.6
_LEAST_WAY = 0.42  # of the picture's side over which a scrim fades at the least
_PAST_WORDS = 0.2  # of the side by which it reaches beyond the words
_HOLDS = (0.25, 0.6)  # shares of the words' extent after which it begins to fade


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """Which way the light falls off: from which edges, and from where to where in pixels from each of them."""

    edges: tuple[str, ...]  # of "left", "right", "top", "bottom"; none is the whole picture alike
    spans: tuple[tuple[float, float], ...]  # per edge: full until here, none from there on

    def mask(self, width: int, height: int, scale: float = 1.0) -> Floats:
        """Its strength (0–1) in every pixel of a picture reduced by ``scale``: shape (height, width)."""
        rows, columns = np.ones(height, dtype=np.float32), np.ones(width, dtype=np.float32)
        for edge, (start, end) in zip(self.edges, self.spans, strict=True):
            length = width if edge in {"left", "right"} else height
            away = (np.arange(length, dtype=np.float32) + 0.5) * scale
            away = away if edge in {"left", "top"} else away[::-1]
            share = 1 - np.clip((away - start) / (end - start), 0, 1)
            ramp = (share**3 * (share * (6 * share - 15) + 10)).astype(np.float32)
            if edge in {"left", "right"}:
                columns = columns * ramp
            else:
                rows = rows * ramp
        return np.asarray(rows[:, None] * columns[None, :], dtype=np.float32)


def falls_for(words: Box, product: Box, width: int, height: int) -> tuple[Fall, ...]:
    """The ways light may fall off to leave the words on plain ground and the product alone, pixels.

    Args:
        words: around all words.
        product: where the product stands; a scrim ends in its middle where the words leave room for that.
    """
    across = "left" if words.left + words.right <= width else "right"
    along = "top" if words.top + words.bottom <= height else "bottom"
    found = []
    for hold in _HOLDS:
        side = _span(across, words, product, width, hold)
        end = _span(along, words, product, height, hold)
        found += [
            Fall(edges=(across,), spans=(side,)),
            Fall(edges=(along,), spans=(end,)),
            Fall(edges=(across, along), spans=(side, end)),
        ]
    return tuple(found)


#: The whole set a little darker or lighter: for banners, whose words stand on both sides of the product.
EVERYWHERE = Fall(edges=(), spans=())


def _span(edge: str, words: Box, product: Box, length: int, hold: float) -> tuple[float, float]:
    """From where to where a scrim fades, measured from its edge."""
    if edge in {"left", "right"}:
        near, far, middle = words.left, words.right, (product.left + product.right) / 2
    else:
        near, far, middle = words.top, words.bottom, (product.top + product.bottom) / 2
    if edge in {"right", "bottom"}:
        near, far, middle = length - far, length - near, length - middle
    start = near + hold * (far - near)
    return start, max(far + _PAST_WORDS * length, start + _LEAST_WAY * length, min(middle, far + 0.4 * length))


def scrim_tone(ground: Rgb, *, darker: bool) -> tuple[float, float, float]:
    """What a scrim leaves (darker) or adds (lighter) of each channel's linear light (0–1), in the ground's hue."""
    _, chroma, hue = to_oklch(ground)
    tone = from_oklch(0.42 if darker else 0.95, min(chroma, 0.06 if darker else 0.055), hue)
    red, green, blue = (decode(level / 255) for level in tone)
    if not darker:
        return red, green, blue
    # The hue only, so that its strength is in the share alone.
    level = luminance(tone)
    return tuple(min(0.16 * part / level, 0.5) for part in (red, green, blue))  # type: ignore[return-value]


def lit_ground(linear: Floats, mask: Floats, tone: tuple[float, float, float], *, darker: bool) -> Floats:
    """Linear light (0–1), shape (…, 3), under a scrim of some strength (the mask, 0–1, of the pixels' shape)."""
    colour = np.array(tone, dtype=np.float32)
    depth = mask[..., None]
    result = linear * (1 - depth * (1 - colour)) if darker else linear + depth * colour * (1 - linear)
    return np.asarray(result, dtype=np.float32)


def draw_scrim(picture: Image.Image, fall: Fall, strength: float, ground: Rgb, *, darker: bool) -> None:
    """Draw a scrim over a picture, dithered, so that no step can be seen; pixels it does not reach stay as they are.

    Args:
        strength: at its edge, 0–1.
        ground: the colour of the ground, whose hue it takes.
    """
    mask = fall.mask(picture.width, picture.height) * np.float32(strength)
    tone = scrim_tone(ground, darker=darker)
    levels = encoded_levels(lit_ground(linear_map(np.asarray(picture)), mask, tone, darker=darker))
    reached = mask > 1e-4
    pixels = np.where(reached[..., None], dithered(levels), np.asarray(picture))
    picture.paste(Image.fromarray(pixels))
