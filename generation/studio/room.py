"""The room: ground, cove and wall drawn out sideways without end, so that depth and slope belong to a picture's row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.studio.camera import Camera
from generation.studio.colour import Plane
from generation.studio.materials import Material
from generation.studio.solids import FAR, Vec

#: Paints what lies beyond the ground, for pixel positions: linear light of shape (rows, columns, 3).
Backdrop = Callable[[Plane, Plane], Plane]


@dataclass(frozen=True, slots=True)
class Room:
    """Ground at ``floor``; a wall at depth ``wall`` joined by a cove of radius ``cove``; or, with ``backdrop``, ground
    that ends at depth ``wall`` with a view painted beyond it, its edge softened over ``haze`` units of height.

    ``blur`` is how far out of focus the wall is, in units.
    """

    floor: float
    wall: float
    ground: Material
    back: Material
    cove: float = 0.5
    backdrop: Backdrop | None = None
    haze: float = 0.0
    blur: float = 0.0

    @property
    def open(self) -> bool:
        """Whether a view takes the wall's place."""
        return self.backdrop is not None


@dataclass(frozen=True, slots=True)
class Profile:
    """The room along the rows of a picture, each of shape (rows, 1): point, normal, share of wall and of backdrop."""

    y: Plane
    z: Plane
    ny: Plane
    nz: Plane
    walled: Plane
    beyond: Plane
    run: Plane  # arc length along ground, cove and wall


def profile(room: Room, camera: Camera, rows: Plane) -> Profile:
    """Where the rays of each row meet the room."""
    py = rows.astype(np.float64)[:, None]
    slope = (camera.horizon - py) / camera.focal
    rise, back = camera.rise, room.wall + camera.distance
    down = slope < -1e-6
    t_floor = np.where(down, (room.floor - rise) / np.where(down, slope, -1.0), 1e9)
    if room.open:
        t = np.minimum(t_floor, back)
        y = np.where(t_floor <= back, room.floor, rise + t * slope)
        crossing = camera.horizon + (rise - room.floor) * camera.focal / back
        width = max(0.75, room.haze * camera.focal / back)
        beyond = np.clip((crossing - py) / width + 0.5, 0, 1)
        beyond = beyond * beyond * (3 - 2 * beyond)
        one, zero = np.ones_like(py), np.zeros_like(py)
        return _pack(y, t - camera.distance, one, zero, zero, beyond, t - camera.distance)
    r = max(room.cove, 1e-3)
    yc, zc = room.floor + r, room.wall - r
    # The ray y = rise + t·slope, z = t − distance against the circle of the cove.
    a = slope * slope + 1
    b = (rise - yc) * slope + (-camera.distance - zc)
    c = (rise - yc) ** 2 + (camera.distance + zc) ** 2 - r * r
    root = np.sqrt(np.maximum(b * b - a * c, 0))
    t_cove = (-b + root) / a
    t = np.where(t_floor - camera.distance <= zc, t_floor, np.where(rise + back * slope >= yc, back, t_cove))
    y, z = rise + t * slope, t - camera.distance
    turn = np.clip(np.arctan2(np.maximum(z - zc, 0), np.maximum(yc - y, 1e-9)), 0, np.pi / 2)
    turn = np.where(z <= zc, 0.0, np.where(y >= yc, np.pi / 2, turn))
    walled = np.clip((turn / (np.pi / 2) - 0.35) / 0.3, 0, 1)
    run = np.where(z <= zc, z, zc + r * turn + np.maximum(y - yc, 0))
    return _pack(y, z, np.cos(turn), -np.sin(turn), walled, np.zeros_like(py), run)


def _pack(*planes: np.ndarray) -> Profile:
    return Profile(*(np.asarray(plane, dtype=np.float32) for plane in planes))


def meet(room: Room, o: Vec, d: Vec) -> tuple[Plane, NDArray[np.bool_]]:
    """Distance of each ray to ground or wall (FAR if neither), and whether it is the ground."""
    tiny = np.float32(1e-6)
    down = d[1] < -tiny
    t_ground = np.where(down, (np.float32(room.floor) - o[1]) / np.where(down, d[1], -1), FAR)
    t_ground = np.where(t_ground > 1e-4, t_ground, FAR)
    if room.open:
        return t_ground, t_ground < FAR
    away = d[2] > tiny
    t_wall = np.where(away, (np.float32(room.wall) - o[2]) / np.where(away, d[2], 1), FAR)
    t_wall = np.where(t_wall > 1e-4, t_wall, FAR)
    return np.minimum(t_ground, t_wall), t_ground < t_wall
