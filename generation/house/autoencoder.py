"""The house autoencoder: pictures to latents an eighth of their size and back, in the shape diffusers expects.

Its spine is linear: the principal components of 8 × 8 patches. Convolutions correct what the spine loses and look
across patch borders; they start silent, so an untrained network is exactly as good as the components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional

from generation.house.blocks import residuals, silent
from proofsheet.errors import InputError

#: Pixels to a side of the patch that one latent position stands for.
PATCH = 8
_SEAM = 0.07  # of 2: a step as large is half an edge


@dataclass(frozen=True, slots=True)
class Certain:
    """The distribution of a deterministic encoder: all of it in one point. Latents (B, C, H/8, W/8)."""

    latent: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """The latent; the generator is taken for the sake of diffusers' pipelines and not used."""
        return self.latent

    def mode(self) -> Tensor:
        """The latent."""
        return self.latent


class Encoded(NamedTuple):
    """What ``encode`` returns, named as in diffusers."""

    latent_dist: Certain


class Decoded(NamedTuple):
    """What ``decode`` returns: pictures (B, 3, H, W), by name and by number as in diffusers."""

    sample: Tensor


class HouseAutoencoder(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Pictures (B, 3, H, W) in [-1, 1] to latents (B, ``latent_channels``, H/8, W/8) of about unit spread, and back.

    Stands in for diffusers' ``AutoencoderKL`` in Stable Diffusion pipelines. Encoding is deterministic. The latent's
    scales are kept as buffers, so ``scaling_factor`` stays 1.

    Args:
        latent_channels: numbers kept for each 8 × 8 patch of 192.
        block_out_channels: width of the convolutions at the full, half, quarter and eighth size.
        encoder_blocks: residual blocks of the encoder at the quarter and the eighth size.
        decoder_blocks: residual blocks of the decoder at the half, the quarter and the eighth size.
        scaling_factor: read by the pipelines; 1.
        force_upcast: read by the pipelines; the network is content with any precision.
        sample_size: side of the pictures it was trained on.
    """

    config_name = "config.json"

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        latent_channels: int = 16,
        block_out_channels: tuple[int, int, int, int] = (16, 32, 64, 128),
        encoder_blocks: tuple[int, int] = (2, 1),
        decoder_blocks: tuple[int, int, int] = (1, 2, 2),
        scaling_factor: float = 1.0,
        force_upcast: bool = False,
        sample_size: int = 128,
    ) -> None:
        super().__init__()
        full, half, quarter, eighth = block_out_channels
        self.project = nn.Conv2d(3 * PATCH**2, latent_channels, 1)
        self.unproject = nn.Conv2d(latent_channels, 3 * PATCH**2, 1)
        self.correct = nn.Sequential(
            nn.Conv2d(3, quarter, 4, stride=4),
            residuals(quarter, encoder_blocks[0]),
            nn.Conv2d(quarter, eighth, 2, stride=2),
            residuals(eighth, encoder_blocks[1]),
            nn.SiLU(),
            silent(nn.Conv2d(eighth, latent_channels, 1)),
        )
        self.refine = nn.Sequential(
            nn.Conv2d(latent_channels, eighth, 3, padding=1),
            residuals(eighth, decoder_blocks[2]),
            nn.Conv2d(eighth, quarter * 4, 1),
            nn.PixelShuffle(2),
            residuals(quarter, decoder_blocks[1]),
            nn.Conv2d(quarter, half * 4, 1),
            nn.PixelShuffle(2),
            residuals(half, decoder_blocks[0]),
            nn.Conv2d(half, full * 4, 1),
            nn.PixelShuffle(2),
        )
        self.finish = nn.Sequential(
            nn.Conv2d(full + 3, full, 3, padding=1, padding_mode="replicate"),
            nn.SiLU(),
            silent(nn.Conv2d(full, 3, 3, padding=1, padding_mode="replicate")),
        )
        self.register_buffer("channel_scale", torch.ones(latent_channels))
        self.register_buffer("shift", torch.zeros(latent_channels))
        self.register_buffer("gain", torch.ones(1))

    def raw_latent(self, pictures: Tensor) -> Tensor:
        """The latent before the final shift and gain: pictures (B, 3, H, W) → (B, C, H/8, W/8).

        Raises:
            InputError: height or width is no multiple of 8.
        """
        height, width = pictures.shape[-2:]
        if height % PATCH or width % PATCH:
            raise InputError(
                f"A picture of {width} × {height} pixels cannot be encoded: both sides must be multiples of {PATCH}.",
                "Crop or enlarge the picture first.",
            )
        spine = self.project(functional.pixel_unshuffle(pictures, PATCH)) / _channels(self.channel_scale)
        corrected: Tensor = spine + self.correct(pictures)
        return corrected

    def encode(self, x: Tensor, return_dict: bool = True) -> Encoded:
        """The latents of pictures (B, 3, H, W) in [-1, 1]; sides multiples of 8. The answer is a tuple either way."""
        return Encoded(Certain((self.raw_latent(x) - _channels(self.shift)) / self.gain))

    def decode(self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None) -> Decoded:
        """The pictures (B, 3, H, W), about [-1, 1], of latents (B, C, H/8, W/8).

        The answer is a tuple either way, and the generator is not used: both are what diffusers' pipelines pass.
        Small steps from one 8 × 8 patch to the next, as drawn latents have them in what ought to be even, are made
        slopes.
        """
        return Decoded(without_seams(self.picture_of(z * self.gain + _channels(self.shift))))

    def picture_of(self, raw: Tensor) -> Tensor:
        """The pictures of latents as ``raw_latent`` gives them."""
        base = functional.pixel_shuffle(self.unproject(raw * _channels(self.channel_scale)), PATCH)
        finer = torch.cat([functional.silu(self.refine(raw)), base], dim=1)
        picture: Tensor = base + self.finish(finer)
        return picture

    def forward(self, sample: Tensor) -> Tensor:
        """Pictures through the latent and back."""
        return self.picture_of(self.raw_latent(sample))

    @torch.no_grad()
    def start_from(self, pictures: Sequence[Tensor]) -> None:
        """Set the linear spine to the principal components of these pictures' patches: each (B, 3, H, W) in [-1, 1].

        Channels are divided by the square root of their spread, not by the spread itself: the coarse ones keep more
        of the denoiser's attention than the fine ones.
        """
        patches = torch.cat([_points(functional.pixel_unshuffle(some, PATCH)) for some in pictures]).double()
        middle = patches.mean(dim=0)
        patches -= middle
        spreads, axes = torch.linalg.eigh(patches.T @ patches / len(patches))
        axes = axes.flip(1)[:, : self.config.latent_channels]
        spreads = spreads.flip(0)[: self.config.latent_channels].clamp_min(1e-8).sqrt()
        _fill(self.project, axes.T, -(axes.T @ middle))
        _fill(self.unproject, axes, middle)
        self.channel_scale.copy_(spreads.sqrt() * spreads.mean().sqrt())

    @torch.no_grad()
    def settle(self, pictures: Sequence[Tensor]) -> None:
        """Set shift and gain so that the latents of these pictures have mean 0 a channel and overall spread 1."""
        points = torch.cat([_points(self.raw_latent(some)) for some in pictures])
        self.shift.copy_(points.mean(dim=0))
        self.gain.copy_((points - self.shift).square().mean().sqrt().clamp_min(1e-6))


def without_seams(pictures: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) in about [-1, 1] whose small steps between patches are spread over half a patch each way.

    As in video decoding (List et al., 2003: adaptive deblocking filter), steps that are large are taken for edges and
    stay: what counts is how a step compares with ``_SEAM``.
    """
    for _ in range(2):
        pictures = _seams_spread(pictures).transpose(2, 3)
    return pictures


def _seams_spread(pictures: Tensor) -> Tensor:
    """The steps between neighbouring columns of patches, spread."""
    columns = pictures.shape[3] // PATCH
    if columns < 2:
        return pictures
    patches = pictures.reshape(*pictures.shape[:3], columns, PATCH)
    step = patches[..., 1:, 0] - patches[..., :-1, -1]
    step = step * torch.exp(-(step.abs().amax(dim=1, keepdim=True) / _SEAM).square())
    slope = 0.5 - (torch.arange(PATCH // 2, device=step.device, dtype=step.dtype) + 0.5) / PATCH
    near = step[..., None] * slope  # from the seam outwards
    still = torch.zeros_like(near)
    right = torch.cat([still[..., :1, :], near], dim=-2)
    left = torch.cat([near, still[..., :1, :]], dim=-2)
    change = torch.cat([-right, left.flip(-1)], dim=-1)
    spread: Tensor = (patches + change).flatten(3)
    return spread


def _channels(values: Tensor) -> Tensor:
    return values.view(1, -1, 1, 1)


def _fill(layer: nn.Conv2d, matrix: Tensor, bias: Tensor) -> None:
    layer.weight.copy_(matrix[..., None, None])
    if layer.bias is not None:
        layer.bias.copy_(bias)


def _points(maps: Tensor) -> Tensor:
    return maps.movedim(1, -1).flatten(0, 2)
