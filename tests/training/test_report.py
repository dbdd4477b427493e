"""The report: what counts as recognised, which targets are missed, what the tables, sheets and cards say."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from proofsheet.errors import StateError
from training import cards, tables
from training.attributes import spoken_of
from training.recognised import Recognised
from training.sheets import captioned, in_rows, spread
from training.visibility import Tally, Visibility
from training.world import Facts, sample_set

pytestmark = pytest.mark.models

SHARE = {"value": 0.97, "low": 0.95, "high": 0.99, "right": 97, "count": 100}
LOW = {"value": 0.5, "low": 0.4, "high": 0.6, "right": 50, "count": 100}
READ = {
    "attributes": {"set.setting": SHARE, "set.detail": LOW, "people.age": SHARE},
    "readings": {**SHARE, "value": 0.99},
    "together": SHARE,
    "together_sets": SHARE,
    "together_people": SHARE,
    "together_with_finer": LOW,
    "unfiltered": {"all": LOW},
    "mistakes": {"set.setting": ["sand → snow × 3"]},
}
APART = {"generated": 3.0, "renders": 4.0, "ratio": 0.75, "low": 0.7, "high": 0.8}
TOLD = {
    "accuracy": {"setting": 0.97, "colour": 0.96, "age": 0.95, "skin": 0.91},
    "count": {"setting": 9, "colour": 9, "age": 9, "skin": 9},
    "recall_at_1": 0.85,
}
SPANS = {"min": 0.1, "50 %": 0.2}
NEAR = {"generated": SPANS, "held": SPANS, "nearer_than_1_%_of_held": SHARE}
FIGURES: dict[str, Any] = {
    "models": {"diffusion": "abc", "clip": "def", "steps": 8, "guidance": 3.0},
    "counts": {"drawn": 500, "held": 1800, "train": 11000, "denoiser_steps": 900, "denoiser_seconds": 3300},
    "autoencoder": {
        "psnr_mean": 31.0,
        "psnr_worst_tenth": 27.0,
        "psnr_least": 22.0,
        "readings": SHARE | {"value": 0.99},
    },
    "requested": SHARE,
    "renders": READ,
    "reconstructions": READ,
    "generated": READ,
    "clip": {"renders": TOLD, "adverts": TOLD},
    "diversity": {"prompts": 21, "seeds": 16}
    | {f"{space}_{kind}": APART for space in ("clip", "pixels") for kind in ("vendi", "distance")},
    "frechet": {"generated": 0.2, "train_renders": 0.1, "held_renders": 0.05, "count": 500, "against": 1300},
    "memorisation": {"clip": NEAR, "pixels": NEAR, "copies": 0},
    "speed": {"median": 0.3, "least": 0.2, "most": 0.4},
}


def _changed(path: str, value: Any) -> dict[str, Any]:
    figures = copy.deepcopy(FIGURES)
    place = figures
    *way, last = path.split("/")
    for step in way:
        place = place[step]
    place[last] = value
    return figures


def test_all_targets_reached() -> None:
    assert [row[0] for row in tables.targets(FIGURES) if not row[3]] == []
    assert "missed" not in tables.targets_table(FIGURES)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("autoencoder/psnr_mean", 29.9, "PSNR"),
        ("autoencoder/readings", LOW, "reconstructions"),
        ("generated/attributes/people.age", LOW, "weakest: people: age"),
        ("generated/together", LOW, "together"),
        ("requested", LOW, "can be judged"),
        ("clip/renders/accuracy/colour", 0.94, "palette"),
        ("clip/renders/accuracy/skin", 0.89, "weakest: skin"),
        ("clip/renders/recall_at_1", 0.79, "text to image"),
        ("speed/median", 0.51, "seconds"),
        ("memorisation/copies", 1, "copies"),
    ],
)
def test_each_missed_target_is_named(path: str, value: Any, told: str) -> None:
    missed = [row[0] for row in tables.targets(_changed(path, value)) if not row[3]]
    assert len(missed) == 1
    assert told in missed[0]


def test_a_finer_attribute_is_not_the_weakest_of_the_targets() -> None:
    assert "detail" not in tables.targets_table(FIGURES)
    assert "| set: detail | 100 | 50.0 % (40.0–60.0)" in tables.attributes_table(FIGURES)


def test_the_report_and_the_cards_say_what_is_missed(tmp_path: Path) -> None:
    figures = _changed("speed/median", 0.9)
    assert "**missed**" in tables.tables(figures)
    assert "sand → snow × 3" in tables.tables(figures)
    (tmp_path / "docs" / "images").mkdir(parents=True)
    cards.write_cards(figures, tmp_path / "run", tmp_path)
    card = (tmp_path / "generation/house/weights/diffusion/README.md").read_text("utf-8")
    assert "**Missed:** seconds a scene, batch of 8, 2 cores: 0.90 s" in card
    assert "license: apache-2.0" in card
    assert "No judge of real people" in card
    assert "All of these targets" in (tmp_path / "scoring/house_clip/README.md").read_text("utf-8")
    assert "python -m training evaluate" in (tmp_path / "docs/house_models.md").read_text("utf-8")


def test_the_distance_is_shown_as_training_went_on() -> None:
    rows = [{"denoiser_seconds": 60 * m, "denoiser_steps": m, "frechet": 1 / m} for m in (40, 10)]
    text = tables.frechet_table({**FIGURES, "history": rows})
    assert text.index("10 min, 10 steps | 0.1000") < text.index("40 min, 40 steps | 0.0250")
    assert "With training" not in tables.frechet_table(FIGURES)


def _seen() -> Visibility:
    seen = Visibility()
    for name in ("setting", "light", "stand_y"):
        for text in (f"set.{name}", *(f"set.{name}|{part}" for part in ("any", "setting=sand", "light=night"))):
            seen.tallies[text] = Tally(100, 100)
    return seen


def test_only_what_renders_show_counts() -> None:
    facts: list[Facts] = [
        {"subject": "set", "setting": "sand", "light": "night", "season": "autumn", "stand_y": "low"} for _ in range(4)
    ]
    readings = [
        {"setting": "sand", "light": "night", "season": "none", "stand_y": "low"},
        {"setting": "snow", "light": "night", "season": "none", "stand_y": "low"},
        {"setting": "sand", "light": "night", "season": "none", "stand_y": "high"},
        {"setting": "sand", "light": "moody", "season": "none", "stand_y": "low"},
    ]
    found = Recognised(facts, readings, _seen())
    assert found.attributes()["set.setting"].right == 3
    assert "set.season" not in found.attributes()  # no render shows it: the probe could not tell
    assert (found.together().right, found.together(finer=True).right) == (2, 1)
    assert (found.all_readings().right, found.all_readings().count) == (6, 8)
    assert found.requested().value == pytest.approx(2 / 3)
    assert (found.unfiltered()["set.season"].right, found.unfiltered()["all"].count) == (0, 12)
    assert found.mistakes()["set.setting"] == ["sand → snow × 1"]


def test_pictures_of_which_nothing_is_asked_do_not_count() -> None:
    facts: list[Facts] = [{"subject": "set", "setting": "snow", "light": "moody", "season": "none"}]
    found = Recognised(facts, [{"setting": "snow", "light": "moody", "season": "none"}], Visibility())
    assert found.together().count == found.requested().right == 0


def test_a_whole_caption_leaves_nothing_out() -> None:
    pytest.importorskip("diffusers")
    from training.attributes import NAMES
    from training.drawing import asked, whole_caption

    rng = random.Random(4)
    for place in range(20):
        facts = sample_set(rng)
        spoken = spoken_of(whole_caption(facts, random.Random(place)), facts)
        assert [name for index, name in enumerate(NAMES) if asked(facts, index) and not spoken[index]] == []


def test_a_model_that_is_not_there_is_said(tmp_path: Path) -> None:
    from training.dataset import Data
    from training.evaluate import evaluate

    with pytest.raises(StateError, match="no model"):
        evaluate(tmp_path, tmp_path / "diffusion", tmp_path / "clip", Data(tmp_path / "data"))


def test_sheets_have_room_for_all() -> None:
    images = np.zeros((5, 128, 128, 3), np.uint8)
    sheet = captioned(images, ["a stone slab " * 20] * 5, ["", "colour: blue", "", "", ""], columns=3)
    assert sheet.width == 3 * 168 + 8
    assert np.asarray(sheet)[8 + 160 :].min() < 100  # captions are there
    assert in_rows([images, images], ["one", "other"]).width == 5 * 168 + 8
    assert spread(100, 4) == [0, 33, 66, 99]
    assert spread(2, 4) == [0, 1]


def test_pictures_of_the_documentation_stay_small() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (900, 900, 3)).astype(np.uint8)
    from PIL import Image

    assert len(cards.compact(Image.fromarray(noise), 100_000)) <= 100_000
