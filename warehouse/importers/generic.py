"""Ad tables of no known platform: agency sheets, public data sets, own exports."""

from __future__ import annotations

from warehouse.importers.deliveries import DeliveryImporter


class GenericImporter(DeliveryImporter):
    """Reads any table whose columns have usual names, or are named by ``--map FIELD=HEADER``."""

    name = "generic"
