"""The backend that comes with Proofsheet: its own small diffusion model, drawn with as any other is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.backends.diffusers_pipeline import DiffusersBackend
from generation.backends.model_source import ModelSource, content_hash, find_model
from generation.house.folder import BACKEND, DIFFUSION, LICENCE, MODEL, UPSCALER, house_folder, sampling
from generation.house.framing import Frame, frame_for
from generation.house.hearing import Hearing, left_open
from generation.house.remarks import remarks
from generation.house.words import Vocabulary, read_vocabulary, ruled_out, tell, unknown_sentence
from generation.known_models import known_models
from generation.staging import stand_of
from proofsheet.domain.asset import SceneRecipe
from proofsheet.errors import StateError

if TYPE_CHECKING:
    from PIL.Image import Image

#: Part of every revision: a change of words, framing or enlarging that moves pixels gets a new number.
DRAWING_VERSION = "2"


class HouseBackend(DiffusersBackend):
    """The house model: a stock pipeline of diffusers with weights of our own, in a closed world of words.

    It draws one of four small shapes, of which the part with the recipe's ratio is kept and enlarged to the recipe's
    exact size. Words it was not taught are left out of what it is told, and named in the rendering's notes.

    Args:
        model: ``""`` for the weights that came with Proofsheet, or a folder trained anew by the same recipe.
        revision: what the weights must be, as a recipe has it; "" for whatever they are.
        device: ``"auto"`` (CUDA, else Apple's, else the CPU), ``"cuda"``, ``"mps"`` or ``"cpu"``.
        steps, guidance: how to draw; by default what was found best for these weights.
        batch_size: scenes drawn at once; by default 8 on the CPU and 32 elsewhere.

    Raises:
        InputError: the folder or an option cannot be used.
        NotFoundError: the weights did not come with this installation.
        StateError: the weights are not what ``revision`` says.
        MissingExtraError: torch or diffusers is not installed.
    """

    name = BACKEND
    usual_batch = (8, 32)
    unknown_pipeline = False  # nothing of torch is loaded before the first scene is drawn
    output_type = "pt"  # not rounded before it is enlarged, so that no bands can come of it

    def __init__(
        self,
        model: str = "",
        revision: str = "",
        device: str = "auto",
        steps: int | None = None,
        guidance: float | None = None,
        *,
        batch_size: int | None = None,
    ) -> None:
        self._folder: Path = house_folder(model)
        found = f"{DRAWING_VERSION}-{content_hash(self._folder)[:12]}"
        if revision not in ("", found):
            raise StateError(
                f"The house model has changed: it is {found}, the plan was made for {revision}.", "Plan again."
            )
        super().__init__(
            str(self._folder / DIFFUSION),
            device=device,
            steps=steps,
            guidance=guidance,
            licence=LICENCE,
            dtype="float32",
            batch_size=batch_size,
        )
        self.model = MODEL if model in ("", MODEL) else str(self._folder)
        self.revision = found
        self.size_multiple = 1
        self.max_side = None

    def remarks(self, recipes: Sequence[SceneRecipe]) -> tuple[str, ...]:
        """What a user should know before these are drawn: unknown words, and what is heard of the known ones."""
        return remarks(recipes, self._folder)

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return read_vocabulary(self._folder)

    @cached_property
    def _upscaler(self) -> Any:
        from generation.house import HouseUpscaler

        with self._quiet():
            return HouseUpscaler.from_pretrained(self._folder / UPSCALER).to(self.device).eval()

    def _find(self, model: str, revision: str, licence: str) -> ModelSource:
        import generation.house  # noqa: F401  diffusers takes classes from modules that are loaded already, and no others

        best = sampling(self._folder)
        known = known_models()[MODEL]
        own = replace(known, steps=int(best.get("steps", known.steps)), guidance=best.get("guidance", known.guidance))
        return replace(find_model(model, revision, licence), known=own)

    def _frame(self, recipe: SceneRecipe) -> Frame:
        return frame_for(recipe.width, recipe.height, stand_of(recipe.params))

    def _drawn_size(self, recipe: SceneRecipe) -> tuple[int, int]:
        frame = self._frame(recipe)
        return frame.width, frame.height

    def _words(self, recipe: SceneRecipe) -> tuple[str, str]:
        return tell(recipe.prompt, self._vocabulary).prompt, ruled_out(
            recipe.negative_prompt.split(","), self._vocabulary
        )

    def _start(self, pipeline: Any, batch: Sequence[SceneRecipe], generators: Sequence[Any]) -> dict[str, Any]:
        """The generators' noise, which carries for what a level leaves open that level's own numbers."""
        hearing, torch = Hearing.of(self._folder), self._torch
        if hearing is None:
            return {}
        from generation.house.packing import packed, unpacked
        from generation.house.sketch import carried, carrying

        width, height = self._drawn_size(batch[0])
        cells, channels = pipeline.vae_scale_factor, pipeline.unet.config.in_channels
        shape = (1, channels, height // cells, width // cells)
        noise = unpacked(torch.cat([torch.randn(shape, generator=generator) for generator in generators]))
        numbers, order = carried(noise), pipeline.unet.sketch.get_buffer("order").tolist()
        for row, recipe in enumerate(batch):
            for slot, number in left_open(recipe, hearing.said(self._words(recipe)[0])).items():
                numbers[row, order[slot]] = number
        return {"latents": packed(carrying(noise, numbers)).to(self.device)}

    def _is_blank(self, picture: Any) -> bool:
        spread = float(picture.amax() - picture.amin())
        return not spread > 0  # not a number, where a number format overflowed

    def _finished(self, recipe: SceneRecipe, picture: Any) -> tuple[Image, tuple[str, ...]]:
        """The part of a picture (3, H, W), 0 to 1, that the recipe's ratio asks for, enlarged to its size."""
        frame = self._frame(recipe)
        left, top, right, bottom = frame.box
        kept = picture[None, :, top:bottom, left:right] * 2 - 1
        told = tell(recipe.prompt, self._vocabulary)
        notes = [f"drawn in {frame.width} × {frame.height}, {right - left} × {bottom - top} of it kept and enlarged"]
        notes += [unknown_sentence(told.unknown)] if told.unknown else []
        notes += [f"not read, for too many words: {', '.join(told.unread)}"] if told.unread else []
        enlarged: Image = self._upscaler.enlarge(kept, recipe.width, recipe.height, seed=recipe.seed)[0]
        return enlarged, tuple(notes)
