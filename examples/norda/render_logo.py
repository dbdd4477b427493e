"""Render the logo of the fictional brand Norda, one colour with transparency.

Run from the root of the repository: ``python examples/norda/render_logo.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
FONTS = HERE.parent.parent / "generation" / "fonts"
INK = (20, 46, 49)


def render(height: int = 300) -> Image.Image:
    """A low sun over two waves, and the name."""
    factor = 3
    unit = height * factor / 300
    mask = Image.new("L", (round(1180 * unit), round(300 * unit)))
    pen = ImageDraw.Draw(mask)
    middle, size = 150 * unit, 118 * unit
    pen.ellipse((middle - size * 0.46, 30 * unit, middle + size * 0.46, 30 * unit + size * 0.92), fill=255)
    for lift in (0.20, 0.60):
        steps = np.linspace(-1, 1, 240)
        ridge = [(middle + size * 1.12 * s, 150 * unit + size * (lift - 0.14 * np.cos(2 * np.pi * s))) for s in steps]
        pen.polygon(ridge + [(x, y + size * 0.19) for x, y in reversed(ridge)], fill=255)
    font = ImageFont.truetype(str(FONTS / "bricolage-grotesque-700.ttf"), round(300 * unit))
    x = 330 * unit
    for index, letter in enumerate("norda"):
        shown = "norda"[: index + 1]
        place = x + font.getlength(shown) - font.getlength(letter) - 9 * unit * index
        pen.text((place, 236 * unit), letter, font=font, fill=255, anchor="ls")
    small = mask.resize((mask.width // factor, mask.height // factor), Image.Resampling.BOX)
    logo = Image.new("RGBA", small.size, (*INK, 255))
    logo.putalpha(small)
    return logo.crop(small.getbbox())


if __name__ == "__main__":
    picture = render()
    picture.save(HERE / "logo.png", optimize=True)
    print(f"logo.png: {picture.width} × {picture.height}, {(HERE / 'logo.png').stat().st_size:,} bytes")
