"""Makes the house models: ``python -m training run`` does everything, ``python -m training evaluate`` only judges.

A run goes on where an earlier one was interrupted. Finished stages are kept: remove a stage's folder to do it anew.
"""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from proofsheet.errors import ProofsheetError
from training.progress import Progress

_HERE = Path(__file__).parent
_WEIGHTS = _HERE.parent

Stage = Callable[[Mapping[str, Any], Path, Progress], None]


def _pictures(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.dataset import render_data

    render_data(config, out, report)


def _autoencoder(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.autoencoder import train_autoencoder
    from training.dataset import Data

    train_autoencoder(config, Data(out / "data"), out, report)


def _decoder(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.autoencoder import polish_decoder
    from training.dataset import Data

    polish_decoder(config, Data(out / "data"), out, report)


def _clip(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.clip import train_clip
    from training.dataset import Data

    train_clip(config, Data(out / "data"), out, report)


def _probe(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.dataset import Data
    from training.probe import train_probe

    train_probe(config, Data(out / "data"), out, report)


def _upscaler(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.dataset import Data
    from training.upscaler import train_upscaler

    train_upscaler(config, Data(out / "data"), out, report)


def _denoiser(config: Mapping[str, Any], out: Path, report: Progress) -> None:
    from training.dataset import Data
    from training.denoiser import train_denoiser

    train_denoiser(config, Data(out / "data"), out, report)


#: In this order: each needs what those before it have made.
STAGES: Mapping[str, Stage] = {
    "pictures": _pictures,
    "autoencoder": _autoencoder,
    "clip": _clip,
    "probe": _probe,
    "denoiser": _denoiser,
    "decoder": _decoder,
    "upscaler": _upscaler,
}


#: Stages that keep to one core each, and so are done at the same time where there is no GPU.
_TOGETHER = ("clip", "probe")


def _do(name: str, config: Mapping[str, Any], out: Path, report: Progress | None) -> None:
    """One stage, marked as finished; without a report nothing is said."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        STAGES[name](config, out, report or Progress(name, nowhere))
    _mark(out, name).parent.mkdir(parents=True, exist_ok=True)
    _mark(out, name).touch()


def _mark(out: Path, name: str) -> Path:
    return out / name / "finished"


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
    left = [name for name in STAGES if only in ("", name) and (only or not _mark(out, name).is_file())]
    while left:
        together = [name for name in left if name in _TOGETHER] if left[0] in _TOGETHER else left[:1]
        left = [name for name in left if name not in together]
        if len(together) == 1 or _device() != "cpu":
            for name in together:
                _do(name, config, out, Progress(name))
            continue
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            beside = [pool.submit(_do, name, config, out, None) for name in together[1:]]
            _do(together[0], config, out, Progress(f"{together[0]} (and {', '.join(together[1:])})"))
            for job in beside:
                job.result()
    if not only:
        from training.assemble import install
        from training.evaluate import main as judge

        install(out, _WEIGHTS)
        judge(["--out", str(out)])


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
