"""The models whose settings and licence we know, read from ``models.toml`` beside this file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parent / "models.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One model: the settings it is meant for, and its terms as read on ``checked_on`` in ``source``.

    ``commercial`` is ``"yes"``, ``"conditions"`` or ``"no"``; ``condition`` says more.
    """

    name: str
    steps: int
    guidance: float
    native_side: int
    size_multiple: int
    licence: str
    commercial: str
    source: str
    checked_on: date
    condition: str = ""
    guidance_name: str = "guidance_scale"


@cache
def known_models() -> dict[str, KnownModel]:
    """Every known model by its hub id, the house model (``generation.house.folder.MODEL``) first."""
    with DATA.open("rb") as file:
        return {name: KnownModel(name=name, **row) for name, row in tomllib.load(file).items()}
