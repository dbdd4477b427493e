"""Health checks, and the parts of a decision that are numbers."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.discrete.discrete_model import Poisson
from statsmodels.duration.survfunc import SurvfuncRight, survdiff
from statsmodels.multivariate.manova import MANOVA
from statsmodels.stats.multivariate import test_mvmean_2indep as hotelling

from agreement import cases
from agreement.method import Method, Oracle, apart, recorded, relative
from experiments.assignment import share_of
from experiments.checks.balance import compare_baselines
from experiments.checks.crossing import crossings, undiluted_limits
from experiments.checks.delays import DelayTable, compare_delays, fit_delays
from experiments.checks.health import delivery_balance, sample_ratio
from experiments.checks.maturity import corrected_lifts, effective_exposures, mature_age, still_to_come
from experiments.checks.novelty import daily_log_lifts, trend_of_lifts
from experiments.checks.segment_ratio import log_chi_square_above, segment_shares, share_test
from experiments.checks.sequential_ratio import ratio_log_e, ratio_p_values
from experiments.deciding.metric_families import Guard, guardrail_states
from experiments.sequential.asymptotic import tuning_ratio
from proofsheet.domain.result import Cell

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


# Taylor and Ashe (1983), as in Mack (1993) and England and Verrall (2002): incremental claims.
TAYLOR_ASHE = """
357848 766940 610542 482940 527326 574398 146342 139950 227229 67948
352118 884021 933894 1183289 445745 320996 527804 266172 425046
290507 1001799 926219 1016654 750816 146923 495992 280405
310608 1108250 776189 1562400 272482 352053 206286
443160 693190 991983 769488 504851 470639
396132 937085 847498 805037 705960
440832 847631 1131398 1063269
359480 1061648 1443370
376686 986608
344014
"""
RESERVES = (0, 94_634, 469_511, 709_638, 984_889, 1_419_459, 2_177_641, 3_920_301, 4_278_972, 4_625_811)


def _reserves() -> float:
    table, ages = np.zeros((10, 10)), np.arange(9, -1, -1)
    for i, line in enumerate(TAYLOR_ASHE.split("\n")[1:-1]):
        table[i, : 10 - i] = [float(v) for v in line.split()]
    curve, paid = fit_delays(table, ages), table.sum(axis=1)
    reserves = paid / curve.share[ages] - paid
    return relative([reserves.sum(), curve.dispersion], [sum(RESERVES), 52_601])


def drawn(seed: int, units: int, mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Conversions of 21 days with geometric delays; those later than today are not there."""
    rng = np.random.default_rng(seed)
    table, ages = np.zeros((21, 21)), np.arange(20, -1, -1)
    for e in range(21):
        delays = rng.geometric(1.0 / mean, units) - 1
        np.add.at(table[e], delays[delays <= ages[e]], 1)
    return table, ages


def _reversed(table: np.ndarray, ages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    e, d = np.nonzero(table)
    times = table[e, d].astype(int)
    return np.repeat(21 - d, times).astype(float), np.repeat(21 - ages[e] - 1, times).astype(float)


def _late_entry() -> float:
    table, ages = drawn(0, 60, 5.0)
    curve, (time, entry) = fit_delays(table, ages, least=1), _reversed(table, ages)
    theirs = SurvfuncRight(time, np.ones(len(time)), entry=entry)
    days = [20 - int(at) for at in theirs.surv_times]
    return max(relative(curve.share[d], s) for d, s in zip(days, theirs.surv_prob, strict=True) if d >= 0)


def _log_rank() -> float:
    (a, ages), (b, _) = drawn(4, 60, 5.0), drawn(5, 80, 7.0)
    statistic, _, p = compare_delays(np.stack([a, b]), ages)
    parts = [_reversed(t, ages) for t in (a, b)]
    time, entry = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    group = np.repeat([0, 1], [len(part[0]) for part in parts])
    return relative([float(statistic), float(p)], survdiff(time, np.ones(len(time)), group, entry=entry))


def _corrected() -> float:
    (a, ages), (b, _) = drawn(6, 80, 4.0), drawn(7, 95, 4.0)
    days = tuple(date(2026, 4, 1) + timedelta(days=i) for i in range(21))
    exposures = np.full((2, 21), 2_000.0)
    table = DelayTable(arms=("c", "t"), days=days, as_of=days[-1], counts=np.stack([a, b]), exposures=exposures)
    curve = fit_delays(table.counts.sum(axis=0), ages)
    (lift,) = corrected_lifts(table, "c")
    within = table.counts[:, :, : int(curve.horizon) + 1].sum(axis=2)
    offset = np.log(exposures * curve.share[ages]).ravel()
    fit = Poisson(within.ravel(), np.column_stack([np.ones(42), np.repeat([0.0, 1.0], 21)]), offset=offset).fit(disp=0)
    return relative([lift.lift, lift.control_rate], [np.expm1(fit.params[1]), np.exp(fit.params[0])])


def _trend(scale: str) -> float:
    rng = np.random.default_rng(1)
    units = np.full(21, 800)
    y, v = daily_log_lifts(rng.binomial(800, 0.066, 21), units, rng.binomial(800, 0.06, 21), units)
    v = v * np.linspace(0.5, 2.0, 21)
    trend = trend_of_lifts(y, v, scale=scale)
    time = np.arange(21) / 20 if scale == "linear" else np.log1p(np.arange(21)) / np.log(21)
    line = sm.WLS(y, np.column_stack([time, np.ones(21)]), weights=1 / v).fit()
    return relative([float(trend.slope), float(trend.p_value)], [line.params[0], line.pvalues[0]])


def _guards() -> float:
    """Wrong states of 4,000, next to intervals read one by one."""
    rng = np.random.default_rng(3)
    low = rng.normal(-0.02, 0.03, 4_000)
    high = low + rng.uniform(0.0, 0.08, 4_000)
    wanted = [
        Guard.SAFE if a > -0.02 else Guard.HARMED if b < -0.02 else Guard.OPEN for a, b in zip(low, high, strict=True)
    ]
    return float(np.sum(guardrail_states(low, high, 0.02) != np.array(wanted)))


def _mixes() -> tuple[list[Cell], list[list[int]]]:
    table = [[520, 480], [480, 530]]
    names = ("feed", "story")
    return [
        Cell(arm=f"a{i}", cell=f"2026-06-01|{name}|", trials=n, successes=0.0)
        for i, row in enumerate(table)
        for name, n in zip(names, row, strict=True)
    ], table


def _delivery() -> float:
    cells, table = _mixes()
    return relative(delivery_balance(cells).p_value or 0.0, stats.chi2_contingency(table, correction=False).pvalue)


def _cramer() -> float:
    """To the three digits that the check tells."""
    cells, table = _mixes()
    told = float(delivery_balance(cells).message.split("V ")[1].split(")")[0])
    return abs(told - stats.contingency.association(np.array(table)))


def _assigned() -> float:
    points = [share_of(f"user {i}", "salt") for i in range(20_000)]
    return float(stats.kstest(points, "uniform").statistic * math.sqrt(20_000))


def _exchanged() -> float:
    (a, ages), (b, _) = drawn(4, 60, 5.0), drawn(5, 80, 7.0)
    there, back = compare_delays(np.stack([a, b]), ages), compare_delays(np.stack([b, a]), ages)
    return relative([float(v) for v in there], [float(v) for v in back])


def _weighted() -> float:
    ages = np.arange(4, -1, -1)
    table = np.array([[50, 30, 10, 9, 1]] * 5, dtype=float) * (np.arange(5) <= ages[:, None])
    curve, days = fit_delays(table * 10, ages), [10, 0, 0, 0, 10]
    found = [float(effective_exposures(days, ages, curve)), float(still_to_come(days, ages, curve))]
    return relative([*found, int(mature_age(curve, 0.95))], [15.0, 0.25, 3])


def _three_guards() -> float:
    states = guardrail_states([-0.01, -0.03, -0.09], [0.05, 0.01, -0.03], 0.02)
    return float(np.sum(states != np.array([Guard.SAFE, Guard.OPEN, Guard.HARMED])))


def _two_salts() -> float:
    cells = [(int(10 * share_of(str(i), "one")), int(10 * share_of(str(i), "two"))) for i in range(20_000)]
    table = np.zeros((10, 10))
    for a, b in cells:
        table[a, b] += 1
    return max(0.0, 0.01 - float(stats.chi2_contingency(table).pvalue))


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
    Method(
        title="Delayed conversions",
        functions=("fit_delays", "tabulate_delays"),
        formula="chain ladder: the product of reverse-time survival",
        assumes="delays do not change over exposure days",
        source="Kalbfleisch and Lawless 1989; Mack 1993",
        oracles=(
            Oracle("published reserves and dispersion (Taylor–Ashe)", _reserves, 1e-5),
            Oracle("statsmodels SurvfuncRight, late entry", _late_entry),
        ),
    ),
    Method(
        title="Do arms convert equally fast?",
        functions=("compare_delays", "delay_difference"),
        formula="log-rank test in reverse time",
        assumes="as above",
        source="Mantel 1966",
        oracles=(
            Oracle("statsmodels survdiff, late entry", _log_rank),
            Oracle("arms exchanged", _exchanged),
        ),
    ),
    Method(
        title="Maturity and corrected lifts",
        functions=(
            "maturity",
            "mature_age",
            "mature_view",
            "still_to_come",
            "effective_exposures",
            "corrected_lifts",
        ),
        formula="exposures weighted by the share of their conversions that can have come",
        assumes="as delays; Poisson up to a dispersion",
        source="Poisson likelihood with an offset",
        oracles=(
            Oracle("statsmodels Poisson regression", _corrected, 1e-6),
            Oracle("by hand, five days", _weighted),
        ),
    ),
    Method(
        title="Novelty",
        functions=("novelty", "trend_of_lifts", "daily_log_lifts"),
        formula="weighted regression of daily log-lifts on time, dispersion estimated",
        assumes="days are independent given their lifts",
        source="weighted least squares",
        oracles=(
            Oracle("statsmodels WLS, linear", lambda: _trend("linear")),
            Oracle("statsmodels WLS, logarithmic", lambda: _trend("log")),
        ),
    ),
    Method(
        title="Balance of delivery",
        functions=("delivery_balance",),
        formula="chi-square and Cramér's V of arms × placements and segments; both must be large to warn",
        assumes="nothing; impressions are many",
        source="Cramér 1946",
        oracles=(
            Oracle("scipy chi2_contingency", _delivery),
            Oracle("scipy contingency.association", _cramer, printed=3),
        ),
    ),
    Method(
        title="Guardrails",
        functions=("guardrail_states", "may_ship"),
        formula="safe: the worst limit is within the margin; harmed: the best one is beyond it; else open",
        assumes="limits at the level wanted",
        source="Schultzberg and others 2024",
        oracles=(
            Oracle("intervals read one by one, states that differ of 4,000", _guards, 0.0, absolute=True),
            Oracle("by hand", _three_guards, 0.0, absolute=True),
        ),
    ),
    Method(
        title="Assignment by salted hash",
        functions=("assign", "share_of"),
        formula="the first bits of a hash of salt and unit",
        assumes="nothing",
        source="definition",
        oracles=(
            Oracle("scipy kstest: √n D of 20,000 points (1.36 is the 5 % point)", _assigned, 1.36, absolute=True),
            Oracle("chi-square of 10 × 10 shares under two salts, p below 0.01 by", _two_salts, 0.0, absolute=True),
        ),
    ),
)
