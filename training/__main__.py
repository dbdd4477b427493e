"""Makes the house models: ``python -m training run`` does everything, ``python -m training evaluate`` only judges.

A run goes on where an earlier one was interrupted. Finished stages are kept: remove a stage's folder to do it anew.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from proofsheet.errors import ProofsheetError
from training.progress import Progress, Together

_HERE = Path(__file__).parent
_WEIGHTS = _HERE.parent

Work = Callable[[Mapping[str, Any], Path, Progress], None]


def _pictures(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.dataset import render_data

    render_data(config, out, report)


def _words(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.clip import train_words
    from training.dataset import Data

    train_words(config, Data(out / "data"), out, report)


def _autoencoder(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.autoencoder import train_autoencoder
    from training.dataset import Data

    train_autoencoder(config, Data(out / "data"), out, report)


def _probe(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.dataset import Data
    from training.probe import train_probe

    train_probe(config, Data(out / "data"), out, report)


def _sketch(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.dataset import Data
    from training.denoiser import train_sketch

    train_sketch(config, Data(out / "data"), out, report)


def _clip(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.clip import train_clip
    from training.dataset import Data

    train_clip(config, Data(out / "data"), out, report)


def _decoder(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.autoencoder import polish_decoder
    from training.dataset import Data

    polish_decoder(config, Data(out / "data"), out, report)


def _upscaler(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.dataset import Data
    from training.upscaler import train_upscaler

    train_upscaler(config, Data(out / "data"), out, report)


def _denoiser(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.dataset import Data
    from training.denoiser import train_denoiser

    train_denoiser(config, Data(out / "data"), out, report)


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run.

    Args:
        work: does it.
        needs: stages whose results it reads.
        alone: whether it takes the whole machine; the others keep to one core.
    """

    work: Work
    needs: tuple[str, ...] = ()
    alone: bool = False


#: Begun in this order, as soon as what each needs is there.
STAGES: Mapping[str, Stage] = {
    "pictures": Stage(_pictures, alone=True),
    "words": Stage(_words, ("pictures",)),
    "autoencoder": Stage(_autoencoder, ("pictures",)),
    "probe": Stage(_probe, ("pictures",)),
    "sketch": Stage(_sketch, ("autoencoder", "words")),
    "clip": Stage(_clip, ("words",)),
    "decoder": Stage(_decoder, ("sketch",)),  # the sketch's latents come first: no other stage waits for the decoder
    "upscaler": Stage(_upscaler, ("decoder",)),
    "denoiser": Stage(_denoiser, ("sketch", "decoder"), alone=True),
}
_LANES = 2  # stages at the same time, where there is no GPU


def _do(name: str, config: Mapping[str, Any], out: Path, report: Progress) -> None:
    """One stage, marked as finished."""
    STAGES[name].work(config, out, report)
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


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    runner = commands.add_parser("run", help="render, train, install the weights, judge them, write their cards")
    runner.add_argument("--config", type=Path, default=_HERE / "config.toml")
    runner.add_argument("--out", type=Path, default=_HERE / "runs" / "house")
    runner.add_argument("--only", choices=tuple(STAGES), default="", help="do this one stage")
    commands.add_parser("evaluate", help="judge the weights that are there", add_help=False)
    given, rest = parser.parse_known_args(arguments)
    try:
        if given.command == "evaluate":
            from training.evaluate import main as judge

            return int(judge(rest) or 0)
        if rest:
            parser.error(f"not understood: {' '.join(rest)}")
        with given.config.open("rb") as file:
            run(tomllib.load(file), given.out, given.only)
    except ProofsheetError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; run it again to go on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
