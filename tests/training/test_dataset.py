"""Renders: kept between runs, fewer or more of them without drawing anew, and never a held-out combination."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from proofsheet.errors import StateError
from training import dataset
from training.dataset import Data
from training.world import Facts, is_held


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "_CHUNK", 2)
    monkeypatch.setattr(dataset, "render", _painted)


def _painted(facts: Facts, width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), int(facts["seed"]) % 251, np.uint8)


def _rendered(folder: Path, count: int, chunks: int) -> list[int]:
    """Prepare a shard and render its first chunks; gives which chunks are done."""
    dataset._prepare(folder, folder.parent.name, count, 7)
    for index in range(chunks):
        dataset._render_chunk(folder, index)
    return [index for index, done in enumerate(dataset._chunks_done(folder, count)) if done]


def test_more_of_the_same_keeps_what_is_rendered(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "square-set"
    _rendered(folder, 5, 3)
    before = np.array(Data(tmp_path).shard("train", "square-set").images)
    assert _rendered(folder, 8, 0) == [0, 1]  # the third chunk was not full
    shard = Data(tmp_path, partial=True).shard("train", "square-set")
    assert len(shard) == 4
    assert np.array_equal(shard.images, before[:4])
    for place, facts in enumerate(shard.facts):
        assert shard.images[place].max() == int(facts["seed"]) % 251


def test_fewer_of_the_same_keeps_them_too(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "square-set"
    _rendered(folder, 6, 3)
    assert _rendered(folder, 4, 0) == [0, 1]
    assert len(Data(tmp_path).shard("train", "square-set")) == 4


def test_other_facts_begin_anew(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "square-set"
    _rendered(folder, 4, 2)
    dataset._prepare(folder, "train", 4, 8)
    assert dataset._chunks_done(folder, 4) == [False, False]


def test_unfinished_renders_are_refused_unless_asked_for(tmp_path: Path) -> None:
    _rendered(tmp_path / "train" / "square-set", 4, 1)
    with pytest.raises(StateError, match="only 2 of 4"):
        Data(tmp_path).shards("train")
    assert len(Data(tmp_path, partial=True).shards("train")[0]) == 2


@pytest.mark.parametrize(("split", "held"), [("train", False), ("held", True), ("judge", True)])
def test_held_out_combinations_are_never_trained_on(tmp_path: Path, split: str, held: bool) -> None:
    for name in ("square-set", "tall-people"):
        dataset._prepare(tmp_path / split / name, split, 40, 3)
        lines = (tmp_path / split / name / "facts.jsonl").read_text("utf-8").splitlines()
        assert {is_held(json.loads(line)) for line in lines} == {held}
