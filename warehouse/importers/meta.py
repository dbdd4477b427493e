"""Meta Ads Manager exports, in the language of the account."""

from __future__ import annotations

from proofsheet.errors import InputError
from warehouse.importers.deliveries import DeliveryImporter, DeliveryReader
from warehouse.importers.reading import Question
from warehouse.reports.headers import header_key

_NO_CONVERSIONS = frozenset(
    {
        "link clicks",
        "landing page views",
        "reach",
        "impressions",
        "thruplays",
        "thruplay",
        "video views",
        "post engagements",
        "post engagement",
        "ad recall lift",
        "ad recall lift (people)",
        "actions:link click",
        "actions:landing page view",
        "actions:post engagement",
        "link-klicks",
        "clics sur un lien",
        "clics en el enlace",
        "cliques no link",
        "clic sul link",
    }
)


class MetaImporter(DeliveryImporter):
    """Reads Meta's reports. Conversions are the column "Purchases" or, without it, "Results" of one stated kind."""

    name = "meta"

    def choose_conversions(self, reader: DeliveryReader) -> None:
        """Take "Results" for conversions only where its kind is one, and the same in all rows."""
        columns, reading = reader.columns, reader.reading
        told = reader.request.options.get("result_type", "")
        if "conversions" in columns or "results" not in columns:
            return
        tallies = reader.styles.tallies
        kinds = {text: number for text, number in tallies.get(columns.get("result_type", -1), {}).items() if text}
        if told and told not in kinds:
            raise InputError(
                f"--option result_type={told!r}: no row has this kind of result.", f"Kinds: {', '.join(kinds)}."
            )
        counting = {text: number for text, number in kinds.items() if header_key(text) not in _NO_CONVERSIONS}
        if told or not kinds or (len(counting) == 1 and len(kinds) == 1):
            columns["conversions"] = columns.pop("results")
            reader.result_type = told
            kind = told or next(iter(kinds), "unnamed")
            reading.notes.append(f"Conversions are the column 'Results' of the kind {kind!r}.")
        elif not counting:
            reading.notes.append(
                f"'Results' counts {', '.join(repr(kind) for kind in kinds)}, no conversions: none are loaded."
            )
        else:
            listed = ", ".join(f"{kind!r} ({number} rows)" for kind, number in kinds.items())
            reading.questions.append(
                Question(
                    topic="conversions",
                    text=f"'Results' mixes kinds: {listed}. Which counts as a conversion?",
                    answers=tuple(f"--option result_type={kind!r}" for kind in counting),
                )
            )
