"""Writing nouns and facts: everything between the opening of a writer and its end is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from proofsheet.domain.assessment import Review, Score, Verdict
from proofsheet.domain.asset import Asset, CostEntry, Recipe, Scene, VariantPlan
from proofsheet.domain.campaign import Campaign
from proofsheet.domain.coverage import CoverageReport, Label
from proofsheet.domain.facts import Delivery, Exposure, Outcome, Reject
from proofsheet.domain.identity import bytes_id, to_json
from proofsheet.errors import InputError, NotFoundError, ProofsheetError, StateError
from warehouse.arrays import floats, texts, whole
from warehouse.columns import (
    delivery_columns,
    exact,
    exposure_columns,
    outcome_columns,
    reject_columns,
    utc,
)
from warehouse.corrections import replace_deliveries, replace_unit_facts
from warehouse.experiment_writer import ExperimentWriter
from warehouse.pictures import write_atomically
from warehouse.records import ImportRecord

IMPORTS = "imports"


class Writer(ExperimentWriter):
    """Reads and writes in one transaction: all of it is kept when the block ends well, none of it otherwise.

    What was written is seen by the same writer's reads at once. Saving a noun that is there already changes nothing
    but its place as the latest.
    """

    def save_campaign(self, campaign: Campaign) -> None:
        """Keep the campaign as its slug's latest; earlier versions stay."""
        self._write(
            "INSERT INTO campaigns VALUES (?, ?, ?, nextval('save_order'), ?) "
            "ON CONFLICT (slug, content_id) DO UPDATE SET saved = excluded.saved",
            campaign.slug,
            campaign.id,
            campaign.brief.name,
            to_json(campaign),
        )

    def save_plan(self, plan: VariantPlan) -> None:
        """Keep the plan as its campaign's latest; earlier plans stay.

        Raises:
            NotFoundError: the campaign is not saved.
        """
        self.campaign(plan.campaign)
        self._write(
            "INSERT INTO plans VALUES (?, ?, nextval('save_order'), ?) "
            "ON CONFLICT (id) DO UPDATE SET saved = excluded.saved",
            plan.id,
            plan.campaign,
            to_json(plan),
        )

    def save_recipes(self, slug: str, recipes: Sequence[Recipe]) -> None:
        """Keep what the campaign's latest plan asks for; recipes saved for it before are let go of.

        Raises:
            StateError: the campaign has no plan, or a recipe is of another campaign.
        """
        plan_id = self._plan_id(slug)
        if not plan_id:
            raise StateError(f"The campaign {slug!r} has no plan to save recipes for.", "Save the plan first.")
        strangers = sorted({recipe.campaign for recipe in recipes} - {slug})
        if strangers:
            raise StateError(f"Recipes of {', '.join(strangers)} do not belong to {slug!r}.", "Save them apart.")
        self._write("DELETE FROM plan_recipes WHERE plan_id = ?", plan_id)
        if not recipes:
            return
        unique = list({recipe.id: recipe for recipe in recipes}.items())
        self._insert(
            "recipes",
            {
                "id": [key for key, _ in unique],
                "campaign": [recipe.campaign for _, recipe in unique],
                "variant_id": [recipe.variant_id for _, recipe in unique],
                "placement": [recipe.placement for _, recipe in unique],
                "scene_id": [recipe.scene.id for _, recipe in unique],
                "body": [to_json(recipe) for _, recipe in unique],
            },
            "ON CONFLICT (id) DO NOTHING",
        )
        self._insert(
            "plan_recipes",
            {
                "plan_id": [plan_id] * len(unique),
                "position": list(range(len(unique))),
                "recipe_id": [key for key, _ in unique],
            },
        )

    def _insert(self, table: str, columns: dict[str, list[Any]], on_conflict: str = "") -> None:
        """Insert rows given by column; positions are plain numbers, all else is text or a score."""
        self.changed = True
        kinds: dict[str, Any] = {"position": whole, "saved": whole, "value": floats}
        self._session.insert(
            table, {name: kinds.get(name, texts)(values) for name, values in columns.items()}, on_conflict
        )

    def _orders(self, count: int) -> list[int]:
        """The next numbers in the order of saves."""
        rows = self._session.rows("SELECT nextval('save_order') FROM range(?)", [count])
        return [row[0] for row in rows]

    def save_scene(self, scene: Scene, campaign: str | None = None) -> None:
        """Keep a drawn scene, for all campaigns; ``campaign`` says which one drew it."""
        self._write(
            "INSERT INTO scenes VALUES (?, ?, nextval('save_order'), ?) "
            "ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256, body = excluded.body",
            scene.id,
            scene.sha256,
            to_json(scene),
        )
        if campaign is not None:
            self._write("INSERT INTO scene_campaigns VALUES (?, ?) ON CONFLICT DO NOTHING", scene.id, campaign)

    def save_assets(self, assets: Sequence[Asset]) -> None:
        """Keep assets; one that is there already is taken anew and keeps its place."""
        unique = list({asset.id: asset for asset in assets}.values())
        if not unique:
            return
        self._insert(
            "assets",
            {
                "id": [asset.id for asset in unique],
                "campaign": [asset.campaign for asset in unique],
                "variant_id": [asset.variant_id for asset in unique],
                "placement": [asset.placement for asset in unique],
                "locale": [asset.locale for asset in unique],
                "origin": [asset.origin.value for asset in unique],
                "scene_id": [asset.scene_id for asset in unique],
                "sha256": [asset.sha256 for asset in unique],
                "saved": self._orders(len(unique)),
                "body": [to_json(asset) for asset in unique],
            },
            "ON CONFLICT (id) DO UPDATE SET sha256 = excluded.sha256, body = excluded.body",
        )

    def save_assessment(self, scores: Sequence[Score], verdicts: Sequence[Verdict]) -> None:
        """Keep scores and verdicts; each takes the place of earlier ones on the same asset and criterion."""
        for table, rows in (("scores", scores), ("verdicts", verdicts)):
            if not rows:
                continue
            self._replace_judged(table, rows)
        if scores:
            self._insert(
                "scores",
                {
                    "asset_id": [score.asset_id for score in scores],
                    "criterion": [score.criterion for score in scores],
                    "scorer": [score.scorer for score in scores],
                    "value": [None if score.value is None else float(score.value) for score in scores],
                    "saved": self._orders(len(scores)),
                    "body": [to_json(score) for score in scores],
                },
            )
        if verdicts:
            self._insert(
                "verdicts",
                {
                    "asset_id": [verdict.asset_id for verdict in verdicts],
                    "criterion": [verdict.criterion for verdict in verdicts],
                    "grade": [verdict.grade.value for verdict in verdicts],
                    "saved": self._orders(len(verdicts)),
                    "body": [to_json(verdict) for verdict in verdicts],
                },
            )

    def _replace_judged(self, table: str, rows: Sequence[Score] | Sequence[Verdict]) -> None:
        pairs = sorted({(row.asset_id, row.criterion) for row in rows})
        self._write(
            f"DELETE FROM {table} USING (SELECT unnest(?::VARCHAR[]) AS asset, unnest(?::VARCHAR[]) AS named) judged "
            f"WHERE {table}.asset_id = judged.asset AND {table}.criterion = judged.named",
            [asset for asset, _ in pairs],
            [criterion for _, criterion in pairs],
        )

    def add_review(self, review: Review) -> None:
        """Add a review; earlier ones stay.

        Raises:
            NotFoundError: there is no such asset.
        """
        if self._session.row("SELECT 1 FROM assets WHERE id = ?", [review.asset_id]) is None:
            raise NotFoundError(f"There is no asset {review.asset_id!r} to review.", "Name an asset by its full id.")
        self._write(
            "INSERT INTO reviews VALUES (?, ?, ?, ?, nextval('save_order'), ?)",
            review.asset_id,
            review.judgement.value,
            review.reviewer,
            utc(review.at),
            to_json(review),
        )

    def add_label(self, label: Label) -> None:
        """Add what a person saw in a picture; earlier labels stay."""
        self._write(
            "INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?, nextval('save_order'), ?)",
            label.campaign,
            label.picture,
            label.axis,
            label.value,
            label.rater,
            utc(label.at),
            to_json(label),
        )

    def save_coverage(self, report: CoverageReport) -> None:
        """Keep a report as its campaign's latest; earlier ones stay."""
        self._write(
            "INSERT INTO coverage_reports VALUES (?, nextval('save_order'), ?)", report.campaign, to_json(report)
        )

    def add_costs(self, entries: Sequence[CostEntry]) -> int:
        """Book lines in the ledger and give back how many were new: a key that is there is never booked again."""
        booked = 0
        for entry in entries:
            booked += len(
                self._write(
                    "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, nextval('save_order'), ?) "
                    "ON CONFLICT (key) DO NOTHING RETURNING key",
                    entry.key,
                    entry.campaign,
                    entry.what,
                    exact(entry.amount, f"Ledger line {entry.key}"),
                    entry.currency,
                    entry.asset_id,
                    entry.scene_id,
                    utc(entry.at) if entry.at else None,
                    to_json(entry),
                )
            )
        return booked

    def save_import(
        self,
        record: ImportRecord,
        *,
        deliveries: Sequence[Delivery] = (),
        exposures: Sequence[Exposure] = (),
        outcomes: Sequence[Outcome] = (),
        rejects: Sequence[Reject] = (),
        raw: Path,
    ) -> bool:
        """Load a file's facts with its record, and keep the file itself by its hash.

        Rows that an earlier import said are corrected, not counted twice: see ``warehouse.corrections``.

        Returns:
            False, with nothing written, when a file with the same bytes is imported as this kind already.

        Raises:
            InputError: the file is no longer the one that was read, or a number cannot be kept.
        """
        if self.import_by_hash(record.sha256, record.kind) is not None:
            return False
        import_no = int(self._session.rows("SELECT nextval('import_order')")[0][0])
        tables = {
            "deliveries": delivery_columns(deliveries, import_no) if deliveries else {},
            "exposures": exposure_columns(exposures, import_no) if exposures else {},
            "outcomes": outcome_columns(outcomes, import_no) if outcomes else {},
            "rejects": reject_columns(rejects, import_no) if rejects else {},
        }
        self._keep_raw(record, raw)
        self._write(
            "INSERT INTO imports VALUES (?, ?, ?, ?, ?, ?, ?)",
            import_no,
            record.id,
            record.sha256,
            record.kind,
            record.platform,
            record.campaign,
            to_json(replace(record, already_imported=False)),
        )
        for table, columns in tables.items():
            if columns:
                self._session.insert(table, columns)
        if deliveries:
            replace_deliveries(self._session, import_no)
        if exposures or outcomes:
            replace_unit_facts(self._session, import_no, record.kind)
        return True

    def _keep_raw(self, record: ImportRecord, raw: Path) -> None:
        kept = self._home / IMPORTS / record.sha256
        try:
            data = raw.read_bytes()
        except OSError as error:
            raise InputError(f"{raw} cannot be read: {error.strerror}.", "Put it back and import it again.") from error
        if bytes_id(data) != record.sha256:
            raise InputError(f"{raw} changed while it was being imported.", "Import it again once it is complete.")
        try:
            write_atomically(kept, data)
        except OSError as error:
            raise ProofsheetError(
                f"The imported file could not be kept in {kept.parent}: {error.strerror}.",
                "Free some space or mend the rights on that folder, then import it again.",
            ) from error
