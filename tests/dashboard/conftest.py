"""A real warehouse filled with nouns by hand: no other room is needed to look at the pages."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.server import SCRIPT
from proofsheet.domain.asset import Asset
from proofsheet.domain.experiment import Experiment, ExperimentStatus
from warehouse.store import Warehouse

from .campaign_nouns import START, fill_campaign, make_campaign
from .experiment_nouns import approve, fill_report, make_analysis, make_experiment


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a warehouse that nobody has written to, told to the settings."""
    folder = tmp_path / "home"
    monkeypatch.setenv("PROOFSHEET_HOME", str(folder))
    monkeypatch.setenv("PROOFSHEET_USER", "mia")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def store(home: Path) -> Warehouse:
    """The empty warehouse."""
    return Warehouse(home)


@pytest.fixture
def planned(store: Warehouse, tmp_path: Path) -> Warehouse:
    """A warehouse with a campaign that has no pictures yet."""
    with store.write() as writer:
        writer.save_campaign(make_campaign(tmp_path))
    return store


@pytest.fixture(scope="session")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Asset, ...]]:
    """The home of ``filled``, made once; tests get copies."""
    folder = tmp_path_factory.mktemp("filled")
    return folder / "home", fill_campaign(Warehouse(folder / "home"), folder)


@pytest.fixture(scope="session")
def tested_once(
    filled_once: tuple[Path, tuple[Asset, ...]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Experiment]:
    """The home of ``tested``, made once; tests get copies."""
    folder = tmp_path_factory.mktemp("tested")
    store = Warehouse(shutil.copytree(filled_once[0], folder / "home"))
    assets = filled_once[1]
    approve(store, assets[:1] + assets[3:])
    running = replace(make_experiment(assets), status=ExperimentStatus.RUNNING, started_at=START)
    with store.write() as writer:
        writer.save_experiment(running)
    fill_report(store, folder, running)
    with store.write() as writer:
        writer.save_analysis(make_analysis(running, 50_000))
    return store.home, running


@pytest.fixture
def filled(home: Path, filled_once: tuple[Path, tuple[Asset, ...]]) -> tuple[Warehouse, tuple[Asset, ...]]:
    """A warehouse with one campaign that nobody has reviewed."""
    return Warehouse(shutil.copytree(filled_once[0], home)), filled_once[1]


@pytest.fixture
def tested(home: Path, tested_once: tuple[Path, Experiment]) -> tuple[Warehouse, Experiment]:
    """A warehouse with everything: approved assets, a running test past its size, a report and an analysis."""
    return Warehouse(shutil.copytree(tested_once[0], home)), tested_once[1]


@pytest.fixture
def open_page(home: Path) -> Callable[..., AppTest]:
    """Opens a page of the app by its address and parameters."""

    def opened(name: str = "home", **query: str) -> AppTest:
        app = AppTest.from_file(str(SCRIPT), default_timeout=120)
        if name != "home":
            app.run()
            app._page_hash = next(h for h, i in app._registered_pages.items() if i.get("url_pathname") == name)
            app.query_params.clear()
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return opened
