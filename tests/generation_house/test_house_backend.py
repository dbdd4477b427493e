"""The house backend on its real classes with random weights: sizes, words, batches, and what it refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from generation import backend as door
from generation.backend import ImageBackend, default_backend, open_backend, remarks
from generation.backends.house import DRAWING_VERSION, HouseBackend
from generation.house import folder as house
from generation.known_models import known_models
from proofsheet.domain.asset import SceneRecipe
from proofsheet.errors import InputError, NotFoundError, StateError
from proofsheet.testing import check_backend

MakeRecipe = Callable[..., SceneRecipe]

models = pytest.mark.models


@models
@pytest.mark.usefixtures("one_thread")
def test_it_conforms_to_the_rules_for_backends(stand_in: Path) -> None:
    check_backend(open_backend("house", str(stand_in), steps=1))


@models
def test_it_says_what_it_draws_with(stand_in: Path) -> None:
    backend = open_backend("house", str(stand_in))
    known = known_models()[house.MODEL]
    assert isinstance(backend, ImageBackend)
    assert (backend.name, backend.ai_made, backend.licence) == ("house", True, "Apache-2.0")
    assert (backend.steps, backend.guidance) == (known.steps, known.guidance)
    assert (backend.size_multiple, backend.max_side) == (1, None)
    assert backend.revision.startswith(f"{DRAWING_VERSION}-")
    assert isinstance(backend, HouseBackend)
    if backend.device == "cpu":
        assert backend.batch_size == 8


@models
@pytest.mark.usefixtures("one_thread")
def test_every_shape_comes_in_its_exact_size_and_batches_by_what_is_drawn(
    stand_in: Path, make_recipe: MakeRecipe
) -> None:
    sizes = [(128, 128), (108, 135), (108, 192), (300, 157), (109, 135), (728, 90), (160, 600)]
    recipes = [make_recipe(number, width=width, height=height) for number, (width, height) in enumerate(sizes)]
    drawn = list(HouseBackend(str(stand_in), batch_size=8).draw(recipes))
    assert [one.image.size for one in drawn] == sizes
    assert {one.image.mode for one in drawn} == {"RGB"}
    batches = [one.notes[0] for one in drawn]
    assert batches[:2] == ["batch of 2, place 1", "batch of 2, place 2"]  # both are drawn square
    assert any("drawn in 128 × 128, 102 × 128 of it kept" in note for note in drawn[1].notes)
    assert any("drawn in 256 × 64, 256 × 32 of it kept" in note for note in drawn[5].notes)


@models
@pytest.mark.usefixtures("one_thread")
def test_unknown_words_are_noted_and_change_nothing(stand_in: Path, make_recipe: MakeRecipe) -> None:
    plain, strange = make_recipe(prompt="an arch in teal"), make_recipe(prompt="an arch in teal kangaroo")
    backend = HouseBackend(str(stand_in))
    one, other = backend.draw([plain, strange])
    assert not any("Not known" in note for note in one.notes)
    assert any("Not known to the house model: 'kangaroo'" in note for note in other.notes)
    assert np.abs(np.asarray(one.image).astype(int) - np.asarray(other.image)).max() <= 1
    assert "'kangaroo'" in remarks(backend, [plain, strange])[0]
    (heard,) = remarks(backend, [plain])
    assert heard.startswith("The house model hears scene 'arch' as ")


@models
@pytest.mark.usefixtures("one_thread")
def test_known_words_change_the_picture_and_so_do_things_ruled_out(stand_in: Path, make_recipe: MakeRecipe) -> None:
    recipes = [
        make_recipe(prompt="an arch"),
        make_recipe(prompt="rippled sand"),
        make_recipe(prompt="an arch", never="sand"),
    ]
    first, other, without = (np.asarray(one.image) for one in HouseBackend(str(stand_in)).draw(recipes))
    assert (first != other).any()
    assert (first != without).any()


@models
def test_another_revision_is_refused(stand_in: Path, tmp_path: Path) -> None:
    planned = HouseBackend(str(stand_in)).revision
    HouseBackend(str(stand_in), revision=planned)
    changed = Path(shutil.copytree(stand_in, tmp_path / "changed"))
    settings = changed / "upscaler" / "config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "note": "other"}))
    with pytest.raises(StateError, match="Plan again"):
        HouseBackend(str(changed), revision=planned)


@models
@pytest.mark.usefixtures("one_thread")
def test_it_prints_nothing(stand_in: Path, make_recipe: MakeRecipe, capfd: pytest.CaptureFixture[str]) -> None:
    list(HouseBackend(str(stand_in)).draw([make_recipe(width=64, height=64)]))
    assert capfd.readouterr() == ("", "")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no diffusion/model_index\.json") as caught:
        HouseBackend(str(tmp_path))
    assert "--backend diffusers" in caught.value.hint


def test_missing_weights_are_told_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "WEIGHTS", tmp_path)
    with pytest.raises(NotFoundError) as caught:
        HouseBackend()
    assert "--backend procedural" in caught.value.hint


def test_the_house_is_the_default_where_it_can_be(words_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "WEIGHTS", words_folder)
    monkeypatch.setattr(house, "missing_packages", lambda: ())
    assert default_backend() == door.Choice("house")


def test_without_torch_the_default_says_how_to_get_it(words_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "WEIGHTS", words_folder)
    monkeypatch.setattr(house, "missing_packages", lambda: ("torch", "diffusers"))
    choice = default_backend()
    assert choice.name == "procedural"
    assert "torch, diffusers is not installed" in choice.reason
    assert 'pip install "proofsheet[creative]"' in choice.reason


def test_without_weights_scenes_are_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "WEIGHTS", tmp_path)
    monkeypatch.setattr(house, "missing_packages", lambda: ())
    choice = default_backend()
    assert choice.name == "procedural"
    assert choice.reason == ""  # nothing that the user could install would change it


@pytest.mark.processes
def test_asking_for_the_default_loads_no_torch() -> None:
    code = (
        "import sys, generation.backends.house, generation.house.words\n"
        "from generation.backend import default_backend; default_backend()\n"
        "print(sorted({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
