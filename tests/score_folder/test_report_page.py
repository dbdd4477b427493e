"""The report: everything shown, nothing loaded, nothing run, whatever a file is named."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from generation.placements import load_placements
from proofsheet.domain.assessment import Grade, Score, Verdict
from proofsheet.domain.campaign import PaletteColour
from proofsheet.errors import InputError, ProofsheetError
from proofsheet.workflows.folder_report import check_report, write_report
from scoring.file_words import as_of_a_file
from scoring.report import FolderReport, PictureReport, Swatch
from scoring.report_page import page_of
from scoring.report_scores import scales_list, scores_table
from scoring.scales import scale_of

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def score(criterion: str, value: float | None, unit: str, detail: str = "") -> Score:
    """A score of one picture."""
    return Score(asset_id="a", criterion=criterion, value=value, unit=unit, scorer="s/1", detail=detail)


def picture(path: str, grade: Grade = Grade.PASS, *verdicts: Verdict, copies: tuple[str, ...] = ()) -> PictureReport:
    """One picture of a report."""
    return PictureReport(
        path=path, copies=copies, kind="png", width=300, height=250, size=4321, sha256="ab",
        placement="display_300x250", placement_title=f"Display {HOSTILE}", placement_by="by its size", grade=grade,
        verdicts=verdicts, scores=(score("palette", 62.5, "%", HOSTILE), score("contrast", None, ":1", "not known")),
        swatches=(Swatch("#0a737b", 0.75, "Fjord", 1.2),), thumbnail=b"RIFFxxxxWEBP",
    )  # fmt: skip


@pytest.fixture
def report() -> FolderReport:
    """A report in which everything that a user names is hostile."""
    bad = Verdict(
        asset_id="b", criterion="palette", grade=Grade.FAIL, reason=f"Off {HOSTILE}", remedy=f"Mend {HOSTILE}"
    )
    return FolderReport(
        folder=HOSTILE,
        brand=f"Norda {HOSTILE}",
        palette=(PaletteColour(name=HOSTILE, hex="#0a737b"),),
        pictures=(picture(f"b{HOSTILE}.png", Grade.FAIL, bad), picture("a.png", copies=("c.png",))),
        look_alikes=(("a.png", "c.png"),),
        skipped=((HOSTILE, "it is no picture"),),
        abstained=(f"Contrast: {HOSTILE}",),
        scored_at=datetime(2026, 6, 1, tzinfo=UTC),
        version="0.1.0",
    )


class Seen(HTMLParser):
    """What a browser would see: the elements, their addresses and handlers, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data


def test_nothing_is_loaded_or_run_whatever_things_are_named(report: FolderReport) -> None:
    page = page_of(report)
    seen = Seen()
    seen.feed(page)
    assert seen.handlers == []
    assert not {"script", "iframe", "object", "embed", "link", "base", "form"} & set(seen.tags)
    assert seen.addresses
    assert all(address.startswith("data:image/webp;base64,") for address in seen.addresses)
    assert "default-src 'none'" in page
    style = page[page.index("<style>") : page.index("</style>")]
    assert not re.search(r"@import|url\((?!data:)", style)
    assert seen.text.count(HOSTILE) >= 8, "shown as they are"


def test_pictures_reasons_remedies_and_scales_are_shown(report: FolderReport) -> None:
    page = page_of(report)
    seen = Seen()
    seen.feed(page)
    for words in (
        "2 pictures in", "on 1 June 2026", "1Fail · must be mended", "1Pass ·", "Brand hues. Off", "Mend",
        "300 × 250 px · PNG · 4 KB · judged as Display", "the same file: c.png",
        "Every rule that could be judged is kept",
        "#0a737b 75% (Fjord, ΔE\xa01)", "c.png (the same file)", "All scores (1 of 2 measured)",
        "not judged: not known",
        "In %, from 0 to 100; higher is better; 50 or more passes",
    ):  # fmt: skip
        assert words in seen.text, words
    assert page.index("b&quot;&gt;") < page.index(">a.png<")
    assert page.count('class="card FAIL"') == page.count('class="card PASS"') == 1


def test_how_different_the_pictures_of_a_placement_are(report: FolderReport) -> None:
    assert "How different they are" not in page_of(report)
    varied = score("diversity", 3.42, "effective pictures of 12")
    first = replace(report.pictures[0], scores=(*report.pictures[0].scores, varied), placement_title="Meta stories")
    page = page_of(replace(report, pictures=(first, *report.pictures[1:])))
    told = "<dt>Meta stories</dt><dd>like 3.4 wholly different ones (effective pictures of 12)</dd>"
    assert told in page


def test_verdicts_on_files_speak_of_files() -> None:
    def verdict(criterion: str, grade: Grade) -> Verdict:
        return Verdict(
            asset_id="a",
            criterion=criterion,
            grade=grade,
            reason="On export …",
            remedy="Draw it again",
            action="export",
        )

    given = [verdict(name, Grade.REVIEW) for name in ("format", "file_size", "blank", "brand_fit", "look_alikes")]
    given += [verdict("file_size", Grade.FAIL), verdict("size", Grade.PASS)]
    place = load_placements()["display_300x250"]
    found = as_of_a_file(given, "webp", 187_000, place)
    assert [(one.criterion, one.grade) for one in found] == [
        (one.criterion, one.grade) for one in given if one.criterion != "look_alikes"
    ]
    assert found[0].reason == f"The file is WEBP, which {place.title} does not take (JPEG or PNG)."
    assert found[1].reason == f"The file has 187 KB; {place.title} takes 150 KB at most."
    assert "no usual compression" in found[4].reason
    assert all("Draw" not in one.remedy and not one.action for one in found[:5])


def test_scales_place_values_within_their_ends() -> None:
    margin = scale_of(score("brand_fit", -45.0, "cosine margin × 100"))
    assert margin is not None
    assert [margin.place(value) for value in (-45, 0, 10, 90)] == [0.0, 0.5, 0.75, 1.0]
    assert margin.passes == 0
    assert scale_of(score("palette", 3.0, "parsecs")) is None
    distance = scores_table([score("palette_distance", 12.5, "ΔE00")])
    assert "left:25.0%" in distance
    assert "lower is better" in scales_list([score("palette_distance", 12.5, "ΔE00")])
    assert scales_list([score("palette", None, "%")]) == ""
    assert "100 %" in scores_table([score("palette", 99.999, "%")])


def test_the_page_carries_its_typefaces(report: FolderReport, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("an older report")
    write_report(path, report)
    page = path.read_text("utf-8")
    assert page.count("@font-face") == 3
    assert page.count("url(data:font/ttf;base64,") == 3
    assert page.endswith("</html>\n")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_a_report_that_cannot_be_written_is_said(report: FolderReport, tmp_path: Path) -> None:
    (tmp_path / "r.html").mkdir()
    with pytest.raises(InputError, match="a folder"):
        check_report(tmp_path / "r.html")
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(ProofsheetError, match="could not be written"):
        write_report(blocked / "r.html", report)
