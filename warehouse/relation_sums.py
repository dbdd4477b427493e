"""A table in memory whose columns have types already: its sums straight from DuckDB, with no cell looked at twice.

A relation of DuckDB or an Arrow table of numbers and truths, one row per unit, is grouped where it is. The same query
tells whether a value is missing, not finite or out of its kind's range: then there is something to say about rows, and
the way of ``tables`` is taken, which reads every cell.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from proofsheet.domain.experiment import OVER_ANOTHER, Metric, MetricKind
from warehouse.engine import Session
from warehouse.table_files import pick_columns
from warehouse.table_question import Question
from warehouse.table_sources import NAME, Table, readable
from warehouse.table_sums import FIRST_ROWS, Sums, finish, less_typical, measured_columns, moments_sql

if TYPE_CHECKING:
    import duckdb

    from warehouse.table_sums import Columns

_WHOLE = frozenset(f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG")) | {
    "INTEGER",
    "UINTEGER",
}
_BROKEN = frozenset({"FLOAT", "DOUBLE"})
_KINDS = (MetricKind.PROPORTION, MetricKind.MEAN, MetricKind.RATIO, MetricKind.RATE)


def relation_sums(source: Table, question: Question) -> tuple[Sums, tuple[str, ...]] | None:
    """The sums of a typed table and the names of all its columns; None where its cells have to be read one by one.

    Arms stand in the order in which the first thousand rows name them, the rest by name.

    Raises:
        InputError: a column is missing, or fits several.
    """
    if not _plain(question):
        return None
    with readable(), _relation(source) as relation:
        if relation is None:
            return None
        names = list(relation.columns)
        picked = pick_columns(NAME, names, [question.arm, *(column for column, _ in question.rules.values())])
        kinds = [str(relation.types[place]) for place in picked]
        shorts = ["a", *question.rules]
        if not _fit(dict(zip(shorts, kinds, strict=True)), question.metrics):
            return None
        parts = [_column(short, names[place], kind) for short, place, kind in zip(shorts, picked, kinds, strict=True)]
        found = _grouped(relation.project(", ".join(parts)), dict(zip(shorts, kinds, strict=True)), question)
    return None if found is None else (Sums(columns=found), tuple(names))


def _plain(question: Question) -> bool:
    """Nothing is asked but moments of metrics by arm, one row a unit."""
    other = (question.unit, question.experiment, question.trials, question.cell)
    metrics = question.metrics
    return not any(other) and not question.covariates and all(m.kind in _KINDS and m.upper == 1.0 for m in metrics)


@contextmanager
def _relation(source: Table) -> Iterator[duckdb.DuckDBPyRelation | None]:
    """The table as a relation, where it is one or Arrow's."""
    room = type(source).__module__.partition(".")[0]
    if room in ("duckdb", "_duckdb") and hasattr(source, "project"):
        yield source
    elif room == "pyarrow" and hasattr(source, "column_names") and "halffloat" not in map(str, source.schema.types):
        session = Session(None)
        try:
            yield session.connection.from_arrow(source)
        finally:
            session.close()
    else:
        yield None


def _fit(kinds: dict[str, str], metrics: Sequence[Metric]) -> bool:
    """Whether the columns' types say what they hold."""
    if kinds["a"] not in _WHOLE | {"VARCHAR"} and not kinds["a"].startswith("ENUM"):
        return False
    for i, metric in enumerate(metrics):
        wanted = _WHOLE if metric.kind is MetricKind.RATE else _WHOLE | _BROKEN
        truths = {"BOOLEAN"} if metric.kind is MetricKind.PROPORTION else set()
        if kinds[f"x{i}"] not in wanted | truths or kinds.get(f"y{i}", "DOUBLE") not in _WHOLE | _BROKEN:
            return False
    return True


def _column(short: str, name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if short == "a":
        return f'CAST({quoted} AS VARCHAR) COLLATE "binary" AS a'
    return f"CAST({quoted} AS DOUBLE) AS {short}" if kind != "DOUBLE" else f"{quoted} AS {short}"


def _grouped(facts: duckdb.DuckDBPyRelation, kinds: dict[str, str], question: Question) -> Columns | None:
    import numpy as np

    measured = measured_columns(question.metrics)
    first = facts.limit(FIRST_ROWS)
    about: dict[str, str] = {}
    if measured:
        (middle,) = first.aggregate(", ".join(f"median({column})" for column in measured)).fetchall()
        if not all(value is not None and math.isfinite(value) for value in middle):
            return None
        about = less_typical(measured, middle)
    moments, added = moments_sql(question.metrics, about)
    checks = dict(_checks(kinds, question.metrics))
    wanted = {**moments, **{f"check_{k}": sql for k, sql in enumerate(checks)}}
    sql = ", ".join(f"{part} AS {short}" for short, part in wanted.items())
    found = facts.aggregate(f"'' AS experiment, a AS arm, count(*) AS n, {sql}", "a").fetchnumpy()
    if any(np.ma.is_masked(column) for column in found.values()):
        return None
    columns = {name: np.ma.getdata(column) for name, column in found.items()}
    arms = columns["arm"].tolist()
    whole = all(holds(columns[f"check_{k}"], columns["n"]) for k, holds in enumerate(checks.values()))
    finite = all(np.isfinite(columns[short]).all() for short in moments)
    if not arms or not whole or not finite or any(arm != arm.strip() or not arm for arm in arms):
        return None
    named = list(dict.fromkeys(arm for (arm,) in first.project("a").fetchall()))
    order = sorted(range(len(arms)), key=lambda row: _place(arms[row], named))
    kept = {name: column[order] for name, column in columns.items() if not name.startswith("check_")}
    finish(kept, question.metrics, added)
    return kept


def _place(arm: str, named: Sequence[str]) -> tuple[int, str]:
    return (named.index(arm) if arm in named else len(named), arm)


def _checks(kinds: dict[str, str], metrics: Sequence[Metric]) -> Iterator[tuple[str, Callable[[Any, Any], bool]]]:
    """SQL of what must hold of every arm, each with how its answers are judged beside the numbers of rows."""
    for short in kinds:
        if short != "a":
            yield f"count({short})", lambda found, n: bool((found == n).all())
    for i, metric in enumerate(metrics):
        x, y = f"x{i}", f"y{i}"
        if metric.kind is MetricKind.PROPORTION and kinds[x] != "BOOLEAN":
            yield f"min({x})", lambda found, n: bool((found >= 0).all())
            yield f"max({x})", lambda found, n: bool((found <= 1).all())
            if kinds[x] in _BROKEN:  # within 0 and 1 the squares add up to the sum for zeros and ones alone
                yield f"sum({x}) - sum({x} * {x})", lambda found, n: bool((found == 0).all())
        if metric.kind is MetricKind.RATE:
            yield f"min({x})", lambda found, n: bool((found >= 0).all())
        if metric.kind in OVER_ANOTHER and metric.kind is MetricKind.RATE:
            yield f"min({y})", lambda found, n: bool((found >= 0).all())
