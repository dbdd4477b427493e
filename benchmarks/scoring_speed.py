"""How many advertisements a core scores in a second, by all rules and the house CLIP, from memory.

    OMP_NUM_THREADS=1 python benchmarks/scoring_speed.py [--ads 24] [--repeats 3] [--out FILE]

Composed pictures of 1080 × 1080 pixels are held in memory and scored on one thread. Times are seconds of the CPU, so
that a busy machine matters little; the best of several runs counts. The second run finds every vector in the cache.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from PIL.Image import Image
from planted.ads import designs
from planted.brands import houses
from planted_violations import clean_ads

from proofsheet.domain.campaign import BrandKit
from scoring.assess import assess_all, open_scorer
from scoring.embedding import Embedder
from scoring.scorer import Scene, Subject

RULES = ("contrast", "palette", "safe_area", "spec", "whole", "duplicates")
CLIP = "brand_fit"
SIZE = (1080, 1080)
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "scoring_speed.md"
DESCRIPTORS = ("calm studio still life", "soft morning light on a plain set", "teal and orange colours")


def ads(folder: Path, count: int) -> tuple[list[Subject], BrandKit]:
    """Square advertisements of one brand, in memory, three composed on each scene; their files fit the placement."""
    house = houses(folder)[0]
    subjects: list[Subject] = []
    for design in designs((house,), math.ceil(count / 3), 7, places=("meta_feed_square",)):
        scene = Scene(hashlib.sha256(design.scene.tobytes()).hexdigest(), partial(_given, design.scene.resize(SIZE)))
        for ad in clean_ads(design):
            one = replace(ad, data_size=2_000_000).subject(f"ad-{len(subjects)}")
            mark = hashlib.sha256(ad.picture.tobytes()).hexdigest()
            subjects.append(replace(one, asset=replace(one.asset, sha256=mark), scene=scene))
    return subjects[:count], replace(house.brand, descriptors=DESCRIPTORS)


def _given(picture: Image) -> Image:
    return picture


def seconds(subjects: Sequence[Subject], brand: BrandKit, scorers: Sequence[str], cache: Path | None) -> float:
    """CPU seconds to assess all."""
    started = time.process_time()
    judged = list(assess_all(subjects, brand, scorers=scorers, cache=cache))
    taken = time.process_time() - started
    assert len(judged) == len(subjects)
    return taken


def _renamed(subject: Subject, repeat: int) -> Subject:
    """The same picture and scene under other hashes, so that no vector is known yet."""
    asset = replace(subject.asset, sha256=f"{repeat}{subject.asset.sha256}")
    scene = replace(subject.scene, sha256=f"{repeat}{subject.scene.sha256}") if subject.scene else None
    return replace(subject, asset=asset, scene=scene)


def page(count: int, repeats: int) -> str:
    """Measure, and write the report."""
    import torch

    torch.set_num_threads(1)
    calls = 0
    encode = Embedder._encode

    def counted(self: Embedder, *args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        return encode(self, *args, **options)

    with tempfile.TemporaryDirectory() as folder:
        subjects, brand = ads(Path(folder), count)
        by_rule = {}
        for name in (*RULES, CLIP):
            scorer = open_scorer(name)
            list(scorer.assess(subjects[:4], brand))
            times = []
            for repeat in range(repeats):
                fresh = [
                    replace(one, asset=replace(one.asset, sha256=f"{repeat}{one.asset.sha256}")) for one in subjects
                ]
                started = time.process_time()
                list(scorer.assess(fresh, brand))
                times.append(time.process_time() - started)
            by_rule[name] = min(times) / count
        first, second, made = [], [], []
        with patch.object(Embedder, "_encode", counted):
            for repeat in range(repeats):
                fresh = [_renamed(one, repeats + repeat) for one in subjects]
                for times in (first, second):
                    calls = 0
                    times.append(seconds(fresh, brand, (*RULES, CLIP), Path(folder) / "cache"))
                    made.append(calls)
    total = sum(by_rule.values())
    lines = [
        "# How fast are advertisements scored?",
        "",
        f"Written by `OMP_NUM_THREADS=1 python benchmarks/scoring_speed.py --ads {count} --repeats {repeats}`.",
        "Composed pictures of 1080 × 1080 pixels from memory, three on each scene; one thread, seconds of the CPU, "
        "best run.",
        "Brand fit embeds the finished picture and its scene. Loading the model is left out.",
        "",
        f"**{1 / total:.0f} advertisements a second and core** by all rules and the house CLIP, once the model and the "
        f"brand's words are read; **{1 / (total - by_rule[CLIP]):.0f}** by the rules alone. (20 are wanted.)",
        "",
        f"A whole run of {count} from the start, the brand's words included, makes {count / min(first):.0f} a second; "
        f"the same again {count / min(second):.0f}, with {made[1]} calls of the picture model (the first: {made[0]} "
        "batches).",
        "",
        "| scorer | ms per advertisement | share |",
        "| --- | --- | --- |",
    ]
    lines += [f"| `{name}` | {1000 * taken:.1f} | {taken / total:.0%} |" for name, taken in by_rule.items()]
    lines += [f"| all, one by one | {1000 * total:.1f} | |"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ads", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=PAGE)
    told = parser.parse_args()
    told.out.write_text(page(told.ads, told.repeats), "utf-8")
    print(told.out.read_text("utf-8"))


if __name__ == "__main__":
    main()
