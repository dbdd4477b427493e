"""Health checks of unit-level events and of reports, on tests with one planted defect each, and on sound ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.checks.health import evidence_grade
from proofsheet.domain.experiment import Arm, Experiment, ExperimentStatus, Metric, MetricKind
from proofsheet.domain.facts import Delivery, Exposure, Outcome
from proofsheet.domain.identity import bytes_id
from proofsheet.domain.result import Evidence, HealthCheck
from proofsheet.workflows.health import platform_health, unit_health
from warehouse.records import ImportRecord
from warehouse.store import Warehouse

FIRST = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 16
SIGNUP = Metric(name="signups", kind=MetricKind.PROPORTION, numerator="signup")
CTR = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
_FILES = count()


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "home", lease_timeout=10)


def experiment(name: str = "test", *, weights: Sequence[float] = (1.0, 1.0), **changes: object) -> Experiment:
    values: dict[str, object] = {
        "id": name, "campaign": "norda", "name": name, "hypothesis": "", "unit": "user", "design": None,
        "arms": tuple(
            Arm(name=arm, variant_id=arm * 8, asset_ids=(), is_control=arm == "a", weight=weight)
            for arm, weight in zip("abc", weights, strict=False)
        ),
        "metrics": (SIGNUP,), "status": ExperimentStatus.RUNNING, "started_at": FIRST,
    }  # fmt: skip
    return Experiment(**(values | changes))  # type: ignore[arg-type]


class Site:
    """Units with a moment, an arm and what they do; tests plant their defect by changing the arrays."""

    def __init__(self, seed: int, units: int = 6_000, name: str = "test") -> None:
        self.name, self.rng = name, np.random.default_rng(seed)
        self.days = self.rng.uniform(0.0, DAYS, units)
        self.arms = self.rng.choice(["a", "b"], units)
        self.converts = self.rng.random(units) < np.where(self.arms == "b", 0.22, 0.20)
        self.delays = self.rng.exponential(0.02, units)
        self.kept = np.ones(units, dtype=bool)
        self.more: list[Exposure] = []
        self.extra: list[Outcome] = []

    def exposures(self) -> list[Exposure]:
        places = np.flatnonzero(self.kept).tolist()
        return [self.exposure(i, str(self.arms[i]), self.days[i]) for i in places] + self.more

    def outcomes(self, until: float = DAYS) -> list[Outcome]:
        moments = self.days + self.delays
        places = np.flatnonzero(self.kept & self.converts & (moments < until)).tolist()
        return [self.outcome(i, "signup", moments[i]) for i in places] + self.extra

    def exposure(self, i: int, arm: str, day: float) -> Exposure:
        return Exposure(experiment=self.name, unit=f"{self.name}-{i}", arm=arm, at=moment(day))

    def outcome(self, i: int, event: str, day: float, value: float = 1.0) -> Outcome:
        return Outcome(experiment=self.name, unit=f"{self.name}-{i}", event=event, value=value, at=moment(day))


def moment(day: float) -> datetime:
    return FIRST + timedelta(seconds=int(float(day) * 86_400))


def load(
    warehouse: Warehouse, exposures: Sequence[Exposure] = (), outcomes: Sequence[Outcome] = (), **changes: object
) -> None:
    name = f"file{next(_FILES)}.csv"
    raw = warehouse.home / name
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_text(name)
    values: dict[str, object] = {
        "id": bytes_id(name.encode())[:16], "file_name": name, "sha256": bytes_id(name.encode()), "bytes": len(name),
        "layout": "", "platform": "", "campaign": None, "rows_in": 0, "loaded": 0, "set_aside": 0, "flagged": 0,
        "first_day": None, "last_day": None, "currency": "", "kind": "events", "imported_at": FIRST,
    }  # fmt: skip
    deliveries = changes.pop("deliveries", ())
    with warehouse.write() as writer:
        record = ImportRecord(**(values | changes))  # type: ignore[arg-type]
        assert writer.save_import(record, exposures=exposures, outcomes=outcomes, deliveries=deliveries, raw=raw)  # type: ignore[arg-type]


def checked(warehouse: Warehouse, one: Experiment) -> dict[str, HealthCheck]:
    with warehouse.read() as reader:
        found = unit_health(reader, one, reader.unit_account(one))
    assert len({check.name for check in found}) == len(found)
    return {check.name: check for check in found}


def of_site(warehouse: Warehouse, site: Site, **changes: object) -> dict[str, HealthCheck]:
    load(warehouse, site.exposures(), site.outcomes())
    return checked(warehouse, experiment(site.name, **changes))  # type: ignore[arg-type]


def failed(found: dict[str, HealthCheck]) -> set[str]:
    return {name for name, check in found.items() if check.ok is False and check.severity != "info"}


@pytest.mark.slow
def test_sound_tests_raise_no_alarm(warehouse: Warehouse) -> None:
    """At most one of twenty: every check's own rate of false alarms is 1 % or less."""
    sites = [Site(seed, units=3_000, name=f"s{seed}") for seed in range(20)]
    for site in sites:
        early = site.rng.choice(len(site.days), 400, replace=False)
        site.extra = [site.outcome(i, "visit", site.days[i] - 1, float(site.rng.integers(1, 9))) for i in early]
    load(warehouse, [e for s in sites for e in s.exposures()], [o for s in sites for o in s.outcomes()])
    alarms = {site.name: failed(checked(warehouse, experiment(site.name))) for site in sites}
    assert sum(bool(names) for names in alarms.values()) <= 1, alarms
    found = checked(warehouse, experiment("s0"))
    assert {"both_arms", "sample_ratio", "segment_ratio", "pre_period_balance", "maturity", "delay_difference"} <= set(
        found
    )
    assert {"lift_by_day", "crossed_units"} <= set(found)
    assert found["not_checked"].message.startswith("Cannot be told yet: whether a lift wears off")
    assert evidence_grade(tuple(found.values()), randomised=True) is Evidence.A


def test_units_lost_in_one_arm_break_the_ratio_since_their_day(warehouse: Warehouse) -> None:
    site = Site(1)
    site.kept &= ~((site.arms == "b") & (site.days > 8) & (site.rng.random(6_000) < 0.4))
    found = of_site(warehouse, site)
    ratio = found["sample_ratio"]
    assert (ratio.ok, ratio.severity) == (False, "blocking")
    assert "do not fit the plan since 2026-06-1" in ratio.message
    assert "for 50.00%" in ratio.message
    assert found["segment_ratio"].ok is False
    assert "day 2026-06-" in found["segment_ratio"].message
    assert next(iter(found)) == "sample_ratio"
    assert evidence_grade(tuple(found.values()), randomised=True) is Evidence.C
    ended = checked(warehouse, experiment(status=ExperimentStatus.ENDED))["sample_ratio"]
    assert "chi-square" in ended.message
    with warehouse.read() as reader:
        running = experiment()
        checks = unit_health(reader, running, reader.unit_account(running), one_look=True)
    assert "chi-square" in next(check.message for check in checks if check.name == "sample_ratio")


def test_a_ratio_broken_in_one_file_is_found_there(warehouse: Warehouse) -> None:
    web, app = Site(2), Site(3, units=2_000)
    app.name = "test"
    app.kept &= ~((app.arms == "b") & (app.rng.random(2_000) < 0.3))
    load(warehouse, web.exposures(), web.outcomes())
    moved = [Exposure(experiment="test", unit=f"app{i}", arm=e.arm, at=e.at) for i, e in enumerate(app.exposures())]
    load(warehouse, moved)
    found = checked(warehouse, experiment())
    check = found["segment_ratio"]
    assert (check.ok, check.severity) == (False, "blocking")
    assert "file explains it best" in check.message
    assert "Without file" in check.message
    assert "the rest fits the plan" in check.message


def test_only_arms_with_a_planned_weight_are_asked_for(warehouse: Warehouse) -> None:
    site = Site(4)
    found = of_site(warehouse, site, weights=(1.0, 1.0, 0.0))
    assert found["both_arms"].ok is True
    assert not failed(found)
    site.arms[:40] = "c"
    load(warehouse, [site.exposure(10_000 + i, "c", 0.5) for i in range(40)])
    stray = checked(warehouse, experiment(weights=(1.0, 1.0, 0.0)))
    assert stray["sample_ratio"].severity == "blocking"
    assert stray["sample_ratio"].message.startswith("c got units")


def test_crossed_units_lower_the_grade_and_many_block(warehouse: Warehouse) -> None:
    site = Site(5)
    site.more = [site.exposure(i, "b" if site.arms[i] == "a" else "a", site.days[i] + 0.1) for i in range(200)]
    found = of_site(warehouse, site)
    check = found["crossed_units"]
    assert (check.ok, check.severity) == (False, "warning")
    assert (
        "200 of 6,000 units (3.33%) were seen in more than one arm (a and b: 200). They are left out." in check.message
    )
    assert evidence_grade(tuple(found.values()), randomised=True) is Evidence.B
    load(
        warehouse, [site.exposure(i, "b" if site.arms[i] == "a" else "a", site.days[i] + 0.1) for i in range(200, 800)]
    )
    assert checked(warehouse, experiment())["crossed_units"].severity == "blocking"


def test_units_of_unknown_arms_are_named(warehouse: Warehouse) -> None:
    site = Site(6, units=1_000)
    site.more = [site.exposure(5_000 + i, "B", 0.5) for i in range(7)]
    check = of_site(warehouse, site)["unknown_arms"]
    assert check.message.startswith("7 units saw arms that the experiment does not have (B: 7)")


def test_arms_that_differed_before_the_test_are_found(warehouse: Warehouse) -> None:
    site = Site(7)
    for i in range(0, 6_000, 3):
        site.extra.append(site.outcome(i, "visit", site.days[i] - 2, float(site.rng.poisson(4)) + 1.0))
        heavy = 1.6 if site.arms[i] == "b" else 1.0
        site.extra.append(site.outcome(i, "spend", site.days[i] - 2, heavy * float(site.rng.gamma(2.0))))
    check = of_site(warehouse, site)["pre_period_balance"]
    assert (check.ok, check.severity) == (False, "blocking")
    assert "spend: " in check.message
    assert "visit: " not in check.message


def test_conversions_that_come_late_are_told_with_the_days_to_believe(warehouse: Warehouse) -> None:
    site = Site(8)
    site.delays = site.rng.exponential(3.0, 6_000)
    found = of_site(warehouse, site)
    check = found["maturity"]
    assert (check.ok, check.severity) == (False, "warning")
    assert "of 15 days, up to 2026-06-" in check.message  # the last day of the facts is perhaps not over
    assert found["delay_difference"].ok is True
    assert evidence_grade(tuple(found.values()), randomised=True) is Evidence.A


def test_an_arm_that_converts_later_is_named(warehouse: Warehouse) -> None:
    site = Site(9, units=12_000)
    site.delays = site.rng.exponential(np.where(site.arms == "b", 4.0, 1.0))
    check = of_site(warehouse, site)["delay_difference"]
    assert (check.ok, check.severity) == (False, "warning")
    assert check.message.startswith("Conversions come faster in a than in b")


def test_novelty_that_wears_off_is_found_by_days_since_exposure(warehouse: Warehouse) -> None:
    site = Site(10, units=4_000)
    site.days *= 0.25
    site.extra = visits(site, lambda since: 0.10 * (1.0 + 0.8 * np.exp(-since / 2.0)))
    found = of_site(warehouse, site, metrics=(Metric(name="visits", kind=MetricKind.MEAN, numerator="visit"),))
    check = found["novelty"]
    assert (check.ok, check.severity) == (False, "warning")
    assert check.message.startswith("The lift of b wears off: novelty")
    assert evidence_grade(tuple(found.values()), randomised=True) is Evidence.A


def test_a_steady_lift_of_people_who_come_again_is_no_novelty(warehouse: Warehouse) -> None:
    site = Site(11, units=4_000)
    site.days *= 0.25
    site.extra = visits(site, lambda _: 0.15)
    found = of_site(warehouse, site, metrics=(Metric(name="visits", kind=MetricKind.MEAN, numerator="visit"),))
    assert found["novelty"].ok is True


def visits(site: Site, rate_of_b: Callable[[int], float]) -> list[Outcome]:
    """Visits on the days after exposure: one in ten units a day in the control."""
    found = []
    for i, arm in enumerate(site.arms):
        for since in range(int(DAYS - site.days[i])):
            if site.rng.random() < (rate_of_b(since) if arm == "b" else 0.10):
                found.append(site.outcome(i, "visit", site.days[i] + since + 0.001))
    return found


def test_a_lift_that_fades_over_the_days_is_found(warehouse: Warehouse) -> None:
    site = Site(12, units=20_000)
    site.converts = site.rng.random(20_000) < np.where(site.arms == "b", 0.20 * (1.8 - 0.8 * site.days / DAYS), 0.20)
    check = of_site(warehouse, site)["lift_by_day"]
    assert (check.ok, check.severity) == (False, "warning")
    assert check.message.startswith("The lift of b fades over the calendar")


def test_outcomes_added_to_days_that_were_over_are_told(warehouse: Warehouse) -> None:
    site = Site(13)
    half = [e for e in site.exposures() if e.at < moment(8)]
    known = {e.unit for e in half}
    early = [o for o in site.outcomes(until=8.0) if o.unit in known]
    load(warehouse, half, early[: int(len(early) * 0.9)])
    assert "late_data" not in checked(warehouse, experiment())
    load(warehouse, site.exposures(), site.outcomes())
    check = checked(warehouse, experiment())["late_data"]
    assert (check.ok, check.severity) == (False, "warning")
    assert "signup outcomes were added" in check.message
    assert "decide when the days have stopped changing" in check.message


def test_a_daily_export_that_ends_within_a_day_is_not_late(warehouse: Warehouse) -> None:
    site = Site(14)
    for until in (3.4, 6.7):
        units = [e for e in site.exposures() if e.at < moment(until)]
        known = {e.unit for e in units}
        load(warehouse, units, [o for o in site.outcomes(until=until) if o.unit in known])
    assert checked(warehouse, experiment())["late_data"].ok is True


def test_without_units_of_two_arms_only_that_is_said(warehouse: Warehouse) -> None:
    assert list(checked(warehouse, experiment())) == ["both_arms", "enough_data"]
    site = Site(19, units=200)
    site.arms[:] = "a"
    assert of_site(warehouse, site)["both_arms"].message == "Only the control has data. Nothing can be compared."
    assert "not_checked" not in checked(warehouse, experiment(metrics=()))


def test_facts_of_one_day_say_what_they_cannot_tell(warehouse: Warehouse) -> None:
    site = Site(15, units=1_000)
    site.days *= 0.5 / DAYS
    found = of_site(warehouse, site)
    assert "times of exposures and outcomes" in found["not_checked"].message
    assert "chi-square" in found["sample_ratio"].message  # there was one look only


def test_a_day_long_before_all_others_takes_no_memory(warehouse: Warehouse) -> None:
    site = Site(16, units=1_000)
    site.more = [site.exposure(2_000, "a", -20_000.0)]
    assert not failed(of_site(warehouse, site))


def deliveries(clicks: Callable[[int, str, str], int], impressions: int = 20_000, days: int = 14) -> list[Delivery]:
    return [
        Delivery(
            platform="meta", account="", campaign="c", ad_group="g", ad=f"ad_{arm}", ad_id=arm, segment="",
            day=date(2026, 6, 1) + timedelta(days=number), day_end=None, placement=place, impressions=impressions,
            clicks=clicks(number, arm, place), link_clicks=None, conversions=None, conversion_value=None,
            spend=Decimal(1), currency="EUR", asset_key=arm * 8, line=2,
        )
        for number in range(days) for arm in "ab" for place in ("feed", "story")
    ]  # fmt: skip


def of_report(warehouse: Warehouse, one: Experiment) -> dict[str, HealthCheck]:
    with warehouse.read() as reader:
        return {check.name: check for check in platform_health(reader, one, reader.cells(one, CTR))}


def test_reports_are_followed_day_by_day_and_against_the_report_before(warehouse: Warehouse) -> None:
    rng = np.random.default_rng(17)
    one = experiment(unit="impression", metrics=(CTR,))
    drawn = {
        key: int(rng.poisson(400)) for key in ((d, a, p) for d in range(14) for a in "ab" for p in ("feed", "story"))
    }
    load(warehouse, deliveries=deliveries(lambda *key: drawn[key]), kind="delivery", platform="meta")
    found = of_report(warehouse, one)
    assert not failed(found)
    assert found["lift_by_day"].ok is True
    assert "14 looks together" in found["sample_ratio"].message
    again = deliveries(lambda d, a, p: drawn[d, a, p] + (60 if a == "b" and d in (3, 4) else 0))
    load(warehouse, deliveries=again, kind="delivery", platform="meta")
    late = of_report(warehouse, one)["late_data"]
    assert (late.ok, late.severity) == (False, "warning")
    assert "2 known days from 2026-06-04 to 2026-06-05 have changed: 240 clicks were added" in late.message


def test_an_ad_that_wears_out_is_found_in_a_report(warehouse: Warehouse) -> None:
    rng = np.random.default_rng(18)
    one = experiment(unit="impression", metrics=(CTR,))
    rows = deliveries(lambda d, a, _: int(rng.poisson(400 * (1.5 - 0.04 * d if a == "b" else 1.0))))
    load(warehouse, deliveries=rows, kind="delivery", platform="meta")
    found = of_report(warehouse, one)
    assert found["lift_by_day"].message.startswith("The lift of b fades over the calendar")
    assert next(iter(found)) == "lift_by_day"
    assert evidence_grade(tuple(found.values()), randomised=False) is Evidence.B


@pytest.mark.slow
def test_the_published_sample_ratio_is_found_through_the_importer(program: Callable[..., Any], tmp_path: Path) -> None:
    folder = os.environ.get("PROOFSHEET_REAL_DATA")
    if not folder:
        pytest.skip("PROOFSHEET_REAL_DATA does not name the folder of real data")
    home = tmp_path / "home"
    words = ("--map", "unit=userid", "--map", "arm=version", "--map", "outcomes=retention_7", "--option")
    program("ingest", f"{folder}/cookie_cats.csv", *words, "experiment=cats", home=home)
    answer = program("analyze", "cats", "--randomised", "--json", home=home).json
    found = {check["name"]: check for check in answer["health"]}
    assert next(iter(found)) == "sample_ratio"
    assert found["sample_ratio"]["ok"] is False
    assert found["sample_ratio"]["p_value"] == pytest.approx(0.00861, abs=5e-6)
    assert "None of 90,189 units" in found["crossed_units"]["message"]
    assert {row["evidence"] for row in answer["results"]} == {"B"}
