"""A sample-ratio check that may be repeated at every look: a Dirichlet-multinomial mixture against the planned shares.

The chance of the arms seen so far, averaged over a Dirichlet prior around the planned shares ``w``, over their chance
under ``w`` itself is an e-value: ``Gamma(c) / Gamma(c + n) * product(Gamma(c w_i + x_i) / Gamma(c w_i) / w_i**x_i)``.
While units are split by ``w`` its mean is 1 after every unit, so the chance that ``1 / E`` ever falls below ``alpha``
is ``alpha`` at most: no number of looks raises false alarms, and a broken split is found while the test still runs
(Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.checks.health import BLOCKING_P, WARNING_P, p_text, shares_text
from experiments.sequential.asymptotic import Array, p_from_log_e, running_p, tuning_ratio
from proofsheet.domain.result import HealthCheck
from proofsheet.errors import InputError

TUNING_N = 100_000.0
_NAME = "sample_ratio"  # the same question as health.sample_ratio, asked at every look


def ratio_log_e(counts: ArrayLike, weights: ArrayLike, *, tuning_n: float = TUNING_N) -> Array:
    """Log e-values of "units were split by the planned weights".

    Args:
        counts: units so far in each arm ``(..., arms)``; looks and segments are further axes in front.
        weights: planned weights in any unit ``(arms,)``; arms of weight 0 are left out.
        tuning_n: the number of units at which the check shall be sharpest (at p = 0.001); the strength of the prior is
            ``tuning_n / tuning_ratio(0.001)``, 6,000 for 100,000. The validity does not rest on it.

    Returns:
        Array ``(...)``; 0 without units.

    Raises:
        InputError: fewer than two positive weights, counts or weights that are negative or not finite, or a tuning
            number that is not positive.
    """
    table, shares = _checked(counts, weights, tuning_n)
    strength = shares * (tuning_n / tuning_ratio(BLOCKING_P))
    total = table.sum(axis=-1)
    # Differences of log gammas of large numbers lose digits: as Beta functions, one arm after another, they keep them.
    log_e = -(table * np.log(shares)).sum(axis=-1)
    for i in range(len(shares) - 1):
        a, b = strength[i], strength[i + 1 :].sum()
        log_e = log_e + _log_beta_ratio(a, b, table[..., i], table[..., i + 1 :].sum(axis=-1))
    return np.where(total > 0, log_e, 0.0)


def ratio_p_values(
    counts: ArrayLike, weights: ArrayLike, *, tuning_n: float = TUNING_N, segments: bool = False
) -> Array:
    """Running p-values: the least ``1 / E`` up to each look.

    Args:
        counts: units so far ``(..., looks, arms)``; with ``segments`` ``(..., segments, looks, arms)``.
        segments: correct for all segments together (Bonferroni over those axis -3 holds), look by look.

    Returns:
        Array ``(..., looks)`` or ``(..., segments, looks)``, in (0, 1].

    Raises:
        InputError: as ``ratio_log_e``.
    """
    p_values = running_p(p_from_log_e(ratio_log_e(counts, weights, tuning_n=tuning_n)))
    return np.minimum(p_values * p_values.shape[-2], 1.0) if segments else p_values


def sample_ratio_over_looks(
    looks: Mapping[str, ArrayLike],
    weights: Mapping[str, float],
    *,
    steered: bool = False,
    tuning_n: float = TUNING_N,
    segment: str = "",
    comparisons: int = 1,
    labels: Sequence[str] = (),
) -> HealthCheck:
    """Have the arms' sizes fitted the planned shares at every look so far?

    Below p = 0.01 a warning, below 0.001 blocking, as ``health.sample_ratio``; there a p-value of one look. A platform
    that steers delivery (``steered``) breaks planned shares as a rule: the check never blocks then.

    Args:
        looks: by arm the units so far at each look, in order of time.
        weights: planned weight by arm.
        segment: what the counts are of, for the message.
        comparisons: how many segments are checked; the p-value is multiplied by it.
        labels: what the looks are called, such as their days; by default "look 1", "look 2", …

    Raises:
        InputError: as ``ratio_log_e``, or arms with different numbers of looks, counts that fall, or labels that do
            not fit the looks.
    """
    table = {arm: np.atleast_1d(np.asarray(counts, dtype=float)) for arm, counts in looks.items()}
    lengths = {len(counts) for counts in table.values()}
    if len(lengths) > 1 or any((np.diff(counts) < 0).any() for counts in table.values()):
        raise InputError(
            "The arms have different numbers of looks, or counts that fall.",
            "Give for every arm the units so far at the same looks, in order of time.",
        )
    if labels and lengths - {len(labels)}:
        raise InputError(f"{len(labels)} labels do not name the looks.", "Give one label for each look.")
    where = f" in {segment}" if segment else ""
    strays = [arm for arm, counts in table.items() if counts.any() and not weights.get(arm)]
    if strays:
        text = f"{', '.join(strays)} got units{where} although no traffic was planned for it."
        return HealthCheck(name=_NAME, ok=False, message=text, severity="warning" if steered else "blocking")
    arms = [arm for arm, weight in weights.items() if weight > 0]
    number = max(lengths, default=0)
    counts = np.stack([table.get(arm, np.zeros(number)) for arm in arms], axis=-1) if arms else np.zeros((number, 0))
    if len(arms) < 2 or not counts.any():
        text = f"There is nothing to compare with the planned shares{where}."
        return HealthCheck(name=_NAME, ok=None, message=text, severity="info")
    p_values = np.minimum(ratio_p_values(counts, [weights[arm] for arm in arms], tuning_n=tuning_n) * comparisons, 1.0)
    p_value = float(p_values[-1])
    planned = np.array([weights[arm] for arm in arms])
    shares = shares_text(arms, counts[-1] / counts[-1].sum(), planned / planned.sum())
    together = f" at {number} looks together" if number > 1 else ", valid at every look"
    facts = f"{shares}; {p_text(p_value)}{together}"
    if p_value >= WARNING_P:
        text = f"The arms' sizes have fitted the plan{where} ({facts})."
        return HealthCheck(name=_NAME, ok=True, message=text, p_value=p_value, severity="info")
    first = int(np.argmax(p_values < WARNING_P))
    since = f" since {labels[first] if labels else f'look {first + 1}'}" if number > 1 or labels else ""
    meaning = (
        "The platform did not deliver the planned shares, so the arms may have met different people."
        if steered
        else "Units are missing or counted twice in some arm; until that is explained the result may be wrong."
    )
    return HealthCheck(
        name=_NAME,
        ok=False,
        message=f"The arms' sizes do not fit the plan{where}{since} ({facts}). {meaning}",
        p_value=p_value,
        severity="blocking" if p_value < BLOCKING_P and not steered else "warning",
    )


def _log_beta_ratio(a: float, b: float, x: Array, y: Array) -> Array:
    return np.asarray(special.betaln(a + x, b + y) - special.betaln(a, b))


def _checked(counts: ArrayLike, weights: ArrayLike, tuning_n: float) -> tuple[Array, Array]:
    table, plan = np.asarray(counts, dtype=float), np.asarray(weights, dtype=float)
    if plan.shape != table.shape[-1:] or not np.isfinite(plan).all() or (plan < 0).any() or (plan > 0).sum() < 2:
        raise InputError(
            f"The planned weights {plan.tolist()} do not divide the traffic of the arms.",
            "Give one weight of 0 or more for each arm, at least two of them positive.",
        )
    if not np.isfinite(table).all() or (table < 0).any():
        raise InputError("The arm sizes hold a negative or missing count.", "Counts are 0 or more.")
    if not 0.0 < tuning_n < math.inf:
        raise InputError(f"The tuning size {tuning_n} is not positive.", "Give a number of units, such as 100000.")
    return table[..., plan > 0], plan[plan > 0] / plan.sum()
