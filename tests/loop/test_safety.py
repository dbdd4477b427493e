"""Nothing of the user's is lost, nothing is recorded that was not meant, and nothing is paid twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proofsheet.workflows.export import final_url

pytestmark = pytest.mark.slow
Program = Callable[..., Any]


@pytest.fixture(scope="module")
def done(program: Program, small_brief: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A home in which the demo ran, and what it answered."""
    folder = tmp_path_factory.mktemp("safety")
    words = ("demo", "--brief", str(small_brief), "--out", str(folder / "demo" / "exports"), "--json")
    return folder / "home", program(*words, home=folder / "home").json


@pytest.fixture
def home(done: tuple[Path, Any], tmp_path: Path) -> Path:
    """A copy of that home, to be changed freely."""
    return Path(shutil.copytree(done[0], tmp_path / "home"))


@pytest.fixture(scope="module")
def running(program: Program, small_brief: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home with a running experiment without data, and the experiment's id."""
    home = tmp_path_factory.mktemp("running") / "home"
    program("plan", str(small_brief), home=home)
    program("generate", home=home)
    picture = str(small_brief.parent / "baseline" / "display_300x250.png")
    program("upload", picture, "--placement", "display_300x250", home=home)
    program("score", home=home)
    program("review", "--all-passing", home=home)
    return home, program("launch", "--json", home=home).json["id"]


def test_export_leaves_what_it_did_not_make(program: Program, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "small").mkdir(parents=True)
    (out / "small" / "notes.txt").write_text("mine")
    refused = program("export", "--out", str(out), home=home, expect=2)
    assert "not made by an export" in refused.err
    assert (out / "small" / "notes.txt").read_text() == "mine"
    assert [path.name for path in out.iterdir()] == ["small"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_export_does_not_replace_a_file_or_a_link(program: Program, home: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    other = tmp_path / "other"
    other.mkdir()
    if kind == "file":
        (out / "small").write_text("mine")
    else:
        (out / "small").symlink_to(other)
    program("export", "--out", str(out), home=home, expect=2)
    assert (out / "small").is_symlink() == (kind == "link")


def test_a_selection_has_its_own_folder_and_the_whole_stays(
    program: Program, home: Path, done: tuple[Path, Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    program("export", "--out", str(out), home=home)
    whole = {path.name for path in (out / "small" / "display").iterdir()}
    variant = program("launch", "--preview", "--json", home=home).json["arms"][1]["variant_id"]
    program("export", "--out", str(out), "--variant", variant, home=home)
    assert {path.name for path in (out / "small" / "display").iterdir()} == whole
    chosen = [path.name for path in (out / f"small_{variant}" / "display").iterdir() if path.suffix != ".csv"]
    assert len(chosen) == 1
    assert variant in chosen[0]
    program("export", "--out", str(out), "--platform", "display", home=home)
    assert {path.name for path in (out / "small" / "display").iterdir()} == whole


def test_export_says_which_platforms_and_variants_there_are(program: Program, home: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert "Known: " in program("export", "--out", out, "--platform", "metaa", home=home, expect=2).err
    assert "Approved variants" in program("export", "--out", out, "--variant", "00000000", home=home, expect=3).err


def test_a_full_or_forbidden_disk_is_told_in_words(program: Program, home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "failed" in program("export", "--out", str(tmp_path / "file" / "sub"), home=home, expect=1).err


def test_the_winner_can_be_exported_after_another_plan(
    program: Program, home: Path, done: tuple[Path, Any], small_brief: Path, tmp_path: Path
) -> None:
    decision = done[1]["decision"]
    if decision["call"] != "ship":
        pytest.fail("the small campaign's simulation is meant to have a winner")
    folder = Path(shutil.copytree(small_brief.parent, tmp_path / "changed"))
    text = (folder / "brief.toml").read_text().replace("Calm in a cup.", "Calm in every cup.")
    (folder / "brief.toml").write_text(text.replace('name = "calm"', 'name = "every"'), encoding="utf-8")
    program("plan", str(folder / "brief.toml"), home=home)
    out = tmp_path / "out"
    program("export", "--out", str(out), "--winner", done[1]["experiment"], home=home)
    assert decision["arm"] in " ".join(path.name for path in out.glob("*/*/*"))


def test_a_standing_decision_is_not_talked_over(program: Program, home: Path, done: tuple[Path, Any]) -> None:
    decided = done[1]["decision"]
    arms = [arm["name"] for arm in program("launch", "--preview", "--json", home=home).json["arms"]]
    other = next(arm for arm in arms if arm not in (decided["arm"], "baseline"))
    words = ("decide", done[1]["experiment"], "--call", "ship", "--arm", other, "--why", "I like it")
    assert "was decided on" in program(*words, home=home, expect=4).err


def test_shipping_against_the_rule_needs_its_reason(
    program: Program, running: tuple[Path, str], tmp_path: Path
) -> None:
    home = Path(shutil.copytree(running[0], tmp_path / "home"))
    arm = next(one["name"] for one in program("launch", "--preview", "--json", home=home).json["arms"][1:])
    assert "Only ship takes an arm" in program("decide", "--arm", arm, home=home, expect=2).err
    assert "needs a reason" in program("decide", "--call", "ship", "--arm", arm, home=home, expect=2).err
    words = ("decide", "--call", "ship", "--arm", "nobody", "--why", "x")
    assert "not in" in program(*words, home=home, expect=2).err
    made = program("decide", "--call", "ship", "--arm", arm, "--why", "the client wants it", "--json", home=home).json
    assert (made["call"], made["arm"], made["override"]) == ("ship", arm, "the client wants it")


def test_launch_says_what_it_cannot_do(program: Program, running: tuple[Path, str]) -> None:
    home, _ = running
    assert "No platform report has 'spam'" in program("launch", "--metric", "spam:proportion", home=home, expect=2).err
    assert "needs its metrics" in program("launch", "--unit", "user", home=home, expect=2).err
    assert "to come" in program("launch", "--started", "2999-01-01", home=home, expect=2).err
    assert "is there already" in program("launch", "--started", "2020-01-01", home=home, expect=4).err


def test_the_same_asset_named_twice_is_reviewed_and_paid_once(
    program: Program, running: tuple[Path, str], tmp_path: Path
) -> None:
    home = Path(shutil.copytree(running[0], tmp_path / "home"))
    asset = program("score", "--json", home=home).json["verdicts"][0]["asset_id"]
    made = program("review", asset, asset, "--approve", "--reason", "x", "--minutes", "10", "--json", home=home).json
    assert len(made) == 1


def test_an_upload_is_booked_once_and_its_label_is_checked(
    program: Program, running: tuple[Path, str], small_brief: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(running[0], tmp_path / "home"))
    picture = str(small_brief.parent / "baseline" / "display_300x250.png")
    words = ("upload", picture, "--placement", "display_300x250")
    program(*words, "--cost", "350 EUR", home=home)
    assert "booked with 350.00 EUR" in program(*words, "--cost", "10 EUR", home=home, expect=4).err
    for label in ("", "   ", "../../x", "0123abcd"):
        assert "cannot name an arm" in program(*words, "--label", label, home=home, expect=2).err
    assert not (tmp_path / "elsewhere").exists()
    program(*words, home=tmp_path / "elsewhere", expect=3)
    assert not (tmp_path / "elsewhere" / "pictures").exists()


def test_two_at_once_do_not_generate_the_same_campaign(running: tuple[Path, str], program: Program) -> None:
    from proofsheet.settings import load_settings
    from proofsheet.workflows.house import open_house

    home, _ = running
    with open_house(load_settings(home=home)).alone("generate-small", "testing"):
        assert "already" in program("generate", home=home, expect=5).err


def test_a_lost_picture_is_made_again_and_not_paid_again(
    program: Program, running: tuple[Path, str], tmp_path: Path
) -> None:
    from proofsheet.settings import load_settings
    from proofsheet.workflows.house import open_house

    home = Path(shutil.copytree(running[0], tmp_path / "home"))
    warehouse = open_house(load_settings(home=home)).warehouse
    with warehouse.read() as reader:
        asset = next(one for one in reader.assets("small") if one.scene_id)
        scene = reader.scenes("small")[asset.scene_id or ""]
        paid = [entry.key for entry in reader.ledger("small")]
    for sha256 in (asset.sha256, scene.sha256):
        warehouse.pictures.path(sha256).unlink()
    made = program("generate", "--json", home=home).json
    assert (made["scenes_drawn"], made["assets_composed"]) == (1, 1)
    assert warehouse.pictures.get(asset.sha256)
    with warehouse.read() as reader:
        assert [entry.key for entry in reader.ledger("small")] == paid


def test_pictures_and_fonts_are_kept_when_a_campaign_is_planned(
    program: Program, small_brief: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(small_brief.parent, tmp_path / "campaign"))
    font = next((Path(__file__).parents[2] / "generation" / "fonts").glob("fraunces-*.ttf"))
    shutil.copy(font, folder / "own.ttf")
    brand = folder / "brand.toml"
    brand.write_text(brand.read_text().replace('wordmark = "calm"', 'wordmark = "calm"\nheadline_font = "own.ttf"'))
    program("plan", str(folder / "brief.toml"), home=tmp_path / "home")
    shutil.rmtree(folder)
    assert program("generate", "--json", home=tmp_path / "home").json["assets_composed"] == 4


def test_another_campaign_of_the_same_slug_is_told(program: Program, small_brief: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_brief.parent, tmp_path / "campaign"))
    home, brief = tmp_path / "home", folder / "brief.toml"
    assert program("plan", str(brief), "--json", home=home).json["warnings"] == []
    text = brief.read_text().replace('name = "Small campaign"', 'name = "Other"').replace("Calm tea", "Soap")
    brief.write_text(text, encoding="utf-8")
    assert "was 'Small campaign'" in program("plan", str(brief), "--json", home=home).json["warnings"][0]


@pytest.mark.parametrize(
    ("destination", "start"),
    [
        ("https://example.com/a?q=1&empty=&flag", "https://example.com/a?q=1&empty=&flag&utm_source=meta"),
        ("https://example.com/?c={campaign.id}#top", "https://example.com/?c={campaign.id}&utm_source=meta"),
        ("https://example.com/?utm_source=old&x=1", "https://example.com/?x=1&utm_source=meta"),
    ],
)
def test_the_landing_pages_own_parameters_stay_as_they_are(destination: str, start: str) -> None:
    assert final_url(destination, {"utm_source": "meta"}).startswith(start)


@pytest.mark.processes
@pytest.mark.parametrize(
    "work",
    [
        "os.kill(os.getpid(), signal.SIGINT)",
        "raise RuntimeError('Query interrupted')",  # what DuckDB makes of Ctrl-C in the middle of a query
    ],
    ids=["in our code", "in a query"],
)
def test_ctrl_c_says_that_what_is_finished_is_kept(
    work: str, small_brief: Path, tmp_path: Path, program: Program
) -> None:
    home = tmp_path / "home"
    program("plan", str(small_brief), home=home)
    script = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs ignore it
        "from generation.backends.procedural import ProceduralBackend\n"
        "def stop(self, recipes):\n"
        f"    {work}\n"
        "    yield from ()\n"
        "ProceduralBackend.draw = stop\n"
        f"sys.argv = ['proofsheet', '--home', {json.dumps(str(home))}, 'generate']\n"
        "from proofsheet.cli import main\n"
        "main()\n"
    )
    stopped = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PROOFSHEET_EXECUTOR": "inline"},
        check=False,
    )
    assert stopped.returncode == 128 + signal.SIGINT
    assert "What is finished is kept" in stopped.stderr
    assert "Traceback" not in stopped.stderr


def test_launch_cautions_about_placements_without_a_control_and_tests_beside(
    program: Program, running: tuple[Path, str], small_brief: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(running[0], tmp_path / "home"))
    assert "Caution" not in program("launch", home=home).out
    beside = program("launch", "--alpha", "0.1", home=home).out
    assert "is running on some of the same ads" in beside
    folder = Path(shutil.copytree(small_brief.parent, tmp_path / "campaign"))
    brief = folder / "brief.toml"
    brief.write_text(brief.read_text().replace('["display_300x250"]', '["display_300x250", "display_970x250"]'))
    program("plan", str(brief), home=home)
    program("generate", home=home)
    program("score", home=home)
    program("review", "--all-passing", home=home)
    assert "The control has no picture for Display 970x250" in program("launch", "--preview", home=home).out
