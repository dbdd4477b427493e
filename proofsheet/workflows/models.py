"""models: which models draw and judge, on what terms, and where their weights are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from proofsheet.settings import Settings

Kind = Literal["draws", "judges"]

#: What stands for a model that would have to be fetched.
HUB = "not here: hub"

_LOCAL = "local-dir:"
_WEIGHTS = frozenset({".safetensors", ".bin", ".pt", ".gguf"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """One model: what it does, its terms as read on ``checked_on`` in ``source``, and where it is.

    ``commercial`` is ``"yes"``, ``"conditions"``, ``"no"`` or ``"unknown"``; ``condition`` says more. ``size`` is the
    bytes on this disk, None where nothing is here; ``where`` a folder, or HUB. ``steps`` is 0 for models that judge.
    """

    name: str
    kind: Kind
    licence: str
    commercial: str
    condition: str
    steps: int
    guidance: float
    size: int | None
    where: str
    source: str
    checked_on: date | None


def models(settings: Settings) -> tuple[ListedModel, ...]:
    """The house models first, then the judging model that the settings name, then the hub's known ones by name.

    Nothing is loaded or fetched; the hub's local cache is only looked at.
    """
    from generation.house.folder import MODEL, WEIGHTS, sampling
    from generation.known_models import known_models
    from scoring.house import HOUSE_FOLDER, NO_MODEL

    known = known_models()
    house, best = known[MODEL], sampling(WEIGHTS)
    listed = [
        ListedModel(
            name=model.name,
            kind="draws",
            licence=model.licence,
            commercial=model.commercial,
            condition=model.condition,
            steps=int(best.get("steps", model.steps)) if name == MODEL else model.steps,
            guidance=best.get("guidance", model.guidance) if name == MODEL else model.guidance,
            size=size_of(WEIGHTS if name == MODEL else cached_at(name)),
            where=_where(WEIGHTS if name == MODEL else cached_at(name), missing="not here" if name == MODEL else HUB),
            source=model.source,
            checked_on=model.checked_on,
        )
        for name, model in known.items()
    ]
    judges = [
        _judge(
            "proofsheet-house-clip",
            HOUSE_FOLDER,
            licence=house.licence,
            commercial=house.commercial,
            source="LICENSE of this project, and the model card scoring/house_clip/README.md",
            checked_on=house.checked_on,
        )
    ]
    if settings.clip_model not in ("", NO_MODEL):
        judges.append(_named_judge(settings))
    others = sorted((one for one in listed if one.name != MODEL), key=lambda one: one.name.lower())
    return (*(one for one in listed if one.name == MODEL), *judges, *others)


def house_words() -> tuple[str, ...]:
    """Every word that the house model knows, in the order of the alphabet.

    Raises:
        NotFoundError: the weights did not come with this installation.
    """
    from generation.house.folder import house_folder
    from generation.house.words import read_vocabulary

    return tuple(sorted(read_vocabulary(house_folder()).words))


def _named_judge(settings: Settings) -> ListedModel:
    """The CLIP model of the settings; its terms are for whoever named it to know."""
    model = settings.clip_model
    place = Path(model.removeprefix(_LOCAL)) if model.startswith(_LOCAL) else Path(settings.clip_checkpoint or "-")
    return _judge(
        model,
        place,
        licence="not known to Proofsheet",
        commercial="unknown",
        condition="read its model card",
        source="setting clip_model",
        checked_on=None,
    )


def _judge(
    name: str, place: Path, *, licence: str, commercial: str, source: str, checked_on: date | None, condition: str = ""
) -> ListedModel:
    return ListedModel(
        name=name,
        kind="judges",
        licence=licence,
        commercial=commercial,
        condition=condition,
        steps=0,
        guidance=0.0,
        size=size_of(place),
        where=_where(place, missing="not here"),
        source=source,
        checked_on=checked_on,
    )


def cached_at(name: str, environment: Mapping[str, str] | None = None) -> Path | None:
    """The folder of a hub model in the hub client's cache on this machine; None where it is not there."""
    told = os.environ if environment is None else environment
    home = Path(told.get("HF_HOME") or Path(told.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    cache = Path(told.get("HF_HUB_CACHE") or home / "hub").expanduser()
    folder = cache / f"models--{name.replace('/', '--')}"
    return folder if (folder / "snapshots").is_dir() else None


def size_of(place: Path | None) -> int | None:
    """Bytes of a file, or of all files in a folder, each counted once; None where no weights are there.

    The hub's cache holds each file once and points to it from every snapshot.
    """
    if place is None or not place.exists():
        return None
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    if not any(file.suffix.lower() in _WEIGHTS for file in files):
        return None
    return sum(file.stat().st_size for file in {file.resolve() for file in files})


def _where(place: Path | None, *, missing: str) -> str:
    return str(place) if place is not None and size_of(place) is not None else missing
