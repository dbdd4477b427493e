"""What an experiment shows: health first, the verdict in words, then numbers with their intervals."""

from __future__ import annotations

import streamlit as st

from dashboard import charts, data, navigation, pieces
from dashboard import format as as_text
from dashboard.views import arms, decision, expected, health, measures
from proofsheet.workflows.result_pages import EVIDENCE, WAITING, ResultsPage, named, trend_field


def show(experiment_id: str) -> None:
    """Draw the results of one experiment."""
    page = data.results(experiment_id)
    if page.is_stale:
        with pieces.told():
            data.refresh(experiment_id)
            page = data.results(experiment_id)
    experiment = page.experiment
    pieces.heading(experiment.name, named(experiment.hypothesis, experiment, page.titles))
    with st.container(horizontal=True, vertical_alignment="center"):
        pieces.status_badge(experiment)
        st.caption(
            f"Since {as_text.day(experiment.started_at)}"
            + (f", ended {as_text.day(experiment.ended_at)}" if experiment.ended_at else ""),
            width="content",
        )
    pieces.cautions(page.cautions)
    if page.waits:
        _waiting(page)
        return
    health.show(page)
    _verdict(page)
    if any(row.result and row.result.lift is not None for row in page.arms):
        pieces.chart(charts.forest(page, dark=pieces.is_dark()), key="forest")
    arms.show(page)
    expected.show(page)
    _trend(page)
    measures.show(page)
    decision.show(page)


def _waiting(page: ResultsPage) -> None:
    pieces.empty(
        WAITING,
        "Upload the exported ads to the platform. Then import its report of them, here or from the command line; "
        "results follow by themselves:",
        "proofsheet ingest report.csv",
    )
    with st.container(horizontal=True):
        navigation.link("export", "Export the ads")
        navigation.link("imports", "Import a report")
    arms.elements(page, expanded=True)
    decision.end_button(page)


def _verdict(page: ResultsPage) -> None:
    with st.container(border=True):
        st.header(page.headline, anchor=False)
        st.markdown(pieces.escape(page.sentence))
        if page.evidence:
            st.markdown(f":gray-badge[Evidence {page.evidence.value}] {EVIDENCE[page.evidence]}")
        if page.experiment.design:
            planned = page.experiment.design.n_per_arm
            unit = page.experiment.unit
            st.progress(min(page.progress, 1.0), text=f"{page.progress:.0%} of {planned:,} {unit}s per arm")
        if page.analysis and page.analysis.reading:
            st.caption(pieces.escape(page.analysis.reading))


def _trend(page: ResultsPage) -> None:
    if not page.trend:
        return
    names = [row.arm.name for row in arms.ranked(page)]
    shown = st.multiselect(
        "Arms in the chart",
        names,
        default=names[:3],
        max_selections=charts.MAX_LINES,
        format_func=lambda name: page.titles[name],
        key=f"trend-{page.experiment.id}",
    )
    if shown:
        counted = trend_field(page.experiment).replace("_", " ")
        pieces.chart(charts.trend(page.trend, shown, counted, dark=pieces.is_dark()), key="trend")
