"""The public Python functions on tables: a file, a pandas or Polars frame, an Arrow table, a relation of DuckDB.

They are names of the package itself: ``from proofsheet import analyze_table``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from proofsheet.domain.experiment import Metric, MetricKind, Role
from proofsheet.domain.result import Aggregates, Evidence, Page, Result
from proofsheet.errors import InputError
from proofsheet.workflows.analyze_file import FileAnalysis, TableComparisons, compare_table
from proofsheet.workflows.results_page import ResultsPage, results_page_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from experiments.comparing.many_kinds import Choices


def analyze_table(source: Any, **asked: Any) -> FileAnalysis:
    """Every experiment of a table: its checks, results and notes.

    The answer is the same from wherever the table is. All arguments but the source are given by name, and are those of
    ``compare_table``, which gives the same comparisons by columns: ``arm`` and ``metrics`` (or ``trials`` and
    ``successes``), and where they are needed ``control``, ``unit``, ``experiment``, ``cell``, ``covariates``,
    ``randomised``, ``empty``, ``correction``, ``confidence``, ``intervals`` and ``planned``.

    Raises:
        InputError: a column is missing, nothing to measure is named, or the control is not among the arms.
        NotFoundError: there is no such file.
    """
    return compare_table(source, **asked).whole()


def compare(
    metric: Metric,
    arms: Mapping[str, Aggregates],
    control: str,
    *,
    experiment: str = "",
    confidence: float = 0.95,
    correction: str = "holm",
    evidence: Evidence = Evidence.C,
) -> tuple[Result, ...]:
    """One metric of one experiment from the aggregates of its arms; see ``experiments.comparing.analysis.compare``.

    Raises:
        InputError: the control is missing, an option is not known, the aggregates are not of such a metric, or the
            metric is a rate (``compare_many`` takes those) or a quantile (which needs the values).
    """
    from experiments.comparing.analysis import compare as compare_one

    if metric.kind in (MetricKind.RATE, MetricKind.QUANTILE) or metric.upper < 1.0:
        raise InputError(
            f"The {metric.kind.value} {metric.name!r} cannot be compared from these aggregates.",
            "Give rates to compare_many, and quantiles and caps to analyze_table, which has the values.",
        )
    return compare_one(
        metric,
        arms,
        control,
        experiment=experiment,
        confidence=confidence,
        correction=correction,
        evidence=evidence,
    )


def compare_many(
    table: Mapping[str, ArrayLike] | NDArray[Any], kind: str = "", choices: Choices | None = None
) -> dict[str, NDArray[Any]]:
    """Thousands of experiments from a long table of aggregates; see ``experiments.comparing.many.compare_many``."""
    from experiments.comparing.many import compare_many as compare_all

    return compare_all(table, kind, choices)


__all__: Sequence[str] = (
    "Aggregates",
    "FileAnalysis",
    "Metric",
    "MetricKind",
    "Page",
    "ResultsPage",
    "Role",
    "TableComparisons",
    "analyze_table",
    "compare",
    "compare_many",
    "compare_table",
    "results_page_of",
)
