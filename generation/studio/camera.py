"""The camera: level, with a shifted lens as product photographers use it, so that uprights stay upright.

World units: 1 is the width of the stand. The origin is the product's foot; x goes right, y up, z away from the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generation.studio.colour import Plane


@dataclass(frozen=True, slots=True)
class Camera:
    """A level camera at (0, ``rise``, −``distance``); ``scale`` is pixels per unit at the foot.

    The ratio of rise to distance is how much of the ground is seen: an ellipse on it is that much flatter than wide.
    """

    width: int
    height: int
    foot_x: float
    foot_y: float
    scale: float
    distance: float = 7.0
    rise: float = 1.5

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.scale * self.distance

    @property
    def horizon(self) -> float:
        """The row of the horizon in pixels, which may lie outside the picture."""
        return self.foot_y - self.scale * self.rise

    def ray(self, px: Plane, py: Plane) -> tuple[Plane, Plane]:
        """x and y of the ray through a pixel position; its z is 1."""
        focal = np.float32(self.focal)
        return (px - np.float32(self.foot_x)) / focal, (np.float32(self.horizon) - py) / focal

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """The pixel position of a point."""
        depth = self.focal / max(self.distance + z, 0.05)
        return self.foot_x + x * depth, self.horizon + (self.rise - y) * depth

    def extent(self, z: float = 0.0) -> tuple[float, float, float, float]:
        """What the picture shows at depth z, in units: left, right, bottom, top."""
        unit = (self.distance + z) / self.focal
        return (
            -self.foot_x * unit,
            (self.width - self.foot_x) * unit,
            self.rise - (self.height - self.horizon) * unit,
            self.rise + self.horizon * unit,
        )
