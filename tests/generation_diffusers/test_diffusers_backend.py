"""The diffusers backend on a real pipeline: what it draws, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generation.backend import ImageBackend, Rendering, open_backend
from generation.backends.diffusers_pipeline import DiffusersBackend
from generation.backends.model_source import content_hash
from generation.known_models import known_models
from proofsheet.domain.asset import SceneRecipe
from proofsheet.errors import InputError, StateError

MakeRecipe = Callable[..., SceneRecipe]
SaveChanged = Callable[[Callable[[Any], None]], Path]
COMMIT = "0123456789abcdef0123456789abcdef01234567"

models = pytest.mark.models


def pixels(rendering: Rendering) -> np.ndarray:
    return np.asarray(rendering.image).astype(int)


@models
def test_it_is_a_backend_and_says_what_it_draws_with(tiny_model: Path) -> None:
    backend = open_backend("diffusers", str(tiny_model), steps=3)
    assert isinstance(backend, ImageBackend)
    assert backend.revision == content_hash(tiny_model)[:12]
    assert (backend.model, backend.ai_made) == (str(tiny_model), True)
    assert (backend.steps, backend.guidance) == (3, 7.5)  # guidance: the pipeline's own default
    assert (backend.size_multiple, backend.max_side) == (8, 80)  # trained on 64 px, a quarter longer at most
    assert backend.licence == "not stated (local folder)"


@models
def test_pictures_come_in_order_in_their_sizes_with_notes(tiny_model: Path, make_recipe: MakeRecipe) -> None:
    recipes = [make_recipe(1), make_recipe(2, width=80), make_recipe(3, width=80), make_recipe(4, height=80)]
    drawn = list(DiffusersBackend(str(tiny_model), batch_size=4).draw(recipes))
    assert [rendering.recipe for rendering in drawn] == recipes
    assert [rendering.image.size for rendering in drawn] == [(64, 64), (80, 64), (80, 64), (64, 80)]
    assert {rendering.image.mode for rendering in drawn} == {"RGB"}
    assert [rendering.notes[0] for rendering in drawn] == [
        "batch of 1, place 1", "batch of 2, place 1", "batch of 2, place 2", "batch of 1, place 1",
    ]  # fmt: skip
    assert drawn[1].notes[1] == "cpu, float32, 1 threads"
    assert "torch" in drawn[1].notes[2]
    assert all(rendering.seconds > 0 for rendering in drawn)


@models
def test_the_same_recipe_gives_the_same_bytes(tiny_model: Path, make_recipe: MakeRecipe) -> None:
    first, second = (next(DiffusersBackend(str(tiny_model)).draw([make_recipe(7)])) for _ in range(2))
    assert first.image.tobytes() == second.image.tobytes()


@models
def test_a_picture_does_not_depend_on_its_place_in_a_batch(tiny_model: Path, make_recipe: MakeRecipe) -> None:
    recipes = [make_recipe(seed, prompt=f"a podium {seed}") for seed in (5, 6, 7)]
    together = list(DiffusersBackend(str(tiny_model), batch_size=3).draw(recipes))
    alone = list(DiffusersBackend(str(tiny_model), batch_size=1).draw(recipes[::-1]))[::-1]
    for one, other in zip(together, alone, strict=True):
        assert np.abs(pixels(one) - pixels(other)).max() <= 1
    assert np.abs(pixels(together[0]) - pixels(together[1])).mean() > 5


@models
def test_seed_and_prompt_and_steps_decide_the_picture(tiny_model: Path, make_recipe: MakeRecipe) -> None:
    recipes = [make_recipe(1), make_recipe(2), make_recipe(1, prompt="paper"), make_recipe(1, steps=3)]
    drawn = [pixels(rendering) for rendering in DiffusersBackend(str(tiny_model)).draw(recipes)]
    for other in drawn[1:]:
        assert (drawn[0] != other).any()


@models
def test_nothing_is_printed(tiny_model: Path, make_recipe: MakeRecipe, capfd: pytest.CaptureFixture[str]) -> None:
    list(DiffusersBackend(str(tiny_model)).draw([make_recipe()]))
    assert capfd.readouterr() == ("", "")


@models
def test_a_picture_the_safety_check_refuses_is_named_and_not_given_out(
    save_changed: SaveChanged, make_recipe: MakeRecipe
) -> None:
    def refuse_everything(pipeline: Any) -> None:
        from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
        from transformers import CLIPConfig, CLIPImageProcessor

        tower = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 1, "num_attention_heads": 4}
        vision = {**tower, "image_size": 32, "patch_size": 16}
        checker = StableDiffusionSafetyChecker(CLIPConfig(text_config=tower, vision_config=vision, projection_dim=16))
        checker.concept_embeds_weights.data.fill_(-1.0)
        size = {"height": 32, "width": 32}
        processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size)
        pipeline.register_modules(safety_checker=checker, feature_extractor=processor)

    folder = save_changed(refuse_everything)
    drawing = DiffusersBackend(str(folder)).draw([make_recipe(1), make_recipe(2, height=80)])
    with pytest.raises(InputError) as caught:
        next(drawing)
    assert "2 of 2 scenes" in caught.value.message
    assert "arch / natural, 64 × 80: the model's safety check refused it" in caught.value.message


@models
def test_a_picture_of_one_colour_is_no_picture(save_changed: SaveChanged, make_recipe: MakeRecipe) -> None:
    def break_decoder(pipeline: Any) -> None:
        pipeline.vae.decoder.conv_out.weight.data.fill_(float("nan"))

    folder = save_changed(break_decoder)
    with pytest.raises(InputError, match="of one colour"), np.errstate(invalid="ignore"):
        list(DiffusersBackend(str(folder)).draw([make_recipe()]))


@models
@pytest.mark.parametrize(
    ("name", "said"),
    [("unet/modeling.py", "program code: unet/modeling.py"), ("unet/diffusion_pytorch_model.bin", "can run code")],
)
def test_folders_with_code_or_pickles_are_refused(copied_model: Path, name: str, said: str) -> None:
    (copied_model / name).write_bytes(b"")
    with pytest.raises(InputError, match=said):
        DiffusersBackend(str(copied_model))


@models
def test_the_revision_of_a_folder_is_its_content(tiny_model: Path, copied_model: Path) -> None:
    assert content_hash(copied_model) == content_hash(tiny_model)
    planned = DiffusersBackend(str(copied_model)).revision
    DiffusersBackend(str(copied_model), revision=planned)
    settings = copied_model / "scheduler" / "scheduler_config.json"
    settings.write_text(settings.read_text().replace("0.02", "0.03"))
    with pytest.raises(StateError, match=f"the plan was made for {planned}"):
        DiffusersBackend(str(copied_model), revision=planned)


@models
def test_a_broken_folder_is_told_plainly(copied_model: Path, make_recipe: MakeRecipe) -> None:
    (copied_model / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(InputError, match="cannot be loaded as a text-to-image pipeline"):
        list(DiffusersBackend(str(copied_model)).draw([make_recipe()]))


@models
def test_damaged_weights_are_told_plainly(copied_model: Path, make_recipe: MakeRecipe) -> None:
    weights = copied_model / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be loaded as a text-to-image pipeline"):
        list(DiffusersBackend(str(copied_model)).draw([make_recipe()]))


@models
def test_an_unknown_pipeline_class_is_not_run(copied_model: Path) -> None:
    index = copied_model / "model_index.json"
    index.write_text(index.read_text().replace("StableDiffusionPipeline", "HouseOwnPipeline"))
    with pytest.raises(InputError, match="'HouseOwnPipeline', which diffusers"):
        DiffusersBackend(str(copied_model))


@models
def test_a_size_the_model_cannot_draw(tiny_model: Path, make_recipe: MakeRecipe) -> None:
    with pytest.raises(InputError, match="cannot draw this scene"):
        list(DiffusersBackend(str(tiny_model)).draw([make_recipe(width=63)]))


@models
def test_a_known_model_in_a_folder_keeps_its_settings_and_terms(copied_model: Path) -> None:
    index = copied_model / "model_index.json"
    content = json.loads(index.read_text())
    index.write_text(json.dumps({**content, "_name_or_path": "black-forest-labs/FLUX.1-schnell"}))
    backend = DiffusersBackend(str(copied_model))
    assert (backend.steps, backend.guidance, backend.licence) == (4, 0.0, "Apache-2.0")
    index.write_text(json.dumps({**content, "_name_or_path": "black-forest-labs/FLUX.1-dev"}))
    with pytest.raises(InputError, match="does not freely allow advertising"):
        DiffusersBackend(str(copied_model))
    assert DiffusersBackend(str(copied_model), licence="bought, no. 7").licence == "bought, no. 7"


@models
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"device": "tpu"}, "Known: auto, cuda, mps, cpu"),
        ({"dtype": "int8"}, "Known: auto, float32"),
        ({"steps": 0}, "at least 1"),
        ({"steps": "abc"}, "'abc', which is no whole number"),
        ({"batch_size": 2.5}, "2.5, which is no whole number"),
        ({"guidance": "abc"}, "from 0 to 100"),
        ({"guidance": float("nan")}, "from 0 to 100"),
        ({"guidance": -3}, "from 0 to 100"),
        ({"guidance": 1e9}, "from 0 to 100"),
        ({"strength": 3}, "does not take: strength.\nIt takes: revision, device, steps"),
    ],
)
def test_options_that_cannot_be(tiny_model: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        open_backend("diffusers", str(tiny_model), **options)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("", {}, "needs a model"),
        ("no such folder", {}, "neither a folder nor a hub id"),
        ("owner/model", {}, "not pinned: got the revision ''"),
        ("owner/model", {"revision": "main"}, "not pinned: got the revision 'main'"),
        ("owner/model", {"revision": COMMIT}, "licence of the hub model owner/model is not known"),
        ("stabilityai/sdxl-turbo", {"revision": COMMIT}, "needs terms agreed with Stability AI"),
        ("black-forest-labs/FLUX.2-dev", {"revision": COMMIT}, "does not freely allow advertising"),
    ],
)
def test_hub_models_are_pinned_and_their_terms_known(model: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        DiffusersBackend(model, **options)
    assert said in caught.value.message
    assert caught.value.hint


def test_a_folder_without_a_pipeline(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no model_index\.json"):
        DiffusersBackend(str(tmp_path))


@models
def test_a_hub_model_without_a_network_says_what_to_do() -> None:
    with pytest.raises(InputError) as caught:
        DiffusersBackend("owner/model", revision=COMMIT, licence="MIT")
    assert "could not be fetched" in caught.value.message
    assert "copy the model into a folder" in caught.value.hint


def test_every_known_model_says_where_that_was_read() -> None:
    known = known_models()
    assert {"black-forest-labs/FLUX.1-schnell", "Tongyi-MAI/Z-Image-Turbo"} <= set(known)
    for model in known.values():
        assert model.steps >= 1
        assert model.commercial in {"yes", "conditions", "no"}
        assert model.licence
        assert model.source
        assert model.condition or model.commercial != "conditions"


@pytest.mark.processes
def test_importing_the_backend_loads_no_torch() -> None:
    code = (
        "import sys, generation.backends.diffusers_pipeline, generation.recipes, generation.briefs, generation.plan\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'scipy.stats', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
