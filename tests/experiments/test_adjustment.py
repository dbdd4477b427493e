"""CUPED from moments against least squares on rows (statsmodels, numpy), influence functions, and another library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from statsmodels.regression.linear_model import OLS

from experiments.adjusting.adjustment import adjust_means, adjust_ratios, split_missing
from experiments.adjusting.arm_estimates import AdjustedContrast, MeanContrasts, fieller_limits
from experiments.basis.moments import Moments
from experiments.comparing.contrasts import MeanContrast
from proofsheet.domain.result import Status
from proofsheet.errors import InputError

Rows = NDArray[np.float64]
NAMES = ("y", "z", "x1", "x2")


def draw(sizes: Sequence[int], seed: int = 0, *, slopes: bool = True) -> list[Rows]:
    """Arms of numerator, denominator and two covariates; slopes and spreads differ by arm."""
    rng, arms = np.random.default_rng(seed), []
    for a, n in enumerate(sizes):
        x = rng.normal(size=(n, 2)) @ np.array([[1.0, 0.4], [0.0, 1.0]]) + [3.0, -2.0]
        z = 8.0 + x[:, 0] + 0.5 * a + rng.normal(size=n)
        y = 5.0 + a + x @ [2.0, -0.7 * (1 + a * slopes)] + 0.5 * z + rng.normal(size=n) * (1 + 0.3 * a)
        arms.append(np.column_stack([y, z, x]))
    return arms


def stack(arms: Sequence[Rows], names: Sequence[str] = NAMES) -> Moments:
    return Moments.stack([Moments.from_rows(rows, names) for rows in arms])


def design(arms: Sequence[Rows]) -> tuple[Rows, Rows, Rows]:
    """Outcome, indicator columns of the arms, covariates about their common mean."""
    rows = np.vstack(arms)
    which = np.repeat(np.arange(len(arms)), [len(a) for a in arms])
    return rows[:, 0], np.eye(len(arms))[which], rows[:, 2:] - rows[:, 2:].mean(axis=0)


def centred_variance(arms: Sequence[Rows]) -> Rows:
    """The variance of the covariates' common mean."""
    total = sum(len(a) for a in arms)
    return np.asarray(sum(len(a) * np.cov(a[:, 2:], rowvar=False) for a in arms) / total**2)


def test_pooled_coefficients_and_one_variance_are_analysis_of_covariance() -> None:
    arms = draw([40, 70, 55])
    y, which, x = design(arms)
    ols = OLS(y, np.column_stack([which, x])).fit()
    got = adjust_means(stack(arms), "y", ["x1", "x2"], equal_variances=True)
    for a, b in ((1, 0), (2, 0), (2, 1)):
        test = ols.t_test(np.eye(5)[a] - np.eye(5)[b])
        c = got.against(a, b)
        assert float(c.effect) == pytest.approx(test.effect[0], rel=1e-10)
        assert float(c.effect_variance) == pytest.approx(float(test.sd[0, 0]) ** 2, rel=1e-10)
        assert float(c.df) == pytest.approx(ols.df_resid)
        assert float(c.p_value) == pytest.approx(float(test.pvalue), rel=1e-9)
        assert np.ravel(c.effect_limits(0.05)) == pytest.approx(test.conf_int()[0], rel=1e-9)
    np.testing.assert_allclose(got.coefficients[:, :, 0], np.tile(ols.params[3:], (3, 1)), rtol=1e-10)


def test_coefficients_by_arm_are_lins_regression_and_the_variance_of_the_common_mean() -> None:
    arms = draw([40, 60])
    y, which, x = design(arms)
    full = np.column_stack([which, x * which[:, :1], x * which[:, 1:]])
    got = adjust_means(stack(arms), "y", ["x1", "x2"], coefficients="by_arm", equal_variances=True)
    ols = OLS(y, full).fit()
    apart = ols.params[4:6] - ols.params[2:4]
    common = float(apart @ centred_variance(arms) @ apart)
    test, c = ols.t_test([-1, 1, 0, 0, 0, 0]), got.against(1, 0)
    assert float(c.effect) == pytest.approx(test.effect[0], rel=1e-10)
    assert float(c.effect_variance) == pytest.approx(float(test.sd[0, 0]) ** 2 + common, rel=1e-10)
    assert common > 0.02 * float(c.effect_variance)  # left out, the interval would be too short
    # Each arm by itself, its own variance: the prediction of a regression on that arm's rows at the common mean.
    own = adjust_means(stack(arms), "y", ["x1", "x2"], coefficients="by_arm")
    for a, rows in enumerate(arms):
        alone = OLS(rows[:, 0], np.column_stack([np.ones(len(rows)), rows[:, 2:]])).fit()
        at = np.r_[1.0, np.vstack(arms)[:, 2:].mean(axis=0)]
        assert float(own.estimates.value[a]) == pytest.approx(float(at @ alone.params), rel=1e-10)
        within = float(own.estimates.covariance[a, a] - alone.params[1:] @ centred_variance(arms) @ alone.params[1:])
        assert within == pytest.approx(float(at @ alone.cov_params() @ at), rel=1e-9)
        assert float(own.estimates.df[a]) == pytest.approx(alone.df_resid)


@pytest.mark.parametrize("coefficients", ["pooled", "by_arm"])
def test_own_variances_are_near_the_sandwich_on_rows(coefficients: str) -> None:
    arms = draw([3_000, 5_000])
    y, which, x = design(arms)
    columns = [which, x] if coefficients == "pooled" else [which, x * which[:, :1], x * which[:, 1:]]
    sandwich = OLS(y, np.column_stack(columns)).fit(cov_type="HC2")
    got = adjust_means(stack(arms), "y", ["x1", "x2"], coefficients=coefficients)
    c = got.against(1, 0)
    apart = got.coefficients[1, :, 0] - got.coefficients[0, :, 0]
    variance = float(c.effect_variance) - float(apart @ centred_variance(arms) @ apart)
    contrast = np.r_[-1.0, 1.0, np.zeros(sandwich.params.size - 2)]
    assert variance == pytest.approx(float(contrast @ sandwich.cov_params() @ contrast), rel=2e-3)
    assert float(c.effect) == pytest.approx(float(contrast @ sandwich.params), rel=1e-10)


@pytest.mark.parametrize("coefficients", ["pooled", "by_arm"])
@pytest.mark.parametrize("ratio", [False, True])
def test_the_whole_covariance_is_that_of_the_influence_functions(coefficients: str, ratio: bool) -> None:
    """Every unit's share in every arm's value, on rows by numpy: residuals in its own arm, covariates in all."""
    arms = draw([4_000, 2_500, 3_000], seed=1)
    total = sum(len(a) for a in arms)
    pick = ["x1", "x2"]
    got = (
        adjust_ratios(stack(arms), "y", "z", pick, coefficients=coefficients)
        if ratio
        else adjust_means(stack(arms), "y", pick, coefficients=coefficients)
    )
    outcomes, x = [a[:, :2] for a in arms], [a[:, 2:] for a in arms]
    gaps = [(o - o.mean(axis=0), v - v.mean(axis=0)) for o, v in zip(outcomes, x, strict=True)]
    if coefficients == "pooled":
        b = [np.linalg.lstsq(np.vstack([v for _, v in gaps]), np.vstack([o for o, _ in gaps]))[0]] * 3
    else:
        b = [np.linalg.lstsq(v, o)[0] for o, v in gaps]
    centre = np.vstack(x).mean(axis=0)
    means = [o.mean(axis=0) - (v.mean(axis=0) - centre) @ s for o, v, s in zip(outcomes, x, b, strict=True)]
    weigh = [np.array([1.0, -m[0] / m[1]]) / m[1] if ratio else np.array([1.0, 0.0]) for m in means]
    expected = np.zeros((3, 3))
    for c, (o, v) in enumerate(gaps):  # units of arm c
        share = np.column_stack([v @ b[a] @ weigh[a] / total for a in range(3)])
        share[:, c] += (o - v @ b[c]) @ weigh[c] / len(o)
        expected += share.T @ share
    np.testing.assert_allclose(got.estimates.covariance, expected, rtol=3e-3, atol=2e-3 * expected.max())
    values = [m[0] / m[1] if ratio else m[0] for m in means]
    np.testing.assert_allclose(got.estimates.value, values, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("coefficients", ["pooled", "by_arm"])
def test_variances_agree_with_the_bootstrap(coefficients: str) -> None:
    """Of effect, control and their covariance, which the lift's interval needs; units drawn within arms."""
    arms = draw([500, 700], seed=2)
    rng = np.random.default_rng(3)
    again = Moments.stack(
        [Moments.from_rows(rows[rng.integers(0, len(rows), size=(3_000, len(rows)))], NAMES) for rows in arms]
    )
    for fit in (
        lambda m: adjust_means(m, "y", ["x1", "x2"], coefficients=coefficients),
        lambda m: adjust_ratios(m, "y", "z", ["x1", "x2"], coefficients=coefficients),
    ):
        told, seen = fit(stack(arms)).estimates.covariance, np.cov(fit(again).estimates.value, rowvar=False)
        effect = np.array([-1.0, 1.0])
        assert effect @ told @ effect == pytest.approx(effect @ seen @ effect, rel=0.1)
        np.testing.assert_allclose(np.diag(told), np.diag(seen), rtol=0.1)
        assert told[0, 1] == pytest.approx(seen[0, 1], abs=0.1 * seen[0, 0])


def recorded_arms(shift: int) -> Moments:
    """Data without a random generator, so that another library's numbers for them can be written down."""
    arms = []
    for arm in (0, 1):
        i = np.arange(800) + shift * arm
        x, w, e = (i * 7919 % 1009) / 100.0, 1.0 + i * 31 % 7, (i * (104729 + 2 * arm) % 997) / 997.0 - 0.5
        z = w + i * 13 % 5 + arm * (i % 3 == 0)
        arms.append(np.column_stack([2.0 * x + 6.0 * e + 0.5 * arm + z, z, x, w]))
    return stack(arms, ("y", "z", "x", "w"))


# tea-tasting 1.14.0 on these rows, Mean("y", "x") and RatioOfMeans("y", "z", "x", "w"): control, treatment, statistic.
TEA_TASTING = {
    (0, "raw"): (16.070781068204614, 16.927956344032097, 2.605253007189236),
    (0, "mean"): (16.070781068204614, 16.927956344032097, 5.662695460628924),
    (0, "raw ratio"): (2.68013859799118, 2.6742427083778986, -0.09868181316911409),
    (0, "ratio"): (2.68013859799118, 2.6742427083778986, -0.22249784101513606),
    (37, "raw"): (16.070781068204614, 16.92798452858576, 2.6091017247091064),
    (37, "mean"): (16.065683329000603, 16.93308226778977, 5.721436919460882),
    (37, "raw ratio"): (2.68013859799118, 2.6721364686007516, -0.13416260516509892),
    (37, "ratio"): (2.678336712671433, 2.673935540233241, -0.16606406044739563),
}


@pytest.mark.parametrize("shift", [0, 37])
def test_agrees_with_tea_tasting(shift: int) -> None:
    """With shift 0 both arms have the same covariates, and the two differ by degrees of freedom only (798.5 for 799).

    That library takes one coefficient from total covariances, and for ratios that of the pre-period ratio, which is
    one covariate here: ``x - R w``.
    """
    arms = recorded_arms(shift)
    rate = float(arms.total().mean[2] / arms.total().mean[3])
    linear = arms.combine([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -rate]], ("y", "z", "pre"))
    exact = shift == 0
    for kind, got, df in (
        ("raw", adjust_means(arms, "y", []), 1.0),
        ("mean", adjust_means(arms, "y", ["x"]), 798.5 / 799),
        ("raw ratio", adjust_ratios(arms, "y", "z", []), 1.0),
        ("ratio", adjust_ratios(linear, "y", "z", ["pre"]), 798.5 / 799),
    ):
        control, arm, statistic = TEA_TASTING[shift, kind]
        c, one = got.against(1, 0), df == 1.0
        near = 1e-12 if one or exact else 2e-5
        assert (float(c.control), float(c.arm)) == pytest.approx((control, arm), rel=near)
        told = float(np.sqrt(c.effect_variance * df))
        tight = 1e-10 if one or (exact and kind == "mean") else 2e-4
        assert told == pytest.approx((arm - control) / statistic, rel=tight)


def test_the_standard_error_falls_by_the_root_of_one_minus_r_squared() -> None:
    """R² = 0.64 by construction for the mean; the reported error over the unadjusted one, 50 tests of 2 × 4,000."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(50, 2, 4_000, 2))
    y = 3.0 + x @ [1.2, 0.7333] + rng.normal(size=x.shape[:-1]) * math.sqrt((1.2**2 + 0.7333**2) * 0.36 / 0.64)
    arms = Moments.from_rows(np.concatenate([y[..., None], x], axis=-1), ("y", "x1", "x2"))
    c = adjust_means(arms, "y", ["x1", "x2"]).against(1, 0)
    assert float(np.mean(np.sqrt(1.0 - c.variance_saved))) == pytest.approx(0.6, rel=0.02)
    assert float(np.std(c.effect)) == pytest.approx(0.6 * math.sqrt(2 * 1.9777 / 0.64 / 4_000), rel=0.25)
    assert abs(float(np.mean(c.effect))) < 4 * float(np.std(c.effect)) / math.sqrt(50)


def test_columns_that_tell_nothing_new_are_left_out_and_named() -> None:
    arms = [np.column_stack([a, a[:, 2] + a[:, 3], a[:, 2] * 1e6 + 3.0, np.full(len(a), 1e9)]) for a in draw([50, 60])]
    names = (*NAMES, "sum", "copy", "constant")
    full = stack(arms, names)
    plain = adjust_means(full, "y", ["x1", "x2"])
    more = adjust_means(full, "y", ["x1", "x2", "sum", "copy", "constant"])
    np.testing.assert_allclose(more.estimates.covariance, plain.estimates.covariance, rtol=1e-9)
    np.testing.assert_allclose(more.estimates.value, plain.estimates.value, rtol=1e-10)
    assert plain.note() == ""
    assert more.note().endswith("sum, copy, constant.")
    assert more.used[0].tolist() == [True, True, False, False, False]
    contrast = more.contrast(1, 0)
    assert contrast is not None
    assert "constant" in contrast.note
    assert "took" in contrast.note
    # Whichever of the three is left out, the fit is the same.
    other = adjust_means(full, "y", ["sum", "copy", "x2"])
    np.testing.assert_allclose(other.estimates.covariance, plain.estimates.covariance, rtol=1e-9)
    assert other.used[0].sum() == 2


def test_the_answer_does_not_hang_on_units_or_on_an_offset() -> None:
    arms = [np.round(a * 2**20) / 2**20 for a in draw([60, 80])]
    base = adjust_means(stack(arms), "y", ["x1", "x2"]).against(1, 0)
    moved = [a * [1, 1, 1, 1024] + [0, 0, 2.0**30, 0] for a in arms]
    again = adjust_means(stack(moved), "y", ["x1", "x2"]).against(1, 0)
    assert float(again.effect) == pytest.approx(float(base.effect), rel=1e-9)
    assert float(again.effect_variance) == pytest.approx(float(base.effect_variance), rel=1e-9)
    money = adjust_means(stack([a * [100, 1, 1, 1] for a in arms]), "y", ["x1", "x2"]).against(1, 0)
    assert float(money.p_value) == pytest.approx(float(base.p_value), rel=1e-9)
    assert np.ravel(money.lift_limits()) == pytest.approx(np.ravel(base.lift_limits()), rel=1e-9)
    swapped = adjust_means(stack(arms[::-1]), "y", ["x1", "x2"]).against(0, 1)
    assert float(swapped.effect) == pytest.approx(float(base.effect), rel=1e-9)
    reverse = adjust_means(stack(arms), "y", ["x1", "x2"]).against(0, 1)
    assert float(reverse.effect) == -float(base.effect)
    assert float(reverse.p_value) == float(base.p_value)


def test_units_without_a_history_stay_in_whatever_stands_for_it() -> None:
    rng = np.random.default_rng(5)
    fits = []
    for filler in (0.0, 77.0):
        arms = []
        for a, rows in enumerate(draw([300, 400], seed=6)):
            gone = np.random.default_rng(a).random(len(rows)) < 0.3
            value, missing = split_missing(np.where(gone, np.nan, rows[:, 2]))
            assert missing.tolist() == gone.astype(float).tolist()
            arms.append(np.column_stack([rows[:, 0], np.where(gone, filler, value), missing]))
        fits.append(adjust_means(stack(arms, ("y", "x", "new")), "y", ["x", "new"]))
    np.testing.assert_allclose(fits[0].estimates.covariance, fits[1].estimates.covariance, rtol=1e-9)
    np.testing.assert_allclose(fits[0].estimates.value, fits[1].estimates.value, rtol=1e-9)
    assert float(fits[0].against(1, 0).variance_saved) > 0.2
    nobody = stack([np.column_stack([rng.normal(size=(50, 2)), np.zeros(50)]) for _ in range(2)], ("y", "x", "new"))
    assert "new" in adjust_means(nobody, "y", ["x", "new"]).note()


@pytest.mark.parametrize("coefficients", ["pooled", "by_arm"])
def test_too_few_units_give_the_plain_estimate_or_none(coefficients: str) -> None:
    few = adjust_means(stack(draw([3, 400])), "y", ["x1", "x2"], coefficients=coefficients)
    assert bool(few.estimates.usable.all())
    if coefficients == "by_arm":
        assert few.used.tolist() == [[False, False], [True, True]]
        assert float(few.estimates.value[0]) == pytest.approx(draw([3, 400])[0][:, 0].mean())
    for sizes in ([1, 50], [0, 50], [50, 0], [1, 1], [0, 0]):
        got = adjust_means(stack(draw(sizes)), "y", ["x1", "x2"], coefficients=coefficients)
        c = got.against(1, 0)
        assert not bool(c.usable)
        assert float(c.p_value) == 1.0
        assert np.ravel(c.effect_limits()).tolist() == [-math.inf, math.inf]
        assert np.ravel(c.lift_limits()).tolist() == [-math.inf, math.inf]
        assert float(c.variance_saved) == 0.0
        assert got.contrast(1, 0) is None
        assert np.isfinite(got.estimates.value).all()
        assert not np.isnan(got.estimates.covariance).any()
    tiny = adjust_means(stack(draw([2, 2])), "y", ["x1", "x2"], coefficients=coefficients)
    assert not tiny.used.any()
    assert "too many" in tiny.note()


def test_outcomes_told_in_full_have_no_variance_and_say_so() -> None:
    arms = [np.column_stack([0.3 * a[:, 2] - 1.7 * a[:, 3], a[:, 1:]]) for a in draw([50, 60])]
    got = adjust_means(stack(arms), "y", ["x1", "x2"])
    contrast = got.contrast(1, 0)
    assert got.estimates.own_variance.tolist() == [0.0, 0.0]
    assert float(got.against(1, 0).p_value) == 1.0
    assert contrast is not None
    assert contrast.status is Status.NO_VARIANCE
    assert contrast.p_value is None
    assert contrast.lift_limits(0.05) is None
    follow = [np.column_stack([0.3 * a[:, 1], a[:, 1:]]) for a in draw([50, 60])]  # one ratio for every unit
    thirds = [np.column_stack([np.full(len(a), 1e6 + 1 / 3), a[:, 1:]]) for a in draw([50, 60])]
    for columns in ([], ["x1", "x2"]):
        for coefficients in ("pooled", "by_arm"):
            for none in (
                adjust_ratios(stack(follow), "y", "z", columns, coefficients=coefficients),
                adjust_means(stack(thirds), "y", columns, coefficients=coefficients),
            ):
                assert none.estimates.own_variance.tolist() == [0.0, 0.0]
                assert float(none.against(1, 0).p_value) == 1.0
    same = [np.ones((20, 4)) * [0.0, 0.0, 1.0, 1.0] for _ in range(2)]
    assert not bool(adjust_ratios(stack(same), "y", "z", ["x1"]).against(1, 0).usable)
    zero = adjust_means(stack(same), "y", ["x1"]).against(1, 0)
    assert float(zero.p_value) == 1.0
    assert float(zero.lift) == math.inf


def test_a_stack_of_experiments_is_each_of_them() -> None:
    """Also when one of them lacks an arm, another a covariate."""
    every = [draw([30, 40], seed=s) for s in range(6)]
    every[2] = draw([30, 0], seed=2)
    every[3] = [a * [1, 1, 0, 1] for a in every[3]]
    every[4] = draw([3, 2], seed=4)
    flat = [stack(arms) for arms in every]
    parts = {name: np.stack([getattr(m, name) for m in flat]) for name in ("n", "mean", "cross", "mean_rest")}
    for coefficients in ("pooled", "by_arm"):
        for equal in (False, True):
            options = {"coefficients": coefficients, "equal_variances": equal}
            whole = adjust_ratios(Moments(names=NAMES, **parts), "y", "z", ["x1", "x2"], **options)
            for i, m in enumerate(flat):
                one = adjust_ratios(m, "y", "z", ["x1", "x2"], **options)
                a, b = whole.against(1, 0), one.against(1, 0)
                for name in ("effect", "effect_variance", "lift", "p_value", "df", "variance_saved"):
                    assert float(getattr(a, name)[i]) == pytest.approx(float(getattr(b, name)), rel=1e-9), name
                np.testing.assert_allclose([v[i] for v in a.lift_limits()], np.ravel(b.lift_limits()), rtol=1e-9)
                assert whole.note(i) == one.note()


numbers = st.floats(-5, 5)
variances = st.floats(1e-3, 4)


@given(arm=numbers, base=numbers, v1=variances, v0=variances, rho=st.floats(-0.95, 0.95), alpha=st.floats(0.001, 0.3))
@settings(max_examples=200, deadline=None)
def test_test_and_intervals_agree_with_a_covariance(
    arm: float, base: float, v1: float, v0: float, rho: float, alpha: float
) -> None:
    covariance = rho * math.sqrt(v1 * v0)
    c = AdjustedContrast(
        arm=arm, control=base, arm_variance=v1, control_variance=v0, covariance=covariance, df=25.0, method=""
    )
    many = MeanContrasts(
        **{
            name: np.array(value)
            for name, value in {
                "arm": arm,
                "control": base,
                "arm_variance": v1,
                "control_variance": v0,
                "covariance": covariance,
                "df": 25.0,
                "plain_variance": v1 + v0,
                "usable": True,
            }.items()
        },
        method="",
    )
    p, effect, lift = c.p_value, c.effect_limits(alpha), c.lift_limits(alpha)
    assert p is not None
    assert effect is not None
    assert float(many.p_value) == pytest.approx(p, rel=1e-9)
    assert np.ravel(many.effect_limits(alpha)) == pytest.approx(effect, rel=1e-9)
    if abs(p - alpha) < 1e-9:
        return
    assert (p < alpha) == (not effect[0] <= 0.0 <= effect[1])
    if lift is not None:
        assert np.ravel(many.lift_limits(alpha)) == pytest.approx(lift, rel=1e-9)
        assert (p < alpha) == (not lift[0] <= 0.0 <= lift[1])
        critical = (effect[1] - effect[0]) / 2 / math.sqrt(v1 + v0 - 2 * covariance)
        for t in lift:  # at its limits the statistic of arm - (1 + t) control is critical
            g = 1.0 + t * math.copysign(1.0, base)
            z = (arm - g * base) ** 2 / (v1 + g * g * v0 - 2 * g * covariance)
            assert z == pytest.approx(critical**2, rel=1e-5)
    else:
        low, high = (float(limit) for limit in many.lift_limits(alpha))
        assert low == -math.inf or high == math.inf
        if base:  # even a set without end leaves out 0 exactly when the effect is clear of it
            assert (p < alpha) == (not low <= 0.0 <= high)
        else:
            assert (low, high) == (-math.inf, math.inf)
    assert many.at() == replace(c, method="")


def test_without_covariance_it_is_the_mean_contrast() -> None:
    parts = {"arm": -1.2, "control": -2.0, "arm_variance": 0.02, "control_variance": 0.05, "df": 31.0, "method": "m"}
    one, other = MeanContrast(**parts), AdjustedContrast(**parts)
    assert other.lift_limits(0.05) == pytest.approx(one.lift_limits(0.05), rel=1e-12)
    assert other.effect_limits(0.1) == one.effect_limits(0.1)
    assert (other.p_value, other.control_share, other.chance) == (one.p_value, one.control_share, one.chance)


def test_contrasts_share_the_controls_variance_as_told() -> None:
    """The control's share gives the correlation of two contrasts, for Dunnett's correction."""
    got = adjust_means(stack(draw([900, 700, 800], seed=8, slopes=False)), "y", ["x1", "x2"])
    v = got.estimates.covariance
    for arm, other in ((1, 2), (2, 1)):
        contrast = got.contrast(arm, 0)
        assert contrast is not None
        common = float(v[0, 0] - v[arm, 0] - v[other, 0] + v[arm, other])
        assert contrast.control_share * float(got.against(arm, 0).effect_variance) == pytest.approx(common, rel=0.03)
        assert v[arm, 0] > 0.2 * v[0, 0]


@pytest.mark.slow
def test_lift_of_adjusted_means_holds_its_level_with_a_strong_covariate_and_a_large_lift() -> None:
    """R² 0.83, slopes that grow with the lift of 60 %. With the common covariate mean taken as fixed the lift would
    cover 97.5 % (pooled) and the effect 91.4 % (by arm)."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(4_000, 2, 150, 1))
    y = np.array([5.0, 8.0])[:, None] + x[..., 0] * np.array([2.0, 3.2])[:, None] + rng.normal(size=x.shape[:-1])
    arms = Moments.from_rows(np.concatenate([y[..., None], x], axis=-1), ("y", "x"))
    for coefficients in ("pooled", "by_arm"):
        got = adjust_means(arms, "y", ["x"], coefficients=coefficients)
        low, high = got.against(1, 0).lift_limits()
        assert float(np.mean((low <= 0.6) & (high >= 0.6))) == pytest.approx(0.95, abs=0.012)
        low, high = got.against(1, 0).effect_limits()
        assert float(np.mean((low <= 3.0) & (high >= 3.0))) == pytest.approx(0.95, abs=0.012)


def test_far_tails_are_small_and_never_zero() -> None:
    low, high = fieller_limits(1.0, 1.0, 0.1, 0.1, 0.0, 1e3)
    assert (float(low), float(high)) == (-math.inf, math.inf)
    arms = [np.column_stack([np.arange(900.0) % 7 + 1e4 * a, np.arange(900.0) % 5]) for a in range(2)]
    p = float(adjust_means(stack(arms, ("y", "x")), "y", ["x"]).against(1, 0).p_value)
    assert 0.0 < p < 1e-300


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: adjust_means(m, "y", ["q"]), "no column 'q'"),
        (lambda m: adjust_means(m, "y", ["x1", "y"]), "its own covariate"),
        (lambda m: adjust_ratios(m, "y", "z", ["z"]), "its own covariate"),
        (lambda m: adjust_means(m, "y", ["x1"], coefficients="none"), "not known"),
        (lambda m: adjust_means(m[0], "y", ["x1"]), "no axis of two or more arms"),
        (lambda m: adjust_means(m, "y", ["x1"]).against(0, 0), "Arm 0 against 0"),
        (lambda m: adjust_means(m, "y", ["x1"]).against(2, 0), "of 2 arms"),
        (lambda m: adjust_means(m, "y", ["x1"]).against(1, 0).effect_limits(1.0), "alpha is 1.0"),
    ],
)
def test_what_cannot_be_asked_is_said(call: object, words: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=words):
        call(stack(draw([20, 20])))


def test_no_covariates_is_welch_on_the_plain_means() -> None:
    arms = draw([30, 45])
    c = adjust_means(stack(arms), "y", []).against(1, 0)
    y = [a[:, 0] for a in arms]
    expected = stats.ttest_ind(y[1], y[0], equal_var=False)
    assert float(c.p_value) == pytest.approx(float(expected.pvalue), rel=1e-10)
    assert float(c.df) == pytest.approx(float(expected.df), rel=1e-10)
    assert float(c.variance_saved) == 0.0
