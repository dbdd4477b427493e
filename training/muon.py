"""Muon (Jordan, 2024) in single precision, for processors that only imitate bfloat16, which torch's own insists on.

The momentum of a matrix is replaced by the nearest matrix whose singular values are all about one, found by a few
Newton–Schulz steps. Matrices of one shape are worked on together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

#: Of the fifth-degree polynomial that is iterated (Jordan, 2024).
_A, _B, _C = 3.4445, -4.7750, 2.0315
_STEPS = 5


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; the step is scaled to the size that AdamW's would have.

    Args:
        matrices: parameters of two dimensions, or of more, where all but the first count as one: filters.
        lr: learning rate.
        weight_decay: share of the weights taken off at each step, times the rate.
        momentum: of the gradients, after Nesterov.
    """

    def __init__(
        self, matrices: Iterable[Tensor], lr: float = 1e-3, weight_decay: float = 0.01, momentum: float = 0.95
    ) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """One step; a closure is not called."""
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                mean.lerp_(weight.grad, 1 - group["momentum"])
                change = weight.grad.lerp(mean, group["momentum"]).flatten(1)
                alike[change.shape[0], change.shape[1]].append((weight, change))
            for (rows, columns), pairs in alike.items():
                turned = orthogonal(torch.stack([change for _, change in pairs]))
                size = group["lr"] * 0.2 * math.sqrt(max(rows, columns))
                for (weight, _), change in zip(pairs, turned, strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"]).sub_(change.view(weight.shape), alpha=size)
        return None


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices (N, rows, columns) with their singular values brought near one."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(_STEPS):
        square = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=_B, alpha=_C), x, beta=_A)
    return x.transpose(1, 2) if tall else x
