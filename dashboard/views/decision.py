"""The decision: what the rule proposes, what a person records, and what was decided before."""

from __future__ import annotations

import streamlit as st

from dashboard import actions, pieces
from dashboard import format as as_text
from proofsheet.domain.experiment import Experiment, ExperimentStatus
from proofsheet.domain.result import Call, Decision
from proofsheet.workflows.decide import rule_text, rules
from proofsheet.workflows.result_pages import ProposedCall, ResultsPage, named


def show(page: ResultsPage) -> None:
    """Draw the proposal, the form and the record."""
    st.subheader("Decision", anchor=False)
    for one in reversed(page.decisions):
        _recorded(one, page)
    open_states = (ExperimentStatus.RUNNING, ExperimentStatus.ENDED)
    if page.proposal and page.experiment.status in open_states:
        _proposed(page.proposal, page)
        _form(page, page.proposal)
    end_button(page)


def _recorded(one: Decision, page: ResultsPage) -> None:
    with st.container(border=True):
        arm = f": “{page.titles.get(one.arm, one.arm)}”" if one.arm else ""
        st.markdown(f":material/flag: **{as_text.CALLS[one.call]}{pieces.escape(arm)}**")
        for reason in one.reasons:
            st.markdown(f"- {pieces.escape(named(reason, page.experiment, page.titles))}")
        if one.override:
            st.markdown(f"**Against the rules, because:** {pieces.escape(one.override)}")
        recorded = f"Recorded by {pieces.escape(one.decided_by)}, {as_text.moment(one.at)}."
        st.caption(recorded, help=rule_text(one.rule))


def _proposed(proposal: ProposedCall, page: ResultsPage) -> None:
    arm = f": “{page.titles.get(proposal.arm, proposal.arm)}”" if proposal.arm else ""
    st.markdown(f"The rules propose **{as_text.CALLS[proposal.call].lower()}{pieces.escape(arm)}**")
    for reason in proposal.reasons:
        st.markdown(f"- {pieces.escape(reason)}")
    if proposal.switch_off:
        names = ", ".join(f"“{title}”" for title in proposal.switch_off)
        st.warning(f"Switch off {pieces.escape(names)}: no later result can ship it.", icon=":material/block:")
    st.caption(f"Rule “{pieces.escape(proposal.rule)}”", help=_table())


def _table() -> str:
    """The rules in their order, as a list."""
    lines = [f"{number}. **{rule.name}**: {rule.when}" for number, rule in enumerate(rules(), start=1)]
    return "\n".join(["The first rule that holds decides:", "", *lines])


def _form(page: ResultsPage, proposal: ProposedCall) -> None:
    names = [arm.name for arm in page.experiment.arms]
    with st.form("decision", border=True):
        calls = list(Call)
        call = st.radio(
            "Record",
            calls,
            index=calls.index(proposal.call),
            format_func=lambda one: as_text.CALLS[one],
            horizontal=True,
        )
        arm = st.selectbox(
            "Arm to ship (when shipping)",
            names,
            index=names.index(proposal.arm) if proposal.arm in names else None,
            format_func=lambda name: page.titles[name],
        )
        why = st.text_input("Why", placeholder="Needed when you go against the rules", max_chars=500)
        if st.form_submit_button("Record the decision", type="primary", icon=":material/flag:"):
            with pieces.told():
                chosen = Call(call)
                actions.decide(page.experiment.id, chosen, arm if chosen is Call.SHIP else None, why)
                pieces.flash("Recorded, with everything that was known.", ":material/flag:")
                st.rerun()


def end_button(page: ResultsPage) -> None:
    """A button that ends a running test, after a second look."""
    if page.experiment.status is ExperimentStatus.RUNNING and st.button(
        "End the test…", icon=":material/stop_circle:", key="end"
    ):
        _confirm(page.experiment, page.progress)


@st.dialog("End this test?", icon=":material/stop_circle:")
def _confirm(experiment: Experiment, progress: float) -> None:
    st.markdown("No more data will be counted; what is there can then be decided on. This cannot be taken back.")
    if progress < 1:
        st.warning(f"Only {progress:.0%} of the planned size is in: a real difference may stay unseen.")
    if st.button("End it now", type="primary", key="end-now"):
        with pieces.told():
            actions.end(experiment.id)
            pieces.flash("The test has ended. It waits for a decision.", ":material/gavel:")
            st.rerun()
