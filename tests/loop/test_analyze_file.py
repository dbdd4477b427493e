"""analyze --data: published results on a real file, honest grades, and counts compared by what varies."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Program = Callable[..., Any]


@pytest.fixture
def real_data() -> Path:
    """The folder of real experiments."""
    folder = os.environ.get("PROOFSHEET_REAL_DATA")
    if not folder:
        pytest.skip("PROOFSHEET_REAL_DATA does not name the folder of real data")
    return Path(folder)


def rows_of(answer: Any, metric: str) -> dict[str, Any]:
    return {row["arm"]: row for row in answer["analyses"][0]["results"] if row["metric"] == metric}


@pytest.mark.real_data
def test_the_published_results_of_cookie_cats(program: Program, real_data: Path, tmp_path: Path) -> None:
    answer = program(
        "analyze", "--data", str(real_data / "cookie_cats.csv"), "--arm", "version", "--control", "gate_30",
        "--unit", "userid", "--metric", "retention_1:proportion", "--metric", "retention_7:proportion",
        "--metric", "sum_gamerounds:mean", "--randomised", "--json", home=tmp_path / "home",
    ).json  # fmt: skip
    assert (answer["rows_in"], answer["used"], answer["set_aside"]) == (90189, 90189, 0)
    seven = rows_of(answer, "retention_7")["gate_40"]
    assert seven["effect"] * 100 == pytest.approx(-0.8201, abs=5e-5)
    assert [seven["effect_low"] * 100, seven["effect_high"] * 100] == pytest.approx([-1.3282, -0.3121], abs=1e-4)
    assert seven["lift"] * 100 == pytest.approx(-4.312, abs=5e-4)
    assert seven["p_value"] == pytest.approx(0.00155, abs=5e-6)
    assert seven["chance_to_win"] == pytest.approx(0.00078, abs=1e-5)
    assert rows_of(answer, "retention_1")["gate_40"]["p_value"] == pytest.approx(0.0744, abs=5e-5)
    assert rows_of(answer, "sum_gamerounds")["gate_40"]["p_value"] == pytest.approx(0.376, abs=5e-4)
    ratio = next(one for one in answer["analyses"][0]["health"] if one["name"] == "sample_ratio")
    assert ratio["p_value"] == pytest.approx(0.00861, abs=5e-6)
    assert (ratio["ok"], ratio["severity"]) == (False, "warning")


@pytest.mark.real_data
def test_empty_cells_of_a_platforms_export_can_mean_nothing_happened(
    program: Program, real_data: Path, tmp_path: Path
) -> None:
    file = str(real_data / "exports" / "meta_ads_manager_creative_test.csv")
    words = ("analyze", "--data", file, "--arm", "Ad name", "--trials", "Impressions", "--successes", "Link clicks")
    refused = program(*words, home=tmp_path / "home", expect=2)
    assert "--empty zero" in refused.err
    answer = program(*words, "--empty", "zero", "--json", home=tmp_path / "home").json
    assert answer["used"] == 637
    rows = answer["analyses"][0]["results"]
    clicks = sum(row["sum_x_arm"] for row in rows) + rows[0]["sum_x_control"]
    assert clicks == 949


@pytest.fixture
def daily(tmp_path: Path) -> Path:
    """Twenty days of two equal arms whose rate swings from day to day."""
    draw, lines = random.Random(3), ["day,arm,views,clicks,spend"]
    for day in range(20):
        for arm in ("old", "new"):
            rate = 0.05 * draw.uniform(0.4, 1.6)
            lines.append(f"2026-06-{day + 1:02d},{arm},20000,{round(20000 * rate)},{100 + day}")
    file = tmp_path / "daily.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_counts_of_many_rows_are_compared_by_the_spread_over_their_rows(
    program: Program, daily: Path, tmp_path: Path
) -> None:
    words = ("analyze", "--data", str(daily), "--arm", "arm", "--control", "old", "--trials", "views")
    words += ("--successes", "clicks", "--json")
    by_rows = rows_of(program(*words, home=tmp_path / "home").json, "clicks/views")["new"]
    by_days = rows_of(program(*words, "--cell", "day", home=tmp_path / "home").json, "clicks/views")["new"]
    totals = [sum(int(line.split(",")[3]) for line in daily.read_text().splitlines()[1:] if f",{arm}," in line)
              for arm in ("old", "new")]  # fmt: skip
    pooled = sum(totals) / 800_000
    naive = 1.96 * (2 * pooled * (1 - pooled) / 400_000) ** 0.5 / (totals[0] / 400_000)
    for row in (by_rows, by_days):
        assert row["lift_high"] - row["lift_low"] > 4 * naive
        assert row["lift_low"] < 0 < row["lift_high"]


def test_a_file_is_grade_c_unless_the_user_knows_better(program: Program, tmp_path: Path) -> None:
    lines = ["user,arm,paid,cost"] + [f"u{n},{'ab'[n % 2]},{n % 3 == 0:d},{n % 7}" for n in range(400)]
    file = tmp_path / "users.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ("analyze", "--data", str(file), "--arm", "arm", "--unit", "user", "--metric", "paid:proportion")
    words += ("--metric", "cost:mean:lower", "--json")
    answer = program(*words, home=tmp_path / "home").json
    assert {row["evidence"] for row in answer["analyses"][0]["results"]} == {"C"}
    assert any("--randomised" in note for note in answer["analyses"][0]["notes"])
    known = program(*words, "--randomised", home=tmp_path / "home").json
    assert {row["evidence"] for row in known["analyses"][0]["results"]} == {"A"}
    cost = rows_of(known, "cost")["b"]
    assert cost["higher_is_better"] is False
    assert (cost["chance_to_win"] > 0.5) == (cost["lift"] < 0)


def test_options_of_files_are_refused_without_a_file(program: Program, tmp_path: Path) -> None:
    refused = program("analyze", "--control", "a", "--cell", "b", home=tmp_path / "home", expect=2)
    assert "--control, --cell belong to --data" in refused.err
    both = program("analyze", "some-test", "--data", "x.csv", "--arm", "a", home=tmp_path / "home", expect=2)
    assert "Analyze one of them" in both.err
