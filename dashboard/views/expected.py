"""What to expect of the arms: their lifts after past experiments have had their say, and who is likely the best."""

from __future__ import annotations

import streamlit as st

from dashboard import format as as_text
from dashboard import pieces
from proofsheet.workflows.beliefs import prior_words
from proofsheet.workflows.result_pages import ResultsPage


def show(page: ResultsPage) -> None:
    """Draw the folded table of expectations, where there are any."""
    beliefs = page.beliefs
    if beliefs is None:
        return
    with st.expander("What to expect"):
        st.caption(pieces.escape(prior_words(beliefs.prior)))
        rows = [
            {
                "Arm": page.titles.get(one.arm, one.arm),
                "Measured": as_text.lift(one.raw),
                "Expected": f"{as_text.lift(one.lift)}  ({as_text.interval(one.low, one.high)})",
                "Best": as_text.chance(one.chance_best),
                "Loss": f"{one.expected_loss:.2%}",
            }
            for one in sorted(beliefs.arms, key=lambda one: -one.chance_best)
        ]
        control = page.experiment.control.name
        rows.append(
            {
                "Arm": f"{page.titles.get(control, control)} (control)",
                "Measured": "–",
                "Expected": "–",
                "Best": as_text.chance(beliefs.control_chance_best),
                "Loss": f"{beliefs.control_expected_loss:.2%}",
            }
        )
        st.dataframe(
            rows,
            hide_index=True,
            column_config={
                "Measured": st.column_config.TextColumn("Measured lift"),
                "Expected": st.column_config.TextColumn("Expected lift"),
                "Best": st.column_config.TextColumn("Chance to be best", help="Among all arms and the control."),
                "Loss": st.column_config.TextColumn(
                    "Loss on these terms",
                    help="What choosing this arm gives up on average against the best one, as a lift, once past "
                    "experiments have had their say. The verdict's expected loss goes by this test alone.",
                ),
            },
            alt="Arms with their expected lifts, chances to be the best and expected losses",
        )
        if page.waiting:
            st.caption(pieces.escape(page.waiting))
