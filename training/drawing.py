"""Draws pictures with the finished diffusion model, as anyone would with diffusers, and keeps what it has drawn."""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoPipelineForText2Image
from numpy.typing import NDArray

import generation.house  # noqa: F401  diffusers takes classes from modules that are loaded already, and no others
from generation.house.folder import sampling
from training.attributes import NAMES, codes_of, spoken_of
from training.grammar import caption
from training.progress import Progress
from training.world import Facts

Pixels = NDArray[np.uint8]

#: How many pictures are drawn at once; part of what a picture depends on, as different batches round differently.
BATCH = 8
SIDE = 128
#: Used where the folder names no steps or guidance of its own.
STEPS, GUIDANCE = 8, 3.0


class Drawer:
    """The diffusion model of a folder, with the steps and the guidance that the folder names as its defaults.

    Args:
        folder: as diffusers saves pipelines.
        cache: where drawn pictures are kept, by what they were drawn with.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        self.pipe: Any = AutoPipelineForText2Image.from_pretrained(folder, dtype=torch.float32)
        self.pipe.set_progress_bar_config(disable=True)
        said = sampling(folder.parent)
        self.steps, self.guidance = int(said.get("steps", STEPS)), float(said.get("guidance", GUIDANCE))
        self.mark, self.cache = digest_of(folder), cache

    def draw(self, texts: Sequence[str], seeds: Sequence[int], report: Progress) -> Pixels:
        """A picture of each text from the noise of its seed: uint8 (N, 128, 128, 3)."""
        said = json.dumps([self.mark, self.steps, self.guidance, BATCH, list(texts), list(seeds)])
        file = self.cache / f"drawn-{hashlib.sha256(said.encode()).hexdigest()[:16]}.npz"
        if file.is_file():
            with np.load(file) as kept:
                return np.asarray(kept["images"])
        parts = []
        for start in range(0, len(texts), BATCH):
            parts.append(self._batch(texts[start : start + BATCH], seeds[start : start + BATCH]))
            report.step(min(1.0, (start + BATCH) / len(texts)), f"{start + len(parts[-1])} pictures")
        images = np.concatenate(parts)
        self.cache.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(file, images=images)
        return images

    def redrawn(self, images: Pixels, batch: int = 32) -> Pixels:
        """Pictures (N, H, W, 3) through the autoencoder and back."""
        parts = []
        with torch.inference_mode():
            for start in range(0, len(images), batch):
                planes = torch.from_numpy(np.asarray(images[start : start + batch])).movedim(3, 1).float() / 127.5 - 1
                latent = self.pipe.vae.encode(planes).latent_dist.mode()
                parts.append(self._pixels(self.pipe.vae.decode(latent, return_dict=False)[0] / 2 + 0.5))
        return np.concatenate(parts)

    def seconds_a_picture(self, texts: Sequence[str], threads: int = 2, rounds: int = 5) -> dict[str, Any]:
        """Wall seconds a picture in a batch of eight, text and decoding included; the median of ``rounds``."""
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            self._batch(texts[:BATCH], range(BATCH))
            taken = []
            for number in range(rounds):
                begun = time.perf_counter()
                self._batch(texts[:BATCH], range(number, number + BATCH))
                taken.append((time.perf_counter() - begun) / BATCH)
        finally:
            torch.set_num_threads(before)
        return {
            "median": round(statistics.median(taken), 3),
            "least": round(min(taken), 3),
            "most": round(max(taken), 3),
            "rounds": rounds,
            "batch": BATCH,
            "threads": threads,
            "steps": self.steps,
        }

    def _batch(self, texts: Sequence[str], seeds: Sequence[int]) -> Pixels:
        drawn = self.pipe(
            prompt=list(texts),
            width=SIDE,
            height=SIDE,
            num_inference_steps=self.steps,
            guidance_scale=self.guidance,
            generator=[torch.Generator("cpu").manual_seed(int(seed)) for seed in seeds],
            output_type="pt",
        )
        return self._pixels(drawn.images)

    @staticmethod
    def _pixels(planes: torch.Tensor) -> Pixels:
        return np.asarray((planes.clamp(0, 1) * 255).round().byte().movedim(1, 3).cpu().numpy())


def digest_of(folder: Path) -> str:
    """Twelve hex digits of a folder's weights and settings."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".json", ".safetensors") and "sampling" not in file.name:
            digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def whole_caption(facts: Facts, rng: random.Random) -> str:
    """A caption that names every attribute its facts have and the grammar has words for."""
    most, best = -1, ""
    for _ in range(40):
        text = caption(facts, rng)
        spoken = spoken_of(text, facts)
        if int(spoken.sum()) > most:
            most, best = int(spoken.sum()), text
        if all(spoken[index] or not asked(facts, index) for index in range(len(NAMES))):
            break
    return best


def asked(facts: Facts, index: int) -> bool:
    """Whether the attribute of this number (see training.attributes.NAMES) is there and is not an absence."""
    return bool(codes_of(facts)[index] >= 0 and str(facts.get(NAMES[index], "")) != "none")
