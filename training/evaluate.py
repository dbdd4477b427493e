"""Judges the house models on combinations held out from training, and writes ``report/`` into the run's folder.

Usage: python -m training evaluate --out DIR
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from generation.house.folder import DIFFUSION, UPSCALER, WEIGHTS
from proofsheet.errors import StateError
from training import metrics
from training.clip_judge import HouseClip, evaluate_clip
from training.dataset import Data
from training.drawing import Drawer, digest_of, whole_caption
from training.enlarging import measure_enlarger
from training.metrics import Floats
from training.probe import Probe, square, write_json
from training.progress import Progress
from training.recognised import Recognised
from training.visibility import Visibility
from training.world import Facts, keep_masters, render

_ROOT = Path(__file__).parent.parent
_CLIP = _ROOT / "scoring" / "house_clip"
_SEED = 2026
PROMPTS, SEEDS = 21, 16

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything measured, as it stands in ``report.json``."""

    figures: Mapping[str, Any]

    @classmethod
    def load(cls, out: Path) -> Report:
        """The report of a run's folder."""
        return cls(json.loads((Path(out) / "report" / "report.json").read_text("utf-8")))


@dataclass(frozen=True, slots=True)
class _Square:
    """All square renders of a split: pictures (N, 128, 128, 3) and facts."""

    images: Pixels
    facts: list[Facts]

    @classmethod
    def of(cls, data: Data, split: str) -> _Square:
        shards = square(data, split)
        return cls(np.concatenate([s.images for s in shards]), [row for s in shards for row in s.facts])


def evaluate(out: Path, folder_diffusion: Path, folder_clip: Path, data: Data, n: int = 500) -> Report:
    """Measure everything and write ``out/report``: report.json, report.md and sheets of pictures.

    Args:
        out: the run's folder, with its probe; what is drawn is kept in ``out/report/cache``.
        folder_diffusion: as diffusers saves pipelines; an enlarger is looked for beside it.
        folder_clip: as open_clip loads it.
        data: the renders.
        n: how many scenes are drawn, one for each held-out combination.

    Raises:
        StateError: a model, the probe or renders are missing.
    """
    for model, file in ((folder_diffusion, "model_index.json"), (folder_clip, "open_clip_config.json")):
        if not (model / file).is_file():
            raise StateError(f"There is no model in {model}.", "Train and install it first: python -m training run")
    folder, begun = Path(out) / "report", time.monotonic()
    cache = folder / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    report = Progress("evaluate")
    probe, seen = Probe.load(out), Visibility.load(out)
    drawer, clip = Drawer(folder_diffusion, cache), _Embedder(folder_clip, cache)
    held, train = _Square.of(data, "held"), _Square.of(data, "train")
    picked = _in_proportion(held.facts, n)
    facts = [held.facts[place] for place in picked]
    texts = [whole_caption(row, random.Random(place)) for place, row in enumerate(facts)]
    speed = drawer.seconds_a_picture(texts)
    drawn = drawer.draw(texts, range(len(texts)), report)
    rebuilt = drawer.redrawn(held.images)
    renders = Recognised.of(probe, held.images[picked], facts, seen)
    generated = Recognised.of(probe, drawn, facts, seen)
    ratios = metrics.psnr(held.images, rebuilt)
    every_render = Recognised.of(probe, held.images, held.facts, seen)
    every_rebuilt = Recognised.of(probe, rebuilt, held.facts, seen)
    vectors = {"drawn": clip(drawn), "held": clip(held.images, "held"), "train": clip(train.images, "train")}
    figures: dict[str, Any] = {
        "models": {"diffusion": drawer.mark, "clip": clip.mark, "steps": drawer.steps, "guidance": drawer.guidance},
        "counts": {"drawn": len(drawn), "held": len(held.facts), "train": len(train.facts), **_trained(out)},
        "autoencoder": {
            "psnr_mean": round(float(ratios.mean()), 2),
            "psnr_worst_tenth": round(float(np.quantile(ratios, 0.1)), 2),
            "psnr_least": round(float(ratios.min()), 2),
            "readings": every_rebuilt.all_readings().as_json(),
        },
        "requested": generated.requested().as_json(),
        "renders": renders.as_json(),
        "reconstructions": Recognised.of(probe, rebuilt[picked], facts, seen).as_json(),
        "generated": generated.as_json(),
        "all_held_renders": every_render.as_json(),
        "all_held_reconstructions": every_rebuilt.as_json(),
        "clip": evaluate_clip(folder_clip, data),
        "diversity": _diversity(
            drawer, clip, held, vectors["held"].mean(axis=0), report, cache, data.folder / "masters"
        ),
        "frechet": _frechet(vectors, picked, train.facts),
        "memorisation": _memorisation(drawn, held.images, train.images, vectors),
        "speed": speed,
        "enlarger": measure_enlarger(folder_diffusion.parent / UPSCALER, drawer, facts[:: max(1, n // 16)], cache),
    }
    figures["seconds"] = round(time.monotonic() - begun)
    figures["history"] = _remember(folder / "history.jsonl", figures)
    write_json(folder / "report.json", figures)
    from training.sheets import write_sheets
    from training.tables import tables

    (folder / "report.md").write_text(tables(figures), "utf-8")
    near = metrics.nearest(metrics.small(drawn), metrics.small(train.images))
    write_sheets(folder, held.images[picked], rebuilt[picked], drawn, texts, generated, (train.images, *near))
    return Report(figures)


class _Embedder:
    """Pictures to vectors of a house CLIP (N, 256), unit length; those of renders are kept."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._clip, self.mark, self._cache = HouseClip.open(folder), digest_of(folder), cache

    def __call__(self, images: Pixels, name: str = "") -> Floats:
        file = self._cache / f"clip-{self.mark}-{name}-{len(images)}.npy"
        if name and file.is_file():
            return np.asarray(np.load(file))
        vectors = np.asarray(self._clip.pictures(list(images)).float().cpu().numpy())
        if name:
            np.save(file, vectors)
        return vectors


def _in_proportion(facts: Sequence[Facts], count: int) -> NDArray[np.intp]:
    """``count`` places drawn at random, each subject in its proportion."""
    rng = np.random.default_rng(_SEED)
    subjects = np.array([str(row["subject"]) for row in facts])
    sets, people = (rng.permutation(np.flatnonzero(subjects == name)) for name in ("set", "people"))
    take = min(len(people), round(count * len(people) / len(facts)))
    return np.concatenate([sets[: count - take], people[:take]])


def _diversity(
    drawer: Drawer, clip: _Embedder, held: _Square, centre: Floats, report: Progress, cache: Path, masters: Path
) -> dict[str, Any]:
    """How far the seeds of one caption differ, beside renders of the same facts with other seeds."""
    facts = [held.facts[place] for place in _in_proportion(held.facts, PROMPTS)]
    texts = [whole_caption(row, random.Random(1000 + place)) for place, row in enumerate(facts)]
    drawn = drawer.draw(
        [text for text in texts for _ in range(SEEDS)], [9000 + s for _ in texts for s in range(SEEDS)], report
    )
    renders = _other_seeds(facts, cache, masters)
    found: dict[str, Any] = {"prompts": len(facts), "seeds": SEEDS}
    spaces = {
        "clip": (clip(drawn), clip(renders), centre),
        "pixels": (metrics.small(drawn), metrics.small(renders), metrics.small(held.images).mean(axis=0)),
    }
    for space, (ours, theirs, middle) in spaces.items():
        for name, measure in (("vendi", lambda v, m=middle: metrics.vendi(v, m)), ("distance", metrics.mean_distance)):
            pairs = np.array([[measure(part[i : i + SEEDS]) for part in (ours, theirs)] for i in _starts(len(ours))])
            found[f"{space}_{name}"] = _ratio(pairs)
    return found


def _starts(count: int) -> range:
    return range(0, count, SEEDS)


def _ratio(pairs: Floats) -> dict[str, float]:
    """Means over prompts of (ours, the renders') and their ratio with a 95 % bootstrap interval over prompts."""
    rng = np.random.default_rng(_SEED)
    draws = pairs[rng.integers(len(pairs), size=(2000, len(pairs)))].mean(axis=1)
    low, high = np.quantile(draws[:, 0] / draws[:, 1], (0.025, 0.975))
    ours, theirs = pairs.mean(axis=0)
    shown = {"generated": ours, "renders": theirs, "ratio": ours / theirs, "low": low, "high": high}
    return {name: round(float(value), 4) for name, value in shown.items()}


def _other_seeds(facts: Sequence[Facts], cache: Path, masters: Path) -> Pixels:
    """Renders of the facts with ``SEEDS`` other seeds each."""
    rows = [{**row, "seed": 77_000_000 + 1000 * place + s} for place, row in enumerate(facts) for s in range(SEEDS)]
    file = cache / f"renders-{len(rows)}-{sum(int(row['seed']) for row in facts) % 10**9}.npy"
    if not file.is_file():
        with ProcessPoolExecutor(
            2, mp_context=get_context("spawn"), initializer=keep_masters, initargs=(masters,)
        ) as pool:
            np.save(file, np.stack(list(pool.map(render, rows, chunksize=8))))
    return np.asarray(np.load(file))


def _frechet(vectors: Mapping[str, Floats], picked: NDArray[np.intp], train_facts: Sequence[Facts]) -> dict[str, Any]:
    """Distances to those held-out renders that were not asked for, from sets of the same size."""
    others = np.setdiff1d(np.arange(len(vectors["held"])), picked)
    target, count = vectors["held"][others], len(vectors["drawn"])
    some = vectors["train"][_in_proportion(train_facts, count)]
    found = {
        "generated": metrics.frechet(vectors["drawn"], target),
        "train_renders": metrics.frechet(some, target),
        "held_renders": metrics.frechet(vectors["held"][picked], target),
    }
    return {**{name: round(value, 4) for name, value in found.items()}, "count": count, "against": len(others)}


def _memorisation(drawn: Pixels, held: Pixels, train: Pixels, vectors: Mapping[str, Floats]) -> dict[str, Any]:
    """Distances to the nearest training render, in CLIP and in pixels (there also to its mirror image)."""
    pool = metrics.small(train)
    pool = np.concatenate([pool, metrics.small(np.asarray(train[:, :, ::-1]))])
    gaps = {
        "clip": [metrics.nearest(vectors[name], vectors["train"])[0] for name in ("drawn", "held")],
        "pixels": [metrics.nearest(metrics.small(images), pool)[0] for images in (drawn, held)],
    }
    found: dict[str, Any] = {}
    for space, (ours, theirs) in gaps.items():
        nearer = metrics.Share(int((ours < np.quantile(theirs, 0.01)).sum()), len(ours))
        found[space] = {
            "generated": metrics.quantiles(ours),
            "held": metrics.quantiles(theirs),
            "nearer_than_1_%_of_held": nearer.as_json(),
        }
    both = (gaps["clip"][0] < gaps["clip"][1].min()) & (gaps["pixels"][0] < gaps["pixels"][1].min())
    found["copies"] = int(both.sum())  # nearer in both spaces than any held-out render is
    return found


def _trained(out: Path) -> dict[str, int]:
    """How long the denoiser has been trained, as its checkpoint says."""
    file = Path(out) / "denoiser" / "last.pt"
    if not file.is_file():
        return {}
    kept = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    return {"denoiser_steps": int(kept["step"]), "denoiser_seconds": round(float(kept["elapsed"]))}


def _remember(file: Path, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Note this evaluation beside earlier ones of the run, and return those that drew as many scenes, in order."""
    row = {
        **figures["models"],
        **figures["counts"],
        "frechet": figures["frechet"]["generated"],
        "together": figures["generated"]["together"]["value"],
        "readings": figures["generated"]["readings"]["value"],
    }
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    rows = [json.loads(line) for line in lines]
    if row not in rows:
        rows.append(row)
        file.write_text("\n".join(json.dumps(each) for each in rows) + "\n", "utf-8")
    return [each for each in rows if each["drawn"] == row["drawn"] and each["clip"] == row["clip"]]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; judges the installed weights and writes their cards. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training evaluate", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "runs" / "house", help="the run's folder")
    parser.add_argument("--diffusion", type=Path, help="a diffusion folder other than the installed one; no cards")
    parser.add_argument("--clip", type=Path, help="a CLIP folder other than the installed one; no cards")
    parser.add_argument("--count", type=int, default=500, help="scenes to draw")
    given = parser.parse_args(arguments)
    torch.set_num_threads(2)
    data = Data(given.out / "data")
    found = evaluate(given.out, given.diffusion or WEIGHTS / DIFFUSION, given.clip or _CLIP, data, given.count)
    if not (given.diffusion or given.clip):
        from training.cards import write_cards

        write_cards(found.figures, given.out, _ROOT)
    print((given.out / "report" / "report.md").read_text("utf-8"))
    return 0
