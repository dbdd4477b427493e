"""Puts the trained parts together: a folder that diffusers' stock pipelines load, and everything where it is used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import torch

from generation.house.autoencoder import HouseAutoencoder
from generation.house.packing import PackedAutoencoder
from generation.house.transformer import HouseTransformer
from proofsheet.errors import StateError
from training.convert import text_encoder_of
from training.solvers import solver

#: Which class each part of the folder but the scheduler is of, as ``model_index.json`` says it.
_PARTS: Mapping[str, tuple[str | None, str | None]] = {
    "feature_extractor": (None, None),
    "image_encoder": (None, None),
    "safety_checker": (None, None),
    "text_encoder": ("generation.house", "HouseTextEncoder"),
    "tokenizer": ("transformers", "PreTrainedTokenizerFast"),
    "unet": ("generation.house", "HouseTransformer"),
    "vae": ("generation.house", "PackedAutoencoder"),
}
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_CLIP = ("open_clip_config.json", "open_clip_model.safetensors", "brand_fit.json", *_TOKENIZER)
_SAMPLING = "sampling.json"


def assemble(out: Path, folder: Path) -> Path:
    """Write the diffusion model as a folder for ``AutoPipelineForText2Image.from_pretrained`` and its relatives.

    Weights are float16 safetensors. The folder is replaced; a model card in it (``README.md``) is kept, and so are the
    defaults of steps and guidance found for it (``sampling.json``, from ``out`` if they are there).

    Args:
        out: the run's folder, with ``autoencoder``, ``words`` and ``denoiser`` finished.
        folder: where to; made if need be.

    Returns:
        The folder.

    Raises:
        StateError: a part is not trained yet.
    """
    parts = {name: Path(out) / name for name in ("autoencoder", "words", "denoiser")}
    for name, mark in (("autoencoder", "config.json"), ("denoiser", "config.json"), ("words", "open_clip_config.json")):
        if not (parts[name] / mark).is_file():
            raise StateError(f"The stage {name!r} has not finished in {out}.", "Train first: python -m training run")
    for name in (*_PARTS, "scheduler"):
        shutil.rmtree(folder / name, ignore_errors=True)
    unet: HouseTransformer = HouseTransformer.from_pretrained(parts["denoiser"], dtype=torch.float16)
    inner: HouseAutoencoder = HouseAutoencoder.from_pretrained(parts["autoencoder"], dtype=torch.float16)
    unet.save_pretrained(folder / "unet")
    PackedAutoencoder.around(inner).half().save_pretrained(folder / "vae")
    text_encoder_of(parts["words"]).half().save_pretrained(folder / "text_encoder")
    _copy(parts["words"], folder / "tokenizer", _TOKENIZER)
    chosen = Path(out) / _SAMPLING
    scheduler = solver(json.loads(chosen.read_text("utf-8"))["solver"] if chosen.is_file() else "dpm++")
    scheduler.save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": version("diffusers"),
        "requires_safety_checker": False,
        **{name: list(part) for name, part in _PARTS.items()},
        "scheduler": ["diffusers", type(scheduler).__name__],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", "utf-8")
    if chosen.is_file():
        shutil.copyfile(chosen, folder / _SAMPLING)
    for config in ("unet", "vae", "text_encoder"):
        _without_paths(folder / config / "config.json")
    for file in folder.rglob("*.*"):
        file.chmod(0o644)  # safetensors writes files that only their owner can read
    return folder


def install(out: Path, root: Path) -> None:
    """Put everything trained where the project uses it.

    Args:
        out: the run's folder.
        root: of the project; the diffusion model and the upscaler go to ``generation/house/weights``, the CLIP to
            ``scoring/house_clip``.

    Raises:
        StateError: a part is not trained yet.
    """
    weights = root / "generation" / "house" / "weights"
    assemble(out, weights / "diffusion")
    upscaler = sorted(
        path.name for path in (Path(out) / "upscaler").glob("*") if path.suffix in (".json", ".safetensors")
    )
    if "config.json" not in upscaler:
        raise StateError(f"The stage 'upscaler' has not finished in {out}.", "Train first: python -m training run")
    _copy(Path(out) / "upscaler", weights / "upscaler", tuple(upscaler))
    _copy(Path(out) / "clip", root / "scoring" / "house_clip", _CLIP)


def _copy(source: Path, target: Path, names: tuple[str, ...]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(source / name, target / name)


def _without_paths(config: Path) -> None:
    """Where a part was loaded from is nobody's business and differs from run to run."""
    settings = json.loads(config.read_text("utf-8"))
    settings.pop("_name_or_path", None)
    config.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", "utf-8")
