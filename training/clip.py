"""Trains the house CLIP: captions and pictures of the same world, half of the pictures as advertisements.

Words come first. The text side learns with the facts themselves in the place of pictures: a small network turns the
known attributes into vectors, and captions are contrasted with those. That takes minutes, as nothing is drawn. Then
the text side is kept (Zhai et al., 2022: locked-text tuning, the other way round) and only pictures are learnt, from
the contrast with captions, from the phrases of ``grammar.LABELS`` as a classifier (what zero-shot use is), from the
vectors of the facts, and from plain heads for the known attributes, which are dropped after training.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from proofsheet.errors import StateError
from training.attributes import ATTRIBUTES, NAMES, matches
from training.budget import Budget, Training, device_of, half, section_of
from training.clip_judge import TEMPLATES, evaluate_clip, zero_shot
from training.clip_model import WIDTH, new_clip, pictures_of, save_clip, text_vectors
from training.clip_views import Batch, Mixer, with_unknown
from training.dataset import Data, Shard
from training.grammar import LABELS, vocabulary
from training.progress import Progress
from training.scales import SCALES, Scales
from training.tokenizer import Words, build_tokenizer, save_tokenizer

__all__ = ["evaluate_clip", "train_clip", "train_words", "zero_shot"]

DEFAULTS: Mapping[str, Any] = {
    "seconds": 1000,
    "threads": 1,
    "batch": 64,
    "seed": 7,
    "rate": 2e-3,
    "warm_steps": 60,
    "decay": 0.992,
    "people": 0.4,
    "adverts": 0.5,
    "width": 24,  # of the picture side
    "layers": [1, 2, 2, 1],
}

_SIZES = [len(values) for values in ATTRIBUTES.values()]
_STARTS = np.cumsum([0, *(size + 1 for size in _SIZES[:-1])])  # each attribute has one more place, for "has none"
_FIRSTS = np.cumsum([0, *_SIZES[:-1]])  # where each attribute's values begin among all
_FIRST = dict(zip(NAMES, _FIRSTS.tolist(), strict=True))
_UNASKED = -1e4  # the logit of what cannot be the answer
_SCALES_COUNT = 8.0  # brings the scales' losses to the size of the others
_MOST = math.log(100.0)
#: How much an attribute counts beside the others: more, where there are many values or they differ little.
_WEIGHTS: Mapping[str, float] = {"setting": 2.5, "colour": 7.0, "skin": 8.0, "stand_x": 3.0, "distance": 2.0}


class FactsTower(nn.Module):
    """Known attributes (B, attributes), -1 where there is none, as vectors (B, WIDTH)."""

    def __init__(self) -> None:
        super().__init__()
        self.values = nn.EmbeddingBag(sum(_SIZES) + len(_SIZES), 384, mode="sum")
        self.mix = nn.Sequential(nn.GELU(), nn.Linear(384, 384), nn.GELU(), nn.Linear(384, WIDTH))
        self.register_buffer("starts", torch.from_numpy(_STARTS), persistent=False)
        self.register_buffer("none", torch.tensor(_SIZES), persistent=False)

    def forward(self, codes: Tensor) -> Tensor:
        """The vectors, not normalised."""
        places = torch.where(codes >= 0, codes, self.get_buffer("none")) + self.get_buffer("starts")
        vectors: Tensor = self.mix(self.values(places) / math.sqrt(len(_SIZES)))
        return vectors


class TextLearner(nn.Module):
    """The CLIP's text side, the facts in the place of pictures, and heads that help."""

    def __init__(self, clip: nn.Module) -> None:
        super().__init__()
        sides = {name for name, _ in clip.named_children()}
        self.clip = clip
        self.facts = FactsTower()
        self.caption_heads = nn.Linear(WIDTH, sum(_SIZES))
        if "visual" in sides:
            clip.visual.requires_grad_(False)


class Learner(nn.Module):
    """The CLIP, whose text side is kept as it is, and the heads that help pictures to be learnt."""

    def __init__(self, clip: nn.Module) -> None:
        super().__init__()
        self.clip = clip
        self.picture_heads = nn.Linear(WIDTH, sum(_SIZES))


def train_words(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train the text side, going on from ``out/words/last.pt``; writes a CLIP that knows only words to ``out/words``.

    Args:
        config: the section ``words``: ``seconds``, ``threads``, ``batch``, ``seed``, ``rate`` and others of
            ``DEFAULTS``.
        data: the pictures; only their facts are read.
        out: the run's folder.
        report: hears the share done and the loss.

    Raises:
        StateError: an earlier run in that folder knew other words.
    """
    section = section_of(config, "words", DEFAULTS)
    folder = Path(out) / "words"
    words, device, shards = _words(folder), device_of(section), data.shards("train")
    torch.manual_seed(int(section["seed"]))
    taught = TextLearner(new_clip(words.size, int(section["width"]), section["layers"])).to(device)
    training = Training(taught, Budget.of(section), folder)
    training.resume()
    training.run(_TextLesson(taught, words, shards, section, device), report)
    save_clip(training.average.clip, folder, folder, int(section["width"]), section["layers"])


def train_clip(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train the picture side, going on from ``out/clip/last.pt``, and write the finished model's folder there.

    Args:
        config: the section ``clip``: ``seconds``, ``threads``, ``batch``, ``seed``, ``rate``, ``people``, ``adverts``
            and the others of ``DEFAULTS``; ``width``, ``layers`` and ``seed`` are those of the section ``words``.
        data: the rendered pictures.
        out: the run's folder, with ``words`` trained.
        report: hears the share done and the loss.

    Raises:
        StateError: the words are not trained yet, or others than these captions'.
    """
    section = section_of(config, "clip", DEFAULTS)
    folder, source = Path(out) / "clip", Path(out) / "words"
    if not (source / "last.pt").is_file():
        raise StateError(f"There is no trained text side in {source}.", "Train it first: python -m training run")
    words, device, shards = _words(source), device_of(section), data.shards("train")
    kept = TextLearner(new_clip(words.size, int(section["width"]), section["layers"]))
    kept.load_state_dict(torch.load(source / "last.pt", map_location="cpu", weights_only=True)["average"])
    learner = Learner(deepcopy(kept.clip)).to(device)
    _lock_text(learner.clip)
    training = Training(learner, Budget.of(section), folder, matrices=_filters(learner.clip))
    training.resume()
    mixer = Mixer(shards, int(section["seed"]), int(section["batch"]), section["people"], section["adverts"])
    facts = kept.facts.to(device).requires_grad_(False)
    training.run(_Lesson(training, facts, words, mixer, device), report)
    _recalibrate(training.average, mixer, device)
    save_clip(training.average.clip, source, folder, int(section["width"]), section["layers"])


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


class _TextLesson:
    """The loss of a step of the text side: captions against the facts of their pictures."""

    def __init__(
        self, learner: TextLearner, words: Words, shards: Sequence[Shard], section: Mapping[str, Any], device: Any
    ) -> None:
        self.learner, self.words, self.device = learner, words, device
        self.mixer = Mixer(shards, int(section["seed"]), int(section["batch"]), section["people"])

    def __call__(self, step: int) -> Tensor:
        batch = self.mixer.words(step)
        texts, slices = _prompts(random.Random(f"{self.mixer.seed} text labels {step}"), 4)
        codes = torch.from_numpy(batch.codes).to(self.device)
        with half(self.device):
            told, prompts = (
                _vectors(self.learner.clip, self.words, some, self.device) for some in (batch.captions, texts)
            )
            facts = self.learner.facts(codes)
        seen = nn.functional.normalize(facts.float(), dim=-1)
        scale = _scale(self.learner.clip)
        likeness = scale * seen @ nn.functional.normalize(prompts, dim=-1).T
        named = torch.where(torch.from_numpy(batch.spoken).to(self.device), codes, -1)
        contrast = _contrast(nn.functional.normalize(told, dim=-1), seen, batch, scale)
        return (
            contrast
            + 3 * _named_loss(likeness, codes, slices)
            + 3 * _heads_loss(self.learner.caption_heads(told), named)
        )


class _Lesson:
    """The loss of a step of the picture side."""

    def __init__(
        self, training: Training[Learner], facts: FactsTower, words: Words, mixer: Mixer, device: torch.device
    ) -> None:
        self.learner, self.facts = training.network, facts
        self.words, self.mixer, self.device = words, mixer, device
        codes = torch.from_numpy(np.concatenate([mixer.words(step).codes for step in range(8)])).to(device)
        with torch.no_grad():
            named = {name: _values_words(self.learner.clip, words, name, device) for name in SCALES}
            self.scales = Scales(named, nn.functional.normalize(facts(codes).float(), dim=-1), codes)

    def __call__(self, step: int) -> Tensor:
        batch = self.mixer.batch(step)
        texts, slices = _prompts(random.Random(f"{self.mixer.seed} labels {step}"), len(LABELS) // 2)
        codes = torch.from_numpy(batch.codes).to(self.device)
        with half(self.device):
            pictures = self.learner.clip.visual(pictures_of(batch.pictures, self.device))  # type: ignore[operator]
            with torch.no_grad():
                told, prompts = (
                    nn.functional.normalize(_vectors(self.learner.clip, self.words, some, self.device), dim=-1)
                    for some in (batch.captions, texts)
                )
                known = nn.functional.normalize(self.facts(codes).float(), dim=-1)
        seen = nn.functional.normalize(pictures.float(), dim=-1)
        placed = self.scales.placed(known, codes)
        scale = _scale(self.learner.clip)
        withheld = torch.from_numpy(batch.withheld).to(self.device)
        likeness = scale * seen @ prompts.T
        return (
            _contrast(told, seen, batch, scale)
            + 3 * _named_loss(likeness, codes, slices, withheld, self.scales.losses(seen, placed, codes))
            + 2 * _heads_loss(self.learner.picture_heads(pictures.float()), codes, withheld)
            + 4 * (1 - (seen * placed).sum(dim=1)).mean()
        )


def _vectors(clip: nn.Module, words: Words, texts: Sequence[str], device: torch.device) -> Tensor:
    """Vectors (n, WIDTH) of texts, not normalised."""
    return text_vectors(clip, torch.tensor(words.encode(texts), device=device)).float()


def _scale(clip: nn.Module) -> Tensor:
    """How strongly likenesses count: learnt, within open_clip's limit."""
    with torch.no_grad():
        clip.logit_scale.clamp_(0, _MOST)  # type: ignore[operator]
    scale: Tensor = clip.logit_scale.exp()  # type: ignore[operator]
    return scale


def _filters(clip: nn.Module) -> list[nn.Parameter]:
    """The picture side's filters, for Muon; the matrices of its last layer are too large to be turned at every step."""
    return [value for name, value in clip.named_parameters() if name.startswith("visual.") and value.ndim == 4]


def _lock_text(clip: nn.Module) -> None:
    """Only the picture side learns from now on."""
    for name, value in clip.named_parameters():
        value.requires_grad_(name.startswith("visual.") or name == "logit_scale")


def _prompts(rng: random.Random, count: int) -> tuple[tuple[str, ...], dict[str, tuple[int, list[int]]]]:
    """A phrase for every value of ``count`` attributes; where each attribute's begin, with its values' numbers."""
    texts: list[str] = []
    slices: dict[str, tuple[int, list[int]]] = {}
    for name in rng.sample(sorted(LABELS), count):
        values = LABELS[name]
        template = rng.choice(TEMPLATES)
        slices[name] = (len(texts), [ATTRIBUTES[name].index(value) for value in values])
        texts += [with_unknown(template.format(rng.choice(phrases)), rng) for phrases in values.values()]
    return tuple(texts), slices


def _values_words(clip: nn.Module, words: Words, name: str, device: torch.device) -> Tensor:
    """Unit vectors (values, WIDTH) of an attribute's values: the mean over their phrases and ``TEMPLATES``."""
    found = []
    for value in ATTRIBUTES[name]:
        texts = [template.format(phrase) for template in TEMPLATES for phrase in LABELS[name][value]]
        found.append(nn.functional.normalize(_vectors(clip, words, texts, device), dim=-1).mean(dim=0))
    return nn.functional.normalize(torch.stack(found), dim=-1)


def _contrast(told: Tensor, seen: Tensor, batch: Batch, scale: Tensor) -> Tensor:
    """Captions against pictures both ways, where every picture that a caption fits is right.

    A caption that names what is withheld of a picture does not count against that picture (``clip_views.withheld``).
    """
    captions = batch.codes[: len(batch.spoken)]
    fits = torch.from_numpy(matches(batch.spoken, captions, batch.codes)).to(told.device)
    named = np.zeros((len(captions), batch.withheld.shape[1]), np.float32)
    rows, columns = np.nonzero(batch.spoken & (captions >= 0))
    named[rows, _FIRSTS[columns] + captions[rows, columns]] = 1
    unasked = torch.from_numpy(named @ batch.withheld.T.astype(np.float32) > 0).to(told.device)
    logits = (scale * told @ seen.T).masked_fill(unasked & (fits == 0), _UNASKED)
    by_caption = -(fits / fits.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()
    some = fits.sum(0) > 0  # pictures that a caption fits
    fits, logits = fits[:, some], logits[:, some]
    by_picture = -(fits / fits.sum(0, keepdim=True) * logits.log_softmax(0)).sum(0).mean()
    return (by_caption + by_picture) / 2


def _named_loss(
    likeness: Tensor,
    codes: Tensor,
    slices: Mapping[str, tuple[int, list[int]]],
    withheld: Tensor | None = None,
    scales: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """Cross entropy of pictures over each attribute's phrases: the weighted mean over those that some picture has.

    What is ``withheld`` (B, all values) of a picture does not count against it, see ``clip_views.withheld``; for
    attributes that are scales (``scales.Scales``) their own losses take its place.
    """
    losses = {name: _SCALES_COUNT * loss for name, loss in (scales or {}).items()}
    if withheld is not None:
        columns = [_FIRST[name] + number for name, (_, numbers) in slices.items() for number in numbers]
        likeness = likeness.masked_fill(withheld[:, columns], _UNASKED)
    for name, (start, numbers) in slices.items():
        if name in losses:
            continue
        place = torch.full((len(ATTRIBUTES[name]) + 1,), -1, device=codes.device)
        place[torch.tensor(numbers, device=codes.device)] = torch.arange(len(numbers), device=codes.device)
        target = place[codes[:, NAMES.index(name)]]  # the last place stands for "has none"
        if bool((target >= 0).any()):
            losses[name] = nn.functional.cross_entropy(
                likeness[:, start : start + len(numbers)], target, ignore_index=-1
            )
    return _weighted(losses) if losses else likeness.sum() * 0


def _heads_loss(outputs: Tensor, codes: Tensor, withheld: Tensor | None = None) -> Tensor:
    """Cross entropy of each attribute's head, their mean by weight over those that some row has."""
    if withheld is not None:
        outputs = outputs.masked_fill(withheld, _UNASKED)
    losses = {
        name: nn.functional.cross_entropy(part, codes[:, index], ignore_index=-1)
        for index, (name, part) in enumerate(zip(NAMES, torch.split(outputs, _SIZES, dim=1), strict=True))
        if bool((codes[:, index] >= 0).any())
    }
    return _weighted(losses) if losses else outputs.sum() * 0


def _weighted(losses: Mapping[str, Tensor]) -> Tensor:
    """The mean of attributes' losses by their weights."""
    weights = [_WEIGHTS.get(name, 1.0) for name in losses]
    parts = [weight * loss for weight, loss in zip(weights, losses.values(), strict=True)]
    return torch.stack(parts).sum() / sum(weights)


def _recalibrate(learner: Learner, mixer: Mixer, device: torch.device, batches: int = 30) -> None:
    """Measure the norms' means and variances anew for the averaged weights."""
    norms = [module for module in learner.clip.visual.modules() if isinstance(module, nn.BatchNorm2d)]  # type: ignore[union-attr]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
        norm.train()
    with torch.no_grad(), half(device):
        for step in range(batches):
            learner.clip.visual(pictures_of(mixer.batch(10_000_000 + step).pictures, device))  # type: ignore[operator]
    learner.eval()
