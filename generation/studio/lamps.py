"""What a lamp gives an unshadowed point: its mask, its falloff, and the cosine of a light that has a size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from generation.studio import gobo
from generation.studio.camera import Camera
from generation.studio.colour import Plane
from generation.studio.noise import look, smoothstep
from generation.studio.rig import Lamp
from generation.studio.solids import Vec


@dataclass(frozen=True, slots=True)
class LampField:
    """A lamp before a set of a certain size."""

    lamp: Lamp
    mask: Plane | None
    span: float  # width of the mask in units
    middle: tuple[float, float]  # where the middle of the mask falls, in the lamp's own plane
    reach: float
    aim: tuple[float, float, float]
    spot: float

    def cosine(self, n: Vec) -> Plane:
        """Lambert's cosine, softened at the terminator by the lamp's size."""
        x, y, z = self.lamp.unit
        c = n[0] * np.float32(x) + n[1] * np.float32(y) + n[2] * np.float32(z)
        s = np.float32(max(math.sin(min(self.lamp.radius, 1.2)), 0.04))
        return np.where(c > s, c, np.where(c < -s, 0, (c + s) ** 2 / (4 * s))).astype(np.float32)

    def strength(self, p: Vec) -> Plane:
        """Falloff, pool and mask at points, 1 in the middle."""
        value = self.falloff(p)
        return value if self.mask is None else value * self.masked(p)

    def falloff(self, p: Vec) -> Plane:
        """How the light weakens away from its aim, 1 there."""
        x, y, z = self.lamp.unit
        ax, ay, az = (np.float32(v) for v in self.aim)
        px, py, pz = p[0] - ax, p[1] - ay, p[2] - az
        along = px * np.float32(x) + py * np.float32(y) + pz * np.float32(z)
        square = px * px + py * py + pz * pz
        r = np.float32(self.reach)
        value = (r * r / np.maximum(square - 2 * r * along + r * r, r * r * 0.1)) ** np.float32(0.8)
        if self.lamp.reach >= 1 and not self.spot:
            value = np.maximum(value, np.float32(0.55))  # far off it is as good as the sun
        if self.spot > 0:
            off = np.sqrt(np.maximum(square - along * along, 0))
            value = value * (1 - np.float32(0.94) * smoothstep(self.spot * 0.45, self.spot * 1.7, off))
        return np.asarray(value, dtype=np.float32)

    def masked(self, p: Vec) -> Plane:
        """The share of light the mask lets through at points."""
        assert self.mask is not None
        u, v = plane_of(self.lamp, p)
        u, v = (
            (u - np.float32(self.middle[0])) / np.float32(self.span) + np.float32(0.5),
            np.float32(0.5) - (v - np.float32(self.middle[1])) / np.float32(self.span),
        )
        value = look(self.mask, u, v, 1.0)
        if not gobo.repeats(self.lamp.gobo):
            value = value * ((u > 0) & (u < 1) & (v > 0) & (v < 1))
        spill = np.float32(self.lamp.spill)
        return np.asarray(spill + (1 - spill) * value, dtype=np.float32)


def plane_of(lamp: Lamp, p: Vec) -> tuple[Plane, Plane]:
    """Coordinates across the lamp's beam: right and up as the lamp's shadow falls on an upright wall.

    Points are slid along the beam to an upright plane, so that a mask keeps its shape on the wall and leans a little.
    """
    x, y, z = lamp.unit
    depth = np.float32(min(z, -0.2))
    slide = p[2] / depth
    u = p[0] - slide * np.float32(x)
    v = p[1] - slide * np.float32(y)
    return u + np.float32(0.32 * (1 if x < 0 else -1)) * v, v + np.float32(0.16 * (1 if x > 0 else -1)) * u


def field_of(lamp: Lamp, camera: Camera, wall: float, seed: int) -> LampField:
    """The lamp set up for a picture: its mask aimed at the wall beside the product, its reach fit to the frame."""
    left, right, bottom, top = camera.extent(min(wall, 3.0))
    wide, tall = right - left, top - bottom
    reach = lamp.reach * (1.05 * max(wide, tall, 3.0) + 1.2)
    short = min(wide, tall)
    mask, span, middle = None, 1.0, (0.0, 0.0)
    if lamp.gobo:
        softness = 0.0035 + 0.05 * min(lamp.radius, 0.4)
        mask = gobo.mask(lamp.gobo, seed % 9973, softness)
        span = gobo.span(lamp.gobo) * max(short, 0.62 * max(wide, tall) if gobo.repeats(lamp.gobo) else short)
        x = left + wide * (0.36 if lamp.unit[0] < 0 else 0.62)
        x = min(max(x, -0.7 * tall), 0.7 * tall)  # near the product in wide pictures
        y = bottom + tall * 0.55
        at = tuple(np.full(1, v, np.float32) for v in (x, y, min(wall, 3.0)))
        u, v = plane_of(lamp, at)  # type: ignore[arg-type]
        middle = (float(u[0]), float(v[0]))
    spot = lamp.spot * max(0.5 * short, 0.8)
    return LampField(lamp, mask, span, middle, reach, (0.0, min(0.34 * tall, 0.8), 0.3), spot)


def highlight(p: Vec, n: Vec, field: LampField, camera: Camera, rough: float) -> Plane:
    """Blinn's highlight, widened by the lamp's size."""
    lx, ly, lz = (np.float32(v) for v in field.lamp.unit)
    vx, vy, vz = -p[0], np.float32(camera.rise) - p[1], -np.float32(camera.distance) - p[2]
    length = np.sqrt(vx * vx + vy * vy + vz * vz)
    hx, hy, hz = vx / length + lx, vy / length + ly, vz / length + lz
    scale = np.sqrt(hx * hx + hy * hy + hz * hz)
    c = np.maximum((n[0] * hx + n[1] * hy + n[2] * hz) / scale, 0)
    width = rough + 0.5 * field.lamp.radius
    power = 2 / max(width * width, 0.004)
    bright = c > np.float32(math.exp(math.log(2e-3) / power))  # elsewhere it is as good as dark
    out = np.zeros_like(c)
    out[bright] = c[bright] ** np.float32(power)
    return out
