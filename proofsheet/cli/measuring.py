"""Commands that measure: plan-test, launch, end, ingest, inspect, analyze, decide."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from proofsheet.cli.making import Campaign, Json
from proofsheet.cli.plan_test import plan_test
from proofsheet.cli.session import session

ExperimentId = Annotated[str | None, typer.Argument(help="The experiment; not needed when there is one.")]
Layout = Annotated[str | None, typer.Option(help="The report's layout, when it cannot be told.")]
Mapping = Annotated[
    list[str] | None, typer.Option("--map", help='What a column means, such as "spend=Cost" or "unit=userid".')
]
Option = Annotated[list[str] | None, typer.Option("--option", help='An answer, such as "date_order=dmy".')]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (plan_test, launch, end, inspect, ingest, analyze, decide):
        app.command()(command)


def launch(
    campaign: Campaign = None,
    control: Annotated[str, typer.Option(help="An upload's label, or a variant id.")] = "baseline",
    name: Annotated[str, typer.Option(help="A title.")] = "",
    hypothesis: Annotated[str, typer.Option(help="What is believed, in one sentence.")] = "",
    alpha: Annotated[
        float, typer.Option(help="Two-sided error rate, shared among the arms.", min=1e-6, max=0.5)
    ] = 0.05,
    power: Annotated[float, typer.Option(help="Chance to see the minimum lift.", min=0.05, max=0.999)] = 0.8,
    unit: Annotated[
        str, typer.Option(help="impression (platform reports) or user (unit-level events).")
    ] = "impression",
    metric: Annotated[list[str] | None, typer.Option(help="Metrics, the primary first, as column:kind.")] = None,
    started: Annotated[
        datetime | None, typer.Option(help="When the platform began, if earlier than now.", formats=["%Y-%m-%d"])
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Save it without starting it.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would be launched.")] = False,
    json: Json = False,
) -> None:
    """Start an experiment of approved assets against a control; it is frozen once running."""
    from proofsheet.cli.parse import metrics, one_of
    from proofsheet.cli.show_measuring import show_experiment, show_lines
    from proofsheet.workflows import launch as verb

    house = session.house()
    chosen = metrics(metric or [])
    one_of(unit, ("impression", "user"), "--unit")
    if preview:
        experiment = verb.preview(
            house,
            campaign,
            control=control,
            name=name,
            hypothesis=hypothesis,
            alpha=alpha,
            power=power,
            unit=unit,
            metrics=chosen,
        )
    else:
        experiment = verb.launch(
            house,
            campaign,
            control=control,
            name=name,
            hypothesis=hypothesis,
            alpha=alpha,
            power=power,
            unit=unit,
            metrics=chosen,
            start=not draft,
            started_at=started.replace(tzinfo=UTC) if started else None,
        )
    if json:
        session.answer(experiment)
    else:
        show_experiment(experiment)
        show_lines("Caution", verb.cautions(house, experiment))


def end(
    experiment: ExperimentId = None,
    abandon: Annotated[bool, typer.Option("--abandon", help="Give it up without a decision.")] = False,
    json: Json = False,
) -> None:
    """End a running experiment: no more data is expected."""
    from proofsheet.workflows import launch as verb

    changed = verb.abandon(session.house(), experiment) if abandon else verb.end(session.house(), experiment)
    if json:
        session.answer(changed)
    else:
        session.say(f"{changed.id} is {changed.status.value}.")


def inspect(
    file: Annotated[Path, typer.Argument(help="A report: CSV, TSV, Excel or Parquet.")],
    layout: Layout = None,
    mapping: Mapping = None,
    option: Option = None,
    rows: Annotated[int, typer.Option(help="How many rows set aside to show.", min=0)] = 10,
    json: Json = False,
) -> None:
    """Show what ingest would understand of a file, without storing anything."""
    from proofsheet.cli.parse import pairs
    from proofsheet.cli.show_measuring import show_inspection
    from proofsheet.workflows.ingest import inspect as verb

    found = verb(file, layout=layout, mapping=pairs(mapping or [], "--map"), options=pairs(option or [], "--option"))
    if json:
        session.answer(found)
    else:
        show_inspection(found, rows)


def ingest(
    file: Annotated[Path, typer.Argument(help="A report: CSV, TSV, Excel or Parquet.")],
    layout: Layout = None,
    mapping: Mapping = None,
    option: Option = None,
    campaign: Campaign = None,
    json: Json = False,
) -> None:
    """Load a report: every row is loaded, or set aside with its reason; the same file twice changes nothing."""
    from proofsheet.cli.parse import pairs
    from proofsheet.cli.show_measuring import show_import
    from proofsheet.workflows.ingest import ingest as verb

    house = session.house()
    record = verb(
        house,
        file,
        layout=layout,
        mapping=pairs(mapping or [], "--map"),
        campaign=campaign,
        options=pairs(option or [], "--option"),
    )
    if json:
        session.answer(record)
    else:
        show_import(house, record)


def analyze(
    experiment: ExperimentId = None,
    data: Annotated[Path | None, typer.Option(help="Analyze this file instead: CSV, TSV, Parquet, Excel.")] = None,
    arm: Annotated[str, typer.Option(help="With --data: the column that names the arm.")] = "",
    control: Annotated[str | None, typer.Option(help="With --data: the control's value.")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="With --data: column:kind; may be repeated.")] = None,
    unit: Annotated[str | None, typer.Option(help="With --data: the column that names the unit.")] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option(help="With --metric: a column known of the units before the test, to adjust by; may be repeated."),
    ] = None,
    segments: Annotated[
        str, typer.Option(help="With --day: columns to divide the units by, each on its own, such as country,device.")
    ] = "",
    day: Annotated[
        str, typer.Option(help="With --metric: the column of the day, for a page of looks, total and segments.")
    ] = "",
    trials: Annotated[str | None, typer.Option(help="With --data: the column of trials.")] = None,
    successes: Annotated[str | None, typer.Option(help="With --data: the column of successes.")] = None,
    cell: Annotated[
        str | None, typer.Option(help="With counts: a column, such as the day, within which arms are compared.")
    ] = None,
    experiment_column: Annotated[
        str | None, typer.Option("--experiment", help="With --data: the column that names the experiment.")
    ] = None,
    randomised: Annotated[
        bool,
        typer.Option(
            "--randomised", help="For --data, or events not launched here: units were assigned to the arms at random."
        ),
    ] = False,
    empty: Annotated[str, typer.Option(help="With --data: empty cells: refuse, or zero.")] = "refuse",
    rows: Annotated[
        Path | None, typer.Option(help="With --data: write a row per comparison to this file, .csv or .json.")
    ] = None,
    correction: Annotated[str, typer.Option(help="For several arms: holm, bh, dunnett or none.")] = "holm",
    confidence: Annotated[float, typer.Option(help="Of the intervals.", min=0.5, max=0.9999)] = 0.95,
    intervals: Annotated[
        str,
        typer.Option(
            help="auto (of an experiment always valid while it runs and fixed at its end, of a file fixed), fixed or "
            "always-valid."
        ),
    ] = "auto",
    planned: Annotated[
        int | None,
        typer.Option(
            help="With --data and always-valid intervals: the units (or trials) per arm at which they are narrowest.",
            min=1,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Lift with intervals, health and money: of an experiment here, or of any file with --data."""
    from proofsheet.cli.analyze_data import AskedOfData
    from proofsheet.cli.parse import one_of
    from proofsheet.errors import InputError
    from proofsheet.workflows.readings import INTERVALS

    one_of(correction, ("holm", "bh", "dunnett", "none"), "--correction")
    one_of(intervals, INTERVALS, "--intervals")
    _only_with_data(
        data,
        experiment,
        {
            "--arm": arm,
            "--control": control,
            "--metric": metric,
            "--unit": unit,
            "--trials": trials,
            "--successes": successes,
            "--cell": cell,
            "--experiment": experiment_column,
            "--empty": empty if empty != "refuse" else "",
            "--covariate": covariate,
            "--segments": segments,
            "--day": day,
            "--rows": rows,
            "--planned": planned,
        },
    )
    if data is None:
        from proofsheet.cli.show_measuring import arm_levels, show_analysis, show_beliefs
        from proofsheet.workflows.analyze import analyze as verb
        from proofsheet.workflows.beliefs import beliefs_of, waiting_words

        house = session.house()
        found = verb(
            house,
            experiment,
            correction=correction,
            confidence=confidence,
            randomised=randomised,
            intervals=intervals,
        )
        if json:
            session.answer(found)
        else:
            show_analysis(found, arm_levels(house, found.experiment))
            with house.warehouse.read() as reader:
                beliefs = beliefs_of(reader, found)
                launched = {one.id: one for one in reader.experiments()}.get(found.experiment)
            if beliefs is not None:
                show_beliefs(beliefs, waiting_words(launched, found, beliefs.prior) if launched else "")
        return
    if not arm:
        raise InputError("--data needs --arm.", "Name the column that holds the arm, such as --arm version.")
    AskedOfData(
        data=data,
        arm=arm,
        control=control,
        metric=tuple(metric or ()),
        unit=unit,
        experiment=experiment_column,
        trials=trials,
        successes=successes,
        cell=cell,
        covariates=tuple(covariate or ()),
        segments=segments,
        day=day,
        randomised=randomised,
        empty=empty,
        correction=correction,
        confidence=confidence,
        intervals=intervals,
        planned=planned,
        rows=rows,
        json=json,
    ).answer()


def _only_with_data(data: Path | None, experiment: str | None, given: dict[str, object]) -> None:
    """Refuse what would be ignored: options of --data without it, and an experiment beside it."""
    from proofsheet.errors import InputError

    if data is not None and experiment:
        raise InputError(
            f"Both the experiment {experiment!r} and --data were named.", "Analyze one of them; leave the other out."
        )
    stray = [name for name, value in given.items() if value]
    if data is None and stray:
        raise InputError(f"{', '.join(stray)} belong to --data.", "Name the file with --data, or leave them out.")


def decide(
    experiment: ExperimentId = None,
    call: Annotated[
        str | None, typer.Option(help="ship, stop, continue or inconclusive; by the rules if not given.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The arm to ship.")] = None,
    why: Annotated[str, typer.Option(help="Why, when you decide against the rules.")] = "",
    propose: Annotated[bool, typer.Option("--propose", help="Only show what the rules say.")] = False,
    show_rules: Annotated[bool, typer.Option("--rules", help="Only show the rules in their order.")] = False,
    json: Json = False,
) -> None:
    """Decide by the stated rules, the first that holds, and record it with what was known."""
    from proofsheet.cli.parse import one_of
    from proofsheet.cli.show_measuring import show_decision, show_rule_table
    from proofsheet.domain.result import Call
    from proofsheet.workflows import decide as verb

    if show_rules:
        if json:
            session.answer(verb.rules())
        else:
            show_rule_table(verb.rules())
        return
    house = session.house()
    if propose:
        proposal = verb.propose(house, experiment)
        if json:
            session.answer(verb.record_of(proposal))
        else:
            show_decision(proposal.call, proposal.arm, verb.rule_text(proposal.rule), proposal.reasons)
        return
    if call is not None:
        one_of(call, tuple(kind.value for kind in Call), "--call")
    decision = verb.decide(house, experiment, call=Call(call) if call else None, arm=arm, why=why)
    if json:
        session.answer(decision)
    else:
        show_decision(decision.call, decision.arm, verb.rule_text(decision.rule), decision.reasons)
        session.say(f"Recorded for {decision.experiment} by {decision.decided_by} at {decision.at:%Y-%m-%d %H:%M} UTC.")
