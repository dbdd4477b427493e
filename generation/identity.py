"""Ids of briefs and brand kits that follow the content of their files, never the folder they lie in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proofsheet.domain.campaign import BrandKit, Campaign, brief_content
from proofsheet.domain.identity import bytes_id, canonical, content_id
from proofsheet.errors import InputError


def file_id(path: Path) -> str:
    """The SHA-256 of a file's bytes as 64 hex digits.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        return bytes_id(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"The file {path} cannot be read: {error.strerror or error}.",
            "Put it back where the brief or the brand file names it, or name another one there.",
        ) from error


def brand_id(brand: BrandKit) -> str:
    """The id of a brand kit: equal rules and equal files give one id on every machine.

    Raises:
        InputError: the logo, a reference picture or a font file cannot be read.
    """
    return content_id(_brand_content(brand))


def campaign_id(campaign: Campaign) -> str:
    """The id of a brief with its brand kit, by content like ``brand_id``.

    Raises:
        InputError: the product's picture or a file of the brand kit cannot be read.
    """
    brief = brief_content(campaign.brief)
    brief["product"]["image"] = file_id(campaign.brief.product.image)
    return content_id({"brief": brief, "brand": _brand_content(campaign.brand)})


def _brand_content(brand: BrandKit) -> dict[str, Any]:
    content: dict[str, Any] = canonical(brand)
    content["logo"] = file_id(brand.logo) if brand.logo else None
    content["references"] = [file_id(path) for path in brand.references]
    for face in ("headline_font", "body_font"):
        if is_font_file(content[face]):
            content[face] = file_id(Path(content[face]))
    return content


def is_font_file(name: str) -> bool:
    """Whether a font is named by a file rather than by a bundled family."""
    return Path(name).suffix.lower() in {".ttf", ".otf", ".ttc", ".woff", ".woff2"}
