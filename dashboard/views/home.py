"""Home: what needs a person, the campaigns, the last imports."""

from __future__ import annotations

import streamlit as st

from dashboard import data, navigation, pieces
from dashboard import format as as_text
from proofsheet.workflows.front_page import CampaignCard, Need, Overview

ICONS = {
    "review": ":material/rate_review:",
    "score": ":material/speed:",
    "decide": ":material/gavel:",
    "running": ":material/play_circle:",
    "launch": ":material/rocket_launch:",
    "import": ":material/warning:",
}
DO = {
    "review": "Review",
    "score": "See them",
    "decide": "Decide",
    "running": "See results",
    "launch": "Plan the test",
    "import": "See why",
}


def show() -> None:
    """Draw the page."""
    page = data.overview()
    pieces.heading("Home", "What waits for you, and how each campaign stands.")
    if not page.campaigns:
        _welcome()
    else:
        _needs(page)
        st.subheader("Campaigns", anchor=False)
        for card in page.campaigns:
            _card(card)
    if page.imports:
        _imports(page)


def _welcome() -> None:
    pieces.empty(
        "Nothing here yet",
        "Proofsheet takes a brief to ad-ready pictures, tests them, and says which to ship. "
        "Run the example from brief to decision (two minutes, simulated traffic):",
        "make demo",
    )
    pieces.empty(
        "Or start with your own brief",
        "A brief is one TOML file: message, product picture, brand colours, placements and what to vary.",
        "proofsheet plan my-campaign/brief.toml",
        "proofsheet generate",
        "proofsheet score",
    )


def _needs(page: Overview) -> None:
    st.subheader("Needs you", anchor=False)
    if not page.needs:
        st.success("Nothing waits for you.", icon=":material/check_circle:")
        return
    with st.grid(3, min_column_width=260, border=True, key="needs") as grid:
        for need in page.needs:
            with grid.cell():
                _need(need)


def _need(need: Need) -> None:
    if need.campaign_name:
        st.caption(pieces.escape(need.campaign_name))
    st.markdown(f"{ICONS[need.kind]} {pieces.escape(need.text)}")
    navigation.link(need.page, DO[need.kind], slug=need.campaign, icon=":material/arrow_forward:")


def _card(card: CampaignCard) -> None:
    with st.container(border=True):
        words, wall = st.columns([2, 3], gap="medium", vertical_alignment="center")
        with words:
            st.subheader(card.name, anchor=False)
            st.markdown(pieces.escape(card.message))
            if card.made_for:
                st.caption(f"Made for {card.made_for}, uploads and reviews included")
            with st.container(horizontal=True, gap="xsmall"):
                for state, (word, colour, icon) in as_text.STATES.items():
                    if number := card.states.get(state, 0):
                        st.badge(f"{number} {word.lower()}", icon=icon, color=colour)  # type: ignore[arg-type]
            for experiment in card.experiments:
                with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                    pieces.status_badge(experiment)
                    st.caption(pieces.escape(experiment.name), width="content")
                if outcome := card.outcomes.get(experiment.id):
                    shipped = f": “{outcome[1]}”" if outcome[1] else ""
                    st.markdown(f"**{as_text.CALLS[outcome[0]]}{pieces.escape(shipped)}**")
            with st.container(horizontal=True):
                navigation.link("sheet", "Contact sheet", slug=card.slug)
                navigation.link("experiment", "Experiment", slug=card.slug)
        with wall:
            _wall(card)


def _wall(card: CampaignCard) -> None:
    if not card.covers:
        st.caption("No pictures yet. Make them with:")
        st.code(f"proofsheet generate {card.slug}", language="bash")
        return
    with st.grid(4, min_column_width=60, gap="xsmall", key=f"wall-{card.slug}") as wall:
        for sha256 in card.covers:
            wall.image(data.thumbnail(sha256, 360), width="stretch", alt=f"A picture of {card.name}")
    st.caption(f"{as_text.plural(card.variants, 'variant')}, {as_text.plural(card.assets, 'asset')}")


def _imports(page: Overview) -> None:
    st.subheader("Last imports", anchor=False)
    st.dataframe(
        [
            {
                "File": record.file_name,
                "Layout": as_text.words(record.layout),
                "Loaded": record.loaded,
                "Set aside": record.set_aside,
                "Flagged": record.flagged,
                "Imported (UTC)": as_text.minute(record.imported_at),
            }
            for record in page.imports
        ],
        hide_index=True,
        alt="The last imported reports with the rows loaded and set aside",
    )
    navigation.link("imports", "All imports")
