"""The command that plans a test before anything is spent on it."""

from __future__ import annotations

from typing import Annotated

import typer

from proofsheet.cli.making import Json
from proofsheet.cli.session import session

_KIND = "proportion, mean, ratio or count; told by the numbers given."
_WATCH = "Watch it: always-valid, hybrid (fixed interval at the end), obrien-fleming or pocock."
Number = float | None


def plan_test(
    kind: Annotated[str, typer.Option(help=_KIND)] = "",
    baseline: Annotated[Number, typer.Option(help="The control's rate as a share, or its events per unit.")] = None,
    mean: Annotated[Number, typer.Option(help="The control's mean (or ratio) per unit.")] = None,
    sd: Annotated[Number, typer.Option(help="Standard deviation of one unit.")] = None,
    proportional_sd: Annotated[bool, typer.Option("--proportional-sd", help="The sd grows with the mean.")] = False,
    numerator_mean: Annotated[Number, typer.Option(help="Of a ratio, per unit.")] = None,
    numerator_sd: Annotated[Number, typer.Option(help="Of a ratio, per unit.")] = None,
    denominator_mean: Annotated[Number, typer.Option(help="Of a ratio, per unit.")] = None,
    denominator_sd: Annotated[Number, typer.Option(help="Of a ratio, per unit.")] = None,
    correlation: Annotated[Number, typer.Option(help="Of numerator and denominator.", min=-1.0, max=1.0)] = None,
    lift: Annotated[Number, typer.Option(help="The relative effect to be found: 0.1 is +10 %.")] = None,
    effect: Annotated[Number, typer.Option(help="The absolute effect to be found, instead.")] = None,
    margin: Annotated[float, typer.Option(help="Show no harm beyond this margin (a share).", min=0.0)] = 0.0,
    absolute: Annotated[bool, typer.Option("--absolute", help="The margin and findings are absolute.")] = False,
    lower: Annotated[bool, typer.Option("--lower", help="Lower is better.")] = False,
    alpha: Annotated[float, typer.Option(help="Error rate, shared among the arms.", min=1e-6, max=0.49)] = 0.05,
    power: Annotated[float, typer.Option(help="Chance to find the effect.", min=0.05, max=0.999)] = 0.8,
    sides: Annotated[int, typer.Option(help="1 or 2.", min=1, max=2)] = 2,
    tested: Annotated[str, typer.Option(help="difference, or lift for the delta method.")] = "difference",
    arms: Annotated[int, typer.Option(help="All arms, the control included.", min=2)] = 2,
    control_ratio: Annotated[float, typer.Option(help="Units of the control per unit of an arm.")] = 1.0,
    correction: Annotated[str, typer.Option(help="For several arms: bonferroni, dunnett or none.")] = "bonferroni",
    r2: Annotated[float, typer.Option(help="Share of variance that covariates explain.", min=0.0, max=0.999)] = 0.0,
    dispersion: Annotated[float, typer.Option(help="Over-dispersion, or design effect.", min=1.0)] = 1.0,
    daily: Annotated[Number, typer.Option(help="Units a day over all arms.")] = None,
    weekdays: Annotated[str, typer.Option(help="Weights of Monday to Sunday: 1,1,1,1,1,0.6,0.5.")] = "",
    days: Annotated[int | None, typer.Option(help="The days there are.", min=1)] = None,
    units: Annotated[Number, typer.Option(help="The units there are, all arms together.")] = None,
    budget: Annotated[str, typer.Option(help="The media money there is, such as 3000 or 3000 EUR.")] = "",
    cpm: Annotated[str, typer.Option(help="Price of 1,000 impressions, where a unit is one.")] = "",
    unit_price: Annotated[str, typer.Option(help="Price of one unit, instead.")] = "",
    currency: Annotated[str, typer.Option(help="A code such as EUR, for showing.")] = "",
    sequential: Annotated[bool, typer.Option("--sequential", help="The same as --watch always-valid.")] = False,
    watch: Annotated[str, typer.Option(help=_WATCH)] = "",
    looks: Annotated[int | None, typer.Option(help="Of a watched test; one a day by default.", min=1, max=400)] = None,
    tuning: Annotated[Number, typer.Option(help="Always-valid: narrowest at so many units of two arms.")] = None,
    curve: Annotated[bool, typer.Option("--curve", help="Draw the power curve.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Check the power by simulation.")] = False,
    runs: Annotated[int, typer.Option(help="Simulated tests.", min=100, max=200_000)] = 4000,
    seed: Annotated[int, typer.Option(help="Of the simulation.", min=0)] = 1,
    json: Json = False,
) -> None:
    """Size a test: units, days and money for an effect, or what the days and the money can find."""
    from proofsheet.cli.parse import one_of
    from proofsheet.cli.show_plan_test import amounts, show_planned, weights
    from proofsheet.workflows.plan_test import KINDS, PlanRequest
    from proofsheet.workflows.plan_test import plan_test as verb

    if kind:
        one_of(kind, KINDS, "--kind")
    if watch:
        one_of(watch, ("always-valid", "hybrid", "obrien-fleming", "pocock"), "--watch")
    one_of(correction, ("bonferroni", "dunnett", "none"), "--correction")
    one_of(tested, ("difference", "lift"), "--tested")
    money, code = amounts({"--budget": budget, "--cpm": cpm, "--unit-price": unit_price}, currency)
    answer = verb(
        PlanRequest(
            kind=kind,
            baseline=baseline,
            mean=mean,
            sd=sd,
            proportional_sd=proportional_sd,
            numerator_mean=numerator_mean,
            numerator_sd=numerator_sd,
            denominator_mean=denominator_mean,
            denominator_sd=denominator_sd,
            correlation=correlation,
            lift=lift,
            effect=effect,
            margin=margin,
            absolute=absolute,
            lower=lower,
            alpha=alpha,
            power=power,
            sides=sides,
            tested=tested,
            arms=arms,
            control_ratio=control_ratio,
            correction=correction,
            r_squared=r2,
            dispersion=dispersion,
            daily=daily,
            weekdays=weights(weekdays),
            days=days,
            units=units,
            budget=money["--budget"],
            cpm=money["--cpm"],
            unit_price=money["--unit-price"],
            currency=code,
            watch=watch or ("always-valid" if sequential else ""),
            looks=looks,
            tuning=tuning,
            curve=curve,
            check=check,
            runs=runs,
            seed=seed,
        )
    )
    if json:
        session.answer(answer)
    else:
        show_planned(answer)
