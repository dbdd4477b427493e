"""The eye of a report of coverage: the model that looks at scenes, and what is known of its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from proofsheet.domain.asset import Asset
from proofsheet.pictures import open_picture
from proofsheet.workflows.coverage_labels import Pictured
from proofsheet.workflows.house import House, Progress

if TYPE_CHECKING:
    from PIL.Image import Image

    from scoring.coverage.axes import Axis
    from scoring.coverage.confusion import Confused, Confusion
    from scoring.coverage.perceive import Perceiver, Places
    from scoring.embedding import Embedder, Vectors

_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Eye:
    """The model that looks, and what is known of its errors; without a model, why there is none."""

    name: str
    perceiver: Perceiver | None
    vectors: Vectors | None
    confusion: Confusion | str

    def places(self, axis: Axis, count: int) -> Places:
        """What is perceived in each of ``count`` pictures, as places among the axis's names."""
        if self.perceiver is None or self.vectors is None or not count:
            return np.full(count, len(axis.values), dtype=np.intp)
        return self.perceiver.perceive(axis, self.vectors)

    def known(self, axis: Axis) -> tuple[str, ...]:
        """The axis's values that the model has words for."""
        return self.perceiver.knows(axis) if self.perceiver else ()

    def confused(self, axis: Axis) -> Confused | str:
        """The model's measured errors on the axis, or why there are none to go by."""
        if isinstance(self.confusion, str):
            return self.confusion
        found = self.confusion.axes.get(axis.name)
        if found is None:
            return f"The errors of this CLIP model on {axis.title.lower()} have not been measured."
        if self.perceiver is None or found.question != self.perceiver.question(axis):
            return "The errors of this CLIP model were measured with other phrases, so its counts cannot be corrected."
        return found


def open_eye(house: House, pictures: Sequence[Pictured], progress: Progress) -> Eye:
    """Open the CLIP model that the settings name, or the house's, and have it look at the pictures once.

    Raises:
        InputError: the model cannot be loaded, or what was measured of it cannot be read.
    """
    from scoring.coverage.confusion import Confusion, load_confusion
    from scoring.coverage.perceive import Perceiver
    from scoring.fit.model import SharedClip

    settings = house.settings
    cache = house.warehouse.home / "embeddings"
    clip = SharedClip(settings.clip_model, settings.clip_checkpoint, "auto", cache, "what pictures show")
    embedder = clip.open()
    if embedder is None:
        why = f"No model looked at the pictures. {clip.without} Label a sample of them: proofsheet label"
        return Eye(name="none", perceiver=None, vectors=None, confusion=why)
    confusion = load_confusion(embedder)
    leanings = confusion.leanings if isinstance(confusion, Confusion) else {}
    if isinstance(confusion, Confusion):
        strange = [p for p in pictures if _backend(p.assets[0]) not in confusion.backends]
        if strange:
            confusion = (
                f"The model's errors were measured on {confusion.pictures}; {len(strange)} of "
                f"{len(pictures)} pictures were drawn by something else, so counts cannot be corrected."
            )
    return Eye(
        name=embedder.title,
        perceiver=Perceiver(embedder, leanings),
        vectors=_vectors(house, embedder, pictures, progress),
        confusion=confusion,
    )


def _vectors(house: House, embedder: Embedder, pictures: Sequence[Pictured], progress: Progress) -> Vectors | None:
    parts = []
    for start in range(0, len(pictures), _BATCH):
        keys = [one.sha256 for one in pictures[start : start + _BATCH]]
        parts.append(embedder.pictures([partial(_open, house, key) for key in keys], keys))
        progress("Looking at pictures", start + len(keys), len(pictures))
    return np.concatenate(parts) if parts else None


def _open(house: House, sha256: str) -> Image:
    return open_picture(house.warehouse.pictures.get(sha256)).flat


def _backend(asset: Asset) -> str:
    return asset.recipe.scene.backend if asset.recipe else ""
