"""Separators, preambles, broken rows, generic tables, mapping and what is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from proofsheet.domain.identity import to_json
from proofsheet.errors import InputError, NotFoundError
from warehouse.importers.asset_keys import find_key, keys_in
from warehouse.importers.reading import OPTIONS
from warehouse.inspection import Inspection

Look = Callable[..., Inspection]
HEAD = "Campaign,Day,Impressions,Clicks,Spend [EUR]\n"


def test_blank_days_are_set_aside_with_reason(look: Look) -> None:
    text = (
        "Campaign Name;Date;Spend [USD];# of Impressions;Reach;# of Website Clicks;# of Purchase\r\n"
        "Control;1.08.2026;2280;82702;56930;7016;618\r\nControl;5.08.2026;1835;;;;\r\nControl;13.08.2026;10;5;4;1;1\r\n"
    )
    found = look(text)
    assert (found.layout, found.separator, found.line_ends) == ("generic", "semicolon", "CRLF")
    assert (found.rows_in, found.loaded, found.set_aside) == (3, 2, 1)
    assert found.rejects[0].line == 3
    assert "unknown rather than zero" in found.rejects[0].reason
    assert found.totals["spend USD"] == 2290
    assert found.first_day == date(2026, 8, 1)


def test_carriage_returns_and_float_noise(look: Look) -> None:
    text = "ad_id,xyz_campaign_id,Impressions,Clicks,Spent,Approved_Conversion\r"
    text += "1,916,7350,1,1.429999948,1\r2,916,17861,2,1.820000023,0"
    found = look(text, currency="USD")
    assert found.line_ends == "CR"
    assert found.totals["spend USD"] == Decimal("3.25")
    assert any("six decimals" in note for note in found.notes)


def test_money_without_currency_is_asked_about(look: Look) -> None:
    found = look("Campaign,Day,Impressions,Spend\nA,2026-03-01,9,€ 0.50\n")
    assert [item.topic for item in found.questions] == ["currency"]
    assert found.questions[0].answers == ("--option currency=EUR",)
    assert look("Campaign,Day,Impressions,Spend\nA,2026-03-01,9,0.50\n", currency="EUR").ready


def test_currency_answers_are_checked(look: Look) -> None:
    with pytest.raises(InputError, match="ISO 4217"):
        look(HEAD + "A,2026-03-01,9,1,0.50\n", currency="euro")
    with pytest.raises(InputError, match="says EUR"):
        look(HEAD + "A,2026-03-01,9,1,0.50\n", currency="USD")


def test_open_day_order_is_asked_and_answered(look: Look) -> None:
    text = HEAD + "A,3/4/2026,9,1,0.50\nA,4/4/2026,9,1,0.50\n"
    found = look(text)
    assert (found.loaded, found.undecided, found.ready) == (0, 2, False)
    assert found.questions[0].answers == ("--option date_order=dmy", "--option date_order=mdy")
    assert look(text, date_order="dmy").first_day == date(2026, 4, 3)
    assert look(text, date_order="mdy").first_day == date(2026, 3, 4)
    with pytest.raises(InputError, match="not one of the answers"):
        look(text, date_order="ymd")


def test_one_day_beyond_twelve_settles_the_order(look: Look) -> None:
    found = look(HEAD + "A,3/4/2026,9,1,0.50\nA,23/4/2026,9,1,0.50\n")
    assert found.ready
    assert found.first_day == date(2026, 4, 3)


def test_two_orders_in_one_file_are_asked_about(look: Look) -> None:
    text = HEAD + "A,13/4/2026,9,1,0.50\nA,4/23/2026,9,1,0.50\n"
    assert [item.topic for item in look(text).questions] == ["date order"]
    told = look(text, date_order="dmy")
    assert (told.loaded, told.set_aside) == (1, 1)
    assert told.rejects[0].line == 3


def test_open_number_style_is_asked_and_answered(look: Look) -> None:
    text = HEAD + 'A,2026-03-01,9,1,"1.234"\n'
    found = look(text)
    assert [item.topic for item in found.questions] == ["number style"]
    assert found.undecided == 1
    assert look(text, decimal="point").totals["spend EUR"] == Decimal("1.23")
    assert look(text, decimal="comma").totals["spend EUR"] == Decimal("1234.00")


def test_other_columns_can_settle_the_number_style(look: Look) -> None:
    text = "Campaign,Day,Impressions,Clicks,Spend [EUR],CTR\nA,2026-03-01,9,1,1.234,11.1\n"
    assert look(text).totals["spend EUR"] == Decimal("1.23")


def test_two_number_styles_are_asked_about(look: Look) -> None:
    text = HEAD + 'A,2026-03-01,9,1,"1.234,50"\nA,2026-03-02,9,1,"1,234.50"\n'
    assert [item.topic for item in look(text).questions] == ["number style"]
    told = look(text, decimal="comma")
    assert (told.loaded, told.set_aside, told.totals["spend EUR"]) == (1, 1, Decimal("1234.50"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("A,2026-03-02,9,1", "has 4 cells where the header has 5"),
        ("A,2026-03-02,9,1,0.5,extra", "has 6 cells"),
        ('"A,2026-03-02,9,1,0.5', "opens a quote"),
        ('"A"x,2026-03-02,9,1,0.5', "text after a closing quote"),
        ("A,2026-02-30,9,1,0.5", "no day of the calendar"),
        ("A,,9,1,0.5", "cannot be placed in time"),
        ("A,2026-03-02,-9,1,0.5", "negative"),
        ("A,2026-03-02,9.5,1,0.5", "whole number"),
        ("A,2026-03-02,nine,1,0.5", "not a number"),
        ("A,2026-03-02,1.2E+6,1,0.5", "scientific"),
        ("A,2026-03-02,9,1,99999999999999", "too large"),
        ("Campaign,Day,Impressions,Clicks,Spend [EUR]", "is the header again"),
        ("Total,,9,1,0.5", "totals row"),
    ],
)
def test_a_bad_row_is_set_aside_and_the_rest_loads(look: Look, row: str, words: str) -> None:
    found = look(HEAD + f"A,2026-03-01,9,1,0.50\n{row}\n\n   \nB,2026-03-03,9,1,0.25\n")
    assert (found.rows_in, found.loaded, found.set_aside) == (3, 2, 1)
    reject = found.rejects[0]
    assert words in reject.reason
    assert reject.line == 3
    assert reject.raw == row
    assert found.totals["spend EUR"] == Decimal("0.75")


def test_a_quoted_cell_may_span_lines(look: Look) -> None:
    found = look(HEAD + '"A\nsecond line",2026-03-01,9,1,0.50\nB,2026-03-02,9,1,0.25\n')
    assert (found.rows_in, found.loaded) == (2, 2)


def test_an_inch_mark_is_no_quote(look: Look) -> None:
    assert look(HEAD + 'Desk 24",2026-03-01,9,1,0.50\n').loaded == 1


def test_a_row_broken_over_two_lines_is_two_bad_rows(look: Look) -> None:
    found = look(HEAD + "A,2026-03-01,\n9,1,0.50\nB,2026-03-02,9,1,0.25\n")
    assert (found.rows_in, found.loaded, found.set_aside) == (3, 1, 2)


def test_empty_cells_too_many_are_let_pass(look: Look) -> None:
    assert look(HEAD + "A,2026-03-01,9,1,0.50,,\n").loaded == 1


def test_the_spreadsheet_line_naming_the_separator(look: Look) -> None:
    found = look("sep=;\n" + (HEAD + "A,2026-03-01,9,1,0.50\n").replace(",", ";"))
    assert (found.separator, found.header_line, found.loaded) == ("semicolon", 2, 1)


def test_two_possible_separators_are_asked_about(look: Look) -> None:
    text = "colour,size;weight,height\nred,3;4,5\nblue,5;6,7\n"
    with pytest.raises(InputError, match="can be parted") as caught:
        look(text)
    assert "--option separator=" in caught.value.hint
    assert look(text, separator="semicolon").unmapped == ("colour,size", "weight,height")


def test_mapping_overrules_and_completes(look: Look) -> None:
    text = "Thing,When,Seen,Hits,Money\nA,2026-03-01,90,4,1.50\n"
    told = look(
        text,
        layout="generic",
        mapping={"campaign": "Thing", "day": "When", "impressions": "seen", "clicks": "Hits", "spend": "Money"},
        currency="EUR",
    )
    assert told.totals == {"impressions": 90, "clicks": 4, "spend EUR": Decimal("1.50")}
    assert told.layout_reason.startswith("as told")


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"impresions": "Impressions"}, "no field 'impresions'"),
        ({"impressions": "Impresions"}, "no column 'Impresions'"),
        ({"impressions": "Clicks", "clicks": "Clicks"}, "is mapped to"),
    ],
)
def test_wrong_mappings_name_the_nearest(look: Look, mapping: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        look(HEAD + "A,2026-03-01,9,1,0.50\n", layout="generic", mapping=mapping)
    assert caught.value.hint


def test_unknown_options_and_layouts(look: Look) -> None:
    with pytest.raises(InputError, match="no import option 'dates'") as caught:
        look(HEAD + "A,2026-03-01,9,1,0.50\n", dates="dmy")
    assert any(name in caught.value.hint for name in OPTIONS)
    with pytest.raises(NotFoundError, match="no importer named 'metta'"):
        look(HEAD + "A,2026-03-01,9,1,0.50\n", layout="metta")
    with pytest.raises(InputError, match="no column of impressions"):
        look("Thing,When\nA,2026-03-01\n", layout="generic")


def test_equally_good_layouts_are_asked_about(look: Look) -> None:
    text = "Ad set name,Ad group name,Campaign name,Day,Impressions\nA,B,C,2026-03-01,9\n"
    found = look(text)
    assert [item.topic for item in found.questions] == ["layout"]
    assert found.questions[0].answers == ("--layout meta", "--layout tiktok")
    assert look(text, layout="meta").ready


def test_an_inspection_is_json(look: Look) -> None:
    text = to_json(look(HEAD + "A,2026-03-01,9,1,0.50\nB,x,9,1,0.50\n"))
    assert '"rows_in":2' in text
    assert '"spend EUR":"0.5"' in text


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("norda-summer_meta-feed_column_en-us_1a2b3c4d", {"1a2b3c4d"}),
        ("norda-summer_meta-feed_column_en-us_20260601", {"20260601"}),
        ("norda-summer_meta_feed_portrait_column_en-us_1a2b3c4d - Copy", {"1a2b3c4d"}),
        ("Spring 20260601", set()),
        ("hook deadbeef", set()),
        ("hook deadbee1 again", {"deadbee1"}),
        ("x1a2b3c4d5", set()),
        ("NAME_1A2B3C4D", {"1a2b3c4d"}),
        ("1a2b3c4d or 9f8e7d6c", {"1a2b3c4d", "9f8e7d6c"}),
    ],
)
def test_variant_ids_in_names(name: str, keys: set[str]) -> None:
    assert keys_in(name) == keys


def test_name_and_parameter_together() -> None:
    assert find_key("plain", "utm_source=x&utm_content=1a2b3c4d&id=9f8e7d6c") == ("1a2b3c4d", "")
    assert find_key("ad 1a2b3c4d", "utm_content=1a2b3c4d") == ("1a2b3c4d", "")
    assert find_key("ad 1a2b3c4d", "utm_content=9f8e7d6c") == ("", "variant_id_conflict")
    assert find_key("1a2b3c4d 9f8e7d6c", "") == ("", "several_variant_ids")
    assert find_key("1a2b3c4d 9f8e7d6c", "utm_content=9f8e7d6c") == ("9f8e7d6c", "")
    assert find_key("plain", "") == ("", "")
