"""The stages of a run: in order, two of them at the same time, and none twice."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.models
pytest.importorskip("torch")

from training import stages as runner  # noqa: E402
from training.progress import Progress, Together  # noqa: E402


def note(config: Mapping[str, Any], data: Any, out: Path, report: Progress) -> None:
    """Stands in for a stage's work."""
    with (out / "order").open("a", encoding="utf-8") as file:
        file.write(f"{report.stage}\n")


class Here:
    """A pool that does everything at once, in this process."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.jobs: list[Any] = []

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def submit(self, work: Any, *given: Any) -> Future[None]:
        done: Future[None] = Future()
        done.set_result(work(*given))
        return done


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stages = {name: replace(stage, work=f"{__name__}:note") for name, stage in runner.STAGES.items()}
    monkeypatch.setattr(runner, "STAGES", stages)
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
    for name, stage in runner.STAGES.items():
        assert all(order.index(needed) < order.index(name) for needed in stage.needs)
    if device == "cpu":
        assert order[-2:] == ["denoiser", "sampling"]  # what needs the whole machine waits for the others
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


def test_how_far_stages_are_that_run_beside_each_other_is_shown_in_one_line(tmp_path: Path) -> None:
    for name, share in (("words", 0.5), ("probe", 0.25)):
        with (tmp_path / f"{name}.log").open("w", encoding="utf-8") as log:
            Progress(name, log, pause=2.0).step(share, f"loss of {name}")
    shown = io.StringIO()
    Together(tmp_path, shown).now(["words", "probe", "clip"])
    assert shown.getvalue() == "words 50% --:-- left loss of words  |  probe 25% --:-- left loss of probe  |  clip\n"


@pytest.mark.slow
def test_a_process_beside_this_one_finds_its_work_and_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "finished").touch()
    command = [sys.executable, "-m", "training", "run", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, done.stderr
    assert "There are no rendered pictures for 'train'" in done.stderr
    assert "Traceback" not in done.stderr
    assert {file.name for file in (tmp_path / "logs").iterdir()} == {"words.log", "autoencoder.log"}
