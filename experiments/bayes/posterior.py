"""What a test says of an effect once a prior has had its say: Bayes' rule for an estimate with a standard error.

The estimate ``x`` is taken as normal around the true effect with a known standard error ``s`` (as it is, nearly, for
differences and lifts of large samples; small counts have exact models in ``conjugate``). Priors:

- flat: the posterior is ``Normal(x, s)``;
- normal ``(m, t)``: the posterior is normal with precision ``1/s^2 + 1/t^2`` and the precision-weighted mean;
- Student's t ``(m, t, df)``: most effects are small, a few are large (Azevedo, Deng, Montiel Olea, Rao and Weyl, "A/B
  Testing with Fat Tails", Journal of Political Economy 2020). Student's t is a normal whose precision ``g / t^2`` is
  unknown with ``g`` Gamma(df/2, rate df/2) distributed. Given ``g`` the posterior is normal, so that it is a mixture
  of normals over ``g``: one smooth integral over ``log g``, taken by the trapezoidal rule at 128 nodes between the
  far tails that the data and the prior leave (error below 1e-10 of the spread);
- a mixture of normals, such as priors learned from few experiments: a mixture again, each part with its own posterior
  and its weight times the chance it gave the estimate.

Everything is an array: one effect or five thousand go through the same code.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.bayes.effect_priors import FlatPrior, MixturePrior, NormalPrior, Numbers, Prior, StudentPrior
from experiments.bayes.normal_mixture import Array, Flags, NormalMixture, mixture

InformedPrior = NormalPrior | StudentPrior | MixturePrior

NODES = 128
_REACH = 38.0  # standard errors beyond which a normal tail is below any float
_LEFT_OUT = 1e-17  # share of the mass left out at each end of the nodes
_LEAST_RATIO = 1e-100  # a prior wider than 1e100 standard errors is flat
_LARGEST_Z = 1e100


def posterior(effect: ArrayLike, error: ArrayLike, prior: Prior | None = None) -> NormalMixture:
    """The distribution of the true effect given its estimate.

    Args:
        effect: estimates (differences or lifts), any shape.
        error: their standard errors, in the same unit.
        prior: flat when not given. A prior of the lift serves for absolute effects after ``scaled(control)``.

    Returns:
        A ``NormalMixture`` of the broadcast shape. Where an error is zero or not finite, or the effect is not finite,
        there is nothing to learn from: ``known`` is False and the distribution is the prior (with a flat prior: mean
        0, infinite limits, a chance of 0.5, infinite losses).
    """
    x, s = np.broadcast_arrays(np.asarray(effect, dtype=float), np.asarray(error, dtype=float))
    known = np.isfinite(x) & np.isfinite(s) & (s > 0)
    x, s = np.where(known, x, 0.0), np.where(known, s, 1.0)
    if isinstance(prior, StudentPrior):
        return _student_posterior(x, s, known, prior)
    if isinstance(prior, MixturePrior):
        return _mixture_posterior(x[..., None], s[..., None], known[..., None], prior)
    if prior is None or isinstance(prior, FlatPrior):
        return mixture(0.0, x[..., None], np.where(known, s, np.inf)[..., None], known)
    ratio = s / prior.sd  # 0 for a flat prior
    pull = ratio / np.hypot(ratio, 1.0)  # of which the square is the prior's share in the mean
    mean = x - pull**2 * (x - prior.mean)
    spread = s / np.hypot(ratio, 1.0)
    mean, spread = np.where(known, mean, prior.mean), np.where(known, spread, prior.sd)
    return mixture(0.0, mean[..., None], spread[..., None], known)


def predictive(error: ArrayLike, prior: InformedPrior) -> NormalMixture:
    """What a new estimate with this standard error will be, before it is seen: the prior blurred by the error.

    Where the error is not positive and finite it is that of the prior alone.
    """
    s = np.asarray(error, dtype=float)
    s = np.where(np.isfinite(s) & (s > 0), s, 0.0)
    if isinstance(prior, NormalPrior):
        s, mean, sd = np.broadcast_arrays(s, *_floats(prior.mean, prior.sd))
        return mixture(0.0, mean[..., None], np.hypot(s, sd)[..., None], False)
    if isinstance(prior, MixturePrior):
        return mixture(prior.log_weight, prior.mean, np.hypot(s[..., None], prior.sd), False)
    s, mean, scale, df = np.broadcast_arrays(s, *_floats(prior.mean, prior.scale, prior.df))
    node, log_share = scale_nodes(np.zeros_like(s), np.zeros_like(s), df, np.zeros(s.shape, dtype=bool))
    wide = scale[..., None] * np.exp(-node / 2.0)
    return _with_prior_sd(mixture(log_share, mean[..., None], np.hypot(s[..., None], wide), False), s, scale, df)


def log_marginal(effect: ArrayLike, error: ArrayLike, prior: InformedPrior) -> Array:
    """The log density of estimates before they are seen: what a prior must make large to be believed.

    Effects and errors must be finite, errors and the prior's width positive and finite.
    """
    x, s = np.broadcast_arrays(np.asarray(effect, dtype=float), np.asarray(error, dtype=float))
    if isinstance(prior, NormalPrior):
        total = np.hypot(s, prior.sd)
        return np.asarray(-((x - prior.mean) ** 2) / total**2 / 2.0 - np.log(total) - np.log(2.0 * np.pi) / 2.0)
    if isinstance(prior, MixturePrior):
        total = np.hypot(s[..., None], prior.sd)
        parts = prior.log_weight - ((x[..., None] - prior.mean) / total) ** 2 / 2.0 - np.log(total)
        return np.asarray(special.logsumexp(parts, axis=-1) - np.log(2.0 * np.pi) / 2.0)
    z, ratio, df = np.broadcast_arrays((x - prior.mean) / s, s / prior.scale, np.asarray(prior.df, dtype=float))
    node, log_share = scale_nodes(z, ratio, df, np.ones(z.shape, dtype=bool))
    fit, _ = _given_scale(z, ratio, node)
    return np.asarray(special.logsumexp(log_share + fit, axis=-1) - np.log(s) - np.log(2.0 * np.pi) / 2.0)


def lift_estimate(
    arm: ArrayLike, control: ArrayLike, arm_variance: ArrayLike, control_variance: ArrayLike
) -> tuple[Array, Array]:
    """The lift ``(arm - control) / |control|`` and its standard error by the delta method, for independent estimates.

    ``variance = v1 / m0^2 + v0 m1^2 / m0^4`` with the variances of the two estimates. Where the control is zero the
    lift is given as 0 with an infinite error: ``posterior`` then answers with the prior.
    """
    m1, m0, v1, v0 = np.broadcast_arrays(
        *(np.asarray(a, dtype=float) for a in (arm, control, arm_variance, control_variance))
    )
    base = np.where(m0 == 0.0, 1.0, np.abs(m0))
    error = np.sqrt(v1 + v0 * (m1 / base) ** 2) / base
    return np.where(m0 == 0.0, 0.0, (m1 - m0) / base), np.where(m0 == 0.0, np.inf, error)


def scale_nodes(z: Array, ratio: Array, df: Array, known: Flags) -> tuple[Array, Array]:
    """Nodes in ``log g`` and the logarithms of the shares of Student's prior at them, for each element.

    Given the effect, ``g`` is Gamma((df + 1) / 2, rate (df + d^2) / 2) with ``d`` the distance of the effect from the
    prior's centre in its scale. The nodes reach from the lowest quantile at the largest distance that can matter (38
    errors beyond the estimate) to the highest quantile at the smallest; without data, over the prior of ``g``.

    Args:
        z: distances of the estimates from the prior's centre in standard errors.
        ratio: standard error over the prior's scale.
        df, known: of the same shape (…).

    Returns:
        Nodes and log shares, shape (…, NODES).
    """
    shape = np.where(known, df + 1.0, df) / 2.0
    far = np.where(known, (np.abs(z) + _REACH) * ratio, 0.0)
    near = np.where(known, np.maximum(np.abs(z) - _REACH, 0.0) * ratio, 0.0)
    low = np.log(special.gammaincinv(shape, _LEFT_OUT)) - np.log((df + far**2) / 2.0)
    high = np.log(special.gammainccinv(shape, _LEFT_OUT)) - np.log((df + near**2) / 2.0)
    step = (high - low) / (NODES - 1)
    node = low[..., None] + step[..., None] * np.arange(NODES)
    half = df[..., None] / 2.0
    log_share = half * (np.log(half) + node - np.exp(node)) - special.gammaln(half) + np.log(step)[..., None]
    return node, log_share


def _given_scale(z: Array, ratio: Array, node: Array) -> tuple[Array, Array]:
    """Given ``log g``: the log density of ``z`` (but for constants), and the precision ratio of prior to data."""
    precision = np.exp(node) * ratio[..., None] ** 2
    pull = precision / (1.0 + precision)
    return np.log(pull) / 2.0 - z[..., None] ** 2 * pull / 2.0, precision


def _mixture_posterior(x: Array, s: Array, known: Flags, prior: MixturePrior) -> NormalMixture:
    """Each part updated; arguments with one more axis for the parts."""
    ratio = s / prior.sd
    grown = np.hypot(ratio, 1.0)
    pull = (ratio / grown) ** 2
    fit = np.log(ratio / grown) - pull * ((x - prior.mean) / s) ** 2 / 2.0
    return mixture(
        prior.log_weight + np.where(known, fit, 0.0),
        np.where(known, x - pull * (x - prior.mean), prior.mean),
        np.where(known, s / grown, prior.sd),
        known[..., 0],
    )


def _student_posterior(x: Array, s: Array, known: Flags, prior: StudentPrior) -> NormalMixture:
    x, s, known, mean, scale, df = np.broadcast_arrays(x, s, known, *_floats(prior.mean, prior.scale, prior.df))
    ratio = np.maximum(s / scale, _LEAST_RATIO)
    z = np.clip((x - mean) / s, -_LARGEST_Z, _LARGEST_Z)
    node, log_share = scale_nodes(z, ratio, df, known)
    fit, precision = _given_scale(z, ratio, node)
    pull = precision / (1.0 + precision)
    centre = x[..., None] - pull * (x - mean)[..., None]
    spread = s[..., None] / np.sqrt(1.0 + precision)
    alone = ~known[..., None]
    parts = mixture(
        np.where(alone, log_share, log_share + fit),
        np.where(alone, mean[..., None], centre),
        np.where(alone, scale[..., None] * np.exp(-node / 2.0), spread),
        known,
    )
    return _with_prior_sd(parts, np.zeros_like(s), scale, df)


def _with_prior_sd(parts: NormalMixture, error: Array, scale: Array, df: Array) -> NormalMixture:
    """The exact deviation where Student's own tails are left: infinite up to two degrees of freedom."""
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(df > 2.0, scale * np.sqrt(df / (df - 2.0)), np.inf)
    return NormalMixture(
        log_weight=parts.log_weight,
        centre=parts.centre,
        spread=parts.spread,
        mean=parts.mean,
        sd=np.where(parts.known, parts.sd, np.hypot(own, error)),
        known=parts.known,
    )


def _floats(*numbers: Numbers) -> list[Array]:
    return [np.asarray(a, dtype=float) for a in numbers]
