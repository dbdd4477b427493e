"""review: a person approves or rejects assets, with a reason; only approved assets go on."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from proofsheet.domain.assessment import Grade, Judgement, Review, Verdict
from proofsheet.domain.asset import CostEntry
from proofsheet.errors import InputError, NotFoundError
from proofsheet.workflows.house import House, now


def review(
    house: House,
    slug: str | None,
    asset_ids: Sequence[str],
    judgement: Judgement,
    *,
    reason: str = "",
    reviewer: str | None = None,
    minutes: Decimal = Decimal(0),
) -> tuple[Review, ...]:
    """Record a judgement on each asset; the latest counts, all are kept.

    Args:
        house: the open house.
        slug: the campaign; None when there is only one.
        asset_ids: ids, or prefixes that name one asset each.
        judgement: approve, reject, or withdraw (takes the earlier judgement back).
        reason: needed to reject, and to approve against a FAIL verdict.
        reviewer: who judges; the person at work by default.
        minutes: time it took, for the ledger; 0 writes no cost.

    Raises:
        InputError: a reason is missing, or nothing was named. Nothing is recorded then.
        NotFoundError: no such asset in the campaign.
    """
    if not asset_ids:
        raise InputError("No asset was named.", "Name assets by id, or use --all-passing.")
    if judgement is Judgement.REJECT and not reason.strip():
        raise InputError("A rejection needs a reason.", 'Say why, for example: --reason "headline is hard to read"')
    who = reviewer or house.user
    with house.warehouse.write() as writer:
        campaign = house.campaign(writer, slug)
        found = {asset.id: asset for asset in map(writer.asset, asset_ids)}
        assets = list(found.values())
        strangers = [asset.id for asset in assets if asset.campaign != campaign.slug]
        if strangers:
            raise NotFoundError(
                f"{', '.join(strangers)}: not in the campaign {campaign.slug!r}.", "Name the right campaign."
            )
        if judgement is Judgement.APPROVE and not reason.strip():
            _refuse_failed({asset.id for asset in assets}, writer.verdicts(campaign.slug))
        at = now()
        made = tuple(
            Review(asset_id=asset.id, judgement=judgement, reason=reason.strip(), reviewer=who, at=at)
            for asset in assets
        )
        for one in made:
            writer.add_review(one)
        if minutes > 0:
            writer.add_costs([_time(house, campaign.slug, one, minutes / len(made)) for one in made])
    return made


def passing(house: House, slug: str | None = None, *, worst: Grade = Grade.PASS) -> tuple[str, ...]:
    """The ids of scored, not yet judged assets whose worst verdict is at most ``worst``."""
    with house.warehouse.read() as reader:
        campaign = house.campaign(reader, slug)
        verdicts = reader.verdicts(campaign.slug)
        latest = reader.latest_reviews(campaign.slug)
        assets = reader.assets(campaign.slug)
    grades: dict[str, int] = {}
    for verdict in verdicts:
        grades[verdict.asset_id] = max(grades.get(verdict.asset_id, 0), verdict.grade.severity)
    judged = {key for key, one in latest.items() if one.judgement is not Judgement.WITHDRAW}
    return tuple(
        asset.id
        for asset in assets
        if asset.id in grades and grades[asset.id] <= worst.severity and asset.id not in judged
    )


def _refuse_failed(asset_ids: set[str], verdicts: Sequence[Verdict]) -> None:
    failed = [one for one in verdicts if one.asset_id in asset_ids and one.grade is Grade.FAIL]
    if failed:
        first = failed[0]
        raise InputError(
            f"{first.asset_id} fails {first.criterion}: {first.reason}",
            'Mend it, or approve it all the same with the reason: --reason "…"',
        )


def _time(house: House, slug: str, one: Review, minutes: Decimal) -> CostEntry:
    price = house.settings.review_price_per_minute
    return CostEntry(
        key=f"review:{one.asset_id}:{one.at.isoformat()}",
        campaign=slug,
        what="review",
        quantity=minutes.quantize(Decimal("0.0001")),
        unit="minute",
        unit_price=price,
        amount=(minutes * price).quantize(Decimal("0.000001")),
        currency=house.settings.currency,
        asset_id=one.asset_id,
        source="setting review_price_per_minute",
        at=one.at,
    )
