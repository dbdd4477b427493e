"""How often the health checks alarm without cause, how often they find what is wrong, and what corrections hold.

    python benchmarks/health_checks.py [--runs 2000] [--out docs/benchmarks/health_checks.md]

Tests are drawn with a known truth, thousands at a time. The figures depend on the seeds alone, not on the machine.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from experiments.checks.balance import compare_baselines
from experiments.checks.delays import DelayTable, compare_delays, fit_delays
from experiments.checks.health import sample_ratio
from experiments.checks.maturity import corrected_lifts
from experiments.checks.novelty import daily_log_lifts, trend_of_lifts
from experiments.checks.segment_ratio import segment_ratio, segment_shares
from experiments.comparing.family_tests import false_discovery, step_down
from experiments.deciding.metric_families import metric_weights

Array = NDArray[np.float64]

LEVELS = (0.05, 0.01, 0.001)


def line(*cells: str) -> str:
    """One row of a table."""
    return f"| {' | '.join(cells)} |"


def head(*cells: str) -> list[str]:
    """The first two rows of a table."""
    return ["", line(*cells), line(*["---"] * len(cells))]


def share(hits: NDArray[np.bool_]) -> str:
    """A share with its standard error."""
    value = float(np.mean(hits))
    return f"{value:.2%} ± {math.sqrt(value * (1.0 - value) / np.size(hits)):.2%}"


def balance(runs: int) -> Iterator[str]:
    """Joint test of pre-period metrics, skewed and correlated, by the shift of one metric in one arm."""
    yield from head("arms", "metrics", "units per arm", "shift (sd)", *(f"p < {level:g}" for level in LEVELS))
    rng = np.random.default_rng(1)
    for arms, metrics, units, shift in (
        (2, 1, 500, 0.0),
        (2, 5, 500, 0.0),
        (4, 5, 500, 0.0),
        (2, 5, 2_000, 0.0),
        (2, 5, 500, 0.2),
        (2, 5, 2_000, 0.1),
        (4, 5, 2_000, 0.1),
        (2, 5, 2_000, 0.2),
    ):
        p = np.concatenate([_balance_p(rng, arms, metrics, units, shift) for _ in range(max(1, runs // 100))])
        yield line(str(arms), str(metrics), f"{units:,}", f"{shift:g}", *(share(p < level) for level in LEVELS))


def _balance_p(rng: np.random.Generator, arms: int, metrics: int, units: int, shift: float) -> Array:
    # Half of a metric is its own, half is common to all: a correlation of 0.5; exponential, so skewed.
    common = rng.exponential(1.0, (100, arms, units, 1))
    x = math.sqrt(0.5) * (rng.exponential(1.0, (100, arms, units, metrics)) + common)
    x[:, -1, :, 0] += shift
    means = x.mean(axis=2)
    centred = x - means[:, :, None]
    return compare_baselines(np.full((100, arms), units), means, np.swapaxes(centred, -1, -2) @ centred).p_value


def ratios(runs: int) -> Iterator[str]:
    """Sample ratio in all and per segment: three systems × five countries, units of one arm lost in one system."""
    yield from head("units", "lost", "in all, alarm", "per segment, alarm", "system named", "rest said to fit")
    rng = np.random.default_rng(2)
    for units, lost in ((3_000, 0.0), (60_000, 0.0), (60_000, 0.05), (60_000, 0.1), (600_000, 0.02), (600_000, 0.05)):
        whole, parts, named, rest = (np.zeros(runs // 2, dtype=bool) for _ in range(4))
        for i in range(runs // 2):
            counts = _delivery(rng, units, lost)
            sizes = {a: sum(c[a] for c in counts["system"].values()) for a in "ab"}
            whole[i] = sample_ratio(sizes, {"a": 1.0, "b": 1.0}).ok is False
            check = segment_ratio(counts, {"a": 1.0, "b": 1.0})
            parts[i] = check.ok is False
            named[i] = "system explains it best. Without web" in check.message
            rest[i] = named[i] and "the rest fits" in check.message
        found = parts if lost else np.ones_like(parts)
        explained = (share(named[found]), share(rest[found])) if lost and parts.any() else ("", "")
        yield line(f"{units:,}", f"{lost:.0%}", share(whole), share(parts), *explained)


def _delivery(rng: np.random.Generator, units: int, lost: float) -> dict[str, dict[str, dict[str, int]]]:
    table = rng.multinomial(units, np.outer([0.5, 0.3, 0.2], [0.3, 0.3, 0.2, 0.15, 0.05]).ravel()).reshape(3, 5)
    a = rng.binomial(table, 0.5)
    b = table - a
    b[2] = rng.binomial(b[2], 1.0 - lost)
    systems = dict(zip(("android", "ios", "web"), zip(a.sum(1), b.sum(1), strict=True), strict=True))
    countries = dict(zip("defiu", zip(a.sum(0), b.sum(0), strict=True), strict=True))
    return {
        "system": {k: {"a": int(x), "b": int(y)} for k, (x, y) in systems.items()},
        "country": {k: {"a": int(x), "b": int(y)} for k, (x, y) in countries.items()},
    }


def segments_false(runs: int) -> str:
    """How often any of eight segments is below 5 % after Holm's correction, without a cause."""
    rng = np.random.default_rng(3)
    least = [
        min(s.adjusted_p for s in segment_shares(_delivery(rng, 20_000, 0.0), {"a": 1.0, "b": 1.0})[0])
        for _ in range(runs)
    ]
    return share(np.array(least) < 0.05)


def delays(runs: int) -> Iterator[str]:
    """Reverse-time log-rank test of two arms over 21 days."""
    yield from head("conversions a day and arm", "mean delay (days)", *(f"p < {level:g}" for level in LEVELS))
    rng = np.random.default_rng(4)
    for daily, means in ((10, (4, 4)), (100, (4, 4)), (10, (4, 5)), (100, (4, 5)), (100, (4, 4.4))):
        tables = np.stack([_conversions(rng, runs, np.full(21, float(daily)), mean) for mean in means], axis=1)
        p = compare_delays(tables, np.arange(20, -1, -1))[2]
        yield line(f"{daily}", f"{means[0]:g} and {means[1]:g}", *(share(p < level) for level in LEVELS))


def _conversions(rng: np.random.Generator, runs: int, daily: Array, mean: float) -> Array:
    """Poisson conversions by exposure day and geometric delay, as far as they have come."""
    stay = 1.0 - 1.0 / mean
    chance = (1.0 - stay) * stay ** np.arange(len(daily))
    seen = np.arange(len(daily)) <= np.arange(len(daily) - 1, -1, -1)[:, None]
    return rng.poisson(daily[:, None] * chance, (runs, len(daily), len(daily))) * seen.astype(float)


def completeness(runs: int) -> Iterator[str]:
    """Share of conversions in by age, of those within the horizon: estimate, plain estimate, 95 % interval."""
    yield from head("conversions a day", "age (days)", "truth", "corrected", "as seen", "interval holds the truth")
    rng = np.random.default_rng(5)
    for daily in (20, 200):
        table = _conversions(rng, runs, np.full(21, float(daily)), 5.0)
        curve = fit_delays(table, np.arange(20, -1, -1))
        low, high = curve.limits(0.05)
        for age in (2, 6, 10):
            truth = (1.0 - 0.8 ** (age + 1)) / (1.0 - 0.8 ** (curve.horizon + 1.0))
            plain = table[..., : age + 1].sum(axis=(1, 2)) / table.sum(axis=(1, 2))
            inside = (low[:, age] <= truth) & (truth <= high[:, age])
            figures = (f"{v.mean():.2%}" for v in (truth, curve.share[:, age], plain))
            yield line(str(daily), str(age), *figures, share(inside))


def corrections(runs: int) -> Iterator[str]:
    """Lifts of an arm without effect: raw, corrected, and how often the corrected 95 % interval holds zero."""
    yield from head("case", "raw lift", "corrected", "true within 20 days", "interval holds the truth")
    rng = np.random.default_rng(6)
    even, late = np.full(21, 4_000.0), np.r_[np.zeros(14), np.full(7, 12_000.0)]
    cases = (
        ("same days, same delays", even, 5.0, False),
        ("arm began two weeks later", late, 5.0, False),
        ("arm converts slower (8 for 5 days), own delays", even, 8.0, True),
    )
    days = tuple(date(2026, 5, 1) + timedelta(days=i) for i in range(21))
    for name, units, mean, own in cases:
        control = _conversions(rng, runs // 2, even * 0.03, 5.0)
        arm = _conversions(rng, runs // 2, units * 0.03, mean)
        rows = [
            corrected_lifts(
                DelayTable(
                    arms=("c", "t"), days=days, as_of=days[-1], counts=np.stack(pair), exposures=np.stack([even, units])
                ),
                "c",
                own_delays=own,
            )[0]
            for pair in zip(control, arm, strict=True)
        ]
        truth = (1.0 - (1.0 - 1.0 / mean) ** 21) / (1.0 - 0.8**21) - 1.0
        inside = np.array([(r.low or 0.0) <= truth <= (r.high or 0.0) for r in rows])
        raw, lift = (np.mean([getattr(r, field) for r in rows]) for field in ("raw_lift", "lift"))
        yield line(name, f"{raw:+.1%}", f"{lift:+.1%}", f"{truth:+.1%}", share(inside))


def novelties(runs: int) -> Iterator[str]:
    """Trend of daily lifts; 3,000 units a day and arm at 5 %."""
    yield from head("days", "lift", "days scatter by", "scale", *(f"p < {level:g}" for level in LEVELS))
    rng = np.random.default_rng(7)
    for days, name, extra, scale in (
        (7, "10 %", 0.0, "linear"),
        (14, "10 %", 0.0, "linear"),
        (28, "10 %", 0.0, "linear"),
        (28, "10 %", 0.15, "linear"),
        (28, "10 %", 0.0, "log"),
        (28, "20 % falling to 0 along a line", 0.0, "linear"),
        (28, "20 % falling to 0 along a line", 0.15, "linear"),
        (28, "3 % + 20 % exp(-day / 4)", 0.0, "linear"),
        (28, "3 % + 20 % exp(-day / 4)", 0.0, "log"),
    ):
        at = np.arange(days)
        lift = {"10 %": np.full(days, 0.1), "20": 0.2 * (1 - at / (days - 1)), "3 ": 0.03 + 0.2 * np.exp(-at / 4)}
        p = _trend_p(rng, 2 * runs, lift.get(name, lift.get(name[:2], lift["10 %"])), extra, scale)
        yield line(str(days), name, f"{extra:.0%}", scale, *(share(p < level) for level in LEVELS))


def _trend_p(rng: np.random.Generator, runs: int, lift: Array, extra: float, scale: str) -> Array:
    shape = (2, runs, len(lift))
    factor = rng.gamma(1 / extra**2, extra**2, shape) if extra else np.ones(shape)
    units = np.full(shape[1:], 3_000)
    arm, control = rng.binomial(units, 0.05 * (1 + lift) * factor[0]), rng.binomial(units, 0.05 * factor[1])
    y, v = daily_log_lifts(arm, units, control, units)
    return trend_of_lifts(y, v, scale=scale, weekdays=[i % 7 for i in range(len(lift))]).p_value


def families(runs: int) -> Iterator[str]:
    """Two metrics × three arms sharing a control: wrong decisions, limits that all hold, primary found."""
    yield from head("procedure", "true effects (z)", "any wrong decision", "all limits hold", "decided of the effects")
    rng = np.random.default_rng(8)
    weights = metric_weights([True, False], 3).ravel()
    root = np.linalg.cholesky(np.kron(np.eye(2) + 0.3 * (1 - np.eye(2)), 0.5 + 0.5 * np.eye(3)))
    for truth in ((0,) * 6, (3, 3, 3, 0, 0, 0), (3, -3, 0, 3, -3, 0), (9, 9, 9, 9, 9, -0.3)):
        true = np.array(truth, dtype=float)
        z = true + rng.standard_normal((20 * runs, 6)) @ root.T
        p = np.clip(2.0 * special.ndtr(-np.abs(z)), 1e-300, 1.0)
        tests = {f"step-down, kept {k:g}": step_down(p, z, weights=weights, kept=k) for k in (0.0, 0.5, 1.0)}
        tests["false discovery"] = false_discovery(p, z)
        for name, test in tests.items():
            low, high = test.limits(z, 1.0)
            wrong = ((test.direction > 0) & (true <= 0)) | ((test.direction < 0) & (true >= 0))
            held = ((low <= true) & (true <= high)).all(axis=1)
            found = share((test.direction == np.sign(true))[:, true != 0]) if true.any() else ""
            yield line(name, ", ".join(f"{t:g}" for t in truth), share(wrong.any(axis=1)), share(held), found)


def report(runs: int) -> str:
    """The page, in Markdown."""
    return "\n".join(
        [
            "# How far can the health checks be trusted?",
            "",
            f"Written by `python benchmarks/health_checks.py`{f' with `--runs {runs}`' if runs != 2_000 else ''}. "
            "After ± stands one standard error of the share. A check alarms below p = 0.01 when the deviation is also "
            "large enough to matter, and blocks below 0.001.",
            "",
            "## Balance before the test",
            "",
            "Correlated, skewed pre-period metrics; the shift is that of one metric in one arm. Rows without a shift "
            "are false alarms, the others power.",
            *balance(runs),
            "",
            "## Sample ratio, in all and per segment",
            "",
            "Two arms, three systems and five countries; a share of arm b's units is lost on one system, the web (20 % "
            "of all). Rows without loss are false alarms. The last two columns are shares of the alarms.",
            *ratios(runs),
            "",
            "Without loss, some segment of the eight is below 5 % after Holm's correction in "
            f"{segments_false(runs)} of the tests.",
            "",
            "## Delayed conversions",
            "",
            "Do the arms convert equally fast? Equal means are false alarms.",
            *delays(runs),
            "",
            "Share of conversions that has come by an age, of those within the horizon: corrected for truncation, and "
            "as a plain count would have it.",
            *completeness(runs),
            "",
            "Lifts of an arm in which as many convert in the end, 3 %, after 21 days. The truth is of conversions "
            "within 20 days, the longest delay seen: a slower arm has fewer of those.",
            *corrections(runs),
            "",
            "## Lifts that change",
            "",
            "3,000 units a day and arm at 5 %; from two weeks on with a level for every weekday. A steady lift of 10 % "
            "gives false alarms, the others power. Days scatter by that share beyond counting in each arm.",
            *novelties(runs),
            "",
            "## Families of metrics and arms",
            "",
            "Two metrics (the primary one with 80 % of alpha) and three arms that share a control. Step-down keeps any "
            "wrong decision (direction counts) and any wrong limit within 5 %; false discovery promises less: a share "
            "of 5 % among those found.",
            *families(runs),
            "",
        ]
    )


def main() -> None:
    """Run and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/health_checks.md"))
    options = parser.parse_args()
    page = report(options.runs)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
