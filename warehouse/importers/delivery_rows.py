"""Rows to deliveries: each is loaded with its remarks, or set aside with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from proofsheet.domain.facts import Delivery, Reject
from warehouse.importers import layout as fields
from warehouse.importers.asset_keys import find_key, placement_in
from warehouse.importers.layout import Layout
from warehouse.importers.reading import Reading
from warehouse.reports.dates import DayReader, is_unlikely
from warehouse.reports.numbers import BadCellError, NumberReader
from warehouse.reports.rows import Row
from warehouse.reports.table import shown

_BLANK_NAMES = frozenset({"", "-", "--", "—"})
_MANGLED = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+")
_FORMULA = re.compile(r"'+[=+\-@]")
_GENDERS = {"f": "female", "m": "male"}
_CODE = re.compile(r"[A-Z]{3}")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlan:
    """How a report's rows are to be read, with every question settled.

    ``columns`` maps field → index; ``currency`` is that of amounts without one; ``result_type`` the kind of result that
    counts, empty for all; ``period`` the days of rows without a day; ``own_keys`` says that the user named the column
    of variant ids, so that its texts are taken as they are.
    """

    layout: Layout
    header: tuple[str, ...]
    columns: Mapping[str, int]
    decimal: str
    order: str
    currency: str
    result_type: str
    period: tuple[date, date] | None
    own_keys: bool


class DeliveryRows:
    """Turns rows into deliveries or rejects, and keeps the sums."""

    def __init__(self, plan: DeliveryPlan, reading: Reading) -> None:
        self.plan, self.reading = plan, reading
        self.layout, self.columns, self.header = plan.layout, plan.columns, plan.header
        self.numbers = NumberReader(plan.decimal)
        self.days = DayReader(plan.order)
        self.empty_is_zero = plan.layout.empty_counts == "zero"
        self.names = [self.columns[name] for name in fields.NAMES if name in self.columns]
        self.segments = sorted((name, self.columns[name]) for name in fields.SEGMENTS if name in self.columns)
        self.shown = [
            (name, self.columns[name]) for name in fields.SHOWN_COUNTS if name in self.columns and name != "results"
        ]
        self.texts: dict[str, str] = {}
        self.sums: dict[str, Decimal | int] = {}
        self.seen: set[tuple[object, ...]] = set()
        self.unreadable: dict[str, int] = {}
        self.long_amounts = 0
        self.placed_by_name = 0
        self.own_totals: list[tuple[int, int]] = []
        self._column = ""

    def read(self, row: Row) -> Delivery | Reject:
        """A row's delivery, or why it is set aside."""
        if row.damage:
            return self._reject(row, "", "", row.damage)
        cells = row.cells
        if cells[0].strip() == self.header[0] and tuple(cell.strip() for cell in cells) == self.header:
            return self._reject(row, "", "", "is the header again")
        if reason := self._total(cells):
            self._keep_own_total(row)
            return self._reject(row, "", "", reason)
        try:
            delivery = self._delivery(row)
        except BadCellError as problem:
            value = cells[self.columns[self._column]] if self._column in self.columns else ""
            column = self.header[self.columns[self._column]] if self._column in self.columns else self._column
            return self._reject(row, column, value, str(problem))
        self._add_up(delivery, cells)
        return delivery

    def finish(self) -> None:
        """Write the sums and what they rest on into the reading."""
        reading = self.reading
        reading.totals = {name: Decimal(value) for name, value in sorted(self.sums.items())}
        reading.currencies = tuple(sorted({item.currency for item in reading.deliveries if item.currency}))
        for header, number in self.unreadable.items():
            reading.notes.append(f"Cells of {header!r} that could not be read: {number}; the column is not stored.")
        if self.placed_by_name:
            reading.notes.append(
                f"No column of placements; taken from the ads' names, for {self.placed_by_name:,} of "
                f"{reading.loaded:,} rows."
            )
        if own_total := self._compare_own_totals():
            reading.notes.append(own_total)
        if self.long_amounts:
            reading.notes.append(
                f"Amounts with more than six decimals, left over by binary arithmetic: {self.long_amounts}; they are "
                "kept as written, added exactly, and totals of money are shown rounded to 0.01 (half to even)."
            )

    def _reject(self, row: Row, column: str, value: str, reason: str) -> Reject:
        return Reject(line=row.line, column=column, value=shown(value), reason=reason, raw=shown(row.raw))

    def _total(self, cells: Sequence[str]) -> str:
        first = next((text for cell in cells if (text := cell.strip())), "")
        if self.layout.totals is not None and self.layout.totals.fullmatch(first):
            return f"totals row: {first!r} adds up other rows"
        if (
            self.layout.nameless_totals
            and self.names
            and all(cells[index].strip() in _BLANK_NAMES for index in self.names)
        ):
            return "totals row: it has no name, and adds up other rows"
        return ""

    def _keep_own_total(self, row: Row) -> None:
        """Remember how many impressions a totals row claims, to hold against the rows."""
        index = self.columns.get("impressions")
        if index is None:
            return
        try:
            claimed = self.numbers.count(row.cells[index])
        except BadCellError:
            return
        if claimed is not None:
            self.own_totals.append((row.line, claimed))

    def _compare_own_totals(self) -> str:
        """Whether one of the report's totals rows agrees with the rows; subtotals cannot, so one is enough."""
        if not self.own_totals:
            return ""
        added = int(self.sums.get("impressions", 0))
        for line, claimed in self.own_totals:
            if claimed == added:
                return f"The report's own total (line {line}) agrees: {added:,} impressions."
        line, claimed = max(self.own_totals, key=lambda item: item[1])
        return (
            f"The report's own total (line {line}) says {claimed:,} impressions, but the rows add up to {added:,}: "
            "the file may be filtered or cut, or rows were set aside."
        )

    def _text(self, cells: Sequence[str], field: str) -> str:
        index = self.columns.get(field)
        if index is None:
            return ""
        raw = cells[index]
        clean = self.texts.get(raw)
        if clean is None:
            clean = self.texts[raw] = _clean(raw)
        return clean

    def _count(self, cells: Sequence[str], field: str) -> int | None:
        index = self.columns.get(field)
        if index is None:
            return None
        self._column = field
        value = self.numbers.count(cells[index])
        if value is None:
            self._refuse_empty()
            return 0
        return value

    def _amount(self, cells: Sequence[str], field: str) -> Decimal | None:
        index = self.columns.get(field)
        if index is None:
            return None
        self._column = field
        value = self.numbers.amount(cells[index])
        if value is None:
            self._refuse_empty()
            return _ZERO
        return value

    def _refuse_empty(self) -> None:
        if not self.empty_is_zero:
            raise BadCellError("is empty, which is unknown rather than zero in this layout")

    def _period(self, cells: Sequence[str]) -> tuple[date | None, date | None]:
        if "day" not in self.columns and "report_start" not in self.columns:
            return self.plan.period or (None, None)
        field = self._column = "day" if "day" in self.columns else "report_start"
        first = self.days.day(cells[self.columns[field]])
        if first is None:
            raise BadCellError("is empty: the row cannot be placed in time")
        if (field == "day" and self.layout.single_days) or "report_end" not in self.columns:
            return first, first
        self._column = "report_end"
        last = self.days.day(cells[self.columns["report_end"]]) or first
        if last < first:
            raise BadCellError(f"lies before the first day, {first}")
        return first, last

    def _money(self, cells: Sequence[str]) -> tuple[Decimal | None, str]:
        spend = self._amount(cells, "spend")
        currency = self._text(cells, "currency").upper() or self.plan.currency
        self._column = "currency"
        if currency and not _CODE.fullmatch(currency):
            raise BadCellError("is not an ISO 4217 code")
        if spend and not currency and "currency" in self.columns:
            raise BadCellError("is empty, and the row holds an amount")
        return spend, currency

    def _conversions(self, cells: Sequence[str]) -> Decimal | None:
        wanted = self.plan.result_type
        if wanted and cells[self.columns["result_type"]].strip() != wanted:
            return _ZERO
        value = self._amount(cells, "conversions")
        if value is not None and value < 0:
            raise BadCellError("is negative; conversions cannot be")
        return value

    def _delivery(self, row: Row) -> Delivery:
        cells = row.cells
        first, last = self._period(cells)
        impressions, clicks = self._count(cells, "impressions"), self._count(cells, "clicks")
        link_clicks, conversions = self._count(cells, "link_clicks"), self._conversions(cells)
        value = self._amount(cells, "conversion_value")
        spend, currency = self._money(cells)
        ad, ad_id = self._text(cells, "ad"), self._text(cells, "ad_id").removeprefix("id:")
        key, doubt = self._key(cells, ad)
        account, ad_group = self._text(cells, "account"), self._text(cells, "ad_group")
        campaign = self._text(cells, "campaign") or self._text(cells, "campaign_id")
        placement, segment = self._placement(cells, ad), self._segment(cells)
        remarks = (
            (bool(doubt), doubt),
            (impressions is not None and max(clicks or 0, link_clicks or 0) > impressions, "clicks_exceed_impressions"),
            (clicks is not None and link_clicks is not None and link_clicks > clicks, "link_clicks_exceed_clicks"),
            (spend is not None and spend < 0, "negative_spend"),
            (_lost_digits(ad_id), "id_lost_digits"),
            (is_unlikely(first), "unlikely_day"),
            (
                self._seen_before(account, campaign, ad_group, ad, ad_id, first, last, placement, segment),
                "repeated_row",
            ),
        )
        return Delivery(
            platform=self.layout.platform,
            account=account,
            campaign=campaign,
            ad_group=ad_group,
            ad=ad,
            ad_id=ad_id,
            day=first,
            day_end=last,
            placement=placement,
            segment=segment,
            impressions=impressions,
            clicks=clicks,
            link_clicks=link_clicks,
            conversions=conversions,
            conversion_value=value,
            spend=spend,
            currency=currency,
            asset_key=key,
            line=row.line,
            flags=tuple(flag for holds, flag in remarks if holds),
        )

    def _seen_before(self, *key: object) -> bool:
        """Whether another row has the same ad, days, placement and segment; the key is remembered."""
        known = len(self.seen)
        self.seen.add(key)
        return len(self.seen) == known

    def _placement(self, cells: Sequence[str], ad: str) -> str:
        """By the report's column; in a report without one, what the ad's own name says it was made for."""
        platform, placement = self._text(cells, "platform"), self._text(cells, "placement")
        if "placement" not in self.columns and (placement := placement_in(ad)):
            self.placed_by_name += 1
        return f"{platform} / {placement}" if platform and placement else platform or placement

    def _key(self, cells: Sequence[str], ad: str) -> tuple[str, str]:
        own = self._text(cells, "asset_key")
        if own and self.plan.own_keys:
            return own, ""
        key, doubt = find_key(ad, self._text(cells, "utm_content"))
        return (key, doubt) if key or doubt or not own else find_key(own, "")

    def _segment(self, cells: Sequence[str]) -> str:
        parts = []
        for name, index in self.segments:
            value = cells[index].strip().replace("|", "/").replace("=", ":")
            if name == "gender":
                value = _GENDERS.get(value.lower(), value.lower())
            if value not in _BLANK_NAMES:
                parts.append(f"{name}={value}")
        return "|".join(parts)

    def _add_up(self, delivery: Delivery, cells: Sequence[str]) -> None:
        reading = self.reading
        reading.see_day(delivery.day)
        reading.see_day(delivery.day_end)
        reading.flag(delivery.line, delivery.flags)
        sums = self.sums
        for name, value in _measures(delivery):
            if value is not None:
                sums[name] = sums.get(name, 0) + value
        if delivery.spend is not None:
            name = f"spend {delivery.currency}".strip()
            sums[name] = sums.get(name, 0) + delivery.spend
            exponent = delivery.spend.as_tuple().exponent
            self.long_amounts += isinstance(exponent, int) and exponent < -6
        for name, index in self.shown:
            try:
                shown_value = self.numbers.amount(cells[index])
            except BadCellError:
                self.unreadable[self.header[index]] = self.unreadable.get(self.header[index], 0) + 1
                continue
            sums[name] = sums.get(name, 0) + (shown_value or _ZERO)


def _clean(raw: str) -> str:
    """A name without surrounding space; empty for a dash; without the apostrophe that guards a formula's sign."""
    text = raw.strip()
    if text in _BLANK_NAMES:
        return ""
    return text[1:] if text[0] == "'" and _FORMULA.match(text) else text


def _lost_digits(ad_id: str) -> bool:
    """Whether a spreadsheet has rounded an id: 1.20213E+17, or sixteen digits and more that end in 000."""
    return bool(_MANGLED.fullmatch(ad_id)) or (len(ad_id) >= 16 and ad_id.isdigit() and ad_id.endswith("000"))


def _measures(delivery: Delivery) -> Iterable[tuple[str, Decimal | int | None]]:
    return (
        ("impressions", delivery.impressions),
        ("clicks", delivery.clicks),
        ("link_clicks", delivery.link_clicks),
        ("conversions", delivery.conversions),
        ("conversion_value", delivery.conversion_value),
    )
