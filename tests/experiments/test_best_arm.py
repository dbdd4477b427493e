"""The best of several arms and the value of more data: against scipy.integrate, closed forms and large simulations."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import integrate, stats

from experiments.bayes.best_arm import best_of_effects, best_of_event_rates, best_of_normals, best_of_rates
from experiments.bayes.conjugate import beta_pair, gamma_pair
from experiments.bayes.effect_priors import NormalPrior, StudentPrior
from experiments.bayes.normal_mixture import mixture
from experiments.bayes.posterior import posterior
from experiments.bayes.sample_value import (
    knowledge_gradient,
    spread_of_next_mean,
    value_of_certainty,
    value_of_sample,
    value_of_samples,
    value_of_waiting,
)
from proofsheet.errors import InputError


def by_integration(laws: Any) -> tuple[np.ndarray, np.ndarray]:
    """Chances and losses by scipy.integrate, from a frozen law with an entry for each arm."""
    shares = np.array([1e-12, 1e-6, 1e-3, 0.2, 0.5, 0.8, 0.999, 1 - 1e-6])
    top = laws.isf(1e-15).max()
    edges = np.append(np.unique(laws.ppf(shares[:, None])), top)
    other = ~np.eye(laws.mean().size, dtype=bool)

    def at(t: float) -> np.ndarray:
        below = laws.cdf(t)
        rivals = np.where(other, below, 1.0).prod(axis=1)
        return np.append(laws.pdf(t) * rivals, below.prod())

    parts = [
        integrate.quad_vec(at, a, b, epsabs=1e-13, epsrel=1e-10, limit=200)[0] for a, b in itertools.pairwise(edges)
    ]
    *chances, all_below = np.sum(parts, axis=0)
    return np.array(chances), top - all_below - laws.mean()


@pytest.mark.parametrize(
    ("mean", "sd"),
    [
        ([0.0, 0.1, 0.2], [0.1, 0.1, 0.1]),
        ([0.0, 1.0, 1.0001], [1.0, 0.01, 1e-4]),
        ([0.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]),
        ([10.0, 0.0, -30.0], [1.0, 2.0, 3.0]),
    ],
)
def test_normal_arms_agree_with_integration(mean: list[float], sd: list[float]) -> None:
    chance, loss = by_integration(stats.norm(np.array(mean), np.array(sd)))
    got = best_of_normals(mean, sd)
    assert_allclose(got.chance, chance, atol=1e-10)
    assert_allclose(got.loss, loss, atol=1e-10)
    assert_allclose(got.value_of_certainty, loss.min(), atol=1e-10)


def test_two_normal_arms_are_closed() -> None:
    rng = np.random.default_rng(1)
    mean, sd = rng.normal(size=(200, 2)), rng.uniform(1e-4, 2.0, (200, 2))
    effect = mixture(0.0, (mean[:, 0] - mean[:, 1])[:, None], np.hypot(sd[:, 0], sd[:, 1])[:, None])
    got = best_of_normals(mean, sd)
    assert_allclose(got.chance[:, 0], effect.chance_above(), atol=1e-10)
    assert_allclose(got.loss, np.stack([effect.loss_of_arm(), effect.loss_of_control()], axis=1), atol=1e-10)


@pytest.mark.parametrize(
    ("x", "n"), [([0, 1, 2], [10, 10, 10]), ([120, 130, 150], [5000] * 3), ([5, 200, 3], [10, 400, 1000])]
)
def test_rates_agree_with_integration_and_pairs(x: list[int], n: list[int]) -> None:
    chance, loss = by_integration(stats.beta(np.array(x) + 1, np.array(n) - np.array(x) + 1))
    got = best_of_rates(x, n)
    assert_allclose(got.chance, chance, atol=1e-9)
    assert_allclose(got.loss, loss, atol=1e-9)
    two, pair = best_of_rates(x[:2], n[:2]), beta_pair(x[0], n[0], x[1], n[1]).stakes()
    assert_allclose(two.chance, [pair.chance_above, pair.chance_below], atol=1e-9)
    assert_allclose(two.loss, [pair.loss_of_arm, pair.loss_of_control], atol=1e-11)
    two, pair = best_of_event_rates(x[:2], n[:2]), gamma_pair(x[0], n[0], x[1], n[1]).stakes()
    assert_allclose(two.chance, [pair.chance_above, pair.chance_below], atol=1e-9)
    assert_allclose(two.loss, [pair.loss_of_arm, pair.loss_of_control], atol=1e-11)


def test_effects_against_one_control_are_arms_of_their_own() -> None:
    # With flat priors an effect is the arm's value less the control's: the shared part is the control's own error.
    mean, sd = np.array([1.0, 1.1, 1.2, 0.9]), np.array([0.1, 0.1, 0.05, 0.2])
    values, effects = best_of_normals(mean, sd), best_of_effects(mean[1:] - mean[0], sd[1:], np.full(3, sd[0]))
    assert_allclose(effects.chance, values.chance, atol=1e-10)
    assert_allclose(effects.loss, values.loss, atol=1e-10)


@pytest.mark.slow
def test_effects_with_unequal_shares_of_the_control_agree_with_simulation() -> None:
    mean, sd, shared = np.array([0.1, 0.2, -0.1]), np.array([0.1, 0.05, 0.2]), np.array([0.1, 0.12, 0.3])
    z = np.random.default_rng(2).standard_normal((1_000_000, 4))
    drawn = np.column_stack([np.zeros(len(z)), mean + sd * z[:, :3] + shared * z[:, 3:]])
    got = best_of_effects(mean, sd, shared)
    assert_allclose(got.chance, np.bincount(drawn.argmax(axis=1)) / len(z), atol=0.002)
    assert_allclose(got.loss, drawn.max(axis=1).mean() - drawn.mean(axis=0), atol=0.001)


@given(
    mean=st.lists(st.floats(-3, 3), min_size=2, max_size=6),
    sd=st.floats(1e-3, 3),
    shift=st.floats(-100, 100),
    scale=st.floats(0.01, 100),
)
@settings(max_examples=60, deadline=None)
def test_chances_add_up_and_units_do_not_matter(mean: list[float], sd: float, shift: float, scale: float) -> None:
    m, s = np.array(mean), sd * (1.0 + np.arange(len(mean)))
    got, moved = best_of_normals(m, s), best_of_normals(scale * (m + shift), scale * s)
    assert_allclose(got.chance.sum(), 1.0, atol=1e-9)
    assert_allclose(moved.chance, got.chance, atol=1e-8)
    assert_allclose(moved.loss, scale * got.loss, atol=1e-8 * scale)
    assert_allclose(np.diff(got.loss), -np.diff(m), atol=1e-8)  # losses differ as the means do
    assert_allclose(best_of_normals(m[::-1], s[::-1]).chance[::-1], got.chance, atol=1e-9)


def test_values_known_exactly_and_values_not_known() -> None:
    got = best_of_normals([[1.0, 2.0, 1.0], [1.0, 1.0, 1.0]], [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert_allclose(got.chance[0], [0.0, stats.norm.cdf(1.0), stats.norm.sf(1.0)], atol=1e-7)
    assert_allclose(got.chance[1], 1.0 / 3.0, atol=1e-7)
    lost = best_of_normals([[1.0, 2.0], [1.0, math.nan]], [[math.inf, 1.0], [1.0, 1.0]])
    assert_allclose(lost.chance, 0.5)
    assert np.isinf(lost.loss).all()
    assert best_of_event_rates([1, 2], [0, 10]).loss.tolist() == [math.inf, math.inf]


def test_a_sample_on_a_normal_effect_is_closed() -> None:
    effect = posterior(0.02, 0.03, NormalPrior(sd=0.05))
    assert_allclose(value_of_sample(effect, 0.0), value_of_certainty(effect), rtol=1e-12)
    assert value_of_sample(effect, math.inf) == 0.0
    error = np.array([0.01, 0.1, 1.0])
    spread = effect.sd**2 / np.sqrt(effect.sd**2 + error**2)
    want = [
        integrate.quad(lambda y, s=s: max(y, 0.0) * stats.norm.pdf(y, effect.mean, s), -1.0, 1.0, points=[0.0])[0]
        for s in spread
    ]
    assert_allclose(value_of_sample(effect, error), np.array(want) - effect.mean, rtol=1e-6, atol=1e-15)
    assert_allclose(spread_of_next_mean(effect.sd, error), spread, rtol=1e-12)


@pytest.mark.parametrize("estimate", [0.03, -0.03, 0.2])
def test_a_sample_under_heavy_tails_agrees_with_integration(estimate: float) -> None:
    prior = StudentPrior(scale=0.03, df=3.0)
    s, e = 0.03, 0.02
    effect = posterior(estimate, s, prior)
    both = (s**-2 + e**-2) ** -0.5
    y = np.linspace(estimate - 0.5, estimate + 0.5, 8001)  # the next estimate
    chance = mixture(effect.log_weight, effect.centre, np.hypot(effect.spread, e)).density(y[:, None]).ravel()
    after = posterior((estimate / s**2 + y / e**2) * both**2, both, prior).mean
    want = np.sum(chance * np.maximum(after, 0.0)) * (y[1] - y[0]) - max(float(effect.mean), 0.0)
    assert_allclose(value_of_sample(effect, e), want, rtol=1e-4, atol=1e-9)
    assert_allclose(value_of_sample(effect, 1e-9), value_of_certainty(effect), rtol=1e-6)


def test_samples_on_many_arms() -> None:
    mean, sd, error = np.array([0.1, 0.12, 0.05]), np.array([0.02, 0.03, 0.05]), np.array([0.02, 0.02, 0.02])
    gradient = knowledge_gradient(mean, sd, error)
    for k in range(3):
        alone = np.where(np.arange(3) == k, error, math.inf)
        assert_allclose(value_of_samples(mean, sd, alone), gradient[k], rtol=1e-6)
    together = value_of_samples(mean, sd, error)
    assert together > gradient.max()
    assert together < best_of_normals(mean, sd).value_of_certainty
    assert_allclose(value_of_samples(mean, sd, 0.0), best_of_normals(mean, sd).value_of_certainty, rtol=1e-10)
    drawn = mean + spread_of_next_mean(sd, error) * np.random.default_rng(3).standard_normal((400_000, 3))
    assert_allclose(together, drawn.max(axis=1).mean() - mean.max(), atol=4e-4)
    assert value_of_samples(mean, sd, math.inf) == 0.0


def test_waiting_weighs_later_units_against_those_in_the_test() -> None:
    mean, sd = np.array([0.020, 0.022]), np.array([0.002, 0.002])
    wait = value_of_waiting(
        mean, sd, 0.001, share=[0.5, 0.5], further_units=10_000, later_units=[0, 100_000], worth=30.0, cost=50.0
    )
    assert_allclose(wait.price, 30.0 * 10_000 * 0.5 * 0.002 + 50.0)
    assert_allclose(wait.gain, [0.0, 30.0 * 100_000 * float(value_of_samples(mean, sd, 0.001))])
    assert wait.net[0] < 0 < wait.net[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: best_of_normals([1.0], [1.0]),
        lambda: best_of_normals([1.0, 2.0], [1.0, -1.0]),
        lambda: best_of_rates([1], [2]),
        lambda: best_of_rates([1, 3], [2, 2]),
        lambda: value_of_sample(posterior(0.0, 1.0), -1.0),
        lambda: knowledge_gradient([1.0], [1.0], 1.0),
        lambda: value_of_waiting([0, 1], [1, 1], 1.0, share=[0.5, 0.6], further_units=1, later_units=1),
        lambda: value_of_waiting([0, 1], [1, 1], 1.0, share=[0.5, 0.5], further_units=-1, later_units=1),
    ],
)
def test_what_is_out_of_range_is_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]
