"""One asset: large, with its evidence, its scores, its recipe, its cost and its history; or two side by side."""

from __future__ import annotations

import streamlit as st

from dashboard import format as as_text
from dashboard import pieces
from dashboard.views import facts
from proofsheet.workflows.pages import ContactSheet, SheetItem


def go(asset_id: str | None, other: str | None = None) -> None:
    """Open an asset (None: back to the sheet) by the page's address, and draw again."""
    for name, value in (("asset", asset_id), ("with", other)):
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
    st.rerun()


def show(page: ContactSheet, item: SheetItem, chosen: tuple[SheetItem, ...]) -> None:
    """Draw one asset, or two when a second one is asked for; ``chosen`` is what the arrows walk through."""
    _walk(item, chosen)
    others = {one.asset.id: one for one in page.items if one.asset.id != item.asset.id}
    other = others.get(st.query_params.get("with", ""))
    if other is not None:
        pieces.heading("Side by side")
        _compare(item, other)
    else:
        pieces.heading(item.title)
        _one(item)
    _pick_other(item, others, other)


def _walk(item: SheetItem, chosen: tuple[SheetItem, ...]) -> None:
    ids = [one.asset.id for one in chosen]
    at = ids.index(item.asset.id) if item.asset.id in ids else None
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Contact sheet", icon=":material/arrow_back:", shortcut="Esc", key="back"):
            go(None)
        before = ids[at - 1] if at else None
        after = ids[at + 1] if at is not None and at + 1 < len(ids) else None
        if st.button("Previous", shortcut="Left", disabled=before is None, key="previous"):
            go(before)
        if st.button("Next", shortcut="Right", disabled=after is None, key="next"):
            go(after)
        if at is not None:
            st.caption(f"{at + 1} of {len(ids)}", width="content")


def _one(item: SheetItem) -> None:
    large, words = st.columns([3, 2], gap="medium")
    with large:
        shown = st.container()
        drawn = pieces.layers(item, "layers")
        with shown:
            pieces.picture(item, drawn)
    with words:
        _head(item)
        st.subheader("Verdicts", anchor=False)
        if item.verdicts:
            pieces.verdicts(item.verdicts)
        else:
            st.caption("Not scored yet.")
            st.code(f"proofsheet score {item.asset.campaign}", language="bash")
    measured, made, judged = st.tabs(["Scores", "Recipe and lineage", "Review history"])
    with measured:
        facts.scores(item)
    with made:
        facts.recipe(item)
    with judged:
        facts.reviews(item.reviews)


def _head(item: SheetItem) -> None:
    asset = item.asset
    st.caption(f"{as_text.words(asset.placement)} · {asset.width} × {asset.height} px · {asset.locale}")
    with st.container(horizontal=True, gap="xxsmall"):
        pieces.grade_badge(item.grade)
        pieces.state_badge(item)
    cost = as_text.money(item.cost, item.currency) if item.currency else as_text.NONE
    st.markdown(f"**Cost** {cost}, its share of the scene included")


def _compare(item: SheetItem, other: SheetItem) -> None:
    drawn = pieces.layers(item, "layers")
    for column, one in zip(st.columns(2, gap="medium"), (item, other), strict=True):
        with column:
            st.subheader(one.title, anchor=False)
            pieces.picture(one, drawn if one.asset.composition else (), 900)
            _head(one)
            pieces.verdicts(one.problems)


def _pick_other(item: SheetItem, others: dict[str, SheetItem], other: SheetItem | None) -> None:
    picked = st.selectbox(
        "Compare side by side with",
        list(others),
        index=list(others).index(other.asset.id) if other else None,
        format_func=lambda key: f"{others[key].title}, {as_text.words(others[key].asset.placement)}",
        placeholder="Choose another asset",
        key=f"compare-{item.asset.id}",
    )
    if picked != (other.asset.id if other else None):
        go(item.asset.id, picked)
