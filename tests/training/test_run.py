"""The stages of a run: in order, two of them at the same time, and none twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.models
pytest.importorskip("torch")

from training import __main__ as runner  # noqa: E402
from training.progress import Progress  # noqa: E402


def _noted(name: str) -> Any:
    def stage(config: Mapping[str, Any], out: Path, report: Progress) -> None:
        with (out / "order").open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")

    return stage


class Here:
    """A pool that does everything at once, in this process."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.jobs: list[Any] = []

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def submit(self, work: Any, *given: Any) -> Any:
        from concurrent.futures import Future

        done: Future[None] = Future()
        done.set_result(work(*given))
        return done


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(runner, "STAGES", {name: _noted(name) for name in runner.STAGES})
    monkeypatch.setattr(runner, "ProcessPoolExecutor", Here)
    monkeypatch.setattr("training.assemble.install", lambda *_: None)
    monkeypatch.setattr("training.evaluate.main", lambda *_: 0)
    return tmp_path


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_stage_is_done_once_after_what_it_needs(out: Path, monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setattr(runner, "_device", lambda: device)
    runner.run({}, out)
    order = (out / "order").read_text("utf-8").split()
    assert sorted(order) == sorted(runner.STAGES)
    for first, then in (("pictures", "autoencoder"), ("autoencoder", "denoiser"), ("clip", "denoiser"),
                        ("probe", "denoiser"), ("autoencoder", "decoder"), ("decoder", "upscaler")):  # fmt: skip
        assert order.index(first) < order.index(then)
    runner.run({}, out)
    assert (out / "order").read_text("utf-8").split() == order


def test_what_is_finished_is_not_done_again_unless_asked_for(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_device", lambda: "cpu")
    runner.run({}, out, only="clip")
    runner.run({}, out, only="clip")
    assert (out / "order").read_text("utf-8").split() == ["clip", "clip"]
    runner.run({}, out)
    order = (out / "order").read_text("utf-8").split()
    assert order.count("clip") == 2
    assert order.count("probe") == 1
