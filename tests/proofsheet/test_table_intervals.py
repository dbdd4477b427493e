"""Tables read at every look: as launched experiments are, with the method of each metric, and with its error kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from experiments.comparing.analysis import compare
from experiments.comparing.counts import compare_cells, compare_totals
from experiments.sequential.looks import Looks, progress_of
from proofsheet import Metric, MetricKind, Role, analyze_table, compare_table
from proofsheet.domain.experiment import Arm, Experiment, ExperimentStatus
from proofsheet.domain.result import Aggregates, Cell, Result, Status, Validity
from proofsheet.errors import InputError
from proofsheet.workflows.readings import reading_of

BOUGHT = Metric(name="bought", kind=MetricKind.PROPORTION, numerator="bought")
SPENT = Metric(name="spent", kind=MetricKind.MEAN, numerator="spent", role=Role.SECONDARY)
BASKET = Metric(name="basket", kind=MetricKind.RATIO, numerator="spent", denominator="visits", role=Role.SECONDARY)
ORDERS = Metric(name="orders", kind=MetricKind.RATE, numerator="orders", denominator="hours", role=Role.SECONDARY)
CAPPED = Metric(name="capped", kind=MetricKind.MEAN, numerator="spent", upper=0.95, role=Role.SECONDARY)
MEDIAN = Metric(name="median", kind=MetricKind.QUANTILE, numerator="spent", level=0.5, role=Role.SECONDARY)

FIELDS = ("arm", "control", "n_arm", "n_control", "value_arm", "value_control", "effect", "effect_low", "effect_high")
FIELDS += ("lift", "lift_low", "lift_high", "p_value", "adjusted_p", "adjusted_lift_low", "adjusted_lift_high")
FIELDS += ("chance_to_win", "lift_error", "status", "validity", "method", "note", "correction", "kind", "role")


@pytest.fixture(scope="module")
def units() -> dict[str, Any]:
    rng, n = np.random.default_rng(3), 6_000
    before, hours = rng.gamma(2.0, 2.0, n), rng.uniform(0.5, 4.0, n)
    arm = rng.choice(["old", "new", "other"], n, p=[0.4, 0.4, 0.2])
    return {
        "arm": arm,
        "bought": rng.random(n) < np.where(arm == "new", 0.15, 0.1),
        "spent": before + rng.gamma(2.0, 1.0, n) * np.where(arm == "new", 1.2, 1.0),
        "visits": rng.integers(1, 5, n),
        "orders": rng.negative_binomial(2.0, 1.0 / (1.0 + 0.2 * hours)),
        "hours": hours,
        "before": before,
    }


def launched(unit: str, arms: tuple[str, ...], metrics: tuple[Metric, ...]) -> Experiment:
    """The same test as it would be had it been launched here, without a planned size."""
    return Experiment(
        id="e",
        campaign="c",
        name="E",
        hypothesis="",
        unit=unit,
        arms=tuple(Arm(name=a, variant_id=a, asset_ids=(), is_control=a == "old") for a in arms),
        metrics=metrics,
        design=None,
        status=ExperimentStatus.RUNNING,
        started_at=datetime(2026, 6, 1, tzinfo=UTC),
    )


def same(ours: Result, theirs: Result) -> None:
    for name in FIELDS:
        value, other = getattr(ours, name), getattr(theirs, name)
        assert value == (pytest.approx(other, rel=1e-9, abs=1e-12) if isinstance(other, float) else other), name


@pytest.mark.parametrize("metric", [BOUGHT, SPENT, BASKET])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_units_are_read_as_those_of_a_launched_experiment(
    units: dict[str, Any], metric: Metric, confidence: float
) -> None:
    arms = {}
    for name in dict.fromkeys(units["arm"].tolist()):
        x = units[metric.numerator][units["arm"] == name].astype(float)
        y = units[metric.denominator][units["arm"] == name].astype(float) if metric.denominator else np.ones(x.size)
        dx, dy = x - x.mean(), y - y.mean()
        moments = {"mean_x": x.mean(), "m2_x": dx @ dx, "mean_y": y.mean(), "m2_y": dy @ dy, "cxy": dx @ dy}
        arms[name] = Aggregates(n=x.size, **{key: float(value) for key, value in moments.items()})
    experiment = launched("user", tuple(arms), (BOUGHT,))
    sizes = {name: one.n for name, one in arms.items()}
    reading, _ = reading_of(experiment, sizes, intervals="always-valid", confidence=confidence)
    correction = "holm" if metric.role is Role.PRIMARY else "none"
    theirs = compare(metric, arms, "old", experiment="", confidence=confidence, correction=correction, reading=reading)
    found = analyze_table(
        units, arm="arm", control="old", metrics=[metric], confidence=confidence, intervals="always-valid"
    )
    ours = {row.arm: row for row in found.analyses[0].results}
    assert ours.keys() == {"new", "other"}
    for row in theirs:
        same(ours[row.arm], row)
        assert row.validity is Validity.ALWAYS


def counts() -> dict[str, list[Any]]:
    """Ten days of three arms whose rate swings from day to day."""
    rng, rows = np.random.default_rng(8), []
    for day in range(10):
        rate = 0.02 * np.exp(0.2 * rng.normal())
        for arm, lift in (("old", 1.0), ("new", 1.25), ("other", 1.0)):
            rows.append((arm, f"2026-06-{day + 1:02d}", 6_000 + 100 * day, int(rng.binomial(6_000, rate * lift))))
    return {name: [row[i] for row in rows] for i, name in enumerate(("arm", "day", "views", "clicks"))}


def platform_reading(table: dict[str, list[Any]]) -> Looks:
    sizes = dict.fromkeys(dict.fromkeys(table["arm"]), 0)
    for arm, trials in zip(table["arm"], table["views"], strict=True):
        sizes[arm] += trials
    reading, _ = reading_of(
        launched("impression", tuple(sizes), (BOUGHT,)), sizes, intervals="always-valid", confidence=0.95
    )
    assert isinstance(reading, Looks)
    return reading


def test_counts_within_days_are_read_as_those_of_a_platforms_report() -> None:
    table = counts()
    cells = [
        Cell(arm=a, cell=d, trials=n, successes=float(k), value=float(k))
        for a, d, n, k in zip(table["arm"], table["day"], table["views"], table["clicks"], strict=True)
    ]
    found = analyze_table(
        table, arm="arm", control="old", trials="views", successes="clicks", cell="day", intervals="always-valid"
    )
    theirs = compare_cells(BOUGHT, cells, "old", experiment="", reading=platform_reading(table))
    for ours, row in zip(found.analyses[0].results, theirs, strict=True):
        same(ours, row)
    assert "100,000 trials per arm, a default" in found.analyses[0].reading


@pytest.mark.parametrize("days", [3, 10])
def test_counts_without_days_keep_their_rule(days: int) -> None:
    """Few rows an arm are independent trials; many are compared by the spread over them. The size is that of trials."""
    whole = counts()
    table = {name: column[: 3 * days] for name, column in whole.items()}
    reading = platform_reading(table)
    found = analyze_table(
        table, arm="arm", control="old", trials="views", successes="clicks", intervals="always-valid", correction="bh"
    )
    arms = {}
    for arm in ("old", "new", "other"):
        rows = [i for i, one in enumerate(table["arm"]) if one == arm]
        arms[arm] = np.array([[table["clicks"][i], table["views"][i]] for i in rows], dtype=float)
    if days < 8:
        pairs = {arm: (int(one[:, 1].sum()), float(one[:, 0].sum())) for arm, one in arms.items()}
        theirs = compare_totals(BOUGHT, pairs, "old", experiment="", correction="bh", reading=reading)
    else:
        moments = {}
        for arm, one in arms.items():
            (m2_x, cxy), (_, m2_y) = np.cov(one.T) * (len(one) - 1)
            x, y = one.mean(axis=0)
            moments[arm] = Aggregates(n=len(one), mean_x=x, m2_x=m2_x, mean_y=y, m2_y=m2_y, cxy=cxy)
        theirs = compare(BASKET, moments, "old", experiment="", correction="bh", reading=reading)
    for ours, row in zip(found.analyses[0].results, theirs, strict=True):
        for name in ("lift", "lift_low", "lift_high", "p_value", "adjusted_p", "adjusted_lift_low", "lift_error"):
            assert getattr(ours, name) == pytest.approx(getattr(row, name), rel=1e-8), name
        assert (ours.method, ours.note, ours.n_arm, ours.kind) == (row.method, row.note, row.n_arm, row.kind)


@pytest.mark.parametrize(
    ("metric", "covariates"),
    [(SPENT, ()), (BASKET, ()), (ORDERS, ()), (CAPPED, ()), (MEDIAN, ()), (SPENT, ("before",)), (BASKET, ("before",))],
)
def test_a_metrics_own_interval_is_drawn_at_the_level_of_the_look(
    units: dict[str, Any], metric: Metric, covariates: tuple[str, ...]
) -> None:
    """Oracle: the fixed interval of the same table, which goes another way, at the level that the looks ask for."""
    asked: dict[str, Any] = {"arm": "arm", "control": "old", "metrics": [metric], "covariates": covariates}
    always = analyze_table(units, intervals="always-valid", planned=3_000, **asked).analyses[0]
    fixed = analyze_table(units, **asked).analyses[0]
    n = {name: int((units["arm"] == name).sum()) for name in ("old", "new", "other")}
    progress = {arm: float(progress_of(n[arm], n["old"], 3_000)) for arm in n}
    looks = Looks(progress=progress, final=False, monitor_share=1.0)
    assert len(always.results) == 2
    for row, plain in zip(always.results, fixed.results, strict=True):
        level = looks.level(row.arm, 0.05)
        wide = analyze_table(units, confidence=1.0 - level, **asked).analyses[0]
        (drawn,) = (one for one in wide.results if one.arm == row.arm)
        for name in ("effect_low", "effect_high", "lift_low", "lift_high"):
            assert getattr(row, name) == pytest.approx(getattr(drawn, name), rel=1e-7), name
        for name in ("effect", "lift", "value_arm", "value_control", "chance_to_win", "sum_x_arm", "sum_y_control"):
            assert getattr(row, name) == pytest.approx(getattr(plain, name), rel=1e-9), name
        assert plain.p_value is not None
        assert row.p_value == pytest.approx(looks.p_value(row.arm, plain.p_value), rel=1e-6)
        assert (row.note, row.method, row.dispersion) == (plain.note, plain.method, plain.dispersion)
        assert (row.validity, plain.validity) == (Validity.ALWAYS, Validity.FIXED)
        assert row.lift_error is not None
        assert row.lift_error == pytest.approx((plain.lift_high - plain.lift_low) / 3.92, rel=0.05)


@pytest.mark.parametrize(("arm_orders", "control_orders"), [(0, 4), (5, 0), (0, 0), (3, 1)])
def test_few_orders_and_none_have_a_reason_and_no_invented_number(arm_orders: int, control_orders: int) -> None:
    table = {"arm": ["a"] * 9 + ["b"] * 9, "orders": [control_orders] + [0] * 8 + [arm_orders] + [0] * 8}
    table["hours"] = [2.0] * 18
    row, plain = (
        analyze_table(table, arm="arm", metrics=[ORDERS], intervals=how).analyses[0].results[0]
        for how in ("always-valid", "fixed")
    )
    assert (row.lift, row.effect, row.method, row.n_arm) == (plain.lift, plain.effect, plain.method, 9)
    assert row.status is (Status.ZERO_CONTROL if control_orders == 0 else Status.OK)
    numbers = [getattr(row, name) for name in FIELDS if isinstance(getattr(row, name), float)]
    assert all(np.isfinite(numbers))
    nothing = table | {"hours": [0.0] * 9 + [2.0] * 9, "orders": [0] * 18}
    (row,) = analyze_table(nothing, arm="arm", metrics=[ORDERS], intervals="always-valid").analyses[0].results
    assert (row.status, row.p_value, row.lift) == (Status.NO_DATA, None, None)


def test_many_experiments_are_read_each_by_its_own_size(units: dict[str, Any]) -> None:
    number = np.arange(6_000) % 3 * (np.arange(6_000) < 4_000)
    table = units | {"test": number}
    asked: dict[str, Any] = {"arm": "arm", "control": "old", "intervals": "always-valid", "planned": 800}
    metrics = [BOUGHT, SPENT, ORDERS]
    whole = analyze_table(table, experiment="test", metrics=metrics, **asked)
    for one in whole.analyses:
        own = {name: column[number == int(one.experiment)] for name, column in units.items()}
        alone = analyze_table(own, metrics=metrics, **asked).analyses[0]
        rows = {(row.metric, row.arm): row for row in alone.results}
        for row in one.results:
            same(row, rows[row.metric, row.arm])
        assert (
            one.reading
            == alone.reading
            == ("The intervals hold at any time: look as often as you like. They are narrowest at 800 units per arm.")
        )
    columns = compare_table(table, experiment="test", metrics=metrics, **asked).columns
    assert set(columns["validity"].tolist()) == {Validity.ALWAYS}
    assert np.isfinite(columns["false_discovery_p"]).all()


def test_what_is_said_of_the_reading(units: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"arm": "arm", "control": "old", "metrics": [BOUGHT]}
    fixed, auto, always = (
        analyze_table(units, intervals=how, **asked).analyses[0] for how in ("fixed", "auto", "always-valid")
    )
    assert fixed == auto == analyze_table(units, **asked).analyses[0]
    assert "The intervals are for one look" in fixed.reading
    assert "narrowest at 5,000 units per arm, a default: name the size that you plan." in always.reading
    assert {row.correction for row in always.results} == {"holm"}
    dunnett = analyze_table(units, correction="dunnett", intervals="always-valid", **asked).analyses[0]
    assert dunnett.results == always.results  # Dunnett's rests on the arms' correlation at one look
    alone = analyze_table({"arm": ["a"] * 9, "bought": [1] * 9}, arm="arm", metrics=[BOUGHT], intervals="always-valid")
    assert (alone.analyses[0].results, alone.analyses[0].reading) == ((), "")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"intervals": "wide"}, "The intervals 'wide' are not known"),
        ({"planned": 5_000}, "The planned size 5000 is for always-valid intervals"),
        ({"planned": 5_000, "intervals": "auto"}, "is for always-valid intervals"),
        *(
            ({"planned": size, "intervals": "always-valid"}, f"The planned size {size!r} is not a whole number above 0")
            for size in (0, -3, 1.5, "5000", True)
        ),
    ],
)
def test_what_cannot_be_read_is_refused(units: dict[str, Any], asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        analyze_table(units, arm="arm", metrics=[BOUGHT], **asked)


def test_a_sample_ratio_that_is_looked_at_every_day_is_the_one_that_may_be() -> None:
    """A fair split whose sizes differ by 2.7 deviations: an alarm of one look, not of many."""
    arms = {"a": 5_000, "b": 5_270}
    table = {"arm": np.repeat(list(arms), list(arms.values())), "bought": np.zeros(10_270, dtype=bool)}
    table["bought"][::9] = True
    checks = {
        how: next(
            check
            for check in analyze_table(table, arm="arm", metrics=[BOUGHT], intervals=how).analyses[0].health
            if check.name == "sample_ratio"
        )
        for how in ("fixed", "always-valid")
    }
    assert checks["fixed"].ok is False
    assert checks["always-valid"].ok is True
    assert "valid at every look" in checks["always-valid"].message
    broken = {"arm": np.repeat(["a", "b"], [5_000, 6_000]), "bought": np.arange(11_000) % 9 == 0}
    found = analyze_table(broken, arm="arm", metrics=[BOUGHT], intervals="always-valid", randomised=True).analyses[0]
    check = next(check for check in found.health if check.name == "sample_ratio")
    assert (check.severity, {row.evidence.value for row in found.results}) == ("blocking", {"C"})
    assert "do not fit the plan (a 45.45% for 50.00%" in check.message


def test_a_file_that_grows_may_be_read_every_day() -> None:
    """80 A/A tests of 10 days, 30 units a day, 200 planned: fixed intervals find a winner in many, these in few."""
    tests, days, daily = 80, 10, 30
    rng = np.random.default_rng(29)
    size = tests * days * daily
    table = {
        "test": np.repeat(np.arange(tests), days * daily),
        "arm": np.array(["a", "b"])[rng.integers(0, 2, size)],
        "spent": rng.lognormal(0.0, 1.0, size),
    }
    day = np.tile(np.repeat(np.arange(days), daily), tests)
    wrong: dict[str, set[int]] = {"fixed": set(), "always-valid": set()}
    for until in range(days):
        seen = {name: column[day <= until] for name, column in table.items()}
        for how, planned in (("fixed", None), ("always-valid", 200)):
            columns = compare_table(
                seen, arm="arm", control="a", experiment="test", metrics=[SPENT], intervals=how, planned=planned
            ).columns
            wrong[how].update(columns["number"][columns["p_value"] < 0.05].tolist())
    most = tests * 0.05 + 2.0 * (tests * 0.05 * 0.95) ** 0.5
    assert len(wrong["always-valid"]) <= most
    assert len(wrong["fixed"]) > most
