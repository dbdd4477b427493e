"""The mirror image in a polished or wet ground, traced at the coarse scale."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from generation.studio.camera import Camera
from generation.studio.colour import Plane
from generation.studio.lamps import LampField
from generation.studio.room import Profile, meet
from generation.studio.solids import FAR, Vec
from generation.studio.tracer import POINTS, TILE, Tracer, tile_of

_TAPS = 3


def mirrored(tracer: Tracer, camera: Camera, rows: Profile, lit: Plane, fields: tuple[LampField, ...]) -> Plane:
    """What each coarse point of the ground mirrors, shape (rows, columns, 3); ``lit`` is the lit room at that scale."""
    height, width = lit.shape[:2]
    kx, ky = width / camera.width, height / camera.height
    select = np.flatnonzero((rows.walled[:, 0] < 1) & (rows.beyond[:, 0] < 1))
    out = np.zeros_like(lit)
    if not select.size:
        return out
    cut = slice(int(select[0]), int(select[-1]) + 1)
    px = ((np.arange(width, dtype=np.float32) + 0.5) / np.float32(kx))[None, :]
    py = ((np.arange(cut.start, cut.stop, dtype=np.float32) + 0.5) / np.float32(ky))[:, None]
    dx, dy = (np.broadcast_to(v, (cut.stop - cut.start, width)).ravel() for v in camera.ray(px, py))
    z = np.broadcast_to(rows.z[cut], (cut.stop - cut.start, width)).ravel()
    o: Vec = (dx * (z + np.float32(camera.distance)), np.full_like(z, tracer.room.floor + 2e-3), z)
    c, r = np.meshgrid(np.arange(width), np.arange(cut.start, cut.stop))
    tile = tile_of(c.ravel(), r.ravel())
    view = _view(tracer, camera, lit)
    total = np.zeros((z.size, 3), np.float32)
    haze = tracer.room.ground.haze
    for i in range(_TAPS):
        xi = POINTS[tile + TILE * TILE * (i + 3)]
        lean, turn = np.sqrt(xi[:, 0]) * np.float32(haze), xi[:, 1] * np.float32(2 * math.pi)
        d: Vec = (dx + lean * np.cos(turn), -dy + lean * np.sin(turn) * np.float32(1.5), np.ones_like(dx))
        total += _seen(tracer, camera, o, d, view, fields)
    out[cut] = (total / np.float32(_TAPS)).reshape(cut.stop - cut.start, width, 3)
    return np.asarray(
        ndimage.gaussian_filter(ndimage.uniform_filter(out, (TILE, TILE, 1), mode="nearest"), (0.8, 0.5, 0))
    )


def _view(tracer: Tracer, camera: Camera, lit: Plane) -> Plane:
    """The room, or what is seen beyond it, at the coarse scale, from a frame's height above the picture to its foot."""
    height, width = lit.shape[:2]
    if tracer.room.backdrop is None:
        return lit
    px = ((np.arange(width, dtype=np.float32) + 0.5) * np.float32(camera.width / width))[None, :]
    py = ((np.arange(height, dtype=np.float32) + 0.5) * np.float32(camera.height / height))[:, None]
    return tracer.room.backdrop(px, py)


def _seen(tracer: Tracer, camera: Camera, o: Vec, d: Vec, view: Plane, fields: tuple[LampField, ...]) -> Plane:
    room, rig = tracer.room, tracer.rig
    near, _ = meet(room, o, d)
    if room.open:
        px, py = (
            d[0] * np.float32(camera.focal) + np.float32(camera.foot_x),
            np.float32(camera.horizon) - d[1] * np.float32(camera.focal),
        )
    else:
        near = np.minimum(near, np.float32(60))
        depth = np.float32(camera.focal) / np.maximum(o[2] + near * d[2] + np.float32(camera.distance), 0.1)
        px = np.float32(camera.foot_x) + (o[0] + near * d[0]) * depth
        py = np.float32(camera.horizon) + (np.float32(camera.rise) - o[1] - near * d[1]) * depth
    at = np.stack(
        [py * np.float32(view.shape[0] / camera.height) - 0.5, px * np.float32(view.shape[1] / camera.width) - 0.5]
    )
    seen = np.stack([ndimage.map_coordinates(view[..., c], at, order=1, mode="mirror") for c in range(3)], axis=-1)
    for solid in tracer.solids:
        if solid.material.glow > 0:  # too thin for few rays: the overlay of glowing lines mirrors them
            continue
        t = solid.distance(o, d)
        hit = np.flatnonzero(t < np.minimum(near, FAR / 2))
        if not hit.size:
            continue
        p: Vec = tuple(o[k][hit] + t[hit] * d[k][hit] for k in range(3))  # type: ignore[assignment]
        normal = solid.surface(p)[1]
        light = np.float32(0.75) * rig.fill + sum(
            (field.cosine(normal) * field.strength(p) * np.float32(0.85))[:, None] * field.lamp.colour
            for field in fields
        )
        near[hit] = t[hit]
        seen[hit] = solid.material.colour * (light + np.float32(solid.material.glow))
    return seen
