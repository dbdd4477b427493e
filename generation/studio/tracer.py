"""Light that arrives: soft shadows of the lamps and one bounce of everything else, by sampled rays at a coarse scale.

Sixteen neighbouring points share 16 × the samples by taking different ones (interleaved sampling), and a filter of the
same size afterwards gives every point the mean of all of them, so shadows are smooth without many rays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.studio.colour import Plane, Rgb
from generation.studio.rig import Lamp, Rig
from generation.studio.room import Room, meet
from generation.studio.solids import FAR, Solid, Vec

TILE = 4
_SAMPLES = 10


def _sequence(count: int) -> Plane:
    """The first points of the R2 low-discrepancy sequence (Roberts 2018), shape (count, 2)."""
    g = 1.32471795724474602596
    index = np.arange(1, count + 1)[:, None]
    return np.asarray((0.5 + index * np.array([1 / g, 1 / g**2])) % 1.0, dtype=np.float32)


#: Sample points shared by everything that traces.
POINTS = _sequence(TILE * TILE * 32)
_ORDER = np.array([0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5])  # Bayer order of the tile


def tile_of(columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Which of the sixteen sample sets a coarse point takes."""
    return np.asarray(_ORDER[(rows % TILE) * TILE + columns % TILE])


def frame_of(n: Vec) -> tuple[Vec, Vec]:
    """Two tangents for each normal (Duff et al. 2017)."""
    sign = np.where(n[2] >= 0, np.float32(1), np.float32(-1))
    a = -1 / (sign + n[2])
    b = n[0] * n[1] * a
    return (1 + sign * n[0] * n[0] * a, sign * b, -sign * n[0]), (b, sign + n[1] * n[1] * a, -n[1])


@dataclass(frozen=True, slots=True)
class Arriving:
    """Light at points: ``open`` is the visible share of each lamp, shape (lamps, points); ``bounced`` (points, 3)."""

    open: Plane
    bounced: Plane


@dataclass(frozen=True, slots=True)
class Tracer:
    """Answers what light reaches a point of the set."""

    solids: Sequence[Solid]
    room: Room
    rig: Rig

    def arriving(self, p: Vec, n: Vec, tile: np.ndarray, skip: int = -1) -> Arriving:
        """Light at points with normals; ``skip`` is the convex solid the points lie on, which cannot shade itself."""
        others = [solid for index, solid in enumerate(self.solids) if index != skip]
        lifted: Vec = (p[0] + n[0] * np.float32(2e-3), p[1] + n[1] * np.float32(2e-3), p[2] + n[2] * np.float32(2e-3))
        shares = np.stack([self._lamp(lifted, lamp, tile, others) for lamp in self.rig.lamps])
        return Arriving(shares, self._bounce(lifted, n, tile, others))

    def _lamp(self, p: Vec, lamp: Lamp, tile: np.ndarray, others: Sequence[Solid]) -> Plane:
        casting = [solid for solid in others if solid.material.glow <= 0]
        if not casting:
            return np.ones_like(p[0])
        light = lamp.unit
        axis = tuple(np.full(1, v, np.float32) for v in light)
        t, b = frame_of(axis)  # type: ignore[arg-type]
        count = 4 if lamp.radius < 0.02 else _SAMPLES
        seen = np.zeros_like(p[0])
        for i in range(count):
            xi = POINTS[tile + TILE * TILE * i]
            r = np.sqrt(xi[:, 0]) * np.float32(min(lamp.radius, 0.75))
            turn = xi[:, 1] * np.float32(2 * math.pi)
            u, v = r * np.cos(turn), r * np.sin(turn)
            d: Vec = (axis[0] + u * t[0] + v * b[0], axis[1] + u * t[1] + v * b[1], axis[2] + u * t[2] + v * b[2])
            blocked = np.zeros(p[0].shape, bool)
            for solid in casting:
                blocked |= solid.distance(p, d) < FAR
            seen += ~blocked
        return seen / np.float32(count)

    def _bounce(self, p: Vec, n: Vec, tile: np.ndarray, others: Sequence[Solid]) -> Plane:
        t, b = frame_of(n)
        total = np.zeros((p[0].size, 3), np.float32)
        tones = [self.tone(solid.material.colour, solid.material.glow) for solid in others]
        ground, back = self.tone(self.room.ground.colour, 0) * 0.92, self.tone(self.room.back.colour, 0) * 0.92
        fill, key = self.rig.fill, self.rig.lamps[0].unit
        for i in range(_SAMPLES):
            xi = POINTS[tile + TILE * TILE * (i + 11)]
            r, turn = np.sqrt(xi[:, 0]), xi[:, 1] * np.float32(2 * math.pi)
            u, v, w = r * np.cos(turn), r * np.sin(turn), np.sqrt(1 - xi[:, 0])
            dx, dy, dz = (u * t[k] + v * b[k] + w * n[k] for k in range(3))
            d: Vec = (dx, dy, dz)
            dome = np.float32(0.86) + np.float32(0.3) * dy + np.float32(0.16) * (dx * key[0] + dz * key[2])
            light = dome[:, None] * fill
            near, on_ground = meet(self.room, p, d)
            hit = near < 30
            light = np.where(hit[:, None], np.where(on_ground[:, None], ground, back), light)
            near = np.where(hit, near, FAR)
            for solid, tone in zip(others, tones, strict=True):
                distance = solid.distance(p, d)
                closer = distance < near
                light = np.where(closer[:, None], tone, light)
                near = np.where(closer, distance, near)
            total += (
                light
                * np.where(near < FAR, np.float32(0.3) + np.float32(0.7) * np.clip(near * np.float32(1.6), 0, 1), 1)[
                    :, None
                ]
            )
        return total / np.float32(_SAMPLES)

    def tone(self, colour: Rgb, glow: float) -> Rgb:
        """About how bright a surface of that colour looks from another surface."""
        lamps = sum((lamp.colour for lamp in self.rig.lamps), np.zeros(3, np.float32))
        return np.asarray(
            colour * (np.float32(0.3) * lamps + np.float32(0.62) * self.rig.fill + np.float32(glow)), np.float32
        )
