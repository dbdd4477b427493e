"""The house CLIP: our own small model that comes with the package and scores brand fit when no other is named."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scoring.embedding import Embedder

#: Where its weights are.
HOUSE_FOLDER = Path(__file__).parent / "house_clip"
#: The name in the settings for no CLIP model at all.
NO_MODEL = "none"

_NEEDED = ("open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json")


def house_model() -> tuple[str, str]:
    """The house CLIP as ``local-dir:FOLDER`` and "", or "" and the reason why it cannot be used."""
    missing = [name for name in _NEEDED if not (HOUSE_FOLDER / name).is_file()]
    if missing:
        return "", f"The house CLIP is not in this copy (missing: {', '.join(missing)}): brand fit is not scored."
    absent = [name for name in ("torch", "open_clip", "transformers") if find_spec(name) is None]
    if absent:
        return "", (
            f"Brand fit is not scored: the house CLIP needs {', '.join(absent)}. "
            'Install it with: pip install "proofsheet[creative]"'
        )
    return f"local-dir:{HOUSE_FOLDER}", ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What a model with a vocabulary of its own makes of phrases.

    ``hollow`` are known words that show nothing by themselves; ``contrasts`` are phrases for any picture at all, or
    empty when the usual ones do.
    """

    hollow: frozenset[str] = frozenset()
    contrasts: tuple[str, ...] = ()

    @classmethod
    def of(cls, embedder: Embedder) -> Lexicon:
        """That of the model's folder, in ``brand_fit.json``; an empty one where there is none."""
        file = embedder.folder / "brand_fit.json" if embedder.folder else None
        if file is None or not file.is_file():
            return cls()
        kept = json.loads(file.read_text("utf-8"))
        return cls(frozenset(kept.get("hollow", ())), tuple(kept.get("contrasts", ())))

    def says(self, phrase: str, unknown: tuple[str, ...]) -> bool:
        """Whether a phrase has a word that the model knows and that shows something."""
        return any(word not in unknown for word in self.words(phrase))

    def words(self, phrase: str) -> tuple[str, ...]:
        """The words of a phrase, in lower case, without the hollow ones."""
        return tuple(word for word in re.findall(r"[^\W_]+", phrase.lower()) if word not in self.hollow)
