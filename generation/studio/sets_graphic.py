"""Sets of paper, light and air: cut layers, confetti, city night, neon, smoke."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from generation.studio.camera import Camera
from generation.studio.colour import Plane, Rgb, oklch
from generation.studio.materials import Material
from generation.studio.overlays import confetti, grid, halo, smoke
from generation.studio.picture import resized
from generation.studio.render import Overlay, SetDesign
from generation.studio.room import Room
from generation.studio.sheet import Sheet as CallSheet
from generation.studio.sheet import podium
from generation.studio.solids import Sheet, Solid
from generation.studio.surfaces import marble, mottled, slate
from generation.studio.views_soft import city_night

#: x, y in units → whether there is paper
Outline = Callable[[Plane, Plane], NDArray[np.bool_]]
#: x, y in units → the distance from a line
Line = Callable[[Plane, Plane], Plane]


def paper_layers(sheet: CallSheet) -> SetDesign:
    """Sheets of paper cut to widening openings, one before the other."""
    camera = sheet.camera(0.16)
    scheme = sheet.scheme
    motif = sheet.word("motif", "tunnel", ("tunnel", "waves"))
    layers = int(sheet.number("layers", 5, 2, 7))
    rng = sheet.rng(181)
    left, right, bottom, top = camera.extent(1.0)
    span = max(right - left, top - bottom) * 3
    solids: list[Solid] = []
    for i in range(layers):
        t = i / max(layers - 1, 1)
        tone = (
            scheme.accent(0.66 + 0.2 * t, 0.11 - 0.03 * t, 14 * t)
            if i % 2
            else scheme.set(0.62 + 0.26 * t, 0.1 - 0.045 * t)
        )
        paper = Material(tone, paint=mottled(tone, 182 + i, depth=0.02, period=1.0))
        phases = rng.uniform(0, 2 * math.pi, 4)
        z = 2.0 - 0.27 * i
        if motif == "tunnel":
            size = min((right - left) * 0.42, (top - bottom) * 0.4, 1.35) * (0.56 + 0.44 * t)
            inside = _outside_blob(0.05 * math.sin(phases[0]), min(0.98, top * 0.5), size, phases)
        else:
            inside = _below_wave(min(0.55 * top, 1.45) * (1 - 0.72 * t), 0.16 * min(top, 1.6), phases)
        solids.append(Sheet(z, inside, (-span, span, -1.0, span), paper))
    back = scheme.accent(0.78, 0.1)
    ground = scheme.set(0.88, 0.045)
    plinth, floor = podium(camera, Material(scheme.set(0.93, 0.025)), height=0.1, radius=0.64)
    room = Room(floor, 2.3, Material(ground, paint=mottled(ground, 190, depth=0.012)), Material(back), cove=0.02)
    return SetDesign(camera, room, (*solids, plinth))


def _outside_blob(x0: float, y0: float, size: float, phases: Plane) -> Outline:
    a, b, c, d = (np.float32(p) for p in phases)

    def inside(x: Plane, y: Plane) -> NDArray[np.bool_]:
        dx, dy = x - np.float32(x0), (y - np.float32(y0)) / np.float32(1.16)
        turn = np.arctan2(dy, dx)
        wobble = (
            0.07 * np.sin(2 * turn + a)
            + 0.055 * np.sin(3 * turn + b)
            + 0.04 * np.sin(5 * turn + c)
            + 0.02 * np.sin(7 * turn + d)
        )
        return np.asarray(np.sqrt(dx * dx + dy * dy) > np.float32(size) * (1 + wobble))

    return inside


def _below_wave(level: float, swing: float, phases: Plane) -> Outline:
    a, b, c, _ = (np.float32(p) for p in phases)

    def inside(x: Plane, y: Plane) -> NDArray[np.bool_]:
        wave = (
            np.sin(x * np.float32(1.7) + a)
            + np.float32(0.5) * np.sin(x * np.float32(3.1) + b)
            + np.float32(0.2) * np.sin(x * np.float32(6.3) + c)
        )
        return np.asarray(y < np.float32(level) + np.float32(swing) * wave)

    return inside


def confetti_set(sheet: CallSheet) -> SetDesign:
    """A plain sweep in party mood: paper confetti in the brand's colours."""
    camera = sheet.camera(0.2)
    scheme = sheet.scheme
    paper = Material(scheme.set(0.84, 0.07))
    plinth, floor = podium(camera, Material(scheme.accent(0.76, 0.1), gloss=0.06))
    colours = [
        scheme.accent(0.72, 0.15),
        scheme.set(0.6, 0.13),
        scheme.fixed(0.96, 0.01, 90),
        scheme.accent(0.82, 0.12, 40),
        scheme.set(0.72, 0.13, -50),
    ]
    return SetDesign(
        camera, Room(floor, 2.4, paper, paper, cove=1.5), (plinth,), over_room=(confetti(sheet, camera, colours),)
    )


def bokeh_night(sheet: CallSheet) -> SetDesign:
    """A polished dark counter high above a city at night."""
    camera = sheet.camera(0.15, far=0.95)
    edge = 0.95
    row = camera.project(0, 0, edge)[1]
    base = sheet.scheme.set(0.28, 0.02)
    top = Material(
        base,
        paint=marble(base, sheet.scheme.fixed(0.46, 0.02, 80), 201, amount=0.5),
        gloss=0.12,
        rough=0.12,
        mirror=0.5,
        haze=0.03,
    )
    room = Room(0.0, edge, top, top, backdrop=city_night(sheet, camera, row), haze=0.012, blur=0.012)
    return SetDesign(camera, room)


def neon(sheet: CallSheet) -> SetDesign:
    """Glowing tubes before a dark wall, mirrored in the floor, with haze."""
    camera = sheet.camera(0.16)
    scheme = sheet.scheme
    shape = sheet.word("shape", "ring", ("ring", "arch", "bars"))
    dark, wall_tone = scheme.set(0.36, 0.035), scheme.set(0.46, 0.06)
    ground = Material(dark, paint=slate(dark, 211), gloss=0.15, rough=0.15, mirror=0.55, haze=0.05)
    wall = Material(wall_tone, paint=mottled(wall_tone, 212, depth=0.06), gloss=0.0)
    _, _, _, top = camera.extent(1.5)
    first, second = oklch(0.74, 0.2, scheme.accent_hue), oklch(0.7, 0.19, scheme.hue)
    size = min(1.0, 0.42 * top)
    middle = min(1.08, 0.52 * top)
    lines = _tubes(shape, size, middle)
    solids: list[Solid] = []
    for i, line in enumerate(lines):
        tone = first if i % 2 == 0 else second
        solids.append(
            Sheet(
                1.5,
                _near(line, 0.02),
                (-6.0, 6.0, -0.2, 6.0),
                Material((tone * 0.35 + 0.65).astype(np.float32), glow=1.05),
            )
        )
    plinth, floor = podium(camera, Material(scheme.set(0.44, 0.04), gloss=0.25, rough=0.18), height=0.14, radius=0.62)
    overlay = _glowing(camera, lines, (first, second), 1.5, floor)
    room = Room(floor, 1.75, ground, wall, cove=0.01)
    return SetDesign(camera, room, (plinth,), distant=tuple(solids), over_room=(overlay,))


def _tubes(shape: str, size: float, middle: float) -> list[Line]:
    if shape == "bars":
        return [_bar(a * size, middle, size * (1.0 - 0.2 * abs(a))) for a in (-0.9, -0.45, 0.0, 0.45, 0.9)]
    if shape == "arch":
        return [_arch(middle, size), _arch(middle, size * 0.8)]
    return [_ring(0.0, middle, size), _ring(size * 0.34, middle + size * 0.2, size * 0.66)]


def _bar(x0: float, middle: float, half: float) -> Line:
    return lambda x, y: np.hypot(x - np.float32(x0), np.maximum(np.abs(y - np.float32(middle)) - np.float32(half), 0))


def _ring(x0: float, y0: float, radius: float) -> Line:
    return lambda x, y: np.abs(np.hypot(x - np.float32(x0), y - np.float32(y0)) - np.float32(radius))


def _arch(middle: float, radius: float) -> Line:
    def line(x: Plane, y: Plane) -> Plane:
        up = np.abs(np.hypot(x, y - np.float32(middle)) - np.float32(radius))
        return np.where(y > middle, up, np.abs(np.abs(x) - np.float32(radius)))

    return line


def _near(line: Line, width: float) -> Outline:
    return lambda x, y: np.asarray(line(x, y) < np.float32(width))


def _glowing(camera: Camera, lines: list[Line], colours: tuple[Rgb, Rgb], z: float, floor: float) -> Overlay:
    """The halo of tubes at depth z on the wall behind, and its mirror image below the floor's level."""

    def over(image: Plane) -> Plane:
        x, y, size = grid(camera)
        unit = size * (camera.distance + z) / camera.focal
        foot = np.float32((camera.horizon - camera.foot_y) / size)
        wx, wy = x * np.float32(unit), (foot + y) * np.float32(unit) + np.float32(camera.rise)
        below = wy < floor
        height = np.where(below, np.float32(2 * floor) - wy, wy)
        share = np.where(below, np.float32(0.55), np.float32(1.0))[..., None]
        for i, line in enumerate(lines):
            distance = line(wx, height)
            glow = halo(camera, distance, colours[i % 2], 0.075, 0.42, share)
            if below.any():
                core = np.exp(-((distance / np.float32(0.05)) ** 2)) * below * np.float32(0.8)
                core = ndimage.gaussian_filter(core, (4.0, 1.0))[..., None] * colours[i % 2]
                glow = glow + resized(core, camera.width, camera.height)
            image = image + np.maximum(glow, 0)
        return np.asarray(image, dtype=np.float32)

    return over


def smoke_set(sheet: CallSheet) -> SetDesign:
    """A dark set with coloured smoke from both sides."""
    camera = sheet.camera(0.17)
    scheme = sheet.scheme
    tone = scheme.set(0.5, 0.05)
    ground = Material(tone, gloss=0.06, rough=0.3, mirror=0.3, haze=0.09)
    wall = Material(tone)
    plinth, floor = podium(camera, Material(tone * np.float32(1.25), gloss=0.15, rough=0.25), height=0.16, radius=0.62)
    key = sheet.rig.lamps[0].colour * np.float32(0.62) + sheet.rig.fill * np.float32(0.7)
    first = (oklch(0.76, 0.15, scheme.accent_hue) * key).astype(np.float32)
    second = (oklch(0.74, 0.14, scheme.hue) * key).astype(np.float32)
    amount = sheet.number("amount", 0.9, 0.1, 2.0)
    return SetDesign(
        camera,
        Room(floor, 2.2, ground, wall, cove=1.2),
        (plinth,),
        over_room=(smoke(sheet, camera, first, second, amount=amount),),
    )
