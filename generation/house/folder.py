"""Where the house model's files are, and whether it can be drawn with here; nothing of torch is loaded."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from proofsheet.errors import InputError, NotFoundError

#: The folder that the wheel carries: ``diffusion/``, a pipeline as diffusers saves it, and ``upscaler/`` beside it.
WEIGHTS = Path(__file__).resolve().parent / "weights"
DIFFUSION, UPSCALER = "diffusion", "upscaler"

#: What the model is called in recipes and lists, and under what terms its weights are.
MODEL = "proofsheet-house"
#: The name of the backend that draws with it.
BACKEND = "house"
LICENCE = "Apache-2.0"

_NEEDED = ("torch", "diffusers", "transformers")
_INDEX = "model_index.json"
_SAMPLING = "sampling.json"


def house_folder(model: str = "") -> Path:
    """The folder of the house model: the one that came with Proofsheet, or one trained anew by the same recipe.

    Args:
        model: a folder that holds ``diffusion/`` and ``upscaler/``; ``""`` or ``MODEL`` for the one that came.

    Raises:
        NotFoundError: the weights did not come with this installation.
        InputError: the folder named is not one of a house model.
    """
    if model in ("", MODEL):
        if not has_weights():
            raise NotFoundError(
                f"The house model's weights are not in {WEIGHTS}.",
                "Install Proofsheet again, or draw with: --backend procedural",
            )
        return WEIGHTS
    folder = Path(model).expanduser()
    for part in (f"{DIFFUSION}/{_INDEX}", f"{UPSCALER}/config.json"):
        if not (folder / part).is_file():
            raise InputError(
                f"The folder {folder} is not one of a house model: it holds no {part}.",
                "Leave the model away for the one that came with Proofsheet. Other models: --backend diffusers",
            )
    return folder.resolve()


def has_weights() -> bool:
    """Whether the weights came with this installation."""
    return (WEIGHTS / DIFFUSION / _INDEX).is_file()


def sampling(folder: Path) -> dict[str, float]:
    """What was found best for drawing with these weights, ``steps`` and ``guidance``; what was not is left out.

    Raises:
        InputError: the file that says so cannot be read.
    """
    file = folder / DIFFUSION / _SAMPLING
    if not file.is_file():
        return {}
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return {name: float(said[name]) for name in ("steps", "guidance") if name in said}
    except (ValueError, TypeError) as error:
        raise InputError(f"{file} cannot be read: {error}.", "Install Proofsheet again.") from error


@cache
def missing_packages() -> tuple[str, ...]:
    """The packages that drawing needs and that are not installed."""
    return tuple(name for name in _NEEDED if find_spec(name) is None)
