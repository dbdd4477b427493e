"""Render the fictional brand's present advertisements: the control of the test.

Run from the root of the repository: ``python examples/norda/render_baseline.py``. It writes one picture per placement
to ``baseline/``: the bottle on a plain ground, as a catalogue would show it, with name, claim and button.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from generation.composition.ground import rounded_mask
from generation.composition.typefaces import Typeface, open_typeface
from generation.composition.typeset import fit_text, paste_text
from generation.placements import placement

HERE = Path(__file__).resolve().parent
GROUND, INK, BUTTON, PAPER, RULE = (236, 236, 233), (34, 38, 40), (10, 115, 123), (255, 255, 255), (204, 205, 201)


def centred(
    picture: Image.Image, text: str, face: Typeface, size: float, top: float, ink: tuple[int, int, int]
) -> float:
    """Set a line in the middle; returns where its ink ends."""
    setting = fit_text(
        text, face, width=picture.width * 0.84, height=size * 3, largest=size, smallest=12, lines=2, align="center"
    )
    box, _ = paste_text(picture, setting, (picture.width - setting.width) / 2, top, ink)
    return box.bottom


def render(name: str) -> Image.Image:
    """One present advertisement for a placement."""
    place = placement(name)
    picture = Image.new("RGB", (place.width, place.height), GROUND)
    pen = ImageDraw.Draw(picture)
    left, top, right, bottom = place.safe_area.box(place.width, place.height)
    unit = min(right - left, bottom - top) / 1000
    strong, text = open_typeface("manrope", strong=True), open_typeface("manrope", strong=False)
    logo = Image.open(HERE / "logo.png")
    logo = logo.resize((round(210 * unit), round(210 * unit * logo.height / logo.width)), Image.Resampling.LANCZOS)
    at = round((place.width - logo.width) / 2), round(top + 40 * unit)
    picture.paste(INK, (*at, at[0] + logo.width, at[1] + logo.height), logo.getchannel("A"))

    button_high, button_wide = round(84 * unit), round(300 * unit)
    button_top = round(bottom - 40 * unit - button_high)
    claim_top = button_top - 138 * unit
    product = Image.open(HERE / "product.png")
    room = claim_top - 40 * unit - (at[1] + logo.height + 34 * unit)
    scale = min(room / product.height, 0.6 * place.width / product.width)
    product = product.resize((round(product.width * scale), round(product.height * scale)), Image.Resampling.LANCZOS)
    product_left = round((place.width - product.width) / 2)
    product_top = round(claim_top - 40 * unit - product.height)
    foot = product_top + product.height
    half = product.width * 0.62
    pen.ellipse((place.width / 2 - half, foot - half * 0.12, place.width / 2 + half, foot + half * 0.07), fill=RULE)
    picture.paste(product.convert("RGB"), (product_left, product_top), product.getchannel("A"))

    low = centred(picture, "Norda Cold Brew Coffee", strong, 50 * unit, claim_top, INK)
    centred(picture, "330 ml glass bottle, case of 12", text, 32 * unit, low + 22 * unit, INK)
    mask = rounded_mask(button_wide, button_high, 8 * unit)
    picture.paste(BUTTON, (round((place.width - button_wide) / 2), button_top), mask)
    centred(picture, "Shop now", strong, 34 * unit, button_top + button_high / 2 - 12.5 * unit, PAPER)
    return picture


if __name__ == "__main__":
    for name in ("meta_feed_portrait", "meta_story"):
        made = render(name)
        made.save(HERE / "baseline" / f"{name}.png", optimize=True)
        print(f"baseline/{name}.png: {(HERE / 'baseline' / f'{name}.png').stat().st_size:,} bytes")
