"""Puts scene, style, audience and brand into words for models that read prompts."""

from __future__ import annotations

from collections.abc import Iterable

from proofsheet.domain.campaign import BrandKit, Brief, Level

#: What no scene may show: words, marks and products are composed on it exactly.
NEVER = (
    "text",
    "letters",
    "words",
    "numbers",
    "logo",
    "brand name",
    "watermark",
    "signature",
    "label",
    "packaging",
    "product",
    "frame",
    "collage",
    "low quality",
    "blurry",
    "jpeg artefacts",
)

_COLOURS_NAMED = 3
_LEFT_OF = 0.42  # of the width: further left is the left


def scene_prompt(
    brief: Brief, brand: BrandKit, *, scene: Level, style: Level, audience: Level, stand_x: float = 0.5
) -> str:
    """The prompt of a scene: the same arguments give the same words.

    The most important comes first, because text encoders cut long prompts (CLIP's after 77 tokens): scene, style, the
    room left for the product, audience, the brand's colours by name, its tone. What the brief says must be seen is not
    in it: that is about the finished advertisement, and a scene that shows the product would show a wrong one.

    Args:
        brief, brand: of the campaign.
        scene, style, audience: the levels of the variant.
        stand_x: where across the picture (0–1) the product will stand.
    """
    side = "on the left" if stand_x < _LEFT_OF else "on the right" if stand_x > 1 - _LEFT_OF else "in the middle"
    kind = brief.product.kind or "product"
    colours = [colour.name for colour in brand.palette if colour.role in {"primary", "secondary", "accent"}]
    parts = [
        scene.prompt or _spoken(scene.name),
        style.prompt or _spoken(style.name),
        f"empty foreground {side} where a {kind} will stand",
        audience.prompt,
        f"colours: {', '.join(colours[:_COLOURS_NAMED])}" if colours else "",
        f"{', '.join(brand.tone)} mood" if brand.tone else "",
        "advertising still life photograph",
    ]
    return ", ".join(_distinct(parts))


def negative_prompt(brief: Brief) -> str:
    """What a scene must not show: NEVER, and what the brief rules out."""
    return ", ".join(_distinct((*brief.never, *NEVER)))


def plain_description(scene: Level, style: Level) -> str:
    """What a scene shows, for renderers that read parameters instead of words."""
    return ", ".join(_distinct((scene.prompt or _spoken(scene.name), style.prompt or _spoken(style.name))))


def _spoken(name: str) -> str:
    return name.replace("-", " ").replace("_", " ")


def _distinct(parts: Iterable[str]) -> list[str]:
    cleaned = (" ".join(part.split()).strip(" ,.;") for part in parts)
    return list(dict.fromkeys(part for part in cleaned if part))
