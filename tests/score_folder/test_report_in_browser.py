"""The report in a real Chromium: it asks for nothing, and a click shows only the pictures of one grade."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from proofsheet.workflows.folder_report import write_report
from proofsheet.workflows.score_folder import score_folder

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


def test_the_report_asks_for_nothing_and_filters(
    tmp_path: Path, kit: Path, make_advert: Callable[..., Image.Image], make_bytes: Callable[..., bytes]
) -> None:
    folder = tmp_path / "ads"
    folder.mkdir()
    (folder / '"><img src=x onerror=alert(1)>.png').write_bytes(make_bytes(make_advert()))
    (folder / "cut.png").write_bytes(make_bytes(make_advert((320, 50)))[:200])
    page_file = tmp_path / "report.html"
    write_report(page_file, score_folder(folder, kit, scorers=["spec", "palette"]))
    asked: list[str] = []
    complaints: list[str] = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(page_file.as_uri())
        assert page.locator(".card:visible").count() == 2
        page.click("label[for=only-FAIL]")
        assert page.locator(".card:visible h3").all_inner_texts() == ["cut.png"]
        page.click("label[for=only-all]")
        page.click("summary")
        assert page.locator(".scale").first.is_visible()
        assert page.evaluate("document.fonts.check('16px Manrope')")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.set_viewport_size({"width": 400, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out on a phone"
        browser.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith("data:")] == [page_file.as_uri()]
