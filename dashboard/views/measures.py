"""The metrics beside the primary one: guardrails with what they tolerate, and what is also watched."""

from __future__ import annotations

import streamlit as st

from dashboard import format as as_text
from proofsheet.workflows.result_pages import ResultsPage, metric_name


def show(page: ResultsPage) -> None:
    """Draw both tables; the guardrails open when one is broken."""
    rows = [
        {
            "Guardrail": as_text.capital(metric_name(one.result.metric)),
            "Arm": one.title,
            "Change (95% interval)": as_text.lift_with_interval(one.result),
            "Harm allowed": f"{one.margin:.0%}",
            "Stands": {True: "✓ within", False: "✕ broken", None: "? not shown yet"}[one.ok],
        }
        for one in page.guardrails
    ]
    if rows:
        broken = sum(one.ok is False for one in page.guardrails)
        with st.expander(f"Guardrails: {broken or 'none'} broken", expanded=bool(broken)):
            st.dataframe(rows, hide_index=True, alt="Guardrails by arm")
    others = [
        {
            "Metric": as_text.capital(metric_name(result.metric)),
            "Arm": title,
            "Value": as_text.metric_value(result, result.value_arm),
            "Change (95% interval)": as_text.lift_with_interval(result),
            "n": as_text.count(result.n_arm),
        }
        for title, result in page.secondary
    ]
    if others:
        with st.expander("Other metrics"):
            st.dataframe(others, hide_index=True, alt="Secondary metrics by arm")
