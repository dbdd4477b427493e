"""The cells of a results page from any table: rows read and typed as ever, then grouped in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proofsheet.domain.experiment import OVER_ANOTHER, MetricKind
from proofsheet.domain.result import Page
from proofsheet.errors import InputError
from warehouse.page_query import page_query
from warehouse.table_question import Question
from warehouse.table_sources import Table
from warehouse.table_sums import cap, fetched, open_units, origin_of, origins, refuse_overflow
from warehouse.table_values import days, labels
from warehouse.tables import TableReport, typed_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


def page_cells(
    source: Table, page: Page, *, unit: str | None = None, empty: str = "refuse"
) -> tuple[Mapping[str, NDArray[Any]], TableReport]:
    """The cells of ``page_query`` for a table, and what became of its rows.

    Args:
        source: a file or a table in memory (see ``table_sources.open_source``).
        unit: the column of the unit, where one has several rows: their numbers are added, and the unit stands at its
            first day, with the levels of its first row.
        empty: how empty numbers are taken, as in ``tables.file_aggregates``; an empty level is one of its own.

    Raises:
        NotFoundError: there is no such file.
        InputError: a column is missing, too many cells fit no rule, or a metric needs the values themselves.
    """
    wanted = [metric for metric in page.metrics if metric.kind is MetricKind.QUANTILE]
    if wanted:
        raise InputError(
            f"The quantile {wanted[0].name!r} cannot stand on a page, which is merged from the sums of days.",
            "Leave it out here; analyze it by itself.",
        )
    question = Question(arm=page.arm, metrics=tuple(page.metrics), unit=unit, empty=empty)
    levels = {f"d{k}": (column, labels) for k, column in enumerate(page.dimensions)}
    read = typed_rows(source, question, further={"day": (page.day, days), **levels})
    session, two, repeated, lost = open_units(read.columns, read.rows, question)
    try:
        cap(session, question.metrics)
        cells = fetched(session, page_query(_short(page), _shifted(page, about := _about(session, page))))
    finally:
        session.close()
    for i in range(len(page.metrics)):
        for axis in "xy":
            if f"{axis}{i}" in about:
                cells[f"mean_{axis}_{i}"] = cells[f"mean_{axis}_{i}"] + origin_of(about[f"{axis}{i}"])
    refuse_overflow(cells, page.metrics)
    return cells, read.report_less(lost, two, repeated)


def _about(session: Any, page: Page) -> dict[str, str]:
    measured = [i for i, metric in enumerate(page.metrics) if metric.kind is not MetricKind.PROPORTION]
    over = [i for i, metric in enumerate(page.metrics) if metric.kind in OVER_ANOTHER]
    return origins(session, [*(f"x{i}" for i in measured), *(f"y{i}" for i in over)])


def _shifted(page: Page, about: Mapping[str, str]) -> str:
    """The units, with values less their origins."""
    if not about:
        return "facts"
    return f"(SELECT * REPLACE ({', '.join(f'{sql} AS {column}' for column, sql in about.items())}) FROM facts)"


def _short(page: Page) -> Page:
    """The page in the short names of our own columns."""
    metrics = tuple(
        replace(metric, numerator=f"x{i}", denominator=f"y{i}" if metric.denominator else "")
        for i, metric in enumerate(page.metrics)
    )
    return Page(arm="a", day="day", metrics=metrics, dimensions=tuple(f"d{k}" for k in range(len(page.dimensions))))
