"""The placements Proofsheet knows, read from ``placements.toml`` beside this file."""

from __future__ import annotations

import difflib
import tomllib
from functools import cache
from pathlib import Path

from proofsheet.domain.campaign import Placement, SafeArea
from proofsheet.errors import InputError

DATA = Path(__file__).resolve().parent / "placements.toml"


@cache
def _all_placements() -> tuple[Placement, ...]:
    with DATA.open("rb") as file:
        table = tomllib.load(file)
    return tuple(
        Placement(
            name=name,
            platform=row["platform"],
            title=row["title"],
            width=row["width"],
            height=row["height"],
            safe_area=SafeArea(**row.get("safe_area", {})),
            max_bytes=row["max_bytes"],
            formats=tuple(row["formats"]),
            headline_chars=row.get("headline_chars"),
            source=row["source"],
            checked_on=row["checked_on"],
            conflicts=tuple(row.get("conflicts", ())),
        )
        for name, row in table.items()
    )


def load_placements() -> dict[str, Placement]:
    """Every known placement by its name, in the order of the data file."""
    return {placement.name: placement for placement in _all_placements()}


def placement(name: str) -> Placement:
    """The placement of that name.

    Raises:
        InputError: there is none; the hint names the nearest and lists all.
    """
    known = load_placements()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    raise InputError(
        f"The placement {name!r} is not known.",
        (f"Did you mean {near[0]!r}? " if near else "") + f"Known are: {', '.join(known)}.",
    )
