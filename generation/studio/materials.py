"""What surfaces are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from generation.studio.colour import Plane, Rgb

#: u, v, units per pixel → albedo of shape (..., 3)
Paint = Callable[[Plane, Plane, float], Plane]
#: u, v, units per pixel → the two slopes of the surface
Relief = Callable[[Plane, Plane, float], tuple[Plane, Plane]]


@dataclass(frozen=True, slots=True)
class Material:
    """A surface: its mean colour (linear), and optionally a painted pattern, a relief, a highlight and a mirror.

    ``gloss`` is the strength of the highlight and ``rough`` its width (0.05 polished … 0.6 satin); ``mirror`` is the
    share of light a ground reflects like still water, blurred by ``haze``; ``glow`` is light of its own.
    """

    colour: Rgb
    paint: Paint | None = None
    relief: Relief | None = None
    gloss: float = 0.0
    rough: float = 0.35
    mirror: float = 0.0
    haze: float = 0.06
    glow: float = 0.0
