"""Health checks, and the parts of a decision that are numbers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.multivariate.manova import MANOVA
from statsmodels.stats.multivariate import test_mvmean_2indep as hotelling

from agreement import cases
from agreement.method import Method, Oracle, apart, recorded, relative
from experiments.checks.balance import compare_baselines
from experiments.checks.crossing import crossings, undiluted_limits
from experiments.checks.health import sample_ratio
from experiments.checks.segment_ratio import log_chi_square_above, segment_shares, share_test
from experiments.checks.sequential_ratio import ratio_log_e, ratio_p_values
from experiments.sequential.asymptotic import tuning_ratio

STRENGTH = 100_000 / tuning_ratio(0.001)


def _ratio(how: str) -> float:
    counts, weights = cases.SHARES
    names = ("a", "b")
    if how == "gbstats":
        found = sample_ratio(dict(zip(names, counts, strict=True)), dict(zip(names, weights, strict=True))).p_value
        return relative(found or 0.0, recorded("gbstats")["sample ratio"])
    rng = np.random.default_rng(1)
    table = rng.multinomial(5_000, [0.5, 0.3, 0.2], size=20)
    theirs = [stats.chisquare(c, np.array([2_500, 1_500, 1_000])).pvalue for c in table]
    return relative(share_test(table, [5, 3, 2])[0], theirs)


def _exact_ratio() -> float:
    law, gaps = stats.binom(20, 0.1), []
    for k in range(8):
        gaps.append(relative(share_test([k, 20 - k], [0.1, 0.9])[0], min(1.0, 2 * min(law.cdf(k), law.sf(k - 1)))))
    return max(gaps)


def _sequential_ratio(how: str) -> float:
    shares, x = np.array([0.2, 0.3, 0.5]), np.array([130, 160, 210])
    if how == "scipy":
        n = int(x.sum())
        theirs = stats.dirichlet_multinomial.logpmf(x, STRENGTH * shares, n) - stats.multinomial.logpmf(x, n, shares)
        return apart(ratio_log_e(x, [2, 3, 5]), theirs)
    if how == "mpmath":  # 50-digit arithmetic
        return apart(ratio_log_e([10**8, 150_000_000, 250_000_000], [2, 3, 5]), -11.3213718)
    rng = np.random.default_rng(1)
    seen, total = np.zeros(3), 0.0
    for arm in rng.choice(3, 500, p=[0.4, 0.3, 0.3]):
        total += math.log((STRENGTH * shares[arm] + seen[arm]) / (STRENGTH + seen.sum()) / shares[arm])
        seen[arm] += 1
    return relative(ratio_log_e(seen, [2, 3, 5]), total)


def _exact_alarm() -> float:
    """How far the chance ever to alarm (0.05 asked, 200 looks, all paths) is above the level; 0 if below."""
    mass, alarmed = np.array([1.0]), 0.0
    for n in range(1, 201):
        mass = np.append(mass * 0.7, 0.0) + np.append(0.0, mass * 0.3)
        x = np.arange(n + 1)
        p = ratio_p_values(np.stack([x, n - x], axis=-1)[:, None, :], [3, 7], tuning_n=200)[:, 0]
        alarmed += mass[p <= 0.05].sum()
        mass = np.where(p <= 0.05, 0.0, mass)
    return max(0.0, alarmed - 0.05)


def _split(how: str) -> float:
    rng = np.random.default_rng(2)
    levels = {f"l{i}": dict(zip("abc", map(int, rng.multinomial(900, [0.4, 0.3, 0.3])), strict=True)) for i in range(4)}
    table = np.array([[c[a] for a in "abc"] for c in levels.values()], dtype=float)
    (dimension,) = segment_shares({"d": levels}, {"a": 4.0, "b": 3.0, "c": 3.0})[1]
    if how == "scipy":
        theirs = stats.chi2_contingency(table, lambda_="log-likelihood")
        return relative([dimension.statistic, np.exp(dimension.log_p)], [theirs.statistic, theirs.pvalue])

    def against_plan(row: np.ndarray) -> float:
        return float(2 * (row * np.log(row / (row.sum() * np.array([0.4, 0.3, 0.3])))).sum())

    return relative(dimension.statistic, sum(map(against_plan, table)) - against_plan(table.sum(axis=0)))


def _log_tail() -> float:
    pairs = ((50.0, 3, stats.chi2.logsf(50.0, 3)), (5_000.0, 2, -2_500.0), (5_000.0, 4, -2_500 + math.log(2_501)))
    return max(relative(log_chi_square_above(value, df), want) for value, df, want in pairs)


def _correlated(seed: int, sizes: list[int], k: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, k)) @ (np.eye(k) + 0.6) + 0.15 * g for g, n in enumerate(sizes)]


def _moments(arms: list[np.ndarray]) -> tuple[list[int], list[np.ndarray], list[np.ndarray]]:
    centred = [a - a.mean(axis=0) for a in arms]
    return [len(a) for a in arms], [a.mean(axis=0) for a in arms], [c.T @ c for c in centred]


def _manova() -> float:
    data = _correlated(3, [50, 51, 52], 4)
    frame = pd.DataFrame(np.vstack(data), columns=[f"y{i}" for i in range(4)])
    frame["arm"] = np.repeat(["a", "b", "c"], [len(a) for a in data])
    table = MANOVA.from_formula("y0 + y1 + y2 + y3 ~ arm", frame).mv_test().results["arm"]["stat"]
    theirs, found = table.loc["Hotelling-Lawley trace"], compare_baselines(*_moments(data))
    return relative([found.statistic, found.p_value], [theirs["Value"], theirs["Pr > F"]])


def _hotelling() -> float:
    data = _correlated(5, [30, 45], 3)
    return relative(compare_baselines(*_moments(data)).p_value, float(hotelling(*data).pvalue))


def _anova() -> float:
    data = _correlated(8, [60, 60, 60], 2)
    theirs = [min(1.0, 2 * stats.f_oneway(*[a[:, j] for a in data]).pvalue) for j in range(2)]
    return relative(compare_baselines(*_moments(data)).single_p, theirs)


def _crossed() -> float:
    units = {("a",): 900, ("b", "a"): 60, ("a", "b"): 40, ("b",): 400, ("c",): 100, ("a", "b", "c"): 10}
    found = [v for c in crossings(units) for v in (c.units, c.share, c.other_share)]
    return relative(found, [110, 110 / 1_010, 110 / 510, 10, 10 / 1_010, 10 / 110, 10, 10 / 510, 10 / 110])


def _undiluted() -> float:
    """Crossed units (8 % and 5 %) that behave as in the other arm: the bound gives the true effect back."""
    observed = 0.2 * (1 - 0.08 - 0.05)
    return relative(float(undiluted_limits(observed, observed, 0.13)[1]), 0.2)


METHODS = (
    Method(
        title="Sample ratio",
        functions=("sample_ratio", "share_test"),
        formula="chi-square against the planned weights; exact binomials where fewer than 5 units are expected",
        assumes="units fall to the arms independently; arms of weight 0 are left out",
        source="Pearson 1900; Fabijan and others 2019",
        oracles=(
            Oracle("scipy chisquare", lambda: _ratio("scipy")),
            Oracle("gbstats check_srm", lambda: _ratio("gbstats")),
            Oracle("exact: scipy binom", _exact_ratio),
        ),
    ),
    Method(
        title="Sample ratio per segment",
        functions=("segment_ratio", "segment_shares", "log_chi_square_above"),
        formula="Holm over segments; the likelihood ratio splits into total and heterogeneity",
        assumes="as above",
        source="Kullback 1959; Fabijan and others 2019",
        oracles=(
            Oracle("scipy G-test of independence", lambda: _split("scipy")),
            Oracle("sums over segments, numpy", lambda: _split("numpy")),
            Oracle("far tails: closed forms and scipy logsf", _log_tail),
        ),
    ),
    Method(
        title="Sequential sample ratio",
        functions=("sample_ratio_over_looks", "ratio_log_e", "ratio_p_values"),
        formula="Dirichlet-multinomial over multinomial likelihood; valid at all looks",
        assumes="units fall to the arms independently",
        source="Lindon and Malek 2022",
        oracles=(
            Oracle("scipy dirichlet_multinomial", lambda: _sequential_ratio("scipy"), 1e-6, absolute=True),
            Oracle("unit by unit", lambda: _sequential_ratio("steps")),
            Oracle("mpmath, 500 million units", lambda: _sequential_ratio("mpmath"), 1e-5, absolute=True),
            Oracle("all paths: alarms above the level by", _exact_alarm, 0.0, absolute=True),
        ),
    ),
    Method(
        title="Pre-period balance",
        functions=("pre_period_balance", "compare_baselines"),
        formula="Hotelling–Lawley trace over all pre-period metrics; single metrics with Holm's correction",
        assumes="means near normal, alike covariances",
        source="Hotelling 1951; McKeon 1974",
        oracles=(
            Oracle("statsmodels MANOVA", _manova),
            Oracle("statsmodels Hotelling, two arms", _hotelling),
            Oracle("scipy f_oneway, single metrics", _anova),
        ),
    ),
    Method(
        title="Units seen in two arms",
        functions=("crossed_units", "crossings", "undiluted_limits"),
        formula="counts by pair; the difference can have been diluted by at most both shares",
        assumes="crossed units react to what they saw",
        source="bound derived in the module",
        oracles=(
            Oracle("sets counted by hand", _crossed),
            Oracle("worst case given back", _undiluted),
        ),
    ),
)
