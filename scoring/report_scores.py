"""The part of a report that shows scores: each number on its scale, and what the scales mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from proofsheet.domain.assessment import Score
from scoring.scales import Scale, scale_of, title_of


def scores_table(scores: Sequence[Score]) -> str:
    """All scores of a picture, folded; a number with a scale is drawn on it, one that is lacking says why."""
    if not scores:
        return ""
    rows = "".join(_row(one) for one in scores)
    count = sum(one.value is not None for one in scores)
    told = f"All scores ({count} of {len(scores)} measured)"
    return f'<details class="fine"><summary>{told}</summary><table>{rows}</table></details>'


def scales_list(scores: Iterable[Score]) -> str:
    """What each scale that occurs means: its ends, which way is better, and where it passes."""
    found: dict[tuple[str, str], Scale] = {}
    for one in scores:
        scale = scale_of(one)
        if scale is not None and one.value is not None:
            found.setdefault((one.criterion, one.unit), scale)
    items = "".join(
        f"<dt>{escape(scale.title)}</dt><dd>{escape(_sentence(scale, unit))}</dd>" for (_, unit), scale in found.items()
    )
    return f"<dl>{items}</dl>" if items else ""


def _sentence(scale: Scale, unit: str) -> str:
    """A scale in words."""
    better = "higher is better" if scale.better == "high" else "lower is better"
    limit = ""
    if scale.passes is not None:
        way = "or more" if scale.better == "high" else "or less"
        limit = f"; {scale.passes:g} {way} passes"
    meaning = scale.meaning[:1].upper() + scale.meaning[1:]
    return f"{meaning}. In {unit}, from {scale.low:g} to {scale.high:g}; {better}{limit}."


def _row(score: Score) -> str:
    scale = scale_of(score)
    title = scale.title if scale else title_of(score.criterion)
    if score.value is None:
        return f'<tr><td>{escape(title)}</td><td class="soft" colspan="2">not judged: {escape(score.detail)}</td></tr>'
    shown = f"{_number(score.value)} {escape(score.unit)}"
    drawn = _drawn(scale, score.value) if scale else ""
    detail = f'<div class="small soft">{escape(score.detail)}</div>' if score.detail else ""
    return f'<tr><td>{escape(title)}</td><td class="number">{shown}</td><td>{drawn}{detail}</td></tr>'


def _drawn(scale: Scale, value: float) -> str:
    """The value on its scale: the part that passes is shaded."""
    good = ""
    if scale.passes is not None:
        edge = 100 * scale.place(scale.passes)
        left, width = (edge, 100 - edge) if scale.better == "high" else (0.0, edge)
        good = f'<i class="good" style="left:{left:.1f}%;width:{width:.1f}%"></i>'
    return (
        f'<div class="scale" aria-hidden="true"><span class="track">{good}</span>'
        f'<i class="at" style="left:{100 * scale.place(value):.1f}%"></i>'
        f'<span class="ends"><span>{scale.low:g}</span><span>{scale.high:g}</span></span></div>'
    )


def _number(value: float) -> str:
    """Three figures, and no more decimals than they leave."""
    if abs(value - round(value)) < 0.005 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
