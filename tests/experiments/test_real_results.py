"""Published results recomputed from the real files, read here by the csv module alone."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from experiments.checks.health import sample_ratio
from experiments.comparing.analysis import compare
from experiments.comparing.counts import compare_cells
from proofsheet.domain.experiment import Metric
from proofsheet.domain.result import Aggregates, Cell

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def folder() -> Path:
    named = os.environ.get("PROOFSHEET_REAL_DATA", "")
    if not named:
        pytest.skip("PROOFSHEET_REAL_DATA does not name the folder of real data")
    return Path(named)


@pytest.fixture(scope="module")
def players(folder: Path) -> dict[str, list[dict[str, str]]]:
    arms: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (folder / "cookie_cats.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            arms[row["version"]].append(row)
    return arms


def column(rows: list[dict[str, str]], name: str) -> list[float]:
    return [float(row[name]) if row[name].isdigit() else float(row[name].upper() == "TRUE") for row in rows]


def test_cookie_cats(
    players: dict[str, list[dict[str, str]]], proportion: Metric, moments: Callable[..., Aggregates]
) -> None:
    arms = {name: moments(column(rows, "retention_7")) for name, rows in sorted(players.items())}
    (r,) = compare(proportion, arms, "gate_30", experiment="cookie_cats")
    assert [f"{100 * v:.4f}" for v in (r.effect, r.effect_low, r.effect_high)] == ["-0.8201", "-1.3282", "-0.3121"]
    assert (f"{100 * r.lift:.3f}", f"{r.p_value:.5f}", f"{r.chance_to_win:.5f}") == ("-4.312", "0.00155", "0.00078")
    arms = {name: moments(column(rows, "retention_1")) for name, rows in sorted(players.items())}
    (r,) = compare(proportion, arms, "gate_30", experiment="cookie_cats")
    assert [f"{100 * v:.4f}" for v in (r.effect, r.effect_low, r.effect_high)] == ["-0.5905", "-1.2392", "0.0582"]
    assert f"{r.p_value:.4f}" == "0.0744"
    ratio = sample_ratio({name: len(rows) for name, rows in players.items()}, dict.fromkeys(players, 1.0))
    assert f"{ratio.p_value:.5f}" == "0.00861"


def test_cookie_cats_rounds(
    players: dict[str, list[dict[str, str]]], mean: Metric, moments: Callable[..., Aggregates]
) -> None:
    rounds = {name: np.array(column(rows, "sum_gamerounds")) for name, rows in sorted(players.items())}
    (r,) = compare(mean, {n: moments(v) for n, v in rounds.items()}, "gate_30", experiment="cookie_cats")
    assert (f"{r.value_arm:.3f}", f"{r.value_control:.3f}", f"{r.p_value:.3f}") == ("51.299", "52.456", "0.376")
    kept = {n: moments(v[v < 49_854]) for n, v in rounds.items()}
    (r,) = compare(mean, kept, "gate_30", experiment="cookie_cats")
    assert f"{r.p_value:.3f}" == "0.949"


def test_daily_groups_are_not_believed_as_independent_clicks(folder: Path, click_rate: Metric) -> None:
    """Pooled clicks give +66.5 % and z = 153.6; with the days as they vary the interval is wide, and says so."""
    cells = []
    for arm in ("control", "test"):
        with (folder / "daily_groups" / f"{arm}_group.csv").open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file, delimiter=";"):
                if row["# of Impressions"]:
                    day = datetime.strptime(row["Date"], "%d.%m.%Y").date()  # noqa: DTZ007
                    cells.append(
                        Cell(
                            arm=arm,
                            cell=f"{day}||",
                            trials=int(float(row["# of Impressions"])),
                            successes=float(row["# of Website Clicks"]),
                        )
                    )
    (r,) = compare_cells(click_rate, cells, "control", experiment="daily_groups")
    assert r.sum_x_arm / r.sum_y_arm / (r.sum_x_control / r.sum_y_control) - 1 == pytest.approx(0.665, abs=0.001)
    assert "raw totals give +66.5%" in r.note
    assert r.dispersion > 50
    assert 1e-6 < r.p_value < 0.2
