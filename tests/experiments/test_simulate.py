"""The simulator: deterministic, as stated, and covered by the intervals; the room's imports."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from experiments.comparing.counts import compare_cells
from experiments.simulate import DeliveryRow, Truth, simulate_platform
from experiments.truth import cells_of, true_lifts, truth_table
from proofsheet.domain.experiment import Arm, Metric, MetricKind
from proofsheet.errors import InputError

START = date(2026, 6, 1)
PLACEMENTS = ("feed", "story")


def arm(name: str, **levels: str) -> Arm:
    return Arm(name=name, variant_id=name, asset_ids=(), is_control=name == "control", levels=levels)


ARMS = [
    arm("control", headline="plain", scene="studio"),
    arm("b", headline="bold", scene="studio"),
    arm("c", headline="plain", scene="window"),
    arm("d", headline="bold", scene="window"),
]
TRUTH = Truth(
    base_rate=0.015,
    level_effects={"headline": {"bold": 0.2}, "scene": {"window": -0.1}},
    conversion_rate=0.1,
    placement_effects={"story": -0.4},
    placement_shares={"feed": 0.7, "story": 0.3},
    cpm={"feed": Decimal("6.00"), "story": Decimal("4.00")},
)
CTR = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
CPA = Metric(name="cpa", kind=MetricKind.RATIO, numerator="spend", denominator="conversions", higher_is_better=False)


def simulate(truth: Truth = TRUTH, seed: int = 1, impressions: int = 40_000) -> list[DeliveryRow]:
    return simulate_platform(
        ARMS, truth, start=START, days=21, daily_impressions=impressions, placements=PLACEMENTS, seed=seed
    )


def test_same_seed_same_rows_and_another_seed_others() -> None:
    assert simulate() == simulate()
    assert simulate() != simulate(seed=2)


def test_rows_add_up() -> None:
    rows = simulate()
    assert len(rows) == 21 * 2 * len(ARMS)
    assert all(0 <= r.conversions <= r.clicks <= r.impressions for r in rows)
    assert all(r.spend == (TRUTH.cpm[r.placement] * r.impressions / 1_000).quantize(Decimal("0.01")) for r in rows)
    assert sum(r.impressions for r in rows) == pytest.approx(21 * 40_000, rel=0.05)
    feed = sum(r.impressions for r in rows if r.placement == "feed")
    assert feed / sum(r.impressions for r in rows) == pytest.approx(0.7, abs=0.01)


def test_a_constant_effect_is_the_true_lift_whatever_the_delivery() -> None:
    truth = replace(TRUTH, drift=0.3, steering=3.0, fatigue=0.02)
    lifts = true_lifts(ARMS, truth, simulate(truth), metric=CTR)
    assert lifts == pytest.approx({"b": np.expm1(0.2), "c": np.expm1(-0.1), "d": np.expm1(0.1)}, rel=1e-9)


def test_unequal_fatigue_gives_a_lift_between_first_and_last_day() -> None:
    truth = replace(TRUTH, fatigue=0.01, susceptibility={"b": 2.0, "control": 1.0})
    lift = true_lifts(ARMS, truth, simulate(truth), metric=CTR)["b"]
    assert np.expm1(0.2 - 0.01 * 20) < lift < np.expm1(0.2)


def test_the_true_cost_ratio_is_the_ratio_of_expectations() -> None:
    truth = replace(TRUTH, day_variation=0.0, arm_day_variation=0.0, drift=0.0, steering=0.0)
    lifts = true_lifts(ARMS, truth, simulate(truth, impressions=2_000_000), metric=CPA)
    assert lifts["b"] == pytest.approx(np.exp(-0.2) - 1, abs=0.003)


def test_without_noise_of_days_the_clicks_are_binomial() -> None:
    truth = replace(TRUTH, day_variation=0.0, arm_day_variation=0.0, level_effects={}, fatigue=0.0)
    rows = simulate(truth, impressions=400_000)
    z = []
    for r in rows:
        rate = truth.click_rate(ARMS[0], r.placement, r.day, START)
        z.append((r.clicks - r.impressions * rate) / np.sqrt(r.impressions * rate * (1 - rate)))
    assert np.var(z) == pytest.approx(1.0, abs=0.35)


@pytest.mark.slow
@pytest.mark.parametrize("metric", [CTR, CPA], ids=["click rate", "cost per conversion"])
def test_intervals_hold_the_truth_at_their_level(metric: Metric) -> None:
    truth = replace(TRUTH, fatigue=0.01, susceptibility={"b": 1.5, "d": 0.5})
    inside = []
    for seed in range(120):
        rows = simulate(truth, seed=seed)
        lifts = true_lifts(ARMS, truth, rows, metric=metric)
        results = compare_cells(metric, cells_of(rows, metric), "control", experiment="e")
        inside += [row.inside for row in truth_table(results, lifts)]
    assert len(inside) == 360
    assert 0.915 < np.mean(inside) < 0.985


def test_impossible_simulations_are_refused() -> None:
    with pytest.raises(InputError, match="not shares"):
        Truth(base_rate=1.2)
    with pytest.raises(InputError, match="weekday"):
        Truth(base_rate=0.1, weekday_effects=(0.0,))
    with pytest.raises(InputError, match="make no report"):
        simulate_platform([], TRUTH, start=START, days=1, daily_impressions=1, placements=PLACEMENTS, seed=1)
    with pytest.raises(InputError, match="fields"):
        cells_of(simulate(), Metric(name="x", kind=MetricKind.PROPORTION, numerator="likes", denominator="clicks"))


@pytest.mark.processes
def test_the_room_loads_numpy_and_special_functions_only() -> None:
    modules = (
        "comparing.analysis comparing.counts comparing.many checks.health planning.design deciding.verdict "
        "deciding.cost bayes.beliefs sequential.looks assignment simulate truth"
    )
    code = (
        "import sys, importlib\n"
        f"for name in '{modules}'.split(): importlib.import_module('experiments.' + name)\n"
        "heavy = {'scipy.stats', 'pandas', 'duckdb', 'torch', 'streamlit', 'PIL'} & set(sys.modules)\n"
        "sys.exit(str(sorted(heavy)) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
