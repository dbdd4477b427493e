"""Captions as the denoiser hears them: hidden states of the house CLIP's frozen text tower."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from proofsheet.errors import StateError
from training.budget import half
from training.convert import text_encoder_of
from training.grammar import caption
from training.tokenizer import CONTEXT, Words
from training.world import Facts

_LEFT_OUT = 0.35  # chance of each part to be missing in a sparse caption


class Teller:
    """Turns facts into captions and captions into what the denoiser attends to.

    Args:
        folder: of the trained CLIP.
        device: where the text tower runs.
        empty: share of captions that are left out whole.
        sparse: share of captions that leave parts out.

    Raises:
        StateError: there is no trained CLIP.
    """

    def __init__(self, folder: Path, device: torch.device, empty: float, sparse: float) -> None:
        if not (folder / "open_clip_model.safetensors").is_file():
            raise StateError(f"There is no trained CLIP in {folder}.", "Train it first: python -m training run")
        self.encoder = text_encoder_of(folder).to(device).eval().requires_grad_(False)
        self.words, self.device = Words(folder / "tokenizer.json"), device
        self.empty, self.sparse = empty, sparse
        self.width = int(self.encoder.config.hidden_size)
        self._pad = int(self.encoder.config.pad_token_id)

    def captions(self, facts: Sequence[Facts], rng: random.Random) -> list[str]:
        """A caption of each, in words drawn at random; some leave parts out, some are empty."""
        return [
            "" if rng.random() < self.empty else caption(row, rng, _LEFT_OUT if rng.random() < self.sparse else 0.0)
            for row in facts
        ]

    def plain(self, facts: Sequence[Facts]) -> list[str]:
        """A full caption of each, always the same."""
        return [caption(row, random.Random(place)) for place, row in enumerate(facts)]

    @torch.no_grad()
    def states(self, texts: Sequence[str]) -> Tensor:
        """Hidden states (B, 48, width) of the texts, padded to the full context as diffusers' pipelines pad them."""
        rows = [row + [self._pad] * (CONTEXT - len(row)) for row in self.words.encode(texts)]
        with half(self.device):
            found: Tensor = self.encoder(torch.tensor(rows, device=self.device)).last_hidden_state
        return found.float()

    @torch.no_grad()
    def vectors(self, texts: Sequence[str]) -> Tensor:
        """What stands first in ``states`` (B, width), without padding, which takes a third of the time."""
        with half(self.device):
            found: Tensor = self.encoder(torch.tensor(self.words.encode(texts), device=self.device)).pooler_output
        return found.float()
