"""Experiment: the tests of a campaign, what each shows, and the next one before its launch."""

from __future__ import annotations

import streamlit as st

from dashboard import data, navigation, pieces
from dashboard import format as as_text
from dashboard.views import launch, results

NEW = "new"


def show() -> None:
    """Draw the page."""
    slug = navigation.campaign()
    found = {one.id: one for one in data.experiments(slug)}
    if not found:
        pieces.heading("Experiment", "Plan the test before money is spent; once it runs, it is frozen.")
        launch.show(slug)
        return
    choices = [*found, NEW]
    if (launched := st.session_state.pop("launched", None)) in found:
        st.query_params["experiment"] = launched
    with st.sidebar:
        chosen = st.selectbox(
            "Experiment",
            choices,
            index=pieces.asked_for("experiment", choices),
            format_func=lambda key: (
                "Plan a new test" if key == NEW else f"{found[key].name} ({as_text.STATUSES[found[key].status][0]})"
            ),
        )
    st.query_params["experiment"] = chosen
    if chosen == NEW:
        pieces.heading("A new test", "Plan the test before money is spent; once it runs, it is frozen.")
        launch.show(slug)
    else:
        results.show(str(chosen))
