"""From contrasts to result rows: one family of comparisons, its correction, and named degenerate cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

from experiments.basis.distributions import TINY
from experiments.comparing.contrasts import Contrast, Limits
from experiments.comparing.multiplicity import CORRECTIONS, Adjustment, adjust
from proofsheet.domain.experiment import Metric
from proofsheet.domain.result import Evidence, Result, Status
from proofsheet.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Raw totals of one arm: units (or trials), numerator and denominator."""

    n: int
    sum_x: float
    sum_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An arm next to the control. ``contrast`` is None when there is nothing to estimate, and ``status`` says why."""

    arm: str
    totals: Totals
    contrast: Contrast | None
    status: Status = Status.OK
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What all comparisons of one metric share."""

    metric: Metric
    control: str
    control_totals: Totals
    experiment: str
    confidence: float
    correction: str
    evidence: Evidence
    segment: str = ""


def check_request(arms: Sequence[str], control: str, confidence: float, correction: str) -> None:
    """Refuse what cannot be compared.

    Raises:
        InputError: the control is not among the arms, no other arm is there, the confidence is not between 0.5 and
            1, or the correction is not known.
    """
    if control not in arms:
        raise InputError(
            f"The control {control!r} is not among the arms.", f"The arms are: {', '.join(map(repr, arms)) or 'none'}."
        )
    if len(arms) < 2:
        raise InputError(f"Only one arm was found: {control!r}.", "A comparison needs a control and one more arm.")
    check_confidence(confidence)
    if correction not in CORRECTIONS:
        raise InputError(f"The correction {correction!r} is not known.", f"Choose one of: {', '.join(CORRECTIONS)}.")


def check_confidence(confidence: object) -> None:
    """Refuse what is no confidence of an interval.

    Raises:
        InputError: it is not a number between 0.5 and 1.
    """
    number = isinstance(confidence, Real) and not isinstance(confidence, bool)
    if not number or not 0.5 < float(confidence) < 1.0:  # type: ignore[arg-type]
        raise InputError(
            f"The confidence {confidence if number else repr(confidence)} is not a number between 0.5 and 1.",
            "Give a share, such as 0.95 for 95 %.",
        )


def result_rows(family: Family, comparisons: Sequence[Comparison]) -> tuple[Result, ...]:
    """One row per comparison in the given order; the correction runs over those that have a p-value."""
    alpha = 1.0 - family.confidence
    tested = [(i, c.contrast, c.contrast.p_value) for i, c in enumerate(comparisons) if c.contrast is not None]
    family_p = [(i, contrast, p) for i, contrast, p in tested if p is not None]
    adjustments = adjust(
        [p for _, _, p in family_p],
        alpha,
        family.correction,
        [c.control_share for _, c, _ in family_p],
        [c.effect or 0.0 for _, c, _ in family_p],
    )
    by_index = {i: a for (i, _, _), a in zip(family_p, adjustments, strict=True)}
    return tuple(_row(family, c, by_index.get(i), alpha) for i, c in enumerate(comparisons))


def _row(family: Family, comparison: Comparison, adjustment: Adjustment | None, alpha: float) -> Result:
    contrast = comparison.contrast
    status, notes = comparison.status, [comparison.note]
    values: tuple[float | None, float | None] = (_value(comparison.totals), _value(family.control_totals))
    effect = lift = p_value = chance = None
    effect_limits = lift_limits = adjusted = None
    method = ""
    if contrast is not None:
        status = contrast.status if status is Status.OK else status
        values, effect, lift = contrast.values, contrast.effect, contrast.lift
        p_value, chance, method = contrast.p_value, contrast.chance, contrast.method
        effect_limits, lift_limits = _finite(contrast.effect_limits(alpha)), _finite(contrast.lift_limits(alpha))
        adjusted = _simultaneous(contrast, adjustment, alpha, lift_limits)
        if status is Status.OK and lift_limits is None:
            status = Status.UNBOUNDED
        notes += [contrast.note, reason(status)]
    else:
        notes.append(reason(status))
    if chance is not None and not family.metric.higher_is_better:
        chance = 1.0 - chance
    return Result(
        experiment=family.experiment,
        metric=family.metric.name,
        kind=family.metric.kind.value,
        role=family.metric.role.value,
        arm=comparison.arm,
        control=family.control,
        n_arm=comparison.totals.n,
        n_control=family.control_totals.n,
        value_arm=values[0],
        value_control=values[1],
        effect=effect,
        effect_low=effect_limits[0] if effect_limits else None,
        effect_high=effect_limits[1] if effect_limits else None,
        lift=lift,
        lift_low=lift_limits[0] if lift_limits else None,
        lift_high=lift_limits[1] if lift_limits else None,
        p_value=p_value,
        adjusted_p=adjustment.p_value if adjustment else None,
        adjusted_lift_low=adjusted[0] if adjusted else None,
        adjusted_lift_high=adjusted[1] if adjusted else None,
        chance_to_win=chance,
        confidence=family.confidence,
        method=method,
        correction=family.correction,
        status=status,
        evidence=family.evidence,
        higher_is_better=family.metric.higher_is_better,
        note=" ".join(note for note in notes if note),
        segment=family.segment,
        dispersion=contrast.dispersion if contrast is not None else None,
        sum_x_arm=comparison.totals.sum_x,
        sum_y_arm=comparison.totals.sum_y,
        sum_x_control=family.control_totals.sum_x,
        sum_y_control=family.control_totals.sum_y,
    )


def _simultaneous(
    contrast: Contrast, adjustment: Adjustment | None, alpha: float, plain: Limits | None
) -> Limits | None:
    """The lift's simultaneous limits; beside zero where the stepwise test decides but the limit crosses it."""
    if adjustment is None:
        return None
    levels = (adjustment.low_alpha, adjustment.high_alpha)
    drawn = {level: plain if level == alpha else _finite(contrast.lift_limits(level)) for level in levels}
    below, above = (drawn[level] for level in levels)
    if below is None or above is None:
        return None
    low, high, lift = below[0], above[1], contrast.lift
    if lift is None or not adjustment.rejected:
        return low, high
    return (max(TINY, low), high) if lift > 0 else (low, min(-TINY, high))


def _finite(limits: Limits | None) -> Limits | None:
    return limits if limits is not None and all(map(math.isfinite, limits)) else None


def _value(totals: Totals) -> float | None:
    return totals.sum_x / totals.sum_y if totals.sum_y else None


def reason(status: Status) -> str:
    """Why something is missing, for people; empty where nothing is."""
    return {
        Status.OK: "",
        Status.NO_DATA: "There is no data for this comparison.",
        Status.TOO_FEW: "There are too few observations for an estimate.",
        Status.ZERO_CONTROL: "The control's value is zero, so a relative lift does not exist.",
        Status.NO_VARIANCE: "The values do not vary, so there is no interval.",
        Status.UNBOUNDED: "The lift has no limits: the control's value cannot be told from zero with this data.",
    }[status]
