"""Values and variances of arms against numpy, statsmodels and the definition over units."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.weightstats import DescrStatsW

from experiments.comparing import estimates
from experiments.comparing.estimates import NO_DATA, OK, TOO_FEW
from proofsheet.domain.result import Aggregates, Status
from proofsheet.errors import InputError


@pytest.fixture
def units() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    visits = rng.poisson(3.0, (4, 500)) + 1.0
    return rng.gamma(2.0, 5.0, (4, 500)) * visits, visits


def moments(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    mean_x, mean_y = x.mean(axis=-1), y.mean(axis=-1)
    dx, dy = x - mean_x[..., None], y - mean_y[..., None]
    sums = {"m2_x": (dx * dx).sum(-1), "m2_y": (dy * dy).sum(-1), "cxy": (dx * dy).sum(-1)}
    return {"n": np.full(mean_x.shape, x.shape[-1]), "mean_x": mean_x, "mean_y": mean_y, **sums}


def test_mean_agrees_with_statsmodels_and_numpy(units: tuple[np.ndarray, np.ndarray]) -> None:
    m = moments(*units)
    found = estimates.mean(m["n"], m["mean_x"], m["m2_x"])
    theirs = [DescrStatsW(row).std_mean for row in units[0]]
    assert np.sqrt(found.variance) == pytest.approx(theirs, rel=1e-12)
    assert found.variance == pytest.approx(units[0].var(axis=-1, ddof=1) / 500, rel=1e-12)
    assert (found.df == 499).all()


def test_ratio_is_the_spread_of_residuals_and_agrees_with_the_jackknife(units: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = units
    found = estimates.ratio(**moments(x, y))
    value = x.sum(-1) / y.sum(-1)
    assert found.value == pytest.approx(value, rel=1e-13)
    residual = x - value[:, None] * y
    assert found.variance == pytest.approx(residual.var(axis=-1, ddof=1) / 500 / y.mean(-1) ** 2, rel=1e-11)
    left_out = (x.sum(-1)[:, None] - x) / (y.sum(-1)[:, None] - y)
    jackknife = 499 / 500 * ((left_out - left_out.mean(-1)[:, None]) ** 2).sum(-1)
    assert found.variance == pytest.approx(jackknife, rel=0.01)


def test_proportion_and_rate_are_binomial_and_poisson() -> None:
    p = estimates.proportion([200, 50], [0.1, 0.0])
    assert p.variance == pytest.approx([0.1 * 0.9 / 200, 0.0])
    assert np.isinf(p.df).all()
    r = estimates.count_rate(1, [30.0, 8.0], [1_000.0, 200.0], dispersion=2.0)
    assert r.value == pytest.approx([0.03, 0.04])
    assert r.variance == pytest.approx([2 * 30 / 1e6, 2 * 8 / 4e4])


def test_dispersion_factor_finds_restless_counts() -> None:
    rng = np.random.default_rng(8)
    exposure = rng.uniform(50, 150, (2, 40_000))
    steady = rng.poisson(0.05 * exposure[0])
    restless = rng.poisson(0.05 * exposure[1] * rng.gamma(4.0, 0.25, 40_000))
    found = estimates.dispersion_factor(**moments(np.stack([steady, restless]).astype(float), exposure))
    # A gamma factor of variance 1/4 adds (0.05 e)^2 / 4 to the variance: by the mean rate 1 + 0.05 E[e^2] / E[e] / 4.
    expected = 1 + 0.05 * (100**2 + 100**2 / 12) / 100 / 4
    assert found == pytest.approx([1.0, expected], rel=0.05)


def test_values_that_are_all_alike_have_no_variance() -> None:
    x = np.full((1, 300), 0.1) * 3.0
    assert estimates.mean(**{k: v for k, v in moments(x, x).items() if k in ("n", "mean_x", "m2_x")}).variance == 0.0
    y = np.random.default_rng(1).uniform(1, 9, (1, 300))
    assert estimates.ratio(**moments(0.3 * y, y)).variance == 0.0


def test_what_does_not_exist_is_infinite_and_named() -> None:
    found = estimates.ratio([0, 1, 5, 5], [9.0, 2.0, 2.0, 2.0], [0, 0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0], 0.0, 0.0)
    assert found.status.tolist() == [NO_DATA, TOO_FEW, NO_DATA, OK]
    assert estimates.status_names(found.status).tolist() == [Status.NO_DATA, Status.TOO_FEW, Status.NO_DATA, Status.OK]
    assert np.isinf(found.value).tolist() == [True, False, True, False]
    assert np.isinf(found.variance).tolist() == [True, True, True, False]
    assert estimates.count_rate(1, 0, 0).status == NO_DATA
    assert estimates.proportion(0, 0).status == NO_DATA


def test_aggregates_stack_to_arrays() -> None:
    rows = [Aggregates(n=3, mean_x=1.0, m2_x=2.0), Aggregates(n=4, mean_x=0.5, m2_x=1.0, mean_y=2.0, m2_y=3.0, cxy=0.5)]
    stacked = estimates.stack(rows)
    assert stacked["n"].tolist() == [3, 4]
    assert estimates.ratio(**stacked).value.tolist() == [1.0, 0.25]


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: estimates.mean(5, float("nan"), 1.0), "mean_x that is not a finite"),
        (lambda: estimates.mean(-1, 1.0, 1.0), "negative number of units"),
        (lambda: estimates.proportion(10, 1.5), "between 0 and 1"),
        (lambda: estimates.count_rate(1, -2, 3), "negative count"),
        (lambda: estimates.count_rate(1, 2, 3, 0.0), "dispersion"),
    ],
)
def test_bad_numbers_are_refused(make: object, match: str) -> None:
    with pytest.raises(InputError, match=match):
        make()  # type: ignore[operator]
