"""Draws scenes with a diffusion model: any text-to-image pipeline of diffusers, from a folder or the hub."""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from generation.backend import Rendering
from generation.backends.lora import Lora, find_lora
from generation.backends.model_source import ModelSource, find_model, unreachable
from proofsheet.domain.asset import SceneRecipe
from proofsheet.errors import InputError, require

if TYPE_CHECKING:
    from PIL.Image import Image

_WHY = "to draw with a diffusion model"
_DTYPES = ("auto", "float32", "bfloat16", "float16")
_DEVICES = ("auto", "cuda", "mps", "cpu")
_MOST_GUIDANCE = 100.0  # above it no model draws anything
_LARGER = 1.25  # a model may draw sides this much longer than those it was trained on


class DiffusersBackend:
    """A text-to-image pipeline as a backend.

    The weights are loaded when the first scene is drawn. Each picture has its own generator on the CPU, seeded by its
    recipe alone: the same recipe in the same batch shape, with the same threads and versions, gives the same bytes;
    in another batch shape single values may differ by 1 of 255. Not safe to use from several threads.

    Args:
        model: a folder saved by ``save_pretrained``, or a hub id.
        revision: the full commit of a hub model (required there); for a folder, the hash its content must have. As a
            drawn scene's recipe has it, it also names the LoRA.
        device: ``"auto"`` (CUDA, else Apple's, else the CPU), ``"cuda"``, ``"mps"`` or ``"cpu"``.
        steps, guidance: how to draw; by default what the model is meant for (``models.toml``), else the pipeline's own.
        licence: the terms of use, where they are not known or do not allow advertising; recorded.
        dtype: number format; ``"auto"`` is bfloat16 on CUDA and float32 elsewhere.
        batch_size: scenes drawn at once; by default 4 on a GPU and 1 on the CPU.
        max_side: the longest side of a scene, pixels; by default 1.25 times the side the model was trained on.
        variant: of the weight files, such as ``"fp16"``.
        offload: keep the parts of the model that are not in use in the computer's memory (CUDA only).
        lora: a LoRA made for this model: a ``.safetensors`` file, or the folder that holds it.
        lora_scale: how strongly the LoRA counts; 1 is as it was trained, 0 is not at all.

    Raises:
        InputError: the model or an option cannot be used; nothing was loaded.
        StateError: the content of a folder or of the LoRA is not what ``revision`` says.
        MissingExtraError: torch or diffusers is not installed; or peft, which a LoRA needs.
    """

    name = "diffusers"
    parallel = False
    ai_made = True
    output_type = "pil"  # how the pipeline hands its pictures on
    usual_batch: tuple[int, int] = (1, 4)  # scenes drawn at once where nothing is said: on the CPU, elsewhere
    unknown_pipeline = True  # whether the pipeline must be looked at before it can be said how to draw

    def __init__(
        self,
        model: str = "",
        revision: str = "",
        device: str = "auto",
        steps: int | None = None,
        guidance: float | None = None,
        *,
        licence: str = "",
        dtype: str = "auto",
        batch_size: int | None = None,
        max_side: int | None = None,
        variant: str = "",
        offload: bool = False,
        lora: str = "",
        lora_scale: float = 1.0,
    ) -> None:
        _one_of("device", device, _DEVICES)
        _one_of("dtype", dtype, _DTYPES)
        for option, value, low in (("steps", steps, 1), ("batch_size", batch_size, 1), ("max_side", max_side, 64)):
            _whole(option, value, low)
        _number("guidance", guidance, _MOST_GUIDANCE)
        pinned, _, pinned_lora = revision.partition("+")
        self._source: ModelSource = self._find(model, pinned, licence)
        self._lora: Lora | None = find_lora(lora, lora_scale, pinned_lora)
        for module in ("torch", "diffusers"):
            if find_spec(module) is None:
                require(module, _WHY)
        self._variant, self._offload, self._asked = variant, offload, (device, dtype, batch_size)
        if self.unknown_pipeline or device != "auto":
            _ = self._arguments, self.device
        self.model = self._source.location
        self.revision = "+".join([self._source.revision, *([self._lora.revision] if self._lora else [])])
        self.licence = self._source.licence
        known = self._source.known
        self._guidance_name = known.guidance_name if known else "guidance_scale"
        self.steps = int(steps or (known.steps if known else self._default("num_inference_steps", 50)))
        own = known.guidance if known else self._default(self._guidance_name, 0.0)
        self.guidance = float(own if guidance is None else guidance)
        self.size_multiple = self._source.size_multiple
        longest = max_side or round(self._source.native_side * _LARGER)
        self.max_side: int | None = max(longest // self.size_multiple, 1) * self.size_multiple

    @cached_property
    def _torch(self) -> Any:
        return require("torch", _WHY)

    @cached_property
    def _diffusers(self) -> Any:
        return require("diffusers", _WHY)

    @cached_property
    def device(self) -> str:
        """Where the model runs: ``"cuda"``, ``"mps"`` or ``"cpu"``."""
        return self._chosen_device(self._asked[0])

    @cached_property
    def dtype(self) -> str:
        """The number format that the weights are loaded in."""
        asked = self._asked[1]
        return asked if asked != "auto" else "bfloat16" if self.device == "cuda" else "float32"

    @cached_property
    def batch_size(self) -> int:
        """How many scenes are drawn at once."""
        return self._asked[2] or self.usual_batch[self.device != "cpu"]

    def draw(self, recipes: Sequence[SceneRecipe]) -> Iterator[Rendering]:
        """Draw the recipes in order; neighbours of equal size, steps and guidance are drawn in batches.

        A picture that the model's safety check refuses, or that holds no picture (every pixel equal), is never given
        out: the others are, and then an error names the scenes that are missing.

        Raises:
            InputError: the model cannot be loaded, does not draw such a size, runs out of memory, or refused scenes.
        """
        refused: list[str] = []
        for batch in self._batches(recipes):
            pipeline = self._pipeline  # loading it is nobody's drawing time
            started = time.perf_counter()
            pictures, flags = self._draw_batch(pipeline, batch)
            shared = (time.perf_counter() - started) / len(batch)
            for place, (recipe, picture, flagged) in enumerate(zip(batch, pictures, flags, strict=True), start=1):
                started = time.perf_counter()
                if flagged or self._is_blank(picture):
                    reason = "the model's safety check refused it" if flagged else "the picture is of one colour"
                    refused.append(f"{recipe.scene} / {recipe.style}, {recipe.width} × {recipe.height}: {reason}")
                    continue
                finished, own = self._finished(recipe, picture)
                notes = (f"batch of {len(batch)}, place {place}", *self._circumstances, *own)
                seconds = shared + time.perf_counter() - started
                yield Rendering(recipe=recipe, image=finished, seconds=seconds, notes=notes)
        if refused:
            raise InputError(
                f"{len(refused)} of {len(recipes)} scenes could not be used:\n" + "\n".join(refused),
                "Word the scene or style differently or change plan.seed, and plan again. If every picture is of one "
                "colour, draw with dtype float32.",
            )

    def _batches(self, recipes: Sequence[SceneRecipe]) -> Iterator[list[SceneRecipe]]:
        batch: list[SceneRecipe] = []
        for recipe in recipes:
            if batch and (len(batch) >= self.batch_size or self._shape(batch[0]) != self._shape(recipe)):
                yield batch
                batch = []
            batch.append(recipe)
        if batch:
            yield batch

    def _draw_batch(self, pipeline: Any, batch: Sequence[SceneRecipe]) -> tuple[list[Any], list[bool]]:
        """The pictures as the pipeline hands them on, and which of them its safety check refuses."""
        first, torch = batch[0], self._torch
        width, height = self._drawn_size(first)
        words = [self._words(recipe) for recipe in batch]
        arguments: dict[str, Any] = {
            "prompt": [asked for asked, _ in words],
            "width": width,
            "height": height,
            "num_inference_steps": first.steps,
            "generator": [torch.Generator("cpu").manual_seed(recipe.seed) for recipe in batch],
            "output_type": self.output_type,
        }
        arguments |= self._start(pipeline, batch, arguments["generator"])
        if self._guidance_name in self._arguments:
            arguments[self._guidance_name] = first.guidance
        if "negative_prompt" in self._arguments and first.guidance > 1:
            arguments["negative_prompt"] = [ruled_out for _, ruled_out in words]
        try:
            with torch.inference_mode(), self._quiet():
                output = pipeline(**arguments)
        except torch.OutOfMemoryError as error:
            raise InputError(
                f"The {self.device} has not enough memory for {len(batch)} × {width} × {height} pixels.",
                "Use a smaller batch_size or max_side, or offload=True.",
            ) from error
        except ValueError as error:
            raise InputError(f"{self.model} cannot draw this scene: {error}", "Change steps or max_side.") from error
        flags = getattr(output, "nsfw_content_detected", None) or [False] * len(batch)
        return list(output.images), [bool(flag) for flag in flags]

    @cached_property
    def _pipeline(self) -> Any:
        source = self._source
        options: dict[str, Any] = {"torch_dtype": getattr(self._torch, self.dtype), "use_safetensors": True}
        options |= {"variant": self._variant} if self._variant else {}
        options |= {"local_files_only": True} if source.local else {"revision": source.revision}
        try:
            with self._quiet():
                pipeline = self._diffusers.AutoPipelineForText2Image.from_pretrained(source.location, **options)
        except (OSError, ValueError, AttributeError, ImportError) as error:
            if not source.local:
                raise unreachable(source.location, source.revision, error) from error
            said = " ".join(str(error).split())[:300]
            raise InputError(
                f"The model in {source.location} cannot be loaded as a text-to-image pipeline: {said}",
                "Take a text-to-image model, saved whole with save_pretrained(folder, safe_serialization=True).",
            ) from error
        pipeline.set_progress_bar_config(disable=True)
        if self._lora:
            with self._quiet():
                self._lora.put_on(pipeline)
        if self._offload and self.device == "cuda":
            pipeline.enable_model_cpu_offload()
        else:
            pipeline.to(self.device)
        return pipeline

    @cached_property
    def _circumstances(self) -> tuple[str, ...]:
        torch = self._torch
        versions = ", ".join(f"{package} {version(package)}" for package in ("diffusers", "torch", "transformers"))
        place = torch.cuda.get_device_name() if self.device == "cuda" else f"{torch.get_num_threads()} threads"
        scheduler = type(self._pipeline.scheduler).__name__
        lora = (self._lora.said,) if self._lora else ()
        return f"{self.device}, {self.dtype}, {place}", versions, scheduler, f"licence: {self.licence}", *lora

    def _find(self, model: str, revision: str, licence: str) -> ModelSource:
        """The model to draw with; a backend of one model of its own says here where that is."""
        return find_model(model, revision, licence)

    def _drawn_size(self, recipe: SceneRecipe) -> tuple[int, int]:
        """Width and height in pixels that the pipeline is asked for."""
        return recipe.width, recipe.height

    def _words(self, recipe: SceneRecipe) -> tuple[str, str]:
        """Prompt and negative prompt as the pipeline is given them."""
        return recipe.prompt, recipe.negative_prompt

    def _start(self, pipeline: Any, batch: Sequence[SceneRecipe], generators: Sequence[Any]) -> dict[str, Any]:
        """Arguments that say what to begin with, where that is not the generators' noise alone."""
        return {}

    def _is_blank(self, picture: Any) -> bool:
        """Whether every pixel of a picture is equal."""
        return all(band[0] == band[1] for band in picture.convert("RGB").getextrema())

    def _finished(self, recipe: SceneRecipe, picture: Any) -> tuple[Image, tuple[str, ...]]:
        """The picture in RGB and in the recipe's size, and notes on how it came to that."""
        drawn: Image = picture.convert("RGB")
        if drawn.size == (recipe.width, recipe.height):
            return drawn, ()
        note = f"drawn in {drawn.width} × {drawn.height}, scaled"
        return drawn.resize((recipe.width, recipe.height)), (note,)

    def _shape(self, recipe: SceneRecipe) -> tuple[object, ...]:
        """What recipes of one batch have in common."""
        return *self._drawn_size(recipe), recipe.steps, recipe.guidance

    @cached_property
    def _arguments(self) -> Mapping[str, inspect.Parameter]:
        pipeline = getattr(self._diffusers, self._source.pipeline, None)
        if pipeline is None:
            raise InputError(
                f"{self._source.location} asks for the pipeline {self._source.pipeline or '(none)'!r}, which diffusers "
                f"{version('diffusers')} does not have.",
                "Code that comes with a model is never run: take a model of a newer or another pipeline.",
            )
        return inspect.signature(pipeline.__call__).parameters

    def _default(self, argument: str, fallback: float) -> float:
        value = self._arguments[argument].default if argument in self._arguments else fallback
        return float(value) if isinstance(value, (int, float)) else fallback

    def _chosen_device(self, device: str) -> str:
        there = {"cuda": self._torch.cuda.is_available(), "mps": self._torch.backends.mps.is_available(), "cpu": True}
        if device == "auto":
            return next(name for name in ("cuda", "mps", "cpu") if there[name])
        if not there[device]:
            usable = ", ".join(name for name in there if there[name])
            raise InputError(f"The device {device!r} is not usable on this machine.", f"Usable: auto, {usable}.")
        return device

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """No progress bars and no advice from the libraries while we load and draw; their settings come back.

        ``torch_dtype`` is the name that all versions of diffusers from 0.38 know; newer ones warn of its end in 1.0.
        """
        from transformers.utils import logging as transformers_logging

        loggers = (self._diffusers.utils.logging, transformers_logging)
        before = [(logger, logger.get_verbosity(), logger.is_progress_bar_enabled()) for logger in loggers]
        for logger in loggers:
            logger.set_verbosity_error()
            logger.disable_progress_bar()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)
                yield
        finally:
            for logger, verbosity, bars in before:
                logger.set_verbosity(verbosity)
                if bars:
                    logger.enable_progress_bar()


def _whole(option: str, value: object, low: int) -> None:
    """Nothing, or a whole number of at least ``low``."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"The option {option} is {value!r}, which is no whole number.", f"Give one, {low} or more.")
    if value < low:
        raise InputError(f"The option {option} is {value}.", f"It must be at least {low}.")


def _number(option: str, value: object, most: float) -> None:
    """Nothing, or a number from 0 to ``most``."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise InputError(f"The option {option} is {value!r}.", f"Give a number from 0 to {most:g}.")


def _one_of(option: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(f"The option {option} is {value!r}.", f"Known: {', '.join(known)}.")
