"""Learned priors: against closed forms, brute-force likelihoods, statsmodels' meta-analysis, and simulated pasts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from experiments.bayes.effect_priors import MixturePrior, NormalPrior, StudentPrior
from experiments.bayes.group_priors import learn_group_priors, pooled_log_likelihood
from experiments.bayes.posterior import log_marginal, posterior, predictive
from experiments.bayes.prior_fits import fit_normal, fit_student
from experiments.bayes.priors import calibration, coverage, learn_prior, predicted_shares
from proofsheet.domain.result import Status
from proofsheet.errors import InputError

Past = tuple[np.ndarray, np.ndarray, np.ndarray]


def past(count: int, seed: int, df: float = math.inf, spread: float = 0.04, centre: float = 0.01) -> Past:
    """Estimates, errors and true effects of simulated experiments."""
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=count) if math.isinf(df) else rng.standard_t(df, count)
    truth, error = centre + spread * draws, rng.uniform(0.01, 0.06, count)
    return truth + error * rng.normal(size=count), error, truth


def test_equal_errors_have_a_closed_form() -> None:
    x = np.random.default_rng(1).normal(0.02, 0.1, 50)
    s = np.full(50, 0.04)
    fit = fit_normal(x, s, None)
    assert_allclose(fit.mean, x.mean(), rtol=1e-9)
    assert_allclose(fit.spread, math.sqrt(x.var() - 0.04**2), rtol=1e-6)
    assert fit.mean_error is not None
    assert fit.spread_error is not None
    assert_allclose(fit.mean_error, x.std() / math.sqrt(50), rtol=1e-6)
    # The variance of a normal sample's variance is 2 v^2 / n; dt = dv / (2 t).
    assert_allclose(fit.spread_error, x.var() * math.sqrt(2 / 50) / (2 * fit.spread), rtol=1e-6)
    assert_allclose(fit.log_likelihood, stats.norm(x.mean(), x.std()).logpdf(x).sum(), rtol=1e-9)


def test_normal_fit_is_the_top_of_a_brute_force_grid_and_near_statsmodels() -> None:
    x, s, _ = past(300, 2)
    fit = fit_normal(x, s, None)
    means, spreads = np.linspace(-0.02, 0.04, 121), np.linspace(0.02, 0.07, 251)
    variance = s**2 + spreads[:, None, None] ** 2
    value = -np.sum(np.log(variance) + (x - means[None, :, None]) ** 2 / variance, axis=-1) / 2.0
    i, j = np.unravel_index(value.argmax(), value.shape)
    assert abs(fit.spread - spreads[i]) <= 2.1e-4
    assert abs(fit.mean - means[j]) <= 5.1e-4
    assert fit.log_likelihood >= value.max() - 150 * math.log(2 * math.pi)
    for method in ("dl", "iterated"):  # DerSimonian-Laird and Paule-Mandel, other estimators of the same numbers
        other = combine_effects(x, s**2, method_re=method)
        assert abs(math.sqrt(other.tau2) - fit.spread) < (fit.spread_error or 0.0)
        assert abs(other.mean_effect_re - fit.mean) < 0.2 * (fit.mean_error or 0.0)
        assert_allclose(fit.mean_error, other.sd_eff_w_re, rtol=0.05)


@pytest.mark.slow
def test_student_fit_is_a_top_and_finds_the_truth() -> None:
    x, s, _ = past(2000, 3, df=3.0, spread=0.03)
    fit = fit_student(x, s, None, fit_normal(x, s, None))
    for truth, found, error in (
        (0.01, fit.mean, fit.mean_error),
        (0.03, fit.spread, fit.spread_error),
        (3.0, fit.df, fit.df_error),
    ):
        assert error is not None
        assert abs(found - truth) < 3.0 * error
        assert error < 0.2 * truth

    def value(mean: float, scale: float, df: float) -> float:
        return float(np.sum(log_marginal(x, s, StudentPrior(mean=mean, scale=scale, df=df))))

    top = value(fit.mean, fit.spread, fit.df)
    assert_allclose(fit.log_likelihood, top, rtol=1e-12)
    for mean, scale, df in ((1.02, 1, 1), (0.98, 1, 1), (1, 1.01, 1), (1, 0.99, 1), (1, 1, 1.05), (1, 1, 0.95)):
        assert value(fit.mean * mean, fit.spread * scale, fit.df * df) < top
    # Standard errors from the curvature of the likelihood itself, along one number with the others at their best.
    shifted = fit_student(x, s, fit.mean + (fit.mean_error or 0.0), fit_normal(x, s, None))
    assert_allclose(top - shifted.log_likelihood, 0.5, atol=0.05)


@pytest.mark.slow
def test_the_family_is_chosen_by_likelihood() -> None:
    heavy, light = learn_prior(*past(1000, 4, df=3.0)[:2]), learn_prior(*past(1000, 5)[:2])
    assert (heavy.family, light.family) == ("student", "normal")
    assert isinstance(heavy.prior, StudentPrior)
    assert isinstance(light.prior, NormalPrior)
    assert heavy.status is light.status is Status.OK
    assert abs(light.prior.sd - 0.04) < 3.0 * (light.spread_error or 0.0)


def test_effects_that_vary_no_more_than_errors_get_a_cautious_spread() -> None:
    x = 0.05 * np.random.default_rng(9).normal(size=40)
    s = np.full(40, 0.06)
    learned = learn_prior(x, s, family="normal")
    assert learned.status is Status.NO_VARIANCE
    assert "cautious" in learned.reason
    assert isinstance(learned.prior, NormalPrior)
    assert 0.0 < learned.prior.sd < 0.06
    assert learned.spread_error is None
    # The penalty log t keeps the spread below its standard error at zero, about s (2 / n)^(1/4).
    assert learned.prior.sd < 0.06 * (2 / 40) ** 0.25


def test_a_fixed_centre_is_kept() -> None:
    x, s, _ = past(400, 6)
    for family in ("normal", "student", "averaged"):
        learned = learn_prior(x, s, family=family, centre=0.0)
        assert learned.mean == 0.0
        assert learned.mean_error is None
        assert_allclose(learned.prior.mean, 0.0, atol=1e-12)


@pytest.mark.parametrize(("count", "status"), [(0, Status.NO_DATA), (4, Status.TOO_FEW), (12, Status.OK)])
def test_few_experiments_give_a_reason_and_a_weak_prior(count: int, status: Status) -> None:
    x, s, _ = past(count, 7)
    learned = learn_prior(np.append(x, [math.nan, 0.1]), np.append(s, [0.1, 0.0]))
    assert learned.status is status
    assert learned.experiments == count
    assert (learned.reason == "") is (status is Status.OK)
    assert learned.family == "averaged"
    assert isinstance(learned.prior, MixturePrior)
    narrow, wide = (float(predictive(0.0, learned.prior).quantile(p)) for p in (0.75, 0.975))
    assert 0.005 < narrow < 0.12
    assert 2.0 * narrow < wide
    assert_allclose(np.exp(learned.prior.log_weight).sum(), 1.0, rtol=1e-9)


@pytest.mark.slow
def test_the_average_over_priors_is_bayes_rule() -> None:
    """Against a plain sum over a finer grid of normal and t priors, by the marginal likelihoods of ``posterior``."""
    x, s, _ = past(15, 8)
    new, error = 0.12, 0.04
    spreads = np.exp(np.linspace(math.log(5e-4), math.log(2.0), 30))
    means = np.linspace(-0.06, 0.08, 21)
    log_weight, mean = [], []
    for df in (1.3, 2.0, 3.0, 4.0, 6.0, 10.0, 30.0, math.inf):
        for t in spreads:
            flat = math.log(t) - math.log1p((t / 0.1) ** 2)
            m = means[:, None]
            prior = NormalPrior(mean=m, sd=float(t)) if math.isinf(df) else StudentPrior(mean=m, scale=float(t), df=df)
            fit = np.sum(log_marginal(x, s, prior), axis=1) - (means / t) ** 2 / 2.0 - math.log(t)
            log_weight.append(fit + flat + log_marginal(new, error, prior)[:, 0])
            mean.append(posterior(new, error, prior).mean[:, 0])
    weight = np.exp(np.array(log_weight) - np.max(log_weight))
    want = np.sum(weight * np.array(mean)) / weight.sum()
    got = posterior(new, error, learn_prior(x, s).prior)
    assert_allclose(got.mean, want, rtol=0.01)


@pytest.mark.slow
def test_priors_from_few_experiments_keep_their_promise() -> None:
    """Ninety per cent intervals of new effects, over many different pasts of twenty experiments."""
    inside, winners = [], []
    for seed in range(30):
        prior = learn_prior(*past(20, 100 + seed, centre=0.0)[:2]).prior
        x, s, truth = past(400, 500 + seed, centre=0.0)
        new = posterior(x, s, prior)
        inside.append(np.abs(new.chance_above(truth) - 0.5) < 0.45)
        winners.append((new.mean - truth, x - truth, x / s > 1.96))
    assert abs(np.mean(inside) - 0.9) < 0.03
    shrunk, raw, chosen = (np.concatenate(a) for a in zip(*winners, strict=True))
    assert raw[chosen].mean() > 0.008
    assert abs(shrunk[chosen].mean()) < 0.3 * raw[chosen].mean()


@pytest.mark.slow
def test_the_winners_curse_is_lifted() -> None:
    """Bias of significant winners below a tenth of the raw one, and 90 % claims true 90 % of the time."""
    prior = learn_prior(*past(2000, 10, df=3.0, spread=0.03, centre=0.0)[:2]).prior
    x, s, truth = past(20_000, 11, df=3.0, spread=0.03, centre=0.0)
    new = posterior(x, s, prior)
    winners = x / s > 1.96
    assert abs(np.mean((new.mean - truth)[winners])) < 0.1 * np.mean((x - truth)[winners])
    low, high = new.limits(0.1)
    assert abs(np.mean((truth > low) & (truth < high)) - 0.9) < 0.02
    chance = new.chance_above()
    claims = (chance > 0.87) & (chance < 0.93)
    assert abs(np.mean(truth[claims] > 0) - np.mean(chance[claims])) < 0.02


def test_calibration_counts_what_was_covered() -> None:
    shares = np.array([0.01, 0.3, 0.5, 0.97, 0.99])
    report = {c.level: c for c in coverage(shares)}
    assert {level: c.covered for level, c in report.items()} == {0.5: 2, 0.8: 2, 0.9: 2, 0.95: 3}
    assert report[0.9].share == 0.4
    assert_allclose(report[0.9].error, math.sqrt(0.09 / 5))


def test_calibration_holds_for_the_right_prior_and_fails_for_a_wrong_one() -> None:
    x, s, _ = past(2000, 12)
    right = calibration(x, s, prior=NormalPrior(mean=0.01, sd=0.04))
    wrong = calibration(x, s, prior=NormalPrior(mean=0.01, sd=0.01))
    assert all(abs(c.share - c.level) < 3.0 * c.error for c in right)
    assert all(c.share < c.level - 5.0 * c.error for c in wrong)
    learned = calibration(x, s, family="normal")
    assert all(abs(c.share - c.level) < 3.0 * c.error for c in learned)
    assert [c.experiments for c in learned] == [2000] * 4


def test_leaving_one_out_never_uses_the_estimate_itself() -> None:
    x, s, _ = past(30, 13)
    shares = predicted_shares(x, s, family="normal", folds=30)
    for k in (0, 17):
        others = learn_prior(np.delete(x, k), np.delete(s, k), family="normal").prior
        assert_allclose(shares[k], predictive(s[k], others).chance_below(x[k]), rtol=1e-9)
    assert calibration([], []) == ()
    assert calibration([0.1], [0.1]) == ()


def test_groups_have_the_likelihood_of_the_whole_normal() -> None:
    x = np.array([0.1, 0.2, 0.15, -0.1, 0.0, 0.05])
    s = np.array([0.05, 0.06, 0.05, 0.04, 0.03, 0.05])
    member = np.array([0, 0, 0, 1, 1, 2])
    t, w = 0.04, 0.07
    covariance = np.diag(s**2 + t**2) + w**2 * (member[:, None] == member) + (t**2 + w**2)
    want = stats.multivariate_normal(np.zeros(6), covariance).logpdf(x)
    assert_allclose(pooled_log_likelihood(x, s, member, 3, t, np.array([w])), want, rtol=1e-10)


def test_groups_are_pooled_as_far_as_their_data_go() -> None:
    rng = np.random.default_rng(14)
    names = ["big"] * 60 + ["small"] * 2 + [f"g{k}" for k in range(20) for _ in range(5)]
    centres = {"big": 0.10, "small": 0.10, **{f"g{k}": 0.01 * rng.normal() for k in range(20)}}
    s = np.full(len(names), 0.015)
    x = np.array([centres[n] for n in names]) + 0.02 * rng.normal(size=s.size) + s * rng.normal(size=s.size)
    learned = learn_group_priors(x, s, names)
    assert learned.status is Status.OK
    raw = {n: np.mean(x[[m == n for m in names]]) for n in ("big", "small")}
    big, small = learned.groups["big"], learned.groups["small"]
    assert abs(big.mean - raw["big"]) < 0.005  # keeps its own mean
    assert learned.mean < small.mean < raw["small"] - 0.002  # borrows
    assert small.sd > 2.0 * big.sd
    assert (big.experiments, small.experiments) == (60, 2)
    assert predictive(0.0, learned.prior_for("new")).sd > predictive(0.0, learned.prior_for("big")).sd
    assert learned.prior_for("big") is learned.priors["big"]
    assert 0.01 < learned.within < 0.03


@pytest.mark.slow
def test_group_priors_keep_their_promise() -> None:
    rng = np.random.default_rng(15)
    inside, strange, means = [], [], []
    for _ in range(40):
        centres = 0.01 + 0.03 * rng.normal(size=8)
        member = np.repeat(np.arange(8), 5)
        s = rng.uniform(0.01, 0.05, 40)
        x = centres[member] + 0.02 * rng.normal(size=40) + s * rng.normal(size=40)
        learned = learn_group_priors(x, s, member.tolist())
        for g in range(8):
            truth = centres[g] + 0.02 * rng.normal(size=20)
            new = posterior(truth + 0.03 * rng.normal(size=20), 0.03, learned.prior_for(g))
            inside.append(np.abs(new.chance_above(truth) - 0.5) < 0.45)
            means.append(abs(learned.groups[g].mean - centres[g]) < 1.645 * learned.groups[g].sd)
        truth = 0.01 + math.hypot(0.03, 0.02) * rng.normal(size=20)
        new = posterior(truth + 0.03 * rng.normal(size=20), 0.03, learned.new_group)
        strange.append(np.abs(new.chance_above(truth) - 0.5) < 0.45)
    assert abs(np.mean(inside) - 0.9) < 0.03  # forty experiments leave the spread within groups open
    assert abs(np.mean(means) - 0.9) < 0.05
    assert abs(np.mean(strange) - 0.9) < 0.04


def test_groups_without_data() -> None:
    empty = learn_group_priors([], [], [])
    assert empty.status is Status.NO_DATA
    assert np.isfinite(posterior(0.1, 0.05, empty.prior_for("any")).mean)
    one = learn_group_priors([0.1, math.nan], [0.05, 0.1], ["a", "b"])
    assert one.status is Status.TOO_FEW
    assert list(one.groups) == ["a"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: learn_prior([0.1], [0.1], family="cauchy"),
        lambda: learn_prior([0.1], [0.1], typical=0.0),
        lambda: learn_prior([0.1, 0.2], [0.1]),
        lambda: predicted_shares([0.1], [0.1], folds=1),
        lambda: learn_group_priors([0.1], [0.1], []),
        lambda: learn_group_priors([0.1], [0.1], ["a"], typical=-1.0),
    ],
)
def test_what_is_out_of_range_is_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]
