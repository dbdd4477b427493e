"""Power by formula against simulated tests, for every kind of outcome, effect and way to watch.

    python benchmarks/power_check.py [--runs 20000] [--seed 1] [--out docs/benchmarks/power_check.md]

Each design is sized by formula for a power of 80 %, then drawn and tested so many times. The figures depend on the
seed alone, not on the machine.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np

from experiments.planning.planned_outcome import CountRate, Mean, Proportion, Ratio
from experiments.planning.planned_rules import Rules
from experiments.planning.planned_standing import PlannedOutcome
from experiments.planning.power import power, sample_size
from experiments.planning.power_simulation import SimulatedPower, simulate_power
from experiments.planning.sequential_power import watched_power, watched_sample_size
from experiments.planning.watching import Watch

OUTCOMES: dict[str, tuple[PlannedOutcome, float]] = {
    "proportion 1.2 %": (Proportion(baseline=0.012), 0.1),
    "proportion 5 %": (Proportion(baseline=0.05), 0.1),
    "mean, sd 2.6 times it": (Mean(baseline=4.2, variance=121.0), 0.1),
    "ratio": (Ratio(mean_x=3.0, mean_y=2.0, variance_x=9.0, variance_y=2.0, covariance=2.5), 0.05),
    "count 0.4": (CountRate(baseline=0.4), 0.1),
}
WATCHES: dict[str, Watch | None] = {
    "read once": None,
    "always-valid, 28 looks": Watch(looks=28),
    "always-valid tuned to 5,000, 28 looks": Watch(looks=28, tuning=5000.0),
    "hybrid, 28 looks": Watch(method="hybrid", looks=28),
    "O'Brien-Fleming, 5 looks": Watch(method="obrien-fleming", looks=5),
    "Pocock, 5 looks": Watch(method="pocock", looks=5),
}
PROPORTION, MEAN, RATIO, COUNT = (OUTCOMES[name] for name in list(OUTCOMES)[1:])
#: Options beyond the plain test: what is asked of which outcome, with which effect.
OPTIONS: list[tuple[str, PlannedOutcome, float, Rules]] = [
    ("one-sided drop", PROPORTION[0], -0.1, Rules(sides=1)),
    ("margin 10 %", PROPORTION[0], 0.0, Rules(margin=0.1)),
    ("margin 10 %, lower is better", PROPORTION[0], 0.0, Rules(margin=0.1, higher_is_better=False)),
    ("margin 0.5 points", PROPORTION[0], 0.0, Rules(relative=False, margin=0.005)),
    ("4 arms, Bonferroni", PROPORTION[0], 0.1, Rules(comparisons=3)),
    (
        "4 arms, Dunnett, large control",
        PROPORTION[0],
        0.1,
        Rules(comparisons=3, correction="dunnett", control_ratio=2.0),
    ),
    ("over-dispersion 2", PROPORTION[0], 0.1, Rules(dispersion=2.0)),
    ("covariate, R2 0.3", PROPORTION[0], 0.1, Rules(r_squared=0.3)),
    ("delta method on the lift", PROPORTION[0], 0.3, Rules(tested="lift")),
    ("covariate, R2 0.5", MEAN[0], 0.1, Rules(r_squared=0.5)),
    ("margin 10 %", MEAN[0], 0.0, Rules(margin=0.1)),
    ("sd in proportion", Mean(baseline=4.2, variance=121.0, proportional_sd=True), 0.2, Rules()),
    ("delta method on the lift", MEAN[0], 0.3, Rules(tested="lift")),
    ("delta method, a drop", MEAN[0], -0.3, Rules(tested="lift")),
    ("small arms", Mean(baseline=4.0, variance=16.0), 0.8, Rules()),
    ("margin 5 %", RATIO[0], 0.0, Rules(margin=0.05)),
    ("covariate, R2 0.4", RATIO[0], 0.05, Rules(r_squared=0.4)),
    ("delta method on the lift", RATIO[0], 0.1, Rules(tested="lift")),
    ("over-dispersion 2.5", COUNT[0], 0.1, Rules(dispersion=2.5)),
    ("margin 10 %", COUNT[0], 0.0, Rules(margin=0.1)),
    ("margin 0.04", COUNT[0], 0.0, Rules(relative=False, margin=0.04)),
]


def line(*cells: str) -> str:
    """One row of a table."""
    return f"| {' | '.join(cells)} |"


def compared(formula: float, drawn: SimulatedPower) -> tuple[str, str, str, str]:
    """Formula, simulation with its error, and their difference in errors."""
    gap = drawn.power - formula
    return f"{formula:.2%}", f"{drawn.power:.2%}", f"± {drawn.error:.2%}", f"{gap / drawn.error:+.1f}"


def plain_rows(runs: int, seed: int) -> list[str]:
    """Each outcome, relative and absolute, in each way to watch it: power, false alarms and mean length."""
    rows = []
    for name, (outcome, lift) in OUTCOMES.items():
        for again, relative in enumerate((True, False)):
            own_seed = seed + 100 * again
            rules = Rules(relative=relative)
            effect = lift if relative else lift * float(np.asarray(outcome.baseline))
            for label, watch in WATCHES.items():
                if watch is None:
                    n = math.ceil(float(sample_size(outcome, effect, rules)))
                    formula, expected = float(power(outcome, effect, n, rules)), 1.0
                    alarm = float(power(outcome, 0.0, n, rules))
                else:
                    n = math.ceil(float(watched_sample_size(outcome, effect, rules, watch)))
                    found = watched_power(outcome, np.array([effect, 0.0]), n, rules, watch)
                    formula, alarm = (float(p) for p in found.power)
                    expected = float(found.expected_share[0])
                there = simulate_power(outcome, effect, n, rules, watch=watch, runs=runs, seed=own_seed)
                none = simulate_power(outcome, 0.0, n, rules, watch=watch, runs=runs, seed=own_seed + 1)
                kind = "relative" if relative else "absolute"
                rows.append(
                    line(
                        name,
                        kind,
                        label,
                        f"{n:,}",
                        *compared(formula, there),
                        f"{expected:.3f}",
                        f"{there.mean_share:.3f}",
                        f"{alarm:.2%}",
                        f"{none.power:.2%}",
                    )
                )
    return rows


def option_rows(runs: int, seed: int) -> list[str]:
    """Each option, read once: power, and the error at the border of the null hypothesis."""
    rows = []
    for label, outcome, effect, rules in OPTIONS:
        n = math.ceil(float(sample_size(outcome, effect, rules)))
        border = float(rules.null_effect)
        there = simulate_power(outcome, effect, n, rules, runs=runs, seed=seed)
        none = simulate_power(outcome, border, n, rules, runs=runs, seed=seed + 1)
        formula, alarm = float(power(outcome, effect, n, rules)), float(power(outcome, border, n, rules))
        rows.append(line(outcome.kind, label, f"{n:,}", *compared(formula, there), f"{alarm:.2%}", f"{none.power:.2%}"))
    return rows


def skewed_rows(runs: int, seed: int) -> list[str]:
    """Means of skewed units drawn one by one (gamma and lognormal), which the formula takes for normal ones."""
    rows = []
    for label, spread in (
        ("gamma, sd 1 x mean", 1.0),
        ("gamma, sd 2.6 x mean", 2.6),
        ("lognormal, sd 2.6 x mean", 2.6),
    ):
        outcome, rules = Mean(baseline=1.0, variance=spread**2), Rules()
        n = math.ceil(float(sample_size(outcome, 0.3, rules)))
        rng = np.random.default_rng(seed)
        found = 0
        for _ in range(runs // 5):
            units = []
            for mean in (1.3, 1.0):
                if label.startswith("gamma"):
                    drawn = rng.gamma(1.0 / spread**2, spread**2, n)
                else:
                    log = math.log1p(spread**2)
                    drawn = rng.lognormal(-log / 2.0, math.sqrt(log), n)
                units.append(drawn + (mean - 1.0))
            z = (units[0].mean() - units[1].mean()) / math.sqrt(sum(one.var(ddof=1) / n for one in units))
            found += abs(z) > float(rules.critical)
        share = found / (runs // 5)
        drawn_power = SimulatedPower(
            power=share, error=math.sqrt(share * (1.0 - share) / (runs // 5)), mean_share=1.0, runs=runs // 5, seed=seed
        )
        rows.append(line(label, f"{n:,}", *compared(float(power(outcome, 0.3, n, rules)), drawn_power)))
    return rows


def report(runs: int, seed: int) -> str:
    """The page."""
    return "\n".join(
        [
            "# Power by formula and by simulation",
            "",
            f"Every design is sized for a power of 80 % and drawn {runs:,} times. `python benchmarks/power_check.py` "
            "reproduces it. The last figure of a comparison is the difference in standard errors of the simulation; "
            "beyond ± 3 it would be more than chance. Units are those of the arm at the planned end; the length is the "
            "mean share of them that is used when the effect is there; false alarms are findings without any effect. "
            "Relative and absolute effects ask for the same test, hence the same units; each is drawn anew.",
            "",
            "## Kinds, effects and ways to watch",
            "",
            line(
                "outcome", "effect", "watched", "units", "formula", "simulated", "error", "difference", "length",
                "simulated", "false alarms", "simulated",
            ),
            line(*["---"] * 3, *["---:"] * 9),
            *plain_rows(runs, seed),
            "",
            "## Options, read once",
            "",
            "False alarms are counted at the border: no effect, or just the margin.",
            "",
            line(
                "outcome", "asked", "units", "formula", "simulated", "error", "difference", "false alarms", "simulated"
            ),
            line(*["---"] * 2, *["---:"] * 7),
            *option_rows(runs, seed),
            "",
            "## Units that are not normal",
            "",
            f"Drawn one by one, {runs // 5:,} tests each, lift 30 %. A heavy tail is found a little more often than "
            "planned: outliers widen the interval in few tests, and leave it narrower in most.",
            "",
            line("units are", "units", "formula", "simulated", "error", "difference"),
            line("---", *["---:"] * 5),
            *skewed_rows(runs, seed),
            "",
        ]
    )  # fmt: skip


def main() -> None:
    """Run and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/power_check.md"))
    options = parser.parse_args()
    page = report(options.runs, options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
