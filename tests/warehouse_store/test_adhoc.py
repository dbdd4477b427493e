"""Unit-level facts of an experiment that nobody launched can be analysed all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from proofsheet.domain.experiment import ExperimentStatus, Metric, MetricKind
from proofsheet.errors import NotFoundError
from warehouse.ingest import ingest_file
from warehouse.store import Warehouse

LOG = (
    "experiment,unit,arm,timestamp,event,value\n"
    "hero,u1,old page,2026-03-01T10:00:00Z,exposure,\n"
    "hero,u2,new,2026-03-01T09:00:00Z,exposure,\n"
    "hero,u3,new,2026-03-02T10:00:00Z,exposure,\n"
    "hero,u4,new,2026-03-02T10:00:00Z,exposure,\n"
    "hero,u4,old page,2026-03-02T11:00:00Z,exposure,\n"
    "hero,u1,,2026-03-03T10:00:00Z,purchase,19.90\n"
    "hero,u2,,2026-03-03T10:00:00Z,click,\n"
    "hero,u2,,2026-03-03T10:01:00Z,click,1\n"
    "other,x1,on,2026-03-01T10:00:00Z,exposure,\n"
)


@pytest.fixture
def filled(warehouse: Warehouse, raw_file: Callable[[str], Path]) -> Warehouse:
    ingest_file(warehouse, raw_file(LOG), campaign="norda")
    return warehouse


def test_an_experiment_is_made_of_what_the_exposures_say(filled: Warehouse, nouns: SimpleNamespace) -> None:
    with filled.read() as reader:
        assert reader.unit_experiments() == ("hero", "other")
        assert reader.events("hero") == {"click": True, "purchase": False}
        assert reader.events("other") == reader.events("nothing") == {}
        hero = reader.adhoc_experiment("hero")
        assert (hero.id, hero.name, hero.unit, hero.campaign) == ("hero", "hero", "user", "norda")
        assert (hero.status, hero.metrics, hero.design) == (ExperimentStatus.RUNNING, (), None)
        assert hero.started_at == nouns.noon.replace(month=3, hour=9)
        assert [(arm.name, arm.is_control) for arm in hero.arms] == [("new", True), ("old page", False)]


def test_its_units_are_counted_and_compared(filled: Warehouse) -> None:
    clicked = Metric(name="clicked", kind=MetricKind.PROPORTION, numerator="click")
    spent = Metric(name="spent", kind=MetricKind.MEAN, numerator="purchase")
    with filled.read() as reader:
        hero = replace(reader.adhoc_experiment("hero"), metrics=(clicked, spent))
        account = reader.unit_account(hero)
        assert (account.units, account.in_two_arms, account.unknown_arms) == ({"new": 2, "old page": 1}, 1, {})
        found = reader.unit_aggregates(hero, clicked)
        assert {arm: (one.n, one.sum_x) for arm, one in found.items()} == {"new": (2, 1.0), "old page": (1, 0.0)}
        assert reader.unit_aggregates(hero, spent)["old page"].mean_x == 19.9
        assert reader.data_version(hero) != reader.data_version(reader.adhoc_experiment("other"))


@pytest.mark.parametrize(
    ("arms", "control"),
    [
        (["b", "a"], "a"),
        (["Variant B", "Variant A"], "Variant A"),
        (["alpha", "the_control"], "the_control"),
        (["baseline-2", "Control"], "Control"),  # the first in alphabetical order
        (["gate_40", "gate_30"], "gate_30"),
    ],
)
def test_which_arm_is_the_control(
    warehouse: Warehouse, raw_file: Callable[[str], Path], arms: list[str], control: str
) -> None:
    rows = "".join(f"t,u{n},{arm},2026-03-01,exposure,\n" for n, arm in enumerate(arms))
    ingest_file(warehouse, raw_file("experiment,unit,arm,timestamp,event,value\n" + rows))
    with warehouse.read() as reader:
        experiment = reader.adhoc_experiment("t")
    assert experiment.control.name == experiment.arms[0].name == control
    assert {arm.name for arm in experiment.arms} == set(arms)


def test_a_name_without_exposures_lists_those_there_are(filled: Warehouse) -> None:
    with filled.read() as reader, pytest.raises(NotFoundError, match="experiment 'heros'") as error:
        reader.adhoc_experiment("heros")
    assert "hero, other" in error.value.hint


def test_replaced_exposures_name_no_arm(
    warehouse: Warehouse, nouns: SimpleNamespace, raw_file: Callable[[str], Path]
) -> None:
    for arm in ("typo", "b"):
        text = f"unit,arm,x\nu1,{arm},1\n"
        ingest_file(
            warehouse,
            raw_file(text),
            mapping={"unit": "unit", "arm": "arm", "outcomes": "x"},
            options={"experiment": "t", "at": str((nouns.noon + timedelta(days=1)).date())},
        )
    with warehouse.read() as reader:
        assert [arm.name for arm in reader.adhoc_experiment("t").arms] == ["b"]
