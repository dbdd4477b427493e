"""Render the packshot of the fictional face cream Mira as a photo on plain white, as shops have them.

Run from the root of the repository: ``python examples/mira/render_product.py``. It writes ``product.jpg`` beside this
file: no transparency, so that it is cut out when advertisements are composed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
FONT = HERE.parent.parent / "generation" / "fonts" / "fraunces-400.ttf"
SIZE, SAMPLES = 1100, 2
TILT = 0.16
CLAY, LID = np.array([0.56, 0.17, 0.11], np.float32), np.array([0.045, 0.030, 0.028], np.float32)

Floats = NDArray[np.float32]


def smooth(low: float, high: float, value: Floats) -> Floats:
    """A smooth step from 0 at ``low`` to 1 at ``high``."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def outline(t: Floats) -> Floats:
    """The radius at a height (0 top, 1 bottom), as a share of the half width."""
    lid_round = np.sqrt(np.clip(1 - (1 - np.clip(t / 0.03, 0, 1)) ** 2, 0, 1))
    foot_round = np.sqrt(np.clip(1 - ((np.clip(t, 0.90, 1) - 0.90) / 0.10) ** 2, 0, 1))
    lid = 0.93 + 0.04 * lid_round
    body = 0.86 + 0.14 * foot_round
    return np.asarray(np.where(t < 0.33, lid, np.where(t < 0.345, 0.91, body)), np.float32)


def lettering(width: int, height: int) -> Floats:
    """Coverage of the printed name on the unrolled front half."""
    sheet = Image.new("L", (width, height))
    pen = ImageDraw.Draw(sheet)
    pen.text(
        (width / 2, height * 0.72),
        "mira",
        font=ImageFont.truetype(str(FONT), round(height * 0.27)),
        fill=255,
        anchor="ms",
    )
    small = ImageFont.truetype(str(FONT), round(height * 0.072))
    pen.text((width / 2, height * 0.845), "day cream  50 ml", font=small, fill=255, anchor="ms")
    return np.asarray(sheet).astype(np.float32) / 255


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
    """The jar on white."""
    side = SIZE * SAMPLES
    radius, top, bottom = 0.40 * side, 0.24 * side, 0.80 * side
    across = (np.arange(side, dtype=np.float32) + 0.5 - side / 2) / radius
    down = (np.arange(side, dtype=np.float32) + 0.5 - top) / (bottom - top)
    x, y = np.meshgrid(across, down)
    open_by = TILT * radius / (bottom - top)
    t, face = seen_heights(across, down, open_by)
    lid_top = face & (y < 0.16)
    body = (t >= 0) & ~lid_top
    t = np.clip(t, 0, 1)
    reach = outline(t)
    u = np.clip(x / reach, -1, 1)
    depth = np.sqrt(1 - u * u)
    key = np.clip(-0.55 * u + 0.78 * depth, 0, 1)
    box = smooth(-0.66, -0.58, u) * (1 - smooth(-0.40, -0.28, u))
    rim = smooth(0.84, 0.90, u) * (1 - smooth(0.95, 0.99, u))
    light = (0.24 + 0.86 * key) * (1 - 0.4 * smooth(0.92, 1.0, t))
    is_lid = t < 0.33
    base = np.where(is_lid[..., None], LID, CLAY)
    colour = base * light[..., None] + ((0.20 * box + 0.08 * rim) * np.where(is_lid, 1.5, 0.8))[..., None]
    colour[(t >= 0.33) & (t < 0.347)] *= 0.35
    art = lettering(round(np.pi * radius), round(bottom - top))
    column = ((np.arcsin(u) / np.pi + 0.5) * (art.shape[1] - 1)).astype(int)
    row = (np.clip(t, 0, 1) * (art.shape[0] - 1)).astype(int)
    printed = (art[row, column] * ~is_lid)[..., None]
    colour = colour * (1 - printed) + np.array([0.90, 0.83, 0.76], np.float32) * light[..., None] * printed
    sheen = np.clip(0.5 - 0.5 * x - 0.4 * y / open_by, 0, 1)
    colour[lid_top] = (LID * 1.2 + 0.10 * sheen[..., None])[lid_top]
    colour[~(body | lid_top)] = 1.0
    clipped = np.clip(colour, 0, 1)
    encoded = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    picture = Image.fromarray((encoded * 255 + 0.5).astype(np.uint8))
    return picture.resize((SIZE, SIZE), Image.Resampling.BOX)


if __name__ == "__main__":
    render().save(HERE / "product.jpg", quality=92, subsampling="4:4:4", optimize=True)
    print(f"product.jpg: {(HERE / 'product.jpg').stat().st_size:,} bytes")
