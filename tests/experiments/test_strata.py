"""Post-stratification against a saturated regression on rows, influence functions, the bootstrap and simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

from experiments.adjusting.adjustment import adjust_means
from experiments.adjusting.strata import stratify_means, stratify_ratios
from experiments.basis.moments import Moments
from proofsheet.errors import InputError

Rows = NDArray[np.float64]
NAMES = ("y", "z")
SHARES = np.array([0.5, 0.3, 0.2])


def draw(sizes: Sequence[Sequence[int]], seed: int = 0) -> list[list[Rows]]:
    """Arms × strata of rows; strata differ in level, spread and effect."""
    rng, arms = np.random.default_rng(seed), []
    for a, counts in enumerate(sizes):
        strata = []
        for h, n in enumerate(counts):
            z = 5.0 + h + rng.normal(size=n)
            y = 2.0 + 3.0 * h + a * (0.5 + h) + 0.4 * z + rng.normal(size=n) * (1 + 0.5 * h + 0.3 * a)
            strata.append(np.column_stack([y, z]))
        arms.append(strata)
    return arms


def by_arm(arms: Sequence[Sequence[Rows]]) -> Moments:
    """Moments with the axes arm and stratum."""
    return Moments.stack(
        [Moments.stack([Moments.from_rows(rows, NAMES) for rows in stratum]) for stratum in zip(*arms, strict=True)]
    )


def test_known_shares_are_a_contrast_of_cell_means() -> None:
    """A saturated regression with HC2 errors has the variance s²/n for every cell's mean."""
    arms = draw([[30, 40, 12], [50, 25, 20]])
    cells = [rows[:, 0] for strata in arms for rows in strata]
    which = np.repeat(np.arange(6), [len(c) for c in cells])
    ols = OLS(np.concatenate(cells), np.eye(6)[which]).fit(cov_type="HC2")
    contrast = np.concatenate([-SHARES, SHARES])
    c = stratify_means(by_arm(arms), "y", SHARES * 700).against(1, 0)
    assert float(c.effect) == pytest.approx(float(contrast @ ols.params), rel=1e-10)
    assert float(c.effect_variance) == pytest.approx(float(contrast @ ols.cov_params() @ contrast), rel=1e-10)
    values = [float(SHARES @ ols.params[3 * a : 3 * a + 3]) for a in (0, 1)]
    assert (float(c.control), float(c.arm)) == pytest.approx(values, rel=1e-10)


def test_the_formula_of_miratrix_sekhon_and_yu_by_hand() -> None:
    arms = draw([[9, 14], [11, 8]], seed=1)
    shares = [20 / 42, 22 / 42]
    variance = sum(w**2 * arms[a][h][:, 0].var(ddof=1) / len(arms[a][h]) for a in (0, 1) for h, w in enumerate(shares))
    effects = [arms[1][h][:, 0].mean() - arms[0][h][:, 0].mean() for h in (0, 1)]
    effect = sum(w * e for w, e in zip(shares, effects, strict=True))
    known, sample = (stratify_means(by_arm(arms), "y", s).against(1, 0) for s in (shares, None))
    assert float(known.effect) == pytest.approx(effect)
    assert float(known.effect_variance) == pytest.approx(variance)
    between = sum(w * (e - effect) ** 2 for w, e in zip(shares, effects, strict=True)) / 42
    assert float(sample.effect) == pytest.approx(effect)
    assert float(sample.effect_variance) == pytest.approx(variance + between)
    parts = [w**2 * arms[a][h][:, 0].var(ddof=1) / len(arms[a][h]) for a in (0, 1) for h, w in enumerate(shares)]
    rest = [len(arms[a][h]) - 1 for a in (0, 1) for h in (0, 1)]
    df = sum(parts) ** 2 / sum(p**2 / r for p, r in zip(parts, rest, strict=True))
    assert float(known.df) == pytest.approx(df)


def test_sample_shares_are_lins_regression_on_indicators() -> None:
    """The same estimate to the last digits; variances differ by degrees of freedom and unequal spreads."""
    arms = draw([[900, 700, 500], [800, 900, 300]], seed=2)
    flat = [
        np.vstack([np.column_stack([rows, np.tile(np.eye(3)[h, 1:], (len(rows), 1))]) for h, rows in enumerate(strata)])
        for strata in arms
    ]
    joint = Moments.stack([Moments.from_rows(rows, ("y", "z", "s1", "s2")) for rows in flat])
    lin = adjust_means(joint, "y", ["s1", "s2"], coefficients="by_arm").against(1, 0)
    c = stratify_means(by_arm(arms), "y").against(1, 0)
    assert (float(c.arm), float(c.control)) == pytest.approx((float(lin.arm), float(lin.control)), rel=1e-12)
    assert float(c.effect_variance) == pytest.approx(float(lin.effect_variance), rel=0.05)
    assert float(c.covariance) == pytest.approx(float(lin.covariance), rel=0.01)
    assert float(c.variance_saved) == pytest.approx(float(lin.variance_saved), abs=0.02)
    assert float(c.variance_saved) > 0.5


@pytest.mark.parametrize("ratio", [False, True])
def test_variances_agree_with_the_bootstrap_of_units(ratio: bool) -> None:
    """Units drawn from each arm whole, so that strata counts vary as in a population."""
    arms = draw([[260, 200, 140], [200, 250, 150]], seed=3)
    rng = np.random.default_rng(4)
    draws = []
    for strata in arms:
        rows = np.vstack(strata)
        which = np.repeat(np.arange(3), [len(s) for s in strata])
        counts = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=3_000).astype(float)
        n = np.stack([counts[:, which == h].sum(axis=1) for h in range(3)], axis=-1)
        sums = np.stack([counts[:, which == h] @ rows[which == h] for h in range(3)], axis=1)
        draws.append((n, sums))
    shares = draws[0][0] + draws[1][0]
    shares = shares / shares.sum(axis=1, keepdims=True)
    sums = np.stack([np.einsum("bh,bhk->bk", shares / n, s) for n, s in draws], axis=1)
    seen = np.cov(sums[..., 0] / sums[..., 1] if ratio else sums[..., 0], rowvar=False)
    got = stratify_ratios(by_arm(arms), "y", "z") if ratio else stratify_means(by_arm(arms), "y")
    told = got.estimates.covariance
    np.testing.assert_allclose(np.diag(told), np.diag(seen), rtol=0.1)
    assert told[0, 1] == pytest.approx(seen[0, 1], rel=0.15)
    effect = np.array([-1.0, 1.0])
    assert effect @ told @ effect == pytest.approx(effect @ seen @ effect, rel=0.1)


def test_a_ratio_is_that_of_the_stratified_sums() -> None:
    arms = draw([[30, 40, 12], [50, 25, 20]], seed=5)
    got = stratify_ratios(by_arm(arms), "y", "z", SHARES).estimates
    for a, strata in enumerate(arms):
        y, z = (sum(w * rows[:, k].mean() for w, rows in zip(SHARES, strata, strict=True)) for k in (0, 1))
        variance = sum(
            (w / z) ** 2 * (rows[:, 0] - y / z * rows[:, 1]).var(ddof=1) / len(rows)
            for w, rows in zip(SHARES, strata, strict=True)
        )
        assert float(got.value[a]) == pytest.approx(y / z)
        assert float(got.covariance[a, a]) == pytest.approx(variance)


@pytest.mark.parametrize(
    ("sizes", "together", "groups"),
    [
        ([[20, 20, 20], [20, 20, 20]], [False, False, False], [[0], [1], [2]]),
        ([[3, 20, 4], [20, 20, 20]], [True, False, True], [[0, 2], [1]]),  # two small make a rest that is large enough
        ([[3, 20, 30], [20, 20, 20]], [True, True, False], [[0, 1], [2]]),  # a rest too small joins the smallest
        ([[0, 20, 20], [0, 20, 20]], [True, True, False], [[0, 1], [2]]),  # a segment nobody was in, with its share
        ([[2, 1, 3], [20, 20, 20]], [True, True, True], [[0, 1, 2]]),
    ],
)
def test_small_strata_are_put_together_by_the_rule(
    sizes: list[list[int]], together: list[bool], groups: list[list[int]]
) -> None:
    arms = draw(sizes, seed=6)
    got = stratify_means(by_arm(arms), "y", SHARES)
    joined = [[np.vstack([strata[h] for h in group]) for group in groups] for strata in arms]
    expected = stratify_means(by_arm(joined), "y", [SHARES[group].sum() for group in groups], least=2)
    assert got.merged.tolist() == together
    np.testing.assert_allclose(got.estimates.value, expected.estimates.value, rtol=1e-12)
    np.testing.assert_allclose(got.estimates.covariance, expected.estimates.covariance, rtol=1e-10)
    np.testing.assert_allclose(got.estimates.df, expected.estimates.df, rtol=1e-10)
    assert (f"{sum(together)} of 3 strata" in got.note()) == any(together)
    contrast = got.contrast(1, 0)
    assert contrast is not None
    assert "off the variance" in contrast.note


def test_a_stack_of_experiments_is_each_of_them() -> None:
    sizes = [[[20, 30, 9], [25, 20, 8]], [[3, 30, 9], [25, 2, 8]], [[0, 0, 0], [9, 9, 9]], [[1, 30, 9], [25, 20, 8]]]
    flat = [by_arm(draw(s, seed=i)) for i, s in enumerate(sizes)]
    parts = {name: np.stack([getattr(m, name) for m in flat]) for name in ("n", "mean", "cross", "mean_rest")}
    for shares in (None, SHARES):
        whole = stratify_ratios(Moments(names=NAMES, **parts), "y", "z", shares)
        for i, m in enumerate(flat):
            one = stratify_ratios(m, "y", "z", shares)
            for name in ("value", "covariance", "own_variance", "df", "plain_variance"):
                np.testing.assert_allclose(getattr(whole.estimates, name)[i], getattr(one.estimates, name), rtol=1e-12)
            assert whole.merged[i].tolist() == one.merged.tolist()
    assert whole.estimates.usable.tolist() == [[True, True], [True, True], [False, True], [True, True]]
    assert whole.contrast(1, 0, 2) is None
    assert np.isfinite(whole.estimates.value).all()


def test_proportions_hold_their_level_and_the_error_falls() -> None:
    """Rates of 2, 10 and 40 % in three segments: 400 tests of 2 × 3,000 units drawn at random from the population."""
    rng = np.random.default_rng(7)
    segment = rng.choice(3, size=(400, 2, 3_000), p=SHARES)
    y = (rng.random(segment.shape) < np.array([0.02, 0.1, 0.4])[segment]).astype(float)
    n = np.stack([(segment == h).sum(axis=-1) for h in range(3)], axis=-1).astype(float)
    mean = np.stack([np.where(segment == h, y, 0).sum(axis=-1) for h in range(3)], axis=-1) / n
    cells = Moments(names=("y",), n=n, mean=mean[..., None], cross=(n * mean * (1 - mean))[..., None, None])
    total = float(np.array([0.02, 0.1, 0.4]) @ SHARES)
    within = float(SHARES @ (np.array([0.02, 0.1, 0.4]) * np.array([0.98, 0.9, 0.6])))
    for shares in (None, SHARES):
        c = stratify_means(cells, "y", shares).against(1, 0)
        low, high = c.effect_limits()
        assert float(np.mean((low <= 0) & (high >= 0))) == pytest.approx(0.95, abs=0.033)
        assert float(np.mean(c.variance_saved)) == pytest.approx(1 - within / (total * (1 - total)), abs=0.02)
        assert float(np.std(c.effect)) == pytest.approx(math.sqrt(2 * within / 3_000), rel=0.11)


def test_values_all_alike_and_offsets() -> None:
    zeros = [[np.zeros((9, 2)), np.zeros((9, 2))] for _ in range(2)]
    thirds = [[np.full((9, 2), 1e6 + 1 / 3), np.full((9, 2), 1e6 + 1 / 3)] for _ in range(2)]
    for rows in (zeros, thirds):
        c = stratify_means(by_arm(rows), "y").against(1, 0)
        assert (float(c.p_value), float(c.effect), float(c.effect_variance)) == (1.0, 0.0, 0.0)
    assert not bool(stratify_ratios(by_arm(zeros), "y", "z").against(1, 0).usable)
    follow = [
        [rows * [0.0, 1.0] + 0.3 * rows[:, 1:] * [1.0, 0.0] for rows in strata] for strata in draw([[9, 9], [9, 8]])
    ]
    assert float(stratify_ratios(by_arm(follow), "y", "z", [1, 2]).against(1, 0).p_value) == 1.0
    arms = [[np.round(rows * 2**20) / 2**20 for rows in strata] for strata in draw([[30, 40], [50, 25]], seed=8)]
    base = stratify_means(by_arm(arms), "y").against(1, 0)
    moved = stratify_means(by_arm([[rows + 2.0**20 for rows in strata] for strata in arms]), "y").against(1, 0)
    assert float(moved.effect) == pytest.approx(float(base.effect), rel=1e-8)
    assert float(moved.effect_variance) == pytest.approx(float(base.effect_variance), rel=1e-8)


@pytest.mark.parametrize(
    ("shares", "least", "words"),
    [
        ([0.5, 0.5], 5, "not shares of 3 strata"),
        ([0.5, -0.1, 0.6], 5, "not shares"),
        ([0, 0, 0], 5, "not shares"),
        (0.4, 5, "not shares"),
        (None, 1, "least size"),
    ],
)
def test_what_are_no_shares_is_said(shares: object, least: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        stratify_means(by_arm(draw([[9, 9, 9], [9, 9, 9]])), "y", shares, least=least)
    with pytest.raises(InputError, match="last two axes"):
        stratify_means(by_arm(draw([[9, 9, 9], [9, 9, 9]]))[0], "y")
