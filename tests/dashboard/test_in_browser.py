"""The dashboard as people meet it: a real server, a real Chromium, every page, and a click that is kept."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.navigation import ENTRIES
from dashboard.server import serve_command, serve_environment
from proofsheet.domain.assessment import Judgement
from proofsheet.domain.experiment import Experiment, ExperimentStatus
from warehouse.store import Warehouse

from .campaign_nouns import fill_campaign

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]
Tested = tuple[Warehouse, Experiment]


@pytest.fixture
def address(tested: Tested, tmp_path: Path) -> Iterator[str]:
    """A server of the filled warehouse as `proofsheet serve` starts it."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    home = tested[0].home
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            serve_command(port, home, headless=True), env=serve_environment(home), stdout=log, stderr=log
        )
    try:
        _wait(f"http://localhost:{port}/_stcore/health", server)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(20)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        assert server.poll() is None, "the server stopped"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the server did not answer within 90 s")


@pytest.fixture
def browser() -> Iterator[playwright.Browser]:
    """A Chromium without a window."""
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield found
        found.close()


#: Whether the first two pictures of the sheet stand beside each other; asked until the page has stopped moving.
TWO_A_ROW = """() => {
    const all = [...document.querySelectorAll('[data-testid=stMain] button')];
    const [first, second] = all.filter(b => b.innerText.trim().endsWith('Open')).map(b => b.getBoundingClientRect());
    return second && Math.abs(first.y - second.y) < 40 && second.x > first.x;
}"""


def settle(page: playwright.Page) -> None:
    """Wait until the script has run, its title stands and its pictures are there."""
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') === 'notRunning'",
        timeout=60_000,
    )
    page.wait_for_function("[...document.images].every(image => image.complete)", timeout=60_000)


def test_every_page_stands_on_desk_and_phone_and_asks_nobody_else(address: str, browser: playwright.Browser) -> None:
    for width in (1280, 390):
        context = browser.new_context(viewport={"width": width, "height": 860})
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request, seen=asked: seen.append(request.url))
        for entry in ENTRIES:
            page.goto(f"{address}/{'' if entry.name == 'home' else entry.name}")
            settle(page)
            boxes = page.locator("[data-testid=stException], [data-testid=stAlertContentError]")
            assert boxes.count() == 0, f"{entry.name}: {boxes.all_inner_texts()}"
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{entry.name} overflows"
            if entry.name == "sheet":
                page.wait_for_function(TWO_A_ROW, timeout=30_000)  # on a phone too
        strangers = {url for url in asked if not re.match(r"(https?|wss?)://localhost|data:|blob:", url)}
        assert strangers == set()
        context.close()


def test_a_judgement_by_click_and_one_by_key_are_kept(
    address: str, browser: playwright.Browser, tested: Tested
) -> None:
    store, _ = tested
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/review")
    settle(page)
    assert "7 of 9 reviewed" in page.inner_text("[data-testid=stProgress]")
    page.get_by_label("In your own words").fill("looked at it twice")
    page.get_by_label("In your own words").press("Enter")
    settle(page)
    page.get_by_role("button", name="Approve").first.click()
    page.get_by_text("8 of 9 reviewed").wait_for(timeout=30_000)
    settle(page)
    page.get_by_label("In your own words").fill("the headline is too pale")
    page.get_by_label("In your own words").press("Enter")
    settle(page)
    page.locator("h1").click()
    page.keyboard.press("x")
    page.get_by_text("9 of 9 reviewed").wait_for(timeout=30_000)
    with store.read() as reader:
        last = reader.reviews("tea")[-2:]
    assert [(one.judgement, one.reason, one.reviewer) for one in last] == [
        (Judgement.APPROVE, "looked at it twice", "mia"),
        (Judgement.REJECT, "the headline is too pale", "mia"),
    ]


def test_a_link_to_a_filtered_sheet_shows_that_sheet(address: str, browser: playwright.Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/sheet?placement=Meta+story&scene=Arch")
    settle(page)
    page.get_by_text("2 shown of 9 assets").wait_for(timeout=30_000)
    page.locator("[data-testid=stMain]").get_by_role("button", name=re.compile("Open$")).first.click()
    page.get_by_role("heading", name="slow · arch", exact=True).wait_for(timeout=30_000)
    assert "asset=" in page.url
    assert "placement=Meta" in page.url, "the filter stays in the address"
    page.get_by_role("button", name=re.compile("^Contact sheet")).click()
    page.get_by_text("2 shown of 9 assets").wait_for(timeout=30_000)


def test_a_test_is_launched_and_ended_after_a_second_look_only(
    address: str, browser: playwright.Browser, tested: Tested
) -> None:
    store, _ = tested
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/experiment?experiment=new")
    settle(page)
    page.get_by_label("Name", exact=True).fill("Four teas")
    page.get_by_label("Name", exact=True).press("Enter")
    settle(page)
    page.get_by_role("button", name="Launch…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("are frozen").wait_for(timeout=30_000)
    with store.read() as reader:
        assert len(reader.experiments("tea")) == 1, "the first click launches nothing"
    dialog.get_by_role("button", name="Launch now").click()
    page.get_by_role("heading", name="Four teas").wait_for(timeout=30_000)
    with store.read() as reader:
        launched = reader.experiments("tea")[-1]
    assert (launched.name, launched.status) == ("Four teas", ExperimentStatus.RUNNING)
    page.get_by_role("button", name="End the test…").click()
    page.get_by_role("dialog").get_by_role("button", name="End it now").click()
    page.locator("[data-testid=stMain]").get_by_text("Ended, to decide").wait_for(timeout=30_000)
    with store.read() as reader:
        assert reader.experiment(launched.id).status is ExperimentStatus.ENDED


def test_a_report_ingested_on_the_command_line_shows_on_the_page_that_stands_open(
    address: str, browser: playwright.Browser, tested: Tested, tmp_path: Path
) -> None:
    store, experiment = tested
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/imports")
    settle(page)
    report = tmp_path / "second.csv"
    report.write_text(
        "Day,Campaign name,Ad name,Impressions,Link clicks,Amount spent (EUR),Results\n"
        f"2026-06-20,Tea,tea_{experiment.arms[1].variant_id},1000,12,3.50,2\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "proofsheet", "--home", str(store.home), "ingest", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    page.get_by_role("link", name="Home").click()
    page.get_by_role("link", name="Imports").first.click()
    page.get_by_role("heading", name="second.csv").wait_for(timeout=30_000)


def test_another_campaign_by_link_and_by_hand(
    address: str, browser: playwright.Browser, tested: Tested, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    fill_campaign(tested[0], tmp_path / "second", slug="water")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    settle(page)
    cards = page.locator("[data-testid=stMain]").get_by_role("link", name="Contact sheet")
    cards.nth(1).click()
    page.get_by_role("heading", name="Contact sheet").wait_for(timeout=30_000)
    page.get_by_text("9 waiting for review").wait_for(timeout=30_000)
    assert "campaign=water" in page.url
    choice = page.get_by_role("combobox", name="Campaign")
    assert choice.input_value() == "water"
    choice.click()
    page.get_by_role("option", name="tea").click()
    page.get_by_text("2 waiting for review").wait_for(timeout=30_000)
    assert "campaign=tea" in page.url
    page.get_by_role("link", name="Review").click()
    page.get_by_text("7 of 9 reviewed").wait_for(timeout=30_000)
    assert "campaign=tea" in page.url, "the campaign goes along"
