"""Importing a room, or asking for help, must not load what only some commands need."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "diffusers", "open_clip", "transformers", "ray", "pyspark", "streamlit")
#: Classes of the house models: modules of torch themselves, loaded by name when a model is.
_FILES = ("autoencoder", "blocks", "lookup", "packing", "sketch", "text", "transformer", "upscaler")
NETWORKS = tuple(f"generation.house.{name}" for name in _FILES)
ROOMS = ("proofsheet", "generation", "scoring", "experiments", "warehouse", "dashboard")


def loaded_after(code: str) -> set[str]:
    """The top-level modules loaded once the code has run in a fresh interpreter."""
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("room", ROOMS)
def test_importing_every_module_of_a_room_loads_nothing_heavy(room: str) -> None:
    code = (
        f"import importlib, pkgutil, {room}\n"
        f"for found in pkgutil.walk_packages({room}.__path__, '{room}.'):\n"
        f"    if not found.name.startswith(('dashboard.views', 'dashboard.app', *{NETWORKS})):\n"
        "        importlib.import_module(found.name)"
    )
    heavy = loaded_after(code) & set(HEAVY)
    # The dashboard is Streamlit's: its modules may load it; nothing else may.
    assert heavy - ({"streamlit"} if room == "dashboard" else set()) == set()


def test_help_loads_no_library_of_the_rooms() -> None:
    code = (
        "import sys; sys.argv = ['proofsheet', '--help']\n"
        "from proofsheet.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    slow = {"numpy", "pandas", "scipy", "duckdb", "pyarrow", "plotly", "PIL", "pydantic", *HEAVY}
    assert loaded_after(code) & slow == set()


def test_analysis_of_a_file_loads_no_torch_and_no_streamlit() -> None:
    assert (
        loaded_after("import proofsheet.workflows.analyze, warehouse.tables, experiments.comparing.analysis")
        & set(HEAVY)
        == set()
    )
