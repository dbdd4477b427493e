"""Reading nouns: everything the warehouse gives back is a noun of the domain."""

from __future__ import annotations

from typing import TypeVar

from proofsheet.domain.assessment import Review, Score, Verdict
from proofsheet.domain.asset import Asset, CostEntry, Origin, Recipe, Scene, VariantPlan
from proofsheet.domain.campaign import Campaign
from proofsheet.domain.coverage import CoverageReport, Label
from proofsheet.domain.experiment import Experiment
from proofsheet.domain.facts import Reject
from proofsheet.domain.plain import from_json
from proofsheet.domain.result import Analysis, Decision
from proofsheet.errors import InputError, NotFoundError
from warehouse.adhoc import AdhocReader
from warehouse.records import ImportRecord

Noun = TypeVar("Noun")


class Reader(AdhocReader):
    """What can be read while a lease is held. Results are plain nouns and outlive the reader."""

    def _nouns(self, kind: type[Noun], sql: str, *parameters: object) -> tuple[Noun, ...]:
        return tuple(from_json(kind, body) for (body,) in self._session.rows(sql, parameters))

    def campaigns(self) -> tuple[Campaign, ...]:
        """Every campaign as last saved, by slug."""
        return self._nouns(Campaign, "SELECT arg_max(body, saved) FROM campaigns GROUP BY slug ORDER BY slug")

    def campaign(self, slug: str) -> Campaign:
        """The campaign as last saved.

        Raises:
            NotFoundError: there is none of that slug.
        """
        found = self._nouns(Campaign, "SELECT body FROM campaigns WHERE slug = ? ORDER BY saved DESC LIMIT 1", slug)
        if not found:
            known = ", ".join(row[0] for row in self._session.rows("SELECT DISTINCT slug FROM campaigns ORDER BY slug"))
            raise NotFoundError(f"There is no campaign {slug!r}.", f"Known: {known or 'none; plan one first'}.")
        return found[0]

    def plan(self, slug: str) -> VariantPlan | None:
        """The campaign's latest plan, or None before it is planned."""
        found = self._nouns(VariantPlan, "SELECT body FROM plans WHERE campaign = ? ORDER BY saved DESC LIMIT 1", slug)
        return found[0] if found else None

    def recipes(self, slug: str) -> tuple[Recipe, ...]:
        """The recipes of the campaign's latest plan, in its order."""
        return self._nouns(
            Recipe,
            "SELECT r.body FROM plan_recipes p JOIN recipes r ON r.id = p.recipe_id "
            "WHERE p.plan_id = ? ORDER BY p.position",
            self._plan_id(slug),
        )

    def _plan_id(self, slug: str) -> str:
        row = self._session.row("SELECT id FROM plans WHERE campaign = ? ORDER BY saved DESC LIMIT 1", [slug])
        return str(row[0]) if row else ""

    def scenes(self, slug: str) -> dict[str, Scene]:
        """The drawn scenes that the campaign drew or that its recipes ask for, by id."""
        scenes = self._nouns(
            Scene,
            "SELECT body FROM scenes WHERE id IN (SELECT scene_id FROM scene_campaigns WHERE campaign = $1) "
            "OR id IN (SELECT r.scene_id FROM plan_recipes p JOIN recipes r ON r.id = p.recipe_id "
            "JOIN plans ON plans.id = p.plan_id WHERE plans.campaign = $1) ORDER BY saved",
            slug,
        )
        return {scene.id: scene for scene in scenes}

    def scene(self, scene_id: str) -> Scene | None:
        """The scene of that id, whoever drew it, or None."""
        found = self._nouns(Scene, "SELECT body FROM scenes WHERE id = ?", scene_id)
        return found[0] if found else None

    def assets(self, slug: str, *, current_only: bool = True) -> tuple[Asset, ...]:
        """The campaign's assets: those of the latest plan in its order, then uploads in the order they came.

        A plan's assets are those made by its recipes; where a plan has no recipes saved, those of its variants. With
        ``current_only=False`` assets of earlier plans follow.
        """
        found = self._nouns(Asset, "SELECT body FROM assets WHERE campaign = ? ORDER BY saved", slug)
        positions = self._positions(slug)
        by_recipe = bool(positions)
        if not by_recipe:
            plan = self.plan(slug)
            positions = {variant.id: place for place, variant in enumerate(plan.variants)} if plan else {}

        def place(asset: Asset) -> tuple[int, int]:
            if asset.origin is Origin.UPLOADED:
                return 1, 0
            position = positions.get(asset.id if by_recipe else asset.variant_id)
            return (0, position) if position is not None else (2, 0)

        ordered = sorted(found, key=place)
        return tuple(asset for asset in ordered if not current_only or place(asset)[0] < 2)

    def _positions(self, slug: str) -> dict[str, int]:
        rows = self._session.rows(
            "SELECT recipe_id, min(position) FROM plan_recipes WHERE plan_id = ? GROUP BY recipe_id",
            [self._plan_id(slug)],
        )
        return dict(rows)

    def asset(self, id_or_prefix: str) -> Asset:
        """The asset of that id, or the only one whose id begins so.

        Raises:
            NotFoundError: there is none.
            InputError: the prefix fits several.
        """
        found = self._nouns(Asset, "SELECT body FROM assets WHERE starts_with(id, ?) ORDER BY id LIMIT 6", id_or_prefix)
        exact = [asset for asset in found if asset.id == id_or_prefix]
        if exact:
            return exact[0]
        if not found or not id_or_prefix:
            raise NotFoundError(
                f"There is no asset {id_or_prefix!r}.",
                "The dashboard's contact sheet shows them all; proofsheet review lists those that wait.",
            )
        if len(found) > 1:
            raise InputError(
                f"{id_or_prefix!r} fits several assets: {', '.join(asset.id for asset in found[:5])}"
                f"{' and more' if len(found) > 5 else ''}.",
                "Write more digits of the id.",
            )
        return found[0]

    def scores(self, slug: str) -> tuple[Score, ...]:
        """The latest scores of the campaign's assets."""
        return self._nouns(
            Score,
            "SELECT s.body FROM scores s JOIN assets a ON a.id = s.asset_id WHERE a.campaign = ? ORDER BY s.saved",
            slug,
        )

    def verdicts(self, slug: str) -> tuple[Verdict, ...]:
        """The latest verdicts on the campaign's assets."""
        return self._nouns(
            Verdict,
            "SELECT v.body FROM verdicts v JOIN assets a ON a.id = v.asset_id WHERE a.campaign = ? ORDER BY v.saved",
            slug,
        )

    def reviews(self, slug: str) -> tuple[Review, ...]:
        """Every review of the campaign's assets, oldest first."""
        return self._nouns(
            Review,
            "SELECT r.body FROM reviews r JOIN assets a ON a.id = r.asset_id WHERE a.campaign = ? ORDER BY r.saved",
            slug,
        )

    def latest_reviews(self, slug: str) -> dict[str, Review]:
        """The review that counts for each reviewed asset, by asset id."""
        return {review.asset_id: review for review in self.reviews(slug)}

    def labels(self, slug: str) -> tuple[Label, ...]:
        """What people saw in the campaign's pictures, oldest first: all labels, those taken back among them."""
        return self._nouns(Label, "SELECT body FROM labels WHERE campaign = ? ORDER BY saved", slug)

    def coverage(self, slug: str) -> CoverageReport | None:
        """The campaign's latest report of coverage, or None before the first."""
        sql = "SELECT body FROM coverage_reports WHERE campaign = ? ORDER BY saved DESC LIMIT 1"
        found = self._nouns(CoverageReport, sql, slug)
        return found[0] if found else None

    def ledger(self, slug: str | None = None) -> tuple[CostEntry, ...]:
        """The ledger's lines of one campaign (None: of all), in the order they were booked."""
        return self._nouns(CostEntry, "SELECT body FROM ledger WHERE $1 IS NULL OR campaign = $1 ORDER BY saved", slug)

    def cost_entry(self, key: str) -> CostEntry | None:
        """The ledger's line of that key, or None when nothing was booked under it."""
        found = self._nouns(CostEntry, "SELECT body FROM ledger WHERE key = ?", key)
        return found[0] if found else None

    def experiments(self, slug: str | None = None) -> tuple[Experiment, ...]:
        """The experiments of one campaign (None: of all), oldest first."""
        return self._nouns(
            Experiment, "SELECT body FROM experiments WHERE $1 IS NULL OR campaign = $1 ORDER BY saved", slug
        )

    def experiment(self, experiment_id: str) -> Experiment:
        """The experiment of that id.

        Raises:
            NotFoundError: there is none.
        """
        found = self._nouns(Experiment, "SELECT body FROM experiments WHERE id = ?", experiment_id)
        if not found:
            known = ", ".join(row[0] for row in self._session.rows("SELECT id FROM experiments ORDER BY saved"))
            raise NotFoundError(
                f"There is no experiment {experiment_id!r}.", f"Known: {known or 'none; run proofsheet launch'}."
            )
        return found[0]

    def analysis(self, experiment_id: str) -> Analysis | None:
        """The latest analysis of the experiment, or None."""
        found = self.analyses(experiment_id)
        return found[-1] if found else None

    def analyses(self, experiment_id: str) -> tuple[Analysis, ...]:
        """Every analysis of the experiment, oldest first."""
        return self._nouns(Analysis, "SELECT body FROM analyses WHERE experiment = ? ORDER BY saved", experiment_id)

    def decisions(self, experiment_id: str) -> tuple[Decision, ...]:
        """Every decision about the experiment, oldest first; the last one stands."""
        return self._nouns(Decision, "SELECT body FROM decisions WHERE experiment = ? ORDER BY saved", experiment_id)

    def imports(self) -> tuple[ImportRecord, ...]:
        """Every imported file, oldest first."""
        return self._nouns(ImportRecord, "SELECT body FROM imports ORDER BY import_no")

    def import_by_hash(self, sha256: str, kind: str | None = None) -> ImportRecord | None:
        """The import of a file with these bytes (as this kind of facts, when given), or None."""
        found = self._nouns(
            ImportRecord,
            "SELECT body FROM imports WHERE sha256 = $1 AND ($2 IS NULL OR kind = $2) ORDER BY import_no",
            sha256,
            kind,
        )
        return found[-1] if found else None

    def rejects(self, import_id: str) -> tuple[Reject, ...]:
        """The rows of an import that were set aside, by line."""
        rows = self._session.rows(
            "SELECT r.line, r.column_name, r.value, r.reason, r.raw FROM rejects r JOIN imports i "
            "ON i.import_no = r.import_no WHERE i.id = ? ORDER BY r.import_no, r.line, r.column_name",
            [import_id],
        )
        return tuple(
            Reject(line=line, column=column, value=value, reason=reason, raw=raw)
            for line, column, value, reason, raw in rows
        )
