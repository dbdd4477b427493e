"""Thousands of experiments in one call: a long table of aggregates in, a table of results out, all by columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.basis.distributions import TINY
from experiments.comparing.comparisons import Comparisons
from experiments.comparing.estimates import NO_DATA, NO_VARIANCE, TOO_FEW
from experiments.comparing.families import CORRECTIONS, Adjustments, adjust_families
from experiments.comparing.family_tests import false_discovery_p
from experiments.comparing.long_form import Index, Labels, control_rows, group_rows, read_columns, sample_ratio_p
from experiments.comparing.many_kinds import Choices, KindRows, split_kinds
from experiments.comparing.multiplicity import adjust
from experiments.comparing.pairs import check_choice, check_level
from proofsheet.errors import InputError

FAMILIES = ("metric", "experiment")
SIDES = {"greater": 1.0, "less": -1.0}

Parts = Sequence[tuple[Index | slice, KindRows]]
Columns = dict[str, NDArray[Any]]


def compare_many(
    table: Mapping[str, ArrayLike] | NDArray[np.void], kind: str = "", choices: Choices | None = None
) -> dict[str, NDArray[Any]]:
    """Compare every arm with its control in all experiments and metrics of a table.

    Args:
        table: one row per experiment, metric and arm, as a mapping of columns or a structured array: ``experiment``,
            ``arm``, ``n``, and ``mean_x`` or the sum ``sum_x``; where they are needed also ``metric``, ``m2_x``,
            ``mean_y`` (or ``sum_y``), ``m2_y``, ``cxy`` (see ``Aggregates``), ``is_control`` (else the first arm is),
            ``weight`` (planned share, else equal), ``dispersion`` (of count rates, else 1), and ``kind``.
        kind: one of ``KINDS`` for the whole table, where it has no such column.
        choices: how.

    Returns:
        Columns of one length, a row per arm other than a control, in the order of the table with each test's rows
        together: ``row`` and ``control_row`` (places in the table), ``experiment``, ``metric``, ``arm``, ``control``,
        ``n_arm``, ``n_control``, ``value_arm``, ``value_control``, ``effect``, ``effect_low``, ``effect_high``,
        ``lift``, ``lift_low``, ``lift_high``, ``p_value``, ``adjusted_p`` within the family, ``adjusted_lift_low``
        and ``_high`` (simultaneous), ``false_discovery_p`` (Benjamini-Hochberg over the whole table),
        ``chance_to_win`` (that the arm's value is the greater), ``sample_ratio_p`` of the test, ``method``,
        ``status`` (codes of ``estimates.STATUSES``); less the limits that ``choices`` leave out. What does not exist
        is infinite (a p-value 1), never NaN.

    Raises:
        InputError: a column is missing or holds what it must not, a test has not exactly one control, or a choice is
            not known.
    """
    how = choices or Choices()
    check_level(how.alpha)
    check_choice("correction", how.correction, (*CORRECTIONS, "dunnett"))
    check_choice("family", how.family, FAMILIES)
    columns = read_columns(table, ("experiment", "arm", "n"))
    rows = columns["n"].size
    if not rows:
        raise InputError("The table has no rows.", "Give one row per experiment, metric and arm.")
    grouping = group_rows([columns[name] for name in ("experiment", "metric") if name in columns])
    if not grouping.in_order:
        columns = {name: column[grouping.order] for name, column in columns.items()}
    controls = control_rows(grouping, columns.get("is_control"), columns["experiment"])
    tests = grouping.of_rows
    arms = np.ones(rows, dtype=bool)
    arms[controls] = False
    arm = arms.nonzero()[0]
    control = controls[tests[arm]]
    parts = split_kinds(columns, kind, arm, control)
    result = _compared(parts, arm.size, how)
    family = tests[arm] if how.family == "metric" else _numbers(columns["experiment"])[arm]
    result |= _corrected(result, parts, family, how)
    n, weights = columns["n"].astype(np.float64), columns.get("weight")
    shares = sample_ratio_p(n, None if weights is None else weights.astype(np.float64), grouping)
    return {
        "row": grouping.order[arm],
        "control_row": grouping.order[control],
        "experiment": columns["experiment"][arm],
        "metric": columns["metric"][arm] if "metric" in columns else np.full(arm.size, ""),
        "arm": columns["arm"][arm],
        "control": columns["arm"][control],
        "n_arm": columns["n"][arm],
        "n_control": columns["n"][control],
        **result,
        "sample_ratio_p": shares[tests[arm]],
    }


def _compared(parts: Parts, size: int, how: Choices) -> Columns:
    """The comparisons of all kinds as columns."""
    unwanted = {"statistic", "df"} | (set() if how.effect_limits else {"effect_low", "effect_high"})
    names = [f.name for f in fields(Comparisons) if f.name not in unwanted]
    found: list[tuple[Index | slice, Columns]] = []
    for some, rows in parts:
        comparisons, methods = rows.compare(how)
        value, base = rows.values()
        columns = {"value_arm": value, "value_control": base, "method": methods}
        found.append((some, columns | {name: getattr(comparisons, name) for name in names}))
    if len(found) == 1:
        joined = found[0][1]
    else:
        joined = {name: np.empty(size, dtype=column.dtype) for name, column in found[0][1].items()}
        for some, columns in found:
            for name, column in columns.items():
                joined[name][some] = column
    joined["chance_to_win"] = joined.pop("chance")
    return joined


def _corrected(result: Columns, parts: Parts, family: NDArray[np.intp], how: Choices) -> Columns:
    """Adjusted p-values and simultaneous limits; comparisons without a test take no part in a family."""
    p, status = result["p_value"], result["status"]
    tested = ((status != NO_DATA) & (status != TOO_FEW) & (status != NO_VARIANCE)).nonzero()[0]
    side = SIDES.get(how.alternative, result["lift"])
    signs = np.broadcast_to(np.asarray(side, dtype=np.float64), p.shape)
    if how.correction == "dunnett":
        adjustments = _dunnett(p[tested], family[tested], how.alpha, _control_shares(parts, p.size)[tested])
    else:
        adjustments = adjust_families(p[tested], family[tested], how.alpha, how.correction, signs[tested])
    adjusted, rejected = np.ones(p.size), np.zeros(p.size, dtype=bool)
    adjusted[tested], rejected[tested] = adjustments.p_value, adjustments.rejected
    overall = np.ones(p.size)
    overall[tested] = false_discovery_p(p[tested])
    low, high = result["lift_low"], result["lift_high"]
    if how.simultaneous:
        levels = np.full((2, p.size), how.alpha)
        levels[:, tested] = adjustments.low_alpha, adjustments.high_alpha
        low, high = _simultaneous(low.copy(), high.copy(), parts, levels, how)
        # A stepwise test can reject where the interval it improves on still touches 0: the limit is set beside it.
        up, down = rejected & (result["lift"] > 0.0), rejected & (result["lift"] < 0.0)
        low, high = np.where(up, np.maximum(low, TINY), low), np.where(down, np.minimum(high, -TINY), high)
    found = {"adjusted_p": adjusted, "false_discovery_p": overall}
    return found | ({"adjusted_lift_low": low, "adjusted_lift_high": high} if how.simultaneous else {})


def _control_shares(parts: Parts, size: int) -> NDArray[np.float64]:
    shares = np.empty(size)
    for some, rows in parts:
        shares[some] = rows.control_shares()
    return shares


def _dunnett(
    p: NDArray[np.float64], family: NDArray[np.intp], alpha: float, shares: NDArray[np.float64]
) -> Adjustments:
    """Dunnett's adjustment of every family, each with an integral of its own."""
    low, high = np.empty(p.size), np.empty(p.size)
    found = Adjustments(np.empty(p.size), low, high, np.zeros(p.size, dtype=bool))
    order = np.argsort(family, kind="stable")
    for some in np.split(order, np.flatnonzero(np.diff(family[order])) + 1):
        own = adjust(p[some].tolist(), alpha, "dunnett", shares[some].tolist())
        found.p_value[some] = [one.p_value for one in own]
        found.low_alpha[some] = [one.low_alpha for one in own]
        found.high_alpha[some] = [one.high_alpha for one in own]
        found.rejected[some] = [one.rejected for one in own]
    return found


def _simultaneous(
    low: NDArray[np.float64], high: NDArray[np.float64], parts: Parts, levels: NDArray[np.float64], how: Choices
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The limits, each drawn at its own level (lower, upper) where that is not the common one."""
    for some, rows in parts:
        places = np.arange(low.size)[some]
        below, above = levels[:, places]
        other = (below != how.alpha).nonzero()[0]
        at = places[other]
        if other.size:
            low[at], high[at] = rows.lift_limits(other, below[other], how)
        other = (above != below).nonzero()[0]
        at = places[other]
        if other.size:
            high[at] = rows.lift_limits(other, above[other], how)[1]
    return low, high


def _numbers(labels: Labels) -> Index:
    """The number of each row's label."""
    grouping = group_rows([labels])
    numbers = np.empty(labels.size, dtype=np.intp)
    numbers[grouping.order] = grouping.of_rows
    return numbers
