"""An independent judge of pictures: a small network, trained on renders alone, that reads the attributes back.

It shares nothing with the models it judges: no weights, no text, no latent space.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from proofsheet.errors import StateError
from training.budget import Budget, Training, device_of, half, section_of
from training.dataset import Data, Shard
from training.probe_net import HEADS, SIDE, ProbeNet, labels_of, loss_of, roughened, told
from training.progress import Progress
from training.world import Facts

#: Of ten training renders one is not shown to the probe: it is tried on that one, see ``validation``.
_TENTH = 10


class Probe:
    """A trained probe.

    Args:
        net: its network.
        values: the words of each head, in the order of the head's outputs.
    """

    def __init__(self, net: ProbeNet, values: Mapping[str, Sequence[str]]) -> None:
        self.net, self.values = net.eval(), values

    @classmethod
    def load(cls, out: Path) -> Probe:
        """The probe of a run's folder.

        Raises:
            StateError: none has been trained there.
        """
        folder = Path(out) / "probe"
        if not (folder / "probe.safetensors").is_file():
            raise StateError(f"There is no trained probe in {folder}.", "Train it: python -m training run")
        values = json.loads((folder / "values.json").read_text("utf-8"))
        net = ProbeNet({head: len(words) for head, words in values.items()})
        net.load_state_dict(load_file(folder / "probe.safetensors"))
        return cls(net, values)

    def read(self, images: NDArray[np.uint8], subjects: Sequence[str] | None = None) -> list[dict[str, str]]:
        """What each picture (N, 128, 128, 3) shows: attribute to value, of the subject given or else recognised."""
        return [{name: value for name, (value, _) in row.items()} for row in self.read_surely(images, subjects)]

    def read_surely(
        self, images: NDArray[np.uint8], subjects: Sequence[str] | None = None
    ) -> list[dict[str, tuple[str, float]]]:
        """As ``read``, each value with the probability (0–1) that the probe gives it."""
        shares = self.shares(images)
        if subjects is None:
            subjects = [self.values["any.subject"][int(best)] for best in shares["any.subject"].argmax(axis=1)]
        rows: list[dict[str, tuple[str, float]]] = []
        for place, subject in enumerate(subjects):
            row = {"subject": self._best("any.subject", shares, place)}
            heads = [(name, f"{subject}.{name}") for name in HEADS[subject] if f"{subject}.{name}" in self.values]
            row.update((name, self._best(head, shares, place)) for name, head in heads)
            rows.append(row)
        return rows

    def shares(self, images: NDArray[np.uint8], batch: int = 128) -> dict[str, NDArray[np.float32]]:
        """The probabilities (N, values) of each head."""
        parts: list[dict[str, Tensor]] = []
        with torch.inference_mode():
            for start in range(0, len(images), batch):
                planes = planes_of(np.asarray(images[start : start + batch]))
                parts.append({head: scores.softmax(dim=1) for head, scores in self.net(planes).items()})
        return {head: torch.cat([part[head] for part in parts]).numpy() for head in self.values}

    def _best(self, head: str, shares: Mapping[str, NDArray[np.float32]], place: int) -> tuple[str, float]:
        best = int(shares[head][place].argmax())
        return self.values[head][best], float(shares[head][place, best])


def planes_of(images: NDArray[np.uint8]) -> Tensor:
    """Pictures (N, 128, 128, 3) as the network sees them: float (N, 3, 64, 64) in [0, 1]."""
    return functional.avg_pool2d(torch.tensor(images).movedim(3, 1).float() / 255, 2)


def square(data: Data, split: str) -> list[Shard]:
    """The shards of square pictures: all that the probe reads."""
    return [shard for shard in data.shards(split) if shard.bucket == "square"]


def _splits(data: Data) -> tuple[str, ...]:
    """What the probe learns from: it must know the held-out combinations too, from other pictures of them."""
    return ("train", "judge") if (data.folder / "judge").is_dir() else ("train",)


def validation(data: Data) -> tuple[NDArray[np.uint8], list[Facts]]:
    """Every tenth of the square renders to learn from, kept from the probe's training, with its facts."""
    shards = [shard for split in _splits(data) for shard in square(data, split)]
    images = np.concatenate([shard.images[::_TENTH] for shard in shards])
    return images, [facts for shard in shards for facts in shard.facts[::_TENTH]]


def train_probe(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train the probe, or go on training it, and write what it needs and what it reads into ``out/probe``.

    Args:
        config: with a table ``probe``: seconds, steps, rate …, see training.budget.Budget; batch, threads and seed.
        data: the renders; all but the strips are used, squashed into squares.
        out: the run's folder; ``out/probe/last.pt`` is the checkpoint.
        report: hears how far it is.

    Raises:
        StateError: the checkpoint there reads other attributes than the renders have.
    """
    section, folder = section_of(config, "probe"), Path(out) / "probe"
    device_of(section)
    folder.mkdir(parents=True, exist_ok=True)
    lesson = _Lesson(data, int(section.get("batch", 32)), int(section.get("seed", 5)))
    budget = Budget.of({"seconds": 1700, "rate": 3e-3, **section})
    training = Training(lesson.net, budget, folder)
    for group in training.optimiser.param_groups:
        group["weight_decay"] = 0.1
    if (folder / "last.pt").is_file() and json.loads((folder / "values.json").read_text("utf-8")) != lesson.values:
        raise StateError(
            f"The checkpoint in {folder} reads other attributes than the renders have.",
            "Remove the folder to train the probe anew.",
        )
    write_json(folder / "values.json", lesson.values)
    training.resume()
    training.run(lesson, report)
    probe = Probe(training.average, lesson.values)
    weights = {name: value.contiguous() for name, value in probe.net.state_dict().items()}
    save_file(weights, folder / "probe.safetensors")
    from training.visibility import visibility  # it reads renders with the finished probe

    write_json(folder / "visibility.json", visibility(probe, data).as_json())


class _Lesson:
    """The loss of each step. Which pictures and how roughened follow from the step's number."""

    def __init__(self, data: Data, batch: int, seed: int) -> None:
        self.batch, self.seed = batch, seed
        shards = [shard for split in _splits(data) for shard in data.shards(split) if shard.bucket != "strip"]
        kept = [(shard, _taught(shard)) for shard in shards]
        self.images = np.concatenate([squashed(shard.images, places) for shard, places in kept])
        facts = [shard.facts[place] for shard, places in kept for place in places]
        self.values = values_of(facts)
        self.labels = labels_of(facts, self.values)
        torch.manual_seed(seed)
        self.net = ProbeNet({head: len(words) for head, words in self.values.items()})
        self.net.to(memory_format=torch.channels_last)

    def __call__(self, step: int) -> Tensor:
        torch.manual_seed(self.seed * 1_000_003 + step)  # for dropout
        images, labels = self._batch(step)
        with half(images.device):
            logits = self.net(images)
        return loss_of(logits, labels)

    def _batch(self, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        epoch, start = divmod(step * self.batch, len(self.images))
        picked = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))[start : start + self.batch]
        rng = np.random.default_rng([self.seed, step, 1])
        images = torch.from_numpy(self.images[picked]).movedim(3, 1).float() / 255
        return roughened(images, rng), {head: labels[picked] for head, labels in self.labels.items()}


def _taught(shard: Shard) -> list[int]:
    """The places in a shard that are trained on: in squares, all but those for validation."""
    return [place for place in range(len(shard)) if place % _TENTH or shard.bucket != "square"]


def squashed(images: NDArray[np.uint8], places: Sequence[int]) -> NDArray[np.uint8]:
    """Some of the pictures (N, H, W, 3) at 64 × 64 pixels, whole, whatever their shape."""
    small = np.empty((len(places), SIDE, SIDE, 3), np.uint8)
    for row, place in enumerate(places):
        small[row] = np.asarray(Image.fromarray(images[place]).resize((SIDE, SIDE), Image.Resampling.BOX))
    return small


def values_of(facts: Sequence[Facts]) -> dict[str, list[str]]:
    """The values of each head that the facts have, sorted; numbers by size."""
    found = {"any.subject": sorted({str(row["subject"]) for row in facts})}
    for subject, names in HEADS.items():
        rows = [row for row in facts if row["subject"] == subject]
        for name in names:
            words = {word for row in rows if (word := told(row, name)) is not None}
            if words:
                found[f"{subject}.{name}"] = sorted(words, key=lambda word: (len(word) if word.isdigit() else 0, word))
    return found


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON."""
    path.write_text(json.dumps(value, indent=1, sort_keys=False) + "\n", "utf-8")
