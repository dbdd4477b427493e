"""The pictures the house models are shown: rendered once, kept as plain arrays beside their facts."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from generation.house.framing import SHAPES
from proofsheet.errors import StateError
from training.progress import Progress
from training.world import Facts, is_held, keep_masters, master, masters, render, sample_set

_CHUNK = 100
SPLITS = ("held", "judge", "train")


@dataclass(frozen=True, slots=True)
class Shard:
    """Pictures of one shape and subject.

    ``images`` is uint8 of shape (N, height, width, 3), read from the disk as needed; ``facts`` are in the same order.
    """

    name: str
    bucket: str
    subject: str
    images: NDArray[np.uint8]
    facts: Sequence[Facts]

    def __len__(self) -> int:
        return len(self.facts)


class Data:
    """All rendered pictures of a run.

    Args:
        folder: where ``render_data`` has put them.
        partial: take what is finished of a shard that is still being rendered.
    """

    def __init__(self, folder: Path, *, partial: bool = False) -> None:
        self.folder, self.partial = Path(folder), partial

    def shards(self, split: str) -> list[Shard]:
        """The shards of ``"train"``, ``"held"`` or ``"judge"``.

        ``"held"`` shows combinations that ``"train"`` never does; ``"judge"`` has other pictures of those, for the
        probe alone, which must know every combination.

        Raises:
            StateError: none is there, or one is not finished.
        """
        found = [self._shard(path.parent) for path in sorted((self.folder / split).glob("*/facts.jsonl"))]
        shards = [shard for shard in found if len(shard)]
        if not shards:
            raise StateError(
                f"There are no rendered pictures for {split!r} in {self.folder}.",
                "Render them first: python -m training run",
            )
        return shards

    def shard(self, split: str, name: str) -> Shard:
        """One shard by its name, such as ``"square-set"``."""
        return next(shard for shard in self.shards(split) if shard.name == name)

    def _shard(self, folder: Path) -> Shard:
        bucket, subject = folder.name.split("-")
        facts = [cast(Facts, json.loads(line)) for line in (folder / "facts.jsonl").read_text("utf-8").splitlines()]
        images = np.load(folder / "images.npy", mmap_mode="r")
        done = _chunks_done(folder, len(facts))
        ready = next((index * _CHUNK for index, there in enumerate(done) if not there), len(facts))
        if ready < len(facts) and not self.partial:
            raise StateError(
                f"Of the pictures in {folder} only {ready} of {len(facts)} are rendered.",
                "Go on rendering: python -m training run",
            )
        return Shard(folder.name, bucket, subject, images[:ready], facts[:ready])


def render_data(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Render all pictures that ``config["data"]`` asks for into the data's folder; what is there already is kept.

    Args:
        config: ``data.seed``, ``data.workers`` and a table of shard name to count for each of SPLITS.
        data: where to.
        out: not read; every stage is called alike.
        report: hears how far it is.
    """
    settings = config["data"]
    jobs: list[tuple[float, Path, int]] = []
    for split in SPLITS:
        for name, count in settings[split].items():
            folder = data.folder / split / name
            _prepare(folder, split, int(count), int(settings["seed"]))
            chunks = _chunks_done(folder, int(count))
            jobs += [
                ((1 if split == "train" else 0) + index / len(chunks), folder, index)
                for index, done in enumerate(chunks)
                if not done
            ]
    jobs.sort(key=lambda job: job[0])  # every shard grows evenly, so that part of the data is data of all sorts
    total = sum(-(-int(count) // _CHUNK) for split in SPLITS for count in settings[split].values())
    finished = total - len(jobs)
    report.step(finished / max(total, 1))
    kept = data.folder / "masters"
    workers, spawn = int(settings["workers"]), get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=keep_masters, initargs=(kept,)) as pool:
        sets = masters() if jobs else []
        for count, future in enumerate(as_completed([pool.submit(_render_master, *each) for each in sets]), 1):
            future.result()
            report.step(0.0, f"{count} of {len(sets)} large sets")
        for future in as_completed([pool.submit(_render_chunk, folder, index) for _, folder, index in jobs]):
            future.result()
            finished += 1
            report.step(finished / total, f"{finished * _CHUNK:,} pictures")


def _prepare(folder: Path, split: str, count: int, seed: int) -> None:
    """The facts of a shard and room for its pictures; kept if they are the same."""
    bucket, subject = folder.name.split("-")
    rng = random.Random(f"{seed} {split} {folder.name}")
    facts: list[Facts] = []
    while len(facts) < count:
        drawn = _sample(subject, bucket, rng)
        if is_held(drawn) == (split != "train"):
            facts.append(drawn)
    text = "".join(json.dumps(row) + "\n" for row in facts)
    file = folder / "facts.jsonl"
    before = file.read_text("utf-8") if file.is_file() else ""
    if before.startswith(text):  # the same, or fewer of the same
        if before != text:
            file.write_text(text, "utf-8")
        return
    (folder / "done").mkdir(parents=True, exist_ok=True)
    shape, path = SHAPES[bucket], folder / "images.npy"
    kept = len(before.splitlines()) if before and text.startswith(before) else 0  # more of the same
    for flag in (folder / "done").iterdir():
        if (int(flag.name) + 1) * _CHUNK > kept:
            flag.unlink()
    grown = path.with_suffix(".part")
    images = open_memmap(grown, "w+", np.uint8, (count, shape.height, shape.width, 3))
    if kept:
        images[:kept] = np.load(path, mmap_mode="r")[:kept]
    images.flush()
    os.replace(grown, path)
    file.write_text(text, "utf-8")


def _sample(subject: str, bucket: str, rng: random.Random) -> Facts:
    if subject == "set":
        return sample_set(rng, bucket)
    from training.people import sample_people

    return {**sample_people(rng), "subject": "people"}


def _render_master(setting: str, light: str, colour: str, detail: str) -> None:
    master(setting, light, colour, detail)


def _render_chunk(folder: Path, index: int) -> None:
    lines = (folder / "facts.jsonl").read_text("utf-8").splitlines()[index * _CHUNK : (index + 1) * _CHUNK]
    shape = SHAPES[folder.name.split("-")[0]]
    images = np.load(folder / "images.npy", mmap_mode="r+")
    for place, line in enumerate(lines):
        images[index * _CHUNK + place] = render(json.loads(line), shape.width, shape.height)
    images.flush()
    (folder / "done" / str(index)).touch()


def _chunks_done(folder: Path, count: int) -> list[bool]:
    return [(folder / "done" / str(index)).exists() for index in range(-(-count // _CHUNK))]
