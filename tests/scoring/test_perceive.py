"""What is perceived: by vectors made by hand, and by the house CLIP in small renders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from proofsheet.errors import InputError
from scoring.coverage.axes import load_axes
from scoring.coverage.confusion import FILE, Confused, Confusion, load_confusion, save_confusion, weights_id
from scoring.coverage.perceive import Perceiver, question_id, tally
from scoring.embedding import Embedder
from scoring.house import HOUSE_FOLDER

AXES = load_axes()


class Spoken:
    """An embedder whose vectors say which words a phrase has: one dimension a word."""

    scale = 20.0

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.words: dict[str, int] = {}
        self.asked = 0

    def vector(self, text: str) -> NDArray[np.float32]:
        row = np.zeros(600, np.float32)
        for word in text.lower().replace(",", " ").split():
            row[self.words.setdefault(word, len(self.words))] += 1.0
        return cast("NDArray[np.float32]", row / max(float(np.linalg.norm(row)), 1e-9))

    def phrases(self, texts: Sequence[str], templates: Sequence[str] = ("{}",)) -> NDArray[np.float32]:
        self.asked += len(texts)
        rows = np.stack([np.mean([self.vector(one.format(text)) for one in templates], axis=0) for text in texts])
        return cast("NDArray[np.float32]", rows / np.linalg.norm(rows, axis=1, keepdims=True))


def seen_as(axis: str, *pictures: str, leanings: dict[str, float] | None = None) -> list[str]:
    """What is perceived in pictures that are like these words."""
    embedder = Spoken()
    perceiver = Perceiver(cast(Embedder, embedder), leanings)
    for one in AXES.values():
        perceiver._phrases(one)  # so that every word has its dimension
    vectors = np.stack([embedder.vector(text) for text in pictures])
    return [AXES[axis].names[place] for place in perceiver.perceive(AXES[axis], vectors)]


def test_the_nearest_phrase_names_the_value() -> None:
    assert seen_as("people", "a photo of two people", "a still life of objects") == ["two", "unclear"]
    assert seen_as("setting", "a photo in a kitchen", "a photo of a city street") == ["home", "city"]


def test_where_no_value_leads_it_is_unclear() -> None:
    assert seen_as("season", "zebra") == ["unclear"]


def test_people_are_judged_where_a_person_is_seen_only() -> None:
    person, nobody = "a photo of one person a photo of an elderly person", "a still life of objects elderly senior"
    assert seen_as("age_group", person, nobody) == ["older", "unclear"]


def test_a_leaning_moves_what_is_unclear() -> None:
    picture = "a photo of two people"
    assert seen_as("people", picture, leanings={"people": 30.0}) == ["unclear"]


def test_an_axis_without_phrases_is_always_unclear(tmp_path: Path) -> None:
    (tmp_path / "brand_fit.json").write_text("{}")
    embedder = Spoken(tmp_path)
    perceiver = Perceiver(cast(Embedder, embedder))
    assert perceiver.house
    assert perceiver.knows(AXES["region"]) == ()
    places = perceiver.perceive(AXES["region"], np.stack([embedder.vector("a photo of a street in Paris")]))
    assert tally(places, AXES["region"]).tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert embedder.asked == 0


def test_phrases_are_asked_once() -> None:
    embedder = Spoken()
    perceiver = Perceiver(cast(Embedder, embedder))
    vectors = np.stack([embedder.vector("a photo of two people")])
    perceiver.perceive(AXES["people"], vectors)
    asked = embedder.asked
    perceiver.leaning({"people": -1.0}).perceive(AXES["people"], vectors)
    assert embedder.asked == asked


def _weights(folder: Path, content: bytes = b"weights") -> Embedder:
    (folder / "open_clip_model.safetensors").write_bytes(content)
    return cast(Embedder, Spoken(folder))


def test_counts_are_kept_with_the_weights_they_were_measured_of(tmp_path: Path) -> None:
    embedder = _weights(tmp_path)
    assert "not been measured" in str(load_confusion(embedder))
    one = Confused(("one", "unclear"), np.array([[9.0, 1.0], [2.0, 8.0]]), -1.25, "asked")
    save_confusion(tmp_path, Confusion({"people": one}, "20 renders", ("house",)))
    found = load_confusion(embedder)
    assert isinstance(found, Confusion)
    assert found.axes["people"].counts.tolist() == [[9, 1], [2, 8]]
    assert found.axes["people"].question == "asked"
    assert (found.leanings, found.backends) == ({"people": -1.25}, ("house",))
    assert "[9, 1]" in (tmp_path / FILE).read_text("utf-8")
    _weights(tmp_path, b"others")
    assert "other weights" in str(load_confusion(embedder))


@pytest.mark.parametrize("change", ["counts", "not json"])
def test_a_damaged_file_of_counts_is_named(tmp_path: Path, change: str) -> None:
    embedder = _weights(tmp_path)
    axes = {"people": {"values": ["one", "unclear"], "leaning": 0, "question": "", "counts": [[1, -2], [3, 4]]}}
    data = {"weights": weights_id(tmp_path), "pictures": "", "backends": [], "axes": axes}
    (tmp_path / FILE).write_text(json.dumps(data) if change == "counts" else "{", "utf-8")
    with pytest.raises(InputError, match=r"confusion\.json cannot be read"):
        load_confusion(embedder)


def test_the_house_clips_counts_are_whole_and_better_than_chance() -> None:
    data = json.loads((HOUSE_FOLDER / FILE).read_text("utf-8"))
    for name, one in data["axes"].items():
        counts = np.array(one["counts"], float)
        assert set(one["values"]) <= set(AXES[name].names)
        assert one["question"] == question_id(AXES[name], house=True), "run: python -m training.confusion --out RUN"
        assert one["values"][-1] == "unclear"
        assert (counts.sum(axis=1) > 0).all(), name
        assert np.trace(counts) / counts.sum() > 0.6, name


@pytest.mark.models
@pytest.mark.slow
def test_the_house_clip_sees_what_renders_show() -> None:
    from PIL import Image

    from training.confusion import TRUTHS
    from training.world import render

    person = {"subject": "people", "framing": "figure", "count": 1, "age": "older", "gender": "woman", "skin": 9}
    person |= {"build": "full", "ability": "wheelchair", "colour": "green", "light": "soft", "seed": 5}
    embedder = Embedder(f"local-dir:{HOUSE_FOLDER}", device="cpu")
    confusion = load_confusion(embedder)
    perceiver = Perceiver(embedder, confusion.leanings if isinstance(confusion, Confusion) else {})
    vectors = embedder.pictures([Image.fromarray(render(cast("dict[str, str | int]", person)))])
    axes = ("people", "age_group", "gender_presentation", "skin_tone_group", "ability")
    seen = {name: AXES[name].names[perceiver.perceive(AXES[name], vectors)[0]] for name in axes}
    assert seen == {name: TRUTHS[name](person) for name in axes}
