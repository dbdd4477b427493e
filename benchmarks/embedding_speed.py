"""Pictures a second through CLIP, as ratios within one run.

    python benchmarks/embedding_speed.py [--rounds 2]

ViT-B-32 with random weights, 64 pictures of 1080 × 1080: Proofsheet's embedder from memory, next to the bare model on
tensors that are ready (in the precision that the embedder takes here), and next to a loop that opens one file after the
other with open_clip's own preprocessing. Threads as the environment sets them (OMP_NUM_THREADS).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file
from timing import best

from scoring.embedding import Embedder
from scoring.precision import quick_at_half

MODEL, PICTURES, SIDE, BATCH = "ViT-B-32", 64, 1080, 32


def picture(seed: int) -> Image.Image:
    """A picture with coarse and fine detail."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC
    )
    return Image.fromarray(
        np.clip(np.asarray(coarse, np.int16) + rng.integers(-9, 10, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    )


def measured(rounds: int, folder: Path) -> list[str]:
    """Run the three in turns."""
    torch.manual_seed(1)
    weights = folder / "weights.safetensors"
    net, _, preprocess = open_clip.create_model_and_transforms(MODEL, load_weights=False)
    net.eval()
    save_file({key: value.contiguous() for key, value in net.state_dict().items()}, weights)
    embedder = Embedder(MODEL, str(weights))
    bare, kind = embedder._model, embedder._dtype()
    pictures = [picture(seed) for seed in range(PICTURES)]
    files = [folder / f"{seed}.png" for seed in range(PICTURES)]
    for image, file in zip(pictures, files, strict=True):
        image.save(file, compress_level=1)
    ready = torch.stack([preprocess(image) for image in pictures]).to(embedder._device, dtype=kind)

    def one_by_one() -> None:
        for file in files:
            with torch.inference_mode():
                net.encode_image(preprocess(Image.open(file))[None])

    def alone() -> None:
        with torch.inference_mode(), embedder._mixed():
            for start in range(0, PICTURES, BATCH):
                bare.encode_image(ready[start : start + BATCH]).float().cpu()

    loop, model, ours = best([one_by_one, alone, lambda: embedder.pictures(pictures)], rounds, time.process_time)
    half = "has" if quick_at_half(torch) else "has no"
    return [
        f"{torch.get_num_threads()} threads; the processor {half} instructions for bfloat16, so the embedder runs in "
        f"`{embedder._precision}` on `{embedder._device}`.",
        "",
        "| what | pictures a CPU second | × bare model | × loop |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {name} | {PICTURES / seconds:.1f} | {model / seconds:.2f} | {loop / seconds:.2f} |"
            for name, seconds in (
                ("open_clip, one file after the other, fp32", loop),
                ("bare model on ready tensors, batches of 32", model),
                ("Proofsheet from memory: framing and model", ours),
            )
        ),
        "",
        f"Wanted: 0.9 × the bare model ({'met' if model / ours >= 0.9 else 'missed'}), 5 × the loop "
        f"({'met' if loop / ours >= 5 else 'missed'}).",
    ]


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/embedding_speed.md"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(arguments.rounds, Path(folder))
    text = "\n".join(
        [
            "# Embedding pictures",
            "",
            f"`OMP_NUM_THREADS=1 python benchmarks/embedding_speed.py --rounds {arguments.rounds}` reproduces it.",
            "",
            f"{MODEL} with random weights, {PICTURES} pictures of {SIDE} × {SIDE}; CPU time, best of turns.",
            "",
            *found,
            "",
            "Without instructions for bfloat16 the loop's own model calls take most of its time, and nothing that "
            "runs the same model in the same precision can be five times as fast.",
            "",
        ]
    )
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
