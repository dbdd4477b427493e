"""Reads what a brief asks of its pictures together: the axes, the shares wanted, and how near they must come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from generation.toml_fields import Table, choices, shown
from proofsheet.domain.coverage import TOLERANCE, CoverageGoal

_LIKE = '"age_group"'


def read_coverage(root: Table, axes: Mapping[str, Sequence[str]] | None) -> tuple[CoverageGoal, ...]:
    """The ``[[coverage]]`` tables of a brief; none where it has none.

    Args:
        root: the brief.
        axes: the names of each axis's values, by axis; None where names are not to be checked.
    """
    goals: list[CoverageGoal] = []
    for table in root.tables("coverage"):
        axis = table.text("axis", required=True, like=_LIKE)
        values = None if axes is None else axes.get(axis)
        if axis and axes is not None and values is None:
            table.note("axis", f"got {shown(axis)}, which is not an axis of coverage.", choices(axis, axes))
        elif axis in [goal.axis for goal in goals]:
            table.note("axis", f"{shown(axis)} stands twice.", "Leave one of them out.")
        targets = _targets(table, values)
        tolerance = table.number("tolerance", TOLERANCE, low=0.01, high=0.5, like="0.1")
        table.close()
        if axis:
            goals.append(CoverageGoal(axis=axis, targets=targets, tolerance=tolerance))
    return tuple(goals)


def _targets(table: Table, values: Sequence[str] | None) -> dict[str, float]:
    written = table.table("targets")
    before = len(table.problems)
    targets = {}
    for name in written.data:
        if values is not None and name not in values:
            written.number(name, 0.0, low=0.0, high=1.0, like="0.25")
            written.note(name, "this is no value of the axis.", choices(name, values))
        else:
            targets[name] = written.number(name, 0.0, low=0.0, high=1.0, like="0.25")
    total = math.fsum(targets.values())
    free = values is None or any(name not in targets for name in values)
    if len(table.problems) == before and (total > 1.0 + 1e-9 or (targets and not free and total < 1.0 - 1e-9)):
        rule = f"the shares add up to {total:.4g}, not to 1."
        table.note("targets", rule, "They are shares of all pictures: let them add up to 1, or leave a value out.")
    return targets
