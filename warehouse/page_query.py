"""The one query behind a results page."""

from __future__ import annotations

from proofsheet.domain.experiment import OVER_ANOTHER, MetricKind
from proofsheet.domain.result import Page


def page_query(page: Page, source: str) -> str:
    """SQL (DuckDB) for the cells of a page, in one pass over ``source``, which has one row per unit.

    Gives ``cut`` (0 for days, from 1 the place of the dimension), ``level`` (the day or the dimension's value as text),
    ``arm``, ``n``, and for metric ``i`` ``mean_x_i`` and ``m2_x_i``, with ``mean_y_i``, ``m2_y_i`` and ``cxy_i`` for
    ratios and rates, in the order of days and levels. Rows without a value of a metric must have been left out or
    filled before.

    Args:
        source: a table's name or a query in brackets, as it is to stand in FROM.
    """
    arm, day = _quoted(page.arm), _quoted(page.day)
    cuts = [day, *map(_quoted, page.dimensions)]
    which = "CASE " + " ".join(f"WHEN grouping({cut}) = 0 THEN {i}" for i, cut in enumerate(cuts)) + " END"
    level = "coalesce(" + ", ".join(f"CAST({cut} AS VARCHAR)" for cut in cuts) + ", '')"
    wanted = [f"{which} AS cut", f"{level} AS level", f"CAST({arm} AS VARCHAR) AS arm", "count(*) AS n"]
    for i, metric in enumerate(page.metrics):
        x, y = _quoted(metric.numerator), _quoted(metric.denominator)
        wanted.append(f"{_mean(x) if metric.kind is not MetricKind.PROPORTION else f'avg({x})'} AS mean_x_{i}")
        if metric.kind is not MetricKind.PROPORTION:
            wanted.append(f"var_pop({x}) * count(*) AS m2_x_{i}")
        if metric.kind in OVER_ANOTHER:
            wanted.append(f"{_mean(y)} AS mean_y_{i}, var_pop({y}) * count(*) AS m2_y_{i}")
            wanted.append(f"covar_pop({x}, {y}) * count(*) AS cxy_{i}")
    sets = ", ".join(f"({arm}, {cut})" for cut in cuts)
    order = ", ".join(["cut", *cuts, arm])
    return f"SELECT {', '.join(wanted)} FROM {source} GROUP BY GROUPING SETS ({sets}) ORDER BY {order}"


def _mean(column: str) -> str:
    """One value over and over is its own mean, to the last digit, also where an origin has been taken off it."""
    return f"CASE WHEN min({column}) = max({column}) THEN min({column}) ELSE avg({column}) END"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
