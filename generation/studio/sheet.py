"""The call sheet of one picture: its parameters, colours, light, camera and seed, as the sets read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from generation.staging import stand_of
from generation.studio.camera import Camera
from generation.studio.colour import Rgb, Scheme
from generation.studio.materials import Material
from generation.studio.rig import Rig
from generation.studio.solids import Cylinder
from proofsheet.errors import InputError


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a set needs to know; lengths are in stand widths."""

    width: int
    height: int
    params: Mapping[str, str | int | float]
    scheme: Scheme
    rig: Rig
    seed: int

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A numeric parameter within its limits.

        Raises:
            InputError: it is not a number, or outside the limits.
        """
        value = self.params.get(name, default)
        try:
            number = float(value)
        except ValueError:
            raise InputError(
                f"The scene parameter {name} = {value!r} is not a number.", f"Give a number from {low:g} to {high:g}."
            ) from None
        if not low <= number <= high:
            raise InputError(
                f"The scene parameter {name} = {number:g} is out of range.", f"Give a number from {low:g} to {high:g}."
            )
        return number

    def word(self, name: str, default: str, known: tuple[str, ...]) -> str:
        """A parameter that is one of a few words.

        Raises:
            InputError: it is another.
        """
        value = str(self.params.get(name, default))
        if value not in known:
            raise InputError(f"The scene parameter {name} = {value!r} is not known.", f"Known: {', '.join(known)}.")
        return value

    def camera(self, tilt: float = 0.2, distance: float = 7.0, far: float | None = None) -> Camera:
        """The camera with the product's foot exactly where the layout wants it.

        ``tilt`` is the default of the parameter of that name. With ``far``, the camera stoops as low as it must for
        ground that reaches to that depth to end well inside the picture.
        """
        x, y, share = stand_of(self.params)
        tilt = self.number("tilt", tilt, 0.05, 0.5)
        scale = max(share * self.width, 6.0)
        distance = max(distance, 1.1 * self.width / scale)  # a longer lens for wide pictures: balls stay round
        rise = tilt * distance
        if far is not None:
            rise = min(rise, 0.64 * (y * self.height / scale) * (distance + far) / far)
        return Camera(self.width, self.height, x * self.width, y * self.height, scale, distance, rise)

    def clear(self, x: float, reach: float = 1.15) -> bool:
        """Whether a prop may lie at x: the side that the layout keeps for words stays free beyond ``reach``."""
        off = stand_of(self.params)[0] - 0.5
        return abs(off) < 0.1 or x * off > 0 or abs(x) < reach

    def rng(self, salt: int) -> np.random.Generator:
        """A generator of this picture's own for one purpose."""
        return np.random.default_rng([self.seed & 0xFFFFFFFF, salt])

    def matte(self, colour: Rgb, gloss: float = 0.0, rough: float = 0.4) -> Material:
        """A plain material."""
        return Material(colour, gloss=gloss, rough=rough)


#: How far behind the product's foot the middle of its podium lies.
BEHIND = 0.16


def podium(
    camera: Camera, material: Material, *, height: float | None = None, radius: float = 0.6
) -> tuple[Cylinder, float]:
    """A round podium under the foot and the level of the floor it stands on, fit to the room below the foot."""
    _, _, bottom, _ = camera.extent()
    if height is None:
        height = float(np.clip(0.5 * -bottom, 0.14, 0.36))
    return Cylinder(0.0, BEHIND, -height, 0.0, radius, material), -height
