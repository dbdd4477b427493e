"""Tries the parameters of scenes and styles on our own renderer, so that a wrong one is found before any is drawn."""

from __future__ import annotations

from collections.abc import Mapping

from proofsheet.domain.asset import SceneRecipe
from proofsheet.domain.campaign import Brief
from proofsheet.errors import InputError

Params = Mapping[str, str | int | float]

#: Parameters that every scene takes besides those of its kind.
COMMON = ("kind", "light", "hue", "accent", "tilt")

_SIDE = 16  # pixels of the trial picture


def scene_problem(params: Params, palette: tuple[str, ...]) -> InputError | None:
    """What the renderer refuses about a scene's parameters; None when it draws them.

    Kind and light alone are not tried: any two of them go together.

    Args:
        params: as they stand in the brief.
        palette: the brand's colours as ``#rrggbb``, at least one.
    """
    from generation.scenes import draw_scene

    if not set(params) - {"kind", "light"}:
        return None
    recipe = SceneRecipe(
        backend="procedural", model="", revision="", prompt="", negative_prompt="", seed=1, steps=0, guidance=0.0,
        width=_SIDE, height=_SIDE, scene="", style="", params=params, palette=palette,
    )  # fmt: skip
    try:
        draw_scene(recipe)
    except InputError as error:
        return error
    return None


def unread_params(brief: Brief) -> tuple[str, ...]:
    """Sentences about parameters of scenes and styles that no scene of the brief reads."""
    from generation.scenes import DEFAULT_KIND, SCENES

    scenes = brief.factor("scene").levels
    kinds = {level.name: str(level.params.get("kind", DEFAULT_KIND)) for level in scenes}
    everywhere = {key for kind in kinds.values() for key in SCENES[kind].takes}
    found = []
    for factor in ("scene", "style", "audience"):
        for level in brief.factor(factor).levels:
            kind = kinds[level.name] if factor == "scene" else ""
            read = {*COMMON, *(SCENES[kind].takes if kind else everywhere)}
            for key in sorted(set(level.params) - read):
                whose = f"the kind {kind!r}" if kind else "any scene"
                found.append(
                    f"The {factor} {level.name!r} names the parameter {key!r}, which {whose} does not read: it reads "
                    f"{', '.join(sorted(read))}."
                )
    return tuple(found)
