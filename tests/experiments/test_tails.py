"""Fast tails of Student's t and of the normal against scipy and numerical integration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from experiments.basis import tails
from experiments.basis.distributions import TINY

DF = np.array([1.0, 2.5, 20.0, 199.0, 200.0, 450.0, 3_000.0, 1e6, np.inf])[:, None]
T = np.array([-45.0, -8.0, -2.0, -0.3, 0.0, 1.0, 1.96, 4.0, 9.0, 40.0])


def test_tails_of_t_agree_with_scipy() -> None:
    theirs = np.where(np.isinf(DF), stats.norm.sf(T), stats.t.sf(T, np.where(np.isinf(DF), 1.0, DF)))
    assert np.allclose(tails.t_above(T, DF), np.maximum(theirs, TINY), rtol=2e-11, atol=0.0)
    assert np.allclose(
        tails.t_two_sided(T, DF), np.clip(2 * stats.t.sf(np.abs(T), DF), TINY, 1.0), rtol=2e-11, atol=0.0
    )


@pytest.mark.parametrize(("t", "df"), [(2.5, 210.0), (5.0, 260.0), (8.0, 900.0)])
def test_tails_of_t_agree_with_integrated_density(t: float, df: float) -> None:
    log_scale = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * math.log(df * math.pi)

    def density(u: float) -> float:
        return math.exp(log_scale - (df + 1) / 2 * math.log1p(u * u / df))

    tail, _ = integrate.quad(density, t, t + 60.0, epsabs=0.0, epsrel=1e-12, limit=400)
    assert float(tails.t_above(t, df)) == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize("tail", [0.4, 0.05, 0.025, 1e-4, 1e-9, 0.9])
def test_critical_values_agree_with_scipy_and_lead_back(tail: float) -> None:
    found = tails.t_critical(tail, DF)
    theirs = np.where(np.isinf(DF), stats.norm.isf(tail), stats.t.isf(tail, np.where(np.isinf(DF), 1.0, DF)))
    assert np.allclose(found, theirs, rtol=1e-11, atol=0.0)
    assert np.allclose(tails.t_above(found, DF), tail, rtol=1e-9, atol=0.0)


def test_equal_levels_side_by_side_are_looked_up_once_with_the_same_result() -> None:
    level = np.repeat([0.05, 0.01, 0.05, 0.3], [200, 1, 150, 99])
    assert np.array_equal(tails.normal_critical(level), -special.ndtri(level))


def test_far_tails_never_become_zero() -> None:
    assert float(tails.t_two_sided(60.0, np.inf)) == float(tails.normal_two_sided(-60.0)) == TINY
    assert float(tails.normal_above(50.0)) == TINY
    assert float(tails.t_two_sided(0.0, 5.0)) == 1.0
    assert 0.0 < float(tails.t_above(37.0, np.inf)) < 1e-290
