"""CUPED: means and ratios adjusted for what was known of the units before the test, from moments alone.

Of each arm ``a`` with n_a units the mean outcome is moved to where all arms' covariates are,

    adjusted_a = mean(y)_a - B_a' (mean(x)_a - mean(x)),

with B from least squares within arms: one for all arms ("pooled": Deng, Xu, Kohavi and Walker, WSDM 2013, with several
covariates; ANCOVA), or one for each ("by_arm": Lin, Annals of Applied Statistics 2013). The difference of two arms
keeps its expectation under random assignment whatever B is, and loses the share R² of its variance.

Covariates must be fixed before the unit could see an arm. A ratio metric is adjusted in numerator and denominator
together, both by all covariates (its own pre-period numerator and denominator among them), and the delta method is
applied to the joint covariance of the adjusted means (Deng, Knoblich and Lu, KDD 2018). To first order this is the
regression of the linearised ratio on the covariates, so it saves at least as much as one pre-period ratio does.

Variance of the adjusted means, with residuals ``r = y - B_a' x`` and E_a their cross products:

- ``E_a / (nu_a n_a)`` of each arm's own residuals, ``nu_a = n_a - 1 - trace(inv(Cxx) Cxx_a)``;
- what the error of B adds, by the distance of the arm's covariates from the whole;
- what the common covariate mean adds, as all arms are moved to the sample's and not to the population's:
  ``Cov(mean(r)_a, mean(x)) B_b + B_a' Cov(mean(x), mean(r)_b) + B_a' Var(mean(x)) B_b``. With pooled coefficients it
  is equal in all arms and drops out of the difference, but not out of the lift; with coefficients by arm the term
  ``(B_1 - B_0)' Var(mean(x)) (B_1 - B_0)`` stays in the difference too (Negi and Wooldridge, Econometric Reviews 2021),
  without which Lin's interval speaks of the units in the test only.

The lift is the difference of adjusted values over the adjusted control's, with Fieller's interval from the full
covariance of both: the gradient counts that the control's value was adjusted as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.adjusting.arm_estimates import AdjustedContrast, ArmEstimates, MeanContrasts, ratio_gradient
from experiments.basis.least_squares import fit
from experiments.basis.moments import Moments
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

COEFFICIENTS = ("pooled", "by_arm")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdjustedArms:
    """Adjusted values of all arms, and how they were adjusted.

    Args:
        estimates: values with their covariance, shape (…, A).
        coefficients: of covariates for outcomes, shape (…, A, p, m); equal over arms when pooled, zero where unused.
        used: covariates that were used, shape (…, A, p): not those that are constant or told by others, and none
            where an arm would keep less than one degree of freedom.
    """

    estimates: ArmEstimates
    covariates: tuple[str, ...]
    coefficients: Array
    used: Flags

    def against(self, arm: int, control: int) -> MeanContrasts:
        """One arm against the control, in every experiment of the stack."""
        return self.estimates.against(arm, control)

    def contrast(self, arm: int, control: int, index: Any = ()) -> AdjustedContrast | None:
        """One experiment's contrast for result rows, with what was saved and left out in its note."""
        contrasts = self.against(arm, control)
        saved = float(contrasts.variance_saved[index])
        note = f"Adjusting took {saved:.1%} off the variance of the difference." if self.used[index].any() else ""
        return contrasts.at(index, note=" ".join(part for part in (note, self.note(index)) if part))

    def note(self, index: Any = ()) -> str:
        """Which covariates were left out in an experiment, and why; empty when all were used."""
        used = self.used[index].all(axis=-2)
        unused = [name for name, flag in zip(self.covariates, used.tolist(), strict=True) if not flag]
        if not unused:
            return ""
        listed = ", ".join(unused)
        return f"Left out of the adjustment, as constant, told by the others or too many for the units: {listed}."


def adjust_means(
    arms: Moments,
    outcome: str,
    covariates: Sequence[str],
    *,
    coefficients: str = "pooled",
    equal_variances: bool = False,
) -> AdjustedArms:
    """Means of all arms adjusted for covariates.

    Args:
        arms: moments of outcome and covariates, stack shape (…, A) with the arms last.
        covariates: columns known before the test; none gives the unadjusted means.
        coefficients: "pooled" or "by_arm".
        equal_variances: one residual variance for all arms, as in ANCOVA by least squares, instead of one for each.

    Raises:
        InputError: a column or an option is not known, the outcome is its own covariate, or there are no arms.
    """
    return _adjust(arms, (outcome,), covariates, coefficients, equal_variances)


def adjust_ratios(
    arms: Moments,
    numerator: str,
    denominator: str,
    covariates: Sequence[str],
    *,
    coefficients: str = "pooled",
    equal_variances: bool = False,
) -> AdjustedArms:
    """Ratios of sums of all arms, numerator and denominator both adjusted for all covariates; see ``adjust_means``.

    An arm whose adjusted denominator is zero has no ratio and is not usable.
    """
    return _adjust(arms, (numerator, denominator), covariates, coefficients, equal_variances)


def split_missing(values: ArrayLike) -> tuple[Array, Array]:
    """A covariate that some units lack, as two that none lacks: the value with 0 where missing, and 1 where missing.

    Units without a history stay in the test: the indicator gives them an intercept of their own, and the fit is the
    same whatever constant stands for the missing value. In a warehouse: ``coalesce(x, 0)`` and
    ``cast(x is null as integer)``. Whether a unit has a history must itself be fixed before the test.
    """
    values = np.asarray(values, dtype=float)
    missing = np.isnan(values)
    return np.where(missing, 0.0, values), missing.astype(float)


def _adjust(
    arms: Moments, outcomes: tuple[str, ...], covariates: Sequence[str], coefficients: str, equal_variances: bool
) -> AdjustedArms:
    _check(arms, outcomes, covariates, coefficients)
    m, names = len(outcomes), tuple(covariates)
    columns = arms.pick([*outcomes, *names])
    n, cross = columns.n, columns.cross
    cyy, cxy, cxx = cross[..., :m, :m], cross[..., m:, :m], cross[..., m:, m:]
    noise = n[..., None] * (np.abs(columns.mean[..., m:]) * 1e-12) ** 2
    b, inverse, used, df = _coefficients(n, cxx, cxy, noise, pooled=coefficients == "pooled")
    bt = np.swapaxes(b, -1, -2)
    alike = n[..., None] * (np.abs(columns.mean[..., :m]) * 1e-12) ** 2
    residual = _without_noise(cyy - bt @ cxy - np.swapaxes(cxy, -1, -2) @ b + bt @ cxx @ b, cyy, alike)
    apart = columns.distances(axis=-1)[..., m:]
    value = columns.mean[..., :m] - (bt @ apart[..., None])[..., 0]
    usable = (n >= 2) & (df > 0)
    spread = residual / np.where(usable, df, 1.0)[..., None, None]
    pooled_df = None
    if equal_variances:
        pooled_df = np.where(usable, df, 0.0).sum(axis=-1)
        common = residual.sum(axis=-3) / np.maximum(pooled_df, 1.0)[..., None, None]
        spread = np.broadcast_to(common[..., None, :, :], spread.shape)
        usable = (n >= 1) & (pooled_df >= 1)[..., None]
    own = spread / np.maximum(n, 1.0)[..., None, None]
    joint = _of_coefficients(apart, inverse, cxx, spread, pooled=coefficients == "pooled")
    joint += _of_common_mean(n, b, cxx, cxy - cxx @ b)
    joint += np.einsum("...aij,ab->...aibj", own, np.eye(n.shape[-1]))
    plain = cyy / (np.maximum(n - 1.0, 1.0) * np.maximum(n, 1.0))[..., None, None]
    kind = "means" if m == 1 else "ratios"
    label = "t" if equal_variances else "Welch t"
    method = f"{label} on {kind} adjusted for {len(names)} covariate{'s' * (len(names) != 1)}, Fieller interval"
    estimates = _estimates(columns.mean[..., :m], plain, value, joint, own, df, usable, method, pooled_df)
    return AdjustedArms(estimates=estimates, covariates=names, coefficients=b, used=used)


def _coefficients(n: Array, cxx: Array, cxy: Array, noise: Array, *, pooled: bool) -> tuple[Array, Array, Flags, Array]:
    """Coefficients, inverse, columns used and residual degrees of freedom of every arm."""
    if pooled:
        whole = fit(cxx.sum(axis=-3), cxy.sum(axis=-3), noise.sum(axis=-2))
        b, inverse = (
            np.broadcast_to(part[..., None, :, :], of.shape)
            for part, of in ((whole.coefficients, cxy), (whole.inverse, cxx))
        )
        used = np.broadcast_to(whole.used[..., None, :], noise.shape)
    else:
        each = fit(cxx, cxy, noise)
        b, inverse, used = each.coefficients, each.inverse, each.used
    df = n - 1.0 - np.einsum("...ij,...ji->...", inverse, cxx)
    starved = (n >= 2) & (df < 1.0 - 1e-6)
    if pooled:
        starved = np.broadcast_to(starved.any(axis=-1, keepdims=True), n.shape)
    off = starved[..., None, None]
    b, inverse = np.where(off, 0.0, b), np.where(off, 0.0, inverse)
    return b, inverse, used & ~starved[..., None], np.maximum(np.where(starved, n - 1.0, df), 0.0)


def _without_noise(residual: Array, total: Array, alike: Array) -> Array:
    """Residual cross products without what is only rounding: outcomes all alike, or told in full, do not vary."""
    left = np.diagonal(residual, axis1=-2, axis2=-1) > 1e-13 * np.diagonal(total, axis1=-2, axis2=-1) + alike
    return np.where(left[..., :, None] & left[..., None, :], residual, 0.0)


def _of_coefficients(apart: Array, inverse: Array, cxx: Array, spread: Array, *, pooled: bool) -> Array:
    """What the error of the coefficients adds to the covariance of arms and outcomes, shape (…, A, m, A, m)."""
    if pooled:
        one = inverse[..., 0, :, :]
        middle = np.einsum("...cij,...cqr->...ijqr", spread, cxx)
        moved = apart @ one
        return np.asarray(np.einsum("...aq,...ijqr,...br->...aibj", moved, middle, moved, optimize=True))
    reach = np.einsum("...aq,...aqr,...ar->...a", apart, inverse, apart)
    return np.asarray(np.einsum("...a,...aij,ab->...aibj", reach, spread, np.eye(apart.shape[-2])))


def _of_common_mean(n: Array, b: Array, cxx: Array, cxr: Array) -> Array:
    """What the sample's covariate mean adds, shape (…, A, m, A, m); ``cxr``: covariates with residuals."""
    total = np.maximum(n.sum(axis=-1), 1.0)
    rest = np.maximum(n - 1.0, 1.0)
    single = np.einsum("...aqi,...bqj->...aibj", cxr / rest[..., None, None], b) / total[..., None, None, None, None]
    both = single + np.einsum("...aibj->...bjai", single)
    mean = np.einsum("...a,...aqr->...qr", n / rest, cxx) / (total**2)[..., None, None]
    return np.asarray(both + np.einsum("...aqi,...qr,...brj->...aibj", b, mean, b, optimize=True))


def _estimates(
    plain_value: Array,
    plain: Array,
    value: Array,
    joint: Array,
    own: Array,
    df: Array,
    usable: Flags,
    method: str,
    pooled_df: Array | None,
) -> ArmEstimates:
    """From means of one outcome, or of numerator and denominator, to one value for each arm by the delta method."""
    gradient = plain_gradient = np.ones_like(value)
    result = value[..., 0]
    if value.shape[-1] == 2:
        result, gradient, exists = ratio_gradient(value)
        _, plain_gradient, plain_exists = ratio_gradient(plain_value)
        usable = usable & exists & plain_exists
    covariance = np.einsum("...ai,...aibj,...bj->...ab", gradient, joint, gradient, optimize=True)
    # Where numerators follow their denominators exactly, what is left of large parts is rounding.
    parts = np.einsum("...ai,...aiai->...a", gradient**2, joint)
    covariance = np.where(covariance**2 > 1e-26 * parts[..., :, None] * parts[..., None, :], covariance, 0.0)
    own_variance = np.einsum("...ai,...aij,...aj->...a", gradient, own, gradient)
    own_parts = np.einsum("...ai,...aii->...a", gradient**2, own)
    eye = np.eye(usable.shape[-1], dtype=bool)
    return ArmEstimates(
        value=result,
        covariance=np.where(eye & ~usable[..., None], np.inf, covariance),
        own_variance=np.where(own_variance > 1e-13 * own_parts, own_variance, 0.0),
        df=df,
        plain_variance=np.einsum("...ai,...aij,...aj->...a", plain_gradient, plain, plain_gradient),
        usable=usable,
        method=method,
        pooled_df=pooled_df,
    )


def _check(arms: Moments, outcomes: tuple[str, ...], covariates: Sequence[str], coefficients: str) -> None:
    if coefficients not in COEFFICIENTS:
        raise InputError(
            f"The coefficients {coefficients!r} are not known.", f"Choose one of: {', '.join(COEFFICIENTS)}."
        )
    if not arms.n.ndim or arms.n.shape[-1] < 2:
        raise InputError("The moments have no axis of two or more arms.", "Stack the arms: Moments.stack([...]).")
    doubled = [name for name in covariates if name in outcomes]
    if doubled:
        raise InputError(
            f"{doubled[0]!r} is an outcome and its own covariate.", "Adjust by what was known before the test only."
        )
