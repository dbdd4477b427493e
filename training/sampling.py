"""Finds how to draw: every number of steps with every guidance and solver, scored, in one chart; the defaults from it.

Usage: python -m training.sampling --out DIR [--count N] [--steps N …] [--guidance G …] [--solvers NAME …]
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.budget import device_of
from training.chart import draw_chart
from training.dataset import Data
from training.drawing import BATCH, SIDE, Drawer, Pixels, digest_of, whole_caption
from training.progress import Progress
from training.solvers import SOLVERS, solver
from training.world import Facts

STEPS = (2, 4, 6, 8, 12, 20)
GUIDANCE = (1.0, 1.5, 2.0, 3.0, 5.0)
_NEAR = 0.02  # a cheaper way is taken if it scores within this of the best

#: What pictures (N, 128, 128, 3) of facts are worth: ``joint`` (share that shows all that was asked), ``frechet``.
Score = Callable[[Pixels, Sequence[Facts]], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to draw and what came of it: share of pictures that show all asked, Fréchet distance, seconds a picture."""

    solver: str
    steps: int
    guidance: float
    joint: float
    frechet: float
    seconds: float

    @property
    def passes(self) -> int:
        """How often the denoiser is asked for one picture; guidance of 1 asks half as often."""
        return self.steps * (1 if self.guidance <= 1 else 2)


def compare(
    folder: Path,
    facts: Sequence[Facts],
    score: Score,
    out: Path,
    report: Progress,
    *,
    steps: Sequence[int] = STEPS,
    guidance: Sequence[float] = GUIDANCE,
    solvers: Sequence[str] = tuple(SOLVERS),
) -> list[Way]:
    """Draw the facts in every way and write ``out/sampling/chart.csv`` and ``chart.png``.

    Goes on after an interrupt, as long as the model and the facts are the same.

    Args:
        folder: of the diffusion model.
        facts: what to draw, one picture each; the noise is the same for every way.
        score: what the pictures are worth.
        out: the run's folder.
        report: hears how far it is.
        steps, guidance, solvers: what is tried.
    """
    home = Path(out) / "sampling"
    home.mkdir(parents=True, exist_ok=True)
    told = json.dumps([digest_of(folder), list(facts)])
    found = _kept(home, told)
    texts = [whole_caption(row, random.Random(place)) for place, row in enumerate(facts)]
    wanted = list(product(solvers, steps, guidance))
    drawer = Drawer(folder, home)
    for place, way in enumerate(wanted):
        if way in found:
            continue
        begun = time.perf_counter()
        pictures = np.concatenate(list(_drawn(drawer.pipe, texts, *way)))
        seconds = (time.perf_counter() - begun) / len(texts)
        said = score(pictures, facts)
        found[way] = Way(*way, round(said["joint"], 4), round(said["frechet"], 5), round(seconds, 4))
        _write(home, told, found.values())
        report.step((place + 1) / len(wanted), f"{way[0]} {way[1]} steps, guidance {way[2]:g}: {said['joint']:.0%}")
    ways = [found[way] for way in wanted]
    draw_chart(ways, choose(ways)).save(home / "chart.png")
    return ways


def choose(ways: Sequence[Way]) -> Way:
    """The cheapest way about as good as the best: of those of 8 steps or fewer, if any, that show nearly as much, and
    of these of those whose pictures are nearly as like renders, the one with the fewest passes.

    Ways without guidance are only shown: what must not be seen is heard by guidance alone.
    """
    steady = [way for way in ways if np.isfinite(way.joint) and np.isfinite(way.frechet)]
    steady = [way for way in steady if way.guidance > 1] or steady
    best = max(way.joint for way in steady)
    good = [way for way in steady if way.joint >= best - _NEAR and way.steps <= 8] or [
        way for way in steady if way.joint >= best - _NEAR
    ]
    near = min(way.frechet for way in good)
    faithful = [way for way in good if way.frechet <= 1.15 * near] or good
    return min(faithful, key=lambda way: (way.passes, -way.joint, way.frechet))


def write_defaults(way: Way, out: Path) -> Path:
    """Keep the way as ``out/sampling.json``; ``training.assemble`` takes steps, guidance and solver from there."""
    file = Path(out) / "sampling.json"
    said = {"steps": way.steps, "guidance": way.guidance, "solver": way.solver}
    file.write_text(json.dumps(said, indent=2) + "\n", "utf-8")
    return file


def _drawn(pipe: Any, texts: Sequence[str], name: str, steps: int, guidance: float) -> Iterator[Pixels]:
    pipe.scheduler = solver(name)
    for start in range(0, len(texts), BATCH):
        some = list(texts[start : start + BATCH])
        planes = pipe(
            prompt=some,
            width=SIDE,
            height=SIDE,
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=[torch.Generator().manual_seed(start + place) for place in range(len(some))],
            output_type="pt",
        ).images
        yield (planes.clamp(0, 1) * 255).round().byte().movedim(1, 3).cpu().numpy()


def _kept(home: Path, told: str) -> dict[tuple[str, int, float], Way]:
    """What an interrupted comparison of the same model and facts has found."""
    file, note = home / "chart.csv", home / "chart.json"
    if not (file.is_file() and note.is_file() and note.read_text("utf-8") == told):
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        ways = [
            Way(row["solver"], int(row["steps"]), *(float(row[name]) for name in list(row)[2:]))
            for row in csv.DictReader(lines)
        ]
    return {(way.solver, way.steps, way.guidance): way for way in ways}


def _write(home: Path, told: str, ways: Any) -> None:
    with (home / "chart.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(Way.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(asdict(way) for way in ways)
    (home / "chart.json").write_text(told, "utf-8")


def judged_by(out: Path, clip: Path, data: Data) -> Score:
    """The score by the run's probe and by the Fréchet distance of the house CLIP's vectors to held-out renders."""
    from training import metrics
    from training.clip_judge import HouseClip
    from training.probe import Probe, square
    from training.recognised import Recognised
    from training.visibility import Visibility

    probe, seen, house = Probe.load(out), Visibility.load(out), HouseClip.open(clip)
    held = np.concatenate([shard.images[:600] for shard in square(data, "held")])
    target = np.asarray(house.pictures(list(held)).float().cpu().numpy())

    def score(pictures: Pixels, facts: Sequence[Facts]) -> Mapping[str, float]:
        vectors = np.asarray(house.pictures(list(pictures)).float().cpu().numpy())
        shown = Recognised.of(probe, pictures, facts, seen).together()
        return {"joint": shown.right / max(shown.count, 1), "frechet": metrics.frechet(vectors, target)}

    return score


def find_sampling(config: Mapping[str, Any], data: Data, out: Path, report: Progress) -> Way:
    """Compare ways to draw on held-out combinations and keep the best as the model's default.

    Needs ``out/denoiser``, ``out/probe`` and ``out/clip``. Writes ``out/sampling`` and ``out/sampling.json``.

    Args:
        config: the section ``sampling``: ``steps``, ``guidance``, ``solvers``, ``count`` (pictures for each way) and
            ``threads``; by default every way, and 96 pictures.
        data: the rendered pictures.
        out: the run's folder.
        report: hears how far it is.

    Returns:
        The way chosen.
    """
    from training.assemble import assemble
    from training.probe import square

    section: Mapping[str, Any] = config.get("sampling", {})
    device_of(section)
    (out / "sampling.json").unlink(missing_ok=True)  # what was chosen before is no part of the model compared
    folder = assemble(out, out / "sampling" / "model")
    held = [row for shard in square(data, "held") for row in shard.facts]
    count = int(section.get("count", 96))
    facts = held[:: max(1, len(held) // count)][:count]
    ways = compare(
        folder,
        facts,
        judged_by(out, out / "clip", data),
        out,
        report,
        steps=section.get("steps", STEPS),
        guidance=section.get("guidance", GUIDANCE),
        solvers=section.get("solvers", tuple(SOLVERS)),
    )
    way = choose(ways)
    write_defaults(way, out)
    return way


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare on held-out combinations, choose, and say what was chosen."""
    parser = argparse.ArgumentParser(prog="python -m training.sampling", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--count", type=int, default=96, help="pictures for each way")
    parser.add_argument("--steps", type=int, nargs="+", default=list(STEPS))
    parser.add_argument("--guidance", type=float, nargs="+", default=list(GUIDANCE))
    parser.add_argument("--solvers", nargs="+", choices=list(SOLVERS), default=list(SOLVERS))
    given = vars(parser.parse_args(arguments))
    out: Path = given.pop("out")
    way = find_sampling({"sampling": given}, Data(out / "data"), out, Progress("sampling"))
    print(f"{way.solver}, {way.steps} steps, guidance {way.guidance:g}: {way.joint:.1%} show all that was asked")


if __name__ == "__main__":
    main()
