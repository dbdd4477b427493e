"""A tiny Stable Diffusion pipeline of real parts with random weights, saved as any other is."""

from __future__ import annotations

import os
import shutil
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proofsheet.domain.asset import SceneRecipe

os.environ["HF_HUB_OFFLINE"] = "1"


def tiny_pipeline(seed: int = 0) -> Any:
    """A seeded text-to-image pipeline of a few ten thousand parameters: 64 px squares, VAE factor 2."""
    import torch
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(seed)
    letters = list(string.ascii_lowercase + string.digits + ".,-!")
    merges = [("a", "n</w>"), ("t", "h"), ("th", "e</w>"), ("a", "r"), ("ar", "c"), ("arc", "h</w>")]
    words = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(merge) for merge in merges)]
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys(words))}
    vocabulary |= {"<|startoftext|>": len(vocabulary), "<|endoftext|>": len(vocabulary) + 1}
    return StableDiffusionPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            block_out_channels=(8, 16),
            norm_num_groups=4,
            sample_size=64,
        ),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(vocabulary),
                hidden_size=32,
                intermediate_size=37,
                num_hidden_layers=2,
                num_attention_heads=4,
                bos_token_id=vocabulary["<|startoftext|>"],
                eos_token_id=vocabulary["<|endoftext|>"],
                pad_token_id=vocabulary["<|endoftext|>"],
            )
        ),
        tokenizer=CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77),
        unet=UNet2DConditionModel(
            sample_size=32,
            block_out_channels=(16, 32),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=32,
            attention_head_dim=4,
            norm_num_groups=4,
        ),
        scheduler=EulerDiscreteScheduler(steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def save(pipeline: Any, folder: Path) -> Path:
    """Save a pipeline as safetensors; gives the folder."""
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny pipeline; do not change it."""
    return save(tiny_pipeline(), tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def copied_model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny pipeline's folder that a test may change."""
    return Path(shutil.copytree(tiny_model, tmp_path / "copied"))


@pytest.fixture
def save_changed(tmp_path: Path) -> Callable[[Callable[[Any], None]], Path]:
    """Saves a tiny pipeline after a change to it."""

    def saved(change: Callable[[Any], None]) -> Path:
        pipeline = tiny_pipeline()
        change(pipeline)
        return save(pipeline, tmp_path / "changed")

    return saved


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Equal conditions for pixels, and one core for a test."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


MakeRecipe = Callable[..., SceneRecipe]


@pytest.fixture
def make_recipe() -> MakeRecipe:
    """A scene recipe for the tiny pipeline."""

    def made(
        seed: int = 1, prompt: str = "an arch and a podium", width: int = 64, height: int = 64, steps: int = 2
    ) -> SceneRecipe:
        return SceneRecipe(
            backend="diffusers", model="tiny", revision="", prompt=prompt, negative_prompt="text", seed=seed,
            steps=steps, guidance=2.0, width=width, height=height, scene="arch", style="natural",
        )  # fmt: skip

    return made
