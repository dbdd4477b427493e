"""Health of a test in three words: what stops every conclusion, what is worth knowing, what is not known yet."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from dashboard import format as as_text
from dashboard import pieces
from proofsheet.domain.result import HealthCheck
from proofsheet.workflows.result_pages import ResultsPage, named

#: How a check stands: in a sentence, in the header, and its icon. The order is that of the page.
STANDINGS: dict[str, tuple[str, str, str]] = {
    "stops": ("stops every conclusion", "{} stops every conclusion", ":material/block:"),
    "know": ("worth knowing", "{} to know", ":material/info:"),
    "waits": ("not known yet", "{} not known yet", ":material/hourglass_empty:"),
    "holds": ("holds", "{} hold", ":material/check:"),
}


def standing(check: HealthCheck) -> str:
    """How a check stands, as a key of ``STANDINGS``."""
    if check.ok:
        return "holds"
    if check.ok is None or check.severity == "info":
        return "waits"
    return "stops" if check.severity == "blocking" else "know"


def summary(checks: tuple[HealthCheck, ...]) -> str:
    """All checks in one line: what stops first, then what holds, what to know, what is not known yet."""
    counted = Counter(standing(check) for check in checks)
    parts = [STANDINGS[key][1].format(counted[key]) for key in ("stops", "holds", "know", "waits") if counted[key]]
    return f"Health: {', '.join(parts) or 'nothing checked yet'}"


def show(page: ResultsPage) -> None:
    """Draw the checks: open when one of them has something to say."""
    assert page.analysis is not None  # shown only with an analysis
    checks = page.analysis.health
    found = {standing(check) for check in checks}
    icon = ":material/block:" if "stops" in found else ":material/info:" if "know" in found else ":material/verified:"
    with st.expander(summary(checks), expanded=bool(found & {"stops", "know"}), icon=icon):
        for key in ("stops", "know"):
            for check in checks:
                if standing(check) == key:
                    st.markdown(f"{STANDINGS[key][2]} {_told(check, page)}")
        rest = [check for key in ("waits", "holds") for check in checks if standing(check) == key]
        st.caption("\n".join(f"- {_told(check, page)}" for check in rest))


def _told(check: HealthCheck, page: ResultsPage) -> str:
    """A check in one sentence: its name, how it stands, and what was found."""
    p_value = as_text.p_value(check.p_value)
    is_told = check.p_value is None or "p =" in check.message or "p <" in check.message
    p = "" if is_told else f" (p {'' if p_value[0] == '<' else '= '}{p_value})"
    message = pieces.escape(named(check.message, page.experiment, page.titles))
    return f"**{pieces.escape(as_text.words(check.name))}**: {STANDINGS[standing(check)][0]}. {message}{p}"
