"""demo: the whole loop on the example campaign, with a simulator of known truth in place of the ad platform."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofsheet.domain.assessment import Grade, Judgement
from proofsheet.domain.asset import Asset
from proofsheet.domain.campaign import Campaign
from proofsheet.domain.experiment import Experiment
from proofsheet.domain.money import Money
from proofsheet.domain.result import Analysis, Decision
from proofsheet.errors import InputError, NotFoundError
from proofsheet.workflows.analyze import analyze
from proofsheet.workflows.decide import decide
from proofsheet.workflows.export import Exported, export
from proofsheet.workflows.generate import generate
from proofsheet.workflows.house import House, Progress, quiet
from proofsheet.workflows.ingest import ingest
from proofsheet.workflows.launch import launch
from proofsheet.workflows.plan import plan
from proofsheet.workflows.review import passing, review
from proofsheet.workflows.score import score
from proofsheet.workflows.upload import upload

if TYPE_CHECKING:
    from experiments.truth import DeliveryRow, Truth, TruthRow

#: What a person's look at one picture is taken to last, in minutes.
REVIEW_MINUTES = Decimal("0.25")
REVIEWER = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One verb of the demo: what came out of it, how long it took and what it cost."""

    verb: str
    lines: tuple[str, ...]
    seconds: float
    cost: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What the whole loop came to."""

    campaign: str
    experiment: str
    steps: tuple[Step, ...]
    truth: tuple[TruthRow, ...]
    decision: Decision
    exported: Exported
    report: Path


class _Run:
    """Runs the steps and keeps their times and costs."""

    def __init__(self, house: House, tell: Callable[[Step], None] | None) -> None:
        self.house = house
        self.tell = tell
        self.steps: list[Step] = []
        self.slug = ""

    def __call__(self, verb: str, work: Callable[[], tuple[Any, Sequence[str]]]) -> Any:
        spent, started = self._spent(), time.perf_counter()
        value, lines = work()
        seconds = time.perf_counter() - started
        cost = Money(self._spent() - spent, self.house.settings.currency)
        step = Step(verb=verb, lines=tuple(lines), seconds=seconds, cost=cost)
        self.steps.append(step)
        if self.tell:
            self.tell(step)
        return value

    def _spent(self) -> Decimal:
        if not self.slug:
            return Decimal(0)
        currency = self.house.settings.currency
        with self.house.warehouse.read() as reader:
            ledger = reader.ledger(self.slug)
        return sum((one.amount for one in ledger if one.currency == currency), Decimal(0))


def demo(
    house: House,
    brief_path: Path,
    out: Path,
    *,
    seed: int = 1,
    backend: str = "",
    progress: Progress = quiet,
    step: Callable[[Step], None] | None = None,
) -> Demo:
    """Run plan, generate, upload, score, review, launch, export, ingest, analyze and decide on an example.

    The traffic is simulated: a seeded simulator writes a report in the layout of a Meta Ads Manager export, and
    ``ingest`` reads it as it reads any other. Running it again makes nothing twice.

    Args:
        house: the open house.
        brief_path: the example's brief; ``baseline/`` and ``simulation.toml`` stand beside it.
        out: where the export and the simulated report go.
        seed: of the simulated traffic.
        backend: what draws the scenes; "" for the setting, and without one for the house model.
        progress: called while pictures are made.
        step: called after each verb.

    Raises:
        NotFoundError: the example's files are not there.
    """
    if not brief_path.is_file():
        raise NotFoundError(
            f"The example's brief {brief_path} is not there.", "Run this in the project's folder, or name it: --brief"
        )
    run = _Run(house, step)
    planned = run("plan", lambda: _plan(house, brief_path, backend))
    run.slug = planned.slug
    run("generate", lambda: _generate(house, run.slug, progress))
    run("upload", lambda: _upload(house, planned, brief_path.parent))
    run("score", lambda: _score(house, run.slug, progress))
    run("review", lambda: _review(house, run.slug))
    experiment = run("launch", lambda: _launch(house, planned))
    exported = run("export", lambda: _export(house, run.slug, out, progress))
    truth = read_truth(brief_path.parent / "simulation.toml")
    report, rows = run("ingest", lambda: _traffic(house, planned, experiment, truth, out.parent / "reports", seed))
    analysis = run("analyze", lambda: _analyze(house, experiment))
    decision = run("decide", lambda: _decide(house, experiment))
    return Demo(
        campaign=run.slug,
        experiment=experiment.id,
        steps=tuple(run.steps),
        truth=compare_with_truth(experiment, truth, rows, analysis),
        decision=decision,
        exported=exported,
        report=report,
    )


def _plan(house: House, brief_path: Path, backend: str) -> tuple[Campaign, list[str]]:
    done = plan(house, brief_path, backend=backend)
    quality = done.plan.quality
    return done.campaign, [
        f"{quality.runs} variants of {quality.full_runs} possible, D-efficiency {quality.d_efficiency:.3f}, "
        f"{quality.rank} of {quality.parameters} main-effect parameters estimable",
        f"{done.scenes} scenes and {done.assets} assets to make, estimated at {done.estimate}",
        f"scenes by the backend {done.plan.backend}" + (f" ({done.plan.model})" if done.plan.model else ""),
        *done.warnings,
    ]


def _generate(house: House, slug: str, progress: Progress) -> tuple[None, list[str]]:
    done = generate(house, slug, progress=progress)
    return None, [
        f"{done.scenes_drawn} scenes drawn ({done.scenes_reused} there already), "
        f"{done.assets_composed} assets composed ({done.assets_reused} there already)",
        *done.notes,
    ]


def _upload(house: House, campaign: Campaign, folder: Path) -> tuple[None, list[str]]:
    kept = []
    for name in campaign.brief.placements:
        found = sorted(folder.glob(f"baseline/{name}.*"))
        if not found:
            raise NotFoundError(
                f"{folder / 'baseline'} has no picture for {name}.", f"Put one there, named {name}.png or {name}.jpg."
            )
        cost = Money(Decimal("180.00"), house.settings.currency)
        kept.append(upload(house, campaign.slug, found[0], placement=name, cost=cost))
    return None, [f"{len(kept)} human-made baseline pictures, one for each placement"]


def _score(house: House, slug: str, progress: Progress) -> tuple[None, list[str]]:
    with house.warehouse.read() as reader:
        judged = {one.asset_id for one in reader.scores(slug)}
        assets = reader.assets(slug)
    if assets and all(asset.id in judged for asset in assets):
        return None, [f"{len(assets)} assets were judged before"]
    done = score(house, slug, progress=progress)
    grades = ", ".join(f"{done.grades.get(grade.value, 0)} {grade.value}" for grade in Grade)
    silent = [reason.split(". ")[0].rstrip(".") for reason in done.abstained]
    return None, [f"{done.assets} assets: {grades}", *(f"not judged: {reason}" for reason in silent)]


def _review(house: House, slug: str) -> tuple[None, list[str]]:
    lines = []
    groups = (
        (Grade.PASS, Judgement.APPROVE, ""),
        (Grade.REVIEW, Judgement.APPROVE, "looked at closely: good enough to test"),
        (Grade.FAIL, Judgement.REJECT, "fails a check"),
    )
    for worst, judgement, reason in groups:
        waiting = passing(house, slug, worst=worst)
        if waiting:
            minutes = REVIEW_MINUTES * len(waiting)
            review(house, slug, waiting, judgement, reason=reason, reviewer=REVIEWER, minutes=minutes)
            lines.append(f"{judgement.value}: {len(waiting)} assets ({worst.value}), {minutes} minutes")
    return None, lines or ["every asset was judged before"]


def _launch(house: House, campaign: Campaign) -> tuple[Experiment, list[str]]:
    start = campaign.brief.start
    began = datetime.combine(start, clock(), tzinfo=UTC) if start else None
    experiment = launch(
        house, campaign.slug, control="baseline", name=f"{campaign.brief.name}, simulated traffic", started_at=began
    )
    design = experiment.design
    lines = [f"{experiment.id}: {len(experiment.arms) - 1} arms against {experiment.control.name}"]
    if design:
        lines.append(
            f"sized for a lift of {design.minimum_lift:.0%} on {design.baseline:.2%}: {design.n_per_arm:,} impressions "
            f"an arm, {design.days} days"
        )
    return experiment, lines


def _export(house: House, slug: str, out: Path, progress: Progress) -> tuple[Exported, list[str]]:
    done = export(house, slug, out, progress=progress)
    return done, [f"{len(done.files)} marked files with manifests in {done.folder}"] + [
        f"{archive}" for archive in done.archives
    ]


def _traffic(
    house: House, campaign: Campaign, experiment: Experiment, truth: Truth, folder: Path, seed: int
) -> tuple[tuple[Path, list[DeliveryRow]], list[str]]:
    from experiments.simulate import simulate_platform
    from warehouse.reports.meta_report import write_meta_report

    brief = campaign.brief
    if brief.start is None:
        raise InputError("The example's brief has no test.start.", "Set it, so that the simulated flight has dates.")
    rows = simulate_platform(
        experiment.arms,
        truth,
        start=brief.start,
        days=brief.days,
        daily_impressions=brief.daily_impressions,
        placements=list(brief.placements),
        seed=seed,
    )
    shown = _shown(house, experiment)
    rows = [row for row in rows if (row.arm, row.placement) in shown]
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / f"{campaign.slug}_simulated_meta_{seed}.csv"
    write_meta_report(report, report_rows(house, campaign, rows, shown))
    record = ingest(house, report, campaign=campaign.slug)
    line = (
        "was imported before; nothing changed"
        if record.already_imported
        else f"{record.rows_in} rows in, {record.loaded} loaded, {record.set_aside} set aside"
    )
    return (report, rows), [
        f"SIMULATED traffic: {brief.days} days by a seeded simulator (seed {seed}), no real people",
        f"{report}: {line}",
    ]


def _shown(house: House, experiment: Experiment) -> dict[tuple[str, str], Asset]:
    """The asset that an arm shows in a placement."""
    with house.warehouse.read() as reader:
        assets = {asset.id: asset for asset in reader.assets(experiment.campaign)}
    return {
        (arm.name, assets[asset_id].placement): assets[asset_id]
        for arm in experiment.arms
        for asset_id in arm.asset_ids
    }


def report_rows(
    house: House, campaign: Campaign, rows: Sequence[DeliveryRow], shown: Mapping[tuple[str, str], Asset]
) -> list[dict[str, Any]]:
    """The simulator's rows as a platform would report them: by the ads' exported names."""
    from generation.naming import file_stem
    from generation.placements import load_placements

    placements = load_placements()
    listed = []
    for row in rows:
        asset = shown[row.arm, row.placement]
        listed.append(
            {
                "day": row.day,
                "campaign": campaign.brief.name,
                "ad_group": row.placement,
                "ad": file_stem(campaign.slug, asset, placements[row.placement]),
                "ad_id": str(120_000_000_000_000 + int(asset.id[:10], 16)),
                "placement": row.placement,
                "impressions": row.impressions,
                "clicks": row.clicks,
                "conversions": row.conversions,
                "spend": row.spend,
                "currency": house.settings.currency,
            }
        )
    return listed


def _analyze(house: House, experiment: Experiment) -> tuple[Analysis, list[str]]:
    analysis = analyze(house, experiment.id)
    warnings = [check.message for check in analysis.health if check.ok is False]
    best = max(
        (one for one in analysis.results if one.metric == experiment.primary.name and one.lift is not None),
        key=lambda one: one.lift or 0.0,
        default=None,
    )
    lines = [f"health: {len(analysis.health)} checks, {len(warnings)} warnings", *warnings]
    if best is not None and best.lift is not None and best.lift_low is not None and best.lift_high is not None:
        lines.append(
            f"best arm {best.arm}: {best.metric} lift {best.lift:+.1%} [{best.lift_low:+.1%}, {best.lift_high:+.1%}], "
            f"evidence grade {best.evidence.value}"
        )
    return analysis, lines


def _decide(house: House, experiment: Experiment) -> tuple[Decision, list[str]]:
    decision = decide(house, experiment.id)
    levels = next((arm.levels for arm in experiment.arms if arm.name == decision.arm), {})
    shipped = ", ".join(f"{factor} {level}" for factor, level in levels.items())
    called = " ".join(part for part in (decision.call.value, decision.arm, f"({shipped})" if shipped else "") if part)
    return decision, [called, *decision.reasons]


def read_truth(path: Path) -> Truth:
    """The simulator's truth from a TOML file.

    Raises:
        NotFoundError: there is no such file.
        InputError: it is not valid.
    """
    from experiments.truth import Truth

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFoundError(f"The simulator's truth {path} is not there.", "It stands beside the brief.") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML: {error}.", "Mend the line named.") from error
    if "cpm" in data:
        data["cpm"] = {name: Decimal(str(price)) for name, price in data["cpm"].items()}
    if "weekday_effects" in data:
        data["weekday_effects"] = tuple(data["weekday_effects"])
    try:
        return Truth(**data)
    except TypeError as error:
        raise InputError(f"{path}: {error}.", "Use the names of experiments.simulate.Truth.") from error


def compare_with_truth(
    experiment: Experiment, truth: Truth, rows: Sequence[DeliveryRow], analysis: Analysis
) -> tuple[TruthRow, ...]:
    """Each arm's true lift on the primary metric beside its estimate and 95 % interval."""
    from experiments.truth import true_lifts, truth_table

    primary = experiment.primary
    started = experiment.started_at
    lifts = true_lifts(
        experiment.arms,
        truth,
        rows,
        start=started.date() if started else None,
        metric=primary,
        control=experiment.control.name,
    )
    return truth_table([one for one in analysis.results if one.metric == primary.name], lifts)
