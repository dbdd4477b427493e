"""A whole results page of a table: the total, the levels of its dimensions, and the test as it stood on every day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proofsheet.domain.facts import Reject
from proofsheet.domain.result import Page
from proofsheet.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResultsPage:
    """A page by columns, with every row of the table accounted for.

    Attributes:
        columns: one row per comparison: ``dimension`` and ``level``, then those of ``compare_many``. Dimension "day"
            has the looks, each with all days up to it; then come the page's dimensions.
    """

    page: Page
    columns: dict[str, NDArray[Any]]
    rows_in: int
    used: int
    set_aside: int
    in_two_arms: int
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]

    @property
    def total(self) -> dict[str, NDArray[Any]]:
        """The comparisons of all days together: the last look."""
        looks = (self.columns["dimension"] == DAY).nonzero()[0]
        last = self.columns["level"][looks[-1]]
        return self.some(DAY, str(last))

    def some(self, dimension: str, level: str | None = None) -> dict[str, NDArray[Any]]:
        """The comparisons of one dimension, or of one of its levels."""
        kept = self.columns["dimension"] == dimension
        if level is not None:
            kept = kept & (self.columns["level"] == level)
        return {name: column[kept] for name, column in self.columns.items()}

    def rows(self) -> list[dict[str, Any]]:
        """The comparisons as plain mappings; a number that does not exist is None."""
        from experiments.comparing.estimates import status_names

        columns = self.columns | {"status": status_names(self.columns["status"])}
        lists = {
            name: [_plain(value) for value in column.tolist()] for name, column in columns.items() if column.ndim == 1
        }
        return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def results_page_of(
    source: Any,
    page: Page,
    *,
    control: str | None = None,
    unit: str | None = None,
    empty: str = "refuse",
    correction: str = "holm",
    confidence: float = 0.95,
) -> ResultsPage:
    """All comparisons of a page from a file or a table in memory, whose rows are read once.

    Args:
        source: a path, a pandas or Polars frame, an Arrow table, a relation of DuckDB, or a mapping of columns.
        page: arm and day, metrics and dimensions; a day is written 2026-03-01, or is a date or a moment.
        control: the arm the others are compared with; the first in alphabetical order where none is named.
        unit: the column of the unit, where one has several rows.
        correction: over the arms of one metric in one cut: "holm", "bonferroni", "bh", "dunnett" or "none".

    Raises:
        NotFoundError: there is no such file.
        InputError: a column is missing, cells fit no rule, there are no two arms, the control is not among them, or
            the confidence is not a number between 0.5 and 1.
    """
    import numpy as np

    from experiments.comparing.estimates import NO_DATA, NO_VARIANCE, TOO_FEW
    from experiments.comparing.many_kinds import Choices
    from experiments.comparing.page import results_page
    from experiments.comparing.rows import check_confidence
    from warehouse.table_page import page_cells

    check_confidence(confidence)
    cells, report = page_cells(source, page, unit=unit, empty=empty)
    arms = sorted(set(cells["arm"].tolist()))
    notes = report.notes
    if not arms:
        raise InputError(
            f"{report.file_name}: every unit is in two arms, so nothing is left.", "Check the unit and arm columns."
        )
    if len(arms) == 1:
        raise InputError(
            f"{report.file_name}: only the arm {arms[0]!r} is there, so nothing can be compared.",
            f"Give rows of two arms or more in the column {page.arm!r}.",
        )
    if control is None:
        control = arms[0]
        notes = (*notes, f"No control was named: {control!r}, the first arm by name, is taken as it.")
    columns = results_page(page, cells, control, Choices(alpha=1.0 - confidence, correction=correction))
    columns |= {name: columns[name].astype("int64") for name in ("n_arm", "n_control")}
    for metric in page.metrics:
        if not metric.higher_is_better:
            own = columns["metric"] == metric.name
            columns["chance_to_win"] = columns["chance_to_win"].copy()
            columns["chance_to_win"][own] = 1.0 - columns["chance_to_win"][own]
    untested = np.isin(columns["status"], (NO_DATA, TOO_FEW, NO_VARIANCE))
    columns |= {name: np.where(untested, np.inf, columns[name]) for name in ("p_value", "adjusted_p", "chance_to_win")}
    return ResultsPage(
        page=page,
        columns=columns,
        rows_in=report.rows_in,
        used=report.used,
        set_aside=report.set_aside,
        in_two_arms=report.in_two_arms,
        rejects=report.rejects,
        notes=notes,
    )


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
