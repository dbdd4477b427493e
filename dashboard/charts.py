"""Rows to figures: each chart's title says what it finds, its axes carry units, and colour is never the only sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import plotly.graph_objects as go

from dashboard import format as as_text
from proofsheet.domain.asset import VariantPlan
from proofsheet.domain.campaign import Factor
from proofsheet.domain.result import Evidence, Result
from proofsheet.workflows.cost_pages import CostPage
from proofsheet.workflows.result_pages import ArmRow, Point, ResultsPage

#: Okabe and Ito (2008): told apart with any kind of colour vision.
BLUE, VERMILLION, GREEN, PINK, ORANGE, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"
SERIES = (BLUE, VERMILLION, GREEN, PINK, ORANGE, SKY)
#: The same hues, lighter, for a dark ground.
DARK_BLUE, DARK_VERMILLION = "#5fb4ea", "#ff8f4d"
DARK_SERIES = (DARK_BLUE, DARK_VERMILLION, "#3ccfa0", "#e6a3c8", "#f2bd4a", "#a9c8e8")
NEUTRAL = "#8a8478"
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GRID = "rgba(138,132,120,0.22)"

#: Lines in one trend before the rest is left to the table.
MAX_LINES = 6
#: The share of an arm's impressions from which its running rate is drawn.
SHOWN_FROM = 0.05


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with the sentence above it, the note below it, and the words a screen reader says."""

    figure: go.Figure
    title: str
    note: str
    alt: str


def _figure(height: int, **layout: Any) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        showlegend=False,
        hoverlabel={"align": "left"},
        dragmode=False,
        **layout,
    )
    return figure


def forest(page: ResultsPage, *, dark: bool = False) -> Chart:
    """Lift of each arm over the control with its interval; neutral until the planned size is reached."""
    rows = sorted(
        (row for row in page.arms if row.result and row.result.lift is not None),
        key=lambda row: (row.result.lift or 0.0) if row.result else 0.0,
    )
    figure = _figure(96 + 44 * len(rows))
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1.5})
    judged = page.reached and not page.blocking and page.evidence is not Evidence.C
    for row in rows:
        assert row.result is not None  # rows without one are left out above
        _forest_row(figure, row, row.result, judged=judged, dark=dark)
    confidence = rows[0].result.confidence if rows and rows[0].result else 0.95
    figure.update_xaxes(
        title={"text": "Lift over the control"},
        tickformat="+.0%",
        gridcolor=GRID,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_yaxes(
        automargin=True,
        fixedrange=True,
        showgrid=False,
        ticklabelstandoff=8,
        range=[-0.55, len(rows) - 0.3],
    )
    note = (
        f"Thick: {confidence:.0%} interval of this comparison alone. Thin: the one that holds for all together. "
        "The vertical line is the control."
    )
    if not judged:
        why = "the evidence is observational" if page.reached and not page.blocking else "nothing may be concluded yet"
        note += f" Drawn in grey, as {why}."
    return Chart(figure, _forest_title(rows, judged=judged), note, _forest_alt(rows, page))


def _forest_title(rows: Sequence[ArmRow], *, judged: bool) -> str:
    lifts = [row.result.lift for row in rows if row.result and row.result.lift is not None]
    if not lifts:
        return "No lift yet"
    if not judged:
        return f"Lifts so far lie between {as_text.lift(min(lifts))} and {as_text.lift(max(lifts))}"
    better = sum(_standing(row.result) == "better" for row in rows if row.result)
    worse = sum(_standing(row.result) == "worse" for row in rows if row.result)
    found = f"{better or 'None'} of {as_text.plural(len(rows), 'variant')} shown to be better than the control"
    return f"{found}, {worse} worse" if worse else found


def _forest_row(figure: go.Figure, row: ArmRow, result: Result, *, judged: bool, dark: bool) -> None:
    standing = _standing(result) if judged else "open"
    better, worse = (DARK_BLUE, DARK_VERMILLION) if dark else (BLUE, VERMILLION)
    colour = {"better": better, "worse": worse, "open": NEUTRAL}[standing]
    symbol = {"better": "triangle-up", "worse": "triangle-down", "open": "circle"}[standing]
    told = {"better": "better than the control", "worse": "worse than the control", "open": "not shown to differ"}
    simultaneous = (result.adjusted_lift_low, result.adjusted_lift_high)
    for (low, high), width in ((simultaneous, 1.5), ((result.lift_low, result.lift_high), 6)):
        if low is not None and high is not None:
            figure.add_scatter(
                x=[low, high],
                y=[row.title, row.title],
                mode="lines",
                line={"color": colour, "width": width},
                opacity=0.75 if width > 2 else 1,
                hoverinfo="skip",
            )
    figure.add_scatter(
        x=[result.lift],
        y=[row.title],
        mode="markers+text",
        marker={"color": colour, "size": 13, "symbol": symbol, "line": {"color": "#fdfcf9", "width": 1.5}},
        text=[as_text.lift(result.lift)],
        textposition="top center",
        hovertemplate=(
            f"<b>{row.title}</b><br>lift {as_text.lift(result.lift)}"
            f"<br>interval {as_text.interval(result.lift_low, result.lift_high)}"
            f"<br>for all comparisons {as_text.interval(result.adjusted_lift_low, result.adjusted_lift_high)}"
            f"<br>n = {result.n_arm:,} against {result.n_control:,}"
            + (f"<br>{told[standing]}" if judged else "")
            + "<extra></extra>"
        ),
    )


def _standing(result: Result) -> str:
    low = result.lift_low if result.adjusted_lift_low is None else result.adjusted_lift_low
    high = result.lift_high if result.adjusted_lift_high is None else result.adjusted_lift_high
    if low is None or high is None or low <= 0 <= high:
        return "open"
    return "better" if (low > 0) is result.higher_is_better else "worse"


def _forest_alt(rows: Sequence[ArmRow], page: ResultsPage) -> str:
    parts = [
        f"{row.title} {as_text.lift(row.result.lift)}, {as_text.interval(row.result.lift_low, row.result.lift_high)}"
        for row in reversed(rows)
        if row.result
    ]
    return f"{page.headline}. Lift over the control with interval: {'; '.join(parts) or 'none yet'}."


def trend(points: Sequence[Point], shown: Sequence[str], counted: str, *, dark: bool = False) -> Chart:
    """The running rate by day of the arms named, each with its shaded interval; ``counted`` names the numerator."""
    figure = _figure(360, hovermode="x unified")
    length, everything = len({p.day for p in points}), len(points)
    points = _grown(points)
    chosen = [arm for arm in shown if any(p.arm == arm for p in points)][:MAX_LINES]
    lasts = []
    for place, arm in enumerate(chosen):
        own = [p for p in points if p.arm == arm]
        colour, days = (DARK_SERIES if dark else SERIES)[place], [p.day for p in own]
        figure.add_scatter(
            x=days + days[::-1],
            y=[p.high for p in own] + [p.low for p in reversed(own)],
            fill="toself",
            fillcolor=_faded(colour),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=days,
            y=[p.rate for p in own],
            mode="lines",
            name=own[-1].title,
            showlegend=True,
            line={"color": colour, "width": 2.5, "dash": DASHES[place]},
            customdata=[[as_text.share(p.low), as_text.share(p.high), f"{p.trials:,}"] for p in own],
            hovertemplate="%{y:.3%} (%{customdata[0]} to %{customdata[1]}, n = %{customdata[2]})",
        )
        lasts.append((own[-1].rate, own[-1].title))
    ends = [p for arm in chosen for p in points if p.arm == arm]
    figure.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, showlegend=True)
    figure.update_yaxes(
        title={"text": f"{as_text.capital(counted)} per impression so far"},
        tickformat=".2%" if max((p.rate for p in ends), default=1) > 0.004 else ".3%",
        gridcolor=GRID,
        fixedrange=True,
        range=_window(ends),
    )
    figure.update_xaxes(gridcolor=GRID, fixedrange=True)
    title = "No daily figures yet"
    if lasts:
        top, bottom = max(lasts), min(lasts)
        title = (
            f"After {as_text.plural(length, 'day')}: {as_text.share(top[0])} for “{top[1]}”, "
            f"{as_text.share(bottom[0])} for “{bottom[1]}”"
        )
    note = f"Shaded: 95% score interval of the {counted} so far; it leaves out swings from day to day."
    if len(points) < everything:
        note += f" Each line begins once its arm has {SHOWN_FROM:.0%} of its impressions."
    return Chart(figure, title, note, f"{title}. Running rate of {counted} by day for {len(chosen)} arms.")


def _grown(points: Sequence[Point]) -> list[Point]:
    """The points from which a rate can be read: the first hours of an arm would need a scale that flattens the rest."""
    most: dict[str, int] = {}
    for point in points:
        most[point.arm] = max(most.get(point.arm, 0), point.trials)
    return [point for point in points if point.trials >= SHOWN_FROM * most[point.arm]]


def _window(points: Sequence[Point]) -> list[float] | None:
    """A range that holds every interval drawn."""
    if not points:
        return None
    low, high = min(p.low for p in points), max(p.high for p in points)
    room = (high - low) * 0.06
    return [max(low - room, 0.0), high + room]


def _faded(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.13)"


def design_matrix(plan: VariantPlan, factors: Sequence[Factor], names: Mapping[str, str]) -> Chart:
    """Which variant has which level: one row a variant, one column a factor that varies."""
    rows = [f"{number:>2}  {variant.id}" for number, variant in enumerate(plan.variants, start=1)]
    order = {factor.name: [level.name for level in factor.levels] for factor in factors}
    levels = [[variant.levels.get(factor.name, "") for factor in factors] for variant in plan.variants]
    shade = [
        [
            (order[factor.name].index(level) + 0.5) / len(order[factor.name]) if level in order[factor.name] else 0.0
            for factor, level in zip(factors, row, strict=True)
        ]
        for row in levels
    ]
    figure = _figure(60 + 27 * len(rows))
    figure.add_heatmap(
        z=shade,
        x=[names.get(factor.name, factor.name) for factor in factors],
        y=rows,
        text=levels,
        texttemplate="%{text}",
        hovertemplate="variant %{y}<br>%{x}: %{text}<extra></extra>",
        colorscale=[[0, "#eaf2fa"], [0.5, "#c3dcf2"], [1, "#8fbce8"]],
        textfont={"color": "#1d1b18"},
        showscale=False,
        xgap=3,
        ygap=3,
        zmin=0,
        zmax=1,
    )
    figure.update_yaxes(autorange="reversed", automargin=True, fixedrange=True, showgrid=False, ticklabelstandoff=6)
    figure.update_xaxes(side="top", fixedrange=True, showgrid=False)
    quality = plan.quality
    kind = "every combination" if quality.kind == "full" else f"{quality.runs} of {quality.full_runs} combinations"
    title = f"{as_text.plural(len(rows), 'variant')}: {kind} of {as_text.plural(len(factors), 'factor')}"
    return Chart(figure, title, "The deeper the shade, the later the level stands in the brief.", f"{title}.")


#: What a kind of the ledger is called.
KINDS: Mapping[str, str] = {
    "scene": "Drawing scenes",
    "compose": "Composing assets",
    "upload": "Uploaded pictures",
    "review": "Review time",
    "score": "Scoring",
}


def cost_bars(page: CostPage, *, dark: bool = False) -> Chart:
    """What making the pictures cost, by kind."""
    pairs = sorted(page.by_kind.items(), key=lambda pair: pair[1])
    figure = _figure(50 + 46 * len(pairs))
    figure.add_bar(
        x=[float(amount) for _, amount in pairs],
        y=[KINDS.get(kind, as_text.words(kind)) for kind, _ in pairs],
        orientation="h",
        marker={"color": DARK_BLUE if dark else BLUE},
        text=[f" {as_text.money(amount, page.currency)}" for _, amount in pairs],
        textposition="outside",
        cliponaxis=False,
        width=0.56,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    most = float(max(page.by_kind.values(), default=Decimal(0)))
    figure.update_xaxes(
        title={"text": page.currency}, gridcolor=GRID, fixedrange=True, range=[0, most * 1.25] if most else None
    )
    figure.update_yaxes(automargin=True, fixedrange=True, showgrid=False, ticklabelstandoff=8)
    title = "Nothing spent yet"
    if pairs and page.total:
        kind, amount = pairs[-1]
        title = f"{KINDS.get(kind, as_text.words(kind))} took {float(amount / page.total):.0%} of the money"
    return Chart(figure, title, f"n = {as_text.plural(len(page.entries), 'line')} of the ledger.", f"{title}.")
