"""Noise that carries a picture's own numbers, so that one caption and one noise mean one picture.

Flow matching may join noise and pictures in any way that leaves the noise normal (Liu et al., 2022; Tong et al.,
2023). Here what the caption leaves open (see ``training.chance``) is written into 48 fixed directions of the noise, in
which latents of pictures have little strength. For a given caption those numbers are independent and normal, so the
noise is still plain noise; but the network no longer has to learn the mean of many pictures before it learns one.

Pairs with independent noise stay in the mix at earlier times, where the picture shows through: image to image and
inpainting begin there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.house.sketch import carried, carrying
from training.attributes import NAMES
from training.chance import SLOTS
from training.people import VALUES
from training.world import BUCKETS, DETAILS

#: What a caption may leave out and a picture decides, with the slots that no renderer uses; the same for both subjects.
OPEN: Mapping[str, Mapping[str, int]] = {
    "set": {"detail": 42, "stand_x": 43, "stand_y": 44, "distance": 45},
    "people": {"skin": 42, "age": 43, "gender": 44, "colour": 45, "build": 46, "light": 47},
}
#: From this share of noise on every pair is coupled; below it every second one.
ALWAYS = 0.7
_NORMAL = NormalDist()


def written(noise: Tensor, draws: Tensor) -> Tensor:
    """The noise (B, 16, h, w), sides even, with draws (B, SLOTS) written into it.

    It is still standard normal if both were and are independent.
    """
    numbers = carried(noise)
    count = min(SLOTS, numbers.shape[1])
    return carrying(noise, torch.cat([draws[:, :count], numbers[:, count:]], dim=1))


def with_open(
    draws: NDArray[np.float32],
    facts: Mapping[str, str | int],
    spoken: NDArray[np.bool_],
    bucket: str,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """The draws with what this caption leaves out written into free slots: each value has its share of the normal.

    Args:
        draws: of the picture (SLOTS,).
        facts: of the picture.
        spoken: which attributes the caption names, in the order of ``attributes.NAMES``.
        bucket: the picture's shape.
        rng: chooses within a value's share.
    """
    found = draws.copy()
    for name, slot in OPEN[str(facts["subject"])].items():
        value = facts.get(name, "")
        key = "people_light" if facts["subject"] == "people" and name == "light" else name
        if value == "" or spoken[NAMES.index(key)]:
            continue
        low, high = _share_of(facts, name, bucket)
        share = min(max(low + (high - low) * rng.random(), 1e-6), 1 - 1e-6)
        found[slot] = _NORMAL.inv_cdf(share)
    return found


def _share_of(facts: Mapping[str, str | int], name: str, bucket: str) -> tuple[float, float]:
    """From where to where on the scale of 0–1 the value of an attribute is drawn."""
    value = facts[name]
    if facts["subject"] == "people":
        values: Sequence[str | int] = VALUES[name]
    elif name == "detail":
        values = DETAILS[str(facts["setting"])][1]
    else:
        shares = getattr(BUCKETS[bucket], name)
        total, before = sum(shares.values()), 0.0
        for word, share in shares.items():
            if word == value:
                return before / total, (before + share) / total
            before += share
    return values.index(value) / len(values), (values.index(value) + 1) / len(values)
