"""Commands that show: serve the dashboard, run the demo, list the models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from proofsheet.cli.making import Json
from proofsheet.cli.session import session


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (serve, demo, models):
        app.command()(command)


def serve(
    port: Annotated[int, typer.Option(help="The port; the next free one when it is taken.", min=1, max=65535)] = 8501,
    address: Annotated[str, typer.Option(help="The network name to listen on.")] = "localhost",
    open_browser: Annotated[bool, typer.Option("--open", help="Open a browser.")] = False,
) -> None:
    """Serve the dashboard over this warehouse; reachable from this machine only, unless told otherwise."""
    import os
    import sys

    from dashboard.server import serve_command, serve_environment

    home = session.house().settings.home
    chosen = free_port(port, address)
    if chosen != port:
        session.say(f"Port {port} is taken; using {chosen}.")
    session.say(f"Dashboard: http://{address}:{chosen}  (stop it with Ctrl-C)")
    sys.stdout.flush()
    command = serve_command(chosen, home, headless=not open_browser, address=address)
    # The server takes this process's place, so that whoever stops the one stops the other.
    os.execve(command[0], command, serve_environment(home))


def demo(
    brief: Annotated[Path, typer.Option(help="The example's brief.")] = Path("examples/norda/brief.toml"),
    out: Annotated[Path, typer.Option(help="Where the export goes.")] = Path("demo/exports"),
    seed: Annotated[int, typer.Option(help="Of the simulated traffic.")] = 1,
    backend: Annotated[str, typer.Option(help="What draws the scenes; as for plan.")] = "",
    json: Json = False,
) -> None:
    """Run the whole loop on the example campaign, with simulated traffic."""
    from proofsheet.cli.show_demo import show_step, show_truth
    from proofsheet.workflows.demo import demo as verb

    house = session.house()
    with session.progress() as progress:
        shown = None if json else show_step
        done = verb(house, brief, out, seed=seed, backend=backend, progress=progress, step=shown)
    if json:
        session.answer(done)
    else:
        show_truth(done)


def models(
    words: Annotated[bool, typer.Option("--words", help="List the words that the house model knows.")] = False,
    json: Json = False,
) -> None:
    """List the models that draw and judge: licence, commercial use, size, settings, and where their weights are."""
    from proofsheet.cli.show_making import show_models, show_words
    from proofsheet.settings import load_settings
    from proofsheet.workflows.models import house_words
    from proofsheet.workflows.models import models as verb

    if words:
        known = house_words()
        session.answer(list(known)) if json else show_words(known)
        return
    listed = verb(load_settings(home=session.home))
    if json:
        session.answer(list(listed))
    else:
        show_models(listed)


def free_port(wanted: int, address: str) -> int:
    """The wanted port, or the first free one after it.

    Raises:
        InputError: the address is not this machine's, or no port is free.
    """
    import errno
    import socket

    from proofsheet.errors import InputError

    for port in range(wanted, min(wanted + 50, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno in (errno.EADDRINUSE, errno.EACCES):
                    continue
                raise InputError(f"--address is {address!r}: {error.strerror}.", "Use localhost or 0.0.0.0.") from error
            return port
    raise InputError(f"No port from {wanted} on is free.", "Choose another one with --port.")
