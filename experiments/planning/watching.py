"""How a test is watched, and the critical values that this asks for at each look.

Four ways: an always-valid interval (asymptotic confidence sequence, arXiv:2103.06476) tuned to a number of units; the
same at half the error with a fixed interval at the planned end ("hybrid", see ``sequential.hybrid``); and
group-sequential limits by the error-spending functions of Lan and DeMets (1983) like O'Brien and Fleming's or Pocock's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.planning.planned_rules import Array, Rules
from experiments.sequential.asymptotic import multiplier, tuning_ratio
from experiments.sequential.group_sequential import OBRIEN_FLEMING, POCOCK, boundaries
from experiments.sequential.hybrid import final_multiplier
from experiments.sequential.stopped_walk import SMALLEST_STEP
from proofsheet.errors import InputError

METHODS = ("always-valid", "hybrid", "obrien-fleming", "pocock")
#: More cannot be told apart.
MOST_LOOKS = 400
#: The share of the error that a hybrid test spends while it runs.
MONITOR_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a test is watched.

    Args:
        method: one of ``METHODS``.
        looks: evenly spread over the planned units, the last one at the end; 1-400.
        tuning: for "always-valid", the units of both arms together at which the interval is narrowest; the planned
            end where not given.

    Raises:
        InputError: the method is not known, or a number is outside its range.
    """

    method: str = "always-valid"
    looks: int = 28
    tuning: float | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"The way to watch {self.method!r} is not known.", f"Choose one of: {', '.join(METHODS)}.")
        if not 1 <= self.looks <= MOST_LOOKS:
            raise InputError(
                f"{self.looks} looks cannot be planned.", f"Plan 1 to {MOST_LOOKS} looks, such as one a day."
            )
        if self.tuning is not None and not (self.tuning > 0.0 and np.isfinite(self.tuning)):
            raise InputError(f"A tuning size of {self.tuning} is no number of units.", "Give the units of both arms.")
        if self.tuning is not None and self.method != "always-valid":
            raise InputError(f"A {self.method} test has no tuning size.", "Leave it out, or watch always-valid.")

    @property
    def fractions(self) -> Array:
        """The looks as shares of the planned units."""
        return np.arange(1, self.looks + 1) / self.looks


def watch_limits(watch: Watch, rules: Rules, units: float) -> Array:
    """The critical values of the z statistic at the looks, for a planned end of ``units`` in the arm."""
    tail = float(rules.tail_level)
    alpha = tail * rules.sides
    side = "two-sided" if rules.sides == 2 else "greater"
    times = watch.fractions
    if watch.method == "always-valid":
        return multiplier(times * _scale(watch, rules, units) * tuning_ratio(alpha, side), alpha, side)
    if watch.method == "hybrid":
        level = alpha * MONITOR_SHARE
        limits = multiplier(times * tuning_ratio(level, side), level, side)
        limits[-1] = float(final_multiplier(1.0, alpha=alpha, monitor_share=MONITOR_SHARE, alternative=side))
        return limits
    spending = OBRIEN_FLEMING if watch.method == "obrien-fleming" else POCOCK
    return boundaries(times, alpha, spending=spending, alternative=side)


def looks_done(watch: Watch, fraction: float) -> npt.NDArray[np.bool_]:
    """Which looks there have been; one that would add less than 0.2 % to today's information is today's."""
    return np.asarray(watch.fractions * (1.0 - SMALLEST_STEP) <= fraction)


def limit_now(watch: Watch, rules: Rules, units: float, fraction: float) -> float:
    """The critical value that counts after a fraction of the planned units: that of the last look there was.

    An always-valid or hybrid test may be looked at in between, and has a limit of its own there. Infinite before the
    first look of the others.
    """
    limits = watch_limits(watch, rules, units)
    done = int(looks_done(watch, fraction).sum())
    if watch.method in ("obrien-fleming", "pocock") or done == watch.looks:
        return float(limits[done - 1]) if done else float(np.inf)
    alpha, side = float(rules.tail_level) * rules.sides, "two-sided" if rules.sides == 2 else "greater"
    level = alpha * (MONITOR_SHARE if watch.method == "hybrid" else 1.0)
    ratio = fraction * _scale(watch, rules, units) * tuning_ratio(level, side)
    return float(multiplier(ratio, level, side))


def _scale(watch: Watch, rules: Rules, units: float) -> float:
    """The planned units of both arms over the tuning size."""
    return 1.0 if watch.tuning is None else units * (1.0 + float(np.asarray(rules.control_ratio))) / watch.tuning
