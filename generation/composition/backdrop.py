"""The ground of a picture: the scene cropped to the placement, and the layout's block or shade over it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from generation.composition.arrangement import Arrangement, Block
from generation.composition.brand_colours import BrandColours
from generation.composition.colour import dithered, from_oklch, mean_rgb, to_oklch
from generation.composition.ground import pixels_in, rounded_mask
from generation.staging import Stage
from proofsheet.domain.asset import Box


def fit_scene(
    scene: Image.Image, width: int, height: int, stage: Stage, wanted: tuple[float, float]
) -> tuple[Image.Image, tuple[float, float]]:
    """Scale and crop a scene to a size, its stand as near to the wanted place as the crop allows.

    Returns:
        The picture (RGB, width × height), and where the stand's foot is in it, pixels.
    """
    scale = max(width / scene.width, height / scene.height)
    stand_x, stand_y = stage.stand_x * scene.width * scale, stage.stand_y * scene.height * scale
    left = min(max(stand_x - wanted[0], 0.0), scene.width * scale - width)
    top = min(max(stand_y - wanted[1], 0.0), scene.height * scale - height)
    source = (left / scale, top / scale, (left + width) / scale, (top + height) / scale)
    rgb = scene.convert("RGB")
    if rgb.size == (width, height):
        return rgb.copy(), (stand_x, stand_y)
    fitted = rgb.resize((width, height), Image.Resampling.LANCZOS, box=source, reducing_gap=3.0)
    return fitted, (stand_x - left, stand_y - top)


def draw_block(picture: Image.Image, block: Block | None, colours: BrandColours) -> None:
    """Cover part of the scene with the brand's colour, or all but a window with its paper."""
    if block is None:
        return
    fill = colours.panel if block.colour == "panel" else colours.paper
    left, top, right, bottom = (round(edge) for edge in (block.left, block.top, block.right, block.bottom))
    mask = rounded_mask(right - left, bottom - top, block.radius) if block.radius else None
    if not block.window:
        picture.paste(fill, (left, top, right, bottom), mask)
        return
    seen = picture.crop((left, top, right, bottom))
    picture.paste(fill, (0, 0, *picture.size))
    picture.paste(seen, (left, top), mask)


def draw_shade(picture: Image.Image, arrangement: Arrangement) -> None:
    """Let a deep tone of the scene's own hue rise from the bottom, so that small light words can stand on it."""
    if arrangement.shade is None:
        return
    start, full = arrangement.shade
    width, height = picture.size
    top = max(round(start), 0)
    area = Box(left=0, top=top, right=width, bottom=height)
    ground = pixels_in(picture, area).astype(np.float32)
    lightness, chroma, hue = to_oklch(mean_rgb(ground))
    tone = np.array(from_oklch(0.19 + 0.05 * lightness, min(max(chroma, 0.015), 0.055), hue), dtype=np.float32)
    progress = np.clip((np.arange(top, height, dtype=np.float32) - start) / max(full - start, 1.0), 0, 1)
    depth = (progress * progress * (3 - 2 * progress) * 0.86)[:, None, None]
    picture.paste(Image.fromarray(dithered(ground + (tone - ground) * depth)), (0, top))
