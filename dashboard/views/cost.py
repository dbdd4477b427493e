"""Cost: what making the pictures took and what showing them took, per asset, per approved asset, per conversion."""

from __future__ import annotations

import streamlit as st

from dashboard import charts, data, navigation, pieces
from dashboard import format as as_text
from proofsheet.domain.result import ArmCost
from proofsheet.workflows.cost_pages import CostPage, MediaCost

OWN = "Its own lines of the ledger and its share of its scene, time for review included."


def show() -> None:
    """Draw the page."""
    slug = navigation.campaign()
    page = data.costs(slug)
    pieces.heading("Cost", "Every action that costs writes one line, once. Nothing is estimated here.")
    if not page.entries:
        pieces.empty("Nothing spent yet", "Costs are written as assets are made:", f"proofsheet generate {slug}")
        return
    found = data.media(slug)
    _numbers(page, found)
    bars, time = st.columns([3, 2], gap="medium")
    with bars:
        pieces.chart(charts.cost_bars(page, dark=pieces.is_dark()), key="bars")
    with time:
        _time(page)
    for media in found:
        _media(media)
    _ledger(page)


def _numbers(page: CostPage, found: tuple[MediaCost, ...]) -> None:
    with st.grid(3, min_column_width=145, border=True, key="numbers") as grid:
        grid.metric("Making, in all", as_text.money(page.total, page.currency))
        grid.metric(
            "Per asset", as_text.money(page.per_asset, page.currency), help=as_text.plural(page.assets, "asset")
        )
        grid.metric(
            "Per approved asset",
            as_text.money(page.per_approved, page.currency),
            help=f"{page.approved} approved of {page.assets}: what was rejected is paid for too.",
        )
        if page.per_generated is not None:
            grid.metric("Per generated asset", as_text.money(page.per_generated, page.currency), help=OWN)
        if page.per_uploaded is not None:
            grid.metric("Per uploaded picture", as_text.money(page.per_uploaded, page.currency), help=OWN)
        for media in found[-1:]:
            grid.metric(
                "Media per conversion",
                as_text.money(media.per_conversion, media.currency),
                help=f"{as_text.money(media.spend, media.currency)} for {as_text.count(media.conversions)} "
                f"conversions in “{media.experiment.name}”.",
            )
    if page.budget and page.budget.currency == page.currency and page.budget.amount:
        used = float(page.generated / page.budget.amount)
        spent = as_text.money(page.generated, page.currency)
        st.progress(min(used, 1.0), text=f"Generation took {spent} of its budget of {page.budget} ({used:.1%})")
    if page.other_currencies:
        st.info(f"Lines in {', '.join(page.other_currencies)} stand in the ledger and are not added up here.")


def _time(page: CostPage) -> None:
    total = sum(page.seconds.values())
    st.markdown(f"**{as_text.duration(total)} of work in all**" if total else "**No time recorded**")
    st.dataframe(
        [
            {"Work": charts.KINDS.get(kind, as_text.words(kind)), "Time": as_text.duration(seconds)}
            for kind, seconds in sorted(page.seconds.items(), key=lambda pair: -pair[1])
        ],
        hide_index=True,
        alt="Time by kind of work",
    )


def _media(media: MediaCost) -> None:
    st.subheader(f"Media: {media.experiment.name}", anchor=False)
    st.dataframe(
        [
            {
                "Arm": title,
                "Spend": as_text.money(cost.spend, cost.currency),
                "Clicks": as_text.count(cost.clicks),
                "Conversions": as_text.count(cost.conversions),
                "Per click": as_text.money(cost.per_click, cost.currency),
                "Per conversion": as_text.money(cost.per_conversion, cost.currency),
                "Making": as_text.money(cost.production, made_in(cost)),
                "Per asset": as_text.money(cost.per_approved_asset, made_in(cost)),
            }
            for title, cost in media.rows
        ],
        hide_index=True,
        height="content",
        column_config={"Per asset": st.column_config.TextColumn(help="Making, for each approved asset.")},
        alt="Money by arm",
    )


def made_in(cost: ArmCost) -> str:
    """The currency of what making the arm took."""
    return cost.production_currency or cost.currency


def _ledger(page: CostPage) -> None:
    st.subheader("Ledger", anchor=False)
    st.dataframe(
        [
            {
                "When (UTC)": as_text.minute(entry.at),
                "What": charts.KINDS.get(entry.what, as_text.words(entry.what)),
                "Quantity": f"{entry.quantity.normalize():f} {entry.unit}",
                "Price": f"{entry.unit_price.normalize():f}",
                "Amount": f"{entry.amount:,.6f} {entry.currency}",
                "For": entry.asset_id or entry.scene_id or as_text.NONE,
                "Price from": entry.source.removeprefix("setting ").replace("_", " "),
            }
            for entry in reversed(page.entries)
        ],
        hide_index=True,
        alt="The ledger, newest first",
    )
