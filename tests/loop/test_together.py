"""The dashboard open in a browser while ingest and analyze run on the command line: everybody succeeds."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.browser]

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def dashboard(loop_home: Path) -> Iterator[str]:
    """The address of a dashboard served over the home, by the program itself."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "proofsheet", "--home", str(loop_home), "serve", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://localhost:{port}"
    try:
        _wait_for(f"{address}/_stcore/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the dashboard stopped"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError("the dashboard did not answer within a minute")


@pytest.fixture
def loop_home(program: Callable[..., Any], small_brief: Path, tmp_path: Path) -> Path:
    """A home in which the demo ran on the small campaign."""
    home = tmp_path / "home"
    program("demo", "--brief", str(small_brief), "--out", str(tmp_path / "demo" / "exports"), home=home)
    return home


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine: install chromium to run this test")
def test_dashboard_ingest_and_analyze_work_at_the_same_time(
    dashboard: str, loop_home: Path, program: Callable[..., Any], tmp_path: Path
) -> None:
    from playwright.sync_api import sync_playwright

    reports = []
    for number in range(3):
        report = tmp_path / f"report{number}.csv"
        lines = ["Day,Campaign name,Ad set name,Ad name,Ad ID,Impressions,Link clicks,Clicks (all),Amount spent (EUR)"]
        lines += [f"2026-07-{day:02d},Other,Set,other{number},{number}77,1000,9,10,4.50" for day in range(1, 29)]
        report.write_text("\n".join(lines) + "\n", encoding="utf-8")
        reports.append(report)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(dashboard)
        page.get_by_text("Small campaign").first.wait_for(timeout=60_000)
        words = [*(["ingest", str(report)] for report in reports), ["analyze"], ["analyze"]]
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "proofsheet", "--home", str(loop_home), *one],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for one in words
        ]
        while any(one.poll() is None for one in running):
            page.reload()
            page.get_by_text("Small campaign").first.wait_for(timeout=60_000)
        for one, said in zip(running, words, strict=True):
            _, err = one.communicate()
            assert one.returncode == 0, f"{said}: {err}"
        assert page.get_by_test_id("stException").count() == 0
        assert page.get_by_test_id("stAlertContentError").count() == 0
        browser.close()
    imports = program("ingest", str(reports[0]), "--json", home=loop_home).json
    assert imports["already_imported"] is True
