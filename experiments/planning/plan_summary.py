"""A planned test in plain sentences, and what to mind about it."""

from __future__ import annotations

from decimal import Decimal

from experiments.planning.planned_test import PlannedTest, Size, WatchedPart

#: Below so many expected events in an arm the normal approximation of a rate is rough.
FEW_EVENTS = 30
#: From so many days on people, seasons and the creatives themselves change under a test.
LONG = 57

_WAYS = {
    "always-valid": "an always-valid interval",
    "hybrid": "an always-valid interval while it runs and a fixed one at the end",
    "obrien-fleming": "O'Brien and Fleming's limits",
    "pocock": "Pocock's limits",
}


def summary(plan: PlannedTest) -> tuple[str, ...]:
    """The plan in sentences: what is asked, what it takes, what there is, and what watching does."""
    lines = [_question(plan)]
    if plan.effect is not None:
        lines.append(_takes(plan, plan.needed))
    if plan.available is not None:
        lines.append(_has(plan, plan.available))
    if plan.watched is not None:
        lines.append(_watching(plan, plan.watched))
    return tuple(lines)


def notes(plan: PlannedTest) -> tuple[str, ...]:
    """What to mind: too little, too long, rare events, dependent units."""
    size = plan.needed or plan.available
    found = []
    if plan.enough is False:
        found.append(_short(plan))
    if plan.available is not None and plan.limited_by == "days" and (plan.available.days or 0) % 7:
        found.append("The length is not whole weeks: some weekdays count more than others.")
    if size is not None and (size.days or 0) >= LONG:
        found.append(
            f"{size.days} days are long: seasons, audiences and tired creatives change what is measured. Plan for a "
            "larger effect, fewer arms, or an outcome that happens more often."
        )
    if size is not None and plan.kind in ("proportion", "count"):
        rate = min(plan.baseline, plan.value if plan.value is not None else plan.baseline)
        events = rate * min(size.units_arm, size.units_control)
        if events < FEW_EVENTS:
            found.append(
                f"Only about {events:.0f} events are expected in an arm: the power is rough, check it by simulation."
            )
    if plan.lift is not None and abs(plan.lift) > 2.0:
        found.append(f"A lift of {plan.lift:+,.0%} is meant? Lifts are shares: 0.1 is +10 %.")
    if plan.dispersion != 1.0:
        found.append(f"The units are {plan.dispersion:g} times those of independent trials.")
    elif plan.kind == "proportion" and plan.price is not None:
        found.append(
            "Impressions are counted as independent. Those of a platform cluster in people and days, and often take "
            "1.2 to 3 times the units: give the over-dispersion of an earlier test, if there is one."
        )
    if plan.watched is not None and plan.watched.tuning is not None:
        found.append(
            f"Tune the interval to {plan.watched.tuning:,.0f} units of both arms before the test starts, and keep it."
        )
    return tuple(found)


def _question(plan: PlannedTest) -> str:
    sides = "two-sided" if plan.sides == 2 else "one-sided"
    if plan.arms > 2:
        shared = {
            "bonferroni": f", shared among {plan.arms - 1} comparisons",
            "dunnett": f", for {plan.arms - 1} comparisons by Dunnett's method",
            "none": f" for each of {plan.arms - 1} comparisons",
        }[plan.correction]
    else:
        shared = ""
    level = f"{sides} at {plan.alpha:g}{shared}"
    base = _value(plan, plan.baseline)
    if plan.margin > 0.0:
        worse = f"{lift_text(plan.margin)[1:]}" if plan.relative else f"{plan.margin:g}"
        true = "" if plan.effect is None else f", when the true effect is {_effect(plan, plan.effect, plan.lift)}"
        return f"To show that a {plan.kind} of {base} is not worse by {worse} or more{true} ({level})."
    if plan.effect is None:
        return f"What can be found on a {plan.kind} of {base} with power {plan.power:.0%} ({level})."
    found = _effect(plan, plan.effect, plan.lift)
    return (
        f"To find {found} on a {plan.kind} of {base} (to {_value(plan, plan.value or 0.0)}) with power "
        f"{plan.power:.0%} ({level})."
    )


def _takes(plan: PlannedTest, size: Size | None) -> str:
    if size is None:
        return "No number of units is enough for that."
    each = (
        f"{size.units_arm:,} units in each arm"
        if size.units_arm == size.units_control
        else f"{size.units_arm:,} units in each arm and {size.units_control:,} in the control"
    )
    line = f"It takes {each}, {size.units:,} in all{_money(plan, size.spend)}"
    if size.days is None:
        return line + "."
    if size.days == size.whole_days:
        return f"{line}: {_days(size.days)}."
    return (
        f"{line}: {_days(size.days)}, or {size.whole_days} days in whole weeks "
        f"({size.whole_units:,} units{_money(plan, size.whole_spend)})."
    )


def _has(plan: PlannedTest, size: Size) -> str:
    there = {
        "days": f"{_days(size.days or 0)} bring {size.units:,} units",
        "budget": f"The budget buys {size.units:,} units",
        "units": f"There are {size.units:,} units",
    }[plan.limited_by]
    parts = [_days(size.days)] if size.days is not None and plan.limited_by != "days" else []
    parts += [_money(plan, size.spend).removeprefix(", ")] if size.spend is not None else []
    line = f"{there} ({', '.join(parts)}): " if parts else f"{there}: "
    if plan.detectable_effect is None:
        return f"{line}they find no effect with power {plan.power:.0%}."
    least = _effect(plan, plan.detectable_effect, plan.detectable_lift)
    shown = f"the smallest effect found with power {plan.power:.0%} is {least}"
    if plan.margin > 0.0:
        shown = f"no harm is shown with power {plan.power:.0%} if the truth is {least} or better"
    if plan.power_available is None:
        return f"{line}{shown}."
    return f"{line}{shown}; for the planned effect the power is {plan.power_available:.0%}."


def _short(plan: PlannedTest) -> str:
    if plan.needed is None:
        return "The planned effect cannot be shown with any number of units."
    available = plan.available.units if plan.available else 0
    return f"That is not enough: {available:,} of {plan.needed.units:,} units."


def _watching(plan: PlannedTest, part: WatchedPart) -> str:
    days = "" if part.expected_days is None else f", {_days(part.expected_days)}"
    longer = "" if part.inflation is None else f" It may take {part.inflation:.2f} times the units of a test read once."
    alarm = (
        f"An arm worse by just the margin passes with a chance of {part.false_alarm:.1%}."
        if plan.margin > 0.0
        else f"A comparison without any effect is called different with a chance of {part.false_alarm:.1%}."
    )
    return (
        f"Watched by {_WAYS[part.method]}, {part.looks} looks: it stops after {part.expected_units:,} units{days} on "
        f"average if the effect is there.{longer} {alarm}"
    )


def lift_text(lift: float) -> str:
    """A lift in percent with two places, or with two digits where it is too small for that."""
    return f"{lift:+.2%}" if lift == 0.0 or abs(lift) >= 5e-4 else f"{100.0 * lift:+.2g}%"


def _value(plan: PlannedTest, value: float) -> str:
    return f"{value * 100:.4g}%" if plan.kind == "proportion" else f"{value:.4g}"


def _effect(plan: PlannedTest, effect: float, lift: float | None) -> str:
    absolute = f"{effect * 100:+.3g} points" if plan.kind == "proportion" else f"{effect:+.3g}"
    if lift is None:
        return f"an effect of {absolute}"
    return f"a lift of {lift_text(lift)}" if plan.relative else f"an effect of {absolute} ({lift_text(lift)})"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"


def _money(plan: PlannedTest, amount: Decimal | None) -> str:
    return "" if amount is None else f", {amount:,.2f} {plan.currency}".rstrip()
