"""Judging nouns: a score is measured, a verdict follows a rule, a review is a person's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Grade(StrEnum):
    """What a verdict says: PASS goes to review, REVIEW wants a closer look, FAIL must be mended."""

    PASS = "PASS"
    REVIEW = "REVIEW"
    FAIL = "FAIL"

    @property
    def severity(self) -> int:
        """0 for PASS, 1 for REVIEW, 2 for FAIL: the worst verdict is the asset's."""
        return ("PASS", "REVIEW", "FAIL").index(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One measured number about one asset; None when it cannot be measured (``detail`` says why).

    ``scorer`` names scorer, version and model: scores of different scorers are never compared.
    """

    asset_id: str
    criterion: str
    value: float | None
    unit: str
    scorer: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule makes of a score: a grade, its reason in words, and the remedy."""

    asset_id: str
    criterion: str
    grade: Grade
    reason: str
    remedy: str = ""


class Judgement(StrEnum):
    """What a reviewer decides."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"  # takes an earlier judgement back: the asset waits for review again


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A person's decision about an asset; the latest one counts, the earlier ones are kept."""

    asset_id: str
    judgement: Judgement
    reason: str
    reviewer: str
    at: datetime
