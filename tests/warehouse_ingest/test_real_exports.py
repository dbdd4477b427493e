"""Real exports, read with the totals that are published for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from warehouse.ingest import ingest_file, inspect_file
from warehouse.inspection import Inspection
from warehouse.store import Warehouse

pytestmark = pytest.mark.real_data


@pytest.fixture
def real() -> Callable[..., Path]:
    """The path of a real file; skips where the folder is not named."""
    folder = os.environ.get("PROOFSHEET_REAL_DATA")
    if not folder:
        pytest.skip("PROOFSHEET_REAL_DATA does not name a folder of real exports")

    def find(name: str) -> Path:
        return Path(folder) / name

    return find


def rows(found: Inspection) -> tuple[int, int, int]:
    return found.rows_in, found.loaded, found.set_aside


def test_meta_creative_test(real: Callable[..., Path]) -> None:
    found = inspect_file(real("exports/meta_ads_manager_creative_test.csv"))
    assert (found.layout, found.currency, rows(found)) == ("meta", "USD", (637, 637, 0))
    assert found.encoding == "utf-8 with byte order mark"
    assert found.totals == {
        "impressions": 23559,
        "link_clicks": 949,
        "clicks": 1070,
        "landing_page_views": 842,
        "conversions": 0,
        "spend USD": Decimal("268.15"),
    }
    assert found.flags == {"link_clicks_exceed_clicks": 17, "clicks_exceed_impressions": 1}
    assert (found.first_day, found.last_day) == (date(2024, 11, 28), date(2024, 12, 4))
    assert any("'Objective' stands twice" in note for note in found.notes)
    assert found.ready


def test_google_campaign_report(real: Callable[..., Path]) -> None:
    found = inspect_file(real("exports/google_ads_campaign_report.csv"))
    assert (found.layout, found.currency, rows(found)) == ("google_ads", "INR", (6, 2, 4))
    assert found.totals == {
        "impressions": 46168,
        "interactions": 22061,
        "conversions": 15,
        "spend INR": Decimal("2565.93"),
    }
    assert all("totals row" in item.reason for item in found.rejects)
    assert (found.first_day, found.last_day) == (date(2025, 7, 8), date(2025, 7, 31))
    assert found.ready


def test_kag(real: Callable[..., Path]) -> None:
    path = real("KAG_conversion_data.csv")
    assert [item.topic for item in inspect_file(path).questions] == ["currency"]
    found = inspect_file(path, options={"currency": "USD"})
    assert (found.line_ends, rows(found), found.flagged) == ("CR", (1143, 1143, 0), 0)
    assert found.totals == {
        "impressions": 213_434_828,
        "clicks": 38165,
        "enquiries": 3264,
        "conversions": 1079,
        "spend USD": Decimal("58705.23"),
    }


def test_daily_groups(real: Callable[..., Path]) -> None:
    control = inspect_file(real("daily_groups/control_group.csv"))
    test = inspect_file(real("daily_groups/test_group.csv"))
    assert (rows(control), rows(test)) == ((30, 29, 1), (30, 30, 0))
    assert control.rejects[0].line == 6
    assert (control.totals["spend USD"], test.totals["spend USD"]) == (66818, 76892)
    assert (control.totals["conversions"], test.totals["conversions"]) == (15161, 15637)
    assert (control.separator, control.line_ends) == ("semicolon", "CRLF")
    assert (control.first_day, control.last_day) == (date(2019, 8, 1), date(2019, 8, 30))


def test_cookie_cats_as_a_table_of_units(real: Callable[..., Path]) -> None:
    path = real("cookie_cats.csv")
    assert [item.topic for item in inspect_file(path).questions] == ["unit", "arm", "outcomes", "experiment"]
    mapping = {"unit": "userid", "arm": "version", "outcomes": "retention_1,retention_7,sum_gamerounds"}
    found = inspect_file(path, mapping=mapping, options={"experiment": "gate"})
    assert rows(found) == (90189, 90189, 0)
    totals = {name: int(value) for name, value in found.totals.items()}
    assert (totals["units gate_30"], totals["units gate_40"]) == (44700, 45489)
    assert totals["retention_1"] == 20034 + 20119
    assert totals["retention_7"] == 8502 + 8279


def test_promotions_as_a_table_of_units(real: Callable[..., Path]) -> None:
    mapping = {"unit": "LocationID", "arm": "Promotion", "outcomes": "SalesInThousands"}
    found = inspect_file(real("WA_Marketing-Campaign.csv"), mapping=mapping, options={"experiment": "promotion"})
    assert (rows(found), found.totals["units"]) == ((548, 548, 0), 137)


def test_reports_are_imported_once_with_their_totals(real: Callable[..., Path], tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home")
    files = {
        "exports/meta_ads_manager_creative_test.csv": (23559, "268.15"),
        "exports/google_ads_campaign_report.csv": (46168, "2565.93"),
    }
    for name, (impressions, spend) in files.items():
        record = ingest_file(warehouse, real(name))
        with warehouse.read() as reader:
            totals = {item.platform: item for item in reader.delivery_totals()}[record.platform]
        assert totals.impressions == impressions
        assert totals.spend is not None
        assert round(totals.spend, 2) == Decimal(spend)
        assert ingest_file(warehouse, real(name)).already_imported
