"""The door every scene comes through: what a backend is, and how one is opened by name."""

from __future__ import annotations

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


def open_backend(name: str, model: str = "", **options: Any) -> ImageBackend:
    """Open a backend by the name of its plug-in.

    Args:
        name: a name of the entry point group ``proofsheet.backends``, such as ``"procedural"``.
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
        given = ", ".join(sorted(options)) or "none"
        raise InputError(
            f"The backend {name!r} does not take these options ({given}): {error}.",
            "Leave out the option it does not know.",
        ) from error
    return cast(ImageBackend, backend)
