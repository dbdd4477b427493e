"""Two proportions and two count rates, many counts or few."""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats
from scipy.special import xlogy
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
    score_test_proportions_2indep,
    test_proportions_2indep,
)
from statsmodels.stats.rates import test_poisson_2indep

from agreement.method import Method, Oracle, apart, relative
from experiments.basis import null_rates
from experiments.basis import score_intervals as scalar
from experiments.comparing import rates_many, score_many
from experiments.comparing.small_counts import compare_proportions, compare_rates

Z = 1.959963984540054
PAIRS = ((30, 500, 18, 480), (7, 34, 1, 34), (90, 100, 70, 110), (3, 1_200, 9, 1_100))
RATES = ((60, 51_477.5, 30, 54_308.7), (41, 28_010, 15, 19_017), (3, 10, 9, 12))

# Newcombe (1998), Statistics in Medicine 17, 873-890, table II: methods 5 (Mee), 6 (Miettinen-Nurminen) and 10.
NEWCOMBE = {
    (56, 70, 48, 80): ((0.0533, 0.3377), (0.0528, 0.3382), (0.0524, 0.3339)),
    (9, 10, 3, 10): ((0.1821, 0.8370), (0.1700, 0.8406), (0.1705, 0.8090)),
    (6, 7, 2, 7): ((0.0544, 0.8478), (0.0342, 0.8534), (0.0582, 0.8062)),
    (5, 56, 0, 29): ((-0.0313, 0.1926), (-0.0326, 0.1933), (-0.0381, 0.1926)),
    (0, 10, 0, 20): ((-0.1611, 0.2775), (-0.1658, 0.2844), (-0.1611, 0.2775)),
    (0, 10, 0, 10): ((-0.2775, 0.2775), (-0.2879, 0.2879), (-0.2775, 0.2775)),
    (10, 10, 0, 20): ((0.7225, 1.0000), (0.7156, 1.0000), (0.6791, 1.0000)),
}


def _newcombe(column: int) -> float:
    gaps = []
    for counts, published in NEWCOMBE.items():
        found = (
            score_many.difference_limits(*counts, Z),
            score_many.difference_limits(*counts, Z, corrected=True),
            score_many.newcombe_limits(*counts, Z),
        )[column]
        gaps.append(apart([float(v) for v in found], published[column]))
    return max(gaps)


def _over_pairs(ours: object, theirs: object) -> float:
    return max(relative(ours(*pair), theirs(*pair)) for pair in PAIRS)  # type: ignore[operator]


def _z(corrected: bool) -> float:
    return _over_pairs(
        lambda *p: score_many.pooled_z(*p, corrected=corrected),
        lambda *p: test_proportions_2indep(*p, compare="diff", method="score", correction=corrected).statistic,
    )


def _ztest() -> float:
    return _over_pairs(score_many.pooled_z, lambda a, n, b, m: proportions_ztest([a, b], [n, m])[0])


def _chi_square() -> float:
    def theirs(a: int, n: int, b: int, m: int) -> float:
        return float(stats.chi2_contingency([[a, n - a], [b, m - b]], correction=False).statistic)

    return _over_pairs(lambda *p: score_many.pooled_z(*p) ** 2, theirs)


def _koopman(corrected: bool) -> float:
    return _over_pairs(
        lambda *p: score_many.ratio_limits(*p, Z, corrected=corrected),
        lambda *p: confint_proportions_2indep(*p, compare="ratio", method="score", correction=corrected),
    )


def _scalar() -> float:
    return max(
        apart(score_many.difference_limits(*map(float, p), Z), scalar.difference_limits(*map(float, p), Z))
        for p in PAIRS
    )


def _likelihood_at_limit() -> float:
    """The score at a limit, with the restricted rates by scipy's maximiser, is the critical value."""
    gaps = []
    for x1, n1, x0, n0 in PAIRS:
        for limit in score_many.difference_limits(x1, n1, x0, n0, Z, corrected=True):
            d = float(limit)

            def unlikely(q: float, d: float = d, c: tuple[int, ...] = (x1, n1, x0, n0)) -> float:
                a, n, b, m = c
                p = q + d
                return -float(xlogy(a, p) + xlogy(n - a, 1 - p) + xlogy(b, q) + xlogy(m - b, 1 - q))

            bounds = (max(0.0, -d), min(1.0, 1.0 - d))
            q = optimize.minimize_scalar(unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
            n = n1 + n0
            variance = ((q + d) * (1 - q - d) / n1 + q * (1 - q) / n0) * n / (n - 1)
            gaps.append(relative(abs(x1 / n1 - x0 / n0 - d) / np.sqrt(variance), Z))
    return max(gaps)


def _koopman_example() -> float:
    return apart([float(v) for v in score_many.ratio_limits(36, 40, 16, 80, Z)], [2.94, 7.15])


def _wilson(how: str) -> float:
    def theirs(x: int, n: int) -> tuple[float, float]:
        if how == "scipy":
            return tuple(stats.binomtest(x, n).proportion_ci(method="wilson"))
        low, high = proportion_confint(x, n, method="wilson")
        return float(low), float(high)

    return max(relative(score_many.wilson_limits(x, n, Z), theirs(x, n)) for x, n in ((3, 40), (0, 12), (900, 3_000)))


def _statsmodels_difference(ours: object, method: str) -> float:
    return max(
        apart(ours(*p, Z), confint_proportions_2indep(*p, compare="diff", method=method))  # type: ignore[operator]
        for p in PAIRS
    )


def _caffo_closed() -> float:
    gaps = []
    for a, n, b, m in PAIRS:
        p, q = (a + 1) / (n + 2), (b + 1) / (m + 2)
        reach = Z * np.sqrt(p * (1 - p) / (n + 2) + q * (1 - q) / (m + 2))
        gaps.append(apart(score_many.agresti_caffo_limits(a, n, b, m, Z), [p - q - reach, p - q + reach]))
    return max(gaps)


def _rate_z() -> float:
    return max(
        relative(rates_many.pooled_rate_z(*r), test_poisson_2indep(*r, method="score", compare="diff").statistic)
        for r in RATES
    )


def _rate_limits_closed() -> float:
    """Of the ratio: the roots of ``(r̂ - r)² = z² r (pooled)``, a quadratic (numpy roots)."""
    gaps = []
    for x1, e1, x0, e0 in RATES:
        # (x1/e1 - r x0/e0)^2 = Z^2 (x1 + x0) r / (e1 e0): score of the ratio given the rates nearest to it.
        a, b, c = (x0 / e0) ** 2, -2 * x1 * x0 / (e1 * e0) - Z**2 * (x1 + x0) / (e1 * e0), (x1 / e1) ** 2
        roots = sorted(float(v) for v in np.roots([a, b, c]))
        gaps.append(relative(rates_many.rate_ratio_limits(x1, e1, x0, e0, Z), roots))
    return max(gaps)


def _rare_proportions() -> float:
    gaps = []
    for x1, e1, x0, e0 in RATES:
        units = 1e8
        other = score_many.difference_limits(x1, e1 * units, x0, e0 * units, Z)
        ours = rates_many.rate_difference_limits(x1, e1, x0, e0, Z)
        gaps.append(relative(ours, np.array([float(v) for v in other]) * units))
    return max(gaps)


def _mid_p(how: str) -> float:
    gaps = []
    for x1, e1, x0, e0 in (*RATES, (0, 5, 4, 9)):
        if how == "statsmodels":
            options = {"method": "cond-midp", "compare": "ratio", "alternative": "larger"}
            theirs = test_poisson_2indep(x1, e1, x0, e0, **options).pvalue
            gaps.append(relative(rates_many.mid_p(x1, e1, x0, e0, alternative="greater"), theirs))
        else:
            law = stats.binom(x1 + x0, e1 / (e1 + e0))
            above, below = law.sf(x1) + law.pmf(x1) / 2, law.cdf(x1) - law.pmf(x1) / 2
            gaps.append(relative(rates_many.mid_p(x1, e1, x0, e0), 2 * min(above, below)))
    return max(gaps)


def _mid_p_limits() -> float:
    gaps = []
    for x1, e1, x0, e0 in RATES:
        for limit, upper in zip(rates_many.mid_p_ratio_limits(x1, e1, x0, e0, 0.025), (False, True), strict=True):
            odds = float(limit) * e1 / e0
            law = stats.binom(x1 + x0, odds / (1 + odds))
            tail = (law.cdf(x1) if upper else law.sf(x1 - 1)) - law.pmf(x1) / 2
            gaps.append(relative(tail, 0.025))
    return max(gaps)


def _exact_proportions() -> float:
    """Few successes: the odds of "this success is the arm's", as a binomial's mid-p (scipy)."""
    found = compare_proportions(3, 4_000, 0, 4_000)[0]
    law = stats.binom(3, 0.5)
    return relative(found.p_value, 2 * law.pmf(3) / 2)


def _rule(kind: str) -> float:
    if kind == "rates":
        found = compare_rates(*RATES[0])[0]
        return relative(found.p_value, 2 * stats.norm.sf(abs(float(rates_many.pooled_rate_z(*RATES[0])))))
    found = compare_proportions(30, 1_000, 25, 1_000)[0]
    return relative(found.p_value, proportions_ztest([30, 25], [1_000, 1_000])[1])


def _restricted(relative_margin: bool) -> float:
    arm, base, n = 0.104, 0.1, 1e9
    if relative_margin:
        p1, p0 = null_rates.ratio_rates(np.array(arm), np.array(base), np.array(2.0), np.array(0.9))
        z = (arm - 0.9 * base) / np.sqrt(p1 * (1 - p1) / n + 0.81 * p0 * (1 - p0) / (2 * n))
        theirs = score_test_proportions_2indep(n * arm, n, 2 * n * base, 2 * n, 0.9, "ratio", correction=False)[0]
        return relative(z, theirs)

    def unlikely(q: float) -> float:
        p = q - 0.01
        return -float(xlogy(arm, p) + xlogy(1 - arm, 1 - p) + 2 * (xlogy(base, q) + xlogy(1 - base, 1 - q)))

    q = optimize.minimize_scalar(unlikely, bounds=(0.021, 0.6), method="bounded", options={"xatol": 1e-12}).x
    p1, p0 = null_rates.difference_rates(np.array(arm), np.array(base), np.array(2.0), np.array(-0.01))
    return apart([p1, p0], [q - 0.01, q])


METHODS = (
    Method(
        title="Pooled z test of two proportions",
        functions=("pooled_z", "pooled_z"),
        formula="difference over its error with the pooled rate",
        assumes="independent units; five or more successes and failures",
        source="Pearson's chi-square",
        oracles=(
            Oracle("statsmodels proportions_ztest", _ztest),
            Oracle("scipy chi2_contingency", _chi_square),
            Oracle("statsmodels score test, N/(N − 1)", lambda: _z(True)),
        ),
    ),
    Method(
        title="Score interval of a difference (default)",
        functions=("difference_limits", "difference_limits"),
        formula="all differences the score test does not refuse, rates restricted to them",
        assumes="as the test; excludes 0 exactly when p < alpha",
        source="Mee 1984; Miettinen and Nurminen 1985",
        oracles=(
            Oracle("Newcombe 1998, table II, Mee", lambda: _newcombe(0), printed=4),
            Oracle("the same, Miettinen–Nurminen", lambda: _newcombe(1), printed=4),
            Oracle("score at the limit, rates by scipy's maximiser", _likelihood_at_limit, 1e-7),
            Oracle("root by root, scalar code", _scalar, 1e-9, absolute=True),
        ),
    ),
    Method(
        title="Score interval of a lift (default)",
        functions=("ratio_limits", "ratio_limits"),
        formula="all ratios the score test does not refuse",
        assumes="as the test",
        source="Koopman 1984",
        oracles=(
            Oracle("Koopman 1984, example", _koopman_example, printed=2),
            Oracle("statsmodels score", lambda: _koopman(False), 1e-6),
            Oracle("statsmodels score, N/(N − 1)", lambda: _koopman(True), 1e-6),
        ),
    ),
    Method(
        title="Newcombe's interval (by name)",
        functions=("newcombe_limits",),
        formula="two Wilson intervals put together",
        assumes="independent units",
        source="Newcombe 1998, method 10",
        oracles=(
            Oracle("Newcombe 1998, table II", lambda: _newcombe(2), printed=4),
            Oracle(
                "statsmodels newcomb",
                lambda: _statsmodels_difference(score_many.newcombe_limits, "newcomb"),
                absolute=True,
            ),
        ),
    ),
    Method(
        title="Agresti–Caffo interval (by name)",
        functions=("agresti_caffo_limits",),
        formula="Wald's after one success and one failure more in each arm",
        assumes="independent units",
        source="Agresti and Caffo 2000",
        oracles=(
            Oracle(
                "statsmodels agresti-caffo",
                lambda: _statsmodels_difference(score_many.agresti_caffo_limits, "agresti-caffo"),
                absolute=True,
            ),
            Oracle("closed form", _caffo_closed, absolute=True),
        ),
    ),
    Method(
        title="Wilson's interval of one rate",
        functions=("wilson_limits",),
        formula="all rates the score test does not refuse",
        assumes="independent units",
        source="Wilson 1927",
        oracles=(
            Oracle("statsmodels wilson", lambda: _wilson("statsmodels")),
            Oracle("scipy binomtest", lambda: _wilson("scipy")),
        ),
    ),
    Method(
        title="Two count rates, score",
        functions=(
            "pooled_rate_z",
            "rate_difference_limits",
            "rate_ratio_limits",
        ),
        formula="as for proportions, with Poisson's variance and exposures",
        assumes="Poisson counts, up to a dispersion",
        source="Ng and Tang 2005",
        oracles=(
            Oracle("statsmodels test_poisson_2indep", _rate_z),
            Oracle("ratio: roots of its quadratic, numpy", _rate_limits_closed),
            Oracle("difference: rare proportions", _rare_proportions, 1e-6),
        ),
    ),
    Method(
        title="Exact mid-p, few counts",
        functions=("mid_p", "mid_p_ratio_limits"),
        formula="given the total, the arm's count is binomial; half of the observed point counts",
        assumes="Poisson counts (or rare successes)",
        source="Lancaster 1961; Berry and Armitage 1995",
        oracles=(
            Oracle("statsmodels cond-midp", lambda: _mid_p("statsmodels")),
            Oracle("scipy binom", lambda: _mid_p("scipy")),
            Oracle("limits: their tails by scipy", _mid_p_limits),
        ),
    ),
    Method(
        title="The rule for few counts",
        functions=(
            "compare_proportions",
            "compare_rates",
            "proportion_method",
            "rate_method",
        ),
        formula="score, Miettinen–Nurminen under 100 units, mid-p under 5 successes or failures; the method is named",
        assumes="as the method taken",
        source="coverage by enumeration (docs/benchmarks/fixed_horizon.md)",
        oracles=(
            Oracle("many counts: statsmodels", lambda: _rule("proportions")),
            Oracle("few counts: scipy binom", _exact_proportions, 0.05),
            Oracle("rates: scipy norm", lambda: _rule("rates")),
        ),
    ),
    Method(
        title="Rates at the border of a null",
        functions=(
            "difference_rates",
            "ratio_rates",
            "count_rates",
            "nearest_rate",
        ),
        formula="the likeliest rates that lie just the margin apart",
        assumes="binomial or Poisson counts",
        source="Miettinen and Nurminen 1985; Farrington and Manning 1990",
        oracles=(
            Oracle("difference: likelihood by scipy's maximiser", lambda: _restricted(False), 1e-7, absolute=True),
            Oracle("ratio: statsmodels score test", lambda: _restricted(True), 1e-7),
        ),
    ),
)
