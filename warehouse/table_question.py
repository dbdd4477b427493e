"""What is asked of a table: its columns and what they hold, and the rule by which each is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from proofsheet.domain.experiment import OVER_ANOTHER, Metric, MetricKind
from proofsheet.errors import InputError
from warehouse.table_values import counts, exposures, histories, numbers, truths

#: How empty cells of measured columns may be taken.
EMPTY_CELLS = ("refuse", "zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The columns of a table and what is measured; see ``warehouse.tables.table_aggregates``.

    Raises:
        InputError: parts are missing, or do not go together.
    """

    arm: str
    metrics: tuple[Metric, ...] = ()
    unit: str | None = None
    experiment: str | None = None
    trials: str | None = None
    successes: str | None = None
    cell: str | None = None
    covariates: tuple[str, ...] = ()
    empty: str = "refuse"

    def __post_init__(self) -> None:
        if (self.trials is None) != (self.successes is None):
            raise InputError("Counts need both columns.", "Name --trials and --successes together.")
        if not self.metrics and self.trials is None:
            raise InputError("Nothing to measure was named.", "Name a metric, such as --metric retention_7:proportion.")
        if self.trials is not None and self.unit is not None:
            raise InputError(
                "A unit column does not go with counted trials.", "Name --unit with --metric, or leave it out."
            )
        if self.cell is not None and self.trials is None:
            raise InputError("A cell column goes with counted trials only.", "Name --trials and --successes too.")
        if self.covariates and self.trials is not None:
            raise InputError(
                "A covariate does not go with counted trials.", "Covariates are known of units: use --metric instead."
            )
        if self.empty not in EMPTY_CELLS:
            raise InputError(
                f"There is no way {self.empty!r} to take empty cells.", f"Known: {', '.join(EMPTY_CELLS)}."
            )
        for metric in self.metrics:
            _check_metric(metric)
        if not all(self.covariates):
            raise InputError(
                "A covariate has no name.", "Name a column of what was known of the units before the test."
            )
        twice = [column for column in self.covariates if self.covariates.count(column) > 1]
        if twice:
            raise InputError(f"The covariate {twice[0]!r} is named twice.", "Name every covariate once.")
        measured = {column for m in self.metrics for column in (m.numerator, m.denominator)}
        both = [column for column in self.covariates if column in measured]
        if both:
            raise InputError(
                f"{both[0]!r} is both measured and a covariate.", "Adjust by what was known before the test only."
            )

    @property
    def keys(self) -> dict[str, str]:
        """The columns that name things, by a short name of our own."""
        named = {"e": self.experiment, "a": self.arm, "u": self.unit, "c": self.cell}
        return {short: column for short, column in named.items() if column}

    @property
    def rules(self) -> dict[str, tuple[str, Any]]:
        """Which measured column is read by which rule, by a short name of our own."""
        rules: dict[str, tuple[str, Any]] = {}
        for place, metric in enumerate(self.metrics):
            rule = {MetricKind.PROPORTION: truths, MetricKind.RATE: counts}.get(metric.kind, numbers)
            rules[f"x{place}"] = (metric.numerator, rule)
            if metric.kind in OVER_ANOTHER:
                rules[f"y{place}"] = (metric.denominator, exposures if metric.kind is MetricKind.RATE else numbers)
        if self.trials and self.successes:
            rules |= {"trials": (self.trials, counts), "successes": (self.successes, counts)}
        for place, column in enumerate(self.covariates):
            rules[f"z{place}"] = (column, histories)
        return rules


def _check_metric(metric: Metric) -> None:
    if metric.kind in OVER_ANOTHER and not metric.denominator:
        raise InputError(
            f"The {metric.kind.value} {metric.name!r} has no denominator.",
            f"Name it as numerator/denominator:{metric.kind.value}.",
        )
    if metric.kind not in OVER_ANOTHER and metric.denominator:
        raise InputError(
            f"The {metric.kind.value} {metric.name!r} has a denominator, {metric.denominator!r}.",
            "Leave it out, use a ratio, or name counts with --trials and --successes.",
        )
    if metric.upper != 1.0 and metric.kind is not MetricKind.MEAN:
        raise InputError(f"The {metric.kind.value} {metric.name!r} cannot be winsorised.", "Only a mean has a cap.")
    if not 0.5 <= metric.upper <= 1.0:
        raise InputError(
            f"The cap level {metric.upper} of {metric.name!r} is not between 0.5 and 1.", "Give a share such as 0.999."
        )
    if metric.kind is MetricKind.QUANTILE and not 0.0 < metric.level < 1.0:
        raise InputError(
            f"The level {metric.level} of the quantile {metric.name!r} is not between 0 and 1.",
            "Give a share: 0.5 for the median, 0.9 for the ninth decile.",
        )
