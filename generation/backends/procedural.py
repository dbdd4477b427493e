"""The built-in backend: our own scene renderer. It needs no model, no network and no GPU."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from PIL import Image

from generation.backend import Rendering
from generation.scenes import RENDERER_VERSION, draw_scene
from proofsheet.domain.asset import SceneRecipe
from proofsheet.errors import InputError


class ProceduralBackend:
    """Draws scenes in code, see generation.scenes.

    Args:
        model: must be empty; there is one renderer.
        options: none are taken.

    Raises:
        InputError: a model or an option is given.
    """

    name = "procedural"
    licence = "Apache-2.0"
    parallel = True

    def __init__(self, model: str = "", **options: Any) -> None:
        if model:
            raise InputError(f"The procedural backend has no model {model!r}.", "Leave the model empty.")
        if options:
            raise InputError(
                f"The procedural backend takes no options, got {', '.join(sorted(options))}.",
                "Leave them away; steps, LoRAs and the like are for --backend diffusers.",
            )
        self.model = ""
        self.revision = RENDERER_VERSION
        self.steps = 1
        self.guidance = 0.0
        self.size_multiple = 1
        self.max_side: int | None = None
        self.ai_made = False

    def draw(self, recipes: Sequence[SceneRecipe]) -> Iterator[Rendering]:
        """Draw the recipes one after the other and yield each as it is finished."""
        for recipe in recipes:
            begun = time.perf_counter()
            image = Image.fromarray(draw_scene(recipe))
            yield Rendering(recipe, image, time.perf_counter() - begun, (f"renderer {RENDERER_VERSION}",))
