"""export: ad-ready files per platform with a manifest, within limits, named by rule, marked as AI-made media."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

from proofsheet import __version__
from proofsheet.domain.assessment import Judgement
from proofsheet.domain.asset import Asset
from proofsheet.domain.campaign import Campaign, Placement
from proofsheet.domain.identity import bytes_id, content_id
from proofsheet.errors import InputError, NotFoundError, ProofsheetError
from proofsheet.workflows.house import House, Progress, quiet

if TYPE_CHECKING:
    from generation.deliver import Mark

MANIFEST = "manifest.csv"
#: Stands in every folder that an export made; a folder without it is never replaced.
MARKER = ".proofsheet-export"
#: How old the remains of a killed export must be to be swept away.
STALE_SECONDS = 3600
#: Every file in an archive bears this moment, so that the same export has the same bytes.
ARCHIVE_MOMENT = (1980, 1, 1, 0, 0, 0)
COLUMNS = (
    "file", "ad_name", "platform", "placement", "width", "height", "bytes", "sha256", "variant_id", "asset_id",
    "locale", "headline", "cta", "scene", "style", "layout", "audience", "ai_made", "digital_source_type",
    "alt_text", "landing_page", "utm_source", "utm_medium", "utm_campaign", "utm_content", "final_url",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written, and where."""

    folder: Path
    archives: tuple[Path, ...]
    files: tuple[Path, ...]
    manifests: tuple[Path, ...]
    notes: tuple[str, ...]


def export(
    house: House,
    slug: str | None = None,
    out: Path = Path("exports"),
    *,
    platform: str | None = None,
    variants: Sequence[str] = (),
    as_zip: bool = True,
    progress: Progress = quiet,
) -> Exported:
    """Write the approved assets as files that a marketer can upload as they are.

    One folder per platform under ``out/<campaign>/``, each with a manifest, and a zip of each beside it; named
    variants have a folder of their own beside that. Everything is made aside and put in place at once; the same assets
    give the same bytes. Only what an earlier export made is ever replaced.

    Args:
        house: the open house.
        slug: the campaign; None when there is only one.
        out: where to put the campaign's folder.
        platform: only this platform; all by default.
        variants: only these variant ids; all by default.
        as_zip: also write ``<campaign>_<platform>.zip``.
        progress: called for each file.

    Raises:
        NotFoundError: nothing fits: no approved asset for that platform and those variants.
        InputError: something else stands at that place, or there is no such platform.
        ProofsheetError: a file cannot meet its placement's limits, or the disk refuses; nothing is changed.
    """
    from generation.placements import load_placements

    placements = load_placements()
    with house.warehouse.read() as reader:
        campaign = house.campaign(reader, slug)
        reviews = reader.latest_reviews(campaign.slug)
        # A variant named stays to be had after another plan, as the winner of an earlier test must.
        assets = reader.assets(campaign.slug, current_only=not variants)
    approved = [one for one in assets if one.id in reviews and reviews[one.id].judgement is Judgement.APPROVE]
    chosen = [
        one
        for one in approved
        if (platform is None or placements[one.placement].platform == platform)
        and (not variants or one.variant_id in variants)
    ]
    if not chosen:
        raise _nothing(
            campaign.slug, approved, platform, variants, sorted({one.platform for one in placements.values()})
        )
    return _write(
        house,
        campaign,
        chosen,
        placements,
        out,
        variants=variants,
        platform=platform,
        as_zip=as_zip,
        progress=progress,
    )


def _nothing(
    slug: str, approved: Sequence[Asset], platform: str | None, variants: Sequence[str], known: Sequence[str]
) -> ProofsheetError:
    if platform is not None and platform not in known:
        return InputError(f"There is no platform {platform!r}.", f"Known: {', '.join(known)}.")
    if not approved:
        return NotFoundError(
            f"Nothing to export from {slug!r}: no asset is approved.", "Approve assets first: proofsheet review"
        )
    there = sorted({one.variant_id for one in approved})
    wanted = [f"of {', '.join(variants)}"] if variants else []
    wanted += [f"for {platform}"] if platform else []
    return NotFoundError(
        f"Nothing to export from {slug!r}: {len(approved)} assets are approved, none of them {' '.join(wanted)}.",
        f"Approved variants: {', '.join(there)}.",
    )


def _write(
    house: House,
    campaign: Campaign,
    assets: Sequence[Asset],
    placements: Mapping[str, Placement],
    out: Path,
    *,
    variants: Sequence[str],
    platform: str | None,
    as_zip: bool,
    progress: Progress,
) -> Exported:
    target = out / _folder_name(campaign.slug, variants)
    _require_ours(target)
    scratch: Path | None = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        _sweep(out, campaign.slug)
        scratch = Path(tempfile.mkdtemp(prefix=f".{campaign.slug}-", dir=out))
        notes = _fill(house, campaign, assets, placements, scratch, progress)
        platforms = [folder.name for folder in sorted(scratch.iterdir()) if folder.is_dir()]
        if as_zip:
            for name in platforms:
                _zip(scratch / name, scratch / f"{target.name}_{name}.zip")
        (scratch / MARKER).write_text(f"{campaign.slug}\n", encoding="utf-8")
        _put_in_place(scratch, target, whole=platform is None)
    except OSError as error:
        raise ProofsheetError(
            f"The export to {out} failed: {error.strerror or error}.",
            "What stood there is as it was. Free some space, mend the rights, or choose another folder with --out.",
        ) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    return Exported(
        folder=target,
        archives=tuple(sorted(target.glob("*.zip"))),
        files=tuple(sorted(path for path in target.glob("*/*") if path.name != MANIFEST)),
        manifests=tuple(sorted(target.glob(f"*/{MANIFEST}"))),
        notes=notes,
    )


def _folder_name(slug: str, variants: Sequence[str]) -> str:
    """A selection of variants has a folder of its own, so that it never takes the place of the whole."""
    if not variants:
        return slug
    chosen = sorted(set(variants))
    return f"{slug}_{'-'.join(chosen) if len(chosen) <= 3 else content_id(chosen)}"


def _require_ours(target: Path) -> None:
    """Refuse to take the place of anything that an export did not make."""
    if not target.exists() and not target.is_symlink():
        return
    if target.is_dir() and not target.is_symlink() and ((target / MARKER).is_file() or not any(target.iterdir())):
        return
    raise InputError(
        f"{target} is there already and was not made by an export; it is left as it is.",
        "Choose another folder with --out, or move it away.",
    )


def _sweep(out: Path, slug: str) -> None:
    """Remove what exports that were killed an hour ago or more have left."""
    for left in out.glob(f".{slug}-*"):
        if left.is_dir() and time.time() - left.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _put_in_place(scratch: Path, target: Path, *, whole: bool) -> None:
    """Move the new files to the target; what they replace goes aside first and comes back if that fails."""
    scratch.chmod(0o755)
    if not target.exists():
        os.replace(scratch, target)
        return
    moves = [(scratch, target)] if whole else [(path, target / path.name) for path in sorted(scratch.iterdir())]
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    replaced: list[Path] = []
    try:
        for new, place in moves:
            if place.exists():
                os.replace(place, aside / place.name)
                replaced.append(place)
            os.replace(new, place)
    except OSError:
        for place in replaced:
            if not place.exists():
                os.replace(aside / place.name, place)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(
    house: House,
    campaign: Campaign,
    assets: Sequence[Asset],
    placements: Mapping[str, Placement],
    folder: Path,
    progress: Progress,
) -> tuple[str, ...]:
    from generation.deliver import check_delivered, deliver
    from generation.naming import file_stem

    rows: dict[str, list[dict[str, str]]] = {}
    notes: list[str] = []
    problems: list[str] = []
    for done, asset in enumerate(sorted(assets, key=lambda one: (one.placement, one.variant_id, one.id)), start=1):
        place = placements[asset.placement]
        mark = _mark(campaign, asset)
        delivered = deliver(house.warehouse.pictures.get(asset.sha256), place, mark)
        problems += [f"{asset.id} for {place.name}: {one}" for one in check_delivered(delivered.data, place)]
        notes += [f"{asset.id}: {note}" for note in delivered.notes]
        name = f"{file_stem(campaign.slug, asset, place)}.{delivered.extension}"
        where = folder / place.platform
        where.mkdir(exist_ok=True)
        if (where / name).exists():
            name = f"{Path(name).stem}_{asset.id[:4]}{Path(name).suffix}"
        (where / name).write_bytes(delivered.data)
        rows.setdefault(place.platform, []).append(_row(campaign, asset, place, name, delivered.data))
        progress("Exporting files", done, len(assets))
    if problems:
        raise ProofsheetError(
            f"{len(problems)} files break their placement's limits: {'; '.join(problems[:3])}",
            "Nothing was written. Score the campaign to see the remedies: proofsheet score",
        )
    for platform, listed in rows.items():
        (folder / platform / MANIFEST).write_text(_csv(listed), encoding="utf-8", newline="")
    return tuple(notes)


def _mark(campaign: Campaign, asset: Asset) -> Mark:
    from generation.deliver import Mark

    scene = asset.recipe.scene if asset.recipe else None
    return Mark(
        asset_id=asset.id,
        campaign=campaign.slug,
        title=alt_text(campaign, asset),
        ai_made=asset.ai_made,
        system=(f"Proofsheet {scene.backend} {scene.model}".strip() if scene else ""),
        system_version=(scene.revision or __version__ if scene else ""),
        credit=campaign.brand.name,
    )


def alt_text(campaign: Campaign, asset: Asset) -> str:
    """What a screen reader says of the picture: product, setting and words."""
    brand, product = campaign.brand.name, campaign.brief.product.name
    what = product if product.lower().startswith(brand.lower()) else f"{brand} {product}"
    if asset.recipe is None:
        return f"{what}: {asset.label}"
    setting = asset.recipe.levels.get("scene", "").replace("_", " ").replace("-", " ")
    return f"{what}, scene {setting}. Text: {asset.recipe.headline} {asset.recipe.cta}"


def tracking(campaign: Campaign, asset: Asset, place: Placement) -> dict[str, str]:
    """The tracking parameters of an asset: lower case, no personal data, the variant in ``utm_content``."""
    return {
        "utm_source": place.platform,
        "utm_medium": "paid",
        "utm_campaign": campaign.slug,
        "utm_content": asset.variant_id,
    }


def _row(campaign: Campaign, asset: Asset, place: Placement, name: str, data: bytes) -> dict[str, str]:
    from generation.deliver import read_mark

    parameters = tracking(campaign, asset, place)
    recipe = asset.recipe
    levels = asset.levels
    return {
        "file": name,
        "ad_name": Path(name).stem,
        "platform": place.platform,
        "placement": place.name,
        "width": str(place.width),
        "height": str(place.height),
        "bytes": str(len(data)),
        "sha256": bytes_id(data),
        "variant_id": asset.variant_id,
        "asset_id": asset.id,
        "locale": asset.locale,
        "headline": recipe.headline if recipe else "",
        "cta": recipe.cta if recipe else "",
        "scene": levels.get("scene", ""),
        "style": levels.get("style", ""),
        "layout": levels.get("layout", ""),
        "audience": levels.get("audience", ""),
        "ai_made": "yes" if asset.ai_made else "no",
        "digital_source_type": read_mark(data).get("digital_source_type", ""),
        "alt_text": alt_text(campaign, asset),
        "landing_page": campaign.brief.destination,
        **parameters,
        "final_url": final_url(campaign.brief.destination, parameters),
    }


def final_url(destination: str, parameters: Mapping[str, str]) -> str:
    """The landing page with the tracking parameters added; its own parameters stay as they are written.

    Raises:
        InputError: the destination is not an http or https address.
    """
    if not destination:
        return ""
    parts = urlsplit(destination)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InputError(
            f"The destination {destination!r} is not a web address.", "Write it with https:// in the brief."
        )
    kept = [part for part in parts.query.split("&") if part and unquote_plus(part.split("=", 1)[0]) not in parameters]
    return urlunsplit(parts._replace(query="&".join([*kept, urlencode(parameters)])))


def _csv(rows: Sequence[Mapping[str, str]]) -> str:
    """A table for people's spreadsheets: a value that a spreadsheet would run as a formula gets an apostrophe."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {key: f"'{value}" if value[:1] in "=+-@\t\r\0" and value else value for key, value in row.items()}
        )
    return text.getvalue()


def _zip(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", compression=zipfile.ZIP_STORED) as bundle:
        for path in sorted(folder.iterdir()):
            info = zipfile.ZipInfo(f"{folder.name}/{path.name}", date_time=ARCHIVE_MOMENT)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED if path.suffix == ".csv" else zipfile.ZIP_STORED
            bundle.writestr(info, path.read_bytes())
