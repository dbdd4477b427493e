"""Noise that carries a picture's own numbers, so that one caption and one noise mean one picture.

Flow matching may join noise and pictures in any way that leaves the noise normal (Liu et al., 2022; Tong et al.,
2023). Here what the caption leaves open (see ``training.chance``) is written into 48 fixed directions of the noise, in
which latents of pictures have little strength. For a given caption those numbers are independent and normal, so the
noise is still plain noise; but the network no longer has to learn the mean of many pictures before it learns one.

A part of the pairs keeps independent noise at earlier times, where the picture shows through: image to image and
inpainting begin there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.house import choices
from generation.house.sketch import DECIDING, carried, carrying
from training.attributes import NAMES, spoken_of
from training.chance import draws_of

#: From this share of noise on every pair is coupled; below it three of four.
ALWAYS, COUPLED = 0.7, 0.75
_NORMAL = NormalDist()


def written(noise: Tensor, draws: Tensor, order: Tensor) -> Tensor:
    """The noise (B, 16, h, w), sides even, with draws (B, n) written into it, each in the direction of ``order``.

    It is still standard normal if both were and are independent.
    """
    numbers = carried(noise)
    numbers[:, order[: draws.shape[1]]] = draws
    return carrying(noise, numbers)


def quietest(latents: Sequence[NDArray[np.float16]], channels: int) -> NDArray[np.int64]:
    """In which direction each number is best written: those that decide something where pictures have least.

    Args:
        latents: of some pictures, those of each shape together (N, C, h, w).
        channels: C.
    """
    loud = np.zeros(3 * channels)
    for some in latents:
        loud += carried(torch.from_numpy(np.asarray(some, np.float32))).std(dim=0).numpy() / len(latents)
    directions, order = np.argsort(loud, kind="stable"), np.zeros(3 * channels, np.int64)
    others = [slot for slot in range(3 * channels) if slot not in DECIDING]
    order[[*DECIDING, *others]] = directions
    return order


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
    found, subject = draws.copy(), str(facts["subject"])
    for name, slot in choices.SLOTS[subject].items():
        value = str(facts.get(name, ""))
        if value in ("", choices.NATURAL) or spoken[NAMES.index(attribute_of(subject, name))]:
            continue
        low, high = _share_of(facts, name, bucket)
        share = min(max(low + (high - low) * rng.random(), 1e-6), 1 - 1e-6)
        found[slot] = _NORMAL.inv_cdf(share)
    return found


def told_by_noise(
    facts: Sequence[Mapping[str, str | int]], texts: Sequence[str], bucket: str, rng: np.random.Generator
) -> NDArray[np.float32]:
    """What the noise carries of pictures told by such captions: (N, SLOTS), see ``with_open``."""
    return np.stack(
        [
            with_open(draws_of(int(row["seed"])), row, spoken_of(text, row), bucket, rng)
            for row, text in zip(facts, texts, strict=True)
        ]
    )


def attribute_of(subject: str, name: str) -> str:
    """What ``attributes`` calls an attribute of a subject's facts."""
    return "people_light" if (subject, name) == ("people", "light") else name


def _share_of(facts: Mapping[str, str | int], name: str, bucket: str) -> tuple[float, float]:
    """From where to where on the scale of 0–1 the value of an attribute is drawn."""
    shares = choices.shares_of(str(facts["subject"]), name, bucket, str(facts.get("setting", "")))
    return choices.borders_of(shares)[str(facts[name])]
