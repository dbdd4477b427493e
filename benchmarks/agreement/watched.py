"""Planning of watched and running tests, days and money."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
from scipy import integrate, stats

from agreement.method import Method, Oracle, apart, relative
from agreement.planning import C, simulated
from experiments.planning.conditional_power import conditional_power, information_until, predictive_power
from experiments.planning.duration import Traffic, affordable_units, days_for, price_of_unit, units_within, whole_weeks
from experiments.planning.planned_crossing import crossing_chances
from experiments.planning.planned_outcome import CountRate, Proportion
from experiments.planning.planned_rules import Rules
from experiments.planning.sequential_power import inflation_factor, watched_power, watched_sample_size
from experiments.planning.watching import Watch, watch_limits


def _lan_demets() -> float:
    limits = watch_limits(Watch(method="obrien-fleming", looks=5), Rules(), 0.0)
    return apart(limits, [4.877, 3.357, 2.680, 2.290, 2.031])


def _jennison() -> float:
    """Jennison and Turnbull 2000, tables 2.1, 2.2, 2.7 and their O'Brien–Fleming twins: five looks, power 0.9."""
    five, fixed, gaps = np.arange(1, 6) / 5, C + stats.norm.ppf(0.9), []
    for limits, inflation, expected in ((np.full(5, 2.413), 1.207, 0.685), (2.040 / np.sqrt(five), 1.026, 0.750)):
        chances = crossing_chances(five, limits, np.array([0.0, math.sqrt(inflation) * fixed]))
        share = five @ chances + 1.0 - chances.sum(axis=0)
        gaps += [apart(chances.sum(axis=0), [0.05, 0.9]), apart(share[1] * inflation, expected)]
    return max(gaps)


def _multivariate() -> float:
    times, limits = np.array([0.3, 0.6, 1.0]), np.array([2.6, 2.3, 2.1])
    cov, reach, gaps = np.minimum.outer(times, times), limits * np.sqrt(times), []
    for drift in (0.0, 2.5):
        stays = stats.multivariate_normal(drift * times, cov, seed=1).cdf(reach, lower_limit=-reach)
        gaps.append(apart(1.0 - crossing_chances(times, limits, drift).sum(), stays))
    return max(gaps)


def _watched() -> float:
    watch, outcome = Watch(looks=12), Proportion(baseline=0.05)
    n = float(watched_sample_size(outcome, 0.1, Rules(), watch))
    rng, t = np.random.default_rng(5), np.arange(1, 13) / 12
    limits = watch_limits(watch, Rules(), n)
    standing = outcome.standing(0.1, Rules())
    drift = float(standing.gap / standing.true_sd) * math.sqrt(n)
    steps = rng.standard_normal((40_000, 12)) / math.sqrt(12) + drift / 12
    seen = (np.cumsum(steps, axis=1) / np.sqrt(t) >= limits).any(axis=1).mean()
    return abs(float(watched_power(outcome, 0.1, n, Rules(), watch).power) - seen)


def _one_look() -> float:
    return apart(inflation_factor(Rules(), Watch(method="pocock", looks=1)), 1.0)


def _conditional() -> float:
    """Lan and Wittes 1988."""
    b = 1.4 * math.sqrt(0.6)
    want = stats.norm.sf((C - b - 2.8 * 0.4) / math.sqrt(0.4))
    return relative(conditional_power(1.4, 0.6, 2.8, C, two_sided=False), want)


def _information() -> float:
    x = information_until(0.8, 0.01, 0.02, C, 0.9)
    assert x is not None
    drift = 0.02 / (0.01 / math.sqrt(1.0 + x))
    return apart(conditional_power(0.8, 1.0 / (1.0 + x), drift, C, two_sided=False), 0.9)


def _predictive(what: str) -> float:
    if what == "closed":
        return max(
            relative(
                predictive_power(z, t, C, two_sided=False), stats.norm.cdf((z - C * math.sqrt(t)) / math.sqrt(1.0 - t))
            )
            for z, t in ((1.5, 0.3), (0.2, 0.8), (-1.0, 0.5))
        )
    z, t, mean, sd = 1.1, 0.4, 1.5, 2.0
    weight = t + 1.0 / sd**2
    centre, deviation = (z * math.sqrt(t) + mean / sd**2) / weight, weight**-0.5
    found = integrate.quad(
        lambda x: float(conditional_power(z, t, centre + deviation * x, C)) * stats.norm.pdf(x), -9.0, 9.0, limit=200
    )[0]
    return apart(predictive_power(z, t, C, prior_mean=mean, prior_sd=sd), found)


def _days() -> float:
    """Day by day in a plain loop."""
    traffic, gaps = Traffic(daily=1000.0, weekdays=(1, 1, 1, 1, 1, 0.5, 0.25), first_weekday=4), []
    for units in (400.0, 7_000.0, 7_001.0, 123_456.0):
        share, total, days = [1, 1, 1, 1, 1, 0.5, 0.25], 0.0, 0
        while total < units * (1 - 1e-12):
            total += 7_000.0 / 5.75 * share[(4 + days) % 7]
            days += 1
        gaps += [abs(float(days_for(traffic, units)) - days), relative(units_within(traffic, days), total)]
    return max(gaps)


def _money() -> float:
    price = price_of_unit(cpm=Decimal("6.50"))
    assert price == Decimal("0.0065")
    return abs(affordable_units(Decimal(3000), price) - 461_538) + abs(float(whole_weeks(8.0)) - 14.0)


METHODS = (
    Method(
        title="Power, size and length of a watched test",
        functions=(
            "watched_power",
            "watched_sample_size",
            "watched_detectable_effect",
            "inflation_factor",
            "crossing_chances",
            "crossing_from",
            "watch_limits",
            "limit_now",
            "looks_done",
        ),
        formula="first passage over the bounds, look by look, by recursive integration",
        assumes="normal scores with independent increments",
        source="Armitage, McPherson and Rowe 1969",
        oracles=(
            Oracle("Lan and DeMets' program, bounds", _lan_demets, printed=3),
            Oracle("Jennison and Turnbull 2000, sizes and lengths", _jennison, 1e-3, absolute=True),
            Oracle("scipy multivariate normal", _multivariate, 1e-5, absolute=True),
            Oracle("40,000 random paths", _watched, 0.008, absolute=True),
            Oracle("one look is a fixed test", _one_look, 1e-5, absolute=True),
        ),
    ),
    Method(
        title="Power checked by simulation",
        functions=("simulate_power", "draw_rates", "draw_strata", "draw_normal"),
        formula="data drawn as planned, tested as they will be",
        assumes="the plan",
        source="docs/benchmarks/power_check.md",
        oracles=(
            Oracle(
                "formula, in standard errors: proportion",
                lambda: simulated(Proportion(baseline=0.05), 0.1, Rules()),
                3.0,
                absolute=True,
            ),
            Oracle(
                "the same: count rate",
                lambda: simulated(CountRate(baseline=0.4), 0.1, Rules(dispersion=2.0)),
                3.0,
                absolute=True,
            ),
        ),
    ),
    Method(
        title="Power in the middle of a test",
        functions=(
            "conditional_power",
            "predictive_power",
            "information_until",
            "drift_posterior",
            "running_power",
            "outcome_of",
        ),
        formula="chance to pass the critical value at the end, for a true effect or averaged over a belief",
        assumes="normal scores with independent increments",
        source="Lan and Wittes 1988; Spiegelhalter, Freedman and Blackburn 1986",
        oracles=(
            Oracle("Lan and Wittes' formula", _conditional),
            Oracle("Spiegelhalter's formula, flat prior", lambda: _predictive("closed")),
            Oracle("average of the conditional power, scipy quad", lambda: _predictive("quad"), 1e-6, absolute=True),
            Oracle("information until: conditional power there", _information, absolute=True),
        ),
    ),
    Method(
        title="Days and money",
        functions=(
            "days_for",
            "units_within",
            "whole_weeks",
            "price_of_unit",
            "affordable_units",
            "plan_test",
            "week_by_week",
            "curve",
        ),
        formula="traffic by weekday added up until the units are there; money in decimals",
        assumes="the traffic given",
        source="definition",
        oracles=(
            Oracle("day by day in a loop", _days, absolute=True),
            Oracle("by hand: 461,538 units for 3,000 at a CPM of 6.50", _money, 0.0, absolute=True),
        ),
    ),
)
