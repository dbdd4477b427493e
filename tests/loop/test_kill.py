"""SIGKILL at ten points of generate and of ingest, then run again: as if nothing had happened."""

from __future__ import annotations

import builtins
import multiprocessing
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from proofsheet.settings import load_settings
from proofsheet.workflows.house import open_house

pytestmark = pytest.mark.processes

#: Runs the program and kills it just before its n-th step that touches the disk: a SQL statement or a file moved
#: into place. With n = 0 it only counts them, into the file named.
DRIVER = """
import os, signal, sys
sys.stdout, sys.stderr = open(os.devnull, "w"), open(errors, "w")
os.environ["PROOFSHEET_USER"] = "tester"
from warehouse import engine
steps = 0

def step():
    global steps
    steps += 1
    if limit and steps >= limit:
        os.kill(os.getpid(), signal.SIGKILL)

def counted(function):
    def wrapper(*args, **kwargs):
        step()
        return function(*args, **kwargs)
    return wrapper

engine.Session.rows = counted(engine.Session.rows)
os.replace = counted(os.replace)
os.fsync = counted(os.fsync)
sys.argv = ["proofsheet", *words]
from proofsheet.cli import main
try:
    main()
finally:
    sys.stderr.flush()
    if counter != "-":
        open(counter, "w").write(str(steps))
"""

POINTS = 10

#: Every run is a process of its own, forked from one that has imported the program: forty cold starts take minutes.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "duckdb",
        "generation.backends.procedural",
        "generation.compose",
        "numpy",
        "proofsheet.cli",
        "proofsheet.workflows.generate",
        "proofsheet.workflows.ingest",
        "pyarrow",
        "warehouse.importers.meta",
        "warehouse.store",
    ]
)


def drive(limit: int, counter: str, home: Path, *words: str) -> int:
    """Run the program under the driver; the exit status is −9 when it was killed."""
    errors = home.parent / "errors.txt"
    given = {"limit": limit, "counter": counter, "errors": str(errors), "words": ["--home", str(home), *words]}
    run = PROCESSES.Process(target=builtins.exec, args=(DRIVER, given))
    run.start()
    run.join(240)
    if run.exitcode is None:
        run.kill()
    assert run.exitcode in (0, -signal.SIGKILL), errors.read_text()
    return run.exitcode


def state(home: Path) -> dict[str, Any]:
    """Everything that must be the same however often the program was killed: ids, bytes, what was paid for."""
    house = open_house(load_settings(home=home))
    with house.warehouse.read() as reader:
        assets = {asset.id: asset.sha256 for asset in reader.assets("small")}
        scenes = {key: scene.sha256 for key, scene in reader.scenes("small").items()}
        paid = sorted(entry.key for entry in reader.ledger("small"))
        imports = [(one.sha256, one.rows_in, one.loaded, one.set_aside, dict(one.totals)) for one in reader.imports()]
        totals = reader.delivery_totals()
    for sha256 in {*assets.values(), *scenes.values()}:
        assert house.warehouse.pictures.get(sha256)
    return {"assets": assets, "scenes": scenes, "paid": paid, "imports": imports, "totals": totals}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, small_brief: Path) -> Path:
    """A home with the small campaign planned."""
    home = tmp_path_factory.mktemp("planned") / "home"
    assert drive(0, "-", home, "plan", str(small_brief)) == 0
    return home


@pytest.fixture(scope="module")
def undisturbed(planned: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int, Path]:
    """The state after a run that nobody killed, how many steps it took, and its home."""
    folder = tmp_path_factory.mktemp("undisturbed")
    home = Path(shutil.copytree(planned, folder / "home"))
    assert drive(0, str(folder / "steps"), home, "generate") == 0
    return state(home), int((folder / "steps").read_text()), home


@pytest.mark.parametrize("point", range(POINTS))
def test_generate_killed_and_run_again_ends_as_if_undisturbed(
    point: int, planned: Path, undisturbed: tuple[dict[str, Any], int, Path], tmp_path: Path
) -> None:
    wanted, steps, _ = undisturbed
    home = Path(shutil.copytree(planned, tmp_path / "home"))
    limit = 1 + round((steps - 1) * (point + 0.5) / POINTS)
    assert drive(limit, "-", home, "generate") == -signal.SIGKILL
    before = state(home)
    assert len(before["paid"]) == len(before["assets"]) + len(before["scenes"])
    assert drive(0, "-", home, "generate") == 0
    assert state(home) == wanted
    assert len(wanted["paid"]) == len(set(wanted["paid"])) > 0


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 400 rows in the layout of a Meta export, two of them totals that are set aside."""
    path = tmp_path_factory.mktemp("report") / "report.csv"
    lines = ["Day,Campaign name,Ad set name,Ad name,Ad ID,Impressions,Link clicks,Clicks (all),Amount spent (EUR)"]
    for number in range(400):
        day = f"2026-06-{1 + number % 28:02d}"
        ad = f"small_display_300x250_column_en-us_{number % 7:08x}"
        lines.append(
            f"{day},Small,Set,{ad}-{number},{1000 + number},{100 + number},{number % 9},{number % 9},{number}.25"
        )
    lines.append(",,,,,123456,99,99,9999.00")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ingested(
    undisturbed: tuple[dict[str, Any], int, Path], report: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], int]:
    """The state after an undisturbed ingest, and how many steps it took."""
    folder = tmp_path_factory.mktemp("ingested")
    home = Path(shutil.copytree(undisturbed[2], folder / "home"))
    assert drive(0, str(folder / "steps"), home, "ingest", str(report)) == 0
    return state(home), int((folder / "steps").read_text())


@pytest.mark.parametrize("point", range(POINTS))
def test_ingest_killed_and_run_again_ends_as_if_undisturbed(
    point: int,
    undisturbed: tuple[dict[str, Any], int, Path],
    ingested: tuple[dict[str, Any], int],
    report: Path,
    tmp_path: Path,
) -> None:
    wanted, steps = ingested
    assert wanted["imports"][0][1] == 401
    home = Path(shutil.copytree(undisturbed[2], tmp_path / "home"))
    limit = 1 + round((steps - 1) * (point + 0.5) / POINTS)
    assert drive(limit, "-", home, "ingest", str(report)) == -signal.SIGKILL
    assert len(state(home)["imports"]) <= 1
    assert drive(0, "-", home, "ingest", str(report)) == 0
    assert state(home) == wanted
