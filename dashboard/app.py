"""The dashboard's one script: navigation, the campaign at the side, and the page chosen."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import data, navigation, pieces
from proofsheet.errors import ProofsheetError

STATIC = Path(__file__).resolve().parent / "static"


def main() -> None:
    """Draw the page chosen; a problem the user can act on is shown in its place."""
    st.set_page_config(page_title="Proofsheet", page_icon=str(STATIC / "mark.png"), layout="wide")
    st.logo(str(STATIC / "logo.png"), size="large", icon_image=str(STATIC / "mark.png"))
    chosen = st.navigation(dict(navigation.sections()), position="sidebar", expanded=True)
    pieces.show_flash()
    try:
        has_campaign = _choose_campaign()
        entry = navigation.find(chosen.url_path)
        if entry.of_campaign and not has_campaign:
            _no_campaign(entry.title)
        else:
            chosen.run()
    except ProofsheetError as error:
        pieces.show_error(error)


def _choose_campaign() -> bool:
    with st.sidebar:
        slugs = data.campaigns()
        if slugs:
            navigation.settle_campaign(slugs)
            st.selectbox("Campaign", slugs, key=navigation.CHOICE, on_change=navigation.campaign_chosen)
        st.text_input(
            "Working as",
            key="person",
            placeholder=data.house().user,
            persist_state="session",
            help="Reviews and decisions are recorded under this name.",
        )
    return bool(slugs)


def _no_campaign(title: str) -> None:
    pieces.heading(title)
    pieces.empty(
        "No campaign yet",
        "Plan one from a brief, or run the example from brief to decision:",
        "make demo",
        "proofsheet plan examples/norda/brief.toml",
    )


main()
