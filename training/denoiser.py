"""Trains the house denoiser: flow matching in the autoencoder's latents, told what to draw by the house CLIP's text.

What was measured on two CPU cores, as the loss on held-out pictures after equal time: a transformer over 64 tokens with
4 million parameters and batches of 32, its matrices trained by Muon (Jordan, 2024), is after 2 minutes where a
convolutional U-Net with 13 million, batches of 64 and AdamW is after 10. Most of that is size and batch: in an hour of
two cores a small network sees enough pictures, and a large one does not.

Its sketch (``generation.house.sketch``) is trained first and alone, see ``training.sketching``, and stays as it is: the
transformer learns what the sketch lacks.

The noise of a pair is not independent of the picture but carries what the caption leaves open, see
``training.coupling``; only pairs whose caption is left out whole, and a quarter of those with less noise, keep plain
noise.

Captions are padded to the full context with ``<pad>``, and the denoiser attends to the padding, because diffusers'
pipelines do the same when they draw.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from generation.house.autoencoder import HouseAutoencoder
from generation.house.transformer import HouseTransformer, spread_of
from proofsheet.errors import StateError
from training.budget import Budget, Training, half, section_of
from training.captions import Teller
from training.coupling import ALWAYS, COUPLED, told_by_noise, written
from training.dataset import Data
from training.latents import LatentShard, encode_data
from training.preview import draw_sheet
from training.progress import Progress
from training.sketching import heard_and_seen, weights_of

DEFAULTS: Mapping[str, Any] = {
    "seconds": 3600,
    "batch": 32,
    "seed": 11,
    "rate": 2e-3,
    "warm_steps": 60,
    "last_rate": 0.02,
    "decay": 0.998,
    "square": 0.7,  # share of batches that are square
    "empty": 0.1,  # share of captions left out whole, for guidance and negative prompts
    "sparse": 0.25,  # share of captions that leave parts out
    "spread": 0.8,  # share of times drawn logit-normally; the others evenly from the noisy end
    "width": 160,
    "layers": 6,
    "heads": 4,
    "check_seconds": 300,
    "check_pictures": 256,
}


def new_denoiser(section: Mapping[str, Any], text_width: int, channels: int = 16) -> HouseTransformer:
    """An untrained denoiser of the section's ``width``, ``layers`` and ``heads``."""
    network: HouseTransformer = HouseTransformer(
        in_channels=channels // 4,
        out_channels=channels // 4,
        width=int(section["width"]),
        layers=int(section["layers"]),
        heads=int(section["heads"]),
        text_width=text_width,
    )
    return network


def train_denoiser(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train, going on from ``out/denoiser/last.pt``, and write the averaged weights to ``out/denoiser`` as float16.

    Needs ``out/autoencoder``, ``out/words`` and ``out/sketch``. Writes now and then the loss on held-out pictures to
    ``checks.jsonl`` and samples to ``samples-<minute>.png``.

    Args:
        config: the section ``denoiser``: ``seconds``, ``steps``, ``threads``, ``batch`` and the others of ``DEFAULTS``.
        data: the rendered pictures.
        out: the run's folder.
        report: hears the share done and the loss.

    Raises:
        StateError: the autoencoder, the words or the sketch are not trained yet.
    """
    section = section_of(config, "denoiser", DEFAULTS)
    out = Path(out)
    folder = out / "denoiser"
    autoencoder, teller, shards = heard_and_seen(section, data, out, report)
    held = encode_data(autoencoder, data, "held", out / "latents", report, int(section["check_pictures"]))
    torch.manual_seed(int(section["seed"]))
    network = new_denoiser(section, teller.width, autoencoder.config.latent_channels).to(teller.device)
    network.sketch.load_state_dict(_sketched(out / "sketch"))
    network.sketch.requires_grad_(False)
    network.get_buffer("lack").copy_(_lacking(network.sketch, shards, teller))
    training = Training(network, Budget.of(section), folder, matrices=network.matrices())
    fresh = {name: value.clone() for name, value in network.sketch.state_dict().items()}
    training.resume()
    if any(not torch.equal(value, fresh[name]) for name, value in network.sketch.state_dict().items()):
        raise StateError(
            f"The denoiser in {folder} was begun with another sketch than the one in {out / 'sketch'}.",
            f"Remove {folder} to train it anew.",
        )
    lesson = Lesson(training, shards, teller, section)
    check = _Check(training, held, teller, autoencoder, float(section["check_seconds"]))

    def loss_of(step: int) -> Tensor:
        check.if_due()
        return lesson(step)

    training.run(loss_of, report)
    check.now()
    training.average.half().save_pretrained(folder)


def _sketched(folder: Path) -> dict[str, Tensor]:
    """The averaged weights of the trained sketch."""
    file = folder / "last.pt"
    if not file.is_file():
        raise StateError(f"There is no trained sketch in {folder}.", "Train it first: python -m training run")
    kept: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)["average"]
    return kept


@torch.no_grad()
def _lacking(sketch: nn.Module, shards: Sequence[LatentShard], teller: Teller, count: int = 256) -> Tensor:
    """How much the latents of some square pictures differ from the guesses of their captions, and from the guess where
    nothing is said: (2, C, 1, 1)."""
    gaps = []
    for shard in [shard for shard in shards if shard.bucket == "square"] or shards:
        facts = shard.facts[:count]
        clean = torch.from_numpy(shard.latents[: len(facts)].astype(np.float32)).to(teller.device)
        texts, rng = teller.plain(facts), np.random.default_rng(len(facts))
        draws = torch.from_numpy(told_by_noise(facts, texts, shard.bucket, rng)).to(teller.device)
        guesses = (
            sketch(teller.vectors(texts), draws, *clean.shape[2:]),
            sketch(teller.vectors([""] * len(facts)), draws, *clean.shape[2:]),
        )
        gaps.append(torch.stack([(clean - guess).square().mean(dim=(0, 2, 3)) for guess in guesses]))
    return torch.stack(gaps).mean(dim=0).sqrt().clamp_min(1e-3)[:, :, None, None]


class Lesson:
    """The loss of a step, by its number alone."""

    def __init__(
        self,
        training: Training[HouseTransformer],
        shards: Sequence[LatentShard],
        teller: Teller,
        section: Mapping[str, Any],
    ) -> None:
        self.unet, self.shards, self.teller = training.network, shards, teller
        self.seed, self.batch = int(section["seed"]), int(section["batch"])
        self.spread = float(section["spread"])
        self.order = training.network.sketch.get_buffer("order").cpu()
        self.weights = weights_of(shards, float(section["square"]))

    def __call__(self, step: int) -> Tensor:
        rng = np.random.default_rng([self.seed, step])
        shard = self.shards[int(rng.choice(len(self.shards), p=self.weights))]
        rows = np.sort(rng.integers(len(shard), size=self.batch))
        clean = torch.from_numpy(shard.latents[rows].astype(np.float32))
        facts = [shard.facts[row] for row in rows]
        texts = self.teller.captions(facts, random.Random(f"{self.seed} {step}"))
        times = drawn_times(rng, self.batch, self.spread)
        noise = torch.from_numpy(rng.standard_normal(clean.shape, np.float32))
        draws = torch.from_numpy(told_by_noise(facts, texts, shard.bucket, rng))
        told = torch.tensor([bool(text) for text in texts])
        coupled = told & ((times > ALWAYS) | torch.from_numpy(rng.random(self.batch) < COUPLED))
        noise[coupled] = written(noise, draws, self.order)[coupled]
        clean[coupled] = self.unet.sketch.quieted(clean.to(self.teller.device)).cpu()[coupled]
        return flow_loss(self.unet, clean, noise, times, self.teller.states(texts))


def flow_loss(unet: HouseTransformer, clean: Tensor, noise: Tensor, times: Tensor, text: Tensor) -> Tensor:
    """The mean over pictures of log (1 + error), of the squared error of the predicted flow ``noise - clean``.

    The error is weighted by time and channel: ``spread`` over ``lack`` makes it the plain error of what the network
    itself puts out, times how much each channel lacks. Of each picture's error the logarithm is taken: where the guess
    shows another scene than the picture, because a short caption was read wrongly, nothing can be learnt about what
    guesses lack, and the error is many times as large.

    Args:
        unet: the denoiser; decides the device.
        clean, noise: (B, 16, h, w).
        times: share of noise of each, 0–1 (B).
        text: hidden states of the captions (B, tokens, width).
    """
    device = text.device
    clean, noise, times = clean.to(device), noise.to(device), times.to(device)
    share = times.view(-1, 1, 1, 1)
    with half(device):
        seen = unet.velocity((1 - share) * clean + share * noise, times, text)
        lack = unet.lack_of(text).float()
    weight = spread_of(lack, share) / (lack * lack.mean(dim=1, keepdim=True))
    missed = (weight * (seen.float() - (noise - clean)).square()).mean(dim=(1, 2, 3))
    loss: Tensor = missed.log1p().mean()
    return loss


def drawn_times(rng: np.random.Generator, count: int, spread: float) -> Tensor:
    """Times 0–1 (count,): logit-normal for the share ``spread`` of them, for the others evenly from 0.6 to 1, where it
    is decided what is seen; stratified, so that every batch has early and late ones."""
    even = (rng.permutation(count) + rng.random(count)) / count
    normal = (1.2 * torch.special.ndtri(torch.from_numpy(even).clamp(1e-4, 1 - 1e-4)) + 0.2).sigmoid()
    late = torch.from_numpy(0.6 + 0.4 * rng.random(count))
    return torch.where(torch.from_numpy(rng.random(count) < spread), normal, late).clamp(1e-3, 1.0).float()


class _Check:
    """A look at the averaged weights now and then; draws nothing from any shared source of chance."""

    def __init__(
        self,
        training: Training[HouseTransformer],
        held: Sequence[LatentShard],
        teller: Teller,
        autoencoder: HouseAutoencoder,
        every: float,
    ) -> None:
        self.training, self.held, self.teller = training, held, teller
        self.autoencoder, self.every = autoencoder, every
        self._last = time.monotonic()

    def if_due(self) -> None:
        """Look, if the last look is long enough ago."""
        if time.monotonic() - self._last >= self.every:
            self.now()

    @torch.no_grad()
    def now(self) -> None:
        """Write the loss on held-out pictures and a sheet of samples."""
        unet, folder = self.training.average, self.training.folder
        losses = {f"{shard.bucket}-{shard.subject}": self._loss(unet, shard) for shard in self.held}
        minute = round(self.training.elapsed / 60)
        row = {"step": self.training.step, "seconds": round(self.training.elapsed), "held": losses}
        with (folder / "checks.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        square = [shard for shard in self.held if shard.bucket == "square"] or list(self.held)
        rows = [shard.facts[place % len(shard)] for place in range(16) for shard in square[:2]]
        texts = self.teller.plain(rows)
        shape = square[0].latents.shape[1:]
        sheet = draw_sheet(unet, self.autoencoder, self.teller, texts, (shape[0], shape[1], shape[2]))
        sheet.save(folder / f"samples-{minute:03d}.png")
        self._last = time.monotonic()

    def _loss(self, unet: HouseTransformer, shard: LatentShard) -> float:
        """The loss on the same pictures, captions, times and noise every time."""
        rng, losses = np.random.default_rng(5), []
        for start in range(0, len(shard), 64):
            facts = shard.facts[start : start + 64]
            clean = torch.from_numpy(shard.latents[start : start + len(facts)].astype(np.float32))
            noise = torch.from_numpy(rng.standard_normal(clean.shape, np.float32))
            times, texts = drawn_times(rng, len(facts), 1.0), self.teller.plain(facts)
            draws = torch.from_numpy(told_by_noise(facts, texts, shard.bucket, rng))
            noise = written(noise, draws, unet.sketch.get_buffer("order").cpu())
            clean = unet.sketch.quieted(clean.to(self.teller.device))
            losses += [float(flow_loss(unet, clean, noise, times, self.teller.states(texts)))] * len(facts)
        return round(float(np.mean(losses)), 5)
