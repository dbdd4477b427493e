"""A season as it falls through a picture: petals, autumn leaves or flakes of snow, some out of focus."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from generation.house.choices import SUBJECTS

SEASONS = SUBJECTS["set"]["season"][1:]  # all but "none"

_COLOURS = {
    "spring": ((255, 190, 208), (255, 214, 224), (250, 168, 192), (255, 236, 240)),
    "autumn": ((214, 92, 28), (184, 60, 26), (232, 150, 40), (150, 52, 24)),
    "winter": ((255, 255, 255), (244, 250, 255), (255, 255, 255)),
}
_COUNT = {"spring": 16, "autumn": 14, "winter": 26}
_SIZE = {"spring": 0.04, "autumn": 0.054, "winter": 0.024}
_SMOOTH = 3  # times larger while drawing


def with_season(picture: NDArray[np.uint8], season: str, seed: int) -> NDArray[np.uint8]:
    """The picture (H, W, 3) with the season falling through it, mostly around its middle; "none" changes nothing."""
    if season == "none":
        return picture
    rng = np.random.default_rng([seed & 0xFFFFFFFF, 911])
    height, width = picture.shape[:2]
    side = (width * height) ** 0.5
    brightness = 0.45 + 0.55 * float(np.quantile(picture.max(axis=2), 0.9)) / 255
    image = Image.fromarray(picture)
    for depth in range(3):  # far and small first, near, large and soft last
        base = _COLOURS[season][depth]
        clear = (*(round(channel * brightness) for channel in base), 0)  # blurred edges keep the colour
        layer = Image.new("RGBA", (width * _SMOOTH, height * _SMOOTH), clear)
        draw = ImageDraw.Draw(layer)
        scale = (0.7, 1.0, 1.9)[depth]
        for _ in range(round(_COUNT[season] * (0.45, 0.4, 0.15)[depth])):
            x, y = _place(rng)
            radius = _SIZE[season] * side * scale * rng.uniform(0.8, 1.25) * _SMOOTH
            tone = _COLOURS[season][rng.integers(len(_COLOURS[season]))]
            fill = (*(round(channel * brightness) for channel in tone), (215, 255, 225)[depth])
            _fall(draw, season, x * width * _SMOOTH, y * height * _SMOOTH, radius, fill, rng)
        blur = (0.004, 0.002, 0.013)[depth] * side * _SMOOTH
        layer = layer.filter(ImageFilter.GaussianBlur(blur)).resize((width, height), Image.Resampling.BOX)
        image.paste(layer, (0, 0), layer)
    return np.asarray(image)


def _place(rng: np.random.Generator) -> tuple[float, float]:
    """Across the picture, thinner around the middle where the product stands."""
    for _ in range(6):
        x, y = rng.uniform(-0.02, 1.02, 2)
        if abs(x - 0.5) > 0.22 or y < 0.3 or rng.random() < 0.15:
            break
    return float(x), float(y)


def _fall(
    draw: ImageDraw.ImageDraw,
    season: str,
    x: float,
    y: float,
    radius: float,
    fill: tuple[int, ...],
    rng: np.random.Generator,
) -> None:
    if season == "winter":
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
        return
    turn, slim = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 0.75)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    along, across = np.cos(angles), np.sin(angles) * slim
    if season == "autumn":  # a leaf ends in two points
        across = across * (1 - np.abs(along) ** 1.5)
    px = x + radius * (along * np.cos(turn) - across * np.sin(turn))
    py = y + radius * (along * np.sin(turn) + across * np.cos(turn))
    draw.polygon([(float(a), float(b)) for a, b in zip(px, py, strict=True)], fill=fill)
