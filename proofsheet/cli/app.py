"""The command-line program: the commands, and how an error is shown."""

from __future__ import annotations

import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from proofsheet import __version__
from proofsheet.cli import covering, making, measuring, serving
from proofsheet.cli.session import session
from proofsheet.errors import ProofsheetError

HELP = """A/B testing for ad creatives: from one brief to a decision.

The way through: plan → generate → score → review → launch → export → ingest → analyze → decide. See it all: demo.
"""

#: The exit status of a program stopped by Ctrl-C.
STOPPED = 130

app = typer.Typer(
    name="proofsheet",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"proofsheet {__version__}")
        raise typer.Exit


@app.callback()
def options(
    home: Annotated[
        Path | None,
        typer.Option(help="Folder of the warehouse. [default: .proofsheet, or PROOFSHEET_HOME]", file_okay=False),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Options of every command."""
    session.home = home


for register in (making.register, covering.register, measuring.register, serving.register):
    register(app)


def main() -> None:
    """Run the program; a problem is shown in words with its remedy, never as a traceback."""
    session.as_json = False
    try:
        code = app(standalone_mode=False)
    except ProofsheetError as error:
        session.show_error(error.message, error.hint)
        raise SystemExit(error.exit_code) from None
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except Exception as error:  # the last resort, so that nobody is shown a traceback
        if not _interrupted(error):
            _unexpected(error)
        code = STOPPED
    if code == STOPPED:
        session.show_error("Stopped.", "What is finished is kept; run the same command again to go on.")
    raise SystemExit(code if isinstance(code, int) else 0)


def _interrupted(error: BaseException) -> bool:
    """Whether a library turned Ctrl-C into an error of its own, as DuckDB does in the middle of a query."""
    while True:
        if isinstance(error, KeyboardInterrupt) or (type(error) is RuntimeError and str(error) == "Query interrupted"):
            return True
        cause = error.__cause__ or error.__context__
        if cause is None:
            return False
        error = cause


def _unexpected(error: Exception) -> None:
    show = getattr(error, "show", None)
    if callable(show):  # a usage error, in typer's own words
        show()
        raise SystemExit(int(getattr(error, "exit_code", 2))) from None
    log = Path(session.home or os.environ.get("PROOFSHEET_HOME", ".proofsheet")) / "errors.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {' '.join(sys.argv)}\n{traceback.format_exc()}\n")
        hint = f"The details are in {log}; please report them."
    except OSError:
        hint = "The details could not be written; please report the command you ran."
    session.show_error(f"Something unexpected happened ({type(error).__name__}: {error}).", hint)
    raise SystemExit(70) from None
