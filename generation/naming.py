"""File names that say what a file is, and that reports can be joined by."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proofsheet.domain.asset import Asset
from proofsheet.domain.campaign import Placement
from proofsheet.errors import InputError

_NOT_ALLOWED = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stem:
    """The parts of a file name without its extension; a joined copy may bear a suffix of four hex digits."""

    campaign: str
    placement: str
    layout: str
    locale: str
    variant_id: str
    suffix: str = ""


def file_stem(campaign_slug: str, asset: Asset, placement: Placement) -> str:
    """``{campaign}_{placement}_{layout}_{locale}_{variant_id}``, lower case; inside a part, ``-`` joins words."""
    layout = asset.levels.get("layout") or (asset.recipe.layout if asset.recipe else "upload")
    parts = (campaign_slug, placement.name, layout, asset.locale or "any")
    return "_".join([*(_part(part) for part in parts), asset.variant_id.lower()])


def parse_stem(stem: str) -> Stem:
    """The parts of a name made by ``file_stem``; the placement comes back under its own name.

    Raises:
        InputError: the name has another form.
    """
    parts = stem.split("_")
    if len(parts) not in (5, 6) or not all(parts) or not re.fullmatch(r"[0-9a-z-]+", parts[4]):
        raise InputError(
            f"The name {stem!r} is not of the form campaign_placement_layout_locale_variant.",
            "Give the name as it was exported, without its extension.",
        )
    return Stem(
        campaign=parts[0],
        placement=parts[1].replace("-", "_"),
        layout=parts[2],
        locale=parts[3],
        variant_id=parts[4],
        suffix=parts[5] if len(parts) == 6 else "",
    )


def _part(text: str) -> str:
    return _NOT_ALLOWED.sub("-", text.lower()).strip("-") or "x"
