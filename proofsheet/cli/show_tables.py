"""How the experiments of a file, a summary of many, and a results page are shown on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from proofsheet.cli.session import session
from proofsheet.cli.show_measuring import percent, show_rejects
from proofsheet.domain.facts import Reject

if TYPE_CHECKING:
    from proofsheet.workflows.results_page import ResultsPage
    from proofsheet.workflows.table_summary import MetricSummary


class Accounting(Protocol):
    """What became of the rows of a file."""

    @property
    def rows_in(self) -> int: ...
    @property
    def used(self) -> int: ...
    @property
    def set_aside(self) -> int: ...
    @property
    def in_two_arms(self) -> int: ...
    @property
    def rejects(self) -> tuple[Reject, ...]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...


def show_accounting(read: Accounting) -> None:
    """How many rows were used, and why others were not."""
    two = f", {read.in_two_arms:,} left out because their unit is in two arms" if read.in_two_arms else ""
    session.say(f"{read.rows_in:,} rows in, {read.used:,} used, {read.set_aside:,} set aside{two}.", *read.notes)
    if read.rejects:
        show_rejects(read.rejects[:10])


def show_summary(summaries: Sequence[MetricSummary]) -> None:
    """Many experiments: how many comparisons say what, and the clearest of them."""
    for one in summaries:
        session.table(
            f"{one.metric}: {one.comparisons:,} comparisons with the control in {one.experiments:,} experiments "
            f"({'higher' if one.higher_is_better else 'lower'} is better)",
            ("at " + f"{one.confidence:.0%} confidence", "better", "worse", "not told apart", "no estimate"),
            [
                (way.way, *(f"{count:,}" for count in (way.better, way.worse, way.open, way.without)))
                for way in one.standings
            ],
            right=(1, 2, 3, 4),
        )
        session.table(
            "The clearest",
            ("experiment", "arm", "control", "n", "value", "control's", "lift", "interval", "p", "false discovery p"),
            [
                (
                    row.experiment,
                    row.arm,
                    row.control,
                    f"{row.n_arm:,}",
                    _value(row.kind, row.value_arm),
                    _value(row.kind, row.value_control),
                    percent(row.lift),
                    _limits(row.lift_low, row.lift_high),
                    _p(row.p_value),
                    _p(overall),
                )
                for row, overall in one.clearest
            ],
            right=(3, 4, 5, 6, 8, 9),
        )
        session.say("Methods: " + "; ".join(f"{method} ({count:,})" for method, count in one.methods) + ".")
        if one.unequal:
            session.say(
                f"WARNING sample_ratio: in {one.unequal:,} experiments the arms' sizes do not fit equal shares."
            )
        if one.alone:
            session.say(f"{one.alone:,} experiments have nothing to compare.")
    if not summaries:
        session.say("Every experiment has one arm only. Nothing can be compared: check --arm and --experiment.")
        return
    session.say("See every experiment with --json, every comparison with --rows FILE.")


def show_page(found: ResultsPage) -> None:
    """The total, then each dimension by level, then the looks of the first metric."""
    rows = found.rows()
    looks = [row for row in rows if row["dimension"] == "day"]
    last = looks[-1]["level"] if looks else ""
    _cuts(f"Total up to {last}", "metric", [row | {"level": row["metric"]} for row in looks if row["level"] == last])
    for dimension in found.page.dimensions:
        for metric in found.page.metrics:
            own = [row for row in rows if row["dimension"] == dimension and row["metric"] == metric.name]
            _cuts(f"{metric.name} by {dimension}", dimension, own)
    first = found.page.metrics[0].name
    _cuts(f"{first}, each day with all days before it", "day", [row for row in looks if row["metric"] == first])
    session.say(
        "Intervals are for one look: a test that stops on the first day that shows a difference is wrong too often. "
        "Segments are corrected for arms, not for the number of segments.",
        "See every row with --json or --rows FILE.",
    )


def _cuts(title: str, what: str, rows: Sequence[dict[str, object]]) -> None:
    session.table(
        title,
        (what, "arm", "n", "value", "control's", "lift", "interval", "p", "adjusted p"),
        [
            (
                str(row["level"]) or "(empty)",
                str(row["arm"]),
                f"{row['n_arm']:,.0f}",
                *(_number(row[name]) for name in ("value_arm", "value_control")),
                percent(_float(row["lift"])),
                _limits(_float(row["lift_low"]), _float(row["lift_high"])),
                _p(_float(row["p_value"])),
                _p(_float(row["adjusted_p"])),
            )
            for row in rows
        ],
        right=(2, 3, 4, 5, 7, 8),
    )


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _number(value: object) -> str:
    return "–" if not isinstance(value, int | float) else f"{value:,.4f}"


def _value(kind: str, value: float | None) -> str:
    return "–" if value is None else f"{value:.4%}" if kind == "proportion" else f"{value:,.4f}"


def _limits(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"[{percent(low)}, {percent(high)}]"


def _p(value: float | None) -> str:
    if value is None or not value < 2.0:
        return "–"
    return "<1e-12" if value < 1e-12 else f"{value:.2e}" if value < 0.0001 else f"{value:.5f}"
