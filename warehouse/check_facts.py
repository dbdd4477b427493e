"""Facts for the health checks: counts of units, days and conversions, and what a later import changed.

Days are UTC. Units and rows count as in ``warehouse.facts``; each answer is one pass over the rows it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from proofsheet.domain.experiment import Experiment, Metric
from proofsheet.domain.plain import from_json
from warehouse.engine import Session
from warehouse.facts import _COUNTS, _JOINED, _OURS, _UNITS, _WITHIN, FactReader, _arms, _context, _field
from warehouse.records import ImportRecord

Counted = dict[tuple[str, date], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Analysed units of an arm by the day and the file in which they were first seen."""

    arm: str
    day: date
    file: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveDay:
    """Units of one arm and first day that had an outcome on ``day``; ``first`` of them had none before."""

    arm: str
    exposed: date
    day: date
    units: int
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """What units did before their first exposure: per arm the units, means and cross-moments of the metrics.

    ``metrics`` names the k events; ``cross`` holds k × k sums of products of deviations from the arm's means.
    """

    metrics: tuple[str, ...]
    arms: tuple[str, ...]
    n: tuple[int, ...]
    means: tuple[tuple[float, ...], ...]
    cross: tuple[tuple[tuple[float, ...], ...], ...]


class HeldUnits:
    """What the analysed units of one experiment did, by day, file and event."""

    def __init__(self, session: Session, experiment: Experiment) -> None:
        self._session = session
        self._named = (experiment.id, experiment.name)

    def arrivals(self) -> tuple[Arrivals, ...]:
        """Analysed units by arm, day of their first exposure, and the first file that still says so.

        Files of one name are told apart by a number.
        """
        rows = self._session.rows(
            "SELECT arm, first_seen::DATE AS day, import_no, count(*) FROM held GROUP BY ALL "
            "ORDER BY day, arm, import_no"
        )
        files = self._file_names({row[2] for row in rows})
        return tuple(Arrivals(arm=arm, day=day, file=files[number], units=units) for arm, day, number, units in rows)

    def _file_names(self, numbers: set[int]) -> dict[int, str]:
        rows = self._session.rows(
            "SELECT import_no, body FROM imports WHERE list_contains(?::BIGINT[], import_no) ORDER BY import_no",
            [sorted(numbers)],
        )
        names = {number: from_json(ImportRecord, body).file_name for number, body in rows}
        several = {name for name in names.values() if list(names.values()).count(name) > 1}
        return {number: f"{name} (import {number})" if name in several else name for number, name in names.items()}

    def active_days(self, metric: Metric) -> tuple[ActiveDay, ...]:
        """Analysed units with an outcome above zero of the metric's numerator, by day exposed and day of the outcome.

        Outcomes before the first exposure do not count. ``first`` adds up to the units that ever converted.
        """
        rows = self._session.rows(
            "WITH active AS (SELECT held.unit, held.arm, held.first_seen::DATE AS exposed, "
            "o.happened_at::DATE AS day FROM outcomes o JOIN held USING (unit) WHERE o.experiment IN (?, ?) "
            "AND o.replaced_by IS NULL AND o.event = ? AND o.value > 0 AND o.happened_at >= held.first_seen "
            "GROUP BY ALL), "
            "firsts AS (SELECT arm, exposed, day, day = min(day) OVER (PARTITION BY unit) AS is_first FROM active) "
            "SELECT arm, exposed, day, count(*), count(*) FILTER (is_first) FROM firsts GROUP BY ALL ORDER BY ALL",
            [*self._named, metric.numerator],
        )
        return tuple(ActiveDay(arm=a, exposed=e, day=d, units=units, first=first) for a, e, d, units, first in rows)

    def last_fact_day(self) -> date | None:
        """The last day of any exposure or outcome of the experiment."""
        row = self._session.row(
            "SELECT max(moment)::DATE FROM (SELECT max(seen_at) AS moment FROM exposures WHERE experiment IN (?, ?) "
            "AND replaced_by IS NULL UNION ALL SELECT max(happened_at) FROM outcomes WHERE experiment IN (?, ?) AND "
            "replaced_by IS NULL)",
            [*self._named, *self._named],
        )
        return row[0] if row else None

    def baselines(self, *, least: int, most: int = 8) -> Baselines | None:
        """What the analysed units did before their first exposure, by event, or None where too few did anything.

        A unit's number is the sum of its values of the event before its first exposure, 0 without any.

        Args:
            least: units that must have done it; rarer events are left out.
            most: events to take, the commonest first.
        """
        before = (
            "WITH early AS (SELECT o.unit, o.event, o.value FROM outcomes o JOIN held USING (unit) "
            "WHERE o.experiment IN (?, ?) AND o.replaced_by IS NULL AND o.happened_at < held.first_seen)"
        )
        common = self._session.rows(
            f"{before} SELECT event, count(DISTINCT unit) AS units FROM early GROUP BY event HAVING units >= {least:d} "
            f"ORDER BY units DESC, event LIMIT {most:d}",
            self._named,
        )
        events = sorted(event for event, _ in common)
        if not events:
            return None
        k = range(len(events))
        pairs = [(i, j) for i in k for j in k if i <= j]
        rows = self._session.rows(
            f"{before}, sums AS (SELECT unit, {_columns('sum(value) FILTER (event = ?) AS x{}', k)} FROM early "
            f"GROUP BY unit), numbers AS (SELECT held.arm, {_columns('coalesce(x{0}, 0) AS x{0}', k)} FROM held "
            f"LEFT JOIN sums USING (unit)) SELECT arm, count(*), {_columns('avg(x{})', k)}, "
            + ", ".join(f"covar_pop(x{i}, x{j}) * count(*)" for i, j in pairs)
            + " FROM numbers GROUP BY arm ORDER BY arm",
            [*self._named, *events],
        )
        cross = []
        for row in rows:
            found = dict(zip(pairs, row[2 + len(events) :], strict=True))
            cross.append(tuple(tuple(found[min(i, j), max(i, j)] for j in k) for i in k))
        return Baselines(
            metrics=tuple(events),
            arms=tuple(row[0] for row in rows),
            n=tuple(row[1] for row in rows),
            means=tuple(tuple(row[2 : 2 + len(events)]) for row in rows),
            cross=tuple(cross),
        )

    def restated_outcomes(self, metric: Metric) -> tuple[Counted, Counted]:
        """Outcomes of the metric's numerator by arm and day: before the last import of unit-level facts, and now.

        Only of units that an earlier import had exposed, so that a first file of other units changes nothing. Both are
        empty while there is one import.
        """
        named = self._named
        rows = self._session.rows(
            "WITH latest AS (SELECT max(import_no) AS no FROM (SELECT max(import_no) AS import_no "
            "FROM exposures WHERE experiment IN (?, ?) UNION ALL SELECT max(import_no) FROM outcomes "
            "WHERE experiment IN (?, ?))), "
            "known AS (SELECT DISTINCT e.unit FROM exposures e, latest WHERE e.experiment IN (?, ?) "
            "AND e.import_no < latest.no) "
            "SELECT held.arm, o.happened_at::DATE AS day, count(*) FILTER (o.import_no < latest.no), "
            "count(*) FILTER (o.replaced_by IS NULL) FROM outcomes o JOIN held USING (unit) SEMI JOIN known "
            "USING (unit), latest WHERE o.experiment IN (?, ?) AND o.event = ? AND (o.replaced_by IS NULL "
            "OR o.replaced_by = latest.no) GROUP BY 1, 2 ORDER BY 2, 1",
            [*named, *named, *named, *named, metric.numerator],
        )
        return _snapshots(rows)


class CheckReader(FactReader):
    """The reads that health checks are made from."""

    def crossed_sets(self, experiment: Experiment) -> dict[tuple[str, ...], int]:
        """Units that saw more than one arm, by the arms they saw; arms unknown to the experiment keep their names."""
        arms, parameters = _arms(experiment, by_name=True)
        named = (experiment.id, experiment.name)
        rows = self._session.rows(
            f"WITH {arms}, {_UNITS}, sets AS (SELECT list_sort(list_distinct(list(coalesce(a.arm, e.arm)))) AS arms "
            "FROM exposures e SEMI JOIN (SELECT unit FROM seen WHERE two) crossed USING (unit) "
            "LEFT JOIN arms a ON a.key = e.arm WHERE e.experiment IN (?, ?) AND e.replaced_by IS NULL GROUP BY e.unit) "
            "SELECT arms, count(*) FROM sets GROUP BY arms ORDER BY arms",
            [*parameters, *named, *named],
        )
        return {tuple(members): count for members, count in rows}

    def restated_deliveries(self, experiment: Experiment, metric: Metric) -> tuple[Counted, Counted]:
        """Sums of the metric's numerator by arm and day that the last import of a platform says anew: before, and now.

        Only of ads and days that both imports have, day by day; ads that are new to a report change nothing, and
        neither do rows over several days. Both are empty where nothing was said anew.
        """
        arms, parameters = _arms(experiment)
        numerator = _field(metric, metric.numerator)
        rows = self._session.rows(
            f"WITH {arms}, latest AS (SELECT d.platform, max(d.import_no) AS no FROM {_JOINED} WHERE {_COUNTS} "
            f"AND {_WITHIN} GROUP BY d.platform), "
            "cells AS (SELECT a.arm, d.platform, d.campaign, d.ad_group, d.ad, d.day, "
            f"sum(d.{numerator}) FILTER (d.replaced_by = latest.no) AS before, "
            f"sum(d.{numerator}) FILTER (d.import_no = latest.no) AS after "
            f"FROM {_JOINED} JOIN latest ON latest.platform = d.platform WHERE {_OURS} AND {_WITHIN} "
            f"AND d.day IS NOT NULL AND coalesce(d.day_end, d.day) = d.day AND d.{numerator} IS NOT NULL "
            "AND (d.replaced_by = latest.no OR (d.import_no = latest.no AND d.replaced_by IS NULL)) GROUP BY ALL) "
            "SELECT arm, day, sum(before), sum(after) FROM cells WHERE before IS NOT NULL AND after IS NOT NULL "
            "GROUP BY arm, day ORDER BY day, arm",
            [*parameters, *_context(experiment), *_context(experiment)],
        )
        return _snapshots(rows)

    @contextmanager
    def held_units(self, experiment: Experiment) -> Iterator[HeldUnits]:
        """The analysed units of an experiment, found once and kept aside for the questions asked in the block."""
        arms, parameters = _arms(experiment, by_name=True)
        self._session.rows(
            f"CREATE OR REPLACE TEMP TABLE held AS WITH {arms}, {_UNITS} SELECT * FROM good",
            [*parameters, experiment.id, experiment.name],
        )
        try:
            yield HeldUnits(self._session, experiment)
        finally:
            self._session.rows("DROP TABLE IF EXISTS temp.held")


def _snapshots(rows: Sequence[tuple[str, date, float, float]]) -> tuple[Counted, Counted]:
    return (
        {(arm, day): float(before) for arm, day, before, _ in rows if before},
        {(arm, day): float(after) for arm, day, _, after in rows if after},
    )


def _columns(template: str, places: range) -> str:
    return ", ".join(template.format(i) for i in places)
