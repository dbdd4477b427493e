"""The enlarger's pairs: aligned crops, nothing held out, and what is rendered already is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from generation.house.upscaler import FACTOR  # noqa: E402
from training import upscaler  # noqa: E402
from training.upscaler import Pairs, crops, draw_facts, made_small, render_pairs  # noqa: E402
from training.world import is_held  # noqa: E402

pytestmark = pytest.mark.models


def test_facts_are_the_same_each_time_and_none_is_held_out() -> None:
    facts = draw_facts(30, 10, 2)
    assert facts == draw_facts(30, 10, 2)
    assert [row["subject"] for row in facts] == ["set"] * 30 + ["people"] * 10
    assert not any(is_held(row) for row in facts)


def test_crops_of_both_sizes_show_the_same_place() -> None:
    rng = np.random.default_rng(0)
    large = rng.integers(0, 256, (3, 512, 512, 3), dtype=np.uint8)
    small = (made_small(large).movedim(1, 3).numpy() * 127.5 + 127.5).round().astype(np.uint8)
    pairs = Pairs(large, np.stack([small, small]))
    for step in range(4):
        one, four = crops(pairs, 6, 16, np.random.default_rng([0, step]))
        assert one.shape == (6, 3, 16, 16)
        assert four.shape == (6, 3, 64, 64)
        assert (torch.nn.functional.avg_pool2d(four, FACTOR) - one).abs().max() < 1.1 / 127.5


class Inline:
    """Runs at once what a pool of processes would run."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, call: Any, *given: Any) -> Any:
        from concurrent.futures import Future

        done: Any = Future()
        done.set_result(call(*given))
        return done


def test_rendering_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def render(row: dict[str, Any], width: int, height: int) -> Any:
        drawn.append(row["seed"])
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return np.full((height, width, 3), row["seed"], np.uint8)

    monkeypatch.setattr(upscaler, "ProcessPoolExecutor", Inline)
    monkeypatch.setattr(upscaler, "render", render)
    monkeypatch.setattr(upscaler, "_LARGE", 8)
    monkeypatch.setattr(upscaler, "_CHUNK", 2)

    class Silence:
        def step(self, share: float, text: str = "") -> None: ...

    facts: Any = [{"seed": seed} for seed in range(5)]
    silence: Any = Silence()
    with pytest.raises(KeyboardInterrupt):
        render_pairs(facts, tmp_path, 1, silence)
    render_pairs(facts, tmp_path, 1, silence)
    assert drawn == [0, 1, 2, 2, 3, 4]
    assert np.load(tmp_path / "large.npy")[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    render_pairs(facts, tmp_path, 1, silence)
    assert len(drawn) == 6
