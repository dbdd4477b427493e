"""All comparisons of a table of experiments by columns: one call for each metric, however many experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.comparing.estimates import NO_DATA, NO_VARIANCE, OK, TOO_FEW, UNBOUNDED
from experiments.comparing.many import compare_many
from experiments.comparing.many_kinds import ENOUGH_UNITS, Choices, rate_dispersion
from experiments.comparing.rows import reason
from proofsheet.domain.experiment import OVER_ANOTHER, Metric, MetricKind, Role
from proofsheet.domain.result import Evidence, Result, Status, Validity

if TYPE_CHECKING:
    from proofsheet.workflows.readings import TableReading
    from warehouse.tables import FileAggregates

Columns = dict[str, NDArray[Any]]

#: The columns of comparisons, named as the fields of ``Result`` are. What does not exist is infinite.
TEXTS = ("metric", "kind", "role", "arm", "control", "method", "correction", "status", "evidence", "note", "validity")
COUNTS = ("n_arm", "n_control")
VALUES = ("value_arm", "value_control", "effect", "effect_low", "effect_high", "lift", "lift_low", "lift_high")
CHANCES = ("p_value", "adjusted_p", "adjusted_lift_low", "adjusted_lift_high", "chance_to_win")
SUMS = ("sum_x_arm", "sum_y_arm", "sum_x_control", "sum_y_control")
NUMBERS = (*VALUES, *CHANCES, "confidence", "dispersion", "lift_error", *SUMS)
FIELDS = (*TEXTS, *COUNTS, *NUMBERS, "higher_is_better")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What all comparisons of a table share.

    Attributes:
        number: the experiment of each row of the sums, from 0 in their order.
        is_control: which of these rows are controls, one of each experiment.
        evidence: of each experiment.
    """

    read: FileAggregates
    number: NDArray[np.intp]
    is_control: NDArray[np.bool_]
    evidence: Sequence[Evidence]
    correction: str
    confidence: float
    reading: TableReading

    def correction_of(self, metric: Metric) -> str:
        """Only the primary metric's arms are corrected for."""
        return self.correction if metric.role is Role.PRIMARY else "none"


def compared_at_once(plan: Plan, metric: Metric, place: int) -> Columns:
    """One metric of every experiment by ``compare_many``: proportions, means, ratios, rates, or counted trials.

    Args:
        place: of the metric among those asked for, which names its sums.
    """
    table, more = long_table(plan, metric, place)
    if plan.is_control.all():
        return empty_columns()
    how = Choices(alpha=1.0 - plan.confidence, correction=plan.correction_of(metric))
    found = compare_many(table, choices=how)
    return _as_results(plan, metric, table, found, more)


def empty_columns() -> Columns:
    """No comparisons."""
    return {name: np.empty(0, dtype=object) for name in (*FIELDS, "number", "false_discovery_p")}


def columns_of(results: Sequence[Result], numbers: Sequence[int]) -> Columns:
    """Rows that were made one by one, as columns; ``numbers`` are those of their experiments."""
    from experiments.comparing.family_tests import false_discovery_p

    if not results:
        return empty_columns()
    found: Columns = {name: _objects([getattr(row, name) for row in results]) for name in TEXTS}
    found |= {name: np.array([getattr(row, name) for row in results]) for name in (*COUNTS, "higher_is_better")}
    for name in NUMBERS:
        values = (getattr(row, name) for row in results)
        found[name] = np.array([np.inf if value is None else value for value in values], dtype=np.float64)
    known = np.isfinite(found["p_value"])
    overall = np.full(known.size, np.inf)
    overall[known] = false_discovery_p(found["p_value"][known])
    return found | {"number": np.array(numbers, dtype=np.intp), "false_discovery_p": overall}


def results_of(columns: Columns, names: Sequence[str]) -> list[Result]:
    """Columns as rows; ``names`` are those of the experiments."""
    return [Result(**row) for row in _mappings(columns, names, FIELDS)]


def rows_of(columns: Columns, names: Sequence[str]) -> list[dict[str, Any]]:
    """Columns as plain mappings, with the false discovery p beside the fields of ``Result``."""
    return _mappings(columns, names, (*FIELDS, "false_discovery_p"))


def _mappings(columns: Columns, names: Sequence[str], fields: Sequence[str]) -> list[dict[str, Any]]:
    experiments = [names[number] for number in columns["number"].tolist()]
    lists = {"experiment": experiments} | {name: columns[name].tolist() for name in fields}
    for name in (*NUMBERS, "false_discovery_p"):
        if name in lists:
            lists[name] = [value if abs(value) < np.inf else None for value in lists[name]]
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def long_table(plan: Plan, metric: Metric, place: int) -> tuple[Columns, Mapping[str, NDArray[Any]]]:
    """A row of ``compare_many`` for each row of the sums, and what else is to be told of each."""
    sums, rows = plan.read.sums.columns, plan.number.size
    n = sums["n"].astype(np.float64)
    table: Columns = {"experiment": plan.number, "arm": np.arange(rows), "is_control": plan.is_control, "n": n}
    if "trials" in sums:
        fewest = np.full(plan.number[-1] + 1, np.inf)
        np.minimum.at(fewest, plan.number, n)
        by_rows = (fewest >= ENOUGH_UNITS)[plan.number]
        trials, successes = sums["trials"].astype(np.float64), sums["successes"].astype(np.float64)
        share = successes / np.maximum(trials, 1.0)
        table |= {"kind": np.where(by_rows, "ratio", "proportion"), "sum_x": successes, "sum_y": trials}
        table |= {"n": np.where(by_rows, n, np.rint(trials)), "mean_x": np.where(by_rows, sums["mean_x_0"], share)}
        table |= {name: np.where(by_rows, sums[f"{name}_0"], 0.0) for name in ("m2_x", "mean_y", "m2_y", "cxy")}
        counted = "Counts are taken as independent; without days this is untested."
        return table, {"note": _objects(np.where(by_rows, "", counted).tolist())}
    kept = ("mean_x", "m2_x", *(("mean_y", "m2_y", "cxy") if metric.kind in OVER_ANOTHER else ()))
    table |= {name: sums[f"{name}_{place}"] for name in kept}
    table |= {"kind": np.full(rows, metric.kind.value), "sum_x": n * table["mean_x"]}
    table["sum_y"] = n * table["mean_y"] if "mean_y" in table else n
    more: dict[str, NDArray[Any]] = {}
    if metric.kind is MetricKind.RATE:
        table["dispersion"], more["note"] = _dispersion(plan, table)
    if metric.upper < 1.0:
        more["note"] = cap_notes(plan, metric, place)
    return table, more


def _control_of(plan: Plan) -> NDArray[np.intp]:
    """The row of the control of each row's experiment."""
    return np.flatnonzero(plan.is_control)[plan.number]


def _dispersion(plan: Plan, table: Columns) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """The dispersion of rates, and what to say where it is not known."""
    factor, known = rate_dispersion(table, _control_of(plan))
    note = "Counts are taken as Poisson: of so few rows or events the spread is not known."
    unadjusted = "Rates are not adjusted for covariates." if plan.read.sums.covariates else ""
    notes = [" ".join(filter(None, ("" if told else note, unadjusted))) for told in known.tolist()]
    return factor, _objects(notes)


def cap_notes(plan: Plan, metric: Metric, place: int) -> NDArray[Any]:
    """What a cap did to each row of the sums and to its control."""
    cap, share = (plan.read.sums.columns[f"{name}_{place}"] for name in ("cap", "capped"))
    control = _control_of(plan)
    return _objects(
        [
            f"Values above {high:,.6g} ({metric.upper:.4%} of all units are at or below it) count as it: {own:.3%} of "
            f"the arm's and {base:.3%} of the control's."
            for high, own, base in zip(cap.tolist(), share.tolist(), share[control].tolist(), strict=True)
        ]
    )


def _as_results(
    plan: Plan, metric: Metric, table: Columns, found: Columns, more: Mapping[str, NDArray[Any]]
) -> Columns:
    """The columns of ``compare_many`` by the rules of ``Result``: one status, and numbers that stand or are missing."""
    sums, arm, control = plan.read.sums.columns, found["arm"], found["control"]
    size, code, kind = arm.size, found["status"].copy(), table["kind"][arm]
    columns: Columns = {name: found[name].copy() for name in (*VALUES, *CHANCES)}
    if not metric.higher_is_better:
        columns["chance_to_win"] = 1.0 - columns["chance_to_win"]
    untested = (code == NO_DATA) | (code == TOO_FEW) | (code == NO_VARIANCE)
    for name in ("p_value", "adjusted_p", "chance_to_win"):
        columns[name][untested] = np.inf
    for name in ("effect", "lift"):
        columns[name][(code == NO_DATA) | (code == TOO_FEW)] = np.inf
    for low, high in (("effect_low", "effect_high"), ("lift_low", "lift_high"), CHANCES[2:4]):
        open_ = ~(np.isfinite(columns[low]) & np.isfinite(columns[high]))
        columns[low][open_] = columns[high][open_] = np.inf
        if low == "lift_low":
            code[open_ & (code == OK)] = UNBOUNDED
    names, status = sums["arm"], [_STATUSES[one] for one in code.tolist()]
    notes = more["note"][arm].tolist() if "note" in more else [""] * size
    empty = (kind == "ratio") & (code == NO_DATA) & (np.minimum(table["n"][arm], table["n"][control]) > 0)
    zero = np.where(empty, "The denominator adds up to zero.", "").tolist()
    parts = zip(notes, zero, [_REASONS[one] for one in code.tolist()], strict=True)
    columns |= {
        "number": found["experiment"],
        "arm": names[arm],
        "control": names[control],
        "kind": _objects(kind.tolist()),
        "method": np.where(untested & (code != NO_VARIANCE), "", found["method"]),
        "status": _objects(status),
        "note": _objects([" ".join(filter(None, part)) for part in parts]),
        "evidence": _objects([plan.evidence[one] for one in found["experiment"].tolist()]),
        "n_arm": table["n"][arm].astype(np.int64),
        "n_control": table["n"][control].astype(np.int64),
        "dispersion": _known_above_one(table, arm, size),
        "false_discovery_p": np.where(untested, np.inf, found["false_discovery_p"]),
        **{f"sum_{axis}_arm": table[f"sum_{axis}"][arm] for axis in "xy"},
        **{f"sum_{axis}_control": table[f"sum_{axis}"][control] for axis in "xy"},
    }
    return columns | _shared(plan, metric, size)


def _shared(plan: Plan, metric: Metric, size: int) -> Columns:
    """What all comparisons of a metric have in common."""
    texts = {"metric": metric.name, "role": metric.role.value, "correction": plan.correction_of(metric)}
    return {
        **{name: np.full(size, text, dtype=object) for name, text in texts.items()},
        "validity": _objects([Validity.FIXED] * size),
        "confidence": np.full(size, plan.confidence),
        "lift_error": np.full(size, np.inf),
        "higher_is_better": np.full(size, metric.higher_is_better),
    }


def _known_above_one(table: Columns, arm: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    if "dispersion" not in table:
        return np.full(size, np.inf)
    factor = table["dispersion"][arm]
    return np.where(factor > 1.0, factor, np.inf)


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    """Python things as they are, in an array."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


_STATUSES = tuple(Status)
_REASONS = tuple(reason(status) for status in _STATUSES)
