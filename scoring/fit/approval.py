"""Brand fit said as what reviewers do: the share of them who approve pictures of that score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from proofsheet.domain.assessment import Judgement, Review, Score
from scoring.fit.calibration import MIN_OF_A_KIND, MIN_REVIEWS, Calibration, Floats, Reliability, calibrate, lacking

CALIBRATED = "brand_fit"
CRITERION = "brand_fit_approval"
_VERSION = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What is known of how reviewers see one scorer's scores; ``missing`` says what there is too little of.

    ``scorer`` is model and yardstick: reviews of another one's scores are not counted.
    """

    scorer: str
    method: str
    reviews: int
    approved: int
    missing: str = ""
    reliability: Reliability | None = None


def approvals(
    judged: Sequence[Score], known: Iterable[Score], reviews: Mapping[str, Review]
) -> tuple[tuple[Score, ...], tuple[Approval, ...]]:
    """The approval to expect of each asset with a brand fit, and what it rests on.

    Args:
        judged: the scores that have just been made, of every criterion.
        known: earlier scores, of other campaigns of the brand, say; those made by another model, or against other
            descriptors or references, are left out.
        reviews: the review that counts, by asset id.

    Returns:
        One score ``brand_fit_approval`` (0–1) for each brand fit that has a value, None where reviews are too few, and
        one Approval for each scorer among them.
    """
    fits = [one for one in judged if one.criterion == CALIBRATED and one.value is not None]
    latest = {one.asset_id: one for one in (*known, *judged) if one.criterion == CALIBRATED and one.value is not None}
    scores, told = list[Score](), list[Approval]()
    for scorer in dict.fromkeys(one.scorer for one in fits):
        pairs = [
            (one, reviews[one.asset_id].judgement is Judgement.APPROVE)
            for one in latest.values()
            if one.scorer == scorer and one.asset_id in reviews and _decides(reviews[one.asset_id])
        ]
        labels = [label for _, label in pairs]
        found = calibrate(_scale([one for one, _ in pairs]), labels) if pairs else None
        mine = [one for one in fits if one.scorer == scorer]
        if found is None:
            approval = Approval(
                scorer=scorer, method="", reviews=len(pairs), approved=sum(labels), missing=lacking(labels)
            )
            scores += [_silent(one, approval) for one in mine]
        else:
            approval = Approval(
                scorer=scorer,
                method=found.method,
                reviews=found.reviews,
                approved=found.approved,
                reliability=found.reliability,
            )
            scores += _calibrated(mine, found)
        told.append(approval)
    return tuple(scores), tuple(told)


def _decides(review: Review) -> bool:
    return review.judgement in (Judgement.APPROVE, Judgement.REJECT)


def _scale(scores: Sequence[Score]) -> Floats:
    """Scores as they are learnt from: percentiles by their odds, as the tails of 0 and 100 would be squeezed else."""
    values = np.array([one.value for one in scores], dtype=np.float64)
    if scores and scores[0].unit == "percentile":
        share = np.clip(values / 100.0, 1e-6, 1.0 - 1e-6)
        return np.asarray(np.log(share / (1.0 - share)), dtype=np.float64)
    return values


def _calibrated(fits: Sequence[Score], found: Calibration) -> list[Score]:
    at = _scale(fits)
    rows = zip(fits, found.share(at), *found.interval(at), strict=True)
    return [
        Score(
            asset_id=one.asset_id,
            criterion=CRITERION,
            value=float(share),
            unit="share of reviewers who approve",
            scorer=f"{CRITERION}/{_VERSION} {found.method} of {one.scorer}",
            detail=f"95 % interval {low:.2f} to {high:.2f}, from {found.reviews} reviews ({found.approved} approved)",
        )
        for one, share, low, high in rows
    ]


def _silent(fit: Score, approval: Approval) -> Score:
    return Score(
        asset_id=fit.asset_id,
        criterion=CRITERION,
        value=None,
        unit="share of reviewers who approve",
        scorer=f"{CRITERION}/{_VERSION} of {fit.scorer}",
        detail=(
            f"What share of reviewers approve such pictures is not known yet: {approval.missing} of pictures scored by "
            f"this model are needed ({MIN_REVIEWS} in all, {MIN_OF_A_KIND} of either kind)."
        ),
    )
