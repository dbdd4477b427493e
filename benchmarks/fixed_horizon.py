"""Fixed-horizon validity: false positives without an effect, coverage, false discoveries, and invariance.

    python benchmarks/fixed_horizon.py [--runs 40000]

Units come from a shop of 60 kinds of visitors (visits, skewed spend), so that a run is one multinomial draw and its
moments are exact; all runs of a case are compared in one call. Coverage of proportions in small samples is enumerated
over all outcomes, without an error of simulation. The figures depend on the seed alone, not on the machine.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from pathlib import Path

import numpy as np
from scipy import special

from experiments.comparing.comparisons import Comparisons, compare_estimates
from experiments.comparing.estimates import Estimate, count_rate, mean, proportion, ratio
from experiments.comparing.families import adjust_families
from experiments.comparing.family_tests import false_discovery_p
from experiments.comparing.lift_intervals import LIFT_INTERVALS
from experiments.comparing.margins import non_inferiority
from experiments.comparing.small_counts import METHODS, compare_proportions, compare_rates

SEED = 71
ALPHA = 0.05
LIFT = 0.1
KINDS = ("proportion", "mean", "ratio", "rate")

VISITS = np.repeat(np.arange(1.0, 7.0), 10)
VISIT_SHARES = np.repeat([0.4, 0.25, 0.15, 0.1, 0.06, 0.04], 10)
PER_VISIT = np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0, 9.0, 20.0, 60.0], 6)
SPEND = VISITS * PER_VISIT
CHANCES = VISIT_SHARES / 10.0


def draw(rng: np.random.Generator, kind: str, runs: int, n: int, lift: float = 0.0) -> Estimate:
    """The values of one arm in all runs; with a lift, every unit's outcome is that much higher."""
    if kind == "proportion":
        return proportion(n, rng.binomial(n, 0.05 * (1.0 + lift), runs) / n)
    counts = rng.multinomial(n, CHANCES, runs).astype(float)
    mean_y = counts @ VISITS / n
    if kind == "rate":
        return count_rate(n, rng.poisson(0.05 * (1.0 + lift) * n * mean_y) / n, mean_y)
    x = SPEND * (1.0 + lift)
    mean_x = counts @ x / n
    m2_x = counts @ (x * x) - n * mean_x**2
    if kind == "mean":
        return mean(n, mean_x, m2_x)
    m2_y, cxy = counts @ (VISITS * VISITS) - n * mean_y**2, counts @ (x * VISITS) - n * mean_x * mean_y
    return ratio(n, mean_x, m2_x, mean_y, m2_y, cxy)


def truth(kind: str) -> float:
    """The control's true value."""
    spend = float(CHANCES @ SPEND)
    return {"proportion": 0.05, "rate": 0.05, "mean": spend, "ratio": spend / float(CHANCES @ VISITS)}[kind]


def share(hits: np.ndarray) -> str:
    """A share with twice its standard error."""
    p = float(np.mean(hits))
    return f"{p:.2%} ± {2 * math.sqrt(p * (1 - p) / hits.size):.2%}"


def false_positives(rng: np.random.Generator, runs: int) -> Iterator[str]:
    """Rejections without an effect: the test, the intervals of the lift, one side, and margins at their border."""
    yield "| metric | units per arm | p < 5 % | Fieller without 0 | delta | log | one side | worse by the margin |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for kind, n in product(KINDS, (2_000, 20_000)):
        arm, control = (draw(rng, kind, runs, n) for _ in range(2))
        found = {name: compare_estimates(arm, control, lift_interval=name) for name in LIFT_INTERVALS}
        out = [share(leaves_out(c.lift_low, c.lift_high, 0.0)) for c in found.values()]
        side = compare_estimates(arm, control, alternative="greater").p_value < ALPHA
        border = non_inferiority(draw(rng, kind, runs, n, -LIFT), control, LIFT) < ALPHA
        cells = [share(found["fieller"].p_value < ALPHA), *out, share(side), share(border)]
        yield f"| {kind} | {n:,} | {' | '.join(cells)} |"


def leaves_out(low: np.ndarray, high: np.ndarray, value: float) -> np.ndarray:
    """Whether intervals leave a value out."""
    return (low > value) | (high < value)


def coverage(rng: np.random.Generator, runs: int) -> Iterator[str]:
    """How often intervals hold a true lift of 10 %, with 20,000 units per arm."""
    yield "| metric | difference | lift, Fieller | lift, delta | lift, log |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for kind in KINDS:
        arm, control = draw(rng, kind, runs, 20_000, LIFT), draw(rng, kind, runs, 20_000)
        found = [compare_estimates(arm, control, lift_interval=name) for name in LIFT_INTERVALS]
        effect = ~leaves_out(found[0].effect_low, found[0].effect_high, LIFT * truth(kind))
        lifts = [share(~leaves_out(c.lift_low, c.lift_high, LIFT)) for c in found]
        yield f"| {kind} | {share(effect)} | {' | '.join(lifts)} |"


def outcomes(n1: int, n0: int, p1: float, p0: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of counts that matter, with their chances."""
    sides = []
    for n, p in ((n1, p1), (n0, p0)):
        x = np.arange(n + 1.0)
        logs = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
        chances = np.exp(logs + special.xlogy(x, p) + special.xlog1py(n - x, -p))
        kept = chances > 1e-10
        sides.append((x[kept], chances[kept]))
    (x1, c1), (x0, c0) = sides
    grid = np.meshgrid(x1, x0, indexing="ij")
    weights = np.outer(c1, c0)
    return grid[0].ravel(), grid[1].ravel(), weights.ravel() / weights.sum()


def exact_coverage(n1: int, n0: int, base: float, lift: float) -> tuple[float, float, float, float]:
    """The chances that the limits of difference and lift hold the truth, that p < 5 %, and that it is exact."""
    x1, x0, weights = outcomes(n1, n0, base * (1.0 + lift), base)
    found, codes = compare_proportions(x1, n1, x0, n0)
    slack = 1e-12  # a limit that equals the truth holds it
    effect = (found.effect_low <= lift * base + slack) & (found.effect_high >= lift * base - slack)
    relative = (found.lift_low <= lift + slack) & (found.lift_high >= lift - slack)
    exact = np.array(["mid-p" in name for name in METHODS])[codes]
    return tuple(float(weights @ hits) for hits in (effect, relative, found.p_value < ALPHA, exact))


def small_samples() -> Iterator[str]:
    """Enumerated coverage of proportions: a 5 % baseline at 300 per arm, then where counts are few or arms unequal."""
    yield "| units, arm and control | control's rate | true lift | difference | lift | p < 5 % | exact test taken |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    cases = [(300, 300, 0.05, lift) for lift in (-0.5, -0.3, 0.0, 0.2, 0.5, 1.0)]
    cases += [(n, n, base, lift) for n, base, lift in product((50, 1_000), (0.01, 0.1, 0.3), (0.0, 0.5))]
    cases += [(50, 5_000, 0.003, 0.0), (30, 300, 0.01, 0.0), (300, 3_000, 0.001, 0.0), (100, 900, 0.02, 0.5)]
    for n1, n0, base, lift in cases:
        effect, relative, rejects, exact = exact_coverage(n1, n0, base, lift)
        shown = f"{rejects:.2%}" if lift == 0.0 else ""
        yield f"| {n1:,}, {n0:,} | {base:.1%} | {lift:+.0%} | {effect:.2%} | {relative:.2%} | {shown} | {exact:.0%} |"


def worst_at_300() -> str:
    """The lowest coverage at 300 per arm with a 5 % baseline over lifts from -60 % to +100 %."""
    found = [exact_coverage(300, 300, 0.05, lift) for lift in np.linspace(-0.6, 1.0, 33)]
    effect, lift = (min(one[i] for one in found) for i in (0, 1))
    return (
        f"Over 33 true lifts from -60 % to +100 % at 300 per arm the lowest coverage is {effect:.2%} (difference) and "
        f"{lift:.2%} (lift)."
    )


def small_rates(rng: np.random.Generator, runs: int) -> Iterator[str]:
    """Count rates with few counts: rejections without an effect, and coverage of the ratio."""
    yield "| expected counts, arm and control | p < 5 % | lift of 50 % held | difference held |"
    yield "| --- | ---: | ---: | ---: |"
    for e1, e0 in ((2.0, 2.0), (5.0, 5.0), (3.0, 30.0), (40.0, 40.0)):
        null, _ = compare_rates(rng.poisson(e1, runs), e1, rng.poisson(e0, runs), e0)
        found, _ = compare_rates(rng.poisson(1.5 * e1, runs), e1, rng.poisson(e0, runs), e0)
        held = [
            ~leaves_out(found.lift_low, found.lift_high, 0.5),
            ~leaves_out(found.effect_low, found.effect_high, 0.5),
        ]
        yield f"| {e1:g}, {e0:g} | {share(null.p_value < ALPHA)} | {' | '.join(map(share, held))} |"


def false_discoveries(rng: np.random.Generator, runs: int) -> Iterator[str]:
    """The mean share of false ones among the discoveries at 5 %, and families of five arms by Holm."""
    tests = 1_000
    yield "| tests with an effect | false among discoveries | effects found |"
    yield "| ---: | ---: | ---: |"
    for real in (0, 50, 200, 500):
        shares, found = [], []
        for _ in range(max(400, runs // 5)):
            z = rng.normal(0.0, 1.0, tests)
            z[:real] += 3.0
            hits = false_discovery_p(2.0 * special.ndtr(-np.abs(z))) < ALPHA
            shares.append(float(hits[real:].sum()) / max(1, int(hits.sum())))
            found.append(float(hits[:real].mean()) if real else 0.0)
        error = 2.0 * float(np.std(shares)) / math.sqrt(len(shares))
        yield f"| {real} of {tests:,} | {np.mean(shares):.2%} ± {error:.2%} | {np.mean(found):.0%} |"
    control = draw(rng, "mean", runs, 2_000)
    arms = [draw(rng, "mean", runs, 2_000) for _ in range(5)]
    p = np.stack([compare_estimates(arm, control).p_value for arm in arms], axis=1)
    any_ = (
        adjust_families(p.ravel(), np.repeat(np.arange(runs), 5), ALPHA, "holm").rejected.reshape(p.shape).any(axis=1)
    )
    yield ""
    yield f"Five arms against one control without an effect, by Holm: any rejection in {share(any_)} of families."


def invariance(rng: np.random.Generator) -> Iterator[str]:
    """The largest relative differences under changes that must not matter."""
    runs = 2_000
    yield "| change | what must hold | largest difference |"
    yield "| --- | --- | ---: |"
    for kind in ("mean", "ratio"):
        arm, control = draw(rng, kind, runs, 2_000, LIFT), draw(rng, kind, runs, 2_000)
        plain, swapped = compare_estimates(arm, control), compare_estimates(control, arm)
        scaled = compare_estimates(rescaled(arm, 1e4), rescaled(control, 1e4))
        odd = compare_estimates(rescaled(arm, 0.0093), rescaled(control, 0.0093))
        turned = compare_estimates(rescaled(arm, -1.0), rescaled(control, -1.0))
        lines = {
            "arms exchanged": ("effect changes its sign", gap(plain.effect_low, -swapped.effect_high)),
            "arms exchanged ": ("(1 + lift) becomes 1 / (1 + lift)", inverse_gap(plain, swapped)),
            "arms exchanged  ": ("p stays", gap(plain.p_value, swapped.p_value)),
            "unit 10,000 times smaller": ("effect scales", gap(plain.effect_high * 1e4, scaled.effect_high)),
            "another currency": (
                "lift and p stay",
                max(gap(plain.lift_low, odd.lift_low), gap(plain.p_value, odd.p_value)),
            ),
            "sign of all values": ("lift changes its sign, p stays", gap(plain.lift_low, -turned.lift_high)),
        }
        for change, (rule, difference) in lines.items():
            yield f"| {kind}: {change.strip()} | {rule} | {difference:.0e} |"
    n, x1, x0 = 3_000, rng.binomial(3_000, 0.06, runs), rng.binomial(3_000, 0.05, runs)
    plain, swapped = (compare_proportions(a, n, b, n)[0] for a, b in ((x1, x0), (x0, x1)))
    sign = gap(plain.effect_low, -swapped.effect_high)
    yield f"| proportion: arms exchanged | effect changes its sign | {sign:.0e} |"
    yield f"| proportion: arms exchanged | (1 + lift) becomes 1 / (1 + lift) | {inverse_gap(plain, swapped):.0e} |"


def rescaled(estimate: Estimate, factor: float) -> Estimate:
    """The same values in another unit."""
    parts = {f.name: getattr(estimate, f.name) for f in fields(Estimate)}
    return Estimate(**parts | {"value": estimate.value * factor, "variance": estimate.variance * factor**2})


def gap(first: np.ndarray, second: np.ndarray) -> float:
    """The largest difference relative to the size."""
    return float(np.max(np.abs(first - second) / np.maximum(np.abs(first), 1e-9)))


def inverse_gap(plain: Comparisons, swapped: Comparisons) -> float:
    """How far ``1 + lift`` is from the inverse of the exchanged one."""
    return gap(1.0 + plain.lift_low, 1.0 / (1.0 + swapped.lift_high))


def report(runs: int) -> str:
    """The page."""
    rng = np.random.default_rng(SEED)
    parts: list[tuple[str, list[str]]] = [
        (f"False positives, {runs:,} tests without an effect", list(false_positives(rng, runs))),
        (f"Coverage at 20,000 per arm, {runs:,} tests with a lift of 10 %", list(coverage(rng, runs))),
        ("Proportions in small samples, enumerated", [*small_samples(), "", worst_at_300()]),
        (f"Count rates with few counts, {runs:,} tests", list(small_rates(rng, runs))),
        ("Several tests", list(false_discoveries(rng, runs))),
        ("Invariance", list(invariance(rng))),
    ]
    text = [
        "# Fixed horizon",
        "",
        f"`python benchmarks/fixed_horizon.py --runs {runs}` reproduces it: 95 % intervals, "
        "± twice the standard error of the simulation.",
    ]
    for title, lines in parts:
        text += ["", f"## {title}", "", *lines]
    return "\n".join([*text, ""])


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=40_000)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/fixed_horizon.md"))
    arguments = parser.parse_args()
    text = report(arguments.runs)
    print(text)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
