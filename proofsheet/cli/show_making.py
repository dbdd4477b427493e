"""How plans, scores and the review queue are shown on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from proofsheet.cli.session import session
from proofsheet.domain.assessment import Grade, Judgement
from proofsheet.domain.campaign import FACTORS
from proofsheet.workflows.house import House
from proofsheet.workflows.models import ListedModel
from proofsheet.workflows.plan import Planned
from proofsheet.workflows.score import Scored

if TYPE_CHECKING:
    from generation.vocabulary import Section
    from scoring.fit.approval import Approval


def show_plan(planned: Planned) -> None:
    """The design matrix, its quality, and what it will cost."""
    quality, brief = planned.plan.quality, planned.campaign.brief
    varied = [name for name in FACTORS if len(brief.factor(name).levels) > 1]
    fixed = [f"{name} {brief.factor(name).levels[0].name}" for name in FACTORS if name not in varied]
    session.table(
        f"{brief.name}: {quality.runs} variants of {quality.full_runs} possible",
        ("variant", *varied),
        [(variant.id, *(variant.levels[name] for name in varied)) for variant in planned.plan.variants],
    )
    if fixed:
        session.say(f"Fixed: {', '.join(fixed)}.")
    kind = "full factorial" if quality.kind == "full" else "balanced fraction for main effects"
    if quality.rank < quality.parameters:
        session.say(
            f"Design: too few variants to tell all main effects apart: {quality.rank} of {quality.parameters} can be "
            f"estimated. Raise plan.max_variants to {quality.parameters} or more, or drop levels."
        )
    else:
        session.say(
            f"Design: {kind}; D-efficiency {quality.d_efficiency:.3f} of 1; "
            f"all {quality.parameters} main-effect parameters can be estimated."
        )
    if quality.aliases:
        listed = "; ".join(f"{one} with {other} ({value:.2f})" for one, other, value in quality.aliases[:6])
        more = f"; and {len(quality.aliases) - 6} more" if len(quality.aliases) > 6 else ""
        session.say(f"Aliased (absolute correlation): {listed}{more}.")
    else:
        session.say("Aliased: no pair of effects.")
    session.say(*(f"Note: {warning}" for warning in planned.warnings))
    session.say(
        f"To make: {planned.scenes} scenes, {planned.assets} assets for {', '.join(planned.plan.placements)}; "
        f"about {planned.seconds:.0f} s and {planned.estimate}.",
        "Nothing is spent yet." if planned.is_new else "This plan was there already; nothing changed.",
        "Next: proofsheet generate",
    )


def show_models(listed: Sequence[ListedModel]) -> None:
    """A table of models, and below it where weights are, the conditions and where the terms were read."""
    session.table(
        "",
        ("model", "kind", "licence", "commercial use", "size", "steps", "guidance", "weights"),
        [
            (
                one.name,
                one.kind,
                one.licence,
                one.commercial,
                "" if one.size is None else f"{one.size / 1e6:,.1f} MB",
                str(one.steps) if one.steps else "",
                f"{one.guidance:g}" if one.steps else "",
                "here" if one.size is not None else one.where,
            )
            for one in listed
        ],
        right=(4, 5, 6),
        whole=(0,),
    )
    session.say(*(f"{one.name} is in {one.where}" for one in listed if one.size is not None))
    session.say(*(f"{one.name}: {one.condition}." for one in listed if one.condition))
    session.say("Terms were read:")
    session.say(
        *(f"  {one.name}: {one.checked_on.isoformat() if one.checked_on else '–'}, {one.source}" for one in listed),
        "Terms change: read the licence of the revision you pin. Known models are in generation/models.toml.",
    )


def show_words(words: Sequence[str]) -> None:
    """The house model's words: phrases to begin with, then all words by their first letter."""
    from generation.house.words import HUES, LIGHT, NEUTRAL, SETTING

    begin = (("Settings", SETTING.values()), ("Light", LIGHT.values()), ("Colours", (*HUES, NEUTRAL)))
    session.say(*(f"{what}: {', '.join(phrases)}" for what, phrases in begin))
    session.say("", f"All {len(words)} words; other words are not heard:")
    session.say(
        *(", ".join(group) for _, group in groupby(words, key=lambda word: word[0] if word[0].isalpha() else "0"))
    )


def show_names(sections: Sequence[Section]) -> None:
    """Every name that a brief may use, a table for each kind."""
    for section in sections:
        session.table(f"{section.title} ({section.key})", section.columns, section.rows)


def show_scores(scored: Scored) -> None:
    """How many of each grade, and each verdict that is not PASS with its remedy."""
    listed = ", ".join(f"{scored.grades.get(grade.value, 0)} {grade.value}" for grade in Grade)
    session.say(f"{scored.assets} assets judged: {listed}.")
    rows = [
        (one.asset_id, one.grade.value, one.criterion, one.reason, one.remedy)
        for one in scored.verdicts
        if one.grade is not Grade.PASS
    ]
    if rows:
        session.table("", ("asset", "grade", "criterion", "reason", "remedy"), rows[:40])
        if len(rows) > 40:
            session.say(f"… and {len(rows) - 40} more; see them all with --json or in the dashboard.")
    session.say(*scored.diversity)
    for one in scored.approvals:
        _show_approval(one)
    session.say(*(f"Not judged: {reason}" for reason in scored.abstained), "Next: proofsheet review")


def _show_approval(one: Approval) -> None:
    """How well reviews bear out brand fit, with the curve, where there are enough of them."""
    if one.reliability is None:
        return
    found = one.reliability
    session.table(
        f"Brand fit and {one.reviews} reviews ({one.method}): expected calibration error {found.error:.3f}, "
        f"of which {found.by_chance:.3f} is to be expected by chance",
        ("approval foretold", "approved", "reviews"),
        [
            (f"{said:.0%}", f"{came:.0%}", str(count))
            for said, came, count in zip(found.foretold, found.approved, found.count, strict=True)
        ],
    )


def show_queue(house: House, slug: str | None, *, as_json: bool) -> None:
    """The assets that wait for a judgement, with their worst verdicts."""
    with house.warehouse.read() as reader:
        campaign = house.campaign(reader, slug)
        latest = reader.latest_reviews(campaign.slug)
        verdicts = reader.verdicts(campaign.slug)
        assets = reader.assets(campaign.slug)
    waiting = [asset for asset in assets if asset.id not in latest or latest[asset.id].judgement is Judgement.WITHDRAW]
    if as_json:
        session.answer([asset.id for asset in waiting])
        return
    worst = {
        asset.id: sorted((one for one in verdicts if one.asset_id == asset.id), key=lambda one: -one.grade.severity)
        for asset in waiting
    }
    rows = [
        (
            asset.id,
            asset.placement,
            asset.variant_id,
            worst[asset.id][0].grade.value if worst[asset.id] else "not scored",
            worst[asset.id][0].reason if worst[asset.id] and worst[asset.id][0].grade is not Grade.PASS else "",
        )
        for asset in waiting
    ]
    if rows:
        session.table("Waiting for review", ("asset", "placement", "variant", "grade", "why"), rows)
    session.say(
        f"{len(waiting)} of {len(assets)} assets wait.",
        "Approve or reject: proofsheet review ASSET… --approve | --reject --reason WHY, or --all-passing.",
    )
