"""Recipes for small scenes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from generation.staging import stand_params
from proofsheet.domain.asset import SceneRecipe

RecipeMaker = Callable[..., SceneRecipe]


@pytest.fixture
def recipe_of() -> RecipeMaker:
    """Makes a procedural recipe; keyword arguments beyond those named are scene parameters."""

    def make(
        kind: str = "arch_podium",
        light: str = "soft_north",
        size: tuple[int, int] = (96, 120),
        seed: int = 7,
        palette: tuple[str, ...] = ("#2f6f5e", "#e9b872"),
        stand: tuple[float, float, float] = (0.5, 0.86, 0.4),
        backend: str = "procedural",
        **params: str | int | float,
    ) -> SceneRecipe:
        return SceneRecipe(
            backend=backend,
            model="",
            revision="test",
            prompt="",
            negative_prompt="",
            seed=seed,
            steps=1,
            guidance=0.0,
            width=size[0],
            height=size[1],
            scene=kind,
            style=light,
            params={"kind": kind, "light": light, **stand_params(*stand), **params},
            palette=palette,
        )

    return make
