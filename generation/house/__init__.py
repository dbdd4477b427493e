"""The house models: our own small latent diffusion model and its enlarger. Importing this loads no torch.

``ModelMixin`` and ``PreTrainedModel`` are handed on because diffusers looks for the base classes that it knows in the
package that a folder's ``model_index.json`` names.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "HouseAutoencoder",
    "HouseTextEncoder",
    "HouseTransformer",
    "HouseUpscaler",
    "ModelMixin",
    "PackedAutoencoder",
    "PreTrainedModel",
]

_HOMES = {
    "HouseAutoencoder": "generation.house.autoencoder",
    "HouseTextEncoder": "generation.house.text",
    "HouseTransformer": "generation.house.transformer",
    "HouseUpscaler": "generation.house.upscaler",
    "ModelMixin": "generation.house.autoencoder",
    "PackedAutoencoder": "generation.house.packing",
    "PreTrainedModel": "generation.house.text",
}


def __getattr__(name: str) -> Any:
    """A class of this package, loaded when first asked for."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
