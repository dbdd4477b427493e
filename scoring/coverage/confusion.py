"""How often a model takes which value for which: counts measured once, kept beside the weights they belong to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from proofsheet.domain.identity import bytes_id
from proofsheet.errors import InputError
from scoring.weights import weights_in

if TYPE_CHECKING:
    from scoring.embedding import Embedder

FILE = "confusion.json"


@dataclass(frozen=True, slots=True, eq=False)
class Confused:
    """One axis: the values measured (``unclear`` is the last), and counts by true (rows) and perceived value.

    ``leaning`` is what was added to the logit of ``unclear`` when they were counted, and ``question`` tells what the
    model was asked then (``scoring.coverage.perceive.question_id``).
    """

    values: tuple[str, ...]
    counts: NDArray[np.float64]
    leaning: float = 0.0
    question: str = ""


@dataclass(frozen=True, slots=True)
class Confusion:
    """What was measured of one model.

    Attributes:
        axes: by name of the axis.
        pictures: of what the pictures were, in words.
        backends: whose pictures these are like; of others the counts tell nothing.
    """

    axes: Mapping[str, Confused]
    pictures: str
    backends: tuple[str, ...]

    @property
    def leanings(self) -> dict[str, float]:
        """By axis, for a ``Perceiver``."""
        return {name: one.leaning for name, one in self.axes.items()}


def load_confusion(embedder: Embedder) -> Confusion | str:
    """What was measured of the embedder's model, or why there is nothing to go by.

    Raises:
        InputError: the file beside the weights is damaged.
    """
    folder = embedder.folder
    if folder is None or not (folder / FILE).is_file():
        return "The errors of this CLIP model have not been measured, so its counts cannot be corrected."
    path = folder / FILE
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["weights"] != weights_id(folder):
            return f"{FILE} was measured for other weights of this CLIP model, so its counts cannot be corrected."
        axes = {name: _confused(one) for name, one in data["axes"].items()}
        return Confusion(axes, str(data["pictures"]), tuple(data["backends"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", "Copy it anew together with its weights.") from error


def save_confusion(folder: Path, confusion: Confusion) -> Path:
    """Write ``confusion.json`` beside the weights it was measured of."""
    data = {
        "weights": weights_id(folder),
        "pictures": confusion.pictures,
        "backends": list(confusion.backends),
        "axes": {
            name: {
                "values": list(one.values),
                "question": one.question,
                "leaning": round(one.leaning, 3),
                "counts": [[int(count) for count in row] for row in one.counts],
            }
            for name, one in confusion.axes.items()
        },
    }
    path = folder / FILE
    part = path.with_suffix(".part")
    part.write_text(_compact(json.dumps(data, indent=1)) + "\n", "utf-8")
    part.replace(path)
    return path


def weights_id(folder: Path) -> str:
    """The first sixteen hex digits of the SHA-256 of a folder's weights."""
    return bytes_id(weights_in(folder).read_bytes())[:16]


def _confused(data: Mapping[str, Any]) -> Confused:
    values, counts = tuple(map(str, data["values"])), np.array(data["counts"], dtype=np.float64)
    if counts.shape != (len(values), len(values)) or not (np.isfinite(counts) & (counts >= 0)).all():
        raise ValueError(f"{len(values)} values do not fit counts of shape {counts.shape}")
    return Confused(values, counts, float(data["leaning"]), str(data["question"]))


def _compact(text: str) -> str:
    """JSON with each row of counts on one line."""
    return re.sub(r"\[\s+([-\d.,\s]+?)\s+\]", lambda row: f"[{' '.join(row[1].split())}]", text)
