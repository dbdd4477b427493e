"""A LoRA of the user's own, put on a diffusion model: found, checked and loaded from the disk alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofsheet.errors import InputError, StateError, require

_SUFFIX = ".safetensors"
_USUAL = "pytorch_lora_weights.safetensors"
_SHORT = 8
_MOST = 10.0


@dataclass(frozen=True, slots=True)
class Lora:
    """One LoRA: its file, how strongly it counts, and the first digits of the hash of its bytes."""

    file: Path
    scale: float
    fingerprint: str

    @property
    def revision(self) -> str:
        """What it adds to a model's revision, so that another LoRA or another strength makes new scenes."""
        return f"lora.{self.fingerprint}@{self.scale:g}"

    @property
    def said(self) -> str:
        """The LoRA as a note says it."""
        return f"LoRA {self.file.name} ({self.fingerprint}), scale {self.scale:g}"

    def put_on(self, pipeline: Any) -> None:
        """Load it into a pipeline.

        Raises:
            InputError: it was not made for this model, or the pipeline takes none.
        """
        hint = "Take a LoRA that was trained on this very model, saved as diffusers saves it."
        if not hasattr(pipeline, "load_lora_weights"):
            raise InputError(f"The pipeline {type(pipeline).__name__} takes no LoRA.", "Leave the option lora away.")
        try:
            pipeline.load_lora_weights(
                str(self.file.parent), weight_name=self.file.name, adapter_name="own", local_files_only=True
            )
            found = pipeline.get_list_adapters()
            if not any("own" in names for names in found.values()):
                raise InputError(f"The LoRA {self.file} has nothing for the parts of this model.", hint)
            pipeline.set_adapters(["own"], [self.scale])
        except (RuntimeError, ValueError, KeyError, TypeError, OSError, AttributeError) as error:
            said = " ".join(str(error).split())[:300]
            raise InputError(f"The LoRA {self.file} cannot be put on this model: {said}", hint) from error


def find_lora(path: str, scale: float, pinned: str = "") -> Lora | None:
    """The LoRA at a path; None where none is asked for.

    Args:
        path: a ``.safetensors`` file or the folder that holds one; "" for none.
        scale: how strongly it counts, 0 to 10.
        pinned: the ``revision`` it must have ("": whatever it has).

    Raises:
        InputError: there is no such file, or it is of a format that can run code.
        StateError: it is not what ``pinned`` says.
        MissingExtraError: peft is not installed.
    """
    if not path:
        if pinned:
            raise StateError(f"The plan was made with a LoRA ({pinned}), and none is given.", "Plan again.")
        if scale != 1:
            raise InputError(f"The option lora_scale is {scale:g}, and no LoRA is given.", "Give one: --lora FILE")
        return None
    if not 0 <= scale <= _MOST:
        raise InputError(f"The option lora_scale is {scale:g}.", f"It is between 0 and {_MOST:g}; 1 is as trained.")
    require("peft", "to put a LoRA on a model")
    file = _file_at(Path(path).expanduser())
    with file.open("rb") as opened:
        fingerprint = hashlib.file_digest(opened, "sha256").hexdigest()[:_SHORT]
    found = Lora(file.resolve(), float(scale), fingerprint)
    if pinned and pinned != found.revision:
        raise StateError(
            f"The LoRA {file} has changed: it is {found.revision}, the plan was made for {pinned}.",
            "Put the LoRA back that was planned with, or plan again.",
        )
    return found


def _file_at(path: Path) -> Path:
    if path.is_dir():
        files = sorted(path.glob(f"*{_SUFFIX}"))
        usual = path / _USUAL
        if usual in files:
            return usual
        if len(files) != 1:
            found = ", ".join(file.name for file in files) or "none"
            raise InputError(
                f"The LoRA folder {path} does not hold one {_SUFFIX} file, but these: {found}.", "Name the file itself."
            )
        return files[0]
    if not path.is_file():
        raise InputError(f"There is no LoRA at {path}.", f"Give a {_SUFFIX} file, or the folder that holds it.")
    if path.suffix.lower() != _SUFFIX:
        raise InputError(
            f"The LoRA {path.name} is not a {_SUFFIX} file; other formats can run code when loaded.",
            f"Save it as {_SUFFIX}.",
        )
    return path
