"""Google Ads reports: lines above the header, totals rows below the data, thousands separators, " --" for none."""

from __future__ import annotations

from warehouse.importers.deliveries import DeliveryImporter
from warehouse.importers.layout import Recognition, recognise
from warehouse.reports.dates import find_range
from warehouse.reports.table import Table


class GoogleAdsImporter(DeliveryImporter):
    """Reads Google Ads reports, as comma-separated UTF-8 or as UTF-16 with tabs ("for Excel")."""

    name = "google_ads"

    def recognise(self, table: Table) -> Recognition:
        """By the header, and by the line of days above it."""
        telling = next((line for line in table.preamble if find_range(line)), "")
        return recognise(self.layout, table.header, telling_preamble=telling)
