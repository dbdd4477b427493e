"""Estimates: values of arms with their variances."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import statsmodels.api as sm
from scipy import stats
from scipy.stats import mstats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.weightstats import DescrStatsW

from agreement.intervals import ratio_pair
from agreement.method import Method, Oracle, apart, recorded, relative
from experiments.adjusting.quantiles import quantile_contrasts, sample_quantiles
from experiments.adjusting.threshold_counts import ThresholdCounts
from experiments.adjusting.winsor import caps_from_values, winsorise
from experiments.basis.moments import Moments
from experiments.comparing import estimates
from experiments.comparing.cell_model import fit_cells, tabulate
from experiments.comparing.comparisons import compare_estimates
from experiments.comparing.counts import compare_cells
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Cell


def units(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Values and visits of four arms of 500 units."""
    rng = np.random.default_rng(seed)
    visits = rng.poisson(3.0, (4, 500)) + 1.0
    return rng.gamma(2.0, 5.0, (4, 500)) * visits, visits


def moments(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """The fields of aggregates along the last axis."""
    dx, dy = x - x.mean(-1, keepdims=True), y - y.mean(-1, keepdims=True)
    sums = {"m2_x": (dx * dx).sum(-1), "m2_y": (dy * dy).sum(-1), "cxy": (dx * dy).sum(-1)}
    return {"n": np.full(x.shape[:-1], x.shape[-1]), "mean_x": x.mean(-1), "mean_y": y.mean(-1), **sums}


def _mean(theirs: np.ndarray) -> float:
    m = moments(*units())
    return relative(np.sqrt(estimates.mean(m["n"], m["mean_x"], m["m2_x"]).variance), theirs)


def _ratio_residuals() -> float:
    x, y = units()
    found = estimates.ratio(**moments(x, y))
    residual = x - found.value[:, None] * y
    return relative(found.variance, residual.var(-1, ddof=1) / 500 / y.mean(-1) ** 2)


def _ratio_jackknife() -> float:
    x, y = units()
    left_out = (x.sum(-1)[:, None] - x) / (y.sum(-1)[:, None] - y)
    jackknife = 499 / 500 * ((left_out - left_out.mean(-1)[:, None]) ** 2).sum(-1)
    return relative(estimates.ratio(**moments(x, y)).variance, jackknife)


def _ratio_gbstats() -> float:
    found = compare_estimates(*ratio_pair())
    return relative([found.p_value, found.effect_low, found.effect_high], recorded("gbstats")["ratio absolute"])


def _proportion() -> float:
    x = (units()[0] > 30).astype(float)
    theirs = [DescrStatsW(row).std / np.sqrt(500) for row in x]
    return relative(np.sqrt(estimates.proportion(500, x.mean(-1)).variance), theirs)


def _poisson(dispersion: bool) -> float:
    x = np.floor(units()[0][0])
    y = units()[1][0]
    glm = sm.GLM(x, np.ones(500), family=sm.families.Poisson(), offset=np.log(y))
    m = {k: v[0] for k, v in moments(x[None], y[None]).items()}
    if not dispersion:
        rate = estimates.count_rate(m["n"], m["mean_x"], m["mean_y"])
        return relative(np.sqrt(rate.variance) / rate.value, glm.fit().bse[0])
    # With one exposure for all, Pearson's chi-square over its degrees of freedom is the factor.
    glm = sm.GLM(x, np.ones(500), family=sm.families.Poisson()).fit(scale="X2")
    one = {k: v[0] for k, v in moments(x[None], np.ones((1, 500))).items()}
    return relative(estimates.dispersion_factor(**one), glm.scale)


_MEDIANS = (
    (
        [32, 39, 26, 35, 43, 27, 40, 37, 34, 29],
        [36, 44, 47, 42, 49, 39, 46, 31, 33, 48],
        (34.5, 43, 8.5, 4.316291, 0.04022524, 16.95977),
    ),
    (
        [70, 394, 43, 95, 62, 128, 2, 203, 81, 436, 85, 35, 156, 1, 3, 27, 63, 181, 184, 18],
        [102, 120, 78, 78, 417, 124, 86, 171, 176, 129, 230, 194, 100, 157, 306, 411, 164, 103, 193, 312],
        (75.5, 160.5, 85, 37.11502, 12.25589, 157.7441),
    ),
)


def _medians() -> float:
    gaps = []
    for control, arm, published in _MEDIANS:
        c = quantile_contrasts(sample_quantiles(arm, 0.5), sample_quantiles(control, 0.5))
        found = (c.control, c.arm, c.effect, np.sqrt(c.effect_variance), *c.effect_limits(0.05))
        gaps.append(relative([float(v) for v in found], published))
    return max(gaps)


def _quantile_limits() -> float:
    gaps = []
    for n in (30, 377, 5_000):
        x = np.random.default_rng(n).lognormal(size=n)
        for level in (0.25, 0.5, 0.9):
            got = sample_quantiles(x, level)
            theirs = stats.quantile_test(x, p=level).confidence_interval(0.95)
            gaps.append(apart([got.low, got.high], [theirs.low, theirs.high]))
    return max(gaps)


def _clustered() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(400), rng.integers(1, 10, 400))
    return np.exp(rng.normal(size=400)[unit] + 0.5 * rng.normal(size=unit.size)), unit


def _cluster_effect(how: str) -> float:
    x, unit = _clustered()
    got = sample_quantiles(x, 0.5, clusters=unit)
    below = (x <= got.value).astype(float)
    share = below.mean()
    if how == "statsmodels":
        robust = OLS(below, np.ones(x.size)).fit(cov_type="cluster", cov_kwds={"groups": unit})
        return relative(got.design_effect, float(robust.bse[0]) ** 2 / (share * (1 - share) / x.size))
    hits, sizes = np.bincount(unit, below), np.bincount(unit).astype(float)
    cov, k = np.cov(hits, sizes), len(sizes)
    delta = (cov[0, 0] - 2 * share * cov[0, 1] + share**2 * cov[1, 1]) / k / sizes.mean() ** 2
    return relative(got.design_effect, delta / (share * (1 - share) / x.size))


def _counted_quantiles() -> float:
    x = np.round(np.random.default_rng(4).lognormal(size=5_000), 3)
    grid = np.unique(x)
    counts = ThresholdCounts.from_values(x, grid)
    found = [float(counts.quantiles(level).value) for level in (0.1, 0.5, 0.99)]
    return apart(found, np.quantile(x, [0.1, 0.5, 0.99]))


def _merged_counts() -> float:
    x = np.random.default_rng(5).lognormal(size=3_000)
    grid = np.geomspace(0.01, 100, 300)
    whole = ThresholdCounts.from_values(x, grid).quantiles(0.9)
    parts = ThresholdCounts.from_values(x[:700], grid).merge(ThresholdCounts.from_values(x[700:], grid))
    found = parts.quantiles(0.9)
    return apart([found.value, found.variance], [whole.value, whole.variance])


def _shards(offset: float) -> float:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(300, 2)) @ np.array([[1.0, 0.5], [0.0, 1.0]]) + offset
    got = Moments.from_rows(rows[:37], ("x", "y"))
    for part in np.array_split(rows[37:], 5):
        got = got.merge(Moments.from_rows(part, ("x", "y")))
    columns = [[Fraction(float(v)) for v in column] for column in rows.T]
    means = [sum(c, Fraction(0)) / len(c) for c in columns]
    centred = [[v - m for v in c] for c, m in zip(columns, means, strict=True)]
    exact = [[float(sum(a * b for a, b in zip(p, q, strict=True))) for q in centred] for p in centred]
    return relative(got.cross, exact)


def _winsorised(how: str) -> float:
    x = np.random.default_rng(1).normal(size=101)  # the 5 % and 95 % quantiles are the 6th from each end
    found = winsorise(x, caps_from_values([x], lower=0.05, upper=0.95))
    if how == "scipy":
        return apart(found, np.asarray(mstats.winsorize(x, limits=(5 / 101, 5 / 101))))
    return apart(found, np.clip(x, *np.quantile(x, [0.05, 0.95])))


def _cells() -> tuple[np.ndarray, np.ndarray, list[Cell]]:
    rng = np.random.default_rng(1)
    trials = rng.integers(1_000, 9_000, (4, 20))
    successes = rng.poisson(trials * 0.01 * np.exp(0.1 * np.arange(4)[:, None] + rng.normal(0, 0.3, 20)))
    cells = [
        Cell(arm=f"a{i}", cell=f"2026-06-{c + 1:02d}|p|", trials=int(trials[i, c]), successes=float(successes[i, c]))
        for i in range(4)
        for c in range(20)
    ]
    return trials, successes, cells


def _cell_rates() -> float:
    trials, successes, cells = _cells()
    arm, cell = (a.ravel() for a in np.indices(trials.shape))
    design = np.column_stack([np.eye(4)[arm][:, 1:], np.eye(20)[cell]])
    glm = sm.GLM(
        successes.ravel().astype(float), design, family=sm.families.Poisson(), offset=np.log(trials.ravel())
    ).fit(tol=1e-12)
    return apart(fit_cells(tabulate(cells)).log_rates[1:], glm.params[:3])


def _cell_truth() -> float:
    """Simpson's trap: the arm is mostly delivered where clicks are rare; within each cell it is 20 % better."""
    trials = np.array([[9_000, 1_000, 9_000, 1_000], [1_000, 9_000, 1_000, 9_000]])
    cells = [
        Cell(arm=f"a{i}", cell=f"d{c // 2}|p{c % 2}|", trials=int(trials[i, c]), successes=trials[i, c] * rate)
        for i, factor in enumerate((1.0, 1.2))
        for c, rate in enumerate(np.array([0.05, 0.01, 0.04, 0.02]) * factor)
    ]
    metric = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
    (row,) = compare_cells(metric, cells, "a0", experiment="e")
    return relative(row.lift or 0.0, 0.2)


METHODS = (
    Method(
        title="Proportion",
        functions=("proportion",),
        formula="share of units p; variance p (1 − p) / n",
        assumes="independent units, 0 or 1",
        source="binomial law",
        oracles=(
            Oracle("statsmodels DescrStatsW", _proportion),
            Oracle("closed form", lambda: relative(estimates.proportion(200, 0.1).variance, 0.1 * 0.9 / 200)),
        ),
    ),
    Method(
        title="Mean",
        functions=("mean",),
        formula="mean; variance s² / n with n − 1 degrees of freedom, from the centred second moment",
        assumes="independent units, finite variance",
        source="textbook",
        oracles=(
            Oracle("statsmodels DescrStatsW", lambda: _mean(np.array([DescrStatsW(r).std_mean for r in units()[0]]))),
            Oracle("numpy", lambda: _mean(units()[0].std(-1, ddof=1) / np.sqrt(500))),
        ),
    ),
    Method(
        title="Ratio of sums",
        functions=("ratio",),
        formula="R = mean x / mean y; variance of x − R y over n (mean y)²",
        assumes="independent units, the mean of y well away from 0",
        source="Deng, Knoblich and Lu 2018 (delta method)",
        oracles=(
            Oracle("spread of residuals, numpy", _ratio_residuals),
            Oracle("gbstats RatioStatistic", _ratio_gbstats),
            Oracle("jackknife over units (another estimator)", _ratio_jackknife, 0.01),
        ),
    ),
    Method(
        title="Count rate",
        functions=("count_rate",),
        formula="events per exposure r; variance dispersion × r / exposure",
        assumes="Poisson counts, up to a factor",
        source="Poisson law",
        oracles=(
            Oracle("statsmodels GLM, Poisson", lambda: _poisson(False)),
            Oracle("closed form", lambda: relative(estimates.count_rate(1, 30, 1_000, 2.0).variance, 6e-5)),
        ),
    ),
    Method(
        title="Dispersion of counts",
        functions=("dispersion_factor",),
        formula="mean squared residual over the mean count",
        assumes="independent units",
        source="Pearson's chi-square over its degrees of freedom",
        oracles=(
            Oracle("statsmodels GLM, scale X2", lambda: _poisson(True)),
            Oracle("closed form, two units", lambda: relative(estimates.dispersion_factor(2, 3, 2, 1, 0, 0), 2 / 3)),
        ),
    ),
    Method(
        title="Quantile, and differences of quantiles",
        functions=("sample_quantiles", "quantile_contrasts", "window_ranks", "interval_ranks"),
        formula="order statistics around the quantile give its standard error; exact binomial ranks its interval",
        assumes="independent values (clusters: next row)",
        source="Price and Bonett 2001, 2002",
        oracles=(
            Oracle("R package statpsych, two printed examples", _medians, 2e-6),
            Oracle("scipy quantile_test (interval)", _quantile_limits),
        ),
    ),
    Method(
        title="Quantile with clusters",
        functions=("cluster_effect",),
        formula="variance × design effect of the share below the quantile",
        assumes="independent clusters",
        source="Liu and others 2019 (delta method)",
        oracles=(
            Oracle("statsmodels cluster-robust regression", lambda: _cluster_effect("statsmodels")),
            Oracle("delta method with numpy's covariance", lambda: _cluster_effect("numpy"), 1e-8),
        ),
    ),
    Method(
        title="Quantile from counts at thresholds",
        functions=(
            "ThresholdCounts",
            "geometric_thresholds",
        ),
        formula="the cell in which the counts pass the rank; merges over shards",
        assumes="a grid fine enough for the purpose",
        source="definition",
        oracles=(
            Oracle("numpy quantile, cells of 0.001", _counted_quantiles, 1e-3, absolute=True),
            Oracle("shards merged equal the whole", _merged_counts),
        ),
    ),
    Method(
        title="Winsorised values",
        functions=(
            "winsorise",
            "caps_from_values",
            "caps_from_counts",
            "capped_share",
        ),
        formula="values beyond a common cap count as the cap; caps are quantiles of all arms together",
        assumes="the tail may be cut: the mean is that of capped values",
        source="Tukey 1962",
        oracles=(
            Oracle("scipy mstats.winsorize", lambda: _winsorised("scipy")),
            Oracle("numpy clip at quantiles", lambda: _winsorised("numpy")),
        ),
    ),
    Method(
        title="Moments that merge",
        functions=("Moments",),
        formula="n, means (as two floats) and centred cross products; shards add by Chan's update",
        assumes="nothing",
        source="Chan, Golub and LeVeque 1983",
        oracles=(
            Oracle("rational arithmetic, 6 shards", lambda: _shards(0.0), 1e-12),
            Oracle("rational arithmetic, 6 shards, offset 1e9", lambda: _shards(1e9), 1e-10),
        ),
    ),
    Method(
        title="Platform counts in cells",
        functions=(
            "compare_cells",
            "compare_totals",
            "fit_cells",
            "fit_rates",
            "jackknife_days",
        ),
        formula="log rate = arm + cell (day × placement × segment); variance of the arms' drift from day to day added",
        assumes="an arm's lift is the same in all cells, up to random drift",
        source="McCullagh and Nelder 1989",
        oracles=(
            Oracle("statsmodels GLM, Poisson with offsets", _cell_rates, 1e-8, absolute=True),
            Oracle("exact lift without noise, unequal mixes", _cell_truth),
        ),
    ),
)
