"""Samples from a denoiser in training, drawn as the finished pipelines draw them but without their detours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from generation.house.autoencoder import HouseAutoencoder
from generation.house.transformer import HouseTransformer
from training.budget import half
from training.solvers import solver

if TYPE_CHECKING:
    from training.captions import Teller


@torch.no_grad()
def draw_latents(
    unet: HouseTransformer, text: Tensor, nothing: Tensor, noise: Tensor, steps: int = 8, guidance: float = 1.5
) -> Tensor:
    """Latents (B, 16, h, w) drawn from ``noise`` of the same shape, guided away from ``nothing``."""
    scheduler = solver()
    scheduler.set_timesteps(steps)
    latent, states = noise, torch.cat([nothing, text])
    for time in scheduler.timesteps:
        times = torch.full((2 * len(noise),), float(time) / 1000, device=noise.device)
        with half(noise.device):
            away, towards = unet.velocity(torch.cat([latent, latent]), times, states).float().chunk(2)
        latent = scheduler.step(away + guidance * (towards - away), time, latent).prev_sample
    return latent


@torch.no_grad()
def draw_sheet(
    unet: HouseTransformer,
    autoencoder: HouseAutoencoder,
    teller: Teller,
    texts: Sequence[str],
    shape: tuple[int, int, int],
    columns: int = 8,
) -> Image.Image:
    """One picture of each text, side by side; always from the same noise.

    Args:
        unet, autoencoder, teller: the model.
        texts: the captions.
        shape: of one latent: channels, height, width.
        columns: pictures in a row.
    """
    noise = torch.randn((len(texts), *shape), generator=torch.Generator().manual_seed(3)).to(teller.device)
    latents = draw_latents(unet, teller.states(texts), teller.states([""] * len(texts)), noise)
    pictures = autoencoder.decode(latents, return_dict=False)[0]
    return sheet(((pictures.clamp(-1, 1) + 1) * 127.5).round().byte().movedim(1, 3).cpu().numpy(), columns)


def sheet(pictures: np.ndarray[Any, np.dtype[np.uint8]], columns: int = 8) -> Image.Image:
    """Pictures (N, H, W, 3) in rows of ``columns``, with thin gaps."""
    count, height, width, _ = pictures.shape
    gap, rows = 2, -(-count // columns)
    whole = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for place, picture in enumerate(pictures):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        whole[top : top + height, left : left + width] = picture
    return Image.fromarray(whole)
