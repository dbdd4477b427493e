"""The first guess of a latent: what a text and the noise's own numbers mean, read and looked up."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from generation.house.choices import HEADS, NOTHING, SLOTS, Facts, completed, said_by
from generation.house.framing import shape_of
from generation.house.lookup import BY_RENDERERS, CELLS, Backdrops, Figures

#: The numbers that decide what is seen.
DECIDING = tuple(sorted({*BY_RENDERERS, *(slot for slots in SLOTS.values() for slot in slots.values())}))
#: Side of the square of latent positions that make one token.
PATCH = 2
#: Shares of the normal at which a number may change what is seen: borders of halves, thirds and fifths.
_BORDERS = (0.2, 1 / 3, 0.4, 0.5, 0.6, 2 / 3, 0.8)
#: What each number is heard as: itself and the side of each border.
HEARD = 1 + len(_BORDERS)
_SHARP = 12.0
_CLEAR = 0.02  # share of noise below which what it carries is not read any stronger
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
    """Numbers (B, N) as a network hears them (B, N · HEARD): themselves, and on which side of each border they lie.

    Many choose among two, three or five things; a plain layer would have to learn those steps first.
    """
    borders = torch.tensor(_BORDERS, dtype=torch.float32, device=numbers.device)
    sides = torch.sigmoid(_SHARP * (numbers[:, :, None] - torch.special.ndtri(borders).to(numbers.dtype)))
    return torch.cat([numbers, sides.flatten(1)], dim=1)


class Reader(nn.Module):
    """One layer that tells from a text's vector what the text speaks of, and what it says.

    Args:
        text_width: of the vector.
    """

    def __init__(self, text_width: int) -> None:
        super().__init__()
        self.heads = nn.Linear(text_width, sum(map(len, HEADS.values())))

    def forward(self, text: Tensor) -> dict[str, Tensor]:
        """The scores (B, values) of each of ``HEADS`` for text vectors (B, text width)."""
        scores = self.heads(text).split([len(values) for values in HEADS.values()], dim=1)
        return dict(zip(HEADS, scores, strict=True))

    @torch.no_grad()
    def silent(self, text: Tensor) -> Tensor:
        """Which texts say nothing: bool (B,)."""
        said: Tensor = self(text)["subject"].argmax(dim=1)
        return said == HEADS["subject"].index(NOTHING)

    @torch.no_grad()
    def facts(self, text: Tensor, numbers: Tensor, shape: str) -> list[dict[str, str | int] | None]:
        """Whole facts for each text and the numbers of its noise; None for a text that says nothing.

        Args:
            text, numbers: (B, text width) and (B, n).
            shape: a key of ``framing.SHAPES``.
        """
        best = {head: scores.argmax(dim=1).tolist() for head, scores in self(text).items()}
        found: list[dict[str, str | int] | None] = []
        for row, own in enumerate(numbers.tolist()):
            said = said_by({head: places[row] for head, places in best.items()})
            found.append(None if said is None else completed(said, own, shape))
        return found


class Sketcher(nn.Module):
    """From a text's vector and the carried numbers to a whole latent: what is said is read, then looked up.

    Args:
        text_width: of the vector.
        channels: of the latent.
    """

    def __init__(self, text_width: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.reader = Reader(text_width)
        self.backdrops, self.figures = Backdrops(channels), Figures(channels)
        for name, cells in CELLS.items():
            self.register_buffer(f"mean_{name}", torch.zeros(channels, *cells))
        #: Which of the directions of ``carried`` carries each number: those in which pictures have least come first to
        #: the numbers that mean something.
        self.register_buffer("order", torch.arange(len(_SIGNS) * channels))

    def understood(self, text: Tensor, latent: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """The guess for noisy latents, and the numbers that their noise carries.

        Args:
            text: vectors (B, text width).
            latent: noisy latents (B, C, h, w), ``(1 - t) · clean + t · noise``.
            times: t of each, 0–1 (B).

        Returns:
            The guess (B, C, h, w), quieted, and the numbers (B, 3 · C), each at its own place. Those that decide
            something are the noise's own, if the clean latent is quieted.
        """
        height, width = latent.shape[2:]
        share = times.to(latent.dtype)[:, None]
        numbers = (carried(latent) - (1 - share) * self._mean(latent)) / share.clamp_min(_CLEAR)
        numbers = numbers[:, self.get_buffer("order")]
        return self.quieted(self(text, numbers, height, width)), numbers

    def quieted(self, latent: Tensor) -> Tensor:
        """Latents that have nothing of their own in the directions whose numbers decide something.

        There they are as the mean picture is: else what is drawn could be taken for what the noise says. Of what
        pictures have, a part in some thousands is lost.
        """
        numbers = carried(latent)
        directions = self.get_buffer("order")[list(DECIDING)]
        numbers[:, directions] = self._mean(latent)[:, directions]
        return carrying(latent, numbers)

    def _mean(self, latent: Tensor) -> Tensor:
        """What the mean picture of the latents' shape has in the directions of the numbers: (1, 3 · C)."""
        height, width = latent.shape[2:]
        mean = self.get_buffer(f"mean_{shape_of(width / height)}").to(latent.dtype)
        return carried(_stretched(mean[None], height, width))

    def forward(self, text: Tensor, numbers: Tensor, height: int, width: int) -> Tensor:
        """The guess (B, C, height, width) for text vectors (B, text width) and numbers (B, 3 · C)."""
        shape = shape_of(width / height)
        return _stretched(self.laid_out(self.reader.facts(text, numbers, shape), numbers, shape), height, width)

    def laid_out(self, facts: Sequence[Facts | None], numbers: Tensor, shape: str) -> Tensor:
        """The latents (B, C, h, w) of whole facts in a shape; where there are none, the mean of all pictures."""
        guess = self.get_buffer(f"mean_{shape}").to(numbers.dtype).expand(len(facts), -1, -1, -1)
        for subject, drawer in (("set", self.backdrops), ("people", self.figures)):
            rows = [row for row, one in enumerate(facts) if one is not None and one["subject"] == subject]
            if rows:
                place = torch.tensor(rows, device=numbers.device)
                known = [one for row in rows if (one := facts[row]) is not None]
                drawn = drawer(known, numbers[place], shape)
                guess = drawn if len(rows) == len(facts) else guess.index_copy(0, place, drawn.to(guess.dtype))
        return guess


def _stretched(latent: Tensor, height: int, width: int) -> Tensor:
    """Latents at another size."""
    if latent.shape[2:] == (height, width):
        return latent
    return functional.interpolate(latent, (height, width), mode="bilinear", align_corners=False)
