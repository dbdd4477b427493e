"""How many planted violations the rules find, and how often they alarm on advertisements that are clean.

    python benchmarks/planted_violations.py [--designs 80] [--kinds 24] [--processes 1] [--out FILE]

Advertisements are composed by the real composition code on scenes of the procedural renderer: several brands,
placements, layouts and languages, Arabic and Hebrew among them where the machine has a font. One thing at a time is
then spoilt, in a step of the composer or on the finished picture. The figures depend on the seed alone.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from planted.ads import Ad, Design, designs
from planted.brands import COPY, House, houses
from planted.violations import KINDS

from proofsheet.domain.assessment import Grade
from proofsheet.errors import InputError
from scoring.assess import open_scorer
from scoring.coverage.shares import wilson
from scoring.scorer import Scorer

SEED = 2026
RULES = ("contrast", "palette", "safe_area", "spec", "whole")
CLEAN_PER_DESIGN = 4
STEP = 5  # designs that a process takes at a time
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "planted_violations.md"


@dataclass(frozen=True, slots=True)
class Row:
    """One advertisement: what was planted ("" for nothing), whether it was found, and every alarm with its reason."""

    planted: str
    found: bool
    alarms: tuple[tuple[str, str], ...]
    judged: tuple[str, ...]
    where: str


def rows_of(design: Design, number: int, scorers: Sequence[Scorer], kinds: Sequence[str]) -> Iterator[Row]:
    """The clean advertisements of a design, and one with each kind of violation."""
    for index, ad in enumerate(clean_ads(design)):
        yield _row("", ad, design, scorers, f"{number}.{index}")
    for name in kinds:
        rng = np.random.default_rng([SEED, number, list(KINDS).index(name)])
        try:
            spoilt = KINDS[name].plant(design, rng)
        except InputError:
            continue  # the composer refuses it: it cannot come to be
        if spoilt is not None:
            yield _row(name, spoilt, design, scorers, f"{number}")


def clean_ads(design: Design) -> Iterator[Ad]:
    """The advertisement of a design, and others of its layout and scene in other words."""
    yield design.clean
    others = [(locale, text) for locale in design.house.locales for text in COPY[locale].headlines]
    strip = design.placement.width / design.placement.height > 2.5
    for locale, text in others[: CLEAN_PER_DESIGN - 1]:
        copy = COPY[locale]
        told = {"headline": copy.brief if strip else text, "cta": copy.cta, "locale": locale}
        offer = {} if strip or design.recipe.layout_params else {"offer": copy.offer}
        changed = replace(design, recipe=replace(design.recipe, **told, layout_params=offer))
        try:
            yield changed.clean
        except InputError:
            continue


def _row(planted: str, ad: Ad, design: Design, scorers: Sequence[Scorer], number: str) -> Row:
    verdicts = [
        verdict
        for scorer in scorers
        for assessment in scorer.assess([ad.subject()], ad.brand)
        for verdict in assessment.verdicts
    ]
    alarms = tuple((one.criterion, one.reason) for one in verdicts if one.grade is not Grade.PASS)
    found = bool(planted) and KINDS[planted].criterion in {criterion for criterion, _ in alarms}
    where = f"{number} {design.house.brand.name} {design.placement.name} {design.recipe.layout} {ad.recipe.locale}"
    return Row(planted, found, alarms, tuple({one.criterion for one in verdicts}), where)


def measure(numbers: range, kinds_each: int) -> list[Row]:
    """All rows of some designs; each plants ``kinds_each`` of the kinds, in turn."""
    rows: list[Row] = []
    scorers = [open_scorer(name) for name in RULES]
    names = list(KINDS)
    with tempfile.TemporaryDirectory() as folder:
        made: tuple[House, ...] = houses(Path(folder))
        for place, design in enumerate(
            islice(designs(made, len(numbers), SEED + numbers.start, start=numbers.start), len(numbers))
        ):
            number = numbers.start + place
            chosen = [names[(number * kinds_each + k) % len(names)] for k in range(kinds_each)]
            rows.extend(rows_of(design, number, scorers, chosen))
    return rows


def upper(hits: int, count: int) -> float:
    """The upper end of Wilson's 95 % interval of a share."""
    return float(wilson(hits, count)[1])


def page(rows: Sequence[Row], command: str) -> str:
    """The report."""
    clean = [row for row in rows if not row.planted]
    spoilt = [row for row in rows if row.planted]
    found = sum(row.found for row in spoilt)
    alarms = Counter(criterion for row in clean for criterion in {name for name, _ in row.alarms})
    judged = Counter(criterion for row in clean for criterion in row.judged)
    lines = [
        "# Do the rules find what is wrong, and leave alone what is not?",
        "",
        f"Written by `{command}`. {len(rows):,} advertisements composed by the real composer: {len(clean):,} clean, "
        f"{len(spoilt):,} with one of {len(KINDS)} kinds of violation planted, one at a time.",
        "",
        f"**Recall {found / len(spoilt):.4f}** over all kinds ({len(spoilt) - found} missed). "
        f"**False alarms {sum(alarms.values()) / sum(judged.values()):.4f}** of all verdicts on clean advertisements, "
        f"on {sum(bool(row.alarms) for row in clean)} of which there is one at all.",
        "",
        "## Recall by kind",
        "",
        "| planted | rule that must find it | planted | found | recall | missed share at most (95 %) |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    by_kind = defaultdict(list)
    for row in spoilt:
        by_kind[row.planted].append(row.found)
    for name, hits in by_kind.items():
        missed = len(hits) - sum(hits)
        lines.append(
            f"| {name} | `{KINDS[name].criterion}` | {len(hits)} | {sum(hits)} | {sum(hits) / len(hits):.3f} | "
            f"{upper(missed, len(hits)):.3f} |"
        )
    lines += [
        "",
        "## Alarms on clean advertisements",
        "",
        "Clean is what the composer makes without interference. Where it makes a mistake of its own, a rule is right "
        "to say so; the alarms are listed below, and counted as false all the same.",
        "",
        "| rule | judged | alarms | share | at most (95 %) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for criterion in sorted(judged):
        count, hits = judged[criterion], alarms[criterion]
        lines.append(f"| `{criterion}` | {count} | {hits} | {hits / count:.4f} | {upper(hits, count):.4f} |")
    lines += ["", "## Every miss", ""]
    lines += [f"- {row.planted}: {row.where}" for row in spoilt if not row.found] or ["None."]
    lines += ["", "## Every alarm on a clean advertisement", ""]
    told = [f"- `{name}`, {row.where}: {reason}" for row in clean for name, reason in row.alarms]
    lines += told or ["None."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=80)
    parser.add_argument("--kinds", type=int, default=24, help="violations planted per design, of all kinds in turn")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=PAGE)
    told = parser.parse_args()
    parts = [range(start, min(start + STEP, told.designs)) for start in range(0, told.designs, STEP)]
    rows: list[Row] = []
    with ProcessPoolExecutor(told.processes) as pool:
        for part, found in zip(parts, pool.map(measure, parts, [told.kinds] * len(parts)), strict=True):
            rows.extend(found)  # the page so far, which fewer designs would give
            command = f"python benchmarks/planted_violations.py --designs {part.stop} --kinds {told.kinds}"
            told.out.write_text(page(rows, command), "utf-8")
            print(f"{part.stop} of {told.designs} designs, {len(rows)} advertisements", flush=True)


if __name__ == "__main__":
    main()
