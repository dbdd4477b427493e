"""What is checked before an experiment's results are believed: platform reports, and unit-level events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from proofsheet.domain.experiment import Experiment, ExperimentStatus, Metric, MetricKind, Role
from proofsheet.domain.result import Cell, HealthCheck
from proofsheet.workflows.house import now

if TYPE_CHECKING:
    from experiments.checks.delays import DelayTable
    from warehouse.check_facts import Arrivals, HeldUnits
    from warehouse.facts import UnitAccount
    from warehouse.store import Reader

_LONGEST = timedelta(days=180)  # delays and trends are looked for in the last half year
_LEAST_BEFORE = 50  # units that did something before the test, for the arms to be compared by it

#: What an open check asks, for the line that names everything that cannot be told yet.
_QUESTIONS = {
    "maturity": "whether the conversions are in",
    "delay_difference": "whether the arms' conversions come equally fast",
    "novelty": "whether a lift wears off",
    "lift_by_day": "whether a lift changes from day to day",
}


def platform_health(
    reader: Reader, experiment: Experiment, cells: Sequence[Cell], *, one_look: bool = False
) -> tuple[HealthCheck, ...]:
    """Checks of a report's cells of the primary metric, by severity.

    Only arms with a planned weight are asked for. A platform steers delivery, so its shares never block.

    Args:
        one_look: the user says that this look is the only one: the sample ratio is then that of one look.
    """
    from experiments.checks.health import (
        both_arms,
        by_severity,
        delivery_balance,
        enough_data,
        gather_open,
        late_days,
        missing_days,
    )

    if not cells:
        return (HealthCheck(name="both_arms", ok=None, message="No report has come in yet.", severity="info"),)
    observed = dict.fromkeys(_planned(experiment), 0)
    days: dict[str, set[date]] = {arm: set() for arm in observed}
    for cell in cells:
        if cell.arm in observed:
            observed[cell.arm] += cell.trials
            if (day := day_of(cell)) is not None:
                days[cell.arm].add(day)
    checks = [both_arms(observed, list(observed), experiment.control.name)]
    all_days = sorted(set().union(*days.values()))
    if all_days and checks[0].severity != "blocking":
        checks.append(_delivered_ratio(experiment, cells, watched=_watched(experiment, one_look=one_look)))
        checks.append(delivery_balance(cells))
        checks.append(missing_days(days, all_days[0], all_days[-1]))
        checks.append(late_days(all_days, now().date()))
        snapshots = reader.restated_deliveries(experiment, experiment.primary)
        checks += _restated(snapshots, experiment.primary.numerator.replace("_", " "))
        if experiment.primary.kind is MetricKind.PROPORTION:
            checks.append(_lift_by_day(experiment, cells))
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
    return by_severity(gather_open(checks, _QUESTIONS))


def _delivered_ratio(experiment: Experiment, cells: Sequence[Cell], *, watched: bool) -> HealthCheck:
    """The sample ratio of what was delivered, by the cells' days; by the whole where a cell names no day."""
    from experiments.checks.over_days import ratio_by_day

    by_day: dict[tuple[str, date], float] = defaultdict(float)
    for cell in cells:
        by_day[cell.arm, day_of(cell) or date.min] += cell.trials
    dated = all(day > date.min for _, day in by_day)
    return ratio_by_day(by_day, _weights(experiment), running=watched and dated, steered=True)


def _lift_by_day(experiment: Experiment, cells: Sequence[Cell]) -> HealthCheck:
    from experiments.checks.over_days import lifts_over_days, trends_by_day

    planned = _planned(experiment)
    trials: dict[tuple[str, date], float] = defaultdict(float)
    successes: dict[tuple[str, date], float] = defaultdict(float)
    for cell in cells:
        if (day := day_of(cell)) is not None and cell.arm in planned:
            trials[cell.arm, day] += cell.trials
            successes[cell.arm, day] += cell.successes
    return lifts_over_days(trends_by_day(successes, trials, experiment.control.name), since_exposure=False)


def unit_health(
    reader: Reader, experiment: Experiment, account: UnitAccount, *, one_look: bool = False
) -> tuple[HealthCheck, ...]:
    """Checks of unit-level events, by severity.

    How units came to the arms: all arms there, sample ratio (while the test runs by the test that holds at every daily
    look), ratio by day and file, what units did before their first exposure, units in two arms. How far the outcomes
    can be read: conversions still to come, unequal delays, lifts that change, outcomes that came late, the size.

    Args:
        one_look: the user says that this look is the only one: the sample ratio is then that of one look.
    """
    from experiments.checks.health import both_arms, by_severity, enough_data, gather_open

    observed = {arm: account.units.get(arm, 0) for arm in _planned(experiment)}
    checks = [both_arms(observed, list(observed), experiment.control.name)]
    if checks[0].severity != "blocking":
        with reader.held_units(experiment) as held:
            arrivals = held.arrivals()
            checks += _split(held, experiment, arrivals, watched=_watched(experiment, one_look=one_look))
            checks += _outcomes(held, experiment, arrivals)
    checks += _strays(reader, experiment, account)
    checks.append(enough_data(observed, experiment.design))
    return by_severity(gather_open(checks, _QUESTIONS))


def _split(
    held: HeldUnits, experiment: Experiment, arrivals: Sequence[Arrivals], *, watched: bool
) -> list[HealthCheck]:
    """Whether units fell to the arms by chance alone: as planned, on every day, in every file, and alike before."""
    from experiments.checks.balance import pre_period_balance
    from experiments.checks.over_days import ratio_by_day
    from experiments.checks.segment_ratio import segment_ratio

    weights = _weights(experiment)
    by_day: dict[tuple[str, date], float] = defaultdict(float)
    parts: dict[str, dict[str, dict[str, int]]] = {"day": {}, "file": {}}
    for one in arrivals:
        by_day[one.arm, one.day] += one.units
        for dimension, level in (("day", one.day.isoformat()), ("file", one.file)):
            counts = parts[dimension].setdefault(level, dict.fromkeys(weights, 0))
            counts[one.arm] += one.units
    checks = [ratio_by_day(by_day, weights, running=watched)]
    divided = {dimension: levels for dimension, levels in parts.items() if len(levels) > 1}
    if divided and sum(weight > 0 for weight in weights.values()) > 1:
        checks.append(segment_ratio(divided, weights))
    before = held.baselines(least=_LEAST_BEFORE)
    if before is not None:
        kept = [i for i, arm in enumerate(before.arms) if weights.get(arm, 0.0) > 0]
        n, means, cross = ([one[i] for i in kept] for one in (before.n, before.means, before.cross))
        checks.append(pre_period_balance(before.metrics, [before.arms[i] for i in kept], n, means, cross))
    return checks


def _outcomes(held: HeldUnits, experiment: Experiment, arrivals: Sequence[Arrivals]) -> list[HealthCheck]:
    """Whether the outcomes of the primary metric are in, and their lift steady."""
    from experiments.checks.maturity import delay_difference, maturity
    from experiments.checks.over_days import lifts_over_days, trends_by_exposure_day, trends_since_exposure

    metric = next((one for one in experiment.metrics if one.role is Role.PRIMARY), None)
    if metric is None:
        return []
    tables = _delay_tables(held, experiment, metric, arrivals)
    if tables is None:
        text = (
            "The facts are all of one day, so delays of conversions and changes of a lift cannot be seen. Give the "
            "times of exposures and outcomes."
        )
        return [HealthCheck(name="not_checked", ok=None, message=text, severity="info")]
    first, active = tables
    control = experiment.control.name
    checks = [maturity(first), delay_difference(first)]
    checks += _restated(held.restated_outcomes(metric), f"{metric.numerator} outcomes")
    checks.append(lifts_over_days(trends_since_exposure(active, control), since_exposure=True))
    checks.append(lifts_over_days(trends_by_exposure_day(first, control), since_exposure=False))
    return checks


def _delay_tables(
    held: HeldUnits, experiment: Experiment, metric: Metric, arrivals: Sequence[Arrivals]
) -> tuple[DelayTable, DelayTable] | None:
    """First outcomes, and all days with one, by day of exposure and delay up to the last day but one.

    The last day of the facts is perhaps not over. None where they are of one day.
    """
    from experiments.checks.delays import tabulate_delays

    last = held.last_fact_day()
    if last is None:
        return None
    as_of, planned = last - timedelta(days=1), _planned(experiment)
    units: dict[tuple[str, date], float] = defaultdict(float)
    for one in arrivals:
        if one.arm in planned and as_of - _LONGEST <= one.day <= as_of:
            units[one.arm, one.day] += one.units
    if not units:
        return None
    rows = [one for one in held.active_days(metric) if (one.arm, one.exposed) in units]
    first = tabulate_delays(((one.arm, one.exposed, one.day, one.first) for one in rows), units, as_of)
    return first, tabulate_delays(((one.arm, one.exposed, one.day, one.units) for one in rows), units, as_of)


def _restated(
    snapshots: tuple[Mapping[tuple[str, date], float], Mapping[tuple[str, date], float]], what: str
) -> list[HealthCheck]:
    """What the last import changed of days that were over before; nothing where it said none of them anew."""
    from experiments.checks.late_data import late_data, settled

    before, after = settled(*snapshots)
    return [late_data(before, after, what=what)] if before else []


def _strays(reader: Reader, experiment: Experiment, account: UnitAccount) -> list[HealthCheck]:
    """Units that no arm can claim: those of two arms, and those of arms that the experiment does not have."""
    from experiments.checks.crossing import crossed_units

    sets: dict[tuple[str, ...], int] = {(arm,): n for arm, n in account.units.items()}
    if account.in_two_arms:
        sets |= reader.crossed_sets(experiment)
    crossed = crossed_units(sets, control=experiment.control.name, left_out=True)
    checks = [crossed] if crossed.ok is not None else []  # without two arms there is nothing to cross
    unknown = account.unknown_arms
    if unknown:
        shown = ", ".join(f"{arm}: {n:,}" for arm, n in sorted(unknown.items())[:3])
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        text = (
            f"{sum(unknown.values()):,} units saw arms that the experiment does not have ({shown}{more}); they are "
            "left out. Check the arms' names in the file."
        )
        checks.append(HealthCheck(name="unknown_arms", ok=False, message=text, severity="warning"))
    return checks


def _watched(experiment: Experiment, *, one_look: bool) -> bool:
    return experiment.status is ExperimentStatus.RUNNING and not one_look


def _weights(experiment: Experiment) -> dict[str, float]:
    return {arm.name: arm.weight for arm in experiment.arms}


def _planned(experiment: Experiment) -> list[str]:
    """The arms that traffic was planned for, and the control."""
    return [arm.name for arm in experiment.arms if arm.weight > 0 or arm.is_control]


def day_of(cell: Cell) -> date | None:
    """The day that a cell's name begins with."""
    text = cell.cell.split("|", 1)[0]
    return date.fromisoformat(text) if text[:1].isdigit() else None
