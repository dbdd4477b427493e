"""The weights that come along: small enough, loaded as any model is, drawing what they are told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.house.folder import DIFFUSION, WEIGHTS, has_weights
from scoring.house import HOUSE_FOLDER, house_model

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(not has_weights() or not house_model()[0], reason="the house models are not in this copy"),
]
MOST = 48_000_000  # bytes of all weights together
SETTINGS = {
    "sand": "rippled desert sand, golden low sun, a wide view",
    "sky": "a podium among clouds in the sky, soft north light, a wide view",
    "forest_bokeh": "a plank before a blurred forest, leaf shade, a wide view",
    "kitchen_shelf": "a kitchen shelf of oak, warm window light, in teal, a close view",
    "arch_podium": "an arch and a round podium, soft north light, in coral, a wide view",
}
COLOURS = ("teal", "coral", "violet", "yellow")


@pytest.fixture(scope="module")
def pipeline() -> Any:
    import torch
    from diffusers import AutoPipelineForText2Image

    import generation.house  # noqa: F401  its classes

    loaded = AutoPipelineForText2Image.from_pretrained(
        WEIGHTS / DIFFUSION, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    loaded.set_progress_bar_config(disable=True)
    return loaded


@pytest.fixture(scope="module")
def scenes(pipeline: Any) -> dict[str, NDArray[np.uint8]]:
    """A picture of each setting, drawn at once."""
    return dict(zip(SETTINGS, drawn(pipeline, list(SETTINGS.values())), strict=True))


def drawn(pipeline: Any, prompts: list[str], seed: int = 7, **how: Any) -> list[NDArray[np.uint8]]:
    import torch

    chance = [torch.Generator().manual_seed(seed + place) for place in range(len(prompts))]
    how = {"num_inference_steps": 6, "guidance_scale": 1.0, "width": 128, "height": 128, **how}
    return [np.asarray(picture) for picture in pipeline(prompts, generator=chance, **how).images]


def test_all_weights_together_keep_to_their_size() -> None:
    folders = (WEIGHTS, HOUSE_FOLDER)
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= MOST
    assert {file.suffix for file in files} <= {".json", ".safetensors", ".md"}
    assert all((folder / "README.md").is_file() for folder in (WEIGHTS / DIFFUSION, WEIGHTS / "upscaler", HOUSE_FOLDER))


def test_the_scene_follows_the_words(scenes: dict[str, NDArray[np.uint8]]) -> None:
    from training.clip_judge import HouseClip, zero_shot

    clip = HouseClip.open(HOUSE_FOLDER)
    told = zero_shot(clip, "setting", clip.pictures(list(scenes.values())))
    assert sum(found == meant for found, meant in zip(told, scenes, strict=True)) >= len(scenes) - 1


def test_the_colour_follows_the_word(pipeline: Any) -> None:
    pictures = drawn(pipeline, [f"a studio sweep, soft north light, in {colour}, a wide view" for colour in COLOURS])
    teal, coral, violet, yellow = (picture.reshape(-1, 3).mean(axis=0) for picture in pictures)
    assert min(teal[1], teal[2]) > teal[0] + 8
    assert coral[0] > max(coral[1], coral[2]) + 8
    assert min(violet[0], violet[2]) > violet[1] + 4
    assert min(yellow[0], yellow[1]) > yellow[2] + 15


def test_seeds_make_different_people_of_one_prompt(pipeline: Any) -> None:
    prompt = "illustrated portrait of one adult person, before a teal wall"
    pictures = np.stack(drawn(pipeline, [prompt] * 4)).astype(float)
    gaps = [np.abs(pictures[i] - pictures[j]).mean() for i in range(4) for j in range(i)]
    assert min(gaps) > 5


def test_pictures_have_neither_noise_nor_flatness(scenes: dict[str, NDArray[np.uint8]]) -> None:
    for name, picture in scenes.items():
        grey = picture.astype(float).mean(axis=2)
        ripple = grey[1:-1, 1:-1] * 4 - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
        assert np.median(np.abs(ripple)) < 9, f"{name} is covered in grain"
        assert grey.std() > 4, f"{name} is empty"


def test_drawing_over_and_inpainting_keep_what_they_should(scenes: dict[str, NDArray[np.uint8]]) -> None:
    import torch
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting
    from PIL import Image

    import generation.house  # noqa: F401

    before, other = scenes["arch_podium"].astype(float), scenes["sand"].astype(float)
    mask = Image.new("L", (128, 128), 0)
    mask.paste(255, (0, 0, 64, 128))

    def drawn_over(kind: Any, **more: Any) -> NDArray[np.float64]:
        loaded = kind.from_pretrained(WEIGHTS / DIFFUSION, dtype=torch.float32, local_files_only=True)
        loaded.set_progress_bar_config(disable=True)
        source, chance = Image.fromarray(scenes["arch_podium"]), torch.Generator().manual_seed(3)
        how = {"image": source, "generator": chance, "num_inference_steps": 8, "guidance_scale": 1.0, **more}
        return np.asarray(loaded(SETTINGS["arch_podium"], **how).images[0]).astype(float)

    over = drawn_over(AutoPipelineForImage2Image, strength=0.5)
    assert np.abs(over - before).mean() < 0.5 * np.abs(other - before).mean(), "nearer to its source than another scene"
    assert np.abs(over - before).mean() > 0.5, "something is drawn"
    inside = drawn_over(AutoPipelineForInpainting, mask_image=mask, width=128, height=128)
    gap = np.abs(inside - before)
    assert gap[:, 80:].mean() < 6
    assert gap[:, :56].mean() > gap[:, 80:].mean()
