"""Do always-valid and group-sequential methods keep their error when someone looks a hundred times, and at what price?

    python benchmarks/sequential_validity.py [--runs 10000] [--seed 1] [--out docs/benchmarks/sequential_validity.md]

Every run is one test of two arms with 100 looks. The figures depend on the seed and the number of runs alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from experiments.checks.sequential_ratio import ratio_p_values
from experiments.sequential.asymptotic import SequentialTest, asymptotic_test, msprt
from experiments.sequential.bounded_sequences import bernstein_sequence, betting_log_e
from experiments.sequential.group_sequential import POCOCK, boundaries
from experiments.sequential.hybrid import hybrid_test
from experiments.sequential.proportion_sequences import difference_log_e, rate_log_e, success_lift

Array = NDArray[np.float64]
LOOKS, ALPHA = 100, 0.05
CRITICAL = -float(special.ndtri(ALPHA / 2.0))
FRACTIONS = np.arange(1, LOOKS + 1) / LOOKS


@dataclass(frozen=True)
class Estimates:
    """Effects and standard errors of all runs at all looks ``(runs, looks)``, and the units of both arms."""

    effect: Array
    error: Array
    n: Array

    @property
    def z(self) -> Array:
        """Effect over error, 0 where there is none."""
        return np.divide(self.effect, self.error, out=np.zeros(self.effect.shape), where=self.error > 0)


def from_sums(sums: Array, squares: Array, per_look: int, *, lift: bool = False) -> Estimates:
    """Estimates from what every look adds to sum and sum of squares, ``(2, runs, looks)``: control, then arm."""
    n = np.arange(1, LOOKS + 1) * per_look
    mean = np.cumsum(sums, axis=-1) / n
    variance = np.maximum(np.cumsum(squares, axis=-1) / n - mean**2, 0.0) / (n - 1)
    control, arm = mean
    if not lift:
        return Estimates(arm - control, np.sqrt(variance.sum(axis=0)), 2.0 * n)
    safe = np.where(control > 0, control, np.inf)
    return Estimates((arm - control) / safe, np.sqrt(variance[1] / safe**2 + variance[0] * arm**2 / safe**4), 2.0 * n)


def binary(rng: np.random.Generator, runs: int, per_look: int, rates: tuple[float, float]) -> Array:
    """Successes every look adds, ``(2, runs, looks)``."""
    return np.stack([rng.binomial(per_look, rate, (runs, LOOKS)) for rate in rates]).astype(float)


def skewed(rng: np.random.Generator, runs: int, per_look: int) -> tuple[Array, Array]:
    """Sums and sums of squares of log-normal amounts with a skewness of 6, in pieces that fit in memory."""
    pieces = []
    for start in range(0, runs, 250):
        values = rng.lognormal(0.0, 1.0, (2, min(250, runs - start), LOOKS, per_look))
        pieces.append((values.sum(axis=-1), (values**2).sum(axis=-1)))
    return np.concatenate([p[0] for p in pieces], axis=1), np.concatenate([p[1] for p in pieces], axis=1)


def brownian(rng: np.random.Generator, runs: int, drift: float) -> Estimates:
    """Ideal estimates in units of the standard error at the planned end, where z has the mean ``drift``."""
    steps = rng.normal(drift / LOOKS, 1.0 / np.sqrt(LOOKS), (runs, LOOKS))
    return Estimates(np.cumsum(steps, axis=-1) / FRACTIONS, 1.0 / np.sqrt(FRACTIONS), 40_000.0 * FRACTIONS)


def ever(hits: NDArray[np.bool_]) -> tuple[int, int]:
    """In how many runs something happened at any look, and the runs."""
    return int(hits.any(axis=-1).sum()), hits.shape[0]


def line(data: str, method: str, count: tuple[int, int], digits: int = 2) -> str:
    """A row with a share and the upper end of its one-sided 95 % interval (Clopper and Pearson)."""
    hits, runs = count
    most = float(special.betaincinv(hits + 1, runs - hits, 0.95)) if hits < runs else 1.0
    return f"| {data} | {method} | {runs:,} | {hits / runs:.{digits}%} | {most:.{digits}%} |"


METHODS: dict[str, Callable[[Estimates, float], NDArray[np.bool_]]] = {
    "fixed 5 % test at every look": lambda e, _: np.abs(e.z) > CRITICAL,
    "always valid, tuned to 5,000": lambda e, _: asymptotic_test(e.effect, e.error, e.n).p_value < ALPHA,
    "always valid, tuned to the planned end": lambda e, _: (
        asymptotic_test(e.effect, e.error, e.n, tuning_n=e.n[-1]).p_value < ALPHA
    ),
    "always valid, one side": lambda e, _: (
        asymptotic_test(e.effect, e.error, e.n, alternative="greater").p_value < ALPHA
    ),
    "mSPRT": lambda e, scale: msprt(e.effect, e.error, mixing_variance=scale**2).p_value < ALPHA,
    "hybrid": lambda e, _: hybrid_test(e.effect, e.error, e.n, e.n[-1]).p_value < ALPHA,
    "hybrid, full share": lambda e, _: hybrid_test(e.effect, e.error, e.n, e.n[-1], monitor_share=1.0).p_value < ALPHA,
    "always valid, then a fixed 5 % test": lambda e, _: np.where(
        e.n < e.n[-1], asymptotic_test(e.effect, e.error, e.n, tuning_n=e.n[-1]).p_value < ALPHA, np.abs(e.z) > CRITICAL
    ),
    "O'Brien-Fleming spending, 100 looks": lambda e, _: np.abs(e.z) >= boundaries(FRACTIONS),
    "Pocock spending, 100 looks": lambda e, _: np.abs(e.z) >= boundaries(FRACTIONS, spending=POCOCK),
}


def no_effect(rng: np.random.Generator, runs: int) -> Iterator[str]:
    """False alarms of every method by kind of data."""
    conversions = binary(rng, runs, 200, (0.05, 0.05))
    amounts = skewed(rng, runs, 50)
    cases = (
        ("conversion 5 %, 20,000 an arm", from_sums(conversions, conversions, 200), 0.005),
        ("its lift, delta method", from_sums(conversions, conversions, 200, lift=True), 0.1),
        ("amounts, skewness 6, 5,000 an arm", from_sums(*amounts, 50), 0.1),
        ("ideal normal", brownian(rng, runs, 0.0), 2.8),
    )
    for data, estimates, scale in cases:
        for name, method in METHODS.items():
            yield line(data, name, ever(method(estimates, scale)))


def few(rng: np.random.Generator, runs: int) -> Iterator[str]:
    """False alarms with few conversions, and misses of the sequences for one mean."""
    for per_look, rate in ((10, 0.02), (5, 0.3)):
        added = binary(rng, runs, per_look, (rate, rate))
        control, arm = np.cumsum(added, axis=-1)
        n, data = np.arange(1, LOOKS + 1) * float(per_look), f"conversion {rate:.0%}, {per_look * LOOKS:,} an arm"
        estimates = from_sums(added, added, per_look)
        for name in ("fixed 5 % test at every look", "always valid, tuned to 5,000"):
            yield line(data, name, ever(METHODS[name](estimates, 0.0)))
        threshold = -np.log(ALPHA)
        yield line(data, "exact, difference (2 × 2)", ever(difference_log_e(arm, n, control, n) >= threshold))
        yield line(data, "exact, lift from successes", ever(success_lift(arm, control)[2] >= threshold))
        yield line(data, "exact, one rate", ever(rate_log_e(arm, n, rate) >= threshold))
    values = rng.beta(0.2, 1.8, (runs // 2, 2_000))
    batches = values.reshape(len(values), LOOKS, -1)
    m2 = ((batches - batches.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
    low, high = bernstein_sequence(20.0, batches.mean(axis=-1), m2)
    data = "values in [0, 1], mean 0.1, 2,000"
    yield line(data, "empirical Bernstein, batches of 20", ever((low > 0.1) | (high < 0.1)))
    yield line(data, "betting, value by value", ever(betting_log_e(values, 0.1) >= -np.log(ALPHA)))
    counts = np.cumsum(rng.multinomial(400, [0.5, 0.3, 0.2], (runs, LOOKS)), axis=1).astype(float)
    expected = counts.sum(axis=-1, keepdims=True) * np.array([0.5, 0.3, 0.2])
    chi = special.chdtrc(2, ((counts - expected) ** 2 / expected).sum(axis=-1))
    sizes = "sample ratio, three arms, 40,000 units"
    yield line(sizes, "chi-square at every look, p < 0.01", ever(chi < 0.01))
    yield line(sizes, "sequential, p < 0.01", ever(ratio_p_values(counts, [5, 3, 2]) < 0.01))


def price(rng: np.random.Generator, runs: int) -> Iterator[str]:
    """Power by the planned end and the mean share of it that a test takes, by size of the effect."""
    fixed = CRITICAL - float(special.ndtri(0.2))
    five = np.arange(20, LOOKS + 1, 20) - 1
    sparse = {
        "O'Brien-Fleming spending, 5 looks": boundaries(FRACTIONS[five]),
        "Pocock spending, 5 looks": boundaries(FRACTIONS[five], spending=POCOCK),
    }
    names = [n for n in METHODS if "fixed" not in n and "one side" not in n]
    table: dict[str, list[str]] = {n: [] for n in ("fixed, one look", *names, *sparse)}
    for times in (0.5, 1.0, 1.5, 2.0):
        estimates = brownian(rng, runs, times * fixed)
        last = np.arange(LOOKS) == LOOKS - 1
        outcomes = {"fixed, one look": (np.abs(estimates.z) > CRITICAL) & last}
        outcomes |= {n: METHODS[n](estimates, fixed) for n in names}
        for n, bounds in sparse.items():
            outcomes[n] = np.zeros((runs, LOOKS), dtype=bool)
            outcomes[n][:, five] = np.abs(estimates.z[:, five]) >= bounds
        for n, hits in outcomes.items():
            stopped = np.where(hits.any(axis=-1), (hits.argmax(axis=-1) + 1) / LOOKS, 1.0)
            table[n].append(f"{hits.any(axis=-1).mean():.1%} in {stopped.mean():.0%}")
    for n, cells in table.items():
        yield f"| {n} | {' | '.join(cells)} |"


def coverage(rng: np.random.Generator, runs: int) -> Iterator[str]:
    """How often intervals hold a true lift of 10 % of a 5 % rate, and their width next to a fixed interval's."""
    added = binary(rng, runs, 200, (0.05, 0.055))
    e = from_sums(added, added, 200)
    tests: dict[str, tuple[Array, Array]] = {"fixed": (e.effect - CRITICAL * e.error, e.effect + CRITICAL * e.error)}

    def keep(name: str, test: SequentialTest) -> None:
        tests[name] = (test.low, test.high)

    keep("always valid, tuned to 5,000", asymptotic_test(e.effect, e.error, e.n))
    keep("always valid, tuned to the planned end", asymptotic_test(e.effect, e.error, e.n, tuning_n=e.n[-1]))
    keep("mSPRT", msprt(e.effect, e.error, mixing_variance=0.005**2))
    keep("hybrid", hybrid_test(e.effect, e.error, e.n, e.n[-1]))
    keep("hybrid, full share", hybrid_test(e.effect, e.error, e.n, e.n[-1], monitor_share=1.0))
    for name, (low, high) in tests.items():
        inside = (low <= 0.005) & (high >= 0.005)
        cells = [f"{inside.all(axis=-1).mean():.2%}"]
        for look in (1, 10, 50, 100):
            width = np.median((high - low)[:, look - 1] / (2.0 * CRITICAL * e.error[:, look - 1]))
            cells.append(f"{inside[:, look - 1].mean():.1%}, × {width:.2f}")
        yield f"| {name} | {' | '.join(cells)} |"


def report(runs: int, seed: int) -> str:
    """The page, in Markdown."""
    rngs = [np.random.default_rng([seed, i]) for i in range(4)]
    command = f"python benchmarks/sequential_validity.py --runs {runs} --seed {seed}"
    lines = [
        "# Do the sequential methods keep their error under a hundred looks?",
        "",
        f"Written by `{command}`. `at most` is the upper end of a one-sided 95 % interval of the share.",
        "",
        "## No effect: any rejection at any of 100 looks, at 5 %",
        "",
        "| data | method | runs | rejections | at most |",
        "| --- | --- | --- | --- | --- |",
        *no_effect(rngs[0], runs),
        "",
        "## Few conversions, bounded values, arm sizes: any rejection of the truth at any of 100 looks",
        "",
        "| data | method | runs | rejections | at most |",
        "| --- | --- | --- | --- | --- |",
        *few(rngs[1], runs),
        "",
        "## The price: power by the planned end, and the mean share of the planned size a test takes",
        "",
        "Effects are multiples of the one a fixed test of the planned size finds with 80 %, which mSPRT expects.",
        "",
        "| method | × 0.5 | × 1 | × 1.5 | × 2 |",
        "| --- | --- | --- | --- | --- |",
        *price(rngs[2], runs),
        "",
        "## Coverage of a true difference (5 % against 5.5 %, 20,000 an arm), and width next to a fixed interval",
        "",
        "| method | all 100 looks | look 1 | look 10 | look 50 | look 100 |",
        "| --- | --- | --- | --- | --- | --- |",
        *coverage(rngs[3], runs),
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Run, print and, when asked, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    page = report(options.runs, options.seed)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
