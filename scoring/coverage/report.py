"""One axis of a set of pictures, from counts to a verdict: shares, intervals, targets and what limits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from proofsheet.domain.coverage import AxisCoverage, CoverageGoal, ValueShare
from proofsheet.errors import InputError
from scoring.coverage.axes import Axis
from scoring.coverage.confusion import Confused
from scoring.coverage.labelled import double_sampled_shares
from scoring.coverage.perceive import Places, tally
from scoring.coverage.shares import Floats, Shares, corrected_shares, wilson
from scoring.coverage.targets import Band, Coverage, bands_of, distance, judge, normalised_entropy, whole

#: Labelled pictures from which labels are gone by, and not what was measured of the model elsewhere.
ENOUGH_LABELS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """What people saw in a random part of the pictures.

    Attributes:
        counts: (K, K) by true value (rows) and perceived value (columns), ``unclear`` last.
        raters: how many people labelled.
        agreement: share of pictures on which all raters agree, of those that several labelled; None without any.
    """

    counts: NDArray[np.float64]
    raters: int
    agreement: float | None = None


def cover_axis(
    axis: Axis,
    places: Places,
    *,
    known: Sequence[str],
    confused: Confused | str,
    goal: CoverageGoal | None = None,
    labelled: Labelled | None = None,
    confidence: float = 0.95,
) -> AxisCoverage:
    """Shares of an axis's values with intervals, held against what the brief asks.

    From ``ENOUGH_LABELS`` labels on they are gone by; else counts are corrected by what was measured of the model; else
    the naive shares stand alone, and nothing is met or not met.

    Args:
        axis: what was looked for.
        places: what was perceived in each picture, as places among ``axis.names``.
        known: values that the model was asked for.
        confused: the model's measured errors on this axis, or why there are none.
        goal: what the brief asks; None where it asks nothing.
        labelled: what people saw in a random part of the same pictures.
        confidence: of each interval, on its own.

    Raises:
        InputError: the goal names a value that the axis has not, or its targets add up to more than 1.
    """
    counts, bands = tally(places, axis), _bands(axis, goal)
    method, why, shares, spoken = _shares(axis, counts, known, confused, labelled, confidence)
    rows = _rows(axis, counts, bands, confidence)
    entropy = away = None
    if shares is not None:
        of_all = np.zeros(len(axis.names))
        of_all[spoken] = shares.share
        entropy = _evenness(of_all)
        for at, place in enumerate(spoken):
            low, high, band = float(shares.low[at]), float(shares.high[at]), bands[place]
            rows[place] = replace(
                rows[place],
                share=float(shares.share[at]),
                low=low,
                high=high,
                verdict=judge(low, high, band).value if band else None,
            )
        if goal and goal.targets:
            away = distance(of_all, bands_of(axis.names, goal.targets, goal.tolerance))
    return AxisCoverage(
        axis=axis.name,
        title=axis.title,
        n=int(counts.sum()),
        method=method,
        why=why,
        labels=int(labelled.counts.sum()) if labelled else 0,
        raters=labelled.raters if labelled else 0,
        agreement=labelled.agreement if labelled else None,
        values=tuple(rows),
        verdict=whole(Coverage(row.verdict) for row in rows if row.verdict),
        entropy=entropy,
        distance=away,
        confidence=confidence,
        limitation=axis.limitation,
    )


def check_goal(axis: Axis, goal: CoverageGoal) -> None:
    """Whether a goal can be held against the axis.

    Raises:
        InputError: it names a value that the axis has not, or its targets add up to more than 1.
    """
    try:
        bands_of(axis.names, goal.targets, goal.tolerance)
    except InputError as error:
        raise InputError(f"Coverage of {axis.name}: {error.message}", error.hint) from error


def _bands(axis: Axis, goal: CoverageGoal | None) -> list[Band | None]:
    """The band of each value that the brief speaks of; None for the others."""
    if goal is None or not goal.targets:
        return [None] * len(axis.names)
    check_goal(axis, goal)
    bands = bands_of(axis.names, goal.targets, goal.tolerance)
    return [band if name in goal.targets else None for name, band in zip(axis.names, bands, strict=True)]


def _rows(axis: Axis, counts: NDArray[np.int64], bands: Sequence[Band | None], confidence: float) -> list[ValueShare]:
    """What was perceived, and what is asked for; not corrected yet, so that no verdict is known."""
    n = int(counts.sum())
    low, high = wilson(counts, n, confidence)
    return [
        ValueShare(
            value=name,
            title=title,
            count=int(counts[place]),
            naive=float(counts[place] / n) if n else None,
            naive_low=float(low[place]) if n else None,
            naive_high=float(high[place]) if n else None,
            share=None,
            low=None,
            high=None,
            target=band.target if band else None,
            least=band.least if band else None,
            most=band.most if band else None,
            verdict=Coverage.UNKNOWN.value if band else None,
        )
        for place, (name, title, band) in enumerate(zip(axis.names, axis.titles, bands, strict=True))
    ]


def _shares(
    axis: Axis,
    counts: NDArray[np.int64],
    known: Sequence[str],
    confused: Confused | str,
    labelled: Labelled | None,
    confidence: float,
) -> tuple[str, str, Shares | None, list[int]]:
    """How shares were found, why not otherwise, the shares, and the places among the axis's names that they are of."""
    everything = list(range(len(axis.names)))
    if not counts.sum():
        return "uncorrected", "There is no picture to look at.", None, []
    if labelled and labelled.counts.sum() >= ENOUGH_LABELS:
        return "labels", "", double_sampled_shares(counts, labelled.counts, confidence=confidence), everything
    if len(known) < 2:
        return "uncorrected", "The CLIP model was not taught this axis; label a sample of the pictures.", None, []
    if isinstance(confused, str):
        return "uncorrected", confused, None, []
    spoken = [axis.names.index(name) for name in confused.values]
    missing = [value.title for value in axis.values if value.name not in confused.values]
    why = f"Taken to be shown by no picture, as the model cannot see it: {', '.join(missing)}." if missing else ""
    return "corrected", why, corrected_shares(counts[spoken], confused.counts, confidence=confidence), spoken


def _evenness(shares: Floats) -> float | None:
    """Normalised entropy of what is shown, ``unclear`` aside; None where next to nothing is."""
    shown = shares[:-1]
    return normalised_entropy(shown / shown.sum()) if shown.size > 1 and shown.sum() > 1e-6 else None
