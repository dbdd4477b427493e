"""How the dashboard is started: the command and the environment for a Streamlit server of this folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

#: The script that Streamlit runs; its look stands beside it in ``.streamlit/config.toml``.
SCRIPT = Path(__file__).resolve().parent / "app.py"

#: What holds even where a configuration of the user's own says otherwise.
OPTIONS: Mapping[str, str] = {
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "server.maxUploadSize": "50",
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": "false",
    "server.enableStaticServing": "true",
}

#: Names under which a server for this machine alone may be asked: a page from elsewhere cannot pretend to be it.
#: The variable lets another name in, such as that of a sign-in in front of the server.
LOCAL = ("localhost", "127.0.0.1")
HOSTS_VARIABLE = "STREAMLIT_SERVER_ALLOWED_HOSTS"


def serve_command(port: int, home: Path, headless: bool, address: str = "localhost") -> list[str]:
    """The command that serves the dashboard; run it with ``serve_environment(home)``.

    Args:
        port: the port to listen on.
        home: the folder of the warehouse; it goes into the environment, see ``serve_environment``.
        headless: whether to leave the browser closed.
        address: the network name to listen on; the default is reachable from this machine only.
    """
    command = [sys.executable, "-m", "streamlit", "run", str(SCRIPT)]
    options = {
        **OPTIONS,
        "server.port": str(port),
        "server.address": address,
        "server.headless": "true" if headless else "false",
    }
    hosts = LOCAL if address in LOCAL and HOSTS_VARIABLE not in os.environ else ()
    return [
        *command,
        *(f"--{name}={value}" for name, value in options.items()),
        *(f"--server.allowedHosts={host}" for host in hosts),
    ]


def serve_environment(home: Path) -> dict[str, str]:
    """The present environment with the warehouse's folder in it, absolute."""
    return {**os.environ, "PROOFSHEET_HOME": str(home.resolve())}
