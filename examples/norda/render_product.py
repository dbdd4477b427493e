"""Render the studio packshot of the fictional Norda bottle: coated glass, a paper label and a copper cap.

Run from the root of the repository: ``python examples/norda/render_product.py``. It writes ``product.png`` beside this
file. The bottle is a solid of revolution seen slightly from above. Every pixel's normal is known exactly; its light is
a diffuse key plus the mirror image of a studio (a large soft box on the left, a thin strip on the right, a bright top).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
FONTS = HERE.parent.parent / "generation" / "fonts"
WIDTH, HEIGHT, SAMPLES = 900, 2280, 2
RADIUS, TOP, BOTTOM = 404.0, 60.0, 2190.0  # of the body, and where the axis begins and ends, pixels
TILT = 0.085  # how far circles open towards the viewer, share of their radius

Floats = NDArray[np.float32]

GLASS = np.array([0.003, 0.122, 0.140], np.float32)  # linear light
COPPER = np.array([0.93, 0.40, 0.17], np.float32)
PAPER = np.array([0.86, 0.79, 0.66], np.float32)
INK = (22, 52, 54)
EMBER = (214, 92, 40)

#: Height (0 top, 1 bottom) and radius (share of the body's) of the outline.
CAP_END, RING_END, NECK_END, SHOULDER_END, BASE = 0.108, 0.120, 0.165, 0.345, 0.952
LABEL_TOP, LABEL_BOTTOM = 0.445, 0.865


def smooth(low: float, high: float, value: Floats) -> Floats:
    """A smooth step from 0 at ``low`` to 1 at ``high``."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def outline(t: Floats) -> Floats:
    """The radius at a height, as a share of the body's radius: one smooth curve from neck to body."""
    share = np.clip((t - NECK_END) / (SHOULDER_END - NECK_END), 0, 1)
    shoulder = 0.36 + 0.64 * (share**3 * (share * (6 * share - 15) + 10)) ** 0.82
    corner = np.sqrt(np.clip(1 - ((np.clip(t, BASE, 1) - BASE) / (1 - BASE)) ** 2, 0, 1))
    body = np.where(t > BASE, 0.86 + 0.14 * corner, shoulder)
    cap_edge = np.minimum(np.clip(t, 0, 1) / 0.008, np.clip(CAP_END - t, 0, 1) / 0.006)
    cap = 0.425 + 0.015 * np.sqrt(np.clip(1 - (1 - np.clip(cap_edge, 0, 1)) ** 2, 0, 1))
    ring = np.full_like(t, 0.372)
    return np.asarray(np.where(t < CAP_END, cap, np.where(t < RING_END, ring, body)), np.float32)


def studio(x: Floats, y: Floats, z: Floats) -> Floats:
    """How bright the studio is in a direction (x right, y up, z to the viewer)."""
    azimuth = np.degrees(np.arctan2(x, z))
    rise = np.degrees(np.arcsin(np.clip(y, -1, 1)))
    tall = smooth(-62, -44, rise) * (1 - smooth(48, 66, rise))
    box = smooth(-84, -74, azimuth) * (1 - smooth(-58, -40, azimuth)) * tall
    fill = smooth(-150, -138, azimuth) * (1 - smooth(-128, -118, azimuth)) * tall
    strip = smooth(112, 122, azimuth) * (1 - smooth(138, 148, azimuth)) * tall
    soft = smooth(28, 60, azimuth) * (1 - smooth(70, 104, azimuth)) * tall
    above = smooth(42, 76, rise)
    below = smooth(14, 70, -rise)
    seen = 0.07 + 5.2 * box + 1.5 * strip + 0.4 * fill + 0.16 * soft + 0.5 * above + 0.06 * below
    return np.asarray(seen, np.float32)


def label_texture(width: int, height: int) -> Image.Image:
    """The printed label, flat; ``width`` is half of the bottle's circumference."""
    art = Image.new("RGB", (width, height), tuple(round(float(c) ** (1 / 2.2) * 255) for c in PAPER))
    pen = ImageDraw.Draw(art)
    middle = width / 2
    unit = height / 900
    pen.rectangle((0, 26 * unit, width, 32 * unit), fill=INK)
    pen.rectangle((0, height - 32 * unit, width, height - 26 * unit), fill=INK)
    draw_mark(pen, middle, 208 * unit, 92 * unit)

    def line(text: str, y: float, size: float, file: str, colour: tuple[int, int, int], spread: float = 0.0) -> None:
        font = ImageFont.truetype(str(FONTS / file), round(size * unit))
        total = font.getlength(text) + spread * unit * (len(text) - 1)
        x = middle - total / 2
        for index, letter in enumerate(text):
            place = x + font.getlength(text[: index + 1]) - font.getlength(letter) + spread * unit * index
            pen.text((place, y * unit), letter, font=font, fill=colour, anchor="ls")

    line("norda", 516, 212, "bricolage-grotesque-700.ttf", INK, -6)
    line("COLD BREW COFFEE", 612, 47, "manrope-700.ttf", EMBER, 7)
    pen.rectangle((middle - 42 * unit, 664 * unit, middle + 42 * unit, 669 * unit), fill=INK)
    line("slow-steeped 18 hours", 742, 45, "manrope-500.ttf", INK, 0)
    line("330 ml", 806, 45, "manrope-500.ttf", INK, 0)
    return art


def draw_mark(pen: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    """The mark: a low sun over two waves of a northern ridge."""
    pen.ellipse((x - size * 0.44, y - size * 1.08, x + size * 0.44, y - size * 0.20), fill=EMBER)
    steps = np.linspace(-1, 1, 200)
    for lift in (0.10, 0.44):
        ridge = [(x + size * 1.1 * s, y + size * (lift - 0.13 * np.cos(np.pi * s * 2))) for s in steps]
        floor = [(px, py + size * 0.15) for px, py in reversed(ridge)]
        pen.polygon(ridge + floor, fill=INK)


def seen_heights(px: Floats, py: Floats, open_by: float) -> tuple[Floats, NDArray[np.bool_]]:
    """The height (0–1) of the surface seen at every pixel, −1 beside it, and whether a face seen from above is there.

    Along a column the front of the circle at height t lies at y = t + open_by · √(r² − x²). What turns away under a
    wider part above is hidden, so the running maximum of these places is turned round to give t for y. Where the
    column leaves the body and meets it again further down, each stretch is seen for itself.
    """
    heights = np.linspace(0, 1, 3001, dtype=np.float32)
    radii = outline(heights)
    seen = np.full((py.size, px.size), -1, np.float32)
    face = np.zeros(seen.shape, np.bool_)
    for column, x in enumerate(px):
        there = np.flatnonzero(radii > abs(x))
        low = -1.0
        for stretch in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1):
            if stretch.size < 2:
                continue
            half = np.sqrt(radii[stretch] ** 2 - x * x)
            places = np.maximum.accumulate(heights[stretch] + open_by * half)
            back = float(heights[stretch[0]] - open_by * half[0])
            inside = (py >= max(back, low)) & (py <= places[-1])
            seen[inside, column] = np.interp(py[inside], places, heights[stretch])
            face[:, column] |= inside & (py < places[0])
            low = float(places[-1])
    return seen, face


def render() -> Image.Image:
    """The bottle as RGBA, supersampled."""
    wide, tall = WIDTH * SAMPLES, HEIGHT * SAMPLES
    px = ((np.arange(wide, dtype=np.float32) + 0.5) / SAMPLES - WIDTH / 2) / RADIUS
    py = ((np.arange(tall, dtype=np.float32) + 0.5) / SAMPLES - TOP) / (BOTTOM - TOP)
    x, y = np.meshgrid(px, py)
    open_by = TILT * RADIUS / (BOTTOM - TOP)
    t, face = seen_heights(px, py, open_by)
    side = t >= 0
    cap_top = face & (y < CAP_END / 2)
    side &= ~cap_top
    t = np.clip(t, 0, 1)
    radius = outline(t)
    step = 0.0012
    slope = (outline(np.clip(t + step, 0, 1)) - outline(np.clip(t - step, 0, 1))) / (2 * step) * RADIUS / (BOTTOM - TOP)
    slope = np.where((np.abs(t - CAP_END) < 2 * step) | (np.abs(t - RING_END) < 2 * step), 0, np.clip(slope, -2.2, 2.2))
    u = np.clip(x / np.maximum(radius, 1e-4), -1, 1)
    colour = shade(u, np.asarray(slope, np.float32), t)
    colour[cap_top] = lid(x[cap_top], y[cap_top] / open_by)
    linear = np.clip(colour, 0, None)
    mapped = linear / (1 + 0.16 * linear) * 1.06
    encoded = np.where(mapped <= 0.0031308, mapped * 12.92, 1.055 * np.clip(mapped, 0, None) ** (1 / 2.4) - 0.055)
    alpha = (side | cap_top).astype(np.float32)
    rgba = np.dstack([np.clip(encoded, 0, 1) * 255, alpha * 255]).astype(np.uint8)
    return Image.fromarray(rgba, "RGBA").resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def shade(u: Floats, slope: Floats, t: Floats) -> Floats:
    """Linear colour of the side: glass, label or cap."""
    depth = np.sqrt(np.clip(1 - u * u, 0, 1))
    length = np.sqrt(1 + slope * slope)
    nx, ny, nz = u / length, slope / length, depth / length
    mirror_x, mirror_y, mirror_z = 2 * nz * nx, 2 * nz * ny, 2 * nz * nz - 1
    seen = studio(mirror_x, mirror_y, mirror_z)
    fresnel = 0.045 + 0.955 * (1 - np.clip(nz, 0, 1)) ** 5
    key = np.clip(nx * -0.62 + ny * 0.34 + nz * 0.70, 0, 1)
    bounce = np.clip(nx * 0.9 + nz * 0.2, 0, 1) * 0.18
    diffuse = 0.20 + 0.95 * key + bounce
    occlusion = 1 - 0.34 * smooth(0.93, 1.0, t) - 0.45 * np.exp(-(((t - RING_END) / 0.012) ** 2)) * (t > CAP_END)
    glass = GLASS * (diffuse * occlusion)[..., None] + (seen * np.minimum(fresnel, 0.55) * 1.35)[..., None]
    glass += GLASS * (0.9 * smooth(0.55, 0.95, np.abs(u)) * (1 - smooth(0.95, 1.0, np.abs(u))))[..., None]
    colour = np.asarray(glass, np.float32)
    _put_label(colour, u, t, diffuse, seen)
    cap = t < CAP_END
    colour[cap] = _cap(u[cap], slope[cap], t[cap])
    gap = (t >= CAP_END) & (t < CAP_END + 0.0035)
    colour[gap] *= 0.25
    return colour


def _put_label(colour: Floats, u: Floats, t: Floats, diffuse: Floats, seen: Floats) -> None:
    inside = (t > LABEL_TOP) & (t < LABEL_BOTTOM)
    half_round = np.pi * RADIUS * SAMPLES
    high = (LABEL_BOTTOM - LABEL_TOP) * (BOTTOM - TOP) * SAMPLES
    art = np.asarray(label_texture(round(half_round), round(high))).astype(np.float32) / 255
    flat = np.where(art <= 0.04045, art / 12.92, ((art + 0.055) / 1.055) ** 2.4).astype(np.float32)
    column = (np.arcsin(np.clip(u[inside], -1, 1)) / np.pi + 0.5) * (flat.shape[1] - 1)
    row = (t[inside] - LABEL_TOP) / (LABEL_BOTTOM - LABEL_TOP) * (flat.shape[0] - 1)
    printed = flat[row.astype(int), column.astype(int)]
    light = 0.10 + 0.90 * diffuse[inside] ** 1.1
    colour[inside] = printed * (light * 0.98)[:, None] + (seen[inside] * 0.018)[:, None]
    edge = np.minimum(np.abs(t - LABEL_TOP), np.abs(t - LABEL_BOTTOM))
    near = (edge < 0.0045) & ~inside
    colour[near] *= (0.45 + 0.55 * edge[near] / 0.0045)[:, None]


def _cap(u: Floats, slope: Floats, t: Floats) -> Floats:
    """Brushed copper with fine upright ribs."""
    angle = np.arcsin(np.clip(u, -1, 1))
    ribbed = (t > 0.020) & (t < CAP_END - 0.014)
    angle = angle + np.where(ribbed, 0.20 * np.sin(angle * 92), 0).astype(np.float32)
    length = np.sqrt(1 + slope * slope)
    nx, ny, nz = np.sin(angle) / length, slope / length, np.cos(angle) / length
    total = np.zeros_like(u)
    for blur in (-0.16, -0.08, 0.0, 0.08, 0.16):
        turned_x = nx * np.cos(blur) + nz * np.sin(blur)
        turned_z = nz * np.cos(blur) - nx * np.sin(blur)
        total += studio(2 * turned_z * turned_x, 2 * turned_z * ny, 2 * turned_z * turned_z - 1) / 5
    groove = 1 - 0.5 * (np.exp(-(((t - 0.018) / 0.0016) ** 2)) + np.exp(-(((t - CAP_END + 0.012) / 0.0016) ** 2)))
    light = (0.30 + 0.42 * total) * groove
    return np.asarray(COPPER * light[:, None] + (total * 0.05)[:, None], np.float32)


def lid(x: Floats, y: Floats) -> Floats:
    """The top of the cap, lit from above and the left."""
    out = np.sqrt(x * x + y * y) / 0.432
    light = 0.62 - 0.22 * x / 0.432 - 0.10 * y / 0.432 + 0.35 * smooth(0.9, 0.97, out)
    return np.asarray(COPPER * light[:, None] + 0.05, np.float32)


if __name__ == "__main__":
    picture = render()
    picture = picture.crop(picture.getchannel("A").getbbox())
    picture.save(HERE / "product.png", optimize=True)
    print(f"product.png: {picture.width} × {picture.height}, {(HERE / 'product.png').stat().st_size:,} bytes")
