"""Facts in, sufficient statistics out: exact sums, windows, currencies, and units seen twice."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofsheet.domain.experiment import ExperimentStatus, Metric, MetricKind
from proofsheet.domain.facts import Exposure, Outcome, Reject
from proofsheet.errors import InputError
from warehouse.store import Warehouse, Writer

RawFile = Callable[[str], Path]


def load(writer: Writer, nouns: SimpleNamespace, raw: Path, *rows: Any, **changes: Any) -> None:
    assert writer.save_import(nouns.record(raw, loaded=len(rows), **changes), deliveries=rows, raw=raw)


def test_cells_sum_numerator_and_denominator(warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile) -> None:
    day2 = date(2026, 6, 2)
    rows = [
        nouns.delivery(),
        nouns.delivery(impressions=500, clicks=1, line=3),
        nouns.delivery(day=day2, placement="story", segment="age=18-24", impressions=7, clicks=3),
        nouns.delivery(asset_key="bbbbbbbb", ad_id="101", impressions=40, clicks=None, spend=None),
        nouns.delivery(asset_key="bbbbbbbb", ad_id="101", day=day2, impressions=40, clicks=4, spend=Decimal("0.1")),
        nouns.delivery(asset_key="bbbbbbbb", ad_id="102", day=day2, impressions=60, clicks=6, spend=Decimal("0.2")),
        nouns.delivery(asset_key="", ad_id="103", ad="someone else", impressions=90),
    ]
    with warehouse.write() as writer:
        load(writer, nouns, raw_file("a"), *rows)
    with warehouse.read() as reader:
        cells = reader.cells(nouns.experiment(), nouns.ctr)
        assert [(c.arm, c.cell, c.trials, c.successes) for c in cells] == [
            ("A", "2026-06-01|feed|", 1500, 11.0),
            ("A", "2026-06-02|story|age=18-24", 7, 3.0),
            ("B", "2026-06-02|feed|", 100, 10.0),
        ]
        cost = reader.cells(nouns.experiment(), nouns.cost_per_click)
        assert cost[-1].value == 0.3  # decimals add up exactly where binary floats give 0.30000000000000004
        totals = {one.arm: one for one in reader.arm_deliveries(nouns.experiment())}
        assert totals["A"].spend == Decimal("9.3")
        assert totals["B"].spend == Decimal("0.3")
        assert totals["B"].impressions == 140
        assert totals["B"].clicks == 10
        assert totals["A"].link_clicks is None
        assert totals["A"].conversions == 6
        assert (totals["A"].first_day, totals["A"].last_day, totals["A"].rows) == (date(2026, 6, 1), day2, 3)
        assert [(one.arm, one.day, one.impressions) for one in reader.daily(nouns.experiment())] == [
            ("A", date(2026, 6, 1), 1500),
            ("B", date(2026, 6, 1), 40),
            ("A", day2, 7),
            ("B", day2, 100),
        ]
        (stranger,) = reader.unmatched(nouns.experiment())
        assert (stranger.ad, stranger.rows, stranger.impressions) == ("someone else", 1, 90)
        (meta,) = reader.delivery_totals()
        assert (meta.platform, meta.rows, meta.impressions, meta.currency) == ("meta", 7, 1737, "EUR")
        assert reader.delivery_totals("norda") == ()


def test_an_arm_without_rows_has_zero_rows(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    with warehouse.read() as reader:
        totals = reader.arm_deliveries(nouns.experiment())
        assert [(one.arm, one.rows, one.impressions) for one in totals] == [("A", 0, None), ("B", 0, None)]
        assert reader.cells(nouns.experiment(arms=()), nouns.ctr) == ()
        assert reader.unit_aggregates(nouns.experiment(), nouns.ctr) == {}
        account = reader.unit_account(nouns.experiment())
        assert (account.units, account.in_two_arms, account.outcomes_without_exposure) == ({}, 0, 0)


def test_only_days_of_the_experiment_count(warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile) -> None:
    first = date(2026, 6, 1)
    days = [nouns.delivery(day=first + timedelta(days=n), impressions=10**n) for n in range(5)]
    spans = [
        nouns.delivery(ad_id="7", day=first + timedelta(days=1), day_end=first + timedelta(days=2), impressions=2),
        nouns.delivery(ad_id="8", day=first + timedelta(days=3), day_end=first + timedelta(days=9), impressions=5),
        nouns.delivery(ad_id="9", day=None, impressions=3),
    ]
    with warehouse.write() as writer:
        load(writer, nouns, raw_file("a"), *days, *spans)
    experiment = nouns.experiment(
        status=ExperimentStatus.ENDED,
        # Late in the evening west of Greenwich is the next day in UTC.
        started_at=datetime(2026, 6, 1, 22, tzinfo=timezone(timedelta(hours=-4))),
        ended_at=datetime(2026, 6, 4, 23, tzinfo=UTC),
    )
    with warehouse.read() as reader:
        (total, _) = reader.arm_deliveries(experiment)
        assert total.impressions == 10 + 100 + 1000 + 2 + 3
        assert total.rows == 5
        assert reader.arm_deliveries(nouns.experiment())[0].rows == 8


def test_rows_of_another_campaign_s_import_do_not_count(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    with warehouse.write() as writer:
        load(writer, nouns, raw_file("a"), nouns.delivery(), campaign="norda")
        load(writer, nouns, raw_file("b"), nouns.delivery(platform="tiktok"), campaign="other")
        load(writer, nouns, raw_file("c"), nouns.delivery(platform="google_ads"))
    with warehouse.read() as reader:
        assert reader.arm_deliveries(nouns.experiment())[0].impressions == 2000


def test_money_of_two_currencies_is_never_added(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    with warehouse.write() as writer:
        load(writer, nouns, raw_file("a"), nouns.delivery(), nouns.delivery(ad_id="2", currency="USD"))
    with warehouse.read() as reader:
        total = reader.arm_deliveries(nouns.experiment())[0]
        assert (total.spend, total.currencies, total.currency) == (None, ("EUR", "USD"), "")
        assert total.impressions == 2000
        with pytest.raises(InputError, match="EUR, USD"):
            reader.cells(nouns.experiment(), nouns.cost_per_click)
        assert reader.cells(nouns.experiment(), nouns.ctr)[0].trials == 2000


def test_a_metric_must_name_what_reports_have(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    metric = Metric(name="odd", kind=MetricKind.PROPORTION, numerator="click", denominator="impressions")
    with warehouse.read() as reader, pytest.raises(InputError, match="'click'") as error:
        reader.cells(nouns.experiment(), metric)
    assert "Did you mean clicks?" in error.value.hint


def test_an_import_is_loaded_once_and_its_file_kept(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    raw = raw_file("Day,Impressions\n")
    record = nouns.record(raw, rows_in=2, loaded=1, set_aside=1)
    reject = Reject(line=3, column="Impressions", value="n/a", reason="not a number", raw="2026-06-02,n/a")
    with warehouse.write() as writer:
        assert writer.save_import(record, deliveries=[nouns.delivery()], rejects=[reject], raw=raw)
    before = warehouse.version()
    with warehouse.write() as writer:
        assert not writer.save_import(record, deliveries=[nouns.delivery()], rejects=[reject], raw=raw)
    assert warehouse.version() == before
    with warehouse.read() as reader:
        assert reader.imports() == (record,)
        assert reader.import_by_hash(record.sha256) == record
        assert reader.import_by_hash(record.sha256, "events") is None
        assert reader.rejects(record.id) == (reject,)
        assert reader.delivery_totals()[0].rows == 1
    assert (warehouse.home / "imports" / record.sha256).read_bytes() == raw.read_bytes()


def test_a_file_that_changed_while_it_was_read_is_refused(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    raw = raw_file("half")
    record = nouns.record(raw)
    raw.write_text("whole")
    with warehouse.write() as writer, pytest.raises(InputError, match="changed while"):
        writer.save_import(record, deliveries=[nouns.delivery()], raw=raw)
    assert not (warehouse.home / "imports" / record.sha256).exists()


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e20"])
def test_an_amount_that_cannot_be_kept_is_refused_and_nothing_written(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile, amount: str
) -> None:
    raw = raw_file("a")
    with pytest.raises(InputError, match="cannot be kept"), warehouse.write() as writer:
        writer.save_import(nouns.record(raw), deliveries=[nouns.delivery(spend=Decimal(amount))], raw=raw)
    with warehouse.read() as reader:
        assert reader.imports() == ()
    assert not (warehouse.home / "imports").exists()


class TestCorrections:
    """A later import corrects; nothing is counted twice."""

    def spent(self, warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile, *imports: list[Any]) -> int:
        with warehouse.write() as writer:
            for number, rows in enumerate(imports):
                load(writer, nouns, raw_file(f"import {number}"), *rows)
        with warehouse.read() as reader:
            return sum(one.impressions or 0 for one in reader.delivery_totals())

    def test_the_latest_import_of_a_row_wins(
        self, warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
    ) -> None:
        day2 = date(2026, 6, 2)
        old = [nouns.delivery(), nouns.delivery(day=day2, impressions=70)]
        new = [nouns.delivery(day=day2, impressions=77), nouns.delivery(day=date(2026, 6, 3), impressions=5)]
        assert self.spent(warehouse, nouns, raw_file, old, new) == 1000 + 77 + 5
        with warehouse.read() as reader:
            assert reader.arm_deliveries(nouns.experiment())[0].rows == 3

    def test_equal_rows_of_one_import_all_count(
        self, warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
    ) -> None:
        twice = [nouns.delivery(impressions=3), nouns.delivery(impressions=4)]
        assert self.spent(warehouse, nouns, raw_file, [nouns.delivery()], twice) == 7

    @pytest.mark.parametrize(
        ("change", "total"),
        [
            ({"segment": "age=18-24"}, 50),  # another breakdown of the same people
            ({"placement": ""}, 50),
            ({"placement": "story"}, 1050),  # other placements add up
            ({"day": None}, 50),  # a total over unknown days holds them
            ({"day": date(2026, 5, 31), "day_end": date(2026, 6, 2)}, 50),  # a span that holds the day
            ({"day": date(2026, 6, 2), "day_end": date(2026, 6, 9)}, 1050),
            ({"ad_id": "101"}, 1050),
            ({"platform": "tiktok"}, 1050),
            ({"ad_id": ""}, 50),  # no id: the same by name, ad group and campaign
            ({"ad_id": "", "account": ""}, 50),
            ({"ad_id": "", "account": "another"}, 1050),
            ({"ad_id": "", "ad_group": "set 2"}, 1050),
            ({"ad": "renamed"}, 50),  # the id decides where both have one
        ],
    )
    def test_what_is_the_same(
        self, warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile, change: dict[str, Any], total: int
    ) -> None:
        new = nouns.delivery(**({"impressions": 50} | change))
        assert self.spent(warehouse, nouns, raw_file, [nouns.delivery()], [new]) == total

    def test_segments_of_the_same_keys_add_up(
        self, warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
    ) -> None:
        young = nouns.delivery(segment="age=18-24|gender=female", impressions=1)
        old = nouns.delivery(segment="age=65+|gender=male", impressions=2)
        assert self.spent(warehouse, nouns, raw_file, [young], [old]) == 3


@given(
    imports=st.lists(
        st.dictionaries(
            st.tuples(st.integers(1, 4), st.sampled_from(["1", "2"]), st.sampled_from(["feed", "story"])),
            st.integers(0, 1000),
            min_size=1,
            max_size=8,
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_overlapping_reports_read_as_a_dictionary_updated(
    tmp_path_factory: pytest.TempPathFactory, nouns: SimpleNamespace, imports: list[dict[tuple[int, str, str], int]]
) -> None:
    folder = tmp_path_factory.mktemp("overlap")
    warehouse = Warehouse(folder / "home")
    expected: dict[tuple[int, str, str], int] = {}
    with warehouse.write() as writer:
        for number, rows in enumerate(imports):
            raw = folder / f"{number}.csv"
            raw.write_text(str(number))
            load(
                writer,
                nouns,
                raw,
                *[
                    nouns.delivery(day=date(2026, 6, day), ad_id=ad, placement=place, impressions=count)
                    for (day, ad, place), count in rows.items()
                ],
            )
            expected |= rows
        found = {(c.cell, c.trials) for c in writer.cells(nouns.experiment(), nouns.ctr)}
    by_cell: dict[str, int] = {}
    for (day, _, place), count in expected.items():
        cell = f"2026-06-{day:02}|{place}|"
        by_cell[cell] = by_cell.get(cell, 0) + count
    assert found == set(by_cell.items())


ROUNDS = Metric(name="rounds", kind=MetricKind.MEAN, numerator="rounds")
BOUGHT = Metric(name="bought", kind=MetricKind.PROPORTION, numerator="purchase")
BASKET = Metric(name="basket", kind=MetricKind.RATIO, numerator="rounds", denominator="purchase")


def seen(nouns: SimpleNamespace, unit: str, arm: str, hours: float = 0) -> Exposure:
    return Exposure(experiment="norda-1", unit=unit, arm=arm, at=nouns.noon + timedelta(hours=hours))


def did(nouns: SimpleNamespace, unit: str, event: str, value: float = 1, hours: float = 1) -> Outcome:
    return Outcome(experiment="norda-1", unit=unit, event=event, value=value, at=nouns.noon + timedelta(hours=hours))


def test_unit_aggregates_leave_out_what_must_not_count(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    exposures = [
        seen(nouns, "u1", "A"),
        seen(nouns, "u1", "A", 5),
        seen(nouns, "u2", "aaaaaaaa"),  # the arm by its variant id
        seen(nouns, "u3", "B"),
        seen(nouns, "u4", "B"),
        seen(nouns, "both", "A"),
        seen(nouns, "both", "B", 1),
        seen(nouns, "strange", "Z"),
        replace(seen(nouns, "u9", "A"), experiment="another"),
    ]
    outcomes = [
        did(nouns, "u1", "rounds", 3),
        did(nouns, "u1", "rounds", 4, hours=0),
        did(nouns, "u1", "rounds", 100, hours=-1),  # before the exposure
        did(nouns, "u1", "purchase"),
        did(nouns, "u1", "purchase"),
        did(nouns, "u3", "rounds", 10),
        did(nouns, "u3", "purchase", 0),  # a row that says no
        did(nouns, "both", "rounds", 1000),
        did(nouns, "nobody", "rounds", 5),
    ]
    raw = raw_file("units")
    with warehouse.write() as writer:
        record = nouns.record(raw, kind="events", platform="site")
        assert writer.save_import(record, exposures=exposures, outcomes=outcomes, raw=raw)
        experiment = nouns.experiment(unit="user")
        rounds = writer.unit_aggregates(experiment, ROUNDS)
        assert {arm: (a.n, a.mean_x, a.m2_x) for arm, a in rounds.items()} == {
            "A": (2, 3.5, 24.5),
            "B": (2, 5.0, 50.0),
        }
        bought = writer.unit_aggregates(experiment, BOUGHT)
        assert {arm: (a.n, a.sum_x) for arm, a in bought.items()} == {"A": (2, 1.0), "B": (2, 0.0)}
        basket = writer.unit_aggregates(experiment, BASKET)["A"]
        assert (basket.sum_x, basket.sum_y, basket.m2_y, basket.cxy) == (7.0, 2.0, 2.0, 7.0)
        account = writer.unit_account(experiment)
    assert account.units == {"A": 2, "B": 2}
    assert account.in_two_arms == 1
    assert account.unknown_arms == {"Z": 1}
    assert account.outcomes_before_exposure == 1
    assert account.outcomes_without_exposure == 1


def test_unit_aggregates_keep_their_digits_far_from_zero(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    """Values of 1e9 that differ by 1: as numpy has them centred, to 1e-12."""
    values = 1e9 + np.random.default_rng(4).normal(size=500)
    raw = raw_file("units")
    with warehouse.write() as writer:
        writer.save_import(
            nouns.record(raw, kind="events", platform="site"),
            exposures=[seen(nouns, f"u{i}", "A") for i in range(500)],
            outcomes=[did(nouns, f"u{i}", "rounds", float(value)) for i, value in enumerate(values)],
            raw=raw,
        )
        found = writer.unit_aggregates(nouns.experiment(unit="user"), ROUNDS)["A"]
    centred = values - 1e9
    assert (found.mean_x - 1e9) + found.rest_x == pytest.approx(centred.mean(), abs=1e-12)
    assert found.m2_x == pytest.approx(((centred - centred.mean()) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize(("kind", "rounds"), [("units", 6.0), ("events", 11.0)])
def test_unit_files_that_overlap(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile, kind: str, rounds: float
) -> None:
    """A corrected unit file replaces the unit's numbers; an event in two files counts once, a new one counts."""
    first, second = raw_file("first"), raw_file("second")
    with warehouse.write() as writer:
        writer.save_import(
            nouns.record(first, kind=kind),
            exposures=[seen(nouns, "u", "A"), seen(nouns, "v", "A")],
            outcomes=[did(nouns, "u", "rounds", 5), did(nouns, "v", "purchase")],
            raw=first,
        )
        before = writer.data_version(nouns.experiment())
        writer.save_import(
            nouns.record(second, kind=kind),
            exposures=[seen(nouns, "u", "A")],
            outcomes=[did(nouns, "u", "rounds", 6), did(nouns, "v", "purchase")],
            raw=second,
        )
        assert writer.data_version(nouns.experiment()) != before
        aggregates = writer.unit_aggregates(nouns.experiment(), ROUNDS)["A"]
        assert (aggregates.n, aggregates.sum_x) == (2, rounds)
        assert writer.unit_aggregates(nouns.experiment(), replace(BASKET, numerator="purchase"))["A"].sum_x == 1


def test_a_corrected_unit_file_can_take_an_outcome_back(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    """The new file says 0 for u, which writes no outcome; it says nothing of purchases, so those stay."""
    first, second = raw_file("first"), raw_file("second")
    both = [seen(nouns, "u", "A"), seen(nouns, "v", "A")]
    old = [did(nouns, "u", "rounds", 5), did(nouns, "v", "rounds", 7), did(nouns, "u", "purchase")]
    with warehouse.write() as writer:
        writer.save_import(nouns.record(first, kind="units"), exposures=both, outcomes=old, raw=first)
        new = [did(nouns, "v", "rounds", 8)]
        writer.save_import(nouns.record(second, kind="units"), exposures=both, outcomes=new, raw=second)
        assert writer.unit_aggregates(nouns.experiment(), ROUNDS)["A"].sum_x == 8.0
        assert writer.unit_aggregates(nouns.experiment(), BOUGHT)["A"].sum_x == 1.0


def test_unit_facts_may_call_an_experiment_by_its_name(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    raw = raw_file("named")
    exposures = [replace(seen(nouns, unit, "A"), experiment="Checkout test") for unit in "uv"]
    outcomes = [replace(did(nouns, "u", "purchase"), experiment="Checkout test")]
    with warehouse.write() as writer:
        writer.save_import(nouns.record(raw, kind="events"), exposures=exposures, outcomes=outcomes, raw=raw)
        named = nouns.experiment(name="Checkout test")
        assert writer.unit_aggregates(named, BOUGHT)["A"].sum_x == 1.0
        assert writer.unit_account(named).units == {"A": 2}
        assert writer.data_version(named) != writer.data_version(nouns.experiment())


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), offset=st.sampled_from([0.0, 1e9]))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_moments_keep_their_digits_at_a_large_offset(
    tmp_path_factory: pytest.TempPathFactory, nouns: SimpleNamespace, values: list[float], offset: float
) -> None:
    folder = tmp_path_factory.mktemp("moments")
    raw = folder / "raw"
    raw.write_text("x")
    numbers = [value + offset for value in values]
    with Warehouse(folder / "home").write() as writer:
        writer.save_import(
            nouns.record(raw, kind="units"),
            exposures=[seen(nouns, str(n), "A") for n in range(len(numbers))],
            outcomes=[did(nouns, str(n), "rounds", value) for n, value in enumerate(numbers)],
            raw=raw,
        )
        found = writer.unit_aggregates(nouns.experiment(), ROUNDS)["A"]
    exact_m2 = float(statistics.pvariance([Decimal(v) for v in numbers]) * len(numbers))
    assert found.n == len(numbers)
    assert found.mean_x == pytest.approx(float(statistics.mean(Decimal(v) for v in numbers)), rel=1e-14, abs=1e-9)
    assert found.m2_x == pytest.approx(exact_m2, rel=1e-6, abs=1e-4)


def test_the_data_version_follows_the_facts_alone(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: RawFile
) -> None:
    versions = []

    def note() -> None:
        with warehouse.read() as reader:
            versions.append(reader.data_version(nouns.experiment()))

    note()
    with warehouse.write() as writer:
        load(writer, nouns, raw_file("a"), nouns.delivery())
    note()
    with warehouse.write() as writer:
        writer.save_campaign(nouns.campaign())
        load(writer, nouns, raw_file("b"), nouns.delivery(asset_key="cccccccc", ad_id="5"))
    note()
    with warehouse.write() as writer:
        load(writer, nouns, raw_file("c"), nouns.delivery(impressions=1))
    note()
    assert versions[1] == versions[2]
    assert len(set(versions)) == 3
