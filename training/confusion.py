"""Measures how often the house CLIP takes which value of an axis for which, and writes it beside the weights.

Usage: python -m training.confusion --out DIR [--clip FOLDER]

The pictures are renders of combinations that training never showed, whose truth is known. Those kept for the probe
settle how readily ``unclear`` is said; the held-out ones are then counted, so that no count flatters the model.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from proofsheet.errors import ProofsheetError
from scoring.coverage.axes import UNCLEAR, Axis, load_axes
from scoring.coverage.confusion import Confused, Confusion, save_confusion
from scoring.coverage.perceive import Perceiver, Places, question_id
from scoring.embedding import Embedder, Vectors
from scoring.house import HOUSE_FOLDER
from training.dataset import Data
from training.world import Facts

_MOST = 1500  # pictures of each shard
_BATCH = 50
_STEPS = tuple(round(float(step), 2) for step in np.arange(-4.0, 4.01, 0.25))
_SETTING = {
    "sweep": "studio",
    "arch_podium": "studio",
    "steps": "studio",
    "tabletop_stone": "studio",
    "tabletop_wood": "home",
    "kitchen_shelf": "home",
    "wet_stone": "nature",
    "sand": "nature",
    "sky": "nature",
    "forest_bokeh": "nature",
}
_COUNT = {"1": "one", "2": "two", "3": "three_or_more"}
_GENDER = {"woman": "feminine", "man": "masculine", "androgynous": "androgynous"}
_ABILITY = {"none": "none_visible", "wheelchair": "wheelchair", "cane": "cane", "prosthetic": "prosthesis"}


def _group(skin: str) -> str:
    return "lighter" if int(skin) <= 3 else "medium" if int(skin) <= 6 else "darker"


def _of(fact: str, named: Callable[[str], str]) -> Callable[[Facts], str]:
    return lambda facts: named(str(facts[fact])) if fact in facts else UNCLEAR


#: The true value of an axis, from a picture's facts.
TRUTHS: Mapping[str, Callable[[Facts], str]] = {
    "people": _of("count", _COUNT.__getitem__),
    "age_group": _of("age", str),
    "gender_presentation": _of("gender", _GENDER.__getitem__),
    "skin_tone": _of("skin", "monk_{}".format),
    "skin_tone_group": _of("skin", _group),
    "body": lambda facts: str(facts["build"]) if facts.get("framing") == "figure" else UNCLEAR,
    "ability": _of("ability", _ABILITY.__getitem__),
    "setting": _of("setting", _SETTING.__getitem__),
    "season": lambda facts: UNCLEAR if facts.get("season", "none") == "none" else str(facts["season"]),
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """Pictures as vectors (n, d) with their facts."""

    vectors: Vectors
    facts: Sequence[Facts]

    @classmethod
    def of(cls, embedder: Embedder, data: Data, split: str) -> _Seen:
        vectors: list[Vectors] = []
        facts: list[Facts] = []
        for shard in data.shards(split):
            count = min(len(shard), _MOST)
            facts += shard.facts[:count]
            for start in range(0, count, _BATCH):
                rows = range(start, min(count, start + _BATCH))
                vectors.append(embedder.pictures([Image.fromarray(np.asarray(shard.images[row])) for row in rows]))
        return cls(np.concatenate(vectors), facts)


def measure(folder: Path, data: Data) -> Confusion:
    """Count what the model of a folder perceives in held-out renders, by what they show.

    Raises:
        StateError: there are no renders.
        InputError: the folder has no model that can be loaded.
    """
    embedder = Embedder(f"local-dir:{folder}", device="cpu")
    tuning, counted = _Seen.of(embedder, data, "judge"), _Seen.of(embedder, data, "held")
    asking = Perceiver(embedder)
    leanings: dict[str, float] = {}
    axes: dict[str, Confused] = {}
    for name, truth in TRUTHS.items():
        axis = load_axes()[name]
        leanings[name] = _leaning(asking, axis, tuning, truth, leanings)
        perceiver = asking.leaning(leanings)
        known = (*perceiver.knows(axis), UNCLEAR)
        counts = _counts(axis, perceiver.perceive(axis, counted.vectors), [truth(row) for row in counted.facts])
        kept = [axis.names.index(value) for value in known]
        axes[name] = Confused(known, counts[np.ix_(kept, kept)], leanings[name], question_id(axis, house=True))
    pictures = f"{len(counted.facts):,} renders of combinations of attributes that training never showed"
    return Confusion(axes, pictures, ("house", "procedural"))


def _leaning(
    asking: Perceiver, axis: Axis, seen: _Seen, truth: Callable[[Facts], str], leanings: Mapping[str, float]
) -> float:
    """What must be added to ``unclear`` for the mean share of right answers over the true values to be greatest."""
    true = [truth(row) for row in seen.facts]
    best, found = -1.0, 0.0
    for step in sorted(_STEPS, key=abs):
        perceiver = asking.leaning({**leanings, axis.name: step})
        counts = _counts(axis, perceiver.perceive(axis, seen.vectors), true)
        right = float(np.mean([counts[k, k] / counts[k].sum() for k in range(len(counts)) if counts[k].sum()]))
        if right > best + 1e-9:
            best, found = right, step
    return found


def _counts(axis: Axis, places: Places, true: Sequence[str]) -> NDArray[np.float64]:
    counts = np.zeros((len(axis.names), len(axis.names)))
    np.add.at(counts, (np.array([axis.names.index(value) for value in true]), places), 1.0)
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: measures the installed CLIP, or the one of a folder. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.confusion", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "runs" / "house", help="the run's folder")
    parser.add_argument("--clip", type=Path, default=HOUSE_FOLDER, help="the CLIP's folder")
    given, _ = parser.parse_known_args(arguments)
    try:
        confusion = measure(given.clip, Data(given.out / "data"))
        path = save_confusion(given.clip, confusion)
    except ProofsheetError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return error.exit_code
    for name, one in confusion.axes.items():
        print(f"{name}: {np.trace(one.counts) / one.counts.sum():.1%} right of {one.counts.sum():.0f}", one.leaning)
    print(f"Written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
