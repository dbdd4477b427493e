"""The arms of a test: what each reached on the primary metric, what it is made of, and what it costs."""

from __future__ import annotations

import streamlit as st

from dashboard import data, pieces
from dashboard import format as as_text
from proofsheet.workflows.pages import TELLING
from proofsheet.workflows.result_pages import ArmRow, ResultsPage, metric_name


def show(page: ResultsPage) -> None:
    """Draw the arms with their counts, rates and lifts; then, folded, their elements and their money."""
    st.markdown("**Arms, the control first**")
    rows = ranked(page)
    confidence = next((row.result.confidence for row in rows if row.result), 0.95)
    lift = f"Lift ({confidence:.0%} interval)"
    st.dataframe(
        [_row(row, page, lift) for row in rows],
        hide_index=True,
        row_height=56,
        height="content",
        column_config={
            "Picture": st.column_config.ImageColumn(width=64),
            "Rate": st.column_config.TextColumn(help=as_text.capital(metric_name(page.experiment.primary.name))),
            lift: st.column_config.TextColumn(help="Of this comparison alone; the chart has the one for all together."),
            "p": st.column_config.TextColumn(help="Adjusted for all comparisons made."),
            "Chance": st.column_config.TextColumn(help="The chance to be better than the control."),
        },
        alt="Arms with their counts, rates, lifts and intervals",
    )
    _notes(rows)
    elements(page)
    _money(page)


def _notes(rows: list[ArmRow]) -> None:
    """What is to be said of a result, once for all arms of which it is said."""
    tested = [row for row in rows if row.result]
    titles: dict[str, list[str]] = {}
    for row in tested:
        note = (as_text.no_estimate(row.result.status) or row.result.note) if row.result else ""
        if note:
            titles.setdefault(note, []).append(row.title)
    for note, of in titles.items():
        whose = "" if len(of) == len(tested) else f"{', '.join(of)}: "
        st.caption(pieces.escape(as_text.capital(f"{whose}{note}")))


def ranked(page: ResultsPage) -> list[ArmRow]:
    """The arms as they are shown: the control first, then from the highest lift to the lowest."""
    return sorted(page.arms, key=lambda r: (not r.arm.is_control, -(r.result.lift or 0.0) if r.result else 0.0))


def _named(row: ArmRow) -> str:
    return f"{row.title} (control)" if row.arm.is_control else row.title


def _row(row: ArmRow, page: ResultsPage, lift: str) -> dict[str, str | None]:
    result, metric = row.result, page.experiment.primary
    value = as_text.share(row.value) if metric.kind.value == "proportion" else as_text.count(row.value)
    return {
        "Picture": data.thumbnail_uri(row.cover),
        "Arm": _named(row),
        as_text.words(metric.denominator or page.experiment.unit + "s"): as_text.count(row.n),
        as_text.words(metric.numerator): as_text.count(row.successes),
        "Rate": value,
        lift: as_text.lift_with_interval(result) if result else as_text.NONE,
        "p": as_text.p_value(result.adjusted_p) if result else as_text.NONE,
        "Chance": as_text.chance(result.chance_to_win) if result else as_text.NONE,
    }


def elements(page: ResultsPage, *, expanded: bool = False) -> None:
    """What each arm is made of: every factor in which the arms differ."""
    rows = ranked(page)
    made = [row.arm.levels for row in rows if row.arm.levels]
    varied = [name for name in TELLING if len({levels.get(name) for levels in made}) > 1]
    if not varied:
        return
    with st.expander("What each arm is made of", expanded=expanded):
        st.dataframe(
            [
                {"Arm": _named(row)}
                | {as_text.words(name): row.arm.levels.get(name, as_text.NONE) for name in varied}
                | {"Assets": len(row.arm.asset_ids)}
                for row in rows
            ],
            hide_index=True,
            height="content",
            alt="Every arm with its level of each factor that varies",
        )


def _money(page: ResultsPage) -> None:
    rows = [
        {
            "Arm": _named(row),
            "Spend": as_text.money(row.cost.spend, row.cost.currency),
            "Conversions": as_text.count(row.cost.conversions),
            "Per click": as_text.money(row.cost.per_click, row.cost.currency),
            "Per conversion": as_text.money(row.cost.per_conversion, row.cost.currency),
        }
        for row in ranked(page)
        if row.cost
    ]
    if rows:
        with st.expander("What each arm costs"):
            st.dataframe(rows, hide_index=True, height="content", alt="Money by arm")
            for note in page.analysis.notes if page.analysis else ():
                st.caption(pieces.escape(note))
