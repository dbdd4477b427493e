"""The pages of the dashboard, and links between them that keep the campaign."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import Page

#: Where the session keeps the campaign, and the key of the widget that chooses it.
CAMPAIGN, CHOICE = "campaign", "campaign-choice"


@dataclass(frozen=True, slots=True)
class Entry:
    """One page: its address, its title, its icon, its section, and whether it is about one campaign."""

    name: str
    title: str
    icon: str
    section: str
    of_campaign: bool = True


ENTRIES = (
    Entry("home", "Home", ":material/home:", "", of_campaign=False),
    Entry("brief", "Brief and plan", ":material/description:", "Make"),
    Entry("sheet", "Contact sheet", ":material/grid_view:", "Make"),
    Entry("review", "Review", ":material/rate_review:", "Make"),
    Entry("coverage", "Coverage", ":material/diversity_3:", "Make"),
    Entry("export", "Export", ":material/archive:", "Make"),
    Entry("experiment", "Experiment", ":material/science:", "Measure"),
    Entry("imports", "Imports", ":material/upload_file:", "Measure", of_campaign=False),
    Entry("cost", "Cost", ":material/payments:", "Measure"),
)


def page(name: str) -> Page:
    """The page of that name, for ``st.navigation``, ``st.page_link`` and ``st.switch_page``."""
    entry = find(name)
    view = importlib.import_module(f"dashboard.views.{name}").show
    return st.Page(
        view, title=entry.title, icon=entry.icon, url_path="" if name == "home" else name, default=name == "home"
    )


def find(name: str) -> Entry:
    """The entry of that name. Raises KeyError when there is none."""
    for entry in ENTRIES:
        if entry.name == (name or "home"):
            return entry
    raise KeyError(f"There is no page {name!r}")


def sections() -> Mapping[str, list[Page]]:
    """All pages by section, in the order of the loop."""
    found: dict[str, list[Page]] = {}
    for entry in ENTRIES:
        found.setdefault(entry.section, []).append(page(entry.name))
    return found


def settle_campaign(slugs: Sequence[str]) -> None:
    """Agree on the campaign: the one in the address, else the last one, else the first; then both say the same."""
    asked, last = st.query_params.get("campaign"), st.session_state.get(CAMPAIGN)
    chosen = next((slug for slug in (asked, last) if slug in slugs), slugs[0])
    st.session_state[CAMPAIGN] = st.session_state[CHOICE] = str(chosen)
    if asked != chosen:
        st.query_params["campaign"] = str(chosen)


def campaign_chosen() -> None:
    """Another campaign was chosen at the side: the address follows, and what it said about the old one goes."""
    st.query_params["campaign"] = st.session_state[CHOICE]
    for name in ("asset", "with", "experiment"):
        st.query_params.pop(name, None)


def campaign() -> str:
    """The slug of the campaign chosen at the side; views of one campaign run only when there is one."""
    return str(st.session_state[CAMPAIGN])


def link(name: str, label: str, *, slug: str | None = None, icon: str | None = None, **query: str) -> None:
    """A link to a page about a campaign (the present one when none is given)."""
    chosen = slug or st.session_state.get(CAMPAIGN)
    parameters = {**({"campaign": str(chosen)} if chosen else {}), **query}
    st.page_link(page(name), label=label, icon=icon or find(name).icon, query_params=parameters)
