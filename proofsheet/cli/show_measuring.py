"""How experiments, imports, results and decisions are shown on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from proofsheet.cli.session import session
from proofsheet.domain.experiment import Experiment
from proofsheet.domain.facts import Reject
from proofsheet.domain.result import Analysis, Call, HealthCheck, Result, Status, Validity

if TYPE_CHECKING:
    from experiments.bayes.beliefs import Beliefs
    from experiments.deciding.verdict import Rule
    from proofsheet.workflows.house import House
    from warehouse.inspection import Inspection
    from warehouse.records import ImportRecord


def show_experiment(experiment: Experiment) -> None:
    """Arms, metrics and design of an experiment."""
    session.say(f"{experiment.id}: {experiment.name} ({experiment.status.value})", experiment.hypothesis)
    session.table(
        "",
        ("arm", "", "assets", "levels"),
        [
            (
                arm.name,
                "control" if arm.is_control else "",
                str(len(arm.asset_ids)),
                ", ".join(f"{key} {value}" for key, value in arm.levels.items()),
            )
            for arm in experiment.arms
        ],
    )
    for metric in experiment.metrics:
        direction = "higher is better" if metric.higher_is_better else "lower is better"
        margin = f", may worsen by {metric.margin:.0%} at most" if metric.margin else ""
        session.say(f"{metric.role.value}: {metric.name} ({metric.kind.value}; {direction}{margin})")
    design = experiment.design
    if design:
        money = f", about {design.spend:,.2f} {design.currency}" if design.spend is not None else ""
        session.say(
            f"Sized for: a lift of {design.minimum_lift:.0%} on {design.baseline:.3%} with power {design.power:.0%} at "
            f"alpha {design.alpha} over {design.comparisons} comparisons: {design.n_per_arm:,} per arm, "
            f"{design.days} days at {design.daily_units:,} a day{money}."
        )
        if design.note:
            session.say(design.note)


def show_inspection(found: Inspection, rows: int) -> None:
    """What a file holds and how it would be read."""
    for name, value in found.facts():
        session.say(f"{name:<14} {value}")
    session.table("Columns", ("header", "means"), [tuple(column) for column in found.columns])
    if found.totals:
        session.table(
            "Totals of the rows that would load",
            ("", ""),
            [(name, str(value)) for name, value in found.totals.items()],
            right=(1,),
        )
    if found.rejects and rows:
        session.table(
            f"Set aside: {found.set_aside} of {found.rows_in} rows",
            ("line", "column", "value", "reason"),
            [(str(one.line), one.column, one.value, one.reason) for one in found.rejects[:rows]],
        )
    session.say(*(f"Question: {question}" for question in found.questions))


def show_import(house: House, record: ImportRecord) -> None:
    """How every row of a file was accounted for."""
    if record.already_imported:
        session.say(f"{record.file_name} was imported before ({record.id}); nothing changed.")
        return
    session.say(
        f"{record.file_name}: {record.layout}; {record.rows_in} rows in, {record.loaded} loaded, "
        f"{record.set_aside} set aside, {record.flagged} flagged.",
        f"From {record.first_day or 'no date'} to {record.last_day or 'no date'}; "
        f"currency {record.currency or 'none'}.",
    )
    session.table("Totals", ("", ""), list(record.totals.items()), right=(1,))
    if record.kind != "delivery":
        session.say(
            "Next: proofsheet analyze EXPERIMENT, by the name in the file or given with --option experiment=NAME."
        )
    if record.set_aside:
        with house.warehouse.read() as reader:
            rejects = reader.rejects(record.id)
        show_rejects(rejects[:10])


def percent(value: float | None, digits: int = 2, *, sign: bool = True) -> str:
    """A share as a percentage, or a dash where there is none."""
    return "–" if value is None else f"{value:{'+' if sign else ''}.{digits}%}"


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"[{percent(low)}, {percent(high)}]"


def _value(result: Result, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4%}" if result.kind == "proportion" else f"{value:,.4f}"


def _effect(result: Result) -> str:
    if result.effect is None or result.effect_low is None or result.effect_high is None:
        return "–"
    if result.kind == "proportion":
        return f"{result.effect * 100:+.4f} [{result.effect_low * 100:+.4f}, {result.effect_high * 100:+.4f}] points"
    return f"{result.effect:+.4f} [{result.effect_low:+.4f}, {result.effect_high:+.4f}]"


def _p(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 1e-12:
        return "<1e-12"
    return f"{value:.2e}" if value < 0.0001 else f"{value:.5f}"


def _chance(value: float | None) -> str:
    if value is None or 0.001 <= value <= 0.999:
        return percent(value, 1, sign=False)
    return f"{value:.3%}" if 0.00001 < value < 0.99999 else ("<0.001%" if value < 0.5 else ">99.999%")


_VALIDITY = {Validity.FIXED: "fixed", Validity.ALWAYS: "valid at every look"}


def show_results(results: Sequence[Result]) -> None:
    """A table for each metric, each arm with its lift, interval and n."""
    for name in dict.fromkeys(result.metric for result in results):
        rows = [result for result in results if result.metric == name]
        first = rows[0]
        losses = any(row.expected_loss is not None for row in rows)
        names = ("arm", "n", "value", "control", "effect", "lift", "interval", "p", "adjusted p", "chance to win")
        session.table(
            f"{name} ({first.role}; {'higher' if first.higher_is_better else 'lower'} is better)",
            (*names, "expected loss") if losses else names,
            [
                (
                    row.arm,
                    f"{row.n_arm:,}",
                    _value(row, row.value_arm),
                    _value(row, row.value_control),
                    _effect(row),
                    percent(row.lift),
                    _interval(row.lift_low, row.lift_high) if row.status is Status.OK else row.note or row.status.value,
                    _p(row.p_value),
                    _p(row.adjusted_p),
                    _chance(row.chance_to_win),
                    *([percent(row.expected_loss, sign=False)] if losses else ()),
                )
                for row in rows
            ],
            right=(1, 2, 3, 5, 7, 8, 9, 10),
        )
        method = next((f"{row.method}; " for row in rows if row.method), "")
        session.say(
            f"{first.confidence:.0%} intervals, {_VALIDITY[first.validity]}; {method}"
            f"correction over arms: {first.correction}; evidence grade {first.evidence.value}."
        )


def show_beliefs(beliefs: Beliefs, waiting: str = "") -> None:
    """What is left of each lift once past experiments have had their say, and who is likely the best."""
    from proofsheet.workflows.beliefs import prior_words

    prior = beliefs.prior
    session.table(
        "What to expect",
        ("arm", "measured", "expected", "interval", "chance to be best", "loss on these terms"),
        [
            (
                one.arm,
                percent(one.raw),
                percent(one.lift),
                _interval(one.low, one.high),
                _chance(one.chance_best),
                percent(one.expected_loss, sign=False),
            )
            for one in beliefs.arms
        ]
        + [
            (
                "control",
                "",
                "",
                "",
                _chance(beliefs.control_chance_best),
                percent(beliefs.control_expected_loss, sign=False),
            )
        ],
        right=(1, 2, 3, 4, 5),
    )
    session.say(prior_words(prior))
    if waiting:
        session.say(waiting)


def show_health(checks: Sequence[HealthCheck]) -> None:
    """Each check with its finding, before any result."""
    signs = {True: "ok     ", False: "WARNING", None: "unknown"}
    for check in checks:
        sign = signs[check.ok]
        if check.ok is False:
            sign = {"blocking": "BLOCKED", "info": "not yet"}.get(check.severity, sign)
        session.say(f"{sign} {check.name}: {check.message}")


def show_lines(what: str, lines: Sequence[str]) -> None:
    """Lines that each begin with what they are."""
    session.say(*(f"{what}: {line}" for line in lines))


def arm_levels(house: House, experiment_id: str) -> dict[str, str]:
    """What each arm of an experiment shows, in the levels in which the arms differ."""
    with house.warehouse.read() as reader:
        known = {one.id: one for one in reader.experiments()}
    if experiment_id not in known:
        return {}
    arms = known[experiment_id].arms
    factors = {name for arm in arms for name in arm.levels}
    varied = [name for name in sorted(factors) if len({arm.levels.get(name) for arm in arms if arm.levels}) > 1]
    return {arm.name: ", ".join(arm.levels[name] for name in varied if name in arm.levels) for arm in arms}


def show_analysis(found: Analysis, levels: Mapping[str, str] | None = None) -> None:
    """Health first, then results, then money."""
    window = f", {found.window_start} to {found.window_end}" if found.window_start else ""
    session.say(f"{found.experiment}: {found.source}{window}")
    show_lines("Note", (*found.notes, *filter(None, (found.reading,))))
    show_health(found.health)
    if levels:
        session.table("Arms", ("arm", "shows"), [(arm, shows or "control") for arm, shows in levels.items()])
    show_results(found.results)
    if found.costs:
        session.table(
            "Money",
            (
                "arm",
                "assets",
                "production",
                "per asset",
                "per approved",
                "spend",
                "clicks",
                "per click",
                "conversions",
                "per conversion",
            ),
            [
                (
                    one.arm,
                    f"{one.approved}/{one.assets}",
                    f"{one.production:,.4f} {one.production_currency}".rstrip(),
                    _money(one.per_asset),
                    _money(one.per_approved_asset),
                    f"{one.spend:,.2f} {one.currency}",
                    f"{one.clicks:,}",
                    _money(one.per_click),
                    f"{one.conversions:,}",
                    _money(one.per_conversion),
                )
                for one in found.costs
            ],
            right=tuple(range(1, 10)),
        )


def _money(value: object) -> str:
    return "–" if value is None else f"{value:,.4f}"


def show_rejects(rejects: Sequence[Reject]) -> None:
    """The first rows that could not be used, with their reasons."""
    session.table(
        "Set aside",
        ("line", "column", "value", "reason"),
        [(str(one.line), one.column, one.value, one.reason) for one in rejects],
    )


def show_decision(call: Call, arm: str | None, rule: str, reasons: Sequence[str]) -> None:
    """The call, the rule that gave it, and its reasons."""
    session.say(
        f"{call.value.upper()}{f' {arm}' if arm else ''}", *(f"  {reason}" for reason in reasons), f"Rule: {rule}"
    )


def show_rule_table(rules: Sequence[Rule]) -> None:
    """The rules in their order, with what each calls while the test runs and once it has ended."""
    session.table(
        "The first rule that holds decides",
        ("rule", "when", "running", "ended"),
        [(rule.name, rule.when, rule.running.value, rule.ended.value) for rule in rules],
    )
