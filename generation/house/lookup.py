"""Scenes looked up: what each thing looks like at each place, learnt as grids, put together cell by cell.

A small network that draws a whole latent from words at once has to keep every scene in its layers. Here what belongs
to one word is kept in a grid of its own, as of a stage set: a backdrop's grids lie over the large picture that its
crops are taken from, and are sampled inside the crop; a figure's grids are as large as the latent. Two layers for each
cell, told of the colours and lights by FiLM (Perez et al., 2018), make the latent of what is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from generation.house.choices import (
    COLOURS,
    DETAILS,
    NATURAL,
    SETTINGS,
    SUBJECTS,
    Facts,
    nth,
    share_below,
)
from generation.house.framing import MASTER, SHAPES, part_of_master, stand_at

#: Heights and widths of the latents of each shape.
CELLS = {name: (shape.height // 8, shape.width // 8) for name, shape in SHAPES.items()}

_SET = SUBJECTS["set"]
_PEOPLE = SUBJECTS["people"]
_STAGES = [(setting, detail) for setting in SETTINGS for detail in DETAILS.get(setting, ("", ("",)))[1]]
_GRID = (56, 100)  # cells of a backdrop's grid: 8 pixels each
_SAMPLES = 2  # to a side of a latent's cell
_GROUPS = [("portrait", "1", age, gender, "") for age in _PEOPLE["age"] for gender in _PEOPLE["gender"]] + [
    ("figure", count, age, gender, build)
    for count in _PEOPLE["count"]
    for age in _PEOPLE["age"]
    for gender in _PEOPLE["gender"]
    for build in _PEOPLE["build"]
]
_STYLES, _PROPS, _CLOTHES, _HAIRS = 2, 2, 5, 3
_SILVER, _NOBODY = _HAIRS, _HAIRS + 1
#: Numbers of the noise by which renderers choose: the wall's lightness (of backdrops where the stand is), what stands
#: there, the first cloth, and for each person hair and style.
_WALL_SLOT, _PROP_SLOT, _CLOTH_SLOT = 0, 1, 18
_HAIR_SLOTS, _STYLE_SLOTS = (19, 26, 34), (20, 27, 35)
BY_RENDERERS = (_WALL_SLOT, _PROP_SLOT, _CLOTH_SLOT, *_HAIR_SLOTS, *_STYLE_SLOTS)


class Layers(nn.Module):
    """Two layers for each cell, modulated by a vector made of a few codes and numbers.

    Args:
        found: numbers found for each cell.
        codes: how many values each code has.
        numbers: that the modulation hears beside the codes.
        hidden: width of the layers.
        channels: of the latent.
    """

    def __init__(self, found: int, codes: Sequence[int], numbers: int, hidden: int, channels: int) -> None:
        super().__init__()
        width, told = 40, 2 * hidden
        self.words = nn.ModuleList(nn.Embedding(count, width) for count in codes)
        self.told = nn.Sequential(
            nn.Linear(width * len(codes) + numbers, told), nn.SiLU(), nn.Linear(told, told), nn.SiLU()
        )
        self.film = nn.Linear(told, 4 * hidden)
        self.enter, self.mix = nn.Linear(found, hidden), nn.Linear(hidden, hidden)
        self.leave, self.whole = nn.Linear(hidden, channels), nn.Linear(told, channels)

    def forward(self, found: Tensor, codes: Tensor, numbers: Tensor) -> Tensor:
        """What is found (B, F, h, w), codes (B, n) and numbers (B, m) to a latent (B, C, h, w)."""
        height, width = found.shape[2:]
        words = [table(codes[:, place]) for place, table in enumerate(self.words)]
        told = self.told(torch.cat([*words, numbers], dim=1))
        one, two, three, four = self.film(told)[:, None].chunk(4, dim=2)
        cells = found.flatten(2).transpose(1, 2)
        cells = functional.silu(self.enter(cells) * (1 + one) + two)
        cells = functional.silu(self.mix(cells) * (1 + three) + four)
        latent: Tensor = (self.leave(cells) + self.whole(told)[:, None]).transpose(1, 2).unflatten(2, (height, width))
        return latent


class Backdrops(nn.Module):
    """Backdrops, of any place, distance and shape from the same grids; channels of the latent as given."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stages = _grid(len(_STAGES), 16, _GRID)
        self.lights = _grid(len(_SET["light"]), 8, _GRID)
        self.seasons = nn.ParameterDict({name: _grid(len(_SET["season"]), 8, CELLS[name]) for name in SHAPES})
        counts = (len(_STAGES), len(_SET["light"]), len(COLOURS) + 1, len(_SET["season"]))
        self.layers = Layers((16 + 8) * _SAMPLES**2 + 8, counts, 2, 128, channels)

    def forward(self, facts: Sequence[Facts], numbers: Tensor, shape: str) -> Tensor:
        """The latents (B, C, h, w) of whole facts and the numbers of the noise (B, n)."""
        rows = [_seen(row, float(lead), shape) for row, lead in zip(facts, numbers[:, 0].tolist(), strict=True)]
        codes = torch.tensor([row[0] for row in rows], device=numbers.device)
        boxes = torch.tensor([row[1] for row in rows], device=numbers.device)  # places want single precision
        places, kind = _places(boxes, CELLS[shape]), self.stages.dtype
        found = torch.cat([_sampled(self.stages, codes[:, 0], places), _sampled(self.lights, codes[:, 1], places)], 1)
        found = functional.pixel_unshuffle(found, _SAMPLES).to(kind)
        found = torch.cat([found, self.seasons[shape][codes[:, 3]]], dim=1)
        latent: Tensor = self.layers(found, codes, (boxes[:, 2:] - boxes[:, :2]).to(kind))
        return latent


class Figures(nn.Module):
    """Illustrated people, of whom each shape has its own grids; channels of the latent as given."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        groups = len(_GROUPS)
        counts = {
            "group": (groups, 16),
            "ability": (len(_PEOPLE["ability"]) * groups, 8),
            **{f"hair{person}": (_STYLES * groups + 1, 8) for person in range(len(_HAIR_SLOTS))},
            "prop": (_PROPS * 2, 6),
            "light": (len(_PEOPLE["light"]) * 2, 4),
        }
        self.grids = nn.ModuleDict(
            {
                shape: nn.ParameterDict(
                    {name: _grid(count, depth, CELLS[shape]) for name, (count, depth) in counts.items()}
                )
                for shape in ("square", "tall")
            }
        )
        self.order = tuple(counts)
        told = (groups, len(_PEOPLE["light"]) * 2, len(_PEOPLE["skin"]), len(COLOURS), _CLOTHES,
                _CLOTHES * len(COLOURS), *[_NOBODY + 1] * len(_HAIR_SLOTS))  # fmt: skip
        self.layers = Layers(sum(depth for _, depth in counts.values()), told, 1, 192, channels)

    def forward(self, facts: Sequence[Facts], numbers: Tensor, shape: str) -> Tensor:
        """The latents (B, C, h, w) of whole facts and the numbers of the noise (B, n).

        Wide shapes have no grids of their own: the square stands in their middle, and the wall goes on to both sides.
        """
        grids = cast(nn.ParameterDict, self.grids[shape if shape in self.grids else "square"])
        rows = [_drawn(row, one) for row, one in zip(facts, numbers.tolist(), strict=True)]
        places = torch.tensor([row[0] for row in rows], device=numbers.device)
        codes = torch.tensor([row[1] for row in rows], device=numbers.device)
        found = torch.cat([grids[name][places[:, column]] for column, name in enumerate(self.order)], dim=1)
        latent: Tensor = self.layers(found, codes, numbers[:, _WALL_SLOT : _WALL_SLOT + 1].to(found.dtype))
        if shape not in self.grids:
            height, width = CELLS[shape]
            latent = functional.interpolate(latent, (height, height), mode="bilinear", align_corners=False)
            left = (width - height) // 2
            latent = functional.pad(latent, (left, width - height - left, 0, 0), mode="replicate")
        return latent


def _grid(count: int, depth: int, cells: tuple[int, int]) -> nn.Parameter:
    return nn.Parameter(torch.randn(count, depth, *cells) * 0.1)


def _seen(facts: Facts, lead: float, shape: str) -> tuple[list[int], list[float]]:
    """The codes of a backdrop, and the part of the large picture that is seen of it, as shares of its size."""
    words = {name: str(facts[name]) for name in _SET}
    colour = len(COLOURS) if words["colour"] == NATURAL else COLOURS.index(words["colour"])
    codes = [
        _STAGES.index((words["setting"], words["detail"])),
        _SET["light"].index(words["light"]),
        colour,
        _SET["season"].index(words["season"]),
    ]
    taught = SHAPES[shape]
    stand = stand_at(words["stand_x"], words["stand_y"], words["distance"], share_below(lead))
    box = part_of_master(*stand, taught.width / taught.height)
    return codes, [value / size for value, size in zip(box, (*MASTER, *MASTER), strict=True)]


def _drawn(facts: Facts, numbers: Sequence[float]) -> tuple[list[int], list[int]]:
    """Where in each grid a picture of people is found, and its codes."""
    words = {name: str(facts[name]) for name in _PEOPLE}
    figure = words["framing"] == "figure"
    build = words["build"] if figure else ""
    group = _GROUPS.index((words["framing"], words["count"], words["age"], words["gender"], build))
    there = [person < int(words["count"]) for person in range(len(_HAIR_SLOTS))]
    styles = [nth(numbers[slot], _STYLES) for slot in _STYLE_SLOTS]
    tones = [_SILVER if words["age"] == "older" else nth(numbers[slot], _HAIRS) for slot in _HAIR_SLOTS]
    light = _PEOPLE["light"].index(words["light"]) * 2 + figure
    wall, cloth = COLOURS.index(words["colour"]), nth(numbers[_CLOTH_SLOT], _CLOTHES)
    places = [
        group,
        _PEOPLE["ability"].index(words["ability"]) * len(_GROUPS) + group,
        *[
            style * len(_GROUPS) + group if here else _STYLES * len(_GROUPS)
            for style, here in zip(styles, there, strict=True)
        ],
        nth(numbers[_PROP_SLOT], _PROPS) * 2 + figure,
        light,
    ]
    codes = [group, light, _PEOPLE["skin"].index(words["skin"]), wall, cloth, cloth * len(COLOURS) + wall,
             *[tone if here else _NOBODY for tone, here in zip(tones, there, strict=True)]]  # fmt: skip
    return places, codes


def _places(boxes: Tensor, cells: tuple[int, int]) -> Tensor:
    """Where boxes (B, 4: left, top, right, bottom, 0–1) are sampled: (B, h · samples, w · samples, 2) in −1 … 1."""
    height, width = (_SAMPLES * side for side in cells)
    across = (torch.arange(width, device=boxes.device, dtype=boxes.dtype) + 0.5) / width
    down = (torch.arange(height, device=boxes.device, dtype=boxes.dtype) + 0.5) / height
    x = boxes[:, 0:1] + (boxes[:, 2:3] - boxes[:, 0:1]) * across
    y = boxes[:, 1:2] + (boxes[:, 3:4] - boxes[:, 1:2]) * down
    grid = torch.stack([x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=3)
    return grid * 2 - 1


def _sampled(grids: Tensor, which: Tensor, places: Tensor) -> Tensor:
    """One of the grids (n, D, H, W) for each row, sampled at its places (B, h, w, 2): (B, D, h, w)."""
    order = torch.argsort(which)
    parts = []
    for kind in sorted(set(which.tolist())):
        rows = order[which[order] == kind]
        height, width = places.shape[1:3]
        found = functional.grid_sample(
            grids[kind : kind + 1].float(),
            places[rows].reshape(1, -1, width, 2),
            mode="bilinear",
            padding_mode="border",
            align_corners=False,
        )
        parts.append(found.view(grids.shape[1], len(rows), height, width).transpose(0, 1))
    back = torch.empty_like(order)
    back[order] = torch.arange(len(order), device=order.device)
    return torch.cat(parts)[back]
