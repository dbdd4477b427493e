"""An experiment on unit-level events: exposures and outcomes of a site, read, analyzed and decided."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

pytestmark = pytest.mark.slow


def test_events_of_a_site_become_a_randomised_result(
    program: Callable[..., Any], small_brief: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    out = tmp_path / "demo" / "exports"
    program("demo", "--brief", str(small_brief), "--out", str(out), home=home)
    launched = program(
        "launch", "--unit", "user", "--metric", "signup:proportion", "--metric", "revenue:mean",
        "--started", "2026-06-01", "--json", home=home,
    ).json  # fmt: skip
    arms = [arm["name"] for arm in launched["arms"]]
    assert launched["status"] == "RUNNING"
    draw = random.Random(5)
    signups = dict.fromkeys(arms, 0)
    users = dict.fromkeys(arms, 0)
    lines = ["experiment,unit,arm,timestamp,event,value"]
    for number in range(3000):
        arm = arms[number % len(arms)]
        moment = f"2026-06-{2 + number // len(arms) % 20:02d}T10:{number % 60:02d}:00Z"  # every arm on every day
        later = moment.replace("T10", "T11")
        users[arm] += 1
        lines.append(f"{launched['id']},user{number},{arm},{moment},exposure,")
        if draw.random() < (0.2 if arm == "baseline" else 0.28):
            signups[arm] += 1
            lines.append(f"{launched['id']},user{number},{arm},{later},signup,1")
            lines.append(f"{launched['id']},user{number},{arm},{later},revenue,{draw.randint(5, 50)}")
    events = tmp_path / "events.csv"
    events.write_text("\n".join(lines) + "\n", encoding="utf-8")
    record = program("ingest", str(events), "--json", home=home).json
    assert record["set_aside"] == 0
    assert record["loaded"] == record["rows_in"] == len(lines) - 1

    analysis = program("analyze", launched["id"], "--json", home=home).json
    assert analysis["source"] == "unit-level events"
    assert {row["validity"] for row in analysis["results"]} == {"always valid"}
    one_look = program("analyze", launched["id"], "--intervals", "fixed", "--json", home=home).json
    rows = {row["arm"]: row for row in one_look["results"] if row["metric"] == "signup"}
    assert set(rows) == set(arms) - {"baseline"}
    for arm, row in rows.items():
        assert (row["n_arm"], row["n_control"]) == (users[arm], users["baseline"])
        assert row["value_arm"] == pytest.approx(signups[arm] / users[arm])
        assert row["evidence"] == "A"
        table = [
            [signups[arm], users[arm] - signups[arm]],
            [signups["baseline"], users["baseline"] - signups["baseline"]],
        ]
        wanted = stats.chi2_contingency(table, correction=False)
        assert row["p_value"] == pytest.approx(wanted.pvalue, rel=1e-6)
    decision = program("decide", launched["id"], "--json", home=home).json
    assert decision["call"] in {"ship", "continue", "inconclusive"}
    copied = Path(shutil.copytree(home, tmp_path / "copied"))
    assert program("analyze", launched["id"], "--json", home=copied).json["results"] == analysis["results"]


def test_units_of_an_experiment_that_was_never_launched_are_analyzed_by_its_name(
    program: Callable[..., Any], tmp_path: Path
) -> None:
    home, file = tmp_path / "home", tmp_path / "units.csv"
    lines = ["user,arm,paid,minutes"] + [
        f"u{n},{'control' if n % 2 else 'new'},{n % 5 == 0:d},{n % 9}" for n in range(300)
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ("ingest", str(file), "--map", "unit=user", "--map", "arm=arm", "--map", "outcomes=paid,minutes")
    assert "analyze EXPERIMENT" in program(*words, "--option", "experiment=site", home=home).out
    found = program("analyze", "site", "--json", home=home).json
    assert {(row["metric"], row["kind"], row["control"]) for row in found["results"]} == {
        ("paid", "proportion", "control"), ("minutes", "mean", "control"),
    }  # fmt: skip
    assert {row["evidence"] for row in found["results"]} == {"C"}
    assert found["results"][0]["n_arm"] == 150
    known = program("analyze", "site", "--randomised", "--json", home=home).json
    assert {row["evidence"] for row in known["results"]} == {"A"}
