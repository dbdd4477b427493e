"""Numbers and days: exact, in the style found, and never assumed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.inspection import Inspection
from warehouse.reports.dates import DAY_FIRST, MONTH_FIRST, DayReader, OrderEvidence, find_range, form_of
from warehouse.reports.numbers import COMMA, POINT, BadCellError, NumberReader, decimal_kind


@pytest.mark.parametrize(
    ("style", "text", "value"),
    [
        (POINT, "1,234.56", "1234.56"),
        (POINT, "1,20,881", "120881"),
        (POINT, "1'234.5", "1234.5"),
        (POINT, "1.429999948", "1.429999948"),
        (POINT, " $1,024.50 ", "1024.50"),
        (POINT, "USD 12.5", "12.5"),
        (POINT, ".5", "0.5"),
        (POINT, "-3.20", "-3.20"),
        (COMMA, "1.234,56", "1234.56"),
        (COMMA, "1\u202f234,56 €", "1234.56"),
        (COMMA, "12\u00a0345", "12345"),
        (COMMA, "0,07", "0.07"),
    ],
)
def test_amounts_are_exact(style: str, text: str, value: str) -> None:
    assert NumberReader(style).amount(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "  ", " --", "-", "—", "n/a"])
def test_marks_for_none(text: str) -> None:
    assert NumberReader(POINT).amount(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.234,56", "decimal point"),
        ("1,23", "decimal point"),
        ("12a", "not a number"),
        ("< 10%", "bound"),
        ("12%", "percent"),
        ("1.2E+06", "scientific"),
        ("nan", "not a number"),
        ("Infinity", "not a number"),
        ("9999999999999", "too large"),
        ("٣", "not a number"),
        (".", "not a number"),
        ("--5", "not a number"),
    ],
)
def test_bad_amounts_say_why(text: str, reason: str) -> None:
    with pytest.raises(BadCellError, match=reason):
        NumberReader(POINT).amount(text)


def test_counts_are_whole_and_not_negative() -> None:
    reader = NumberReader(POINT)
    assert reader.count("12.00") == 12
    for text, reason in (("12.5", "whole"), ("-1", "negative")):
        with pytest.raises(BadCellError, match=reason):
            reader.count(text)


@pytest.mark.parametrize(
    ("text", "whole", "kind"),
    [
        ("1.234", False, "either"),
        ("1,234", False, "either"),
        ("1.234", True, COMMA),
        ("1,234", True, POINT),
        ("0.234", False, POINT),
        ("1.23", False, POINT),
        ("12,5", False, COMMA),
        ("1.234.567", False, COMMA),
        ("1,234.5", False, POINT),
        ("1234", False, ""),
        ("77.77%", False, POINT),
        ("Spring 1.5", False, ""),
    ],
)
def test_what_a_cell_says_about_the_decimal_mark(text: str, whole: bool, kind: str) -> None:
    assert decimal_kind(text, whole=whole) == kind


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6), st.sampled_from([POINT, COMMA]))
def test_every_written_amount_reads_back(value: Decimal, style: str) -> None:
    text = f"{value:,.6f}"
    if style == COMMA:
        text = text.translate(str.maketrans(",.", ".,"))
    assert NumberReader(style).amount(text) == value


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-04", date(2026, 3, 4)),
        ("2026/3/4", date(2026, 3, 4)),
        ("2026-03-04 00:00:00", date(2026, 3, 4)),
        ("20260304", date(2026, 3, 4)),
        ("4.03.2026", date(2026, 3, 4)),
        ("Mar 4, 2026", date(2026, 3, 4)),
        ("Wed, Mar 4, 2026", date(2026, 3, 4)),
        ("4 March 2026", date(2026, 3, 4)),
        ("46085", date(2026, 3, 4)),
    ],
)
def test_forms_of_days(text: str, day: date) -> None:
    assert DayReader().day(text) == day


def test_order_rules_the_open_form() -> None:
    assert DayReader(DAY_FIRST).day("3/4/2026") == date(2026, 4, 3)
    assert DayReader(MONTH_FIRST).day("3/4/26") == date(2026, 3, 4)


@pytest.mark.parametrize("text", ["2026-02-30", "31.31.2026", "soon", "1999-01-01", "2101-01-01", "Brumaire 3, 2026"])
def test_bad_days_say_why(text: str) -> None:
    with pytest.raises(BadCellError):
        DayReader().day(text)


def test_moments_are_utc() -> None:
    reader = DayReader()
    assert reader.moment("2026-03-01T10:05:00+02:00") == datetime(2026, 3, 1, 8, 5, tzinfo=UTC)
    assert reader.moment("2026-03-01 10:05") == datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
    assert reader.moment("2026-03-01") == datetime(2026, 3, 1, tzinfo=UTC)
    assert reader.moment("  ") is None


@given(st.lists(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)), min_size=1))
def test_day_order_evidence_is_never_wrong(days: list[date]) -> None:
    evidence = OrderEvidence()
    for line, day in enumerate(days):
        evidence.add(f"{day.day}/{day.month}/{day.year}", line)
    assert evidence.counts[MONTH_FIRST] == 0
    assert evidence.counts[DAY_FIRST] == sum(day.day > 12 for day in days)


def test_forms_have_names() -> None:
    assert [form_of(text) for text in ("1.2.2026", "1/2/2026", "45000", "x")] == [
        "D.M.Y",
        "D/M/Y or M/D/Y",
        "serial number",
        "unknown",
    ]


def test_ranges_in_preambles() -> None:
    assert find_range('"July 8, 2025 - July 31, 2025"') == (date(2025, 7, 8), date(2025, 7, 31))
    assert find_range("2026-01-01 - 2026-01-31") == (date(2026, 1, 1), date(2026, 1, 31))
    assert find_range("3/4/2026 - 5/4/2026") is None
    assert find_range("July 31, 2025 - July 8, 2025") is None
    assert find_range("Report - draft") is None


def test_only_two_digits_of_a_year_are_of_this_century() -> None:
    assert DayReader().day("1.2.26") == date(2026, 2, 1)
    reader = DayReader()
    for text in ("0001-01-01", "0026-03-01", "1.2.0026", "0001-01-01T00:00:00+02:00"):
        with pytest.raises(BadCellError, match="outside the years 2000 to 2100"):
            reader.moment(text)
        with pytest.raises(BadCellError, match="outside the years 2000 to 2100"):
            reader.day(text)


def test_a_day_ahead_is_flagged_and_one_long_past_is_set_aside(look: Callable[..., Inspection]) -> None:
    today = datetime.now(UTC).date()
    days = [today, today + timedelta(days=3), "0001-01-01", "1999-12-31", today + timedelta(days=400)]
    rows = "".join(f"C,ad,{day},10,1,2.00\n" for day in days)
    found = look("Campaign name,Ad name,Day,Impressions,Clicks (all),Amount spent (EUR)\n" + rows)
    assert (found.loaded, found.flags) == (3, {"unlikely_day": 2})
    assert found.flag_lines == {"unlikely_day": (3, 6)}
    assert [(one.line, one.column) for one in found.rejects] == [(4, "Day"), (5, "Day")]


def test_the_first_lines_of_each_flag_are_named(look: Callable[..., Inspection]) -> None:
    ahead = datetime.now(UTC).date() + timedelta(days=30)
    rows = "".join(f"hero,u{n},a,{ahead},exposure,\n" for n in range(7)) + f"hero,u1,b,{ahead},exposure,\n"
    found = look("experiment,unit,arm,timestamp,event,value\n" + rows)
    assert found.flags == {"unit_in_two_arms": 1, "unlikely_day": 8}
    assert found.flag_lines == {"unit_in_two_arms": (9,), "unlikely_day": (2, 3, 4, 5, 6)}
    assert found.flagged == 8
    assert ("flags", "unit_in_two_arms 1 (line 9); unlikely_day 8 (lines 2, 3, 4, 5, 6, …)") in found.facts()
