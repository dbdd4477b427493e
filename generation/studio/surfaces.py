"""Patterns and reliefs of materials, in units of the set: plaster, wood, stone, sand, linen, ripples, tiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from generation.studio.colour import Plane, Rgb
from generation.studio.materials import Paint, Relief
from generation.studio.noise import field, look, smoothstep


def _slopes_of(tile: Plane) -> tuple[Plane, Plane]:
    du = (np.roll(tile, -1, axis=1) - np.roll(tile, 1, axis=1)) / 2
    dv = (np.roll(tile, -1, axis=0) - np.roll(tile, 1, axis=0)) / 2
    return du, dv


def mottled(colour: Rgb, seed: int, *, depth: float = 0.03, period: float = 3.0) -> Paint:
    """A plain coat with a little unevenness, as limewash and plaster have."""
    broad = field(seed, low=2, high=40, slope=1.5)

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        shade = 1 + np.float32(depth) * look(broad, u, v, period)
        return np.asarray(shade[..., None] * colour, dtype=np.float32)

    return paint


def plaster_relief(
    seed: int, *, depth: float = 0.05, period: float = 1.6, low: float = 6, high: float = 120, slope: float = 1.1
) -> Relief:
    """The trowel's traces."""
    du, dv = _slopes_of(field(seed, low=low, high=high, slope=slope))
    scale = np.float32(depth / max(float(du.std()), 1e-6))

    def relief(u: Plane, v: Plane, soft: float) -> tuple[Plane, Plane]:
        return look(du, u, v, period) * scale, look(dv, u, v, period) * scale

    return relief


def planks(dark: Rgb, light: Rgb, seed: int, *, board: float = 0.62, along: str = "x") -> Paint:
    """Wooden boards: grain drawn out along the board, rings, a fine seam between boards, each board its own tone."""
    grain = field(seed, low=3, high=200, slope=0.75, stretch=14)
    rings = field(seed + 1, low=1, high=12, slope=1.4, stretch=7)
    rng = np.random.default_rng(seed + 2)
    tones = rng.uniform(-0.13, 0.13, 64).astype(np.float32)
    shifts = rng.uniform(0, 7, 64).astype(np.float32)

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        a, b = (u, v) if along == "x" else (v, u)
        a, b = np.broadcast_arrays(a, b)
        number = np.floor(b / np.float32(board))
        pick = number.astype(np.int64) % 64
        shift = shifts[pick]
        bend = look(rings, a + shift, b, 3.2)
        lines = np.sin((b / np.float32(board) * 5 + bend * np.float32(1.5) + shift) * np.float32(2 * math.pi))
        fine = look(grain, a + shift, b + np.float32(0.04) * bend, 1.5)
        mix = np.clip(0.5 + tones[pick] + np.float32(0.11) * lines + np.float32(0.13) * fine, 0, 1)[..., None]
        within = np.abs(b / np.float32(board) - number - np.float32(0.5)) * np.float32(2)
        seam = 1 - np.float32(0.55) * smoothstep(1 - 0.018 - 2.2 * soft / board, 1.0, within)
        return np.asarray((dark + (light - dark) * mix) * seam[..., None], dtype=np.float32)

    return paint


def terrazzo(base: Rgb, chips: Sequence[Rgb], seed: int, *, period: float = 2.0, size: float = 0.034) -> Paint:
    """Chips of stone in cement, from a tile drawn once."""
    tile = _chips(base, chips, seed, size / period)

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        return np.stack([look(tile[..., c], u, v, period) for c in range(3)], axis=-1)

    return paint


def _chips(base: Rgb, chips: Sequence[Rgb], seed: int, size: float) -> Plane:
    from PIL import Image, ImageDraw

    side = 1536
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (side, side), _coded(base))
    draw = ImageDraw.Draw(picture)
    count = int(0.42 / (math.pi * size * size * 0.55))
    for _ in range(min(count, 3600)):
        radius = side * size * float(rng.choice([0.28, 0.5, 0.75, 1.15], p=[0.42, 0.3, 0.2, 0.08]))
        x, y, turn = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(0, math.pi)
        corners = int(rng.integers(5, 8))
        angles = np.sort(rng.uniform(0, 2 * math.pi, corners))
        reach = radius * rng.uniform(0.65, 1.1, corners)
        flat = rng.uniform(0.55, 1.0)
        colour = _coded(chips[int(rng.integers(len(chips)))] * np.float32(rng.uniform(0.85, 1.12)))
        px = np.cos(angles) * reach
        py = np.sin(angles) * reach * flat
        qx, qy = px * math.cos(turn) - py * math.sin(turn), px * math.sin(turn) + py * math.cos(turn)
        for dx in (-side, 0, side):
            for dy in (-side, 0, side):
                if -radius * 2 < x + dx < side + radius * 2 and -radius * 2 < y + dy < side + radius * 2:
                    draw.polygon([(x + dx + a, y + dy + b) for a, b in zip(qx, qy, strict=True)], fill=colour)
    small = picture.resize((768, 768), Image.Resampling.LANCZOS)
    return np.asarray((np.asarray(small, dtype=np.float32) / 255) ** 2)


def _coded(colour: Rgb) -> tuple[int, int, int]:
    r, g, b = (round(255 * math.sqrt(min(max(float(value), 0.0), 1.0))) for value in colour)
    return r, g, b


def marble(base: Rgb, vein: Rgb, seed: int, *, period: float = 4.0, amount: float = 0.75) -> Paint:
    """Pale stone with soft clouds and thin wandering veins."""
    warp = field(seed, low=1, high=24, slope=1.9)
    other = field(seed + 1, low=1, high=40, slope=1.7)

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        bend = look(warp, u, v, period)
        lean = np.abs(look(other, u + np.float32(0.25) * bend, v, period * 1.3))
        thin = np.exp(-lean * np.float32(16)) * (0.35 + 0.65 * smoothstep(-0.4, 1.2, bend))
        cloud = np.float32(0.13) * smoothstep(-1.0, 1.8, -bend)
        share = np.clip(np.float32(amount) * (thin * np.float32(0.75) + cloud), 0, 1)[..., None]
        return np.asarray(base + (vein - base) * share, dtype=np.float32)

    return paint


def slate(base: Rgb, seed: int, *, period: float = 3.0) -> Paint:
    """Dark layered stone."""
    broad = field(seed, low=2, high=60, slope=1.5)
    fine = field(seed + 1, low=30, high=250, slope=0.6)

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        shade = 1 + np.float32(0.13) * look(broad, u, v, period) + np.float32(0.04) * look(fine, u, v, 1.2)
        return np.asarray(np.maximum(shade, 0.25)[..., None] * base, dtype=np.float32)

    return paint


def sand_relief(seed: int, *, spacing: float = 0.17, depth: float = 0.3, calm: float = 0.75) -> Relief:
    """Wind ripples that wander and fork, smoothed away around the product's foot; and the grains."""
    warp = field(seed, low=1, high=14, slope=1.9)
    fine = field(seed + 1, low=60, high=256, slope=0.0)

    def relief(u: Plane, v: Plane, soft: float) -> tuple[Plane, Plane]:
        u, v = np.broadcast_arrays(u, v)
        bend = look(warp, u, v, 6.0)
        phase = (v * np.float32(0.9) + u * np.float32(0.32) + bend * np.float32(0.34)) * np.float32(
            2 * math.pi / spacing
        )
        near = np.float32(1) - np.exp(
            -((u / np.float32(calm)) ** 2 + (v / np.float32(calm * 0.75)) ** 2) * np.float32(0.7)
        )
        wave = np.cos(phase) + np.float32(0.35) * np.cos(2 * phase + np.float32(0.9))
        height = near * np.float32(depth) * (0.75 + 0.25 * bend)
        grain = look(fine, u, v, 0.9) * np.float32(0.075)
        return wave * height * np.float32(0.45) + grain, wave * height + grain

    return relief


def sparkle(colour: Rgb, seed: int, *, amount: float = 0.06) -> Paint:
    """Grains of slightly different brightness."""
    fine = field(seed, low=40, high=256, slope=0.0)
    broad = field(seed + 1, low=1, high=20, slope=1.6)

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        shade = 1 + np.float32(amount) * look(fine, u, v, 0.8) + np.float32(0.04) * look(broad, u, v, 5.0)
        return np.asarray(shade[..., None] * colour, dtype=np.float32)

    return paint


def ripples(seed: int, *, depth: float = 0.1, rings: bool = True) -> Relief:
    """Water: rings that spread from the product's stand over a light chop."""
    du, dv = _slopes_of(field(seed, low=2, high=30, slope=1.5))
    scale = np.float32(depth * 0.75 / float(du.std()))

    def relief(u: Plane, v: Plane, soft: float) -> tuple[Plane, Plane]:
        u, v = np.broadcast_arrays(u, v)
        su, sv = look(du, u, v, 3.4) * scale, look(dv, u, v, 3.4) * scale
        if rings:
            w = v - np.float32(0.16)
            r = np.sqrt(u * u + w * w) + np.float32(1e-4)
            wave = np.cos((r - 0.6) * np.float32(2 * math.pi / 0.23)) * np.exp(
                -np.maximum(r - 0.6, 0) * np.float32(1.5)
            )
            wave *= np.float32(depth * 1.5)
            su, sv = su + wave * u / r, sv + wave * w / r
        return np.asarray(su, np.float32), np.asarray(sv, np.float32)

    return relief


def caustics(base: Rgb, bright: Rgb, seed: int, *, period: float = 2.6, strength: float = 0.8) -> Paint:
    """The net of light on the bottom of shallow water."""
    a, b = field(seed, low=2, high=9, slope=0.6), field(seed + 1, low=2, high=11, slope=0.6)

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        first, second = look(a, u, v, period), look(b, u + 0.31, v, period * 1.1)
        net = np.exp(-np.abs(first) * np.float32(5)) + np.exp(-np.abs(second) * np.float32(5.5))
        share = np.clip(np.float32(strength) * (net * np.float32(0.55)) ** 1.6, 0, 1.2)[..., None]
        return np.asarray(base + (bright - base) * share, dtype=np.float32)

    return paint


def folds(seed: int, *, depth: float = 0.5, spacing: float = 0.5, lean: float = 0.25) -> Relief:
    """Hanging cloth: broad folds that wander, with finer ones between; slopes run across the cloth."""
    warp = field(seed, low=1, high=6, slope=1.8)

    def relief(u: Plane, v: Plane, soft: float) -> tuple[Plane, Plane]:
        u, v = np.broadcast_arrays(u, v)
        bend = look(warp, u, v * np.float32(0.55), 5.0)
        phase = (u + np.float32(lean) * v * np.float32(0.3) + bend * np.float32(0.3)) * np.float32(
            2 * math.pi / spacing
        )
        slope = (
            np.cos(phase)
            + np.float32(0.55) * np.cos(phase * np.float32(0.47) + 1.1)
            + np.float32(0.3) * np.cos(phase * np.float32(2.03))
        )
        size = np.float32(depth) * (0.8 + 0.35 * bend)
        return np.asarray(slope * size, np.float32), np.asarray(slope * size * np.float32(0.14), np.float32)

    return relief


def weave(colour: Rgb, seed: int, *, thread: float = 0.011, depth: float = 0.07) -> Paint:
    """A plain weave with slubs; it fades where threads are finer than the picture's grain."""
    slub_x = field(seed, low=8, high=256, slope=0.4, stretch=12)
    slub_y = field(seed + 1, low=8, high=256, slope=0.4, stretch=12)

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        u, v = np.broadcast_arrays(u, v)
        seen = float(np.clip(thread / max(soft, 1e-6) / 3.0 - 0.5, 0, 1))
        shade = 1 + np.float32(depth * 0.22) * (look(slub_x, u, v, 1.1) + look(slub_y, v, u, 1.1))
        if seen > 0:
            k = np.float32(2 * math.pi / thread)
            shade = shade + np.float32(depth * seen) * np.sin(u * k) * np.sin(v * k)
        return np.asarray(shade[..., None] * colour, dtype=np.float32)

    return paint


def tiles(
    glaze: Rgb,
    joint: Rgb,
    seed: int,
    *,
    width: float = 0.5,
    height: float = 0.25,
    gap: float = 0.012,
    stagger: float = 0.5,
    spread: float = 0.05,
) -> Paint:
    """Glazed tiles in courses, each a little different, with softened joints."""
    rng = np.random.default_rng(seed)
    tones = rng.normal(0, spread, 251).astype(np.float32)

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        u, v = np.broadcast_arrays(u, v)
        course = np.floor(v / np.float32(height))
        x = u / np.float32(width) + (course % 2) * np.float32(stagger)
        column = np.floor(x)
        pick = (course * 37 + column * 11).astype(np.int64) % 251
        edge = np.minimum(0.5 - np.abs(x - column - 0.5), 1.0) * np.float32(width)
        edge = np.minimum(edge, (0.5 - np.abs(v / np.float32(height) - course - 0.5)) * np.float32(height))
        solid = smoothstep(gap * 0.5 - soft, gap * 0.5 + soft * 1.5, edge)[..., None]
        tone = (1 + tones[pick])[..., None] * glaze
        return np.asarray(joint + (tone - joint) * solid, dtype=np.float32)

    return paint


def tile_relief(
    *,
    width: float = 0.5,
    height: float = 0.25,
    gap: float = 0.012,
    stagger: float = 0.5,
    wobble: float = 0.05,
    seed: int = 1,
) -> Relief:
    """Pillowed edges of tiles, and the unevenness of handmade glaze."""
    du, dv = _slopes_of(field(seed, low=1, high=9, slope=1.0))
    scale = np.float32(wobble / max(float(du.std()), 1e-6))
    edge = 0.03

    def relief(u: Plane, v: Plane, soft: float) -> tuple[Plane, Plane]:
        u, v = np.broadcast_arrays(u, v)
        course = np.floor(v / np.float32(height))
        x = u / np.float32(width) + (course % 2) * np.float32(stagger)
        ax = (x - np.floor(x) - np.float32(0.5)) * np.float32(width)
        ay = (v / np.float32(height) - course - np.float32(0.5)) * np.float32(height)
        rx = smoothstep(width / 2 - edge, width / 2, np.abs(ax)) * np.sign(ax)
        ry = smoothstep(height / 2 - edge, height / 2, np.abs(ay)) * np.sign(ay)
        return look(du, u, v, 1.3) * scale - rx * np.float32(0.5), look(dv, u, v, 1.3) * scale - ry * np.float32(0.5)

    return relief


def printed(first: Rgb, second: Rgb, shape: Callable[[Plane, Plane, float], Plane]) -> Paint:
    """A two-colour print: ``shape`` gives the share of the second colour, already softened."""

    def paint(u: Plane, v: Plane, soft: float) -> Plane:
        u, v = np.broadcast_arrays(u, v)
        share = shape(u, v, soft)[..., None]
        return np.asarray(first + (second - first) * share, dtype=np.float32)

    return paint
