"""Beliefs of an experiment's arms: against simulation of whole worlds, against closed forms, and their invariances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from experiments.bayes.beliefs import form_beliefs, gains_of, worth_of_going_on
from experiments.bayes.effect_priors import NormalPrior
from experiments.bayes.priors import LearnedPrior, learn_prior
from experiments.comparing.analysis import compare
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Aggregates, Result, Status

METRIC = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks")


def rows_of(rates: dict[str, float], n: int = 20_000, metric: Metric = METRIC) -> tuple[Result, ...]:
    arms = {}
    for name, rate in rates.items():
        share = round(rate * n) / n
        arms[name] = Aggregates(n=n, mean_x=share, m2_x=n * share * (1 - share))
    return compare(metric, arms, "control", experiment="e", correction="none")


def normal_prior(sd: float, mean: float = 0.0) -> LearnedPrior:
    prior = NormalPrior(mean=mean, sd=sd)
    return LearnedPrior(prior=prior, family="normal", status=Status.OK, reason="", experiments=50, mean=mean, spread=sd)


def test_errors_are_those_of_the_delta_method() -> None:
    rows = rows_of({"control": 0.05, "a": 0.055})
    gains, errors = gains_of(rows)
    variance = 0.055 * 0.945 / 20_000 / 0.05**2 + 0.05 * 0.95 / 20_000 * 0.055**2 / 0.05**4
    assert gains[0] == pytest.approx(0.1)
    assert errors[0] == pytest.approx(np.sqrt(variance), rel=0.01)


def test_one_arm_shrinks_as_precisions_say() -> None:
    rows = rows_of({"control": 0.05, "a": 0.055})
    gains, errors = gains_of(rows)
    found = form_beliefs(rows, normal_prior(0.05))
    assert found is not None
    keep = 0.05**2 / (0.05**2 + errors[0] ** 2)
    arm = found.arms[0]
    assert arm.lift == pytest.approx(keep * gains[0], rel=1e-9)
    assert arm.chance_to_win == pytest.approx(stats.norm.cdf(np.sqrt(keep) * gains[0] / errors[0]), rel=1e-9)
    sd = errors[0] * np.sqrt(keep)
    assert (arm.low, arm.high) == pytest.approx((arm.lift - 1.959964 * sd, arm.lift + 1.959964 * sd), rel=1e-5)
    assert arm.chance_best == pytest.approx(arm.chance_to_win, abs=1e-6)
    assert found.control_chance_best == pytest.approx(1 - arm.chance_to_win, abs=1e-6)
    assert arm.expected_loss == pytest.approx(arm.loss_of_control, rel=1e-5)


def test_less_is_better_turns_the_signs() -> None:
    up = form_beliefs(rows_of({"control": 0.05, "a": 0.055}), normal_prior(0.05))
    less = replace(METRIC, higher_is_better=False)
    down = form_beliefs(rows_of({"control": 0.05, "a": 0.055}, metric=less), normal_prior(0.05))
    assert up is not None
    assert down is not None
    assert down.arms[0].lift == pytest.approx(up.arms[0].lift)
    assert (down.arms[0].low, down.arms[0].high) == pytest.approx((up.arms[0].low, up.arms[0].high))
    assert down.arms[0].chance_to_win == pytest.approx(1 - up.arms[0].chance_to_win)


def test_going_on_brings_what_a_changed_choice_brings() -> None:
    rows = rows_of({"control": 0.05, "a": 0.051})
    gains, errors = gains_of(rows)
    found = worth_of_going_on(rows, normal_prior(0.05), further=0.5, later=3.0)
    assert found is not None
    keep = 0.05**2 / (0.05**2 + errors[0] ** 2)
    mean, variance = keep * gains[0], keep * errors[0] ** 2
    draws = mean + np.sqrt(variance**2 / (variance + errors[0] ** 2 / 0.5)) * np.random.default_rng(4).normal(
        size=400_000
    )
    clicks = 40_000 * 0.05
    assert float(found.gain) == pytest.approx(3 * clicks * (np.maximum(draws, 0).mean() - mean), rel=0.03)
    assert float(found.price) == pytest.approx(0.5 * clicks * mean / 2, rel=1e-9)
    # What is decided is not worth asking again; before the first day nothing is known of a day's traffic.
    sure = worth_of_going_on(rows_of({"control": 0.05, "a": 0.07}), normal_prior(0.2), further=0.5, later=3.0)
    assert sure is not None
    assert float(sure.net) < 0 < float(found.net)
    assert worth_of_going_on(rows, normal_prior(0.05), further=0.0, later=3.0) is None
    assert worth_of_going_on(rows_of({"control": 0.0, "a": 0.01}), normal_prior(0.05), further=1, later=1) is None


def test_without_a_lift_there_is_nothing_to_believe() -> None:
    assert form_beliefs(rows_of({"control": 0.0, "a": 0.01}), normal_prior(0.05)) is None
    assert form_beliefs([], normal_prior(0.05)) is None


def test_chances_to_be_best_add_up_and_are_as_often_right() -> None:
    rng = np.random.default_rng(3)
    spread, hits, expected, bias, raw = 0.06, 0.0, 0.0, [], []
    for _ in range(300):
        truth = rng.normal(0, spread, 3)
        counts = rng.binomial(20_000, [0.05, *(0.05 * (1 + truth))])
        found = form_beliefs(
            rows_of(dict(zip(("control", "a", "b", "c"), counts / 20_000, strict=True))), normal_prior(spread)
        )
        assert found is not None
        chances = [found.control_chance_best, *(arm.chance_best for arm in found.arms)]
        assert sum(chances) == pytest.approx(1.0)
        choice = int(np.argmax(chances))
        hits += choice == int(np.argmax([0.0, *truth]))
        expected += chances[choice]
        winner = int(np.argmax([arm.raw for arm in found.arms]))
        bias.append(found.arms[winner].lift - truth[winner])
        raw.append(found.arms[winner].raw - truth[winner])
    assert abs(hits - expected) < 3 * np.sqrt(300 * 0.25)
    assert abs(np.mean(bias)) < 3 * np.std(bias) / np.sqrt(300) + 0.001
    assert np.mean(raw) > 0.01  # the winner's curse is there to be lifted


def test_with_no_past_the_prior_says_so() -> None:
    found = form_beliefs(rows_of({"control": 0.05, "a": 0.055}), learn_prior([], [], centre=0.0))
    assert found is not None
    assert found.prior.status is Status.NO_DATA
    assert 0 < found.arms[0].lift < 0.1
