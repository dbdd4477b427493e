"""Corrections over several arms against statsmodels and scipy, and their agreement with the intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from experiments.comparing.analysis import compare
from experiments.comparing.multiplicity import CORRECTIONS, adjust
from proofsheet.domain.experiment import Metric
from proofsheet.domain.result import Aggregates

P = [0.001, 0.04, 0.012, 0.3, 0.02]


@pytest.mark.parametrize(("ours", "theirs"), [("holm", "holm"), ("bh", "fdr_bh"), ("bonferroni", "bonferroni")])
def test_adjusted_p_agrees_with_statsmodels(ours: str, theirs: str) -> None:
    assert [a.p_value for a in adjust(P, 0.05, ours)] == pytest.approx(multipletests(P, method=theirs)[1].tolist())


def test_dunnett_agrees_with_scipy_with_many_units() -> None:
    rng = np.random.default_rng(11)
    control, arms = rng.normal(0, 1, 4_000), [rng.normal(m, 1, 4_000) for m in (0.02, 0.05, 0.06)]
    p = [stats.ttest_ind(a, control).pvalue for a in arms]
    theirs = stats.dunnett(*arms, control=control, rng=np.random.default_rng(1)).pvalue
    assert [a.p_value for a in adjust(p, 0.05, "dunnett")] == pytest.approx(theirs.tolist(), abs=0.01)


def test_dunnett_lies_between_none_and_bonferroni() -> None:
    for none, dunnett, bonferroni in zip(*(adjust(P, 0.05, c) for c in ("none", "dunnett", "bonferroni")), strict=True):
        assert none.p_value <= dunnett.p_value <= bonferroni.p_value
        assert none.alpha > dunnett.alpha > bonferroni.alpha


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(1e-12, 1.0), min_size=1, max_size=12), st.sampled_from(CORRECTIONS))
def test_adjusted_values_are_ordered_and_never_below_the_raw_ones(p: list[float], correction: str) -> None:
    adjusted = [a.p_value for a in adjust(p, 0.05, correction)]
    assert all(raw <= value <= 1.0 for raw, value in zip(p, adjusted, strict=True))
    order = np.argsort(p, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= -1e-12)


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_adjusted_interval_and_adjusted_p_say_the_same(
    correction: str, proportion: Metric, binary: Callable[[int, int], Aggregates]
) -> None:
    rng = np.random.default_rng(21)
    for _ in range(40):
        arms = {f"a{i}": binary(2_000, int(rng.binomial(2_000, 0.1 + 0.006 * i))) for i in range(5)}
        for r in compare(proportion, arms, "a0", experiment="e", correction=correction):
            assert r.adjusted_lift_low is not None
            assert r.adjusted_lift_high is not None
            outside = r.adjusted_lift_low >= 0 or r.adjusted_lift_high <= 0
            assert outside == (r.adjusted_p < 0.05)


def test_holm_keeps_false_positives_at_the_level_over_all_arms(
    proportion: Metric, binary: Callable[[int, int], Aggregates]
) -> None:
    rng = np.random.default_rng(31)
    runs = 700
    false = 0
    for _ in range(runs):
        arms = {f"a{i}": binary(3_000, int(rng.binomial(3_000, 0.05))) for i in range(5)}
        p = [r.p_value for r in compare(proportion, arms, "a0", experiment="e", correction="none")]
        false += any(a.p_value < 0.05 for a in adjust(p, 0.05, "holm"))
    assert false / runs < 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    assert false / runs > 0.02
