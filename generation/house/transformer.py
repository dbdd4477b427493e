"""The house denoiser: a transformer over patches of the latent, told what to draw by a few tokens made of the text.

It follows DiT (Peebles and Xie, 2023: modulation by time), PixArt-α (Chen et al., 2023: one modulation shared by all
blocks) and U-ViT (Bao et al., 2023: long skips from early to late blocks). Most of its work is in plain matrix
products over 64 tokens, which two CPU cores do at twice the speed of convolutions.

Before it a *sketch* lays out a first guess of the whole latent from the text and from the numbers that the noise
carries (see ``training.coupling``): it reads what is said and looks up what that looks like. The transformer sees the
guess beside the noisy latent and puts out what is missing. At the end a few convolutions join the tokens.

What the network puts out is turned into a flow as in EDM (Karras et al., 2022), around the guess instead of around
nothing: a network that puts out nothing is already the best denoiser of single numbers for pictures that differ from
their guess by so much in each channel (``lack``).

The pipelines see the latent packed, see ``generation.house.packing``.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional

from generation.house.blocks import silent
from generation.house.packing import packed, unpacked
from generation.house.sketch import HEARD, PATCH, Sketcher, heard_of

_LEAST = 0.02  # share of noise below which a step is taken as if there were so much
_WAVES = 8  # frequencies that a position is told in
_RIM = 64  # channels of the convolutions that join the tokens' edges
_SIGNS = 4  # tokens made of the whole and the text, beside the text's own


class HouseTransformer(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Predicts the flow of packed latents (B, 4, H/4, W/4) at times 0–1000, told by text states (B, tokens, width).

    Args:
        in_channels, out_channels: of the packed latent.
        sample_size: side of the packed latent it was trained on; the pipelines' default size follows from it.
        width: of the tokens.
        layers: blocks; the second half hears the first half through long skips.
        heads: of attention.
        text_width: of the text states.
        text_tokens: tokens that a text is condensed to.
    """

    config_name = "config.json"

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        in_channels: int = 4,
        out_channels: int = 4,
        sample_size: int = 32,
        width: int = 256,
        layers: int = 10,
        heads: int = 4,
        text_width: int = 256,
        text_tokens: int = 12,
        time_cond_proj_dim: int | None = None,
    ) -> None:
        super().__init__()
        numbers = in_channels * 4 * PATCH**2
        self.enter = nn.Linear(2 * numbers, width)
        self.place = nn.Linear(8 * _WAVES, width)
        self.time = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        self.condense = Condenser(text_width, width, text_tokens, heads)
        self.sketch = Sketcher(text_width, in_channels * 4)
        hears = text_width + HEARD * 3 * in_channels * 4
        self.whole = nn.Sequential(nn.Linear(hears, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
        self.signs = nn.Sequential(nn.Linear(2 * width, 2 * width), nn.SiLU(), nn.Linear(2 * width, _SIGNS * width))
        self.modulate = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
        self.blocks = nn.ModuleList(
            Block(width, heads, skipped=index >= layers - layers // 2) for index in range(layers)
        )
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.last = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.leave = nn.Linear(width, numbers)
        channels = numbers // PATCH**2
        self.rim = nn.Sequential(
            nn.Conv2d(3 * channels, _RIM, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(_RIM, _RIM, 3, padding=1),
            nn.SiLU(),
            silent(nn.Conv2d(_RIM, channels, 3, padding=1)),
        )
        #: How much latents differ from their guesses, a standard deviation for each channel: where a text says
        #: something, and where it says nothing.
        self.register_buffer("lack", torch.tensor([0.5, 1.0]).view(2, 1, 1, 1).repeat(1, channels, 1, 1))
        for still in (*self.modulate.parameters(), *self.last.parameters(), *self.leave.parameters()):
            nn.init.zeros_(still)

    def matrices(self) -> list[nn.Parameter]:
        """The weights inside the blocks that are matrices: what an optimiser for matrices may train."""
        return [weight for weight in self.blocks.parameters() if weight.ndim == 2]

    def forward(
        self, sample: Tensor, timestep: Any, encoder_hidden_states: Tensor, return_dict: bool = True, **_: Any
    ) -> Any:
        """As diffusers' pipelines call it: packed latents in, the prediction in the same shape out."""
        times = torch.as_tensor(timestep, device=sample.device, dtype=sample.dtype).expand(len(sample))
        flow = packed(self.velocity(unpacked(sample), times / 1000, encoder_hidden_states))
        return SimpleNamespace(sample=flow) if return_dict else (flow,)

    def velocity(self, latent: Tensor, times: Tensor, text: Tensor) -> Tensor:
        """The flow at latents that are not packed.

        Args:
            latent: noisy latents (B, 16, h, w), ``(1 - t) · clean + t · noise``; odd sides are padded, and the numbers
                that decide are then read less surely: pictures of multiples of 16 pixels are drawn best.
            times: t of each, 0–1 (B).
            text: hidden states of the caption (B, tokens, width).

        Returns:
            The predicted ``noise - clean``, (B, 16, h, w).
        """
        height, width = latent.shape[2:]
        latent = functional.pad(latent, (0, width % PATCH, 0, height % PATCH), mode="replicate")
        share = times.view(-1, 1, 1, 1).to(latent.dtype)
        guess, numbers = self.sketch.understood(text[:, 0].to(latent.dtype), latent, times)
        lack = self.lack_of(text).to(latent.dtype)
        spread = spread_of(lack, share).sqrt()
        rest = (latent - (1 - share) * guess) / spread
        lacking = self._estimate(rest, guess, times, text, numbers)
        flow = (share - (1 - share) * lack.square()) / spread * rest - guess - lack / spread * lacking
        # The picture that the flow leads to is to be quieted, or the numbers could not be read at the next step.
        drawn = latent - share * flow
        quiet: Tensor = flow + (drawn - self.sketch.quieted(drawn)) / share.clamp_min(_LEAST)
        return quiet[..., :height, :width]

    def lack_of(self, text: Tensor) -> Tensor:
        """How much latents told by text states (B, tokens, width) differ from their guesses: (B, C, 1, 1)."""
        says_nothing = self.sketch.reader.silent(text[:, 0].to(self.enter.weight.dtype))
        found: Tensor = self.get_buffer("lack")[says_nothing.long()]
        return found

    def _estimate(self, scaled: Tensor, guess: Tensor, times: Tensor, text: Tensor, numbers: Tensor) -> Tensor:
        """What the guess lacks beyond the best that is linear, of about unit spread at every time, like the latent."""
        rows, columns = scaled.shape[2] // PATCH, scaled.shape[3] // PATCH
        seen = torch.cat([scaled, guess], dim=1)
        tokens = functional.pixel_unshuffle(seen, PATCH).flatten(2).transpose(1, 2)
        told, gist = self.condense(text)
        whole = self.whole(torch.cat([text[:, 0].to(numbers.dtype), heard_of(numbers)], dim=1))
        moment = self.time(_waves(times).to(tokens.dtype)) + gist + whole
        signs = self.signs(torch.cat([gist, whole], dim=1)).unflatten(1, (_SIGNS, -1))
        told = torch.cat([told, signs.to(told.dtype)], dim=1)
        x = self.enter(tokens) + self.place(_places(rows, columns, tokens.device).to(tokens.dtype))
        change = self.modulate(moment).unflatten(1, (6, -1))[:, :, None]
        early: list[Tensor] = []
        for block in self.blocks:
            x = block(x, told, change, early.pop() if block.skipped else None)
            if len(early) < len(self.blocks) // 2 and not block.skipped:
                early.append(x)
        scale, shift = self.last(moment)[:, None].chunk(2, dim=2)
        x = self.leave(self.norm(x) * (1 + scale) + shift)
        answer = functional.pixel_shuffle(x.transpose(1, 2).unflatten(2, (rows, columns)), PATCH)
        joined: Tensor = answer + self.rim(torch.cat([answer, seen], dim=1))
        return joined


def spread_of(lack: Tensor, share: Tensor) -> Tensor:
    """Variance (B, C, 1, 1) of what is not the guess in latents with a share of noise: ``(1 - t)² lack² + t²``."""
    variance: Tensor = (1 - share).square() * lack.square() + share.square()
    return variance


class Block(nn.Module):
    """Attention over the picture's tokens and the text's, then two layers for each token, both modulated."""

    def __init__(self, width: int, heads: int, skipped: bool) -> None:
        super().__init__()
        self.heads, self.skipped = heads, skipped
        self.offset = nn.Parameter(torch.zeros(6, 1, width))
        self.join = nn.Linear(2 * width, width) if skipped else None
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.ask = nn.Linear(width, 3 * width)
        self.hear = nn.Linear(width, 2 * width)
        self.answer = nn.Linear(width, width)
        self.sharpness = nn.Parameter(torch.full((heads, 1, 1), math.sqrt(width // heads)))
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, told: Tensor, change: Tensor, early: Tensor | None) -> Tensor:
        """Tokens (B, N, width) in and out; ``told`` (B, T, width), ``change`` (B, 6, 1, width)."""
        if self.join is not None and early is not None:
            x = x + self.join(torch.cat([x, early], dim=2))
        a, b, c, d, e, f = (change + self.offset).unbind(1)
        x = x + (1 + c) * self._attend(self.norm(x) * (1 + a) + b, told)
        hidden = functional.relu(self.widen(self.norm(x) * (1 + d) + e)).square()
        result: Tensor = x + (1 + f) * self.narrow(hidden)
        return result

    def _attend(self, x: Tensor, told: Tensor) -> Tensor:
        query, key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.ask(x).chunk(3, 2))
        text_key, text_value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.hear(told).chunk(2, 2)
        )
        key = functional.normalize(torch.cat([key, text_key], dim=2), dim=3)
        value = torch.cat([value, text_value], dim=2)
        query = functional.normalize(query, dim=3) * self.sharpness.to(query.dtype)
        weights = (query @ key.transpose(2, 3)).softmax(dim=3).to(value.dtype)
        found: Tensor = self.answer((weights @ value).transpose(1, 2).flatten(2))
        return found


class Condenser(nn.Module):
    """A text's states as a few tokens and one vector: learnt questions that attend to them."""

    def __init__(self, text_width: int, width: int, tokens: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(text_width)
        self.questions = nn.Parameter(torch.randn(tokens, width) * 0.5)
        self.key, self.value = nn.Linear(text_width, width), nn.Linear(text_width, width)
        self.inner = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.after = nn.LayerNorm(width)
        self.gist = nn.Sequential(nn.Linear(tokens * width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))

    def forward(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Text states (B, T, text width) to tokens (B, tokens, width) and a vector (B, width)."""
        text = self.norm(text)
        query = self.questions.expand(len(text), -1, -1)
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (query, self.key(text), self.value(text))
        )
        weights = (query.to(key.dtype) @ key.transpose(2, 3) / math.sqrt(query.shape[3])).softmax(dim=3)
        told = (weights.to(value.dtype) @ value).transpose(1, 2).flatten(2)
        told = self.after(told + self.inner(told))
        return told, self.gist(told.flatten(1))


def _places(rows: int, columns: int, device: torch.device) -> Tensor:
    """Where each token is (1, rows · columns, 8 · waves): by shares of the picture, and by steps from the middle."""
    y, x = torch.meshgrid(torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij")
    shares = [(y + 0.5) / rows, (x + 0.5) / columns]
    steps = [(y - (rows - 1) / 2) / 8, (x - (columns - 1) / 2) / 8]
    values = torch.stack([plane.flatten() for plane in (*shares, *steps)], dim=1)
    angles = values[..., None] * (torch.arange(_WAVES, device=device) + 1) * (math.pi / 2)
    return torch.cat([angles.sin(), angles.cos()], dim=2).flatten(1)[None]


def _waves(times: Tensor) -> Tensor:
    """Times 0–1 (B) as sines and cosines (B, 256)."""
    rates = torch.exp(torch.linspace(0, math.log(1000.0), 128, device=times.device))
    angles = times.float()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)
