"""What shipping an arm is expected to lose: the posterior mean of how far it lies below the best one.

The control is one of those that may be best, so with one arm this is what is lost where the arm is worse than it.

- Units that did something or not: the exact beta-binomial model with uniform priors, of which their chance to win is.
- Everything else, platform counts among it: lifts as normals with their standard errors on a flat prior, which share
  the control's error (``beliefs.parts_of``).

Losses are shares of the control's value, so that they compare with lifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from experiments.bayes.beliefs import gains_of, parts_of
from experiments.bayes.best_arm import best_of_effects, best_of_rates
from proofsheet.domain.experiment import MetricKind, Role
from proofsheet.domain.result import Result

Array = NDArray[np.float64]


def with_losses(results: Sequence[Result], *, units: bool) -> tuple[Result, ...]:
    """The rows with ``expected_loss`` where it can be told, in their order.

    Arms compete on a primary metric, within a segment. A row of another role, without a lift, or without its standard
    error where the normal model needs it, keeps None: an arm is shipped for what it does to the primary metric.

    Args:
        units: the rows count independent units (not a platform's impressions).
    """
    losses: dict[int, float] = {}
    primary = (r for r in results if r.role == Role.PRIMARY.value)
    for metric, segment in dict.fromkeys((r.metric, r.segment) for r in primary):
        family = [i for i, r in enumerate(results) if (r.metric, r.segment) == (metric, segment)]
        counted = units and results[family[0]].kind == MetricKind.PROPORTION.value
        told = [i for i in family if results[i].lift is not None and (counted or results[i].lift_error)]
        if told:
            rows = [results[i] for i in told]
            losses.update(zip(told, _rate_losses(rows) if counted else _lift_losses(rows), strict=True))
    return tuple(replace(r, expected_loss=float(losses[i])) if i in losses else r for i, r in enumerate(results))


def _rate_losses(rows: Sequence[Result]) -> Array:
    """Where lower is better, those who did nothing are counted: they lie as far apart."""
    trials = np.array([rows[0].n_control, *(r.n_arm for r in rows)], dtype=float)
    did = np.round([rows[0].sum_x_control or 0.0, *(r.sum_x_arm or 0.0 for r in rows)])
    wanted = did if rows[0].higher_is_better else trials - did
    return np.asarray(best_of_rates(wanted, trials).loss[1:] / abs(rows[0].value_control or 1.0))


def _lift_losses(rows: Sequence[Result]) -> Array:
    gains, errors = gains_of(rows)
    return np.asarray(best_of_effects(gains, *parts_of(rows, errors)).loss[1:])
