"""All training pictures as the autoencoder's latents, encoded once and kept on the disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from generation.house.autoencoder import PATCH, HouseAutoencoder
from training.autoencoder import as_tensor
from training.dataset import Data, Shard
from training.progress import Progress
from training.world import Facts

_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class LatentShard:
    """A shard's pictures as latents.

    ``latents`` is float16 of shape (N, C, height / 8, width / 8); ``facts`` are in the same order.
    """

    bucket: str
    subject: str
    latents: NDArray[np.float16]
    facts: Sequence[Facts]

    def __len__(self) -> int:
        return len(self.facts)


def encode_data(
    autoencoder: HouseAutoencoder, data: Data, split: str, folder: Path, report: Progress, most: int | None = None
) -> list[LatentShard]:
    """The latents of a split, read from ``folder`` and made where they are not there yet.

    Goes on after an interrupt. Latents of other weights or other pictures are made anew.

    Args:
        autoencoder: finished; on the device it is to run on.
        data: the renders.
        split: ``"train"`` or ``"held"``.
        folder: where the latents are kept.
        report: hears how many are done.
        most: pictures of a shard at most.
    """
    folder = folder / split
    folder.mkdir(parents=True, exist_ok=True)
    shards = data.shards(split)
    counts = [min(len(shard), most or len(shard)) for shard in shards]
    found, before = [], 0
    for shard, count in zip(shards, counts, strict=True):
        latents = _encoded(autoencoder, shard, count, folder, report, before, sum(counts))
        facts = list(shard.facts[:count])
        found.append(LatentShard(shard.bucket, shard.subject, latents, facts))
        before += count
    return found


def fingerprint(autoencoder: HouseAutoencoder, shard: Shard, count: int) -> str:
    """A hash over the encoder's weights, the facts, the number of pictures and every thirtieth of them."""
    digest = hashlib.sha256()
    encoder = ("project.", "correct.", "channel_scale", "shift", "gain")
    for name, value in autoencoder.state_dict().items():
        if not name.startswith(encoder):
            continue
        digest.update(name.encode() + value.detach().float().cpu().numpy().tobytes())
    digest.update(json.dumps([count, list(shard.facts[:count])]).encode())
    digest.update(np.ascontiguousarray(shard.images[:count:30]).tobytes())
    return digest.hexdigest()


@torch.no_grad()
def _encoded(
    autoencoder: HouseAutoencoder, shard: Shard, count: int, folder: Path, report: Progress, before: int, total: int
) -> NDArray[np.float16]:
    file, note = folder / f"{shard.name}.npy", folder / f"{shard.name}.json"
    mark = fingerprint(autoencoder, shard, count)
    told = json.loads(note.read_text("utf-8")) if note.is_file() and file.is_file() else {}
    done = int(told["done"]) if told.get("mark") == mark else 0
    height, width = shard.images.shape[1] // PATCH, shard.images.shape[2] // PATCH
    shape = (count, autoencoder.config.latent_channels, height, width)
    latents = open_memmap(file, "r+" if done else "w+", np.float16, None if done else shape)
    device = autoencoder.device
    autoencoder.to(memory_format=torch.channels_last)
    for start in range(done, count, _AT_ONCE):
        stop = min(start + _AT_ONCE, count)
        pictures = as_tensor(shard.images[start:stop]).to(device, memory_format=torch.channels_last)
        latent = autoencoder.encode(pictures, return_dict=False)[0].mode()
        latents[start:stop] = latent.cpu().numpy().astype(np.float16)
        if (start // _AT_ONCE) % 10 == 9 or stop == count:
            latents.flush()
            note.write_text(json.dumps({"mark": mark, "done": stop}), "utf-8")
        report.step(0.0, f"latents {before + stop:,} of {total:,}")
    return np.load(file, mmap_mode="r")  # type: ignore[no-any-return]
