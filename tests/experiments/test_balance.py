"""Pre-period balance: statsmodels' MANOVA, scipy's ANOVA, Hotelling's closed form, false alarms and power."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.multivariate.manova import MANOVA
from statsmodels.stats.multivariate import test_mvmean_2indep as hotelling_test

from experiments.checks.balance import NOTABLE_GAP, Balance, compare_baselines, pre_period_balance
from proofsheet.errors import InputError


def moments(arms: list[np.ndarray]) -> tuple[list[int], list[np.ndarray], list[np.ndarray]]:
    centred = [a - a.mean(axis=0) for a in arms]
    return [len(a) for a in arms], [a.mean(axis=0) for a in arms], [c.T @ c for c in centred]


def correlated(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    return rng.standard_normal((n, k)) @ (np.eye(k) + 0.6)


@pytest.mark.parametrize(("arms", "k", "n"), [(2, 3, 40), (3, 4, 50), (5, 2, 30), (4, 3, 200)])
def test_joint_p_agrees_with_statsmodels(arms: int, k: int, n: int) -> None:
    rng = np.random.default_rng(arms)
    data = [correlated(rng, n + g, k) + 0.15 * g for g in range(arms)]
    found = compare_baselines(*moments(data))
    frame = pd.DataFrame(np.vstack(data), columns=[f"y{i}" for i in range(k)])
    frame["arm"] = np.repeat([f"a{g}" for g in range(arms)], [len(a) for a in data])
    table = MANOVA.from_formula(f"{' + '.join(frame.columns[:k])} ~ arm", frame).mv_test().results["arm"]["stat"]
    theirs = table.loc["Hotelling-Lawley trace"]
    assert found.statistic == pytest.approx(theirs["Value"], rel=1e-10)
    assert found.p_value == pytest.approx(theirs["Pr > F"], rel=1e-8)


def test_two_arms_are_hotellings_exact_test() -> None:
    rng = np.random.default_rng(5)
    a, b = correlated(rng, 30, 3), correlated(rng, 45, 3) + 0.3
    theirs = hotelling_test(a, b)
    found = compare_baselines(*moments([a, b]))
    assert found.p_value == pytest.approx(float(theirs.pvalue), rel=1e-9)
    gap, pooled = a.mean(0) - b.mean(0), (np.cov(a.T) * 29 + np.cov(b.T) * 44) / 73
    assert found.statistic * 73 == pytest.approx(30 * 45 / 75 * gap @ np.linalg.solve(pooled, gap), rel=1e-10)


def test_single_metrics_agree_with_scipys_anova() -> None:
    rng = np.random.default_rng(8)
    data = [correlated(rng, 60, 2) + 0.25 * g for g in range(3)]
    found = compare_baselines(*moments(data))
    theirs = [min(1.0, 2 * stats.f_oneway(*[a[:, j] for a in data]).pvalue) for j in range(2)]
    assert found.single_p.tolist() == pytest.approx(theirs, rel=1e-8)
    pooled = np.sqrt(sum((59 * a.var(axis=0, ddof=1)) for a in data) / 177)
    means = np.array([a.mean(axis=0) for a in data])
    assert found.gap == pytest.approx((means.max(axis=0) - means.min(axis=0)) / pooled, rel=1e-10)


def null_tests(rng: np.random.Generator, runs: int, n: int, arms: int, k: int, shift: float = 0.0) -> Balance:
    """Many experiments at once, with skewed metrics; the last arm's first metric is shifted (standard deviations)."""
    x = rng.exponential(1.0, (runs, arms, n, k)) @ (np.eye(k) + 0.4)
    x[:, -1, :, 0] += shift * x[..., 0].std()
    means = x.mean(axis=2)
    centred = x - means[:, :, None]
    cross = np.swapaxes(centred, -1, -2) @ centred
    return compare_baselines(np.full((runs, arms), n), means, cross)


def test_false_alarms_keep_their_level_and_the_power_is_the_noncentral_one() -> None:
    rng = np.random.default_rng(1)
    p = null_tests(rng, 3_000, 120, 3, 3).p_value
    for level in (0.05, 0.01):
        assert (p < level).mean() == pytest.approx(level, abs=3.5 * (level * (1 - level) / 3_000) ** 0.5)
    found = null_tests(rng, 1_500, 200, 2, 2, shift=0.25)
    # The shift is one of the first metric; both metrics are mixtures, so the distance is Mahalanobis'.
    covariance = (np.eye(2) + 0.4).T @ (np.eye(2) + 0.4)
    gap = np.array([0.25 * np.sqrt(covariance[0, 0]), 0.0])
    distance = 100 * gap @ np.linalg.solve(covariance, gap)
    expected = stats.ncf.sf(stats.f.isf(0.01, 2, 397), 2, 397, distance)
    assert (found.p_value < 0.01).mean() == pytest.approx(expected, abs=0.05)


def test_one_experiment_is_the_same_alone_and_in_a_stack() -> None:
    rng = np.random.default_rng(2)
    data = [moments([correlated(rng, 50, 2) for _ in range(3)]) for _ in range(4)]
    stacked = compare_baselines(*(np.array([d[i] for d in data]) for i in range(3)))
    alone = [float(compare_baselines(*d).p_value) for d in data]
    assert stacked.p_value.tolist() == pytest.approx(alone, rel=1e-12)
    assert stacked.single_p.shape == (4, 2)


def test_scale_and_offset_of_a_metric_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    data = [correlated(rng, 80, 3) + 0.1 * g for g in range(2)]
    plain = compare_baselines(*moments(data))
    moved = compare_baselines(*moments([a * np.array([1e6, 1e-6, 1.0]) + np.array([1e9, 0.0, 1e5]) for a in data]))
    assert float(moved.p_value) == pytest.approx(float(plain.p_value), rel=1e-5)
    assert moved.gap == pytest.approx(plain.gap, rel=1e-5)


def test_constant_and_repeated_metrics_are_left_out() -> None:
    rng = np.random.default_rng(4)
    data = [correlated(rng, 60, 2) + 0.1 * g for g in range(3)]
    plain = compare_baselines(*moments(data))
    padded = [np.column_stack([a, np.full(60, 7.3), a[:, 0] - 2.0 * a[:, 1]]) for a in data]
    found = compare_baselines(*moments(padded))
    assert found.rank == 2
    assert float(found.p_value) == pytest.approx(float(plain.p_value), rel=1e-6)
    assert found.single_p[2] == 1.0
    assert found.gap[2] == 0.0


def test_a_metric_that_is_the_arm_itself_is_beyond_doubt() -> None:
    found = compare_baselines([50, 50], [[0.0, 1.0], [1.0, 1.1]], np.array([[[0.0, 0.0], [0.0, 40.0]]] * 2))
    assert np.isinf(found.statistic)
    assert 0 < found.p_value < 1e-300
    assert np.isinf(found.gap[0])
    check = pre_period_balance(["arm", "x"], ["a", "b"], [50, 50], [[0.0, 1.0], [1.0, 1.1]], [np.diag([0, 40.0])] * 2)
    assert (check.ok, check.severity) == (False, "blocking")
    assert "beyond any spread" in check.message


@pytest.mark.parametrize("sizes", [(0, 0), (40, 0), (2, 2)])
def test_too_few_units_are_said_and_never_fail(sizes: tuple[int, int]) -> None:
    check = pre_period_balance(["x"], ["a", "b"], sizes, [[0.0], [1.0]], [[[1.0]], [[1.0]]])
    assert check.ok is None
    found = compare_baselines(sizes, [[np.nan if not n else 0.5] for n in sizes], [[[float(n)]] for n in sizes])
    assert found.p_value == 1.0
    assert np.isfinite(found.gap).all()


def test_an_empty_arm_is_left_out() -> None:
    rng = np.random.default_rng(6)
    n, means, cross = moments([correlated(rng, 50, 2), correlated(rng, 60, 2)])
    three = compare_baselines([*n, 0], [*means, np.zeros(2)], [*cross, np.zeros((2, 2))])
    assert float(three.p_value) == pytest.approx(float(compare_baselines(n, means, cross).p_value), rel=1e-12)


def test_the_culprit_and_its_arms_are_named() -> None:
    rng = np.random.default_rng(7)
    data = [rng.standard_normal((4_000, 3)) for _ in range(3)]
    data[1][:, 2] += 0.12
    check = pre_period_balance(["visits", "orders", "spend"], ["control", "b", "c"], *moments(data))
    assert (check.ok, check.severity) == (False, "blocking")
    assert "spend: " in check.message
    assert " in b and " in check.message
    assert "visits: " not in check.message
    steered = pre_period_balance(["visits", "orders", "spend"], ["control", "b", "c"], *moments(data), steered=True)
    assert steered.severity == "warning"


def test_a_tiny_gap_in_a_huge_sample_is_told_but_passes() -> None:
    n, gap = 40_000_000, NOTABLE_GAP * 0.5
    means, cross = [[0.0], [gap]], [[[float(n)]]] * 2
    check = pre_period_balance(["visits"], ["a", "b"], [n, n], means, cross)
    assert check.ok is True
    assert check.p_value < 1e-6
    assert "too little to matter" in check.message
    assert pre_period_balance(["visits"], ["a", "b"], [n, n], means, cross, notable=gap / 2).ok is False


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        compare_baselines([10, 10], [[0.0], [0.0]], [[[1.0]]])
    with pytest.raises(InputError, match="not finite"):
        compare_baselines([10, 10], [[np.nan], [0.0]], [[[1.0]]] * 2)
    with pytest.raises(InputError, match="one column per metric"):
        pre_period_balance(["x", "y"], ["a", "b"], [10, 10], [[0.0], [0.0]], [[[1.0]]] * 2)
