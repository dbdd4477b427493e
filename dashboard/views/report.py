"""A report to read: what would be understood of it, what it leaves open, and only then the import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import actions, pieces
from dashboard import format as as_text

if TYPE_CHECKING:
    from warehouse.inspection import Inspection


def show() -> None:
    """Draw the upload, the inspection and the button that imports."""
    st.subheader("Read another report", anchor=False)
    file = st.file_uploader(
        "Report of an ad platform, or any table with a header",
        type=["csv", "tsv", "txt", "xlsx"],
        key=f"report-{st.session_state.get('reports', 0)}",
        max_upload_size=50,
        help="Nothing is stored before you say so.",
    )
    if file is None:
        return
    content = file.getvalue()
    with pieces.told():
        answers = st.session_state.get("answers", {}).get(file.file_id, ())
        found = actions.inspect(file.name, content, answers)
        _found(found)
        _questions(found, file.file_id, answers)
        if st.button(
            "Load it into the warehouse",
            type="primary",
            icon=":material/database:",
            key="ingest",
            disabled=not found.ready,
            help=None if found.ready else "Answer the questions first.",
        ):
            _load(file.name, content, answers)


def _load(name: str, content: bytes, answers: tuple[str, ...]) -> None:
    record = actions.ingest(name, content, answers)
    st.query_params["import"] = record.id
    if record.already_imported:
        pieces.flash("Nothing changed: this very file was loaded before.", ":material/info:")
    else:
        pieces.flash(f"Loaded {record.loaded:,} rows, set {record.set_aside:,} aside.", ":material/database:")
    st.session_state["reports"] = st.session_state.get("reports", 0) + 1
    st.rerun()


def _found(found: Inspection) -> None:
    with st.grid(4, min_column_width=145, border=True, key="inspected") as grid:
        grid.metric("Layout", as_text.words(found.layout), help=found.layout_reason)
        grid.metric("Would load", as_text.count(found.loaded))
        grid.metric("Would set aside", as_text.count(found.set_aside))
        grid.metric("Would flag", as_text.count(found.flagged), help="Loaded, with a remark on the row.")
    rows = [{"What": as_text.words(name), "Found": value} for name, value in found.facts() if name != "flags"]
    totals = ((f"Total {name.replace('_', ' ')}", f"{total:,}") for name, total in found.totals.items())
    rows += [{"What": name, "Found": total} for name, total in totals]
    pieces.table(rows, "What was understood of the file")
    with st.expander("Which column is read as what"):
        st.dataframe(
            [{"Column": header, "Read as": field} for header, field in map(tuple, found.columns)],
            hide_index=True,
            alt="Columns and the fields they are read as",
        )
    if found.flags:
        pieces.flags(tuple(found.flags), {name: _where(found, name) for name in found.flags})
    if found.rejects:
        st.markdown(f"**{as_text.plural(found.set_aside, 'row')} would be set aside**")
        st.dataframe(
            [
                {"Line": one.line, "Column": one.column, "Value": one.value, "Reason": one.reason, "Row": one.raw}
                for one in found.rejects
            ],
            hide_index=True,
            alt="Rows that would be set aside",
        )


def _where(found: Inspection, flag: str) -> str:
    """How many rows carry a flag, and the lines of the first."""
    number, lines = found.flags[flag], found.flag_lines.get(flag, ())
    named = f", line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}" if lines else ""
    return as_text.plural(number, "row") + named + (" and more" if number > len(lines) > 0 else "")


def _questions(found: Inspection, file_id: str, answers: tuple[str, ...]) -> None:
    for number, question in enumerate(found.questions):
        st.warning(f"**{as_text.words(question.topic)}.** {pieces.escape(question.text)}", icon=":material/help:")
        answer = st.selectbox(
            "Answer",
            question.answers,
            index=None,
            placeholder="Choose, or write your own",
            accept_new_options=True,
            key=f"answer-{file_id}-{len(answers)}-{number}",
        )
        if answer:
            st.session_state.setdefault("answers", {})[file_id] = (*answers, answer)
            st.rerun()
    if answers:
        st.caption(f"Answered: {pieces.escape(' '.join(answers))}")
        if st.button("Take the answers back", type="tertiary", key="unanswer"):
            st.session_state["answers"].pop(file_id)
            st.rerun()
