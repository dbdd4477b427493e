"""plan-test: how many units, days and how much money a test takes, or what it can find with those there are."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from proofsheet.errors import InputError

if TYPE_CHECKING:
    from experiments.planning.planned_standing import PlannedOutcome
    from experiments.planning.planned_test import Limits, PlannedTest, WeekRow
    from experiments.planning.planner import Question
    from experiments.planning.power import CurvePoint

KINDS = ("proportion", "mean", "ratio", "count")
#: Without days, and without traffic to count them by, a watched test is looked at so often.
LOOKS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What is asked: the outcome, the effect or the limits, the rules, traffic and money. Rates and lifts are shares.

    ``kind`` "" is told by what is given. Of the effect, ``lift`` is relative and ``effect`` absolute; the margin is in
    the unit of the effect, relative without one. ``watch`` is "" for a test that is read once.
    """

    kind: str = ""
    baseline: float | None = None
    mean: float | None = None
    sd: float | None = None
    proportional_sd: bool = False
    numerator_mean: float | None = None
    numerator_sd: float | None = None
    denominator_mean: float | None = None
    denominator_sd: float | None = None
    correlation: float | None = None
    lift: float | None = None
    effect: float | None = None
    margin: float = 0.0
    absolute: bool = False
    lower: bool = False
    alpha: float = 0.05
    power: float = 0.8
    sides: int = 2
    tested: str = "difference"
    arms: int = 2
    control_ratio: float = 1.0
    correction: str = "bonferroni"
    r_squared: float = 0.0
    dispersion: float = 1.0
    daily: float | None = None
    weekdays: tuple[float, ...] = ()
    days: int | None = None
    units: float | None = None
    budget: Decimal | None = None
    cpm: Decimal | None = None
    unit_price: Decimal | None = None
    currency: str = ""
    watch: str = ""
    looks: int | None = None
    tuning: float | None = None
    curve: bool = False
    check: bool = False
    runs: int = 4000
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPower:
    """A power by formula and by simulation, for an effect and for none (or for the margin itself)."""

    units_arm: int
    effect: float
    formula: float
    simulated: float
    error: float
    false_alarm_formula: float
    false_alarm_simulated: float
    false_alarm_error: float
    agrees: bool
    runs: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPlanned:
    """The answer: the plan, what weeks can find, and the curve and the check where they were asked for."""

    __test__ = False  # not a pytest class

    plan: PlannedTest
    weeks: tuple[WeekRow, ...]
    curve: tuple[CurvePoint, ...] = ()
    check: CheckedPower | None = None
    notes: tuple[str, ...] = ()


def plan_test(request: PlanRequest) -> TestPlanned:
    """Plan a test; nothing is stored, and the same request gives the same answer.

    Raises:
        InputError: something is missing, contradicts something else, or is outside its range.
    """
    from experiments.planning.planned_test import Limits
    from experiments.planning.planner import plan_test as work_out
    from experiments.planning.planner import week_by_week

    if request.lift is not None and request.effect is not None:
        raise InputError("Both a lift and an effect were given.", "Give one: a lift is relative, an effect absolute.")
    if request.days is not None and request.daily is None:
        raise InputError("--days alone do not say how many units there are.", "Give the units a day too, with --daily.")
    if request.budget is not None and request.cpm is None and request.unit_price is None:
        raise InputError("--budget alone does not say how many units it buys.", "Give --cpm or --unit-price too.")
    notes: list[str] = []
    limits = Limits(days=request.days, units=request.units, budget=request.budget)
    effect = request.lift if request.lift is not None else request.effect
    if effect is None and request.margin > 0.0:
        effect = 0.0
    if effect is None and not limits.any and request.daily is not None:
        limits = Limits(days=14)
        notes.append("Neither a lift nor a length was given: two weeks are taken.")
    if request.kind == "ratio" and request.numerator_sd is not None and request.correlation is None:
        notes.append("No correlation was given: 0 is taken, which is cautious where both parts rise together.")
    if effect is None and not limits.any:
        raise InputError(
            "There is nothing to plan: neither what is to be found nor what there is was given.",
            "Give --lift (or --effect, or --margin), or what there is: --daily, --days, --units or --budget.",
        )
    question = _watched(request, question_of(request), effect, limits)
    plan = work_out(question, effect, limits)
    sized = plan.needed or plan.available
    planned = effect if effect is not None else _in_unit(plan)
    curve: tuple[CurvePoint, ...] = ()
    check = None
    if sized is not None and sized.units_arm > 1 and planned is not None:
        curve = _curve(question, planned, sized.units_arm) if request.curve else ()
        check = _check(question, planned, sized.units_arm, request) if request.check else None
    elif request.curve or request.check:
        notes.append("There is no size to draw a curve for or to check.")
    return TestPlanned(plan=plan, weeks=week_by_week(question), curve=curve, check=check, notes=tuple(notes))


def question_of(request: PlanRequest) -> Question:
    """The request as a question to the engine, not watched yet.

    Raises:
        InputError: the outcome is not fully given, or a value is outside its range.
    """
    from experiments.planning.duration import Traffic, price_of_unit
    from experiments.planning.planned_rules import Rules
    from experiments.planning.planner import Question

    if request.arms < 2:
        raise InputError(f"A test with {request.arms} arm(s) compares nothing.", "Plan a control and one more arm.")
    rules = Rules(
        alpha=request.alpha,
        sides=request.sides,
        margin=request.margin,
        higher_is_better=not request.lower,
        relative=not request.absolute and request.effect is None,
        tested=request.tested,
        control_ratio=request.control_ratio,
        comparisons=request.arms - 1,
        correction=request.correction,
        r_squared=request.r_squared,
        dispersion=request.dispersion,
    )
    if request.weekdays and request.daily is None:
        raise InputError("A weekday pattern needs the units a day.", "Give the average units a day too.")
    traffic = None
    if request.daily is not None:
        traffic = Traffic(daily=request.daily, weekdays=request.weekdays or (1.0,) * 7)
    return Question(
        outcome=_outcome(request),
        rules=rules,
        power=request.power,
        traffic=traffic,
        price=price_of_unit(cpm=request.cpm, per_unit=request.unit_price),
        currency=request.currency,
        downwards=request.lower and request.margin == 0.0,
    )


def _outcome(request: PlanRequest) -> PlannedOutcome:
    from experiments.planning.planned_outcome import CountRate, Mean, Proportion, Ratio

    _check_deviations(request)
    kind = request.kind or _told_kind(request)
    if kind in ("proportion", "count"):
        if request.baseline is None:
            raise InputError("The control's rate is missing.", "Give it as a share, such as --baseline 0.012.")
        return Proportion(baseline=request.baseline) if kind == "proportion" else CountRate(baseline=request.baseline)
    parts = (request.numerator_mean, request.numerator_sd, request.denominator_mean, request.denominator_sd)
    if kind == "ratio" and any(part is not None for part in parts):
        x, sx, y, sy = parts
        if x is None or sx is None or y is None or sy is None:
            raise InputError(
                "A ratio needs means and deviations of both parts.",
                "Give --numerator-mean, --numerator-sd, --denominator-mean and --denominator-sd, per unit.",
            )
        return Ratio(
            mean_x=x,
            mean_y=y,
            variance_x=sx**2,
            variance_y=sy**2,
            covariance=(request.correlation or 0.0) * sx * sy,
        )
    mean = request.mean if request.mean is not None else request.baseline
    if mean is None or request.sd is None:
        remedy = "Give --mean and --sd of one unit, such as --mean 4.2 --sd 11."
        if kind == "ratio":
            remedy = (
                "Give --numerator-mean, --numerator-sd, --denominator-mean, --denominator-sd and --correlation, or "
                "--mean and --sd of the ratio."
            )
        raise InputError(f"A {kind} needs its mean and its deviation.", remedy)
    return Mean(baseline=mean, variance=request.sd**2, proportional_sd=request.proportional_sd, kind=kind)


def _check_deviations(request: PlanRequest) -> None:
    """Raise InputError for a deviation below 0: its square would hide the sign."""
    deviations = {
        "--sd": request.sd,
        "--numerator-sd": request.numerator_sd,
        "--denominator-sd": request.denominator_sd,
    }
    for option, value in deviations.items():
        if value is not None and not value >= 0.0:
            raise InputError(f"{option} is {value:g}; a deviation is not below 0.", "Give that of one unit.")


def _told_kind(request: PlanRequest) -> str:
    """The kind that the numbers given belong to."""
    if request.numerator_mean is not None:
        return "ratio"
    return "mean" if request.mean is not None or request.sd is not None else "proportion"


def _watched(request: PlanRequest, question: Question, effect: float | None, limits: Limits) -> Question:
    """The question with the way to watch: one look a day where the days are known, unless told otherwise."""
    from dataclasses import replace

    from experiments.planning.planner import plan_test as work_out
    from experiments.planning.watching import MOST_LOOKS, Watch

    if not request.watch:
        if request.looks is not None or request.tuning is not None:
            raise InputError("Looks and a tuning size are for a watched test.", "Name --sequential or --watch too.")
        return question
    looks = request.looks or LOOKS
    for _ in range(3 if request.looks is None else 0):
        # The days hang on the looks, a little.
        rough = replace(question, watch=Watch(method=request.watch, looks=looks, tuning=request.tuning))
        plan = work_out(rough, effect, limits)
        size = plan.needed or plan.available
        days = min(MOST_LOOKS, max(2, size.days)) if size is not None and size.days else LOOKS
        if days == looks:
            break
        looks = days
    return replace(question, watch=Watch(method=request.watch, looks=looks, tuning=request.tuning))


def _in_unit(plan: PlannedTest) -> float | None:
    return plan.detectable_lift if plan.relative else plan.detectable_effect


def _curve(question: Question, effect: float, units: int) -> tuple[CurvePoint, ...]:
    """From no effect (or the margin) to twice the planned one, at half, one and two times the units."""
    from experiments.planning.planner import curve

    border = float(question.rules.null_effect)
    low, high = (float(end) for end in question.outcome.effect_range(question.rules))
    effects = [border + (effect - border) * step / 10 for step in range(21)]
    return curve(question, [e for e in effects if low < e < high], [max(2, units // 2), units, 2 * units])


def _check(question: Question, effect: float, units: int, request: PlanRequest) -> CheckedPower:
    from experiments.planning.power_simulation import simulate_power

    border = float(question.rules.null_effect)
    formula, alarm = question.power_of(effect, units), question.power_of(border, units)
    there, none = (
        simulate_power(
            question.outcome, e, units, question.rules, watch=question.watch, runs=request.runs, seed=request.seed + i
        )
        for i, e in enumerate((effect, border))
    )
    return CheckedPower(
        units_arm=units,
        effect=effect,
        formula=formula,
        simulated=there.power,
        error=there.error,
        false_alarm_formula=alarm,
        false_alarm_simulated=none.power,
        false_alarm_error=none.error,
        agrees=abs(there.power - formula) <= 0.01 + 3.0 * there.error
        and none.power <= alarm + 0.005 + 3.0 * none.error,
        runs=there.runs,
        seed=request.seed,
    )
