"""Which intervals an experiment gets: always valid while it runs, fixed at its planned end; and why, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from proofsheet.domain.experiment import Experiment, ExperimentStatus
from proofsheet.errors import InputError

if TYPE_CHECKING:
    from experiments.comparing.readings import Reading

#: The choices of ``analyze``: by the experiment's state, or one kind whatever it is.
INTERVALS = ("auto", "fixed", "always-valid")

#: Units per arm at which always-valid intervals are narrowest where no size was planned.
UNPLANNED: Mapping[str, int] = {"impression": 100_000, "user": 5_000}

#: How far past the planned size the one final look may come while the test still runs.
_OVERRUN = 1.05


def check_intervals(intervals: str) -> None:
    """Refuse a kind of interval that is not known.

    Raises:
        InputError: naming the choices.
    """
    if intervals not in INTERVALS:
        raise InputError(f"The intervals {intervals!r} are not known.", f"Choose one of: {', '.join(INTERVALS)}.")


def has_ended(experiment: Experiment) -> bool:
    """Whether nothing more will be delivered."""
    return experiment.status in (ExperimentStatus.ENDED, ExperimentStatus.DECIDED, ExperimentStatus.ABANDONED)


def reading_of(
    experiment: Experiment, sizes: Mapping[str, int], *, intervals: str, confidence: float
) -> tuple[Reading, str]:
    """How the experiment's rows are to be read at this look, and a sentence for people.

    With ``auto``: before the planned size always valid, at half of alpha; once every arm has the planned size, or the
    experiment has ended, the fixed interval of the one final look, which allows for the looks before. A test that runs
    on past the planned size by more than 5 % has had that look: its intervals are always valid again until it ends.
    Without a planned size: always valid at all of alpha while it runs, the plain interval of one look once it ended.

    Args:
        sizes: units by arm on the primary metric.
    """
    from experiments.comparing.readings import OneLook
    from experiments.sequential.looks import Looks, progress_of

    design, ended = experiment.design, has_ended(experiment)
    control, smallest = sizes.get(experiment.control.name, 0), min(sizes.values(), default=0)
    if intervals == "fixed" or (intervals == "auto" and design is None and ended):
        return OneLook(), _plain(asked=intervals == "fixed")
    planned = design.n_per_arm if design else UNPLANNED.get(experiment.unit, UNPLANNED["user"])
    reached, passed = smallest >= planned, smallest > _OVERRUN * planned
    final = intervals == "auto" and design is not None and (ended or (reached and not passed))
    looks = Looks(
        progress={arm: float(progress_of(n, control, planned)) for arm, n in sizes.items()},
        final=final,
        alpha=1.0 - confidence,
        monitor_share=0.5 if design and intervals == "auto" else 1.0,
    )
    size = f"{planned:,} {experiment.unit}s per arm"
    if final:
        return looks, _final(smallest / planned, size)
    at_any_time = "The intervals hold at any time: look as often as you like."
    if design is None:
        return looks, f"{at_any_time} The test was not sized before launch; they are narrowest at {size}, a default."
    if intervals == "always-valid":
        return looks, f"{at_any_time} They do so at the planned size of {size} and after it, too."
    if reached:
        return looks, (
            f"The planned size of {size} is passed by {smallest / planned - 1.0:.0%}. The fixed intervals were for one "
            "look at that size; past it they hold at any time again, and are wider, until the test is ended."
        )
    return looks, (
        f"{at_any_time} Narrower, fixed ones come at the planned size of {size}; "
        f"the smallest arm has {smallest:,} ({smallest / planned:.0%})."
    )


def _plain(*, asked: bool) -> str:
    how = "" if asked else " The test was not sized before launch."
    return (
        f"The intervals are for one look, at a time chosen before the results were known.{how} Reading them again and "
        "again raises the rate of false winners; proofsheet analyze --intervals always-valid does not."
    )


def _final(progress: float, size: str) -> str:
    if progress < 1.0:
        return (
            f"The test ended at {progress:.0%} of its planned size of {size}. Its fixed intervals hold unless it was "
            "ended because of what it showed; then read proofsheet analyze --intervals always-valid."
        )
    return f"The planned size of {size} is reached: the intervals are fixed, with an allowance for the looks before."
