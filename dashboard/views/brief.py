"""Brief and plan: what was asked for, what varies, and how good the variant set is for learning."""

from __future__ import annotations

from html import escape as html_escape

import streamlit as st

from dashboard import charts, data, navigation, pictures, pieces
from dashboard import format as as_text
from proofsheet.domain.asset import DesignQuality
from proofsheet.domain.campaign import BrandKit, Brief, Placement
from proofsheet.errors import ProofsheetError
from proofsheet.workflows.pages import BriefPage


def show() -> None:
    """Draw the page."""
    page = data.brief(navigation.campaign())
    brief = page.campaign.brief
    pieces.heading(brief.name or brief.slug, f"{as_text.words(brief.objective)} · {brief.audience}")
    _message(page)
    st.subheader("Placements", anchor=False)
    _placements(page.placements)
    st.subheader("What varies", anchor=False)
    _factors(brief)
    st.subheader("Variant plan", anchor=False)
    _plan(page)


def _message(page: BriefPage) -> None:
    brief, brand = page.campaign.brief, page.campaign.brand
    product, words = st.columns([1, 3], gap="medium")
    with product, st.container(border=True):
        _product(brief)
    with words:
        st.markdown(f"### {pieces.escape(brief.message)}")
        if brief.offer:
            st.markdown(f"**Offer:** {pieces.escape(brief.offer)}")
        facts = [("Must", brief.must), ("Never", brief.never), ("Tone", brand.tone)]
        for label, values in facts:
            if values:
                st.markdown(f"**{label}:** {pieces.escape(', '.join(values))}")
        _palette(brand)
        bounds = [f"up to {brief.max_variants} variants", f"{brief.days} days"]
        bounds += [f"making: {brief.budget}"] if brief.budget else []
        bounds += [f"media: {brief.media_budget}"] if brief.media_budget else []
        st.caption(" · ".join(bounds))


def _product(brief: Brief) -> None:
    try:
        picture = data.product_picture(brief.product.image)
    except (ProofsheetError, OSError):
        st.caption("The product's picture is gone.")
    else:
        st.image(picture, width=180, alt=f"{brief.product.name}, the product")
    st.caption(pieces.escape(brief.product.name))


def _palette(brand: BrandKit) -> None:
    swatches = "".join(
        f'<span style="display:inline-flex;align-items:center;gap:.45rem;margin:0 1.1rem .4rem 0">'
        f'<span style="width:1.5rem;height:1.5rem;border-radius:4px;background:{html_escape(colour.hex)};'
        f'border:1px solid rgba(138,132,120,.5)"></span><span style="font-size:.86rem">{html_escape(colour.name)} '
        f"<code>{html_escape(colour.hex)}</code> {html_escape(colour.role)}</span></span>"
        for colour in brand.palette
    )
    st.markdown(f"**Brand: {pieces.escape(brand.name)}**")
    st.html(f'<div style="display:flex;flex-wrap:wrap">{swatches}</div>')


def _placements(placements: tuple[Placement, ...]) -> None:
    if not placements:
        st.caption("No placement of this plan is known any more.")
        return
    longest = max(max(place.width, place.height) for place in placements)
    with st.grid("auto", min_column_width=205, vertical_alignment="bottom", key="frames") as grid:
        for place in placements:
            with grid.cell():
                st.image(pictures.frame_svg(place, longest), alt=pictures.frame_words(place))
                checked = f" Checked {place.checked_on:%d %b %Y}." if place.checked_on else ""
                st.markdown(
                    f"**{pieces.escape(place.title)}**  \n{place.width} × {place.height} px, "
                    f"at most {as_text.size(place.max_bytes)}",
                    help=f"Formats: {', '.join(place.formats)}.{checked} {place.source}".strip(),
                )
    st.caption("To scale. Dashed blue: the safe area, free of the platform's own buttons and text.")


def _factors(brief: Brief) -> None:
    st.dataframe(
        [
            {
                "Factor": as_text.words(factor.name),
                "Levels": len(factor.levels),
                "Reference": factor.levels[0].name if factor.levels else as_text.NONE,
                "All levels": [level.name for level in factor.levels],
            }
            for factor in brief.factors
        ],
        hide_index=True,
        column_config={"All levels": st.column_config.ListColumn(width="large")},
        alt="The factors of the plan with their levels",
    )


def _plan(page: BriefPage) -> None:
    if page.plan is None:
        pieces.empty("Not planned yet", "Lay out the variant set from the brief:", "proofsheet plan path/to/brief.toml")
        return
    varied = [factor for factor in page.campaign.brief.factors if factor.name in page.varied]
    number, words = st.columns([1, 3], gap="medium")
    with words:
        _quality(page.plan.quality)
    number.metric(
        "Efficiency of the design",
        f"{page.plan.quality.d_efficiency:.0%}",
        help="D-efficiency: how much each variant teaches about single elements, against testing every combination.",
    )
    names = {factor.name: as_text.words(factor.name) for factor in varied}
    pieces.chart(charts.design_matrix(page.plan, varied, names), key="matrix")
    model = f" ({page.plan.model})" if page.plan.model else ""
    st.caption(f"Drawn by {page.plan.backend}{model}. Plan {page.plan.id}, seed {page.plan.seed}.")
    for remark in page.remarks:
        st.info(pieces.escape(remark))
    with st.expander("Models that draw and judge"):
        _models()
    st.markdown("Changed the brief? Plan again; what stays the same is not made twice:")
    st.code("proofsheet plan path/to/brief.toml", language="bash")


def _models() -> None:
    rows = [
        {
            "Model": model.name,
            "Kind": model.kind,
            "Licence": model.licence,
            "Commercial use": f"{model.commercial}: {model.condition}" if model.condition else model.commercial,
            "Size": as_text.NONE if model.size is None else as_text.size(model.size),
            "Weights": model.where,
        }
        for model in data.models()
    ]
    pieces.table(rows, "The models that draw scenes and judge them, with their licences")


def _quality(quality: DesignQuality) -> None:
    if quality.rank < quality.parameters:
        st.warning("Some elements cannot be told apart with these variants: allow more variants.")
    elif quality.aliases:
        first, second, size = max(quality.aliases, key=lambda alias: alias[2])
        st.markdown(
            "The design can tell every element's effect apart. The most entangled pair is "
            f"**{pieces.escape(first)}** and **{pieces.escape(second)}** (correlation {size:.2f})."
        )
    else:
        st.markdown("The design can tell every element's effect apart, and none is entangled with another.")
    spread = [levels for levels in quality.balance.values() if len(levels) > 1]
    if spread and all(max(levels.values()) - min(levels.values()) <= 1 for levels in spread):
        st.markdown("Each level occurs equally often (give or take one).")
    elif spread:
        least, most = min(min(s.values()) for s in spread), max(max(s.values()) for s in spread)
        st.markdown(f"Levels occur between {least} and {most} times.")
