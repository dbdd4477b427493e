"""Proofsheet: plan, generate, score, review, export, measure and decide ad-creative tests.

The statistics on any table are names of this package: ``analyze_table``, ``compare_table``, ``results_page_of``,
``compare``, ``compare_many``, with ``Metric``, ``MetricKind``, ``Role``, ``Page`` and ``Aggregates``. They are loaded
when they are first asked for.
"""

from typing import Any

__version__ = "0.1.0"

# Their types are in ``__init__.pyi``, so that a room that asks for the version asks for no workflow.
_OF_TABLES = frozenset(
    {
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
    }
)


def __getattr__(name: str) -> Any:
    if name not in _OF_TABLES:
        raise AttributeError(f"module 'proofsheet' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("proofsheet.workflows.tables"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_OF_TABLES})
