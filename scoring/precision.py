"""In which precision a CLIP model is run: the fastest that ranks pictures as full precision does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FULL, HALF, MIXED = "fp32", "pure_bf16", "amp_bf16"

#: Another precision is taken where the cosines of pairs of pictures keep their order: Spearman's correlation with full.
AGREEMENT = 0.99


def precision_for(tower: str, device: str, *, quick_at_half: bool) -> str:
    """The precision to try for a picture tower, by the name of its class, on a device.

    Measured on CPUs with instructions for bfloat16: open_clip's own ViT is 3.5 times as fast in pure bfloat16 and three
    times slower under autocast; towers of timm are 2 to 3 times as fast under autocast. Without such instructions half
    precision is many times slower. Convolutional towers stay in full precision on CPUs.
    """
    if device.startswith("cuda"):
        return HALF
    if not quick_at_half:
        return FULL
    return {"VisionTransformer": HALF, "TimmModel": MIXED}.get(tower, FULL)


def quick_at_half(torch: Any) -> bool:
    """Whether this CPU has instructions for bfloat16; one that only imitates it is many times slower in it."""
    known = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(check()) for name in known if (check := getattr(torch.cpu, name, None)))


def agreement(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Spearman's correlation of the cosines of all pairs in two sets (n, d) of unit vectors of the same pictures."""
    from scipy.stats import spearmanr

    upper = np.triu_indices(len(first), 1)
    return float(spearmanr((first @ first.T)[upper], (second @ second.T)[upper]).statistic)
