"""Measures a house CLIP: how well its words name what pictures show, and how well they find the right picture."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from scoring.framing import frames
from training.adverts import as_advertisement
from training.attributes import ATTRIBUTES, NAMES, codes_of
from training.clip_model import SIDE, load_clip, pictures_of
from training.dataset import Data
from training.grammar import LABELS, caption

#: What a phrase is put into; all words of the grammar.
TEMPLATES = ("{}", "a picture {}", "an advertisement {}", "advertising photograph {}", "a scene {}")

Pixels = NDArray[np.uint8]
Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class HouseClip:
    """A CLIP ready to judge: the network, its tokenizer and where it runs."""

    model: nn.Module
    tokenize: Callable[[Sequence[str]], Tensor]
    device: torch.device

    @classmethod
    def open(cls, folder: Path) -> HouseClip:
        """The model of a folder, on a GPU if there is one."""
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return cls(load_clip(folder, device), open_clip.get_tokenizer(f"local-dir:{folder}"), device)

    @torch.inference_mode()
    def pictures(self, pixels: Sequence[Pixels], batch: int = 64) -> Tensor:
        """Unit vectors (n, d) of whole pictures (height, width, 3) of any shape, padded to squares."""
        squares = [np.asarray(frames(Image.fromarray(np.asarray(one)), SIDE)[0]) for one in pixels]
        parts = [
            self.model.encode_image(pictures_of(np.stack(squares[i : i + batch]), self.device))  # type: ignore[operator]
            for i in range(0, len(squares), batch)
        ]
        return nn.functional.normalize(torch.cat(parts), dim=-1)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (n, d) of texts."""
        return nn.functional.normalize(self.model.encode_text(self.tokenize(texts).to(self.device)), dim=-1)  # type: ignore[operator]


def zero_shot(clip: HouseClip, attribute: str, pictures: Tensor) -> tuple[str, ...]:
    """What the phrases of an attribute say about each picture.

    Args:
        clip: the model.
        attribute: a key of ``grammar.LABELS``.
        pictures: unit vectors (n, d), from ``clip.pictures``.

    Returns:
        For each picture the value whose phrases, averaged over ``TEMPLATES``, are nearest.
    """
    values = list(LABELS[attribute])
    templates = [
        lambda value, t=template, k=k: t.format(LABELS[attribute][value][k % len(LABELS[attribute][value])])
        for template in TEMPLATES
        for k in range(max(map(len, LABELS[attribute].values())))
    ]
    classifier = open_clip.build_zero_shot_classifier(clip.model, clip.tokenize, values, templates, device=clip.device)
    return tuple(values[int(index)] for index in (pictures @ classifier).argmax(dim=1).cpu())


def evaluate_clip(
    folder: Path, data: Data, *, split: str = "held", draws: int = 200, limit: int = 1_000_000, seed: int = 5
) -> dict[str, Any]:
    """Zero-shot accuracy of each attribute and recall of the right picture.

    Args:
        folder: of the model.
        data: the rendered pictures.
        split: ``held`` (combinations never trained on) or ``train``.
        draws: how often 64 pictures are drawn for the recall.
        limit: pictures of each shard at most.
        seed: of captions, advertisements and draws.

    Returns:
        ``renders`` and ``adverts`` (the same pictures made into advertisements), each with ``accuracy`` (attribute →
        share), ``count``, ``skin_within_one``, ``recall_at_1`` (scenes, full captions, among 64) and
        ``recall_at_1_people``.
    """
    clip = HouseClip.open(Path(folder))
    rows = [
        (np.asarray(shard.images[index]), shard.facts[index])
        for shard in data.shards(split)
        for index in range(min(len(shard), limit))
    ]
    facts = [row for _, row in rows]
    rng = random.Random(seed)
    plain = clip.pictures([pixels for pixels, _ in rows])
    adverts = clip.pictures([np.asarray(as_advertisement(Image.fromarray(pixels), row, rng)) for pixels, row in rows])
    captions = clip.texts([caption(row, rng) for row in facts])
    return {
        name: {**_accuracies(clip, vectors, facts), **_recalls(vectors, captions, facts, draws, seed)}
        for name, vectors in (("renders", plain), ("adverts", adverts))
    }


def _accuracies(clip: HouseClip, vectors: Tensor, facts: Sequence[Facts]) -> dict[str, Any]:
    codes = np.stack([codes_of(row) for row in facts])
    accuracy: dict[str, float] = {}
    count: dict[str, int] = {}
    found: dict[str, Any] = {"accuracy": accuracy, "count": count}
    for name, values in LABELS.items():
        truth = codes[:, NAMES.index(name)]
        numbers = [ATTRIBUTES[name].index(value) for value in values]
        rows = np.flatnonzero(np.isin(truth, numbers))
        if not len(rows):
            continue
        told = zero_shot(clip, name, vectors[torch.from_numpy(rows).to(vectors.device)])
        guess = np.array([ATTRIBUTES[name].index(value) for value in told])
        accuracy[name] = round(float((guess == truth[rows]).mean()), 4)
        count[name] = len(rows)
        if name == "skin":
            found["skin_within_one"] = round(float((abs(guess - truth[rows]) <= 1).mean()), 4)
    return found


def _recalls(
    pictures: Tensor, captions: Tensor, facts: Sequence[Facts], draws: int, seed: int, among: int = 64
) -> dict[str, float]:
    """How often a full caption is nearest to its own picture among 64, for scenes and for people."""
    found: dict[str, float] = {}
    rng = np.random.default_rng(seed)
    for key, subject in (("recall_at_1", "set"), ("recall_at_1_people", "people")):
        rows = np.array([i for i, row in enumerate(facts) if row["subject"] == subject])
        if len(rows) < among:
            continue
        hits = []
        for _ in range(draws):
            drawn = torch.from_numpy(rng.choice(rows, among, replace=False)).to(pictures.device)
            nearest = (captions[drawn] @ pictures[drawn].T).argmax(dim=1)
            hits.append(float((nearest.cpu() == torch.arange(among)).float().mean()))
        found[key] = round(float(np.mean(hits)), 4)
    return found
