"""LinkedIn Campaign Manager reports: UTF-16 with tabs, lines above the header, days as M/D/YYYY."""

from __future__ import annotations

from warehouse.importers.deliveries import DeliveryImporter


class LinkedInImporter(DeliveryImporter):
    """Reads LinkedIn's reports."""

    name = "linkedin"
