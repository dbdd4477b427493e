"""What the house model hears of a prompt, told before anything is drawn and without torch.

A known word may still say nothing: the model was taught whole phrases, and what a text leaves open chance decides. So
what is heard of each scene and style is said at planning. The text tower's two layers take a few milliseconds in numpy;
torch alone would take seconds to load. The same weights are read that the model draws with.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from generation.house.choices import HEADS, SLOTS, SUBJECTS, said_by
from generation.house.folder import DIFFUSION
from generation.house.words import LIGHT, PEOPLE_LIGHT, SETTING, Vocabulary, tell
from proofsheet.domain.asset import SceneRecipe
from proofsheet.errors import InputError, require

Floats = NDArray[np.float32]

_TEXT, _UNET = "text_encoder/model.safetensors", "unet/diffusion_pytorch_model.safetensors"
_READER = "sketch.reader.heads."
_NORMAL = NormalDist()
_NO_SETTING, _NO_LIGHT = "no setting", "no light"
#: Whose words are to say it, where it is left open: of backdrops and of people.
_OWNERS: Mapping[str, Mapping[str, str]] = {
    "set": {"setting": "scene", "detail": "scene", "light": "style"},
    "people": {"light": "style"},
}


class Hearing:
    """The text tower and the reader of a house model.

    Args:
        weights: of the text tower, by transformers' names, and of the reader (``weight`` and ``bias``).
        settings: the text tower's config.
        words: each word's token.
    """

    def __init__(self, weights: Mapping[str, Floats], settings: Mapping[str, Any], words: Mapping[str, int]) -> None:
        self._weights, self._settings, self._words = weights, settings, words

    @classmethod
    def of(cls, folder: Path) -> Hearing | None:
        """That of a house model's folder, read once; None where the folder holds a vocabulary alone.

        Raises:
            InputError: the files are not those of a house model.
            MissingExtraError: safetensors is not installed.
        """
        files = [folder / DIFFUSION / name for name in (_TEXT, _UNET)]
        if not all(file.is_file() for file in files):
            return None
        return _read(folder, tuple(file.stat().st_mtime_ns for file in files))

    def said(self, prompt: str) -> dict[str, str | int] | None:
        """What a prompt of known words says: ``subject`` and its attributes, ``UNSAID`` where it leaves one open.

        None where it says nothing at all.
        """
        scores = self._vector(prompt) @ self._weights["weight"].T + self._weights["bias"]
        borders = np.cumsum([len(values) for values in HEADS.values()])[:-1]
        parts = zip(HEADS, np.split(scores, borders), strict=True)
        return said_by({head: int(part.argmax()) for head, part in parts})

    def _vector(self, prompt: str) -> Floats:
        """The text's vector (width,), as transformers' ``CLIPTextModel`` pools it: the state of the end mark."""
        inner = [self._words.get(word, self._words["<unk>"]) for word in prompt.split()]
        most = int(self._settings["max_position_embeddings"])
        tokens = [self._words["<start>"], *inner[: most - 2], self._words["<end>"]]
        states = self._weights["embeddings.token_embedding.weight"][tokens]
        states = states + self._weights["embeddings.position_embedding.weight"][: len(tokens)]
        for number in range(int(self._settings["num_hidden_layers"])):
            states = self._layer(f"encoder.layers.{number}.", states)
        pooled: Floats = self._normed("final_layer_norm", states[-1:])[0]
        return pooled

    def _layer(self, name: str, states: Floats) -> Floats:
        """One layer: attention that looks back only, then two layers for each token, both beside the states."""
        heads, length = int(self._settings["num_attention_heads"]), len(states)
        inner = self._normed(f"{name}layer_norm1", states)
        query, key, value = (
            self._linear(f"{name}self_attn.{part}_proj", inner).reshape(length, heads, -1).transpose(1, 0, 2)
            for part in "qkv"
        )
        likeness = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[2])
        likeness = np.where(np.tri(length, dtype=bool), likeness, -np.inf)
        shares = np.exp(likeness - likeness.max(axis=2, keepdims=True))
        found = (shares / shares.sum(axis=2, keepdims=True)) @ value
        states = states + self._linear(f"{name}self_attn.out_proj", found.transpose(1, 0, 2).reshape(length, -1))
        wide = self._linear(f"{name}mlp.fc1", self._normed(f"{name}layer_norm2", states))
        return states + self._linear(f"{name}mlp.fc2", 0.5 * wide * (1 + erf(wide / math.sqrt(2))))

    def _linear(self, name: str, states: Floats) -> Floats:
        found: Floats = states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return found

    def _normed(self, name: str, states: Floats) -> Floats:
        even = states - states.mean(axis=-1, keepdims=True)
        spread = np.sqrt(even.var(axis=-1, keepdims=True) + float(self._settings["layer_norm_eps"]))
        found: Floats = even / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return found


@cache
def _read(folder: Path, changed: tuple[int, ...]) -> Hearing:
    """Read once in a process while the times of change (in the key) stay the same."""
    opened = require("safetensors", "to say what the house model hears").safe_open
    home = folder / DIFFUSION
    try:
        settings = json.loads((home / "text_encoder" / "config.json").read_text("utf-8"))
        if settings["hidden_act"] != "gelu":
            raise ValueError(f"its text tower has the activation {settings['hidden_act']!r} and not 'gelu'")
        words = json.loads((home / "tokenizer" / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
        weights: dict[str, Floats] = {}
        for file, begin in ((_TEXT, ""), (_UNET, _READER)):
            with opened(home / file, "numpy") as kept:
                names = [name for name in kept.keys() if name.startswith(begin)]  # noqa: SIM118  no mapping
                weights |= {name.removeprefix(begin): kept.get_tensor(name).astype(np.float32) for name in names}
        return Hearing({name.removeprefix("text_model."): value for name, value in weights.items()}, settings, words)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"What the house model in {folder} hears cannot be read: {error}.", "Install Proofsheet again."
        ) from error


def left_open(recipe: SceneRecipe, said: Mapping[str, str | int] | None) -> dict[int, float]:
    """The numbers that the noise is to carry for what the words of a scene or a style should have said and do not.

    They follow from the level's name: all variants of a level show the same, else a test of it would compare what
    chance drew. What else is open, such as a person's skin tone, stays with the recipe's seed.

    Returns:
        Number by slot, see ``choices.SLOTS``.
    """
    if said is None:
        return {}
    subject = str(said["subject"])
    open_here = [name for name in _OWNERS[subject] if said.get(name, "") not in SUBJECTS[subject][name]]
    return {
        SLOTS[subject][name]: _number_of(name, recipe.scene if _OWNERS[subject][name] == "scene" else recipe.style)
        for name in open_here
    }


def _number_of(attribute: str, level: str) -> float:
    """A standard normal number that follows from a level's name."""
    drawn = int.from_bytes(hashlib.sha256(f"{attribute} of {level}".encode()).digest()[:6], "big")
    return _NORMAL.inv_cdf((drawn + 0.5) / 2**48)


def heard(recipes: Sequence[SceneRecipe], hearing: Hearing, vocabulary: Vocabulary) -> str:
    """Sentences on what is heard of each scene and style, and on what to write where it is nothing."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for recipe in recipes:
        said = hearing.said(tell(recipe.prompt, vocabulary).prompt) or {"subject": "set"}
        people = said["subject"] == "people"
        setting, light = str(said.get("setting", "")), str(said.get("light", ""))
        heard_as = {
            ("scene", recipe.scene): "people" if people else SETTING.get(setting, _NO_SETTING),
            ("style", recipe.style): (PEOPLE_LIGHT if people else LIGHT).get(light, _NO_LIGHT),
        }
        for level, words in heard_as.items():
            found.setdefault(level, {})[words] = None
    levels = sorted(found, key=lambda level: level[0])
    told = "; ".join(f"{kind} '{name}' as {' or '.join(found[kind, name])}" for kind, name in levels)
    sentences = [f"The house model hears {told}."]
    for nothing, known in ((_NO_SETTING, SETTING), (_NO_LIGHT, LIGHT)):
        if any(nothing in heard_as for heard_as in found.values()):
            sentences.append(
                f"Where that is {nothing}, chance draws one, the same for all variants of the level. It knows: "
                f"{', '.join(known.values())}."
            )
    return " ".join(sentences)
