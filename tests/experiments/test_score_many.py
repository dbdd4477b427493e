"""Vectorised score intervals against published tables, statsmodels, the scalar engine, and their own test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

from experiments.basis import score_intervals
from experiments.comparing import score_many
from proofsheet.errors import InputError

Z = 1.959963984540054

# Newcombe (1998), Statistics in Medicine 17, 873-890, table II: methods 5 (Mee), 6 (Miettinen-Nurminen) and 10.
NEWCOMBE = {
    (56, 70, 48, 80): ((0.0533, 0.3377), (0.0528, 0.3382), (0.0524, 0.3339)),
    (9, 10, 3, 10): ((0.1821, 0.8370), (0.1700, 0.8406), (0.1705, 0.8090)),
    (6, 7, 2, 7): ((0.0544, 0.8478), (0.0342, 0.8534), (0.0582, 0.8062)),
    (5, 56, 0, 29): ((-0.0313, 0.1926), (-0.0326, 0.1933), (-0.0381, 0.1926)),
    (0, 10, 0, 20): ((-0.1611, 0.2775), (-0.1658, 0.2844), (-0.1611, 0.2775)),
    (0, 10, 0, 10): ((-0.2775, 0.2775), (-0.2879, 0.2879), (-0.2775, 0.2775)),
    (10, 10, 0, 20): ((0.7225, 1.0000), (0.7156, 1.0000), (0.6791, 1.0000)),
}


def pairs(seed: int, count: int, largest: int) -> tuple[np.ndarray, ...]:
    """Counts of two arms, with rates from near 0 to 1."""
    rng = np.random.default_rng(seed)
    n1, n0 = rng.integers(1, largest, count), rng.integers(1, largest, count)
    rate = rng.beta(0.4, 1.5, count)
    other = np.clip(rate * rng.lognormal(0.0, 0.5, count), 0.0, 1.0)
    return tuple(a.astype(float) for a in (rng.binomial(n1, other), n1, rng.binomial(n0, rate), n0))


@pytest.mark.parametrize(("counts", "published"), NEWCOMBE.items())
def test_differences_agree_with_newcombes_table(
    counts: tuple[int, ...], published: tuple[tuple[float, float], ...]
) -> None:
    found = (
        score_many.difference_limits(*counts, Z),
        score_many.difference_limits(*counts, Z, corrected=True),
        score_many.newcombe_limits(*counts, Z),
    )
    for ours, theirs in zip(found, published, strict=True):
        assert [round(float(limit), 4) for limit in ours] == pytest.approx(theirs, abs=1e-9)


def test_ratio_agrees_with_koopmans_example() -> None:
    # Koopman (1984), Biometrics 40, 513-517: 36 of 40 against 16 of 80 gives 2.94 to 7.15.
    low, high = score_many.ratio_limits(36, 40, 16, 80, Z)
    assert (round(float(low), 2), round(float(high), 2)) == (2.94, 7.15)


def test_intervals_agree_with_statsmodels() -> None:
    for x1, n1, x0, n0 in [(30, 500, 18, 480), (7, 34, 1, 34), (90, 100, 70, 110), (3, 1200, 9, 1100)]:
        for corrected in (False, True):
            options = {"method": "score", "correction": corrected}
            theirs = confint_proportions_2indep(x1, n1, x0, n0, compare="ratio", **options)
            ours = score_many.ratio_limits(x1, n1, x0, n0, Z, corrected=corrected)
            assert ours == pytest.approx(theirs, rel=1e-6)
            # Its score interval of a difference is wrong (statsmodels issue 10269): Newcombe's table is the oracle.
            theirs = confint_proportions_2indep(x1, n1, x0, n0, compare="diff", **options)
            assert score_many.difference_limits(x1, n1, x0, n0, Z, corrected=corrected) != pytest.approx(
                theirs, abs=1e-7
            )
        newcombe = confint_proportions_2indep(x1, n1, x0, n0, compare="diff", method="newcomb")
        assert score_many.newcombe_limits(x1, n1, x0, n0, Z) == pytest.approx(newcombe, abs=1e-12)
        caffo = confint_proportions_2indep(x1, n1, x0, n0, compare="diff", method="agresti-caffo")
        assert score_many.agresti_caffo_limits(x1, n1, x0, n0, Z) == pytest.approx(caffo, abs=1e-12)
        for corrected in (False, True):
            z = test_proportions_2indep(x1, n1, x0, n0, compare="diff", method="score", correction=corrected).statistic
            assert float(score_many.pooled_z(x1, n1, x0, n0, corrected=corrected)) == pytest.approx(z, rel=1e-9)


test_proportions_2indep.__test__ = False  # type: ignore[attr-defined]  # a function of statsmodels, not a test


@pytest.mark.parametrize("largest", [8, 60, 4_000])
@pytest.mark.parametrize("critical", [0.7, Z, 4.5])
def test_limits_agree_with_the_scalar_engine(largest: int, critical: float) -> None:
    x1, n1, x0, n0 = pairs(largest, 150, largest)
    low, high = score_many.difference_limits(x1, n1, x0, n0, critical)
    one = [score_intervals.difference_limits(*row, critical) for row in zip(x1, n1, x0, n0, strict=True)]
    assert np.max(np.abs(np.stack([low, high], axis=1) - one)) < 1e-9
    some = x0 > 0
    low, high = (limit[some] for limit in score_many.ratio_limits(x1, n1, x0, n0, critical))
    rows = zip(*(a[some] for a in (x1, n1, x0, n0)), strict=True)
    one = np.array([score_intervals.ratio_limits(*row, critical) for row in rows])
    positive = x1[some] > 0
    assert np.allclose(low, one[:, 0], rtol=1e-9, atol=1e-12)
    assert np.allclose(high[positive], one[positive, 1], rtol=1e-9, atol=0.0)


def test_a_start_beyond_the_pole_is_not_taken_for_a_root() -> None:
    # From Newcombe's limit Newton's first step leaps over a pole here, where later steps are small though far off.
    counts = (1.0, 6_518_752.0, 12.0, 5_545_293.0)
    assert score_many.difference_limits(*counts, 6.0) == pytest.approx(
        score_intervals.difference_limits(*counts, 6.0), rel=1e-6
    )


@pytest.mark.parametrize(
    "counts", [(1_274.0, 1_274.0, 0.0, 155.0), (1_274.0, 1_274.0, 31.0, 155.0), (9.0, 31.0, 0.0, 31.0)]
)
@pytest.mark.parametrize("critical", [0.43854642180760506, Z, 5.0])
def test_rates_at_their_ends_make_no_false_roots(counts: tuple[float, ...], critical: float) -> None:
    found, one = score_many.difference_limits(*counts, critical), score_intervals.difference_limits(*counts, critical)
    assert found == pytest.approx(one, abs=1e-9)


def test_rare_events_keep_their_digits() -> None:
    # With no events at all the restricted rates are in closed form: d = c^2 / (n + c^2).
    low, high = score_many.difference_limits(0.0, 4e3, 0.0, 5e7, Z)
    assert float(low) == pytest.approx(-(Z**2) / (5e7 + Z**2), rel=1e-12)
    assert float(high) == pytest.approx(Z**2 / (4e3 + Z**2), rel=1e-12)


@pytest.mark.parametrize("corrected", [False, True])
def test_limits_leave_out_no_difference_exactly_when_the_test_rejects(corrected: bool) -> None:
    for largest in (9, 200, 100_000):
        counts = pairs(largest + 1, 4_000, largest)
        for critical in (0.51, Z, 3.3):
            rejects = np.abs(score_many.pooled_z(*counts, corrected=corrected)) > critical
            low, high = score_many.difference_limits(*counts, critical, corrected=corrected)
            assert np.array_equal((low > 0) | (high < 0), rejects)
            low, high = score_many.ratio_limits(*counts, critical, corrected=corrected)
            assert np.array_equal((low > 1) | (high < 1), rejects)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.data(), st.floats(0.1, 6.0))
def test_limits_have_the_score_that_was_asked_for(n1: int, n0: int, data: st.DataObject, critical: float) -> None:
    x1, x0 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n0))
    estimate = x1 / n1 - x0 / n0
    for limit, sign in zip(score_many.difference_limits(x1, n1, x0, n0, critical), (1.0, -1.0), strict=True):
        assert -1.0 <= limit <= 1.0
        assert sign * (estimate - limit) >= -1e-12
        if abs(limit) < 1.0 - 1e-9:
            q1, q0 = likeliest_rates(x1, n1, x0, n0, float(limit))
            z = (estimate - limit) / np.sqrt(q1 * (1 - q1) / n1 + q0 * (1 - q0) / n0)
            assert sign * z == pytest.approx(critical, rel=1e-4)


def likeliest_rates(x1: int, n1: int, x0: int, n0: int, difference: float) -> tuple[float, float]:
    """The restricted fit by a golden-section search on the likelihood: slow and simple."""

    def minus_log(q0: float) -> float:
        total = 0.0
        for x, n, q in ((x1, n1, q0 + difference), (x0, n0, q0)):
            total -= x * np.log(max(q, 1e-300)) + (n - x) * np.log(max(1 - q, 1e-300))
        return total

    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    for _ in range(90):
        first, second = high - 0.6180339887498949 * (high - low), low + 0.6180339887498949 * (high - low)
        low, high = (low, second) if minus_log(first) < minus_log(second) else (first, high)
    q0 = (low + high) / 2.0
    return q0 + difference, q0


def test_exchanged_arms_turn_limits_round() -> None:
    x1, n1, x0, n0 = pairs(5, 2_000, 3_000)
    low, high = score_many.difference_limits(x1, n1, x0, n0, Z)
    other_low, other_high = score_many.difference_limits(x0, n0, x1, n1, Z)
    assert np.array_equal(low, -other_high)
    assert np.array_equal(high, -other_low)


def test_shapes_broadcast_and_empty_arms_say_nothing() -> None:
    arms, controls = (np.array([[3], [0]]), np.array([[20], [0]])), (0, np.array([30, 40, 0]))
    low, high = score_many.difference_limits(*arms, *controls, Z)
    assert low.shape == high.shape == (2, 3)
    assert (low[1] == -1).all()
    assert (high[:, 2] == 1).all()
    low, high = score_many.ratio_limits([0, 3, 3], [10, 10, 10], [0, 0, 3], [10, 10, 10], Z)
    assert np.isinf(high[:2]).all()
    assert low[0] == 0.0 < low[1]
    assert float(score_many.pooled_z(0, 0, 3, 10)) == float(score_many.pooled_z(5, 5, 7, 7)) == 0.0


@pytest.mark.parametrize("counts", [(-1, 10, 1, 10), (11, 10, 1, 10), (1, 10, float("nan"), 10)])
def test_impossible_counts_are_refused(counts: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="between 0 and"):
        score_many.pooled_z(*counts)


def test_a_critical_value_must_be_positive() -> None:
    with pytest.raises(InputError, match="critical"):
        score_many.ratio_limits(1, 10, 1, 10, 0.0)
