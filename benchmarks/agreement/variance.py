"""Variance reduction."""

from __future__ import annotations

import numpy as np
from scipy import stats
from statsmodels.regression.linear_model import OLS

from agreement import cases
from agreement.method import Method, Oracle, apart, recorded, relative
from experiments.adjusting.adjustment import adjust_means, adjust_ratios, split_missing
from experiments.adjusting.strata import stratify_means, stratify_ratios
from experiments.basis.moments import Moments

NAMES = ("y", "z", "x1", "x2")


def draw(sizes: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    """Arms of numerator, denominator and two covariates; slopes and spreads differ by arm."""
    rng, arms = np.random.default_rng(seed), []
    for a, n in enumerate(sizes):
        x = rng.normal(size=(n, 2)) @ np.array([[1.0, 0.4], [0.0, 1.0]]) + [3.0, -2.0]
        z = 8.0 + x[:, 0] + 0.5 * a + rng.normal(size=n)
        y = 5.0 + a + x @ [2.0, -0.7 * (1 + a)] + 0.5 * z + rng.normal(size=n) * (1 + 0.3 * a)
        arms.append(np.column_stack([y, z, x]))
    return arms


def stack(arms: list[np.ndarray], names: tuple[str, ...] = NAMES) -> Moments:
    """The moments of arms."""
    return Moments.stack([Moments.from_rows(rows, names) for rows in arms])


def design(arms: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcome, indicators of the arms, covariates about their common mean."""
    rows, which = np.vstack(arms), np.repeat(np.arange(len(arms)), [len(a) for a in arms])
    return rows[:, 0], np.eye(len(arms))[which], rows[:, 2:] - rows[:, 2:].mean(axis=0)


def _ancova() -> float:
    arms = draw((40, 70, 55))
    y, which, x = design(arms)
    ols = OLS(y, np.column_stack([which, x])).fit()
    c = adjust_means(stack(arms), "y", ["x1", "x2"], equal_variances=True).against(2, 0)
    test = ols.t_test(np.eye(5)[2] - np.eye(5)[0])
    ours = [c.effect, c.effect_variance, c.p_value, *c.effect_limits(0.05)]
    return relative(
        [float(v) for v in ours], [test.effect[0], float(test.sd[0, 0]) ** 2, float(test.pvalue), *test.conf_int()[0]]
    )


def _lin() -> float:
    arms = draw((40, 60))
    y, which, x = design(arms)
    ols = OLS(y, np.column_stack([which, x * which[:, :1], x * which[:, 1:]])).fit()
    c = adjust_means(stack(arms), "y", ["x1", "x2"], coefficients="by_arm", equal_variances=True).against(1, 0)
    total = sum(len(a) for a in arms)
    centred = sum(len(a) * np.cov(a[:, 2:], rowvar=False) for a in arms) / total**2
    gap = ols.params[4:6] - ols.params[2:4]
    test = ols.t_test([-1, 1, 0, 0, 0, 0])
    wanted = [test.effect[0], float(test.sd[0, 0]) ** 2 + float(gap @ centred @ gap)]
    return relative([float(c.effect), float(c.effect_variance)], wanted)


def _influence(ratio: bool) -> float:
    """Each unit's share in every arm's value, on rows by numpy (large samples)."""
    arms = draw((4_000, 2_500), seed=1)
    fit = adjust_ratios(stack(arms), "y", "z", ["x1", "x2"]) if ratio else adjust_means(stack(arms), "y", ["x1", "x2"])
    gaps = [(a[:, :2] - a[:, :2].mean(0), a[:, 2:] - a[:, 2:].mean(0)) for a in arms]
    b = np.linalg.lstsq(np.vstack([v for _, v in gaps]), np.vstack([o for o, _ in gaps]))[0]
    centre = np.vstack([a[:, 2:] for a in arms]).mean(axis=0)
    means = [a[:, :2].mean(0) - (a[:, 2:].mean(0) - centre) @ b for a in arms]
    weigh = [np.array([1.0, -m[0] / m[1]]) / m[1] if ratio else np.array([1.0, 0.0]) for m in means]
    expected = np.zeros((2, 2))
    for c, (o, v) in enumerate(gaps):
        share = np.column_stack([v @ b @ weigh[a] / sum(map(len, arms)) for a in range(2)])
        share[:, c] += (o - v @ b) @ weigh[c] / len(o)
        expected += share.T @ share
    effect = np.array([-1.0, 1.0])
    return relative(fit.against(1, 0).effect_variance, effect @ expected @ effect)


def _tea_tasting(kind: str) -> float:
    arms = stack(cases.rows(), ("y", "z", "x", "w"))
    if kind == "cuped":
        c = adjust_means(arms, "y", ["x"]).against(1, 0)
    else:  # it takes the pre-period ratio as one covariate
        rate = float(arms.total().mean[2] / arms.total().mean[3])
        linear = arms.combine([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -rate]], ("y", "z", "pre"))
        c = adjust_ratios(linear, "y", "z", ["pre"]).against(1, 0)
    theirs = recorded("tea_tasting")[kind]
    error = (theirs["treatment"] - theirs["control"]) / theirs["statistic"]
    # Ours divides by n - 1 - covariates / arms, theirs by n - 1.
    return relative(np.sqrt(float(c.effect_variance) * 798.5 / 799), error)


def _missing() -> float:
    x = np.array([1.0, np.nan, 3.0, np.nan])
    found = split_missing(x)
    return max(apart(found[0], [1, 0, 3, 0]), apart(found[1], [0, 1, 0, 1]))


def _missing_ols() -> float:
    arms = []
    for a in draw((60, 70)):
        value, missing = split_missing(np.where(a[:, 2] > 3.5, np.nan, a[:, 2]))
        arms.append(np.column_stack([a[:, :2], value, missing]))
    y, which, x = design(arms)
    ols = OLS(y, np.column_stack([which, x])).fit()
    c = adjust_means(stack(arms), "y", ["x1", "x2"], equal_variances=True).against(1, 0)
    return relative(c.effect, ols.params[1] - ols.params[0])


SHARES = np.array([0.5, 0.3, 0.2])


def strata(sizes: list[list[int]], seed: int = 0) -> list[list[np.ndarray]]:
    """Arms × strata of rows."""
    rng, arms = np.random.default_rng(seed), []
    for a, counts in enumerate(sizes):
        row = []
        for h, n in enumerate(counts):
            z = 5.0 + h + rng.normal(size=n)
            row.append(
                np.column_stack([2.0 + 3.0 * h + a * (0.5 + h) + 0.4 * z + rng.normal(size=n) * (1 + 0.5 * h), z])
            )
        arms.append(row)
    return arms


def by_arm(arms: list[list[np.ndarray]]) -> Moments:
    """Moments with the axes arm and stratum."""
    return Moments.stack(
        [Moments.stack([Moments.from_rows(r, ("y", "z")) for r in stratum]) for stratum in zip(*arms, strict=True)]
    )


def _strata_ols() -> float:
    arms = strata([[30, 40, 12], [50, 25, 20]])
    cells = [rows[:, 0] for row in arms for rows in row]
    which = np.repeat(np.arange(6), [len(c) for c in cells])
    ols = OLS(np.concatenate(cells), np.eye(6)[which]).fit(cov_type="HC2")
    contrast = np.concatenate([-SHARES, SHARES])
    c = stratify_means(by_arm(arms), "y", SHARES).against(1, 0)
    wanted = [contrast @ ols.params, contrast @ ols.cov_params() @ contrast]
    return relative([float(c.effect), float(c.effect_variance)], wanted)


def _strata_hand() -> float:
    """Miratrix, Sekhon and Yu 2013: variances within, and of the effects between strata."""
    arms = strata([[9, 14], [11, 8]], seed=1)
    shares = [20 / 42, 22 / 42]
    variance = sum(w**2 * a[h][:, 0].var(ddof=1) / len(a[h]) for a in arms for h, w in enumerate(shares))
    effects = [arms[1][h][:, 0].mean() - arms[0][h][:, 0].mean() for h in (0, 1)]
    effect = sum(w * e for w, e in zip(shares, effects, strict=True))
    between = sum(w * (e - effect) ** 2 for w, e in zip(shares, effects, strict=True)) / 42
    c = stratify_means(by_arm(arms), "y").against(1, 0)
    return relative([float(c.effect), float(c.effect_variance)], [effect, variance + between])


def _strata_ratio() -> float:
    arms = strata([[30, 40, 12], [50, 25, 20]], seed=5)
    got, gaps = stratify_ratios(by_arm(arms), "y", "z", SHARES).estimates, []
    for a, row in enumerate(arms):
        y, z = (sum(w * rows[:, k].mean() for w, rows in zip(SHARES, row, strict=True)) for k in (0, 1))
        parts = [
            (w / z) ** 2 * (r[:, 0] - y / z * r[:, 1]).var(ddof=1) / len(r) for w, r in zip(SHARES, row, strict=True)
        ]
        gaps.append(relative([got.value[a], got.covariance[a, a]], [y / z, sum(parts)]))
    return max(gaps)


def _no_covariates() -> float:
    arms = draw((30, 45))
    c = adjust_means(stack(arms), "y", []).against(1, 0)
    theirs = stats.ttest_ind(arms[1][:, 0], arms[0][:, 0], equal_var=False)
    return relative([float(c.p_value), float(c.df)], [theirs.pvalue, theirs.df])


METHODS = (
    Method(
        title="CUPED of means, one coefficient for all arms",
        functions=("adjust_means", "difference_variance", "fit"),
        formula="regression on covariates about their common mean, from cross-moments alone; several covariates",
        assumes="covariates known before the test",
        source="Deng and others 2013; Yang and Tsiatis 2001",
        oracles=(
            Oracle("statsmodels OLS on rows (analysis of covariance)", _ancova),
            Oracle("influence functions on rows, numpy", lambda: _influence(False), 3e-3),
            Oracle("tea-tasting Mean with a covariate", lambda: _tea_tasting("cuped")),
        ),
    ),
    Method(
        title="CUPED, coefficients by arm (by name)",
        functions=("adjust_means",),
        formula="the same with interactions; the common mean's own error is counted",
        assumes="as above",
        source="Lin 2013",
        oracles=(
            Oracle("statsmodels OLS with interactions", _lin),
            Oracle("without covariates: scipy's Welch", _no_covariates),
        ),
    ),
    Method(
        title="CUPED of ratios",
        functions=("adjust_ratios", "ratio_gradient"),
        formula="numerator and denominator adjusted, then the delta method",
        assumes="as above, denominator away from 0",
        source="Deng and others 2013, appendix B",
        oracles=(
            Oracle("influence functions on rows, numpy", lambda: _influence(True), 3e-3),
            Oracle("tea-tasting RatioOfMeans with covariates", lambda: _tea_tasting("cuped ratio"), 2e-4),
        ),
    ),
    Method(
        title="Covariates that some units lack",
        functions=("split_missing",),
        formula="0 where missing, and a column that says so",
        assumes="missing before the test",
        source="definition",
        oracles=(
            Oracle("by hand", _missing, 0.0, absolute=True),
            Oracle("adjusted mean: OLS with both columns", _missing_ols),
        ),
    ),
    Method(
        title="Post-stratification",
        functions=("stratify_means", "stratify_ratios"),
        formula="means by segment, weighted by the segments' shares; small segments are put together",
        assumes="segments known before the test",
        source="Miratrix, Sekhon and Yu 2013",
        oracles=(
            Oracle("statsmodels saturated regression, HC2", _strata_ols),
            Oracle("the paper's formula, numpy", _strata_hand),
            Oracle("ratios: formula on rows, numpy", _strata_ratio),
        ),
    ),
)
