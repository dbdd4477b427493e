"""Contact sheet: every asset of the campaign, filtered, sorted, and one click from its detail."""

from __future__ import annotations

import math

import streamlit as st

from dashboard import data, navigation, pictures, pieces
from dashboard import format as as_text
from dashboard.views import detail
from proofsheet.domain.assessment import Grade
from proofsheet.workflows.pages import ORDERS, STATES, ContactSheet, SheetItem, select

PER_PAGE = 36
ORDER_NAMES = {
    "placement": "Placement",
    "variant": "Variant",
    "grade": "Worst grade first",
    "newest": "Newest first",
}


def show() -> None:
    """Draw the page."""
    page = data.sheet(navigation.campaign())
    chosen = _filters(page)
    wanted = st.query_params.get("asset")
    item = page.item(wanted) if wanted else None
    if item is not None:
        detail.show(page, item, chosen)
        return
    pieces.heading("Contact sheet", page.campaign.brief.name)
    if wanted:
        st.warning(f"There is no asset {pieces.escape(wanted)} in this campaign.")
    if not page.items:
        pieces.empty(
            "No pictures yet",
            "Make the planned assets, then score them:",
            f"proofsheet generate {page.campaign.slug}",
            f"proofsheet score {page.campaign.slug}",
        )
        return
    _summary(page, chosen)
    if not chosen:
        st.info("No asset passes these filters. Clear some of them at the side.", icon=":material/filter_alt_off:")
        return
    pages = math.ceil(len(chosen) / PER_PAGE)
    above = st.container()
    at = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    shown = chosen[(at - 1) * PER_PAGE : at * PER_PAGE]
    with above:
        if st.session_state.get("sort", "placement") == "placement":
            _by_placement(shown)
        else:
            _grid(shown, "all")


def _filters(page: ContactSheet) -> tuple[SheetItem, ...]:
    with st.sidebar:
        st.subheader("Filter the sheet", anchor=False)
        states = st.pills(
            "Review",
            STATES,
            selection_mode="multi",
            format_func=as_text.words,
            key="state",
            bind="query-params",
        )
        grades = st.pills(
            "Grade",
            [grade.value for grade in Grade],
            selection_mode="multi",
            format_func=lambda name: as_text.GRADES[Grade(name)][1],
            key="grade",
            bind="query-params",
        )
        placements = _choose("Placement", page.placements, "placement")
        levels = {name: _choose(as_text.words(name), found, name) for name, found in page.factors.items()}
        locales = _choose("Locale", page.locales, "language") if "locale" not in page.factors else []
        order = st.selectbox(
            "Sort by", ORDERS, format_func=lambda name: ORDER_NAMES[name], key="sort", bind="query-params"
        )
    return select(
        page.items,
        placements=placements,
        levels=levels,
        grades=grades,
        states=states,
        locales=locales,
        order=order or "placement",
    )


def _choose(label: str, options: tuple[str, ...], key: str) -> list[str]:
    if len(options) < 2:
        return []
    return st.multiselect(label, options, format_func=as_text.words, key=key, bind="query-params", placeholder="All")


def _summary(page: ContactSheet, chosen: tuple[SheetItem, ...]) -> None:
    counts = page.counts()
    shown = "" if len(chosen) == len(page.items) else f"{len(chosen)} shown of "
    parts = [f"{shown}{as_text.plural(len(page.items), 'asset')}"]
    parts += [f"{counts[s]} {as_text.STATES[s][0].lower()}" for s in STATES if counts.get(s)]
    st.markdown(f"**{parts[0]}** · " + " · ".join(parts[1:]))


def _by_placement(items: tuple[SheetItem, ...]) -> None:
    names = dict.fromkeys(item.asset.placement for item in items)
    for name in names:
        own = tuple(item for item in items if item.asset.placement == name)
        st.subheader(as_text.words(name), anchor=False)
        st.caption(f"{own[0].asset.width} × {own[0].asset.height} px")
        _grid(own, name, captions=False)


def _grid(items: tuple[SheetItem, ...], key: str, *, captions: bool = True) -> None:
    ratio = pictures.common_ratio([(item.asset.width, item.asset.height) for item in items])
    with st.grid(5, min_column_width=160, key=f"sheet-{key}") as grid:
        for item in items:
            with grid.cell(), st.container(gap="xxsmall"):
                _cell(item, ratio, caption=captions)


def _cell(item: SheetItem, ratio: float | None, *, caption: bool) -> None:
    asset = item.asset
    st.image(data.thumbnail(asset.sha256, 420, ratio), width="stretch", alt=pieces.alt_text(item))
    with st.container(horizontal=True, gap="xxsmall"):
        note = "\n\n".join(f"{as_text.words(v.criterion)}: {v.reason}" for v in item.problems) or None
        pieces.grade_badge(item.grade, note)
        if item.state != "waiting":
            pieces.state_badge(item)
    st.markdown(pieces.escape(item.title))
    if caption:
        st.caption(f"{as_text.words(asset.placement)} · {asset.width} × {asset.height}")
    if st.button("Open", key=f"open-{asset.id}", icon=":material/open_in_full:", width="stretch"):
        detail.go(asset.id)
