"""The agreement between scene and composition: where the product stands, and where the light comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the product will stand and how it is lit; all lengths are shares (0–1) of the picture.

    ``stand_x`` and ``stand_y`` are the middle of the product's foot; ``stand_width`` is the room the product's foot
    may take. ``light_x`` is −1 (light from the far left) to 1 (far right), 0 overhead; shadows fall the other way.
    ``softness`` is 0 (hard noon sun) to 1 (overcast); ``strength`` is the darkness of shadows. ``tint`` is the colour
    of the light in linear RGB around 1, ``shadow_rgb`` the sRGB colour of shadows on this ground.
    ``backlit`` is the share (0–1) of rim light; ``reflective`` the strength (0–1) of a mirror image on the ground.
    """

    stand_x: float = 0.5
    stand_y: float = 0.86
    stand_width: float = 0.4
    light_x: float = -0.6
    softness: float = 0.5
    strength: float = 0.5
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    shadow_rgb: tuple[int, int, int] = (30, 24, 22)
    backlit: float = 0.15
    reflective: float = 0.0


def stand_params(x: float, y: float, width: float) -> dict[str, float]:
    """The scene parameters that tell a renderer where the product will stand."""
    return {"stand_x": round(x, 4), "stand_y": round(y, 4), "stand_width": round(width, 4)}


def stand_of(params: Mapping[str, str | int | float]) -> tuple[float, float, float]:
    """Where the product stands by a scene recipe's parameters: x, y and width as shares of the picture."""
    default = Stage()
    return (
        float(params.get("stand_x", default.stand_x)),
        float(params.get("stand_y", default.stand_y)),
        float(params.get("stand_width", default.stand_width)),
    )
