"""The vocabulary: whole, up to date in the documentation, and light to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from generation.brief_factors import MOST_NAME
from generation.briefs import MOST_VARIANTS, OBJECTIVES
from generation.layouts import layout_names
from generation.placements import load_placements
from generation.plan import MOST_PARAMETERS
from generation.scenes import SCENES, STYLES
from generation.vocabulary import vocabulary, vocabulary_page
from proofsheet.workflows.launch import metrics_for

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_documentation_is_up_to_date() -> None:
    page = (ROOT / "docs" / "vocabulary.md").read_text(encoding="utf-8")
    assert page == vocabulary_page(), "run: python -m generation.vocabulary > docs/vocabulary.md"
    assert "python -m generation.vocabulary > docs/vocabulary.md" in "".join(page.splitlines(keepends=True)[:5])


def test_every_name_stands_in_its_section_with_all_cells() -> None:
    sections = {section.title: section for section in vocabulary()}
    names = {title: [row[0] for row in section.rows] for title, section in sections.items()}
    assert names["Placements"] == list(load_placements())
    assert names["Layouts"] == list(layout_names())
    assert names["Scene kinds"] == list(SCENES)
    assert names["Lights"] == list(STYLES)
    assert names["Objectives"] == list(OBJECTIVES)
    assert "manrope" in names["Fonts"]
    for section in sections.values():
        assert all(len(row) == len(section.columns) for row in section.rows)
    count = next(row for row in sections["Scene kinds"].rows if row[0] == "discs")[2]
    assert count == "count: 1–9"


def test_the_objectives_have_the_metrics_that_tests_are_launched_with() -> None:
    told = {row[0]: row[1] for section in vocabulary() if section.title == "Objectives" for row in section.rows}
    for name, metric in told.items():
        primary = metrics_for(name)[0].name
        assert metric.startswith("click-through" if primary == "ctr" else "conversions"), (name, primary)


def test_the_page_about_plan_tells_the_limits() -> None:
    page = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
    for told in (f"{MOST_NAME} characters", f"{MOST_VARIANTS} variants", f"about {MOST_PARAMETERS}", "(vocabulary.md)"):
        assert told in page
    assert all(f"`{name}`" in page for name in OBJECTIVES)


@pytest.mark.processes
def test_importing_the_vocabulary_is_light() -> None:
    code = "import sys, generation.vocabulary; print(sorted({'numpy', 'PIL', 'scipy', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
