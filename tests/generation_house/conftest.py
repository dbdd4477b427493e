"""A stand-in for the house model's folder: its real classes and vocabulary, with tiny random weights."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from generation.house import folder as house
from proofsheet.domain.asset import SceneRecipe
from training.grammar import vocabulary
from training.tokenizer import save_tokenizer

os.environ["HF_HUB_OFFLINE"] = "1"


def save_stand_in(folder: Path, seed: int = 0) -> Path:
    """Save a house model of a few ten thousand random parameters; gives the folder."""
    import torch
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
    from transformers import CLIPTextConfig, PreTrainedTokenizerFast

    from generation.house import (
        HouseAutoencoder,
        HouseTextEncoder,
        HouseTransformer,
        HouseUpscaler,
        PackedAutoencoder,
    )

    torch.manual_seed(seed)
    words = save_tokenizer(vocabulary(), folder / "words")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(words)
    pipeline = StableDiffusionPipeline(
        vae=PackedAutoencoder.around(HouseAutoencoder(latent_channels=16, block_out_channels=(8, 8, 8, 8))),
        text_encoder=HouseTextEncoder(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                hidden_size=32,
                intermediate_size=37,
                num_hidden_layers=2,
                num_attention_heads=4,
                hidden_act="gelu",
                max_position_embeddings=48,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        ),
        tokenizer=tokenizer,
        unet=HouseTransformer(width=32, layers=2, heads=2, text_width=32, text_tokens=4),
        scheduler=DPMSolverMultistepScheduler(use_flow_sigmas=True, prediction_type="flow_prediction", steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    for weights in pipeline.unet.parameters():  # untrained, it says nothing whatever it is told
        torch.nn.init.normal_(weights, std=0.2)
    pipeline.save_pretrained(folder / house.DIFFUSION, safe_serialization=True)
    HouseUpscaler().save_pretrained(folder / house.UPSCALER, safe_serialization=True)
    return folder


def save_words(folder: Path) -> Path:
    """Save only what planning reads of a house model: its vocabulary. Gives the folder."""
    save_tokenizer(vocabulary(), folder / house.DIFFUSION / "tokenizer")
    (folder / house.DIFFUSION / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    return folder


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a house model with random weights; do not change it."""
    return save_stand_in(tmp_path_factory.mktemp("house") / "weights")


@pytest.fixture(scope="session")
def words_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house model's folder that holds nothing but its vocabulary."""
    return save_words(tmp_path_factory.mktemp("words") / "weights")


MakeRecipe = Callable[..., SceneRecipe]


@pytest.fixture
def make_recipe() -> MakeRecipe:
    """A scene recipe for the house model."""

    def made(
        seed: int = 1,
        prompt: str = "an arch and a round podium, warm morning light through a window, in teal",
        width: int = 270,
        height: int = 336,
        never: str = "",
        **params: float,
    ) -> SceneRecipe:
        return SceneRecipe(
            backend="house", model=house.MODEL, revision="", prompt=prompt, negative_prompt=never, seed=seed, steps=2,
            guidance=3.0, width=width, height=height, scene="arch", style="morning", params=params,
        )  # fmt: skip

    return made


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Equal conditions for pixels, and one core for a test."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
