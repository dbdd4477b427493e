"""Which days changed since the last import: two snapshots of the same counts, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from proofsheet.domain.result import HealthCheck

Snapshot = Mapping[tuple[str, date], float]

NOTABLE_CHANGE = 0.01
NOTABLE_LOSS = 0.001  # platforms take back a few invalid clicks as a rule


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChange:
    """A day of an arm whose count is not what it was; ``before`` is None for a day that was not there."""

    arm: str
    day: date
    before: float | None
    after: float

    @property
    def share(self) -> float | None:
        """The change relative to the earlier count; None where that was missing or 0."""
        return self.after / self.before - 1.0 if self.before else None


def changed_days(before: Snapshot, after: Snapshot) -> tuple[DayChange, ...]:
    """Days and arms with another count than in the earlier snapshot, by day, then arm.

    A day that is missing in the later snapshot has the count 0 there. Days after the last day of the earlier snapshot
    are new rather than changed, and left out.
    """
    last = max((day for _, day in before), default=None)
    changes = []
    for arm, day in sorted({*before, *after}, key=lambda key: (key[1], key[0])):
        if last is None or day > last:
            continue
        old, new = before.get((arm, day)), after.get((arm, day), 0.0)
        if new != (old or 0.0) or (old is None and new):
            changes.append(DayChange(arm=arm, day=day, before=old, after=new))
    return tuple(changes)


def settled(before: Snapshot, after: Snapshot) -> tuple[Snapshot, Snapshot]:
    """Both snapshots without the last day of the earlier one, which was perhaps not over when it was taken."""
    last = max((day for _, day in before), default=date.min)
    older, newer = ({key: n for key, n in one.items() if key[1] < last} for one in (before, after))
    return older, newer


def late_data(before: Snapshot, after: Snapshot, *, what: str = "conversions") -> HealthCheck:
    """Did counts of days that were already imported change since?

    Fails when the known days together gained 1 % or more, or lost 0.1 % or more: what was read off the earlier
    snapshot no longer holds. Smaller changes are told and pass.
    """
    if not before:
        text = "There is no earlier import to compare with."
        return HealthCheck(name="late_data", ok=None, message=text, severity="info")
    changes = changed_days(before, after)
    if not changes:
        text = "No day that was imported before has changed."
        return HealthCheck(name="late_data", ok=True, message=text, severity="info")
    total = sum(before.values())
    gained = sum(max(0.0, c.after - (c.before or 0.0)) for c in changes)
    lost = sum(max(0.0, (c.before or 0.0) - c.after) for c in changes)
    days = sorted({c.day for c in changes})
    parts = [f"{gained:,.6g} {what} were added"] * bool(gained) + [f"{lost:,.6g} were taken back"] * bool(lost)
    text = (
        f"Since the last import {_days_text(days)} changed: "
        f"{' and '.join(parts)}, of {total:,.6g} in all. {_uneven(changes, before)}"
    ).strip()
    notable = lost >= max(NOTABLE_LOSS * total, 1e-9) or gained >= max(NOTABLE_CHANGE * total, 1e-9)
    if notable:
        text += " What was read off it no longer holds: decide when the days have stopped changing."
    return HealthCheck(name="late_data", ok=not notable, message=text, severity="warning" if notable else "info")


def _days_text(days: Sequence[date]) -> str:
    if len(days) == 1:
        return f"one known day, {days[0]}, has"
    return f"{len(days)} known days from {days[0]} to {days[-1]} have"


def _uneven(changes: Sequence[DayChange], before: Snapshot) -> str:
    """Whether the change touched the arms unequally: the arms with the largest and the smallest relative change."""
    totals: dict[str, float] = {}
    for (arm, _), count in before.items():
        totals[arm] = totals.get(arm, 0.0) + count
    moved = dict.fromkeys(sorted(arm for arm, total in totals.items() if total), 0.0)
    for change in changes:
        if change.arm in moved:
            moved[change.arm] += (change.after - (change.before or 0.0)) / totals[change.arm]
    if len(moved) < 2:
        return ""
    most, least = max(moved, key=lambda arm: moved[arm]), min(moved, key=lambda arm: moved[arm])
    if moved[most] - moved[least] < NOTABLE_CHANGE:
        return ""
    return f"The arms changed unequally: {most} by {moved[most]:+.1%}, {least} by {moved[least]:+.1%}."
