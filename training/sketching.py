"""Trains the house sketch: first what is read of a text, from captions; then what things look like, from the facts.

The two never wait for each other. What is drawn is learnt from what pictures show, not from what a caption happens to
say of it, so no step is spent on telling one thing from another. Reading is one layer over vectors of the text tower,
which was taught to tell just that; it takes seconds.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from generation.house.autoencoder import HouseAutoencoder
from generation.house.choices import HEADS, NOTHING, UNSAID
from generation.house.sketch import Reader, Sketcher
from proofsheet.errors import StateError
from training import phrases as say
from training.attributes import NAMES, spoken_of
from training.budget import Budget, Training, device_of, section_of
from training.captions import Teller
from training.chance import draws_of
from training.clip_views import with_unknown
from training.coupling import attribute_of, quietest
from training.dataset import Data
from training.grammar import caption
from training.latents import LatentShard, encode_data
from training.progress import Progress
from training.world import Facts

SKETCH: Mapping[str, Any] = {
    "seconds": 1200,
    "batch": 128,
    "seed": 11,
    "rate": 5e-3,
    "warm_steps": 50,
    "last_rate": 0.02,
    "decay": 0.99,
    "square": 0.8,  # share of batches that are square
    "captions": 24_000,  # that reading is learnt from
}
#: Of these a caption always speaks: where it names none, there is none.
_ALWAYS = frozenset({"season", "count", "ability"})
_READING_STEPS, _READING_BATCH = 1500, 512
_HEARD = 1000  # pictures of a shape by which it is measured how loud they are where noise carries numbers


def train_sketch(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> None:
    """Train the sketch alone, going on from ``out/sketch/last.pt``.

    Needs ``out/autoencoder`` and ``out/words``. Writes the latents to ``out/latents``.

    Args:
        config: the section ``sketch``: ``seconds``, ``steps``, ``threads``, ``batch`` and the others of ``SKETCH``.
        data: the rendered pictures.
        out: the run's folder.
        report: hears the share done and the loss.

    Raises:
        StateError: the autoencoder or the words are not trained yet.
    """
    section = section_of(config, "sketch", SKETCH)
    autoencoder, teller, shards = heard_and_seen(section, data, Path(out), report)
    seed, size = int(section["seed"]), int(section["batch"])
    torch.manual_seed(seed)
    sketch = Sketcher(teller.width, autoencoder.config.latent_channels).to(teller.device)
    training = Training(sketch, Budget.of(section), Path(out) / "sketch")
    if not training.resume():
        learn_means(training.network, shards)
        _learn_to_read(training.network.reader, teller, shards, seed, int(section["captions"]), report)
        training.average.load_state_dict(training.network.state_dict())
    training.network.reader.requires_grad_(False)
    weights = weights_of(shards, float(section["square"]))

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([seed, step, 2])
        shard = shards[int(rng.choice(len(shards), p=weights))]
        rows = np.sort(rng.integers(len(shard), size=size))
        facts = [shard.facts[row] for row in rows]
        draws = torch.from_numpy(np.stack([draws_of(int(row["seed"])) for row in facts])).to(teller.device)
        clean = torch.from_numpy(shard.latents[rows].astype(np.float32)).to(teller.device)
        loss: Tensor = (training.network.laid_out(facts, draws, shard.bucket) - clean).square().mean()
        return loss

    training.run(loss_of, report)


def heard_and_seen(
    section: Mapping[str, Any], data: Data, out: Path, report: Progress
) -> tuple[HouseAutoencoder, Teller, list[LatentShard]]:
    """The trained autoencoder, what captions are told with, and the latents of the pictures trained on.

    Raises:
        StateError: the autoencoder or the words are not trained yet.
    """
    device = device_of(section)
    autoencoder = trained_autoencoder(out).to(device)
    teller = Teller(out / "words", device, float(section.get("empty", 0.0)), float(section.get("sparse", 0.0)))
    return autoencoder, teller, encode_data(autoencoder, data, "train", out / "latents", report)


def weights_of(shards: Sequence[LatentShard], square: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How often each shard is drawn: squares together ``square``; within and without by their numbers."""
    counts = np.array([len(shard) for shard in shards], np.float64)
    squares = np.array([shard.bucket == "square" for shard in shards])
    if squares.all() or not squares.any():
        return np.asarray(counts / counts.sum())
    shares = np.where(squares, square / counts[squares].sum(), (1 - square) / counts[~squares].sum())
    return np.asarray(counts * shares)


def learn_means(sketch: Sketcher, shards: Sequence[LatentShard]) -> None:
    """The mean latent of each shape, which is drawn where a text says nothing, and where noise carries its numbers."""
    squares = [shard for shard in shards if shard.bucket == "square"] or shards
    order = quietest([shard.latents[:_HEARD] for shard in squares], sketch.channels)
    sketch.get_buffer("order").copy_(torch.from_numpy(order))
    for shape in {shard.bucket for shard in shards}:
        some = [shard for shard in shards if shard.bucket == shape]
        total = np.sum([np.asarray(shard.latents, np.float32).sum(axis=0) for shard in some], axis=0)
        sketch.get_buffer(f"mean_{shape}").copy_(torch.from_numpy(total / sum(map(len, some))))


def _learn_to_read(
    reader: Reader, teller: Teller, shards: Sequence[LatentShard], seed: int, count: int, report: Progress
) -> None:
    """Fit the reader to captions of pictures' facts, many of which leave parts out."""
    rng = random.Random(f"{seed} reading")
    rows: list[tuple[str, dict[str, str]]] = []
    sizes = [len(shard) for shard in shards]
    for shard in rng.choices(shards, weights=sizes, k=count):
        facts = shard.facts[rng.randrange(len(shard))]
        text = caption(facts, rng, rng.uniform(0, 0.8) if rng.random() < 0.5 else 0.0)
        said = said_in(text, facts)
        if subject_only(said):
            said = {"subject": NOTHING}
        rows.append((with_unknown(text, rng), said))
    rows += [(_hollow(rng), {"subject": NOTHING}) for _ in range(max(1, count // 25))]
    texts = [text for text, _ in rows]
    heard = []
    for start in range(0, len(texts), 256):
        heard.append(teller.vectors(texts[start : start + 256]))
        report.step(0.0, f"{start:,} captions")
    vectors = torch.cat(heard)
    index = {head: {value: place for place, value in enumerate(values)} for head, values in HEADS.items()}
    targets = {
        head: torch.tensor([places[said[head]] if head in said else -1 for _, said in rows], device=vectors.device)
        for head, places in index.items()
    }
    optimiser = torch.optim.AdamW(reader.parameters(), lr=1e-2, weight_decay=1e-3)
    chance = torch.Generator().manual_seed(seed)
    for step in range(_READING_STEPS):
        optimiser.param_groups[0]["lr"] = 1e-2 * (1 - step / _READING_STEPS)
        some = torch.randint(len(rows), (min(_READING_BATCH, len(rows)),), generator=chance).to(vectors.device)
        losses = [
            nn.functional.cross_entropy(scores, targets[head][some], ignore_index=-1)
            for head, scores in reader(vectors[some]).items()
            if bool((targets[head][some] >= 0).any())
        ]
        reader.zero_grad(set_to_none=True)
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def said_in(text: str, facts: Facts) -> dict[str, str]:
    """What a caption says of its facts, by the names of ``choices.HEADS``; ``UNSAID`` where it says nothing."""
    subject, spoken = str(facts["subject"]), spoken_of(text, facts)
    said = {"subject": subject}
    for head, values in HEADS.items():
        owner, _, name = head.partition(".")
        if owner != subject or not name:
            continue
        value = str(facts.get(name, ""))
        told = name in _ALWAYS or bool(spoken[NAMES.index(attribute_of(subject, name))])
        said[head] = value if told and value in values else UNSAID
    return said


def subject_only(said: Mapping[str, str]) -> bool:
    """Whether a caption of a backdrop names nothing of it; captions of people always name their subject."""
    return said["subject"] == "set" and set(said.values()) <= {"set", "none", UNSAID}


def _hollow(rng: random.Random) -> str:
    """A text that says nothing of a picture: empty, or words that mean nothing."""
    words = [rng.choice(say.FILLERS) for _ in range(rng.randint(0, 2))] + ["qqq"] * rng.randint(0, 4)
    rng.shuffle(words)
    return " ".join(words)


def trained_autoencoder(out: Path) -> HouseAutoencoder:
    """The autoencoder of a run, to be used and not trained.

    Raises:
        StateError: it is not trained yet.
    """
    folder = out / "autoencoder"
    if not (folder / "config.json").is_file():
        raise StateError(f"There is no trained autoencoder in {folder}.", "Train it first: python -m training run")
    loaded: HouseAutoencoder = HouseAutoencoder.from_pretrained(folder, dtype=torch.float32)
    loaded.eval().requires_grad_(False)
    return loaded
