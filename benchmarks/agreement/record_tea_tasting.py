"""Ask tea-tasting for its answers; run where it is installed: ``python benchmarks/agreement/record_tea_tasting.py``."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cases
import numpy as np
import pyarrow as pa
import tea_tasting as tt
from tea_tasting.experiment import ExperimentResult

COLUMNS = ("y", "z", "x", "w")


def main() -> None:
    """Record."""
    found: dict[str, Any] = {"version": version("tea-tasting")}
    arms = cases.rows()
    stacked = np.vstack(arms)
    table = pa.table(
        {"variant": np.repeat([0, 1], [len(a) for a in arms]), **dict(zip(COLUMNS, stacked.T, strict=True))}
    )
    experiment = tt.Experiment(
        {
            "mean": tt.Mean("y"),
            "pooled": tt.Mean("y", equal_var=True),
            "greater": tt.Mean("y", alternative="greater"),
            "normal": tt.Mean("y", use_t=False),
            "ratio": tt.RatioOfMeans("y", "z"),
            "cuped": tt.Mean("y", "x"),
            "cuped ratio": tt.RatioOfMeans("y", "z", "x", "w"),
        }
    )
    for name, result in experiment.analyze(table, control=0).items():
        found[name] = {k: float(v) for k, v in result._asdict().items() if isinstance(v, (int, float))}
    for method in ("holm", "bh"):
        found[method] = adjusted(method)
    power = tt.Mean("y", rel_effect_size=0.1, power=0.8, alpha=0.05)
    size = power.solve_power(table, "n_obs")
    found["size of y, lift of 10 %"] = float(next(iter(size)).n_obs)
    text = json.dumps(found, indent=1) + "\n"
    (Path(__file__).parent / "tea_tasting.json").write_text(text, encoding="utf-8")


def adjusted(method: str) -> list[float]:
    """Its adjusted p-values of the family, in order."""
    results = ExperimentResult({str(i): {"pvalue": p} for i, p in enumerate(cases.P_VALUES)})
    if method == "bh":
        found = tt.adjust_fdr(results, arbitrary_dependence=False)
    else:
        found = tt.adjust_fwer(results, method="bonferroni", arbitrary_dependence=True)
    return [float(row["pvalue_adj"]) for row in found.to_dicts()]


if __name__ == "__main__":
    main()
