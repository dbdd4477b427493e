"""Every method of the engine next to its oracles: measures how far they agree, and writes the page of the methods.

    python benchmarks/oracles.py [--out docs/statistics.md]

Needs statsmodels and pandas. What gbstats, tea-tasting, confseq, gsDesign and others say is recorded: for the first two
in ``benchmarks/agreement/*.json`` by ``record_*.py``, run where those are installed; for the others in the modules.
Ends with an error where an agreement is worse than its limit.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from agreement import (
    bayes,
    checks,
    delays,
    estimates,
    exact_sequences,
    group_sequential,
    intervals,
    planning,
    priors,
    sequential,
    several,
    small_counts,
    variance,
    watched,
)
from agreement.method import Method, recorded

FAMILIES: tuple[tuple[str, tuple[Method, ...]], ...] = (
    ("Estimates", estimates.METHODS),
    ("Tests and intervals", intervals.METHODS),
    ("Proportions and count rates, many or few", small_counts.METHODS),
    ("Always valid, and group-sequential", (*sequential.METHODS, *exact_sequences.METHODS, *group_sequential.METHODS)),
    ("Bayesian", (*bayes.METHODS, *priors.METHODS)),
    ("Variance reduction", variance.METHODS),
    ("Several comparisons", several.METHODS),
    ("Health, guardrails, assignment", (*checks.METHODS, *delays.METHODS)),
    ("Planning", (*planning.METHODS, *watched.METHODS)),
)

HEAD = """# The statistics

Every method of `experiments/`: what it is, what it takes for granted, where it comes from, and what it agrees with.
`python benchmarks/oracles.py` measures the last column and writes this page; it fails where an agreement is worse than
its limit. Figures are the largest relative difference over the cases, rounded up to a power of ten, unless said
otherwise; those above 0.001 are other estimators of the same number, or simulations. Answers of gbstats {gbstats} and
tea-tasting {tea_tasting} were recorded in environments of their own (`benchmarks/agreement/record_*.py`).

How to read a result: [reading an analysis](reading.md). Words: [glossary](glossary.md). Error rates, coverage and
speed: [benchmarks](benchmarks/).
"""

TAIL = """
## Put together from these

`compare`, `compare_many`, `results_page` and the workflows choose among the methods above and add nothing of their own:
they are held against the methods one by one in the tests (5e-11 over a results page of 2,400 comparisons, 1e-9 over
many experiments at once). All statistics rest on n, means and centred cross products; those from SQL equal numpy's to
1e-9, shards merged equal the whole to 1e-10 at an offset of 1e9.

The verdict (`reach_verdict`) is a table of rules over these numbers, tried in order; the tests have a case for each
rule, and inputs in any order. Its record (`write_record`, `digest`, `read_record`) is the same bytes every time. Money
(`arm_costs`) is decimal arithmetic, exact. Checks that count and compare (`missing_days`, `late_days`, `late_data`,
`both_arms`, `enough_data`, `evidence_grade`) have cases in the tests.
"""


def cell(method: Method) -> str:
    """The first cell of a row."""
    return f"**{method.title}** {' '.join(f'`{name}`' for name in method.functions)}"


def measured() -> Iterator[tuple[str, list[str]]]:
    """The lines of the table of each family, or what is wrong with an agreement."""
    for family, methods in FAMILIES:
        lines = [
            f"\n## {family}\n",
            "| method | what it does | takes for granted | source | agrees with |",
            "| --- | --- | --- | --- | --- |",
        ]
        wrong = []
        for method in methods:
            texts = []
            for oracle in method.oracles:
                value, text = oracle.agreement()
                texts.append(text)
                if not oracle.ok(value):
                    wrong.append(f"{method.title}, {oracle.name}: {value:.2e}, more than {oracle.limit:.0e}")
            cells = (cell(method), method.formula, method.assumes, method.source, "; ".join(texts))
            lines.append("| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |")
        yield "\n".join(lines), wrong


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/statistics.md"))
    options = parser.parse_args()
    peers = {name: recorded(name)["version"] for name in ("gbstats", "tea_tasting")}
    page, wrong = [HEAD.format(**peers)], []
    for lines, failures in measured():
        print(lines, flush=True)
        page.append(lines)
        wrong += failures
    if wrong:
        sys.exit("\n".join(["Agreements worse than their limits:", *wrong]))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join([*page, TAIL]).replace("\n\n\n", "\n\n"), encoding="utf-8")


if __name__ == "__main__":
    main()
