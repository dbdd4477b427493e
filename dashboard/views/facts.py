"""The facts of one asset: scores, recipe and lineage, and who judged it."""

from __future__ import annotations

import streamlit as st

from dashboard import format as as_text
from dashboard import pieces
from proofsheet.domain.assessment import Review
from proofsheet.workflows.pages import ContactSheet, SheetItem


def scores(item: SheetItem) -> None:
    """What was measured, by which scorer."""
    if not item.scores:
        st.caption("No scores yet.")
        return
    rows = [
        {
            "Criterion": as_text.words(score.criterion),
            "Value": as_text.NONE if score.value is None else f"{score.value:,.4g}",
            "Unit": score.unit,
            "Scorer": score.scorer,
            "Detail": score.detail,
        }
        for score in item.scores
    ]
    pieces.table(rows, "Scores of the asset")


def recipe(item: SheetItem) -> None:
    """Everything that decided the picture, and where it came from."""
    asset, made = item.asset, item.asset.recipe
    rows = {"Asset": asset.id, "Variant": asset.variant_id, "Picture (SHA-256)": asset.sha256}
    if made is None:
        rows |= {"Origin": f"Uploaded as “{asset.label}”"}
    else:
        scene = made.scene
        rows |= {
            "Headline": made.headline,
            "Call to action": made.cta,
            "Layout": made.layout,
            "Prompt": scene.prompt,
            "Not wanted": scene.negative_prompt,
            "Drawn by": " ".join(part for part in (scene.backend, scene.model, scene.revision) if part),
            "Seed": str(scene.seed),
            "Scene size": f"{scene.width} × {scene.height} px",
            "Scene": scene.id,
            "Composer": made.composer,
        }
        rows |= {as_text.words(name): level for name, level in asset.levels.items()}
    rows |= {
        "Drawn by a trained model": "yes" if asset.ai_made else "no",
        "Composed in": as_text.duration(asset.seconds),
        "Made": as_text.moment(asset.created_at),
    }
    pieces.table(
        [{"What": name, "Value": value} for name, value in rows.items() if value], "Recipe and lineage of the asset"
    )


def reviews(found: tuple[Review, ...]) -> None:
    """Who judged, when, and why: newest first."""
    if not found:
        st.caption("Nobody has judged it yet.")
    for one in reversed(found):
        reason = f": {pieces.escape(one.reason)}" if one.reason else ""
        st.markdown(f"**{one.judgement.value.capitalize()}** by {pieces.escape(one.reviewer)}{reason}")
        st.caption(as_text.moment(one.at))


def history(page: ContactSheet) -> None:
    """Every judgement of a campaign: who, when, what and why."""
    found = sorted(((r, item) for item in page.items for r in item.reviews), key=lambda pair: pair[0].at, reverse=True)
    with st.expander(f"Who judged what ({len(found)})"):
        rows = [
            {
                "When": as_text.moment(one.at),
                "Who": one.reviewer,
                "Judgement": one.judgement.value.capitalize(),
                "Asset": f"{item.title}, {as_text.words(item.asset.placement)}",
                "Reason": one.reason,
            }
            for one, item in found
        ]
        if rows:
            st.dataframe(rows, hide_index=True, alt="Every judgement, newest first")
