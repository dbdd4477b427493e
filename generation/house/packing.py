"""The latent as diffusers' pipelines see it: packed, 4 channels at a quarter of the picture's size.

``StableDiffusionInpaintPipeline`` of diffusers 0.42 refuses every denoiser that does not say it has 4 or 9 input
channels, and text to image takes the number of latent channels from the denoiser. Our latent has 16 channels at an
eighth of the picture's size. Packed it holds the same numbers in another order: a pixel shuffle, undone at the
denoiser's door and at ``PackedAutoencoder``'s. Nothing is computed at the larger size.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor
from torch.nn import functional

from generation.house.autoencoder import HouseAutoencoder

#: Side of the square of packed positions that hold one position of the latent.
PACK = 2


def packed(latent: Tensor) -> Tensor:
    """A latent (B, 16, H/8, W/8) as the pipelines see it: (B, 4, H/4, W/4)."""
    return functional.pixel_shuffle(latent, PACK)


def unpacked(latent: Tensor) -> Tensor:
    """The opposite of ``packed``: (B, 4, H/4, W/4) to (B, 16, H/8, W/8)."""
    return functional.pixel_unshuffle(latent, PACK)


class PackedAutoencoder(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """The house autoencoder with packed latents, for the pipelines of diffusers.

    Args:
        latent_channels: of the packed latent.
        block_out_channels: only its length is read, by the pipelines: three for a quarter of the picture's size.
        inner: the settings of the ``HouseAutoencoder`` inside.
        scaling_factor: 1, read by the pipelines.
        force_upcast: read by the pipelines.
    """

    config_name = "config.json"

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        latent_channels: int = 4,
        block_out_channels: tuple[int, ...] = (32, 64, 128),
        inner: dict[str, Any] | None = None,
        scaling_factor: float = 1.0,
        force_upcast: bool = False,
    ) -> None:
        super().__init__()
        self.network = HouseAutoencoder(**(inner or {}))

    @classmethod
    def around(cls, autoencoder: HouseAutoencoder) -> PackedAutoencoder:
        """This autoencoder, packed; its weights are shared."""
        settings = {name: value for name, value in autoencoder.config.items() if not name.startswith("_")}
        channels = settings["latent_channels"] // PACK**2
        outer: PackedAutoencoder = cls(latent_channels=channels, inner=settings)
        outer.network = autoencoder
        return outer

    def encode(self, x: Tensor, return_dict: bool = True) -> Any:
        """The packed latents of pictures (B, 3, H, W) in [-1, 1]; sides multiples of 8."""
        found = self.network.encode(x, return_dict=False)[0]
        latent = type(found)(packed(found.mode()))
        return SimpleNamespace(latent_dist=latent) if return_dict else (latent,)

    def decode(self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None) -> Any:
        """The pictures (B, 3, H, W), about [-1, 1], of packed latents."""
        return self.network.decode(unpacked(z), return_dict=return_dict)

    def forward(self, sample: Tensor) -> Tensor:
        """Pictures through the latent and back."""
        return self.network(sample)  # type: ignore[no-any-return]
