"""How a planned test is shown on a terminal, and what its money and weekday options mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from proofsheet.cli.session import session
from proofsheet.errors import InputError

if TYPE_CHECKING:
    from experiments.planning.planned_test import PlannedTest, WeekRow
    from experiments.planning.power import CurvePoint
    from proofsheet.workflows.plan_test import CheckedPower, TestPlanned

_BAR = 40


def amounts(texts: Mapping[str, str], currency: str) -> tuple[dict[str, Decimal | None], str]:
    """Amounts with or without a currency, by option, and the one currency of all of them.

    Raises:
        InputError: a text is no amount, or two currencies are named.
    """
    found: dict[str, Decimal | None] = {}
    codes = [currency.upper()] if currency else []
    for option, text in texts.items():
        number, _, code = text.strip().partition(" ")
        try:
            found[option] = Decimal(number) if text else None
        except InvalidOperation:
            raise InputError(f"{option} is {text!r}: not an amount.", "Write it like 3000, 6.50 or 3000 EUR.") from None
        if code.strip():
            codes.append(code.strip().upper())
    if len(set(codes)) > 1:
        raise InputError(f"Several currencies were named: {', '.join(sorted(set(codes)))}.", "Use one of them.")
    return found, codes[0] if codes else ""


def weights(text: str) -> tuple[float, ...]:
    """``"1,1,1,1,1,0.6,0.5"`` as numbers; nothing for "". Raises InputError for anything else."""
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise InputError(
            f"--weekdays is {text!r}: not numbers.", "Give seven, from Monday on, such as 1,1,1,1,1,0.6,0.5."
        ) from None


def show_planned(answer: TestPlanned) -> None:
    """The plan in sentences, its sizes, what weeks can find, and the curve and the check where asked for."""
    plan = answer.plan
    session.say(*plan.summary)
    _show_sizes(plan)
    if answer.weeks:
        _show_weeks(answer.weeks, plan)
    if answer.curve:
        _show_curve(answer.curve, plan)
    if answer.check is not None:
        _show_check(answer.check)
    session.say(*(f"Note: {note}" for note in (*answer.notes, *plan.notes)))


def _show_sizes(plan: PlannedTest) -> None:
    sizes = [(name, size) for name, size in (("needed", plan.needed), ("available", plan.available)) if size]
    if not sizes:
        return
    columns = {
        "": [name for name, _ in sizes],
        "each arm": [f"{size.units_arm:,}" for _, size in sizes],
        "control": [f"{size.units_control:,}" for _, size in sizes],
        "all units": [f"{size.units:,}" for _, size in sizes],
    }
    if any(size.days is not None for _, size in sizes):
        columns["days"] = [_count(size.days) for _, size in sizes]
        columns["whole weeks"] = [_count(size.whole_days) for _, size in sizes]
    if plan.price is not None:
        columns["media"] = [_money(size.spend) for _, size in sizes]
        if "days" in columns:
            columns["media, whole weeks"] = [_money(size.whole_spend) for _, size in sizes]
    rows = list(zip(*columns.values(), strict=True))
    session.table(f"Size{_in(plan)}", tuple(columns), rows, right=tuple(range(1, len(columns))))


def _show_weeks(weeks: Sequence[WeekRow], plan: PlannedTest) -> None:
    what = "true effect that shows no harm" if plan.margin else "smallest effect found"
    columns = {
        "weeks": [str(row.weeks) for row in weeks],
        "all units": [f"{row.units:,}" for row in weeks],
    }
    if plan.price is not None:
        columns["media"] = [_money(row.spend) for row in weeks]
    columns[what] = [_effect(plan, row) for row in weeks]
    rows = list(zip(*columns.values(), strict=True))
    title = f"Week by week, with power {plan.power:.0%}{_in(plan)}"
    session.table(title, tuple(columns), rows, right=tuple(range(len(columns))))


def _show_curve(points: Sequence[CurvePoint], plan: PlannedTest) -> None:
    from experiments.planning.plan_summary import lift_text

    sizes = sorted({point.units for point in points})
    by_effect: dict[float, list[float]] = {}
    for point in points:
        by_effect.setdefault(point.effect, []).append(point.power)
    middle = len(sizes) // 2
    session.table(
        f"Power by {'lift' if plan.relative else 'effect'} and units in each arm; the bar is for {sizes[middle]:,.0f}",
        ("lift" if plan.relative else "effect", *(f"{n:,.0f}" for n in sizes), "0 % to 100 %"),
        [
            (
                lift_text(effect) if plan.relative else f"{effect:+.4g}",
                *(f"{chance:.1%}" for chance in chances),
                "█" * round(chances[middle] * _BAR),
            )
            for effect, chances in by_effect.items()
        ],
        right=tuple(range(len(sizes) + 1)),
    )


def _show_check(check: CheckedPower) -> None:
    session.say(
        f"Checked by {check.runs:,} simulated tests (seed {check.seed}), {check.units_arm:,} units in each arm:"
    )
    session.table(
        "",
        ("", "formula", "simulated", "error"),
        [
            ("power", f"{check.formula:.2%}", f"{check.simulated:.2%}", f"± {check.error:.2%}"),
            (
                "false alarms",
                f"{check.false_alarm_formula:.2%}",
                f"{check.false_alarm_simulated:.2%}",
                f"± {check.false_alarm_error:.2%}",
            ),
        ],
        right=(1, 2, 3),
    )
    if not check.agrees:
        session.say("They disagree: trust the simulation, and plan more units.")


def _effect(plan: PlannedTest, row: WeekRow) -> str:
    if row.detectable_effect is None:
        return "none"
    if plan.relative and row.detectable_lift is not None:
        from experiments.planning.plan_summary import lift_text

        return lift_text(row.detectable_lift)
    return (
        f"{row.detectable_effect * 100:+.4g} points" if plan.kind == "proportion" else f"{row.detectable_effect:+.4g}"
    )


def _in(plan: PlannedTest) -> str:
    return f" ({plan.currency})" if plan.currency and plan.price is not None else ""


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _money(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
