"""ingest and inspect: read real reports, account for every row, change nothing the second time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofsheet.workflows.house import House

if TYPE_CHECKING:
    from warehouse.inspection import Inspection
    from warehouse.records import ImportRecord


def inspect(
    file: Path, *, layout: str | None = None, mapping: Mapping[str, str] | None = None, **options: Any
) -> Inspection:
    """What ``ingest`` would understand of a file, without storing anything.

    Raises:
        InputError: the file cannot be read at all.
        NotFoundError: there is no such file or layout.
    """
    from warehouse.ingest import inspect_file

    return inspect_file(file, layout=layout, mapping=mapping, **options)


def ingest(
    house: House,
    file: Path,
    *,
    layout: str | None = None,
    mapping: Mapping[str, str] | None = None,
    campaign: str | None = None,
    **options: Any,
) -> ImportRecord:
    """Load a report into the warehouse in one transaction: every row is loaded, or set aside with its reason.

    Raises:
        InputError: the file cannot be understood without an answer; the message names the option that gives it.
        NotFoundError: there is no such file, layout or campaign.
    """
    from warehouse.ingest import ingest_file

    if campaign is not None:
        with house.warehouse.read() as reader:
            reader.campaign(campaign)
    return ingest_file(house.warehouse, file, layout=layout, mapping=mapping, campaign=campaign, **options)
