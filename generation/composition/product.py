"""Standing the product in the scene: size, shadows, a breath of the scene's light, and a mirror image.

The product's own pixels stay true: light changes them by at most a few per cent (see ``lit``), so that the label and
the colours on it are what the client delivered. Everything that ties it to the place is drawn on the ground.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from generation.composition.colour import Floats
from generation.staging import Stage
from proofsheet.domain.asset import Box

_TINT_SHARE = 0.10  # of the light's colour that reaches the product
_TINT_LIMIT = 0.02  # at most, however coloured the light is
_SIDE_SHARE = 0.05  # brighter on the lit side, darker on the other
_GROUND_SHARE = 0.10  # darkening of the lowest part, where little light arrives
_DIM_SHARE = 0.14  # at most, in a dark set
_RIM_SHARE = 0.55  # brightening of a thin edge, times the stage's ``backlit``


@dataclass(frozen=True, slots=True)
class Standing:
    """A product scaled for a picture, with the box it takes there."""

    image: Image.Image
    box: Box


def stand(cutout: Image.Image, foot: tuple[float, float], room_width: float, room_height: float) -> Standing:
    """Scale a cut-out product to fill its room, its foot's middle at ``foot`` (pixels)."""
    scale = min(room_width / cutout.width, room_height / cutout.height)
    size = max(round(cutout.width * scale), 2), max(round(cutout.height * scale), 2)
    image = cutout.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    left, top = round(foot[0] - size[0] / 2), round(foot[1] - size[1])
    return Standing(image, Box(left=left, top=top, right=left + size[0], bottom=top + size[1]))


def exposure(picture: Image.Image, box: Box) -> float:
    """How much of its brightness a product keeps in a scene (0.86–1): a little less where the set around it is dark."""
    around = picture.crop(
        (max(box.left, 0), max(box.top, 0), min(box.right, picture.width), min(box.bottom, picture.height))
    )
    level = float(np.asarray(around.convert("L").resize((16, 16), Image.Resampling.BOX)).mean()) / 255
    return 1 - _DIM_SHARE * (1 - min(level / 0.5, 1.0))


def lit(standing: Standing, stage: Stage, exposed: float = 1.0) -> Image.Image:
    """The product under the stage's light: a trace of its tint, a soft side, a dim foot, and a thin rim of light.

    ``exposed`` is the share of its brightness that it keeps, see ``exposure``.
    """
    pixels = np.asarray(standing.image).astype(np.float32)
    height, width = pixels.shape[:2]
    tint = np.array(stage.tint, dtype=np.float32)
    tint = tint / float(tint @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32))
    gain = np.clip(1 - _TINT_SHARE + _TINT_SHARE * tint, 1 - _TINT_LIMIT, 1 + _TINT_LIMIT)[None, None, :]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None] * np.float32(stage.light_x)
    down = np.clip(np.linspace(0, 1, height, dtype=np.float32) - 0.86, 0, None)[:, None, None] / 0.14
    colour = (
        pixels[..., :3]
        * gain
        * np.float32(exposed)
        * (1 + _SIDE_SHARE * across)
        * (1 - _GROUND_SHARE * stage.strength * down**2)
    )
    rim = _rim(standing.image.getchannel("A"), stage) * (_RIM_SHARE * stage.backlit)
    colour += (np.minimum(255 * tint, 255) - colour) * rim[..., None]
    pixels[..., :3] = colour
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8), "RGBA")


def _rim(alpha: Image.Image, stage: Stage) -> Floats:
    """Where a light from the side and behind catches the edge (0–1)."""
    reach = max(alpha.width * 0.02, 1.0)
    shift = -round(reach * 1.4) if stage.light_x > 0 else round(reach * 1.4)
    moved = Image.new("L", alpha.size)
    moved.paste(alpha, (shift, round(reach * 0.4)))
    inner = np.asarray(moved.filter(ImageFilter.GaussianBlur(reach))).astype(np.float32) / 255
    return np.asarray(np.clip(np.asarray(alpha).astype(np.float32) / 255 - inner, 0, 1), dtype=np.float32)


def draw_shadows(picture: Image.Image, standing: Standing, stage: Stage, stand_width: float) -> None:
    """Darken the ground: ambient and contact under the foot, and the cast shadow away from the light.

    Args:
        picture: changed in place.
        stand_width: pixels; the cast shadow fades where the stand may end.
    """
    box = standing.box
    reach = round(0.75 * box.height + box.width)
    area = Box(
        left=max(box.left - reach, 0),
        top=max(box.bottom - round(0.5 * box.height), 0),
        right=min(box.right + reach, picture.width),
        bottom=min(box.bottom + round(0.22 * box.height) + 8, picture.height),
    )
    if area.width < 4 or area.height < 4:
        return
    alpha = np.asarray(standing.image.getchannel("A"))
    left, right = _foot_span(alpha)
    depth = _cast(standing, stage, area, stand_width)
    _add(depth, _ellipse(area, box, left, right, wide=1.5, tall=0.30, soft=0.09), 0.42 * stage.strength + 0.08)
    _add(depth, _ellipse(area, box, left, right, wide=1.12, tall=0.13, soft=0.030), 0.40 + 0.25 * stage.strength)
    _add(depth, _ellipse(area, box, left, right, wide=1.0, tall=0.05, soft=0.010), 0.55)
    crop = picture.crop((area.left, area.top, area.right, area.bottom))
    ground = np.asarray(crop).astype(np.float32)
    shade = np.array(stage.shadow_rgb, dtype=np.float32) / 255
    ground *= 1 - depth[..., None] * (1 - shade)
    picture.paste(Image.fromarray(np.clip(ground + 0.5, 0, 255).astype(np.uint8)), (area.left, area.top))


def _add(depth: Floats, other: Floats, share: float) -> None:
    depth += (1 - depth) * other * share


def foot_share(cutout: Image.Image) -> float:
    """The width of a product's foot as a share of its own width."""
    alpha = np.asarray(cutout.getchannel("A").reduce(max(cutout.height // 300, 1)))
    left, right = _foot_span(alpha)
    return float((right - left) / alpha.shape[1])


def _foot_span(alpha: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> tuple[int, int]:
    """The columns where the product meets the ground: left, and right exclusive."""
    height, width = alpha.shape
    lowest = alpha[-max(round(height * 0.03), 2) :] > 96
    columns = np.flatnonzero(lowest.any(axis=0))
    return (int(columns[0]), int(columns[-1]) + 1) if columns.size else (0, width)


def _ellipse(area: Box, box: Box, left: int, right: int, *, wide: float, tall: float, soft: float) -> Floats:
    """A soft ellipse under the foot (0–1); its sizes are shares of the foot's width."""
    foot = right - left
    middle = box.left + (left + right) / 2 - area.left
    ground = box.bottom - area.top - foot * 0.045
    factor = 2 if foot * soft > 6 else 1
    sheet = Image.new("L", (-(-area.width // factor), -(-area.height // factor)))
    corners = (
        (middle - foot * wide / 2) / factor,
        (ground - foot * tall / 2) / factor,
        (middle + foot * wide / 2) / factor,
        (ground + foot * tall / 2) / factor,
    )
    ImageDraw.Draw(sheet).ellipse(corners, fill=255)
    blurred = sheet.filter(ImageFilter.GaussianBlur(max(foot * soft / factor, 0.4)))
    return _full_size(blurred, area)


def _cast(standing: Standing, stage: Stage, area: Box, stand_width: float) -> Floats:
    """The product's shadow on the ground (0–1): its outline laid down away from the light, softer with distance."""
    box, alpha = standing.box, standing.image.getchannel("A")
    lean = -stage.light_x * (0.62 - 0.22 * stage.softness)
    back = -0.14 if stage.backlit > 0.6 else 0.10 + 0.05 * (1 - abs(stage.light_x))
    factor = max(round(box.height / 220), 1)
    size = -(-area.width // factor), -(-area.height // factor)
    ground_y = box.bottom - area.top - 0.012 * box.height
    # Laid down first, so that nothing is lost between pixels: a point h above the foot falls on (x + lean·h, ground −
    # back·h). Then leant, on rows finer than the picture's, for the edge runs nearly along them.
    fine = factor / 8
    flat = alpha.resize(
        (max(round(box.width / factor), 2), max(round(box.height * abs(back) / fine), 2)), Image.Resampling.BOX
    )
    if back < 0:
        flat = flat.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    top = (ground_y - max(back, 0.0) * box.height) / fine
    slant = lean / back * fine / factor
    to_source = (1, slant, (area.left - box.left) / factor - slant * ground_y / fine, 0, 1, -top)
    rows_fine = size[0], size[1] * 8
    laid = flat.transform(rows_fine, Image.Transform.AFFINE, to_source, Image.Resampling.BILINEAR).reduce((1, 8))
    base = (1.5 + 5.5 * stage.softness) * box.height / 900
    near = np.asarray(laid.filter(ImageFilter.GaussianBlur(max(base / factor, 0.5)))).astype(np.float32)
    far = np.asarray(laid.filter(ImageFilter.GaussianBlur(max(5 * base / factor, 1.0)))).astype(np.float32)
    rows = (np.arange(size[1], dtype=np.float32) * factor - ground_y) / (-back * box.height)
    distance = np.clip(rows, 0, 1)[:, None]
    mixed = near + (far - near) * np.minimum(distance * 2.2, 1)
    middle = (box.left + box.right) / 2 - area.left
    aside = np.abs(np.arange(size[0], dtype=np.float32) * factor - middle)[None, :] / max(stand_width / 2, 1)
    fade = np.clip((1.55 - aside) / 0.75, 0, 1) * np.clip(1.12 - distance, 0, 1) ** 1.3
    strength = (0.30 + 0.42 * stage.strength) * (1 - 0.45 * stage.softness)
    shadow = Image.fromarray(np.clip(mixed * fade * strength, 0, 255).astype(np.uint8))
    return _full_size(shadow, area)


def _full_size(small: Image.Image, area: Box) -> Floats:
    whole = (
        small
        if small.size == (area.width, area.height)
        else small.resize((area.width, area.height), Image.Resampling.BICUBIC)
    )
    return np.asarray(np.asarray(whole) / 255, dtype=np.float32)


def draw_reflection(picture: Image.Image, standing: Standing, strength: float) -> None:
    """A mirror image of the product's lowest part in a wet or polished ground, fading downwards."""
    box = standing.box
    depth = min(round(0.3 * box.height), picture.height - box.bottom)
    if strength <= 0.01 or depth < 4:
        return
    mirrored = standing.image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).crop((0, 0, box.width, depth))
    mirrored = mirrored.filter(ImageFilter.GaussianBlur(max(box.height * 0.003, 0.5)))
    fade = np.linspace(1, 0, depth, dtype=np.float32)[:, None] ** 1.4 * min(strength, 1.0) * 0.6
    alpha = np.asarray(mirrored.getchannel("A")).astype(np.float32) * fade
    picture.paste(mirrored.convert("RGB"), (box.left, box.bottom), Image.fromarray(alpha.astype(np.uint8)))
