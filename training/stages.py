"""The stages of a run: what each needs, and how they are done, two at a time where they keep to one core.

They stand apart from the command line: what a process beside this one is to do must be importable there.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from training.progress import Progress, Together

_WEIGHTS = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run.

    Args:
        work: the function that does it, as ``module:name``; called with the config, the data, the run's folder and the
            report.
        needs: stages whose results it reads.
        alone: whether it takes the whole machine; the others keep to one core.
    """

    work: str
    needs: tuple[str, ...] = ()
    alone: bool = False


#: Begun in this order, as soon as what each needs is there.
STAGES: Mapping[str, Stage] = {
    "pictures": Stage("training.dataset:render_data", alone=True),
    "words": Stage("training.clip:train_words", ("pictures",)),
    "autoencoder": Stage("training.autoencoder:train_autoencoder", ("pictures",)),
    "probe": Stage("training.probe:train_probe", ("pictures",)),
    "sketch": Stage("training.sketching:train_sketch", ("autoencoder", "words")),
    "clip": Stage("training.clip:train_clip", ("words",)),
    # After the sketch, which others wait for; nothing but the enlarger waits for this.
    "decoder": Stage("training.autoencoder:polish_decoder", ("sketch",)),
    "upscaler": Stage("training.upscaler:train_upscaler", ("decoder",)),
    "denoiser": Stage("training.denoiser:train_denoiser", ("sketch", "decoder"), alone=True),
    "sampling": Stage("training.sampling:find_sampling", ("denoiser", "probe", "clip"), alone=True),
}
_LANES = 2  # stages at the same time, where there is no GPU


def _do(name: str, config: Mapping[str, Any], out: Path, report: Progress) -> None:
    """One stage, marked as finished."""
    from training.dataset import Data

    module, _, work = STAGES[name].work.partition(":")
    getattr(import_module(module), work)(config, Data(out / "data"), out, report)
    _mark(out, name).parent.mkdir(parents=True, exist_ok=True)
    _mark(out, name).touch()


def _do_beside(name: str, config: Mapping[str, Any], out: Path) -> None:
    """One stage in a process of its own; how far it is stands in the last line of ``out/logs/<name>.log``."""
    with _log(out, name).open("a", encoding="utf-8") as log:
        _do(name, config, out, Progress(name, log, pause=2.0))


def _mark(out: Path, name: str) -> Path:
    return out / name / "finished"


def _log(out: Path, name: str) -> Path:
    return out / "logs" / f"{name}.log"


def _device() -> str:
    """Where the stages train: ``"cuda"`` or ``"cpu"``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def run(config: Mapping[str, Any], out: Path, only: str = "") -> None:
    """Do the stages that are not finished, or one of them.

    Args:
        config: the tables of ``config.toml``.
        out: the run's folder.
        only: the name of one stage; "" does all, then installs the weights, judges them and writes their cards.
    """
    if only:
        _do(only, config, out, Progress(only))
        return
    left = [name for name in STAGES if not _mark(out, name).is_file()]
    lanes = _LANES if _device() == "cpu" else 1
    while left:
        done = set(STAGES) - set(left)
        ready = [name for name in left if done.issuperset(STAGES[name].needs)]
        if lanes == 1 or STAGES[ready[0]].alone:
            _do(ready[0], config, out, Progress(ready[0]))
            left.remove(ready[0])
            continue
        _side_by_side(left, config, out, lanes)
    from training.assemble import install
    from training.evaluate import main as judge

    install(out, _WEIGHTS)
    judge(["--out", str(out)])


def _side_by_side(left: list[str], config: Mapping[str, Any], out: Path, lanes: int) -> None:
    """Do the stages that are ready, so many at a time, until only such as need the whole machine are left."""
    _log(out, "").parent.mkdir(parents=True, exist_ok=True)
    going: dict[Future[None], str] = {}
    show = Together(out / "logs")
    with ProcessPoolExecutor(lanes, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        while True:
            done = set(STAGES) - set(left) - set(going.values())
            for name in [name for name in left if not STAGES[name].alone and name not in going.values()]:
                if len(going) < lanes and done.issuperset(STAGES[name].needs):
                    going[pool.submit(_do_beside, name, config, out)] = name
            if not going:
                return
            for job in wait(going, timeout=2.0, return_when=FIRST_COMPLETED).done:
                left.remove(going.pop(job))
                job.result()
            show.now(list(going.values()))
