"""What the house CLIP is shown in training: views of pictures, many of them as advertisements, and their captions."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from scoring.framing import frames
from training.adverts import as_advertisement
from training.attributes import ATTRIBUTES, NAMES, PLACES, codes_of, spoken_of, without
from training.clip_model import SIDE
from training.dataset import Shard
from training.grammar import caption
from training.world import HELD_BY, is_held

#: How many values all attributes have together.
VALUES = sum(map(len, ATTRIBUTES.values()))
_HIDDEN_IN_TILES = [NAMES.index(name) for name in PLACES]

Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's pairs.

    ``pictures`` is uint8 (B, SIDE, SIDE, 3); ``codes`` (B, attributes) are the values that can be seen in them. The
    first half of them have ``captions`` (texts cost as much as pictures and are sooner learned); ``spoken``
    (B // 2, attributes) is what each caption names. ``withheld`` (B, all attributes' values one after another) tells
    the values that no picture of this split shows beside the others of that row.
    """

    pictures: NDArray[np.uint8]
    codes: NDArray[np.int64]
    captions: tuple[str, ...]
    spoken: NDArray[np.bool_]
    withheld: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Mixer:
    """Draws batches from shards; a batch follows from the seed and the step alone.

    Args:
        shards: of one split.
        seed: of the run.
        size: pairs in a batch.
        people: share of pictures of people, where there are some.
        adverts: share of pictures made into advertisements.
    """

    shards: Sequence[Shard]
    seed: int
    size: int
    people: float = 0.4
    adverts: float = 0.5

    def batch(self, step: int) -> Batch:
        """The pairs of a step."""
        rng = random.Random(f"{self.seed} clip {step}")
        chosen = rng.choices(self.shards, weights=self._weights(), k=self.size)
        rows = [self._pair(shard, rng.randrange(len(shard)), rng) for shard in chosen]
        pictures, codes, captions, spoken, withheld = zip(*rows, strict=True)
        half = max(1, self.size // 2)
        return Batch(np.stack(pictures), np.stack(codes), captions[:half], np.stack(spoken[:half]), np.stack(withheld))

    def words(self, step: int) -> Batch:
        """The pairs of a step without pictures: every one has a caption."""
        rng = random.Random(f"{self.seed} words {step}")
        rows = []
        for shard in rng.choices(self.shards, weights=self._weights(), k=self.size):
            facts: Facts = shard.facts[rng.randrange(len(shard))]
            rows.append(self._told(facts, rng.random() < 0.85, rng))
        codes, captions, spoken = zip(*rows, strict=True)
        none, nothing = np.zeros((0, SIDE, SIDE, 3), np.uint8), np.zeros((len(rows), VALUES), bool)
        return Batch(none, np.stack(codes), captions, np.stack(spoken), nothing)

    @staticmethod
    def _told(facts: Facts, whole: bool, rng: random.Random) -> tuple[NDArray[np.int64], str, NDArray[np.bool_]]:
        """What can be seen of the facts in the whole picture or in a part, a caption, and what that names."""
        text = caption(facts, rng, drop=0.0 if rng.random() < 0.5 else rng.uniform(0, 0.8))
        codes = codes_of(facts)
        if not whole:
            codes[_HIDDEN_IN_TILES] = -1
            text = without(text, facts, PLACES)
        spoken = spoken_of(text, facts) & (codes >= 0)
        return codes, with_unknown(text, rng), spoken

    def _weights(self) -> list[float]:
        """How often each shard is drawn from."""
        total = {subject: sum(len(s) for s in self.shards if s.subject == subject) for subject in ("set", "people")}
        share = {"people": self.people if total["set"] else 1.0, "set": 1 - self.people if total["people"] else 1.0}
        return [share[shard.subject] * len(shard) / total[shard.subject] for shard in self.shards]

    def _pair(
        self, shard: Shard, index: int, rng: random.Random
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64], str, NDArray[np.bool_], NDArray[np.bool_]]:
        facts: Facts = shard.facts[index]
        pixels = np.asarray(shard.images[index])
        picture = _cropped(Image.fromarray(np.ascontiguousarray(pixels)), rng)
        if rng.random() < self.adverts and not facts.get("composed"):
            picture = as_advertisement(picture, facts, rng)
        views = frames(picture, SIDE)
        whole = len(views) == 1 or rng.random() < 0.7
        codes, text, spoken = self._told(facts, whole, rng)
        view = views[0] if whole else rng.choice(views[1:])
        return _spoilt(view, facts, rng), codes, text, spoken, withheld(facts)


def withheld(facts: Facts) -> NDArray[np.bool_]:
    """Which values (all attributes' one after another) would make these facts a combination kept from training.

    A model that learnt from pictures which never show violet in one room's evening light would answer "not violet"
    there, whatever it sees: it would have learnt how we split the data. So it is not asked (Menon et al., 2021, adjust
    logits by how often a class occurs; here it is never).
    """
    names = [name for name in HELD_BY[str(facts["subject"])] if name in facts]
    return _withheld(str(facts["subject"]), tuple((name, facts[name]) for name in names))


@lru_cache(maxsize=100_000)
def _withheld(subject: str, facts: tuple[tuple[str, str | int], ...]) -> NDArray[np.bool_]:
    known: dict[str, str | int] = {"subject": subject, **dict(facts)}
    return np.array(
        [
            name in known and is_held({**known, name: value})
            for attribute, values in ATTRIBUTES.items()
            for name in ("light" if attribute == "people_light" else attribute,)
            for value in values
        ]
    )


def with_unknown(text: str, rng: random.Random) -> str:
    """The text, in one of four cases with up to three words in it that no vocabulary has: they are to mean nothing."""
    words = text.split()
    for _ in range(rng.randint(1, 3) if rng.random() < 0.25 else 0):
        words.insert(rng.randint(0, len(words)), "qqq")
    return " ".join(words)


def _cropped(picture: Image.Image, rng: random.Random) -> Image.Image:
    """At most a tenth of each side off."""
    if rng.random() < 0.4:
        return picture
    share = rng.uniform(0.9, 1)
    width, height = round(picture.width * share), round(picture.height * share)
    left, top = rng.randint(0, picture.width - width), rng.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def _spoilt(picture: Image.Image, facts: Facts, rng: random.Random) -> NDArray[np.uint8]:
    """A little blurred, noisy, lighter or darker, now and then; less so people, whose skin is to be told."""
    if rng.random() < 0.15:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0)))
    pixels = np.asarray(picture)
    gain = 1 + rng.uniform(-1, 1) * (0.015 if facts["subject"] == "people" else 0.05)
    noise = rng.uniform(1, 5) if rng.random() < 0.2 else 0.0
    if noise == 0.0 and rng.random() < 0.5:
        return pixels
    values = pixels.astype(np.float32) * np.float32(gain)
    if noise:
        values += np.random.default_rng(rng.randrange(2**32)).standard_normal(pixels.shape, np.float32) * noise
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)
