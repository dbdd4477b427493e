"""Hand-written reports in the shapes that platforms export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse.inspection import Inspection

META = (
    '"Campaign name","Ad set name",Ads,"Ad name",Objective,Day,Gender,Age,"Result type",Results,Reach,'
    '"Amount spent (EUR)",Impressions,"Link clicks","Clicks (all)",Purchases,Objective,"Reporting starts"\n'
    '"Spring, early",Friends,a_one,norda_feed_column_en-us_1a2b3c4d,SALES,2026-03-01,female,25-34,"Website purchases",'
    "2,90,1.25,100,4,6,2,SALES,2026-03-01\n"
    '"Spring, early",Friends,a_one,norda_feed_column_en-us_1a2b3c4d,SALES,2026-03-02,male,25-34,,,40,0.335,50,,,,SALES,'
    "2026-03-02\n"
    '"Spring, early",Others,a_two,norda_feed_split_en-us_9f8e7d6c,SALES,2026-03-02,unknown,65+,,,1,0.1,1,3,2,,SALES,'
    "2026-03-02\n"
)

GOOGLE = (
    "Ad performance\n"
    '"March 1, 2026 - March 31, 2026"\n'
    "Campaign status,Campaign,Currency code,Impr.,Interactions,Interaction rate,Cost,Conversions,Search impr. share\n"
    'Enabled,Brand,INR,"1,20,881","20,127",16.65%,"1,661.67",0.00,< 10%\n'
    'Paused,Shoes, INR,"20,287","1,934",9.53%,904.26,15.50, --\n'
    'Total: Campaigns, --,INR,"1,41,168","22,061",15.63%,"2,565.93",15.50, --\n'
    'Total: Account,,INR,"1,41,168","22,061",15.63%,"2,565.93",15.50,\n'
)

TIKTOK = (
    "Campaign name,Ad group name,Ad name,Ad ID,Date,Impressions,Clicks (destination),Clicks (all),Cost,Currency,"
    "Conversions\n"
    "Launch,Wide,hook_1a2b3c4d,id:1712345678901234567,2026-03-01,1000,20,25,3500,JPY,2\n"
    "Launch,Wide,hook_1a2b3c4d,id:1712345678901234567,2026-03-02,900,10,11,3100,JPY,1\n"
    "Total of 2 results,-,-,-,-,1900,30,36,6600,JPY,3\n"
)

LINKEDIN = (
    "Campaign Performance Report (in UTC)\r\n"
    "Report Start\tMarch 1, 2026\r\n"
    "Report End\tMarch 9, 2026\r\n"
    "Date Generated\tMarch 10, 2026\r\n"
    "\r\n"
    "Start Date (in UTC)\tAccount Name\tCurrency\tCampaign Group Name\tCampaign Name\tCampaign ID\tTotal Spent"
    "\tImpressions\tClicks\tConversions\r\n"
    '3/4/2026\tHouse\tUSD\tGroup\tFlow, one\t123\t"1,024.50"\t20,500\t61\t2\r\n'
    "3/5/2026\tHouse\tUSD\tGroup\tFlow, one\t123\t12.25\t410\t3\t0\r\n"
)

LOG = (
    "experiment,unit,arm,timestamp,event,value\n"
    "hero,u1,a,2026-03-01T10:00:00Z,exposure,\n"
    "hero,u2,b,2026-03-01T10:05:00+02:00,exposure,\n"
    "hero,u1,a,2026-03-01T10:30:00Z,purchase,19.90\n"
    "hero,u2,b,2026-03-01T10:31:00Z,click,\n"
)

UNITS = (
    "player,gate,rounds,back_1,back_7\n1,early,3,FALSE,FALSE\n2,late,38,TRUE,FALSE\n"
    "3,late,165,TRUE,TRUE\n4,early,0,TRUE,FALSE\n"
)


@pytest.fixture
def reports() -> dict[str, str]:
    """The texts of hand-written reports, by platform."""
    return {"meta": META, "google_ads": GOOGLE, "tiktok": TIKTOK, "linkedin": LINKEDIN, "log": LOG, "units": UNITS}


@pytest.fixture
def laid_down(tmp_path: Path) -> Callable[..., Path]:
    """Write text or bytes to a file and give its path."""

    def write(content: str | bytes, name: str = "report.csv", *, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


@pytest.fixture
def look(laid_down: Callable[..., Path]) -> Callable[..., Inspection]:
    """Inspect text or bytes as if they were a report."""
    from warehouse.ingest import inspect_file

    def inspect(
        content: str | bytes,
        name: str = "report.csv",
        *,
        encoding: str = "utf-8",
        layout: str | None = None,
        mapping: dict[str, str] | None = None,
        **options: str,
    ) -> Inspection:
        path = laid_down(content, name, encoding=encoding)
        return inspect_file(path, layout=layout, mapping=mapping, options=options)

    return inspect
