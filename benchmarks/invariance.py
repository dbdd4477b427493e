"""Do parts merge to the whole, and does SQL say what numpy says, also far from zero?

    python benchmarks/invariance.py [--rows 20000] [--seed 1]

Shards against rational arithmetic, which rounds nothing; aggregates of the warehouse against numpy. What scale,
currency, sign and exchanged arms do to a result stands in docs/benchmarks/fixed_horizon.md.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import numpy as np

from experiments.basis.moments import Moments
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Page
from warehouse.table_page import page_cells
from warehouse.tables import file_aggregates

OFFSETS = (0.0, 1e6, 1e9)
SHARDS = 40
RATIO = Metric(name="x/y", kind=MetricKind.RATIO, numerator="x", denominator="y")


def draw(rows: int, seed: int, offset: float) -> np.ndarray:
    """Two correlated columns around an offset."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 2)) @ np.array([[1.0, 0.6], [0.0, 1.0]]) + offset


def exact(rows: np.ndarray) -> tuple[list[Fraction], np.ndarray]:
    """Means and centred cross products in rational arithmetic."""
    columns = [[Fraction(float(v)) for v in column] for column in rows.T]
    means = [sum(c, Fraction(0)) / len(c) for c in columns]
    centred = [[v - m for v in c] for c, m in zip(columns, means, strict=True)]
    cross = [[float(sum((a * b for a, b in zip(p, q, strict=True)), Fraction(0))) for q in centred] for p in centred]
    return means, np.array(cross)


def gap_of(got: Moments, means: list[Fraction], cross: np.ndarray) -> float:
    """The largest error: of means next to the spread of the sum, of products next to those of the spreads."""
    size = np.sqrt(np.diag(cross))
    found = [Fraction(float(a)) + Fraction(float(b)) for a, b in zip(got.mean, got.mean_rest, strict=True)]
    of_means = [abs(float(a - b)) for a, b in zip(found, means, strict=True)]
    return float(max(np.max(np.abs(got.cross - cross) / np.outer(size, size)), np.max(of_means / size)))


def shards(rows: np.ndarray) -> tuple[float, float]:
    """The whole at once, and uneven shards merged in another order, against exact arithmetic."""
    means, cross = exact(rows)
    rng = np.random.default_rng(9)
    parts = np.split(rows, np.sort(rng.choice(np.arange(2, len(rows) - 2), SHARDS - 1, replace=False)))
    merged = Moments.empty(("x", "y"))
    for place in rng.permutation(SHARDS):
        merged = merged.merge(Moments.from_rows(parts[place], ("x", "y")))
    return gap_of(Moments.from_rows(rows, ("x", "y")), means, cross), gap_of(merged, means, cross)


def in_sql(rows: np.ndarray) -> tuple[float, float]:
    """The aggregates of a table, and the cells of a page over three days, against numpy."""
    arm, day = np.arange(len(rows)) % 3, np.arange(len(rows)) // 5 % 3
    names, days = np.array(["a", "b", "c"])[arm], np.array(["2026-03-01", "2026-03-02", "2026-03-03"])[day]
    table = {"arm": names, "day": days, "x": rows[:, 0], "y": rows[:, 1]}
    sums = file_aggregates(table, arm="arm", metrics=[RATIO]).sums.columns
    cells, _ = page_cells(table, Page(arm="arm", day="day", metrics=(RATIO,)))
    whole = [(rows[names == a], sums, place) for place, a in enumerate(sums["arm"].tolist())]
    parts = [
        (rows[(names == a) & (days == d)], cells, place)
        for place, (a, d) in enumerate(zip(cells["arm"].tolist(), cells["level"].tolist(), strict=True))
    ]
    return max(_apart(*one) for one in whole), max(_apart(*one) for one in parts)


def _apart(rows: np.ndarray, columns: dict[str, np.ndarray], place: int) -> float:
    near = rows - np.round(rows[0])  # exact, and numpy keeps its digits
    centred = near - near.mean(axis=0)
    cross, size = centred.T @ centred, np.sqrt((centred * centred).sum(axis=0))
    told = {"m2_x_0": (0, 0), "m2_y_0": (1, 1), "cxy_0": (0, 1)}
    gaps = [abs(float(columns[n][place]) - cross[i, j]) / (size[i] * size[j]) for n, (i, j) in told.items()]
    means = near.mean(axis=0) + np.round(rows[0])
    gaps += [abs(float(columns[f"mean_{a}_0"][place]) / m - 1.0) for m, a in zip(means, "xy", strict=True)]
    return float(max(gaps))


def report(rows: int, seed: int) -> str:
    """The page."""
    lines = [
        "# Parts and the whole, SQL and numpy",
        "",
        f"Written by `python benchmarks/invariance.py --rows {rows} --seed {seed}`: {rows:,} units of two correlated "
        f"columns that vary by 1 around an offset, in {SHARDS} uneven shards, or in three arms and three days. Errors "
        "of sums of products are relative to the product of the spreads (roots of the sums of squares); of means "
        "to the spread against exact arithmetic, where they are two floats, and to the mean against numpy, where they "
        "are one. Scale, currency, sign and exchanged arms: [fixed horizon](fixed_horizon.md#invariance).",
        "",
        "| offset | all rows, from exact | shards merged, from exact | table in SQL, from numpy | page in SQL |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for offset in OFFSETS:
        drawn = draw(rows, seed, offset)
        figures = (*shards(drawn), *in_sql(drawn))
        lines.append(f"| {offset:.0e} | " + " | ".join(f"{figure:.0e}" for figure in figures) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Run and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/invariance.md"))
    options = parser.parse_args()
    text = report(options.rows, options.seed)
    print(text)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
