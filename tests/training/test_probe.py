"""The probe: it learns what pictures show, goes on where it stopped, and says where an attribute can be seen."""

from __future__ import annotations

import json
import random
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from proofsheet.errors import StateError
from training.dataset import Data
from training.progress import Progress
from training.world import Facts

pytest.importorskip("torch")
import torch

from training import probe as probes
from training.probe_net import labels_of, loss_of, roughened, told
from training.visibility import Tally, Visibility, keys_of

pytestmark = pytest.mark.models


def _facts(rng: random.Random) -> Facts:
    return {
        "subject": "set",
        "setting": rng.choice(("sweep", "sand")),
        "light": rng.choice(("night", "moody")),
        "colour": "coral",
        "accent": "",
        "season": "none",
        "detail": "",
        "stand_x": rng.choice(("left", "right")),
        "stand_y": "low",
        "distance": "near",
        "seed": 1,
    }


def _data(folder: Path) -> Data:
    rng = random.Random(3)
    for split, count in (("train", 400), ("held", 60)):
        place = folder / split / "square-set"
        (place / "done").mkdir(parents=True)
        facts = [_facts(rng) for _ in range(count)]
        images = np.zeros((count, 128, 128, 3), np.uint8)
        for image, row in zip(images, facts, strict=True):
            image[:] = (200, 60, 60) if row["setting"] == "sweep" else (60, 60, 200)
            image[:, :64] //= 1 if row["stand_x"] == "left" else 4
            image[:, 64:] //= 4 if row["stand_x"] == "left" else 1
        np.save(place / "images.npy", images)
        (place / "facts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in facts), "utf-8")
        for chunk in range(4):
            (place / "done" / str(chunk)).touch()
    return Data(folder)


def _quiet() -> Progress:
    return Progress("probe", stream=StringIO())


def _settings(steps: int) -> dict[str, dict[str, float]]:
    return {"probe": {"seconds": 1e9, "steps": steps, "batch": 16, "warm_steps": 2}}


@pytest.mark.slow
def test_it_learns_what_is_seen_and_not_what_is_not(tmp_path: Path) -> None:
    data = _data(tmp_path / "data")
    probes.train_probe(_settings(30), data, tmp_path, _quiet())
    probe, seen = probes.Probe.load(tmp_path), Visibility.load(tmp_path)
    shard = data.shard("held", "square-set")
    read = probe.read(shard.images[:20])
    assert [row["setting"] for row in read] == [row["setting"] for row in shard.facts[:20]]
    assert [row["stand_x"] for row in read] == [row["stand_x"] for row in shard.facts[:20]]
    assert seen.figures["held"]["set.setting"]["accuracy"] > 0.95
    assert seen.shows(shard.facts[0], "setting")
    assert not any(seen.shows(row, "light") for row in shard.facts)  # no picture shows it: the probe can only guess
    assert probe.read_surely(shard.images[:1])[0]["setting"][1] > 0.6


@pytest.mark.slow
def test_an_interrupted_training_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    data = _data(tmp_path / "data")
    for steps in (2, 3):
        probes.train_probe(_settings(steps), data, tmp_path / "two", _quiet())
    kept = torch.load(tmp_path / "two" / "probe" / "last.pt", weights_only=True)
    assert kept["step"] == 3
    values = tmp_path / "two" / "probe" / "values.json"
    values.write_text(values.read_text().replace("sand", "moon"))
    with pytest.raises(StateError, match="other attributes"):
        probes.train_probe(_settings(4), data, tmp_path / "two", _quiet())


def test_no_probe_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no trained probe"):
        probes.Probe.load(tmp_path)


def test_heads_of_the_other_subject_do_not_count() -> None:
    values = {"set.setting": ["a", "b"], "people.skin": ["1", "2", "3"]}
    labels = labels_of([{"subject": "set", "setting": "b"}, {"subject": "people", "skin": 3}], values)
    assert labels["set.setting"].tolist() == [1, -1]
    assert labels["people.skin"].tolist() == [-1, 2]


def test_a_step_beside_the_truth_costs_less_than_one_far_off() -> None:
    labels = {"people.skin": torch.tensor([0])}
    near, far = (torch.nn.functional.one_hot(torch.tensor([place]), 10).float() * 6 for place in (1, 9))
    assert loss_of({"people.skin": near}, labels) < loss_of({"people.skin": far}, labels)


def test_roughening_changes_little_and_follows_its_generator() -> None:
    images = torch.rand(4, 3, 64, 64).cumsum(dim=3) / 64
    one, two = (roughened(images, np.random.default_rng(7)) for _ in range(2))
    assert torch.equal(one, two)
    assert 0 < float((one - images).abs().mean()) < 0.08


def test_what_no_picture_could_show_is_not_told() -> None:
    assert told({"subject": "set", "colour": "natural"}, "colour") is None
    assert told({"subject": "people", "framing": "portrait", "build": "slim"}, "build") is None
    assert told({"subject": "people", "framing": "figure", "build": "slim", "skin": 4}, "skin") == "4"


def test_an_attribute_is_requested_where_renders_show_it() -> None:
    seen = Visibility()
    row: Facts = {"subject": "set", "setting": "sweep", "light": "gel_duo", "colour": "coral", "season": "none"}
    for text, right in (("set.colour", 95), ("set.colour|setting=sweep", 97), ("set.colour|light=gel_duo", 30)):
        seen.tallies[text] = Tally(right, 100)
    seen.tallies["set.season"] = seen.tallies["set.season|setting=sweep"] = Tally(100, 100)
    seen.tallies["set.season|light=gel_duo"] = Tally(40, 40)
    assert not seen.shows(row, "colour")
    assert seen.requested(row) == ["season"]
    assert len(keys_of(row, "colour", "coral")) == 2


def test_a_probe_that_always_says_the_same_shows_nothing() -> None:
    seen = Visibility()
    rows: list[Facts] = [{"subject": "set", "setting": "sweep", "light": light} for light in ("moody", "high_key") * 30]
    for row in rows:
        for key in keys_of(row, "light", str(row["light"])):
            for text in ("|".join(key), key[0], f"{key[0]}|{key[1]}", f"{key[0]}|{key[2]}"):
                seen.tallies[text].add(row["light"] == "moody")
    assert not any(seen.shows(row, "light") for row in rows)
