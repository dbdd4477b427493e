"""Which intervals an experiment gets: always valid while it runs, fixed at its planned end; and why, in a sentence.

Of a table nobody knows whether its test still runs: it is read at one look, unless it is said that it is read at many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

from proofsheet.domain.experiment import Experiment, ExperimentStatus
from proofsheet.errors import InputError

if TYPE_CHECKING:
    from experiments.comparing.readings import Reading
    from experiments.sequential.looks import Looks

#: The choices of ``analyze``: by the experiment's state, or one kind whatever it is.
INTERVALS = ("auto", "fixed", "always-valid")

#: Units per arm at which always-valid intervals are narrowest where no size was planned.
UNPLANNED: Mapping[str, int] = {"impression": 100_000, "user": 5_000}

#: How far past the planned size the one final look may come while the test still runs.
_OVERRUN = 1.05

_AT_ANY_TIME = "The intervals hold at any time: look as often as you like."


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

    design, ended = experiment.design, has_ended(experiment)
    control, smallest = sizes.get(experiment.control.name, 0), min(sizes.values(), default=0)
    if intervals == "fixed" or (intervals == "auto" and design is None and ended):
        return OneLook(), _plain(asked=intervals == "fixed")
    planned = design.n_per_arm if design else UNPLANNED.get(experiment.unit, UNPLANNED["user"])
    reached, passed = smallest >= planned, smallest > _OVERRUN * planned
    final = intervals == "auto" and design is not None and (ended or (reached and not passed))
    share = 0.5 if design and intervals == "auto" else 1.0
    looks = _looks(sizes, control, planned, final=final, confidence=confidence, monitor_share=share)
    size = f"{planned:,} {experiment.unit}s per arm"
    if final:
        return looks, _final(smallest / planned, size)
    if design is None:
        return looks, f"{_AT_ANY_TIME} The test was not sized before launch; they are narrowest at {size}, a default."
    if intervals == "always-valid":
        return looks, f"{_AT_ANY_TIME} They do so at the planned size of {size} and after it, too."
    if reached:
        return looks, (
            f"The planned size of {size} is passed by {smallest / planned - 1.0:.0%}. The fixed intervals were for one "
            "look at that size; past it they hold at any time again, and are wider, until the test is ended."
        )
    return looks, (
        f"{_AT_ANY_TIME} Narrower, fixed ones come at the planned size of {size}; "
        f"the smallest arm has {smallest:,} ({smallest / planned:.0%})."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReading:
    """How all experiments of a table are read.

    Attributes:
        always: at every look; else at one.
        planned: units per arm, or trials of counts, at which always-valid intervals are narrowest.
        sentence: for people.
    """

    always: bool
    planned: int
    confidence: float
    sentence: str

    def looks(self, sizes: Mapping[str, int], control: str) -> Looks | None:
        """The reading of one experiment; None at one look.

        Args:
            sizes: units, or trials, by arm.
        """
        if not self.always:
            return None
        base = sizes[control]
        return _looks(sizes, base, self.planned, final=False, confidence=self.confidence, monitor_share=1.0)


def table_reading(*, intervals: str, planned: int | None, confidence: float, counted: bool) -> TableReading:
    """The reading of a table: at one look with "auto" and "fixed", at every look with "always-valid".

    Args:
        planned: where always-valid intervals are narrowest; by default where they are for an experiment without a plan.
        counted: the table holds counts, so that sizes are trials.

    Raises:
        InputError: the intervals are not known, or the planned size is not a whole number above 0 or would not be used.
    """
    check_intervals(intervals)
    always, unit = intervals == "always-valid", "trials" if counted else "units"
    if planned is not None:
        _check_planned(planned, unit)
        if not always:
            raise InputError(
                f"The planned size {planned} is for always-valid intervals; these are for one look.",
                "Ask for the intervals always-valid, or leave the planned size out.",
            )
    size = int(planned or UNPLANNED["impression" if counted else "user"])
    default = "" if planned else ", a default: name the size that you plan"
    sentence = f"{_AT_ANY_TIME} They are narrowest at {size:,} {unit} per arm{default}."
    return TableReading(
        always=always,
        planned=size,
        confidence=confidence,
        sentence=sentence if always else _plain(asked=True),
    )


def _check_planned(planned: object, unit: str) -> None:
    if isinstance(planned, bool) or not isinstance(planned, Integral) or planned < 1:
        raise InputError(
            f"The planned size {planned!r} is not a whole number above 0.",
            f"Give the {unit} that you plan for each arm.",
        )


def _looks(
    sizes: Mapping[str, int], control: int, planned: int, *, final: bool, confidence: float, monitor_share: float
) -> Looks:
    from experiments.sequential.looks import Looks, progress_of

    return Looks(
        progress={arm: float(progress_of(n, control, planned)) for arm, n in sizes.items()},
        final=final,
        alpha=1.0 - confidence,
        monitor_share=monitor_share,
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
