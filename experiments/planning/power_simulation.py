"""Power checked by simulation: data are drawn as planned and tested as they will be, many times, from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.basis.null_rates import count_rates, difference_rates, ratio_rates
from experiments.planning.planned_outcome import CountRate, Mean, Proportion, Ratio
from experiments.planning.planned_rules import Array, Rules
from experiments.planning.planned_standing import PlannedOutcome, arm_value
from experiments.planning.simulated_looks import Looks, draw_normal, draw_rates, draw_strata
from experiments.planning.watching import Watch, watch_limits
from proofsheet.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPower:
    """The share of simulated tests that found something, with its standard error, and their mean length.

    ``mean_share`` is the mean length as a share of the planned units, 1 for a test read once.
    """

    power: float
    error: float
    mean_share: float
    runs: int
    seed: int


def simulate_power(
    outcome: PlannedOutcome,
    effect: float,
    units: float,
    rules: Rules,
    *,
    watch: Watch | None = None,
    runs: int = 4000,
    seed: int = 1,
) -> SimulatedPower:
    """Run one comparison of the planned test many times.

    Args:
        outcome, effect, units, rules, watch: as planned, without arrays.
        runs: at least 100; the error of a power of 0.8 is ``0.4 / sqrt(runs)``.
        seed: the same seed gives the same answer.

    Raises:
        InputError: too few runs or units, or covariates for counts, of which no simulation is written.
    """
    if runs < 100:
        raise InputError(f"{runs} runs say nothing about a power.", "Ask for 100 or more, such as 4000.")
    arm_units, control_units = _units(units, rules, watch)
    rng = np.random.default_rng(seed)
    arm = _draw(outcome, effect, arm_units, rules, runs, rng)
    control = _draw(outcome, 0.0, control_units, rules, runs, rng)
    beyond = _beyond(outcome, effect, arm, control, rules, watch)
    found = beyond.any(axis=1)
    fractions = np.ones(1) if watch is None else watch.fractions
    ended = np.where(found, fractions[np.argmax(beyond, axis=1)], 1.0)
    share = float(found.mean())
    return SimulatedPower(
        power=share,
        error=math.sqrt(max(share * (1.0 - share), 1.0 / runs) / runs),
        mean_share=float(ended.mean()),
        runs=runs,
        seed=seed,
    )


def _units(units: float, rules: Rules, watch: Watch | None) -> tuple[Array, Array]:
    fractions = np.ones(1) if watch is None else watch.fractions
    arm = np.rint(units * fractions)
    control = np.rint(units * float(np.asarray(rules.control_ratio)) * fractions)
    if min(np.diff(arm, prepend=0.0).min(), np.diff(control, prepend=0.0).min()) < 2.0:
        raise InputError(
            f"{units:g} units are too few for a simulation of {len(fractions)} looks.",
            "Plan fewer looks, or more units.",
        )
    return arm, control


def _draw(
    outcome: PlannedOutcome, effect: float, units: Array, rules: Rules, runs: int, rng: np.random.Generator
) -> Looks:
    value = float(arm_value(outcome, effect, rules))
    base = float(np.asarray(outcome.baseline))
    r2, dispersion = float(np.asarray(rules.r_squared)), float(np.asarray(rules.dispersion))
    if isinstance(outcome, Proportion | CountRate):
        if r2 == 0.0:
            return draw_rates(units, value, dispersion, runs, rng, binary=isinstance(outcome, Proportion))
        if isinstance(outcome, CountRate):
            raise InputError("No simulation of covariates is written for counts.", "Check it without them.")
        return draw_strata(units, value, base, r2, runs, rng)
    means, covariance = _moments(outcome, effect, value, base)
    if r2 > 0.0:
        # A covariate of variance 1 whose correlation with the (linearised) outcome is the root of the share.
        gradient = np.array([1.0]) if len(means) == 1 else np.array([1.0, -value]) / means[1]
        link = covariance @ gradient * math.sqrt(r2) / math.sqrt(gradient @ covariance @ gradient)
        covariance = np.block([[covariance, link[:, None]], [link[None, :], np.ones((1, 1))]])
        means = np.append(means, 0.0)
    return draw_normal(units, means, covariance, dispersion, runs, rng)


def _moments(outcome: PlannedOutcome, effect: float, value: float, base: float) -> tuple[Array, Array]:
    """Means and covariance of one unit in an arm with this value."""
    if isinstance(outcome, Ratio):
        x, y = float(np.asarray(outcome.mean_x)), float(np.asarray(outcome.mean_y))
        vx, vy, cov = (float(np.asarray(v)) for v in (outcome.variance_x, outcome.variance_y, outcome.covariance))
        d = value - base
        covariance = np.array([[vx + 2.0 * d * cov + d * d * vy, cov + d * vy], [cov + d * vy, vy]])
        return np.array([x + d * y, y]), covariance
    if not isinstance(outcome, Mean):
        raise InputError(f"No simulation is written for {outcome.kind!r}.", "Plan a proportion, mean, ratio or count.")
    variance = float(np.asarray(outcome.variance))
    if effect != 0.0 and outcome.arm_variance is not None:
        variance = float(np.asarray(outcome.arm_variance))
    if outcome.proportional_sd:
        variance *= (value / base) ** 2
    return np.array([value]), np.array([[variance]])


def _beyond(
    outcome: PlannedOutcome, effect: float, arm: Looks, control: Looks, rules: Rules, watch: Watch | None
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Whether the statistic is beyond its limit, for each run and look."""
    rates = arm.covariances is None or control.covariances is None
    z, df = _rate_z(outcome, arm, control, rules, watch) if rates else _moment_z(arm, control, rules, outcome)
    z = z / math.sqrt(float(np.asarray(rules.dispersion)))
    if watch is not None:
        limits: Array = watch_limits(watch, rules, float(arm.units[-1]))
    else:
        limits = np.asarray(-special.stdtrit(df, rules.tail_level)) if df is not None else rules.critical
    if bool(rules.two_tailed):
        return np.asarray(np.abs(z) >= limits)
    towards = 1.0 if rules.higher_is_better else -1.0
    if float(np.asarray(rules.margin)) == 0.0:
        towards = -1.0 if effect < 0.0 else 1.0
    return np.asarray(towards * z >= limits)


def _rate_z(
    outcome: PlannedOutcome, arm: Looks, control: Looks, rules: Rules, watch: Watch | None
) -> tuple[Array, None]:
    """The score statistic of two rates; with their own variances where an always-valid interval watches."""
    p1, p0 = arm.means[..., 0], control.means[..., 0]
    binary = isinstance(outcome, Proportion)
    border = rules.null_effect
    if rules.tested == "lift":
        safe = np.maximum(p0, 1e-300)
        v1, v0 = _rate_variance(p1, binary) / arm.units, _rate_variance(p0, binary) / control.units
        limit = border / (1.0 if rules.relative else safe)
        return _safe(p1 / safe - 1.0 - limit, v1 / safe**2 + v0 * p1**2 / safe**4), None
    factor = 1.0 + border if rules.relative else np.asarray(1.0)
    gap = p1 - factor * p0 - (0.0 if rules.relative else border)
    ratio = control.units / arm.units
    if not binary:
        q1, q0 = count_rates(p1, p0, ratio, border, relative=rules.relative)
    elif rules.relative:
        q1, q0 = ratio_rates(p1, p0, ratio, factor)
    else:
        q1, q0 = difference_rates(p1, p0, ratio, border)
    if watch is not None and watch.method in ("always-valid", "hybrid"):
        last = np.arange(len(arm.units)) == len(arm.units) - 1
        scored = last if watch.method == "hybrid" else np.zeros_like(last)
        q1, q0 = np.where(scored, q1, p1), np.where(scored, q0, p0)
    variance = _rate_variance(q1, binary) / arm.units + factor**2 * _rate_variance(q0, binary) / control.units
    return _safe(gap, variance), None


def _moment_z(arm: Looks, control: Looks, rules: Rules, outcome: PlannedOutcome) -> tuple[Array, Array]:
    """Welch's statistic of two means or ratios, adjusted for the covariate where there is one, with its freedom."""
    ratio = isinstance(outcome, Ratio)
    covariate = float(np.asarray(rules.r_squared)) > 0.0
    values, gradients = [], []
    for one in (arm, control):
        x = one.means[..., 0]
        y = one.means[..., 1] if ratio else np.ones_like(x)
        values.append(x / y)
        gradients.append(np.stack([1.0 / y, -x / y**2] if ratio else [1.0 / y], axis=-1))
    if covariate:
        d = gradients[0].shape[-1]
        both = [(one.covariances, g) for one, g in zip((arm, control), gradients, strict=True)]
        shared = sum(np.einsum("rli,rli->rl", g, c[..., :d, d]) for c, g in both if c is not None)
        theta = shared / sum(c[..., d, d] for c, _ in both if c is not None)
        values = [v - theta * one.means[..., d] for v, one in zip(values, (arm, control), strict=True)]
        gradients = [np.concatenate([g, -theta[..., None]], axis=-1) for g in gradients]
    v1, v0 = (
        np.einsum("rli,rlij,rlj->rl", g, one.covariances, g) / one.units
        for one, g in zip((arm, control), gradients, strict=True)
        if one.covariances is not None
    )
    m1, m0 = values
    share = v1 / np.maximum(v1 + v0, 1e-300)
    df = 1.0 / (share**2 / (arm.units - 1.0) + (1.0 - share) ** 2 / (control.units - 1.0))
    border, size = rules.null_effect, np.abs(m0)
    if rules.tested == "lift":
        gap = (m1 - m0) / size - border / (1.0 if rules.relative else size)
        return _safe(gap, v1 / size**2 + v0 * m1**2 / size**4), df
    factor = 1.0 + border * np.sign(m0) if rules.relative else np.ones_like(m0)
    gap = m1 - factor * m0 - (0.0 if rules.relative else border)
    return _safe(gap, v1 + factor**2 * v0), df


def _rate_variance(rate: Array, binary: bool) -> Array:
    return rate * (1.0 - rate) if binary else rate


def _safe(gap: Array, variance: Array) -> Array:
    """The z statistic; 0 where there is no variance yet."""
    none = variance <= 0.0
    return np.where(none, 0.0, gap / np.sqrt(np.where(none, 1.0, variance)))
