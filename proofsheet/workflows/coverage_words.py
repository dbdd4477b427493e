"""What a report of coverage says in a sentence, for every front door."""

from __future__ import annotations

from proofsheet.domain.coverage import AxisCoverage, Cell, CoverageReport

METHODS = {
    "labels": "from people's labels of a random part of the pictures",
    "corrected": "corrected for the model's measured errors",
    "uncorrected": "not corrected: the naive share stands alone",
}


def summary(axis: AxisCoverage) -> str:
    """How an axis's shares were found and how even they are."""
    parts = [f"Shares {METHODS[axis.method]}."]
    if axis.labels:
        raters = "one rater" if axis.raters == 1 else f"{axis.raters} raters"
        agreement = f", who agree on {axis.agreement:.0%}" if axis.agreement is not None else ""
        parts.append(f"{axis.labels} pictures labelled by {raters}{agreement}.")
    if axis.why:
        parts.append(axis.why)
    if axis.entropy is not None:
        parts.append(f"Evenness of what is shown (normalised entropy): {axis.entropy:.2f} of 1.")
    if axis.distance is not None:
        parts.append(f"Distance from the target (total variation): {axis.distance:.0%}.")
    return " ".join(parts)


def title_of(report: CoverageReport, axis: str, value: str) -> tuple[str, str]:
    """An axis and one of its values as people read them."""
    found = next(one for one in report.axes if one.axis == axis)
    return found.title, next((row.title for row in found.values if row.value == value), value)


def scenario(cell: Cell) -> str:
    """A combination of levels in words."""
    return " × ".join(cell.levels.values())


def percent(value: float | None) -> str:
    """A share in whole per cent, or a dash."""
    return "–" if value is None else f"{value:.0%}"


def span(low: float | None, high: float | None) -> str:
    """An interval in whole per cent, or a dash."""
    return "–" if low is None or high is None else f"{low:.0%} to {high:.0%}"
