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
#: Values within so many times their spread of zero keep their digits as they are.
_NEAR = 1_000.0
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
        types = [str(relation.types[place]) for place in picked]
        kinds = dict(zip(("a", *question.rules), types, strict=True))
        if not _fit(kinds, question.metrics):
            return None
        places = dict(zip(kinds, picked, strict=True))
        first: dict[int, str] = {}
        once = {short: first.setdefault(place, short) for short, place in places.items() if short != "a"}
        parts = [_column(short, names[places[short]], kinds[short]) for short in dict.fromkeys(("a", *once.values()))]
        found = _grouped(relation.project(", ".join(parts)), kinds, once, question)
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


def _grouped(
    facts: duckdb.DuckDBPyRelation, kinds: dict[str, str], once: dict[str, str], question: Question
) -> Columns | None:
    """The sums; ``once`` leads from every short name to the one under which its column stands in ``facts``."""
    import numpy as np

    measured = list(dict.fromkeys(once[short] for short in measured_columns(question.metrics)))
    deciles = [f"quantile_cont({column}, [0.1, 0.5, 0.9])" for column in measured]
    ((named, *told),) = facts.limit(FIRST_ROWS).aggregate(", ".join(["list(a)", *deciles])).fetchall()
    if not all(found and all(map(math.isfinite, found)) for found in told):
        return None
    typical = [mid if abs(mid) > _NEAR * (high - low) else 0.0 for low, mid, high in told]
    about = less_typical(measured, typical) if measured else {}
    about = {short: about.get(column, column) for short, column in once.items()}
    moments, added = moments_sql(question.metrics, about)
    checks = dict(_checks(kinds, once, question.metrics))
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
    places = {arm: place for place, arm in enumerate(dict.fromkeys(named))}
    order = sorted(range(len(arms)), key=lambda row: (places.get(arms[row], len(places)), arms[row]))
    kept = {name: column[order] for name, column in columns.items() if not name.startswith("check_")}
    finish(kept, question.metrics, added)
    return kept


def _checks(
    kinds: dict[str, str], once: dict[str, str], metrics: Sequence[Metric]
) -> Iterator[tuple[str, Callable[[Any, Any], bool]]]:
    """SQL of what must hold of every arm, each with how its answers are judged beside the numbers of rows."""
    every = dict.fromkeys(once.values())
    yield f"count({' + '.join(every)})", lambda found, n: bool((found == n).all())  # one null makes the sum null
    for i, metric in enumerate(metrics):
        x, y = once[f"x{i}"], once.get(f"y{i}", "")
        if metric.kind is MetricKind.PROPORTION and kinds[x] != "BOOLEAN":
            yield f"min({x})", lambda found, n: bool((found >= 0).all())
            yield f"max({x})", lambda found, n: bool((found <= 1).all())
            if kinds[x] in _BROKEN:  # within 0 and 1 the squares add up to the sum for zeros and ones alone
                yield f"sum({x}) - sum({x} * {x})", lambda found, n: bool((found == 0).all())
        if metric.kind is MetricKind.RATE:
            yield f"min({x})", lambda found, n: bool((found >= 0).all())
        if metric.kind in OVER_ANOTHER and metric.kind is MetricKind.RATE:
            yield f"min({y})", lambda found, n: bool((found >= 0).all())
