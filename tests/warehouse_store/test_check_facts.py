"""Facts for health checks, each next to the same counted by hand or in plain Python."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations_with_replacement
from pathlib import Path
from types import SimpleNamespace

import pytest

from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.facts import Delivery, Exposure, Outcome
from warehouse.store import Warehouse

RawFile = Callable[[str], Path]
FIRST = datetime(2026, 6, 1, tzinfo=UTC)
SIGNUP = Metric(name="signup", kind=MetricKind.PROPORTION, numerator="signup")


def seen(unit: str, arm: str, day: float, experiment: str = "norda-1") -> Exposure:
    return Exposure(experiment=experiment, unit=unit, arm=arm, at=FIRST + timedelta(days=day))


def did(unit: str, event: str, day: float, value: float = 1.0) -> Outcome:
    return Outcome(experiment="norda-1", unit=unit, event=event, value=value, at=FIRST + timedelta(days=day))


def ingest(
    warehouse: Warehouse, nouns: SimpleNamespace, raw: Path, exposures: Sequence[Exposure], outcomes: Sequence[Outcome]
) -> None:
    with warehouse.write() as writer:
        record = nouns.record(raw, kind="events")
        assert writer.save_import(record, exposures=exposures, outcomes=outcomes, raw=raw)


def day(number: int) -> date:
    return FIRST.date() + timedelta(days=number)


def test_units_of_several_arms_are_counted_by_their_set(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    exposures = [
        seen("a", "A", 0), seen("b", "B", 0),
        seen("ab", "A", 0), seen("ab", "bbbbbbbb", 1), seen("ab", "B", 2),  # an arm by its variant's id and its name
        seen("ba", "B", 0), seen("ba", "A", 1),
        seen("az", "A", 0), seen("az", "Z", 1), seen("zy", "Z", 0), seen("zy", "Y", 0), seen("z", "Z", 0),
        seen("other", "A", 0, "another"), seen("other", "B", 0, "another"),
    ]  # fmt: skip
    ingest(warehouse, nouns, raw_file("x"), exposures, [])
    with warehouse.read() as reader:
        assert reader.crossed_sets(nouns.experiment()) == {("A", "B"): 2, ("A", "Z"): 1, ("Y", "Z"): 1}
        account = reader.unit_account(nouns.experiment())
    assert account.in_two_arms == 4
    assert account.unknown_arms == {"Z": 1}


def test_units_are_counted_by_first_day_and_file(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    ingest(warehouse, nouns, raw_file("x"), [seen("u", "A", 0.9), seen("u", "A", 0.2), seen("v", "A", 3)], [])
    ingest(warehouse, nouns, raw_file("y"), [seen("v", "A", 1.0), seen("w", "B", 1.99), seen("u", "A", 0.2)], [])
    with warehouse.read() as reader, reader.held_units(nouns.experiment()) as held:
        found = [(one.arm, one.day, one.units) for one in held.arrivals()]
        files = {one.day: one.file for one in held.arrivals() if one.arm == "A"}
        assert held.last_fact_day() == day(3)
    with warehouse.read() as reader, reader.held_units(nouns.experiment(id="none", name="none")) as held:
        assert (held.last_fact_day(), held.arrivals()) == (None, ())
    assert found == [("A", day(0), 1), ("A", day(1), 1), ("B", day(1), 1)]
    assert files[day(0)].startswith(raw_file("x").name)
    assert files[day(1)].startswith(raw_file("x").name)  # v was first loaded with it


def test_active_days_count_units_once_a_day_and_conversions_once(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    exposures = [seen("u", "A", 0.5), seen("v", "A", 0.5), seen("w", "B", 2.0), seen("x", "A", 0), seen("x", "B", 1)]
    outcomes = [
        did("u", "signup", 0.4), did("u", "signup", 0.6), did("u", "signup", 0.7), did("u", "signup", 3.1),
        did("v", "signup", 3.2), did("v", "signup", 1.0, 0.0), did("w", "signup", 2.0), did("w", "other", 4.0),
        did("x", "signup", 2.0), did("stranger", "signup", 2.0),
    ]  # fmt: skip
    ingest(warehouse, nouns, raw_file("x"), exposures, outcomes)
    with warehouse.read() as reader, reader.held_units(nouns.experiment()) as held:
        rows = [(o.arm, o.exposed, o.day, o.units, o.first) for o in held.active_days(SIGNUP)]
        assert held.last_fact_day() == day(4)
    assert rows == [("A", day(0), day(0), 1, 1), ("A", day(0), day(3), 2, 1), ("B", day(2), day(2), 1, 1)]


def test_what_units_did_before_agrees_with_plain_python(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    draw = random.Random(3)
    exposures, outcomes = [], []
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    arms = {f"u{i}": draw.choice("AB") for i in range(60)}
    for unit, arm in arms.items():
        exposures += [seen(unit, arm, 5), seen(unit, arm, 6)]
        for _ in range(draw.randrange(4)):
            event, value, at = draw.choice(["view", "buy"]), draw.uniform(0, 9), draw.uniform(0, 8)
            outcomes.append(did(unit, event, at, value))
            if at < 5:
                sums[unit][event] += value
    ingest(warehouse, nouns, raw_file("x"), exposures, [*outcomes, did("u1", "rare", 1)])
    with warehouse.read() as reader, reader.held_units(nouns.experiment()) as held:
        found = held.baselines(least=2)
        assert held.baselines(least=61) is None
        only = held.baselines(least=1, most=1)
    assert found is not None
    assert only is not None
    assert len(only.metrics) == 1
    assert (found.metrics, found.arms) == (("buy", "view"), ("A", "B"))
    for g, arm in enumerate("AB"):
        units = [unit for unit, own in arms.items() if own == arm]
        columns = [[float(sums[unit][event]) for unit in units] for event in found.metrics]
        means = [sum(column) / len(units) for column in columns]
        assert found.n[g] == len(units)
        assert found.means[g] == pytest.approx(means)
        for i, j in combinations_with_replacement(range(2), 2):
            wanted = sum((x - means[i]) * (y - means[j]) for x, y in zip(columns[i], columns[j], strict=True))
            assert found.cross[g][i][j] == found.cross[g][j][i] == pytest.approx(wanted)


def test_outcomes_are_compared_with_those_before_the_last_import(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    known = [seen("u", "A", 0), seen("v", "B", 0)]
    old = [did("u", "signup", 0.5), did("u", "signup", 1.5)]
    ingest(warehouse, nouns, raw_file("x"), known, old)
    with warehouse.read() as reader, reader.held_units(nouns.experiment()) as held:
        assert held.restated_outcomes(SIGNUP) == ({}, {})
    # The second export repeats the first, adds late outcomes, and brings a unit that was not known.
    new = [*old, did("v", "signup", 0.7), did("u", "signup", 2.5), did("w", "signup", 0.9), did("u", "other", 0.6)]
    ingest(warehouse, nouns, raw_file("y"), [*known, seen("w", "A", 0.1)], new)
    with warehouse.read() as reader, reader.held_units(nouns.experiment()) as held:
        before, after = held.restated_outcomes(SIGNUP)
    assert before == {("A", day(0)): 1, ("A", day(1)): 1}
    assert after == {("A", day(0)): 1, ("A", day(1)): 1, ("B", day(0)): 1, ("A", day(2)): 1}


def test_deliveries_are_compared_ad_by_ad_with_the_report_before(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    def report(name: str, *rows: Delivery, **changes: object) -> None:
        raw = raw_file(name)
        with warehouse.write() as writer:
            assert writer.save_import(nouns.record(raw, loaded=len(rows), **changes), deliveries=rows, raw=raw)

    def row(number: int, clicks: int, **changes: object) -> Delivery:
        found: Delivery = nouns.delivery(day=day(number), clicks=clicks, **changes)
        return found

    b = {"asset_key": "bbbbbbbb", "ad": "norda_bbbbbbbb", "ad_id": "101"}
    report("1", row(0, 10), row(1, 20), row(0, 7, **b))
    with warehouse.read() as reader:
        assert reader.restated_deliveries(nouns.experiment(), nouns.ctr) == ({}, {})
    # Day 0 by placement now, day 1 as it was, an ad that is new, and a platform that is new.
    report("2", row(0, 6), row(0, 7, placement="story"), row(1, 20), row(2, 5), row(0, 99, ad="second", ad_id="9"))
    report("3", row(0, 50, platform="tiktok"), platform="tiktok")
    with warehouse.read() as reader:
        before, after = reader.restated_deliveries(nouns.experiment(), nouns.ctr)
        assert before == {("A", day(0)): 10, ("A", day(1)): 20}
        assert after == {("A", day(0)): 13, ("A", day(1)): 20}
        money = reader.restated_deliveries(nouns.experiment(), nouns.cost_per_click)
        assert money[0][("A", day(0))] == pytest.approx(float(Decimal("3.10")))
    report("4", nouns.delivery(day=day(0), day_end=day(6), clicks=99, **b))  # a week for a day says nothing of it
    with warehouse.read() as reader:
        assert reader.restated_deliveries(nouns.experiment(), nouns.ctr) == ({}, {})
