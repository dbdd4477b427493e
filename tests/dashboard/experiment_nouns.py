"""A test of that campaign by hand: approvals, arms, a report and an analysis."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from proofsheet.domain.assessment import Judgement, Review
from proofsheet.domain.asset import Asset, Origin
from proofsheet.domain.experiment import Arm, Experiment, ExperimentStatus, Metric, MetricKind, Role, TestDesign
from proofsheet.domain.facts import Delivery, Reject
from proofsheet.domain.identity import bytes_id
from proofsheet.domain.result import Analysis, ArmCost, Evidence, HealthCheck, Result, Status
from warehouse.records import ImportRecord
from warehouse.store import Warehouse

from .campaign_nouns import START

CTR = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
COST_PER_CLICK = Metric(
    name="cost_per_click",
    kind=MetricKind.RATIO,
    numerator="spend",
    denominator="clicks",
    higher_is_better=False,
    role=Role.GUARDRAIL,
    margin=0.25,
)


def approve(store: Warehouse, assets: tuple[Asset, ...]) -> None:
    """Mia approves them."""
    with store.write() as writer:
        for asset in assets:
            writer.add_review(
                Review(asset_id=asset.id, judgement=Judgement.APPROVE, reason="", reviewer="mia", at=START)
            )


def make_experiment(assets: tuple[Asset, ...], status: ExperimentStatus = ExperimentStatus.DRAFT) -> Experiment:
    """The baseline against two variants."""
    ids = dict.fromkeys(a.variant_id for a in assets if a.origin is Origin.GENERATED)
    arms = [
        Arm(
            name=variant_id,
            variant_id=variant_id,
            asset_ids=tuple(a.id for a in assets if a.variant_id == variant_id),
            levels=next(a.levels for a in assets if a.variant_id == variant_id),
        )
        for variant_id in list(ids)[:2]
    ]
    upload = next(a for a in assets if a.origin is Origin.UPLOADED)
    control = Arm(name="baseline", variant_id=upload.variant_id, asset_ids=(upload.id,), is_control=True)
    return Experiment(
        id="tea-1",
        campaign=assets[0].campaign,
        name="Tea: 2 variants against baseline",
        hypothesis="A variant lifts the click-through rate.",
        unit="impression",
        arms=(control, *arms),
        metrics=(CTR, COST_PER_CLICK),
        design=TestDesign(
            baseline=0.012,
            minimum_lift=0.2,
            alpha=0.05,
            power=0.8,
            comparisons=2,
            n_per_arm=40_000,
            arms=3,
            daily_units=9000,
            days=14,
            spend=Decimal(900),
            currency="EUR",
        ),
        status=status,
        created_at=START,
        started_at=START if status is not ExperimentStatus.DRAFT else None,
        ended_at=START + timedelta(days=13) if status is ExperimentStatus.ENDED else None,
    )


def make_result(arm: str, n: int, lift: float, half: float, **more: object) -> Result:
    """A result of the shape the analysis gives."""
    base = Result(
        experiment="tea-1",
        metric="ctr",
        kind="proportion",
        role="primary",
        arm=arm,
        control="baseline",
        n_arm=n,
        n_control=n,
        value_arm=0.012 * (1 + lift),
        value_control=0.012,
        effect=0.012 * lift,
        effect_low=0.012 * (lift - half),
        effect_high=0.012 * (lift + half),
        lift=lift,
        lift_low=lift - half,
        lift_high=lift + half,
        p_value=0.001,
        adjusted_p=0.002,
        adjusted_lift_low=lift - 1.2 * half,
        adjusted_lift_high=lift + 1.2 * half,
        chance_to_win=0.995,
        confidence=0.95,
        method="by hand",
        correction="holm",
        status=Status.OK,
        evidence=Evidence.B,
        sum_x_arm=0.012 * (1 + lift) * n,
        sum_x_control=0.012 * n,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def make_analysis(experiment: Experiment, n: int) -> Analysis:
    """The first variant is 25 per cent up, the second shown neither way; one guardrail row each."""
    first, second = (arm.name for arm in experiment.arms[1:])
    guard = {
        "metric": "cost_per_click",
        "kind": "ratio",
        "role": "guardrail",
        "higher_is_better": False,
        "adjusted_lift_low": None,
        "adjusted_lift_high": None,
        "correction": "none",
    }
    costs = tuple(
        ArmCost(
            arm=arm.name,
            assets=1,
            approved=1,
            production=Decimal("0.4"),
            spend=Decimal(300),
            currency="EUR",
            impressions=n,
            clicks=600,
            conversions=Decimal(30),
            per_asset=Decimal("0.4"),
            per_approved_asset=Decimal("0.4"),
            per_click=Decimal("0.5"),
            per_conversion=Decimal(10),
        )
        for arm in experiment.arms
    )
    return Analysis(
        experiment=experiment.id,
        at=START + timedelta(days=14),
        source="platform report",
        health=(
            HealthCheck(name="sample_ratio", ok=True, message="The split is as planned.", p_value=0.4),
            HealthCheck(name="late_days", ok=None, message="The report has no late days.", severity="info"),
        ),
        results=(
            make_result(first, n, 0.25, 0.1),
            make_result(second, n, 0.02, 0.09),
            make_result(first, n, -0.2, 0.05, **guard),
            make_result(second, n, 0.2, 0.4, **guard),
        ),
        costs=costs,
        window_start="2026-06-01",
        window_end="2026-06-14",
        data_version=f"{experiment.id}:{n}",
    )


def deliveries(experiment: Experiment, days: int) -> list[Delivery]:
    """A report of the experiment: one row an arm and a day."""
    rows = []
    for number, arm in enumerate(experiment.arms):
        for day in range(days):
            rows.append(
                Delivery(
                    platform="meta",
                    account="",
                    campaign=experiment.campaign,
                    ad_group="",
                    ad=f"tea_{arm.variant_id}",
                    ad_id=str(number),
                    day=date(2026, 6, 1) + timedelta(days=day),
                    day_end=None,
                    placement="feed",
                    segment="",
                    impressions=3000,
                    clicks=36 + 4 * number,
                    link_clicks=None,
                    conversions=Decimal(2),
                    conversion_value=None,
                    spend=Decimal("21.5"),
                    currency="EUR",
                    asset_key=arm.variant_id,
                    line=2 + len(rows),
                )
            )
    return rows


def fill_report(store: Warehouse, folder: Path, experiment: Experiment, days: int = 10) -> ImportRecord:
    """Save a report by hand, with one row set aside."""
    raw = folder / "report.csv"
    raw.write_text("by hand\n", encoding="utf-8")
    rows = deliveries(experiment, days)
    sha256 = bytes_id(raw.read_bytes())
    record = ImportRecord(
        id=sha256[:16],
        file_name="report.csv",
        sha256=sha256,
        bytes=raw.stat().st_size,
        layout="meta",
        platform="meta",
        campaign=experiment.campaign,
        rows_in=len(rows) + 1,
        loaded=len(rows),
        set_aside=1,
        flagged=0,
        first_day=date(2026, 6, 1),
        last_day=date(2026, 6, days),
        currency="EUR",
        kind="delivery",
        totals={"clicks": "1200", "spend": "645.00"},
        imported_at=START + timedelta(days=days),
    )
    reject = Reject(line=99, column="Day", value="soon", reason="not a day", raw="…,soon,…")
    with store.write() as writer:
        writer.save_import(record, raw=raw, rejects=[reject], deliveries=rows)
    return record
