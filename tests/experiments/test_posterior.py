"""Posteriors of an effect: against numerical integration (scipy.integrate), closed forms, and large simulations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import integrate, stats

from experiments.basis.distributions import TINY
from experiments.bayes.effect_priors import FlatPrior, MixturePrior, NormalPrior, Prior, StudentPrior
from experiments.bayes.normal_mixture import mixture, unit_excess
from experiments.bayes.posterior import lift_estimate, log_marginal, posterior, predictive
from proofsheet.errors import InputError

CASES = [  # estimate, error, prior centre, prior scale, degrees of freedom
    (0.05, 0.03, 0.0, 0.02, 4.0),
    (0.5, 0.1, 0.02, 0.05, 2.5),
    (-0.3, 0.2, 0.01, 0.01, 5.0),
    (0.01, 0.5, 0.0, 0.1, 1.3),
    (0.2, 0.05, 0.0, 0.3, 30.0),
    (2.0, 0.1, 0.0, 0.1, 150.0),
]


def by_integration(x: float, s: float, m: float, t: float, df: float) -> dict[str, float]:
    """Bayes' rule by scipy.integrate, piece by piece."""

    def log_density(v: float) -> float:
        return -(((x - v) / s) ** 2) / 2.0 - (df + 1.0) / 2.0 * math.log1p(((v - m) / t) ** 2 / df)

    edges = np.unique(
        np.round(np.concatenate([x + s * np.arange(-25.0, 26.0), [0.0, m], m + t * np.arange(-3.0, 4.0)]), 9)
    )
    top = max(map(log_density, edges))

    def over(function: object, low: float = -math.inf, high: float = math.inf) -> float:
        cuts = [e for e in edges if low <= e <= high]
        return math.fsum(
            integrate.quad(
                lambda v: function(v) * math.exp(log_density(v) - top),  # type: ignore[operator]
                a,
                b,
                epsabs=1e-290,
                epsrel=1e-12,
                limit=200,
            )[0]
            for a, b in itertools.pairwise(cuts)
        )

    whole = over(lambda v: 1.0)
    mean = over(lambda v: v) / whole
    return {
        "mean": mean,
        "sd": math.sqrt(over(lambda v: (v - mean) ** 2) / whole),
        "above": over(lambda v: 1.0, 0.0) / whole,
        "below": over(lambda v: 1.0, high=0.0) / whole,
        "loss": over(lambda v: -v, high=0.0) / whole,
        "missed": over(lambda v: v, 0.0) / whole,
    }


@pytest.mark.parametrize("case", CASES)
def test_student_prior_agrees_with_integration(case: tuple[float, float, float, float, float]) -> None:
    x, s, m, t, df = case
    want = by_integration(*case)
    got = posterior(x, s, StudentPrior(mean=m, scale=t, df=df))
    assert_allclose(got.mean, want["mean"], rtol=1e-9)
    assert_allclose(got.sd, want["sd"], rtol=1e-9)
    for chance, name in ((got.chance_above(), "above"), (got.chance_below(), "below")):
        assert_allclose(chance, max(want[name], TINY), rtol=1e-8)
    assert_allclose(got.loss_of_arm(), want["loss"], rtol=1e-8)
    assert_allclose(got.loss_of_control(), want["missed"], rtol=1e-8)


def test_normal_prior_is_the_precision_weighted_mean() -> None:
    x, s, m, t = np.array([0.1, -0.2]), np.array([0.05, 0.1]), 0.01, 0.04
    got = posterior(x, s, NormalPrior(mean=m, sd=t))
    precision = 1 / s**2 + 1 / t**2
    assert_allclose(got.mean, (x / s**2 + m / t**2) / precision, rtol=1e-14)
    assert_allclose(got.sd, precision**-0.5, rtol=1e-14)
    low, high = got.limits(0.1)
    assert_allclose([low, high], stats.norm(got.mean, got.sd).interval(0.9), rtol=1e-12)
    # GrowthBook's documented loss: sd phi(m / sd) - m Phi(-m / sd).
    z = got.mean / got.sd
    assert_allclose(got.loss_of_arm(), got.sd * stats.norm.pdf(z) - got.mean * stats.norm.cdf(-z), rtol=1e-10)
    assert_allclose(got.risk(0.02), stats.norm.cdf((-0.02 - got.mean) / got.sd), rtol=1e-12)


def test_two_part_prior_is_weighed_by_the_chance_it_gave() -> None:
    prior = MixturePrior(mean=np.array([0.0, 0.1]), sd=np.array([0.01, 0.05]), log_weight=np.log(np.array([0.7, 0.3])))
    x, s = 0.12, 0.04
    weight = np.array([0.7, 0.3]) * stats.norm([0.0, 0.1], np.hypot([0.01, 0.05], s)).pdf(x)
    parts = [posterior(x, s, NormalPrior(mean=m, sd=t)) for m, t in ((0.0, 0.01), (0.1, 0.05))]
    got = posterior(x, s, prior)
    assert_allclose(got.mean, np.dot(weight, [p.mean for p in parts]) / weight.sum(), rtol=1e-13)
    assert_allclose(got.chance_above(), np.dot(weight, [p.chance_above() for p in parts]) / weight.sum(), rtol=1e-13)
    assert_allclose(np.exp(log_marginal(x, s, prior)), weight.sum(), rtol=1e-13)
    absolute = posterior(x * 3.0, s * 3.0, prior.scaled(-3.0))
    assert_allclose(absolute.mean, 3.0 * got.mean, rtol=1e-12)


def test_many_degrees_of_freedom_approach_the_normal_prior() -> None:
    x = np.linspace(-0.3, 0.3, 7)
    t, normal = posterior(x, 0.1, StudentPrior(scale=0.05, df=200.0)), posterior(x, 0.1, NormalPrior(sd=0.05))
    assert_allclose(t.mean, normal.mean, atol=2e-3)
    assert_allclose(t.chance_above(), normal.chance_above(), atol=3e-3)


@given(
    x=st.floats(-2, 2),
    s=st.floats(1e-3, 2),
    t=st.floats(1e-3, 2),
    df=st.floats(1.2, 200),
    alpha=st.sampled_from([0.5, 0.1, 0.05, 1e-6]),
)
@settings(max_examples=60, deadline=None)
def test_quantiles_turn_chances_round(x: float, s: float, t: float, df: float, alpha: float) -> None:
    got = posterior(x, s, StudentPrior(scale=t, df=df))
    low, high = got.limits(alpha)
    assert_allclose([got.chance_below(low), got.chance_above(high)], alpha / 2.0, rtol=1e-7)
    assert_allclose(got.loss_of_control() - got.loss_of_arm(), got.mean, atol=1e-10)
    assert abs(float(got.mean)) <= abs(x) + 1e-12  # shrunk towards the centre, never past it
    assert float(got.mean) * x >= -1e-12
    turned = posterior(-x, s, StudentPrior(scale=t, df=df))
    assert_allclose(turned.chance_below(), got.chance_above(), rtol=1e-9)


@given(x=st.floats(-50, 50), factor=st.floats(0.01, 1e6))
@settings(max_examples=40, deadline=None)
def test_prior_of_the_lift_serves_absolute_effects(x: float, factor: float) -> None:
    for prior in (NormalPrior(mean=0.3, sd=1.0), StudentPrior(mean=0.3, scale=1.0, df=3.0)):
        lift, absolute = posterior(x, 2.0, prior), posterior(factor * x, factor * 2.0, prior.scaled(-factor))
        assert_allclose(absolute.mean, factor * lift.mean, rtol=1e-9, atol=1e-9 * factor)
        assert_allclose(absolute.chance_above(), lift.chance_above(), rtol=1e-9)


def test_small_chances_keep_their_digits() -> None:
    # At 30 deviations the chance is Phi(-30) = 4.906714e-198 (table of the normal tail), never 0.
    assert_allclose(posterior(30.0, 1.0).chance_below(), 4.906713927148187e-198, rtol=1e-10)
    assert posterior(60.0, 1.0).chance_below() == TINY
    assert_allclose(posterior(60.0, 1.0).negated().log_chance_above(), -1805.0135606805672, rtol=1e-12)
    # Mills' ratio: phi(z) (1 / z^2 - 3 / z^4 + 15 / z^6 - 105 / z^8 + 945 / z^10 - 10395 / z^12).
    z = 25.0
    series = 1 / z**2 - 3 / z**4 + 15 / z**6 - 105 / z**8 + 945 / z**10 - 10395 / z**12
    assert_allclose(unit_excess(-z), stats.norm.pdf(z) * series, rtol=1e-8)
    # The published table of the unit normal loss integral: L(1.5) = 0.0293, L(0) = 0.3989.
    assert_allclose(unit_excess([-1.5, 0.0, 1.5]), [0.02931, 0.39894, 1.52931], atol=5e-6)


@pytest.mark.parametrize(
    "prior", [None, FlatPrior(), NormalPrior(mean=0.1, sd=0.3), StudentPrior(mean=0.1, scale=0.3, df=4.0)]
)
def test_without_data_the_prior_stays(prior: Prior | None) -> None:
    got = posterior([math.nan, 1.0, 2.0, 0.2], [1.0, 0.0, math.inf, 0.1], prior)
    assert got.known.tolist() == [False, False, False, True]
    low, high = got.limits()
    for values in (got.mean, got.sd, got.chance_above(), got.loss_of_arm(), got.quantile(0.5), low, high):
        assert not np.isnan(values).any()
    if prior is None or isinstance(prior, FlatPrior):
        assert np.isinf(low[:3]).all()
        assert np.isinf(got.loss_of_arm()[:3]).all()
        assert_allclose(got.chance_above()[:3], 0.5)
    else:
        scale = prior.sd if isinstance(prior, NormalPrior) else prior.scale
        law = stats.norm(0.1, scale) if isinstance(prior, NormalPrior) else stats.t(4.0, 0.1, scale)
        assert_allclose(low[:3], law.ppf(0.025), rtol=1e-8)
        assert_allclose(got.chance_above()[:3], law.sf(0.0), rtol=1e-8)
        assert_allclose(got.sd[:3], law.std(), rtol=1e-8)


def test_heavy_tails_without_data_have_no_finite_deviation() -> None:
    got = posterior(math.nan, 1.0, StudentPrior(scale=0.3, df=1.5))
    assert got.sd == math.inf
    assert_allclose(got.chance_above(2.0), stats.t(1.5, 0.0, 0.3).sf(2.0), rtol=1e-6)


def test_a_control_of_zero_makes_the_prior_flat() -> None:
    for prior in (NormalPrior(mean=0.2, sd=0.1), StudentPrior(mean=0.2, scale=0.1, df=3.0)):
        got = posterior([1.0, 1.0], 0.5, prior.scaled([0.0, math.nan]))
        assert_allclose(got.mean, 1.0, rtol=1e-12)
        assert_allclose(got.sd, 0.5, rtol=1e-12)


def test_predictive_and_marginal_are_the_same_density() -> None:
    prior = StudentPrior(mean=0.02, scale=0.1, df=4.0)
    x, s = 0.3, 0.1
    want = integrate.quad(
        lambda v: stats.norm.pdf(x, v, s) * stats.t.pdf(v, 4.0, 0.02, 0.1), -5, 5, points=[0.02, 0.3], epsabs=1e-13
    )[0]
    assert_allclose(np.exp(log_marginal(x, s, prior)), want, rtol=1e-9)
    assert_allclose(predictive(s, prior).density(x), want, rtol=1e-9)
    assert_allclose(predictive(s, prior).sd, math.hypot(s, 0.1 * math.sqrt(2.0)), rtol=1e-12)
    assert_allclose(np.exp(log_marginal(x, s, NormalPrior(sd=0.1))), stats.norm.pdf(x, 0, math.hypot(0.1, s)))


@pytest.mark.slow
def test_chances_hold_for_effects_drawn_from_the_prior() -> None:
    rng = np.random.default_rng(5)
    truth = 0.05 * rng.standard_t(3.0, 20_000)
    error = rng.uniform(0.02, 0.1, truth.size)
    got = posterior(truth + error * rng.normal(size=truth.size), error, StudentPrior(scale=0.05, df=3.0))
    chance = got.chance_above()
    for low in (0.05, 0.3, 0.6, 0.85):
        chosen = (chance > low) & (chance < low + 0.1)
        claimed, held = chance[chosen].mean(), (truth[chosen] > 0).mean()
        assert abs(claimed - held) < 4.0 * math.sqrt(0.25 / chosen.sum())
    low_limit, high_limit = got.limits(0.1)
    assert abs(np.mean((truth > low_limit) & (truth < high_limit)) - 0.9) < 0.008


def test_lift_estimate_is_the_delta_method() -> None:
    lift, error = lift_estimate([1.2, 1.0, -1.0], [1.0, 0.0, -2.0], 0.01, [0.02, 0.02, 0.02])
    assert_allclose(lift, [0.2, 0.0, 0.5])
    assert_allclose(error[0], math.sqrt(0.01 + 0.02 * 1.2**2))
    assert error[1] == math.inf
    assert_allclose(error[2], math.sqrt(0.01 / 4 + 0.02 * 1.0 / 16))


def test_density_of_a_mixture_integrates_to_its_chances() -> None:
    parts = mixture(np.log([0.2, 0.8]), [0.0, 3.0], [1.0, 0.5])
    assert_allclose(integrate.quad(lambda v: float(parts.density(v)), 1.0, 9.0)[0], parts.chance_above(1.0), rtol=1e-8)
    assert_allclose(parts.chance_below(parts.quantile(0.2)), 0.2, rtol=1e-10)


@pytest.mark.parametrize(
    "make",
    [
        lambda: NormalPrior(sd=0.0),
        lambda: NormalPrior(mean=math.nan, sd=1.0),
        lambda: StudentPrior(scale=-1.0, df=3.0),
        lambda: StudentPrior(scale=1.0, df=1.0),
        lambda: StudentPrior(scale=1.0, df=500.0),
        lambda: MixturePrior(mean=np.zeros(2), sd=np.ones(2), log_weight=np.zeros(3)),
        lambda: posterior(0.0, 1.0).limits(0.0),
        lambda: posterior(0.0, 1.0).quantile(1.0),
    ],
)
def test_what_is_out_of_range_is_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]
