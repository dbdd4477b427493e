"""The house model as a user meets it: the default of plan, unknown words named on the way, scenes kept with notes."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from generation.house import folder as house
from proofsheet.cli import main
from proofsheet.settings import load_settings
from proofsheet.workflows.house import open_house
from proofsheet.workflows.pages import brief_page

BRIEF = """
[campaign]
slug = "small"
name = "Small campaign"
objective = "clicks"
message = "Tea that waits for you"
audience = "people at work"
placements = ["display_300x250"]
locales = ["en-US"]
destination = "https://example.com/tea"

[product]
name = "Calm tea"
image = "product.png"
kind = "tin"

[plan]
max_variants = 2
seed = 3

[[factors.scene]]
name = "blocks"
prompt = "stacked blocks and a kangaroo"

[[factors.scene]]
name = "sand"
prompt = "rippled sand"

[[factors.headline]]
name = "calm"
texts = { en-US = "Calm in a cup." }

[[factors.cta]]
name = "try"
texts = { en-US = "Try it" }
"""
BRAND = '[brand]\nname = "Calm"\n\n[[palette]]\nname = "leaf"\nhex = "#2f7d4f"\n'


@pytest.fixture
def brief(tmp_path: Path) -> Path:
    """A brief of two scenes, one of them with a word that the house model does not know."""
    product = Image.new("RGBA", (240, 400), (0, 0, 0, 0))
    ImageDraw.Draw(product).rounded_rectangle((20, 20, 220, 390), 30, fill=(32, 120, 80, 255))
    product.save(tmp_path / "product.png")
    (tmp_path / "brand.toml").write_text(BRAND, encoding="utf-8")
    (tmp_path / "brief.toml").write_text(BRIEF, encoding="utf-8")
    return tmp_path / "brief.toml"


def run(home: Path, *words: str) -> tuple[str, str, int]:
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["proofsheet", "--home", str(home), *words])
        with pytest.raises(SystemExit) as ended:
            main()
    return out.getvalue(), err.getvalue(), int(ended.value.code or 0)


@pytest.fixture
def home(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home where the house model is installed."""
    monkeypatch.setattr(house, "WEIGHTS", stand_in)
    monkeypatch.delenv("PROOFSHEET_BACKEND", raising=False)
    monkeypatch.delenv("PROOFSHEET_CLIP_MODEL", raising=False)
    monkeypatch.setenv("PROOFSHEET_EXECUTOR", "inline")
    return tmp_path / "home"


@pytest.mark.models
@pytest.mark.usefixtures("one_thread")
def test_the_house_draws_by_default_and_names_what_it_does_not_know(brief: Path, home: Path) -> None:
    said, errors, code = run(home, "plan", str(brief), "--steps", "2", "--json")
    assert (code, errors) == (0, "")
    planned = json.loads(said)
    assert (planned["plan"]["backend"], planned["plan"]["model"]) == ("house", house.MODEL)
    assert [text for text in planned["warnings"] if "'kangaroo'" in text]
    opened = open_house(load_settings(home=home))
    with opened.warehouse.read() as reader:
        assert "'kangaroo'" in brief_page(reader, "small").remarks[0]

    said, errors, code = run(home, "generate")
    assert code == 0, errors
    assert "Not known to the house model: 'kangaroo'; for open vocabulary use the diffusers backend" in said
    assert "Scenes: 2 drawn" in said
    with opened.warehouse.read() as reader:
        scenes = list(reader.scenes("small").values())
        assets = reader.assets("small")
    assert {scene.recipe.backend for scene in scenes} == {"house"}
    assert {scene.recipe.steps for scene in scenes} == {2}
    assert sum(any("kangaroo" in note for note in scene.notes) for scene in scenes) == 1
    assert all(asset.ai_made for asset in assets)
    assert {(asset.width, asset.height) for asset in assets} == {(300, 250)}

    said, _, _ = run(home, "generate")
    assert "Scenes: 0 drawn, 2 there already" in said


@pytest.mark.parametrize("how", ["option", "setting"])
def test_another_backend_can_be_named(
    brief: Path, home: Path, monkeypatch: pytest.MonkeyPatch, how: str, words_folder: Path
) -> None:
    monkeypatch.setattr(house, "WEIGHTS", words_folder)
    named = ["--backend", "procedural"] if how == "option" else []
    if how == "setting":
        monkeypatch.setenv("PROOFSHEET_BACKEND", "procedural")
    said, errors, code = run(home, "plan", str(brief), *named, "--json")
    assert (code, errors) == (0, "")
    assert json.loads(said)["plan"]["backend"] == "procedural"
    assert json.loads(said)["warnings"] == []


def test_without_torch_planning_goes_on_and_says_how_to_get_it(
    brief: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words_folder: Path
) -> None:
    monkeypatch.delenv("PROOFSHEET_BACKEND", raising=False)
    monkeypatch.setattr(house, "WEIGHTS", words_folder)
    monkeypatch.setattr(house, "missing_packages", lambda: ("torch",))
    said, _, code = run(tmp_path / "home", "plan", str(brief), "--json")
    planned = json.loads(said)
    assert (code, planned["plan"]["backend"]) == (0, "procedural")
    assert "make setup" in planned["warnings"][0]


def test_the_models_are_listed_with_terms_size_and_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words_folder: Path
) -> None:
    cache = tmp_path / "cache"
    kept = cache / "models--Qwen--Qwen-Image" / "blobs" / "abc.safetensors"
    pointer = cache / "models--Qwen--Qwen-Image" / "snapshots" / "1" / "model.safetensors"
    for file in (kept, pointer):
        file.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(b"x" * 1000)
    pointer.symlink_to(kept)
    weights = tmp_path / "weights"
    (weights / "diffusion").mkdir(parents=True)
    (weights / "diffusion" / "unet.safetensors").write_bytes(b"x" * 500)
    (weights / "diffusion" / "sampling.json").write_text('{"steps": 6, "guidance": 2.5}')
    monkeypatch.setattr(house, "WEIGHTS", weights)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    said, _, code = run(tmp_path / "home", "models", "--json")
    listed = {one["name"]: one for one in json.loads(said)}
    assert code == 0
    assert next(iter(listed)) == house.MODEL
    own = listed[house.MODEL]
    assert (own["kind"], own["licence"], own["commercial"]) == ("draws", "Apache-2.0", "yes")
    assert (own["steps"], own["guidance"], own["where"]) == (6, 2.5, str(weights))
    assert own["size"] == 500 + len('{"steps": 6, "guidance": 2.5}')
    assert listed["proofsheet-house-clip"]["kind"] == "judges"
    assert (listed["Qwen/Qwen-Image"]["size"], listed["Qwen/Qwen-Image"]["where"]) == (
        1000, str(cache / "models--Qwen--Qwen-Image"),
    )  # fmt: skip
    assert listed["stabilityai/sdxl-turbo"]["where"] == "not here: hub"
    assert listed["stabilityai/sdxl-turbo"]["size"] is None
    assert "terms agreed" in listed["stabilityai/sdxl-turbo"]["condition"]
    assert all(one["source"] and (one["checked_on"] or one["kind"] == "judges") for one in listed.values())

    monkeypatch.setattr(house, "WEIGHTS", words_folder)
    words = json.loads(run(tmp_path / "home", "models", "--words", "--json")[0])
    assert {"arch", "terrazzo", "dusk"} & set(words) == {"arch", "terrazzo"}

    shown, _, _ = run(tmp_path / "home", "models")
    assert "commercial use" in shown
    assert "2026-11-20, model card" in shown


def test_a_judge_of_the_users_own_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = tmp_path / "clip"
    clip.mkdir()
    (clip / "open_clip_model.safetensors").write_bytes(b"x" * 10)
    monkeypatch.setenv("PROOFSHEET_CLIP_MODEL", f"local-dir:{clip}")
    listed = json.loads(run(tmp_path / "home", "models", "--json")[0])
    own = next(one for one in listed if one["name"] == f"local-dir:{clip}")
    assert (own["kind"], own["commercial"], own["size"], own["where"]) == ("judges", "unknown", 10, str(clip))
