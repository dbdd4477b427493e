"""The world of the house models: small pictures cut out of large ones show what their facts say."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation.house import framing
from training import world
from training.world import FOOT, MASTER, SHAPES, UNIT, Facts, box_of, render, sample_set, stand_of


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(world, "_kept", [])
    world.keep_masters(tmp_path / "masters")
    return tmp_path / "masters"


@pytest.mark.parametrize("bucket", list(SHAPES))
def test_a_cut_lies_in_its_master_and_the_stand_where_it_should(bucket: str) -> None:
    rng, shape = random.Random(5), SHAPES[bucket]
    for _ in range(300):
        facts = sample_set(rng, bucket)
        left, top, right, bottom = box_of(facts, shape.width, shape.height)
        assert min(left, top) >= -1e-6
        assert right <= MASTER[0] + 1e-6
        assert bottom <= MASTER[1] + 1e-6
        assert (right - left) / (bottom - top) == pytest.approx(shape.width / shape.height)
        across, down, share = stand_of(facts)
        assert (FOOT[0] - left) / (right - left) == pytest.approx(across)
        assert (FOOT[1] - top) / (bottom - top) == pytest.approx(down)
        assert share - 1e-6 <= UNIT / (right - left) <= share * 1.3  # a little nearer where the master ends


def test_each_word_was_said_of_its_share_of_pictures() -> None:
    for shape in SHAPES.values():
        for words in (shape.across, shape.down, shape.distances):
            assert sum(words.values()) == pytest.approx(1)
    rng = random.Random(9)
    sides = [str(sample_set(rng, "strip")["stand_x"]) for _ in range(2000)]
    for word, share in SHAPES["strip"].across.items():
        assert sides.count(word) / 2000 == pytest.approx(share, abs=0.04)
    assert set(framing.DISTANCES) == set(framing.NEARNESS)


def small_masters(monkeypatch: pytest.MonkeyPatch, divisor: int) -> None:
    """Masters of a fraction of the size, for speed."""
    for module in (world, framing):
        monkeypatch.setattr(module, "MASTER", tuple(side // divisor for side in MASTER))
        monkeypatch.setattr(module, "FOOT", tuple(place / divisor for place in FOOT))
        monkeypatch.setattr(module, "UNIT", UNIT / divisor)


def test_masters_are_drawn_once_and_read_again(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_masters(monkeypatch, 4)
    facts: Facts = {
        **sample_set(random.Random(1)),
        "setting": "sweep",
        "colour": "teal",
        "detail": "",
        "season": "none",
    }
    first = render(facts, 64, 64)
    files = list(kept.iterdir())
    assert [file.name for file in files] == [f"sweep-{facts['light']}-teal-plain.png"]
    world.keep_masters(kept)  # forgets what it has in memory
    monkeypatch.setattr(world, "draw_scene", None)
    assert np.array_equal(render(facts, 64, 64), first)
    assert not np.array_equal(render({**facts, "seed": 99}, 64, 64), first)


def test_a_cut_shows_what_another_lens_would(monkeypatch: pytest.MonkeyPatch) -> None:
    small_masters(monkeypatch, 2)
    facts: Facts = {
        **sample_set(random.Random(2)), "setting": "arch_podium", "light": "soft_north", "colour": "coral",
        "detail": "", "season": "none", "stand_x": "middle", "stand_y": "bottom", "distance": "near",
    }  # fmt: skip
    cut = np.asarray(Image.fromarray(render(facts, 64, 64)).resize((16, 16), Image.Resampling.BOX)).astype(int)
    monkeypatch.setattr(world, "_LARGEST_CUT", 0)
    drawn = np.asarray(Image.fromarray(render(facts, 64, 64)).resize((16, 16), Image.Resampling.BOX)).astype(int)
    assert np.abs(cut - drawn).mean() < 12
    other = np.abs(cut - drawn[:, ::-1]).mean()
    assert np.abs(cut - drawn).mean() < other


def test_every_combination_has_a_master_and_some_are_held_out() -> None:
    every = world.masters()
    assert len(every) == len(set(every)) == 462
    held = [key for key in every if key[2] != "natural" and world.is_held({
        "subject": "set", "setting": key[0], "light": key[1], "colour": key[2]})]  # fmt: skip
    assert 0.03 < len(held) / len(every) < 0.15
