"""Corrections over several arms against statsmodels and scipy, and their agreement with the intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.stats.multitest import multipletests

from experiments.comparing.analysis import compare
from experiments.comparing.families import adjust_families
from experiments.comparing.family_tests import step_down
from experiments.comparing.multiplicity import CORRECTIONS, adjust
from experiments.comparing.small_counts import compare_proportions
from proofsheet.domain.experiment import Metric
from proofsheet.domain.result import Aggregates

P = [0.001, 0.04, 0.012, 0.3, 0.02]


@pytest.mark.parametrize(("ours", "theirs"), [("bh", "fdr_bh"), ("bonferroni", "bonferroni")])
def test_adjusted_p_agrees_with_statsmodels(ours: str, theirs: str) -> None:
    assert [a.p_value for a in adjust(P, 0.05, ours)] == pytest.approx(multipletests(P, method=theirs)[1].tolist())


def stepped(p: list[float], signs: list[float], alpha: float) -> list[bool]:
    """Which comparisons are decided, by taking the steps one after another as they are told, upwards and downwards."""
    m, decided = len(p), set()
    for direction in (1.0, -1.0):
        tails = {i: p[i] / 2 if signs[i] == direction else 1 - p[i] / 2 for i in range(m)}
        mine, level = set(), alpha / 2 / m
        while found := [i for i in tails if i not in mine and tails[i] < level]:
            mine.add(min(found, key=tails.__getitem__))
            if len(mine) == m:
                break
            level = alpha / 2 / m + alpha / 2 * 0.5 * len(mine) / m / (m - len(mine))  # half of what the decided had
        decided |= mine
    return [i in decided for i in range(m)]


@settings(max_examples=200)
@given(st.lists(st.tuples(st.floats(1e-9, 0.2), st.sampled_from([-1.0, 1.0])), min_size=1, max_size=6))
def test_holm_takes_its_steps_in_both_directions_and_keeps_half(rows: list[tuple[float, float]]) -> None:
    p, signs = [p for p, _ in rows], [sign for _, sign in rows]
    found = adjust(p, 0.05, "holm", effects=signs)
    if all(abs(a.p_value - 0.05) > 1e-9 for a in found):
        assert [a.rejected for a in found] == stepped(p, signs, 0.05)
    least = step_down(p, signs, kept=0.0).adjusted_p  # Holm's
    assert all(low <= a.p_value * (1 + 1e-12) for low, a in zip(least.tolist(), found, strict=True))
    assert all(a.p_value <= min(1.0, value * len(p)) * (1 + 1e-12) for a, value in zip(found, p, strict=True))


TRUTHS = [(0, 0, 0, 0), (10, 10, 10, 0), (10, 10, -10, 0.5), (3, -3, 2, 0), (2.5, 2.5, 2.5, 2.5)]


@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_the_limits_of_a_family_hold_together(truth: tuple[float, ...], shared: float) -> None:
    """20,000 families of four arms: all limits at once miss in 5 % at most, and one without 0 is a decision."""
    rng = np.random.default_rng(17)
    true, runs = np.array(truth, dtype=float), 20_000
    z = true + rng.standard_normal((runs, 4)) * (1 - shared) ** 0.5 + rng.standard_normal((runs, 1)) * shared**0.5
    p = np.clip(2 * stats.norm.sf(np.abs(z)), 1e-300, 1.0).ravel()
    found = adjust_families(p, np.repeat(np.arange(runs), 4), 0.05, "holm", z.ravel())
    low, high = (
        z.ravel() + side * stats.norm.isf(level / 2) for side, level in ((-1, found.low_alpha), (1, found.high_alpha))
    )
    low = np.where(found.rejected & (z.ravel() > 0), np.maximum(low, 1e-300), low).reshape(z.shape)
    high = np.where(found.rejected & (z.ravel() < 0), np.minimum(high, -1e-300), high).reshape(z.shape)
    assert ((low > 0) | (high < 0)).ravel().tolist() == (found.p_value < 0.05).tolist()
    missed = ((low > true) | (high < true)).any(axis=1).mean()
    assert missed <= 0.05 + 4 * (0.05 * 0.95 / runs) ** 0.5


def test_bonferronis_limits_cut_where_holm_rejects_would_not_hold_together() -> None:
    """Why a decided comparison passes on only a part of its share: all of it leaves none for its own limits."""
    rng = np.random.default_rng(18)
    true, runs = np.array([10.0, 10.0, 10.0, 0.0]), 20_000
    z = true + rng.standard_normal((runs, 4))
    rejected = step_down(np.clip(2 * stats.norm.sf(np.abs(z)), 1e-300, 1.0), 1.0, kept=0.0).adjusted_p < 0.05
    low, high = z - stats.norm.isf(0.05 / 8), z + stats.norm.isf(0.05 / 8)
    low, high = np.where(rejected & (z > 0), np.maximum(low, 1e-300), low), np.where(rejected & (z < 0), -1e-300, high)
    assert ((low > true) | (high < true)).any(axis=1).mean() > 0.06


def test_dunnett_agrees_with_scipy_with_many_units() -> None:
    rng = np.random.default_rng(11)
    control, arms = rng.normal(0, 1, 4_000), [rng.normal(m, 1, 4_000) for m in (0.02, 0.05, 0.06)]
    p = [stats.ttest_ind(a, control).pvalue for a in arms]
    theirs = stats.dunnett(*arms, control=control, rng=np.random.default_rng(1)).pvalue
    assert [a.p_value for a in adjust(p, 0.05, "dunnett")] == pytest.approx(theirs.tolist(), abs=0.01)


@pytest.mark.parametrize("equal", [True, False])
def test_dunnett_of_hundreds_of_arms_is_its_integral(equal: bool) -> None:
    """Oracle: ``1 - E[prod_i P(|l_i Z + sqrt(1 - l_i^2) E_i| < c | Z)]`` by scipy's quad over Z."""
    rng, m = np.random.default_rng(5), 150
    shares = np.full(m, 0.4) if equal else rng.uniform(0.3, 0.6, m)
    p = 10.0 ** rng.uniform(-6, 0, m)
    load = np.sqrt(shares)
    found = adjust(p.tolist(), 0.05, "dunnett", shares.tolist())

    def beyond(c: float) -> float:
        def inside(z: float) -> float:
            ends = (stats.norm.cdf((side * c - load * z) / np.sqrt(1 - shares)) for side in (1, -1))
            return float(np.prod(next(ends) - next(ends)) * stats.norm.pdf(z))

        return 1.0 - float(integrate.quad(inside, -9, 9, epsabs=1e-12, limit=200)[0])

    for i in (0, 40, 149):
        joint = beyond(stats.norm.isf(p[i] / 2))
        assert found[i].p_value == pytest.approx(min(1.0, p[i] * m, joint), rel=1e-6)
    assert beyond(stats.norm.isf(found[0].alpha / 2)) == pytest.approx(0.05, rel=1e-6)


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
            outside = r.adjusted_lift_low > 0 or r.adjusted_lift_high < 0
            assert outside == (r.adjusted_p < 0.05)


def test_holm_keeps_false_positives_at_the_level_over_all_arms() -> None:
    """10,000 tests of four arms of the control's own rate, by the score test."""
    rng, runs = np.random.default_rng(31), 10_000
    x = rng.binomial(3_000, 0.05, (runs, 5)).astype(float)
    n = np.full((runs, 4), 3_000.0)
    found, _ = compare_proportions(x[:, 1:], n, np.repeat(x[:, :1], 4, axis=1), n, effect_limits=False)
    numbers = np.repeat(np.arange(runs), 4)
    adjusted = adjust_families(found.p_value.ravel(), numbers, 0.05, "holm", found.lift.ravel())
    false = adjusted.rejected.reshape(runs, 4).any(axis=1).mean()
    assert false < 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    assert false > 0.03
