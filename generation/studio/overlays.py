"""What lies over a picture: mist, smoke, low cloud, falling flakes, confetti, and the halo of glowing tubes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from generation.studio.camera import Camera
from generation.studio.colour import Plane, Rgb
from generation.studio.noise import field, look, smoothstep
from generation.studio.picture import blurred, resized
from generation.studio.render import Overlay
from generation.studio.sheet import Sheet
from generation.studio.views import sky_colours
from generation.studio.views_soft import blobs

_SMALL = 360


def grid(camera: Camera) -> tuple[Plane, Plane, float]:
    """Positions over the picture at a smaller scale, in units of its shorter side from the product's foot."""
    size = float(min(camera.width, camera.height))
    k = min(1.0, _SMALL / size)
    columns, rows = max(8, round(camera.width * k)), max(8, round(camera.height * k))
    x = ((np.arange(columns, dtype=np.float32) + 0.5) / columns * camera.width - camera.foot_x) / size
    y = (camera.foot_y - (np.arange(rows, dtype=np.float32) + 0.5) / rows * camera.height) / size
    gx, gy = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return gx, gy, size


def mist(sheet: Sheet, camera: Camera, colour: Rgb, row: float, *, strength: float = 0.55) -> Overlay:
    """A bank of mist lying around a row of the picture."""
    drift = field(sheet.seed % 997 + 3, low=1, high=20, slope=1.5, stretch=2)
    lit = (colour * (sheet.rig.lamps[0].colour * np.float32(0.4) + sheet.rig.fill)).astype(np.float32)

    def over(image: Plane) -> Plane:
        x, y, size = grid(camera)
        middle = (camera.foot_y - row) / size
        band = np.exp(-(((y - np.float32(middle)) / np.float32(0.16)) ** 2))
        share = np.clip(band * (0.6 + 0.3 * look(drift, x, y, 1.8)), 0, 1) * np.float32(strength)
        veil = resized(share, image.shape[1], image.shape[0])[..., None]
        return np.asarray(image + (lit - image) * np.clip(veil, 0, 1), dtype=np.float32)

    return over


def pool(camera: Camera, *, strength: float = 0.3, radius: float = 0.75) -> Overlay:
    """A background lamp's pool of light on the wall behind the product."""

    def over(image: Plane) -> Plane:
        x, y, _ = grid(camera)
        middle = 0.42 * camera.foot_y / min(camera.width, camera.height)
        far = (x * x + ((y - np.float32(middle)) * np.float32(0.85)) ** 2) / np.float32(radius * radius)
        gain = 1 - np.float32(0.45 * strength) + np.float32(strength) * np.exp(-far)
        return np.asarray(image * resized(gain, image.shape[1], image.shape[0])[..., None], dtype=np.float32)

    return over


def low_cloud(sheet: Sheet, camera: Camera) -> Overlay:
    """Cloud in front of a podium's foot, below the product."""
    tones = sky_colours(sheet)
    puffs = field(sheet.seed % 991 + 7, low=1, high=60, slope=1.9)

    def over(image: Plane) -> Plane:
        x, y, size = grid(camera)
        below = (camera.height - camera.foot_y) / size
        n = look(puffs, x, y, 1.5)
        top = (
            np.float32(-0.72 * below)
            + n * np.float32(0.05)
            + np.minimum(np.abs(x) * np.float32(0.28), np.float32(0.16))
        )
        share = smoothstep(-0.03, 0.1, top - y)
        shade = smoothstep(
            -0.5, 0.55, n - look(puffs, x + np.float32(0.03 * sheet.rig.lamps[0].unit[0]), y + np.float32(0.04), 1.5)
        )
        colour = tones.shaded + (tones.lit - tones.shaded) * shade[..., None]
        veil = resized(share, image.shape[1], image.shape[0])[..., None]
        paint = resized(colour, image.shape[1], image.shape[0])
        return np.asarray(image + (paint - image) * np.clip(veil, 0, 1) * np.float32(0.96), dtype=np.float32)

    return over


def smoke(sheet: Sheet, camera: Camera, first: Rgb, second: Rgb, *, amount: float = 0.8) -> Overlay:
    """Curling smoke in two colours, from either side, clearing round the product."""
    warp_x, warp_y = (field(sheet.seed % 983 + i, low=1, high=10, slope=1.6) for i in (1, 2))
    wisps = field(sheet.seed % 983 + 3, low=1, high=90, slope=1.9)

    def over(image: Plane) -> Plane:
        x, y, size = grid(camera)
        wx, wy = look(warp_x, x, y, 2.4), look(warp_y, x, y, 2.4)
        n = look(wisps, x + wx * np.float32(0.11), y * np.float32(0.8) + wy * np.float32(0.13), 1.9)
        m = look(
            wisps, x * np.float32(1.2) + wy * np.float32(0.16) + 0.4, y * np.float32(0.55) + wx * np.float32(0.1), 1.5
        )
        thick = smoothstep(-0.7, 2.2, n) ** 1.3 * 1.5 + smoothstep(0.2, 2.4, m) * np.float32(0.6)
        middle, half = (camera.width / 2 - camera.foot_x) / size, camera.width / size / 2
        side = (x - np.float32(middle)) / np.float32(half)
        where = smoothstep(0.08, 0.95, np.abs(side) + np.float32(0.12) * wx) * np.float32(0.85) + np.float32(0.13)
        rise = smoothstep(-0.25, 0.15, y) * smoothstep(1.5, 0.5, y)
        thick = np.clip(thick * where * (0.35 + 0.65 * rise), 0, 1.4) * np.float32(amount)
        colour = first + (second - first) * smoothstep(-0.55, 0.55, side + np.float32(0.3) * wy)[..., None]
        light = resized(thick[..., None] * colour, image.shape[1], image.shape[0])
        veil = resized(thick, image.shape[1], image.shape[0])[..., None]
        return np.asarray(
            np.maximum(image * (1 - np.clip(veil, 0, 1) * np.float32(0.45)) + np.maximum(light, 0), 0), dtype=np.float32
        )

    return over


def flakes(sheet: Sheet, camera: Camera) -> Overlay:
    """Snow in the air: many small flakes, a few large ones out of focus near the camera."""
    rng = sheet.rng(61)
    bright = (sheet.rig.fill + sheet.rig.lamps[0].colour * np.float32(0.5)).astype(np.float32)

    def over(image: Plane) -> Plane:
        rows, columns = image.shape[:2]
        size = float(min(rows, columns))
        layer = np.zeros_like(image)
        wide = rows * columns / (size * size)
        box = (0.0, float(columns), 0.0, float(rows))
        blobs(
            layer, rng, int(130 * wide), (size * 0.0014, size * 0.004), [bright], box, strength=0.75, rim=0.0, edge=0.7
        )
        blobs(layer, rng, int(26 * wide), (size * 0.005, size * 0.011), [bright], box, strength=0.4, rim=0.0, edge=0.9)
        blobs(layer, rng, int(5 * wide), (size * 0.018, size * 0.036), [bright], box, strength=0.2, rim=0.1, edge=0.5)
        return np.asarray(image + layer, dtype=np.float32)

    return over


def confetti(sheet: Sheet, camera: Camera, colours: Sequence[Rgb]) -> Overlay:
    """Paper confetti: falling in three depths, thin around the product."""
    rng = sheet.rng(62)
    rig = sheet.rig
    light = (rig.lamps[0].colour * np.float32(0.6) + rig.fill).astype(np.float32)

    def over(image: Plane) -> Plane:
        rows, columns = image.shape[:2]
        size = float(min(rows, columns))
        wide = (rows * columns / (size * size)) ** 0.6
        for count, big, sigma, clear in ((80, 0.012, 0.002, 0.0), (64, 0.021, 0.0, 0.3), (12, 0.05, 0.012, 0.45)):
            spots = _pieces(rng, int(count * wide), columns, rows, camera, size, clear)
            image = _strewn(image, rng, spots, big * size, colours, light, sigma * size)
        return image

    return over


def _pieces(
    rng: np.random.Generator, count: int, columns: int, rows: int, camera: Camera, size: float, clear: float
) -> list[tuple[float, float]]:
    spots = []
    for _ in range(count * 2):
        x, y = float(rng.uniform(0, columns)), float(rng.random() ** 1.3 * min(camera.foot_y, rows))
        off = math.hypot((x - camera.foot_x) / size, (y - camera.foot_y + 0.35 * size) / (1.3 * size))
        if off > clear * float(rng.uniform(0.8, 1.3)):
            spots.append((x, y))
        if len(spots) >= count:
            break
    return spots


def _strewn(
    image: Plane,
    rng: np.random.Generator,
    spots: Sequence[tuple[float, float]],
    big: float,
    colours: Sequence[Rgb],
    light: Rgb,
    sigma: float,
) -> Plane:
    """Draw tumbling rectangles and dots on a layer twice as fine, then lay it over."""
    rows, columns = image.shape[:2]
    fine = 2
    colour = Image.new("RGB", (columns * fine, rows * fine))
    alpha = Image.new("L", (columns * fine, rows * fine))
    pens = ImageDraw.Draw(colour), ImageDraw.Draw(alpha)
    for x, y in spots:
        turn, tip = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.18, 1.0))
        a, b = big * float(rng.uniform(0.7, 1.3)), big * float(rng.uniform(0.45, 0.8)) * tip
        tone = colours[int(rng.integers(len(colours)))] * light * np.float32(0.45 + 0.75 * tip)
        code = tuple(int(255 * min(max(float(c), 0), 1.6) ** 0.5 / 1.6**0.5) for c in tone)
        if rng.random() < 0.4:
            angles = np.linspace(0, 2 * math.pi, 24, endpoint=False)
            px, py = np.cos(angles) * a * 0.8, np.sin(angles) * a * 0.8 * tip
        else:
            px, py = np.array([-a, a, a, -a]), np.array([-b, -b, b, b])
        qx, qy = px * math.cos(turn) - py * math.sin(turn), px * math.sin(turn) + py * math.cos(turn)
        points = [((x + i) * fine, (y + j) * fine) for i, j in zip(qx, qy, strict=True)]
        pens[0].polygon([(cx + (cx - x * fine) * 0.4, cy + (cy - y * fine) * 0.4) for cx, cy in points], fill=code)
        pens[1].polygon(points, fill=255)
    paint = (
        np.asarray(colour.resize((columns, rows), Image.Resampling.BOX), dtype=np.float32) / 255
    ) ** 2 * np.float32(1.6)
    share = np.asarray(alpha.resize((columns, rows), Image.Resampling.BOX), dtype=np.float32)[..., None] / 255
    if sigma > 0.5:
        soft, veil = blurred(paint * share, sigma), blurred(share, sigma)
        return np.asarray(image * (1 - veil) + soft, dtype=np.float32)
    return np.asarray(image + (paint - image) * share, dtype=np.float32)


def halo(camera: Camera, distance: Plane, colour: Rgb, reach: float, strength: float, share: Plane) -> Plane:
    """The light around a glowing line; ``distance`` from it in units, and the ``share`` seen, on the small grid."""
    near = np.exp(-distance / np.float32(reach)) * np.float32(strength)
    wide = np.exp(-((distance / np.float32(reach * 5)) ** 2)) * np.float32(strength * 0.18)
    return resized(ndimage.gaussian_filter(near + wide, 0.8)[..., None] * colour * share, camera.width, camera.height)
