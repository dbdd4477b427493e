"""Always-valid sequences that are exact at any sample size."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from agreement.method import Method, Oracle, apart, relative
from experiments.sequential import asymptotic as seq
from experiments.sequential.bounded_sequences import bernstein_sequence, betting_log_e, betting_sequence
from experiments.sequential.proportion_sequences import (
    difference_log_e,
    difference_sequence,
    rate_log_e,
    rate_sequence,
    success_lift,
)


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
)
