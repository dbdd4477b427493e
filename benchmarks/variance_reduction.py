"""Does the standard error fall as R² says, without bias and at the level promised?

    python benchmarks/variance_reduction.py [--tests 4000] [--units 20000] [--out FILE]

Simulated tests of two arms whose R² is known in closed form. The figures depend on the seed alone, not on the machine.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.adjusting.adjustment import adjust_means, adjust_ratios
from experiments.adjusting.arm_estimates import MeanContrasts
from experiments.adjusting.strata import stratify_means
from experiments.basis.moments import Moments

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], list[Array]]

LIFT = 0.02


@dataclass(frozen=True, kw_only=True)
class Case:
    """A kind of test: how units are drawn, how arms are compared, and what is true.

    ``draw`` gives columns of which the first is the outcome (or numerator). The second arm's outcome is multiplied by
    ``1 + LIFT``, or left alone for a test without effect.
    """

    name: str
    r_squared: float
    value: float
    columns: tuple[str, ...]
    draw: Draw
    plain: Callable[[Moments], MeanContrasts]
    adjusted: Callable[[Moments], MeanContrasts]


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Log-normal with mean 0, variance 1 and skewness 3.3."""
    sigma = 0.8
    x = rng.lognormal(0.0, sigma, shape)
    mean = math.exp(sigma**2 / 2)
    return np.asarray((x - mean) / (mean * math.sqrt(math.expm1(sigma**2))))


def mean_case(coefficients: str = "pooled") -> Case:
    """Spend told by last month's spend: R² = 0.5."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> list[Array]:
        x = skewed(rng, shape)
        return [10.0 + x + skewed(rng, shape), x]

    name = "mean, 1 covariate" + (", coefficients by arm" if coefficients == "by_arm" else "")
    return Case(
        name=name, r_squared=0.5, value=10.0, columns=("y", "x"), draw=draw, plain=plain_mean,
        adjusted=lambda arms: adjust_means(arms, "y", ["x"], coefficients=coefficients).against(1, 0),
    )  # fmt: skip


def three_covariates() -> Case:
    """Three covariates that share a part: y = x1 + 0.6 x2 - 0.4 x3 + noise, each x with half its variance in common."""
    slopes = np.array([1.0, 0.6, -0.4])
    told = float(slopes @ (0.5 * np.eye(3) + 0.5) @ slopes)

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> list[Array]:
        common = skewed(rng, shape)
        x = [math.sqrt(0.5) * (common + skewed(rng, shape)) for _ in slopes]
        return [10.0 + sum(b * v for b, v in zip(slopes, x, strict=True)) + 0.7 * skewed(rng, shape), *x]

    return Case(
        name="mean, 3 covariates", r_squared=told / (told + 0.49), value=10.0, columns=("y", "x1", "x2", "x3"),
        draw=draw, plain=plain_mean,
        adjusted=lambda arms: adjust_means(arms, "y", ["x1", "x2", "x3"]).against(1, 0),
    )  # fmt: skip


def missing_history() -> Case:
    """As with one covariate, but three in ten units have no history and are told by an indicator alone."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> list[Array]:
        x = skewed(rng, shape)
        new = (rng.random(shape) < 0.3).astype(float)
        return [10.0 + 1.5 * x + skewed(rng, shape), np.where(new > 0, 0.0, x + 5.0), new]

    return Case(
        name="mean, 1 covariate, 30 % without it", r_squared=0.7 * 2.25 / 3.25, value=10.0, columns=("y", "x", "new"),
        draw=draw, plain=plain_mean, adjusted=lambda arms: adjust_means(arms, "y", ["x", "new"]).against(1, 0),
    )  # fmt: skip


def ratio_case() -> Case:
    """Value per visit: visits Poisson about each unit's habit, value a visit about each unit's taste.

    With habit ``l`` (gamma, mean 10, variance 50), taste ``v`` (gamma, mean 2, variance 2) and a factor of each period
    (gamma, mean 1, variance 1/4) value is ``visits × v × factor``; both periods share habit and taste. The linearised
    value ``y - R z`` covaries with the pre-period value alone, by ``E(z z') Var(v)``.
    """
    mean, spread, taste, taste_spread, factor = 10.0, 50.0, 2.0, 2.0, 0.25
    square, product = mean + spread + mean**2, spread + mean**2  # E z² and E z z'
    value_square = square * (taste**2 + taste_spread) * (1 + factor)
    pre = np.array(
        [
            [value_square - (mean * taste) ** 2, taste * (square - mean**2)],
            [taste * (square - mean**2), square - mean**2],
        ]
    )
    total = value_square - taste**2 * square
    shared = product * taste_spread
    told = shared**2 * float(np.linalg.inv(pre)[0, 0]) / total

    def period(rng: np.random.Generator, habit: Array, tastes: Array) -> tuple[Array, Array]:
        visits = rng.poisson(habit).astype(float)
        return visits * tastes * rng.gamma(1 / factor, factor, habit.shape), visits

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> list[Array]:
        habit = rng.gamma(mean**2 / spread, spread / mean, shape)
        tastes = rng.gamma(taste**2 / taste_spread, taste_spread / taste, shape)
        return [*period(rng, habit, tastes), *period(rng, habit, tastes)]

    return Case(
        name="ratio, pre-period numerator and denominator", r_squared=told, value=taste, columns=("y", "z", "y0", "z0"),
        draw=draw, plain=lambda arms: adjust_ratios(arms, "y", "z", []).against(1, 0),
        adjusted=lambda arms: adjust_ratios(arms, "y", "z", ["y0", "z0"]).against(1, 0),
    )  # fmt: skip


def plain_mean(arms: Moments) -> MeanContrasts:
    """The difference of unadjusted means."""
    return adjust_means(arms, "y", []).against(1, 0)


RATES, SHARES = np.array([0.01, 0.05, 0.30]), np.array([0.5, 0.3, 0.2])


def strata_figures(tests: int, units: int, rng: np.random.Generator) -> tuple[MeanContrasts, ...]:
    """A/A tests, and tests with effect, of a proportion over three segments, unadjusted and post-stratified."""

    def cells(rates: list[Array]) -> Moments:
        n = rng.multinomial(units, SHARES, size=(tests, 2)).astype(float)
        mean = rng.binomial(n.astype(int), np.stack(rates)) / n
        return Moments(names=("y",), n=n, mean=mean[..., None], cross=(n * mean * (1 - mean))[..., None, None])

    null, real = cells([RATES, RATES]), cells([RATES, RATES * (1 + LIFT)])
    return (
        plain_mean(real.total()),
        stratify_means(real, "y").against(1, 0),
        plain_mean(null.total()),
        stratify_means(null, "y").against(1, 0),
    )


def chunks(case: Case, tests: int, units: int, rng: np.random.Generator) -> Iterator[Moments]:
    """Moments of tests × arms without any effect, some tests at a time."""
    size = max(1, 1_000_000 // units)
    for start in range(0, tests, size):
        columns = case.draw(rng, (min(size, tests - start), 2, units))
        yield Moments.from_rows(np.moveaxis(np.stack(columns, axis=-2), -2, -1), case.columns)


def lifted(arms: Moments) -> Moments:
    """The same tests with the second arm's outcome multiplied by one plus the lift."""
    scale = np.eye(len(arms.names))
    scale[0, 0] = 1.0 + LIFT
    return Moments.stack([arms[..., 0], arms[..., 1].combine(scale, arms.names)])


def line(name: str, r_squared: float, value: float, parts: list[tuple[MeanContrasts, ...]]) -> str:
    """One row of the table, from chunks of (plain, adjusted, plain without effect, adjusted without effect)."""

    def gather(take: Callable[[MeanContrasts], Array], at: int) -> Array:
        return np.concatenate([take(part[at]) for part in parts])

    def held(limits: Callable[[MeanContrasts], tuple[Array, Array]], truth: float) -> str:
        low, high = (gather(lambda c, k=k: limits(c)[k], 1) for k in (0, 1))
        return f"{float(np.mean((low <= truth) & (truth <= high))):.2%}"

    effects, plain = gather(lambda c: c.effect, 1), gather(lambda c: c.effect, 0)
    errors, plain_errors = (gather(lambda c: np.sqrt(c.effect_variance), at) for at in (1, 0))
    bias = (float(effects.mean()) - LIFT * value) / float(effects.std())
    rejected = float(np.mean(gather(lambda c: c.p_value, 3) < 0.05))
    expected = math.sqrt(1.0 - r_squared)
    told, seen = float(errors.mean() / plain_errors.mean()), float(effects.std() / plain.std())
    cells = [
        name, f"{r_squared:.3f}", f"{expected:.4f}", f"{told:.4f} ({told / expected - 1:+.2%})",
        f"{seen:.4f} ({seen / expected - 1:+.2%})", f"{bias:+.3f}", held(lambda c: c.effect_limits(), LIFT * value),
        held(lambda c: c.lift_limits(), LIFT), f"{rejected:.2%}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def report(tests: int, units: int, seed: int) -> str:
    """The page, in Markdown."""
    share = math.sqrt(0.05 * 0.95 / tests)
    lines = [
        "# Does the standard error fall as it should?",
        "",
        f"Written by `python benchmarks/variance_reduction.py --tests {tests} --units {units}`, seed {seed}: {tests:,} "
        f"tests a row, {units:,} units an arm (300 where said), skewed data, a true lift of {LIFT:.0%}; A/A is the "
        f"same without it. One standard error of the shares is {share:.2%}, of the bias {1 / math.sqrt(tests):.3f} "
        f"standard errors, of the ratio seen about {1 / math.sqrt(tests):.1%}.",
        "",
        "| case | R² | √(1−R²) | standard error told, over unadjusted | seen | bias / standard error "
        "| 95 % of effect | 95 % of lift | A/A rejected at 5 % |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    cases = [(case, units) for case in (mean_case(), mean_case("by_arm"), three_covariates(), missing_history())]
    cases += [(ratio_case(), units), (three_covariates(), 300), (ratio_case(), 300)]
    for i, (case, n) in enumerate(cases):
        rng = np.random.default_rng([seed, i])
        parts = []
        for null in chunks(case, tests, n, rng):
            real = lifted(null)
            parts.append((case.plain(real), case.adjusted(real), case.plain(null), case.adjusted(null)))
        lines.append(line(case.name + (f", {n} units" if n != units else ""), case.r_squared, case.value, parts))
    total = float(RATES @ SHARES)
    between = float(SHARES @ (RATES - total) ** 2) / (total * (1 - total))
    figures = strata_figures(tests, units, np.random.default_rng([seed, 99]))
    lines.append(line("proportion over 3 segments, post-stratified", between, total, [figures]))
    return "\n".join([*lines, ""])


def main() -> None:
    """Run and print; write the page where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=4_000)
    parser.add_argument("--units", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    page = report(options.tests, options.units, options.seed)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
