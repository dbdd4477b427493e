"""Each platform's report, read from hand-written files in its shape."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from proofsheet.errors import InputError
from warehouse.importers.layout import BUILT_IN, load_layout
from warehouse.importers.meta import MetaImporter
from warehouse.importers.reading import Reading, Request
from warehouse.ingest import inspect_file
from warehouse.inspection import Inspection
from warehouse.reports.table import open_table

Reports = dict[str, str]
Look = Callable[..., Inspection]


def read_meta(path: Path, **options: str) -> Reading:
    keys = MetaImporter().header_keys()
    return MetaImporter().read(open_table(path, lambda key: int(key in keys), options), Request(options=options))


def means(found: Inspection) -> dict[str, str]:
    return {use.field: use.header for use in found.columns}


def test_meta_totals_flags_and_zeroes(look: Look, reports: Reports) -> None:
    found = look("\ufeff" + reports["meta"])
    assert (found.layout, found.platform, found.kind, found.currency) == ("meta", "meta", "delivery", "EUR")
    assert found.encoding == "utf-8 with byte order mark"
    assert (found.rows_in, found.loaded, found.set_aside, found.flagged) == (3, 3, 0, 1)
    assert found.flags == {"link_clicks_exceed_clicks": 1, "clicks_exceed_impressions": 1}
    assert found.totals == {
        "impressions": 151,
        "clicks": 8,
        "link_clicks": 7,
        "conversions": 2,
        "spend EUR": Decimal("1.68"),  # 1.685, half to even
    }
    assert (found.first_day, found.last_day) == (date(2026, 3, 1), date(2026, 3, 2))
    assert found.ready
    assert means(found)["ad"] == "Ad name"
    assert "Ads" in found.unmapped
    assert any("'Objective' stands twice" in note for note in found.notes)


def test_every_column_is_used_or_known_or_unknown(look: Look, reports: Reports) -> None:
    found = look(reports["meta"])
    assert found.unused == ("Reach", "Reporting starts")
    assert found.unmapped == ("Ads", "Objective", "Objective")
    facts = dict(found.facts())
    assert facts["layout"].startswith("meta: 15 of 18 columns are known")
    assert facts["used"] == "13 of 18 columns; 2 known and not used, 3 unknown"
    assert facts["known, unused"] == "Reach, Reporting starts"
    told = look(reports["meta"], mapping={"region": "Ads"})
    assert dict(told.facts())["used"] == "14 of 18 columns; 2 known and not used, 2 unknown"


def test_meta_rows_become_deliveries(laid_down: Callable[..., Path], reports: Reports) -> None:
    first, second, third = read_meta(laid_down(reports["meta"])).deliveries
    assert (first.campaign, first.ad_group, first.asset_key) == ("Spring, early", "Friends", "1a2b3c4d")
    assert (first.segment, first.line) == ("age=25-34|gender=female", 2)
    assert (second.impressions, second.clicks, second.conversions) == (50, 0, Decimal(0))
    assert second.spend == Decimal("0.335")
    assert third.flags == ("clicks_exceed_impressions", "link_clicks_exceed_clicks")


def test_unequal_twin_columns_are_refused(look: Look, reports: Reports) -> None:
    with pytest.raises(InputError, match=r"'Objective' twice \(columns 5 and 17\)") as caught:
        look(reports["meta"].replace(",,,,SALES,", ",,,,LEADS,"))
    assert "line 3 holds 'SALES' and 'LEADS'" in caught.value.message


def test_meta_nameless_row_is_the_total(look: Look, reports: Reports) -> None:
    total = ",,,,,,,,,2,130,1.685,151,7,8,2,,\n"
    found = look(reports["meta"] + total)
    assert (found.rows_in, found.loaded, found.set_aside) == (4, 3, 1)
    assert found.rejects[0].line == 5
    assert found.rejects[0].reason.startswith("totals row")
    assert found.totals["impressions"] == 151


@pytest.mark.parametrize("kind", ["Link clicks", "Reach", "Landing page views"])
def test_meta_results_that_are_no_conversions(look: Look, kind: str) -> None:
    found = look(f"Campaign name,Day,Impressions,Amount spent (USD),Results,Result type\nA,2026-03-01,9,1.5,4,{kind}\n")
    assert "conversions" not in found.totals
    assert any("no conversions" in note for note in found.notes)
    assert found.ready


def test_meta_results_of_one_kind_are_conversions(look: Look) -> None:
    text = (
        "Campaign name,Day,Impressions,Amount spent (USD),Results,Result type\n"
        "A,2026-03-01,9,1.5,4,Website leads\nB,2026-03-01,9,1.5,,\n"
    )
    found = look(text)
    assert found.totals["conversions"] == 4
    assert any("Website leads" in note for note in found.notes)


def test_meta_results_of_several_kinds_are_asked_about(look: Look) -> None:
    text = (
        "Campaign name,Day,Impressions,Amount spent (USD),Results,Result type\n"
        "A,2026-03-01,9,1.5,4,Website leads\nB,2026-03-01,9,1.5,7,Link clicks\n"
    )
    found = look(text)
    assert not found.ready
    assert found.questions[0].answers == ("--option result_type='Website leads'",)
    told = look(text, result_type="Website leads")
    assert told.ready
    assert told.totals["conversions"] == 4
    with pytest.raises(InputError, match="no row has this kind"):
        look(text, result_type="Dreams")


def test_every_language_of_every_layout_is_recognised(laid_down: Callable[..., Path]) -> None:
    languages = {language for keys in load_layout("meta").languages.values() for language in keys}
    assert {"en", "de", "fr", "es", "pt-BR", "it", "nl"} <= languages
    for language in sorted(languages):
        layout = load_layout("meta")
        wanted = ("campaign", "ad_group", "ad", "day", "impressions", "link_clicks", "clicks", "spend", "conversions")
        texts = {
            field: key
            for key, field in sorted(layout.headers.items(), reverse=True)
            if field in wanted and language in layout.languages[key] and layout.order[key] == 0
        }
        assert set(texts) == set(wanted), language
        header = [texts[field] + (" (EUR)" if field == "spend" else "") for field in wanted]
        buffer = io.StringIO()
        csv.writer(buffer).writerows([header, ["C", "G", "A", "2026-03-09", "1000", "12", "15", "3.40", "2"]])
        found = inspect_file(laid_down(buffer.getvalue(), f"{language}.csv"))
        assert found.layout == "meta", language
        assert language in found.layout_reason or language in {"fr", "es", "pt-BR"}
        assert found.totals == {
            "impressions": 1000,
            "link_clicks": 12,
            "clicks": 15,
            "conversions": 2,
            "spend EUR": Decimal("3.40"),
        }


def test_meta_platform_and_placement_are_joined(laid_down: Callable[..., Path]) -> None:
    text = (
        "Campaign name,Ad name,Day,Platform,Placement,Impressions,Link clicks,Amount spent (USD)\n"
        "A,x,2026-03-01,instagram,Stories,9,1,0.50\nA,x,2026-03-01,facebook,,9,1,0.50\n"
    )
    assert [item.placement for item in read_meta(laid_down(text)).deliveries] == ["instagram / Stories", "facebook"]


def test_google_preamble_totals_and_numbers(look: Look, reports: Reports) -> None:
    found = look(reports["google_ads"])
    assert (found.layout, found.currency, found.header_line) == ("google_ads", "INR", 3)
    assert found.preamble == ("Ad performance", '"March 1, 2026 - March 31, 2026"')
    assert (found.rows_in, found.loaded, found.set_aside) == (4, 2, 2)
    assert [(item.line, "totals row" in item.reason) for item in found.rejects] == [(6, True), (7, True)]
    assert found.totals == {
        "impressions": 141168,
        "interactions": 22061,
        "conversions": Decimal("15.50"),
        "spend INR": Decimal("2565.93"),
    }
    assert (found.first_day, found.last_day) == (date(2026, 3, 1), date(2026, 3, 31))


def test_the_reports_own_total_is_held_against_the_rows(look: Look, reports: Reports) -> None:
    whole = look(reports["google_ads"])
    assert "The report's own total (line 6) agrees: 141,168 impressions." in whole.notes
    lines = reports["google_ads"].splitlines(keepends=True)
    cut = look("".join(lines[:4] + lines[5:]))
    assert any("says 141,168 impressions, but the rows add up to 120,881" in note for note in cut.notes)


def test_google_for_excel_is_utf16_with_tabs(look: Look) -> None:
    text = (
        "Anzeigenbericht\n1. März 2026 – 31. März 2026\n"
        "Kampagne\tTag\tWährungscode\tImpr.\tKlicks\tKosten\tConversions\n"
        "Schuhe\t01.03.2026\tEUR\t1.234\t12\t1.024,50\t2,00\nTaschen\t02.03.2026\tEUR\t20\t1\t0,90\t--\n"
        "Gesamt: Konto\t--\tEUR\t1.254\t13\t1.025,40\t2,00\n"
    )
    found = look(b"\xff\xfe" + text.encode("utf-16-le"))
    assert (found.layout, found.separator, found.loaded, found.set_aside) == ("google_ads", "tab", 2, 1)
    assert found.totals["spend EUR"] == Decimal("1025.40")
    assert found.totals["impressions"] == 1254
    assert found.number_style.startswith("decimal comma")


def test_a_plain_table_is_not_taken_for_google(look: Look) -> None:
    found = look("Campaign,Day,Impressions,Clicks,Cost,Currency\nA,2026-03-01,10,1,0.5,EUR\n")
    assert found.layout == "generic"


def test_tiktok_total_row_ids_and_whole_currency(look: Look, reports: Reports) -> None:
    found = look(reports["tiktok"])
    assert (found.layout, found.loaded, found.set_aside) == ("tiktok", 2, 1)
    assert found.totals["spend JPY"] == 6600
    assert found.totals["clicks"] == 36
    assert found.totals["link_clicks"] == 30
    assert "totals row" in found.rejects[0].reason


def test_linkedin_preamble_tabs_and_month_first(look: Look, reports: Reports) -> None:
    found = look(b"\xff\xfe" + reports["linkedin"].encode("utf-16-le"))
    assert (found.layout, found.encoding, found.line_ends) == ("linkedin", "utf-16-le with byte order mark", "CRLF")
    assert (found.first_day, found.last_day) == (date(2026, 3, 4), date(2026, 3, 5))
    assert "the layout's rule" in found.date_style
    assert found.totals["spend USD"] == Decimal("1036.75")
    assert found.header_line == 6


def test_a_row_about_a_period_keeps_both_ends(laid_down: Callable[..., Path]) -> None:
    text = "Campaign name,Reporting starts,Reporting ends,Impressions,Link clicks,Amount spent (USD)\n"
    found = read_meta(laid_down(text + "A,2026-03-01,2026-03-09,9,1,0.5\nB,2026-03-09,2026-03-01,9,1,0.5\n"))
    assert (found.deliveries[0].day, found.deliveries[0].day_end) == (date(2026, 3, 1), date(2026, 3, 9))
    assert "before the first day" in found.rejects[0].reason


def test_a_report_about_the_whole_but_by_day_keeps_the_day(laid_down: Callable[..., Path]) -> None:
    text = "Campaign name,Day,Reporting starts,Reporting ends,Impressions,Link clicks,Amount spent (USD)\n"
    found = read_meta(laid_down(text + "A,2026-03-02,2026-03-01,2026-03-09,9,1,0.5\n"))
    assert (found.deliveries[0].day, found.deliveries[0].day_end) == (date(2026, 3, 2), date(2026, 3, 2))


def test_linkedin_days_that_contradict_its_rule_are_asked_about(look: Look, reports: Reports) -> None:
    found = look(reports["linkedin"].replace("3/4/2026", "23/4/2026"))
    assert [item.topic for item in found.questions] == ["date order"]
    assert found.undecided == found.rows_in == 2


def test_ids_that_lost_digits_are_flagged(look: Look) -> None:
    text = (
        "Campaign name,Ad name,Ad ID,Day,Impressions,Link clicks,Amount spent (USD)\n"
        "A,x,1.20213E+17,2026-03-01,9,1,0.50\nA,y,120213000000000000,2026-03-01,9,1,0.50\n"
        "A,z,120213456789012345,2026-03-01,9,1,0.50\n"
    )
    assert look(text).flags == {"id_lost_digits": 2}


def test_rows_said_twice_are_flagged_not_dropped(look: Look) -> None:
    row = "A,x,2026-03-01,9,1,0.50\n"
    found = look("Campaign name,Ad name,Day,Impressions,Link clicks,Amount spent (USD)\n" + row + row)
    assert (found.loaded, found.flags) == (2, {"repeated_row": 1})


def test_guarded_formula_signs_come_off_names(laid_down: Callable[..., Path]) -> None:
    text = (
        "Campaign name,Ad name,Day,Impressions,Link clicks,Amount spent (USD)\n'=SUM(A1),'plain,2026-03-01,9,1,0.50\n"
    )
    first = read_meta(laid_down(text)).deliveries[0]
    assert (first.campaign, first.ad) == ("=SUM(A1)", "'plain")


def test_currencies_are_kept_apart(look: Look) -> None:
    text = (
        "Campaign,Day,Impressions,Cost,Currency\nA,2026-03-01,9,0.50,EUR\n"
        "B,2026-03-01,9,0.70,USD\nC,2026-03-01,9,1.00,\n"
    )
    found = look(text)
    assert found.totals["spend EUR"] == Decimal("0.50")
    assert found.totals["spend USD"] == Decimal("0.70")
    assert found.currency == "EUR, USD"
    assert (found.rejects[0].line, found.rejects[0].column) == (4, "Currency")


def test_layout_files_are_dated_and_sourced() -> None:
    for name in BUILT_IN:
        layout = load_layout(name)
        assert layout.source
        assert date.fromisoformat(layout.checked)
