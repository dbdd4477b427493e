"""TikTok Ads Manager reports: workbook or CSV, with a totals row at the end."""

from __future__ import annotations

from warehouse.importers.deliveries import DeliveryImporter


class TikTokImporter(DeliveryImporter):
    """Reads TikTok's reports; ids may be written ``id:…``."""

    name = "tiktok"
