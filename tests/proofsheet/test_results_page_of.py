"""A results page of any table: every cut is what an analysis of its rows alone says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from proofsheet import Metric, MetricKind, Page, analyze_table, results_page_of
from proofsheet.errors import InputError

METRICS = (
    Metric(name="bought", kind=MetricKind.PROPORTION, numerator="bought"),
    Metric(name="spent", kind=MetricKind.MEAN, numerator="spent", higher_is_better=False),
    Metric(name="capped", kind=MetricKind.MEAN, numerator="spent", upper=0.98),
    Metric(name="spent/visits", kind=MetricKind.RATIO, numerator="spent", denominator="visits"),
    Metric(name="orders/visits", kind=MetricKind.RATE, numerator="orders", denominator="visits"),
)
PAGE = Page(arm="arm", day="day", metrics=METRICS, dimensions=("country", "device"))


@pytest.fixture(scope="module")
def units() -> pd.DataFrame:
    rng = np.random.default_rng(9)
    n = 5_000
    visits = rng.integers(1, 6, n)
    return pd.DataFrame(
        {
            "unit": np.arange(n),
            "arm": rng.choice(["old", "new", "newer"], n),
            "day": pd.to_datetime("2026-02-26") + pd.to_timedelta(rng.integers(0, 5, n), unit="D"),
            "country": rng.choice(["it", "fr"], n),
            "device": rng.choice(["phone", ""], n),
            "bought": rng.random(n) < 0.2,
            "spent": 1e6 + rng.gamma(2.0, 4.0, n) * visits,
            "visits": visits,
            "orders": rng.poisson(0.3 * visits),
        }
    )


FIELDS = (
    "effect",
    "effect_low",
    "lift_low",
    "lift_high",
    "p_value",
    "adjusted_p",
    "adjusted_lift_low",
    "chance_to_win",
)


def test_every_cut_is_as_its_rows_alone(units: pd.DataFrame) -> None:
    found = results_page_of(units, PAGE, control="old")
    assert (found.rows_in, found.used) == (5_000, 5_000)
    # One cap for the whole page: the same one is given to each cut.
    cap = float(np.quantile(units["spent"], 0.98))
    days = sorted(units["day"].dt.strftime("%Y-%m-%d").unique())
    cuts = [("day", day, units["day"] <= day) for day in days]
    cuts += [("country", level, units["country"] == level) for level in ("fr", "it")]
    cuts += [("device", level, units["device"] == level) for level in ("", "phone")]
    assert len(found.rows()) == len(cuts) * len(METRICS) * 2
    plain = [one for one in METRICS if one.upper == 1.0]
    plain.append(Metric(name="capped", kind=MetricKind.MEAN, numerator="capped"))
    table = units.assign(capped=units["spent"].clip(upper=cap))
    for dimension, level, some in cuts:
        rows = {(row["metric"], row["arm"]): row for row in found.rows()
                if (row["dimension"], row["level"]) == (dimension, level)}  # fmt: skip
        for metric in plain:
            alone = analyze_table(table[some], arm="arm", control="old", metrics=[metric]).analyses[0]
            for other in alone.results:
                row = rows[metric.name, other.arm]
                assert (row["n_arm"], row["status"]) == (other.n_arm, other.status)
                for name in FIELDS:
                    assert row[name] == pytest.approx(getattr(other, name), rel=2e-6, abs=1e-9), (metric.name, name)
    assert found.total["n_arm"].tolist() == found.some("day", days[-1])["n_arm"].tolist()


def test_files_and_units_of_several_rows(units: pd.DataFrame, tmp_path: Path) -> None:
    units.to_csv(tmp_path / "units.csv", index=False)
    whole = results_page_of(units, PAGE, control="old").rows()
    from_file = results_page_of(tmp_path / "units.csv", PAGE, control="old").rows()
    again = pd.concat([units, units.assign(day=units["day"] + pd.Timedelta("40D"), spent=0.0, visits=0, orders=0)])
    by_unit = results_page_of(again, PAGE, control="old", unit="unit").rows()
    for some in (from_file, by_unit):
        for one, other in zip(some, whole, strict=True):
            assert one["level"] == other["level"]
            assert one["p_value"] == pytest.approx(other["p_value"], rel=1e-6)


def test_what_cannot_stand_on_a_page_is_said(units: pd.DataFrame) -> None:
    def page(**more: Any) -> Page:
        return Page(**({"arm": "arm", "day": "day", "metrics": METRICS[:1]} | more))

    first = results_page_of(units, page())
    assert "'new', the first arm by name" in first.notes[-1]
    with pytest.raises(InputError, match="cannot stand on a page"):
        results_page_of(units, page(metrics=[Metric(name="q", kind=MetricKind.QUANTILE, numerator="spent")]))
    with pytest.raises(InputError, match=r"country: 'it' is not a day, such as 2026-03-01"):
        results_page_of(units[units["country"] == "it"], page(day="country"))
    with pytest.raises(InputError, match="'nobody' is not among the arms"):
        results_page_of(units, page(), control="nobody")
    for confidence in ("0.95", None):
        with pytest.raises(InputError, match=f"confidence {confidence!r} is not a number between"):
            results_page_of(units, page(), confidence=confidence)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arms", "unit", "problem"),
    [(["a"] * 4, None, "only the arm 'a' is there"), (["a", "b"] * 2, "unit", "every unit is in two arms")],
)
def test_a_page_needs_two_arms(arms: list[str], unit: str | None, problem: str) -> None:
    table = {"arm": arms, "day": ["2026-03-01"] * 4, "spent": [1.0, 2.0, 3.0, 4.0], "unit": ["same"] * 4}
    page = Page(arm="arm", day="day", metrics=METRICS[1:2])
    with pytest.raises(InputError, match=problem):
        results_page_of(table, page, unit=unit)


@pytest.mark.parametrize("metric", [METRICS[1], METRICS[4]])
def test_a_control_of_zeros_is_at_zero_on_every_day(metric: Metric) -> None:
    n = 300
    some = [0.0 if i % 3 == 0 else 7.1 + i % 5 / 10 for i in range(n)]
    table = {
        "arm": ["abc"[i % 3] for i in range(n)],
        "day": [f"2026-03-0{1 + i % 7}" for i in range(n)],
        "spent": some,
        "orders": [1] * n,
        "visits": some,
    }
    found = results_page_of(table, Page(arm="arm", day="day", metrics=(metric,)), control="a")
    assert not np.isfinite(found.columns["lift"]).any()


def test_values_too_large_to_square_are_named_on_a_page() -> None:
    table = {"arm": ["a", "b"] * 2, "day": ["2026-03-01"] * 4, "spent": [1e200, 2e200, 3e200, 4e200]}
    with pytest.raises(InputError, match=r"'spent' holds values beyond 1e\+150"):
        results_page_of(table, Page(arm="arm", day="day", metrics=METRICS[1:2]))


def test_what_cannot_be_tested_has_no_p_value_on_a_page() -> None:
    table = {"arm": ["a", "b"] * 2, "day": ["2026-03-01"] * 2 + ["2026-03-02"] * 2, "spent": [1.0, 2.0, 3.0, 7.0]}
    found = results_page_of(table, Page(arm="arm", day="day", metrics=METRICS[1:2]))
    first, last = found.rows()
    assert (first["status"], first["p_value"], first["adjusted_p"], first["chance_to_win"]) == ("too_few", *[None] * 3)
    assert 0.0 < last["p_value"] < 1.0
