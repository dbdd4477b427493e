"""The door every scene comes through: what a backend is, and how one is opened by name."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from proofsheet import plugins
from proofsheet.domain.asset import SceneRecipe
from proofsheet.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Rendering:
    """One drawn scene: an RGB picture of exactly the recipe's size, and what drawing it took.

    ``seconds`` is this picture's share of the wall time of its batch; ``notes`` say what the reader of a ledger should
    know: batch shape, threads, versions, what a safety check found.
    """

    recipe: SceneRecipe
    image: Image
    seconds: float
    notes: tuple[str, ...] = ()


@runtime_checkable
class ImageBackend(Protocol):
    """What draws scenes.

    ``name``, ``model`` and ``revision`` go into every recipe, so that a change of any of them makes new scenes.
    ``steps`` and ``guidance`` are what this backend draws with (0 where the words mean nothing). Scene sizes are
    multiples of ``size_multiple`` and no side is longer than ``max_side`` (None: no limit). ``ai_made`` says whether
    a trained model makes the picture, ``licence`` under which terms it may be used. ``parallel`` says that scenes may
    be drawn by several processes at once, each opening the backend anew: so where there is no model to load.
    """

    name: str
    model: str
    revision: str
    steps: int
    guidance: float
    size_multiple: int
    max_side: int | None
    ai_made: bool
    licence: str
    parallel: bool

    def draw(self, recipes: Sequence[SceneRecipe]) -> Iterator[Rendering]:
        """Draw the recipes and yield them in the order given, each as soon as it is there.

        Every picture has its own random generator, seeded by its recipe alone.
        """
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend taken because none was named; ``reason`` says why it is not the house model ("" where it is)."""

    name: str
    reason: str = ""


def default_backend() -> Choice:
    """The backend to draw with when none is named: the house model where its weights and packages are installed.

    Nothing is imported for the answer. Without them it is the procedural renderer, which needs no model.
    """
    from generation.house.folder import BACKEND, has_weights, missing_packages

    if not has_weights():
        return Choice("procedural")
    if missing := missing_packages():
        return Choice(
            "procedural",
            f"Scenes are rendered without a model, because {', '.join(missing)} is not installed. For the house model: "
            'pip install "proofsheet[creative]", or in the project\'s folder: make setup',
        )
    return Choice(BACKEND)


def remarks(backend: ImageBackend, recipes: Sequence[SceneRecipe]) -> tuple[str, ...]:
    """What a user should know before these recipes are drawn, such as words the model does not know.

    A backend that has anything to say has a method ``remarks(recipes)``; it draws and loads nothing.
    """
    said: tuple[str, ...] = getattr(backend, "remarks", lambda _: ())(recipes)
    return said


def open_backend(name: str, model: str = "", **options: Any) -> ImageBackend:
    """Open a backend by the name of its plug-in.

    Args:
        name: a name of the entry point group ``proofsheet.backends``, such as ``"house"`` or ``"procedural"``.
        model: a folder or a model's name, for backends that load one.
        options: what the backend's constructor takes, such as ``device`` or ``steps``.

    Raises:
        NotFoundError: there is no backend of that name.
        InputError: the backend does not know an option, or cannot use the model.
        MissingExtraError: what the backend needs is not installed.
    """
    factory = plugins.load(plugins.BACKENDS, name)
    try:
        backend = factory(model=model, **options)
    except TypeError as error:
        if "argument" not in str(error) or error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise
        taken = [one for one in inspect.signature(factory).parameters if one != "model"]
        unknown = ", ".join(sorted(set(options) - set(taken))) or str(error)
        raise InputError(
            f"The backend {name!r} does not take: {unknown}.",
            f"It takes: {', '.join(taken)}." if taken else "It takes no options.",
        ) from error
    return cast(ImageBackend, backend)
