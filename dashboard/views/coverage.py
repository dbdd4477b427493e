"""Coverage: what a campaign's pictures together show, against what the brief asks; sums only."""

from __future__ import annotations

import streamlit as st

from dashboard import coverage_charts, data, navigation, pieces
from dashboard import format as as_text
from proofsheet.domain.coverage import AxisCoverage, CoverageReport
from proofsheet.workflows.coverage_words import percent, span, summary, title_of

LEAD = "What the pictures together show, as perceived, with error bars. Nothing is said of a single picture."

#: Icon and colour of a verdict: colour never stands alone.
VERDICTS = {
    "met": (":material/check_circle:", "blue"),
    "not met": (":material/cancel:", "red"),
    "insufficient evidence": (":material/help:", "gray"),
}


def show() -> None:
    """Draw the page."""
    slug = navigation.campaign()
    pieces.heading("Coverage", LEAD)
    report, is_fresh = data.coverage(slug)
    if report is None:
        pieces.empty(
            "No report yet",
            "A model looks every scene over once, before words are set on it. Then label a random sample, so that its "
            "errors can be allowed for:",
            f"proofsheet coverage --campaign {slug}",
            f"proofsheet label --campaign {slug}",
        )
        return
    if not is_fresh:
        st.warning(
            "Assets, reviews, labels or targets have changed since this report. Run: proofsheet coverage",
            icon=":material/history:",
        )
    _numbers(report)
    for axis in report.axes:
        _axis(axis)
    _gaps(report)
    _scenarios(report)
    _asked(report)
    st.subheader("What this report cannot tell", anchor=False)
    limits = (*report.limitations, *(f"{axis.title}: {axis.limitation}" for axis in report.axes))
    st.caption("\n".join(f"- {pieces.escape(text)}" for text in limits))


def _numbers(report: CoverageReport) -> None:
    judged = [axis.verdict for axis in report.axes if axis.verdict]
    with st.grid(4, min_column_width=145, border=True, key="numbers") as grid:
        grid.metric("Distinct scenes", as_text.count(report.pictures), help=f"Of {report.assets} {report.population}.")
        for verdict in VERDICTS:
            grid.metric(as_text.capital(verdict), as_text.count(judged.count(verdict)), help="Axes with a target.")
    st.caption(pieces.escape(f"Looked at by {report.model}, {as_text.moment(report.at)}."))


def _axis(axis: AxisCoverage) -> None:
    with st.container(border=True):
        if axis.verdict:
            icon, colour = VERDICTS[axis.verdict]
            st.badge(as_text.capital(axis.verdict), icon=icon, color=colour)  # type: ignore[arg-type]
        pieces.chart(coverage_charts.shares(axis, dark=pieces.is_dark()), key=f"shares-{axis.axis}")
        st.caption(pieces.escape(summary(axis)))
        with st.expander("Numbers"):
            pieces.table(
                [
                    {
                        "Value": row.title,
                        "Share": percent(row.share),
                        f"{axis.confidence:.0%} interval": span(row.low, row.high),
                        "Naive share": f"{percent(row.naive)} ({row.count} of {axis.n})",
                        "Asked for": ""
                        if row.target is None
                        else f"{percent(row.target)} ({span(row.least, row.most)})",
                        "Verdict": as_text.capital(row.verdict) if row.verdict else "",
                    }
                    for row in axis.values
                ],
                alt=f"{axis.title} in numbers",
            )


def _gaps(report: CoverageReport) -> None:
    if not report.gaps:
        return
    st.subheader("Gaps, and what would fill them", anchor=False)
    for gap in report.gaps:
        count = as_text.plural(len(gap.variants), "variant")
        more = f" {count} can be added to the plan." if gap.variants else ""
        st.markdown(f":material/build: **{pieces.escape(gap.what)}**  \n{pieces.escape(gap.remedy + more)}")
    if any(gap.variants for gap in report.gaps):
        st.code(f"proofsheet coverage --campaign {report.campaign} --fill", language="bash")


def _scenarios(report: CoverageReport) -> None:
    if not report.cells:
        return
    served = sum(cell.approved > 0 for cell in report.cells)
    st.subheader(f"Scenarios: {served} of {len(report.cells)} served by an approved asset", anchor=False)
    st.dataframe(
        [
            {
                **{as_text.capital(as_text.words(name)): level for name, level in cell.levels.items()},
                "Served": "✓" if cell.approved else "✕",
                "Planned": cell.planned,
                "Made": cell.made,
                "Approved": cell.approved,
                "As asked": as_text.count(cell.as_asked),
            }
            for cell in report.cells
        ],
        hide_index=True,
        column_config={
            "As asked": st.column_config.TextColumn(help="Approved, and the scene seems to show what its words ask.")
        },
        alt="Scenarios of the plan, and how many assets serve each",
    )


def _asked(report: CoverageReport) -> None:
    if not report.asked:
        return
    st.subheader("Requested against perceived", anchor=False)
    pieces.table(
        [
            {
                "Axis": title_of(report, one.axis, one.requested)[0],
                "Requested": title_of(report, one.axis, one.requested)[1],
                "Perceived": title_of(report, one.axis, one.perceived)[1],
                "Scenes": as_text.count(one.count),
            }
            for one in report.asked
        ],
        alt="What prompts ask for, and what scenes seem to show",
    )
