"""The statistics of a table: all experiments at once as one by one, against the engine and other people's libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.rates import test_poisson_2indep as poisson_2indep

from experiments.adjusting.adjustment import adjust_means
from experiments.basis.moments import Moments
from experiments.comparing.analysis import compare
from proofsheet import Metric, MetricKind, Role, analyze_table, compare_table
from proofsheet.domain.result import Aggregates, Evidence, Result, Status
from proofsheet.errors import InputError
from proofsheet.workflows.table_summary import summarise

METRICS = (
    Metric(name="bought", kind=MetricKind.PROPORTION, numerator="bought"),
    Metric(name="spent", kind=MetricKind.MEAN, numerator="spent", higher_is_better=False, role=Role.SECONDARY),
    Metric(name="spent/visits", kind=MetricKind.RATIO, numerator="spent", denominator="visits", role=Role.SECONDARY),
)


@pytest.fixture(scope="module")
def units() -> pd.DataFrame:
    """Eight experiments of two to four arms with a history of each unit; their rows are mixed."""
    rng = np.random.default_rng(17)
    parts = []
    for number, arms in enumerate((2, 3, 4, 2, 3, 4, 2, 3)):
        n = 900
        before = rng.gamma(2.0, 3.0, n)
        parts.append(
            pd.DataFrame(
                {
                    "test": f"test {number}",
                    "arm": rng.choice(list("dcba")[:arms], n),
                    "bought": rng.random(n) < 0.15 + 0.02 * number,
                    "spent": before + rng.gamma(2.0, 2.0, n),
                    "visits": rng.integers(1, 6, n),
                    "before": before,
                }
            )
        )
    return pd.concat(parts).sample(frac=1.0, random_state=1).reset_index(drop=True)


def rows_of(found: Any) -> dict[tuple[str, str, str], Result]:
    return {(row.experiment, row.metric, row.arm): row for one in found.analyses for row in one.results}


NUMBERS = ("value_arm", "value_control", "effect", "effect_low", "effect_high", "lift", "lift_low", "lift_high")
NUMBERS += ("p_value", "adjusted_p", "adjusted_lift_low", "adjusted_lift_high", "sum_x_arm", "sum_y_control")
NAMES = ("arm", "control", "n_arm", "n_control", "status", "note", "method", "evidence", "kind", "role", "correction")


@pytest.mark.parametrize("correction", ["holm", "bh", "dunnett", "none"])
def test_all_experiments_at_once_are_as_one_by_one(units: pd.DataFrame, correction: str) -> None:
    asked: dict[str, Any] = {"arm": "arm", "metrics": METRICS, "randomised": True, "correction": correction}
    whole = analyze_table(units, experiment="test", control="d", **asked)
    assert [one.experiment for one in whole.analyses] == list(dict.fromkeys(units["test"]))
    for one in whole.analyses:
        own = units[units["test"] == one.experiment]
        alone = analyze_table(own, control="d", **asked).analyses[0]
        assert [row.note for row in one.results] == [row.note for row in alone.results]
        assert one.health == alone.health
        for row, other in zip(one.results, alone.results, strict=True):
            assert [getattr(row, name) for name in NAMES] == [getattr(other, name) for name in NAMES]
            for name in (*NUMBERS, "chance_to_win"):
                assert getattr(row, name) == pytest.approx(getattr(other, name), rel=1e-12), name


@pytest.mark.parametrize("correction", ["holm", "dunnett"])
def test_the_numbers_are_the_engines(units: pd.DataFrame, correction: str) -> None:
    found = rows_of(analyze_table(units, arm="arm", experiment="test", metrics=METRICS, correction=correction))
    for metric in METRICS:
        for name, own in units.groupby("test", sort=False):
            arms = {}
            for arm in dict.fromkeys(own["arm"]):
                part = own[own["arm"] == arm]
                x = part[metric.numerator].to_numpy(float)
                y = part[metric.denominator].to_numpy(float) if metric.denominator else np.ones(x.size)
                dx, dy = x - x.mean(), y - y.mean()
                moments = {"mean_x": x.mean(), "m2_x": dx @ dx, "mean_y": y.mean(), "m2_y": dy @ dy, "cxy": dx @ dy}
                arms[arm] = Aggregates(n=x.size, **{key: float(value) for key, value in moments.items()})
            how = correction if metric.role is Role.PRIMARY else "none"
            for row in compare(metric, arms, next(iter(arms)), experiment=str(name), correction=how):
                ours = found[str(name), metric.name, row.arm]
                assert (ours.control, ours.n_arm, ours.status, ours.kind) == (
                    row.control, row.n_arm, row.status, row.kind)  # fmt: skip
                assert ours.chance_to_win == pytest.approx(
                    row.chance_to_win, abs=5e-3
                )  # of Beta laws there, normal here
                for field in NUMBERS:
                    assert getattr(ours, field) == pytest.approx(getattr(row, field), rel=1e-7, abs=1e-10), field


def counts_table() -> dict[str, list[Any]]:
    """Counted experiments: plain ones, one of few clicks, one without any, one arm alone, one of many rows."""
    rows = [("plain", "a", 4000, 200), ("plain", "b", 4100, 260), ("plain", "c", 3900, 190)]
    rows += [("few", "a", 900, 2), ("few", "b", 880, 1), ("none", "a", 500, 0), ("none", "b", 500, 3)]
    rows += [("alone", "a", 100, 5)]
    rows += [("days", arm, 1000 + day, 50 + (day * 7 + (arm == "b") * 3) % 11) for day in range(12) for arm in "ab"]
    return {name: [row[i] for row in rows] for i, name in enumerate(("test", "arm", "views", "clicks"))}


def test_counted_experiments_keep_their_rules_and_reasons() -> None:
    found = analyze_table(counts_table(), arm="arm", experiment="test", trials="views", successes="clicks")
    by_name = {one.experiment: one for one in found.analyses}
    plain = by_name["plain"].results
    assert [row.arm for row in plain] == ["b", "c"]
    table = [[260, 4100 - 260], [200, 4000 - 200]]
    assert plain[0].p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, rel=1e-10)
    assert "independent" in plain[0].note
    (few,) = by_name["few"].results
    assert few.method == "exact given the total, mid-p"
    (none,) = by_name["none"].results
    assert (none.status, none.lift, none.lift_low) == (Status.ZERO_CONTROL, None, None)
    assert none.effect == pytest.approx(0.006)
    assert by_name["alone"].results == ()
    assert "Nothing can be compared" in by_name["alone"].health[0].message
    (days,) = by_name["days"].results
    assert (days.kind, days.n_arm, days.note) == ("ratio", 12, "")


def test_a_summary_counts_what_the_rows_say(units: pd.DataFrame) -> None:
    found = compare_table(units, arm="arm", experiment="test", metrics=METRICS)
    first, second, _ = summarise(found)
    rows = [row for one in found.whole().analyses for row in one.results]
    own = [row for row in rows if row.metric == "bought"]
    assert (first.experiments, first.comparisons, first.alone) == (8, len(own), 0)
    single, corrected, overall = first.standings
    assert single.better == sum(row.p_value < 0.05 and row.effect > 0 for row in own)
    assert corrected.better + corrected.worse == sum(row.adjusted_p < 0.05 for row in own)
    assert overall.better + overall.worse == sum(one["false_discovery_p"] < 0.05 for one in found.rows()[: len(rows)]
                                                 if one["metric"] == "bought")  # fmt: skip
    assert [one.p_value for one, _ in first.clearest] == sorted(row.p_value for row in own)[:10]
    spent = [row for row in rows if row.metric == "spent"]
    assert second.standings[0].better == sum(row.p_value < 0.05 and row.effect < 0 for row in spent)
    assert [way.way[:4] for way in second.standings] == ["each", "fals"]


def test_rates_of_units_are_poisson_and_as_restless_as_they_are() -> None:
    rng = np.random.default_rng(2)
    n = 3_000
    hours = rng.uniform(0.5, 4.0, n)
    arm = rng.choice(["a", "b"], n)
    rate = np.where(arm == "b", 1.1, 1.0)
    metric = Metric(name="m", kind=MetricKind.RATE, numerator="orders", denominator="hours")
    calm = {"arm": arm, "hours": hours, "orders": rng.poisson(rate * hours)}
    (row,) = analyze_table(calm, arm="arm", control="a", metrics=[metric]).analyses[0].results
    events = [int(calm["orders"][arm == one].sum()) for one in "ba"]
    exposure = [float(hours[arm == one].sum()) for one in "ba"]
    theirs = poisson_2indep(events[0], exposure[0], events[1], exposure[1], method="score", compare="ratio")
    factor = row.dispersion or 1.0
    assert 1.0 <= factor < 1.06
    # The score test is conditional on the total, and its z is over the root of the dispersion.
    assert stats.norm.isf(row.p_value / 2) * np.sqrt(factor) == pytest.approx(abs(theirs.statistic), rel=1e-3)
    assert row.lift == pytest.approx((events[0] / exposure[0]) / (events[1] / exposure[1]) - 1, rel=1e-12)
    restless = calm | {"orders": rng.negative_binomial(1.0, 1.0 / (1.0 + rate * hours))}
    (wide,) = analyze_table(restless, arm="arm", control="a", metrics=[metric]).analyses[0].results
    x, e = restless["orders"].astype(float), hours
    residual = sum(float(((x - x[own].sum() / e[own].sum() * e)[own] ** 2).sum()) for own in (arm == "a", arm == "b"))
    expected = float(sum((own.sum() - 1) * x[own].mean() for own in (arm == "a", arm == "b")))
    assert wide.dispersion == pytest.approx(residual / expected, rel=0.02)
    few = {"arm": ["a"] * 4 + ["b"] * 4, "orders": [1, 0, 0, 2, 3, 1, 0, 1], "hours": [10.0] * 8}
    (exact,) = analyze_table(few, arm="arm", metrics=[metric]).analyses[0].results
    assert "taken as Poisson" in exact.note
    assert exact.method == "exact counts given the total, mid-p"


def test_covariates_adjust_as_least_squares_on_the_rows_does(units: pd.DataFrame) -> None:
    own = units[units["test"] == "test 1"]
    plain = rows_of(analyze_table(own, arm="arm", control="d", metrics=METRICS))
    found = analyze_table(own, arm="arm", control="d", metrics=METRICS, covariates=["before"])
    for row in found.analyses[0].results:
        if row.metric == "spent":
            both = own[own["arm"].isin(["d", row.arm])]
            assert row.effect_high - row.effect_low < 0.6 * (
                plain[row.experiment, "spent", row.arm].effect_high - plain[row.experiment, "spent", row.arm].effect_low
            )
            columns = [(own["arm"] == arm).astype(float) for arm in "bc"] + [own["before"]]
            fit = sm.OLS(own["spent"], sm.add_constant(np.column_stack(columns))).fit(cov_type="HC2")
            if row.arm in "bc":
                assert row.effect == pytest.approx(fit.params.iloc["bc".index(row.arm) + 1], rel=1e-9)
                assert row.effect_high - row.effect == pytest.approx(
                    1.96 * fit.bse.iloc["bc".index(row.arm) + 1], rel=5e-3
                )
            assert len(both) < len(own)
            assert "Adjusting took" in row.note


def test_covariates_of_many_experiments_are_those_of_the_moments(units: pd.DataFrame) -> None:
    found = rows_of(analyze_table(units, arm="arm", experiment="test", metrics=METRICS[1:2], covariates=["before"]))
    for (name, _, arm), row in found.items():
        own = units[units["test"] == name]
        arms = [own[own["arm"] == one][["spent", "before"]].to_numpy() for one in (row.control, arm)]
        others = [
            own[own["arm"] == one][["spent", "before"]].to_numpy()
            for one in sorted(set(own["arm"]) - {row.control, arm})
        ]
        moments = Moments.stack([Moments.from_rows(one, ("y", "x")) for one in (*arms, *others)])
        expected = adjust_means(moments, "y", ["x"]).contrast(1, 0)
        assert expected is not None
        assert row.effect == pytest.approx(expected.effect, rel=1e-9)
        assert row.p_value == pytest.approx(expected.p_value, rel=1e-9)
        assert row.chance_to_win == pytest.approx(1.0 - expected.chance, rel=1e-9)


def test_winsorised_means_are_welchs_on_capped_values(units: pd.DataFrame) -> None:
    own = units[units["test"] == "test 0"]
    metric = Metric(name="m", kind=MetricKind.MEAN, numerator="spent", upper=0.95)
    (row,) = analyze_table(own, arm="arm", control="d", metrics=[metric]).analyses[0].results
    capped = own["spent"].clip(upper=float(np.quantile(own["spent"], 0.95)))
    theirs = stats.ttest_ind(capped[own["arm"] == "c"], capped[own["arm"] == "d"], equal_var=False)
    assert row.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert row.effect_low == pytest.approx(theirs.confidence_interval().low, rel=1e-9)
    assert "count as it" in row.note


def test_quantiles_compare_the_values_themselves() -> None:
    rng = np.random.default_rng(4)
    arm = rng.choice(["a", "b"], 4_000)
    values = rng.exponential(np.where(arm == "b", 1.15, 1.0))
    metric = Metric(name="q", kind=MetricKind.QUANTILE, numerator="x", level=0.9)
    found = analyze_table({"arm": arm, "x": values}, arm="arm", control="a", metrics=[metric])
    (row,) = found.analyses[0].results
    assert row.value_arm == pytest.approx(np.quantile(values[arm == "b"], 0.9), rel=1e-12)
    # The asymptotic error of the 0.9 quantile of an exponential law: 3 times its mean over the root of n.
    error = np.hypot(3.0 * 1.15 / np.sqrt((arm == "b").sum()), 3.0 / np.sqrt((arm == "a").sum()))
    assert (row.effect_high - row.effect_low) / 2 == pytest.approx(1.96 * error, rel=0.15)
    tiny = analyze_table({"arm": list("aabb"), "x": [1.0, 2.0, 3.0, 4.0]}, arm="arm", metrics=[metric])
    assert tiny.analyses[0].results[0].status is Status.TOO_FEW


def test_what_does_not_go_together_is_refused(units: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="'x' is not among the arms of experiment"):
        analyze_table(units, arm="arm", experiment="test", control="x", metrics=METRICS)
    with pytest.raises(InputError, match="correction"):
        analyze_table(units, arm="arm", metrics=METRICS, correction="magic")
    with pytest.raises(InputError, match="confidence 95"):
        analyze_table(units, arm="arm", metrics=METRICS, confidence=95)
    for confidence in ("0.95", None, True, float("nan"), 0.5):
        with pytest.raises(InputError, match="is not a number between") as error:
            analyze_table(units, arm="arm", metrics=METRICS, confidence=confidence)
        assert f"The confidence {confidence!r} is" in str(error.value)
    with pytest.raises(InputError, match="either metrics or counts"):
        analyze_table(units, arm="arm")
    grades = {row.evidence for row in analyze_table(units, arm="arm", metrics=METRICS).analyses[0].results}
    assert grades == {Evidence.C}


def test_two_metrics_of_one_name_are_refused() -> None:
    metric = Metric(name="x", kind=MetricKind.MEAN, numerator="x")
    with pytest.raises(InputError, match="Two metrics are called 'x'"):
        analyze_table({"arm": ["a"], "x": [1]}, arm="arm", metrics=(metric, metric))
