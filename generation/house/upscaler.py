"""The house's enlarger: small pictures to four times their size by a network, then to any size, without banding."""

from __future__ import annotations

import math

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from generation.house.blocks import residuals, silent
from proofsheet.errors import InputError

#: How many times larger the network makes a picture.
FACTOR = 4
_LARGEST, _TILE, _OVERLAP = 256 * 256, 192, 16  # in pixels of the small picture


class HouseUpscaler(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Pictures (B, 3, h, w) in [-1, 1] to (B, 3, 4h, 4w): a smooth enlargement plus the detail that it lacks.

    The detail branch starts silent: an untrained network is the smooth enlargement itself.

    Args:
        width: channels of the convolutions at the small size; half of them at twice the size.
        blocks: residual blocks at the small size.
    """

    config_name = "config.json"

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, width: int = 48, blocks: int = 6) -> None:
        super().__init__()
        self.detail = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, padding_mode="replicate"),
            residuals(width, blocks),
            nn.Conv2d(width, width * 2, 1),
            nn.PixelShuffle(2),
            residuals(width // 2, 1),
            nn.SiLU(),
            silent(nn.Conv2d(width // 2, 12, 3, padding=1, padding_mode="replicate")),
            nn.PixelShuffle(2),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """The pictures at four times their size; may leave [-1, 1] by a little."""
        height, width = pictures.shape[-2:]
        detail: Tensor = self.detail(pictures)
        return resampled(pictures.float(), width * FACTOR, height * FACTOR) + detail

    @torch.no_grad()
    def enlarge(self, pictures: Tensor, width: int, height: int, seed: int = 0) -> list[Image.Image]:
        """The pictures at an exact size in 8 bits, with noise of a level instead of bands in gradients.

        Args:
            pictures: (B, 3, h, w) in [-1, 1]; stretched if their ratio is another than the one asked for.
            width: of each picture returned, in pixels.
            height: likewise.
            seed: of the noise; the same pictures, size and seed give the same bytes.

        Raises:
            InputError: the size asked for is not positive.
        """
        if width < 1 or height < 1:
            raise InputError(f"A picture cannot be enlarged to {width} × {height} pixels.", "Ask for 1 pixel or more.")
        weights = next(self.parameters())
        found = []
        for index, picture in enumerate(pictures):
            large = self._tiled(picture[None].to(weights))
            exact = resampled(large.float().clamp(-1, 1), width, height)
            values = exact[0].movedim(0, -1).cpu().numpy() * np.float32(127.5) + np.float32(127.5)
            found.append(Image.fromarray(dithered(values, np.random.default_rng([seed, index]))))
        return found

    def _tiled(self, picture: Tensor) -> Tensor:
        """One picture (1, 3, h, w) through the network; in overlapping tiles where it is large."""
        rows, columns = picture.shape[-2:]
        if rows * columns <= _LARGEST:
            large: Tensor = self(picture)
            return large
        out = picture.new_empty(1, 3, rows * FACTOR, columns * FACTOR)
        for top in range(0, rows, _TILE):
            for left in range(0, columns, _TILE):
                above, before = min(top, _OVERLAP), min(left, _OVERLAP)
                tile = picture[..., top - above : top + _TILE + _OVERLAP, left - before : left + _TILE + _OVERLAP]
                part = self(tile)[..., above * FACTOR :, before * FACTOR :]
                into = out[..., top * FACTOR : (top + _TILE) * FACTOR, left * FACTOR : (left + _TILE) * FACTOR]
                into.copy_(part[..., : into.shape[-2], : into.shape[-1]])
        return out


def resampled(pictures: Tensor, width: int, height: int) -> Tensor:
    """Pictures (B, C, h, w) at another size: bicubic, antialiased, held between its neighbours: nothing rings."""
    rows, columns = pictures.shape[-2:]
    if (rows, columns) == (height, width):
        return pictures
    smooth = functional.interpolate(pictures, (height, width), mode="bicubic", antialias=True, align_corners=False)
    reach = (max(1, math.ceil(rows / height)), max(1, math.ceil(columns / width)))
    kernel = (2 * reach[0] + 1, 2 * reach[1] + 1)
    highest = functional.max_pool2d(pictures, kernel, stride=1, padding=reach)
    lowest = -functional.max_pool2d(-pictures, kernel, stride=1, padding=reach)
    highest, lowest = (
        functional.interpolate(some, (height, width), mode="nearest-exact") for some in (highest, lowest)
    )
    return smooth.clamp(lowest, highest)


def dithered(values: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Values of 0–255 rounded to uint8 after triangular noise of one level, which leaves their means as they were."""
    noise = rng.random(values.shape, dtype=np.float32) - rng.random(values.shape, dtype=np.float32)
    return np.asarray(np.clip(np.rint(values + noise), 0, 255), dtype=np.uint8)
