"""Typed rows to sufficient statistics by arm, in one query: counts, means and centred sums of products.

Values are taken less an origin (a median of the first rows) before they are summed and multiplied, and it is added to
the means again: far from zero an average would lose digits, and a sum of squares all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from proofsheet.domain.experiment import OVER_ANOTHER, Metric, MetricKind
from proofsheet.errors import InputError
from warehouse.engine import Session, spoken
from warehouse.table_question import Question

if TYPE_CHECKING:
    import numpy as np
    import pyarrow
    from numpy.typing import NDArray

    Columns = dict[str, NDArray[Any]]

#: So many rows tell where the values of a column lie.
FIRST_ROWS = 1001

#: Larger numbers are not squared and summed.
LARGEST = 1e150


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What the rows come to.

    Attributes:
        columns: a row per experiment and arm, in the order in which the table first names them: ``experiment``,
            ``arm``, ``n``; of metric i ``mean_x_i``, ``m2_x_i``, and over another ``mean_y_i``, ``m2_y_i``, ``cxy_i``;
            ``rest_*``, what the float of a mean far from zero leaves out of it; ``cap_i`` and the share ``capped_i`` of
            units beyond it; ``trials`` and ``successes``; and the moments ``mean_k``,
            ``cross_j_k`` of covariates k, ``cross_x_i_k`` and ``cross_y_i_k`` with metric i.
        covariates: the names of the covariates k, with those that say where one is missing.
        cells: ``experiment``, ``arm``, ``cell``, ``trials`` and ``successes``, in the order of the table.
        values: of the place of a quantile, the values of each row of ``columns``.
    """

    columns: Columns
    covariates: tuple[str, ...] = ()
    cells: Columns = field(default_factory=dict)
    values: dict[int, list[NDArray[np.float64]]] = field(default_factory=dict)
    units_in_two_arms: int = 0
    units_with_several_rows: int = 0
    rows_lost: int = 0


def summed(name: str, typed: dict[str, pyarrow.Array], rows: pyarrow.Array, question: Question) -> Sums:
    """Group typed columns (by the short names of ``Question``) by experiment and arm.

    Raises:
        InputError: every unit is in two arms, a cap leaves nothing to compare, or values are too large.
    """
    session, two, repeated, lost = open_units(typed, rows, question)
    metrics = question.metrics
    try:
        cap(session, metrics)
        covariates, names = _with_histories(session, question)
        about = origins(session, [*measured_columns(metrics), *covariates])
        moments, added = moments_sql(metrics, about, covariates)
        sums = moments | _totals(typed)
        parts = ", ".join(f"{sql} AS {short}" for short, sql in sums.items())
        found = fetched(
            session,
            f"SELECT e AS experiment, a AS arm, count(*) AS n{', ' if parts else ''}{parts} FROM facts "
            "GROUP BY e, a ORDER BY min(min(r)) OVER (PARTITION BY e), e, min(r)",
        )
        cells = _cells(session) if "c" in typed else {}
        values = {i: _values(session, i) for i, m in enumerate(metrics) if m.kind is MetricKind.QUANTILE}
    finally:
        session.close()
    if not found["n"].size:
        raise InputError(f"{name}: every unit is in two arms, so nothing is left.", "Check the unit and arm columns.")
    finish(found, metrics, added, names)
    return Sums(
        columns=found,
        covariates=tuple(names),
        cells=cells,
        values=values,
        units_in_two_arms=two,
        units_with_several_rows=repeated,
        rows_lost=lost,
    )


def open_units(
    typed: dict[str, pyarrow.Array], rows: pyarrow.Array, question: Question
) -> tuple[Session, int, int, int]:
    """A session with the table ``facts`` of one row per unit; the units in two arms and in several rows, rows lost."""
    import pyarrow as pa

    session = Session(None)
    try:
        with spoken(None):
            session.connection.register("given", pa.table({"r": rows, **typed}))
        named = "" if "e" in typed else "'' AS e, "
        session.rows(f"CREATE TEMP VIEW {'rows_of_units' if 'u' in typed else 'facts'} AS SELECT {named}* FROM given")
        return session, *(_by_unit(session, question, tuple(typed)) if "u" in typed else (0, 0, 0))
    except BaseException:
        session.close()
        raise


def _by_unit(session: Session, question: Question, typed: Sequence[str]) -> tuple[int, int, int]:
    """Make ``facts`` of one row per unit; gives the units in two arms, those of several rows, and the rows lost."""
    kept = []
    for place, metric in enumerate(question.metrics):
        kept.append(f"{'max' if metric.kind is MetricKind.PROPORTION else 'sum'}(x{place}) AS x{place}")
        if metric.kind in OVER_ANOTHER:
            kept.append(f"sum(y{place}) AS y{place}")
    kept += [f"avg({short}) AS {short}" for short in typed if short[0] == "z"]
    # The first day and the levels of the first row: what is shown is as it was when the unit came in.
    kept += ["min(day) AS day"] * ("day" in typed)
    kept += [f"arg_min({short}, r) AS {short}" for short in typed if short[0] == "d" and short != "day"]
    session.rows(
        "CREATE TEMP TABLE units AS SELECT e, u, min(a) AS a, min(a) <> max(a) AS two, count(*) AS n, min(r) AS r, "
        f"{', '.join(kept)} FROM rows_of_units GROUP BY e, u"
    )
    session.rows("CREATE TEMP VIEW facts AS SELECT * FROM units WHERE NOT two")
    two, repeated, lost = session.rows(
        "SELECT count(*) FILTER (two), count(*) FILTER (n > 1 AND NOT two), coalesce(sum(n) FILTER (two), 0) FROM units"
    )[0]
    return two, repeated, int(lost)


def fetched(session: Session, sql: str) -> Columns:
    """The columns of a query, none of which has a null."""
    import numpy as np

    with spoken(None):
        return {name: np.ma.getdata(column) for name, column in session.connection.execute(sql).fetchnumpy().items()}


def _replaced(session: Session, sql: str) -> None:
    """Make ``facts`` what a query over it gives."""
    session.rows(f"CREATE TEMP TABLE made AS {sql}")
    with spoken(None):
        session.rows("DROP VIEW IF EXISTS facts")
    session.rows("CREATE OR REPLACE TEMP VIEW facts AS SELECT * FROM made")


def cap(session: Session, metrics: Sequence[Metric]) -> None:
    """Winsorise: a value above the quantile of all units of its experiment counts as that quantile."""
    capped = [(i, metric) for i, metric in enumerate(metrics) if metric.upper < 1.0]
    if not capped:
        return
    caps = ", ".join(f"quantile_cont(x{i}, {metric.upper!r}) AS cap{i}" for i, metric in capped)
    low = ", ".join(f"min(x{i}), max(x{i}), quantile_cont(x{i}, {metric.upper!r})" for i, metric in capped)
    for row in session.rows(f"SELECT e, {low} FROM facts GROUP BY e ORDER BY e"):
        for place, (_, metric) in enumerate(capped):
            least, most, cap = row[1 + 3 * place : 4 + 3 * place]
            if cap <= least < most:
                raise InputError(
                    f"The cap of {metric.name!r} at {metric.upper:.4%} of the units is {cap:g}, its least value"
                    f"{f' in experiment {row[0]!r}' if row[0] else ''}: nothing would be left to compare.",
                    "Most units have this value. Choose a higher level, or compare the share of units above it.",
                )
    new = ", ".join(f"least(x{i}, cap{i}) AS x{i}" for i, _ in capped)
    shares = ", ".join(f"CAST(x{i} > cap{i} AS DOUBLE) AS over{i}" for i, _ in capped)
    _replaced(
        session,
        f"SELECT * REPLACE ({new}), {shares} FROM facts JOIN (SELECT e, {caps} FROM facts GROUP BY e) USING (e)",
    )


def _with_histories(session: Session, question: Question) -> tuple[list[str], list[str]]:
    """Covariates without a hole: where a unit has none it is the origin, and a column of its own says so."""
    columns, names = [], []
    made = []
    for place, name in enumerate(question.covariates):
        (missing,), (origin,) = zip(
            *session.rows(f"SELECT count(*) FILTER (z{place} IS NULL), median(z{place}) FROM facts"), strict=True
        )
        columns.append(f"z{place}")
        names.append(name)
        if missing:
            made.append((f"coalesce(z{place}, {float(origin or 0.0)!r}) AS z{place}", f"m{place}", place))
            columns.append(f"m{place}")
            names.append(f"{name} unknown")
    if made:
        replace = ", ".join(part for part, _, _ in made)
        flags = ", ".join(f"CAST(z{place} IS NULL AS DOUBLE) AS {short}" for _, short, place in made)
        _replaced(session, f"SELECT * REPLACE ({replace}), {flags} FROM facts")
    return columns, names


def origins(session: Session, columns: Sequence[str], source: str = "facts") -> dict[str, str]:
    """For each column an expression of its values less a typical one, where that is not 0: ``(x - 3.5)``."""
    if not columns:
        return {}
    middle = ", ".join(f"median({column})" for column in columns)
    (found,) = session.rows(f"SELECT {middle} FROM (SELECT * FROM {source} LIMIT {FIRST_ROWS})")
    return less_typical(columns, found)


def less_typical(columns: Sequence[str], typical: Sequence[float | None]) -> dict[str, str]:
    """For each column an expression of its values less the typical one."""
    return {
        column: f"({column} - {float(value)!r})" if value else column
        for column, value in zip(columns, typical, strict=True)
    }


def origin_of(expression: str) -> float:
    """The number that an expression of ``origins`` takes off."""
    return float(expression.rpartition(" - ")[2].rstrip(")")) if " - " in expression else 0.0


def measured_columns(metrics: Sequence[Metric]) -> list[str]:
    """The columns of which moments are taken less an origin."""
    measured = [f"x{i}" for i, m in enumerate(metrics) if m.kind not in (MetricKind.PROPORTION, MetricKind.QUANTILE)]
    return [*measured, *(f"y{i}" for i, m in enumerate(metrics) if m.kind in OVER_ANOTHER)]


def mean_sql(expression: str) -> str:
    """SQL of a mean. Of one value over and over it is that value: an average may be off in its last digit, and an arm
    of zeros, with an origin taken off and added again, would not be at 0 but next to it."""
    if not expression.startswith("("):
        return f"avg({expression})"
    return f"CASE WHEN min({expression}) = max({expression}) THEN min({expression}) ELSE avg({expression}) END"


def moments_sql(
    metrics: Sequence[Metric], about: Mapping[str, str], covariates: Sequence[str] = ()
) -> tuple[dict[str, str], dict[str, float]]:
    """SQL of the moments by the names of ``Sums.columns``, and what is to be added to means again.

    Args:
        about: the columns' expressions, from ``origins``.
    """
    sums: dict[str, str] = {}
    added: dict[str, float] = {}

    def mean(name: str, column: str) -> None:
        sums[name] = mean_sql(about.get(column, column))
        if origin := origin_of(about.get(column, column)):
            added[name] = origin

    def cross(first: str, second: str) -> str:
        one, other = about.get(first, first), about.get(second, second)
        return (f"var_pop({one})" if first == second else f"covar_pop({one}, {other})") + " * count(*)"

    for i, metric in enumerate(metrics):
        if metric.kind is MetricKind.QUANTILE:
            continue
        x, y = f"x{i}", f"y{i}"
        mean(f"mean_x_{i}", x)
        if metric.kind is not MetricKind.PROPORTION:
            sums[f"m2_x_{i}"] = cross(x, x)
        if metric.kind in OVER_ANOTHER:
            mean(f"mean_y_{i}", y)
            sums |= {f"m2_y_{i}": cross(y, y), f"cxy_{i}": cross(x, y)}
        if metric.upper < 1.0:
            sums |= {f"cap_{i}": f"min(cap{i})", f"capped_{i}": f"avg(over{i})"}
        for k, z in enumerate(covariates):
            sums[f"cross_x_{i}_{k}"] = cross(x, z)
            if metric.kind in OVER_ANOTHER:
                sums[f"cross_y_{i}_{k}"] = cross(y, z)
    for k, z in enumerate(covariates):
        mean(f"mean_{k}", z)
        sums |= {f"cross_{j}_{k}": cross(covariates[j], z) for j in range(k + 1)}
    return sums, added


def _totals(typed: dict[str, pyarrow.Array]) -> dict[str, str]:
    return {name: f"sum({name})" for name in ("trials", "successes") if name in typed}


def _cells(session: Session) -> Columns:
    return fetched(
        session,
        "SELECT e AS experiment, a AS arm, c AS cell, sum(trials) AS trials, sum(successes) AS successes FROM facts "
        "GROUP BY e, a, c ORDER BY min(r)",
    )


def _values(session: Session, place: int) -> list[NDArray[np.float64]]:
    """The sorted values of a column, of each experiment and arm in the order of the sums."""
    import numpy as np

    found = fetched(
        session,
        f"SELECT x{place} AS x, min(r) OVER (PARTITION BY e) AS f, min(r) OVER (PARTITION BY e, a) AS s FROM facts "
        f"ORDER BY f, e, s, x{place}",
    )
    starts = np.flatnonzero(np.diff(found["s"], prepend=-1))
    return list(np.split(found["x"].astype(np.float64), starts[1:]))


def finish(
    found: Columns, metrics: Sequence[Metric], added: Mapping[str, float], covariates: Sequence[str] = ()
) -> None:
    """Means with their origins, the squares of proportions, and no square below 0 by rounding.

    Raises:
        InputError: values are so large that their squares are no numbers.
    """
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        for name, origin in added.items():
            about = found[name]
            found[name] = about + origin
            # What that float leaves out of the sum, exactly (Knuth 1969).
            part = found[name] - about
            found[name.replace("mean", "rest", 1)] = (about - (found[name] - part)) + (origin - part)
    refuse_overflow(found, metrics, covariates)
    for i, metric in enumerate(metrics):
        if metric.kind is MetricKind.PROPORTION:
            p = found[f"mean_x_{i}"]
            found[f"m2_x_{i}"] = found["n"] * p * (1.0 - p)
        elif metric.kind is not MetricKind.QUANTILE:
            found[f"m2_x_{i}"] = np.maximum(found[f"m2_x_{i}"], 0.0)


def refuse_overflow(found: Columns, metrics: Sequence[Metric], covariates: Sequence[str] = ()) -> None:
    """Refuse values whose squares would be infinite."""
    columns = {f"x_{i}": metric.numerator for i, metric in enumerate(metrics)}
    columns |= {f"y_{i}": metric.denominator for i, metric in enumerate(metrics)}
    columns |= {str(k): name for k, name in enumerate(covariates)}
    squares = {"x": "m2_x", "y": "m2_y"}
    for short, column in columns.items():
        of_squares = f"{squares[short[0]]}_{short[2:]}" if short[0] in squares else f"cross_{short}_{short}"
        for name, most in ((f"mean_{short}", LARGEST), (of_squares, LARGEST**2)):
            if name in found and not (abs(found[name]) < most).all():
                raise InputError(
                    f"{column!r} holds values beyond {LARGEST:g}, whose squares are no numbers any more.",
                    "Mend these cells, or divide the whole column by a large number.",
                )
