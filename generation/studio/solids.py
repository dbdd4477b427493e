"""Solids of a set: boxes, cylinders, spheres and cut sheets, each met by rays exactly."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from generation.studio.colour import Plane
from generation.studio.materials import Material

Vec = tuple[Plane, Plane, Plane]
FAR = np.float32(1e9)
_NEAR = np.float32(1e-3)


class Solid(Protocol):
    """Something that rays can meet; ``material`` says what it is made of."""

    @property
    def material(self) -> Material:
        """What it is made of."""
        ...

    def distance(self, o: Vec, d: Vec) -> Plane:
        """How far along each ray the surface is first met; FAR when it is missed."""
        ...

    def surface(self, p: Vec) -> tuple[Plane, Vec, Plane, Plane]:
        """At points on the surface: the face's number, the normal, and two coordinates for a pattern."""
        ...

    def bounds(self) -> tuple[float, float, float, float, float, float]:
        """x0, x1, y0, y1, z0, z1."""
        ...


def _bevel(near_edge: Plane, size: float) -> Plane:
    """0 away from an edge to about 0.7 at it: how far a normal leans over a rounded edge."""
    return np.asarray(np.clip(1 - near_edge / np.float32(max(size, 1e-4)), 0, 1) * np.float32(0.72))


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box; ``yaw`` turns it about its middle (radians)."""

    x: float
    y0: float
    z: float
    width: float
    height: float
    depth: float
    material: Material
    yaw: float = 0.0
    bevel: float = 0.018

    def _turned(self, v: Vec, move: bool) -> Vec:
        x, z = (v[0] - np.float32(self.x), v[2] - np.float32(self.z)) if move else (v[0], v[2])
        if not self.yaw:
            return x, v[1], z
        c, s = np.float32(math.cos(self.yaw)), np.float32(math.sin(self.yaw))
        return x * c - z * s, v[1], x * s + z * c

    def distance(self, o: Vec, d: Vec) -> Plane:
        """See Solid."""
        ox, oy, oz = self._turned(o, True)
        dx, dy, dz = self._turned(d, False)
        near = np.full(np.broadcast(ox, dx).shape, -FAR, np.float32)
        far = np.full(near.shape, FAR, np.float32)
        spans = (
            (ox, dx, -self.width / 2, self.width / 2),
            (oy, dy, self.y0, self.y0 + self.height),
            (oz, dz, -self.depth / 2, self.depth / 2),
        )
        for start, way, low, high in spans:
            inverse = np.float32(1) / np.where(np.abs(way) < 1e-7, np.float32(1e-7), way)
            a, b = (np.float32(low) - start) * inverse, (np.float32(high) - start) * inverse
            near, far = np.maximum(near, np.minimum(a, b)), np.minimum(far, np.maximum(a, b))
        return np.where((near <= far) & (far > _NEAR), np.where(near > _NEAR, near, far), FAR)

    def surface(self, p: Vec) -> tuple[Plane, Vec, Plane, Plane]:
        """See Solid."""
        x, y, z = self._turned(p, True)
        y = y - np.float32(self.y0 + self.height / 2)
        gap = [np.float32(h / 2) - np.abs(v) for v, h in ((x, self.width), (y, self.height), (z, self.depth))]
        face = np.argmin(np.stack(gap), axis=0)
        normal = []
        for axis, v in enumerate((x, y, z)):
            lean = np.where(face == axis, np.float32(1), _bevel(gap[axis], self.bevel))
            normal.append(np.sign(v) * lean)
        nx, ny, nz = normal
        length = np.sqrt(nx * nx + ny * ny + nz * nz) + np.float32(1e-9)
        if self.yaw:
            c, s = np.float32(math.cos(self.yaw)), np.float32(math.sin(self.yaw))
            nx, nz = nx * c + nz * s, -nx * s + nz * c
        u, v = np.where(face == 0, z, x), np.where(face == 1, z, y)
        number = (face * 2 + (np.choose(face, (x, y, z)) > 0)).astype(np.float32)
        return number, (nx / length, ny / length, nz / length), u, v

    def bounds(self) -> tuple[float, float, float, float, float, float]:
        """See Solid."""
        r = math.hypot(self.width, self.depth) / 2 if self.yaw else 0.0
        w, d = (r, r) if self.yaw else (self.width / 2, self.depth / 2)
        return self.x - w, self.x + w, self.y0, self.y0 + self.height, self.z - d, self.z + d


@dataclass(frozen=True, slots=True)
class Cylinder:
    """A cylinder: upright (axis "y", from ``low`` to ``high`` in y) or facing the camera (axis "z").

    ``a`` and ``b`` are its middle: x and z when upright, x and y when facing.
    """

    a: float
    b: float
    low: float
    high: float
    radius: float
    material: Material
    axis: str = "y"
    bevel: float = 0.022

    def _swap(self, v: Vec) -> Vec:
        return v if self.axis == "y" else (v[0], v[2], v[1])

    def distance(self, o: Vec, d: Vec) -> Plane:
        """See Solid."""
        ox, oy, oz = self._swap(o)
        dx, dy, dz = self._swap(d)
        x, z = ox - np.float32(self.a), oz - np.float32(self.b)
        a = dx * dx + dz * dz + np.float32(1e-12)
        half = x * dx + z * dz
        root = half * half - a * (x * x + z * z - np.float32(self.radius**2))
        miss = root < 0
        root = np.sqrt(np.maximum(root, 0))
        side = np.float32(1) / np.where(np.abs(dy) < 1e-7, np.float32(1e-7), dy)
        e, f = (np.float32(self.low) - oy) * side, (np.float32(self.high) - oy) * side
        near = np.maximum((-half - root) / a, np.minimum(e, f))
        far = np.minimum((-half + root) / a, np.maximum(e, f))
        return np.where(miss | (near > far) | (far <= _NEAR), FAR, np.where(near > _NEAR, near, far))

    def surface(self, p: Vec) -> tuple[Plane, Vec, Plane, Plane]:
        """See Solid."""
        x, y, z = self._swap(p)
        x, z = x - np.float32(self.a), z - np.float32(self.b)
        rho = np.sqrt(x * x + z * z) + np.float32(1e-9)
        rim = np.float32(self.radius) - rho
        top, bottom = np.float32(self.high) - y, y - np.float32(self.low)
        end = np.minimum(top, bottom)
        cap = end < rim
        up = np.where(top < bottom, np.float32(1), np.float32(-1))
        radial = np.where(cap, _bevel(rim, self.bevel), np.float32(1))
        axial = np.where(cap, up, up * _bevel(end, self.bevel))
        length = np.sqrt(radial * radial + axial * axial)
        n = (x / rho * radial / length, axial / length, z / rho * radial / length)
        face = np.where(cap, np.where(up > 0, np.float32(1), np.float32(2)), np.float32(0))
        u = np.where(cap, x, np.arctan2(x, -z) * np.float32(self.radius))
        return face, self._swap(n), u, np.where(cap, z, y)

    def bounds(self) -> tuple[float, float, float, float, float, float]:
        """See Solid."""
        r = self.radius
        if self.axis == "y":
            return self.a - r, self.a + r, self.low, self.high, self.b - r, self.b + r
        return self.a - r, self.a + r, self.b - r, self.b + r, self.low, self.high


@dataclass(frozen=True, slots=True)
class Sphere:
    """A ball, or with ``squash`` below 1 a pebble."""

    x: float
    y: float
    z: float
    radius: float
    material: Material
    squash: float = 1.0

    def distance(self, o: Vec, d: Vec) -> Plane:
        """See Solid."""
        k = np.float32(1 / self.squash)
        x, y, z = o[0] - np.float32(self.x), (o[1] - np.float32(self.y)) * k, o[2] - np.float32(self.z)
        dx, dy, dz = d[0], d[1] * k, d[2]
        a = dx * dx + dy * dy + dz * dz
        half = x * dx + y * dy + z * dz
        root = half * half - a * (x * x + y * y + z * z - np.float32(self.radius**2))
        miss = root < 0
        root = np.sqrt(np.maximum(root, 0))
        near, far = (-half - root) / a, (-half + root) / a
        return np.where(miss | (far <= _NEAR), FAR, np.where(near > _NEAR, near, far))

    def surface(self, p: Vec) -> tuple[Plane, Vec, Plane, Plane]:
        """See Solid."""
        x, y, z = (
            p[0] - np.float32(self.x),
            (p[1] - np.float32(self.y)) / np.float32(self.squash**2),
            p[2] - np.float32(self.z),
        )
        length = np.sqrt(x * x + y * y + z * z) + np.float32(1e-9)
        n = (x / length, y / length, z / length)
        return np.zeros_like(x), n, p[0] - np.float32(self.x), p[1] - np.float32(self.y)

    def bounds(self) -> tuple[float, float, float, float, float, float]:
        """See Solid."""
        r, h = self.radius, self.radius * self.squash
        return self.x - r, self.x + r, self.y - h, self.y + h, self.z - r, self.z + r


@dataclass(frozen=True, slots=True)
class Arch:
    """A thick board with a round top, facing the camera; ``half`` is half its width."""

    x: float
    y0: float
    y1: float
    z0: float
    z1: float
    half: float
    material: Material
    bevel: float = 0.014

    def distance(self, o: Vec, d: Vec) -> Plane:
        """See Solid."""
        spring, depth = self.y1 - self.half, self.z1 - self.z0
        foot = Box(self.x, self.y0, self.z0 + depth / 2, 2 * self.half, spring - self.y0, depth, self.material)
        top = Cylinder(self.x, spring, self.z0, self.z1, self.half, self.material, axis="z")
        return np.minimum(foot.distance(o, d), top.distance(o, d))

    def surface(self, p: Vec) -> tuple[Plane, Vec, Plane, Plane]:
        """See Solid."""
        x, y = p[0] - np.float32(self.x), np.maximum(p[1] - np.float32(self.y1 - self.half), 0)
        reach = np.sqrt(x * x + y * y) + np.float32(1e-9)
        rim, front, rear = np.float32(self.half) - reach, p[2] - np.float32(self.z0), np.float32(self.z1) - p[2]
        end = np.minimum(front, rear)
        flat = end < rim
        way = np.where(front < rear, np.float32(-1), np.float32(1))
        radial = np.where(flat, _bevel(rim, self.bevel), np.float32(1))
        axial = np.where(flat, way, way * _bevel(end, self.bevel))
        length = np.sqrt(radial * radial + axial * axial)
        n = (x / reach * radial / length, y / reach * radial / length, axial / length)
        face = np.where(flat, np.float32(0), np.float32(1))
        return face, n, np.where(flat, x, p[2]), p[1]

    def bounds(self) -> tuple[float, float, float, float, float, float]:
        """See Solid."""
        return self.x - self.half, self.x + self.half, self.y0, self.y1, self.z0, self.z1


@dataclass(frozen=True, slots=True)
class Sheet:
    """A thin sheet facing the camera at depth ``z``, cut to an outline: paper, board, a wall with an opening."""

    z: float
    inside: Callable[[Plane, Plane], NDArray[np.bool_]]  # x, y → whether there is paper
    box: tuple[float, float, float, float]  # x0, x1, y0, y1
    material: Material

    def distance(self, o: Vec, d: Vec) -> Plane:
        """See Solid."""
        t = (np.float32(self.z) - o[2]) / np.where(np.abs(d[2]) < 1e-7, np.float32(1e-7), d[2])
        x, y = o[0] + t * d[0], o[1] + t * d[1]
        x0, x1, y0, y1 = self.box
        hit = (t > _NEAR) & (x > x0) & (x < x1) & (y > y0) & (y < y1)
        hit &= self.inside(x, y)
        return np.where(hit, t, FAR)

    def surface(self, p: Vec) -> tuple[Plane, Vec, Plane, Plane]:
        """See Solid."""
        zero = np.zeros_like(p[0])
        return zero, (zero, zero, zero - 1), p[0], p[1]

    def bounds(self) -> tuple[float, float, float, float, float, float]:
        """See Solid."""
        return (*self.box, self.z, self.z)
