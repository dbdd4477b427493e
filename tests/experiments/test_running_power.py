"""Power in the middle of a test: closed forms, published identities, continued simulations, and what is said of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from experiments.planning.conditional_power import conditional_power, information_until, predictive_power
from experiments.planning.planned_rules import Rules
from experiments.planning.power import power, sample_size
from experiments.planning.running_power import RunningPower, outcome_of, running_power
from experiments.planning.watching import Watch
from proofsheet.domain.experiment import MetricKind
from proofsheet.domain.identity import to_json
from proofsheet.domain.result import Aggregates, Status
from proofsheet.errors import InputError

C = 1.959964
Binary = Callable[[int, int], Aggregates]
Moments = Callable[..., Aggregates]


def test_conditional_power_in_closed_form() -> None:
    """Lan and Wittes 1988: with B = z sqrt(t), ``1 - Phi((c - B - theta (1 - t)) / sqrt(1 - t))``."""
    z, t, theta = 1.4, 0.6, 2.8
    b = z * math.sqrt(t)
    expected = stats.norm.sf((C - b - theta * 0.4) / math.sqrt(0.4))
    assert conditional_power(z, t, theta, C, two_sided=False) == pytest.approx(expected, rel=1e-12)
    other = stats.norm.cdf((-C - b - theta * 0.4) / math.sqrt(0.4))
    assert conditional_power(z, t, theta, C) == pytest.approx(expected + other, rel=1e-12)
    assert conditional_power(0.0, 0.0, 2.8, C) == pytest.approx(stats.norm.sf(C - 2.8), abs=1e-5)
    assert conditional_power([-2.5, 1.0, 2.5], 1.0, 9.0, C).tolist() == [1.0, 0.0, 1.0]  # type: ignore[arg-type]


def test_predictive_power_in_closed_form() -> None:
    """Spiegelhalter, Freedman and Blackburn 1986, flat prior: ``Phi((z - c sqrt(t)) / sqrt(1 - t))``."""
    for z, t in ((1.5, 0.3), (0.2, 0.8), (-1.0, 0.5)):
        expected = stats.norm.cdf((z - C * math.sqrt(t)) / math.sqrt(1.0 - t))
        assert predictive_power(z, t, C, two_sided=False) == pytest.approx(expected, rel=1e-12)
    assert predictive_power(0.0, 0.0, C) == 1.0
    assert predictive_power(0.0, 0.0, C, two_sided=False) == 0.5


@given(z=st.floats(-3.0, 4.0), t=st.floats(0.05, 0.95), mean=st.floats(-1.0, 4.0), sd=st.floats(0.1, 5.0))
@settings(max_examples=25, deadline=None)
def test_predictive_power_is_the_average_of_the_conditional(z: float, t: float, mean: float, sd: float) -> None:
    precision = t + 1.0 / sd**2
    centre, deviation = (z * math.sqrt(t) + mean / sd**2) / precision, precision**-0.5
    found, _ = integrate.quad(
        lambda x: float(conditional_power(z, t, centre + deviation * x, C)) * stats.norm.pdf(x), -9.0, 9.0, limit=200
    )
    ours = predictive_power(z, t, C, prior_mean=mean, prior_sd=sd)
    assert ours == pytest.approx(found, abs=1e-6)
    near = predictive_power(z, t, C, prior_mean=mean, prior_sd=1e-5)
    assert near == pytest.approx(float(conditional_power(z, t, mean, C)), abs=1e-4)


def test_more_information_until_the_conditional_power() -> None:
    error, gap = 0.01, 0.02
    x = information_until(0.8, error, gap, C, 0.9)
    assert x is not None
    # As a share of the information then: t = 1 / (1 + x), drift = gap / error at the end.
    theta = gap / (error / math.sqrt(1.0 + x))
    assert conditional_power(0.8, 1.0 / (1.0 + x), theta, C, two_sided=False) == pytest.approx(0.9, abs=1e-9)
    assert information_until(2.5, error, gap, C, 0.9) == 0.0
    assert information_until(0.5, error, -gap, C, 0.9) is None


def ask(arm: Aggregates, control: Aggregates, **changes: object) -> RunningPower:
    options: dict[str, object] = {"effect": 0.1, "planned_units": 31_233.0, "rules": Rules(), **changes}
    kind = options.pop("kind", MetricKind.PROPORTION)
    return running_power(kind, arm, control, **options)  # type: ignore[arg-type]


def test_running_rates_against_continued_tests(binary: Binary) -> None:
    """Half of the data as seen, the other half drawn at the planned lift and at the one seen, pooled z at the end."""
    n, end, seen, base, runs = 15_000, 31_233, 805, 750, 40_000
    found = ask(binary(n, seen), binary(n, base))
    rng, left = np.random.default_rng(8), end - n
    for lift, ours in ((0.1, found.conditional_planned), (seen / base - 1.0, found.conditional_seen)):
        rate = base / n
        x1, x0 = seen + rng.binomial(left, rate * (1.0 + lift), runs), base + rng.binomial(left, rate, runs)
        pooled = (x1 + x0) / (2.0 * end)
        z = (x1 - x0) / end / np.sqrt(pooled * (1.0 - pooled) * 2.0 / end)
        assert ours == pytest.approx(np.mean(z > C), abs=0.012)
    assert found.fraction == pytest.approx(n / end, rel=1e-9)
    assert found.reading == "open"
    assert found.effect == pytest.approx(seen / base - 1.0)


@pytest.mark.parametrize("method", ["always-valid", "hybrid", "pocock"])
def test_a_watched_running_test_against_continued_paths(binary: Binary, method: str) -> None:
    watch, end, n = Watch(method=method, looks=10), 40_000, 20_000
    found = ask(binary(n, 1075), binary(n, 1000), planned_units=float(end), watch=watch)
    assert found.z is not None
    assert found.fraction == pytest.approx(0.5, abs=1e-9)
    from experiments.planning.watching import watch_limits

    limits = watch_limits(watch, Rules(), end)[5:]
    drift = 0.005 / math.sqrt((0.05375 * 0.94625 + 0.05 * 0.95) / end)
    rng, runs = np.random.default_rng(4), 40_000
    steps = rng.standard_normal((runs, 5)) * math.sqrt(0.1) + drift * 0.1
    z = (found.z * math.sqrt(0.5) + np.cumsum(steps, axis=1)) / np.sqrt(np.arange(6, 11) / 10)
    assert found.conditional_planned == pytest.approx(np.mean((z >= limits).any(axis=1)), abs=0.012)
    means = np.array([ask(binary(n, 1075), binary(n, 1000), planned_units=float(end), watch=watch,
                          prior=(lift, 1e-6)).predictive for lift in (0.1,)])  # fmt: skip
    assert means[0] == pytest.approx(found.conditional_planned, abs=1e-3)


def test_units_and_days_until_the_planned_power(binary: Binary) -> None:
    found = ask(binary(15_000, 760), binary(15_000, 750), daily_units=1000.0)
    needed = found.needed_units
    assert needed is not None
    from experiments.planning.planned_outcome import Proportion

    assert power(Proportion(baseline=0.05), 0.1, needed, Rules()) == pytest.approx(0.8, abs=1e-9)
    assert found.more_units == pytest.approx(needed - 15_000)
    assert found.more_days == math.ceil((needed - 15_000) / 1000.0)
    assert found.more_units_now is not None
    done = ask(binary(40_000, 2200), binary(40_000, 2000))
    assert (done.more_units, done.reading, done.conditional_planned) == (0.0, "found", 1.0)


@pytest.mark.parametrize(
    ("clicks", "watch", "reading"),
    [
        (760, None, "unlikely"),
        (805, None, "open"),
        (860, None, "on course"),
        (640, None, "unlikely"),
        (900, None, "on course"),
        (900, Watch(), "found"),
        (610, Watch(), "opposite"),
    ],
)
def test_readings(binary: Binary, clicks: int, watch: Watch | None, reading: str) -> None:
    found = ask(binary(15_000, clicks), binary(15_000, 750), watch=watch)
    assert found.reading == reading
    assert to_json(found) == to_json(ask(binary(15_000, clicks), binary(15_000, 750), watch=watch))
    assert found.sentences


def test_means_ratios_and_a_planned_drop(moments: Moments) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.gamma(2.0, 2.0, (2, 4000)), rng.poisson(2.0, (2, 4000)) + 1.0
    arm, control = moments(x[0] * 0.97, y[0]), moments(x[1], y[1])
    mean = ask(arm, control, kind=MetricKind.MEAN, effect=-0.05, planned_units=8000.0)
    z = (x[0].mean() * 0.97 - x[1].mean()) / math.sqrt(0.97**2 * x[0].var(ddof=1) / 4000 + x[1].var(ddof=1) / 4000)
    assert mean.z == pytest.approx(z, rel=1e-9)
    assert mean.fraction == pytest.approx(0.5)
    assert mean.conditional_planned == pytest.approx(
        float(
            conditional_power(
                -z,
                0.5,
                0.05 * x[1].mean() / math.sqrt((0.97**2 * x[0].var(ddof=1) + x[1].var(ddof=1)) / 8000),
                C,
                two_sided=False,
            )
        ),
        rel=1e-6,
    )
    ratio = ask(arm, control, kind=MetricKind.RATIO, effect=0.05, planned_units=8000.0)
    residual = (x[1] - x[1].mean() / y[1].mean() * y[1]) / y[1].mean()
    own = (x[0] * 0.97 - 0.97 * x[0].mean() / y[0].mean() * y[0]) / y[0].mean()
    gap = 0.97 * x[0].mean() / y[0].mean() - x[1].mean() / y[1].mean()
    assert ratio.z == pytest.approx(gap / math.sqrt((residual.var(ddof=1) + own.var(ddof=1)) / 4000), rel=1e-9)
    status, outcome = outcome_of(MetricKind.RATIO, arm, control)
    assert status is Status.OK
    assert outcome is not None
    needed = sample_size(outcome, 0.05, Rules())
    assert ratio.needed_units == pytest.approx(float(needed))


def test_a_margin_and_a_prior(binary: Binary) -> None:
    rules = Rules(margin=0.1)
    same = ask(binary(15_000, 750), binary(15_000, 750), effect=0.0, rules=rules, planned_units=27_000.0)
    worse = ask(binary(15_000, 680), binary(15_000, 750), effect=0.0, rules=rules, planned_units=27_000.0)
    assert same.z is not None
    assert same.z > 0.0
    assert same.predictive is not None
    assert worse.predictive is not None
    assert same.predictive > 0.7 > 0.1 > worse.predictive
    lower = Rules(margin=0.1, higher_is_better=False)
    mirrored = ask(binary(15_000, 815), binary(15_000, 750), effect=0.0, rules=lower, planned_units=27_000.0)
    assert mirrored.predictive is not None
    assert mirrored.predictive < 0.1
    doubtful = ask(binary(15_000, 830), binary(15_000, 750), prior=(0.0, 0.02))
    hopeful = ask(binary(15_000, 830), binary(15_000, 750), prior=(0.1, 0.02))
    flat = ask(binary(15_000, 830), binary(15_000, 750))
    wide = ask(binary(15_000, 830), binary(15_000, 750), prior=(0.0, 1e4))
    assert doubtful.predictive is not None
    assert hopeful.predictive is not None
    assert hopeful.predictive > doubtful.predictive
    assert wide.predictive == pytest.approx(flat.predictive, abs=1e-6)


def test_data_that_say_nothing_yet_have_a_reason(binary: Binary, moments: Moments) -> None:
    none, few = binary(0, 0), moments([1.0])
    cases = [
        (MetricKind.PROPORTION, none, binary(10, 1), Status.NO_DATA),
        (MetricKind.PROPORTION, binary(10, 1), binary(10, 0), Status.ZERO_CONTROL),
        (MetricKind.PROPORTION, binary(10, 1), binary(10, 10), Status.NO_VARIANCE),
        (MetricKind.MEAN, few, moments([1.0, 2.0]), Status.TOO_FEW),
        (MetricKind.MEAN, moments([2.0, 2.0]), moments([1.0, 2.0]), Status.NO_VARIANCE),
        (MetricKind.MEAN, moments([1.0, 2.0]), moments([-1.0, 1.0]), Status.ZERO_CONTROL),
        (MetricKind.RATIO, moments([1.0, 2.0], [0.0, 0.0]), moments([1.0, 2.0], [1.0, 1.0]), Status.NO_DATA),
    ]
    for kind, arm, control, status in cases:
        found = ask(arm, control, kind=kind)
        assert (found.status, found.reading, found.predictive) == (status, "too early", None)
        assert len(found.sentences) == 1
    absolute = Rules(relative=False)
    assert ask(moments([1.0, 2.0]), moments([-1.0, 1.0]), kind=MetricKind.MEAN, rules=absolute).status is Status.OK


@pytest.mark.parametrize(
    "changes", [{"power": 1.0}, {"futility": 0.0}, {"planned_units": 0.0}, {"prior": (0.0, 0.0)}, {"daily_units": 0.0}]
)
def test_what_cannot_be_asked_is_refused(binary: Binary, changes: dict[str, object]) -> None:
    with pytest.raises(InputError):
        ask(binary(1000, 55), binary(1000, 50), **changes)
    with pytest.raises(InputError):
        conditional_power(1.0, -0.1, 1.0, C)
