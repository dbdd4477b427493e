"""Commands that show: serve the dashboard, run the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from proofsheet.cli.making import Json
from proofsheet.cli.session import session


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (serve, demo):
        app.command()(command)


def serve(
    port: Annotated[int, typer.Option(help="The port; the next free one when it is taken.", min=1, max=65535)] = 8501,
    address: Annotated[str, typer.Option(help="The network name to listen on.")] = "localhost",
    open_browser: Annotated[bool, typer.Option("--open", help="Open a browser.")] = False,
) -> None:
    """Serve the dashboard over this warehouse; reachable from this machine only, unless told otherwise."""
    import subprocess

    from dashboard.server import free_port, serve_command, serve_environment

    home = session.house().settings.home
    chosen = free_port(port)
    if chosen != port:
        session.say(f"Port {port} is taken; using {chosen}.")
    session.say(f"Dashboard: http://{address}:{chosen}  (stop it with Ctrl-C)")
    command = serve_command(chosen, home, headless=not open_browser, address=address)
    server = subprocess.Popen(command, env=serve_environment(home))
    try:
        code = server.wait()
    except KeyboardInterrupt:
        server.terminate()
        server.wait()
        code = 0
    raise typer.Exit(code)


def demo(
    brief: Annotated[Path, typer.Option(help="The example's brief.")] = Path("examples/norda/brief.toml"),
    out: Annotated[Path, typer.Option(help="Where the export goes.")] = Path("demo/exports"),
    seed: Annotated[int, typer.Option(help="Of the simulated traffic.")] = 11,
    json: Json = False,
) -> None:
    """Run the whole loop on the example campaign, with simulated traffic."""
    from proofsheet.cli.show_demo import show_step, show_truth
    from proofsheet.workflows.demo import demo as verb

    house = session.house()
    with session.progress() as progress:
        done = verb(house, brief, out, seed=seed, progress=progress, step=None if json else show_step)
    if json:
        session.answer(done)
    else:
        show_truth(done)
