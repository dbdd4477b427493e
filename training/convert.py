"""The house CLIP's text tower as the denoiser hears it, in the form of transformers, number for number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import load_file
from torch import Tensor

if TYPE_CHECKING:
    from generation.house.text import HouseTextEncoder

_PARTS = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}


def text_encoder_of(clip_folder: Path) -> HouseTextEncoder:
    """The text tower of a saved house CLIP, in float32, ready to be saved into a diffusers folder.

    Its last hidden states are those behind the final norm, the first of them the pooled one; its pooled output is that
    at ``<end>``, as open_clip has it before the projection. The activation is the exact GELU.

    Args:
        clip_folder: with ``open_clip_config.json``, ``open_clip_model.safetensors`` and ``tokenizer.json``.
    """
    from transformers import CLIPTextConfig

    from generation.house.text import HouseTextEncoder

    settings = json.loads((clip_folder / "open_clip_config.json").read_text("utf-8"))["model_cfg"]["text_cfg"]
    special = _special_tokens(clip_folder)
    config = CLIPTextConfig(
        vocab_size=settings["vocab_size"],
        hidden_size=settings["width"],
        intermediate_size=4 * settings["width"],
        projection_dim=settings["width"],
        num_hidden_layers=settings["layers"],
        num_attention_heads=settings["heads"],
        max_position_embeddings=settings["context_length"],
        hidden_act="gelu",
        layer_norm_eps=1e-5,
        **special,
    )
    model: HouseTextEncoder = HouseTextEncoder(config)
    own = model.state_dict()
    prefix = "text_model." if any(name.startswith("text_model.") for name in own) else ""
    weights = load_file(clip_folder / "open_clip_model.safetensors")
    wanted = {prefix + name: value.float() for name, value in _renamed(weights).items()}
    kept = {name for name in own if name.endswith("position_ids")}
    model.load_state_dict({**{name: own[name] for name in kept}, **wanted})
    model.eval()
    return model


def _special_tokens(folder: Path) -> dict[str, int]:
    """The numbers of begin, end and padding."""
    ids: dict[str, Any] = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    return {"bos_token_id": ids["<start>"], "eos_token_id": ids["<end>"], "pad_token_id": ids["<pad>"]}


def _renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """open_clip's text weights under transformers' names; the fused attention input is cut into three."""
    found = {
        "embeddings.token_embedding.weight": weights["token_embedding.weight"],
        "embeddings.position_embedding.weight": weights["positional_embedding"],
        "final_layer_norm.weight": weights["ln_final.weight"],
        "final_layer_norm.bias": weights["ln_final.bias"],
    }
    for name, value in weights.items():
        if not name.startswith("transformer.resblocks."):
            continue
        number, part = name.removeprefix("transformer.resblocks.").split(".", 1)
        layer = f"encoder.layers.{number}"
        if part.startswith("attn.in_proj_"):
            kind = part.removeprefix("attn.in_proj_")
            for which, piece in zip("qkv", value.chunk(3), strict=True):
                found[f"{layer}.self_attn.{which}_proj.{kind}"] = piece
        else:
            stem, kind = part.rsplit(".", 1)
            found[f"{layer}.{_PARTS[stem]}.{kind}"] = value
    return found
