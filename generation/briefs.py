"""Reads a campaign's brief with its brand kit, and says everything that is wrong with them at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from urllib.parse import urlsplit

from generation.brand_file import read_brand
from generation.brief_coverage import read_coverage
from generation.brief_factors import Rules, check_name, check_setting, check_words, read_factors, read_texts
from generation.file_checks import check_product
from generation.layouts import layout_names
from generation.placements import load_placements
from generation.scene_check import unread_params
from generation.toml_fields import Problems, Table, choices, near_word, shown
from generation.toml_source import TomlSource
from proofsheet.domain.campaign import BrandKit, Brief, Campaign, Placement, Product
from proofsheet.errors import InputError, NotFoundError

#: More variants than any test could tell apart; the limit keeps a slip of the finger from laying out a million.
MOST_VARIANTS = 5000

#: What a campaign may be for. The first are tested on conversions per impression, the others on the click rate.
CONVERSION_OBJECTIVES = ("conversions", "sales", "purchases", "leads")
OBJECTIVES = (*CONVERSION_OBJECTIVES, "clicks", "traffic", "awareness")

_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")


def load_brand(path: Path) -> BrandKit:
    """Read a brand kit. Paths in it start from its folder and become absolute; missing palette roles are derived.

    Raises:
        InputError: the file breaks rules; all of them are listed with line and key.
        NotFoundError: there is no such file.
    """
    problems = Problems()
    brand = read_brand(path, problems)
    problems.stop_if_any(f"The brand kit {path}")
    return brand


def load_campaign(path: Path, *, axes: Mapping[str, Sequence[str]] | None = None) -> Campaign:
    """Read a brief and the brand kit it names. Paths start from the folder of the file they stand in.

    Args:
        path: the brief.
        axes: what coverage may be asked of: the names of each axis's values; None leaves those names unchecked.

    Raises:
        InputError: a file breaks rules; all of them, of both files, are listed with line and key.
        NotFoundError: there is no such file.
    """
    problems = Problems()
    source = TomlSource(path)
    root = Table(source, (), source.data, problems)
    for section in ("campaign", "product"):
        if not root.has(section):
            root.note(None, f"the section [{section}] is missing.", f"Add the line [{section}] and its keys below it.")
    table = root.table("campaign")
    brand_problems = Problems()
    brand = _read_brand_named(table, brand_problems)
    brief = _read_brief(root, table, brand, axes)
    problems.add(brand_problems)
    problems.stop_if_any(f"The brief {path}")
    return Campaign(brief=brief, brand=brand)


def brief_warnings(campaign: Campaign) -> tuple[str, ...]:
    """What is allowed in a brief but may not be meant: sentences to show beside the plan.

    They name headlines that are longer than what a placement shows of the words beside a picture, locales without an
    offer, fewer variants than the main effects of the factors need, and parameters that no scene reads.
    """
    brief, known = campaign.brief, load_placements()
    limits = [(known[name].headline_chars, name) for name in brief.placements]
    shortest = min(((chars, name) for chars, name in limits if chars), default=None)
    found = []
    if shortest:
        for level in brief.factor("headline").levels:
            long = [locale for locale in brief.locales if len(level.texts[locale]) > shortest[0]]
            if long:
                found.append(
                    f"The headline {level.name!r} is longer than the {shortest[0]} characters that {shortest[1]} shows "
                    f"beside a picture ({', '.join(long)}): as the words of the ad it may be cut off there."
                )
    without = [locale for locale in brief.locales if brief.offers and locale not in brief.offers]
    if without:
        found.append(
            f"The offer is written in one language, so the ads in {', '.join(without)} carry none. Write it for each "
            'locale: offer = { en-US = "…", de-DE = "…" }'
        )
    sizes = [len(factor.levels) for factor in brief.factors]
    needed = 1 + sum(size - 1 for size in sizes)
    if brief.max_variants < min(needed, prod(sizes)):
        found.append(
            f"{brief.max_variants} variants cannot tell all main effects apart: that needs at least {needed}. "
            f"Raise plan.max_variants, or vary less."
        )
    return (*found, *unread_params(brief))


def _read_brand_named(table: Table, problems: Problems) -> BrandKit:
    before = len(table.problems)
    name = table.text("brand", default="brand.toml", like='"brand.toml"')
    empty = BrandKit(name="", palette=(), wordmark="")
    if len(table.problems) > before:
        return empty
    key = "brand" if table.has("brand") else None
    try:
        return read_brand(table.source.path.parent / name, problems)
    except NotFoundError:
        remedy = 'Name it from the folder of the brief: brand = "brand.toml"'
        table.note(key, f"the brand file {shown(name)} does not exist.", remedy)
    except InputError as error:
        table.note(key, error.message, error.hint)
    return empty


def _read_brief(root: Table, table: Table, brand: BrandKit, axes: Mapping[str, Sequence[str]] | None) -> Brief:
    written = root.is_a("campaign", dict)
    slug = table.text("slug", required=written, like='"summer-launch"')
    check_name(table, "slug", slug)
    placements = _placements(table, required=written)
    before = len(table.problems)
    locales = _locales(table)
    locales_known = len(table.problems) == before and (written or not root.has("campaign"))
    never = table.texts("never")
    forbidden = dict.fromkeys(never, "the brief") | dict.fromkeys(brand.forbidden_words, "the brand kit")
    offers = _offers(table, locales if locales_known else None, forbidden)
    plan, test = root.table("plan"), root.table("test")
    brief = Brief(
        slug=slug,
        name=table.text("name", default=slug),
        objective=_objective(table),
        product=_product(root),
        message=table.text("message"),
        offer=next(iter(offers.values()), ""),
        offers=offers,
        audience=table.text("audience"),
        placements=tuple(placement.name for placement in placements),
        locales=locales,
        factors=read_factors(root, _rules(locales, locales_known, forbidden, brand)),
        must=table.texts("must"),
        never=never,
        destination=_destination(table),
        max_variants=plan.integer("max_variants", 12, low=1, high=MOST_VARIANTS, like="12"),
        seed=plan.integer("seed", 1, low=0, high=2**32 - 1, like="7"),
        seeds_per_scene=plan.integer("seeds_per_scene", 1, low=1, high=100, like="1"),
        budget=plan.money("budget"),
        start=test.day("start"),
        days=test.integer("days", 14, low=1, high=366, like="21"),
        daily_impressions=test.integer("daily_impressions", 10_000, low=1, high=10**10, like="90000"),
        baseline_rate=test.number("baseline_rate", 0.01, low=1e-7, high=1 - 1e-7, like="0.012"),
        minimum_lift=test.number("minimum_lift", 0.10, low=0.001, high=10.0, like="0.15"),
        media_budget=test.money("media_budget"),
        coverage=read_coverage(root, axes),
    )
    for section in (table, plan, test, root):
        section.close()
    return brief


def _objective(table: Table) -> str:
    """The objective in the plural, whatever way it is written."""
    written = table.text("objective", default="conversions")
    plain = written.lower()
    for known in OBJECTIVES:
        if plain in {known, known.removesuffix("s")}:
            return known
    table.note("objective", f"got {shown(written)}, which is not an objective.", choices(plain, OBJECTIVES))
    return plain


def _offers(table: Table, locales: tuple[str, ...] | None, forbidden: dict[str, str]) -> dict[str, str]:
    """The offer by locale: a table of texts, or one text for the locales of the first one's language.

    Locales are None where those of the brief are wrong themselves.
    """
    if not isinstance(table.data.get("offer"), dict):
        offer = table.text("offer")
        check_setting(table, "offer", offer)
        check_words(offer, "the offer", forbidden, lambda rule, remedy: table.note("offer", rule, remedy))
        return {locale: offer for locale in locales or () if offer and _same_language(locale, (locales or ("",))[0])}
    offers = table.table("offer")
    return read_texts(offers, "the offer", tuple(offers.data) if locales is None else locales, forbidden)


def _same_language(one: str, other: str) -> bool:
    return one.split("-")[0] == other.split("-")[0]


def _rules(locales: tuple[str, ...], locales_known: bool, forbidden: dict[str, str], brand: BrandKit) -> Rules:
    from generation.scenes import SCENES, STYLES  # the renderer is imported only when a brief is read

    return Rules(
        locales=locales,
        locales_known=locales_known,
        forbidden=forbidden,
        layouts=layout_names(),
        choices={"kind": tuple(SCENES), "light": tuple(STYLES)},
        palette=tuple(colour.hex for colour in brand.palette),
    )


def _product(root: Table) -> Product:
    table = root.table("product")
    written = root.is_a("product", dict)
    name = table.text("name", required=written, like='"Cold brew"')
    image = table.file("image", required=written, like='"product.png"')
    if image:
        check_product(table, "image", image)
    product = Product(
        name=name,
        image=image or Path(),
        description=table.text("description"),
        kind=table.text("kind"),
    )
    table.close()
    return product


def _placements(table: Table, *, required: bool) -> tuple[Placement, ...]:
    known = load_placements()
    names = table.texts("placements", like='["meta_feed_portrait", "meta_story"]')
    if required and table.data.get("placements", []) == []:
        remedy = 'Write, for example: placements = ["meta_feed_portrait", "meta_story"]'
        table.note("placements" if table.has("placements") else None, "the brief has no placements.", remedy)
    for position, name in enumerate(names):
        if name not in known:
            rule = f"got {shown(name)}, which is not a placement."
            table.note("placements", rule, _placements_known(name, known), position)
        elif name in names[:position]:
            table.note("placements", f"{shown(name)} stands twice.", "Leave one of them out.", position)
    return tuple(known[name] for name in dict.fromkeys(names) if name in known)


def _placements_known(name: str, known: Mapping[str, Placement]) -> str:
    """The nearest placement, and all of them by platform: ``google: display_300x250, …``."""
    near = near_word(name, known)
    by_platform: dict[str, list[str]] = {}
    for placement in known.values():
        by_platform.setdefault(placement.platform, []).append(placement.name)
    listed = "; ".join(f"{platform}: {', '.join(names)}" for platform, names in by_platform.items())
    return (f"Did you mean {near!r}? " if near else "") + f"Known: {listed}."


def _locales(table: Table) -> tuple[str, ...]:
    locales = table.texts("locales", like='["en-US"]')
    for position, locale in enumerate(locales):
        if not _LOCALE.fullmatch(locale):
            rule = f"got {shown(locale)}, which is not a language tag."
            table.note("locales", rule, 'Write language and country, such as "en-US" or "de-DE".', position)
        elif locale in locales[:position]:
            table.note("locales", f"{shown(locale)} stands twice.", "Leave one of them out.", position)
    if table.data.get("locales") == []:
        table.note("locales", "the list is empty.", 'Write, for example: locales = ["en-US"]')
    return tuple(dict.fromkeys(locales)) or ("en-US",)


def _destination(table: Table) -> str:
    address = table.text("destination")
    if address and not _is_web_address(address):
        rule = f"got {shown(address)}, which is not a web address."
        table.note("destination", rule, "Write the full address, beginning with https://.")
    return address


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # both raise where the address is not well formed
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and not any(character.isspace() for character in text)
