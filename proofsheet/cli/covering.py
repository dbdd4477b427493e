"""Commands about what a campaign's pictures together show: coverage and label."""

from __future__ import annotations

from typing import Annotated

import typer

from proofsheet.cli.making import Campaign, Json
from proofsheet.cli.session import session

Axis = Annotated[list[str] | None, typer.Option("--axis", help="Only this axis; may be repeated.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (coverage, label):
        app.command()(command)


def coverage(
    axis: Axis = None,
    approved: Annotated[bool, typer.Option("--approved", help="Approved assets only.")] = False,
    confidence: Annotated[float, typer.Option(help="Of each interval.", min=0.5, max=0.999)] = 0.95,
    fill: Annotated[bool, typer.Option("--fill", help="Add the variants that would fill gaps to the plan.")] = False,
    names: Annotated[bool, typer.Option("--list", help="List the axes with their values.")] = False,
    campaign: Campaign = None,
    json: Json = False,
) -> None:
    """Say how evenly the pictures cover what they should show, with error bars, and what is missing."""
    from proofsheet.cli.show_covering import show_axes, show_coverage, show_filled
    from proofsheet.workflows.coverage import coverage as verb
    from proofsheet.workflows.coverage_fill import fill as extend

    if names:
        show_axes(as_json=json)
        return
    house = session.house()
    with session.progress() as progress:
        report = verb(
            house,
            campaign,
            axes=axis or (),
            approved_only=approved,
            confidence=confidence,
            progress=progress,
        )
    filled = extend(house, report) if fill else None
    if json:
        session.answer({"report": report, "filled": filled} if fill else report)
        return
    show_coverage(report)
    if filled:
        show_filled(filled)


def label(
    axis: Axis = None,
    size: Annotated[int, typer.Option("--sample", help="Pictures in the random sample.", min=1)] = 50,
    rater: Annotated[str | None, typer.Option(help="Who labels. [default: the login name]")] = None,
    open_pictures: Annotated[bool, typer.Option("--open", help="Open each picture in the usual viewer.")] = False,
    campaign: Campaign = None,
    json: Annotated[bool, typer.Option("--json", help="Say what is left to label, in JSON, and ask nothing.")] = False,
) -> None:
    """Label a random sample of the pictures: one number for each question. Stop at any time; it goes on from there."""
    from proofsheet.cli.ask_labels import ask
    from proofsheet.workflows.coverage_labels import sample

    session.as_json = json
    house = session.house()
    drawn = sample(house, campaign, axes=axis or (), size=size, rater=rater)
    if json:
        session.answer(drawn)
        return
    ask(house, drawn, opens=open_pictures)
