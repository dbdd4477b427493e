"""The brief's budget stops making, keeps what is made, and counts nothing but making."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_making_stops_at_the_budget_and_goes_on_when_it_is_raised(
    program: Callable[..., Any], small_brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(small_brief.parent, tmp_path / "campaign"))
    brief, home = folder / "brief.toml", tmp_path / "home"
    monkeypatch.setenv("PROOFSHEET_COMPUTE_PRICE_PER_HOUR", "500000")
    program("plan", str(brief), home=home)
    stopped = program("generate", home=home, expect=4)
    assert "The budget of 5.00 EUR" in stopped.err
    assert "Raise plan.budget" in stopped.err

    brief.write_text(brief.read_text().replace('budget = "5.00 EUR"', 'budget = "90000000 EUR"'), encoding="utf-8")
    program("plan", str(brief), home=home)
    made = program("generate", "--json", home=home).json
    assert made["scenes_reused"] >= 1
    assert made["scenes_drawn"] + made["scenes_reused"] == 2
    assert made["assets_composed"] == 4


def test_uploads_do_not_use_up_the_budget_for_making(
    program: Callable[..., Any], small_brief: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    program("plan", str(small_brief), home=home)
    picture = small_brief.parent / "baseline" / "display_300x250.png"
    words = ("upload", str(picture), "--placement", "display_300x250", "--cost", "900 EUR")
    first = program(*words, "--json", home=home).json
    assert program(*words, "--json", home=home).json["id"] == first["id"]
    assert program("generate", "--json", home=home).json["assets_composed"] == 4
