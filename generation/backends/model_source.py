"""Where a diffusion model comes from: a folder or a pinned hub revision, checked before anything is loaded."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from generation.known_models import KnownModel, known_models
from proofsheet.errors import InputError, StateError, require

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})
_CONTENT = frozenset({".json", ".safetensors", ".txt", ".model", ".jinja"})
_INDEX = "model_index.json"
_SHORT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """A model that may be loaded.

    ``location`` is what is loaded: an absolute folder or a hub id. ``revision`` is the commit of a hub model, or the
    first digits of the hash of a folder's content. ``index`` is its ``model_index.json``, ``native_side`` the side in
    pixels of the squares it was trained on, ``known`` what we know of it.
    """

    location: str
    local: bool
    revision: str
    licence: str
    index: Mapping[str, Any]
    native_side: int
    size_multiple: int
    known: KnownModel | None

    @property
    def pipeline(self) -> str:
        """The name of the pipeline's class."""
        name = self.index.get("_class_name", "")
        return name if isinstance(name, str) else ""


def find_model(model: str, revision: str, licence: str) -> ModelSource:
    """Check a model and say what it is; nothing but small text files is read or fetched.

    Args:
        model: a folder, or a hub id such as ``"owner/name"``.
        revision: the full commit of a hub model; for a folder, what its content must hash to ("": whatever it does).
        licence: on what terms the model is used, where we do not know them or they do not allow advertising.

    Raises:
        InputError: there is no such model, it holds code or pickles, or it may not be used without stated terms.
        StateError: the folder's content is not what ``revision`` says.
    """
    if not model:
        raise InputError(
            "The backend 'diffusers' needs a model.",
            "Give a folder that holds model_index.json, or a hub id with its commit: --model FOLDER",
        )
    folder = Path(model).expanduser()
    if folder.is_dir():
        return _local(folder.resolve(), revision, licence)
    if folder.exists() or not _HUB_ID.fullmatch(model):
        raise InputError(
            f"The model {model!r} is neither a folder nor a hub id.",
            "Give the folder that holds model_index.json (not one weights file), or an id such as owner/name.",
        )
    return _from_hub(model, revision, licence)


def _local(folder: Path, revision: str, licence: str) -> ModelSource:
    index_file = folder / _INDEX
    if not index_file.is_file():
        raise InputError(
            f"The folder {folder} holds no {_INDEX}, so it is not a diffusers pipeline.",
            "Save the pipeline with save_pretrained(folder, safe_serialization=True), and name that folder.",
        )
    _refuse_code_and_pickles(folder)
    index = _json(index_file)
    found = content_hash(folder)[:_SHORT]
    if revision and revision != found:
        raise StateError(
            f"The model in {folder} has changed: its content is {found}, the plan was made for {revision}.",
            "Put the model back that was planned with, or plan again.",
        )
    known = known_models().get(str(index.get("_name_or_path", "")))
    factor = 2 ** (len(_json(folder / "vae" / "config.json").get("block_out_channels", [1] * 4)) - 1)
    network = _json(folder / "unet" / "config.json") or _json(folder / "transformer" / "config.json")
    sample = network.get("sample_size")
    native = sample * factor if isinstance(sample, int) and not isinstance(sample, bool) else 1024
    return ModelSource(
        location=str(folder),
        local=True,
        revision=found,
        licence=_licence(str(folder), known, licence) if known else licence or "not stated (local folder)",
        index=index,
        native_side=known.native_side if known else native,
        size_multiple=known.size_multiple if known else max(8, 2 * factor),
        known=known,
    )


def _from_hub(model: str, revision: str, licence: str) -> ModelSource:
    if not _COMMIT.fullmatch(revision):
        raise InputError(
            f"The hub model {model} is not pinned: got the revision {revision!r}, which is not a commit.",
            "Give the full commit of 40 hexadecimal digits from the model's history: --revision COMMIT",
        )
    known = known_models().get(model)
    terms = _licence(model, known, licence)
    return ModelSource(
        location=model,
        local=False,
        revision=revision,
        licence=terms,
        index=_hub_index(model, revision),
        native_side=known.native_side if known else 1024,
        size_multiple=known.size_multiple if known else 16,
        known=known,
    )


def _licence(model: str, known: KnownModel | None, stated: str) -> str:
    if stated:
        return stated
    if known is None:
        raise InputError(
            f"The licence of the hub model {model} is not known to Proofsheet.",
            'Read it on the model card. If it allows advertising, state it: licence="…"; the statement is recorded.',
        )
    if known.commercial != "yes":
        more = f": {known.condition}" if known.condition else ""
        raise InputError(
            f"{known.name} is under the {known.licence}, which does not freely allow advertising{more} "
            f"(read on {known.checked_on}: {known.source}).",
            'If you have other terms, state them: licence="…"; the statement is recorded. Else take another model.',
        )
    return known.licence


def _hub_index(model: str, revision: str) -> Mapping[str, Any]:
    diffusers = require("diffusers", "to draw with a diffusion model")
    try:
        index = diffusers.DiffusionPipeline.load_config(model, revision=revision)
    except (OSError, ValueError) as error:
        raise unreachable(model, revision, error) from error
    return index if isinstance(index, dict) else {}


def unreachable(model: str, revision: str, error: Exception) -> InputError:
    """The error for a hub model that could not be fetched, with what the hub's client said in one line."""
    said = " ".join(str(error).split())
    return InputError(
        f"The hub model {model} at {revision} could not be fetched: {said[:240]}{'…' if len(said) > 240 else ''}",
        "Check id, commit and network; a gated model needs a login at the hub. Or copy the model into a folder where "
        "there is a network, and give that folder as the model.",
    )


def _refuse_code_and_pickles(folder: Path) -> None:
    for file in sorted(folder.rglob("*")):
        kind = file.suffix.lower()
        if kind == ".py":
            raise InputError(
                f"The model folder holds program code: {file.relative_to(folder)}.",
                "Code that comes with a model is never run. Take a model whose pipeline is part of diffusers.",
            )
        if kind in _PICKLES:
            raise InputError(
                f"The model folder holds weights that can run code when loaded: {file.relative_to(folder)}.",
                "Save the pipeline again with safe_serialization=True, and remove the old files.",
            )


def content_hash(folder: Path) -> str:
    """The SHA-256 over names and bytes of a model folder's settings, vocabularies and weights (64 hex digits)."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*"), key=lambda file: file.relative_to(folder).as_posix()):
        if file.suffix.lower() in _CONTENT and file.is_file():
            status = file.stat()
            hashed = _file_hash(str(file), status.st_size, status.st_mtime_ns)
            digest.update(f"{file.relative_to(folder).as_posix()}\n{hashed}\n".encode())
    return digest.hexdigest()


@cache
def _file_hash(path: str, size: int, changed: int) -> str:
    """Hashed once in a process while size and time of change (in the key) stay the same."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{file} is not valid JSON: {error}.", "Copy or save the model again.") from error
    return value if isinstance(value, dict) else {}
