"""Sets built in the studio: sweep, arch and podium, steps, discs, balls, a window's light, a graphic pattern."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from generation.studio.colour import Plane, Rgb
from generation.studio.materials import Material, Paint
from generation.studio.noise import smoothstep
from generation.studio.overlays import pool
from generation.studio.render import SetDesign
from generation.studio.rig import levelled
from generation.studio.room import Room
from generation.studio.sheet import Sheet, podium
from generation.studio.solids import Arch, Box, Cylinder, Solid, Sphere
from generation.studio.surfaces import mottled, plaster_relief, printed


def sweep(sheet: Sheet) -> SetDesign:
    """A seamless paper sweep."""
    camera = sheet.camera(0.2)
    colour = sheet.scheme.set(0.83, 0.075)
    paper = Material(colour, paint=mottled(colour, 11, depth=0.008, period=4))
    cove = sheet.number("cove", 2.2, 0.2, 4.0)
    room = Room(0.0, 3.4, paper, paper, cove=min(cove, 3.2))
    strength = sheet.number("pool", 0.34, 0.0, 0.8)
    return SetDesign(camera, room, over_room=(pool(camera, strength=strength),))


def arch_podium(sheet: Sheet) -> SetDesign:
    """An arch in the accent colour behind a round podium."""
    camera = sheet.camera(0.2)
    scheme = sheet.scheme
    left, right, _, top = camera.extent(1.2)
    base = Material(scheme.set(0.9, 0.045), gloss=0.05)
    plinth, floor = podium(camera, base)
    wall_colour, floor_colour = scheme.set(0.8, 0.07), scheme.set(0.84, 0.06)
    wall = Material(wall_colour, paint=mottled(wall_colour, 5, depth=0.022), relief=plaster_relief(6, depth=0.035))
    ground = Material(floor_colour, paint=mottled(floor_colour, 7, depth=0.015))
    room = Room(floor, 1.75, ground, wall, cove=0.03)
    tall = min(2.5, max(0.9, 0.84 * (top - floor)))
    half = min(0.94, tall * 0.52)
    arch = Material(scheme.accent(0.72, 0.105), paint=mottled(scheme.accent(0.72, 0.105), 8, depth=0.02))
    solids: list[Solid] = [
        Arch(0.12, floor, floor + tall, 1.18, 1.52, half, arch),
        plinth,
    ]
    side = -1 if sheet.seed % 2 else 1
    low = Material(scheme.accent(0.8, 0.07, 8))
    ball = Material(scheme.set(0.66, 0.1, -10), gloss=0.12, rough=0.3)
    solids.append(Cylinder(side * 1.06, 0.42, floor, floor + 0.2, 0.33, low))
    solids.append(Sphere(side * 1.12, floor + 0.2 + 0.17, 0.4, 0.17, ball))
    if right - left > 5:
        solids.append(Cylinder(-side * 2.1, 0.9, floor, floor + 0.42, 0.42, base))
        solids.append(Box(side * 2.7, floor, 1.1, 0.7, 0.75, 0.6, arch, yaw=0.4))
    return SetDesign(camera, room, tuple(solids))


def steps(sheet: Sheet) -> SetDesign:
    """Stacked blocks that climb to one side, the product on the middle one."""
    camera = sheet.camera(0.2)
    scheme = sheet.scheme
    _, _, bottom, top = camera.extent(0.5)
    side = 1 if sheet.seed % 2 else -1
    tones = [
        scheme.set(0.86, 0.06),
        scheme.accent(0.76, 0.095),
        scheme.set(0.76, 0.085, 12),
        scheme.set(0.9, 0.035),
        scheme.accent(0.66, 0.11, -10),
    ]
    paints = [Material(tone, paint=mottled(tone, 20 + i, depth=0.016)) for i, tone in enumerate(tones)]
    rise = float(np.clip(0.5 * -bottom, 0.16, 0.36))
    floor = -rise
    solids: list[Solid] = [
        Box(0.0, floor, 0.26, 1.26, rise, 1.0, paints[0]),
        Box(side * 0.98, floor, 0.66, 0.72, min(rise + 0.36, 0.5 * (top - floor)), 0.9, paints[1]),
        Box(side * 0.52, floor, 1.22, 1.0, min(rise + 0.82, 0.62 * (top - floor)), 0.6, paints[2]),
        Box(side * 0.02, floor, 1.75, 1.1, min(rise + 1.3, 0.74 * (top - floor)), 0.45, paints[3]),
        Box(-side * 0.92, floor, 0.42, 0.6, rise * 0.5, 0.66, paints[3]),
        Cylinder(-side * 0.94, 0.42, floor + rise * 0.5, floor + rise * 0.5 + 0.2, 0.17, paints[4]),
        Sphere(
            side * 0.98,
            floor + min(rise + 0.36, 0.5 * (top - floor)) + 0.19,
            0.6,
            0.19,
            Material(tones[4], gloss=0.2, rough=0.25),
        ),
        Box(-side * 1.95, floor, 1.2, 0.8, min(rise + 0.5, 0.5 * (top - floor)), 0.6, paints[1]),
    ]
    wall = Material(scheme.set(0.82, 0.065), paint=mottled(scheme.set(0.82, 0.065), 25, depth=0.012))
    room = Room(floor, 2.3, wall, wall, cove=0.5)
    return SetDesign(camera, room, tuple(solids))


def discs(sheet: Sheet) -> SetDesign:
    """Large discs floating before the wall, overlapping, each with its own shadow."""
    camera = sheet.camera(0.18)
    scheme = sheet.scheme
    left, right, bottom, top = camera.extent(1.0)
    rng = sheet.rng(3)
    count = int(sheet.number("count", 5, 1, 9))
    short = min(right - left, top - bottom)
    tones = [
        scheme.accent(0.74, 0.1),
        scheme.set(0.9, 0.04),
        scheme.accent(0.8, 0.075, 18),
        scheme.set(0.72, 0.09, -14),
        scheme.accent(0.66, 0.12, -12),
    ]
    spots = [
        (0.0, 0.95, 0.42),
        (-0.62, 1.45, 0.26),
        (0.7, 0.62, 0.22),
        (0.72, 1.75, 0.14),
        (-0.78, 0.42, 0.12),
        (-1.5, 1.0, 0.2),
        (1.6, 1.3, 0.24),
        (-2.6, 0.8, 0.3),
        (2.7, 0.7, 0.26),
    ]
    solids: list[Solid] = []
    for i, (x, y, size) in enumerate(spots[:count]):
        jitter = rng.uniform(-0.05, 0.05, 2)
        unit = min(short * 0.5, 1.25)
        radius = size * unit * 2.0
        z = 0.95 + 0.2 * i if i else 1.35
        tone = tones[i % len(tones)]
        material = Material(tone, paint=_faded(tone, radius, scheme.set(0.93, 0.03)))
        solids.append(
            Cylinder(
                (x + jitter[0]) * unit, (y + jitter[1]) * unit, z, z + 0.04, radius, material, axis="z", bevel=0.01
            )
        )
    wall = Material(scheme.set(0.84, 0.06))
    plinth, floor = podium(camera, Material(scheme.set(0.9, 0.04)), height=0.06, radius=0.66)
    return SetDesign(camera, Room(floor, 2.3, wall, wall, cove=0.9), (*solids, plinth))


def _faded(tone: Rgb, radius: float, other: Rgb) -> Paint:
    def shape(u: Plane, v: Plane, soft: float) -> Plane:
        return 0.55 * smoothstep(-radius * 0.9, radius * 1.1, v * np.float32(0.8) - u * np.float32(0.5))

    return printed(tone, other, shape)


def balls(sheet: Sheet) -> SetDesign:
    """Balls of many sizes around the product, matte and glossy."""
    camera = sheet.camera(0.24)
    scheme = sheet.scheme
    left, right, _, _ = camera.extent(0.6)
    rng = sheet.rng(4)
    tones = [
        scheme.set(0.78, 0.09),
        scheme.accent(0.74, 0.11),
        scheme.set(0.9, 0.03),
        scheme.accent(0.64, 0.13, -14),
        scheme.set(0.68, 0.1, 16),
    ]
    solids: list[Solid] = []
    placed: list[tuple[float, float, float]] = [(0.0, 0.1, 0.72)]
    for _ in range(220):
        if len(solids) >= int(sheet.number("count", 11, 1, 24)):
            break
        r = float(rng.choice([0.11, 0.17, 0.26, 0.42]))
        x, z = float(rng.uniform(left * 1.02, right * 1.02)), float(rng.uniform(-0.35, 1.7))
        if (z < 0.5 and abs(x) < 0.75 + r) or not sheet.clear(x, 1.7 - r):
            continue
        if any((x - a) ** 2 + (z - b) ** 2 < (r + c + 0.02) ** 2 for a, b, c in placed):
            continue
        placed.append((x, z, r))
        shiny = len(solids) % 3 == 0
        tone = tones[len(solids) % len(tones)]
        solids.append(Sphere(x, r, z, r, Material(tone, gloss=0.5 if shiny else 0.06, rough=0.1 if shiny else 0.45)))
    wall = Material(scheme.set(0.86, 0.06))
    return SetDesign(camera, Room(0.0, 2.6, wall, wall, cove=1.4), tuple(solids))


def window_light(sheet: Sheet) -> SetDesign:
    """A bare limewashed wall and a ledge: the light is the picture."""
    camera = sheet.camera(0.16)
    scheme = sheet.scheme
    colour, ledge = scheme.set(0.87, 0.05), scheme.set(0.9, 0.035)
    plaster = plaster_relief(32, depth=0.075)
    wall = Material(colour, paint=mottled(colour, 31, depth=0.045, period=4.2), relief=plaster)
    top = Material(ledge, paint=mottled(ledge, 33, depth=0.03))
    mask = sheet.word("mask", "auto", ("auto", "window", "blinds", "leaves", "palm"))
    key = sheet.rig.lamps[0]
    if mask != "auto" or not key.gobo:
        masked = replace(key, gobo="window" if mask == "auto" else mask, spill=min(key.spill, 0.3))
        rig = levelled(replace(sheet.rig, lamps=(masked, *sheet.rig.lamps[1:])))
    else:
        rig = sheet.rig
    return SetDesign(camera, Room(0.0, 0.95, top, wall, cove=0.012), rig=rig)


def pattern(sheet: Sheet) -> SetDesign:
    """A printed wall and floor: stripes, checks, dots or halftone."""
    camera = sheet.camera(0.22)
    scheme = sheet.scheme
    motif = sheet.word("motif", "stripes", ("checks", "stripes", "dots", "halftone"))
    pitch = sheet.number("pitch", 0.42, 0.1, 2.0)
    first, second = scheme.set(0.88, 0.045), scheme.accent(0.74, 0.11)
    print_ = printed(first, second, lambda u, v, soft: _motif(motif, u, v, soft, pitch))
    plain = Material(scheme.set(0.9, 0.03), gloss=0.05)
    plinth, floor = podium(camera, plain)
    both = motif in ("checks", "stripes")
    back = Material((first + second) / 2, paint=print_)
    ground = Material((first + second) / 2, paint=print_) if both else Material(second)
    room = Room(floor, 2.1, ground, back, cove=0.9 if motif == "stripes" else 0.02)
    return SetDesign(camera, room, (plinth,))


def _motif(motif: str, u: Plane, v: Plane, soft: float, pitch: float) -> Plane:
    edge = max(soft / pitch, 0.004)
    if motif == "stripes":
        x = np.abs((u / np.float32(pitch)) % 1 - np.float32(0.5)) * 2
        return smoothstep(0.5 - edge, 0.5 + edge, x)
    if motif == "checks":
        x, y = np.sin(u * np.float32(math.pi / pitch)), np.sin(v * np.float32(math.pi / pitch))
        return smoothstep(-edge * 2, edge * 2, x * y / (np.maximum(np.abs(x), np.abs(y)) + np.float32(1e-3)))
    row = np.floor(v / np.float32(pitch * 0.866))
    x = (u / np.float32(pitch) + (row % 2) * np.float32(0.5)) % 1 - np.float32(0.5)
    y = (v / np.float32(pitch * 0.866)) % 1 - np.float32(0.5)
    r = np.sqrt(x * x + (y * np.float32(0.866)) ** 2)
    size = np.float32(0.26) if motif == "dots" else np.clip(np.float32(0.46) - v * np.float32(0.12), 0.03, 0.47)
    return np.asarray(1 - np.clip((r - size) / np.float32(2 * edge) + 0.5, 0, 1), dtype=np.float32)
