"""Trains the house CLIP: captions and pictures of the same world, half of the pictures as advertisements.

Beside the contrast of captions and pictures there are two helpers, as steps are few on a CPU: the phrases of
``grammar.LABELS`` as a classifier (what zero-shot use is), and plain heads for the known attributes on both kinds of
vectors, which are dropped after training.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from proofsheet.errors import StateError
from training.attributes import ATTRIBUTES, NAMES, matches
from training.budget import Budget, Training, device_of, section_of
from training.clip_judge import TEMPLATES, evaluate_clip, zero_shot
from training.clip_model import WIDTH, load_clip, new_clip, pictures_of, save_clip, text_vectors
from training.clip_views import Batch, Mixer, with_unknown
from training.dataset import Data
from training.grammar import LABELS, vocabulary
from training.progress import Progress
from training.tokenizer import Words, build_tokenizer, save_tokenizer

__all__ = ["evaluate_clip", "train_clip", "zero_shot"]

DEFAULTS: Mapping[str, Any] = {
    "seconds": 1200,
    "threads": 1,
    "batch": 64,
    "seed": 7,
    "rate": 2e-3,
    "warm_steps": 60,
    "decay": 0.992,
    "people": 0.4,
    "adverts": 0.5,
    "lock_text_at": 1.0,  # share of the budget after which only the picture side learns
    "text_from": "",  # folder of a finished house CLIP whose text side is taken and kept
    "width": 16,  # of the picture side
    "layers": [1, 2, 2, 1],
}

_SIZES = [len(values) for values in ATTRIBUTES.values()]
_MOST = math.log(100.0)


class Learner(nn.Module):
    """The CLIP and the heads that help it learn."""

    def __init__(self, words: int, width: int = 16, layers: Sequence[int] = (1, 2, 2, 1)) -> None:
        super().__init__()
        self.clip = new_clip(words, width, layers)
        self.picture_heads = nn.Linear(WIDTH, sum(_SIZES))
        self.caption_heads = nn.Linear(WIDTH, sum(_SIZES))


def train_clip(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train, going on from ``out/clip/last.pt``, and write the finished model's folder as ``out/clip``.

    Args:
        config: the section ``clip``: ``seconds``, ``threads``, ``batch``, ``seed``, ``rate``, ``people``, ``adverts``
            and the others of ``DEFAULTS``.
        data: the rendered pictures.
        out: the run's folder.
        report: hears the share done and the loss.

    Raises:
        StateError: an earlier run in that folder knew other words.
    """
    section = {**DEFAULTS, **(section_of(config, "clip") if "clip" in config else {})}
    folder = Path(out) / "clip"
    words = _words(folder)
    device = device_of(section)
    torch.manual_seed(int(section["seed"]))
    learner = Learner(words.size, int(section["width"]), section["layers"]).to(device)
    if section["text_from"]:
        _take_text(learner.clip, load_clip(Path(section["text_from"]), device))
        section["lock_text_at"] = 0.0
    training = Training(learner, Budget.of(section), folder)
    training.resume()
    shards = data.shards("train")
    mixer = Mixer(shards, int(section["seed"]), int(section["batch"]), section["people"], section["adverts"])
    lesson = _Lesson(training, words, mixer, device, float(section["lock_text_at"]))
    training.run(lesson, report)
    _recalibrate(training.average, mixer, device)
    save_clip(training.average.clip, folder, folder, int(section["width"]), section["layers"])


def _words(folder: Path) -> Words:
    """The tokenizer of the run; made at its beginning."""
    file = folder / "tokenizer.json"
    if not (folder / "last.pt").is_file():
        save_tokenizer(vocabulary(), folder)
    words = Words(file)
    if words.size != build_tokenizer(vocabulary()).get_vocab_size():
        raise StateError(
            f"The captions have other words than when the training in {folder} began.",
            "Remove that folder to begin anew.",
        )
    return words


class _Lesson:
    """The loss of a step."""

    def __init__(
        self, training: Training[Learner], words: Words, mixer: Mixer, device: torch.device, lock_at: float
    ) -> None:
        self.training, self.learner = training, training.network
        self.words, self.mixer, self.device, self.lock_at = words, mixer, device, lock_at
        self.locked = False

    def __call__(self, step: int) -> Tensor:
        if not self.locked and self.training.budget.share(step, self.training.elapsed) >= self.lock_at:
            _take_text(self.learner.clip, self.training.average.clip)
            self.locked = True
        batch = self.mixer.batch(step)
        texts, slices = _prompts(random.Random(f"{self.mixer.seed} labels {step}"))
        with _half(self.device):
            pictures = self.learner.clip.visual(pictures_of(batch.pictures, self.device))  # type: ignore[operator]
            with torch.set_grad_enabled(not self.locked):
                captions, prompts = self._texts(batch.captions), self._texts(texts)
        seen, told = pictures.float(), captions.float()
        with torch.no_grad():
            self.learner.clip.logit_scale.clamp_(0, _MOST)  # type: ignore[operator]
        scale = self.learner.clip.logit_scale.exp()  # type: ignore[operator]
        codes = torch.from_numpy(batch.codes).to(self.device)
        contrast = _contrast(nn.functional.normalize(told, dim=-1), nn.functional.normalize(seen, dim=-1), batch, scale)
        likeness = scale * nn.functional.normalize(seen, dim=-1) @ nn.functional.normalize(prompts.float(), dim=-1).T
        named = torch.where(torch.from_numpy(batch.spoken).to(self.device), codes[: len(batch.spoken)], -1)
        return (
            contrast
            + 3 * _named_loss(likeness, codes, slices)
            + 2 * _heads_loss(self.learner.picture_heads(seen), codes)
            + 1 * _heads_loss(self.learner.caption_heads(told), named)
        )

    def _texts(self, texts: tuple[str, ...]) -> Tensor:
        return text_vectors(self.learner.clip, torch.tensor(self.words.encode(texts), device=self.device))


def _take_text(clip: nn.Module, other: nn.Module) -> None:
    """Give a CLIP another one's text side, and let it learn no more."""
    theirs = dict(other.named_parameters())
    with torch.no_grad():
        for name, value in clip.named_parameters():
            if not name.startswith("visual.") and name != "logit_scale":
                value.copy_(theirs[name])
                value.requires_grad_(False)
                value.grad = None


def _prompts(rng: random.Random) -> tuple[tuple[str, ...], dict[str, tuple[int, list[int]]]]:
    """A phrase for every value of half of the attributes; where each attribute's begin, with its values' numbers."""
    texts: list[str] = []
    slices: dict[str, tuple[int, list[int]]] = {}
    for name in rng.sample(sorted(LABELS), len(LABELS) // 2):
        values = LABELS[name]
        template = rng.choice(TEMPLATES)
        slices[name] = (len(texts), [ATTRIBUTES[name].index(value) for value in values])
        texts += [with_unknown(template.format(rng.choice(phrases)), rng) for phrases in values.values()]
    return tuple(texts), slices


def _contrast(told: Tensor, seen: Tensor, batch: Batch, scale: Tensor) -> Tensor:
    """Captions against pictures both ways, where every picture that a caption fits is right."""
    fits = torch.from_numpy(matches(batch.spoken, batch.codes[: len(batch.spoken)], batch.codes)).to(told.device)
    logits = scale * told @ seen.T
    by_caption = -(fits / fits.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()
    some = fits.sum(0) > 0  # pictures that a caption fits
    fits, logits = fits[:, some], logits[:, some]
    by_picture = -(fits / fits.sum(0, keepdim=True) * logits.log_softmax(0)).sum(0).mean()
    return (by_caption + by_picture) / 2


def _named_loss(likeness: Tensor, codes: Tensor, slices: Mapping[str, tuple[int, list[int]]]) -> Tensor:
    """Cross entropy of pictures over each attribute's phrases, mean over the attributes that some picture has."""
    losses = []
    for name, (start, numbers) in slices.items():
        place = torch.full((len(ATTRIBUTES[name]) + 1,), -1, device=codes.device)
        place[torch.tensor(numbers, device=codes.device)] = torch.arange(len(numbers), device=codes.device)
        target = place[codes[:, NAMES.index(name)]]  # the last place stands for "has none"
        if bool((target >= 0).any()):
            losses.append(
                nn.functional.cross_entropy(likeness[:, start : start + len(numbers)], target, ignore_index=-1)
            )
    return torch.stack(losses).mean() if losses else likeness.sum() * 0


def _heads_loss(outputs: Tensor, codes: Tensor) -> Tensor:
    """Cross entropy of each attribute's head, mean over the attributes that some row has."""
    losses = [
        nn.functional.cross_entropy(part, codes[:, index], ignore_index=-1)
        for index, part in enumerate(torch.split(outputs, _SIZES, dim=1))
        if bool((codes[:, index] >= 0).any())
    ]
    return torch.stack(losses).mean() if losses else outputs.sum() * 0


def _recalibrate(learner: Learner, mixer: Mixer, device: torch.device, batches: int = 30) -> None:
    """Measure the norms' means and variances anew for the averaged weights."""
    norms = [module for module in learner.clip.visual.modules() if isinstance(module, nn.BatchNorm2d)]  # type: ignore[union-attr]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
        norm.train()
    with torch.no_grad(), _half(device):
        for step in range(batches):
            learner.clip.visual(pictures_of(mixer.batch(10_000_000 + step).pictures, device))  # type: ignore[operator]
    learner.eval()


def _half(device: torch.device) -> AbstractContextManager[Any]:
    return torch.autocast(device.type, torch.bfloat16)
