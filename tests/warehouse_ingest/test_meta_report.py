"""The report a simulator writes is read back to the last digit."""

from __future__ import annotations

import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofsheet.errors import InputError
from warehouse.importers.meta import MetaImporter
from warehouse.importers.reading import Request
from warehouse.ingest import inspect_file
from warehouse.reports.meta_report import write_meta_report
from warehouse.reports.table import open_table

# A name is any text an ads manager would keep: no line breaks, not blank, not a bare dash.
NAME = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20).map(
    lambda text: f"n{text}" if text in {"-", "--", "—"} else text
)


@st.composite
def row(draw: st.DrawFn) -> dict[str, Any]:
    impressions = draw(st.integers(0, 10**7))
    clicks = draw(st.integers(0, 10**5))
    return {
        "day": draw(st.dates(date(2020, 1, 1), date(2030, 1, 1))),
        "campaign": draw(NAME),
        "ad_group": draw(NAME),
        "ad": draw(NAME) + "_1a2b3c4d",
        "ad_id": str(draw(st.integers(1, 10**14))),
        "placement": draw(NAME),
        "impressions": impressions,
        "clicks": clicks,
        "conversions": draw(st.integers(0, 1000)),
        "spend": draw(st.decimals(0, 10**6, places=2)),
        "currency": "EUR",
    }


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(row(), min_size=1, max_size=8))
def test_what_is_written_is_read_back(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, again = Path(folder) / "report.csv", Path(folder) / "again.csv"
        assert write_meta_report(path, rows) == len(rows)
        write_meta_report(again, rows)
        assert path.read_bytes() == again.read_bytes()
        keys = MetaImporter().header_keys()
        reading = MetaImporter().read(open_table(path, lambda key: int(key in keys), {}), Request())
        assert inspect_file(path).layout == "meta"
    assert not reading.rejects
    assert not reading.questions
    for wanted, found in zip(rows, reading.deliveries, strict=True):
        for name in ("day", "campaign", "ad_group", "ad", "ad_id", "placement", "impressions", "clicks", "currency"):
            assert getattr(found, name) == wanted[name], name
        assert found.link_clicks == wanted["clicks"]
        assert found.conversions == wanted["conversions"]
        assert found.spend == wanted["spend"]
    assert sum(item.spend or 0 for item in reading.deliveries) == sum(item["spend"] for item in rows)


def example(**changes: Any) -> dict[str, Any]:
    return {
        "day": "2026-06-01",
        "campaign": "=norda",
        "ad_group": "'=guarded",
        "ad": "norda_feed_column_en-us_1a2b3c4d",
        "ad_id": "1",
        "placement": "meta_story",
        "impressions": 100,
        "clicks": 0,
        "conversions": 0,
        "spend": Decimal("1.20"),
        "currency": "EUR",
        **changes,
    }


def test_the_file_looks_like_an_export(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.csv"
    write_meta_report(path, [example()])
    lines = path.read_bytes().decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Campaign name,Ad set name,Ad name,Ad ID,Day,Placement,Result type,Results,")
    assert "Amount spent (EUR)" in lines[0]
    assert lines[1].startswith(
        "'=norda,''=guarded,norda_feed_column_en-us_1a2b3c4d,1,2026-06-01,meta_story,,,,1.20,100,12,"
    )
    assert not list(path.parent.glob("*.partial"))


def test_what_cannot_be_one_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    with pytest.raises(InputError, match="one currency; these rows have EUR, USD"):
        write_meta_report(path, [example(), example(currency="USD")])
    with pytest.raises(InputError, match="these rows have none"):
        write_meta_report(path, [])
    lacking = example()
    del lacking["spend"]
    with pytest.raises(InputError, match="Row 1 of the report lacks spend"):
        write_meta_report(path, [lacking])
    assert not path.exists()
