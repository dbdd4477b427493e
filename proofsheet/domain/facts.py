"""Facts, append-only: what happened, at the unit level (ours or a site's) or as a platform reports it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A unit saw an arm."""

    experiment: str
    unit: str
    arm: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A unit did something, with its value (1 for an event)."""

    experiment: str
    unit: str
    event: str
    value: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One row of a platform's report: ad × day × placement × segment.

    Counts are None where the report has no such column, never where it has an empty cell (then they are 0 or the
    row is set aside, by the layout's rule). ``asset_key`` is the variant id found in the ad's name or ``utm_content``.
    """

    platform: str
    account: str
    campaign: str
    ad_group: str
    ad: str
    ad_id: str
    day: date | None
    day_end: date | None
    placement: str
    segment: str  # canonical "key=value" pairs joined by "|", such as "age=25-34|gender=female"
    impressions: int | None
    clicks: int | None
    link_clicks: int | None
    conversions: Decimal | None
    conversion_value: Decimal | None
    spend: Decimal | None
    currency: str
    asset_key: str
    line: int  # 1-based line (or sheet row) in the file
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that could not be loaded: where it stands, what it holds, and why it was set aside."""

    line: int
    column: str
    value: str
    reason: str
    raw: str
