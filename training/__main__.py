"""Makes the house models: ``python -m training run`` does everything, ``python -m training evaluate`` only judges.

A run goes on where an earlier one was interrupted. Finished stages are kept: remove a stage's folder to do it anew.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path

from proofsheet.errors import ProofsheetError
from training.stages import STAGES, run

_HERE = Path(__file__).parent


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
            from training.confusion import main as confuse
            from training.evaluate import main as judge

            return int(judge(rest) or 0) or confuse(rest)
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
