"""An independent judge of pictures: a small network, trained on renders alone, that reads the attributes back.

It shares nothing with the models it judges: no weights, no text, no latent space.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from proofsheet.errors import StateError
from training.dataset import Data, Shard
from training.probe_net import HEADS, ProbeNet, labels_of, loss_of, roughened, told
from training.progress import Progress
from training.world import Facts, mirrored

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
            row.update((name, self._best(f"{subject}.{name}", shares, place)) for name in HEADS[subject])
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
    """Pictures (N, H, W, 3) as float (N, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255


def square(data: Data, split: str) -> list[Shard]:
    """The shards of square pictures: all that the probe reads."""
    return [shard for shard in data.shards(split) if shard.bucket == "square"]


def validation(data: Data) -> tuple[NDArray[np.uint8], list[Facts]]:
    """Every tenth training render, which the probe has not seen, with its facts."""
    shards = square(data, "train")
    images = np.concatenate([shard.images[::_TENTH] for shard in shards])
    return images, [facts for shard in shards for facts in shard.facts[::_TENTH]]


def train_probe(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train the probe, or go on training it, and write ``out/probe/{probe.safetensors,values.json,figures.json}``.

    Args:
        config: with a table ``probe``: seconds, steps, batch, threads, seed, rate; all may be left out.
        data: the renders; only the square ones are used.
        out: the run's folder; ``out/probe/last.pt`` is the checkpoint.
        report: hears how far it is.
    """
    course = _Course(config.get("probe", {}), square(data, "train"), Path(out) / "probe")
    if "threads" in course.settings:
        torch.set_num_threads(int(course.settings["threads"]))
    while course.share() < 1:
        loss = course.one_step()
        report.step(min(course.share(), 0.999), f"loss {loss:.2f}")
    probe = Probe(course.averaged(), course.values)
    save_file(
        {name: value.contiguous() for name, value in probe.net.state_dict().items()},
        course.folder / "probe.safetensors",
    )
    _write_json(course.folder / "values.json", course.values)
    from training.visibility import visibility  # it needs the finished probe

    seen = visibility(probe, data)
    _write_json(course.folder / "visibility.json", seen.as_json())
    _write_json(course.folder / "figures.json", {"steps": course.step, "seconds": round(course.spent), **seen.figures})
    report.step(1.0, f"{course.step} steps")


class _Course:
    """A training in progress."""

    def __init__(self, settings: Mapping[str, Any], shards: Sequence[Shard], folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.budget = float(settings.get("seconds", 600))
        self.steps = int(settings.get("steps", 1_000_000))
        self.batch = int(settings.get("batch", 64))
        self.seed = int(settings.get("seed", 5))
        self.rate = float(settings.get("rate", 2e-3))
        self.shards = shards
        self.pool = [
            (number, place)
            for number, shard in enumerate(shards)
            for place in range(len(shard))
            if place % _TENTH  # the others are for validation
        ]
        self.values = values_of([facts for shard in shards for facts in shard.facts])
        torch.manual_seed(self.seed)
        sizes = {head: len(words) for head, words in self.values.items()}
        self.net, self.slow = ProbeNet(sizes), ProbeNet(sizes)
        self.net = self.net.to(memory_format=torch.channels_last)
        self.slow.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(self.net.parameters(), self.rate, weight_decay=0.03)
        self.step, self.spent, self._saved = 0, 0.0, 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "last.pt").is_file():
            self._resume()

    def share(self) -> float:
        """How much (0–1) of the time or of the steps is spent, whichever is more."""
        return min(1.0, max(self.spent / self.budget, self.step / self.steps))

    def one_step(self) -> float:
        """Train on one batch and return its loss."""
        begun = time.monotonic()
        share, self.net = self.share(), self.net.train()
        rate = self.rate * min(1.0, (self.step + 1) / 60) * 0.5 * (1 + math.cos(math.pi * share))
        for group in self.optimiser.param_groups:
            group["lr"] = max(rate, 1e-6)
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        images, labels = self._batch()
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.net(images)
        loss = loss_of(logits, labels)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self._follow(min(0.995, (1 + self.step) / (10 + self.step)))
        self.step += 1
        self.spent += time.monotonic() - begun
        if self.spent - self._saved > 45 or self.share() >= 1:
            self._save()
        return float(loss.detach())

    def averaged(self) -> ProbeNet:
        """The network with its weights averaged over the last steps."""
        return self.slow

    def _batch(self) -> tuple[Tensor, dict[str, Tensor]]:
        """The batch of this step: which pictures, which in the mirror and how roughened follow from its number."""
        epoch, place = divmod(self.step * self.batch, len(self.pool))
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.pool))
        rng = np.random.default_rng([self.seed, self.step, 1])
        images, facts = [], []
        for pick in order[place : place + self.batch]:
            number, row = self.pool[pick]
            picture, fact = self.shards[number].images[row], self.shards[number].facts[row]
            if rng.random() < 0.5:
                picture, fact = picture[:, ::-1], mirrored(fact)
            images.append(picture)
            facts.append(fact)
        return roughened(planes_of(np.stack(images)), rng), labels_of(facts, self.values)

    def _follow(self, keep: float) -> None:
        with torch.no_grad():
            for slow, fast in zip(self.slow.state_dict().values(), self.net.state_dict().values(), strict=True):
                if slow.is_floating_point():
                    slow.lerp_(fast, 1 - keep)
                else:
                    slow.copy_(fast)

    def _save(self) -> None:
        self._saved = self.spent
        part = self.folder / "last.part"
        state = {
            "net": self.net.state_dict(),
            "slow": self.slow.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "spent": self.spent,
            "values": self.values,
        }
        torch.save(state, part)
        os.replace(part, self.folder / "last.pt")

    def _resume(self) -> None:
        state = torch.load(self.folder / "last.pt", weights_only=True)
        if state["values"] != self.values:
            raise StateError(
                f"The checkpoint in {self.folder} reads other attributes than the renders have.",
                "Remove the folder to train the probe anew.",
            )
        self.net.load_state_dict(state["net"])
        self.slow.load_state_dict(state["slow"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent = int(state["step"]), float(state["spent"])
        self._saved = self.spent


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


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=False) + "\n", "utf-8")
