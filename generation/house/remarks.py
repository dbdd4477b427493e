"""What a user should know before the house model draws: words it does not know, and what it hears of the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from generation.house.hearing import Hearing, heard
from generation.house.words import read_vocabulary, word_remarks
from proofsheet.domain.asset import SceneRecipe


def remarks(recipes: Sequence[SceneRecipe], folder: Path) -> tuple[str, ...]:
    """Sentences about these scenes' prompts; nothing is drawn, and torch is not loaded.

    Args:
        recipes: of one plan.
        folder: of the house model.

    Raises:
        InputError: the model's files cannot be read.
        MissingExtraError: what reads them is not installed.
    """
    vocabulary, hearing = read_vocabulary(folder), Hearing.of(folder)
    said = word_remarks(dict.fromkeys(recipe.prompt for recipe in recipes), vocabulary)
    return (*said, heard(recipes, hearing, vocabulary)) if hearing and recipes else said
