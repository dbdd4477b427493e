"""Sets outdoors: water, wet stone, sand, snow, sky, hills, a wood."""

from __future__ import annotations

import numpy as np

from generation.studio.camera import Camera
from generation.studio.colour import Plane
from generation.studio.materials import Material
from generation.studio.noise import field, look, smoothstep
from generation.studio.overlays import flakes, low_cloud, mist
from generation.studio.render import SetDesign
from generation.studio.room import Room
from generation.studio.sheet import BEHIND, Sheet, podium
from generation.studio.solids import Cylinder, Solid, Sphere
from generation.studio.surfaces import caustics, mottled, planks, plaster_relief, ripples, sand_relief, slate, sparkle
from generation.studio.views import hills, sky
from generation.studio.views_soft import wood_edge


def _far_row(camera: Camera, floor: float, edge: float) -> float:
    return float(camera.project(0, floor, edge)[1])


def water(sheet: Sheet) -> SetDesign:
    """A stone disc in rippled water, the sky mirrored, light dancing on the bottom."""
    camera = sheet.camera(0.2, far=16.0)
    scheme = sheet.scheme
    depth = sheet.number("chop", 0.1, 0.0, 0.4)
    deep, bright = scheme.set(0.62, 0.085), scheme.set(0.93, 0.05)
    pool = Material(
        deep,
        paint=caustics(deep, bright, 111 + sheet.seed % 6),
        relief=ripples(113 + sheet.seed % 9, depth=depth),
        gloss=0.35,
        rough=0.1,
        mirror=0.5,
        haze=0.02,
    )
    stone = Material(scheme.set(0.9, 0.025), paint=mottled(scheme.set(0.9, 0.025), 114, depth=0.04), gloss=0.06)
    disc, floor = podium(camera, stone, height=0.13, radius=0.6)
    view = sky(sheet, camera, horizon=_far_row(camera, floor, 16.0), clouds=0.3, scale=1.5)
    room = Room(floor + 0.02, 16.0, pool, stone, backdrop=view, haze=0.25, blur=0.16)
    return SetDesign(camera, room, (disc,))


def wet_stone(sheet: Sheet) -> SetDesign:
    """Dark wet slate with pebbles and mist behind."""
    camera = sheet.camera(0.18)
    scheme = sheet.scheme
    base = scheme.set(0.47, 0.018)
    ground = Material(
        base,
        paint=slate(base, 121),
        relief=plaster_relief(122 + sheet.seed % 7, depth=0.11, period=3.0, low=2, high=90, slope=1.5),
        gloss=0.5,
        rough=0.16,
        mirror=0.42,
        haze=0.035,
    )
    wall = Material(scheme.set(0.64, 0.065))
    rng = sheet.rng(123)
    left, right, _, _ = camera.extent(0.5)
    solids: list[Solid] = [
        Cylinder(
            0.0,
            BEHIND,
            -0.1,
            0.0,
            0.66,
            Material(scheme.set(0.46, 0.018), paint=slate(scheme.set(0.46, 0.018), 124), gloss=0.25, rough=0.2),
            bevel=0.03,
        )
    ]
    taken: list[tuple[float, float, float]] = []
    for _ in range(160):
        if len(solids) > 15:
            break
        r, x, z = (
            float(rng.choice([0.09, 0.15, 0.24, 0.4])),
            float(rng.uniform(left, right)),
            float(rng.uniform(-0.3, 1.6)),
        )
        if (
            abs(x) < 0.78 + r
            or not sheet.clear(x, 1.1 - r)
            or any((x - a) ** 2 + (z - b) ** 2 < (r + c) ** 2 for a, b, c in taken)
        ):
            continue
        taken.append((x, z, r))
        tone = scheme.set(float(rng.uniform(0.3, 0.55)), 0.02)
        flat = float(rng.uniform(0.45, 0.7))
        solids.append(Sphere(x, -0.1 + r * flat * 0.75, z, r, Material(tone, gloss=0.35, rough=0.16), squash=flat))
    room = Room(-0.1, 3.0, ground, wall, cove=1.6, blur=0.05)
    return SetDesign(
        camera,
        room,
        tuple(solids),
        over_room=(mist(sheet, camera, scheme.set(0.78, 0.03), camera.project(0, -0.1, 2.4)[1]),),
    )


def sand(sheet: Sheet) -> SetDesign:
    """Rippled sand under an open sky, dunes behind."""
    camera = sheet.camera(0.2, far=12.0)
    scheme = sheet.scheme
    tone = scheme.fixed(0.82, 0.062, 72)
    ground = Material(
        tone,
        paint=sparkle(tone, 131),
        relief=sand_relief(133 + sheet.seed % 8, depth=sheet.number("ripple", 0.32, 0.0, 0.8)),
    )
    edge = 12.0
    row = _far_row(camera, 0.0, edge)
    behind = sky(sheet, camera, horizon=row, clouds=0.16, scale=1.7)
    lit = (tone * (sheet.rig.lamps[0].colour * np.float32(0.62) + sheet.rig.fill)).astype(np.float32)
    dim = (tone * (sheet.rig.lamps[0].colour * np.float32(0.16) + sheet.rig.fill * np.float32(0.85))).astype(np.float32)
    size = float(min(camera.width, camera.height))
    shift = float(sheet.rng(135).uniform(0, 6))
    way = 1.0 if sheet.rig.lamps[0].unit[0] < 0 else -1.0

    def view(px: Plane, py: Plane) -> Plane:
        image = behind(px, py)
        x = px / np.float32(size) * np.float32(way)
        for i, (height, f, phase) in enumerate(((0.15, 1.7, 0.3), (0.1, 2.3, 2.1))):
            t = x * np.float32(f) + np.float32(phase + shift)
            saw = np.abs((t % 2) - 1)
            crest = np.float32(row + 2) - np.float32(size * height) * (saw * saw * (3 - 2 * saw))
            inside = np.clip((py - crest) / 2 + 0.5, 0, 1)[..., None]
            lean = (t + (py - crest) * np.float32(3.2 * f / size)) % 2
            slip = (smoothstep(0.8, 1.2, lean) * smoothstep(2.0, 1.985, lean))[..., None]
            colour = lit + (dim - lit) * slip
            fade = np.float32(0.35 - 0.15 * i)
            colour = colour + (behind(px[:, :1], np.full((1, 1), row, np.float32)) - colour) * fade
            image = image + (colour - image) * inside
        return np.asarray(image, dtype=np.float32)

    return SetDesign(camera, Room(0.0, edge, ground, ground, backdrop=view, haze=0.1, blur=0.1))


def snow(sheet: Sheet) -> SetDesign:
    """Fresh snow in soft mounds, firs in the haze, flakes in the air."""
    camera = sheet.camera(0.2, far=5.0)
    white = sheet.scheme.fixed(0.95, 0.01, 240)
    relief = plaster_relief(141 + sheet.seed % 8, depth=0.075, period=6.0, low=1, high=12, slope=1.7)
    fine = plaster_relief(142, depth=0.05, period=0.8, low=20, high=220, slope=0.5)

    def soft(u: Plane, v: Plane, s: float) -> tuple[Plane, Plane]:
        a, b = relief(u, v, s)
        c, d = fine(u, v, s)
        return a + c, b + d

    ground = Material(white, paint=sparkle(white, 143, amount=0.035), relief=soft)
    rng = sheet.rng(144)
    _, right, _, _ = camera.extent(1.5)
    solids: list[Solid] = []
    for i in range(6):
        r = float(rng.uniform(0.9, 1.9))
        x = (1 if i % 2 else -1) * float(rng.uniform(1.0, max(right, 1.8) + 0.4))
        solids.append(
            Sphere(x, -r * 0.1, float(rng.uniform(1.8, 3.8)), r, Material(white, paint=ground.paint), squash=0.26)
        )
    row = _far_row(camera, 0.0, 5.0)
    view = hills(sheet, camera, row, layers=4, rough=2.2)
    room = Room(0.0, 5.0, ground, ground, backdrop=view, haze=0.4, blur=0.1)
    return SetDesign(camera, room, distant=tuple(solids), over_all=(flakes(sheet, camera),))


def sky_scene(sheet: Sheet) -> SetDesign:
    """A podium among the clouds."""
    camera = sheet.camera(0.18)
    scheme = sheet.scheme
    stone = Material(
        scheme.accent(0.82, 0.075), paint=mottled(scheme.accent(0.82, 0.075), 151, depth=0.012), gloss=0.05
    )
    _, _, bottom, _ = camera.extent()
    step = Material(scheme.set(0.9, 0.03))
    solids: tuple[Solid, ...] = (
        Cylinder(0.0, BEHIND, -0.16, 0.0, 0.6, stone),
        Cylinder(0.0, BEHIND, min(-0.5, bottom * 1.6), -0.16, 0.78, step),
    )
    view = sky(sheet, camera, horizon=camera.height * 1.02, clouds=sheet.number("clouds", 0.42, 0.0, 1.0), scale=1.25)
    room = Room(-60.0, 20.0, step, step, backdrop=view)
    return SetDesign(camera, room, solids, over_all=(low_cloud(sheet, camera),))


def hill_view(sheet: Sheet) -> SetDesign:
    """A flat stone on a ledge high above hills in mist."""
    camera = sheet.camera(0.17, far=1.25)
    scheme = sheet.scheme
    tone = scheme.fixed(0.62, 0.022, 72)
    rock = Material(tone, paint=slate(tone, 163), gloss=0.03)
    ledge = Material(
        tone,
        paint=mottled(tone, 161, depth=0.07, period=2.2),
        relief=plaster_relief(162 + sheet.seed % 5, depth=0.085, period=2.6, low=2, high=160, slope=1.45),
    )
    slab = Material(
        scheme.fixed(0.74, 0.018, 75), paint=mottled(scheme.fixed(0.74, 0.018, 75), 164, depth=0.045, period=1.1)
    )
    rng = sheet.rng(165)
    left, right, _, _ = camera.extent(0.5)
    solids: list[Solid] = [Cylinder(0.0, BEHIND, -0.12, 0.0, 0.68, slab, bevel=0.04)]
    for i in range(9):
        r = float(rng.choice([0.1, 0.16, 0.3, 0.46]))
        edge = right if i % 2 else left
        x = float(rng.uniform(0.72, 1.05)) * edge if abs(edge) > 1 else edge
        if abs(x) > 0.8 + r and sheet.clear(x):
            flat = float(rng.uniform(0.5, 0.75))
            solids.append(Sphere(x, -0.12 + r * flat * 0.5, float(rng.uniform(0.1, 0.9)), r, rock, squash=flat))
    row = _far_row(camera, -0.12, 1.25)
    room = Room(-0.12, 1.25, ledge, ledge, backdrop=hills(sheet, camera, row), haze=0.05, blur=0.02)
    return SetDesign(camera, room, tuple(solids))


def forest(sheet: Sheet) -> SetDesign:
    """A weathered plank at the edge of a wood, leaves and sun out of focus."""
    camera = sheet.camera(0.16, far=1.25)
    dark, light = sheet.scheme.fixed(0.34, 0.035, 65), sheet.scheme.fixed(0.58, 0.045, 72)
    moss = sheet.scheme.fixed(0.5, 0.09, 125)
    base = planks(dark, light, 171 + sheet.seed % 5, board=0.8)
    patches = field(172 + sheet.seed % 5, low=1, high=120, slope=1.3)

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        colour = base(u, v, soft)
        calm = smoothstep(0.45, 1.1, np.sqrt(u * u + (v * 1.5) ** 2))
        share = smoothstep(0.2, 1.1, look(patches, u, v, 2.2))[..., None] * calm[..., None]
        return np.asarray(colour + (moss - colour) * share * np.float32(0.85), dtype=np.float32)

    ground = Material(
        (dark + light) / 2,
        paint=paint,
        relief=plaster_relief(173, depth=0.14, period=1.5, low=4, high=160, slope=1.0),
        gloss=0.05,
    )
    edge = 1.25
    row = _far_row(camera, 0.0, edge)
    return SetDesign(
        camera, Room(0.0, edge, ground, ground, backdrop=wood_edge(sheet, camera, row), haze=0.05, blur=0.06)
    )
