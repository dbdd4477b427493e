"""What renders truly show along the axes, and how the house CLIP's errors are counted."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.coverage.axes import Axis, load_axes
from scoring.coverage.confusion import Confusion
from training import confusion
from training.confusion import TRUTHS, main, measure
from training.dataset import Data
from training.world import Facts, sample_set

PERSON: Facts = {
    "subject": "people",
    "framing": "figure",
    "count": 3,
    "age": "older",
    "gender": "androgynous",
    "skin": 4,
}
PERSON |= {"build": "slim", "ability": "prosthetic", "colour": "green", "light": "soft", "seed": 1}


def test_every_fact_has_its_value() -> None:
    assert {name: truth(PERSON) for name, truth in TRUTHS.items()} == {
        "people": "three_or_more",
        "age_group": "older",
        "gender_presentation": "androgynous",
        "skin_tone": "monk_4",
        "skin_tone_group": "medium",
        "body": "slim",
        "ability": "prosthesis",
        "setting": "unclear",
        "season": "unclear",
    }
    rng, axes = random.Random(3), load_axes()
    for facts in (sample_set(rng) for _ in range(60)):
        shown = {name: truth(facts) for name, truth in TRUTHS.items()}
        assert all(shown[name] in axes[name].names for name in shown)
        assert shown["people"] == shown["age_group"] == "unclear"
        assert shown["setting"] != "unclear"


class Asked:
    """A perceiver that reads facts' values out of one-hot vectors, and says ``unclear`` where it leans too far."""

    def __init__(self, leanings: Mapping[str, float] | None = None) -> None:
        self.leanings = dict(leanings or {})

    def leaning(self, leanings: Mapping[str, float]) -> Asked:
        return Asked(leanings)

    def knows(self, axis: Axis) -> tuple[str, ...]:
        return axis.names[:-1]

    def perceive(self, axis: Axis, vectors: NDArray[np.float64]) -> NDArray[np.intp]:
        leaning = self.leanings.get(axis.name, 0.0)
        column = vectors[:, list(TRUTHS).index(axis.name)].astype(np.intp)
        # At 0 it calls the first value unclear; from −1 on it is always right; at −3 and below it is always wrong.
        return np.where((column == 0) & (leaning > -1) | (leaning <= -3), len(axis.values), column)


def test_counts_are_of_held_out_renders_with_the_best_leaning(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(4)
    facts = [sample_set(rng) for _ in range(40)] + [{**PERSON, "count": 1 + n % 3} for n in range(30)]
    values = [[load_axes()[name].names.index(truth(row)) for name, truth in TRUTHS.items()] for row in facts]
    seen = confusion._Seen(cast(Any, np.array(values, dtype=float)), facts)
    monkeypatch.setattr(confusion._Seen, "of", lambda embedder, data, split: seen)
    monkeypatch.setattr(confusion, "Embedder", lambda *args, **options: None)
    monkeypatch.setattr(confusion, "Perceiver", lambda embedder: Asked())
    found = measure(Path("nowhere"), cast(Data, None))
    people = found.axes["people"]
    assert people.leaning == -1.0
    assert people.counts.tolist() == np.diag([10, 10, 10, 40]).tolist()
    assert set(found.axes) == set(TRUTHS)


def test_the_command_writes_beside_the_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"weights")
    one = confusion.Confused(("one", "unclear"), np.eye(2) * 5, 0.0)
    monkeypatch.setattr(confusion, "measure", lambda folder, data: Confusion({"people": one}, "10", ("house",)))
    arguments: Sequence[str] = ["--out", str(tmp_path), "--clip", str(tmp_path), "--count", "5"]
    assert main(arguments) == 0
    assert (tmp_path / "confusion.json").is_file()
    assert "people: 100.0% right of 10" in capsys.readouterr().out


def test_without_renders_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(confusion, "Embedder", lambda *args, **options: None)
    monkeypatch.setattr(confusion, "Perceiver", lambda embedder: Asked())
    assert main(["--out", str(tmp_path)]) != 0
    assert "python -m training run" in capsys.readouterr().err
