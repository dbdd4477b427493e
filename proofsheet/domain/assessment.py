"""Judging nouns: a score is measured, a verdict follows a rule, a review is a person's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from proofsheet.domain.asset import Box


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


class Action(StrEnum):
    """What mends an asset: the step of making it that must be taken again."""

    RE_LAYOUT = "re-layout"  # another layout or placing of what stands on the scene
    RE_COLOUR = "re-colour"  # another ink, shade or palette
    RE_WORD = "re-word"  # other words
    REDRAW = "redraw"  # another scene
    RE_COMPOSE = "re-compose"  # the same once more: what was composed has been damaged since
    EXPORT = "export"  # other size, format or compression


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule makes of a score: a grade, its reason in words, and the remedy.

    ``action`` is the remedy as one of ``Action``, or "" where a person must judge. ``boxes`` are the places on the
    picture that the reason speaks of, ``colours`` the colours, as ``#rrggbb``.
    """

    asset_id: str
    criterion: str
    grade: Grade
    reason: str
    remedy: str = ""
    action: str = ""
    boxes: tuple[Box, ...] = ()
    colours: tuple[str, ...] = ()


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
