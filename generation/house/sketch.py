"""The first guess of a latent: what a text and the noise's own numbers mean, laid out at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Side of the square of latent positions that make one token.
PATCH = 2
#: Heights and widths of the latents that are laid out; any other is taken from the nearest in shape, stretched.
SHAPES = ((16, 16), (20, 12), (12, 24), (8, 32))
_HIDDEN = (1024, 512)
#: Shares of the normal at which a number may change what is seen: borders of halves, thirds and fifths.
_BORDERS = (0.2, 1 / 3, 0.4, 0.5, 0.6, 2 / 3, 0.8)
_SHARP = 12.0
_SIGNS = ((1.0, -1.0, -1.0, 1.0), (1.0, -1.0, 1.0, -1.0), (1.0, 1.0, -1.0, -1.0))


def carried(latent: Tensor) -> Tensor:
    """The numbers that noise carries (B, 3 · C): the means of latents (B, C, h, w) along fixed directions.

    Of each channel three: how far the diagonals, the columns and the rows of 2 × 2 squares differ. Of plain noise they
    are standard normal; of pictures they are small, as those are smooth.
    """
    tokens = in_tokens(latent)
    signs = torch.tensor(_SIGNS, dtype=latent.dtype, device=latent.device) / 2
    places = tokens.shape[3] * tokens.shape[4]
    return torch.einsum("bcphw,sp->bsc", tokens, signs).flatten(1) / math.sqrt(places)


def carrying(latent: Tensor, numbers: Tensor) -> Tensor:
    """The latent changed so that ``carried`` gives these numbers (B, 3 · C)."""
    signs = torch.tensor(_SIGNS, dtype=latent.dtype, device=latent.device) / 2
    tokens = in_tokens(latent)
    wanted = (numbers - carried(latent)).view(len(latent), len(_SIGNS), -1)
    change = torch.einsum("bsc,sp->bcp", wanted, signs) / math.sqrt(tokens.shape[3] * tokens.shape[4])
    return functional.pixel_shuffle((tokens + change[..., None, None]).flatten(1, 2), PATCH)


def in_tokens(latent: Tensor) -> Tensor:
    """A latent (B, C, h, w) by channel, place in a token, and token: (B, C, 4, h / 2, w / 2)."""
    apart = functional.pixel_unshuffle(latent, PATCH)
    return apart.view(len(latent), latent.shape[1], PATCH**2, *apart.shape[2:])


def heard_of(numbers: Tensor) -> Tensor:
    """Numbers (B, N) as a network hears them (B, N · 8): themselves, and on which side of each border they lie.

    Many choose among two, three or five things; a plain layer would have to learn those steps first.
    """
    borders = torch.tensor(_BORDERS, dtype=torch.float32, device=numbers.device)
    sides = torch.sigmoid(_SHARP * (numbers[:, :, None] - torch.special.ndtri(borders).to(numbers.dtype)))
    return torch.cat([numbers, sides.flatten(1)], dim=1)


class Sketcher(nn.Module):
    """Three layers from a text's vector and the carried numbers to a whole latent, the last one for each shape.

    Args:
        text_width: of the vector.
        channels: of the latent.
    """

    def __init__(self, text_width: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        first, second = _HIDDEN
        self.hears = text_width + (1 + len(_BORDERS)) * len(_SIGNS) * channels
        self.enter = nn.Linear(self.hears, first)
        self.mix = nn.Linear(first, second)
        self.leave = nn.ModuleList(nn.Linear(second, channels * h * w) for h, w in SHAPES)
        for layer in self.leave:
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, text: Tensor, numbers: Tensor, height: int, width: int) -> Tensor:
        """The guess (B, C, height, width) for text vectors (B, text width) and numbers (B, 3 · C)."""
        heard = torch.cat([text, heard_of(numbers)], dim=1)
        inside = functional.silu(self.mix(functional.silu(self.enter(heard))))
        nearest = min(range(len(SHAPES)), key=lambda i: abs(math.log(SHAPES[i][0] * width / (SHAPES[i][1] * height))))
        guess: Tensor = self.leave[nearest](inside).view(-1, self.channels, *SHAPES[nearest])
        if SHAPES[nearest] != (height, width):
            guess = functional.interpolate(guess, (height, width), mode="bilinear", align_corners=False)
        return guess
