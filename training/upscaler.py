"""The enlarger's stage: from what the autoencoder gives back of small pictures to the same scenes rendered large."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor

from generation.house.autoencoder import HouseAutoencoder
from generation.house.upscaler import FACTOR, HouseUpscaler
from training.autoencoder import as_tensor, picture_loss
from training.budget import Budget, Training, device_of, half, section_of
from training.dataset import Data
from training.progress import Progress
from training.world import Facts, is_held, render, sample_set

Images = NDArray[np.uint8]
_LARGE = 512  # pixels to a side
_SMALL = _LARGE // FACTOR
_CHUNK = 10  # pictures that a worker draws at a time
_NOISES = (0.0, 0.1, 0.2)  # on the latents, of what the network is shown


@dataclass(frozen=True, slots=True)
class Pairs:
    """Large renders (N, 512, 512, 3) and, for each noise on the latent, what comes back of them at a quarter of the
    size: (len(_NOISES), N, 128, 128, 3). Both uint8."""

    large: Images
    small: Images


def train_upscaler(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train the enlarger and write it to ``out/upscaler`` as diffusers saves a model, in half precision.

    Reads the autoencoder from ``out/autoencoder``. Renders its own pairs into ``out/upscaler/pairs``, once.

    Args:
        config: section ``upscaler``: ``seconds``, ``steps``, ``threads``, ``rate``, ``batch`` (crops a step), ``crop``
            (side in small pixels), ``sets`` and ``people`` (pictures rendered), ``workers`` and ``seed``.
        data: not read; every stage is called alike.
        out: folder of the run.
        report: hears how far it is.
    """
    section = section_of(config, "upscaler")
    device, folder = device_of(section), out / "upscaler"
    seed = int(section.get("seed", 2))
    model = HouseAutoencoder.from_pretrained(out / "autoencoder", dtype=torch.float32)
    pairs = make_pairs(section, folder / "pairs", model, out / "autoencoder", report)
    torch.manual_seed(seed)
    network = HouseUpscaler().to(device).to(memory_format=torch.channels_last)
    training = Training(network, Budget.of(section), folder)
    training.resume()
    batch, crop = int(section.get("batch", 32)), int(section.get("crop", 32))

    def loss_of(step: int) -> Tensor:
        small, large = crops(pairs, batch, crop, np.random.default_rng([seed, step]))
        with half(device):
            seen = network(small.to(device))
        return picture_loss(seen.float(), large.to(device))

    training.run(loss_of, report)
    best = training.average
    best.to("cpu").to(memory_format=torch.contiguous_format)
    best.half().save_pretrained(folder)


def crops(pairs: Pairs, batch: int, crop: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Random crops, mirrored at random: small (batch, 3, crop, crop) and large, in [-1, 1]; four of each picture."""
    small, large = [], []
    for _ in range(-(-batch // 4)):
        which, noise = int(rng.integers(len(pairs.large))), int(rng.integers(len(pairs.small)))
        for top, left in rng.integers(_SMALL - crop + 1, size=(4, 2)):
            small.append(pairs.small[noise, which, top : top + crop, left : left + crop])
            large.append(
                pairs.large[which, top * FACTOR : (top + crop) * FACTOR, left * FACTOR : (left + crop) * FACTOR]
            )
    if rng.random() < 0.5:
        small, large = [some[:, ::-1] for some in small], [some[:, ::-1] for some in large]
    return as_tensor(np.stack(small[:batch])), as_tensor(np.stack(large[:batch]))


def make_pairs(
    section: Mapping[str, Any], folder: Path, model: HouseAutoencoder, weights: Path, report: Progress
) -> Pairs:
    """Render what is missing of the large pictures and pass them, made small, through the autoencoder.

    Args:
        section: ``sets``, ``people``, ``workers`` and ``seed``.
        folder: where the pairs are kept.
        model: the autoencoder.
        weights: the folder it was loaded from; when it is newer than what came back, that is made anew.
        report: hears how far it is.
    """
    facts = draw_facts(int(section.get("sets", 700)), int(section.get("people", 200)), int(section.get("seed", 2)))
    render_pairs(facts, folder, int(section.get("workers", 2)), report)
    large: Images = np.load(folder / "large.npy", mmap_mode="r")
    kept, stamp = folder / "small.npy", (weights / "config.json").stat().st_mtime
    if not kept.is_file() or kept.stat().st_mtime < stamp or np.load(kept, mmap_mode="r").shape[1] != len(large):
        small = returned(model, large, int(section.get("seed", 2)), report)
        part = kept.with_name("part.npy")
        np.save(part, small)
        part.replace(kept)
    return Pairs(large, np.load(kept, mmap_mode="r"))


def draw_facts(sets: int, people: int, seed: int) -> list[Facts]:
    """Facts of so many backdrops and pictures of people, none of them held out from training."""
    from training.people import sample_people

    rng, facts = random.Random(f"upscaler {seed}"), list[Facts]()
    while len(facts) < sets + people:
        drawn: Facts = sample_set(rng) if len(facts) < sets else {**sample_people(rng), "subject": "people"}
        if not is_held(drawn):
            facts.append(drawn)
    return facts


def render_pairs(facts: Sequence[Facts], folder: Path, workers: int, report: Progress) -> None:
    """Render the facts at 512 px into ``folder/large.npy``; what is there of the same facts is kept."""
    text, listed = "".join(json.dumps(row) + "\n" for row in facts), folder / "facts.jsonl"
    if not listed.is_file() or listed.read_text("utf-8") != text:
        (folder / "done").mkdir(parents=True, exist_ok=True)
        for old in (folder / "done").iterdir():
            old.unlink()
        open_memmap(folder / "large.npy", "w+", np.uint8, (len(facts), _LARGE, _LARGE, 3)).flush()
        listed.write_text(text, "utf-8")
    starts = range(0, len(facts), _CHUNK)
    missing = [start for start in starts if not (folder / "done" / str(start)).exists()]
    finished = len(starts) - len(missing)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(_render_chunk, facts[start : start + _CHUNK], folder, start) for start in missing]
        for job in as_completed(jobs):
            job.result()
            finished += 1
            report.step(0.999 * finished / len(starts), f"{finished * _CHUNK:,} large pictures")


def _render_chunk(facts: Sequence[Facts], folder: Path, start: int) -> None:
    large = np.load(folder / "large.npy", mmap_mode="r+")
    for place, row in enumerate(facts):
        large[start + place] = render(row, _LARGE, _LARGE)
    large.flush()
    (folder / "done" / str(start)).touch()


def made_small(large: Images) -> Tensor:
    """Pictures (N, 512, 512, 3) of 0–255 at a quarter of the size: (N, 3, 128, 128) in [-1, 1]."""
    return torch.nn.functional.avg_pool2d(as_tensor(large), FACTOR)


@torch.no_grad()
def returned(model: HouseAutoencoder, large: Images, seed: int, report: Progress) -> Images:
    """What the autoencoder gives back of the pictures made small, for each noise on the latent (see ``Pairs``)."""
    small = np.empty((len(_NOISES), len(large), _SMALL, _SMALL, 3), np.uint8)
    generator = torch.Generator().manual_seed(seed)
    for start in range(0, len(large), _CHUNK):
        latents = model.encode(made_small(large[start : start + _CHUNK])).latent_dist.mode()
        for row, noise in enumerate(_NOISES):
            grain = torch.randn(latents.shape, generator=generator)
            seen = model.decode(latents + noise * grain, return_dict=False)[0]
            values = seen.clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
            small[row, start : start + len(values)] = values.movedim(1, 3).numpy()
        report.step(0.999 * start / len(large), "small pictures")
    return small
