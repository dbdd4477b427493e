"""Thousands of experiments in one call: the same rows as the engine gives one by one, whatever the table's order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from experiments.comparing.analysis import compare
from experiments.comparing.estimates import NO_DATA, OK, TOO_FEW, status_names
from experiments.comparing.many import compare_many
from experiments.comparing.many_kinds import Choices
from experiments.comparing.multiplicity import adjust
from experiments.comparing.small_counts import METHODS, SCORE
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Aggregates
from proofsheet.errors import InputError

Table = dict[str, np.ndarray]
LIMITS = ("effect_low", "effect_high", "lift_low", "lift_high", "adjusted_lift_low", "adjusted_lift_high")
RESULT_FIELDS = ("value_arm", "value_control", "effect", "lift", "p_value", "adjusted_p", *LIMITS)


@pytest.fixture
def table() -> Table:
    """Forty experiments with two to five arms and three metrics each, every arm large enough for the score test."""
    rng = np.random.default_rng(5)
    rows: list[dict[str, Any]] = []
    for experiment in range(40):
        for metric, kind in (("orders", "proportion"), ("spend", "mean"), ("basket", "ratio")):
            for arm in range(int(rng.integers(2, 6))):
                n = int(rng.integers(800, 3_000))
                p = rng.binomial(n, rng.uniform(0.05, 0.3)) / n
                rows.append(
                    {
                        "experiment": f"test {experiment}",
                        "metric": metric,
                        "kind": kind,
                        "arm": f"arm {arm}",
                        "is_control": arm == 1,
                        "n": n,
                        "mean_x": p if kind == "proportion" else rng.uniform(3, 4),
                        "m2_x": n * p * (1 - p) if kind == "proportion" else n * rng.uniform(2, 9),
                        "mean_y": rng.uniform(1, 2),
                        "m2_y": n * rng.uniform(0.5, 1),
                        "cxy": n * rng.uniform(0, 0.5),
                    }
                )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def one_by_one(table: Table, correction: str) -> dict[tuple[str, str, str], Any]:
    """The same by the engine for one metric at a time."""
    arms: dict[tuple[str, str, str], dict[str, Aggregates]] = {}
    controls = {}
    fields = ("mean_x", "m2_x", "mean_y", "m2_y", "cxy")
    for i in range(table["n"].size):
        key = (str(table["experiment"][i]), str(table["metric"][i]), str(table["kind"][i]))
        values = {name: float(table[name][i]) for name in fields}
        arms.setdefault(key, {})[str(table["arm"][i])] = Aggregates(n=int(table["n"][i]), **values)
        if table["is_control"][i]:
            controls[key] = str(table["arm"][i])
    found = {}
    for key, aggregates in arms.items():
        metric = Metric(name=key[1], kind=MetricKind(key[2]), numerator="x", denominator="y")
        for row in compare(metric, aggregates, controls[key], experiment=key[0], correction=correction):
            found[key[0], key[1], row.arm] = row
    return found


@pytest.mark.parametrize("correction", ["holm", "bh", "bonferroni", "none"])
def test_rows_are_those_of_the_engine_one_by_one(table: Table, correction: str) -> None:
    found = compare_many(table, choices=Choices(correction=correction))
    rows = one_by_one(table, correction)
    assert found["arm"].size == len(rows)
    keys = zip(found["experiment"].tolist(), found["metric"].tolist(), found["arm"].tolist(), strict=True)
    matched = [rows[key] for key in keys]
    for name in RESULT_FIELDS:
        assert found[name] == pytest.approx([getattr(row, name) for row in matched], rel=1e-8, abs=1e-11), name
    assert status_names(found["status"]).tolist() == [row.status for row in matched]
    assert found["control"].tolist() == [row.control for row in matched]
    for name in ("n_arm", "n_control"):
        assert found[name].tolist() == [getattr(row, name) for row in matched]
    outside = (found["adjusted_lift_low"] > 0) | (found["adjusted_lift_high"] < 0)
    assert np.array_equal(outside, found["adjusted_p"] < 0.05)


def test_the_order_of_rows_does_not_matter(table: Table) -> None:
    shuffled_order = np.random.default_rng(1).permutation(table["n"].size)
    shuffled = {name: column[shuffled_order] for name, column in table.items()}
    sorted_, found = (by_label(compare_many(t)) for t in (table, shuffled))
    for name in (*RESULT_FIELDS, "false_discovery_p", "sample_ratio_p", "chance_to_win"):
        assert sorted_[name] == pytest.approx(found[name], rel=1e-12), name
    again = compare_many(shuffled)
    assert np.array_equal(shuffled["arm"][again["row"]], again["arm"])
    assert np.array_equal(shuffled["experiment"][again["control_row"]], again["experiment"])
    assert shuffled["is_control"][again["control_row"]].all()


def by_label(found: Table) -> Table:
    order = np.lexsort((found["arm"], found["metric"], found["experiment"]))
    return {name: column[order] for name, column in found.items()}


def test_a_structured_array_will_do_as_well(table: Table) -> None:
    records = np.empty(table["n"].size, dtype=[(name, column.dtype) for name, column in table.items()])
    for name, column in table.items():
        records[name] = column
    assert np.array_equal(compare_many(records)["p_value"], compare_many(table)["p_value"])


def test_families_may_span_the_metrics_of_an_experiment(table: Table) -> None:
    found = compare_many(table, choices=Choices(family="experiment", correction="holm"))
    for name in ("test 3", "test 17"):
        own = found["experiment"] == name
        one = adjust(found["p_value"][own].tolist(), 0.05, "holm", effects=found["lift"][own].tolist())
        assert found["adjusted_p"][own] == pytest.approx([a.p_value for a in one], rel=1e-12)
    assert found["false_discovery_p"] == pytest.approx(multipletests(found["p_value"], method="fdr_bh")[1])


def test_families_of_an_experiment_are_found_when_its_metrics_are_apart(table: Table) -> None:
    by_metric = np.argsort(table["metric"], kind="stable")
    apart = {name: column[by_metric] for name, column in table.items()}
    together, found = (by_label(compare_many(t, choices=Choices(family="experiment"))) for t in (table, apart))
    assert found["adjusted_p"] == pytest.approx(together["adjusted_p"], rel=1e-12)


def test_rows_that_alternate_keep_their_order_within_a_test() -> None:
    arms, sums = np.repeat(np.arange(50), 2), np.arange(100) + 100
    table = {"experiment": np.tile(["a", "b"], 50), "arm": arms, "n": np.full(100, 2_000), "sum_x": sums}
    found = compare_many(table, "proportion")
    assert found["arm"].tolist() == [*range(1, 50), *range(1, 50)]
    assert found["row"].tolist() == [*range(2, 100, 2), *range(3, 100, 2)]
    assert found["control_row"].tolist() == [0] * 49 + [1] * 49


def test_sample_ratios_agree_with_scipy_and_leave_out_arms_without_a_plan() -> None:
    n = np.array([1_000, 1_080, 940, 500, 480, 77])
    base = {"experiment": np.array([1, 1, 1, 2, 2, 2]), "arm": np.array(list("abcabc")), "n": n, "sum_x": n // 10}
    found = compare_many(base, "proportion")["sample_ratio_p"]
    assert found[:2] == pytest.approx([stats.chisquare(n[:3]).pvalue] * 2, rel=1e-10)
    weighted = compare_many(base | {"weight": np.array([2, 2, 1, 1, 1, 0])}, "proportion")["sample_ratio_p"]
    planned = np.array([0.4, 0.4, 0.2]) * n[:3].sum()
    assert weighted[0] == pytest.approx(stats.chisquare(n[:3], planned).pvalue, rel=1e-10)
    assert weighted[3] == pytest.approx(stats.chisquare(n[3:5]).pvalue, rel=1e-10)


def test_limits_that_are_not_wanted_are_left_out_and_the_rest_stays(table: Table) -> None:
    whole = compare_many(table)
    less = compare_many(table, choices=Choices(effect_limits=False, simultaneous=False))
    assert set(whole) - set(less) == {"effect_low", "effect_high", "adjusted_lift_low", "adjusted_lift_high"}
    for name, column in less.items():
        assert np.array_equal(column, whole[name]), name


def test_one_side_and_other_choices_reach_the_comparisons(table: Table) -> None:
    whole, one = compare_many(table), compare_many(table, choices=Choices(alternative="greater"))
    assert np.isinf(one["lift_high"]).all()
    up = whole["effect"] > 0
    assert one["p_value"][up] == pytest.approx(whole["p_value"][up] / 2, rel=1e-9)
    assert np.array_equal((one["adjusted_lift_low"] > 0), one["adjusted_p"] < 0.05)
    pooled = compare_many(table, choices=Choices(variances="pooled", lift_interval="log"))
    assert "pooled t, log-ratio interval" in pooled["method"].tolist()


def test_few_counts_rates_and_missing_data_are_named() -> None:
    rows = [
        ("a", "proportion", 2_000, 7, 0), ("a", "proportion", 2_000, 1, 0),
        ("b", "rate", 10, 30, 500.0), ("b", "rate", 10, 20, 480.0),
        ("c", "mean", 5, 10.0, 0), ("c", "mean", 1, 3.0, 0),
        ("d", "proportion", 300, 9, 0), ("d", "proportion", 0, 0, 0),
    ]  # fmt: skip
    names, kinds, n, sums, exposure = (np.array(column) for column in zip(*rows, strict=True))
    table = {
        "experiment": names,
        "kind": kinds,
        "arm": np.array(["control", "new"] * 4),
        "n": n,
        "sum_x": sums,
        "sum_y": exposure,
        "m2_x": np.full(8, 4.0) * (kinds == "mean"),
    }
    found = compare_many(table)
    assert found["status"].tolist() == [OK, OK, TOO_FEW, NO_DATA]
    assert [name.split(",")[0].split(":")[0] for name in found["method"][:2]] == [
        "exact given the total",
        "score of counts",
    ]
    assert found["value_arm"][1] == pytest.approx(20 / 480)
    assert found["p_value"][2:].tolist() == [1.0, 1.0]
    for name, column in found.items():
        if column.dtype.kind == "f":
            assert not np.isnan(column).any(), name
    # Comparisons without a test take no part in a correction.
    assert found["false_discovery_p"][0] == pytest.approx(multipletests(found["p_value"][:2], method="fdr_bh")[1][0])


def test_one_wrong_table_is_refused_with_its_reason(table: Table) -> None:
    two = table | {"is_control": np.ones(table["n"].size, dtype=bool)}
    cases: list[tuple[Any, str, str]] = [
        ({"experiment": [1], "arm": ["a"]}, "proportion", "lacks n"),
        (two, "", "controls in a metric"),
        ({name: column for name, column in table.items() if name != "cxy"}, "", "lacks cxy"),
        (table | {"kind": np.full(table["n"].size, "median")}, "", "'median' is not known"),
        ({name: column for name, column in table.items() if name != "kind"}, "", "kind '' is not known"),
        (table | {"n": table["n"][:5]}, "", "one length"),
        (
            {"experiment": [1, 1], "arm": ["a", "b"], "n": [10, 10], "sum_x": [3, 11]},
            "proportion",
            "other than 0 and 1",
        ),
        ({"experiment": [1, 1], "arm": ["a", "b"], "n": [9, 9], "sum_x": [3, 4.5]}, "proportion", "other than 0 and 1"),
        ({"experiment": [], "arm": [], "n": [], "sum_x": []}, "proportion", "no rows"),
    ]
    for wrong, kind, match in cases:
        with pytest.raises(InputError, match=match):
            compare_many(wrong, kind)
    with pytest.raises(InputError, match="family"):
        compare_many(table, choices=Choices(family="site"))


def test_without_marks_the_first_arm_is_the_control_and_many_counts_are_scored() -> None:
    found = compare_many(
        {"experiment": [7, 7, 8, 8, 8], "arm": list("xyabc"), "n": [900] * 5, "sum_x": [90, 100, 80, 70, 60]},
        "proportion",
    )
    assert found["control"].tolist() == ["x", "a", "a"]
    assert set(found["method"]) == {METHODS[SCORE]}
    assert found["metric"].tolist() == ["", "", ""]
