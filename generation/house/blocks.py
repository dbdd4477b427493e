"""Small pieces that the house's convolutional networks share."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """Two 3 × 3 convolutions added onto their input: (B, C, H, W) → (B, C, H, W); no norm, so any size and any crop."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.second.weight.data *= 0.3

    def forward(self, x: Tensor) -> Tensor:
        """The input, corrected."""
        change: Tensor = self.second(functional.silu(self.first(functional.silu(x))))
        return x + change


def residuals(channels: int, count: int) -> nn.Sequential:
    """``count`` residual blocks in a row."""
    return nn.Sequential(*(Residual(channels) for _ in range(count)))


def silent(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer with all its weights at zero, so that a branch ending in it adds nothing before training."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
