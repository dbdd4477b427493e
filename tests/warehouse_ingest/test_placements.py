"""The placement of a delivery: the report's own column, else what the ad's exported name says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from proofsheet.domain.experiment import Arm, Experiment, Metric, MetricKind
from warehouse.importers.asset_keys import placement_in
from warehouse.ingest import ingest_file, inspect_file
from warehouse.store import Warehouse

FEED, STORY = "meta-feed-portrait", "meta-story"
A, B = "aaaaaaa1", "bbbbbbb2"
CTR = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
EXPERIMENT = Experiment(
    id="norda-1",
    campaign="norda",
    name="Norda",
    hypothesis="",
    unit="impression",
    arms=(
        Arm(name="A", variant_id=A, asset_ids=(), is_control=True),
        Arm(name="B", variant_id=B, asset_ids=()),
    ),
    metrics=(CTR,),
    design=None,
)


def report(*, column: str = "", extra: str = "") -> str:
    """Two arms, each in two placements, on one day."""
    names = [f"norda-summer_{place}_column_en-us_{arm}" for arm in (A, B) for place in (FEED, STORY)]
    header = "Campaign name,Ad set name,Ad name,Day,Impressions,Clicks (all),Amount spent (EUR)"
    rows = [f"S,G,{name},2026-06-01,{100 * n},{n},1.00" for n, name in enumerate(names, start=1)]
    if column:
        header, rows = header + ",Placement", [f"{row},{column}" for row in rows]
    return "\n".join([header, *rows, *([extra] if extra else [])]) + "\n"


def cells(warehouse: Warehouse) -> list[tuple[str, str, int]]:
    with warehouse.read() as reader:
        return sorted((cell.arm, cell.cell.split("|")[1], cell.trials) for cell in reader.cells(EXPERIMENT, CTR))


def test_without_a_column_the_name_says_the_placement_and_cells_keep_placements_apart(
    tmp_path: Path, laid_down: Callable[..., Path]
) -> None:
    warehouse = Warehouse(tmp_path / "home")
    path = laid_down(report())
    assert "No column of placements; taken from the ads' names, for 4 of 4 rows." in inspect_file(path).notes
    ingest_file(warehouse, path)
    assert cells(warehouse) == [
        ("A", "meta_feed_portrait", 100),
        ("A", "meta_story", 200),
        ("B", "meta_feed_portrait", 300),
        ("B", "meta_story", 400),
    ]


def test_the_reports_own_column_comes_first(tmp_path: Path, laid_down: Callable[..., Path]) -> None:
    warehouse = Warehouse(tmp_path / "home")
    path = laid_down(report(column="Feed"))
    assert not any("placements" in note for note in inspect_file(path).notes)
    ingest_file(warehouse, path)
    assert {place for _, place, _ in cells(warehouse)} == {"Feed"}


@pytest.mark.parametrize("column_first", [True, False])
def test_the_same_delivery_with_and_without_the_column_is_not_added(
    tmp_path: Path, laid_down: Callable[..., Path], column_first: bool
) -> None:
    warehouse = Warehouse(tmp_path / "home")
    texts = [report(column="Feed"), report()]
    for number, text in enumerate(texts if column_first else reversed(texts)):
        ingest_file(warehouse, laid_down(text, f"{number}.csv"))
    found = cells(warehouse)
    assert sum(trials for *_, trials in found) == 1000
    assert ("Feed" in {place for _, place, _ in found}) is not column_first


def test_rows_whose_name_has_another_form_stay_without_a_placement(laid_down: Callable[..., Path]) -> None:
    found = inspect_file(laid_down(report(extra=f"S,G,our first ad {A},2026-06-02,10,1,1.00")))
    assert "for 4 of 5 rows." in "".join(found.notes)


@pytest.mark.parametrize(
    ("ad", "placement"),
    [
        ("norda_meta-feed-portrait_column_en-us_1a2b3c4d", "meta_feed_portrait"),
        ("NORDA_Display-300x250_Split_any_1A2B3C4D", "display_300x250"),
        ("norda_feed_column_de_12345678_9f3e.jpg", "feed"),
        ("norda_meta-story_column_en-us_1a2b3c4d - Copy", "meta_story"),
        ("Q3_norda_meta-story_column_en-us_1a2b3c4d", "meta_story"),
        ("norda_meta-story_column_zh-hant-tw_1a2b3c4d", "meta_story"),
        ("spring_wide_test_2026_1a2b3c4d", ""),
        ("meta-story_column_en-us_1a2b3c4d", ""),
        ("hook_1a2b3c4d", ""),
        ("", ""),
    ],
)
def test_the_placement_in_a_name(ad: str, placement: str) -> None:
    assert placement_in(ad) == placement
