"""Says of a file from elsewhere what the rules say of an asset, which Proofsheet could export or draw anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from proofsheet.domain.assessment import Grade, Verdict
from proofsheet.domain.campaign import Placement

#: Verdicts that only a plan makes sense of: to a CLIP, one design in two languages is as good as one picture.
_NEEDS_PLAN = ("look_alikes", "levels")


def as_of_a_file(verdicts: Iterable[Verdict], kind: str, size: int, placement: Placement) -> tuple[Verdict, ...]:
    """The verdicts on one file with words that fit it; grades and criteria stay, what needs a plan is left out.

    ``kind`` is the file's, such as ``webp``, and ``size`` its bytes.
    """
    return tuple(_reworded(one, kind, size, placement) for one in verdicts if one.criterion not in _NEEDS_PLAN)


def _reworded(verdict: Verdict, kind: str, size: int, placement: Placement) -> Verdict:
    if verdict.grade is Grade.PASS:
        return verdict
    formats = " or ".join(name.upper() for name in placement.formats)
    reason, remedy = verdict.reason.strip(), verdict.remedy
    if verdict.criterion == "format":
        reason = f"The file is {kind.upper()}, which {placement.title} does not take ({formats})."
        remedy = f"Export it as {formats}."
    elif verdict.criterion == "file_size":
        too_much = f"The file has {size / 1000:,.0f} KB; {placement.title} takes {placement.max_bytes / 1000:,.0f} KB"
        even = ", and no usual compression makes it fit" if verdict.grade is Grade.FAIL else ""
        reason = f"{too_much} at most{even}."
        remedy = "Export it with stronger compression." if not even else "Choose a calmer picture with less fine grain."
    elif verdict.criterion == "brand_fit":
        remedy = "Look at it beside the brand's own pictures. The score is a hint, not a gate."
    elif verdict.criterion == "blank":
        reason = "The picture is one even colour."
        remedy = "Look at the file: drawing or saving it may have gone wrong."
    return replace(verdict, reason=reason, remedy=remedy, action="")
