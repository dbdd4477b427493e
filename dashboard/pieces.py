"""Pieces that several views show: errors, empty states, badges, charts, evidence controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import streamlit as st

from dashboard import data, pictures
from dashboard import format as as_text
from dashboard.charts import Chart
from proofsheet.domain.assessment import Grade, Verdict
from proofsheet.domain.experiment import Experiment
from proofsheet.errors import ProofsheetError
from proofsheet.workflows.pages import SheetItem

#: Height of a large picture on the screen, in pixels.
TALLEST = 720


def show_error(error: ProofsheetError) -> None:
    """A problem the user can act on: what is wrong, then what to do."""
    text = escape(error.message)
    st.error(f"{text}\n\n{escape(error.hint)}" if error.hint else text, icon=":material/error:")


@contextmanager
def told() -> Iterator[None]:
    """Within it, a problem the user can act on is shown in place and the page goes on."""
    try:
        yield
    except ProofsheetError as error:
        show_error(error)


def escape(text: str) -> str:
    """Text of the user's own as literal Markdown."""
    for sign in "\\`*_[]<>$#~:":
        text = text.replace(sign, f"\\{sign}")
    return text


def flash(text: str, icon: str = ":material/check:") -> None:
    """A message to show after the coming rerun."""
    st.session_state["flash"] = (text, icon)


def show_flash() -> None:
    """The message left by the run before, once."""
    if left := st.session_state.pop("flash", None):
        st.toast(left[0], icon=left[1])


def asked_for(name: str, options: Sequence[str]) -> int:
    """The place of the option that the page's address asks for, or the first."""
    wanted = st.query_params.get(name, "")
    return options.index(wanted) if wanted in options else 0


def heading(title: str, lead: str = "") -> None:
    """The head of a page: its title and one line that says what it is for."""
    st.title(title, anchor=False)
    if lead:
        st.caption(lead)


def empty(title: str, text: str, *commands: str) -> None:
    """An empty state: what is missing, why that is fine, and the exact commands that fill it."""
    with st.container(border=True):
        st.subheader(title, anchor=False)
        st.markdown(text)
        if commands:
            st.code("\n".join(commands), language="bash")


def cautions(found: Sequence[str]) -> None:
    """What a test cannot tell apart, above everything that it says."""
    for text in found:
        st.warning(escape(text), icon=":material/translate:" if "language" in text else ":material/compare:")


def table(rows: Sequence[Mapping[str, str]], alt: str) -> None:
    """A short table whose texts may be long: they wrap, and nothing is cut."""
    shown = [{name: escape(text) for name, text in row.items()} for row in rows]
    st.table(shown, border="horizontal", hide_index=True, alt=alt)


def flags(names: Sequence[str], where: Mapping[str, str] | None = None) -> None:
    """What the remarks on loaded rows mean; with the rows that carry each, where they are known."""
    remarks = "a remark" if where else "one of these remarks, or several"
    st.markdown(f"**What a flag means.** A flagged row is loaded; it carries {remarks}:")
    lines = (
        f"- **{escape(as_text.words(name))}**"
        + (f" ({where[name]})" if where else "")
        + (f": {as_text.FLAGS[name]}" if name in as_text.FLAGS else "")
        for name in names
    )
    st.caption("\n".join(lines))


def grade_badge(grade: Grade | None, note: str | None = None) -> None:
    """A grade as icon, word and colour."""
    _, word, colour, icon = as_text.GRADES[grade]
    st.badge(word, icon=icon, color=colour, help=note)  # type: ignore[arg-type]


def state_badge(item: SheetItem) -> None:
    """A review state as icon, word and colour."""
    word, colour, icon = as_text.STATES[item.state]
    note = f"{item.review.reviewer}, {as_text.moment(item.review.at)}" if item.review else None
    st.badge(word, icon=icon, color=colour, help=note)  # type: ignore[arg-type]


def status_badge(experiment: Experiment) -> None:
    """An experiment's state as icon, word and colour."""
    word, colour, icon = as_text.STATUSES[experiment.status]
    st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]


def is_dark() -> bool:
    """Whether the page stands on a dark ground."""
    return st.context.theme.type == "dark"


def chart(drawn: Chart, key: str) -> None:
    """A chart with its finding above it and its note below."""
    st.markdown(f"**{escape(drawn.title)}**")
    st.plotly_chart(drawn.figure, key=key, config={"displayModeBar": False}, alt=drawn.alt)
    if drawn.note:
        st.caption(drawn.note)


def verdicts(found: Sequence[Verdict]) -> None:
    """Verdicts as a list: worst first, each with its reason and its remedy; what passes is said in brief."""
    for verdict in sorted(found, key=lambda v: -v.grade.severity):
        if verdict.grade is not Grade.PASS:
            _, word, colour, icon = as_text.GRADES[verdict.grade]
            name = escape(as_text.words(verdict.criterion))
            st.markdown(f":{colour}[{icon}] **{name}** · {word.lower()}  \n{escape(verdict.reason)}")
            if verdict.remedy:
                st.caption(f":material/build: {escape(verdict.remedy)}")
    passing = [verdict for verdict in found if verdict.grade is Grade.PASS]
    if passing:
        _, word, colour, icon = as_text.GRADES[Grade.PASS]
        st.markdown(f":{colour}[{icon}] **{as_text.plural(len(passing), 'check passes', 'checks pass')}**")
        lines = (f"- **{escape(as_text.words(v.criterion))}.** {escape(v.reason)}" for v in passing)
        st.caption("\n".join(lines))


def layers(item: SheetItem, key: str) -> tuple[str, ...]:
    """What to draw on the picture, chosen by the user."""
    if item.asset.composition is None:
        st.caption("An uploaded picture: where its text and product stand is not known.")
        return ()
    chosen = st.pills(
        "Draw on the picture",
        list(pictures.LAYERS),
        selection_mode="multi",
        format_func=lambda layer: pictures.LAYERS[layer][0],
        key=key,
        persist_state="session",
    )
    if chosen:
        st.caption(f"Drawn: {', '.join(pictures.LAYERS[layer][1] for layer in chosen)}.")
    return tuple(chosen)


def picture(item: SheetItem, drawn: tuple[str, ...] = (), width: int = 1100) -> None:
    """An asset with evidence drawn on it, as large as the page has room, and never taller than a screen."""
    shape = item.asset.width / item.asset.height
    shown = data.evidence(item, drawn, width)
    st.image(shown, width="stretch" if shape > 1.2 else round(TALLEST * shape), alt=alt_text(item))


def alt_text(item: SheetItem) -> str:
    """What a screen reader says of an asset."""
    asset = item.asset
    words = f" Text: {asset.recipe.headline} {asset.recipe.cta}" if asset.recipe else ""
    return f"{as_text.words(asset.placement)}, {item.title}.{words}"
