"""The CLIP model that the soft scorers share: opened once, when it is needed, or the reason why there is none."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from scoring.house import NO_MODEL, house_model
from scoring.weights import LOCAL

if TYPE_CHECKING:
    from scoring.embedding import Embedder


class SharedClip:
    """A model as the settings name it; scorers that name the same one share it in memory.

    Args:
        model: open_clip model name or ``local-dir:FOLDER``; empty: the house CLIP; ``none``: no model.
        checkpoint: path of the ``.safetensors`` weights of a named model.
        device: ``auto``, ``cpu`` or ``cuda``.
        cache: folder for embeddings, or None.
        what: what is not scored without a model, as a sentence begins.

    Raises:
        InputError: a model that is named cannot be used. The house CLIP is opened only when it is needed.
    """

    def __init__(self, model: str, checkpoint: str, device: str, cache: Path | None, what: str) -> None:
        self.without = ""
        self._embedder: Embedder | None = None
        if model == NO_MODEL:
            self.without = f"No CLIP model is wanted: {what} is not scored."
            return
        house = not model
        if house:
            model, self.without = house_model()
        self._named = (model, checkpoint, device, cache)
        if not house:
            self.open()

    @property
    def title(self) -> str:
        """The model's name and fingerprint once it is open, else ""."""
        return self._embedder.title if self._embedder else ""

    def open(self) -> Embedder | None:
        """The model, or None: ``without`` says why."""
        if self.without:
            return None
        if self._embedder is None:
            model, checkpoint, device, cache = self._named
            self._embedder = _opened(model, checkpoint, device, cache, _state_of(model, checkpoint))
        return self._embedder


@lru_cache(maxsize=1)
def _opened(model: str, checkpoint: str, device: str, cache: Path | None, state: tuple[object, ...]) -> Embedder:
    from scoring.embedding import Embedder

    return Embedder(model, checkpoint, device=device, cache=cache)


def _state_of(model: str, checkpoint: str) -> tuple[object, ...]:
    """Names, sizes and times of the model's files: other weights in their place are another model."""
    files = [Path(checkpoint)] if checkpoint else []
    if model.startswith(LOCAL):
        folder = Path(model.removeprefix(LOCAL))
        files = sorted(folder.iterdir()) if folder.is_dir() else []
    stats = [(file.name, file.stat()) for file in files if file.is_file()]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
