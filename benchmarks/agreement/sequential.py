"""Always-valid and group-sequential methods."""

from __future__ import annotations

import math

import numpy as np
from scipy import integrate, optimize, special, stats

from agreement import cases
from agreement.intervals import mean_pair, ratio_pair
from agreement.method import Method, Oracle, apart, recorded, relative
from experiments.bayes.posterior import lift_estimate
from experiments.sequential import asymptotic as seq
from experiments.sequential.bounded_sequences import bernstein_sequence, betting_log_e, betting_sequence
from experiments.sequential.group_sequential import (
    OBRIEN_FLEMING,
    POCOCK,
    boundaries,
    conduct,
    drift_for_power,
    fixed_form_boundaries,
    repeated_limits,
    repeated_p_value,
)
from experiments.sequential.hybrid import final_multiplier, hybrid_test
from experiments.sequential.proportion_sequences import (
    difference_log_e,
    difference_sequence,
    rate_log_e,
    rate_sequence,
    success_lift,
)
from experiments.sequential.stopped_walk import first_stops

Z95 = 1.959963984540054
FIVE = np.arange(1, 6) / 5

# confseq 0.0.11: normal_mixture_bound(v, alpha, 1000, alpha) / sqrt(v), two-sided and one-sided.
CONFSEQ = {
    (100.0, 0.05): (3.855054633530311, 3.634305089974532),
    (1000.0, 0.05): (3.0352089903762534, 2.766070883067567),
    (7000.0, 0.05): (3.1948602292218578, 2.934679068453116),
    (100.0, 0.01): (4.316013747714238, 4.1279858234725),
    (1000.0, 0.01): (3.5716299708704495, 3.353454615362089),
    (7000.0, 0.01): (3.7124733643473724, 3.5014332270411788),
}


def _confseq(side: int) -> float:
    name = ("two-sided", "greater")[side]
    return max(
        relative(seq.multiplier(seq.asymptotic_ratio(v, 1_000, a, name), a, name), bounds[side])
        for (v, a), bounds in CONFSEQ.items()
    )


def _gbstats() -> float:
    gaps = []
    for pair, name, case in ((mean_pair(), "mean", cases.ARM), (ratio_pair(), "ratio", cases.RATIO_ARM)):
        arm, control = pair
        n = case[0] + {"mean": cases.CONTROL, "ratio": cases.RATIO_CONTROL}[name][0]
        effect, error = float(arm.value - control.value), float(np.sqrt(arm.variance + control.variance))
        lift = lift_estimate(arm.value, control.value, arm.variance, control.variance)
        for kind, (value, deviation) in (("absolute", (effect, error)), ("relative", lift)):
            test = seq.asymptotic_test(value, deviation, n)
            theirs = recorded("gbstats")[f"{name} {kind} sequential"]
            gaps.append(relative([float(v) for v in (test.p_value, test.low, test.high)], theirs))
    return max(gaps)


def _equation_9() -> float:
    gaps = []
    for n in (10.0, 3_000.0, 1e6):
        rho2 = (-2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))) / 5_000
        root = n * rho2 + 1
        theirs = math.sqrt(2 * root / (n * rho2) * math.log(math.sqrt(root) / 0.05))
        gaps.append(relative(seq.multiplier(seq.asymptotic_ratio(n, 5_000, 0.05)), theirs))
    return max(gaps)


def _e_value(side: str) -> float:
    gaps = []
    for k in (0.01, 0.8, 30.0):
        for z in (-0.3, 1.0, 4.5):
            mode, spread = z * k / (1 + k), math.sqrt(k / (1 + k))
            low, high = mode - 12 * spread, mode + 12 * spread
            low = max(low, 0.0) if side == "greater" else low
            value = integrate.quad(
                lambda u, z=z, k=k: math.exp(u * z - u * u / 2) * stats.norm.pdf(u, 0, math.sqrt(k)),
                low,
                high,
                limit=200,
            )[0]
            value *= 2.0 if side == "greater" else 1.0
            gaps.append(relative(np.exp(seq.log_e_value(z, k, side)), value))
    return max(gaps)


def _mean_e() -> float:
    def mass(z: float) -> float:
        return math.exp(float(seq.log_e_value(z, 1.0)) - z**2 / 2) / math.sqrt(2 * math.pi)

    return relative(integrate.quad(mass, -60, 60, limit=400, points=[0.0])[0], 1.0)


def _tuning() -> float:
    """The published approximation of the exact tuning, by Lambert's W."""
    exact = -1.0 - float(special.lambertw(-(0.05**2) / math.e, -1).real)
    return relative(seq.multiplier(seq.tuning_ratio(0.05)), seq.multiplier(exact))


def _best_tuning() -> float:
    best = optimize.minimize_scalar(lambda k: float(seq.multiplier(k)), bounds=(1, 100), method="bounded")
    return relative(seq.multiplier(seq.tuning_ratio(0.05)), best.fun)


def _msprt(what: str) -> float:
    effect, error, tau2 = 0.013, 0.004, 0.01**2
    v, test = error**2, seq.msprt(0.013, 0.004, mixing_variance=0.01**2)
    if what == "p":
        ratio = math.sqrt(v / (v + tau2)) * math.exp(tau2 * effect**2 / (2 * v * (v + tau2)))
        return relative(test.p_value, 1 / ratio)
    reach = math.sqrt(v * (v + tau2) / tau2 * (-2 * math.log(0.05) - math.log(v / (v + tau2))))
    return relative([test.low, test.high], [effect - reach, effect + reach])


def _walked(alpha: float, share: float, side: str) -> float:
    """The whole error by recursive integration over 140 looks, bounds moved by 0.5826 steps (Siegmund 1979)."""
    t = (np.arange(1, 141) / 140.0) ** 2
    score = seq.multiplier(t * seq.tuning_ratio(alpha * share, side), alpha * share, side) * np.sqrt(t)
    score = score - 0.5826 * np.sqrt(np.diff(t, prepend=0.0))
    bounds = score / np.sqrt(t)
    bounds[-1] = float(final_multiplier(1.0, alpha=alpha, monitor_share=share, alternative=side))
    return float(first_stops(t, bounds, 2 if side == "two-sided" else 1, np.zeros(1)).sum())


def _hybrid_running() -> float:
    running = hybrid_test(0.3, 0.1, 400, 1_000)
    one = seq.asymptotic_test(0.3, 0.1, 400, tuning_n=1_000, alpha=0.025)
    return relative([running.low, running.p_value], [one.low, 2 * one.p_value])


def _jennison(what: str) -> float:
    """Jennison and Turnbull (2000), tables 2.1 to 2.4 for 2 to 5 looks and 2.7, 2.8: alpha 0.05, power 0.9."""
    table = {2: (2.178, 1.977, 1.100, 1.007), 3: (2.289, 2.004, 1.151, 1.016), 5: (2.413, 2.040, 1.207, 1.026)}
    fixed, gaps = Z95 + float(special.ndtri(0.9)), []
    for looks, row in table.items():
        t = np.arange(1, looks + 1) / looks
        for shape, constant, inflation in ((0.5, row[0], row[2]), (0.0, row[1], row[3])):
            bounds = fixed_form_boundaries(t, shape=shape)
            if what == "bounds":
                gaps.append(apart(bounds[-1], constant))
                continue
            drift = drift_for_power(t, bounds, 0.9)
            gaps.append(apart((drift / fixed) ** 2, inflation))
            if looks == 5:
                share = conduct(t, bounds, drift).expected_fraction * (drift / fixed) ** 2
                gaps.append(apart(share, 0.685 if shape else 0.750))
    return max(gaps)


def _spending() -> float:
    """Five looks, two-sided 0.05: the program of Reboussin, DeMets, Kim and Lan (2000), R's ldbounds."""
    published = {
        OBRIEN_FLEMING: [4.8769, 3.3569, 2.6803, 2.2898, 2.0310],
        POCOCK: [2.4380, 2.4268, 2.4101, 2.3966, 2.3859],
    }
    return max(apart(boundaries(FIVE, spending=s), b) for s, b in published.items())


def _seqbounds() -> float:
    theirs = [3.74955, 2.53993, 2.01604, 1.72014]
    return apart(boundaries(np.arange(1, 5) / 4, alternative="greater"), theirs)


def _gsdesign() -> float:
    t, bounds = [0.2, 0.45, 0.8, 1.0], [3.2, 2.7, 2.3, 2.05]
    theirs = {
        0.0: [0.0013742759, 0.0065142467, 0.0180572167, 0.0241404430],
        2.5: [0.0186806585, 0.1385589636, 0.3286305873, 0.2035907687],
    }
    return max(apart(conduct(t, bounds, drift).stop_chances, chances) for drift, chances in theirs.items())


def _multivariate() -> float:
    t = np.array([0.3, 0.55, 1.0])
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    bounds, gaps = boundaries(t), []
    for drift in (0.0, 2.0):
        law = stats.multivariate_normal(drift * np.sqrt(t), correlation, seed=1, abseps=1e-7, releps=1e-7)
        gaps.append(apart(1.0 - conduct(t, bounds, drift).power, law.cdf(bounds, lower_limit=-bounds)))
    return max(gaps)


def _repeated() -> float:
    t = np.array([0.2, 0.5, 0.8, 1.0])
    gaps = [relative(repeated_p_value(boundaries(t, level), t), np.full(4, level)) for level in (3e-5, 0.02, 0.3)]
    return max(gaps)


def _repeated_limits() -> float:
    bounds = boundaries(FIVE)
    low, high = repeated_limits(0.2, 0.1, bounds)
    return apart([low, high], [0.2 - 0.1 * bounds, 0.2 + 0.1 * bounds])


def _rate_e(how: str) -> float:
    gaps = []
    for x, n in ((0, 7), (3, 40), (900, 30_000)):
        for p in (0.02, 0.3):
            if how == "scipy":
                theirs = stats.betabinom.logpmf(x, n, 0.5, 0.5) - stats.binom.logpmf(x, n, p)
                gaps.append(apart(rate_log_e(x, n, p), theirs))
    if how == "mean":
        x = np.arange(61)
        gaps = [relative(stats.binom.pmf(x, 60, p) @ np.exp(rate_log_e(x, 60, p)), 1.0) for p in (0.01, 0.4)]
    return max(gaps)


def _rate_limits() -> float:
    low, high = rate_sequence(30, 700)
    return apart(rate_log_e(30, 700, np.array([low, high])), -math.log(0.05))


def _success_lift(how: str) -> float:
    strength = 100.0 / seq.tuning_ratio(0.05)
    low, high, log_e = success_lift(40, 70, share=0.4)
    prior = (strength * 0.4, strength * 0.6)
    if how == "scipy":
        return apart(log_e, stats.betabinom.logpmf(40, 110, *prior) - stats.binom.logpmf(40, 110, 0.4))
    p_low, p_high = rate_sequence(40, 110, prior=prior)
    odds = 0.4 / 0.6
    return relative([low, high], [p_low / (1 - p_low) / odds - 1, p_high / (1 - p_high) / odds - 1])


LOOKS = np.array([[3, 9, 12], [20, 50, 61], [1, 4, 9], [25, 45, 70]], dtype=float)


def _difference_e() -> float:
    x1, n1, x0, n0 = LOOKS
    total, before, gaps = 0.0, np.zeros(4), []
    for look in range(3):
        a, na, b, nb = LOOKS[:, look] - before
        q1, q0 = (before[0] + 0.18) / (before[1] + 0.36), (before[2] + 0.18) / (before[3] + 0.36)
        q = (na * q1 + nb * q0) / (na + nb)
        total += stats.binom.logpmf(a, na, q1) + stats.binom.logpmf(b, nb, q0)
        total -= stats.binom.logpmf(a, na, q) + stats.binom.logpmf(b, nb, q)
        before = LOOKS[:, look]
        gaps.append(apart(difference_log_e(x1, n1, x0, n0)[look], total))
    return max(gaps)


def _difference_grid() -> float:
    grid = np.linspace(-1, 1, 40_001)
    kept = difference_log_e(*LOOKS, grid).max(axis=-1) < -math.log(0.05)
    return apart([float(v) for v in difference_sequence(*LOOKS)], [grid[kept].min(), grid[kept].max()])


def wave() -> np.ndarray:
    """Four hundred values that are the same on every machine."""
    return np.round(np.sin(np.arange(1, 401) * 1.7) ** 2 * 0.6 + np.arange(400) % 7 / 20, 6)


def _bernstein() -> float:
    """Theorem 2 of Waudby-Smith and Ramdas (2024), value by value."""
    lows, highs = [], []
    mean, variance, seen, spread, stake, pot, price = 0.5, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0
    for t, value in enumerate(wave(), start=1):
        weight = min(math.sqrt(2 * math.log(2 / 0.05) / (variance * t * math.log(1 + t))), 0.5)
        stake, pot = stake + weight, pot + weight * value
        price += 4 * (value - mean) ** 2 * (-math.log(1 - weight) - weight) / 4
        seen += value
        mean = (0.5 + seen) / (t + 1)
        spread += (value - mean) ** 2
        variance = (0.25 + spread) / (t + 1)
        reach = (math.log(2 / 0.05) + price) / stake
        lows.append(max(pot / stake - reach, 0.0))
        highs.append(min(pot / stake + reach, 1.0))
    low, high = bernstein_sequence(1, wave(), 0)
    return max(apart(low, np.maximum.accumulate(lows)), apart(high, np.minimum.accumulate(highs)))


def _bernstein_confseq() -> float:
    low, high = bernstein_sequence(1, wave(), 0)
    return apart([low[399], high[399]], [0.408882, 0.491223])


def _betting_confseq() -> float:
    low, high = betting_sequence(wave(), looks=[10, 100, 400])
    return max(apart(low, [0.21865, 0.38135, 0.41280]), apart(high, [0.71935, 0.51700, 0.48575]))


def _bets() -> float:
    gaps = []
    for m in (0.1, 0.45, 0.8):
        mean, variance, seen, spread, up, down, capital = 0.5, 0.25, 0.0, 0.0, 1.0, 1.0, []
        for t, value in enumerate(wave(), start=1):
            bet = math.sqrt(2 * math.log(2 / 0.05) / (variance * t * math.log(1 + t)))
            up *= 1 + min(bet, 0.5 / m) * (value - m)
            down *= 1 - min(bet, 0.5 / (1 - m)) * (value - m)
            capital.append(max(up, down) / 2)
            seen += value
            mean = (0.5 + seen) / (t + 1)
            spread += (value - mean) ** 2
            variance = (0.25 + spread) / (t + 1)
        gaps.append(relative(np.exp(betting_log_e(wave(), m)), capital))
    return max(gaps)


METHODS = (
    Method(
        title="Asymptotic confidence sequence (default while running)",
        functions=(
            "asymptotic_test",
            "mixture_test",
            "asymptotic_ratio",
            "multiplier",
            "tuning_ratio",
            "equivalent_alpha",
            "running_p",
            "running_limits",
        ),
        formula="effect ± error × √((1 + 1/k)(log(1 + k) − 2 log alpha)), k in proportion to n; narrowest at a size",
        assumes="estimates near normal at each look; holds at all looks together",
        source="Waudby-Smith and others 2024 (arXiv:2103.06476v7, equations 9 and 155)",
        oracles=(
            Oracle("gbstats SequentialTwoSidedTTest, difference and lift", _gbstats),
            Oracle("confseq 0.0.11 normal_mixture_bound", lambda: _confseq(0)),
            Oracle("equation 9", _equation_9),
            Oracle("tuning: exact optimum by Lambert's W", _tuning, 1e-4),
            Oracle("tuning: least width by scipy", _best_tuning, 1e-4),
        ),
    ),
    Method(
        title="The same, one side",
        functions=("asymptotic_test",),
        formula="mixture over the half-normal; solved for its limit",
        assumes="as above",
        source="Waudby-Smith and others 2024, equation 134",
        oracles=(
            Oracle("confseq 0.0.11, one-sided", lambda: _confseq(1)),
            Oracle("e-value by scipy quad", lambda: _e_value("greater"), 1e-7),
        ),
    ),
    Method(
        title="e-value",
        functions=("log_e_value", "p_from_log_e"),
        formula="likelihood averaged over a normal prior, over that of no effect; p = 1 / e",
        assumes="as above",
        source="Robbins 1970; Howard and others 2021",
        oracles=(
            Oracle("scipy quad over the prior", lambda: _e_value("two-sided"), 1e-7),
            Oracle("mean 1 without an effect, scipy quad", _mean_e, 1e-7),
        ),
    ),
    Method(
        title="mSPRT (by name)",
        functions=("msprt",),
        formula="the same mixture with a fixed variance of effects",
        assumes="as above",
        source="Johari and others 2022",
        oracles=(
            Oracle("formula of the paper, p", lambda: _msprt("p")),
            Oracle("formula of the paper, limits", lambda: _msprt("limits")),
        ),
    ),
    Method(
        title="Hybrid: always valid while running, fixed at the planned end",
        functions=(
            "hybrid_test",
            "hybrid_multiplier",
            "final_multiplier",
            "counted_looks",
            "passage_chance",
        ),
        formula="a sequence at half of alpha; the end's critical value makes the whole error alpha",
        assumes="as above; one planned end",
        source="first passage of Brownian motion (ADR 9)",
        oracles=(
            Oracle("whole error, recursive integration", lambda: relative(_walked(0.05, 0.5, "two-sided"), 0.05), 2e-3),
            Oracle("the same, one side", lambda: relative(_walked(0.05, 0.5, "greater"), 0.05), 2e-3),
            Oracle("running looks: the sequence at half of alpha", _hybrid_running),
        ),
    ),
    Method(
        title="Exact sequence of one rate",
        functions=("rate_sequence", "rate_log_e"),
        formula="beta-binomial over binomial likelihood",
        assumes="independent zeros and ones",
        source="Ville 1939; Robbins 1970",
        oracles=(
            Oracle("scipy betabinom and binom", lambda: _rate_e("scipy"), 1e-7, absolute=True),
            Oracle("mean 1 by enumeration", lambda: _rate_e("mean")),
            Oracle("limits: e-value 1 / alpha", _rate_limits, 1e-6, absolute=True),
        ),
    ),
    Method(
        title="Exact sequence of a lift from successes",
        functions=("success_lift",),
        formula="each success is the arm's with a chance that tells the lift",
        assumes="rare successes, a fixed split of traffic",
        source="Lindon and Malek 2022",
        oracles=(
            Oracle("scipy betabinom and binom", lambda: _success_lift("scipy"), 1e-7, absolute=True),
            Oracle("sequence of the rate, turned", lambda: _success_lift("rate")),
        ),
    ),
    Method(
        title="Exact sequence of a difference (2 × 2)",
        functions=(
            "difference_sequence",
            "difference_log_e",
        ),
        formula="blocks of data against the nearest rates that far apart",
        assumes="independent zeros and ones; base rates may move",
        source="Turner, Ly and Grünwald 2024",
        oracles=(
            Oracle("products of scipy's binomials", _difference_e, 1e-8, absolute=True),
            Oracle("limits: grid of 40,001 differences", _difference_grid, 1e-4, absolute=True),
        ),
    ),
    Method(
        title="Empirical Bernstein sequence of a bounded mean",
        functions=(
            "bernstein_sequence",
            "difference_limits",
        ),
        formula="weighted mean with predictable weights",
        assumes="values within known bounds",
        source="Waudby-Smith and Ramdas 2024, theorem 2",
        oracles=(
            Oracle("the theorem, value by value", _bernstein, 1e-10, absolute=True),
            Oracle("confseq 0.0.11 (its first guess differs)", _bernstein_confseq, 1e-3, absolute=True),
        ),
    ),
    Method(
        title="Betting sequence of a bounded mean",
        functions=(
            "betting_sequence",
            "betting_log_e",
        ),
        formula="the means that no hedged bet made 1 / alpha against",
        assumes="values within known bounds",
        source="Waudby-Smith and Ramdas 2024",
        oracles=(
            Oracle("confseq 0.0.11 betting_cs, grid of 1/20,000", _betting_confseq, 1e-4, absolute=True),
            Oracle("capital, bet by bet", _bets),
        ),
    ),
    Method(
        title="Group-sequential bounds by error spending (by name)",
        functions=(
            "boundaries",
            "conduct",
            "Spending",
        ),
        formula="critical values by which the error spent at each information is what the spending function allows",
        assumes="normal scores with independent increments",
        source="Lan and DeMets 1983",
        oracles=(
            Oracle("Reboussin and others 2000 (R ldbounds)", _spending, 2e-4, absolute=True),
            Oracle("SeqBounds.jl, one-sided", _seqbounds, 5e-5, absolute=True),
            Oracle("gsDesign (Python 0.1.5), stopping chances", _gsdesign, 1e-9, absolute=True),
            Oracle("scipy multivariate normal", _multivariate, 1e-6, absolute=True),
        ),
    ),
    Method(
        title="Pocock, O'Brien–Fleming and between",
        functions=(
            "fixed_form_boundaries",
            "drift_for_power",
        ),
        formula="c × t^(shape − ½) at looks that are all known",
        assumes="as above",
        source="Wang and Tsiatis 1987",
        oracles=(
            Oracle("Jennison and Turnbull 2000, tables 2.1, 2.3", lambda: _jennison("bounds"), printed=3),
            Oracle("the same, tables 2.2, 2.4, 2.7, 2.8", lambda: _jennison("sizes"), 6e-4, absolute=True),
        ),
    ),
    Method(
        title="Repeated intervals and p-values",
        functions=("repeated_limits", "repeated_p_value"),
        formula="effect ± bound × error; the least level whose bound is met",
        assumes="as above",
        source="Jennison and Turnbull 1989; 2000, section 9.3",
        oracles=(
            Oracle("closed form (limits)", _repeated_limits, absolute=True),
            Oracle("bounds at the level found", _repeated, 0.012),
        ),
    ),
)
