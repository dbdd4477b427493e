"""Painting solids: exact outlines with edges sampled sixteen times, light from the coarse scale face by face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from generation.studio.camera import Camera
from generation.studio.colour import Plane
from generation.studio.lamps import LampField, highlight
from generation.studio.room import profile
from generation.studio.solids import FAR, Solid, Vec
from generation.studio.tracer import TILE, Tracer, tile_of

_GRID = 4
_FACES = 8


@dataclass(frozen=True, slots=True)
class FaceLight:
    """Coarse light on one face of one solid: channels (lamps then red, green, blue) over a window of coarse points."""

    values: Plane  # (channels, rows, columns)
    left: int
    top: int

    def at(self, x: Plane, y: Plane) -> Plane:
        """Light at coarse positions, shape (channels, points)."""
        at = np.stack([y - np.float32(0.5 + self.top), x - np.float32(0.5 + self.left)])
        return np.stack([ndimage.map_coordinates(plane, at, order=1, mode="nearest") for plane in self.values])


class ObjectPainter:
    """Paints solids over a picture."""

    def __init__(self, tracer: Tracer, fields: Sequence[LampField], camera: Camera, columns: int, rows: int) -> None:
        self.tracer, self.fields, self.camera = tracer, fields, camera
        self.columns, self.rows = columns, rows
        self.lights: dict[tuple[int, int], FaceLight] = {}

    def painted(self, image: Plane, which: Iterable[int]) -> Plane:
        """The picture with those solids in it; linear light (rows, columns, 3)."""
        chosen = list(which)
        camera = self.camera
        self._light(chosen)
        index, depth = self._primary(chosen, camera.width, camera.height)
        if not (index >= 0).any():
            return image
        behind, image = image, image.copy()
        code = np.full(index.shape, -1, np.int16)
        rows, columns = np.nonzero(index >= 0)
        px, py = columns.astype(np.float32) + 0.5, rows.astype(np.float32) + 0.5
        solid = index[rows, columns]
        colour, faces = self._shade(solid, depth[rows, columns], px, py)
        image[rows, columns] = colour
        code[rows, columns] = solid * _FACES + faces
        self._smooth_edges(image, behind, code, chosen)
        return image

    def _primary(self, chosen: list[int], columns: int, rows: int) -> tuple[np.ndarray, Plane]:
        """Which solid each pixel of a grid over the picture sees, and how far away."""
        camera = self.camera
        kx, ky = camera.width / columns, camera.height / rows
        depth = np.full((rows, columns), FAR, np.float32)
        index = np.full((rows, columns), -1, np.int16)
        py_all = (np.arange(rows, dtype=np.float32) + 0.5) * np.float32(ky)
        limit = self._room_depth(py_all)
        for number in chosen:
            x0, x1, y0, y1 = self._window(self.tracer.solids[number])
            c0, c1 = max(int(x0 / kx) - 1, 0), min(int(x1 / kx) + 2, columns)
            r0, r1 = max(int(y0 / ky) - 1, 0), min(int(y1 / ky) + 2, rows)
            if c0 >= c1 or r0 >= r1:
                continue
            px = (np.arange(c0, c1, dtype=np.float32) + 0.5) * np.float32(kx)
            t = self._meets(number, px[None, :], py_all[r0:r1, None])
            part = (slice(r0, r1), slice(c0, c1))
            nearer = (t < depth[part]) & (t < limit[r0:r1, None])
            depth[part] = np.where(nearer, t, depth[part])
            index[part] = np.where(nearer, np.int16(number), index[part])
        return index, depth

    def _room_depth(self, py: Plane) -> Plane:
        rows = profile(self.tracer.room, self.camera, py)
        reach = rows.z + np.float32(self.camera.distance) + np.float32(2e-3)
        return np.where(rows.beyond > 0.5, FAR, reach)[:, 0]

    def _meets(self, number: int, px: Plane, py: Plane) -> Plane:
        dx, dy = np.broadcast_arrays(*self.camera.ray(px, py))
        zero = np.zeros((1,) * dx.ndim, np.float32)
        o: Vec = (zero, zero + np.float32(self.camera.rise), zero - np.float32(self.camera.distance))
        return self.tracer.solids[number].distance(o, (dx, dy, np.ones_like(dx)))

    def _window(self, solid: Solid) -> tuple[float, float, float, float]:
        x0, x1, y0, y1, z0, z1 = solid.bounds()
        spots = [self.camera.project(x, y, z) for x in (x0, x1) for y in (y0, y1) for z in (z0, z1)]
        xs, ys = [spot[0] for spot in spots], [spot[1] for spot in spots]
        return min(xs), max(xs), min(ys), max(ys)

    def _light(self, chosen: list[int]) -> None:
        """Trace the coarse light of every visible face."""
        index, depth = self._primary(chosen, self.columns, self.rows)
        kx, ky = self.camera.width / self.columns, self.camera.height / self.rows
        for number in chosen:
            rows, columns = np.nonzero(index == number)
            if not rows.size:
                continue
            p = self._point(
                depth[rows, columns],
                (columns + 0.5).astype(np.float32) * np.float32(kx),
                (rows + 0.5).astype(np.float32) * np.float32(ky),
            )
            face, normal, _, _ = self.tracer.solids[number].surface(p)
            light = self.tracer.arriving(p, normal, tile_of(columns, rows), skip=number)
            values = np.concatenate([light.open, light.bounced.T])
            for side in np.unique(face):
                self.lights[(number, int(side))] = _filled(
                    values[:, face == side], rows[face == side], columns[face == side]
                )

    def _point(self, t: Plane, px: Plane, py: Plane) -> Vec:
        dx, dy = self.camera.ray(px, py)
        return dx * t, np.float32(self.camera.rise) + dy * t, t - np.float32(self.camera.distance)

    def _shade(self, solid: np.ndarray, t: Plane, px: Plane, py: Plane) -> tuple[Plane, np.ndarray]:
        """Colours (points, 3) and faces of points on solids."""
        colour = np.zeros((px.size, 3), np.float32)
        faces = np.zeros(px.size, np.int16)
        for number in np.unique(solid):
            at = np.flatnonzero(solid == number)
            p = self._point(t[at], px[at], py[at])
            face, n, u, v = self.tracer.solids[int(number)].surface(p)
            faces[at] = face.astype(np.int16)
            for side in np.unique(face):
                on = np.flatnonzero(face == side)
                part: Vec = (p[0][on], p[1][on], p[2][on])
                normal: Vec = (n[0][on], n[1][on], n[2][on])
                colour[at[on]] = self._face(int(number), int(side), part, normal, u[on], v[on], px[at[on]], py[at[on]])
        return colour, faces

    def _face(self, number: int, side: int, p: Vec, n: Vec, u: Plane, v: Plane, px: Plane, py: Plane) -> Plane:
        material = self.tracer.solids[number].material
        source = self.lights.get((number, side)) or self._sparse(number, side, p, n)
        kx, ky = np.float32(self.columns / self.camera.width), np.float32(self.rows / self.camera.height)
        values = source.at(px * kx, py * ky)
        lamps = len(self.fields)
        albedo = (
            material.colour
            if material.paint is None
            else material.paint(u, v, self.camera.distance / self.camera.focal)
        )
        light = values[lamps:].T.copy()
        shine = np.zeros_like(light)
        for field, seen in zip(self.fields, values[:lamps], strict=True):
            arrives = seen * field.strength(p)
            light += (arrives * field.cosine(n))[:, None] * field.lamp.colour
            if material.gloss > 0:
                shine += (arrives * highlight(p, n, field, self.camera, material.rough))[:, None] * field.lamp.colour
        rim = np.clip(1 - self._facing(p, n), 0, 1) ** 4
        light += rim[:, None] * self.tracer.rig.fill * np.float32(0.35)
        return np.asarray(
            light * albedo + shine * np.float32(material.gloss) + material.colour * np.float32(material.glow),
            np.float32,
        )

    def _sparse(self, number: int, side: int, p: Vec, n: Vec) -> FaceLight:
        """Light for a face too small for the coarse scale: one mean for all of it."""
        pick = np.linspace(0, p[0].size - 1, min(p[0].size, 64)).astype(int)
        part: Vec = (p[0][pick], p[1][pick], p[2][pick])
        normal: Vec = (n[0][pick], n[1][pick], n[2][pick])
        light = self.tracer.arriving(part, normal, np.arange(pick.size) % (TILE * TILE), skip=number)
        mean = np.concatenate([light.open.mean(axis=1), light.bounced.mean(axis=0)])
        found = FaceLight(mean[:, None, None].astype(np.float32), 0, 0)
        self.lights[(number, side)] = found
        return found

    def _facing(self, p: Vec, n: Vec) -> Plane:
        vx, vy, vz = -p[0], np.float32(self.camera.rise) - p[1], -np.float32(self.camera.distance) - p[2]
        return np.asarray((n[0] * vx + n[1] * vy + n[2] * vz) / np.sqrt(vx * vx + vy * vy + vz * vz))

    def _smooth_edges(self, image: Plane, behind: Plane, code: np.ndarray, chosen: list[int]) -> None:
        """Draw pixels on an outline again from sixteen rays each, over the room behind."""
        edge = np.zeros(code.shape, bool)
        across, down = code[:, 1:] != code[:, :-1], code[1:] != code[:-1]
        edge[:, 1:] |= across
        edge[:, :-1] |= across
        edge[1:] |= down
        edge[:-1] |= down
        rows, columns = np.nonzero(edge)
        if not rows.size:
            return
        steps = (np.arange(_GRID, dtype=np.float32) + 0.5) / _GRID
        ox, oy = (v.ravel() for v in np.meshgrid(steps, steps))
        px = (columns[:, None] + ox).astype(np.float32).ravel()
        py = (rows[:, None] + oy).astype(np.float32).ravel()
        t, solid = np.full(px.size, FAR, np.float32), np.full(px.size, -1, np.int16)
        limit = self._room_depth(py)
        for number in chosen:
            x0, x1, y0, y1 = self._window(self.tracer.solids[number])
            near = np.flatnonzero((px > x0 - 1) & (px < x1 + 1) & (py > y0 - 1) & (py < y1 + 1))
            if not near.size:
                continue
            met = self._meets(number, px[near], py[near])
            closer = (met < t[near]) & (met < limit[near])
            t[near[closer]] = met[closer]
            solid[near[closer]] = number
        hit = solid >= 0
        colour = np.repeat(behind[rows, columns], ox.size, axis=0)
        colour[hit] = self._shade(solid[hit], t[hit], px[hit], py[hit])[0]
        image[rows, columns] = colour.reshape(rows.size, ox.size, 3).mean(axis=1)


def _filled(values: Plane, rows: np.ndarray, columns: np.ndarray) -> FaceLight:
    """Coarse light of a face spread smoothly over its window, beyond its own outline too."""
    margin = 5
    top, left = int(rows.min()) - margin, int(columns.min()) - margin
    shape = (int(rows.max()) - top + margin + 1, int(columns.max()) - left + margin + 1)
    weight = np.zeros(shape, np.float32)
    weight[rows - top, columns - left] = 1
    near, far = _smear(weight, 0.8), _smear(weight, 2.5)
    out = np.empty((len(values), *shape), np.float32)
    for channel, value in enumerate(values):
        grid = np.zeros(shape, np.float32)
        grid[rows - top, columns - left] = value
        wide = _smear(grid, 2.5) / np.maximum(far, 1e-6)
        trust = np.clip(near * 3, 0, 1)
        out[channel] = np.where(
            far > 1e-6, wide + (_smear(grid, 0.8) / np.maximum(near, 1e-6) - wide) * trust, value.mean()
        )
    return FaceLight(out, left, top)


def _smear(plane: Plane, sigma: float) -> Plane:
    soft = ndimage.gaussian_filter(ndimage.uniform_filter(plane, TILE, mode="constant"), sigma, mode="constant")
    return np.asarray(soft, dtype=np.float32)
