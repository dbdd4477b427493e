"""The sequential sample-ratio check against scipy's laws, step-by-step updating, exact recursion and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.checks.sequential_ratio import ratio_log_e, ratio_p_values, sample_ratio_over_looks
from experiments.sequential.asymptotic import tuning_ratio
from proofsheet.errors import InputError

STRENGTH = 100_000 / tuning_ratio(0.001)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50_000), st.floats(0.1, 5.0)), min_size=2, max_size=6))
def test_e_value_is_scipy_s_dirichlet_multinomial_over_its_multinomial(arms: list[tuple[int, float]]) -> None:
    x, w = np.array([a[0] for a in arms]), np.array([a[1] for a in arms])
    shares = w / w.sum()
    n = int(x.sum())
    theirs = stats.dirichlet_multinomial.logpmf(x, STRENGTH * shares, n) - stats.multinomial.logpmf(x, n, shares)
    assert float(ratio_log_e(x, w)) == pytest.approx(float(theirs) if n else 0.0, abs=1e-5)


def test_e_value_is_the_product_of_predictions() -> None:
    """Unit by unit: the posterior mean of the arm that came over its planned share (Lindon and Malek; ssrm-test)."""
    rng = np.random.default_rng(1)
    shares = np.array([0.2, 0.3, 0.5])
    x, total = np.zeros(3), 0.0
    for arm in rng.choice(3, 500, p=[0.4, 0.3, 0.3]):
        total += math.log((STRENGTH * shares[arm] + x[arm]) / (STRENGTH + x.sum()) / shares[arm])
        x[arm] += 1
    assert float(ratio_log_e(x, [2, 3, 5])) == pytest.approx(total, rel=1e-9)


def test_digits_are_kept_with_hundreds_of_millions_of_units() -> None:
    """50-digit arithmetic (mpmath): -11.3213718."""
    assert float(ratio_log_e([10**8, 150_000_000, 250_000_000], [2, 3, 5])) == pytest.approx(-11.3213718, abs=1e-5)


def test_exact_chance_of_ever_alarming_is_below_the_level() -> None:
    """All paths of 250 units over two arms, looked at after every unit, with a sharp early tuning."""
    mass, alarmed = np.array([1.0]), 0.0
    for n in range(1, 251):
        mass = np.append(mass * 0.7, 0.0) + np.append(0.0, mass * 0.3)
        x = np.arange(n + 1)
        p = ratio_p_values(np.stack([x, n - x], axis=-1)[:, None, :], [3, 7], tuning_n=200)[:, 0]
        alarmed += mass[p <= 0.05].sum()
        mass = np.where(p <= 0.05, 0.0, mass)
        mean = stats.binom.pmf(x, n, 0.3) @ np.exp(ratio_log_e(np.stack([x, n - x], axis=-1), [3, 7], tuning_n=200))
        assert mean == pytest.approx(1.0, rel=1e-9)
    assert 0.01 < alarmed < 0.05


def test_peeking_does_not_alarm_and_a_broken_split_is_found() -> None:
    rng = np.random.default_rng(15)
    counts = np.cumsum(rng.multinomial(500, [0.5, 0.5], (2_000, 100)), axis=1)
    p = ratio_p_values(counts, [1, 1])
    assert p.shape == (2_000, 100)
    assert (p[:, -1] < 0.01).mean() < 0.01
    chi = (counts[..., 0] - counts[..., 1]) ** 2 / counts.sum(axis=-1)
    assert (chi > stats.chi2.isf(0.01, 1)).any(axis=-1).mean() > 0.08
    broken = np.cumsum(rng.multinomial(500, [0.49, 0.51], (300, 100)), axis=1)
    assert (ratio_p_values(broken, [1, 1])[:, -1] < 0.01).mean() > 0.7


def test_running_p_values_never_rise_and_arms_without_weight_do_not_count() -> None:
    rng = np.random.default_rng(16)
    counts = np.cumsum(rng.multinomial(300, [0.4, 0.3, 0.3], 50), axis=0)
    p = ratio_p_values(counts, [1, 1, 1])
    assert (np.diff(p) <= 0).all()
    assert 0 < p[-1] < 1e-12 < p[0] <= 1.0
    padded = np.insert(counts, 1, 7, axis=-1)
    assert (ratio_p_values(padded, [1, 0, 1, 1]) == p).all()
    assert ratio_p_values(counts[:, ::-1], [2, 2, 2]) == pytest.approx(p, rel=1e-9)


def test_segments_are_corrected_together() -> None:
    rng = np.random.default_rng(17)
    counts = np.cumsum(rng.multinomial(300, [0.46, 0.54], (5, 40)), axis=1)
    alone = ratio_p_values(counts, [1, 1])
    assert ratio_p_values(counts, [1, 1], segments=True) == pytest.approx(np.minimum(5 * alone, 1.0))


def test_checks_say_what_they_found() -> None:
    fine = sample_ratio_over_looks({"a": [100, 210], "b": [105, 200]}, {"a": 1, "b": 1})
    assert fine.ok is True
    assert fine.p_value == 1.0
    assert "2 looks" in fine.message
    looks = {"a": [5_000, 10_000, 15_000], "b": [5_020, 10_600, 16_200]}
    bad = sample_ratio_over_looks(looks, {"a": 1, "b": 1}, segment="country CH")
    assert bad.ok is False
    assert bad.severity == "blocking"
    assert "in country CH since look 2" in bad.message
    steered = sample_ratio_over_looks(looks, {"a": 1, "b": 1}, steered=True)
    assert steered.severity == "warning"
    many = sample_ratio_over_looks(looks, {"a": 1, "b": 1}, comparisons=10)
    assert many.p_value == pytest.approx(10 * (bad.p_value or 0.0))
    stray = sample_ratio_over_looks({"a": [9], "b": [8], "c": [1]}, {"a": 1, "b": 1, "c": 0})
    assert (stray.ok, stray.severity) == (False, "blocking")
    assert stray.message.startswith("c got units")
    for nothing in ({}, {"a": [0, 0], "b": [0, 0]}, {"a": [5]}):
        check = sample_ratio_over_looks(nothing, {"a": 1, "b": 1} if len(nothing) != 1 else {"a": 1})
        assert check.ok is None
    missing = sample_ratio_over_looks({"a": [40_000]}, {"a": 1, "b": 1})
    assert missing.ok is False


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ratio_log_e([1, 2], [1, 0]), "weights"),
        (lambda: ratio_log_e([1, 2], [1, -1]), "weights"),
        (lambda: ratio_log_e([1, 2, 3], [1, 1]), "weights"),
        (lambda: ratio_log_e([1, -2], [1, 1]), "negative"),
        (lambda: ratio_log_e([1, 2], [1, 1], tuning_n=0.0), "tuning size"),
        (lambda: sample_ratio_over_looks({"a": [5, 4], "b": [1, 2]}, {"a": 1, "b": 1}), "fall"),
        (lambda: sample_ratio_over_looks({"a": [5], "b": [1, 2]}, {"a": 1, "b": 1}), "different numbers"),
    ],
)
def test_bad_counts_and_options_are_refused(call: object, words: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=words):
        call()
