"""Training by a budget of wall seconds or steps, with checkpoints that a later run goes on from exactly."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from training.muon import Muon
from training.progress import Progress

_SAVE_EVERY = 60.0  # seconds

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a stage trains and how.

    Args:
        seconds: wall seconds; the time of earlier, interrupted runs counts.
        steps: optimiser steps at most; whichever ends first ends the training.
        rate: highest learning rate.
        warm_steps: steps over which the rate rises from nothing.
        last_rate: share of ``rate`` that the cosine falls to.
        decay: how slowly the averaged weights follow, per step.
    """

    seconds: float
    steps: int = 1_000_000_000
    rate: float = 1e-3
    warm_steps: int = 50
    last_rate: float = 0.03
    decay: float = 0.995

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> Budget:
        """The budget of a stage's section of the config."""
        return cls(**{name: section[name] for name in cls.__dataclass_fields__ if name in section})

    def share(self, step: int, elapsed: float) -> float:
        """How much is spent, 0–1."""
        return min(1.0, max(step / max(self.steps, 1), elapsed / max(self.seconds, 1e-9)))

    def rate_at(self, step: int, elapsed: float) -> float:
        """The learning rate of a step: a short rise, then half a cosine over the whole budget."""
        fall = 0.5 + 0.5 * math.cos(math.pi * self.share(step, elapsed))
        return (
            self.rate * min(1.0, (step + 1) / max(self.warm_steps, 1)) * (self.last_rate + (1 - self.last_rate) * fall)
        )


class Training(Generic[Network]):
    """A network, its optimiser, its averaged copy, and how much of the budget they have had.

    Args:
        network: trained in place.
        budget: when to stop and at which rates.
        folder: where ``last.pt`` is kept.
        matrices: parameters that Muon trains (Jordan, 2024), at the full rate; AdamW trains the others, then at half.
    """

    def __init__(self, network: Network, budget: Budget, folder: Path, matrices: Collection[nn.Parameter] = ()) -> None:
        self.network, self.budget, self.folder = network, budget, folder
        self.average: Network = deepcopy(network).eval().requires_grad_(False)
        known = {id(parameter) for parameter in matrices}
        others = [parameter for parameter in network.parameters() if id(parameter) not in known]
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(others, lr=budget.rate, weight_decay=1e-4, betas=(0.9, 0.99), fused=True)
        ]
        if known:
            self.optimisers.append(Muon(matrices, lr=budget.rate, weight_decay=0.01))
        self._shares = (0.5, 1.0) if known else (1.0,)
        self.step, self.elapsed = 0, 0.0

    @property
    def optimiser(self) -> torch.optim.Optimizer:
        """The one that trains what is not a matrix: all, where there are no matrices."""
        return self.optimisers[0]

    @property
    def file(self) -> Path:
        """The checkpoint."""
        return self.folder / "last.pt"

    def resume(self) -> bool:
        """Go on from the checkpoint; False if there is none."""
        if not self.file.is_file():
            return False
        kept = torch.load(self.file, map_location="cpu", weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.average.load_state_dict(kept["average"])
        for optimiser, state in zip(self.optimisers, kept["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.step, self.elapsed = kept["step"], kept["elapsed"]
        return True

    def save(self) -> None:
        """Write the checkpoint; a reader sees the old one or the new one, never a part."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "elapsed": self.elapsed,
        }
        part = self.file.with_suffix(".part")
        torch.save(kept, part)
        os.replace(part, self.file)

    def run(self, loss_of: Callable[[int], Tensor], report: Progress) -> None:
        """Train until the budget is spent.

        Args:
            loss_of: the loss of a step by its number, and of nothing else that changes.
            report: hears the share done and the smoothed loss.
        """
        saved, smooth = time.monotonic(), 0.0
        self.network.train()
        while (share := self.budget.share(self.step, self.elapsed)) < 1:
            begun = time.monotonic()
            rate = self.budget.rate_at(self.step, self.elapsed)
            for optimiser, part in zip(self.optimisers, self._shares, strict=True):
                for group in optimiser.param_groups:
                    group["lr"] = part * rate
            loss = loss_of(self.step)
            self.network.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            for optimiser in self.optimisers:
                optimiser.step()
            self.step += 1
            self._follow()
            value = float(loss.detach())
            smooth = value if smooth == 0 else 0.98 * smooth + 0.02 * value
            self.elapsed += time.monotonic() - begun
            report.step(share, f"step {self.step:,}  loss {smooth:.4f}")
            if time.monotonic() - saved > _SAVE_EVERY:
                self.save()
                saved = time.monotonic()
        self.network.eval()
        self.save()
        report.step(1.0, f"step {self.step:,}  loss {smooth:.4f}")

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(self.budget.decay, (1 + self.step) / (10 + self.step))
        for mean, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(new, 1 - keep)
        for kept, fresh in zip(self.average.buffers(), self.network.buffers(), strict=True):
            kept.copy_(fresh)


def device_of(section: Mapping[str, Any]) -> torch.device:
    """Where a stage trains: a GPU if there is one; sets the number of threads that the section asks for."""
    if "threads" in section:
        torch.set_num_threads(int(section["threads"]))
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half(device: torch.device) -> AbstractContextManager[Any]:
    """Half precision where the device is quick at it; on a CPU that only imitates it nothing changes.

    Measured: without instructions for bfloat16 a step takes 13 times as long in it.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type != "cpu" or _quick_at_half())


@cache
def _quick_at_half() -> bool:
    """Whether this CPU multiplies matrices of bfloat16 faster than those of float32."""
    taken = {}
    for kind in (torch.float32, torch.bfloat16):
        left, right = torch.ones(512, 512, dtype=kind), torch.ones(512, 512, dtype=kind)
        left @ right  # the first one pays for setting up
        begun = time.perf_counter()
        for _ in range(3):
            left @ right
        taken[kind] = time.perf_counter() - begun
    return taken[torch.bfloat16] < 0.8 * taken[torch.float32]


def section_of(config: Mapping[str, Any], stage: str, defaults: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The stage's section of the config; without defaults, a section itself is taken as it is.

    Args:
        config: the tables of ``config.toml``.
        stage: whose section.
        defaults: what counts where the section, or all of it, is not there.
    """
    if defaults is not None:
        return {**defaults, **config.get(stage, {})}
    found: Mapping[str, Any] = config.get(stage, config)
    return found
