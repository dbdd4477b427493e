"""What a CLIP perceives in pictures along an axis: one value each, or ``unclear`` where it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from proofsheet.domain.identity import content_id
from scoring.coverage.axes import Axis, Concepts, load_axes

if TYPE_CHECKING:
    from scoring.embedding import Embedder, Vectors

#: By how much the likeliest value's chance must lead, or the picture is unclear.
MARGIN = 0.10
#: The axis that tells whether there is a person at all.
PEOPLE = "people"
TEMPLATES = ("{}", "a picture of {}", "an advertisement with {}")
HOUSE_TEMPLATES = ("{}", "a picture {}", "an advertisement {}")

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The phrases of an axis as unit vectors: which rows belong to which place among the axis's names."""

    places: Places  # (rows,)
    vectors: Vectors  # (rows, d)


class Perceiver:
    """Takes pictures' vectors for values of axes.

    A picture's chance of a value is the softmax of scaled cosines, each value's being that of its nearest phrase
    (zero-shot classification: Radford et al., 2021). A picture is unclear where the axis's phrases for that are
    nearest, where no value leads by ``MARGIN``, and on an axis about people where no person is perceived.

    Args:
        embedder: the model; one with the house's vocabulary is asked in the house's words.
        leanings: by axis, what is added to the logit of ``unclear``: how much more, or less, readily the model takes
            that for the truth than it should, as measured (``scoring.coverage.confusion``).
    """

    def __init__(self, embedder: Embedder, leanings: Mapping[str, float] | None = None) -> None:
        self.embedder = embedder
        self.house = embedder.folder is not None and (embedder.folder / "brand_fit.json").is_file()
        self._leanings = dict(leanings or {})
        self._asked: dict[str, _Asked] = {}

    def leaning(self, leanings: Mapping[str, float]) -> Perceiver:
        """The same with other leanings; phrases asked before are not asked again."""
        other = Perceiver(self.embedder, leanings)
        other._asked = self._asked
        return other

    def knows(self, axis: Axis) -> tuple[str, ...]:
        """The values of the axis that the model has phrases for, without ``unclear``."""
        return tuple(value.name for value in axis.values if (value.house if self.house else value.phrases))

    def question(self, axis: Axis) -> str:
        """What tells that errors were measured with the same question, see ``question_id``."""
        return question_id(axis, house=self.house)

    def perceive(self, axis: Axis, vectors: Vectors) -> Places:
        """The place among ``axis.names`` of what is perceived in each picture (n,); the last is ``unclear``.

        Args:
            axis: what to look for.
            vectors: unit vectors (n, d) of the pictures, from the embedder.
        """
        unclear = len(axis.values)
        if len(self.knows(axis)) < 2:
            return np.full(len(vectors), unclear, dtype=np.intp)
        found = _decided(self.logits(axis, vectors), unclear)
        alone = self.house and axis.house_alone
        if alone or (axis.about == "people" and axis.name != PEOPLE):
            counted = load_axes()[PEOPLE]
            empty = self.perceive(counted, vectors) == len(counted.values)
            found = np.where(~empty if alone else empty, unclear, found)
        return found

    def logits(self, axis: Axis, vectors: Vectors) -> NDArray[np.float64]:
        """Scaled cosines (n, values + 1) to the nearest phrase of each value and of ``unclear``; −∞ without phrases."""
        asked = self._phrases(axis)
        cosines = np.asarray(vectors, dtype=np.float64) @ asked.vectors.T.astype(np.float64)
        found = np.full((len(vectors), len(axis.names)), -np.inf)
        for place in np.unique(asked.places):
            found[:, place] = self.embedder.scale * cosines[:, asked.places == place].max(axis=1)
        found[:, -1] += self._leanings.get(axis.name, 0.0)
        return found

    def _phrases(self, axis: Axis) -> _Asked:
        if axis.name not in self._asked:
            kinds = [(value.house if self.house else value.phrases) for value in axis.values]
            kinds.append(axis.house_unclear if self.house else axis.unclear)
            places, vectors = [], []
            for place, concepts in enumerate(kinds):
                for vector in self._concepts(axis, concepts):
                    places.append(place)
                    vectors.append(vector)
            self._asked[axis.name] = _Asked(np.array(places, dtype=np.intp), np.stack(vectors))
        return self._asked[axis.name]

    def _concepts(self, axis: Axis, concepts: Concepts) -> list[Vectors]:
        """A unit vector for each thing in each context: the mean over the ways of saying it."""
        contexts = axis.house_contexts if self.house else axis.contexts
        templates = HOUSE_TEMPLATES if self.house else TEMPLATES
        said = [[context.format(way).strip() for way in ways] for ways in concepts for context in contexts]
        flat = [text for ways in said for text in ways]
        if not flat:
            return []
        rows, start, found = self.embedder.phrases(flat, templates), 0, []
        for ways in said:
            mean = rows[start : start + len(ways)].mean(axis=0)
            found.append(np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32))
            start += len(ways)
        return found


def tally(places: Places, axis: Axis) -> NDArray[np.int64]:
    """Counts (values + 1,) of what was perceived."""
    return np.bincount(places, minlength=len(axis.names)).astype(np.int64)


def question_id(axis: Axis, *, house: bool) -> str:
    """Eight hex digits of everything an axis asks a model: errors measured with other words are others."""
    kinds = [value.house if house else value.phrases for value in axis.values]
    alone = house and axis.house_alone
    context = (axis.house_unclear, axis.house_contexts, alone) if house else (axis.unclear, axis.contexts)
    asked = [axis.names, kinds, context, HOUSE_TEMPLATES if house else TEMPLATES, MARGIN]
    return content_id(asked, length=8)


def _decided(logits: NDArray[np.float64], unclear: int) -> Places:
    """The likeliest place, or ``unclear`` where it does not lead by the margin."""
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    ordered = np.sort(chances, axis=1)
    leads = ordered[:, -1] - ordered[:, -2] >= MARGIN
    return np.where(leads, chances.argmax(axis=1), unclear).astype(np.intp)
