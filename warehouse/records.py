"""What the warehouse remembers about an imported file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """One imported file: where it came from and what became of each of its rows.

    ``id`` is the first 16 hex digits of ``sha256``, the hash of the file's bytes. ``rows_in`` is always ``loaded`` +
    ``set_aside``; ``flagged`` counts loaded rows that carry a remark. ``kind`` says which facts the file held:
    ``"delivery"`` (a platform's report), ``"events"`` or ``"units"`` (unit level). ``totals`` are exact sums as text,
    to compare with the platform's own totals. ``already_imported`` is True on a record handed back for a file that
    the warehouse already held; it is never stored.
    """

    id: str
    file_name: str
    sha256: str
    bytes: int
    layout: str
    platform: str
    campaign: str | None
    rows_in: int
    loaded: int
    set_aside: int
    flagged: int
    first_day: date | None
    last_day: date | None
    currency: str
    kind: str
    totals: Mapping[str, str] = field(default_factory=dict)
    imported_at: datetime
    already_imported: bool = False
