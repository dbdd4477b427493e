"""The probe's network, what it is asked about a picture, and how it is kept from taking trifles for signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

#: What is read of a picture, by its subject.
HEADS: Mapping[str, tuple[str, ...]] = {
    "set": ("setting", "light", "colour", "season", "stand_x", "distance", "stand_y", "detail"),
    "people": ("count", "age", "gender", "skin", "build", "ability", "framing", "colour", "light"),
}
#: Finer things than a caption must say: read and reported, but apart from the others.
FINER = frozenset({"stand_y", "detail"})
#: Attributes whose values are steps of a scale: a step beside the truth is less wrong than one far from it.
ORDINAL = frozenset({"skin"})

#: The side in pixels that it sees: half of a square picture's. All that is asked can be seen at that size.
SIDE = 64
_WIDTHS = (64, 96, 224)
_COLOUR, _HIDDEN, _DROP = 256, 256, 0.25


def told(facts: Mapping[str, str | int], attribute: str) -> str | None:
    """The value of an attribute as text, None where these facts have none that a picture could show."""
    value = str(facts.get(attribute, ""))
    if value in ("", "natural") or (attribute == "build" and facts.get("framing") == "portrait"):
        return None
    return value


class ProbeNet(nn.Module):
    """A small residual network with one linear head for each attribute of each subject, and one for the subject.

    Args:
        sizes: head name (``"set.colour"`` …) to the number of its values, in the order of the heads.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        super().__init__()
        self.sizes = dict(sizes)
        layers: list[nn.Module] = [_conv(5, _WIDTHS[0], 5, 4), _conv(_WIDTHS[0], _WIDTHS[0], 3, 1)]
        for before, after in pairwise(_WIDTHS):
            layers += [_conv(before, after, 3, 2), _Residual(after)]
        self.trunk = nn.Sequential(*layers)
        self.places = nn.Conv2d(_WIDTHS[-1], 24, 1)
        self.colours = nn.Sequential(
            nn.AvgPool2d(4),
            nn.Flatten(),
            nn.Linear(3 * 256, _COLOUR),
            nn.ReLU(),
            nn.Linear(_COLOUR, _COLOUR),
            nn.ReLU(),
            nn.Dropout(_DROP),
        )
        joined = _WIDTHS[-1] + 24 * 16 + _COLOUR
        self.hidden = nn.Sequential(nn.Linear(joined, _HIDDEN), nn.ReLU(), nn.Dropout(_DROP))
        self.heads = nn.Linear(_HIDDEN, sum(self.sizes.values()))
        line = torch.linspace(-1, 1, SIDE)
        self.register_buffer("grid", torch.stack(torch.meshgrid(line, line, indexing="ij"))[None], persistent=False)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Logits by head, each (B, values), of pictures (B, 3, 64, 64) in [0, 1]."""
        grid = self.get_buffer("grid").expand(len(images), -1, -1, -1)
        centred = (images - 0.5) * 4
        maps = self.trunk(torch.cat([centred, grid], dim=1).contiguous(memory_format=torch.channels_last))
        flat = torch.cat([maps.mean(dim=(2, 3)), self.places(maps).flatten(1), self.colours(centred)], dim=1)
        logits = self.heads(self.hidden(flat)).float()
        return dict(zip(self.sizes, logits.split(list(self.sizes.values()), dim=1), strict=True))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width, 3, 1)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


def _conv(before: int, after: int, size: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


def labels_of(facts: Sequence[Mapping[str, str | int]], values: Mapping[str, Sequence[str]]) -> dict[str, Tensor]:
    """For each head the index of the true value, int64 (N,); −1 where the facts have none."""
    found = {}
    for head, words in values.items():
        subject, _, attribute = head.partition(".")
        index = {word: place for place, word in enumerate(words)}
        rows = [
            index.get(told(row, attribute) or "", -1) if subject in ("any", str(row["subject"])) else -1
            for row in facts
        ]
        found[head] = torch.tensor(rows)
    return found


def loss_of(logits: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> Tensor:
    """The mean over pictures of the heads' losses together; heads of the other subject do not count."""
    total = torch.zeros(())
    for head, scores in logits.items():
        known = labels[head] >= 0
        if not bool(known.any()):
            continue
        scores, truth = scores[known], labels[head][known]
        loss = functional.cross_entropy(scores, truth, label_smoothing=0.02, reduction="sum")
        if head.partition(".")[2] in ORDINAL:
            steps = torch.arange(scores.shape[1])
            off = scores.softmax(dim=1).cumsum(dim=1) - (steps[None] >= truth[:, None]).float()
            loss = loss + 2 * off.square().sum()
        total = total + loss / len(known)
    return total


def roughened(images: Tensor, rng: np.random.Generator) -> Tensor:
    """The pictures (B, 3, H, W) in [0, 1] a little shifted, softened, brighter or darker, tinted and noisy.

    What an autoencoder or a denoiser may do to a picture must not change what the probe reads.
    """
    height, width = images.shape[2:]
    dy, dx = (int(step) for step in rng.integers(0, 3, 2))
    images = functional.pad(images, (1, 1, 1, 1), mode="replicate")[:, :, dy : dy + height, dx : dx + width]
    if rng.random() < 0.6:
        size = [round(side * float(rng.uniform(0.5, 0.95))) for side in (height, width)]
        small = functional.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
        images = functional.interpolate(small, size=(height, width), mode="bilinear", align_corners=False)
    count = len(images)
    gain = _tensor(rng.uniform(0.985, 1.015, (count, 1, 1, 1)) * rng.uniform(0.995, 1.005, (count, 3, 1, 1)))
    noise = torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))
    return (images * gain + noise * _tensor(rng.uniform(0, 0.04, (count, 1, 1, 1)))).clamp(0, 1)


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
