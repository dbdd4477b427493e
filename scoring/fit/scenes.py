"""The scene behind an asset, as a CLIP model sees it: CLIP reads words in pictures and is swayed by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from proofsheet.domain.asset import Box
from scoring.scorer import Subject, rgb_picture

if TYPE_CHECKING:
    from PIL.Image import Image

    from scoring.embedding import Embedder, Vectors


def scene_vectors(embedder: Embedder, batch: Sequence[Subject]) -> dict[int, Vectors]:
    """Vectors of the scenes behind the subjects, or of the pictures without their words; by place in the batch."""
    found = {place: one for place, subject in enumerate(batch) if (one := _scene_of(subject)) is not None}
    if not found:
        return {}
    vectors = embedder.pictures([image for _, image in found.values()], [key for key, _ in found.values()])
    return dict(zip(found, vectors, strict=True))


def _scene_of(subject: Subject) -> tuple[str, Callable[[], Image]] | None:
    """What the scene's vector is kept by, and what opens the scene; None where no words are known to stand on it."""
    if subject.scene is not None:
        scene = subject.scene
        return scene.sha256, lambda: rgb_picture(scene.image())
    if subject.composition is None or not subject.composition.texts:
        return None
    boxes = [run.box for run in subject.composition.texts]
    key = f"{subject.asset.sha256}-wordless" if subject.asset.sha256 else ""
    return key, lambda: _wordless(rgb_picture(subject.image()), boxes)


def _wordless(picture: Image, boxes: Sequence[Box]) -> Image:
    """The picture with text painted over: each box filled with the median colour of the box's rim."""
    from PIL import Image as Pillow

    pixels = np.asarray(picture).copy()
    for box in boxes:
        area = pixels[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
        if area.size:
            rim = np.concatenate([area[0], area[-1], area[:, 0], area[:, -1]])
            area[...] = np.median(rim, axis=0).astype(np.uint8)
    return Pillow.fromarray(pixels)
