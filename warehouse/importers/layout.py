"""Layouts: what a platform's columns are called and how its reports behave, read from dated data files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from warehouse.reports.headers import header_key

NAMES = ("campaign", "ad_group", "ad")
COUNTS = ("impressions", "clicks", "link_clicks")
AMOUNTS = ("conversions", "conversion_value", "spend")
SEGMENTS = ("age", "gender", "interest", "country", "region", "device", "audience")
TEXTS = ("account", "campaign_id", "ad_id", "placement", "platform", "currency", "utm_content", "asset_key")
DAYS = ("day", "report_start", "report_end")
SHOWN_COUNTS = ("interactions", "landing_page_views", "enquiries", "searches", "content_views", "carts", "results")
"""Counts that are added up for the reader and not stored."""
READ = (*NAMES, *COUNTS, *AMOUNTS, *SEGMENTS, *TEXTS, *DAYS, *SHOWN_COUNTS, "result_type")
"""Fields that an importer reads; others in a layout are known by name only (rates, costs per event, reach)."""

_UNTELLING = frozenset({*SEGMENTS, "day", "currency", "reach", "frequency", "ctr", "cpc", "cpm", "placement", "device"})
BUILT_IN = ("meta", "google_ads", "tiktok", "linkedin", "generic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A report's layout: ``headers`` maps each header key (see ``header_key``) to its field, ``order`` ranks the keys
    of one field (lower is preferred), ``languages`` says in which languages a key stands.

    The rules: ``empty_counts`` is ``zero`` or ``set_aside``; ``nameless_totals`` takes a row without names for a total;
    ``preamble_range`` takes the days from the lines above the header; ``single_days`` says that a row with a day is
    about that day only; ``date_order`` holds where the days leave it open; ``totals`` matches the first
    filled cell of a totals row;
    ``untelling`` are header keys too common to tell this platform from any table.
    """

    name: str
    title: str
    platform: str
    source: str
    checked: str
    headers: Mapping[str, str]
    order: Mapping[str, int]
    languages: Mapping[str, tuple[str, ...]]
    empty_counts: str = "zero"
    nameless_totals: bool = False
    preamble_range: bool = False
    single_days: bool = False
    date_order: str = ""
    totals: re.Pattern[str] | None = None
    untelling: tuple[str, ...] = ()

    def fields_of(self, header: Sequence[str]) -> dict[int, str]:
        """Which columns are known: index → field; of several columns for one field the preferred one."""
        best: dict[str, tuple[int, int]] = {}
        for index, text in enumerate(header):
            key = header_key(text)
            field = self.headers.get(key)
            if field is None:
                continue
            rank = (self.order[key], index)
            if field not in best or rank < best[field]:
                best[field] = rank
        return {index: field for field, (_, index) in best.items()}


@cache
def load_layout(name: str) -> Layout:
    """A built-in layout from ``layouts/<name>.toml``."""
    data = tomllib.loads((files("warehouse.importers") / "layouts" / f"{name}.toml").read_text(encoding="utf-8"))
    rules = dict(data["layout"])
    headers: dict[str, str] = {}
    order: dict[str, int] = {}
    languages: dict[str, list[str]] = {}
    for language, fields in data["headers"].items():
        for field, texts in fields.items():
            for rank, text in enumerate(texts):
                key = header_key(text)
                headers.setdefault(key, field)
                order.setdefault(key, rank)
                languages.setdefault(key, []).append(language)
    patterns = rules.pop("totals", [])
    return Layout(
        headers=headers,
        order=order,
        languages={key: tuple(found) for key, found in languages.items()},
        totals=re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE) if patterns else None,
        checked=str(rules.pop("checked")),
        untelling=tuple(rules.pop("untelling", ())),
        **rules,
    )


@cache
def telling_keys(name: str) -> frozenset[str]:
    """Header keys that only this one of the platforms' layouts uses."""
    layout = load_layout(name)
    others = {key for other in BUILT_IN if other not in {name, "generic"} for key in load_layout(other).headers}
    return frozenset(
        key
        for key, field in layout.headers.items()
        if field not in _UNTELLING and key not in others and key not in layout.untelling
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """How well a layout fits a header: ``score`` 0 means not at all; ``reason`` is for people."""

    layout: str
    score: float
    reason: str


def recognise(layout: Layout, header: Sequence[str], *, telling_preamble: str = "") -> Recognition:
    """How well a layout fits: known columns, those that only this platform has counting threefold.

    ``telling_preamble`` is a line above the header that only this platform writes; it counts as a telling column.

    A platform's layout needs a name column, a measured one, three known columns and one telling one; the generic layout
    needs a measured column and three known ones, and counts for less.
    """
    keys = [header_key(text) for text in header if text]
    known = [key for key in keys if key in layout.headers]
    found = {layout.headers[key] for key in known}
    telling = [key for key in known if key in telling_keys(layout.name)] if layout.name != "generic" else []
    measured = found & {*COUNTS, "spend", "results", "interactions"}
    if telling_preamble:
        telling.append(telling_preamble)
    spoken = [language for key in known for language in layout.languages[key]]
    language = max(sorted(set(spoken)), key=spoken.count, default="")
    reason = f"{len(known)} of {len(keys)} columns are known ({language})" if known else "no column is known"
    if layout.name == "generic":
        return Recognition(
            layout=layout.name, score=0.5 * len(known) if measured and len(known) >= 3 else 0, reason=reason
        )
    if telling:
        reason += f"; only this platform has {', '.join(repr(key) for key in telling[:3])}"
    fits = bool(measured and telling and len(known) >= 3 and found & {*NAMES, "campaign_id", "account"})
    return Recognition(layout=layout.name, score=len(known) + 2 * len(telling) if fits else 0, reason=reason)
