"""The first stage: the autoencoder, from the principal components of patches to convolutions that mend their faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.house.autoencoder import HouseAutoencoder
from training.budget import Budget, Training, device_of, half, section_of
from training.dataset import Data, Shard
from training.progress import Progress

Images = NDArray[np.uint8]
_FIT = 768  # pictures that the principal components are taken from


def train_autoencoder(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train the autoencoder and write it to ``out/autoencoder`` as diffusers saves a model, in half precision.

    Args:
        config: section ``autoencoder``: ``seconds``, ``steps``, ``threads``, ``rate``, ``batch`` (squares of 128 px a
            step), ``channels`` (of the latent), ``seed``, ``noise`` (largest noise the decoder learns to bear, in
            units of the latent's spread).
        data: renders; the split ``"train"`` is read.
        out: folder of the run.
        report: hears how far it is.
    """
    section = section_of(config, "autoencoder")
    device, folder = device_of(section), out / "autoencoder"
    shards, seed = data.shards("train"), int(section.get("seed", 1))
    torch.manual_seed(seed)
    model = HouseAutoencoder(latent_channels=int(section.get("channels", 16)))
    sample = sample_pictures(shards, _FIT, seed)
    model.start_from(sample)
    model.to(device).to(memory_format=torch.channels_last)
    training = Training(model, Budget.of(section), folder)
    training.resume()
    training.run(_lesson(model, shards, section, seed, device), report)
    best = training.average
    best.to("cpu").to(memory_format=torch.contiguous_format)
    best.settle(sample)
    best.half().save_pretrained(folder)


def polish_decoder(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train the decoder further, with the encoder as it is: latents stay what they are, pictures of them get better.

    Writes ``out/autoencoder`` anew; its own checkpoint is in ``out/decoder``.

    Args:
        config: section ``decoder``, like ``autoencoder``.
        data: renders; the split ``"train"`` is read.
        out: folder of the run.
        report: hears how far it is.
    """
    section = section_of(config, "decoder")
    device, folder = device_of(section), out / "autoencoder"
    shards, seed = data.shards("train"), int(section.get("seed", 3))
    model: HouseAutoencoder = HouseAutoencoder.from_pretrained(folder, dtype=torch.float32)
    model.to(device).to(memory_format=torch.channels_last).train()
    for part in (model.project, model.correct):
        part.requires_grad_(False)
    training = Training(model, Budget.of(section), out / "decoder")
    training.resume()
    training.run(_lesson(model, shards, section, seed, device), report)
    training.average.to("cpu").to(memory_format=torch.contiguous_format).half().save_pretrained(folder)


def _lesson(
    model: HouseAutoencoder, shards: Sequence[Shard], section: Mapping[str, Any], seed: int, device: torch.device
) -> Callable[[int], Tensor]:
    """The loss of a step by its number: pictures through the latent and back."""
    batch, noise = int(section.get("batch", 16)), float(section.get("noise", 0.2))

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step])
        pictures = as_tensor(pick(shards, batch, rng)).to(device)
        with half(device):
            seen = model.picture_of(shaken(model.raw_latent(pictures), noise, rng))
        return picture_loss(seen.float(), pictures)

    return loss_of


def as_tensor(images: Images) -> Tensor:
    """Pictures (N, H, W, 3) of 0–255 as float32 (N, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.array(images)).movedim(3, 1).float().div_(127.5).sub_(1)


def sample_pictures(shards: Sequence[Shard], count: int, seed: int) -> list[Tensor]:
    """About ``count`` pictures, evenly from all shards: one tensor (N, 3, H, W) a shard, the same for the same seed."""
    total = sum(len(shard.images) for shard in shards)
    rng = np.random.default_rng([seed, 404])
    found = []
    for shard in shards:
        size = min(len(shard.images), max(4, round(count * len(shard.images) / total)))
        found.append(as_tensor(shard.images[np.sort(rng.choice(len(shard.images), size, replace=False))]))
    return found


def pick(shards: Sequence[Shard], batch: int, rng: np.random.Generator) -> Images:
    """A batch from one shard, drawn by its number of pictures; as many pixels as ``batch`` squares of 128; mirrored at
    random."""
    weights = np.array([len(shard.images) for shard in shards], np.float64)
    images = shards[int(rng.choice(len(shards), p=weights / weights.sum()))].images
    size = max(1, round(batch * 128 * 128 / (images.shape[1] * images.shape[2])))
    chosen = np.asarray(images[np.sort(rng.integers(len(images), size=size))])
    return chosen[:, :, ::-1] if rng.random() < 0.5 else chosen


def shaken(raw: Tensor, noise: float, rng: np.random.Generator) -> Tensor:
    """The latents with noise on every second picture, of a random strength up to ``noise`` of their overall spread:
    what a denoiser leaves must decode cleanly."""
    strength = torch.from_numpy(
        rng.uniform(0, noise, (len(raw), 1, 1, 1)) * (np.arange(len(raw)) % 2)[:, None, None, None]
    )
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    grain = torch.randn(raw.shape, generator=generator)
    return raw + (grain * strength.float()).to(raw.device) * raw.detach().float().std()


def picture_loss(seen: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute error of the pictures and of their edges, and some squared error against large faults."""
    fault = seen - wanted
    edges = fault.diff(dim=2).abs().mean() + fault.diff(dim=3).abs().mean()
    return fault.abs().mean() + 0.5 * edges + 3.0 * fault.square().mean()


@torch.no_grad()
def reconstruction_quality(
    model: HouseAutoencoder, images: Images, groups: Sequence[str] = (), batch: int = 16
) -> dict[str, Any]:
    """How well pictures come back from the latent, rounded to 8 bits.

    Args:
        model: the autoencoder.
        images: pictures (N, H, W, 3) of 0–255, one shape.
        groups: a name for each picture, such as its setting.
        batch: pictures at a time.

    Returns:
        PSNR in dB: ``mean``, ``worst_tenth`` (the mean of it), ``least``, and ``by_group`` (mean of each group).
    """
    values: list[float] = []
    for start in range(0, len(images), batch):
        wanted = as_tensor(images[start : start + batch])
        seen = model(wanted).clamp(-1, 1).add(1).mul(127.5).round().div(127.5).sub(1)
        fault = (seen - wanted).square().mean(dim=(1, 2, 3)).clamp_min(1e-7)
        values += (10 * torch.log10(4 / fault)).tolist()
    ordered = np.sort(np.array(values))
    found: dict[str, list[float]] = {}
    for name, value in zip(groups, values, strict=False):
        found.setdefault(name, []).append(value)
    return {
        "mean": float(ordered.mean()),
        "worst_tenth": float(ordered[: max(1, len(ordered) // 10)].mean()),
        "least": float(ordered[0]),
        "by_group": {name: float(np.mean(some)) for name, some in sorted(found.items())},
    }
