"""What must hold before a result may be believed. Every check says in plain words what it found and what it means."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from scipy import special

from experiments.basis.distributions import TINY, chi_square_above
from proofsheet.domain.experiment import TestDesign
from proofsheet.domain.result import Cell, Evidence, HealthCheck
from proofsheet.errors import InputError

WARNING_P, BLOCKING_P = 0.01, 0.001
NOTABLE_V = 0.05  # Cramér's V from which an uneven delivery is worth a warning
_DRAWS = 100_000


def sample_ratio(observed: Mapping[str, int], weights: Mapping[str, float], *, steered: bool = False) -> HealthCheck:
    """Do the arms' sizes fit the planned shares?

    Chi-square over the arms with a positive planned weight; where fewer than 5 units are expected in an arm, an exact
    binomial (two arms) or a seeded multinomial simulation (more). Below p = 0.01 a warning, below 0.001 blocking. A
    platform that steers delivery (``steered``) breaks planned shares as a rule: there the check never blocks, and
    lowers the evidence instead.

    Raises:
        InputError: no weight is positive, or a count or weight is negative.
    """
    _check_shares(observed, weights)
    strays = [arm for arm, n in observed.items() if n and not weights.get(arm)]
    arms = [arm for arm, weight in weights.items() if weight > 0]
    counts = np.array([float(observed.get(arm, 0)) for arm in arms])
    shares = np.array([weights[arm] for arm in arms])
    shares = shares / shares.sum()
    total = float(counts.sum())
    if strays:
        return HealthCheck(
            name="sample_ratio",
            ok=False,
            message=f"{', '.join(strays)} got units although no traffic was planned for it.",
            severity="warning" if steered else "blocking",
        )
    if total == 0 or len(arms) < 2:
        return HealthCheck(
            name="sample_ratio",
            ok=None,
            message="There is nothing to compare with the planned shares.",
            severity="info",
        )
    p_value, how = _share_p(counts, shares)
    facts = f"{shares_text(arms, counts / total, shares)}; {how}, {p_text(p_value)}"
    if p_value >= WARNING_P:
        text = f"The arms' sizes fit the plan ({facts})."
        return HealthCheck(name="sample_ratio", ok=True, message=text, p_value=p_value, severity="info")
    meaning = (
        "The platform did not deliver the planned shares, so the arms may have met different people."
        if steered
        else "Units are missing or counted twice in some arm; until that is explained the result may be wrong."
    )
    return HealthCheck(
        name="sample_ratio",
        ok=False,
        message=f"The arms' sizes do not fit the plan ({facts}). {meaning}",
        p_value=p_value,
        severity="blocking" if p_value < BLOCKING_P and not steered else "warning",
    )


def shares_text(arms: Sequence[str], seen: np.ndarray, planned: np.ndarray) -> str:
    """The shares in words: all of a few arms, else the two farthest from the plan."""
    order = list(range(len(arms)))
    if len(arms) > 4:
        order = sorted(order, key=lambda i: -abs(seen[i] / planned[i] - 1.0))[:2]
    text = ", ".join(f"{arms[i]} {seen[i]:.2%} for {planned[i]:.2%}" for i in order)
    return f"farthest of {len(arms)} arms: {text}" if len(arms) > 4 else text


def p_text(p_value: float) -> str:
    """A p-value for people: three digits, and no digits where they mean nothing."""
    return f"p = {p_value:.3g}" if p_value >= 1e-12 else "p < 1e-12"


def _check_shares(observed: Mapping[str, int], weights: Mapping[str, float]) -> None:
    if not any(w > 0 for w in weights.values()) or any(not math.isfinite(w) or w < 0 for w in weights.values()):
        raise InputError(
            f"The planned weights {dict(weights)} do not divide the traffic.",
            "Give weights of 0 or more, at least one of them positive.",
        )
    if any(n < 0 for n in observed.values()):
        raise InputError(f"The arm sizes {dict(observed)} hold a negative count.", "Counts are 0 or more.")


def _share_p(counts: np.ndarray, shares: np.ndarray) -> tuple[float, str]:
    total = counts.sum()
    expected = total * shares
    statistic = float(np.sum((counts - expected) ** 2 / expected))
    if expected.min() >= 5:
        return chi_square_above(statistic, len(counts) - 1), f"chi-square {statistic:.2f}"
    if len(counts) == 2:
        k = np.arange(int(total) + 1)
        log_chance = (
            special.gammaln(total + 1)
            - special.gammaln(k + 1)
            - special.gammaln(total - k + 1)
            + special.xlogy(k, shares[0])
            + special.xlogy(total - k, shares[1])
        )
        chances = np.exp(log_chance)
        own = chances[int(counts[0])]
        return min(1.0, max(TINY, float(chances[chances <= own * (1 + 1e-9)].sum()))), "exact binomial"
    draws = np.random.default_rng(20_240_501).multinomial(int(total), shares, size=_DRAWS)
    drawn = np.sum((draws - expected) ** 2 / expected, axis=1)
    return (1.0 + float(np.sum(drawn >= statistic - 1e-9))) / (_DRAWS + 1.0), "multinomial simulation"


def delivery_balance(cells: Sequence[Cell]) -> HealthCheck:
    """Did the platform show the arms to the same mix of placements and segments?

    Trials of arm × (placement, segment), summed over days; Cramér's V measures how far the mixes differ (0 same, 1
    wholly apart). Impressions are so many that the p-value alone would always alarm: both are asked for.
    """
    mixes = sorted({_mix_of(c.cell) for c in cells})
    arms = list(dict.fromkeys(c.arm for c in cells))
    table = np.zeros((len(arms), len(mixes)))
    for c in cells:
        table[arms.index(c.arm), mixes.index(_mix_of(c.cell))] += c.trials
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape, default=0) < 2:
        return HealthCheck(
            name="delivery_balance",
            ok=None,
            message="The report has one placement and segment only: the balance of delivery cannot be seen.",
            severity="info",
        )
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(np.sum((table - expected) ** 2 / expected))
    p_value = chi_square_above(statistic, (table.shape[0] - 1) * (table.shape[1] - 1))
    strength = math.sqrt(statistic / (table.sum() * (min(table.shape) - 1)))
    ok = not (p_value < BLOCKING_P and strength >= NOTABLE_V)
    text = (
        f"The arms met nearly the same mix of {table.shape[1]} placements and segments (Cramér's V {strength:.3f})."
        if ok
        else f"The platform showed the arms to different mixes of {table.shape[1]} placements and segments "
        f"(Cramér's V {strength:.3f}). The comparison is made within them, but unseen differences may remain."
    )
    return HealthCheck(
        name="delivery_balance", ok=ok, message=text, p_value=p_value, severity="info" if ok else "warning"
    )


def _mix_of(cell: str) -> str:
    """Placement and segment of a cell named ``day|placement|segment``."""
    return cell.split("|", 1)[1] if "|" in cell else ""


def both_arms(observed: Mapping[str, int], arms: Collection[str], control: str) -> HealthCheck:
    """Has every planned arm been delivered, the control above all?"""
    empty = [arm for arm in arms if not observed.get(arm)]
    if control in empty or len(empty) >= len(arms) - 1:
        text = f"No data for the control {control}." if control in empty else "Only the control has data."
        return HealthCheck(name="both_arms", ok=False, message=f"{text} Nothing can be compared.", severity="blocking")
    if empty:
        return HealthCheck(
            name="both_arms", ok=False, message=f"No data yet for: {', '.join(empty)}.", severity="warning"
        )
    return HealthCheck(name="both_arms", ok=True, message=f"All {len(arms)} arms have data.", severity="info")


def enough_data(observed: Mapping[str, int], design: TestDesign | None) -> HealthCheck:
    """Has every arm reached the size the test was designed for?"""
    if design is None:
        return HealthCheck(
            name="enough_data", ok=None, message="The test was not sized before launch.", severity="warning"
        )
    smallest = min(observed, key=lambda arm: observed[arm], default="")
    size = observed.get(smallest, 0)
    share = size / design.n_per_arm
    text = f"The smallest arm, {smallest}, has {size:,} of the {design.n_per_arm:,} units planned ({share:.0%})."
    return HealthCheck(name="enough_data", ok=size >= design.n_per_arm, message=text, severity="info")


def missing_days(days_by_arm: Mapping[str, Collection[date]], start: date, end: date) -> HealthCheck:
    """Was every arm delivered on every day from ``start`` to ``end``, both included?"""
    wanted = [start + timedelta(days=i) for i in range((end - start).days + 1)]
    gaps = {arm: [d for d in wanted if d not in set(days)] for arm, days in days_by_arm.items()}
    gaps = {arm: days for arm, days in gaps.items() if days}
    if not gaps:
        text = f"Every arm was delivered on each of the {len(wanted)} days."
        return HealthCheck(name="missing_days", ok=True, message=text, severity="info")
    shown = "; ".join(f"{arm}: {len(days)} from {days[0]}" for arm, days in list(gaps.items())[:4])
    more = f"; and {len(gaps) - 4} more arms" if len(gaps) > 4 else ""
    text = f"Days without delivery ({shown}{more}). Comparisons use common days only."
    return HealthCheck(name="missing_days", ok=False, message=text, severity="warning")


def late_days(days: Collection[date], as_of: date, *, lag_days: int = 3) -> HealthCheck:
    """Are the last days so young that conversions are still being added to them?"""
    young = sorted(d for d in set(days) if (as_of - d).days < lag_days)
    if not young:
        text = f"All days are at least {lag_days} days old: late conversions are in."
        return HealthCheck(name="late_days", ok=True, message=text, severity="info")
    text = (
        f"{len(young)} day(s) from {young[0]} are younger than {lag_days} days: "
        "platforms still add conversions to them, so conversion figures will rise."
    )
    return HealthCheck(name="late_days", ok=False, message=text, severity="warning")


#: Checks of how units came to the arms: where one fails, the arms may hold different people.
SPLIT_CHECKS = frozenset({"sample_ratio", "segment_ratio", "pre_period_balance", "crossed_units", "delivery_balance"})


def evidence_grade(checks: Sequence[HealthCheck], *, randomised: bool) -> Evidence:
    """What the comparison rests on after its checks.

    A: units were assigned at random by us and no check of the split failed. B: a platform split the traffic, or a
    check of our split warns. C: a platform's delivery is out of balance, or a check of our split blocks: the arms met
    different people.

    | check | warns | blocks | our split | a platform's |
    | --- | --- | --- | --- | --- |
    | both_arms | an arm without data | control or all others without | – | – |
    | sample_ratio | p < 0.01 | p < 0.001, our split only; units in an arm of weight 0 | B, blocked C | – |
    | segment_ratio | p < 0.01 and 0.2 % off | p < 0.001 | B, blocked C | not run |
    | pre_period_balance | p < 0.01 and 0.005 sd apart | p < 0.001 | B, blocked C | not run |
    | crossed_units | 1 % of the units | 10 % of the units | B, blocked C | not run |
    | delivery_balance | p < 0.001 and Cramér's V 0.05 | never | not run | C |
    | all others | as they say | never | – | – |

    The others (days missing or late, maturity, delays, changed reports, trends of the lift, size) say how to read the
    numbers; they leave the grade as it is, for they do not tell that the arms hold different people.
    """
    failed = [check for check in checks if check.ok is False and check.name in SPLIT_CHECKS]
    if not randomised:
        return Evidence.C if any(check.name == "delivery_balance" for check in failed) else Evidence.B
    if any(check.severity == "blocking" for check in failed):
        return Evidence.C
    return Evidence.B if failed else Evidence.A


def by_severity(checks: Iterable[HealthCheck]) -> tuple[HealthCheck, ...]:
    """What blocks first, then warnings, then what is open, then what holds; otherwise in the order given."""

    def rank(check: HealthCheck) -> int:
        if check.ok:
            return 3
        if check.ok is None or check.severity == "info":
            return 2
        return 0 if check.severity == "blocking" else 1

    return tuple(sorted(checks, key=rank))


def gather_open(checks: Iterable[HealthCheck], questions: Mapping[str, str]) -> tuple[HealthCheck, ...]:
    """The checks, with those that could not be made gathered into one line at the end.

    Args:
        questions: by the check's name what it asks, such as "how long conversions take"; checks that are not named
            here stay as they are.
    """
    checks = list(checks)
    left = [check for check in checks if check.ok is None and check.name in questions]
    if not left:
        return tuple(checks)
    asked = "; ".join(f"{questions[c.name]} ({c.message.rstrip('.')})" for c in left)
    line = HealthCheck(name="not_checked", ok=None, message=f"Cannot be told yet: {asked}.", severity="info")
    return (*(check for check in checks if check not in left), line)
