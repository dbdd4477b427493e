"""analyze --data: published results on a real file, honest grades, and counts compared by what varies."""

from __future__ import annotations

import csv
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


def test_where_nothing_can_be_compared_no_method_is_named(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "few.csv"
    file.write_text("arm,cost\na,1\nb,2\n", encoding="utf-8")
    out = program("analyze", "--data", str(file), "--arm", "arm", "--metric", "cost:mean", home=tmp_path / "home").out
    assert "95% intervals, fixed; correction over arms: holm; evidence grade C." in out


def test_options_of_files_are_refused_without_a_file(program: Program, tmp_path: Path) -> None:
    refused = program("analyze", "--control", "a", "--cell", "b", home=tmp_path / "home", expect=2)
    assert "--control, --cell belong to --data" in refused.err
    both = program("analyze", "some-test", "--data", "x.csv", "--arm", "a", home=tmp_path / "home", expect=2)
    assert "Analyze one of them" in both.err


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Sixty experiments of two to four arms, some with an effect."""
    draw, lines = random.Random(5), ["test,arm,views,clicks"]
    for test in range(60):
        for number in range(2 + test % 3):
            rate = 0.05 * (1.6 if test % 10 == 0 and number == 1 else 1.0)
            clicks = sum(draw.random() < rate for _ in range(2000))
            lines.append(f"t{test},{'abcd'[number]},2000,{clicks}")
    file = tmp_path / "archive.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_many_experiments_are_summed_up_with_every_row_in_a_file(
    program: Program, archive: Path, tmp_path: Path
) -> None:
    words = ("analyze", "--data", str(archive), "--experiment", "test", "--arm", "arm", "--trials", "views")
    words += ("--successes", "clicks")
    out, rows = program(*words, "--rows", str(tmp_path / "rows.csv"), home=tmp_path / "home").out, tmp_path / "rows.csv"
    assert "120 comparisons with the control in 60 experiments" in out
    for text in ("each comparison by itself", "corrected within the experiment (holm)", "false discovery rate of 5%"):
        assert text in out
    with rows.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    answer = program(*words, "--json", home=tmp_path / "home").json
    results = [row for one in answer["analyses"] for row in one["results"]]
    assert len(answer["analyses"]) == 60
    assert [row["experiment"] for row in written] == [row["experiment"] for row in results]
    for row, other in zip(written, results, strict=True):
        assert float(row["p_value"]) == other["p_value"]
        assert (float(row["lift_low"]) if row["lift_low"] else None) == other["lift_low"]
    below = sum(float(row["false_discovery_p"]) < 0.05 for row in written)
    counted = next(line for line in out.splitlines() if "false discovery rate" in line).split()
    assert int(counted[-4]) + int(counted[-3]) == below > 0
    refused = program(*words, "--rows", str(tmp_path / "rows.txt"), home=tmp_path / "home", expect=2)
    assert "neither .csv nor .json" in refused.err
    alone = ("analyze", "--data", str(archive), "--experiment", "test", "--arm", "test", *words[-4:])
    assert "Every experiment has one arm only" in program(*alone, home=tmp_path / "home").out
    before = archive.read_bytes()
    assert "the file that is to be analyzed" in program(
        *words, "--rows", str(archive), home=tmp_path / "home", expect=2
    ).err  # fmt: skip
    assert archive.read_bytes() == before


def test_a_page_of_looks_and_segments(program: Program, tmp_path: Path) -> None:
    lines = ["unit,arm,day,country,paid"]
    lines += [
        f"{n},{'ab'[n % 2]},2026-05-{1 + n % 3:02d},{('it', 'fr')[n // 7 % 2]},{n % 5 == 0:d}" for n in range(600)
    ]
    file = tmp_path / "units.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ("analyze", "--data", str(file), "--arm", "arm", "--control", "a", "--metric", "paid:proportion")
    words += ("--day", "day", "--segments", "country")
    out = program(*words, home=tmp_path / "home").out
    for text in ("Total up to 2026-05-03", "paid by country", "paid, each day with all days before it"):
        assert text in out
    answer = program(*words, "--json", home=tmp_path / "home").json
    assert [(row["dimension"], row["level"]) for row in answer["rows"]] == [
        ("day", "2026-05-01"), ("day", "2026-05-02"), ("day", "2026-05-03"), ("country", "fr"), ("country", "it")
    ]  # fmt: skip
    assert [row["n_arm"] + row["n_control"] for row in answer["rows"]] == [200, 400, 600, 299, 301]
    assert "--segments needs --day" in program(*words[:-4], *words[-2:], home=tmp_path / "home", expect=2).err
    assert "goes with --metric" in program(
        *words, "--experiment", "unit", home=tmp_path / "home", expect=2
    ).err  # fmt: skip


def test_a_file_is_read_at_one_look_unless_it_is_said_to_be_read_every_day(program: Program, tmp_path: Path) -> None:
    lines = ["user,arm,day,paid"] + [f"u{n},{'ab'[n % 2]},2026-05-{1 + n % 3:02d},{n % 3 == 0:d}" for n in range(400)]
    file, rows, home = tmp_path / "users.csv", tmp_path / "rows.csv", tmp_path / "home"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ("analyze", "--data", str(file), "--arm", "arm", "--metric", "paid:proportion")
    always = ("--intervals", "always-valid")
    out = program(*words, home=home).out
    assert out.count("The intervals are for one look") == 1
    assert "95% intervals, fixed" in out
    assert program(*words, "--intervals", "fixed", home=home).out == out
    out = program(*words, *always, "--rows", str(rows), home=home).out
    assert out.count("They are narrowest at 5,000 units per arm, a default") == 1
    assert "95% intervals, valid at every look" in out
    with rows.open(encoding="utf-8", newline="") as written:
        assert [row["validity"] for row in csv.DictReader(written)] == ["always valid"]
    answers = [
        program(*words, *always, "--planned", size, "--json", home=home).json["analyses"][0]
        for size in ("200", "90000")
    ]
    assert "narrowest at 200 units" in answers[0]["reading"]
    near, far = (one["results"][0]["lift_high"] - one["results"][0]["lift_low"] for one in answers)
    assert near < far
    assert "these are for one look" in program(*words, "--planned", "900", home=home, expect=2).err
    assert "--planned" in program(*words, *always, "--planned", "0", home=home, expect=2).err
    page = program(*words, *always, "--day", "day", home=home, expect=2).err
    assert "not with --intervals always-valid" in page


def test_many_experiments_say_once_how_they_are_read(program: Program, archive: Path, tmp_path: Path) -> None:
    words = ("analyze", "--data", str(archive), "--experiment", "test", "--arm", "arm")
    words += ("--trials", "views", "--successes", "clicks", "--intervals", "always-valid")
    out = program(*words, home=tmp_path / "home").out
    assert out.count("They are narrowest at 100,000 trials per arm, a default") == 1


def test_metrics_of_every_kind_and_covariates_have_their_words(program: Program, tmp_path: Path) -> None:
    draw = random.Random(6)
    lines = ["arm,spent,before,orders,hours"]
    for n in range(800):
        before = draw.gammavariate(2, 3)
        lines.append(f"{'ab'[n % 2]},{before + draw.gammavariate(2, 1)},{before},{draw.randrange(4)},{1 + n % 3}")
    file = tmp_path / "units.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ("analyze", "--data", str(file), "--arm", "arm", "--metric", "orders/hours:rate")
    words += ("--metric", "spent:quantile=0.9:lower", "--metric", "spent:mean:cap=0.99", "--covariate", "before")
    answer = program(*words, "--json", home=tmp_path / "home").json
    rows = {row["metric"]: row for row in answer["analyses"][0]["results"]}
    assert {row["kind"] for row in rows.values()} == {"rate", "quantile", "mean"}
    assert rows["spent at 0.9"]["higher_is_better"] is False
    assert "Adjusting took" in rows["spent up to 0.99"]["note"]
    wrong = program(*words[:5], "--metric", "spent:mean:cap=2", home=tmp_path / "home", expect=2)
    assert "has no share between 0 and 1" in wrong.err
    launched = program("launch", "--preview", "--metric", "a/b:rate", home=tmp_path / "home", expect=2)
    assert "The kind is one of proportion, mean, ratio;" in launched.err
