"""Always-valid methods."""

from __future__ import annotations

import math

import numpy as np
from scipy import integrate, optimize, special, stats

from agreement import cases
from agreement.intervals import mean_pair, ratio_pair
from agreement.method import Method, Oracle, recorded, relative
from experiments.bayes.posterior import lift_estimate
from experiments.sequential import asymptotic as seq
from experiments.sequential.hybrid import final_multiplier, hybrid_test
from experiments.sequential.stopped_walk import first_stops

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
)
