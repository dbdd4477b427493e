"""Imports: every report read, each of its rows loaded or set aside with a reason."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import data, pieces
from dashboard import format as as_text
from dashboard.views import report

if TYPE_CHECKING:
    from warehouse.records import ImportRecord


def show() -> None:
    """Draw the page."""
    pieces.heading("Imports", "Every row of a report is loaded, or set aside with its line and reason.")
    found = data.imports()
    if not found:
        pieces.empty(
            "No report read yet",
            "Bring the export of your ad platform: Meta, Google Ads, TikTok, LinkedIn or any table with a header. "
            "Look at it below, or load it from the command line:",
            "proofsheet inspect report.csv",
            "proofsheet ingest report.csv",
        )
    else:
        _list(found)
        ids = [record.id for record in found]
        chosen = st.selectbox(
            "Look into",
            ids,
            index=pieces.asked_for("import", ids),
            format_func=lambda key: found[ids.index(key)].file_name,
        )
        st.query_params["import"] = chosen
        _one(next((record for record in found if record.id == chosen), found[0]))
    report.show()


def _list(found: tuple[ImportRecord, ...]) -> None:
    st.dataframe(
        [
            {
                "File": record.file_name,
                "Rows": record.rows_in,
                "Set aside": record.set_aside,
                "Flagged": record.flagged,
                "Days": as_text.days(record.first_day, record.last_day),
                "Imported (UTC)": as_text.minute(record.imported_at),
            }
            for record in found
        ],
        hide_index=True,
        alt="Every import, newest first",
    )


def _one(record: ImportRecord) -> None:
    st.subheader(pieces.escape(record.file_name), anchor=False)
    with st.grid(4, min_column_width=145, border=True, key="rows") as grid:
        grid.metric("Rows in the file", as_text.count(record.rows_in))
        grid.metric("Loaded", as_text.count(record.loaded))
        grid.metric("Set aside", as_text.count(record.set_aside))
        grid.metric("Flagged", as_text.count(record.flagged), help="Loaded, with a remark on the row.")
    facts = (f"Layout: {as_text.words(record.layout)}", record.currency, as_text.size(record.bytes))
    st.caption(pieces.escape(" · ".join(filter(None, facts))))
    if record.flagged:
        pieces.flags(as_text.ROW_FLAGS if record.kind == "delivery" else as_text.UNIT_FLAGS)
    if record.totals:
        st.markdown("**Totals, to compare with the platform's own**")
        st.dataframe(
            [{"What": as_text.words(name), "Total": f"{Decimal(total):,}"} for name, total in record.totals.items()],
            hide_index=True,
            alt="Exact totals of the loaded rows",
        )
    if record.set_aside:
        st.markdown(f"**{as_text.plural(record.set_aside, 'row')} set aside**")
        st.dataframe(
            [
                {
                    "Line": reject.line,
                    "Column": reject.column,
                    "Value": reject.value,
                    "Reason": reject.reason,
                    "Row": reject.raw,
                }
                for reject in data.rejects(record.id)
            ],
            hide_index=True,
            alt="Rows set aside with line and reason",
        )
    else:
        st.caption("Nothing was set aside.")
