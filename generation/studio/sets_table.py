"""Sets at a table or shelf: wood, stone, linen, kitchen, bathroom."""

from __future__ import annotations

import numpy as np

from generation.studio.colour import Plane, Rgb
from generation.studio.materials import Material, Paint, Relief
from generation.studio.noise import smoothstep
from generation.studio.render import SetDesign
from generation.studio.room import Room
from generation.studio.sheet import Sheet
from generation.studio.solids import Arch, Box, Cylinder, Solid, Sphere
from generation.studio.surfaces import (
    folds,
    marble,
    mottled,
    planks,
    plaster_relief,
    printed,
    terrazzo,
    tile_relief,
    tiles,
    weave,
)
from generation.studio.views_room import interior

_WOODS = {
    "oak": ((0.56, 0.075, 62), (0.76, 0.075, 72)),
    "walnut": ((0.3, 0.05, 50), (0.47, 0.065, 56)),
    "ash": ((0.72, 0.045, 75), (0.88, 0.035, 82)),
}


def _wood(sheet: Sheet, default: str, seed: int, *, board: float = 0.62) -> Material:
    name = sheet.word("wood", default, tuple(_WOODS))
    dark, light = (sheet.scheme.fixed(*tone) for tone in _WOODS[name])
    return Material(
        (dark + light) / 2, paint=planks(dark, light, seed, board=board), gloss=0.07, rough=0.32, mirror=0.1, haze=0.1
    )


def tabletop_wood(sheet: Sheet) -> SetDesign:
    """A wooden table before a room out of focus."""
    camera = sheet.camera(0.2, far=1.6)
    edge = 1.6
    row = camera.project(0, 0, edge)[1]
    room = Room(
        0.0,
        edge,
        _wood(sheet, "oak", 61 + sheet.seed % 5),
        Material(sheet.scheme.set(0.7, 0.05)),
        backdrop=interior(sheet, camera, row),
        haze=0.03,
        blur=0.05,
    )
    return SetDesign(camera, room)


def tabletop_stone(sheet: Sheet) -> SetDesign:
    """A slab of terrazzo, marble or travertine with a low block, before a plain wall."""
    camera = sheet.camera(0.22)
    scheme = sheet.scheme
    stone = sheet.word("stone", "terrazzo", ("terrazzo", "marble"))
    if stone == "terrazzo":
        base = scheme.set(0.93, 0.015)
        chips = [
            scheme.accent(0.66, 0.11),
            scheme.set(0.55, 0.09),
            scheme.set(0.78, 0.06),
            scheme.fixed(0.4, 0.02, 60),
            scheme.accent(0.8, 0.08, 20),
        ]
        paint = terrazzo(base, chips, 71 + sheet.seed % 3)
    else:
        base = scheme.fixed(0.94, 0.006, 80)
        paint = marble(base, scheme.fixed(0.5, 0.02, 250), 75 + sheet.seed % 3)
    slab = Material(base * 0.9, paint=paint, gloss=0.12, rough=0.16, mirror=0.16, haze=0.05)
    colour = scheme.set(0.74, 0.085)
    wall = Material(colour, paint=mottled(colour, 72, depth=0.03), relief=plaster_relief(73, depth=0.04))
    side = 1 if sheet.seed % 2 else -1
    block = Material(base * 0.9, paint=paint, gloss=0.12, rough=0.16)
    solids: list[Solid] = [
        Box(0.0, -0.2, 0.2, 1.34, 0.2, 1.0, block, bevel=0.012),
        Box(
            side * 0.98,
            -0.2,
            0.85,
            0.62,
            0.72,
            0.5,
            Material(scheme.accent(0.68, 0.11), paint=mottled(scheme.accent(0.68, 0.11), 74)),
            yaw=0.25,
        ),
        Sphere(-side * 1.08, -0.2 + 0.16, 0.5, 0.16, Material(scheme.accent(0.74, 0.1), gloss=0.25, rough=0.2)),
    ]
    return SetDesign(camera, Room(-0.2, 1.5, slab, wall, cove=0.01), tuple(solids))


def linen(sheet: Sheet) -> SetDesign:
    """Cloth hung in folds and laid out in front."""
    camera = sheet.camera(0.18)
    scheme = sheet.scheme
    colour = scheme.set(0.82, 0.055)
    depth = sheet.number("folds", 0.55, 0.1, 1.2)
    hung = Material(colour, paint=weave(colour, 81), relief=folds(82 + sheet.seed % 7, depth=depth, spacing=0.55))
    laid = Material(colour, paint=weave(colour, 83, thread=0.016), relief=_calm_folds(84 + sheet.seed % 7))
    return SetDesign(camera, Room(0.0, 1.5, laid, hung, cove=0.75, blur=0.008))


def _calm_folds(seed: int) -> Relief:
    base = folds(seed, depth=0.3, spacing=0.8, lean=1.5)

    def relief(u: Plane, v: Plane, soft: float) -> tuple[Plane, Plane]:
        su, sv = base(u, v, soft)
        calm = 0.12 + 0.88 * smoothstep(0.5, 1.25, (u * u + (v * 1.2) ** 2) ** 0.5)
        return su * calm, sv * calm

    return relief


def _glass(dark: Rgb, light: Rgb) -> Paint:
    """What a mirror shows of the room: a broad slanted gradient."""
    return printed(dark, light, lambda u, v, soft: smoothstep(-0.75, 0.75, v * np.float32(0.8) - u * np.float32(0.6)))


def kitchen_shelf(sheet: Sheet) -> SetDesign:
    """A wooden worktop before glazed tiles, jars and a board out of focus."""
    camera = sheet.camera(0.15)
    scheme = sheet.scheme
    glaze = scheme.set(0.8, 0.075)
    wall = Material(
        glaze,
        paint=tiles(glaze, scheme.set(0.93, 0.02), 91, width=0.42, height=0.21, gap=0.016, spread=0.07),
        relief=tile_relief(width=0.42, height=0.21, wobble=0.07, seed=92),
        gloss=0.3,
        rough=0.16,
    )
    left, right, _, top = camera.extent(0.8)
    side = 1 if sheet.rig.lamps[0].unit[0] < 0 else -1
    board = Material(
        scheme.fixed(0.62, 0.075, 62),
        paint=planks(scheme.fixed(0.52, 0.075, 58), scheme.fixed(0.68, 0.075, 66), 93, board=0.3, along="y"),
    )
    jar, lid = Material(scheme.set(0.9, 0.03), gloss=0.3, rough=0.15), Material(scheme.fixed(0.6, 0.07, 62))
    leaf = Material(scheme.fixed(0.52, 0.1, 138), gloss=0.05)
    reach = min(right if side > 0 else -left, 2.6)
    x = side * max(0.95, reach - 0.42)
    tall = min(1.5, 0.7 * top)
    distant: list[Solid] = [
        Arch(x - side * 0.16, 0.0, tall, 0.98, 1.04, 0.36, board),
        Cylinder(x + side * 0.08, 0.72, 0.0, 0.42, 0.2, jar),
        Cylinder(x + side * 0.08, 0.72, 0.42, 0.49, 0.205, lid),
        Cylinder(x - side * 0.3, 0.62, 0.0, 0.26, 0.15, Material(scheme.accent(0.68, 0.11), gloss=0.2, rough=0.2)),
        Cylinder(-x, 0.8, 0.0, 0.3, 0.19, Material(scheme.accent(0.72, 0.08))),
    ]
    rng = sheet.rng(94)
    for _ in range(12):
        a, b, c = rng.normal(0, 0.11, 3)
        distant.append(
            Sphere(
                -x + float(a),
                0.46 + abs(float(b)) * 1.3,
                0.8 + float(c) * 0.5,
                float(rng.uniform(0.06, 0.12)),
                leaf,
                squash=0.8,
            )
        )
    worktop = _wood(sheet, "oak", 95 + sheet.seed % 5, board=0.55)
    return SetDesign(camera, Room(0.0, 1.12, worktop, wall, cove=0.008, blur=0.018), distant=tuple(distant))


def bathroom_shelf(sheet: Sheet) -> SetDesign:
    """A marble shelf, slim upright tiles, a round mirror and folded towels."""
    camera = sheet.camera(0.16)
    scheme = sheet.scheme
    glaze = scheme.set(0.9, 0.035)
    wall = Material(
        glaze,
        paint=tiles(glaze, scheme.set(0.8, 0.03), 101, width=0.13, height=0.62, gap=0.012, stagger=0.0, spread=0.035),
        relief=tile_relief(width=0.13, height=0.62, stagger=0.0, wobble=0.05, seed=102),
        gloss=0.35,
        rough=0.14,
    )
    stone = scheme.fixed(0.95, 0.006, 80)
    shelf = Material(
        stone * 0.92,
        paint=marble(stone, scheme.fixed(0.55, 0.015, 250), 103 + sheet.seed % 4),
        gloss=0.1,
        rough=0.15,
        mirror=0.24,
        haze=0.03,
    )
    left, right, _, top = camera.extent(0.6)
    side = 1 if sheet.seed % 2 else -1
    reach = min(right if side > 0 else -left, 2.6)
    x = side * max(0.98, reach - 0.36)
    brass = Material(scheme.fixed(0.66, 0.09, 80), gloss=0.7, rough=0.12)
    glass = Material(
        scheme.set(0.86, 0.04), paint=_glass(scheme.set(0.7, 0.06), scheme.set(0.95, 0.02)), gloss=0.5, rough=0.1
    )
    high = min(1.5, 0.62 * top)
    cloth, other = Material(scheme.accent(0.8, 0.06)), Material(scheme.set(0.93, 0.02))
    distant: list[Solid] = [
        Cylinder(-side * 0.1, high, 1.13, 1.19, min(0.72, 0.4 * top), brass, axis="z"),
        Cylinder(-side * 0.1, high, 1.12, 1.16, min(0.72, 0.4 * top) - 0.03, glass, axis="z"),
        Box(x, 0.0, 0.72, 0.66, 0.12, 0.5, cloth, bevel=0.07),
        Box(x, 0.122, 0.72, 0.62, 0.11, 0.48, other, bevel=0.07),
        Box(x + side * 0.02, 0.234, 0.72, 0.64, 0.12, 0.48, cloth, bevel=0.07),
        Cylinder(-x, 0.66, 0.0, 0.36, 0.13, Material(scheme.accent(0.62, 0.1), gloss=0.35, rough=0.14)),
        Cylinder(-x, 0.66, 0.36, 0.44, 0.045, brass),
        Cylinder(-x + side * 0.3, 0.8, 0.0, 0.2, 0.11, other),
    ]
    return SetDesign(camera, Room(0.0, 1.2, shelf, wall, cove=0.006, blur=0.02), distant=tuple(distant))
