"""Export: approved assets as ad-ready files with their manifest, one archive per platform."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path

import streamlit as st

from dashboard import actions, data, navigation, pieces
from dashboard import format as as_text
from proofsheet.workflows.export import MANIFEST, Exported
from proofsheet.workflows.pages import ContactSheet, covers

ALL = "all"


def show() -> None:
    """Draw the page."""
    slug = navigation.campaign()
    page = data.sheet(slug)
    pieces.heading(
        "Export",
        "Files within each placement's limits, named by rule, with tracking parameters and a mark of how each "
        "picture was made.",
    )
    approved = {item.asset.variant_id: item.title for item in page.items if item.state == "approved"}
    if not approved:
        pieces.empty("Nothing approved yet", "Only approved assets are exported.", f"proofsheet review {slug}")
        navigation.link("review", "Review what waits")
        return
    platforms = data.platforms(slug)
    kind, which = st.columns(2, gap="medium")
    with kind:
        platform = st.selectbox(
            "Platform",
            [ALL, *platforms],
            format_func=lambda name: "All platforms" if name == ALL else as_text.words(name),
            key="platform",
        )
    with which:
        variants = st.multiselect(
            "Variants",
            list(approved),
            format_func=lambda key: approved[key],
            key="variants",
            placeholder="All approved",
            help="After a decision, choose the winner alone.",
        )
    _preview(page, variants, platforms.get(platform))
    if st.button("Build the archive", type="primary", icon=":material/archive:", key="build"):
        with pieces.told(), st.spinner("Encoding within the byte limits…"):
            st.session_state["exported"] = (slug, actions.export(slug, None if platform == ALL else platform, variants))
    made = st.session_state.get("exported")
    if made and made[0] == slug:
        _made(made[1])


def _preview(page: ContactSheet, variants: list[str], placements: tuple[str, ...] | None) -> None:
    chosen = Counter(
        item.asset.placement
        for item in page.items
        if item.state == "approved"
        and (not variants or item.asset.variant_id in variants)
        and (placements is None or item.asset.placement in placements)
    )
    shown = [item for item in page.items if item.state == "approved" and item.asset.placement in chosen]
    wall = covers([item for item in shown if not variants or item.asset.variant_id in variants], 12)
    if wall:
        with st.grid(12, min_column_width=56, gap="xsmall", key="wall") as grid:
            for sha256 in wall:
                grid.image(data.thumbnail(sha256, 200), width="stretch", alt="An approved asset")
    parts = [f"{number} × {as_text.words(name)}" for name, number in chosen.items()]
    st.caption(f"{as_text.plural(sum(chosen.values()), 'file')}: {', '.join(parts) or 'none'}")


def _made(made: Exported) -> None:
    st.success(f"{as_text.plural(len(made.files), 'file')} in {pieces.escape(str(made.folder))}")
    for note in made.notes:
        st.caption(pieces.escape(note))
    for archive in made.archives:
        if not archive.is_file():
            st.warning(f"{pieces.escape(archive.name)} is gone. Build it again.")
            continue
        st.download_button(
            f"Download {archive.name} ({as_text.size(archive.stat().st_size)})",
            data=archive.read_bytes(),
            file_name=archive.name,
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            key=f"download-{archive.name}",
        )
        with st.expander(f"Manifest of {archive.name}"):
            st.dataframe(_manifest(archive), hide_index=True, alt=f"Manifest of {archive.name}")


def _manifest(archive: Path) -> list[dict[str, str]]:
    with zipfile.ZipFile(archive) as bundle:
        name = next((name for name in bundle.namelist() if name.endswith(MANIFEST)), None)
        text = bundle.read(name).decode("utf-8-sig") if name else ""
    return list(csv.DictReader(io.StringIO(text)))
