"""Cutting a product out of a photograph on a plain ground.

The ground is estimated as a smooth field from the picture's border, so gentle gradients and noise are allowed. What
touches the border and looks like that field is ground; so are openings such as that of a handle, and the soft shadow
the product throws. Then each pixel along the outline is taken as a mixture of the product's colour and of the ground's
there, which gives how much of it the product covers, and the product's colour free of the ground's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from generation.openings import find_openings
from proofsheet.errors import InputError

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

#: Longest sides in pixels: of a cut-out, and of the smaller picture in which ground and shadow are found.
LONGEST, _COARSE = 2400, 1200
#: A ground is plain when this share of the border is this near to a smooth field, which itself varies no more.
_SPREAD, _SHARE, _SHARE_BESIDE, _VARIES = 0.06, 0.93, 0.7, 0.3
#: How far a pixel may be from the ground: in standard deviations of the border's noise, and its limits.
_DEVIATIONS, _LEAST_TOLERANCE, _MOST_TOLERANCE = 6.0, 0.014, 0.06
#: Shadows: darkest share of the ground's light, change per pixel that is an edge, and how far their hue may differ.
_DARKEST, _STEEPEST, _HUE = 0.3, 0.03, 0.05
#: How much of the product, as a share, may be reached from a shadow by a detour before its outline is sought anew.
_LEAK = 0.002
#: Pixels on either side of the outline whose coverage is computed; all others are wholly in or out.
_BAND = 2


@dataclass(frozen=True)
class Ground:
    """The plain ground of a picture: its colour everywhere (H×W×3, 0 to 1) and how far a pixel may be from it."""

    colour: Floats
    noise: float
    tolerance: float


def remove_ground(image: Image.Image) -> Image.Image:
    """The picture (RGB) with its plain ground and soft shadows made transparent: RGBA, at most 2400 pixels long.

    Raises:
        InputError: the ground is not plain, or nothing is left when it is removed.
    """
    if max(image.size) > LONGEST:
        image = _scaled(image, LONGEST)
    pixels = _floats(image)
    small = _scaled(image, _COARSE) if max(image.size) > _COARSE else image
    outside = _outside(_floats(small))
    if float((~outside).mean()) < 0.005:
        raise InputError(
            "The product cannot be told from its background: nothing is left when the plain ground is removed.",
            "Give a PNG or WebP with a transparent background.",
        )
    # The coarse outline, magnified; a wide band around it is judged again by mixing colours.
    share = Image.fromarray(outside.astype(np.uint8) * 255).resize(image.size, Image.Resampling.BICUBIC)
    reach = 4 * max(image.size) / max(small.size)
    inside = np.asarray(share) < 128
    part = _around(inside, 3 * round(reach) + 4)
    inside = _cleaned(_coverage(pixels[part], inside[part], band=reach)[0] > 0.5)
    # Twice: the narrow corners between two parts lie deeper in what was taken for the product than the band reaches.
    inside = _coverage(pixels[part], inside, band=_BAND)[0] > 0.5
    coverage, colour = _coverage(pixels[part], inside, band=_BAND)
    found = np.dstack([pixels, np.zeros(pixels.shape[:2], dtype=np.float32)])
    found[part] = np.dstack([colour, coverage])
    return Image.fromarray((found * 255 + 0.5).astype(np.uint8), "RGBA")


def share_like_ground(cutout: Image.Image) -> float:
    """How much of the outline (0 to 1) of what ``remove_ground`` gave looks like the ground beside it, just inside."""
    found = _floats(cutout)
    pixels, inside = found[..., :3], found[..., 3] > 0.5
    depth = ndimage.distance_transform_edt(np.pad(inside, 1, mode="edge"))[1:-1, 1:-1]
    rim = (depth > 2) & (depth <= 4)
    clear = found[..., 3] == 0
    if not rim.any() or not clear.any():
        return 0.0
    off = np.abs(pixels[rim] - _nearby(pixels, clear, rim, 1.5)).max(axis=1)
    return float((off <= _SPREAD).mean())


def estimate_ground(pixels: Floats) -> Ground:
    """The plain ground around what a picture (H×W×3, 0 to 1) shows, from its border.

    Raises:
        InputError: the border does not follow one smooth field of colour.
    """
    height, width = pixels.shape[:2]
    deep = max(2, round(0.012 * max(height, width)))
    sides = np.zeros((4, height, width), dtype=np.bool_)
    sides[0, :deep], sides[1, -deep:], sides[2, :, :deep], sides[3, :, -deep:] = True, True, True, True
    border: Bools = np.logical_or.reduce(sides)
    field = _smooth_field(pixels, border)
    smooth = ndimage.gaussian_filter(pixels, (1, 1, 0))
    distance = np.abs(smooth - field).max(axis=2)
    rough = np.abs(pixels - field).max(axis=2) <= _SPREAD
    shares = [float(rough[side].mean()) for side in sides]
    share = float(rough[border].mean())
    plain = share >= _SHARE or (share >= _SHARE_BESIDE and sorted(shares)[1] >= _SHARE)
    if not plain or float(np.ptp(field[border], axis=0).max()) > _VARIES:
        raise InputError(
            "The product picture has neither transparency nor a plain background: along its border only "
            f"{share:.0%} of the pixels are of one colour, {_SHARE:.0%} are needed.",
            "Give a PNG or WebP with a transparent background, or a photo on a plain white or single-coloured ground.",
        )
    noise = 1.48 * float(np.median(distance[border & rough]))
    tolerance = float(np.clip(_DEVIATIONS * noise, _LEAST_TOLERANCE, _MOST_TOLERANCE))
    # What the smooth field misses of the ground is seen where ground is: it is spread from there.
    seen = _reached(border & (distance <= tolerance), distance <= tolerance)
    seen = ndimage.binary_erosion(seen, iterations=2, border_value=1)
    spread = 0.04 * max(height, width)
    weight = ndimage.gaussian_filter(seen.astype(np.float32), spread)[..., None]
    missed = ndimage.gaussian_filter((pixels - field) * seen[..., None], (spread, spread, 0))
    colour = np.clip(field + missed / (weight + 0.02), 0, 1).astype(np.float32)
    noise = float(np.abs(smooth - colour).max(axis=2)[seen].std()) if seen.any() else noise
    return Ground(colour, noise, tolerance)


def _smooth_field(pixels: Floats, border: Bools) -> Floats:
    """The quadratic surface per channel that most of the border follows; whatever else touches it counts little."""
    height, width = border.shape
    rows, columns = np.nonzero(border)
    take = slice(None, None, max(1, rows.size // 40_000))
    rows, columns = rows[take], columns[take]

    def terms(y: NDArray[np.floating], x: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)

    basis = terms(2 * rows / height - 1, 2 * columns / width - 1)
    found = pixels[rows, columns].astype(np.float64)
    surface = np.zeros((6, 3))
    surface[0] = np.median(found, axis=0)
    for scale in (0.12, 0.08, 0.05, 0.03, 0.03, 0.03):
        off = np.abs(found - basis @ surface).max(axis=1)
        weight = np.sqrt(1 / (1 + (off / scale) ** 2) ** 2)[:, None]
        surface = np.linalg.lstsq(basis * weight, found * weight, rcond=None)[0]
    y, x = np.meshgrid(2 * np.arange(height) / height - 1, 2 * np.arange(width) / width - 1, indexing="ij")
    return (terms(y, x) @ surface).astype(np.float32)


def _outside(pixels: Floats) -> Bools:
    """Where the ground is: connected with the border, seen through an opening, or in the product's soft shadow."""
    ground = estimate_ground(pixels)
    smooth = ndimage.gaussian_filter(pixels, (0.8, 0.8, 0))
    alike = np.abs(smooth - ground.colour).max(axis=2) <= ground.tolerance
    frame = np.zeros_like(alike)
    frame[0], frame[-1], frame[:, 0], frame[:, -1] = True, True, True, True
    # Narrow gaps in the outline, where a highlight meets the ground, are no way in.
    wide = ndimage.binary_erosion(alike, iterations=2, border_value=1)
    outside = _regrown(_reached(frame & wide, wide), alike, 3)
    outside |= find_openings(pixels, alike & ~outside, outside, ground.colour, ground.noise, ground.tolerance)
    return _with_shadow(pixels, ground, outside)


def _with_shadow(pixels: Floats, ground: Ground, outside: Bools) -> Bools:
    """The ground with its soft shadow: darker, of the ground's hue, without edges, ever darker towards the product."""
    if float(np.median(ground.colour[outside].max(axis=1))) < 0.25:
        return outside  # on a dark ground shadows are too faint to tell
    part = _around(~outside, 8)
    whole, outside = outside.copy(), outside[part]
    light = ndimage.gaussian_filter(pixels[part], (1.2, 1.2, 0)) / np.maximum(ground.colour[part], 0.05)
    level = light.mean(axis=2)
    slope = np.max([ndimage.gaussian_gradient_magnitude(light[..., c], 1.0) for c in range(3)], axis=0)
    hue = np.abs(light - level[..., None]).max(axis=2)
    slack = max(0.02, 3 * ground.noise)
    shaded = (slope <= _STEEPEST) & (hue <= _HUE + ground.tolerance * 0.5) & (level > _DARKEST) & (level < 1.01)
    soft = outside | shaded
    open_ground = ndimage.binary_erosion(soft, iterations=1, border_value=1)
    reached = _darker_and_darker(level, open_ground, outside, slack)
    near = _close_by(reached, outside)
    if int((reached & ~near).sum()) > _LEAK * int((~outside).sum()):
        # The shadow seems to run on into the product. What is surely either of them meets along the steepest steps.
        markers = outside.astype(np.int16)
        markers[ndimage.binary_erosion(~outside & ~near, iterations=4)] = 2
        ours = ndimage.watershed_ift((np.clip(level, 0, 1.2) * 50_000).astype(np.uint16), markers) == 1
        near &= ours | _lighter_outwards(level, outside)
        near &= ndimage.gaussian_filter((near | outside).astype(np.float32), 4) > 0.5
    whole[part] = _regrown(_reached(outside, outside | near), soft, 1)
    return whole


def _darker_and_darker(level: Floats, soft: Bools, outside: Bools, slack: float) -> Bools:
    """What is reached from the ground through ``soft`` without ever getting lighter on the way.

    So an outline that gives way somewhere does not open the lighter face behind it.
    """
    reached, step = outside, 0.02
    for lower in np.arange(1 - step, _DARKEST - step, -step):
        at_level = soft & (level >= lower) & (level < lower + step + slack)
        reached = _reached(reached, reached | at_level)
    return reached


def _lighter_outwards(level: Floats, outside: Bools) -> Bools:
    """Where the light rises towards the nearest ground, as it does in a shadow; a rounded side mostly darkens."""
    distance, nearest = ndimage.distance_transform_edt(~outside, return_indices=True)
    away = (nearest - np.indices(outside.shape)) / np.maximum(distance, 1)
    rise = np.stack([ndimage.gaussian_filter(level, 2, order=order) for order in ((1, 0), (0, 1))])
    return np.asarray((rise * away).sum(axis=0) > 0.003, dtype=np.bool_)


def _close_by(reached: Bools, outside: Bools) -> Bools:
    """What is reached from the ground without a detour: a shadow lies open to the ground beside it.

    A product's face that was entered where its outline fades into the shadow is near to the ground too, but behind the
    outline: the way there is long.
    """
    stride = max(1, round(max(outside.shape) / 400))
    start, through = outside[::stride, ::stride], reached[::stride, ::stride]
    distance = ndimage.distance_transform_edt(~start)
    limit = 1.5 * distance + 5
    current, kept = start, start.copy()
    crosses = (ndimage.generate_binary_structure(2, 1), ndimage.generate_binary_structure(2, 2))
    for steps in range(1, int(limit[through].max()) + 1):
        # Crosses and squares in turn make the steps nearly as long as distances.
        grown = ndimage.binary_dilation(current, crosses[steps % 2], mask=through)
        fresh = grown & ~current & (steps <= limit)
        if not fresh.any():
            break
        kept |= fresh
        current = current | fresh
    whole = kept.repeat(stride, axis=0).repeat(stride, axis=1)[: outside.shape[0], : outside.shape[1]]
    return np.asarray(whole & reached, dtype=np.bool_)


def _reached(seeds: Bools, through: Bools) -> Bools:
    """The parts of ``through`` that hold a seed."""
    labels, count = ndimage.label(through)
    held = np.zeros(count + 1, dtype=np.bool_)
    held[labels[seeds & through]] = True
    held[0] = False
    return held[labels]


def _regrown(kept: Bools, through: Bools, iterations: int) -> Bools:
    return np.asarray(ndimage.binary_dilation(kept, iterations=iterations, mask=through | kept), dtype=np.bool_)


def _around(marked: Bools, margin: int) -> tuple[slice, slice]:
    """The rows and columns of what is marked, and a margin."""
    rows, columns = np.nonzero(marked.any(axis=1))[0], np.nonzero(marked.any(axis=0))[0]
    if rows.size == 0:
        return slice(None), slice(None)
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )


def _cleaned(inside: Bools) -> Bools:
    """The inside without specks far from it and pinholes in it; its outline loses single-pixel teeth."""
    soft = ndimage.gaussian_filter(inside.astype(np.float32), 1.0) > 0.5
    parts, _ = ndimage.label(soft)
    sizes = np.bincount(parts[soft], minlength=1)
    soft &= (sizes >= max(12, 0.0003 * sizes.max()))[parts]
    # Small parts near to each other, such as the letters of a word, count together.
    groups, _ = ndimage.label(ndimage.distance_transform_edt(~soft) <= 0.012 * max(soft.shape))
    sizes = np.bincount(groups[soft], minlength=int(groups.max()) + 1)
    soft &= (sizes >= max(12, 0.004 * sizes.max()))[groups]
    holes, _ = ndimage.label(~soft)
    sizes = np.bincount(holes.ravel())
    tiny = sizes < 12
    tiny[0] = False
    return np.asarray(soft | tiny[holes], dtype=np.bool_)


def _coverage(pixels: Floats, inside: Bools, *, band: float) -> tuple[Floats, Floats]:
    """How much of each pixel the product covers (0 to 1), and the product's own colour there.

    Args:
        pixels: H×W×3, 0 to 1.
        inside: where the product is, right to within ``band`` pixels.
        band: pixels on either side of the outline to be judged.
    """
    depth = ndimage.distance_transform_edt(inside)
    # The middle of parts thinner than the band is surely product too.
    ridge = inside & (depth >= ndimage.maximum_filter(depth, size=2 * int(band) + 1)) & (depth >= 1)
    surely_in = (depth > band + 0.5) | ridge
    surely_out = ~inside & (ndimage.distance_transform_edt(~inside) > min(band, 2) + 0.5)
    unknown = ~surely_in & ~surely_out
    if not surely_in.any() or not surely_out.any() or not unknown.any():
        return inside.astype(np.float32), pixels
    product = _nearby(pixels, surely_in, unknown, 1.0)
    ground = _nearby(pixels, surely_out, unknown, 2.0)
    apart, seen = product - ground, pixels[unknown] - ground
    length = np.maximum((apart**2).sum(axis=1), 1e-6)
    mixed = (seen * apart).sum(axis=1) / length
    # Of neither colour, or darker than any shadow: some other part of the product, seen as strongly as it stands out.
    aside = np.abs(seen - mixed[:, None] * apart).max(axis=1)
    other = (aside > 0.12) | ((mixed < 0) & (pixels[unknown].sum(axis=1) < 0.5 * ground.sum(axis=1)))
    stands_out = np.zeros(inside.shape, dtype=np.float32)
    stands_out[unknown] = np.sqrt((seen**2).sum(axis=1))
    strongest = ndimage.maximum_filter(stands_out, size=5)[unknown]
    mixed = np.where(other, np.maximum(mixed, stands_out[unknown] / np.maximum(strongest, 0.12)), mixed)
    drawn = ndimage.gaussian_filter(inside.astype(np.float32), 0.9)[unknown]
    trust = np.clip((np.sqrt(length) - 0.06) / 0.12, 0, 1)
    found = np.clip((trust * mixed + (1 - trust) * drawn - 0.03) / 0.94, 0, 1)
    coverage = surely_in.astype(np.float32)
    coverage[unknown] = found
    colour = pixels.copy()
    colour[unknown] = np.where(found[:, None] >= 0.97, pixels[unknown], product)
    return coverage, colour


def _nearby(pixels: Floats, sure: Bools, wanted: Bools, blur: float) -> Floats:
    """The colour of the nearest sure pixels, a little evened out, for every wanted pixel: N×3."""
    weight = ndimage.gaussian_filter(sure.astype(np.float32), blur)
    even = ndimage.gaussian_filter(pixels * sure[..., None], (blur, blur, 0))
    rows, columns = ndimage.distance_transform_edt(~sure, return_distances=False, return_indices=True)
    rows, columns = rows[wanted], columns[wanted]
    return np.asarray(even[rows, columns] / np.maximum(weight[rows, columns], 1e-4)[:, None], dtype=np.float32)


def _scaled(image: Image.Image, longest: int) -> Image.Image:
    share = longest / max(image.size)
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _floats(image: Image.Image) -> Floats:
    return np.asarray(image, dtype=np.float32) / np.float32(255)
