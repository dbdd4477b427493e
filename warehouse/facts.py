"""Reading facts: only sufficient statistics leave the warehouse, computed in one pass over the rows.

**Which rows count.** A delivery row counts unless a later import corrects it (see ``warehouse.corrections``), when its
``asset_key`` is the variant of an arm, its import was not assigned to another campaign, and its days lie within the
experiment's: from the day it started (UTC) to the day it ended, both included; rows without a day count. Unit-level
facts name their experiment themselves, by its id or its name, so no window is laid over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from proofsheet.domain.experiment import Experiment, Metric, MetricKind
from proofsheet.domain.identity import content_id
from proofsheet.domain.result import Aggregates, Cell, add_exactly
from proofsheet.errors import InputError
from warehouse.engine import Session

#: The counts of a delivery row that a metric may name.
DELIVERY_FIELDS = ("impressions", "clicks", "link_clicks", "conversions", "conversion_value", "spend")
MONEY_FIELDS = frozenset({"conversion_value", "spend"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTotals:
    """Exact totals of delivery rows: of an arm, of an arm on one day, or of a platform.

    A count is None when no row has it, never a guess. Money is None when the rows are in several currencies, which
    are never added; ``currencies`` names them.
    """

    arm: str = ""
    platform: str = ""
    day: date | None = None
    first_day: date | None = None
    last_day: date | None = None
    rows: int = 0
    impressions: int | None = None
    clicks: int | None = None
    link_clicks: int | None = None
    conversions: Decimal | None = None
    conversion_value: Decimal | None = None
    spend: Decimal | None = None
    currencies: tuple[str, ...] = ()

    @property
    def currency(self) -> str:
        """The currency when there is exactly one, else nothing."""
        return self.currencies[0] if len(self.currencies) == 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedAd:
    """An ad in a report that belongs to no arm, with what it got."""

    platform: str
    campaign: str
    ad_group: str
    ad: str
    ad_id: str
    asset_key: str
    rows: int
    impressions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAccount:
    """What became of the units and outcomes of an experiment.

    ``units`` counts those analysed by arm. ``in_two_arms`` units saw more than one arm, ``unknown_arms`` gives units
    by an arm that the experiment does not have; both are left out. So are outcomes before the unit's first exposure
    and outcomes of units that were never exposed.
    """

    units: Mapping[str, int]
    in_two_arms: int
    unknown_arms: Mapping[str, int]
    outcomes_before_exposure: int
    outcomes_without_exposure: int


class FactReader:
    """The reads that statistics and cost are made from."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def cells(self, experiment: Experiment, metric: Metric) -> tuple[Cell, ...]:
        """Counts by arm and cell (day | placement | segment) from platform reports.

        ``trials`` is the sum of the metric's denominator (``impressions`` when it names none), ``successes`` and
        ``value`` are the sum of its numerator. For a ratio of which the denominator can be fractional (conversions),
        ``trials`` is rounded to a whole number. Rows that lack one of the two columns do not count.

        Raises:
            InputError: the metric names something no report has, or adds money of several currencies.
        """
        numerator = _field(metric, metric.numerator)
        denominator = _field(metric, metric.denominator or "impressions")
        if MONEY_FIELDS & {numerator, denominator}:
            self._one_currency(experiment)
        arms, parameters = _arms(experiment)
        rows = self._session.rows(
            f"WITH {arms} SELECT a.arm, d.day, d.placement, d.segment, sum(d.{denominator}), sum(d.{numerator}) "
            f"FROM {_JOINED} WHERE {_COUNTS} AND {_WITHIN} "
            f"AND d.{numerator} IS NOT NULL AND d.{denominator} IS NOT NULL GROUP BY ALL ORDER BY ALL",
            [*parameters, *_context(experiment)],
        )
        return tuple(
            Cell(
                arm=arm,
                cell=f"{day.isoformat() if day else 'no day'}|{placement}|{segment}",
                trials=round(trials),
                successes=float(total),
                value=float(total),
            )
            for arm, day, placement, segment, trials, total in rows
        )

    def arm_deliveries(self, experiment: Experiment) -> tuple[DeliveryTotals, ...]:
        """Totals of every arm over the whole window, in the experiment's order; zero rows where nothing ran."""
        found = {totals.arm: totals for totals in self._totals(experiment, by_day=False)}
        return tuple(found.get(arm.name, DeliveryTotals(arm=arm.name)) for arm in experiment.arms)

    def daily(self, experiment: Experiment) -> tuple[DeliveryTotals, ...]:
        """Totals by arm and day, for the days that have rows."""
        return tuple(self._totals(experiment, by_day=True))

    def _totals(self, experiment: Experiment, *, by_day: bool) -> list[DeliveryTotals]:
        arms, parameters = _arms(experiment)
        rows = self._session.rows(
            f"WITH {arms} SELECT a.arm, {'d.day' if by_day else 'NULL'} AS day, {_SUMS} "
            f"FROM {_JOINED} WHERE {_COUNTS} AND {_WITHIN} GROUP BY 1, 2 ORDER BY 2, 1",
            [*parameters, *_context(experiment)],
        )
        return [_read_totals(row[2:], arm=row[0], day=row[1]) for row in rows]

    def delivery_totals(self, campaign: str | None = None) -> tuple[DeliveryTotals, ...]:
        """Totals by platform of all rows that count, of imports assigned to one campaign (None: of all imports)."""
        rows = self._session.rows(
            f"SELECT d.platform, {_SUMS} FROM deliveries d JOIN imports i USING (import_no) "
            "WHERE d.replaced_by IS NULL AND ($1 IS NULL OR i.campaign = $1) GROUP BY 1 ORDER BY 1",
            [campaign],
        )
        return tuple(_read_totals(row[1:], platform=row[0]) for row in rows)

    def unmatched(self, experiment: Experiment) -> tuple[UnmatchedAd, ...]:
        """Ads that belong to no arm, in imports assigned to the campaign or holding rows of the experiment."""
        arms, parameters = _arms(experiment)
        rows = self._session.rows(
            f"WITH {arms}, ours AS (SELECT import_no FROM imports WHERE campaign = $campaign UNION "
            "SELECT d.import_no FROM deliveries d JOIN arms a ON a.key = d.asset_key JOIN imports i "
            "ON i.import_no = d.import_no WHERE i.campaign IS NULL) "
            "SELECT d.platform, d.campaign, d.ad_group, d.ad, d.ad_id, d.asset_key, count(*), "
            "coalesce(sum(d.impressions), 0) FROM deliveries d SEMI JOIN ours USING (import_no) "
            "ANTI JOIN arms ON arms.key = d.asset_key WHERE d.replaced_by IS NULL "
            "GROUP BY ALL ORDER BY 8 DESC, 4, 5".replace("$campaign", "?"),
            [*parameters, experiment.campaign],
        )
        names = ("platform", "campaign", "ad_group", "ad", "ad_id", "asset_key", "rows", "impressions")
        return tuple(UnmatchedAd(**dict(zip(names, row, strict=True))) for row in rows)

    def _one_currency(self, experiment: Experiment) -> None:
        arms, parameters = _arms(experiment)
        rows = self._session.rows(
            f"WITH {arms} SELECT DISTINCT d.currency FROM {_JOINED} WHERE {_COUNTS} AND {_WITHIN} "
            "AND (d.spend IS NOT NULL OR d.conversion_value IS NOT NULL) ORDER BY 1",
            [*parameters, *_context(experiment)],
        )
        if len(rows) > 1:
            raise InputError(
                f"The reports of {experiment.id} are in several currencies: {', '.join(r[0] or 'none' for r in rows)}.",
                "Amounts of different currencies are never added. Export the reports in one currency.",
            )

    def unit_aggregates(self, experiment: Experiment, metric: Metric) -> dict[str, Aggregates]:
        """Centred moments by arm over the exposed units, from unit-level facts.

        A unit's number is the sum of the values of its outcomes named by the numerator (for a proportion: 1 when one
        of them is above zero, else 0), counted from its first exposure on; the denominator's likewise for a ratio.
        Exposed units without an outcome count as 0. Units that saw more than one arm are left out
        (``unit_account`` counts them). Arms without units are absent.
        """
        arms, parameters = _arms(experiment, by_name=True)
        named = (experiment.id, experiment.name)
        x = "CASE WHEN o.x > 0 THEN 1 ELSE 0 END" if metric.kind is MetricKind.PROPORTION else "coalesce(o.x, 0)"
        y = "coalesce(o.y, 0)" if metric.kind is MetricKind.RATIO else "1"
        worst = "max" if metric.kind is MetricKind.PROPORTION else "sum"
        rows = self._session.rows(
            f"WITH {arms}, {_UNITS}, totals AS (SELECT o.unit, {worst}(o.value) FILTER (o.event = ?) AS x, "
            "sum(o.value) FILTER (o.event = ?) AS y FROM outcomes o JOIN good USING (unit) "
            "WHERE o.experiment IN (?, ?) AND o.replaced_by IS NULL AND o.happened_at >= good.first_seen "
            "GROUP BY o.unit), "
            f"numbers AS MATERIALIZED (SELECT good.arm, ({x})::DOUBLE AS x, ({y})::DOUBLE AS y "
            "FROM good LEFT JOIN totals o USING (unit)), "
            "centres AS (SELECT arm, avg(x) AS at_x, avg(y) AS at_y FROM numbers GROUP BY arm) "
            f"SELECT arm, {MOMENTS} FROM numbers JOIN centres USING (arm) GROUP BY arm ORDER BY arm",
            [*parameters, *named, metric.numerator, metric.denominator, *named],
        )
        return {row[0]: read_moments(row[1:]) for row in rows}

    def unit_account(self, experiment: Experiment) -> UnitAccount:
        """How many units and outcomes count, and why the others do not."""
        arms, parameters = _arms(experiment, by_name=True)
        named = (experiment.id, experiment.name)
        units = self._session.rows(
            f"WITH {arms}, {_UNITS} SELECT 'good', arm, count(*) FROM good GROUP BY arm UNION ALL "
            "SELECT 'two', '', count(*) FROM seen WHERE two UNION ALL "
            "SELECT 'unknown', arm, count(*) FROM seen WHERE NOT two AND NOT known GROUP BY arm ORDER BY 1, 2",
            [*parameters, *named],
        )
        outcomes = self._session.rows(
            f"WITH {arms}, {_UNITS} SELECT count(*) FILTER (o.happened_at < seen.first_seen), "
            "count(*) FILTER (seen.unit IS NULL) FROM outcomes o LEFT JOIN seen USING (unit) "
            "WHERE o.experiment IN (?, ?) AND o.replaced_by IS NULL",
            [*parameters, *named, *named],
        )[0]
        return UnitAccount(
            units={arm: count for kind, arm, count in units if kind == "good"},
            in_two_arms=next(count for kind, _, count in units if kind == "two"),
            unknown_arms={arm: count for kind, arm, count in units if kind == "unknown"},
            outcomes_before_exposure=outcomes[0],
            outcomes_without_exposure=outcomes[1],
        )

    def data_version(self, experiment: Experiment) -> str:
        """A short text that changes when, and only when, the facts that count for the experiment change."""
        arms, parameters = _arms(experiment)
        named = (experiment.id, experiment.name)
        rows = self._session.rows(
            f"WITH {arms} SELECT i.sha256, i.kind, count(*) FROM {_JOINED} "
            f"WHERE {_COUNTS} AND {_WITHIN} GROUP BY ALL UNION ALL "
            "SELECT i.sha256, 'exposures', count(*) FROM exposures e JOIN imports i USING (import_no) "
            "WHERE e.experiment IN (?, ?) AND e.replaced_by IS NULL GROUP BY ALL UNION ALL "
            "SELECT i.sha256, 'outcomes', count(*) FROM outcomes o JOIN imports i USING (import_no) "
            "WHERE o.experiment IN (?, ?) AND o.replaced_by IS NULL GROUP BY ALL ORDER BY ALL",
            [*parameters, *_context(experiment), *named, *named],
        )
        return content_id([list(row) for row in rows])


#: Count, means and centred moments of the columns x and y, about at_x and at_y close to their means: in one pass over
#: values of 1e9 that differ by 1 even DuckDB's variances (by Welford's method) are off by 1e-8, and avg by more.
MOMENTS = (
    "count(*), any_value(at_x), avg(x - at_x), var_pop(x - at_x) * count(*), "
    "any_value(at_y), avg(y - at_y), var_pop(y - at_y) * count(*), covar_pop(x - at_x, y - at_y) * count(*)"
)

_JOINED = "deliveries d JOIN arms a ON a.key = d.asset_key JOIN imports i ON i.import_no = d.import_no"
_OURS = "(i.campaign IS NULL OR i.campaign = ?)"
_COUNTS = f"d.replaced_by IS NULL AND {_OURS}"
_WITHIN = "(d.day IS NULL OR (d.day >= ?::DATE AND coalesce(d.day_end, d.day) <= ?::DATE))"
_SUMS = (
    "min(d.day), max(coalesce(d.day_end, d.day)), count(*), sum(d.impressions), sum(d.clicks), sum(d.link_clicks), "
    "sum(d.conversions), sum(d.conversion_value), sum(d.spend), "
    "list_sort(list_distinct(list(d.currency) FILTER (d.currency <> '')))"
)
_UNITS = (
    "seen AS (SELECT e.unit, min(coalesce(a.arm, e.arm)) AS arm, bool_and(a.arm IS NOT NULL) AS known, "
    "min(coalesce(a.arm, e.arm)) <> max(coalesce(a.arm, e.arm)) AS two, min(e.seen_at) AS first_seen, "
    "min(e.import_no) AS import_no "
    "FROM exposures e LEFT JOIN arms a ON a.key = e.arm "
    "WHERE e.experiment IN (?, ?) AND e.replaced_by IS NULL GROUP BY e.unit), "
    "good AS (SELECT unit, arm, first_seen, import_no FROM seen WHERE NOT two AND known)"
)


def read_moments(row: tuple[Any, ...]) -> Aggregates:
    """The aggregates in a row of MOMENTS."""
    n, *numbers = row
    at_x, from_x, m2_x, at_y, from_y, m2_y, cxy = (number or 0.0 for number in numbers)
    mean_x, rest_x = add_exactly(at_x, from_x)
    mean_y, rest_y = add_exactly(at_y, from_y)
    return Aggregates(n=n, mean_x=mean_x, m2_x=m2_x, mean_y=mean_y, m2_y=m2_y, cxy=cxy, rest_x=rest_x, rest_y=rest_y)


def _read_totals(row: tuple[Any, ...], *, arm: str = "", platform: str = "", day: date | None = None) -> DeliveryTotals:
    first, last, rows, impressions, clicks, link_clicks, conversions, value, spend, currencies = row
    mixed = len(currencies or ()) > 1
    return DeliveryTotals(
        arm=arm,
        platform=platform,
        day=day,
        first_day=first,
        last_day=last,
        rows=rows,
        impressions=None if impressions is None else int(impressions),
        clicks=None if clicks is None else int(clicks),
        link_clicks=None if link_clicks is None else int(link_clicks),
        conversions=plain_decimal(conversions),
        conversion_value=None if mixed else plain_decimal(value),
        spend=None if mixed else plain_decimal(spend),
        currencies=tuple(currencies or ()),
    )


def plain_decimal(value: Decimal | None) -> Decimal | None:
    """The same number without the zeros that a fixed number of places brings."""
    if value is None:
        return None
    short = value.normalize()
    return short if short.as_tuple().exponent <= 0 else short.quantize(Decimal(1))  # type: ignore[operator]


def _arms(experiment: Experiment, *, by_name: bool = False) -> tuple[str, list[str]]:
    """A table of arm names and what rows call them: the variant id, and for unit-level facts also the name."""
    keys = {arm.variant_id: arm.name for arm in experiment.arms}
    if by_name:
        keys |= {arm.name: arm.name for arm in experiment.arms}
    if not keys:
        return "arms(arm, key) AS (SELECT '', '' WHERE false)", []
    values = ", ".join(["(?, ?)"] * len(keys))
    return f"arms(arm, key) AS (VALUES {values})", [text for key, name in keys.items() for text in (name, key)]


def _context(experiment: Experiment) -> tuple[str, date, date]:
    """The campaign and the first and last day that count."""
    first = _day(experiment.started_at) or date(1, 1, 1)
    last = _day(experiment.ended_at) or date(9999, 12, 31)
    return experiment.campaign, first, last


def _day(moment: datetime | None) -> date | None:
    if moment is None:
        return None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date()


def _field(metric: Metric, name: str) -> str:
    if name in DELIVERY_FIELDS:
        return name
    near = get_close_matches(name.lower(), DELIVERY_FIELDS, n=1)
    raise InputError(
        f"The metric {metric.name!r} asks for {name!r}, which platform reports do not have.",
        (f"Did you mean {near[0]}? " if near else "") + f"They have: {', '.join(DELIVERY_FIELDS)}.",
    )
