"""upload: bring in a human-made picture, with what it cost, as a baseline to test against."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.domain.asset import Asset, CostEntry, Origin
from proofsheet.domain.identity import content_id
from proofsheet.domain.money import Money
from proofsheet.errors import InputError, StateError
from proofsheet.pictures import Trait
from proofsheet.workflows.house import House, now

if TYPE_CHECKING:
    from warehouse.store import Writer


def variant_of(label: str) -> str:
    """The variant id of all uploads with one label: eight hex digits, as a generated variant has."""
    return content_id({"upload": label}, length=8)


def upload(
    house: House,
    slug: str | None,
    picture: Path,
    *,
    placement: str,
    label: str = "baseline",
    cost: Money | None = None,
    ai_made: bool = False,
    locale: str = "",
) -> Asset:
    """Keep a picture as an asset of the campaign; the same picture for the same placement is kept once.

    Args:
        house: the open house.
        slug: the campaign; None when there is only one.
        picture: a JPEG, PNG or WebP file; it is kept upright, in sRGB, on white, and without its metadata.
        placement: what it is for; the picture must have the placement's ratio within 2 %.
        label: pictures with one label are one arm.
        cost: what making it cost; written to the ledger once.
        ai_made: whether AI media is in it; decides the mark on export.
        locale: the locale of its words; the campaign's first by default.

    Raises:
        InputError: not a picture, animated, too large, or of another ratio than the placement.
    """
    from generation.pictures import encode_master, read_picture
    from generation.placements import placement as find_placement

    place = find_placement(placement)
    _check_label(label)
    with house.warehouse.read() as reader:
        slug = house.campaign(reader, slug).slug
    opened = read_picture(picture)
    if Trait.ANIMATED in opened.facts.traits:
        raise InputError(
            f"{picture.name} is animated; tests are of still pictures.", "Export the frame that is meant as a still."
        )
    image = opened.flat
    if abs(image.width / image.height / place.ratio - 1) > 0.02:
        raise InputError(
            f"{picture.name} is {image.width} × {image.height}; {place.name} needs the ratio of "
            f"{place.width} × {place.height} within 2 %.",
            "Crop it to that ratio, or name the placement it was made for.",
        )
    png = encode_master(image)
    sha256 = house.warehouse.pictures.put(png)
    with house.warehouse.write() as writer:
        campaign = house.campaign(writer, slug)
        identity = content_id({"upload": [campaign.slug, placement, label, sha256]})
        asset = Asset(
            id=identity,
            campaign=campaign.slug,
            variant_id=variant_of(label),
            placement=placement,
            levels={},
            locale=locale or campaign.brief.locales[0],
            width=image.width,
            height=image.height,
            sha256=sha256,
            media_type="image/png",
            origin=Origin.UPLOADED,
            scene_id=None,
            recipe=None,
            composition=None,
            label=label,
            ai_made=ai_made,
            seconds=0.0,
            created_at=now(),
        )
        writer.save_assets([asset])
        if cost is not None:
            _book(writer, campaign.slug, asset, cost)
    return asset


def _check_label(label: str) -> None:
    if not re.fullmatch(r"[\w][\w .-]{0,39}", label) or re.fullmatch(r"[0-9a-f]{8}", label):
        raise InputError(
            f"The label {label[:60]!r} cannot name an arm.",
            "Use 1 to 40 letters, digits, spaces, dots or dashes, and nothing that looks like a variant id.",
        )


def _book(writer: Writer, slug: str, asset: Asset, cost: Money) -> None:
    entry = _entry(slug, asset, cost)
    booked = next((one for one in writer.ledger(slug) if one.key == entry.key), None)
    if booked is not None and (booked.amount, booked.currency) != (entry.amount, entry.currency):
        raise StateError(
            f"{asset.id} is there already, booked with {Money(booked.amount, booked.currency)}, not {cost}.",
            "A cost is booked once. Upload without --cost, or the picture under another label.",
        )
    writer.add_costs([entry])


def _entry(slug: str, asset: Asset, cost: Money) -> CostEntry:
    return CostEntry(
        key=f"upload:{asset.id}",
        campaign=slug,
        what="upload",
        quantity=Decimal(1),
        unit="picture",
        unit_price=cost.amount,
        amount=cost.amount,
        currency=cost.currency,
        asset_id=asset.id,
        source="stated at upload",
        at=now(),
    )
