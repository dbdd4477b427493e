"""The house CLIP as open_clip builds, saves and loads it: a small ResNet for pictures, a transformer for words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from training.grammar import LABELS
from training.phrases import STOP_WORDS
from training.tokenizer import CONTEXT

#: Side in pixels of the square pictures it sees.
SIDE = 64
#: Length of its vectors.
WIDTH = 256

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def settings_of(words: int, width: int = 32, layers: Sequence[int] = (1, 2, 2, 1)) -> dict[str, Any]:
    """The content of ``open_clip_config.json``: so many tokens, a picture side so wide with so many blocks."""
    return {
        "model_cfg": {
            "embed_dim": WIDTH,
            "vision_cfg": {"image_size": SIDE, "layers": list(layers), "width": width, "head_width": 64},
            "text_cfg": {
                "context_length": CONTEXT,
                "vocab_size": words,
                "width": 192,
                "heads": 3,
                "layers": 2,
                "hf_tokenizer_name": "tokenizer",
            },
        },
        "preprocess_cfg": {
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "interpolation": "bicubic",
            "resize_mode": "longest",
        },
    }


def new_clip(words: int, width: int = 32, layers: Sequence[int] = (1, 2, 2, 1)) -> nn.Module:
    """An untrained house CLIP for a vocabulary of so many tokens."""
    settings = settings_of(words, width, layers)["model_cfg"]
    text = {name: value for name, value in settings["text_cfg"].items() if name != "hf_tokenizer_name"}
    model: nn.Module = open_clip.CLIP(WIDTH, settings["vision_cfg"], text)
    return model.to(memory_format=torch.channels_last)


def save_clip(
    clip: nn.Module, tokenizer: Path, folder: Path, width: int = 32, layers: Sequence[int] = (1, 2, 2, 1)
) -> None:
    """Write the model in float16, its config and its tokenizer's files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    words = int(clip.vocab_size)  # type: ignore[arg-type]
    text = json.dumps(settings_of(words, width, layers), indent=2) + "\n"
    (folder / "open_clip_config.json").write_text(text, "utf-8")
    weights = {
        name: value.detach().cpu().half().contiguous() if value.is_floating_point() else value.cpu().contiguous()
        for name, value in clip.state_dict().items()
    }
    file = folder / "open_clip_model.safetensors"
    save_file(weights, file, {"format": "pt"})
    file.chmod(0o644)
    (folder / "brand_fit.json").write_text(json.dumps(_for_brand_fit(), indent=1) + "\n", "utf-8")
    for name in _TOKENIZER_FILES:
        if (tokenizer / name).resolve() != (folder / name).resolve():
            shutil.copyfile(tokenizer / name, folder / name)


def _for_brand_fit() -> dict[str, list[str]]:
    """What scoring needs to know of these words: which mean nothing alone, and what any picture of the world may be."""
    kinds = ("setting", "light", "colour")
    return {
        "hollow": sorted(STOP_WORDS),
        "contrasts": [f"a picture {phrases[0]}" for kind in kinds for phrases in LABELS[kind].values()],
    }


def load_clip(folder: Path, device: torch.device | str = "cpu") -> nn.Module:
    """The saved model in float32, ready to judge."""
    model: nn.Module = open_clip.create_model(f"local-dir:{folder}", load_weights=False, device=device)
    open_clip.load_checkpoint(model, str(folder / "open_clip_model.safetensors"))
    return model.float().eval()


def pictures_of(pixels: NDArray[np.uint8], device: torch.device | str) -> Tensor:
    """Pictures (B, H, W, 3) of 0–255 as the network takes them: (B, 3, H, W) in −1 … 1, channels last in memory."""
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def text_vectors(clip: nn.Module, tokens: Tensor) -> Tensor:
    """What ``encode_text`` gives for tokens (B, L) that need not fill the context; vectors (B, WIDTH), not normalised.

    Nothing behind ``<end>`` counts, as attention looks back only; so short texts need not be padded to 48 tokens.
    """
    length = tokens.shape[1]
    x = clip.token_embedding(tokens) + clip.positional_embedding[:length]  # type: ignore[operator,index]
    x = clip.transformer(x, attn_mask=clip.attn_mask[:length, :length])  # type: ignore[operator,index]
    x = clip.ln_final(x)  # type: ignore[operator]
    last = x[torch.arange(len(x), device=x.device), tokens.argmax(dim=-1)]
    return last @ clip.text_projection  # type: ignore[no-any-return]
