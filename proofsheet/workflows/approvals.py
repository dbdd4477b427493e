"""What share of reviewers approve pictures of a score, learnt from every campaign's reviews."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from proofsheet.domain.assessment import Review, Score
from proofsheet.workflows.house import House

if TYPE_CHECKING:
    from scoring.fit.approval import Approval


def approvals_of(house: House, judged: Sequence[Score]) -> tuple[tuple[Score, ...], tuple[Approval, ...]]:
    """The approval to expect of each asset just judged, as scores to keep, and what it rests on.

    Reviews of other campaigns count where the same model measured against the same descriptors or references.
    """
    from scoring.fit.approval import CALIBRATED, approvals

    if all(one.criterion != CALIBRATED or one.value is None for one in judged):
        return (), ()
    known, reviews = list[Score](), dict[str, Review]()
    with house.warehouse.read() as reader:
        for campaign in reader.campaigns():
            mine = reader.latest_reviews(campaign.slug)
            if mine:
                reviews.update(mine)
                known += (one for one in reader.scores(campaign.slug) if one.criterion == CALIBRATED)
    return approvals(judged, known, reviews)
