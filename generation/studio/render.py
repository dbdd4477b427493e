"""The renderer: room first, then what stands far off, the blur of distance, what stands in focus, and the finish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from generation.studio.camera import Camera
from generation.studio.colour import Plane
from generation.studio.lamps import field_of, highlight
from generation.studio.objects import ObjectPainter
from generation.studio.picture import blurred, finished, mixed, resized
from generation.studio.reflection import mirrored
from generation.studio.rig import Rig
from generation.studio.room import Profile, Room, profile
from generation.studio.solids import Solid, Vec
from generation.studio.tracer import TILE, Tracer, tile_of

#: Changes a linear picture (rows, columns, 3) in the picture plane: smoke, flakes, glowing tubes.
Overlay = Callable[[Plane], Plane]

_COARSE_POINTS = 62_000


@dataclass(frozen=True, slots=True)
class SetDesign:
    """Everything to be drawn: the room, what stands in focus, what stands far off, and what lies over the picture."""

    camera: Camera
    room: Room
    solids: tuple[Solid, ...] = ()
    distant: tuple[Solid, ...] = ()
    over_room: tuple[Overlay, ...] = ()  # drawn behind the solids in focus
    over_all: tuple[Overlay, ...] = ()
    rig: Rig | None = None  # instead of the style's own, where the set changes it


def render(design: SetDesign, rig: Rig, seed: int) -> NDArray[np.uint8]:
    """The finished picture as uint8 (rows, columns, 3); the same design, rig and seed give the same bytes."""
    camera, rig = design.camera, design.rig or rig
    studio = Studio(design, rig, seed)
    image = studio.room_layer()
    if design.distant:
        image = studio.painter.painted(image, range(len(design.distant)))
    image = studio.defocused(image)
    for overlay in design.over_room:
        image = overlay(image)
    if design.solids:
        first = len(design.distant)
        image = studio.painter.painted(image, range(first, first + len(design.solids)))
    for overlay in design.over_all:
        image = overlay(image)
    return finished(image, rig, camera, np.random.default_rng([seed, 77]))


class Studio:
    """One set under one rig: coarse light for all, fine surfaces."""

    def __init__(self, design: SetDesign, rig: Rig, seed: int) -> None:
        camera = design.camera
        self.design, self.rig, self.camera, self.room = design, rig, camera, design.room
        self.tracer = Tracer((*design.distant, *design.solids), design.room, rig)
        self.fields = tuple(field_of(lamp, camera, design.room.wall, seed) for lamp in rig.lamps)
        step = max(1.0, (camera.width * camera.height / _COARSE_POINTS) ** 0.5)
        self.columns, self.rows = max(8, round(camera.width / step)), max(8, round(camera.height / step))
        self.painter = ObjectPainter(self.tracer, self.fields, camera, self.columns, self.rows)

    def room_layer(self) -> Plane:
        """The room without anything in it, but with its shadows: linear light (rows, columns, 3)."""
        camera = self.camera
        lit, bounced, coarse = self._coarse_light()
        rows = profile(self.room, camera, np.arange(camera.height, dtype=np.float32) + 0.5)
        px = (np.arange(camera.width, dtype=np.float32) + 0.5)[None, :]
        image = np.empty((camera.height, camera.width, 3), np.float32)
        bounced = resized(bounced, camera.width, camera.height)
        lit_fine = [resized(plane, camera.width, camera.height) for plane in lit]
        reflection = None
        if self.room.ground.mirror > 0:
            rough = self._surface(
                coarse, _centres(self.columns, camera.width)[None, :], lit, resized(bounced, self.columns, self.rows)
            )
            reflection = mirrored(self.tracer, camera, coarse, rough, self.fields)
        image[:] = self._surface(rows, px, lit_fine, bounced, reflection)
        if self.room.backdrop is not None:
            image = self._with_backdrop(image, rows)
        return image

    def _coarse_light(self) -> tuple[list[Plane], Plane, Profile]:
        camera = self.camera
        rows = profile(self.room, camera, _centres(self.rows, camera.height))
        px = _centres(self.columns, camera.width)[None, :]
        p, n = _points(rows, px, camera)
        c, r = np.meshgrid(np.arange(self.columns), np.arange(self.rows))
        flat: Vec = tuple(v.ravel() for v in p)  # type: ignore[assignment]
        normal: Vec = tuple(v.ravel() for v in n)  # type: ignore[assignment]
        light = self.tracer.arriving(flat, normal, tile_of(c.ravel(), r.ravel()))
        shape = (self.rows, self.columns)
        lit = []
        for field, share in zip(self.fields, light.open, strict=True):
            seen = ndimage.uniform_filter(share.reshape(shape), TILE, mode="nearest")
            lit.append(ndimage.gaussian_filter(seen, 0.6, mode="nearest") * field.falloff(p))
        bounced = light.bounced.reshape(*shape, 3)
        bounced = ndimage.gaussian_filter(ndimage.uniform_filter(bounced, (TILE, TILE, 1), mode="nearest"), (1, 1, 0))
        return lit, bounced, rows

    def _surface(
        self, rows: Profile, px: Plane, lit: list[Plane], bounced: Plane, reflection: Plane | None = None
    ) -> Plane:
        """Ground and wall under their light, at any grid of rows and columns."""
        out = np.zeros((rows.y.shape[0], px.shape[1], 3), np.float32)
        walled = rows.walled[:, 0]
        ground_rows, wall_rows = np.flatnonzero(walled < 1), np.flatnonzero(walled > 0)
        for select, is_wall in ((wall_rows, True), (ground_rows, False)):
            if not select.size:
                continue
            cut = slice(int(select[0]), int(select[-1]) + 1)
            part = Profile(*(getattr(rows, name)[cut] for name in ("y", "z", "ny", "nz", "walled", "beyond", "run")))
            glass = None if reflection is None or is_wall else reflection
            colour = self._covering(
                part, px, [plane[cut] for plane in lit], bounced[cut], is_wall, glass, rows.y.shape[0], cut
            )
            if is_wall:
                out[cut] = colour
            else:
                share = part.walled[..., None]
                out[cut] = np.where(share > 0, colour * (1 - share) + out[cut] * share, colour)
        return out

    def _covering(
        self,
        rows: Profile,
        px: Plane,
        lit: list[Plane],
        bounced: Plane,
        is_wall: bool,
        reflection: Plane | None,
        height: int,
        cut: slice,
    ) -> Plane:
        material = self.room.back if is_wall else self.room.ground
        p, n = _points(rows, px, self.camera)
        reach = 0.8 if not is_wall else self.room.wall
        along = (reach + self.camera.distance) / self.camera.focal
        soft = (
            along if is_wall else along * (reach + self.camera.distance) / max(self.camera.rise - self.room.floor, 0.2)
        )
        v = np.broadcast_to(rows.run, p[0].shape)
        albedo = material.colour if material.paint is None else material.paint(p[0], v, soft)
        slopes = None
        if material.relief is not None:
            slopes = material.relief(p[0], v, soft)
            n = (-slopes[0], n[1] + slopes[1] * n[2], n[2] - slopes[1] * n[1])
            length = np.sqrt(n[0] ** 2 + n[1] ** 2 + n[2] ** 2)
            n = (n[0] / length, n[1] / length, n[2] / length)
        light: Plane = bounced.copy()
        shine = np.zeros_like(light) if material.gloss > 0 else None
        for field, seen in zip(self.fields, lit, strict=True):
            arrives = seen if field.mask is None else seen * field.masked(p)
            light += (arrives * field.cosine(n))[..., None] * field.lamp.colour
            if shine is not None:
                shine += (arrives * highlight(p, n, field, self.camera, material.rough))[..., None] * field.lamp.colour
        colour: Plane = light * albedo
        if shine is not None:
            colour += shine * np.float32(material.gloss)
        if reflection is not None:
            colour = _glazed(colour, reflection, slopes, material.mirror, rows, height, cut)
        return np.asarray(colour + material.colour * np.float32(material.glow), dtype=np.float32)

    def _with_backdrop(self, image: Plane, rows: Profile) -> Plane:
        camera = self.camera
        assert self.room.backdrop is not None
        end = int(np.max(np.flatnonzero(rows.beyond[:, 0] > 0), initial=-1)) + 1
        if end <= 0:
            return image
        # A view that will be out of focus anyway is painted at a third of the size.
        step = 3 if self.room.blur * camera.focal > 40 * camera.distance and min(end, camera.width) > 60 else 1
        small = (max(1, round(end / step)), max(1, round(camera.width / step)))
        view = self.room.backdrop(_centres(small[1], camera.width)[None, :], _centres(small[0], end)[:, None])
        view = np.maximum(resized(view, camera.width, end), 0)
        share = rows.beyond[:end, :, None]
        image[:end] = mixed(image[:end], view, share)
        return image

    def defocused(self, image: Plane) -> Plane:
        """The picture with what lies behind the product out of focus."""
        if self.room.blur <= 0:
            return image
        camera = self.camera
        rows = profile(self.room, camera, np.arange(camera.height, dtype=np.float32) + 0.5)
        share = np.clip((rows.z - 0.7) / max(self.room.wall - 0.7, 0.3), 0, 1)[..., None] ** 0.8
        sigma = self.room.blur * camera.focal / (camera.distance + self.room.wall)
        half, full = blurred(image, sigma * 0.45), blurred(image, sigma)
        near = mixed(image, half, np.minimum(share * 2, 1))
        return mixed(near, full, np.maximum(share * 2 - 1, 0))


def _centres(count: int, length: int) -> Plane:
    return np.asarray((np.arange(count) + 0.5) * (length / count), dtype=np.float32)


def _points(rows: Profile, px: Plane, camera: Camera) -> tuple[Vec, Vec]:
    x = (px - np.float32(camera.foot_x)) * ((rows.z + np.float32(camera.distance)) / np.float32(camera.focal))
    shape = x.shape
    spread = [np.broadcast_to(plane, shape) for plane in (rows.y, rows.z, rows.ny, rows.nz)]
    return (x, spread[0], spread[1]), (np.zeros(shape, np.float32), spread[2], spread[3])


def _glazed(
    colour: Plane,
    reflection: Plane,
    slopes: tuple[Plane, Plane] | None,
    mirror: float,
    rows: Profile,
    height: int,
    cut: slice,
) -> Plane:
    """The ground with its mirror image over it, bent by its relief."""
    width = colour.shape[1]
    if slopes is None:
        glass = resized(reflection, width, height)[cut]
    else:
        ky, kx = reflection.shape[0] / height, reflection.shape[1] / width
        y, x = np.meshgrid(
            np.arange(cut.start, cut.stop, dtype=np.float32), np.arange(width, dtype=np.float32), indexing="ij"
        )
        at = np.stack(
            [(y + 0.5 + slopes[1] * height * 0.35) * ky - 0.5, (x + 0.5 + slopes[0] * height * 0.25) * kx - 0.5]
        )
        glass = np.stack(
            [ndimage.map_coordinates(reflection[..., c], at, order=1, mode="nearest") for c in range(3)], axis=-1
        )
    share = np.float32(mirror) * (0.72 + 0.28 * np.clip(rows.z / 3, -0.5, 1))[..., None]
    return np.asarray(colour * (1 - share * 0.75) + glass * share, dtype=np.float32)
