"""The whole loop on a small campaign, by the command line, as a user goes through it."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from generation.deliver import check_delivered, read_mark
from generation.placements import placement

Program = Callable[..., Any]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def loop(program: Program, small_brief: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Any]:
    """A home in which the demo ran on the small campaign, its folder, and what the demo answered."""
    folder = tmp_path_factory.mktemp("loop")
    home = folder / "home"
    words = ("demo", "--brief", str(small_brief), "--out", str(folder / "demo" / "exports"), "--json")
    return home, folder, program(*words, home=home).json


def test_the_demo_goes_through_every_verb(loop: tuple[Path, Path, Any]) -> None:
    _, _, answer = loop
    verbs = [step["verb"] for step in answer["steps"]]
    assert verbs == [
        "plan", "generate", "upload", "score", "review", "launch", "export", "ingest", "analyze", "decide",
    ]  # fmt: skip
    assert answer["decision"]["call"] in {"ship", "stop", "continue", "inconclusive"}
    assert any("SIMULATED" in line for step in answer["steps"] for line in step["lines"])


def test_truth_stands_beside_every_estimate(loop: tuple[Path, Path, Any]) -> None:
    _, _, answer = loop
    assert len(answer["truth"]) == 4
    for row in answer["truth"]:
        assert row["low"] <= row["estimate"] <= row["high"]
        assert row["inside"] == (row["low"] <= row["truth"] <= row["high"])
    assert sum(row["inside"] for row in answer["truth"]) >= 3


def test_the_exported_zip_opens_and_every_file_meets_its_limits_and_is_named(loop: tuple[Path, Path, Any]) -> None:
    _, folder, _ = loop
    archives = sorted((folder / "demo" / "exports" / "small").glob("*.zip"))
    assert len(archives) == 1
    place = placement("display_300x250")
    with zipfile.ZipFile(archives[0]) as bundle:
        assert bundle.testzip() is None
        names = [name for name in bundle.namelist() if not name.endswith("manifest.csv")]
        manifest = next(name for name in bundle.namelist() if name.endswith("manifest.csv"))
        rows = list(csv.DictReader(io.StringIO(bundle.read(manifest).decode("utf-8"))))
        assert len(names) == len(rows) == 5
        for row in rows:
            data = bundle.read(f"{place.platform}/{row['file']}")
            assert check_delivered(data, place) == []
            assert Image.open(io.BytesIO(data)).size == (300, 250)
            assert row["variant_id"] in row["file"]
            assert f"utm_content={row['variant_id']}" in row["final_url"]
            assert "ref=ads" in row["final_url"]
            mark = read_mark(data)
            assert mark.get("digital_source_type", "") == row["digital_source_type"]
            assert mark["asset_id"] == row["asset_id"]
            generated = bool(row["headline"])  # what people made is marked with its id, and nothing is claimed of it
            assert row["digital_source_type"].endswith("/compositeSynthetic") == generated


def test_a_second_demo_changes_nothing(program: Program, loop: tuple[Path, Path, Any], small_brief: Path) -> None:
    home, folder, answer = loop
    before = {path: path.read_bytes() for path in sorted((folder / "demo").rglob("*")) if path.is_file()}
    words = ("demo", "--brief", str(small_brief), "--out", str(folder / "demo" / "exports"), "--json")
    again = program(*words, home=home).json
    assert again["truth"] == answer["truth"]
    assert again["decision"] == answer["decision"]
    after = {path: path.read_bytes() for path in sorted((folder / "demo").rglob("*")) if path.is_file()}
    assert after == before
    lines = {step["verb"]: " ".join(step["lines"]) for step in again["steps"]}
    assert "0 scenes drawn" in lines["generate"]
    assert "0 assets composed" in lines["generate"]
    assert "nothing changed" in lines["ingest"]
    assert all(float(step["cost"]["amount"]) == 0 for step in again["steps"])


def test_every_answer_of_the_decided_experiment_is_there(program: Program, loop: tuple[Path, Path, Any]) -> None:
    home, _, answer = loop
    analysis = program("analyze", answer["experiment"], "--json", home=home).json
    assert {one["name"] for one in analysis["health"]} >= {"both_arms", "sample_ratio", "missing_days", "enough_data"}
    assert {one["metric"] for one in analysis["results"]} == {
        "ctr", "conversions_per_impression", "cost_per_click",
    }  # fmt: skip
    assert all(one["evidence"] in {"B", "C"} for one in analysis["results"])
    costs = {one["arm"]: one for one in analysis["costs"]}
    assert float(costs["baseline"]["production"]) > 100
    assert all(float(one["per_conversion"]) > 0 for one in costs.values())
    shown = program("analyze", home=home).out
    assert "Money" in shown
    assert "evidence grade" in shown
    assert "Rule:" in program("decide", home=home).out


def test_every_name_that_a_brief_may_use_is_listed(program: Program, tmp_path: Path) -> None:
    shown = program("plan", "--list", home=tmp_path / "home").out
    for name in ("meta_story", "arch_podium", "window_warm", "editorial", "manrope"):
        assert name in shown


def test_what_is_running_or_decided_cannot_be_changed(program: Program, loop: tuple[Path, Path, Any]) -> None:
    home, _, answer = loop
    done = program("end", answer["experiment"], home=home, expect=4)
    assert "cannot become ENDED" in done.err


def test_a_review_needs_a_reason_to_reject_and_shows_what_waits(
    program: Program, loop: tuple[Path, Path, Any], tmp_path: Path
) -> None:
    home = Path(shutil.copytree(loop[0], tmp_path / "home"))
    asset = program("review", "--json", home=home).json
    assert asset == []
    some = program("score", "--json", home=home).json["verdicts"][0]["asset_id"]
    assert "needs a reason" in program("review", some, "--reject", home=home, expect=2).err
    program("review", some, "--withdraw", home=home)
    assert program("review", "--json", home=home).json == [some]
    program("review", some, "--reject", "--reason", "too plain", home=home)
    out = tmp_path / "exports"
    program("export", "--out", str(out), home=home)
    assert len(list(out.glob("small/*/*.csv"))) == 1
    assert len([path for path in out.glob("small/*/*") if path.suffix != ".csv"]) == 4


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("plan", "nowhere.toml"), 3, "nowhere.toml"),
        (("generate",), 3, "There is no campaign"),
        (("generate", "--campaign", "../../x"), 3, "../../x"),
        (("analyze",), 3, "There is no experiment"),
        (("export",), 3, "There is no campaign"),
        (("ingest", "nowhere.csv"), 3, "nowhere.csv"),
        (("analyze", "--data", "nowhere.csv", "--arm", "a", "--metric", "b:mean"), 3, "nowhere.csv"),
        (("analyze", "--data", "nowhere.csv"), 2, "--arm"),
        (("launch", "--unit", "crowd"), 2, "crowd"),
        (("launch", "--metric", "clicks"), 2, "column:kind"),
        (("upload", "nowhere.png", "--placement", "meta_story", "--cost", "many"), 2, "many"),
        (("decide", "--call", "maybe"), 2, "maybe"),
        (("plan",), 2, "No brief was named"),
        (("fly",), 2, "No such command"),
    ],
)
def test_a_mistake_is_answered_in_words(
    program: Program, tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    done = program(*words, home=tmp_path / "home", cwd=tmp_path, expect=code)
    assert told in done.err
    assert done.out == ""
    assert not (tmp_path / "home").exists()  # a mistake leaves nothing behind
