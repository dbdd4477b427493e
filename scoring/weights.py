"""Where a CLIP model's weights lie: only ``.safetensors`` files are read, as other formats can run code."""

from __future__ import annotations

from pathlib import Path

from proofsheet.errors import InputError

LOCAL = "local-dir:"
_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")


def weights_of(model: str, checkpoint: str) -> Path:
    """The ``.safetensors`` file to load. Raises InputError when there is none to trust."""
    if model.startswith("hf-hub:"):
        raise InputError(
            f"The CLIP model {model!r} would have to be downloaded.",
            "Save it in a folder and name it as local-dir:FOLDER.",
        )
    if model.startswith(LOCAL):
        folder = Path(model.removeprefix(LOCAL))
        if not (folder / "open_clip_config.json").is_file():
            raise InputError(
                f"There is no open_clip_config.json in {folder}.", "Name the folder of an open_clip model."
            )
        return weights_in(folder)
    if not checkpoint:
        raise InputError(
            f"The CLIP model {model!r} has no weights: nothing is downloaded.",
            "Set the checkpoint to the path of its .safetensors file.",
        )
    path = Path(checkpoint)
    if path.suffix != ".safetensors":
        raise InputError(
            f"The checkpoint {path.name} is not a .safetensors file; other formats can run code when loaded.",
            "Convert the weights to .safetensors.",
        )
    if not path.is_file():
        raise InputError(f"There is no checkpoint at {path}.", "Give the path of the .safetensors file.")
    return path


def weights_in(folder: Path) -> Path:
    """The ``.safetensors`` file of a model's folder. Raises InputError when there is none."""
    found = [folder / name for name in _WEIGHTS if (folder / name).is_file()]
    if found:
        return found[0]
    others = sorted(path.name for path in folder.iterdir() if path.suffix in {".bin", ".pt", ".pth"})
    also = f" ({', '.join(others)} can run code when loaded and is not read)" if others else ""
    raise InputError(
        f"There is no open_clip_model.safetensors in {folder}{also}.", "Convert the weights to .safetensors."
    )
