"""Review: one asset at a time, with its verdicts, by mouse or by keyboard; and everything that passes at once."""

from __future__ import annotations

import streamlit as st

from dashboard import actions, data, navigation, pieces
from dashboard import format as as_text
from dashboard.views import facts
from proofsheet.domain.assessment import Grade, Judgement
from proofsheet.errors import InputError
from proofsheet.workflows.pages import SheetItem

REASONS = (
    "Hard to read",
    "Product looks wrong",
    "Off brand",
    "Wrong words",
    "Cluttered",
    "Too like another",
)
QUEUES = {"all": "All waiting", "PASS": "Pass", "REVIEW": "Look closer", "FAIL": "Fail"}


def show() -> None:
    """Draw the page."""
    slug = navigation.campaign()
    page = data.sheet(slug)
    pieces.heading("Review", "Only approved assets are exported and tested. Every judgement keeps its name and time.")
    if not page.items:
        pieces.empty("Nothing to review yet", "Make the assets first:", f"proofsheet generate {slug}")
        return
    done = sum(item.state != "waiting" for item in page.items)
    st.progress(done / len(page.items), text=f"{done} of {len(page.items)} reviewed")
    _undo(slug)
    waiting = [item for item in page.items if item.state == "waiting"]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        queue = _queue(waiting)
        _bulk(slug, waiting)
    if queue:
        _judge(slug, _current(queue), queue)
    elif waiting:
        st.info("Nothing of this grade waits. Choose another queue.", icon=":material/filter_alt_off:")
    else:
        st.success("Everything is reviewed.", icon=":material/check_circle:")
        navigation.link("experiment", "Plan the test")
        navigation.link("export", "Export the approved assets")
    facts.history(page)


def _undo(slug: str) -> None:
    last = st.session_state.get("judged")
    if not last or last[0] != slug:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(last[2], width="content")
        if st.button("Undo", icon=":material/undo:", shortcut="Z", key="undo", type="tertiary"):
            with pieces.told():
                actions.judge(slug, last[1], Judgement.WITHDRAW)
                st.session_state.pop("judged")
                pieces.flash(f"Taken back: {as_text.plural(len(last[1]), 'asset waits', 'assets wait')} again")
                st.rerun()


def _bulk(slug: str, waiting: list[SheetItem]) -> None:
    passing = [item.asset.id for item in waiting if item.grade is Grade.PASS]
    if len(passing) < 2:
        return
    if st.button(f"Approve all {len(passing)} that pass", icon=":material/done_all:", key="bulk"):
        _record(slug, passing, Judgement.APPROVE)


def _queue(waiting: list[SheetItem]) -> list[SheetItem]:
    chosen = st.segmented_control(
        "Queue",
        list(QUEUES),
        default="all",
        required=True,
        format_func=lambda key: QUEUES[key],
        key="queue",
        bind="query-params",
        label_visibility="collapsed",
    )
    return [item for item in waiting if _in(chosen or "all", item)]


def _in(key: str, item: SheetItem) -> bool:
    return key == "all" or (item.grade is not None and item.grade.value == key)


def _current(queue: list[SheetItem]) -> SheetItem:
    ids = [item.asset.id for item in queue]
    at = st.session_state.get("reviewing")
    return queue[ids.index(at)] if at in ids else queue[0]


def _judge(slug: str, item: SheetItem, queue: list[SheetItem]) -> None:
    large, judging = st.columns([5, 4], gap="medium")
    with judging:
        st.subheader(item.title, anchor=False)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            pieces.grade_badge(item.grade)
            st.caption(f"{as_text.words(item.asset.placement)} · {item.asset.width} × {item.asset.height} px")
        _buttons(slug, item, queue)
        pieces.verdicts(item.problems)
        with st.expander(f"All verdicts ({len(item.verdicts)})"):
            pieces.verdicts(item.verdicts)
    with large:
        shown = st.container()
        drawn = pieces.layers(item, "layers")
        with shown:
            pieces.picture(item, drawn)


def _buttons(slug: str, item: SheetItem, queue: list[SheetItem]) -> None:
    asset_id = item.asset.id
    bar = st.container(horizontal=True, gap="xsmall")
    preset = st.pills(
        "Reason", REASONS, key=f"reason-{asset_id}", wrap=True, help="Needed to reject, or to approve a fail."
    )
    own = st.text_input("In your own words", key=f"words-{asset_id}", placeholder="Optional", max_chars=300)
    reason = ": ".join(part for part in (preset or "", own.strip()) if part)
    with bar:
        approve = st.button("Approve", type="primary", icon=":material/thumb_up:", shortcut="A", key="approve")
        reject = st.button("Reject", icon=":material/thumb_down:", shortcut="X", key="reject")
        skip = st.button(
            "Later", type="tertiary", icon=":material/skip_next:", shortcut="L", key="skip", disabled=len(queue) < 2
        )
    if approve or reject:
        _record(slug, [asset_id], Judgement.APPROVE if approve else Judgement.REJECT, reason, then=_after(item, queue))
    if skip:
        st.session_state["reviewing"] = _after(item, queue)
        st.rerun()


def _after(item: SheetItem, queue: list[SheetItem]) -> str:
    ids = [one.asset.id for one in queue]
    return ids[(ids.index(item.asset.id) + 1) % len(ids)]


def _require_reason(slug: str, ids: list[str], judgement: Judgement, reason: str) -> None:
    """Ask for a reason in the words of this page, where one is needed and missing.

    Raises:
        InputError: it is a rejection, or an approval against a fail, without a reason.
    """
    if reason:
        return
    how = "Choose a reason above, or write one in your own words. Then press the button again."
    if judgement is Judgement.REJECT:
        raise InputError("A rejection needs a reason.", how)
    for item in data.sheet(slug).items:
        failed = [verdict for verdict in item.problems if verdict.grade is Grade.FAIL]
        if item.asset.id in ids and failed:
            name = as_text.words(failed[0].criterion).lower()
            raise InputError(f"This picture fails {name}; to approve it all the same needs a reason.", how)


def _record(slug: str, ids: list[str], judgement: Judgement, reason: str = "", then: str = "") -> None:
    with pieces.told():
        _require_reason(slug, ids, judgement, reason)
        actions.judge(slug, ids, judgement, reason)
        word = "Approved" if judgement is Judgement.APPROVE else "Rejected"
        st.session_state["judged"] = (slug, tuple(ids), f"{word} {as_text.plural(len(ids), 'asset')}.")
        st.session_state["reviewing"] = then
        st.rerun()
