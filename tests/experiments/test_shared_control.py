"""Effects that share a control: against matrix algebra, importance sampling and simulated winners."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from experiments.bayes.effect_priors import FlatPrior, MixturePrior, NormalPrior, StudentPrior
from experiments.bayes.posterior import posterior
from experiments.bayes.shared_control import each_posterior, shared_posterior, shrunk_effects, shrunk_winner
from proofsheet.errors import InputError

X, OWN, LOAD = np.array([0.1, 0.15, 0.02]), np.array([0.05, 0.06, 0.04]), np.array([0.05, 0.055, 0.05])
COVARIANCE = np.diag(OWN**2) + np.outer(LOAD, LOAD)


def test_normal_prior_is_the_general_linear_model() -> None:
    inverse = np.linalg.inv(COVARIANCE)
    want = np.linalg.inv(inverse + np.eye(3) / 0.06**2)
    mean = want @ (inverse @ X + np.full(3, 0.01) / 0.06**2)
    got = shared_posterior(X, OWN, LOAD, NormalPrior(mean=0.01, sd=0.06))
    assert_allclose(got.mean, mean, rtol=1e-12)
    assert_allclose(np.diag(got.own**2) + np.outer(got.shared, got.shared), want, rtol=1e-12)
    assert_allclose(got.each.sd, np.sqrt(np.diag(want)), rtol=1e-12)


def test_a_flat_prior_leaves_the_estimates() -> None:
    for prior in (None, FlatPrior()):
        got = shared_posterior(X, OWN, LOAD, prior)
        assert_allclose(got.mean, X)
        assert_allclose(got.sd, np.sqrt(np.diag(COVARIANCE)))


def test_without_a_shared_part_each_stands_alone() -> None:
    prior = StudentPrior(scale=0.03, df=3.0)
    got, alone = shrunk_effects(X, OWN, 0.0, prior), posterior(X, OWN, prior)
    assert_allclose(got.mean, alone.mean, rtol=1e-9)
    assert_allclose(got.sd, alone.sd, rtol=1e-9)
    assert_allclose(got.chance_above, alone.chance_above(), rtol=1e-9)


def test_other_priors_meet_the_normal_one() -> None:
    want = shared_posterior(X, OWN, LOAD, NormalPrior(mean=0.01, sd=0.06))
    one = MixturePrior(mean=np.array([0.01]), sd=np.array([0.06]), log_weight=np.array([0.0]))
    got = shrunk_effects(X, OWN, LOAD, one)
    assert_allclose(got.mean, want.mean, rtol=1e-9)
    assert_allclose(got.sd, want.sd, rtol=1e-9)
    nearly = shrunk_effects(X, OWN, LOAD, StudentPrior(mean=0.01, scale=0.06, df=200.0))
    assert_allclose(nearly.mean, want.mean, atol=3e-4)
    wide = one.scaled(np.ones((2, 3)))
    assert_allclose(shrunk_effects(np.stack([X, X]), OWN, LOAD, wide).mean[1], want.mean, rtol=1e-9)


@pytest.mark.slow
def test_heavy_tails_agree_with_importance_sampling() -> None:
    prior = StudentPrior(mean=0.01, scale=0.02, df=3.0)
    drawn = 0.01 + 0.02 * stats.t(3).rvs(size=(1_000_000, 3), random_state=1)
    gap = X - drawn
    weight = np.exp(-np.einsum("ni,ij,nj->n", gap, np.linalg.inv(COVARIANCE), gap) / 2.0)
    weight /= weight.sum()
    got = shrunk_effects(X, OWN, LOAD, prior)
    assert_allclose(got.mean, weight @ drawn, atol=2e-4)
    assert_allclose(got.chance_above, weight @ (drawn > 0), atol=2e-3)
    each = each_posterior(X, OWN, LOAD, prior)
    assert_allclose(each.mean, got.mean, rtol=1e-9)
    assert_allclose(each.sd, got.sd, rtol=1e-9)
    low, high = each.limits(0.1)
    assert_allclose([each.chance_below(low), each.chance_above(high)], 0.05, rtol=1e-8)


def test_arms_without_data_keep_the_prior() -> None:
    for prior in (NormalPrior(mean=0.01, sd=0.1), StudentPrior(mean=0.01, scale=0.1, df=4.0)):
        got = shrunk_effects([math.nan, 0.1, 0.2], [0.1, 0.05, 0.0], 0.05, prior)
        assert_allclose(got.mean[[0, 2]], 0.01)
        assert got.mean[1] != 0.01
        assert not np.isnan([got.mean, got.sd, got.chance_above]).any()


@pytest.mark.slow
@pytest.mark.parametrize("prior", [NormalPrior(sd=0.04), StudentPrior(scale=0.03, df=3.0)])
def test_the_chosen_arm_is_no_longer_overstated(prior: NormalPrior | StudentPrior) -> None:
    rng = np.random.default_rng(4)
    tests, arms = (20_000, 4) if isinstance(prior, NormalPrior) else (300, 4)
    draw = (
        rng.normal(0, 0.04, (tests, arms))
        if isinstance(prior, NormalPrior)
        else 0.03 * rng.standard_t(3, (tests, arms))
    )
    x = draw + 0.04 * (rng.normal(size=draw.shape) - rng.normal(size=(tests, 1)))
    best = np.argmax(x, axis=1)[:, None]
    truth, raw = np.take_along_axis(draw, best, 1), np.take_along_axis(x, best, 1)
    together = np.take_along_axis(shrunk_effects(x, 0.04, 0.04, prior).mean, best, 1)
    bias, raw_bias = np.mean(together - truth), np.mean(raw - truth)
    assert abs(bias) < max(0.1 * raw_bias, 3.0 * np.std(together - truth) / math.sqrt(tests))
    assert raw_bias > 0.02
    if isinstance(prior, NormalPrior):  # shrinking each by itself leaves a part of the bias: the control's luck
        alone = np.take_along_axis(posterior(x, 0.04 * math.sqrt(2.0), prior).mean, best, 1)
        assert abs(np.mean(alone - truth)) > 2.0 * abs(bias)


def test_the_winner_is_named_and_shrunk() -> None:
    x = np.array([[0.1, 0.15, 0.02], [math.nan, 0.1, 0.2], [math.nan, math.nan, math.nan]])
    prior = StudentPrior(scale=0.03, df=3.0)
    got = shrunk_winner(x, 0.05, 0.05, prior, 0.1)
    each = each_posterior(x, 0.05, 0.05, prior)
    assert got.arm.tolist()[:2] == [1, 2]
    assert got.known.tolist() == [True, True, False]
    assert_allclose(got.raw, [0.15, 0.2, 0.0])
    assert_allclose(got.mean[:2], [each.mean[0, 1], each.mean[1, 2]], rtol=1e-12)
    assert_allclose(got.low[:2], each.limits(0.1)[0][[0, 1], [1, 2]], rtol=1e-9)
    assert_allclose(got.mean[2], 0.0, atol=1e-12)
    alone = shrunk_winner(x[0], 0.05, 0.05, NormalPrior(sd=0.05))
    assert alone.arm == 1
    assert 0.0 < alone.mean < 0.15


def test_effects_need_an_axis_of_arms() -> None:
    with pytest.raises(InputError):
        shared_posterior(0.1, 0.05, 0.05)
