"""Commands that make: plan, generate, upload, score, review, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from proofsheet.cli.session import json_option, session

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.", callback=json_option, is_eager=True)]
Campaign = Annotated[str | None, typer.Option("--campaign", "-c", help="The campaign; not needed when there is one.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (plan, generate, upload, score, review, export):
        app.command()(command)


def plan(
    brief: Annotated[Path | None, typer.Argument(help="The brief, a TOML file.")] = None,
    backend: Annotated[str, typer.Option(help="house, procedural or diffusers.")] = "",
    model: Annotated[
        str, typer.Option(help="For diffusers: a local folder or a hub id. For house: a folder trained anew.")
    ] = "",
    revision: Annotated[str, typer.Option(help="For a hub id: the pinned commit.")] = "",
    licence: Annotated[str, typer.Option(help="For a hub id of unknown licence: the licence you read.")] = "",
    lora: Annotated[str, typer.Option(help="For diffusers: a LoRA, its .safetensors file or folder.")] = "",
    lora_scale: Annotated[float | None, typer.Option(help="How strongly the LoRA counts; 1 is as trained.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of a model; its own by default.", min=1)] = None,
    guidance: Annotated[float | None, typer.Option(help="Guidance of a model; its own by default.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Another option of the backend, as name=value; may be repeated.")
    ] = None,
    names: Annotated[bool, typer.Option("--list", help="List every name that a brief may use.")] = False,
    json: Json = False,
) -> None:
    """Read a brief and lay out its variant set; nothing is spent."""
    from proofsheet.cli.parse import numbers
    from proofsheet.cli.show_making import show_names, show_plan
    from proofsheet.errors import InputError
    from proofsheet.workflows.plan import names_for_briefs
    from proofsheet.workflows.plan import plan as verb

    if names:
        sections = names_for_briefs()
        if json:
            session.answer(list(sections))
        else:
            show_names(sections)
        return
    if brief is None:
        raise InputError(
            "No brief was named.", "Name one: proofsheet plan examples/norda/brief.toml; or see all names with --list."
        )
    texts = {"revision": revision, "licence": licence, "lora": lora}
    counts = {"steps": steps, "guidance": guidance, "lora_scale": lora_scale}
    options = {
        **numbers(option or [], "--option"),
        **{name: text for name, text in texts.items() if text},
        **{name: count for name, count in counts.items() if count is not None},
    }
    planned = verb(session.house(), brief, backend=backend, model=model, options=options)
    if json:
        session.answer(
            {
                "campaign": planned.campaign.slug,
                "plan": planned.plan,
                "plan_id": planned.plan.id,
                "scenes": planned.scenes,
                "assets": planned.assets,
                "estimate": planned.estimate,
                "seconds": planned.seconds,
                "is_new": planned.is_new,
                "warnings": planned.warnings,
            }
        )
    else:
        show_plan(planned)


def generate(campaign: Campaign = None, json: Json = False) -> None:
    """Draw the scenes and compose the assets; interrupt and run again at will."""
    from proofsheet.workflows.generate import generate as verb

    with session.progress() as progress:
        made = verb(session.house(), campaign, progress=progress)
    if json:
        session.answer(made)
        return
    session.say(
        *(f"Note: {note}" for note in made.notes),
        f"Scenes: {made.scenes_drawn} drawn, {made.scenes_reused} there already. "
        f"Assets: {made.assets_composed} composed, {made.assets_reused} there already.",
        f"It took {made.seconds:.1f} s and cost {made.cost}.",
        "Next: proofsheet score",
    )


def upload(
    picture: Annotated[Path, typer.Argument(help="A JPEG, PNG or WebP picture made by people.")],
    placement: Annotated[str, typer.Option(help="What it is for, such as meta_feed_portrait.")],
    label: Annotated[str, typer.Option(help="Pictures of one label are one arm.")] = "baseline",
    cost: Annotated[str, typer.Option(help='What making it cost, such as "350 EUR".')] = "",
    ai_made: Annotated[bool, typer.Option("--ai-made", help="AI media is in it; it will be marked.")] = False,
    campaign: Campaign = None,
    json: Json = False,
) -> None:
    """Bring in a human-made picture, with its cost, as a baseline."""
    from proofsheet.cli.parse import money
    from proofsheet.workflows.upload import upload as verb

    asset = verb(
        session.house(),
        campaign,
        picture,
        placement=placement,
        label=label,
        cost=money(cost, "--cost") if cost else None,
        ai_made=ai_made,
    )
    if json:
        session.answer(asset)
    else:
        session.say(f"Kept {picture.name} as asset {asset.id}: {label!r} for {placement}.", "Next: proofsheet score")


def score(
    campaign: Campaign = None,
    scorer: Annotated[list[str] | None, typer.Option(help="Only this scorer; may be repeated.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder of pictures, ours or not, instead of a campaign.", metavar="FOLDER")
    ] = None,
    brand: Annotated[
        Path | None, typer.Option(help="For --data: the brand kit to judge by, a TOML file.", metavar="KIT")
    ] = None,
    placement: Annotated[
        str | None, typer.Option(help="For --data: what the pictures are for; guessed by name and size without it.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="For --data: write a report to this HTML file.", metavar="FILE.html")
    ] = None,
    json: Json = False,
) -> None:
    """Judge every asset: PASS, REVIEW or FAIL, with a reason and a remedy."""
    from proofsheet.cli.score_data import AskedOfFolder
    from proofsheet.cli.show_making import show_scores
    from proofsheet.workflows.score import score as verb

    asked = AskedOfFolder(data=data, brand=brand, placement=placement, report=report, scorers=scorer, json=json)
    if asked.is_wanted(campaign):
        asked.answer()
        return
    with session.progress() as progress:
        scored = verb(session.house(), campaign, scorers=scorer, progress=progress)
    if json:
        session.answer(scored)
    else:
        show_scores(scored)


def review(
    assets: Annotated[list[str] | None, typer.Argument(help="Asset ids, or prefixes of them.")] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Approve them.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Reject them; needs --reason.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the judgement back.")] = False,
    all_passing: Annotated[bool, typer.Option("--all-passing", help="All PASS assets not judged yet.")] = False,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    reviewer: Annotated[str | None, typer.Option(help="Who judges. [default: the login name]")] = None,
    minutes: Annotated[float, typer.Option(help="Minutes it took, for the ledger.", min=0, max=10_000)] = 0,
    campaign: Campaign = None,
    json: Json = False,
) -> None:
    """Approve or reject assets; without any, show what waits."""
    from decimal import Decimal

    from proofsheet.cli.parse import judgement
    from proofsheet.cli.show_making import show_queue
    from proofsheet.workflows import review as verb

    house = session.house()
    if not assets and not all_passing:
        show_queue(house, campaign, as_json=json)
        return
    chosen = list(assets or [])
    if all_passing:
        chosen += verb.passing(house, campaign)
        approve = approve or not (reject or withdraw)
    if not chosen:
        if json:
            session.answer([])
        else:
            session.say("No asset that passes waits for review.")
        return
    made = verb.review(
        house,
        campaign,
        chosen,
        judgement(approve=approve, reject=reject, withdraw=withdraw),
        reason=reason,
        reviewer=reviewer,
        minutes=Decimal(str(minutes)),
    )
    if json:
        session.answer(list(made))
    else:
        session.say(f"{made[0].judgement.value}: {len(made)} assets, by {made[0].reviewer}.")


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to put the campaign's folder.")] = Path("exports"),
    platform: Annotated[str | None, typer.Option(help="Only this platform.")] = None,
    variant: Annotated[list[str] | None, typer.Option(help="Only this variant; may be repeated.")] = None,
    winner: Annotated[str | None, typer.Option(help="Only the arm that this experiment's decision ships.")] = None,
    no_zip: Annotated[bool, typer.Option("--no-zip", help="Folders only.")] = False,
    campaign: Campaign = None,
    json: Json = False,
) -> None:
    """Write ad-ready files per platform with a manifest and a mark of how each was made."""
    from proofsheet.workflows.decide import shipped_variant
    from proofsheet.workflows.export import export as verb

    house = session.house()
    variants = list(variant or [])
    if winner:
        campaign, chosen = shipped_variant(house, winner)
        variants.append(chosen)
    with session.progress() as progress:
        done = verb(house, campaign, out, platform=platform, variants=variants, as_zip=not no_zip, progress=progress)
    if json:
        session.answer(done)
        return
    session.say(f"{len(done.files)} files in {done.folder}, each within its limits and marked.")
    session.say(*(f"  {archive}" for archive in done.archives), *(f"Note: {note}" for note in done.notes))
