"""Health of what comes later: delays, maturity, novelty; guardrails and assignment."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import statsmodels.api as sm
from scipy import stats
from statsmodels.discrete.discrete_model import Poisson
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from agreement.method import Method, Oracle, relative
from experiments.assignment import share_of
from experiments.checks.delays import DelayTable, compare_delays, fit_delays
from experiments.checks.health import delivery_balance
from experiments.checks.maturity import corrected_lifts, effective_exposures, mature_age, still_to_come
from experiments.checks.novelty import daily_log_lifts, trend_of_lifts
from experiments.deciding.metric_families import Guard, guardrail_states
from proofsheet.domain.result import Cell

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
