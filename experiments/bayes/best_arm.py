"""Which of several arms is the best: the chance of each, and what choosing it is expected to lose.

With independent posteriors (of the arms' values, the control being one of them)

- chance of arm i: the integral of its density times the distribution functions of all others;
- expected loss of arm i: ``E[max V - V_i]``, the integral of ``F_i(t) (1 - product of the other F_j(t))``, a sum of
  positive terms, so that a small loss keeps its digits;
- the smallest of these losses is the expected value of perfect information.

Each is one integral over the common axis, however many arms. The axis is cut at a few quantiles of every arm, and each
piece taken by Gauss and Legendre's rule, so that arms of very different precision do not disturb each other (absolute
error of a chance about 1e-10). Effects against one control share its error: given the control's deviation they are
independent, and one more sum over that deviation puts it back (``best_of_effects``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.bayes.conjugate import beta_law, gamma_law
from experiments.bayes.normal_mixture import unit_excess
from experiments.bayes.rate_laws import BetaLaw, GammaLaw, RateLaw, density, excess, reach
from proofsheet.errors import InputError

Array = NDArray[np.float64]

_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
_CUTS = np.array([-9.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 9.0])
_RATE_CUTS = (1.5, 3.0, 4.5, 6.0, 9.0)
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_SHARED, _STEP = np.linspace(-8.5, 8.5, 81, retstep=True)
_ROWS = 200_000  # numbers at a time, for the memory's sake
_NO_WIDTH = 1e-9  # of the widest arm: what stands for an arm known exactly


@dataclass(frozen=True, slots=True, eq=False)
class BestArm:
    """Chance to be the best, and expected loss of choosing it, for each arm along the last axis.

    Chances are in [TINY, 1] and add up to 1. Where nothing is known of an arm (an infinite or missing deviation) all
    chances are equal and the losses infinite.
    """

    chance: Array
    loss: Array

    @property
    def value_of_certainty(self) -> Array:
        """The expected value of perfect information per unit: the loss of the arm that loses least."""
        return np.asarray(self.loss.min(axis=-1))


def best_of_normals(mean: ArrayLike, sd: ArrayLike) -> BestArm:
    """Independent normal posteriors of the arms' values; more is better.

    Args:
        mean, sd: shape (…, k), one arm each along the last axis; a deviation of 0 is a value known exactly.

    Raises:
        InputError: fewer than two arms, or a negative deviation.
    """
    m, s, known = _normals(mean, sd)
    chance, loss = _in_pieces(lambda r: _normal_best(m[r], s[r])[:2], m)
    return _with_unknown(chance, loss, known, np.broadcast_shapes(np.shape(mean), np.shape(sd)))


def best_of_effects(mean: ArrayLike, sd: ArrayLike, shared: ArrayLike) -> BestArm:
    """Normal posteriors of effects against one control, ``effect_i = mean_i + sd_i Z_i + shared_i Z_0``.

    Args:
        mean, sd: shape (…, k), centre and own deviation of each effect.
        shared: how much each moves with the control's deviation (see ``shared_control``).

    Returns:
        Shape (…, k + 1): the control first, then the arms.

    Raises:
        InputError: a negative deviation.
    """
    load = np.asarray(shared, dtype=float)
    shape = np.broadcast_shapes(np.shape(mean), np.shape(sd), load.shape)
    m, s, known = _normals(np.broadcast_to(np.asarray(mean, dtype=float), shape), sd, least=1)
    load = np.nan_to_num(np.broadcast_to(load, shape).reshape(m.shape))

    def given_control(rows: slice) -> tuple[Array, Array]:
        moved = m[rows, None, :] + load[rows, None, :] * _SHARED[:, None]
        n, nodes, k = moved.shape
        own = np.broadcast_to(s[rows, None, :], moved.shape).reshape(-1, k)
        chance, loss, control_chance, control_loss = _normal_best(moved.reshape(-1, k), own, floor=0.0)
        weight = np.exp(-_SHARED * _SHARED / 2.0) / _ROOT_TWO_PI * _STEP
        whole = [np.column_stack(pair) for pair in ((control_chance, chance), (control_loss, loss))]
        chances, losses = (np.einsum("nzk,z->nk", a.reshape(n, nodes, k + 1), weight) for a in whole)
        return chances, losses

    chance, loss = _in_pieces(given_control, m, columns=m.shape[1] + 1, weight=_SHARED.size)
    return _with_unknown(chance, loss, known, (*shape[:-1], shape[-1] + 1))


def best_of_rates(successes: ArrayLike, trials: ArrayLike, prior: tuple[float, float] = (1.0, 1.0)) -> BestArm:
    """Exact beta posteriors of success rates (see ``conjugate.beta_pair``), arms along the last axis.

    Raises:
        InputError: fewer than two arms, or as for ``conjugate.beta_law``.
    """
    law = beta_law(successes, trials, prior)
    a, b = _arms(law.a), _arms(law.b)
    chance, loss = _in_pieces(lambda r: _rate_best(BetaLaw(a[r, :, None], b[r, :, None])), a)
    return _with_unknown(chance, loss, np.ones(len(a), dtype=bool), law.a.shape)


def best_of_event_rates(events: ArrayLike, exposure: ArrayLike, prior: tuple[float, float] = (1.0, 0.0)) -> BestArm:
    """Exact gamma posteriors of events per exposure (see ``conjugate.gamma_pair``), arms along the last axis.

    Raises:
        InputError: fewer than two arms, or as for ``conjugate.gamma_law``.
    """
    law, known = gamma_law(events, exposure, prior)
    shape, rate = _arms(law.shape), _arms(law.rate)
    chance, loss = _in_pieces(lambda r: _rate_best(GammaLaw(shape[r, :, None], rate[r, :, None])), shape)
    return _with_unknown(chance, loss, np.asarray(_arms(known).all(axis=-1)), law.shape.shape)


def _normal_best(mean: Array, sd: Array, floor: float | None = None) -> tuple[Array, Array, Array, Array]:
    """Chances and losses of rows of arms, and those of a choice known to be worth ``floor``."""
    cuts = (mean[..., None] + sd[..., None] * _CUTS).reshape(len(mean), -1)
    least = np.max(mean + _CUTS[0] * sd, axis=-1)  # the best is above this
    if floor is not None:
        least = np.maximum(least, floor)
    t, width = _nodes(cuts, least)
    z = (t[:, None, :] - mean[..., None]) / sd[..., None]
    log_below = special.log_ndtr(z)
    others = _others(log_below)
    bell = np.exp(others - z * z / 2.0) / (sd[..., None] * _ROOT_TWO_PI)
    chance = np.sum(bell * width[:, None, :], axis=-1)
    far = (least[:, None] - mean) / sd
    loss = sd * unit_excess(far) + np.sum(np.exp(log_below) * -np.expm1(others) * width[:, None, :], axis=-1)
    if floor is None:
        return chance, loss, np.empty(0), np.empty(0)
    all_below = np.exp(np.sum(special.log_ndtr((floor - mean) / sd), axis=-1))
    floor_loss = least - floor + np.sum(-np.expm1(np.sum(log_below, axis=1)) * width, axis=-1)
    return chance, loss, all_below, floor_loss


def _rate_best(law: RateLaw) -> tuple[Array, Array]:
    """Chances and losses of rows of rates; parameters of shape (rows, arms, 1)."""
    ends = [reach(law, np.full_like(law.mean, r * r / 2.0)) for r in _RATE_CUTS]
    cuts = np.concatenate([law.peak, *(end for pair in ends for end in pair)], axis=-1)
    least = np.max(ends[-1][0][..., 0], axis=-1)
    u, width = _nodes(cuts.reshape(len(cuts), -1), least)
    u, width = u[:, None, :], width[:, None, :]
    t, rest = law.point(u)
    above = law.above(t, rest)
    below = law.below(t, rest)
    log_below = np.where(above < 0.5, np.log1p(-np.minimum(above, 0.5)), np.log(np.maximum(below, TINY)))
    others = _others(log_below)
    chance = np.sum(density(law, u) * np.exp(others) * width, axis=-1)
    slope = t * rest if isinstance(law, BetaLaw) else t
    inside = np.sum(np.exp(log_below) * -np.expm1(others) * slope * width, axis=-1)
    start = least[:, None, None]
    below_start = law.below(*law.point(start))
    return chance, inside + excess(law, start, below_start, below_start, upper=False)[..., 0]


def _nodes(cuts: Array, least: Array) -> tuple[Array, Array]:
    """Nodes and weights between all cuts of a row from ``least`` on."""
    edges = np.sort(np.maximum(cuts, least[:, None]), axis=-1)
    edges = np.concatenate([least[:, None], edges], axis=-1)
    half = np.diff(edges, axis=-1)[..., None] / 2.0
    nodes = edges[:, :-1, None] + half * (1.0 + _POINTS)
    return nodes.reshape(len(cuts), -1), (half * _WEIGHTS).reshape(len(cuts), -1)


def _others(log_below: Array) -> Array:
    """For each arm (axis 1) the sum over all others, without taking differences."""
    before, after = np.zeros_like(log_below), np.zeros_like(log_below)
    np.cumsum(log_below[:, :-1], axis=1, out=before[:, 1:])
    after[:, :-1] = np.cumsum(log_below[:, :0:-1], axis=1)[:, ::-1]
    return before + after


def _in_pieces(
    solve: Callable[[slice], tuple[Array, Array]], rows: Array, columns: int | None = None, weight: int = 1
) -> tuple[Array, Array]:
    """Solve some rows at a time."""
    n, k = rows.shape
    at_once = max(1, _ROWS // (weight * k * k * len(_CUTS)))
    chance, loss = np.empty((n, columns or k)), np.empty((n, columns or k))
    for start in range(0, n, at_once):
        part = slice(start, min(n, start + at_once))
        chance[part], loss[part] = solve(part)
    return chance, loss


def _with_unknown(chance: Array, loss: Array, known: NDArray[np.bool_], shape: tuple[int, ...]) -> BestArm:
    chance = np.where(known[:, None], np.clip(chance, TINY, 1.0), 1.0 / chance.shape[-1])
    return BestArm(chance.reshape(shape), np.where(known[:, None], np.maximum(loss, 0.0), np.inf).reshape(shape))


def _normals(mean: ArrayLike, sd: ArrayLike, least: int = 2) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Rows of arms: means, positive deviations, and whether every arm of the row is known."""
    m, s = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(sd, dtype=float))
    if np.any(s < 0):
        raise InputError("A standard deviation is negative.", "Give posterior standard deviations, 0 or more.")
    m, s = _arms(m, least), _arms(s, least)
    known = np.asarray((np.isfinite(m) & np.isfinite(s)).all(axis=-1))
    m, s = np.where(known[:, None], m, 0.0), np.where(known[:, None], s, 1.0)
    widest = s.max(axis=-1, keepdims=True)
    scale = np.where(widest > 0, widest, np.maximum(np.abs(m).max(axis=-1, keepdims=True), 1e-100))
    return m, np.maximum(s, _NO_WIDTH * scale), known


def _arms(a: NDArray[Any], least: int = 2) -> NDArray[Any]:
    """Rows of arms."""
    if a.ndim == 0 or a.shape[-1] < least:
        raise InputError(f"There are fewer than {least} arms to choose from.", "Give arms along the last axis.")
    return a.reshape(-1, a.shape[-1])
