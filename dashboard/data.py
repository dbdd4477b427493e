"""What the views read and do: read models cached by the warehouse's version, and pictures by hash."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import streamlit as st

from dashboard import pictures
from proofsheet.domain.campaign import Campaign
from proofsheet.domain.coverage import CoverageReport
from proofsheet.domain.experiment import Experiment
from proofsheet.domain.facts import Reject
from proofsheet.errors import ProofsheetError
from proofsheet.workflows import cost_pages, front_page, pages, result_pages
from proofsheet.workflows.coverage import latest
from proofsheet.workflows.house import House, open_house
from proofsheet.workflows.models import ListedModel
from proofsheet.workflows.models import models as list_models

if TYPE_CHECKING:
    from warehouse.records import ImportRecord
    from warehouse.store import Reader

Page = TypeVar("Page")


def house() -> House:
    """The house as the settings of this process say, with the name of the person at work."""
    opened = open_house()
    name = st.session_state.get("person", "").strip()
    return replace(opened, user=name) if name else opened


def read(what: str, load: Callable[[Reader], Page], *key: str) -> Page:
    """What ``load`` reads, from the cache as long as nothing was written to the warehouse.

    Args:
        what: names the read model; with ``key`` it tells cached pages apart.
        load: reads it from an open reader.
        key: what it depends on beside the warehouse, such as a campaign.
    """
    opened = house()
    version = opened.warehouse.version()
    return cast(Page, _cached(str(opened.warehouse.home.resolve()), version, what, key, partial(_load, opened, load)))


@st.cache_resource(max_entries=128, show_spinner="Reading the warehouse…")
def _cached(home: str, version: str, what: str, key: tuple[str, ...], _read: Callable[[], object]) -> object:
    return _read()


def _load(opened: House, load: Callable[[Reader], Page]) -> Page:
    with opened.warehouse.read() as reader:
        return load(reader)


def is_empty() -> bool:
    """Whether nothing was ever written."""
    return not house().warehouse.exists()


def overview() -> front_page.Overview:
    """The front page."""
    return front_page.Overview() if is_empty() else read("overview", front_page.overview)


def campaigns() -> tuple[str, ...]:
    """The slug of every campaign."""
    if is_empty():
        return ()
    return read("campaigns", lambda reader: tuple(campaign.slug for campaign in reader.campaigns()))


def sheet(slug: str) -> pages.ContactSheet:
    """Every asset of a campaign."""
    return read("sheet", lambda reader: pages.contact_sheet(reader, slug), slug)


def brief(slug: str) -> pages.BriefPage:
    """Brief, plan and placements of a campaign, its pictures' paths made whole."""
    opened = house()

    def load(reader: Reader) -> pages.BriefPage:
        page = pages.brief_page(reader, slug)
        whole: Campaign = opened.whole(page.campaign)
        return replace(page, campaign=whole)

    return read("brief", load, slug)


def models() -> tuple[ListedModel, ...]:
    """The models that draw and judge, with their terms."""
    return list_models(house().settings)


def coverage(slug: str) -> tuple[CoverageReport | None, bool]:
    """The latest report of what a campaign's pictures together show, and whether it is up to date."""
    return read("coverage", lambda reader: latest(reader, reader.campaign(slug)), slug)


def costs(slug: str) -> cost_pages.CostPage:
    """The ledger of a campaign, added up."""
    return read("costs", lambda reader: cost_pages.costs(reader, slug), slug)


def media(slug: str) -> tuple[cost_pages.MediaCost, ...]:
    """What showing a campaign's ads cost."""
    return read("media", lambda reader: cost_pages.media_costs(reader, slug), slug)


def experiments(slug: str) -> tuple[Experiment, ...]:
    """The experiments of a campaign, newest first."""
    return read("experiments", lambda reader: tuple(reversed(reader.experiments(slug))), slug)


def refresh(experiment_id: str) -> None:
    """Analyze an experiment anew, once for each state of the warehouse."""
    opened = house()
    _analyzed(str(opened.warehouse.home), opened.warehouse.version(), experiment_id, opened)


@st.cache_resource(max_entries=128, show_spinner="Analyzing the data that came in…")
def _analyzed(home: str, version: str, experiment_id: str, _house: House) -> bool:
    from proofsheet.workflows.analyze import analyze

    analyze(_house, experiment_id)
    return True


def results(experiment_id: str) -> result_pages.ResultsPage:
    """An experiment with its latest analysis."""
    return read("results", lambda reader: result_pages.results_page(reader, experiment_id), experiment_id)


def imports() -> tuple[ImportRecord, ...]:
    """Every import, newest first."""
    if is_empty():
        return ()
    return read("imports", lambda r: tuple(sorted(r.imports(), key=lambda one: one.imported_at, reverse=True)))


def rejects(import_id: str) -> tuple[Reject, ...]:
    """The rows of an import that were set aside."""
    return read("rejects", lambda reader: tuple(reader.rejects(import_id)), import_id)


def platforms(slug: str) -> dict[str, tuple[str, ...]]:
    """The platforms a campaign has placements of, each with their names."""
    found: dict[str, tuple[str, ...]] = {}
    for place in brief(slug).placements:
        found[place.platform] = (*found.get(place.platform, ()), place.name)
    return found


def preview(slug: str, control: str) -> Experiment:
    """The experiment that a launch would start: worked out, not saved."""
    from proofsheet.workflows.launch import preview as draft

    opened = house()
    return read("preview", lambda reader: draft(opened, slug, control=control), slug, control)


def product_picture(path: Path) -> bytes:
    """The product's picture, small enough for a card. Raises OSError when the file is gone."""
    return _product(str(path), path.stat().st_mtime_ns)


@st.cache_data(max_entries=64, show_spinner=False)
def _product(path: str, changed: int) -> bytes:
    return pictures.thumbnail(Path(path).read_bytes(), 480, keep_transparency=True)


def thumbnail(sha256: str, width: int = 420, cell_ratio: float | None = None) -> bytes:
    """A small picture for a grid, cached by the hash of the large one; one that is gone shows as a grey card."""
    try:
        return _thumbnail(sha256, width, cell_ratio, house())
    except ProofsheetError:
        return pictures.missing(width, cell_ratio or 0.8)


@st.cache_data(max_entries=1024, show_spinner=False)
def _thumbnail(sha256: str, width: int, cell_ratio: float | None, _house: House) -> bytes:
    return pictures.thumbnail(_house.warehouse.pictures.get(sha256), width, cell_ratio)


def thumbnail_uri(sha256: str | None, width: int = 96) -> str | None:
    """A thumbnail as a data address, for the picture column of a table."""
    if sha256 is None:
        return None
    return "data:image/webp;base64," + base64.b64encode(thumbnail(sha256, width)).decode()


def evidence(item: pages.SheetItem, layers: tuple[str, ...], width: int = 1100) -> bytes:
    """An asset as a large picture, with the layers chosen drawn on it."""
    if item.asset.composition is None or not layers:
        return _thumbnail(item.asset.sha256, width, None, house())
    return _evidence(item.asset.sha256, item.asset.id, layers, width, item, house())


@st.cache_data(max_entries=64, show_spinner=False)
def _evidence(
    sha256: str, asset_id: str, layers: tuple[str, ...], width: int, _item: pages.SheetItem, _house: House
) -> bytes:
    assert _item.asset.composition is not None  # the caller shows the plain picture otherwise
    return pictures.evidence(_house.warehouse.pictures.get(sha256), _item.asset.composition, layers, width)
