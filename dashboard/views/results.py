"""What an experiment shows: health first, the verdict in words, then numbers with their intervals."""

from __future__ import annotations

import streamlit as st

from dashboard import charts, data, navigation, pieces
from dashboard import format as as_text
from dashboard.views import decision, measures
from proofsheet.domain.result import HealthCheck
from proofsheet.workflows.result_pages import EVIDENCE, ArmRow, ResultsPage, metric_name, named, trend_field


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
    if page.analysis is None:
        pieces.empty(
            "No analysis yet",
            "Import the platform's report of these ads, here or from the command line; results follow by themselves:",
            "proofsheet ingest report.csv",
        )
        navigation.link("imports", "Import a report")
        decision.end_button(page)
        return
    _health(page)
    _verdict(page)
    if any(row.result and row.result.lift is not None for row in page.arms):
        pieces.chart(charts.forest(page, dark=pieces.is_dark()), key="forest")
    _table(page)
    _trend(page)
    measures.show(page)
    decision.show(page)


def _health(page: ResultsPage) -> None:
    assert page.analysis is not None  # shown only with an analysis
    checks = page.analysis.health
    bad = [check for check in checks if check.ok is False and check.severity != "info"]
    label = (
        f"{len(bad)} of {as_text.plural(len(checks), 'health check')} failed"
        if bad
        else f"All {as_text.plural(len(checks), 'health check')} hold"
    )
    with st.expander(label, expanded=bool(bad), icon=":material/warning:" if bad else ":material/verified:"):
        for check in bad:
            stops = " **Stops every conclusion.**" if check.severity == "blocking" else ""
            st.markdown(f":material/close: {_told(check, page)}{stops}")
        rest = [check for check in checks if check not in bad]
        st.caption("\n".join(f"- {_told(check, page)}" for check in rest))


def _told(check: HealthCheck, page: ResultsPage) -> str:
    """A check in one sentence: its name, whether it holds, and what was found."""
    waits = check.ok is False and check.severity == "info"
    word = "not yet" if waits else {True: "holds", False: "fails", None: "could not be checked"}[check.ok]
    p_value = as_text.p_value(check.p_value)
    is_told = check.p_value is None or "p =" in check.message or "p <" in check.message
    p = "" if is_told else f" (p {'' if p_value[0] == '<' else '= '}{p_value})"
    message = pieces.escape(named(check.message, page.experiment, page.titles))
    return f"**{pieces.escape(as_text.words(check.name))}** {word}. {message}{p}"


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


def _table(page: ResultsPage) -> None:
    st.markdown("**Arms, the control first**")
    rows = sorted(page.arms, key=lambda r: (not r.arm.is_control, -(r.result.lift or 0.0) if r.result else 0.0))
    st.dataframe(
        [_row(row, page) for row in rows],
        hide_index=True,
        row_height=56,
        height="content",
        column_config={"Picture": st.column_config.ImageColumn(width=72)},
        alt="Arms with their counts, rates, lifts and intervals",
    )


def _row(row: ArmRow, page: ResultsPage) -> dict[str, str | None]:
    result, cost = row.result, row.cost
    metric = page.experiment.primary
    value = as_text.share(row.value) if metric.kind.value == "proportion" else as_text.count(row.value)
    return {
        "Picture": data.thumbnail_uri(row.cover),
        "Arm": f"{row.title} (control)" if row.arm.is_control else row.title,
        as_text.words(metric.denominator or page.experiment.unit + "s"): as_text.count(row.n),
        as_text.words(metric.numerator): as_text.count(row.successes),
        as_text.capital(metric_name(metric.name)): value,
        "Lift (95% interval)": as_text.lift_with_interval(result) if result else as_text.NONE,
        "p, adjusted": as_text.p_value(result.adjusted_p) if result else as_text.NONE,
        "Chance to beat control": as_text.chance(result.chance_to_win) if result else as_text.NONE,
        "Per click": as_text.money(cost.per_click, cost.currency) if cost else as_text.NONE,
        "Per conversion": as_text.money(cost.per_conversion, cost.currency) if cost else as_text.NONE,
        "Note": (as_text.no_estimate(result.status) or result.note) if result else "",
    }


def _trend(page: ResultsPage) -> None:
    if not page.trend:
        return
    ranked = sorted(page.arms, key=lambda r: (not r.arm.is_control, -(r.result.lift or 0.0) if r.result else 0.0))
    names = [row.arm.name for row in ranked]
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
