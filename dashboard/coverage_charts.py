"""Shares of an axis with their intervals, against the bands that the brief asks for."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard.charts import BLUE, DARK_BLUE, DARK_VERMILLION, GRID, NEUTRAL, VERMILLION, Chart
from proofsheet.domain.coverage import AxisCoverage, ValueShare
from proofsheet.workflows.coverage_words import percent, span

#: Colour and marker by verdict: colour never stands alone.
MARKERS = {"met": "circle", "not met": "x", "insufficient evidence": "diamond", None: "circle"}


def shares(axis: AxisCoverage, *, dark: bool = False) -> Chart:
    """One row a value: the band asked for, the interval, the share, and the naive share as a hollow ring."""
    rows = axis.values[::-1]
    figure = go.Figure()
    figure.update_layout(
        height=84 + 40 * len(rows),
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        showlegend=False,
        hoverlabel={"align": "left"},
        dragmode=False,
    )
    colours = {
        "met": DARK_BLUE if dark else BLUE,
        "not met": DARK_VERMILLION if dark else VERMILLION,
        "insufficient evidence": NEUTRAL,
        None: NEUTRAL,
    }
    for place, row in enumerate(rows):
        _band(figure, row, place)
        _row(figure, row, place, colours[row.verdict])
    figure.update_xaxes(
        title={"text": "Share of pictures"}, tickformat=".0%", range=[-0.02, 1.02], gridcolor=GRID, fixedrange=True
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[row.title for row in rows],
        automargin=True,
        fixedrange=True,
        showgrid=False,
        zeroline=False,
        ticklabelstandoff=8,
        range=[-0.6, len(rows) - 0.4],
    )
    note = (
        f"n = {axis.n} distinct scenes. Line: {axis.confidence:.0%} interval. Ring: the naive share. "
        "Shaded: what the brief asks for. Cross: not met; diamond: insufficient evidence."
    )
    return Chart(figure, _title(axis), note, _alt(axis))


def _band(figure: go.Figure, row: ValueShare, place: int) -> None:
    if row.least is not None and row.most is not None:
        figure.add_shape(
            type="rect",
            x0=row.least,
            x1=row.most,
            y0=place - 0.36,
            y1=place + 0.36,
            fillcolor="rgba(0,158,115,0.18)",
            line={"width": 0},
            layer="below",
        )


def _row(figure: go.Figure, row: ValueShare, place: int, colour: str) -> None:
    if row.low is not None and row.high is not None:
        figure.add_scatter(
            x=[row.low, row.high],
            y=[place, place],
            mode="lines",
            line={"color": colour, "width": 5},
            opacity=0.75,
            hoverinfo="skip",
        )
    told = (
        f"<b>{row.title}</b><br>share {percent(row.share)}, {span(row.low, row.high)}"
        f"<br>naive {percent(row.naive)} ({row.count} pictures)"
        + (f"<br>asked for {span(row.least, row.most)}: {row.verdict}" if row.verdict else "")
        + "<extra></extra>"
    )
    if row.naive is not None:
        figure.add_scatter(
            x=[row.naive],
            y=[place],
            mode="markers",
            marker={"color": NEUTRAL, "size": 11, "symbol": "circle-open", "line": {"width": 2}},
            hovertemplate=told,
        )
    if row.share is not None:
        figure.add_scatter(
            x=[row.share],
            y=[place],
            mode="markers",
            marker={
                "color": colour,
                "size": 12,
                "symbol": MARKERS[row.verdict],
                "line": {"color": "#fdfcf9", "width": 1},
            },
            hovertemplate=told,
        )


def _title(axis: AxisCoverage) -> str:
    if not axis.n:
        return f"{axis.title}: no picture yet"
    if axis.verdict:
        return f"{axis.title}: {axis.verdict}"
    known = [row for row in axis.values if row.share is not None]
    if not known:
        return f"{axis.title}: not known"
    most = max(known, key=lambda row: row.share or 0.0)
    return f"{axis.title}: mostly {most.title} ({span(most.low, most.high)})"


def _alt(axis: AxisCoverage) -> str:
    parts = [f"{row.title} {percent(row.share)}, {span(row.low, row.high)}" for row in axis.values]
    return f"{_title(axis)}. Shares with intervals: {'; '.join(parts)}."
