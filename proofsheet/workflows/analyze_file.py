"""analyze --data: the same statistics on any file, with no set-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofsheet.domain.facts import Reject
from proofsheet.domain.result import Analysis

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnalysis:
    """What the rows of a file say, experiment by experiment, with every row accounted for."""

    analyses: tuple[Analysis, ...]
    rows_in: int
    used: int
    set_aside: tuple[Reject, ...]
    set_aside_count: int
    notes: tuple[str, ...]
