"""The score of a test on its way from look to look, as long as no bound has stopped it, by numerical integration.

At information fraction ``t`` the score ``S = z sqrt(t)`` has independent normal steps of variance ``dt`` (and mean
``drift * dt``). The mass that has not stopped is kept on Gauss-Legendre nodes between the bounds and carried to the
next look through the normal density of the step (Armitage, McPherson and Rowe, Journal of the Royal Statistical Society
A 1969). A drift needs no walk of its own: it multiplies the mass at score ``s`` by
``exp(drift s - drift**2 t / 2)`` (Jennison and Turnbull 2000, chapter 19).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.basis.score_intervals import solve
from experiments.sequential.asymptotic import Array

SMALLEST_STEP = 0.002  # of the information so far; a look that adds less is no look
_FARTHEST = 20.0  # scores farther out than this many deviations towards a bound are left out
_LOWEST = 9.0  # and, of one side, this many away from it: those paths do not come back
_PANEL = 3.0  # panels of 12 nodes, at most this many deviations of a step wide: 1e-12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


@dataclass(frozen=True, slots=True)
class Walk:
    """The mass not yet stopped at fraction ``t``: scores of the nodes, and their masses without a drift."""

    t: float
    scores: Array
    masses: Array

    def stop_chances(self, t: float, bound: float, sides: int, drifts: Array) -> Array:
        """The chance to be at or beyond the bound at ``t`` and not before, for every drift ``(D,)``."""
        step = t - self.t
        spread = math.sqrt(step)
        drift = drifts[:, None]
        masses = self.masses * np.exp(drift * self.scores - drift**2 * (self.t / 2.0))
        edge = bound * math.sqrt(t)
        beyond = special.ndtr((self.scores + drift * step - edge) / spread)
        if sides == 2:
            beyond = beyond + special.ndtr((-edge - self.scores - drift * step) / spread)
        return np.asarray((masses * beyond).sum(axis=-1))

    def bound(self, t: float, chance: float, sides: int) -> float:
        """The bound at ``t`` that is first reached with this chance, without a drift; infinite for none."""
        if not chance > 0.0:
            return math.inf
        target, none = math.log(chance), np.zeros(1)

        def excess(bound: float) -> float:
            found = float(self.stop_chances(t, bound, sides, none)[0])
            return math.log(found) - target if found > 0.0 else -math.inf

        # To be beyond a bound for the first time is at most as likely as to be beyond it.
        return solve(excess, 0.0, -float(special.ndtri(chance / sides)) + 1e-9)

    def after(self, t: float, bound: float, sides: int, next_t: float) -> Walk:
        """The walk at ``t`` within the bound, on nodes close enough for the step to ``next_t``."""
        spread = math.sqrt(t - self.t)
        top = min(bound, _FARTHEST) * math.sqrt(t)
        bottom = -top if sides == 2 else -_LOWEST * math.sqrt(t)
        width = _PANEL * min(spread, math.sqrt(next_t - t) if next_t > t else spread)
        edges = np.linspace(bottom, top, max(2, math.ceil((top - bottom) / width)) + 1)
        half = np.diff(edges)[:, None] / 2.0
        scores = (edges[:-1, None] + half * (1.0 + _NODES)).ravel()
        gaps = (scores[:, None] - self.scores) / spread
        density = np.exp(-gaps * gaps / 2.0) @ self.masses / (spread * math.sqrt(2.0 * math.pi))
        return Walk(t, scores, density * (half * _WEIGHTS).ravel())


START = Walk(0.0, np.zeros(1), np.ones(1))


def is_look(walk: Walk, t: float) -> bool:
    """Whether a look at ``t`` adds enough information to the last one to be one."""
    return t - walk.t >= SMALLEST_STEP * t


def spending_bounds(fractions: Array, spent: Array, sides: int) -> Array:
    """The bounds ``(looks,)`` by which the error spent up to every look is what ``spent`` says.

    A look that adds less than 0.2 % to the information gets an infinite bound; the next spends its share.
    """
    walk, used, bounds = START, 0.0, np.full(len(fractions), np.inf)
    for k, t in enumerate(fractions):
        if is_look(walk, t):
            bounds[k] = walk.bound(t, spent[k] - used, sides)
            used = max(used, spent[k])
            if k + 1 < len(fractions):
                walk = walk.after(t, bounds[k], sides, _next(fractions, k))
    return bounds


def first_stops(fractions: Array, bounds: Array, sides: int, drifts: Array) -> Array:
    """The chances ``(drifts, looks)`` to stop first at each look."""
    walk, chances = START, np.zeros((len(drifts), len(fractions)))
    for k, t in enumerate(fractions):
        chances[:, k] = walk.stop_chances(t, bounds[k], sides, drifts)
        if k + 1 < len(fractions):
            walk = walk.after(t, bounds[k], sides, _next(fractions, k))
    return chances


def _next(fractions: Array, k: int) -> float:
    """The fraction of the next look that counts as one; that of look ``k`` itself where none does."""
    later = fractions[k + 1 :]
    later = later[later - fractions[k] >= SMALLEST_STEP * later]
    return float(later[0] if later.size else fractions[k])
