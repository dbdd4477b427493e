"""A user's own training: a LoRA put on a model, and a whole model trained further, both by the same settings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generation.backend import open_backend
from generation.backends.diffusers_pipeline import DiffusersBackend
from generation.backends.lora import find_lora
from proofsheet.domain.asset import SceneRecipe
from proofsheet.errors import InputError, MissingExtraError, StateError

MakeRecipe = Callable[..., SceneRecipe]
SaveChanged = Callable[[Callable[[Any], None]], Path]

models = pytest.mark.models


def save_lora(pipeline: Any, folder: Path, seed: int = 0) -> Path:
    """A LoRA of random weights for a pipeline's U-Net, saved as diffusers saves one; gives the folder."""
    import torch
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    torch.manual_seed(seed)
    pipeline.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False))
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipeline.unet))
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers)
    return folder


@pytest.fixture(scope="module")
def lora(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a LoRA for the tiny pipeline."""
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(tiny_model, local_files_only=True)
    return save_lora(pipeline, tmp_path_factory.mktemp("lora") / "house-look")


def drawn(model: Path, recipe: SceneRecipe, **options: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    rendering = next(DiffusersBackend(str(model), **options).draw([recipe]))
    return np.asarray(rendering.image).astype(int), rendering.notes


@models
def test_a_lora_changes_the_picture_by_its_scale(tiny_model: Path, lora: Path, make_recipe: MakeRecipe) -> None:
    recipe = make_recipe()
    plain, _ = drawn(tiny_model, recipe)
    full, notes = drawn(tiny_model, recipe, lora=str(lora))
    off, _ = drawn(tiny_model, recipe, lora=str(lora), lora_scale=0.0)
    named, _ = drawn(tiny_model, recipe, lora=str(lora / "pytorch_lora_weights.safetensors"))
    assert np.abs(full - plain).mean() > 0.5
    assert np.abs(off - plain).max() <= 1
    assert (named == full).all()
    assert any(note.startswith("LoRA pytorch_lora_weights.safetensors (") for note in notes)


@models
def test_a_lora_and_its_scale_are_in_the_revision(tiny_model: Path, lora: Path) -> None:
    plain = open_backend("diffusers", str(tiny_model))
    full = open_backend("diffusers", str(tiny_model), lora=str(lora))
    half = open_backend("diffusers", str(tiny_model), lora=str(lora), lora_scale=0.5)
    assert full.revision.startswith(f"{plain.revision}+lora.")
    assert full.revision.endswith("@1")
    assert half.revision.endswith("@0.5")
    assert open_backend("diffusers", str(tiny_model), revision=full.revision, lora=str(lora)).revision == full.revision
    with pytest.raises(StateError, match=r"The LoRA .* has changed"):
        open_backend("diffusers", str(tiny_model), revision=full.revision, lora=str(lora), lora_scale=0.5)
    with pytest.raises(StateError, match="none is given"):
        open_backend("diffusers", str(tiny_model), revision=full.revision)


@models
def test_a_lora_for_another_model_is_told_plainly(tiny_model: Path, make_recipe: MakeRecipe, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    strange = {
        "unet.nowhere.to_q.lora_A.weight": torch.zeros(2, 16),
        "unet.nowhere.to_q.lora_B.weight": torch.zeros(16, 2),
    }
    save_file(strange, tmp_path / "strange.safetensors")
    with pytest.raises(InputError, match=r"The LoRA .*strange\.safetensors") as caught:
        drawn(tiny_model, make_recipe(), lora=str(tmp_path / "strange.safetensors"))
    assert "trained on this very model" in caught.value.hint


@models
def test_a_model_trained_further_is_a_model(
    tiny_model: Path, save_changed: SaveChanged, make_recipe: MakeRecipe
) -> None:
    def train(pipeline: Any) -> None:
        import torch

        latent, text = torch.randn(1, 4, 32, 32), torch.randn(1, 8, 32)
        optimiser = torch.optim.SGD(pipeline.unet.parameters(), lr=0.05)
        pipeline.unet(latent, torch.tensor([500]), text).sample.square().mean().backward()
        optimiser.step()

    folder = save_changed(train)
    one, other = (open_backend("diffusers", str(place)) for place in (tiny_model, folder))
    assert one.revision != other.revision
    first, second = (next(backend.draw([make_recipe()])).image.tobytes() for backend in (one, other))
    assert first != second


def test_files_that_cannot_be_a_lora(tmp_path: Path) -> None:
    (tmp_path / "lora.bin").write_bytes(b"x")
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, said in (
        (tmp_path / "lora.bin", "can run code"),
        (empty, "does not hold one .safetensors file"),
        (tmp_path / "nowhere", "There is no LoRA at"),
    ):
        with pytest.raises(InputError, match=said):
            find_lora(str(path), 1.0)
    with pytest.raises(InputError, match="lora_scale is 11"):
        find_lora(str(empty), 11)
    with pytest.raises(InputError, match="no LoRA is given"):
        find_lora("", 0.5)
    assert find_lora("", 1.0) is None


def test_a_lora_without_peft_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtraError) as caught:
        find_lora(str(tmp_path), 1.0)
    assert "proofsheet[creative]" in caught.value.hint
