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

    how = {"num_inference_steps": 8, "guidance_scale": 1.0, "width": 128, "height": 128}
    source, mask = Image.fromarray(scenes["arch_podium"]), Image.new("L", (128, 128), 0)
    mask.paste(255, (0, 0, 64, 128))
    found = {}
    for kind, more in (
        (AutoPipelineForImage2Image, {"strength": 0.5}),
        (AutoPipelineForInpainting, {"mask_image": mask, "strength": 1.0}),
    ):
        loaded = kind.from_pretrained(WEIGHTS / DIFFUSION, dtype=torch.float32, local_files_only=True)
        loaded.set_progress_bar_config(disable=True)
        how_here = how if kind is AutoPipelineForInpainting else {k: v for k, v in how.items() if len(k) > 6}
        chance = torch.Generator().manual_seed(3)
        picture = loaded(SETTINGS["arch_podium"], image=source, generator=chance, **how_here, **more).images[0]
        found[kind] = np.asarray(picture).astype(float)
    before = scenes["arch_podium"].astype(float)
    assert np.abs(found[AutoPipelineForImage2Image] - before).mean() < 30
    assert np.abs(found[AutoPipelineForInpainting] - before)[:, 80:].mean() < 6
