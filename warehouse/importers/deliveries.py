"""A platform's report, row by row, to deliveries: one engine, ruled by the platform's layout."""

from __future__ import annotations

from datetime import date

from proofsheet.domain.facts import Reject
from proofsheet.errors import InputError
from warehouse.importers import layout as fields
from warehouse.importers.delivery_rows import DeliveryPlan, DeliveryRows
from warehouse.importers.layout import Layout, Recognition, load_layout, recognise
from warehouse.importers.reading import ColumnUse, Question, Reading, Request
from warehouse.importers.styles import Styles, find_styles
from warehouse.reports.dates import find_range
from warehouse.reports.headers import header_currency, header_key
from warehouse.reports.table import Table


class DeliveryImporter:
    """Reads reports of one layout; a platform with rules of its own overrides ``choose_conversions``."""

    name = ""

    @property
    def layout(self) -> Layout:
        """The layout's column names and rules."""
        return load_layout(self.name)

    def header_keys(self) -> frozenset[str]:
        """The header keys of the layout."""
        return frozenset(self.layout.headers)

    def recognise(self, table: Table) -> Recognition:
        """How well the table's header fits the layout."""
        return recognise(self.layout, table.header)

    def choose_conversions(self, reader: DeliveryReader) -> None:
        """Settle which column counts conversions, where it is not simply the one so named."""

    def read(self, table: Table, request: Request) -> Reading:
        """Read every row of the report."""
        reader = DeliveryReader(self.layout, table, request)
        reader.look(self)
        return reader.read()


class DeliveryReader:
    """One report being read: columns first (``look``), then rows (``read``)."""

    def __init__(self, layout: Layout, table: Table, request: Request) -> None:
        self.layout, self.table, self.request = layout, table, request
        self.reading = Reading(kind="delivery", platform=layout.platform, layout=layout.name)
        chosen = request.columns(table, fields.READ)
        self.mapped_by_user = frozenset(chosen.values())
        self.columns: dict[str, int] = {field: index for index, field in chosen.items()}
        for index, field in layout.fields_of(table.header).items():
            if index not in chosen and field not in self.columns:
                self.columns[field] = index
        if layout.single_days and "day" in self.columns:
            self.columns = {name: index for name, index in self.columns.items() if not name.startswith("report_")}
        if not any(field in self.columns for field in (*fields.COUNTS, *fields.AMOUNTS)):
            raise InputError(
                f"{table.file_name} has no column of impressions, clicks, conversions or spend known here.",
                "Name the columns with --map, for example --map impressions=HEADER, or choose another --layout.",
            )
        self.result_type = ""
        self.period = self._preamble_period()

    def look(self, importer: DeliveryImporter) -> None:
        """The first pass: styles, questions, and which column counts conversions."""
        places = self.columns
        self.styles: Styles = find_styles(
            self.table,
            self.request,
            counts=[places[name] for name in fields.COUNTS if name in places],
            amounts=[places[name] for name in (*fields.AMOUNTS, *fields.SHOWN_COUNTS) if name in places],
            days=[places[name] for name in self._day_fields() if name in places],
            tally=[places["result_type"]] if "result_type" in places else [],
            date_rule=self.layout.date_order,
        )
        reading = self.reading
        reading.questions += self.styles.questions
        reading.notes += self.styles.notes
        reading.number_style, reading.date_style = self.styles.number_style, self.styles.date_style
        importer.choose_conversions(self)
        self.currency = self._currency()
        self._describe_columns()

    def read(self) -> Reading:
        """The second pass: every row is loaded or set aside."""
        reading = self.reading
        reading.rows_in = self.styles.rows_in
        if any(question.topic in {"number style", "date order"} for question in reading.questions):
            reading.undecided = reading.rows_in
            return reading
        plan = DeliveryPlan(
            layout=self.layout,
            header=self.table.header,
            columns=self.columns,
            decimal=self.styles.decimal,
            order=self.styles.order,
            currency=self.currency,
            result_type=self.result_type,
            period=self.period,
            own_keys="asset_key" in self.mapped_by_user,
        )
        rows = DeliveryRows(plan, reading)
        for row in self.table.rows():
            outcome = rows.read(row)
            if isinstance(outcome, Reject):
                reading.rejects.append(outcome)
            else:
                reading.deliveries.append(outcome)
        reading.loaded = len(reading.deliveries)
        rows.finish()
        return reading

    def _day_fields(self) -> tuple[str, ...]:
        """The columns of days that are read: the day, or the first and last of a period."""
        if "day" in self.columns:
            return ("day",) if self.layout.single_days else ("day", "report_end")
        return "report_start", "report_end"

    def _preamble_period(self) -> tuple[date, date] | None:
        if not self.layout.preamble_range or "day" in self.columns:
            return None
        found = [period for line in self.table.preamble if (period := find_range(line)) is not None]
        return found[0] if len(found) == 1 else None

    def _currency(self) -> str:
        """The currency of amounts that carry none of their own; a question where there is no telling."""
        told = self.request.options.get("currency", "")
        if told and not (len(told) == 3 and told.isascii() and told.isalpha() and told.isupper()):
            raise InputError(
                f"--option currency={told}: not an ISO 4217 code.", "Write three capital letters, such as EUR."
            )
        if "spend" not in self.columns:
            return told
        in_header = header_currency(self.table.header[self.columns["spend"]])
        if in_header and told and told != in_header:
            raise InputError(
                f"--option currency={told}, but the header of the spend says {in_header}.",
                "Leave the option out, or correct the header.",
            )
        found = in_header or told
        if not found and "currency" not in self.columns:
            sign = self.styles.currency_sign
            self.reading.questions.append(
                Question(
                    topic="currency",
                    text="No column and no header names the currency of the spend."
                    + (f" The amounts carry the sign of {sign}." if sign else ""),
                    answers=(f"--option currency={sign or 'EUR'}",),
                )
            )
        return found

    def _describe_columns(self) -> None:
        header = self.table.header
        stored = {*fields.NAMES, *fields.COUNTS, *fields.AMOUNTS, *fields.SEGMENTS, *fields.TEXTS, *fields.DAYS}
        places = sorted((index, field) for field, index in self.columns.items() if field in fields.READ)
        self.reading.columns = tuple(
            ColumnUse(header=header[index], position=index + 1, field=field, stored=field in stored)
            for index, field in places
        )
        used = {index for index, _ in places}
        rest = [
            (text, header_key(text) in self.layout.headers) for index, text in enumerate(header) if index not in used
        ]
        self.reading.unused = tuple(text for text, known in rest if known)
        self.reading.unmapped = tuple(text for text, known in rest if not known)
        if "day" not in self.columns and "report_start" not in self.columns:
            self.reading.notes.append(
                f"No column of days; every row counts for {self.period[0]} to {self.period[1]}, by the preamble."
                if self.period
                else "No column of days: these rows can be added up, not followed over time."
            )
