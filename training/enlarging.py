"""Measures the enlarger: held-out scenes rendered large, made small, through the autoencoder, and enlarged again."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.house.upscaler import FACTOR, HouseUpscaler, resampled
from training.drawing import Drawer
from training.metrics import psnr
from training.world import Facts, render

_LARGE = 128 * FACTOR


def measure_enlarger(
    folder: Path, drawer: Drawer, facts: Sequence[Facts], cache: Path
) -> dict[str, float | int] | None:
    """PSNR in dB against the large renders, of the network and of plain bicubic enlarging; None without an enlarger.

    Args:
        folder: of the enlarger, as diffusers saves models.
        drawer: its autoencoder is what small pictures pass through, as generated ones do.
        facts: of the scenes.
        cache: where the large renders are kept.
    """
    if not (folder / "config.json").is_file():
        return None
    large = _large(facts, cache)
    small = large.reshape(len(large), 128, FACTOR, 128, FACTOR, 3).mean(axis=(2, 4)).round().astype(np.uint8)
    planes = torch.from_numpy(drawer.redrawn(small)).movedim(3, 1).float() / 127.5 - 1
    network: Any = HouseUpscaler.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        ours = [_pixels(network(one[None])) for one in planes]
        plain = [_pixels(resampled(one[None], _LARGE, _LARGE)) for one in planes]
    ratios = [psnr(large, np.concatenate(pictures)) for pictures in (ours, plain)]
    return {
        "network": round(float(ratios[0].mean()), 2),
        "bicubic": round(float(ratios[1].mean()), 2),
        "better": int((ratios[0] > ratios[1]).sum()),
        "count": len(large),
    }


def _pixels(planes: Tensor) -> NDArray[np.uint8]:
    return np.asarray((planes.clamp(-1, 1) * 127.5 + 127.5).round().byte().movedim(1, 3).numpy())


def _large(facts: Sequence[Facts], cache: Path) -> NDArray[np.uint8]:
    file = cache / f"large-{len(facts)}-{sum(int(row['seed']) for row in facts) % 10**9}.npy"
    if not file.is_file():
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            sides = [_LARGE] * len(facts)
            np.save(file, np.stack(list(pool.map(render, facts, sides, sides))))
    return np.asarray(np.load(file))
