"""What is checked before an experiment's results are believed: platform reports, and unit-level events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from proofsheet.domain.experiment import Experiment
from proofsheet.domain.result import Cell, HealthCheck
from proofsheet.workflows.house import now

if TYPE_CHECKING:
    from warehouse.facts import UnitAccount
    from warehouse.store import Reader


def platform_health(reader: Reader, experiment: Experiment, cells: Sequence[Cell]) -> tuple[HealthCheck, ...]:
    """Checks of a report's cells of the primary metric."""
    from experiments.checks.health import (
        both_arms,
        delivery_balance,
        enough_data,
        late_days,
        missing_days,
        sample_ratio,
    )

    observed = {arm.name: 0 for arm in experiment.arms}
    days: dict[str, set[date]] = {arm.name: set() for arm in experiment.arms}
    for cell in cells:
        observed[cell.arm] += cell.trials
        if (day := day_of(cell)) is not None:
            days[cell.arm].add(day)
    if not cells:
        return (HealthCheck(name="both_arms", ok=None, message="No report has come in yet.", severity="info"),)
    checks = [both_arms(observed, list(observed), experiment.control.name)]
    all_days = sorted(set().union(*days.values()))
    if all_days and checks[0].severity != "blocking":
        weights = {arm.name: arm.weight for arm in experiment.arms}
        checks.append(sample_ratio(observed, weights, steered=True))
        checks.append(delivery_balance(cells))
        checks.append(missing_days(days, all_days[0], all_days[-1]))
        checks.append(late_days(all_days, now().date()))
    checks.append(enough_data(observed, experiment.design))
    strays = reader.unmatched(experiment)
    if strays:
        shown = ", ".join(dict.fromkeys(one.ad or one.ad_id for one in strays[:3]))
        checks.append(
            HealthCheck(
                name="unmatched_ads",
                ok=False,
                message=f"{len(strays)} ads of the reports belong to no arm ({shown}); they are left out.",
                severity="warning",
            )
        )
    return tuple(checks)


def unit_health(experiment: Experiment, account: UnitAccount) -> tuple[HealthCheck, ...]:
    """Checks of unit-level events by how many units each arm has."""
    from experiments.checks.health import both_arms, enough_data, sample_ratio

    observed = {arm.name: account.units.get(arm.name, 0) for arm in experiment.arms}
    checks = [both_arms(observed, list(observed), experiment.control.name)]
    if checks[0].severity != "blocking":
        checks.append(sample_ratio(observed, {arm.name: arm.weight for arm in experiment.arms}))
    checks.append(enough_data(observed, experiment.design))
    if account.in_two_arms:
        checks.append(
            HealthCheck(
                name="units_in_two_arms",
                ok=False,
                message=f"{account.in_two_arms:,} units saw more than one arm; they are left out.",
                severity="warning",
            )
        )
    return tuple(checks)


def day_of(cell: Cell) -> date | None:
    """The day that a cell's name begins with."""
    text = cell.cell.split("|", 1)[0]
    return date.fromisoformat(text) if text[:1].isdigit() else None
