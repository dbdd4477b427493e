"""Trains the house denoiser: flow matching in the autoencoder's latents, told what to draw by the house CLIP's text.

What was measured on two CPU cores, as the loss on held-out pictures after equal time: a transformer over 64 tokens with
4 million parameters and batches of 32, its matrices trained by Muon (Jordan, 2024), is after 2 minutes where a
convolutional U-Net with 13 million, batches of 64 and AdamW is after 10. Most of that is size and batch: in an hour of
two cores a small network sees enough pictures, and a large one does not.

Its sketch (``generation.house.sketch``) is trained first and alone: a picture costs it a hundredth of what the whole
network takes, so it sees every one many times in minutes.

The noise of a pair is not independent of the picture but carries what the caption leaves open, see
``training.coupling``; only pairs whose caption is left out whole keep plain noise.

Captions are padded to the full context with ``<pad>``, and the denoiser attends to the padding, because diffusers'
pipelines do the same when they draw.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from generation.house.autoencoder import HouseAutoencoder
from generation.house.sketch import Sketcher
from generation.house.transformer import HouseTransformer
from proofsheet.errors import StateError
from training.attributes import spoken_of
from training.budget import Budget, Training, device_of, half, section_of
from training.captions import Teller
from training.chance import SLOTS, draws_of
from training.coupling import ALWAYS, with_open, written
from training.dataset import Data
from training.latents import LatentShard, encode_data
from training.preview import draw_sheet
from training.progress import Progress

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
SKETCH: Mapping[str, Any] = {
    "seconds": 1200,
    "batch": 256,
    "seed": 11,
    "rate": 2e-3,
    "decay": 0.995,
    "square": 0.7,
    "empty": 0.1,
    "sparse": 0.25,
    "captions": 2,  # of each picture
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
    section = {**DEFAULTS, **(section_of(config, "denoiser") if "denoiser" in config else {})}
    out = Path(out)
    folder = out / "denoiser"
    autoencoder, teller, shards = _heard_and_seen(section, data, out, report)
    held = encode_data(autoencoder, data, "held", out / "latents", report, int(section["check_pictures"]))
    torch.manual_seed(int(section["seed"]))
    network = new_denoiser(section, teller.width, autoencoder.config.latent_channels).to(teller.device)
    network.sketch.load_state_dict(_sketched(out / "sketch"))
    network.get_buffer("lack").copy_(_lacking(network.sketch, shards, teller))
    training = Training(network, Budget.of(section), folder, matrices=network.matrices())
    training.resume()
    lesson = Lesson(training, shards, teller, section)
    check = _Check(training, held, teller, autoencoder, float(section["check_seconds"]))

    def loss_of(step: int) -> Tensor:
        check.if_due()
        return lesson(step)

    training.run(loss_of, report)
    check.now()
    training.average.half().save_pretrained(folder)


def train_sketch(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train the sketch alone, from captions and numbers to latents, going on from ``out/sketch/last.pt``.

    Needs ``out/autoencoder`` and ``out/words``. Writes the latents to ``out/latents``.

    Args:
        config: the section ``sketch``: ``seconds``, ``steps``, ``threads``, ``batch`` and the others of ``SKETCH``.
        data: the rendered pictures.
        out: the run's folder.
        report: hears the share done and the loss.

    Raises:
        StateError: the autoencoder or the words are not trained yet.
    """
    section = {**SKETCH, **(section_of(config, "sketch") if "sketch" in config else {})}
    out = Path(out)
    folder = out / "sketch"
    autoencoder, teller, shards = _heard_and_seen({**section, "empty": 0.0}, data, out, report)
    told = [_Told.kept(shard, teller, section, folder, report) for shard in shards]
    nothing, seed = teller.states([""])[:, 0], int(section["seed"])
    weights, size = _weights(shards, float(section["square"])), int(section["batch"])
    torch.manual_seed(seed)
    sketch = Sketcher(teller.width, autoencoder.config.latent_channels).to(teller.device)
    training = Training(sketch, Budget.of(section), folder)
    training.resume()

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step, 2])
        place = int(rng.choice(len(shards), p=weights))
        shard, known = shards[place], told[place]
        rows, which = rng.integers(len(shard), size=size), rng.integers(len(known.text), size=size)
        text = torch.from_numpy(known.text[which, rows].astype(np.float32))
        draws = torch.from_numpy(known.draws[which, rows].astype(np.float32))
        empty = torch.from_numpy(rng.random(size) < float(section["empty"]))
        text[empty] = nothing.cpu()
        draws[empty] = torch.from_numpy(rng.standard_normal((int(empty.sum()), draws.shape[1]), np.float32))
        clean = torch.from_numpy(shard.latents[rows].astype(np.float32))
        guess = training.network(text.to(teller.device), draws.to(teller.device), *clean.shape[2:])
        loss: Tensor = (guess - clean.to(teller.device)).square().mean()
        return loss

    training.run(loss_of, report)


def _heard_and_seen(
    section: Mapping[str, Any], data: Data, out: Path, report: Progress
) -> tuple[HouseAutoencoder, Teller, list[LatentShard]]:
    """The trained autoencoder, what captions are told with, and the latents of the pictures trained on."""
    device = device_of(section)
    autoencoder = _autoencoder(out).to(device)
    teller = Teller(out / "words", device, float(section["empty"]), float(section["sparse"]))
    return autoencoder, teller, encode_data(autoencoder, data, "train", out / "latents", report)


def _sketched(folder: Path) -> dict[str, Tensor]:
    """The averaged weights of the trained sketch."""
    file = folder / "last.pt"
    if not file.is_file():
        raise StateError(f"There is no trained sketch in {folder}.", "Train it first: python -m training run")
    kept: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)["average"]
    return kept


@torch.no_grad()
def _lacking(sketch: nn.Module, shards: Sequence[LatentShard], teller: Teller, count: int = 256) -> Tensor:
    """How much the latents of some square pictures differ from their guesses: (C, 1, 1)."""
    gaps = []
    for shard in [shard for shard in shards if shard.bucket == "square"] or shards:
        facts = shard.facts[:count]
        draws = torch.from_numpy(np.stack([draws_of(int(row["seed"])) for row in facts])).to(teller.device)
        clean = torch.from_numpy(shard.latents[: len(facts)].astype(np.float32)).to(teller.device)
        guess = sketch(teller.vectors(teller.plain(facts)), draws, *clean.shape[2:])
        gaps.append((clean - guess).square().mean(dim=(0, 2, 3)))
    return torch.stack(gaps).mean(dim=0).sqrt().clamp_min(1e-3)[:, None, None]


@dataclass(frozen=True, slots=True)
class _Told:
    """What the sketch hears of a shard, for several captions of each picture: float16.

    ``text`` (captions, N, text width) are the captions' vectors, ``draws`` (captions, N, SLOTS) the numbers.
    """

    text: NDArray[np.float16]
    draws: NDArray[np.float16]

    @classmethod
    def kept(
        cls, shard: LatentShard, teller: Teller, section: Mapping[str, Any], folder: Path, report: Progress
    ) -> _Told:
        """Made once for a text tower and its pictures' facts, and read again after an interrupt."""
        asked = json.dumps([teller.mark, section["seed"], section["captions"], list(shard.facts)])
        mark = hashlib.sha256(asked.encode()).hexdigest()[:12]
        file = folder / f"{shard.bucket}-{shard.subject}-{mark}.npz"
        if not file.is_file():
            made = cls.of(shard, teller, section, report)
            folder.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part.npz")
            np.savez(part, text=made.text, draws=made.draws)
            part.replace(file)
        with np.load(file) as found:
            return cls(found["text"], found["draws"])

    @classmethod
    def of(cls, shard: LatentShard, teller: Teller, section: Mapping[str, Any], report: Progress) -> _Told:
        shape = (int(section["captions"]), len(shard))
        text, draws = np.empty((*shape, teller.width), np.float16), np.empty((*shape, SLOTS), np.float16)
        rng, words = np.random.default_rng(len(shard)), random.Random(f"{section['seed']} {shard.bucket}")
        for which in range(shape[0]):
            captions = teller.captions(shard.facts, words)
            for start in range(0, len(shard), 256):
                rows = slice(start, start + 256)
                text[which, rows] = teller.vectors(captions[rows]).cpu().numpy()
                report.step(0.0, f"captions of {shard.bucket}s")
            for row, (facts, said) in enumerate(zip(shard.facts, captions, strict=True)):
                own = draws_of(int(facts["seed"]))
                draws[which, row] = with_open(own, facts, spoken_of(said, facts), shard.bucket, rng)
        return cls(text, draws)


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
        self.weights = _weights(shards, float(section["square"]))

    def __call__(self, step: int) -> Tensor:
        rng = np.random.default_rng([self.seed, step])
        shard = self.shards[int(rng.choice(len(self.shards), p=self.weights))]
        rows = np.sort(rng.integers(len(shard), size=self.batch))
        clean = torch.from_numpy(shard.latents[rows].astype(np.float32))
        facts = [shard.facts[row] for row in rows]
        texts = self.teller.captions(facts, random.Random(f"{self.seed} {step}"))
        times = drawn_times(rng, self.batch, self.spread)
        noise = torch.from_numpy(rng.standard_normal(clean.shape, np.float32))
        draws = [
            with_open(draws_of(int(row["seed"])), row, spoken_of(text, row), shard.bucket, rng)
            for row, text in zip(facts, texts, strict=True)
        ]
        told = torch.tensor([bool(text) for text in texts])
        coupled = told & ((times > ALWAYS) | torch.from_numpy(rng.random(self.batch) < 0.5))
        noise[coupled] = written(noise, torch.from_numpy(np.stack(draws)))[coupled]
        return flow_loss(self.unet, clean, noise, times, self.teller.states(texts))


def flow_loss(unet: HouseTransformer, clean: Tensor, noise: Tensor, times: Tensor, text: Tensor) -> Tensor:
    """Mean squared error of the predicted flow ``noise - clean``, weighted by time and channel.

    The weight (``spread`` over ``lack``) makes it the plain error of what the network itself puts out, times how much
    each channel lacks.

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
    lack = unet.get_buffer("lack").float()
    weight = unet.spread(share) / (lack * lack.mean())
    loss: Tensor = (weight * (seen.float() - (noise - clean)).square()).mean()
    return loss


def drawn_times(rng: np.random.Generator, count: int, spread: float) -> Tensor:
    """Times 0–1 (count,): logit-normal for the share ``spread`` of them, for the others evenly from 0.6 to 1, where it
    is decided what is seen; stratified, so that every batch has early and late ones."""
    even = (rng.permutation(count) + rng.random(count)) / count
    normal = (1.2 * torch.special.ndtri(torch.from_numpy(even).clamp(1e-4, 1 - 1e-4)) + 0.2).sigmoid()
    late = torch.from_numpy(0.6 + 0.4 * rng.random(count))
    return torch.where(torch.from_numpy(rng.random(count) < spread), normal, late).clamp(1e-3, 1.0).float()


def _weights(shards: Sequence[LatentShard], square: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How often each shard is drawn: squares together ``square``; within and without by their numbers."""
    counts = np.array([len(shard) for shard in shards], np.float64)
    squares = np.array([shard.bucket == "square" for shard in shards])
    if squares.all() or not squares.any():
        return np.asarray(counts / counts.sum())
    shares = np.where(squares, square / counts[squares].sum(), (1 - square) / counts[~squares].sum())
    return np.asarray(counts * shares)


def _autoencoder(out: Path) -> HouseAutoencoder:
    folder = out / "autoencoder"
    if not (folder / "config.json").is_file():
        raise StateError(f"There is no trained autoencoder in {folder}.", "Train it first: python -m training run")
    loaded: HouseAutoencoder = HouseAutoencoder.from_pretrained(folder, dtype=torch.float32)
    loaded.eval().requires_grad_(False)
    return loaded


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
            times, text = drawn_times(rng, len(facts), 1.0), self.teller.states(self.teller.plain(facts))
            losses += [float(flow_loss(unet, clean, noise, times, text))] * len(facts)
        return round(float(np.mean(losses)), 5)
