"""Look as often as you like while a test runs, and get nearly the fixed interval at its planned end.

While the test runs, the always-valid interval at a share of the error (half of it, unless told otherwise), tuned to
the planned number of units. At the one final look a fixed interval whose critical value is computed so that the error
of the whole, every look before and the last one, is exactly ``alpha`` even when someone looks after every single
unit. Splitting alpha by Bonferroni would cost more: at 5 % the final interval is 1.5 % wider than a plain one, where
the split makes it 14 % wider; taking the plain one makes the total error 5.3 %, or 5.8 % with the full share.

The error is found by the first passage of Brownian motion ``W`` over the boundary ``b(t) = multiplier(t) * sqrt(t)``
of the mixture, with time in units of the mixture ratio: the density ``f`` of the passage over either side solves

    P(W_t > b(t)) = integral of f(s) * [P(W_t > b(t) | W_s = b(s)) + P(W_t > b(t) | W_s = -b(s))] over s < t

(Durbin 1971; the second term for two sides only), and the chance to be beyond ``c`` at the end without an earlier
passage is the plain tail less that of the paths which have passed.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.sequential.asymptotic import (
    Array,
    SequentialTest,
    check_alpha,
    check_alternative,
    mixture_test,
    multiplier,
    p_from_log_e,
    tuning_ratio,
)
from proofsheet.errors import InputError

_STEPS = 96
_LEVELS = (1e-12, 1e-8, 1e-5, 1e-3, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4)
_OVERRUNS = (1.0, 1.03, 1.07, 1.12, 1.2, 1.35, 1.6, 2.0, 3.0, 6.0, 1e6)


def hybrid_test(
    effect: ArrayLike,
    error: ArrayLike,
    n: ArrayLike,
    planned_n: ArrayLike,
    *,
    final: ArrayLike | None = None,
    alpha: float = 0.05,
    monitor_share: float = 0.5,
    alternative: str = "two-sided",
) -> SequentialTest:
    """Sequential limits and p-values while running, fixed ones at the final look; total error ``alpha``.

    Args:
        effect, error: the estimate and its standard error at every look.
        n: units of both arms at every look (anything proportional to the information).
        planned_n: units at the planned end, fixed before the start.
        final: whether the look is the one that ends the test; by default where ``n >= planned_n``. There is only one
            such look: a later one must repeat its result (``counted_looks`` says which to take). It may come early or
            late for reasons other than the results; that is allowed for.
        monitor_share: the share of ``alpha`` at which the running interval is drawn, 0 to 1.

    Returns:
        Arrays of the broadcast shape. The p-value is the least level at which the same plan rejects at this look; all
        looks together it is below any ``a`` with chance ``a`` at most, up to the interpolation of the table below
        (1 % of the value under 0.4). ``log_e`` is that of the mixture at all looks.

    Raises:
        InputError: an error rate outside (0, 0.5), a share outside (0, 1], an unknown alternative, or a planned number
            of units that is not positive.
    """
    effect, error = np.asarray(effect, dtype=float), np.asarray(error, dtype=float)
    progress, ended = _progress(n, planned_n, final)
    level = alpha * monitor_share
    reach = hybrid_multiplier(
        n, planned_n, final=final, alpha=alpha, monitor_share=monitor_share, alternative=alternative
    )
    ratio = progress * tuning_ratio(level, alternative)
    running = mixture_test(effect, error, ratio, alpha=level, alternative=alternative)
    usable = np.isfinite(effect) & np.isfinite(error) & (error > 0) & (progress > 0)
    centre, safe = np.where(usable, effect, 0.0), np.where(usable, error, 1.0)
    width = np.where(usable, reach * safe, np.inf)
    last_p = final_p(centre / safe, progress, alpha, monitor_share, alternative)
    p_value = np.where(ended, last_p, p_from_log_e(running.log_e + math.log(monitor_share)))
    return SequentialTest(
        low=np.where(alternative == "less", -np.inf, centre - width),
        high=np.where(alternative == "greater", np.inf, centre + width),
        p_value=np.where(usable, p_value, 1.0),
        log_e=running.log_e,
    )


def hybrid_multiplier(
    n: ArrayLike,
    planned_n: ArrayLike,
    *,
    final: ArrayLike | None = None,
    alpha: float = 0.05,
    monitor_share: float = 0.5,
    alternative: str = "two-sided",
) -> Array:
    """How many standard errors the limits of ``hybrid_test`` lie from the estimate; infinite without units.

    With ``asymptotic.equivalent_alpha`` it gives the level for a score or Fieller interval at the same look.
    """
    _check(alpha, monitor_share, alternative)
    progress, ended = _progress(n, planned_n, final)
    level = alpha * monitor_share
    running = multiplier(progress * tuning_ratio(level, alternative), level, alternative)
    last = final_multiplier(progress, alpha=alpha, monitor_share=monitor_share, alternative=alternative)
    return np.where(ended & (progress > 0), last, running)


def final_multiplier(
    progress: ArrayLike = 1.0, *, alpha: float = 0.05, monitor_share: float = 0.5, alternative: str = "two-sided"
) -> Array:
    """The critical value of the final look, in standard errors.

    Args:
        progress: units at the final look over those planned. Below 1 less has been spent before; above 1 (the last
            day brought more than needed) nobody has looked between the planned end and this look.

    Returns:
        Array of the shape of ``progress``: 1.989 for 1 with the defaults.
    """
    _check(alpha, monitor_share, alternative)
    nominal = nominal_log_p(np.asarray(progress, dtype=float), alpha, monitor_share, alternative)
    return np.asarray(-special.ndtri(np.exp(nominal[..., table_levels(alpha).index(alpha)]) / _sides(alternative)))


def counted_looks(n: ArrayLike, planned_n: float) -> NDArray[np.intp]:
    """For every look the index of the one whose result counts: its own until the final look, then the final one's.

    Args:
        n: units at the looks ``(..., looks)``, never falling along the last axis.

    Returns:
        Integers of the same shape, for ``numpy.take_along_axis``.
    """
    reached = np.asarray(n, dtype=float) >= planned_n
    first = np.where(reached.any(axis=-1), reached.argmax(axis=-1), reached.shape[-1] - 1)
    return np.asarray(np.minimum(np.arange(reached.shape[-1]), first[..., None]), dtype=np.intp)


def passage_chance(monitor_alpha: float, horizon: float, alternative: str = "two-sided") -> float:
    """The chance that Brownian motion ever passes the mixture boundary until the mixture ratio ``horizon``.

    This is the error that looking after every unit has spent by then; it tends to ``monitor_alpha``.
    """
    check_alpha(monitor_alpha)
    check_alternative(alternative)
    return _sides(alternative) * float(_passages(monitor_alpha, horizon, alternative == "two-sided")[1].sum())


def _check(alpha: float, share: float, alternative: str) -> None:
    check_alpha(alpha)
    check_alternative(alternative)
    if not 0.0 < share <= 1.0:
        raise InputError(f"The share {share} of the error is not between 0 and 1.", "Give a share, such as 0.5.")


def _progress(n: ArrayLike, planned_n: ArrayLike, final: ArrayLike | None) -> tuple[Array, NDArray[np.bool_]]:
    """Units over those planned, and which looks are final."""
    planned, units = np.asarray(planned_n, dtype=float), np.asarray(n, dtype=float)
    if not (np.isfinite(planned) & (planned > 0)).all():
        raise InputError(
            f"The planned number of units {np.min(planned)} is not positive.",
            "Give the units of both arms at the planned end, such as 20000.",
        )
    progress = np.where(np.isfinite(units) & (units > 0), units, 0.0) / planned
    return progress, np.asarray(progress >= 1.0 if final is None else final, dtype=bool)


def _sides(alternative: str) -> int:
    return 2 if alternative == "two-sided" else 1


def table_levels(alpha: float) -> list[float]:
    """The levels of the table, the one in use among them."""
    return sorted({*_LEVELS, alpha})


def _passages(level: float, horizon: float, two_sided: bool) -> tuple[Array, Array]:
    """Midpoints of the steps of time, and the mass that passes one side within every step (midpoint rule)."""
    edges = (np.arange(_STEPS + 1) / _STEPS) ** 2 * horizon
    middle, end = (edges[1:] + edges[:-1]) / 2.0, edges[1:]
    side = "two-sided" if two_sided else "greater"
    at_middle = multiplier(middle, level, side) * np.sqrt(middle)
    reach = multiplier(end, level, side)
    at_end = reach * np.sqrt(end)
    mass = np.zeros(_STEPS)
    for i in range(_STEPS):
        past = slice(0, i + 1)
        kernel = _tail_after(at_end[i], end[i], at_middle[past], middle[past], two_sided)
        mass[i] = max(0.0, float(special.ndtr(-reach[i]) - kernel[:-1] @ mass[:i]) / float(kernel[-1]))
    return middle, mass


def _tail_after(x: Array | float, t: Array | float, b: Array, s: Array, two_sided: bool) -> Array:
    """``P(W_t > x | W_s = b)``, and the same from ``-b`` added for two sides."""
    spread = np.sqrt(t - s)
    tail = special.ndtr((b - x) / spread)
    return np.asarray(tail + special.ndtr((-b - x) / spread) if two_sided else tail)


@lru_cache(maxsize=32)
def _table(alpha: float, share: float, two_sided: bool) -> tuple[Array, Array]:
    """Nominal log p-values of the final look by progress and total level.

    Returns:
        The nodes of progress ``(P,)``, and ``(P, levels)``: the logarithm of the fixed p-value that makes the whole
        plan err with the level's chance.
    """
    side = "two-sided" if two_sided else "greater"
    horizon = tuning_ratio(alpha * share, side)
    early = np.unique(np.round(_STEPS * np.sqrt(np.linspace(0.05, 0.95, 10))))
    nodes = np.concatenate([(early / _STEPS) ** 2, _OVERRUNS])
    columns = []
    for level in table_levels(alpha):
        middle, mass = _passages(level * share, horizon, two_sided)
        bound = multiplier(middle, level * share, side) * np.sqrt(middle)
        columns.append(_log_nominal(level, nodes * horizon, bound, middle, mass, two_sided))
    return nodes, np.array(columns).T


def _log_nominal(level: float, ends: Array, b: Array, s: Array, mass: Array, two_sided: bool) -> Array:
    """The log p-values below which a final look at the times ``ends`` rejects, by bisection of the total error."""
    sides = 2.0 if two_sided else 1.0
    end = ends[:, None]
    before = s < end
    mass, s = np.where(before, mass, 0.0), np.where(before, s, 0.0)
    low = np.full(ends.shape, -float(special.ndtri(level / sides)) - 1e-9)
    high = np.full(ends.shape, 40.0)
    for _ in range(42):
        c = (low + high) / 2.0
        passed = (mass * (1.0 - _tail_after(c[:, None] * np.sqrt(end), end, b, s, two_sided))).sum(axis=-1)
        over = sides * (passed + special.ndtr(-c)) > level
        low, high = np.where(over, c, low), np.where(over, high, c)
    return np.log(np.maximum(TINY, sides * special.ndtr(-high)))


def nominal_log_p(progress: Array, alpha: float, share: float, alternative: str) -> Array:
    """The table at these values of progress: ``(..., levels)``."""
    nodes, table = _table(alpha, share, alternative == "two-sided")
    # Progress is squeezed into (0, 1), in which the values run smoothly.
    place = progress / (1.0 + progress)
    return np.stack([np.interp(place, nodes / (1.0 + nodes), column) for column in table.T], axis=-1)


def final_p(z: Array, progress: Array, alpha: float, share: float, alternative: str = "two-sided") -> Array:
    """The least level at which the final look rejects: the nominal p-value carried over by the table, in logarithms."""
    signed = -np.abs(z) if alternative == "two-sided" else np.where(alternative == "greater", -z, z)
    nominal = np.log(np.clip(_sides(alternative) * special.ndtr(signed), TINY, 1.0))
    nodes, levels = nominal_log_p(progress, alpha, share, alternative), np.log(table_levels(alpha))
    # Above the largest level the line runs to (1, 1), below the least one alongside the diagonal.
    nodes = np.concatenate([nodes, np.zeros((*nodes.shape[:-1], 1))], axis=-1)
    levels = np.append(levels, 0.0)
    nominal, nodes = (
        nominal[..., None],
        np.broadcast_to(nodes, (*np.broadcast_shapes(z.shape, progress.shape), len(levels))),
    )
    right = np.clip((nodes <= nominal).sum(axis=-1, keepdims=True), 1, len(levels) - 1)
    x0, x1 = np.take_along_axis(nodes, right - 1, -1), np.take_along_axis(nodes, right, -1)
    y0, y1 = levels[right - 1], levels[right]
    slope = np.where(nominal < x0, 1.0, (y1 - y0) / (x1 - x0))
    return np.asarray(np.clip(np.exp(y0 + slope * (nominal - x0)), TINY, 1.0)[..., 0])
