"""How often 95 % intervals hold the truth, and how often a test without any effect names a winner.

    python benchmarks/interval_coverage.py [--seeds 200] [--out docs/benchmarks/interval_coverage.md]

Platform reports come from the seeded simulator, whose true lifts are known exactly; unit-level data are drawn from
plain distributions. The figures depend on the seeds alone, not on the machine.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path

import numpy as np

from experiments.comparing.analysis import compare
from experiments.comparing.counts import compare_cells
from experiments.deciding.findings import findings_of
from experiments.deciding.verdict import reach_verdict
from experiments.simulate import Truth, simulate_platform
from experiments.truth import cells_of, true_lifts, truth_table
from generation.briefs import load_campaign
from generation.plan import plan_variants
from proofsheet.domain.experiment import Arm, Metric, MetricKind
from proofsheet.domain.result import Aggregates, Call
from proofsheet.workflows.demo import read_truth

START, DAYS, DAILY = date(2026, 6, 1), 21, 90_000
PLACEMENTS = ("meta_feed_portrait", "meta_story")
CTR = Metric(name="click rate", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
CVR = Metric(name="conversions per click", kind=MetricKind.PROPORTION, numerator="conversions", denominator="clicks")
CPC = Metric(name="cost per click", kind=MetricKind.RATIO, numerator="spend", denominator="clicks")
CPA = Metric(name="cost per conversion", kind=MetricKind.RATIO, numerator="spend", denominator="conversions")


def demo_arms() -> list[Arm]:
    """A control and twelve variants of three factors."""
    control = Arm(name="control", variant_id="control", asset_ids=(), is_control=True)
    levels = product(("slow", "cold", "awake"), ("arch", "window"), ("column", "badge"))
    return [
        control,
        *(
            Arm(
                name=f"{headline}-{scene}-{layout}",
                variant_id=f"{headline}-{scene}-{layout}",
                asset_ids=(),
                levels={"headline": headline, "scene": scene, "layout": layout},
            )
            for headline, scene, layout in levels
        ),
    ]


def demo_truth(arms: list[Arm]) -> Truth:
    """True effects of headline, scene and layout, unequal fatigue, restless days, and delivery that leans."""
    return Truth(
        base_rate=0.012,
        level_effects={
            "headline": {"slow": 0.12, "awake": -0.05},
            "scene": {"arch": 0.08},
            "layout": {"column": -0.06},
        },
        conversion_rate=0.05,
        placement_effects={"meta_story": -0.25},
        placement_shares={"meta_feed_portrait": 0.6, "meta_story": 0.4},
        cpm={"meta_feed_portrait": Decimal("6.20"), "meta_story": Decimal("4.10")},
        weekday_effects=(0.0, 0.02, 0.03, 0.0, -0.02, -0.06, -0.04),
        fatigue=0.012,
        susceptibility={arm.name: 0.5 + (i % 4) / 3 for i, arm in enumerate(arms)},
    )


def example(folder: Path) -> tuple[list[Arm], Truth]:
    """The example campaign: a control without creative effects, the planned variants, and its simulation's truth."""
    plan = plan_variants(load_campaign(folder / "brief.toml"))
    arms = [Arm(name="control", variant_id="control", asset_ids=(), is_control=True)]
    arms += [
        Arm(name=f"variant {i}", variant_id=f"variant {i}", asset_ids=(), levels=variant.levels)
        for i, variant in enumerate(plan.variants, start=1)
    ]
    return arms, read_truth(folder / "simulation.toml")


@dataclass
class Tally:
    """Hits by seed, so that the error of the share respects that intervals of one seed belong together."""

    seeds: list[tuple[int, int]] = field(default_factory=list)

    def add(self, inside: list[bool]) -> None:
        self.seeds.append((sum(inside), len(inside)))

    @property
    def count(self) -> int:
        return sum(n for _, n in self.seeds)

    @property
    def share(self) -> float:
        return sum(k for k, _ in self.seeds) / self.count

    @property
    def error(self) -> float:
        gaps = [k - self.share * n for k, n in self.seeds]
        return math.sqrt(sum(g * g for g in gaps)) / self.count

    def line(self, *names: str) -> str:
        return f"| {' | '.join(names)} | {self.count:,} | {self.share:.2%} | ± {self.error:.2%} |"


def platform(
    truth: Truth, arms: list[Arm], seeds: int, metrics: list[tuple[Metric, str]]
) -> Iterator[tuple[str, str, Tally]]:
    """Coverage by metric and variance method over simulated reports."""
    tallies = {(m.name, v): Tally() for m, v in metrics}
    together = Tally()
    for seed in range(seeds):
        rows = simulate_platform(
            arms, truth, start=START, days=DAYS, daily_impressions=DAILY, placements=PLACEMENTS, seed=seed
        )
        for metric, variance in metrics:
            results = compare_cells(metric, cells_of(rows, metric), "control", experiment="demo", variance=variance)
            true = true_lifts(arms, truth, rows, metric=metric)
            tallies[metric.name, variance].add([row.inside is True for row in truth_table(results, true)])
            if (metric, variance) == metrics[0]:
                together.add([all(held(r.adjusted_lift_low, true[r.arm], r.adjusted_lift_high) for r in results)])
    for (name, variance), tally in tallies.items():
        yield name, variance, tally
    yield metrics[0][0].name, f"{metrics[0][1]}, all together", together


def held(low: float | None, value: float, high: float | None) -> bool:
    """Whether limits that exist hold a value."""
    return low is not None and high is not None and low <= value <= high


def false_winners(truth: Truth, arms: list[Arm], seeds: int) -> tuple[Tally, Tally]:
    """Tests in which no arm differs: any arm called different, and any arm shipped, after Holm's correction."""
    called, shipped = Tally(), Tally()
    null = replace(truth, level_effects={}, susceptibility={})
    for seed in range(seeds):
        rows = simulate_platform(
            arms, null, start=START, days=DAYS, daily_impressions=DAILY, placements=PLACEMENTS, seed=1_000_000 + seed
        )
        results = compare_cells(CTR, cells_of(rows, CTR), "control", experiment="a/a")
        called.add([any(r.adjusted_p is not None and r.adjusted_p < 0.05 for r in results)])
        shipped.add([reach_verdict(findings_of(results, [], None, ended=True)).call is Call.SHIP])
    return called, shipped


def unit_level(seeds: int) -> Iterator[tuple[str, Tally, Tally]]:
    """Coverage of effect and lift for data of independent units, by case."""
    proportion = Metric(name="p", kind=MetricKind.PROPORTION, numerator="p")
    mean = Metric(name="m", kind=MetricKind.MEAN, numerator="m")
    ratio = Metric(name="r", kind=MetricKind.RATIO, numerator="x", denominator="y")
    cases: list[tuple[str, Metric, Callable[[np.random.Generator], dict[str, Aggregates]], float, float]] = [
        ("proportion, 20,000 units, 5 % and 5.5 %", proportion, lambda g: binary(g, 20_000, 0.05, 0.055), 0.05, 0.055),
        ("proportion, 400 units, 1 % and 2 %", proportion, lambda g: binary(g, 400, 0.01, 0.02), 0.01, 0.02),
        ("proportion, 60 units, 30 % and 50 %", proportion, lambda g: binary(g, 60, 0.3, 0.5), 0.3, 0.5),
        ("mean, 2,000 units, log-normal (skew 6)", mean, skewed, math.exp(0.5), math.exp(0.6)),
        ("ratio, 1,000 units of 1 to 10 visits", ratio, visits, 2.0, 2.2),
    ]
    for name, metric, draw, control, arm in cases:
        effect, lift = Tally(), Tally()
        for seed in range(seeds):
            (r,) = compare(metric, draw(np.random.default_rng(seed)), "c", experiment="unit")
            effect.add([r.effect_low is not None and r.effect_low <= arm - control <= (r.effect_high or 0.0)])
            if r.lift_low is not None and r.lift_high is not None:
                lift.add([r.lift_low <= arm / control - 1 <= r.lift_high])
        yield name, effect, lift


def binary(rng: np.random.Generator, n: int, control: float, arm: float) -> dict[str, Aggregates]:
    """Two arms of zeros and ones."""
    rates = {"c": rng.binomial(n, control) / n, "t": rng.binomial(n, arm) / n}
    return {k: Aggregates(n=n, mean_x=float(p), m2_x=float(n * p * (1 - p))) for k, p in rates.items()}


def skewed(rng: np.random.Generator) -> dict[str, Aggregates]:
    """Two arms of log-normal amounts, 10 % apart in the mean."""
    return {"c": moments(rng.lognormal(0.0, 1.0, 2_000)), "t": moments(rng.lognormal(0.1, 1.0, 2_000))}


def visits(rng: np.random.Generator) -> dict[str, Aggregates]:
    """Two arms of value per visit, in which people with more visits differ in value per visit as well."""
    arms = {}
    for name, value in (("c", 2.0), ("t", 2.2)):
        number = rng.integers(1, 11, 1_000).astype(float)
        arms[name] = moments(rng.gamma(number * value, 1.0) * rng.gamma(4.0, 0.25, 1_000), number)
    return arms


def moments(x: np.ndarray, y: np.ndarray | None = None) -> Aggregates:
    """Aggregates of one arm."""
    base = Aggregates(n=len(x), mean_x=float(x.mean()), m2_x=float(((x - x.mean()) ** 2).sum()))
    if y is None:
        return base
    spread = float(((y - y.mean()) ** 2).sum())
    return replace(base, mean_y=float(y.mean()), m2_y=spread, cxy=float(((x - x.mean()) * (y - y.mean())).sum()))


def report(seeds: int) -> str:
    """The page, in Markdown."""
    arms = demo_arms()
    truth = demo_truth(arms)
    calm = replace(truth, day_variation=0.0, arm_day_variation=0.0)
    wild = replace(truth, arm_day_variation=0.15, drift=0.15)
    sample, sample_truth = example(Path(__file__).parents[1] / "examples" / "norda")
    worlds = (
        ("example", sample, sample_truth),
        ("usual", arms, truth),
        ("calm", arms, calm),
        ("restless", arms, wild),
    )
    every = [(CTR, "pooled"), (CTR, "by_day"), (CVR, "pooled"), (CPC, "pooled"), (CPA, "pooled")]
    lines = [
        "# Do the 95 % intervals hold the truth?",
        "",
        "Written by `python benchmarks/interval_coverage.py`"
        + (f" with `--seeds {seeds}`" if seeds != 200 else "")
        + f", {seeds} seeds. The error after ± is one standard error of the share; "
        "intervals of one seed share a control and a calendar and are counted as one cluster.",
        "",
        "## Platform reports",
        "",
        f"Simulated reports of {len(arms) - 1} arms and a control, {DAYS} days, two placements, {DAILY:,} impressions "
        "a day, a click rate near 1.2 %. Arms tire at different speeds, the platform leans towards better arms, and "
        "every arm's rate varies from day to day: by 5 % (usual), 0 (calm) or 15 % (restless). `example` is the "
        "example campaign of `make demo`, with its own truth. The true lift is computed exactly, given what was "
        "delivered. `all together` counts a test as held when the corrected intervals of all its arms hold their "
        "truths at once.",
        "",
        "| days | metric | variance | intervals | hold the truth | error |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for label, variants, world in worlds:
        for metric, variance, tally in platform(world, variants, seeds, every):
            lines.append(tally.line(label, metric, variance))
    lines += [
        "",
        "## No effect at all",
        "",
        "The same reports without any difference between arms. The share of whole tests in which some arm is called "
        "different after Holm's correction must stay near or below 5 %.",
        "",
        "| days | outcome | tests | share | error |",
        "| --- | --- | --- | --- | --- |",
    ]
    for label, variants, world in worlds:
        called, shipped = false_winners(world, variants, seeds)
        lines += [called.line(label, "any arm called different"), shipped.line(label, "an arm shipped by the rule")]
    lines += [
        "",
        "## Independent units",
        "",
        f"{10 * seeds:,} draws of each case.",
        "",
        "| case | interval of | intervals | hold the truth | error |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, effect, lift in unit_level(10 * seeds):
        lines += [effect.line(name, "effect"), lift.line(name, "lift")]
    return "\n".join([*lines, ""])


def main() -> None:
    """Run and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/interval_coverage.md"))
    options = parser.parse_args()
    page = report(options.seeds)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
