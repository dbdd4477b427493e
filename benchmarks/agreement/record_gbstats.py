"""Ask gbstats for its answers; run where it is installed: ``python benchmarks/agreement/record_gbstats.py``."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cases
from gbstats.bayesian.tests import EffectBayesianABTest, EffectBayesianConfig, GaussianPrior
from gbstats.frequentist.tests import (
    FrequentistConfig,
    OneSidedTreatmentGreaterTTest,
    SequentialConfig,
    SequentialTwoSidedTTest,
    TwoSidedTTest,
)
from gbstats.models.statistics import RatioStatistic, SampleMeanStatistic
from gbstats.utils import check_srm


def mean(n: int, value: float, variance: float) -> Any:
    """Its statistic of a mean."""
    return SampleMeanStatistic(n=n, sum=n * value, sum_squares=(n - 1) * variance + n * value**2)


def ratio(n: int, x: float, y: float, vx: float, vy: float, cxy: float) -> Any:
    """Its statistic of a ratio."""
    product = (n - 1) * cxy + n * x * y
    return RatioStatistic(n=n, m_statistic=mean(n, x, vx), d_statistic=mean(n, y, vy), m_d_sum_of_products=product)


def main() -> None:
    """Record."""
    control, arm = mean(*cases.CONTROL), mean(*cases.ARM)
    found: dict[str, Any] = {"version": version("gbstats")}
    for name, a, b in (
        ("mean", control, arm),
        ("ratio", ratio(*cases.RATIO_CONTROL), ratio(*cases.RATIO_ARM)),
    ):
        for kind in ("absolute", "relative"):
            test = TwoSidedTTest(a, b, FrequentistConfig(difference_type=kind)).compute_result()
            found[f"{name} {kind}"] = [test.p_value, *test.ci]
            test = SequentialTwoSidedTTest(a, b, SequentialConfig(difference_type=kind)).compute_result()
            found[f"{name} {kind} sequential"] = [test.p_value, *test.ci]
    test = OneSidedTreatmentGreaterTTest(control, arm, FrequentistConfig(difference_type="absolute")).compute_result()
    found["mean one side"] = test.p_value
    prior = GaussianPrior(mean=0.0, variance=cases.PRIOR_SD**2, proper=True)
    config = EffectBayesianConfig(difference_type="absolute", prior_type="absolute", prior_effect=prior)
    test = EffectBayesianABTest(control, arm, config).compute_result()
    found["bayes"] = [test.expected, test.uplift.stddev, test.chance_to_win, *test.ci, *test.risk]
    found["sample ratio"] = float(check_srm(list(cases.SHARES[0]), list(cases.SHARES[1])))
    text = json.dumps(found, indent=1, default=float) + "\n"
    (Path(__file__).parent / "gbstats.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
