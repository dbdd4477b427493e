"""The test before its launch: arms, size, days, spend and power; launched only after a second look."""

from __future__ import annotations

import streamlit as st

from dashboard import actions, data, navigation, pieces
from dashboard import format as as_text
from proofsheet.domain.asset import Origin
from proofsheet.domain.experiment import Experiment, Role
from proofsheet.errors import ProofsheetError
from proofsheet.workflows.pages import ContactSheet, cautions, covers, shared_placement
from proofsheet.workflows.result_pages import arm_titles, metric_name, named

ROLES = {Role.PRIMARY: "Decides", Role.SECONDARY: "Also watched", Role.GUARDRAIL: "Must not get worse"}


def show(slug: str) -> None:
    """Draw the preview and the launch button."""
    page = data.sheet(slug)
    controls = _controls(page)
    if len(controls) < 2:
        pieces.empty(
            "Not enough to test yet",
            "A test needs a control and at least one variant, both approved. The usual control is the picture you "
            "run today:",
            f"proofsheet upload picture.png --campaign {slug} --placement meta_feed_portrait --label baseline",
        )
        navigation.link("review", "Review what waits")
        return
    control = st.selectbox(
        "Control",
        list(controls),
        format_func=lambda key: controls[key],
        key="control",
        help="What every other arm is compared with: usually the picture you run today.",
    )
    try:
        draft = data.preview(slug, str(control))
    except ProofsheetError as error:
        pieces.show_error(error)
        return
    pieces.cautions(cautions(draft, [item.asset for item in page.items]))
    _numbers(draft)
    st.subheader("Arms", anchor=False)
    _arms(draft, page)
    st.subheader("What is measured", anchor=False)
    _metrics(draft)
    name = st.text_input("Name", value=draft.name, key="test-name", max_chars=120)
    hypothesis = st.text_area(
        "Hypothesis", value=named(draft.hypothesis, draft, {}), key="test-hypothesis", max_chars=500, height=90
    )
    if st.button("Launch…", type="primary", icon=":material/rocket_launch:", key="launch"):
        _confirm(slug, draft, str(control), name, hypothesis)


def _controls(page: ContactSheet) -> dict[str, str]:
    """The variants with an approved asset: uploads first, as they are the usual control."""
    approved = [item for item in page.items if item.state == "approved"]
    approved.sort(key=lambda item: item.asset.origin is not Origin.UPLOADED)
    return {
        item.asset.variant_id: f"{item.title} (uploaded)" if item.asset.origin is Origin.UPLOADED else item.title
        for item in approved
    }


def _numbers(draft: Experiment) -> None:
    design = draft.design
    if design is None:
        return
    with st.grid(4, min_column_width=145, border=True, key="numbers") as grid:
        grid.metric(
            f"{as_text.words(draft.unit)}s per arm",
            as_text.count(design.n_per_arm),
            help=f"To see a lift of {design.minimum_lift:.0%} on a rate of {as_text.share(design.baseline)}.",
        )
        grid.metric("Days", as_text.count(design.days), help=f"At {design.daily_units:,} {draft.unit}s a day in all.")
        grid.metric("Spend on media", as_text.money(design.spend, design.currency))
        grid.metric(
            "Power",
            f"{design.power:.0%}",
            help=f"The chance to find the lift if it is there, with a two-sided error rate of {design.alpha:.0%} "
            f"shared among {as_text.plural(design.comparisons, 'comparison')}.",
        )
    if design.note:
        st.info(pieces.escape(design.note), icon=":material/info:")


def _arms(draft: Experiment, page: ContactSheet) -> None:
    titles = arm_titles(draft, page)
    place = shared_placement(draft, page)
    with st.grid("auto", min_column_width=150, key="arms") as grid:
        for arm in draft.arms:
            own = [item for item in page.items if item.asset.id in set(arm.asset_ids)]
            with grid.cell(), st.container(gap="xxsmall"):
                for sha256 in covers(own, 1, placement=place):
                    st.image(data.thumbnail(sha256, 320), width="stretch", alt=f"Arm {titles[arm.name]}")
                if arm.is_control:
                    st.badge("Control", icon=":material/anchor:", color="gray")
                st.markdown(f"**{pieces.escape(titles[arm.name])}**")
                st.caption(as_text.plural(len(arm.asset_ids), "asset"))


def _metrics(draft: Experiment) -> None:
    st.dataframe(
        [
            {
                "Metric": as_text.capital(metric_name(metric.name)),
                "Role": ROLES[metric.role],
                "Worked out as": " / ".join(part for part in (metric.numerator, metric.denominator) if part),
                "Better when": "higher" if metric.higher_is_better else "lower",
                "Harm allowed": f"{metric.margin:.0%}" if metric.role is Role.GUARDRAIL else as_text.NONE,
            }
            for metric in draft.metrics
        ],
        hide_index=True,
        alt="What is measured",
    )


@st.dialog("Launch this test?", icon=":material/rocket_launch:")
def _confirm(slug: str, draft: Experiment, control: str, name: str, hypothesis: str) -> None:
    design = draft.design
    size = f", {design.n_per_arm:,} {draft.unit}s each, {as_text.plural(design.days, 'day')}" if design else ""
    st.markdown(
        f"**{as_text.plural(len(draft.arms), 'arm')}**{size}. From then on arms, metrics and size are frozen: "
        "what may be concluded is fixed before anyone has seen a number."
    )
    if st.button("Launch now", type="primary", key="launch-now"):
        with pieces.told():
            launched = actions.launch(slug, control, name, hypothesis)
            st.session_state["launched"] = launched.id
            pieces.flash("The test is running. Export its assets and upload them.", ":material/rocket_launch:")
            st.rerun()
